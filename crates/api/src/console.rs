//! The operator's console: one page that shows the network as it moves.
//!
//! Boundary: reads through the operator's client and shows; changes nothing. What it shows of
//! payments is proven (verified events); heights, balances and who is up are the validators' word,
//! counts and lags of identification the members'.
//! Deliberately absent: personal data, which the ledger does not hold.

pub(crate) mod assets;
pub(crate) mod format;
mod identity;
mod page;
mod payments;
mod view;
mod watch;
mod words;

use std::sync::Arc;

use axum::{Router, routing::get};
use etibar_client::Client;

use crate::problem;

pub use identity::Watched;
pub use watch::Watch;

/// The console's routes. [`Watch::run`] must run beside them.
pub fn router(client: Client, watch: &Arc<Watch>) -> Router {
    let state = page::State { client, watch: Arc::clone(watch) };
    let router = Router::new()
        .route("/", get(page::show))
        .route("/live", get(page::live))
        .route("/receipts/{submitter}/{operation}", get(page::receipt))
        .route("/assets/{name}", get(assets::serve));
    problem::with_fallbacks(router).with_state(state)
}
