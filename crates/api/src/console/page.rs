//! The page, its live stream and the receipts.

use std::{convert::Infallible, sync::Arc, time::Duration};

use askama::Template;
use axum::{
    extract::State as Shared,
    http::{HeaderMap, StatusCode, header},
    response::{
        Html, IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use etibar_client::Client;
use etibar_primitives::{MemberId, OperationId};
use futures::stream::{self, Stream};
use serde::Deserialize;
use tokio::{sync::watch, time::sleep};

use crate::{
    Problem,
    extract::{Path, Query},
};

use super::{
    assets, view,
    view::LiveView,
    watch::Watch,
    words::{self, Words},
};

/// The shortest pause between two pictures of the network, so that a busy one does not keep the
/// browser busy.
const PICTURE_PAUSE: Duration = Duration::from_millis(400);

/// When to ask again for a receipt that no validator gave.
const RETRY_AFTER_MS: u64 = 1_000;

/// Nothing from elsewhere, no script or style inside the page, in no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; \
                      img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// What the handlers need.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) client: Client,
    pub(super) watch: Arc<Watch>,
}

/// What the address may say.
#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    lang: Option<String>,
}

#[derive(Template)]
#[template(path = "console.html")]
struct PageTemplate<'a> {
    words: &'a Words,
    live: LiveView,
    network: String,
    name: &'a str,
    scripts: bool,
    font: bool,
}

#[derive(Template)]
#[template(path = "live.html")]
struct LiveTemplate<'a> {
    words: &'a Words,
    live: LiveView,
}

/// The whole page.
pub(super) async fn show(
    Shared(state): Shared<State>,
    Query(choice): Query<Choice>,
    headers: HeaderMap,
) -> Response {
    let words = words::choose(choice.lang.as_deref(), &headers);
    let genesis = state.client.genesis();
    let page = PageTemplate {
        words,
        live: view::of(&state.watch, genesis, words),
        network: state.client.network().to_string(),
        name: &genesis.name,
        scripts: assets::has("htmx.js") && assets::has("sse.js"),
        font: assets::has("inter-latin.woff2"),
    };
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "accept-language"),
    ];
    (headers, Html(rendered(&page))).into_response()
}

/// A picture of the moving part after each change, at most some in a second.
pub(super) async fn live(
    Shared(state): Shared<State>,
    Query(choice): Query<Choice>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let words = words::choose(choice.lang.as_deref(), &headers);
    let changes = state.watch.subscribe();
    let pictures = stream::unfold((state, changes), move |(state, mut changes)| async move {
        next_change(&mut changes).await?;
        if state.watch.is_closed() {
            return None;
        }
        let live = view::of(&state.watch, state.client.genesis(), words);
        let picture = rendered(&LiveTemplate { words, live });
        Some((Ok(Event::default().data(picture)), (state, changes)))
    });
    Sse::new(pictures).keep_alive(KeepAlive::default())
}

async fn next_change(changes: &mut watch::Receiver<u64>) -> Option<()> {
    sleep(PICTURE_PAUSE).await;
    changes.changed().await.ok()
}

/// The proof of what became of an operation, as a file.
pub(super) async fn receipt(
    Shared(state): Shared<State>,
    Path((submitter, operation)): Path<(MemberId, OperationId)>,
) -> Result<Response, Problem> {
    let found = state.client.receipt_bytes(submitter, operation).await;
    let found = found.map_err(|error| {
        tracing::warn!(code = error.code(), "no receipt for the console");
        Problem::overloaded(RETRY_AFTER_MS)
    })?;
    let Some((bytes, _)) = found else {
        let detail = "there is no certified outcome of this operation";
        return Err(Problem::new(StatusCode::NOT_FOUND, "receipt_unknown", detail));
    };
    let name = format!("attachment; filename=\"{operation}.receipt\"");
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, bytes).into_response())
}

fn rendered(template: &impl Template) -> String {
    template.render().expect("our templates hold nothing that can fail")
}
