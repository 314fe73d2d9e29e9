//! Every defined end of an instant payment, with the real ledger in this process.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/network.rs"]
mod network;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/world.rs"]
mod world;

use etibar_edge::{
    alias::AliasKind,
    flow::{Input, Taking},
    payment::CustomerAccount,
    status::PaymentStatus,
    store::{AliasRow, AliasState},
};
use etibar_ledger::{
    Operation,
    operation::{Action, AliasSetting, Transfer, TransferKind},
};
use etibar_primitives::OperationId;
use network::{ALFA, BETA, Pacs008, customer, prefund, uetr};
use world::{World, rejected};

const ONE: u128 = 1;

/// A payment of 12.50 AZN from ALFA's first customer to BETA's customer `to`.
fn message(number: u128, to: usize) -> Vec<u8> {
    let (from, to) = (customer(ALFA, 1), customer(BETA, to));
    Pacs008::one(uetr(number), (ALFA, &from), (BETA, &to), 1_250)
}

async fn ordered() -> World {
    let mut world = World::new().await;
    world.order(ALFA, &message(ONE, 2)).await;
    world
}

async fn assert_end(world: &mut World, debtor: PaymentStatus, creditor: Option<PaymentStatus>) {
    world.settle().await;
    assert_eq!(world.statuses(uetr(ONE)).await, (debtor, creditor));
    world.assert_money_is_conserved("").await;
}

#[tokio::test]
async fn a_payment_is_settled_and_the_creditor_is_credited_after_the_ledger_posted() {
    let mut world = ordered().await;
    assert_end(&mut world, PaymentStatus::Settled, Some(PaymentStatus::Credited)).await;
    let told = world.bank(ALFA).store.messages(0, 10).await.unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].message.status, PaymentStatus::Settled);
    let told = world.bank(BETA).store.messages(0, 10).await.unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].message.status, PaymentStatus::Credited);
    assert_eq!(world.bank(ALFA).store.outbox(10).await.unwrap().len(), 1, "the supervisor's copy");
}

#[tokio::test]
async fn the_same_order_again_is_the_same_payment_and_another_under_its_id_is_a_conflict() {
    let mut world = ordered().await;
    world.order(ALFA, &message(ONE, 2)).await;
    world.settle().await;
    world.order(ALFA, &message(ONE, 2)).await;
    world.order(ALFA, &message(ONE, 3)).await;
    assert_eq!(world.takings, [Taking::New, Taking::Repeated, Taking::Repeated, Taking::Conflict]);
    assert_end(&mut world, PaymentStatus::Settled, Some(PaymentStatus::Credited)).await;
}

#[tokio::test]
async fn a_debtor_without_the_money_is_rejected_before_anything_leaves_the_bank() {
    let mut world = World::new().await;
    let (from, to) = (customer(ALFA, 1), customer(BETA, 2));
    world.order(ALFA, &Pacs008::one(uetr(ONE), (ALFA, &from), (BETA, &to), 1_000_001)).await;
    assert_end(&mut world, rejected("AM04"), None).await;
}

#[tokio::test]
async fn what_the_edge_itself_refuses_is_written_down_with_its_reason() {
    let (from, to) = (customer(ALFA, 1), customer(BETA, 2));
    let iban = |number: &str| format!("<Id><IBAN>{number}</IBAN></Id>");
    let proxy = "<Id><Othr><Id>NOTPROVIDED</Id></Othr></Id>\
                 <Prxy><Tp><Cd>TELE</Cd></Tp><Id>+994-500000009</Id></Prxy>";
    let cases = [
        (ALFA, ALFA, iban(&to), 1_250, "AGNT"),
        (BETA, BETA, iban(&to), 1_250, "AGNT"),
        (ALFA, BETA, iban("AZ22NABZ00000000137010001944"), 1_250, "AC03"),
        (ALFA, BETA, iban(&to), 0, "AM01"),
        (ALFA, BETA, iban(&to), 4_000_001, "AM02"),
        (ALFA, BETA, proxy.to_owned(), 1_250, "BE23"),
    ];
    for (debtor, creditor, account, minor_units, reason) in cases {
        let mut world = World::new().await;
        let mut order = Pacs008 { message_id: "MSG".to_owned(), payments: Vec::new() };
        order.add_to(uetr(ONE), (debtor, &from), (creditor, &account), minor_units);
        world.order(ALFA, &order.render()).await;
        assert_end(&mut world, rejected(reason), None).await;
    }
}

#[tokio::test]
async fn a_creditor_that_is_closed_blocked_or_unknown_is_voided_with_the_reason() {
    for (index, reason) in [(20, "AC04"), (19, "AC06")] {
        let mut world = World::new().await;
        world.order(ALFA, &message(ONE, index)).await;
        assert_end(&mut world, rejected(reason), Some(rejected(reason))).await;
    }
    let mut world = World::new().await;
    let (from, to) = (customer(ALFA, 1), customer(ALFA, 2));
    world.order(ALFA, &Pacs008::one(uetr(ONE), (ALFA, &from), (BETA, &to), 1_250)).await;
    assert_end(&mut world, rejected("AC03"), Some(rejected("AC03"))).await;
}

#[tokio::test]
async fn an_offline_creditor_ends_in_a_rejection_that_never_reached_the_ledger() {
    let mut world = ordered().await;
    world.bank(BETA).online = false;
    assert_end(&mut world, rejected("AB08"), None).await;
    assert_eq!(world.ledger.ledger.event_count(ALFA), 0);
}

#[tokio::test]
async fn a_creditor_that_comes_back_in_time_is_paid() {
    let mut world = ordered().await;
    world.bank(BETA).online = false;
    for _ in 0..50 {
        while !world.bank(ALFA).wants.is_empty() {
            world.carry_out(ALFA, 0, false).await;
        }
        world.pass(100).await;
    }
    world.bank(BETA).online = true;
    assert_end(&mut world, PaymentStatus::Settled, Some(PaymentStatus::Credited)).await;
}

#[tokio::test]
async fn a_silent_creditor_ends_in_the_lapse_of_the_reserve() {
    let mut world = ordered().await;
    world.bank(BETA).submits = false;
    assert_end(&mut world, rejected("AB05"), Some(rejected("AB05"))).await;
}

#[tokio::test]
async fn a_late_answer_changes_nothing() {
    let mut world = ordered().await;
    world.bank(BETA).submits = false;
    // The answer is on its way while the reserve lapses.
    for _ in 0..101 {
        while !world.bank(ALFA).wants.is_empty() {
            world.carry_out(ALFA, 0, false).await;
        }
        while world.bank(BETA).wants.len() > 1 {
            world.carry_out(BETA, 0, false).await;
        }
        world.pass(100).await;
    }
    world.bank(BETA).submits = true;
    assert_end(&mut world, rejected("AB05"), Some(rejected("AB05"))).await;
}

#[tokio::test]
async fn books_that_do_not_answer_end_in_a_void_or_a_rejection() {
    let mut world = ordered().await;
    world.bank(BETA).books_answer = false;
    assert_end(&mut world, rejected("AB10"), Some(rejected("AB10"))).await;

    let mut world = ordered().await;
    world.bank(ALFA).books_answer = false;
    for _ in 0..101 {
        while !world.bank(ALFA).wants.is_empty() {
            world.carry_out(ALFA, 0, false).await;
        }
        world.pass(100).await;
    }
    world.bank(ALFA).books_answer = true;
    assert_end(&mut world, rejected("AB10"), None).await;
}

#[tokio::test]
async fn a_ledger_that_stands_still_leaves_the_payment_open_until_it_goes_on() {
    let mut world = ordered().await;
    world.ledger_runs = false;
    for _ in 0..200 {
        for member in [ALFA, BETA] {
            while !world.bank(member).wants.is_empty() {
                world.carry_out(member, 0, false).await;
            }
        }
        world.pass(100).await;
    }
    let (debtor, _) = world.statuses(uetr(ONE)).await;
    assert_eq!(debtor, PaymentStatus::Pending, "only the ledger can say what became of it");
    world.ledger_runs = true;
    // The hard limit passed meanwhile: the ledger refuses the reserve as lapsed.
    world.settle().await;
    let (debtor, _) = world.statuses(uetr(ONE)).await;
    assert_eq!(debtor, rejected("TM01"));
    world.assert_money_is_conserved("").await;
}

#[tokio::test]
async fn a_batch_gives_each_payment_its_own_end() {
    let mut world = World::new().await;
    let from = customer(ALFA, 1);
    let mut batch = Pacs008 { message_id: "BATCH".to_owned(), payments: Vec::new() };
    for (number, to) in [(1, 2), (2, 20), (3, 3)] {
        batch.add(uetr(number), (ALFA, &from), (BETA, &customer(BETA, to)), 1_000);
    }
    world.order(ALFA, &batch.render()).await;
    world.settle().await;
    assert_eq!(world.statuses(uetr(1)).await.0, PaymentStatus::Settled);
    assert_eq!(world.statuses(uetr(2)).await.0, rejected("AC04"));
    assert_eq!(world.statuses(uetr(3)).await.0, PaymentStatus::Settled);
    let of_message = world.bank(ALFA).store.outgoing_of_message("BATCH").await.unwrap();
    assert_eq!(of_message.len(), 3);
    world.assert_money_is_conserved("").await;
}

#[tokio::test]
async fn a_telephone_number_reaches_the_account_that_its_bank_registered() {
    let mut world = World::new().await;
    let number = "+994-500000001";
    let tag =
        world.bank(BETA).setup().directory_key.tag(AliasKind::Phone, "050 000 00 01").unwrap();
    let action = Action::SetAlias(AliasSetting { tag, locator: [5; 16] });
    let operation = Operation { id: OperationId(77), linked: false, action }.encode();
    let account = CustomerAccount::new(&customer(BETA, 4));
    let alias = AliasRow { tag, locator: [5; 16], account, state: AliasState::Asked, operation };
    world.step(BETA, vec![Input::Alias { ticket: 1, alias }]).await;
    world.carry_out(BETA, 0, false).await;
    world.pass(100).await;
    let aliases = world.bank(BETA).store.aliases().await.unwrap();
    assert_eq!(aliases[0].state, AliasState::Active);

    let proxy = format!(
        "<Id><Othr><Id>NOTPROVIDED</Id></Othr></Id>\
         <Prxy><Tp><Cd>TELE</Cd></Tp><Id>{number}</Id></Prxy>"
    );
    let mut order = Pacs008 { message_id: "MSG".to_owned(), payments: Vec::new() };
    order.add_to(uetr(ONE), (ALFA, &customer(ALFA, 1)), (BETA, &proxy), 1_250);
    world.order(ALFA, &order.render()).await;
    assert_end(&mut world, PaymentStatus::Settled, Some(PaymentStatus::Credited)).await;
}

#[tokio::test]
async fn a_debtor_that_was_killed_takes_what_was_posted_even_when_it_is_less() {
    let mut world = ordered().await;
    world.bank(BETA).submits = false;
    for _ in 0..10 {
        for member in [ALFA, BETA] {
            while !world.bank(member).wants.is_empty() {
                world.carry_out(member, 0, false).await;
            }
        }
        world.pass(100).await;
    }
    let pending = OperationId(uetr(ONE));
    let post = Transfer {
        pending,
        ..Transfer::new(prefund(ALFA), prefund(BETA), network::amount(1_000), world.now)
    };
    let action = Action::Transfer(TransferKind::Post, post);
    let post = Operation { id: OperationId(9), linked: false, action };
    let now = world.now;
    world.ledger.submit(&world.genesis, BETA, &[post], now);
    world.pass(100).await;
    // The end is written down; the books have not been told.
    world.kill(ALFA).await;
    world.start(ALFA).await;
    world.settle().await;
    assert_eq!(world.statuses(uetr(ONE)).await.0, PaymentStatus::Settled);
    world.assert_money_is_conserved("").await;
}
