//! A member sees its own business and no other's.

use etibar_ledger::operation::TransferKind;
use etibar_primitives::MemberId;

use crate::world::{
    CREDITOR, DEBTOR, OPERATOR, PATIENCE, STRANGER, World, payment, problem, world,
};

async fn status(world: &World, member: MemberId, path: &str) -> u16 {
    world.get(member, path).await.status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_events_and_blocks_are_shown_to_their_owners_and_the_operator() {
    let world = world();
    let owners = async |member| {
        let accounts = world.client(member).accounts().await.expect("the door answers");
        let mut owners: Vec<_> = accounts.iter().map(|account| account.owner).collect();
        owners.sort_unstable();
        owners.dedup();
        owners
    };
    assert_eq!(owners(DEBTOR).await, [DEBTOR]);
    assert_eq!(owners(OPERATOR).await, [OPERATOR, DEBTOR, CREDITOR, STRANGER]);
    assert_eq!(status(&world, DEBTOR, "/v1/accounts/2002").await, 200);
    assert_eq!(status(&world, OPERATOR, "/v1/accounts/2002").await, 200);
    assert_eq!(status(&world, CREDITOR, "/v1/accounts/2002").await, 404);

    let foreign = world.get(DEBTOR, "/v1/events?member=3").await;
    assert_eq!(problem(foreign).await, (403, "not_authorised".to_owned()));
    let blocks = world.get(DEBTOR, "/v1/blocks").await;
    assert_eq!(problem(blocks).await, (403, "not_authorised".to_owned()));
    let blocks = world.client(OPERATOR).blocks(u64::MAX, 5).await.expect("the operator may");
    assert!(blocks.len() <= 5);
    let members = world.client(STRANGER).members().await.expect("every member may");
    assert_eq!(members.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_is_shown_to_its_parties_and_the_operator() {
    let world = world();
    let operation = payment(TransferKind::Reserve, DEBTOR, CREDITOR, 5);
    world.client(DEBTOR).submit(&[operation]).await.expect("it is taken in");
    let receipt = format!("/v1/receipts/{DEBTOR}/{}", operation.id);
    let wait = async {
        loop {
            let certified = world.handle.certified_height();
            if status(&world, DEBTOR, &receipt).await == 200 {
                break;
            }
            world.handle.wait_certified(certified).await.expect("the validator runs");
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("there is a receipt");
    let known = format!("/v1/operations/{DEBTOR}/{}", operation.id);
    for path in [&receipt, &known] {
        for (member, expected) in [(DEBTOR, 200), (CREDITOR, 200), (OPERATOR, 200), (STRANGER, 404)]
        {
            assert_eq!(status(&world, member, path).await, expected, "{member} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_operation_is_its_submitters_own_business() {
    let world = world();
    let operation = payment(TransferKind::Direct, DEBTOR, CREDITOR, 3_999_999);
    world.client(DEBTOR).submit(&[operation]).await.expect("it is taken in");
    let wait = async {
        loop {
            let certified = world.handle.certified_height();
            let receipt = world.client(DEBTOR).receipt(DEBTOR, operation.id).await;
            if let Some(receipt) = receipt.expect("the door answers") {
                break receipt;
            }
            world.handle.wait_certified(certified).await.expect("the validator runs");
        }
    };
    let receipt = tokio::time::timeout(PATIENCE, wait).await.expect("there is a receipt");
    assert_eq!(receipt.outcome().name(), "exceeds_liquidity");
    assert!(receipt.sentence().contains("refused"), "{}", receipt.sentence());
    for path in ["receipts", "operations"] {
        let path = format!("/v1/{path}/{DEBTOR}/{}", operation.id);
        assert_eq!(status(&world, CREDITOR, &path).await, 404);
        assert_eq!(status(&world, OPERATOR, &path).await, 200);
    }
}
