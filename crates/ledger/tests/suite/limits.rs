//! The ledger at its limits: what one block may cost.

use etibar_ledger::{
    CONSENTS_FORGOTTEN_PER_BLOCK_MAX, EXPIRIES_PER_BLOCK_MAX, Genesis, Operation, Outcome,
    genesis::GenesisError,
    operation::{
        Action, ConsentGrant, Excluded, OPERATION_BYTES, ObligationsSettlement, PurposeCode, Scope,
        Transfer, TransferKind,
    },
    result::{BlockResult, TransactionResult},
    transaction::OPERATIONS_MAX,
};
use etibar_primitives::{
    AccountId, Amount, BlockTime, Digest, MemberId, OperationId, codec::Reader,
};

use crate::{
    plan,
    world::{World, count, key_of, named, transaction},
};

const DEBTOR: MemberId = MemberId(2);
const CREDITOR: MemberId = MemberId(3);

fn encode(id: u64, kind: TransferKind, linked: bool, transfer: Transfer) -> [u8; OPERATION_BYTES] {
    let id = OperationId(u128::from(id));
    Operation { id, linked, action: Action::Transfer(kind, transfer) }.encode()
}

fn order(world: &World, kind: TransferKind, pending: u64) -> Transfer {
    let time = BlockTime(world.ledger.time().0 + 1_000);
    let one = Amount::new(1).expect("in range");
    let mut transfer = Transfer::new(AccountId(22), AccountId(23), one, time);
    transfer.pending = OperationId(u128::from(pending));
    if kind == TransferKind::Reserve {
        transfer.expires = BlockTime(time.0 + 1_000);
    }
    transfer
}

fn sent(world: &World, member: MemberId, operations: &[[u8; OPERATION_BYTES]]) -> Vec<u8> {
    let time = world.ledger.time();
    let window = (time, BlockTime(time.0 + 60_000));
    transaction(world.ledger.network(), member, key_of(member), window, operations)
}

/// A network in which the debtor has enough for a reserve past the limit.
fn rich() -> World {
    let mut genesis = plan::network();
    let account = genesis.accounts.iter_mut().find(|its| its.id == AccountId(22));
    account.expect("the debtor's").opening = Amount::new(1 << 20).expect("in range");
    World::new(&genesis)
}

#[test]
fn no_more_reserves_lapse_in_a_block_than_its_result_has_room_for() {
    let mut world = rich();
    let reserves = count(EXPIRIES_PER_BLOCK_MAX) + 1;
    let hold = order(&world, TransferKind::Reserve, 0);
    let operations: Vec<_> =
        (1..=reserves).map(|id| encode(id, TransferKind::Reserve, false, hold)).collect();
    let transactions: Vec<_> =
        operations.chunks(OPERATIONS_MAX).map(|some| sent(&world, DEBTOR, some)).collect();
    world.block(1_000, &transactions);
    assert_eq!(world.ledger.open_reserves(), operations.len());
    world.restore();

    // The one that is left can be neither posted nor voided, nor its id used again.
    let end = |kind| encode(reserves + 7, kind, false, order(&world, kind, reserves));
    let late = sent(&world, CREDITOR, &[end(TransferKind::Post)]);
    let executed = world.block(1_000, &[late]);
    assert_eq!(executed.result.expired.len(), EXPIRIES_PER_BLOCK_MAX);
    assert_eq!(world.ledger.open_reserves(), 1);
    let outcome = TransactionResult::Executed(vec![Outcome::ReserveAlreadyExpired]);
    assert_eq!(executed.result.transactions, [outcome]);
    let mut bytes = Vec::new();
    executed.result.encode(&mut bytes);
    assert_eq!(BlockResult::decode(&mut Reader::new(&bytes)), Ok(executed.result));

    world.restore();
    let rest = world.block(1, &[]);
    assert_eq!(rest.result.expired.len(), 1);
    assert_eq!(world.ledger.open_reserves(), 0);
}

#[test]
fn the_id_of_a_reserve_that_still_waits_to_lapse_is_not_free() {
    let mut world = rich();
    let reserves = count(EXPIRIES_PER_BLOCK_MAX) + 1;
    let hold = order(&world, TransferKind::Reserve, 0);
    let operations: Vec<_> =
        (1..=reserves).map(|id| encode(id, TransferKind::Reserve, false, hold)).collect();
    let transactions: Vec<_> =
        operations.chunks(OPERATIONS_MAX).map(|some| sent(&world, DEBTOR, some)).collect();
    world.block(1_000, &transactions);
    // A jump over the whole memory: the id is forgotten before the reserve lapsed.
    let long_after = 3 * 3_600_000;
    let mut again = order(&world, TransferKind::Direct, 0);
    again.created = BlockTime(world.ledger.time().0 + long_after);
    let window = (BlockTime(again.created.0 - 1), BlockTime(again.created.0 + 1));
    let network: Digest = *world.ledger.network();
    let bytes = encode(reserves, TransferKind::Direct, false, again);
    let again = transaction(&network, DEBTOR, key_of(DEBTOR), window, &[bytes]);
    let executed = world.block(long_after, &[again]);
    let outcome = TransactionResult::Executed(vec![Outcome::ExistsWithDifferentContent]);
    assert_eq!(executed.result.transactions, [outcome]);
}

#[test]
fn no_more_ended_consents_are_forgotten_in_a_block_than_its_changes_have_room_for() {
    const DAY_MS: u64 = 86_400_000;
    let mut world = rich();
    let consents = count(CONSENTS_FORGOTTEN_PER_BLOCK_MAX) + 1;
    let expires = BlockTime(world.ledger.time().0 + 60_000);
    let grant = |id: u64| {
        let action = Action::GrantConsent(ConsentGrant {
            rel: named(&id.to_string()),
            commitment: named("artefact"),
            provider: CREDITOR,
            expires,
            purpose: PurposeCode(1),
            scope: Scope(1),
        });
        Operation { id: OperationId(u128::from(id)), linked: false, action }.encode()
    };
    let operations: Vec<_> = (1..=consents).map(grant).collect();
    let transactions: Vec<_> =
        operations.chunks(OPERATIONS_MAX).map(|some| sent(&world, DEBTOR, some)).collect();
    world.block(1_000, &transactions);
    assert_eq!(world.ledger.consent_count(DEBTOR), consents);
    world.restore();
    world.block(DAY_MS, &[]);
    assert_eq!(world.ledger.consent_count(DEBTOR), 1);
    world.restore();
    world.block(1, &[]);
    assert_eq!(world.ledger.consent_count(DEBTOR), 0);
    assert!(world.ledger.totals_hold());
}

#[test]
fn a_settlement_leaves_out_up_to_sixteen_members_in_one_encoding() {
    let members: Vec<_> = (1..=17).rev().map(MemberId).collect();
    assert_eq!(Excluded::new(&members), None);
    let excluded = Excluded::new(&members[1..]).expect("sixteen");
    assert!(excluded.members().eq((1..=16).map(MemberId)));
    assert_eq!(Excluded::new(&[MemberId(2), MemberId(2)]), None);
    assert_eq!(Excluded::new(&[MemberId(0)]), None);
    let action = Action::SettleObligations(ObligationsSettlement { excluded });
    let mut bytes = Operation { id: OperationId(1), linked: false, action }.encode();
    assert!(Operation::decode(&bytes).is_ok());
    bytes.swap(20, 24);
    assert!(Operation::decode(&bytes).is_err(), "falling ids are a second encoding");
}

#[test]
fn a_genesis_names_issuers_and_purposes_once_and_with_meaning() {
    let check = |change: &dyn Fn(&mut Genesis)| {
        let mut genesis = plan::network();
        change(&mut genesis);
        genesis.check()
    };
    assert_eq!(check(&|_| ()), Ok(()));
    let (issuers, purposes) = (Err(GenesisError::Issuers), Err(GenesisError::Purposes));
    assert_eq!(check(&|its| its.issuers[0].member = MemberId(99)), issuers);
    assert_eq!(check(&|its| its.issuers.push(its.issuers[0])), issuers);
    assert_eq!(check(&|its| its.issuers[0].valid_until = its.issuers[0].valid_from), issuers);
    assert_eq!(check(&|its| its.purposes.push(its.purposes[0])), purposes);
    assert_eq!(check(&|its| its.purposes[0].code = PurposeCode(0)), purposes);
    assert_eq!(check(&|its| its.purposes[0].scope = Scope(0)), purposes);
    assert_eq!(check(&|its| its.purposes[0].duration_max_ms = 0), purposes);
    let plain = plan::network();
    let mut fewer = plain.clone();
    fewer.purposes.clear();
    assert_ne!(fewer.network(), plain.network(), "the network's id covers the purposes");
    // A genesis file from before there were issuers and purposes still reads.
    let mut file = serde_json::to_value(&fewer).expect("plain data");
    let fields = file.as_object_mut().expect("an object");
    fields.retain(|name, _| name != "issuers" && name != "purposes");
    let read: Genesis = serde_json::from_value(file).expect("both are optional");
    assert!(read.issuers.is_empty() && read.purposes.is_empty());
}

#[test]
fn a_group_may_fill_a_transaction() {
    let mut world = rich();
    let pay = order(&world, TransferKind::Direct, 0);
    let last = count(OPERATIONS_MAX);
    let operations: Vec<_> =
        (1..=last).map(|id| encode(id, TransferKind::Direct, id < last, pay)).collect();
    let group = sent(&world, DEBTOR, &operations);
    let executed = world.block(1_000, &[group]);
    let all = TransactionResult::Executed(vec![Outcome::Accepted; OPERATIONS_MAX]);
    assert_eq!(executed.result.transactions, [all]);
    assert_eq!(executed.result.members.len(), 2);
}
