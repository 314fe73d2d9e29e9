//! Asking a router as a caller would, and reading what it answers.

pub(crate) mod browser;
pub(crate) mod issuing;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, request::Builder},
};
use etibar_openid::member::Message;
use serde_json::Value;
use tower::ServiceExt as _;

pub(crate) const JSON: &str = "application/json";
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// A message as it is sent.
pub(crate) fn render<T: Message>(message: &T) -> Vec<u8> {
    etibar_openid::member::render(message).expect("a message within its limits")
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn kind(&self) -> &str {
        self.headers.get("content-type").map_or("", |kind| kind.to_str().expect("a text"))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// The status and the code of a problem; panics when the answer is none.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(self.kind(), etibar_client::wire::PROBLEM_JSON, "{}", self.text);
        let problem: etibar_client::wire::Problem =
            serde_json::from_str(&self.text).expect("problem+json");
        assert_eq!(problem.status, self.status);
        assert_eq!(problem.kind, format!("urn:etibar:problem:{}", problem.code));
        (self.status, problem.code)
    }

    /// The status and our code of an OAuth error (RFC 6749 §5.2).
    pub(crate) fn oauth(&self) -> (u16, String) {
        let body = self.json();
        assert!(body["error"].is_string(), "{}", self.text);
        (self.status, body["error_description"].as_str().expect("a code").to_owned())
    }
}

/// Asks.
pub(crate) async fn ask(router: Router, request: Request<Body>) -> Answer {
    let response = router.oneshot(request).await.expect("a router never fails");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    Answer { status, headers, text: String::from_utf8_lossy(&body).into_owned() }
}

/// A request without a body.
pub(crate) fn bare(method: Method, path: &str) -> Request<Body> {
    whole(Request::builder().method(method).uri(path), Vec::new())
}

/// A POST.
pub(crate) fn post(path: &str, kind: &str, body: impl Into<Vec<u8>>) -> Request<Body> {
    whole(Request::post(path).header("content-type", kind), body)
}

/// A POST with a bearer token.
pub(crate) fn post_as(token: &str, path: &str, body: impl Into<Vec<u8>>) -> Request<Body> {
    let request = Request::post(path).header("content-type", JSON);
    whole(request.header("authorization", format!("Bearer {token}")), body)
}

fn whole(request: Builder, body: impl Into<Vec<u8>>) -> Request<Body> {
    request.body(Body::from(body.into())).expect("a request")
}
