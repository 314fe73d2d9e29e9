//! People who open accounts while processes are killed, their own wallet among them.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use etibar_wallet::{EntryId, Language, view::Outcome};
use tokio::time::{sleep, timeout};

use super::AGAIN_PAUSE;
use crate::{
    failure::Failure,
    sample::{MEMBERS, SampleMember},
    tour::{
        chapter::Chapter,
        country::{Citizen, Country, broken, failed},
        stage::Stage,
    },
};

/// How long an opening may take: the pauses of a bank whose ledger, registers and own process die
/// in turn fit.
const PATIENCE: Duration = Duration::from_mins(2);
const PRODUCT: &str = "current_account";
/// After how long a wallet is killed that answers a bank: this often the round's number, so that
/// each round is killed elsewhere.
const WALLET_KILLED_STEP: Duration = Duration::from_millis(15);
/// Rounds until the wallet is killed at the same place again.
const WALLET_KILLED_PLACES: u32 = 8;

/// What the people's wallets say came of it.
#[derive(Default)]
pub(super) struct Told {
    /// The banks' accounts before.
    before: BTreeSet<String>,
    /// Accounts that were opened.
    opened: Vec<String>,
    /// Openings that ended in another way, with their reasons.
    ended: Vec<String>,
    /// Accounts without a consent in the wallet, and consents without an account.
    torn: Vec<String>,
}

/// People enrol and open accounts, one after another, until `over`.
pub(super) async fn open_until(
    stage: &Stage,
    country: &Country,
    over: &AtomicBool,
) -> Result<Told, Failure> {
    let banks: Vec<&'static SampleMember> = MEMBERS[1..].iter().collect();
    let mut told = Told { before: accounts(stage).await?, ..Told::default() };
    for round in 0_u32.. {
        if over.load(Ordering::Acquire) {
            break;
        }
        let bank = banks[usize::try_from(round).expect("a few rounds") % banks.len()];
        let citizen = insist(async || country.enrol().await).await?;
        let ask = async || {
            let asked = citizen.holder.open_account(bank.member_id(), PRODUCT, Language::En);
            asked.await.map_err(broken("ask a bank"))
        };
        let request = insist(ask).await?;
        let place = WALLET_KILLED_STEP * (round % WALLET_KILLED_PLACES + 1);
        let citizen = answer_and_die(country, &citizen, request, place).await?;
        let outcome = settled(country, &citizen, request).await?;
        note(&mut told, bank, &citizen, outcome).await?;
    }
    Ok(told)
}

/// What must hold afterwards.
pub(super) async fn check(
    stage: &Stage,
    told: &Told,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    chapter.fact("accounts opened meanwhile", told.opened.len());
    chapter.fact("ended otherwise", told.ended.join("; "));
    chapter.check("accounts were opened meanwhile", !told.opened.is_empty());
    let after = insist(async || accounts(stage).await).await?;
    let opened: BTreeSet<String> = after.difference(&told.before).cloned().collect();
    chapter.check(
        "the banks' books have the accounts that the killed wallets tell of, and no other",
        opened.len() == told.opened.len() && told.opened.iter().all(|iban| opened.contains(iban)),
    );
    chapter.check(
        format!("no account without its consent, no consent without one {}", told.torn.join("; ")),
        told.torn.is_empty(),
    );
    Ok(())
}

/// The numbers in the books of all banks.
async fn accounts(stage: &Stage) -> Result<BTreeSet<String>, Failure> {
    let mut numbers = BTreeSet::new();
    for bank in &MEMBERS[1..] {
        let book = stage.gateway(bank)?.book().await?;
        numbers.extend(book.into_iter().map(|entry| entry.number));
    }
    Ok(numbers)
}

/// Approves the request and kills the wallet after `place`; the person with a wallet that knows
/// only what was written down.
async fn answer_and_die(
    country: &Country,
    citizen: &Citizen,
    request: EntryId,
    place: Duration,
) -> Result<Citizen, Failure> {
    let gesture = country.wallet().scripted().map_err(broken("act by script"))?;
    // Dropped where it stands, as by a kill; a refusal shows in the session.
    drop(timeout(place, citizen.holder.approve(request, &gesture)).await);
    country.after_kill(citizen).await
}

/// What came of the request, as the wallet tells it once nothing moves any more. A wallet that had
/// not begun to answer answers now; one that had goes on by itself.
async fn settled(
    country: &Country,
    citizen: &Citizen,
    request: EntryId,
) -> Result<Outcome, Failure> {
    let gesture = country.wallet().scripted().map_err(broken("act by script"))?;
    let began = Instant::now();
    loop {
        let answered = citizen.holder.is_answered(request).await;
        let told = if answered.map_err(broken("look at a request"))? {
            citizen.holder.outcome(request).await.map(|(outcome, _)| outcome)
        } else {
            citizen.holder.approve(request, &gesture).await
        };
        match told {
            Ok(outcome) if !outcome.under_way => return Ok(outcome),
            Ok(outcome) if began.elapsed() > PATIENCE => {
                let state = outcome.pending.unwrap_or_default();
                return Err(failed("open an account", format!("it stays {state}")));
            }
            Err(error) if began.elapsed() > PATIENCE => {
                return Err(broken("open an account")(error));
            }
            _ => sleep(AGAIN_PAUSE).await,
        }
    }
}

/// Writes down how it ended, and whether account and consent come together.
async fn note(
    told: &mut Told,
    bank: &SampleMember,
    citizen: &Citizen,
    outcome: Outcome,
) -> Result<(), Failure> {
    let consents = citizen.holder.consents(Language::En).await;
    let consents = consents.map_err(broken("look at a wallet"))?.len();
    if (consents > 0) != outcome.account.is_some() {
        let opened = outcome.account.is_some();
        told.torn.push(format!("{}: opened {opened}, {consents} consents", bank.name));
    }
    let ended = |its: Option<String>| format!("{} {}", bank.name, its.unwrap_or_default());
    if let Some(account) = outcome.account {
        told.opened.push(account.iban);
    } else {
        told.ended.push(ended(outcome.pending));
    }
    Ok(())
}

/// Tries until it works, as long as the storm's patience lasts.
async fn insist<T>(act: impl AsyncFn() -> Result<T, Failure>) -> Result<T, Failure> {
    let began = Instant::now();
    loop {
        match act().await {
            Ok(done) => return Ok(done),
            Err(failure) if began.elapsed() > PATIENCE => return Err(failure),
            Err(_) => sleep(AGAIN_PAUSE).await,
        }
    }
}
