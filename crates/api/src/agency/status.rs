//! What anybody may know of an agency: counts and lags, no person.

use std::fmt::Write as _;

use axum::{
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
};

use serde::{Deserialize, Serialize};

use super::Door;
use crate::{Problem, extract::Json};

/// `GET /metrics`: Prometheus' text form.
pub(super) async fn metrics(State(door): State<Door>) -> Result<impl IntoResponse, Problem> {
    let standing = door.agency.standing().await?;
    let mut text = String::new();
    let mut put = |name: &str, kind: &str, labels: &str, value: u64| {
        if labels.is_empty() || !text.contains(&format!("# TYPE etibar_agency_{name} ")) {
            writeln!(text, "# TYPE etibar_agency_{name} {kind}").expect("a string takes all");
        }
        writeln!(text, "etibar_agency_{name}{labels} {value}").expect("a string takes all");
    };
    for (kind, count) in &standing.records {
        put("records", "gauge", &format!("{{kind=\"{kind}\"}}"), *count);
    }
    for (kind, counts) in &standing.issued {
        put("credentials_issued", "gauge", &format!("{{kind=\"{kind}\"}}"), counts.issued);
    }
    for (kind, counts) in &standing.issued {
        put("credentials_revoked", "gauge", &format!("{{kind=\"{kind}\"}}"), counts.revoked);
    }
    let plain = [
        ("consents_live", standing.consents),
        ("enrolments_living", standing.enrolments),
        ("receipts", standing.receipts),
        ("receipts_unanchored", standing.receipts_open),
        ("receipt_batches_unanchored", standing.batches_open),
        ("status_lists_unanchored", standing.lists_open),
        ("notices_waiting", standing.notices.waiting),
        ("notices_unfetched", standing.notices.unfetched),
        ("notice_wait_ms", standing.notice_wait.0),
        ("change_lag_ms_max", standing.notices.lag_ms_max),
        ("events_taken", standing.cursor),
        ("issuer_key_ready", u64::from(standing.key_fault.is_none())),
    ];
    for (name, value) in plain {
        put(name, "gauge", "", value);
    }
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], text))
}

/// What anybody may know of an agency, in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgencyStanding {
    /// Consents that stand.
    pub consents_live: u64,
    /// Living enrolments, at the registrar.
    pub enrolments_living: u64,
    /// Notices of change that are not delivered.
    pub notices_waiting: u64,
    /// For how long the oldest has waited, in milliseconds.
    pub notice_wait_ms: u64,
    /// The longest from a change to its fetch, in milliseconds.
    pub change_lag_ms_max: u64,
}

/// `GET /v1/standing`.
pub(super) async fn standing(State(door): State<Door>) -> Result<Json<AgencyStanding>, Problem> {
    let standing = door.agency.standing().await?;
    Ok(Json(AgencyStanding {
        consents_live: standing.consents,
        enrolments_living: standing.enrolments,
        notices_waiting: standing.notices.waiting,
        notice_wait_ms: standing.notice_wait.0,
        change_lag_ms_max: standing.notices.lag_ms_max,
    }))
}

/// `GET /healthz`: the process answers.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: register and store answer, and the issuer's key signs.
pub(super) async fn readyz(State(door): State<Door>) -> Result<&'static str, Problem> {
    let not_ready =
        |detail: &str| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", detail);
    let unanswered = |_| not_ready("the register or the storage does not answer");
    let standing = door.agency.standing().await.map_err(unanswered)?;
    match standing.key_fault {
        None => Ok("ready\n"),
        Some(code) => Err(not_ready(&format!("the issuer's key cannot sign: {code}"))),
    }
}
