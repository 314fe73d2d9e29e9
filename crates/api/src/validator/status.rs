//! What anybody may know of a validator.

use axum::{
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
};
use etibar_client::{
    clock,
    wire::{StatusView, ValidatorView},
};
use etibar_ledger::Genesis;

use super::Validator;
use crate::{Problem, extract::Json};

/// How far the last executed block may lie behind the clock, in milliseconds, while a validator
/// calls itself ready: some heartbeats.
const READY_LAG_MAX_MS: u64 = 15_000;

/// `GET /v1/status`.
pub(super) async fn status(State(validator): State<Validator>) -> Json<StatusView> {
    let status = validator.handle.status();
    let peers = validator.genesis.validators.iter();
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    Json(StatusView {
        network: status.network,
        name: validator.genesis.name.clone(),
        height: status.finalized_height,
        executed_height: status.executed.height,
        certified_height: status.certified_height,
        time: status.executed.time,
        state_root: status.executed.state_root,
        view: status.view,
        waiting_transactions: count(status.waiting_transactions),
        waiting_bytes: count(status.waiting_bytes),
        validators: peers.map(|key| ValidatorView { key: *key, connected: None }).collect(),
    })
}

/// `GET /v1/genesis`. Its digest is the network's id: compare it with the one you know.
pub(super) async fn genesis(State(validator): State<Validator>) -> Json<Genesis> {
    Json(Genesis::clone(&validator.genesis))
}

/// `GET /metrics`: Prometheus' text form.
pub(super) async fn metrics(State(validator): State<Validator>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], validator.handle.metrics())
}

/// `GET /healthz`: the process answers.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the validator keeps up with the network.
pub(super) async fn readyz(State(validator): State<Validator>) -> Result<&'static str, Problem> {
    let executed = validator.handle.status().executed;
    if clock::now().since(executed.time).0 <= READY_LAG_MAX_MS {
        return Ok("ready\n");
    }
    let detail = "the last executed block is long ago";
    Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", detail))
}
