//! Whole edges with their tasks: what a core banking sees.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/machine.rs"]
mod machine;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/network.rs"]
mod network;

use std::time::Duration;

use etibar_edge::{
    TransferError, TransferOrder, alias::AliasKind, payment::CustomerAccount, store::Durability,
};
use etibar_iso20022::{Message, Status, StatusReport, StatusRequest, Text, parse};
use etibar_ledger::Outcome;
use etibar_primitives::{BlockTime, MemberId, OperationId};
use machine::Machine;
use network::{ALFA, BETA, OPERATOR, Pacs008, customer, uetr};

const LONG: Duration = Duration::from_secs(15);
/// Callers at the same time, each with one payment.
const CALLERS: u128 = 256;

async fn machine() -> Machine {
    Machine::start(Durability::Process).await
}

fn message(number: u128, to: usize) -> Vec<u8> {
    let (from, to) = (customer(ALFA, 1), customer(BETA, to));
    Pacs008::one(uetr(number), (ALFA, &from), (BETA, &to), 100)
}

fn report(xml: &str) -> StatusReport {
    let Message::StatusReport(report) = parse(xml.as_bytes()).unwrap().message else {
        panic!("not a pacs.002")
    };
    report
}

/// The status of each payment of a report, and its reason.
fn statuses(xml: &str) -> Vec<(String, Option<String>)> {
    let line = |its: &etibar_iso20022::PaymentReport| {
        let reason = its.reasons.first().and_then(|its| its.code.as_ref());
        let status = its.status.as_ref().map_or("", Status::as_str).to_owned();
        (status, reason.map(|reason| reason.as_str().to_owned()))
    };
    report(xml).payments.iter().map(line).collect()
}

fn status(code: &str, reason: Option<&str>) -> (String, Option<String>) {
    (code.to_owned(), reason.map(str::to_owned))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_core_banking_gets_a_final_pacs_002_for_its_pacs_008() {
    let machine = machine().await;
    let answer = machine.edge(ALFA).pay(&message(1, 2), LONG).await.unwrap();
    assert!(answer.is_final);
    assert_eq!(statuses(&answer.report), [status("ACSC", None)]);
    assert_eq!(report(&answer.report).groups[0].original.message_id.as_str(), "MSG-1");
    let again = machine.edge(ALFA).pay(&message(1, 2), LONG).await.unwrap();
    assert_eq!(statuses(&again.report), [status("ACSC", None)]);
    let other = machine.edge(ALFA).pay(&message(1, 3), LONG).await.unwrap();
    assert_eq!(statuses(&other.report), [status("RJCT", Some("DUPL"))]);
    let closed = machine.edge(ALFA).pay(&message(2, 20), LONG).await.unwrap();
    assert_eq!(statuses(&closed.report), [status("RJCT", Some("AC04"))]);
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_and_a_status_request_are_answered_payment_by_payment() {
    let machine = machine().await;
    let mut batch = Pacs008 { message_id: "BATCH".to_owned(), payments: Vec::new() };
    for (number, to) in [(1, 2), (2, 19), (3, 4)] {
        batch.add(uetr(number), (ALFA, &customer(ALFA, 1)), (BETA, &customer(BETA, to)), 100);
    }
    let expected = [status("ACSC", None), status("RJCT", Some("AC06")), status("ACSC", None)];
    let answer = machine.edge(ALFA).pay(&batch.render(), LONG).await.unwrap();
    assert_eq!(statuses(&answer.report), expected);
    let group = report(&answer.report).groups[0].status.clone().unwrap();
    assert_eq!(group.as_str(), "PART");

    let request = StatusRequest {
        message_id: Text::new("ASK-1").unwrap(),
        created: BlockTime(1_795_000_000_000),
        instructing_agent: None,
        instructed_agent: None,
        messages: Vec::new(),
        payments: (1..=4)
            .map(|number| etibar_iso20022::PaymentRequest {
                uetr: Some(OperationId(uetr(number))),
                ..Default::default()
            })
            .collect(),
    };
    let known = machine.edge(ALFA).report(request.render().as_bytes()).await.unwrap();
    let mut known = statuses(&known);
    known.sort();
    let mut expected = expected.to_vec();
    expected.sort();
    assert_eq!(known, expected, "the fourth was never taken in");
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alias_is_registered_by_one_bank_and_paid_by_another() {
    let machine = machine().await;
    let account = CustomerAccount::new(&customer(BETA, 3));
    let edge = machine.edge(BETA);
    let tag = edge.register_alias(AliasKind::Phone, "+994500000001", account).await.unwrap();
    let ledger = async {
        while machine.edge(BETA).store().aliases().await.unwrap()[0].state
            != etibar_edge::store::AliasState::Active
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, ledger).await.unwrap();
    assert_ne!(tag.0, [0; 32]);
    let proxy = "<Id><Othr><Id>NOTPROVIDED</Id></Othr></Id>\
                 <Prxy><Tp><Cd>TELE</Cd></Tp><Id>+994-500000001</Id></Prxy>";
    let mut order = Pacs008 { message_id: "MSG".to_owned(), payments: Vec::new() };
    order.add_to(uetr(1), (ALFA, &customer(ALFA, 1)), (BETA, proxy), 100);
    let answer = machine.edge(ALFA).pay(&order.render(), LONG).await.unwrap();
    assert_eq!(statuses(&answer.report), [status("ACSC", None)]);
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_at_once_are_all_paid_and_the_supervisor_gets_sealed_copies() {
    let machine = machine().await;
    let before = machine.edges[&ALFA].book.total().await.unwrap();
    let mut callers = tokio::task::JoinSet::new();
    for number in 0..CALLERS {
        let edge = machine.edge(ALFA).clone();
        callers.spawn(async move { edge.pay(&message(number, 2), LONG).await.unwrap().report });
    }
    while let Some(report) = callers.join_next().await {
        assert_eq!(statuses(&report.unwrap()), [status("ACSC", None)]);
    }
    let paid = u64::try_from(CALLERS).unwrap() * 100;
    let books = async || {
        let (alfa, beta) = (&machine.edges[&ALFA].book, &machine.edges[&BETA].book);
        (alfa.total().await.unwrap(), beta.total().await.unwrap())
    };
    let expected = (before - paid, before + paid);
    let open = |member: MemberId| {
        let pulse = machine.edge(member).pulse();
        pulse.outgoing.len() + pulse.incoming.len()
    };
    // A caller hears of a payment's end before the books have their entries.
    let entered = async {
        while open(ALFA) + open(BETA) > 0
            || books().await != expected
            || machine.edge(OPERATOR).store().supervised_count().await.unwrap() == 0
        {
            tokio::task::yield_now().await;
        }
    };
    let in_time = tokio::time::timeout(LONG, entered).await.is_ok();
    assert!(in_time, "the books hold {:?} and not {expected:?}", books().await);
    machine.stop().await;
}

fn transfer(number: u64, amount: u64) -> TransferOrder {
    TransferOrder {
        id: OperationId(u128::from(number) + 1),
        debit: network::prefund(ALFA),
        credit: network::prefund(BETA),
        amount: network::amount(amount),
        created: machine::now(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transfers_of_many_callers_are_carried_out_once_each() {
    let machine = machine().await;
    let edge = machine.edge(ALFA).clone();
    let orders: Vec<_> = (0..200).map(|number| transfer(number, 100)).collect();
    // Each order comes twice at the same moment.
    let mut callers = tokio::task::JoinSet::new();
    for order in orders.iter().chain(&orders) {
        let (edge, order) = (edge.clone(), *order);
        callers.spawn(async move { edge.transfer(&order, LONG).await.unwrap().outcome });
    }
    while let Some(outcome) = callers.join_next().await {
        assert_eq!(outcome.unwrap(), Outcome::Accepted);
    }
    let again = edge.transfer(&orders[7], LONG).await.unwrap();
    assert_eq!(again.outcome, Outcome::Accepted, "a repeat gets the first answer");
    let left = machine.balance(network::prefund(ALFA));
    assert_eq!(left, i128::from(network::PREFUND) - 200 * 100, "each order moved its money once");
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_that_the_ledger_refuses_says_why() {
    let machine = machine().await;
    let edge = machine.edge(ALFA).clone();
    let much = edge.transfer(&transfer(1, network::PREFUND), LONG).await.unwrap();
    assert_eq!(much.outcome, Outcome::AmountAboveLimit);
    edge.transfer(&transfer(2, 5), LONG).await.unwrap();
    let other = edge.transfer(&transfer(2, 6), LONG).await.unwrap();
    assert_ne!(other.outcome, Outcome::Accepted, "the id is another order's");
    let order = transfer(3, 5);
    let hasty = edge.transfer(&order, Duration::ZERO).await;
    assert!(matches!(hasty, Err(TransferError::Pending) | Ok(_)), "{hasty:?}");
    let patient = edge.transfer(&order, LONG).await.unwrap();
    assert_eq!(patient.outcome, Outcome::Accepted, "asking again is safe");
    let (debit, credit) = (network::prefund(BETA), network::prefund(ALFA));
    let foreign = TransferOrder { debit, credit, ..transfer(4, 5) };
    let foreign = edge.transfer(&foreign, LONG).await.unwrap();
    assert_ne!(foreign.outcome, Outcome::Accepted, "the account is another bank's");
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_envelope_of_a_stranger_or_for_another_is_refused() {
    let machine = machine().await;
    for garbage in [&b""[..], b"EBV1", &[0; 300]] {
        assert!(machine.edge(BETA).receive(garbage).await.is_err());
    }
    machine.stop().await;
}
