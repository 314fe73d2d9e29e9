//! Every process of the network is killed in turn while payments and identifications go on.
//!
//! A payer that gets no answer orders again under the same UETR, as a core banking system does.
//! In the end what the payers were told must be what the ledger did, to the qəpik: a payment that
//! was lost or made twice would show in the sums.

mod people;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use etibar_primitives::{Amount, MemberId};
use futures::future::join_all;

use crate::{
    failure::Failure,
    sample::{MEMBERS, SampleMember},
    tour::{
        chapter::Chapter,
        country::Country,
        gateway::{Answer, Gateway},
        message::{Order, Payee, fresh_uetr, iban},
        stage::{Stage, millis},
    },
    up::{RunningNetwork, agency_name, edge_name, validator_name},
};

/// How many customers pay at the same time.
const PAYERS: usize = 6;
/// How long a payer tries one payment: a restart and the hard limit of a payment fit.
const PATIENCE: Duration = Duration::from_mins(1);
/// The pause before the same order is given again.
const AGAIN_PAUSE: Duration = Duration::from_millis(200);
/// How long the network runs undisturbed after each restart.
const CALM: Duration = Duration::from_millis(500);

/// What a payer was told.
type Told = (Order, Answer);

pub(super) async fn kills(
    stage: &Stage,
    processes: &RunningNetwork,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    let before = prefunds(stage).await?;
    let began = Instant::now();
    let over = AtomicBool::new(false);
    let payers = join_all((0..PAYERS).map(|payer| pay_until(stage, payer, &over)));
    let country = Country::open(stage).await?;
    let opening = people::open_until(stage, &country, &over);
    let killing = async {
        let killed = kill_each(stage, processes).await;
        over.store(true, Ordering::Release);
        killed
    };
    let (told, opened, killed) = tokio::join!(payers, opening, killing);
    chapter.fact("processes killed", killed?);
    people::check(stage, &opened?, chapter).await?;
    let told: Vec<Told> = told.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
    let took = millis(began);
    let settled: Vec<_> = told.iter().filter(|(_, answer)| answer.status == "ACSC").collect();
    let slowest = settled.iter().map(|(_, answer)| answer.took_ms).max().unwrap_or_default();
    chapter.fact("payments", told.len());
    chapter.fact("settled", settled.len());
    chapter.fact("slowest, ms", slowest);
    chapter.fact("lasted ms", took);
    let all_final = told.iter().all(|(_, answer)| answer.status != "PDNG");
    chapter.check("every payment has an end", all_final && !told.is_empty());
    chapter.check("most payments settle all the same", settled.len() * 2 > told.len());
    let after = prefunds(stage).await?;
    let expected = expected(&before, &settled);
    chapter.check("the ledger moved exactly what the payers were told, to the qəpik", {
        after == expected
    });
    Ok(())
}

/// Kills every process once, each when the one before serves again.
async fn kill_each(stage: &Stage, processes: &RunningNetwork) -> Result<usize, Failure> {
    let validators = (0..stage.sample.ports.validators.len()).map(validator_name);
    let edges = MEMBERS.iter().map(|member| edge_name(member.member_id()));
    let agencies = stage.sample.ports.agencies.iter().map(|its| agency_name(its.member));
    let names: Vec<_> = validators.chain(edges).chain(agencies).collect();
    for name in &names {
        processes.take_down(name).await;
        processes.bring_up(name).await;
        processes.wait_for(name).await?;
        tokio::time::sleep(CALM).await;
    }
    Ok(names.len())
}

/// Pays from one bank to the next, round and round.
async fn pay_until(stage: &Stage, payer: usize, over: &AtomicBool) -> Result<Vec<Told>, Failure> {
    let banks: Vec<&'static SampleMember> = MEMBERS[1..].iter().collect();
    let mut told = Vec::new();
    for round in payer.. {
        if over.load(Ordering::Acquire) {
            break;
        }
        let (debtor, creditor) = (banks[round % banks.len()], banks[(round + 1) % banks.len()]);
        let customer = u32::try_from(payer + 1).expect("a handful of payers");
        let minor_units = u64::try_from(round % 97 + 1).expect("below a hundred");
        let order = Order {
            uetr: fresh_uetr(),
            debtor,
            account: iban(debtor, customer),
            creditor,
            payee: Payee::Account(iban(creditor, customer)),
            amount: Amount::new(minor_units).expect("less than a manat"),
        };
        let answer = insist(&stage.gateway(debtor)?, &order).await?;
        told.push((order, answer));
    }
    Ok(told)
}

/// Orders until there is an end.
async fn insist(gateway: &Gateway, order: &Order) -> Result<Answer, Failure> {
    let began = Instant::now();
    loop {
        match gateway.pay(order).await {
            Ok(answer) if answer.status != "PDNG" => {
                return Ok(Answer { took_ms: millis(began), ..answer });
            }
            Err(failure) if began.elapsed() > PATIENCE => return Err(failure),
            Ok(answer) if began.elapsed() > PATIENCE => return Ok(answer),
            _ => tokio::time::sleep(AGAIN_PAUSE).await,
        }
    }
}

async fn prefunds(stage: &Stage) -> Result<BTreeMap<MemberId, i64>, Failure> {
    let mut balances = BTreeMap::new();
    for bank in &MEMBERS[1..] {
        balances.insert(bank.member_id(), stage.prefund(bank).await?.balance);
    }
    Ok(balances)
}

fn expected(before: &BTreeMap<MemberId, i64>, settled: &[&Told]) -> BTreeMap<MemberId, i64> {
    let mut balances = before.clone();
    for (order, _) in settled {
        let amount = i64::try_from(order.amount.minor_units()).unwrap_or(i64::MAX);
        for (bank, change) in [(order.debtor, -amount), (order.creditor, amount)] {
            *balances.entry(bank.member_id()).or_default() += change;
        }
    }
    balances
}
