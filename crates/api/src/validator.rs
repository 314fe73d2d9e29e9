//! A validator's interface to members: submit, follow, read.
//!
//! | route | who | answer |
//! |---|---|---|
//! | `POST /v1/transactions` | anybody with a signed transaction | its digest |
//! | `GET /v1/status`, `/v1/genesis`, `/metrics`, `/healthz`, `/readyz` | anybody | |
//! | `GET /v1/events` | a member: its own; the operator: anybody's | a page with its proof |
//! | `GET /v1/receipts/{submitter}/{id}` | parties and the operator | a receipt |
//! | `GET /v1/operations/{submitter}/{id}` | parties and the operator | what is known |
//! | `GET /v1/accounts`, `/v1/accounts/{id}` | a member: its own; the operator: all | |
//! | `GET /v1/aliases/{tag}`, `/v1/members` | members | |
//! | `GET /v1/blocks` | the operator | summaries, newest first |
//!
//! Members prove who they are with a self-issued token, see [`etibar_client::token`]. What a
//! caller may not see answers like what is not there.

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use etibar_chain::Handle;
use etibar_ledger::{Genesis, transaction::TRANSACTION_BYTES_MAX};
use tokio::sync::Semaphore;

use crate::problem;

mod auth;
mod events;
mod operations;
mod parties;
mod registry;
mod status;
mod transactions;

/// The longest that a question for events may wait, in milliseconds.
pub const EVENTS_WAIT_MAX_MS: u64 = 30_000;
/// The most bytes of events that may be asked for at once; a page holds at least one block.
pub const EVENTS_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How many bytes of transactions may be on their way in at once.
pub const UPLOAD_BYTES_MAX: u32 = 256 * 1024 * 1024;

/// What the handlers share.
#[derive(Debug, Clone)]
struct Validator {
    handle: Handle,
    genesis: Arc<Genesis>,
    /// Room for transactions on their way in, in bytes.
    uploads: Arc<Semaphore>,
}

/// The routes over a running validator. `genesis` is the one that it runs.
pub fn router(handle: Handle, genesis: Arc<Genesis>) -> Router {
    let room = usize::try_from(UPLOAD_BYTES_MAX).expect("32 bits fit");
    let state = Validator { handle, genesis, uploads: Arc::new(Semaphore::new(room)) };
    let submit = post(transactions::submit).layer(DefaultBodyLimit::max(TRANSACTION_BYTES_MAX));
    let router = Router::new()
        .route("/v1/transactions", submit)
        .route("/v1/status", get(status::status))
        .route("/v1/genesis", get(status::genesis))
        .route("/v1/events", get(events::events))
        .route("/v1/receipts/{submitter}/{operation}", get(operations::receipt))
        .route("/v1/operations/{submitter}/{operation}", get(operations::operation))
        .route("/v1/accounts", get(registry::accounts))
        .route("/v1/accounts/{id}", get(registry::account))
        .route("/v1/aliases/{tag}", get(registry::alias))
        .route("/v1/members", get(registry::members))
        .route("/v1/blocks", get(registry::blocks))
        .route("/metrics", get(status::metrics))
        .route("/healthz", get(status::healthz))
        .route("/readyz", get(status::readyz));
    problem::with_fallbacks(router).with_state(state)
}
