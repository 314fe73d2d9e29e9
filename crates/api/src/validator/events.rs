//! A member's events with their proof, by cursor, with a long wait when there are none.

use std::time::Duration;

use axum::{
    extract::State,
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use etibar_chain::{Handle, ReadError};
use etibar_ledger::receipt::EventPage;
use etibar_primitives::MemberId;
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use super::{EVENTS_BYTES_MAX, EVENTS_WAIT_MAX_MS, Validator, auth::Caller};
use crate::{Problem, extract::Query};

/// How many bytes of events a page has when nothing else is asked for.
const EVENTS_BYTES_DEFAULT: usize = 1024 * 1024;

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Question {
    /// The index of the first event wanted.
    #[serde(default)]
    from: u64,
    /// How long to wait when there is none; at most [`EVENTS_WAIT_MAX_MS`].
    #[serde(default)]
    wait_ms: u64,
    /// At most [`EVENTS_BYTES_MAX`].
    max_bytes: Option<usize>,
    /// Whose; the caller's own when absent.
    member: Option<MemberId>,
}

/// `GET /v1/events`: a page, or 204 when there is nothing new within the wait.
pub(super) async fn events(
    State(validator): State<Validator>,
    caller: Caller,
    Query(question): Query<Question>,
) -> Result<Response, Problem> {
    let member = question.member.unwrap_or(caller.member);
    if !caller.may_see(member) {
        let detail = "a member sees its own events only";
        return Err(Problem::new(StatusCode::FORBIDDEN, "not_authorised", detail));
    }
    let wait = Duration::from_millis(question.wait_ms.min(EVENTS_WAIT_MAX_MS));
    let deadline = Instant::now() + wait;
    let bytes_max = question.max_bytes.unwrap_or(EVENTS_BYTES_DEFAULT).min(EVENTS_BYTES_MAX);
    loop {
        // Read before the events: a result that is certified in between ends the wait at once.
        let certified = validator.handle.certified_height();
        if let Some(page) = page(&validator.handle, member, question.from, bytes_max).await? {
            return Ok(proof(page.to_bytes()));
        }
        match timeout_at(deadline, validator.handle.wait_certified(certified)).await {
            Ok(reached) => drop(reached?),
            Err(_) => return Ok(StatusCode::NO_CONTENT.into_response()),
        }
    }
}

/// The page, unless the member has had no such event for sure.
async fn page(
    handle: &Handle,
    member: MemberId,
    from: u64,
    bytes_max: usize,
) -> Result<Option<EventPage>, ReadError> {
    if handle.read(|ledger| ledger.event_count(member)) <= from {
        return Ok(None);
    }
    handle.events(member, from, bytes_max).await
}

/// An answer of bytes that prove themselves.
pub(super) fn proof(bytes: Vec<u8>) -> Response {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        let status = match error {
            ReadError::Pruned => StatusCode::GONE,
            ReadError::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.code(), error.to_string())
    }
}
