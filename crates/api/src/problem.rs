//! Errors as every door answers them.
//!
//! Source: RFC 9457 (`application/problem+json`), with a stable `code` as an extension member.

use std::borrow::Cow;

use axum::{
    Router,
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use etibar_client::wire;

/// A request that was not fulfilled. It changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{status} {code}: {detail}")]
pub struct Problem {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: String,
    retry_after_ms: Option<u64>,
}

impl Problem {
    /// The problem with a stable `code` of lower-case words. `detail` is for people and holds no
    /// personal data and nothing secret.
    pub fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
    ) -> Self {
        let (code, detail) = (code.into(), detail.into());
        Self { status, code, detail, retry_after_ms: None }
    }

    /// There is no room now; `retry_after_ms` milliseconds later there may be.
    pub fn overloaded(retry_after_ms: u64) -> Self {
        let detail = "no room now; try again later";
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail);
        Self { retry_after_ms: Some(retry_after_ms), ..problem }
    }

    /// Something of ours failed. Say what in the log, not to the caller.
    pub fn internal() -> Self {
        let detail = "an internal error; the log has more";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", detail)
    }

    /// The same problem with the status 429: it is this caller that asks too much.
    #[must_use]
    pub fn for_caller(mut self) -> Self {
        self.status = StatusCode::TOO_MANY_REQUESTS;
        self
    }

    /// The HTTP status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        &self.code
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = wire::Problem {
            kind: format!("urn:etibar:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or_default().to_owned(),
            status: self.status.as_u16(),
            code: self.code.into_owned(),
            detail: self.detail,
            retry_after_ms: self.retry_after_ms,
        };
        let body = serde_json::to_vec(&body).expect("plain data becomes JSON");
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(wire::PROBLEM_JSON));
        if let Some(after) = self.retry_after_ms {
            headers.insert(RETRY_AFTER, HeaderValue::from(after.div_ceil(1_000)));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Makes `router` answer unknown paths and methods with a problem, too. Call it last.
pub fn with_fallbacks<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    let unknown = async || {
        Problem::new(StatusCode::NOT_FOUND, "route_unknown", "there is nothing at this path")
    };
    let method = async || {
        let detail = "this path does not take this method";
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
    };
    router.fallback(unknown).method_not_allowed_fallback(method)
}
