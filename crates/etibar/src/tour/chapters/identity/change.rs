//! The register changes, and whoever follows it hears.

use std::collections::BTreeMap;

use etibar_openid::{Private, member::RegisterChange};

use super::{HOME, PID, SECOND, Story};
use crate::{
    failure::Failure,
    sample::{AGENCIES, SampleMember},
    tour::{
        chapter::Chapter,
        country::Lag,
        message::fresh_uetr,
        stage::{Stage, wait_for},
    },
};

/// The gauge of live consents at the interior ministry.
const CONSENTS: &str = "etibar_agency_consents_live ";
/// The street that the clerk writes down.
pub(super) const STREET: &str = "Nümunə küçəsi";

pub(super) async fn of_address(
    stage: &Stage,
    story: &Story,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    let registrar = &AGENCIES[0];
    let following = async || {
        let live = story.country.gauge(stage, registrar, CONSENTS).await?;
        Ok((live >= 2).then_some(live))
    };
    let following = wait_for(following).await?;
    chapter.fact("consents that follow changes", following.unwrap_or_default());
    let before = (lag(stage, story, HOME).await?, lag(stage, story, SECOND).await?);
    let fin = story.country.person(story.citizen.index).fin.expose().to_owned();
    let changes = BTreeMap::from([
        ("address.street".to_owned(), STREET.into()),
        ("address.building".to_owned(), "7".into()),
    ]);
    let change = RegisterChange {
        id: fresh_uetr(),
        subject: Private(fin),
        vct: PID.to_owned(),
        changes: Private(changes),
        reason: "moved house".to_owned(),
    };
    let done = story.country.change(stage, registrar, &change).await?;
    chapter.fact("notices, without content", done.notices);
    chapter.fact("credentials revoked", done.revoked);
    chapter.check("the credentials with the old address are revoked", done.revoked > 0);
    chapter.check("both banks are told that something changed", done.notices >= 2);
    for (bank, before) in [(HOME, before.0), (SECOND, before.1)] {
        let reached = async || {
            let lag = lag(stage, story, bank).await?;
            Ok((lag.count > before.count).then_some(lag))
        };
        let reached = wait_for(reached).await?;
        let lag_ms = reached.map(|lag| lag.last_ms);
        chapter.fact(&format!("{} has it after ms", bank.name), lag_ms);
        chapter.check(format!("{} pulls the new address", bank.name), reached.is_some());
    }
    let again = story.country.change(stage, registrar, &change).await?;
    chapter.check("the clerk's order twice changes the register once", again == done);
    let stray = RegisterChange { vct: "urn:az:employment:1".to_owned(), ..change };
    let stray = RegisterChange { id: fresh_uetr(), ..stray };
    let refused = story.country.change(stage, registrar, &stray).await;
    chapter.check("a clerk cannot change another agency's register", refused.is_err());
    Ok(())
}

async fn lag(stage: &Stage, story: &Story, bank: &SampleMember) -> Result<Lag, Failure> {
    story.country.lag(stage, bank).await
}
