//! A validator's interface to members: submit, follow, read.
//!
//! | route | who | answer |
//! |---|---|---|
//! | `POST /v1/transactions` | anybody with a signed transaction | its digest |
//! | `GET /v1/status`, `/v1/genesis`, `/metrics`, `/healthz`, `/readyz` | anybody | |
//! | `GET /v1/events` | a member: its own; the operator: anybody's | a page with its proof |
//! | `GET /v1/receipts/{submitter}/{id}` | parties and the operator | a receipt, also waited for |
//! | `GET /v1/operations/{submitter}/{id}` | parties and the operator | what is known |
//! | `GET /v1/accounts`, `/v1/accounts/{id}` | a member: its own; the operator: all | |
//! | `GET /v1/aliases/{tag}`, `/v1/members` | members | |
//! | `GET /v1/issuers`, `/v1/purposes` | members | the trust registry |
//! | `GET /v1/status-lists/{member}/{list}`, `/v1/evidence/{member}` | members | an anchor |
//! | `GET /v1/consents/{rel}` | members that know `rel` | a consent, without the person |
//! | `GET /v1/obligations` | a member: its own; the operator: all | what is owed |
//! | `GET /v1/blocks` | the operator | summaries, newest first |
//!
//! Members prove who they are with a self-issued token, see [`etibar_client::token`]. What a
//! caller may not see answers like what is not there. A consent's `rel` is derived from 256 secret
//! random bits that the consumer shares with the provider and the holder only, and an entry names
//! no person: so knowing `rel` is the right to ask, also for the member that runs a holder's
//! wallet. Anchors are there to be compared with, so the receipts of anchors are every member's.

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
mod identity;
mod operations;
mod parties;
mod registry;
mod status;
mod transactions;

/// The longest that a question for events may wait, in milliseconds.
pub const EVENTS_WAIT_MAX_MS: u64 = 30_000;
/// The most bytes of events that may be asked for at once; a page holds at least one block.
pub const EVENTS_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The longest that a question for a receipt may wait, in milliseconds.
pub const RECEIPT_WAIT_MAX_MS: u64 = 30_000;
/// How many questions for receipts may wait at once; one more is refused as `overloaded`.
pub const RECEIPT_WAITERS_MAX: usize = 1_024;
/// How many bytes of transactions may be on their way in at once.
pub const UPLOAD_BYTES_MAX: u32 = 256 * 1024 * 1024;

/// What the handlers share.
#[derive(Debug, Clone)]
struct Validator {
    handle: Handle,
    genesis: Arc<Genesis>,
    /// Room for transactions on their way in, in bytes.
    uploads: Arc<Semaphore>,
    /// Room for questions that wait for a receipt.
    waiters: Arc<Semaphore>,
}

/// The routes over a running validator. `genesis` is the one that it runs.
pub fn router(handle: Handle, genesis: Arc<Genesis>) -> Router {
    let room = usize::try_from(UPLOAD_BYTES_MAX).expect("32 bits fit");
    let uploads = Arc::new(Semaphore::new(room));
    let waiters = Arc::new(Semaphore::new(RECEIPT_WAITERS_MAX));
    let state = Validator { handle, genesis, uploads, waiters };
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
        .route("/v1/issuers", get(identity::issuers))
        .route("/v1/purposes", get(identity::purposes))
        .route("/v1/consents/{rel}", get(identity::consent))
        .route("/v1/status-lists/{member}/{list}", get(identity::status_list))
        .route("/v1/evidence/{member}", get(identity::evidence))
        .route("/v1/obligations", get(identity::obligations))
        .route("/v1/blocks", get(registry::blocks))
        .route("/metrics", get(status::metrics))
        .route("/healthz", get(status::healthz))
        .route("/readyz", get(status::readyz));
    problem::with_fallbacks(router).with_state(state)
}
