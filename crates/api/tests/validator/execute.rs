//! Executing an operation: one call from the order to the proof, over doors that wait.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use axum::{
    Router,
    extract::Request,
    http::{Method, StatusCode},
    response::{IntoResponse as _, Response},
};
use etibar_api::validator::{self, RECEIPT_WAITERS_MAX};
use etibar_client::{
    EXECUTE_OPERATIONS_MAX, ExecuteError, SubmitError,
    wire::{AcceptedView, Progress},
};
use etibar_ledger::{Operation, Outcome, operation::TransferKind, transaction};

use crate::{
    client::serve_router,
    world::{CREDITOR, DEBTOR, PATIENCE, World, http, payment, problem, world},
};

#[tokio::test(flavor = "multi_thread")]
async fn executing_an_operation_gives_its_proof_and_doing_it_again_gives_the_same() {
    let world = world();
    let client = world.client(DEBTOR);
    let operation = payment(TransferKind::Direct, DEBTOR, CREDITOR, 7);
    let receipt = client.execute(operation).await.expect("it is executed");
    assert_eq!((receipt.outcome(), receipt.id()), (Outcome::Accepted, operation.id));
    assert_eq!(client.execute(operation).await, Ok(receipt), "done once");

    let refused = payment(TransferKind::Direct, DEBTOR, CREDITOR, 3_999_999);
    let receipt = client.execute(refused).await.expect("a refusal is proven, too");
    assert_eq!(receipt.outcome(), Outcome::ExceedsLiquidity);
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_of_one_call_are_proven_each_and_in_order() {
    let world = world();
    let client = world.client(DEBTOR);
    let some: Vec<_> =
        (1..=3).map(|amount| payment(TransferKind::Direct, DEBTOR, CREDITOR, amount)).collect();
    let receipts = client.execute_all(&some).await.expect("all are executed");
    let ids: Vec<_> = receipts.iter().map(etibar_client::VerifiedReceipt::id).collect();
    assert_eq!(ids, some.iter().map(|operation| operation.id).collect::<Vec<_>>());

    let none = client.execute_all(&[]).await;
    assert_eq!(none, Err(ExecuteError::Submit(SubmitError::Count(0))));
    let many = vec![some[0]; EXECUTE_OPERATIONS_MAX + 1];
    let many = client.execute_all(&many).await;
    assert_eq!(many, Err(ExecuteError::Count(EXECUTE_OPERATIONS_MAX + 1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_was_another_operation_is_told_apart() {
    let world = world();
    let client = world.client(DEBTOR);
    let first = payment(TransferKind::Direct, DEBTOR, CREDITOR, 7);
    client.execute(first).await.expect("it is executed");
    let other = payment(TransferKind::Direct, DEBTOR, CREDITOR, 8);
    let other = Operation { id: first.id, ..other };
    let error = client.execute(other).await.expect_err("the id is taken");
    assert_eq!((error.code(), error.is_transient()), ("operation_id_taken", false));
    let stranger = world.client(etibar_primitives::MemberId(77));
    let error = stranger.execute(first).await.expect_err("nobody's");
    assert_eq!(error.code(), "member_unknown");
}

/// A door that takes the first transaction in and loses it.
async fn forgetful(world: &World) -> (String, Arc<AtomicUsize>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let (count, real) = (Arc::clone(&taken), world.url(""));
    let pass = move |request: Request| {
        let (count, real) = (Arc::clone(&count), real.clone());
        async move { answer(request, &count, &real).await }
    };
    serve_router(Router::new().fallback(pass), taken).await
}

async fn answer(request: Request, count: &AtomicUsize, real: &str) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let post = parts.method == Method::POST;
    if post && count.fetch_add(1, Ordering::Relaxed) == 0 {
        let (digest, progress) = (transaction::digest(&body), Progress::Waiting);
        let accepted = axum::Json(AcceptedView { digest, progress });
        return (StatusCode::ACCEPTED, accepted).into_response();
    }
    let copy = http().request(parts.method, format!("{real}{}", parts.uri));
    let answer = copy.headers(parts.headers).body(body).send().await.expect("the door answers");
    let (status, kind) = (answer.status(), answer.headers()["content-type"].clone());
    let body = answer.bytes().await.expect("a body");
    (status, [("content-type", kind)], body).into_response()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_was_lost_is_submitted_again() {
    let world = world();
    let (door, taken) = forgetful(&world).await;
    let client = world.client_through(DEBTOR, vec![door]);
    let operation = payment(TransferKind::Direct, DEBTOR, CREDITOR, 9);
    let receipt = client.execute(operation).await.expect("it is executed in the end");
    assert_eq!(receipt.outcome(), Outcome::Accepted);
    assert_eq!(taken.load(Ordering::Relaxed), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_for_a_receipt_is_answered_when_there_is_one_or_when_its_wait_is_over() {
    let world = world();
    let operation = payment(TransferKind::Direct, DEBTOR, CREDITOR, 1);
    let path = |wait: u64| format!("/v1/receipts/{DEBTOR}/{}?wait_ms={wait}", operation.id);
    let begun = Instant::now();
    let absent = world.get(DEBTOR, &path(300)).await;
    assert_eq!(problem(absent).await, (404, "operation_unknown".to_owned()));
    assert!(begun.elapsed().as_millis() >= 300, "it waited");

    let (waiting, client) = (path(20_000), world.client(DEBTOR));
    let (answer, submitted) =
        tokio::join!(world.get(DEBTOR, &waiting), client.submit(std::slice::from_ref(&operation)),);
    submitted.expect("it is taken in");
    assert_eq!(answer.status().as_u16(), 200);
    assert!(begun.elapsed() < PATIENCE, "it did not wait to the end");
    let bytes = answer.bytes().await.expect("a body");
    let receipt = etibar_client::verify_receipt(&world.genesis, &bytes).expect("a valid proof");
    assert_eq!(receipt.id(), operation.id);
    // Waiting does not show what is another's.
    let stranger = world.get(crate::world::STRANGER, &waiting).await;
    assert_eq!(problem(stranger).await, (404, "operation_unknown".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_questions_wait_than_there_is_room_for() {
    let world = world();
    let router = validator::router(world.handle.clone(), Arc::clone(&world.genesis));
    let (door, _) = serve_router(router, Arc::default()).await;
    let operation = payment(TransferKind::Direct, DEBTOR, CREDITOR, 1);
    let client = http();
    let token = world.token(DEBTOR);
    let ask = |wait: u64| {
        let url = format!("{door}/v1/receipts/{DEBTOR}/{}?wait_ms={wait}", operation.id);
        client.get(url).bearer_auth(&token).send()
    };
    let mut waiting: Vec<_> = (0..RECEIPT_WAITERS_MAX).map(|_| tokio::spawn(ask(19_000))).collect();
    let full = async {
        loop {
            let response = ask(1).await.expect("the door answers");
            let (status, code) = problem(response).await;
            if status == 503 {
                break code;
            }
            // The question may have stood in the place of one that came to wait and was sent away.
            waiting.push(tokio::spawn(ask(19_000)));
        }
    };
    let code = tokio::time::timeout(PATIENCE, full).await.expect("it fills up");
    assert_eq!(code, "overloaded");
    // Without a wait there is an answer as ever.
    let now = ask(0).await.expect("the door answers");
    assert_eq!(problem(now).await, (404, "operation_unknown".to_owned()));

    world.client(DEBTOR).submit(&[operation]).await.expect("it is taken in");
    for answer in waiting {
        let answer = answer.await.expect("no panic").expect("the door answers");
        assert!([200, 503].contains(&answer.status().as_u16()));
    }
    assert_eq!(ask(1).await.expect("the door answers").status().as_u16(), 200);
}
