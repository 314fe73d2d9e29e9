//! The client against the door: the way of a payment, and validators that lie or fail.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, extract::Request, http::StatusCode, response::IntoResponse as _};
use etibar_api::Problem;
use etibar_client::{Events, SubmitError, VerifiedEvents, wire::End};
use etibar_ledger::{
    Operation, Outcome,
    operation::{Action, TransferKind},
};
use etibar_primitives::{AccountId, MemberId, OperationId};

use crate::world::{
    CREDITOR, DEBTOR, OPERATOR, PATIENCE, World, fresh, http, payment, prefund, world,
};

/// Follows events until the operation `id` has one.
async fn follow(events: &mut Events, id: OperationId) -> VerifiedEvents {
    loop {
        let page = tokio::time::timeout(PATIENCE, events.next()).await;
        let page = page.expect("events come").expect("they are valid");
        if page.events.iter().any(|event| Operation::peek(&event.operation).0 == id) {
            return page;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instant_payment_goes_from_reserve_to_a_proof_that_needs_only_the_genesis() {
    let world = world();
    let (debtor, creditor) = (world.client(DEBTOR), world.client(CREDITOR));
    let reserve = payment(TransferKind::Reserve, DEBTOR, CREDITOR, 1_250);
    debtor.submit(&[reserve]).await.expect("it is taken in");
    let mut feed = creditor.events(0);
    let seen = follow(&mut feed, reserve.id).await;
    assert!(seen.events.iter().all(|event| event.outcome == Outcome::Accepted));

    let Action::Transfer(_, mut transfer) = reserve.action else { unreachable!("a transfer") };
    (transfer.pending, transfer.expires) = (reserve.id, etibar_primitives::BlockTime(0));
    let action = Action::Transfer(TransferKind::Post, transfer);
    let post = Operation { id: fresh(), linked: false, action };
    creditor.submit(&[post]).await.expect("it is taken in");
    let mut own = debtor.events(0);
    follow(&mut own, post.id).await;

    let known = debtor.operation(DEBTOR, reserve.id).await.expect("an answer").expect("known");
    assert_eq!(known.end.map(|end| end.how), Some(End::Posted));
    assert!(known.certified);
    let (file, receipt) =
        debtor.receipt_bytes(CREDITOR, post.id).await.expect("an answer").expect("certified");
    let offline = etibar_client::verify_receipt(&world.genesis, &file).expect("a valid proof");
    assert_eq!(offline, receipt);
    let sentence = receipt.sentence();
    let parts = ["settled with finality", "12.50 AZN", "Bank 2 (sample)", "Bank 3 (sample)"];
    assert!(parts.iter().all(|part| sentence.contains(part)), "{sentence}");
    assert!(sentence.contains(&reserve.id.to_string()), "{sentence}");

    let mut forged = file.to_vec();
    for index in (4..forged.len()).step_by(61) {
        forged[index] ^= 1;
        assert!(etibar_client::verify_receipt(&world.genesis, &forged).is_err(), "byte {index}");
        forged[index] ^= 1;
    }
    let account = creditor.account(prefund(CREDITOR)).await.expect("an answer").expect("its own");
    assert!(account.balance >= 101_250);
    assert_eq!(creditor.account(AccountId(42)).await.expect("an answer"), None);
    assert_eq!(creditor.operation(DEBTOR, OperationId(42)).await.expect("an answer"), None);
    let status = debtor.status().await.expect("an answer");
    assert_eq!(status.network, world.genesis.network());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_reaches_the_caller_with_its_code() {
    let world = world();
    let nobody = world.client(MemberId(77));
    let refusal = nobody.submit(&[payment(TransferKind::Direct, DEBTOR, CREDITOR, 1)]).await;
    assert_eq!(refusal.map_err(|error| error.code().to_owned()), Err("member_unknown".to_owned()));
    assert_eq!(world.client(DEBTOR).submit(&[]).await, Err(SubmitError::Count(0)));
    let read = nobody.accounts().await.map_err(|error| error.code().to_owned());
    assert_eq!(read, Err("key_not_active".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_finds_the_validator_that_works() {
    let world = world();
    let nowhere = "http://127.0.0.1:9".to_owned();
    let client = world.client_through(DEBTOR, vec![nowhere, world.url("")]);
    let operation = payment(TransferKind::Direct, DEBTOR, CREDITOR, 1);
    client.submit(&[operation]).await.expect("one validator takes it in");
    follow(&mut client.events(0), operation.id).await;
    client.accounts().await.expect("one validator answers");
}

/// A door that answers with what the real one says, changed in one byte, and counts questions
/// for events.
async fn liar(world: &World) -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let (count, real) = (Arc::clone(&asked), world.url(""));
    let tamper = move |request: Request| {
        let (count, real) = (Arc::clone(&count), real.clone());
        async move {
            count.fetch_add(1, Ordering::Relaxed);
            let mut copy = http().get(format!("{real}{}", request.uri()));
            copy = copy.headers(request.headers().clone());
            let answer = copy.send().await.expect("the door answers");
            let status = answer.status();
            let mut body = answer.bytes().await.expect("a body").to_vec();
            if let Some(byte) = body.get_mut(100) {
                *byte ^= 1;
            }
            (status, body)
        }
    };
    serve_router(Router::new().fallback(tamper), asked).await
}

/// A door that has no room for the first `times` requests.
async fn overloaded(world: &World, times: usize) -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let (count, real) = (Arc::clone(&asked), world.url(""));
    let refuse = move |request: Request| {
        let (count, real) = (Arc::clone(&count), real.clone());
        async move {
            if count.fetch_add(1, Ordering::Relaxed) < times {
                return Problem::overloaded(20).into_response();
            }
            let path = request.uri().clone();
            let body = axum::body::to_bytes(request.into_body(), 1 << 20).await;
            let copy = http().post(format!("{real}{path}")).body(body.expect("a body"));
            let answer = copy.send().await.expect("the door answers");
            let status = StatusCode::from_u16(answer.status().as_u16()).expect("a status");
            (status, answer.bytes().await.expect("a body")).into_response()
        }
    };
    serve_router(Router::new().fallback(refuse), asked).await
}

pub(crate) async fn serve_router(
    router: Router,
    asked: Arc<AtomicUsize>,
) -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let limits = etibar_api::Limits::default();
    tokio::spawn(etibar_api::serve(listener, router, limits, std::future::pending()));
    (format!("http://{address}"), asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validator_that_lies_is_found_out_and_put_aside() {
    let world = world();
    let operation = payment(TransferKind::Direct, DEBTOR, CREDITOR, 1);
    world.client(DEBTOR).submit(&[operation]).await.expect("it is taken in");
    follow(&mut world.client(OPERATOR).events_of(DEBTOR, 0), operation.id).await;

    let (lies, asked) = liar(&world).await;
    let client = world.client_through(DEBTOR, vec![lies, world.url("")]);
    for _ in 0..4 {
        let mut events = client.events(0);
        assert_eq!(events.cursor(), 0);
        let page = follow(&mut events, operation.id).await;
        assert_eq!(events.cursor(), page.next());
        let receipt = client.receipt(DEBTOR, operation.id).await.expect("the honest one answers");
        assert_eq!(receipt.map(|receipt| receipt.id()), Some(operation.id));
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1, "one lie is enough");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overloaded_validator_is_asked_again_until_it_has_room() {
    let world = world();
    let (door, asked) = overloaded(&world, 3).await;
    let client = world.client_through(DEBTOR, vec![door]);
    let operation = payment(TransferKind::Direct, DEBTOR, CREDITOR, 1);
    client.submit(&[operation]).await.expect("it has room in the end");
    assert_eq!(asked.load(Ordering::Relaxed), 4);
}
