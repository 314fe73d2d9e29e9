//! The device is lost.

use std::time::Instant;

use etibar_wallet::Language;

use super::{PID, SECOND, Story, change::STREET, code};
use crate::{
    failure::Failure,
    tour::{
        chapter::Chapter,
        country::{Citizen, broken, failed},
        stage::{Stage, millis, now},
    },
};

pub(super) async fn by_guardians(
    stage: &Stage,
    story: &Story,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    let country = &story.country;
    let gesture = country.wallet().scripted().map_err(broken("act by script"))?;
    let careful = country.enrol().await?;
    let guardians = [country.enrol().await?, country.enrol().await?, country.enrol().await?];
    let fins =
        [0, 1, 2].map(|at: usize| country.person(guardians[at].index).fin.expose().to_owned());
    let named = careful.holder.name_guardians(fins, &gesture).await;
    named.map_err(broken("name guardians"))?;
    let began = Instant::now();
    let application = country.application(careful.index);
    let found = country.wallet().recover(&application, true).await;
    let found = found.map_err(broken("begin a recovery"))?;
    let waiting = found.recovery().await.map_err(broken("look at the recovery"))?;
    let waiting = waiting.ok_or_else(|| failed("recover", "there is no recovery".to_owned()))?;
    chapter.check("a new phone alone brings nothing back", !waiting.done && waiting.missing == 2);
    let nobody = country.enrol().await?;
    let stranger = code(nobody.holder.approve_recovery(&waiting.number, &gesture).await);
    chapter.check(format!("a stranger cannot help ({stranger})"), stranger == "not_a_guardian");
    for guardian in &guardians[..2] {
        let approved = guardian.holder.approve_recovery(&waiting.number, &gesture).await;
        approved.map_err(broken("approve a recovery"))?;
    }
    let done = found.recovery().await.map_err(broken("look at the recovery"))?;
    chapter.fact("back after ms", millis(began));
    chapter.check("two of three guardians do", done.is_some_and(|its| its.done));
    let home = found.home(Language::En).await.map_err(broken("look at the wallet"))?;
    let until = home.card.and_then(|card| card.cooldown_until);
    let hours = until.map(|until| until.since(now()).0 / 3_600_000);
    chapter.fact("hours without new consents", hours);
    let new = Citizen { index: careful.index, holder: found };
    let (_, link) = country.session(stage, SECOND, "current_account", None).await?;
    let hasty = code(country.approve(&new, &link).await);
    chapter.check(format!("no new consent in that time ({hasty})"), hasty == "cooling_down");
    // Its wallet sees that the credentials are revoked, and a bank would.
    let (_, link) = country.session(stage, SECOND, "current_account", None).await?;
    let thief = country.approve(&careful, &link).await.map(|_| ());
    let said = thief.as_ref().map_or_else(ToString::to_string, |()| String::new());
    chapter.check(
        format!("who found the old phone presents nothing ({said})"),
        ["revoked", "credential_missing", "person_unknown"].contains(&code(thief).as_str()),
    );
    by_proofing(story, chapter).await
}

/// The person whose address changed proves again: the register's new address is in the wallet.
async fn by_proofing(story: &Story, chapter: &mut Chapter) -> Result<(), Failure> {
    let country = &story.country;
    let application = country.application(story.citizen.index);
    let found = country.wallet().recover(&application, false).await;
    let found = found.map_err(broken("recover by a new proofing"))?;
    let credentials = found.credentials(Language::En).await;
    let credentials = credentials.map_err(broken("look at the wallet"))?;
    let new = credentials
        .iter()
        .filter(|its| its.vct == PID)
        .any(|its| its.claims.iter().any(|claim| claim.value.contains(STREET)));
    chapter.check("or a new proofing does: the new identity has the new address", new);
    Ok(())
}
