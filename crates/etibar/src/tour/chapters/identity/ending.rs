//! Withdrawal and erasure.

use std::time::Instant;

use etibar_client::token;
use etibar_primitives::Digest;
use etibar_wallet::{EntryId, Language, view::ConsentState};
use serde_json::json;

use super::{CREDIT_REPORT, HOME, SECOND, Story, code, unread};
use crate::{
    failure::Failure,
    sample::{AGENCIES, SampleMember, read_key},
    tour::{
        chapter::Chapter,
        country::{broken, failed},
        message::fresh_uetr,
        stage::{Stage, millis, now},
    },
};

/// The credit bureau's place among the agencies.
const BUREAU: usize = 13;
/// The purpose of loans.
const LOAN: u16 = 2;

pub(super) async fn withdrawn(
    stage: &Stage,
    story: &Story,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    let opened = story.country.apply(stage, &story.citizen, HOME, "loan", None).await?;
    let bureau = AGENCIES[BUREAU].member_id();
    let given = opened.session.consents.iter().find(|its| its.provider == bureau);
    let Some(given) = given else {
        chapter.check("there is a consent for the credit bureau", false);
        return Ok(());
    };
    let before = fetch(stage, story, given.rel).await?;
    chapter.fact("the bank asks once more before", before.clone());
    let consent = newest(story, HOME).await?;
    let gesture = story.country.wallet().scripted().map_err(broken("act by script"))?;
    let began = Instant::now();
    let revoked = story.citizen.holder.revoke(consent, &gesture).await;
    revoked.map_err(broken("withdraw a consent"))?;
    chapter.fact("final after ms", millis(began));
    let known = stage.operator.consent(given.rel).await.map_err(unread)?;
    chapter.check("the ledger says so", known.is_some_and(|its| its.revoked.is_some()));
    let after = fetch(stage, story, given.rel).await?;
    chapter.check(
        format!("the provider refuses the bank from then on ({after})"),
        after == "consent_revoked" && before != after,
    );
    let consents = story.citizen.holder.consents(Language::En).await;
    let consents = consents.map_err(broken("look at the consents"))?;
    let shown = consents.iter().find(|its| its.id == consent);
    let withdrawn = shown.is_some_and(|its| its.state == ConsentState::Revoked);
    chapter.check("the wallet shows it as withdrawn", withdrawn);
    Ok(())
}

/// Asks the credit bureau for data as the bank would: the refusal's code.
async fn fetch(stage: &Stage, story: &Story, rel: Digest) -> Result<String, Failure> {
    let key = read_key(&stage.sample.member_key(HOME.member_id()))?;
    let network = stage.sample.genesis.network();
    let token = token::sign(&network, HOME.member_id(), &key, now());
    let url = format!("{}/v1/data", stage.sample.edge_url(AGENCIES[BUREAU].member_id()));
    let body = json!({
        "id": fresh_uetr(),
        "rel": rel,
        "vct": CREDIT_REPORT,
        "claims": ["exposure_qepik"],
        "purpose": LOAN,
    });
    let (status, code) = story.country.post_as(&token, url, &body).await?;
    Ok(if code.is_empty() { status.to_string() } else { code })
}

/// The newest consent that `bank` has.
async fn newest(story: &Story, bank: &SampleMember) -> Result<EntryId, Failure> {
    let consents = story.citizen.holder.consents(Language::En).await;
    let consents = consents.map_err(broken("look at the consents"))?;
    let found = consents
        .iter()
        .find(|its| its.member == bank.member_id() && its.state == ConsentState::Active);
    let none = || failed("find a consent", "the wallet has none for the bank".to_owned());
    Ok(found.ok_or_else(none)?.id)
}

pub(super) async fn erased(story: &Story, chapter: &mut Chapter) -> Result<(), Failure> {
    let consent = newest(story, SECOND).await?;
    let holder = &story.citizen.holder;
    let gesture = story.country.wallet().scripted().map_err(broken("act by script"))?;
    let began = Instant::now();
    holder.erase(consent, &gesture).await.map_err(broken("have data erased"))?;
    chapter.fact("erased after ms", millis(began));
    let consents = holder.consents(Language::En).await.map_err(broken("look at the consents"))?;
    let shown = consents.iter().find(|its| its.id == consent);
    chapter.check("the wallet keeps the bank's signed receipt", {
        shown.is_some_and(|its| its.erased)
    });
    let holds = shown.map(|its| its.holds.clone()).unwrap_or_default();
    for (what, until) in &holds {
        let days = until.since(now()).0 / 86_400_000;
        chapter.fact("kept by law", format!("{what}, for {days} days"));
    }
    let five_years = holds.iter().any(|(_, until)| until.since(now()).0 / 86_400_000 > 1_800);
    chapter.check("what the law makes the bank keep has an end", five_years);
    let again = code(holder.revoke(consent, &gesture).await);
    chapter.check(format!("the bank knows the consent no more ({again})"), !again.is_empty());
    Ok(())
}
