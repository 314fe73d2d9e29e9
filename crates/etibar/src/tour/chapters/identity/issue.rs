//! Agencies attest what their registers hold.

use std::time::Instant;

use etibar_primitives::MemberId;
use etibar_wallet::Language;

use super::{COMPANY, EMPLOYMENT, Story, code, unread};
use crate::{
    failure::Failure,
    sample::AGENCIES,
    tour::{
        chapter::Chapter,
        country::{broken, failed},
        stage::{Stage, millis, wait_for},
    },
};

/// The labour ministry's place among the agencies.
const LABOUR: usize = 4;

pub(super) async fn from_registers(
    stage: &Stage,
    story: &Story,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    let gesture = story.country.wallet().scripted().map_err(broken("act by script"))?;
    let holder = &story.citizen.holder;
    let began = Instant::now();
    let entry = holder.add_credential(EMPLOYMENT, &gesture).await;
    let entry = entry.map_err(broken("fetch the labour contract"))?;
    chapter.fact("issued after ms", millis(began));
    let credentials = holder.credentials(Language::En).await;
    let credentials = credentials.map_err(broken("look at the wallet"))?;
    let contract = credentials.iter().find(|its| its.id == entry);
    let contract = contract.ok_or_else(|| failed("find the credential", "it is gone".into()))?;
    chapter.fact("from", contract.issuer.clone());
    chapter.fact("what", contract.title.clone());
    let job = story.country.person(story.citizen.index).job.as_ref();
    let position = job.map_or("", |job| job.position);
    let holds = contract.claims.iter().any(|claim| claim.value == position);
    chapter.check("the labour contract says what the ministry's register says", holds);
    let list = MemberId(AGENCIES[LABOUR].id);
    let anchored = async || {
        let found = stage.operator.status_list(list, 0).await.map_err(unread)?;
        let first = stage.operator.status_list(list, 1).await.map_err(unread)?;
        Ok(found.or(first))
    };
    let anchored = wait_for(anchored).await?;
    chapter.check("the list that would revoke it is anchored on the ledger", anchored.is_some());
    let index = story.citizen.index;
    let directs = story.country.population().companies().iter().any(|its| its.director == index);
    if !directs {
        let refused = code(holder.add_credential(COMPANY, &gesture).await);
        chapter.check(
            format!("who directs no company is given none ({refused})"),
            !refused.is_empty(),
        );
    }
    Ok(())
}
