//! A member's edge: towards its core banking, and towards the other members' edges.
//!
//! | route | who | answer |
//! |---|---|---|
//! | `POST /v1/payments` | core | pacs.008 in, pacs.002 out: 200 when all is final, 202 when not |
//! | `POST /v1/status-requests` | core | pacs.028 in, pacs.002 out |
//! | `GET /v1/payments/{uetr}` | core | where a payment is |
//! | `GET /v1/payments/{uetr}/receipt` | core | the proof of how it ended |
//! | `PUT /v1/transfers/{id}` | core | a transfer between ledger accounts: 200 once certified |
//! | `GET /v1/transfers/{id}/receipt` | core | its proof |
//! | `GET /v1/messages?after=N` | core | what became of payments, in order |
//! | `GET /v1/aliases`, `PUT /v1/aliases` | core | aliases of the bank's customers |
//! | `GET /v1/accounts` | core | the sample book |
//! | `POST /v1/peer/payloads` | members, by the envelope's signature | 204 once written down |
//! | `/metrics`, `/healthz`, `/readyz` | anybody | |
//!
//! The core shows `Authorization: Bearer` with the token of the edge's configuration. How long
//! a payment or a transfer waits for the end is asked for by `Prefer: wait=SECONDS` or
//! `Prefer: respond-async` (RFC 7240); without it, ten seconds.

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    middleware,
    routing::{get, post, put},
};
use etibar_edge::{Edge, envelope::ENVELOPE_BYTES_MAX};
use futures::future::BoxFuture;

use crate::Problem;

mod auth;
mod core;
mod payments;
mod peer;
mod refusal;
mod run;
mod status;
mod transfers;
mod view;

pub use run::{Beside, RunError, run_edge};

/// The largest message of the core banking, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 10 * 1024 * 1024;

/// What stands beside the edge adds this to the process's metrics (Prometheus' text form).
pub type Gauges = Arc<dyn Fn() -> BoxFuture<'static, String> + Send + Sync>;

/// What the handlers share.
#[derive(Clone)]
struct Door {
    edge: Edge,
    token: Arc<auth::CoreToken>,
    gauges: Option<Gauges>,
}

/// The routes over a running edge, without fallbacks. `core_token` is what its core shows.
pub fn routes(edge: Edge, core_token: &str, gauges: Option<Gauges>) -> Router {
    let door = Door { edge, token: Arc::new(auth::CoreToken::new(core_token)), gauges };
    let core = Router::new()
        .route("/v1/payments", post(payments::pay))
        .route("/v1/status-requests", post(payments::request_status))
        .route("/v1/payments/{uetr}", get(payments::payment))
        .route("/v1/payments/{uetr}/receipt", get(payments::receipt))
        .route("/v1/transfers/{id}", put(transfers::transfer))
        .route("/v1/transfers/{id}/receipt", get(transfers::receipt))
        .route("/v1/messages", get(core::messages))
        .route("/v1/aliases", get(core::aliases).put(core::register_alias))
        .route("/v1/accounts", get(core::accounts))
        .layer(DefaultBodyLimit::max(MESSAGE_BYTES_MAX))
        .route_layer(middleware::from_fn_with_state(door.clone(), auth::core_only));
    let deliver = post(peer::deliver).layer(DefaultBodyLimit::max(ENVELOPE_BYTES_MAX));
    Router::new()
        .merge(core)
        .route("/v1/peer/payloads", deliver)
        .route("/metrics", get(status::metrics))
        .route("/healthz", get(status::healthz))
        .route("/readyz", get(status::readyz))
        .method_not_allowed_fallback(wrong_method)
        .with_state(door)
}

/// The fallback for wrong methods reaches only routes that stand when it is set.
async fn wrong_method() -> Problem {
    let detail = "this path does not take this method";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}
