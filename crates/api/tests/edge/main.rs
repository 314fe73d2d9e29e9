//! The edge's doors: what the core banking and other edges get, and what strangers do not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, clippy::unwrap_used, reason = "shared with the edge's own tests")]
#[path = "../../../edge/tests/support/machine.rs"]
mod machine;
#[allow(dead_code, clippy::unwrap_used, reason = "shared with the edge's own tests")]
#[path = "../../../edge/tests/support/network.rs"]
mod network;
mod samples;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode},
};
use etibar_api::{edge::routes, problem::with_fallbacks};
use etibar_edge::store::Durability;
use etibar_primitives::{MemberId, OperationId};
use machine::Machine;
use network::{ALFA, BETA, Pacs008, customer, uetr};
use tower::ServiceExt as _;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const XML: &str = "application/xml";
const OCTETS: &str = "application/octet-stream";

struct Doors {
    machine: Machine,
}

/// What came back: status, content type, body.
struct Answer {
    status: StatusCode,
    kind: String,
    text: String,
}

impl Doors {
    async fn open() -> Self {
        Self { machine: Machine::start(Durability::Process).await }
    }

    fn router(&self, member: MemberId) -> Router {
        with_fallbacks(Router::new()).merge(routes(self.machine.edge(member).clone(), TOKEN, None))
    }

    async fn ask(&self, member: MemberId, request: Request<Body>) -> Answer {
        let response = self.router(member).oneshot(request).await.unwrap();
        let kind = response.headers().get("content-type");
        let kind = kind.map_or(String::new(), |kind| kind.to_str().unwrap().to_owned());
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Answer { status, kind, text: String::from_utf8_lossy(&body).into_owned() }
    }

    async fn get(&self, member: MemberId, path: &str) -> Answer {
        self.ask(member, core(Method::GET, path, "").body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, kind: &str, body: Vec<u8>) -> Answer {
        self.ask(ALFA, core(Method::POST, path, kind).body(Body::from(body)).unwrap()).await
    }
}

/// A request of the core banking.
fn core(method: Method, path: &str, kind: &str) -> axum::http::request::Builder {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("authorization", format!("Bearer {TOKEN}"));
    if kind.is_empty() { request } else { request.header("content-type", kind) }
}

fn payment(number: u128) -> Vec<u8> {
    let (from, to) = (customer(ALFA, 1), customer(BETA, 2));
    Pacs008::one(uetr(number), (ALFA, &from), (BETA, &to), 100)
}

fn assert_problem(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(answer.kind, "application/problem+json");
    let problem: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(problem["code"], code);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_goes_in_as_pacs_008_and_its_end_can_be_read_on_both_sides() {
    let doors = Doors::open().await;
    let answer = doors.post("/v1/payments", XML, payment(1)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert!(answer.kind.starts_with(XML));
    assert!(answer.text.contains("<TxSts>ACSC</TxSts>"), "{}", answer.text);

    let path = format!("/v1/payments/{}", OperationId(uetr(1)));
    let seen = doors.get(ALFA, &path).await;
    assert!(seen.text.contains("\"status\":\"ACSC\""), "{}", seen.text);
    let messages = doors.get(ALFA, "/v1/messages?after=0").await;
    assert!(messages.text.contains("pacs.002"), "{}", messages.text);
    let told = async {
        while !doors.get(BETA, "/v1/messages").await.text.contains("ACCC") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), told).await.unwrap();
    let accounts = doors.get(BETA, "/v1/accounts").await;
    assert!(accounts.text.contains("\"balance\":1000100"), "{}", accounts.text);
    let receipt = doors.get(ALFA, &format!("{path}/receipt")).await;
    assert_eq!((receipt.status, &*receipt.kind), (StatusCode::OK, OCTETS));
    let unknown = doors.get(ALFA, &format!("/v1/payments/{}/receipt", OperationId(9))).await;
    assert_problem(&unknown, StatusCode::NOT_FOUND, "receipt_unknown");
    doors.machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_is_put_under_its_id_and_may_be_put_again() {
    let doors = Doors::open().await;
    let (debit, credit) = (network::prefund(ALFA).0, network::prefund(BETA).0);
    let order = |debit: u64, amount: u64| {
        let created = machine::now().0;
        let body = serde_json::json!({
            "debit": debit, "credit": credit, "amount": amount, "created": created,
        });
        body.to_string()
    };
    let put = async |id: u128, body: String| {
        let path = format!("/v1/transfers/{}", OperationId(uetr(id)));
        let request = core(Method::PUT, &path, "application/json");
        doors.ask(ALFA, request.body(Body::from(body)).unwrap()).await
    };
    let body = order(debit, 500);
    for _ in 0..2 {
        let answer = put(1, body.clone()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert!(answer.text.contains("\"outcome\":\"accepted\""), "{}", answer.text);
    }
    let moved = i128::from(network::PREFUND) - doors.machine.balance(network::prefund(ALFA));
    assert_eq!(moved, 500);
    let path = format!("/v1/transfers/{}/receipt", OperationId(uetr(1)));
    let receipt = doors.get(ALFA, &path).await;
    assert_eq!((receipt.status, &*receipt.kind), (StatusCode::OK, OCTETS));
    let refused = put(2, order(credit, 5)).await;
    assert_problem(&refused, StatusCode::UNPROCESSABLE_ENTITY, "not_authorised");
    let malformed = put(3, "{\"debit\":1}".to_owned()).await;
    assert_problem(&malformed, StatusCode::BAD_REQUEST, "malformed_json");
    let path = format!("/v1/transfers/{}/receipt", OperationId(uetr(3)));
    let unknown = doors.get(ALFA, &path).await;
    assert_problem(&unknown, StatusCode::NOT_FOUND, "receipt_unknown");
    doors.machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_core_that_does_not_wait_is_answered_once_the_payment_is_written_down() {
    let doors = Doors::open().await;
    let request = core(Method::POST, "/v1/payments", XML).header("prefer", "respond-async");
    let answer = doors.ask(ALFA, request.body(Body::from(payment(1))).unwrap()).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    assert!(answer.text.contains("<TxSts>PDNG</TxSts>"), "{}", answer.text);
    let again = doors.post("/v1/payments", XML, payment(1)).await;
    assert_eq!(again.status, StatusCode::OK);
    doors.machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_cores_token_nothing_is_read_or_ordered() {
    let doors = Doors::open().await;
    let paths = [
        (Method::POST, "/v1/payments"),
        (Method::POST, "/v1/status-requests"),
        (Method::GET, "/v1/payments/8a562c67-ca16-48ba-b074-65581be6f001"),
        (Method::GET, "/v1/payments/8a562c67-ca16-48ba-b074-65581be6f001/receipt"),
        (Method::GET, "/v1/messages"),
        (Method::GET, "/v1/aliases"),
        (Method::PUT, "/v1/aliases"),
        (Method::GET, "/v1/accounts"),
    ];
    for (method, path) in paths {
        for token in [None, Some("Bearer wrong"), Some("Basic 0123456789abcdef")] {
            let mut request = Request::builder().method(method.clone()).uri(path);
            if let Some(token) = token {
                request = request.header("authorization", token);
            }
            let answer = doors.ask(ALFA, request.body(Body::empty()).unwrap()).await;
            assert_problem(&answer, StatusCode::UNAUTHORIZED, "core_token_needed");
        }
    }
    doors.machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_refused_with_a_stable_code_and_without_repeating_it() {
    let doors = Doors::open().await;
    let post = async |path: &str, kind: &str, body: Vec<u8>| doors.post(path, kind, body).await;
    let wrong_kind = post("/v1/payments", "application/json", payment(1)).await;
    assert_problem(&wrong_kind, StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_xml");
    let secret = post("/v1/payments", XML, b"<Secret Person/>".to_vec()).await;
    assert_problem(&secret, StatusCode::BAD_REQUEST, "message_invalid");
    assert!(!secret.text.contains("Person"), "{}", secret.text);
    let other = post("/v1/status-requests", XML, payment(1)).await;
    assert_problem(&other, StatusCode::BAD_REQUEST, "message_kind");
    let large =
        post("/v1/payments", XML, vec![b' '; etibar_api::edge::MESSAGE_BYTES_MAX + 1]).await;
    assert_problem(&large, StatusCode::PAYLOAD_TOO_LARGE, "body_too_large");
    let unknown = doors.get(ALFA, &format!("/v1/payments/{}", OperationId(uetr(9)))).await;
    assert_problem(&unknown, StatusCode::NOT_FOUND, "payment_unknown");
    let malformed = doors.get(ALFA, "/v1/payments/none").await;
    assert_problem(&malformed, StatusCode::BAD_REQUEST, "malformed_path");
    let envelope = post("/v1/peer/payloads", OCTETS, vec![0; 300]).await;
    assert_problem(&envelope, StatusCode::BAD_REQUEST, "envelope_malformed");
    let method = doors.get(ALFA, "/v1/status-requests").await;
    assert_problem(&method, StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
    let kind = post("/v1/peer/payloads", XML, vec![0; 300]).await;
    assert_problem(&kind, StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_octets");
    doors.machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alias_is_registered_over_http_and_stands_on_the_ledger() {
    let doors = Doors::open().await;
    let put = async |alias: &str, account: &str| {
        let body = serde_json::json!({ "kind": "phone", "alias": alias, "account": account });
        let request = core(Method::PUT, "/v1/aliases", "application/json");
        doors.ask(ALFA, request.body(Body::from(body.to_string())).unwrap()).await
    };
    let account = customer(ALFA, 3);
    assert_eq!(put("+994500000001", &account).await.status, StatusCode::ACCEPTED);
    assert_problem(&put("12", &account).await, StatusCode::BAD_REQUEST, "alias_malformed");
    let stranger = put("+994500000002", &customer(BETA, 3)).await;
    assert_problem(&stranger, StatusCode::NOT_FOUND, "account_unknown");
    let active = async {
        while !doors.get(ALFA, "/v1/aliases").await.text.contains("active") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), active).await.unwrap();
    doors.machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anybody_may_ask_how_the_edge_is_and_learns_of_no_payment() {
    let doors = Doors::open().await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = doors.ask(ALFA, request).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        assert!(!answer.text.contains("AZ"), "{path}");
    }
    doors.machine.stop().await;
}
