//! Every bad input is refused with its code and changes nothing.

use etibar_client::wire::AcceptedView;
use etibar_ledger::{
    Operation,
    operation::TransferKind,
    receipt::Event,
    transaction::{Envelope, HEADER_BYTES, TRANSACTION_BYTES_MAX},
};
use etibar_primitives::{BlockTime, Digest, MemberId};

use crate::world::{
    CREDITOR, DEBTOR, OPERATOR, PATIENCE, STRANGER, World, http, key, payment, problem, world,
};

fn changed(mut bytes: Vec<u8>, at: usize) -> Vec<u8> {
    bytes[at] ^= 1;
    bytes
}

fn at(world: &World, from: i64, until: i64) -> Envelope {
    let now = etibar_client::clock::now().0;
    Envelope {
        valid_from: BlockTime(now.saturating_add_signed(from)),
        valid_until: BlockTime(now.saturating_add_signed(until)),
        ..world.envelope(DEBTOR)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_transaction_is_refused_with_its_code_and_changes_nothing() {
    let world = world();
    let good = world.envelope(DEBTOR);
    let refused = payment(TransferKind::Direct, DEBTOR, CREDITOR, 1);
    let signed = |envelope: &Envelope, signer| envelope.sign(&[refused], &key(signer));
    let sign = |envelope: &Envelope| signed(envelope, DEBTOR);
    let cases: Vec<(&str, Vec<u8>, (u16, &str))> = vec![
        ("empty", vec![], (400, "transaction_length")),
        ("noise", vec![7; 300], (400, "transaction_length")),
        ("noise of a right length", vec![7; 384], (400, "transaction_header")),
        ("a header alone", sign(&good)[..HEADER_BYTES].to_vec(), (400, "transaction_length")),
        ("cut off", sign(&good)[..383].to_vec(), (400, "transaction_length")),
        ("another magic", changed(sign(&good), 0), (400, "transaction_header")),
        ("dirty padding", changed(sign(&good), 200), (400, "transaction_header")),
        ("oversized", vec![0; TRANSACTION_BYTES_MAX + 1], (413, "transaction_too_large")),
        (
            "another network",
            sign(&Envelope { network: Digest([9; 32]), ..good }),
            (409, "wrong_network"),
        ),
        ("a forged signature", changed(sign(&good), 130), (403, "wrong_signature")),
        ("a changed operation", changed(sign(&good), 256 + 60), (400, "wrong_operations_root")),
        ("another's key", signed(&good, STRANGER), (403, "key_not_active")),
        (
            "an unknown member",
            sign(&Envelope { member: MemberId(77), ..good }),
            (403, "member_unknown"),
        ),
        ("expired", sign(&at(&world, -20_000, -10_000)), (409, "transaction_expired")),
        ("an empty window", sign(&at(&world, 0, 0)), (400, "transaction_window")),
        (
            "too long a window",
            sign(&at(&world, -10_000, 3_600_000)),
            (400, "transaction_window_too_long"),
        ),
    ];
    for (name, body, (status, code)) in cases {
        let answer = problem(world.post(body).await).await;
        assert_eq!(answer, (status, code.to_owned()), "{name}");
    }
    // What is submitted after them is executed after them.
    let last = payment(TransferKind::Direct, DEBTOR, CREDITOR, 1);
    world.client(DEBTOR).submit(&[last]).await.expect("it is taken in");
    assert_eq!(outcome(&world, &last).await, "accepted");
    for submitter in [DEBTOR, STRANGER, MemberId(77)] {
        assert_eq!(world.handle.operation(submitter, refused.id), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_transaction_is_accepted_again_and_done_once() {
    let world = world();
    let operation = payment(TransferKind::Direct, DEBTOR, CREDITOR, 17);
    let bytes = world.envelope(DEBTOR).sign(&[operation], &key(DEBTOR));
    let mut digests = Vec::new();
    for _ in 0..5 {
        let response = world.post(bytes.clone()).await;
        assert_eq!(response.status().as_u16(), 202);
        let body = response.bytes().await.expect("a body");
        let accepted: AcceptedView = serde_json::from_slice(&body).expect("the view");
        digests.push(accepted.digest);
    }
    assert!(digests.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(outcome(&world, &operation).await, "accepted");

    // The same operation in another transaction: its first outcome stands, and a repeat is no
    // event. What is submitted after it is executed after it.
    let again = at(&world, -9_000, 59_000);
    assert_eq!(world.post(again.sign(&[operation], &key(DEBTOR))).await.status().as_u16(), 202);
    let last = payment(TransferKind::Direct, DEBTOR, CREDITOR, 18);
    world.client(DEBTOR).submit(&[last]).await.expect("it is taken in");
    let mut events = world.client(DEBTOR).events(0);
    let mut told = Vec::new();
    while !told.contains(&(last.id, "accepted")) {
        let page = tokio::time::timeout(PATIENCE, events.next()).await;
        let page = page.expect("events come").expect("they are valid");
        let event = |event: &Event| (Operation::peek(&event.operation).0, event.outcome.name());
        told.extend(page.events.iter().map(event));
    }
    told.retain(|(id, _)| *id == operation.id);
    assert_eq!(told, [(operation.id, "accepted")]);
}

/// The outcome of an operation of the debtor, once there is one.
async fn outcome(world: &World, operation: &Operation) -> &'static str {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let height = world.handle.status().executed.height;
        if let Some(known) = world.handle.operation(DEBTOR, operation.id) {
            return known.outcome.name();
        }
        let waited = tokio::time::timeout_at(deadline, world.handle.wait_executed(height)).await;
        waited.expect("the operation gets an outcome").expect("the validator runs");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_methods_and_queries_that_are_none_answer_with_a_problem() {
    let world = world();
    let get = async |path: &str| problem(world.get(OPERATOR, path).await).await;
    let case = |status, code: &str| (status, code.to_owned());
    assert_eq!(get("/v1/nothing").await, case(404, "route_unknown"));
    assert_eq!(get("/v1/transactions").await, case(405, "method_not_allowed"));
    assert_eq!(get("/v1/events?from=first").await, case(400, "malformed_query"));
    assert_eq!(get("/v1/accounts/main").await, case(400, "malformed_path"));
    assert_eq!(get("/v1/operations/1/17").await, case(400, "malformed_path"));
    assert_eq!(get("/v1/accounts/424242").await, case(404, "account_unknown"));
    let tag = "00".repeat(32);
    assert_eq!(get(&format!("/v1/aliases/{tag}")).await, case(404, "alias_unknown"));
    let never = "/v1/operations/2/00000000-0000-4000-8000-000000000000";
    assert_eq!(get(never).await, case(404, "operation_unknown"));
}

#[tokio::test(flavor = "multi_thread")]
async fn anybody_may_ask_how_a_validator_stands() {
    let world = world();
    world.handle.wait_executed(0).await.expect("the validator runs");
    for path in ["/v1/status", "/v1/genesis", "/metrics", "/healthz", "/readyz"] {
        let response = http().get(world.url(path)).send().await.expect("the door answers");
        assert_eq!(response.status().as_u16(), 200, "{path}");
    }
    let body = http().get(world.url("/v1/genesis")).send().await.expect("the door answers");
    let genesis: etibar_ledger::Genesis =
        serde_json::from_slice(&body.bytes().await.expect("a body")).expect("a genesis");
    assert_eq!(genesis.network(), world.genesis.network());
}
