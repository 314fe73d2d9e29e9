//! People who open accounts while processes are killed, their own wallet among them.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use etibar_openid::Private;
use etibar_wallet::{EntryId, Language};
use tokio::time::{sleep, timeout};

use super::AGAIN_PAUSE;
use crate::{
    failure::Failure,
    sample::{MEMBERS, SampleMember},
    tour::{
        chapter::Chapter,
        country::{Citizen, Country, Session, broken, failed},
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
/// The state of a session that nobody answered.
const WAITING: &str = "waiting";

/// What came of the people.
#[derive(Default)]
pub(super) struct Told {
    /// Accounts that were opened, by bank.
    opened: Vec<(&'static SampleMember, String)>,
    /// Answers that never left the killed wallet: the bank waits, and nothing is open.
    unsent: usize,
    /// Sessions that ended in another way, with their reasons.
    ended: Vec<String>,
    /// Consents that a bank used and the person's wallet does not know.
    torn: Vec<String>,
}

/// People enrol and open accounts, one after another, until `over`.
pub(super) async fn open_until(
    stage: &Stage,
    country: &Country,
    over: &AtomicBool,
) -> Result<Told, Failure> {
    let banks: Vec<&'static SampleMember> = MEMBERS[1..].iter().collect();
    let mut told = Told::default();
    for round in 0_u32.. {
        if over.load(Ordering::Acquire) {
            break;
        }
        let bank = banks[usize::try_from(round).expect("a few rounds") % banks.len()];
        let citizen = insist(async || country.enrol().await).await?;
        let (id, link) = insist(async || country.session(stage, bank, PRODUCT, None).await).await?;
        let took = async || citizen.holder.open_request(&link).await.map_err(broken("ask a bank"));
        let request = insist(took).await?;
        let place = WALLET_KILLED_STEP * (round % WALLET_KILLED_PLACES + 1);
        let citizen = answer_and_die(country, &citizen, request, place).await?;
        let session = settled(stage, country, &citizen, (bank, &id), request).await?;
        note(&mut told, bank, &citizen, session).await?;
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
    chapter.fact("answers that died with their wallet", told.unsent);
    chapter.fact("ended otherwise", told.ended.join("; "));
    chapter.check("accounts were opened meanwhile", !told.opened.is_empty());
    let mut in_books = true;
    for (bank, iban) in &told.opened {
        let book = stage.gateway(bank)?.book().await?;
        in_books &= book.iter().filter(|entry| entry.number == *iban).count() == 1;
    }
    chapter.check("each of them stands in its bank's books once", in_books);
    chapter.check(
        format!("every wallet that was killed has the consent it gave {}", told.torn.join("; ")),
        told.torn.is_empty(),
    );
    Ok(())
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

/// The session once it does not move any more. A wallet that had not begun to answer answers now.
async fn settled(
    stage: &Stage,
    country: &Country,
    citizen: &Citizen,
    (bank, id): (&SampleMember, &str),
    request: EntryId,
) -> Result<Session, Failure> {
    let gesture = country.wallet().scripted().map_err(broken("act by script"))?;
    let began = Instant::now();
    loop {
        let answered = citizen.holder.is_answered(request).await;
        if !answered.map_err(broken("look at a request"))? {
            // Whether it works is seen at the bank.
            drop(citizen.holder.approve(request, &gesture).await);
        }
        let looked = country.look(stage, bank, id).await;
        match looked {
            Ok(session) if session.is_final => return Ok(session),
            Ok(session) if session.state == WAITING => {
                let answered = citizen.holder.is_answered(request).await;
                if answered.map_err(broken("look at a request"))? {
                    return Ok(session);
                }
            }
            Err(failure) if began.elapsed() > PATIENCE => return Err(failure),
            Ok(session) if began.elapsed() > PATIENCE => {
                return Err(failed("open an account", format!("it stays {}", session.state)));
            }
            _ => {}
        }
        sleep(AGAIN_PAUSE).await;
    }
}

/// Writes down how a session ended, and whether the wallet knows the consent that it used.
async fn note(
    told: &mut Told,
    bank: &'static SampleMember,
    citizen: &Citizen,
    session: Session,
) -> Result<(), Failure> {
    match session.iban {
        Some(Private(iban)) => {
            let consents = citizen.holder.consents(Language::En).await;
            if consents.map_err(broken("look at a wallet"))?.is_empty() {
                told.torn.push(format!("{} used one that the wallet has not", bank.name));
            }
            told.opened.push((bank, iban));
        }
        None if session.state == WAITING => told.unsent += 1,
        None => told.ended.push(format!("{} {}", session.state, session.reasons.join(","))),
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
