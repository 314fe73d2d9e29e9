//! Accounts for people.

use etibar_onboarding::policy::KYC;
use etibar_openid::Private;
use etibar_wallet::Language;

use super::{HOME, PHONE, Story, unread};
use crate::{
    failure::Failure,
    sample::{MEMBERS, SampleMember},
    tour::{
        chapter::Chapter,
        chapters::order,
        country::broken,
        message::{Order, Payee},
        stage::{Stage, wait_for},
    },
};

/// The goal for one opening, in milliseconds of machine time.
const GOAL_MS: u64 = 2_000;
/// How many banks the second person goes to: a bank's credential serves eight others.
const BANKS: usize = 9;
const PRODUCT: &str = "current_account";

pub(super) async fn first(
    stage: &Stage,
    story: &Story,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    let opened = story.country.apply(stage, &story.citizen, HOME, PRODUCT, Some(PHONE)).await?;
    chapter.fact("bank", HOME.name);
    chapter.fact("the screen named", opened.sources.join("; "));
    chapter.fact("open after ms", opened.took_ms);
    let ended = &opened.session.state;
    chapter.check(format!("the session ends: {ended}"), ended == "done");
    chapter.fact("reasons", opened.session.reasons.join(", "));
    let Some(Private(iban)) = &opened.session.iban else {
        chapter.check("an account is open", false);
        return Ok(());
    };
    let gateway = stage.gateway(HOME)?;
    let in_books = gateway.book().await?.iter().any(|entry| entry.number == *iban);
    chapter.check("an account is open and stands in the bank's books", in_books);
    let mut on_ledger = !opened.session.consents.is_empty();
    for given in &opened.session.consents {
        let known = stage.operator.consent(given.rel).await.map_err(unread)?;
        on_ledger &= known.is_some_and(|its| its.provider == given.provider);
        let receipt = stage.operator.receipt(HOME.member_id(), given.granted_by).await;
        on_ledger &= receipt.map_err(unread)?.is_some_and(|its| its.outcome().is_accepted());
    }
    chapter.check("every consent is on the ledger, certified", on_ledger);
    let held =
        story.citizen.holder.credentials(Language::En).await.map_err(broken("look at it"))?;
    let checked = held.iter().filter(|its| its.vct == KYC).count();
    chapter.check("the bank's own credential is in the wallet, once", checked == 1);
    let registered =
        wait_for(async || Ok(gateway.aliases_are_registered().await?.then_some(()))).await?;
    chapter.check("the telephone number is registered on the ledger", registered.is_some());
    let to_phone = Order { creditor: HOME, payee: Payee::Phone(PHONE.into()), ..order(3_300) };
    let answer = stage.gateway(to_phone.debtor)?.pay(&to_phone).await?;
    chapter.check(format!("another bank's customer pays to it: {}", answer.short()), {
        answer.status == "ACSC"
    });
    let credited = async || {
        let book = gateway.book().await?;
        let entry = book.into_iter().find(|entry| entry.number == *iban);
        Ok(entry.filter(|entry| entry.balance == to_phone.amount.minor_units()))
    };
    chapter.check("and the new account is credited", wait_for(credited).await?.is_some());
    Ok(())
}

/// Another person opens an account at each bank: the machine time of an opening.
pub(super) async fn everywhere(
    stage: &Stage,
    story: &Story,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    let citizen = story.country.enrol().await?;
    let banks: Vec<&SampleMember> = MEMBERS[1..].iter().take(BANKS).collect();
    let mut took = Vec::new();
    let mut reused = 0_usize;
    for bank in &banks {
        let opened = story.country.apply(stage, &citizen, bank, PRODUCT, None).await?;
        if opened.session.iban.is_some() {
            took.push(opened.took_ms);
        }
        reused += usize::from(opened.session.reused_from.is_some());
    }
    took.sort_unstable();
    let at = |percent: usize| took.get((took.len() * percent).div_ceil(100).max(1) - 1).copied();
    chapter.fact("openings", took.len());
    chapter.fact("without being asked again", reused);
    chapter.fact("median ms", at(50));
    chapter.fact("95 of 100 within ms", at(95));
    chapter.check("an account is open at each of them", took.len() == banks.len());
    chapter.check("all but the first reuse what another bank verified", reused + 1 == banks.len());
    chapter.check(
        format!("95 of 100 openings take less than {GOAL_MS} ms"),
        at(95).is_some_and(|ms| ms < GOAL_MS),
    );
    Ok(())
}
