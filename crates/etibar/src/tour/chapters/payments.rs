//! Payments that arrive.

use etibar_ledger::{
    Outcome,
    operation::{Action, TransferKind},
};
use etibar_primitives::Amount;

use super::{CREDITOR, DEBTOR, order};
use crate::{
    failure::Failure,
    tour::{
        chapter::Chapter,
        message::{Order, Payee, iban},
        stage::{Stage, wait_for},
    },
};

/// A telephone number of the range that is never given out.
const PHONE: &str = "+994-50-0000042";

pub(super) async fn by_account(stage: &Stage, chapter: &mut Chapter) -> Result<(), Failure> {
    settles(stage, chapter, &order(1_250)).await
}

pub(super) async fn by_phone(stage: &Stage, chapter: &mut Chapter) -> Result<(), Failure> {
    let account = iban(CREDITOR, 2);
    let bank = stage.gateway(CREDITOR)?;
    bank.register_phone(PHONE, &account).await?;
    let registered =
        wait_for(async || Ok(bank.aliases_are_registered().await?.then_some(()))).await?;
    chapter.check("the number is registered on the ledger", registered.is_some());
    // The payer's bank knows the number alone: the ledger tells it whose customer that is.
    let phone = Order { payee: Payee::Phone(PHONE.into()), ..order(2_075) };
    let before = balance(&bank, &account).await?;
    settles(stage, chapter, &phone).await?;
    let credited = async || {
        let now = balance(&bank, &account).await?;
        Ok((now == before + phone.amount.minor_units()).then_some(()))
    };
    let credited = wait_for(credited).await?;
    chapter.check("the customer behind the number is credited", credited.is_some());
    Ok(())
}

/// Pays and follows the money to the payee, with proof.
async fn settles(stage: &Stage, chapter: &mut Chapter, order: &Order) -> Result<(), Failure> {
    let (debtor, creditor) = (stage.gateway(order.debtor)?, stage.gateway(order.creditor)?);
    let before = (stage.prefund(DEBTOR).await?, stage.prefund(CREDITOR).await?);
    let answer = debtor.pay(order).await?;
    chapter.fact("UETR", order.uetr.to_string());
    chapter.fact("amount", format!("{} AZN", crate::genesis::manats(order.amount)));
    chapter.fact("settled after ms", answer.took_ms);
    chapter.check("the payer's bank answers ACSC: settled", answer.status == "ACSC");
    let credited = async || {
        let seen = creditor.state(order.uetr).await?;
        Ok(seen.filter(|seen| seen.status == "ACCC"))
    };
    chapter.check("the payee's bank answers ACCC: credited", wait_for(credited).await?.is_some());
    let after = (stage.prefund(DEBTOR).await?, stage.prefund(CREDITOR).await?);
    let moved = i64::try_from(order.amount.minor_units()).unwrap_or(i64::MAX);
    chapter.check(
        "exactly this sum moved between the banks in central-bank money",
        after.0.balance == before.0.balance - moved && after.1.balance == before.1.balance + moved,
    );
    for (side, gateway) in [("payer's", &debtor), ("payee's", &creditor)] {
        let proven = stage.verify(&stage.receipt_of(gateway, order.uetr).await?)?;
        let posted = |amount: Amount| amount == order.amount;
        let holds = proven.outcome() == Outcome::Accepted
            && proven.operation.is_some_and(|operation| {
                matches!(operation.action, Action::Transfer(TransferKind::Post, transfer)
                    if transfer.pending == order.uetr && posted(transfer.amount))
            });
        chapter.check(format!("the {side} receipt proves it with the genesis alone"), holds);
        if side == "payer's" {
            chapter.fact("receipt", proven.sentence());
        }
    }
    Ok(())
}

async fn balance(gateway: &crate::tour::gateway::Gateway, account: &str) -> Result<u64, Failure> {
    let book = gateway.book().await?;
    Ok(book.iter().find(|entry| entry.number == account).map_or(0, |entry| entry.balance))
}
