//! A creditor's bank that does not answer.

use std::time::Instant;

use etibar_ledger::{
    Operation, Outcome,
    operation::{Action, Transfer, TransferKind},
};
use etibar_primitives::{Amount, Digest, DurationMs};

use super::{DEBTOR, SILENT, order};
use crate::{
    failure::Failure,
    tour::{
        chapter::Chapter,
        message::{Order, Payee, fresh_uetr, iban},
        stage::{Stage, millis, now, wait_for},
    },
    up::{RunningNetwork, edge_name},
};

/// How long the reserve stands that nobody answers.
const EXPIRY: DurationMs = DurationMs(3_000);
const AMOUNT: u64 = 5_000;

pub(super) async fn expiry(
    stage: &Stage,
    processes: &RunningNetwork,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    let silent = edge_name(SILENT.member_id());
    processes.take_down(&silent).await;
    chapter.fact("silent", SILENT.name);
    let before = stage.prefund(DEBTOR).await?;
    let unheard =
        Order { creditor: SILENT, payee: Payee::Account(iban(SILENT, 1)), ..order(AMOUNT) };
    let payer = stage.gateway(DEBTOR)?;
    // At the same time: an order through the edge, and a reserve that is on the ledger already.
    let (answer, lapsed) = tokio::join!(payer.pay(&unheard), lapse(stage, chapter));
    lapsed?;
    let answer = answer?;
    chapter.fact("the order ended after ms", answer.took_ms);
    let sentence = format!("the order to the silent bank ends: {} (AB08)", answer.short());
    chapter.check(sentence, answer.rejects("AB08"));
    chapter.check("and within the hard limit of an instant payment", answer.took_ms < 12_000);
    let after = stage.prefund(DEBTOR).await?;
    chapter.check(
        "all money is free again",
        after.balance == before.balance && after.available == before.available,
    );
    processes.bring_up(&silent).await;
    processes.wait_for(&silent).await?;
    let again = Order { uetr: fresh_uetr(), ..unheard };
    let answer = payer.pay(&again).await?;
    chapter.check("once the bank is back it is paid", answer.status == "ACSC");
    Ok(())
}

/// A reserve lapses at its expiry in block time, with a receipt of the ledger itself.
async fn lapse(stage: &Stage, chapter: &mut Chapter) -> Result<(), Failure> {
    let client = stage.client(DEBTOR)?;
    let (debit, credit) = (stage.prefund(DEBTOR).await?.id, stage.prefund(SILENT).await?.id);
    let amount = Amount::new(AMOUNT).expect("a small amount");
    let made = now();
    let mut transfer = Transfer::new(debit, credit, amount, made);
    transfer.expires = made.saturating_add(EXPIRY);
    transfer.debtor_agent = DEBTOR.member_id();
    transfer.creditor_agent = SILENT.member_id();
    transfer.commitment = Digest(crate::sample::random_bytes());
    let id = fresh_uetr();
    let action = Action::Transfer(TransferKind::Reserve, transfer);
    let began = Instant::now();
    let failed = |why: String| Failure::Network { what: "reserve", why };
    let submitted = client.submit(&[Operation { id, linked: false, action }]).await;
    submitted.map_err(|error| failed(error.to_string()))?;
    let outcome = |wanted: Outcome| {
        let client = client.clone();
        async move || {
            let receipt = client.receipt(DEBTOR.member_id(), id).await;
            let receipt = receipt.map_err(|error| failed(error.to_string()))?;
            Ok(receipt.filter(|receipt| receipt.outcome() == wanted))
        }
    };
    let reserved = wait_for(outcome(Outcome::Accepted)).await?;
    chapter.fact("reserved after ms", millis(began));
    chapter.check("the ledger sets the money aside", reserved.is_some());
    let expired = async || {
        let known = client.operation(DEBTOR.member_id(), id).await;
        let known = known.map_err(|error| failed(error.to_string()))?;
        let end = known.and_then(|known| known.end);
        Ok(end.filter(|end| end.how == etibar_client::wire::End::Expired))
    };
    let expired = wait_for(expired).await?;
    chapter.fact("lapsed after ms", millis(began));
    chapter.check("nobody answers, so the reserve lapses by itself", expired.is_some());
    Ok(())
}
