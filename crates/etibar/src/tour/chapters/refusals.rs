//! Payments that must not arrive, or not twice.

use etibar_primitives::Amount;
use serde_json::Value;

use super::{CREDITOR, DEBTOR, order};
use crate::{
    failure::Failure,
    sample::SampleMember,
    tour::{
        chapter::Chapter,
        message::{Order, Payee, iban},
        stage::Stage,
    },
};

/// In the sample book every 20th account is closed, and the one before it blocked.
const CLOSED: u32 = 20;
const BLOCKED: u32 = 19;
/// No bank of the sample network has so many customers.
const NOBODY: u32 = 999_999;
/// A bank that is no member.
const STRANGER: SampleMember = SampleMember { id: 0, name: "No member", bic: "XXXXAZ22" };

pub(super) async fn each_reason(stage: &Stage, chapter: &mut Chapter) -> Result<(), Failure> {
    let payer = stage.gateway(DEBTOR)?;
    let to = |index| Payee::Account(iban(CREDITOR, index));
    let amount = |minor| Amount::new(minor).expect("the tour pays small amounts");
    let usual = order(100);
    let cases = [
        ("a payee who does not exist", "AC03", Order { payee: to(NOBODY), ..usual.clone() }),
        ("a closed account", "AC04", Order { payee: to(CLOSED), ..usual.clone() }),
        ("a blocked account", "AC06", Order { payee: to(BLOCKED), ..usual.clone() }),
        (
            "a number nobody registered",
            "BE23",
            Order { payee: Payee::Phone("+994-50-0000099".into()), ..usual.clone() },
        ),
        ("more than the payer has", "AM04", Order { amount: amount(1_000_001), ..usual.clone() }),
        ("more than an instant payment may be", "AM02", {
            Order { amount: amount(4_000_001), ..usual.clone() }
        }),
        ("a bank that is no member", "RC01", Order { creditor: &STRANGER, ..usual.clone() }),
    ];
    let before = (stage.prefund(DEBTOR).await?.balance, stage.prefund(CREDITOR).await?.balance);
    for (what, reason, case) in cases {
        let case = Order { uetr: crate::tour::message::fresh_uetr(), ..case };
        let answer = payer.pay(&case).await?;
        let sentence =
            format!("{what}: {reason} (answered {}, {} ms)", answer.short(), answer.took_ms);
        chapter.check(sentence, answer.rejects(reason));
    }
    let (status, problem) = payer.send(b"<Document/>".to_vec()).await?;
    let problem: Value = serde_json::from_slice(&problem).unwrap_or_default();
    chapter.fact("a message that is none", problem["code"].clone());
    chapter.check("a message that breaks its schema is refused", status.as_u16() == 400);
    let after = (stage.prefund(DEBTOR).await?.balance, stage.prefund(CREDITOR).await?.balance);
    chapter.check("no qəpik moved", before == after);
    Ok(())
}

pub(super) async fn repeats(stage: &Stage, chapter: &mut Chapter) -> Result<(), Failure> {
    let payer = stage.gateway(DEBTOR)?;
    let before = stage.prefund(DEBTOR).await?.balance;
    let first = order(777);
    let answer = payer.pay(&first).await?;
    chapter.fact("UETR", first.uetr.to_string());
    chapter.check("the first order settles", answer.status == "ACSC");
    for attempt in 2..=4 {
        let again = payer.pay(&first).await?;
        let same = (again.status, again.reason) == (answer.status.clone(), answer.reason.clone());
        chapter.check(format!("order {attempt} of the same gets the same answer"), same);
    }
    let other = Order { amount: Amount::new(778).unwrap_or_default(), ..first };
    let answer = payer.pay(&other).await?;
    let sentence = format!("the same UETR for another sum is refused ({})", answer.short());
    chapter.check(sentence, answer.rejects("DUPL"));
    let after = stage.prefund(DEBTOR).await?.balance;
    chapter.check("the bank was debited once", after == before - 777);
    Ok(())
}
