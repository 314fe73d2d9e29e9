//! The tour's chapters, in the order in which they are told.

mod books;
mod failures;
mod identity;
mod payments;
mod proofs;
mod refusals;
mod silence;
mod storm;

use etibar_primitives::Amount;

use super::{
    chapter::Chapter,
    message::{Order, Payee, fresh_uetr, iban},
    stage::Stage,
};
use crate::{
    sample::{MEMBERS, SampleMember},
    up::RunningNetwork,
};

/// The payer's bank in most chapters.
const DEBTOR: &SampleMember = &MEMBERS[1];
/// The payee's bank in most chapters.
const CREDITOR: &SampleMember = &MEMBERS[2];
/// The bank that falls silent.
const SILENT: &SampleMember = &MEMBERS[3];

/// Tells every chapter after the first; a broken one does not keep the next from being told.
pub(super) async fn tell(stage: &Stage, storm: bool, told: &mut Vec<Chapter>) {
    let begin = |name| Chapter::begin(name, stage.speaks);
    let mut chapter = begin("A customer pays by account number");
    let ended = payments::by_account(stage, &mut chapter).await;
    told.push(chapter.end(ended));
    let mut chapter = begin("A customer pays by telephone number");
    let ended = payments::by_phone(stage, &mut chapter).await;
    told.push(chapter.end(ended));
    let mut chapter = begin("What cannot be paid is refused with its reason");
    let ended = refusals::each_reason(stage, &mut chapter).await;
    told.push(chapter.end(ended));
    let mut chapter = begin("The same order twice is paid once");
    let ended = refusals::repeats(stage, &mut chapter).await;
    told.push(chapter.end(ended));
    let mut chapter = begin("A tampered receipt is refused");
    let ended = proofs::tampering(stage, &mut chapter).await;
    told.push(chapter.end(ended));
    // A network from before there were agencies has no people.
    if !stage.sample.ports.agencies.is_empty() {
        identity::tell(stage, told).await;
    }
    // Nobody kills the processes of a network that is not its own.
    if let Some(processes) = stage.processes() {
        tell_failures(stage, processes, storm, told).await;
    }
    let mut chapter = begin("All books agree");
    let ended = books::agree(stage, &mut chapter).await;
    told.push(chapter.end(ended));
}

/// Tells what happens when machines and banks fail.
async fn tell_failures(
    stage: &Stage,
    processes: &RunningNetwork,
    storm: bool,
    told: &mut Vec<Chapter>,
) {
    let begin = |name| Chapter::begin(name, stage.speaks);
    let mut chapter = begin("A validator is killed and comes back");
    let ended = failures::validator(stage, processes, &mut chapter).await;
    told.push(chapter.end(ended));
    let mut chapter = begin("A validator loses its disk and joins again");
    let ended = failures::disk(stage, processes, &mut chapter).await;
    told.push(chapter.end(ended));
    let mut chapter = begin("A silent bank holds nobody's money");
    let ended = silence::expiry(stage, processes, &mut chapter).await;
    told.push(chapter.end(ended));
    if storm {
        let mut chapter =
            begin("Every process is killed in turn while payments and identifications go on");
        let ended = storm::kills(stage, processes, &mut chapter).await;
        told.push(chapter.end(ended));
    }
}

/// An order from customer 1 of the paying bank to customer 1 of the paid one.
fn order(minor_units: u64) -> Order {
    Order {
        uetr: fresh_uetr(),
        debtor: DEBTOR,
        account: iban(DEBTOR, 1),
        creditor: CREDITOR,
        payee: Payee::Account(iban(CREDITOR, 1)),
        amount: Amount::new(minor_units).expect("the tour pays small amounts"),
    }
}
