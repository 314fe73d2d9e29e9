//! The register changes, and whoever follows it hears.

use std::{collections::BTreeMap, time::Instant};

use etibar_openid::{Private, member::RegisterChange};
use etibar_wallet::{Language, view::CredentialState};

use super::{HOME, PID, SECOND, Story, THIRD};
use crate::{
    failure::Failure,
    sample::{AGENCIES, SampleMember},
    tour::{
        chapter::Chapter,
        country::{Lag, broken},
        message::fresh_uetr,
        stage::{Stage, millis, wait_for},
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
    renewed(stage, story, chapter).await
}

/// The wallet fetches the new identity, and the person goes on with it.
async fn renewed(stage: &Stage, story: &Story, chapter: &mut Chapter) -> Result<(), Failure> {
    let holder = &story.citizen.holder;
    let gesture = story.country.wallet().scripted().map_err(broken("act by script"))?;
    let level = async || {
        let home = holder.home(Language::En).await.map_err(broken("look at the wallet"))?;
        Ok::<_, Failure>(home.card.map(|card| card.level))
    };
    let before = level().await?;
    let began = Instant::now();
    let renewed = holder.refresh(&gesture).await;
    chapter.fact("credentials renewed", renewed.map_err(broken("renew the credentials"))?);
    chapter.fact("renewed after ms", millis(began));
    let credentials = holder.credentials(Language::En).await;
    let credentials = credentials.map_err(broken("look at the wallet"))?;
    let new = credentials.iter().filter(|its| its.vct == PID);
    let new = new.filter(|its| its.state == CredentialState::Valid).count() == 1
        && credentials.iter().any(|its| {
            its.vct == PID && its.claims.iter().any(|claim| claim.value.contains(STREET))
        });
    chapter.check("without proving anew the person has an identity with the new address", new);
    chapter.check("at the level that it had", before.is_some() && level().await? == before);
    let (id, link) = story.country.session(stage, THIRD, "current_account", None).await?;
    let request = holder.open_request(&link).await.map_err(broken("take a bank's request"))?;
    let screen = holder.consent_screen(request, Language::En).await;
    let screen = screen.map_err(broken("look at the screen"))?;
    let mut claims = screen.sources.iter().flat_map(|source| &source.claims);
    let shown = claims.any(|claim| claim.value.contains(STREET));
    chapter.check("another bank's screen shows the new address", shown);
    holder.approve(request, &gesture).await.map_err(broken("present to a bank"))?;
    let session = story.country.ended(stage, THIRD, &id).await?;
    chapter.fact("bank", THIRD.name);
    chapter.fact("reasons", session.reasons.join(", "));
    chapter.check(format!("and opens an account: {}", session.state), session.iban.is_some());
    let fresh = session.reused_from.is_none();
    chapter.check("no bank relies on due diligence with the old address", fresh);
    Ok(())
}

async fn lag(stage: &Stage, story: &Story, bank: &SampleMember) -> Result<Lag, Failure> {
    story.country.lag(stage, bank).await
}
