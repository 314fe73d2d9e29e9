//! A credential that its issuer has not ready at once.

use etibar_agency::population::Population;
use etibar_wallet::Language;

use super::{Story, code};
use crate::{
    failure::Failure,
    sample::AGENCIES,
    tour::{
        chapter::Chapter,
        country::{broken, failed},
        stage::{Stage, wait_for},
    },
    up::agency_name,
};

const MANDATE: &str = "urn:az:mandate:1";
/// The justice ministry's place among the agencies.
const JUSTICE: usize = 2;

pub(super) async fn released(
    stage: &Stage,
    story: &Story,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    let country = &story.country;
    let mandated = |population: &Population, index: usize| {
        population.companies().iter().any(|company| company.mandated == Some(index))
    };
    let attorney = country.enrol_one(mandated).await?;
    let gesture = country.wallet().scripted().map_err(broken("act by script"))?;
    let ordered = code(attorney.holder.add_credential(MANDATE, &gesture).await);
    chapter.check(format!("a power of attorney is not issued at once ({ordered})"), {
        ordered == "issuance_deferred"
    });
    // Wallet and agency are killed while it waits.
    let attorney = country.after_kill(&attorney).await?;
    if let Some(processes) = stage.processes() {
        let justice = agency_name(AGENCIES[JUSTICE].member_id());
        processes.take_down(&justice).await;
        processes.bring_up(&justice).await;
        processes.wait_for(&justice).await?;
    }
    let holder = &attorney.holder;
    let shown = holder.deferred(Language::En).await.map_err(broken("look at the wallet"))?;
    let waits = shown.len() == 1 && shown[0].refused.is_none();
    chapter.fact("the wallet shows", shown.first().map(|its| its.title.clone()));
    chapter.check("the person sees that it is on its way, after a restart, too", waits);
    let early = holder.resume_deferred().await.map_err(broken("ask again"))?;
    chapter.check("nothing comes before a clerk has looked", early == 0);
    let asked = country.releases(stage, &AGENCIES[JUSTICE]).await?;
    let fin = country.person(attorney.index).fin;
    let asked = asked.releases.iter().find(|its| its.subject.0 == fin.expose());
    let asked = asked.ok_or_else(|| failed("find the clerk's question", "it is gone".into()))?;
    let done = country.release(stage, &AGENCIES[JUSTICE], asked.id).await?;
    chapter.check("the clerk releases it", done.released);
    let came = async || {
        let came = holder.resume_deferred().await.map_err(broken("ask again"))?;
        Ok((came > 0).then_some(came))
    };
    chapter.check("then the wallet has it by itself", wait_for(came).await? == Some(1));
    let held = holder.credentials(Language::En).await.map_err(broken("look at the wallet"))?;
    let left = holder.deferred(Language::En).await.map_err(broken("look at the wallet"))?;
    let here = held.iter().any(|its| its.vct == MANDATE) && left.is_empty();
    chapter.check("once, and nothing waits any more", here);
    Ok(())
}
