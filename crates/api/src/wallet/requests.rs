//! Requests for data: the one screen, the decision, the result.

use std::str::FromStr;

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use etibar_primitives::{MemberId, OperationId};
use etibar_wallet::{
    EntryId, WalletError,
    gesture::Action,
    screen::{ConsentScreen, Obstacle},
    view::Outcome,
};
use serde::Deserialize;

use super::{
    Door,
    entry::Signed,
    form::Form,
    home::failed,
    page::{self, Shell},
    session::Member,
    text,
    words::Words,
};
use crate::{
    Problem,
    extract::{Path, Query},
};

/// When to ask again for a receipt that no validator gave.
const RETRY_AFTER_MS: u64 = 1_000;

#[derive(Template)]
#[template(path = "wallet/request.html")]
struct RequestPage {
    shell: Shell,
    words: &'static Words,
    screen: ConsentScreen,
    parts: Vec<Terms>,
    obstacle: Option<(String, Vec<String>)>,
    options: String,
}

#[derive(Template)]
#[template(path = "wallet/done.html")]
struct DonePage {
    shell: Shell,
    words: &'static Words,
    heading: &'static str,
    outcome: Outcome,
    iban: String,
    product: &'static str,
    pending: Option<&'static str>,
    /// How long it took, for who did not go away meanwhile.
    took: Option<String>,
    /// Whether looking again may show more.
    again: bool,
    consent: Option<EntryId>,
}

/// How long one purpose of a screen lasts, and what follows.
struct Terms {
    until: String,
    /// Which purpose, where there are several.
    with: String,
    term: String,
    disposal: String,
    law: String,
}

/// What the choice of a bank sends.
#[derive(Deserialize)]
pub(super) struct Opening {
    form_key: String,
    bank: u32,
    product: String,
}

/// A request handed over by a bank's page: the link that OpenID4VP writes.
#[derive(Deserialize)]
pub(super) struct Handed {
    request: String,
}

/// Asks a bank to open an account: the bank answers with a request for data.
pub(super) async fn open_account(
    State(_): State<Door>,
    member: Member,
    Form(form): Form<Opening>,
) -> Response {
    if !member.knows(&form.form_key) {
        return failed(&member, &WalletError::GestureOther);
    }
    let language = member.words.language;
    let known = member.words.home.products.iter().find(|(name, _)| *name == form.product);
    let Some((product, _)) = known else {
        return failed(&member, &WalletError::EntryUnknown);
    };
    let (holder, product) = (member.holder.clone(), *product);
    let opened = page::to_the_end(async move {
        holder.open_account(MemberId(form.bank), product, language).await
    });
    go(&member, opened.await)
}

/// Takes a request that a bank's page handed over.
pub(super) async fn open(member: Member, Query(handed): Query<Handed>) -> Response {
    let opened = member.holder.open_request(&handed.request).await;
    go(&member, opened)
}

fn go(member: &Member, opened: Result<EntryId, WalletError>) -> Response {
    match opened {
        Ok(request) => Redirect::to(&format!("/requests/{request}")).into_response(),
        Err(error) => failed(member, &error),
    }
}

/// The one screen.
pub(super) async fn show(member: Member, Path(request): Path<String>) -> Response {
    let shown = async {
        let request = EntryId::from_str(&request).map_err(|_| WalletError::EntryUnknown)?;
        if member.holder.is_answered(request).await? {
            return Ok(None);
        }
        let screen = member.holder.consent_screen(request, member.words.language).await?;
        let options = if screen.obstacle.is_some() {
            String::new()
        } else {
            let action = Action::Approve { request, screen: screen.digest() };
            member.holder.ask(action).await?
        };
        Ok::<_, WalletError>(Some((screen, options)))
    };
    match shown.await {
        Ok(None) => Redirect::to(&format!("/requests/{request}/result")).into_response(),
        Ok(Some((screen, options))) => {
            let words = member.words;
            let shell = Shell::inside(words, &member.session, "home");
            let parts = terms(&screen, words);
            let obstacle = screen.obstacle.as_ref().map(|its| obstacle(its, words));
            page::page(&RequestPage { shell, words, screen, parts, obstacle, options })
        }
        Err(error) => failed(&member, &error),
    }
}

/// Presents and consents, by the passkey over the screen.
pub(super) async fn approve(
    member: Member,
    Path(request): Path<String>,
    Form(form): Form<Signed>,
) -> Response {
    let Ok(id) = EntryId::from_str(&request) else {
        return failed(&member, &WalletError::EntryUnknown);
    };
    if !member.knows(&form.form_key) {
        return failed(&member, &WalletError::GestureOther);
    }
    let holder = member.holder.clone();
    let approved = page::to_the_end(async move {
        let gesture = holder.gesture(&form.passkey).await?;
        holder.approve(id, &gesture).await
    });
    let Err(error) = approved.await else {
        return Redirect::to(&format!("/requests/{id}/result")).into_response();
    };
    // Where the answer may have gone out, the result's page finds out what came of it.
    if member.holder.is_answered(id).await.unwrap_or(false) {
        page::log(&error);
        return Redirect::to(&format!("/requests/{id}/result")).into_response();
    }
    failed(&member, &error)
}

/// Says no.
pub(super) async fn decline(
    member: Member,
    Path(request): Path<String>,
    Form(form): Form<Signed>,
) -> Response {
    let declined = async {
        let request = EntryId::from_str(&request).map_err(|_| WalletError::EntryUnknown)?;
        if !member.knows(&form.form_key) {
            return Err(WalletError::GestureOther);
        }
        member.holder.decline(request).await
    };
    match declined.await {
        Ok(()) => {
            let words = &member.words.screen;
            page::done(Shell::of(&member, "home"), words.declined, words.declined_text, "/")
        }
        Err(error) => failed(&member, &error),
    }
}

/// What came of it.
pub(super) async fn result(member: Member, Path(request): Path<String>) -> Response {
    let found = async {
        let request = EntryId::from_str(&request).map_err(|_| WalletError::EntryUnknown)?;
        member.holder.outcome(request).await
    };
    match found.await {
        Ok((outcome, consent)) => {
            let words = member.words;
            let heading = match (&outcome.account, &outcome.pending) {
                (Some(_), _) => words.done.account,
                (None, Some(_)) if outcome.under_way => words.done.pending,
                (None, Some(_)) => words.done.stopped,
                (None, None) if outcome.product.is_some() => words.done.received,
                (None, None) => words.done.presented,
            };
            let number = outcome.account.as_ref().map(|account| text::iban(&account.iban));
            let done = DonePage {
                shell: Shell::inside(words, &member.session, "home"),
                words,
                heading,
                iban: number.unwrap_or_default(),
                product: text::product(&outcome, words),
                pending: pending(&outcome, words),
                took: (outcome.elapsed_ms > 0)
                    .then(|| text::seconds(outcome.elapsed_ms, words.language)),
                again: outcome.under_way,
                outcome,
                consent,
            };
            page::page(&done)
        }
        Err(error) => failed(&member, &error),
    }
}

/// The certified proof of a ledger operation, as a file that anybody can check.
pub(super) async fn receipt(
    State(door): State<Door>,
    _: Member,
    Path((submitter, operation)): Path<(MemberId, OperationId)>,
) -> Result<Response, Problem> {
    let found = door.wallet.client().receipt_bytes(submitter, operation).await;
    let found = found.map_err(|error| {
        tracing::warn!(code = error.code(), "no receipt for the wallet");
        Problem::overloaded(RETRY_AFTER_MS)
    })?;
    let Some((bytes, _)) = found else {
        let detail = "there is no certified outcome of this operation";
        return Err(Problem::new(StatusCode::NOT_FOUND, "receipt_unknown", detail));
    };
    let name = format!("attachment; filename=\"{operation}.receipt\"");
    let name = HeaderValue::from_str(&name).expect("an id is plain text");
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, bytes).into_response())
}

/// What the bank still needs, or why it did not finish.
fn pending(outcome: &Outcome, words: &Words) -> Option<&'static str> {
    outcome.pending.as_deref().map(|code| text::pending(code, words.language))
}

/// The terms of each purpose; what is the same for all stands once.
fn terms(screen: &ConsentScreen, words: &'static Words) -> Vec<Terms> {
    let several = screen.parts.len() > 1;
    let mut terms: Vec<Terms> = Vec::new();
    for part in &screen.parts {
        let new = |text: &str, seen: Option<&String>| {
            if seen.is_some_and(|seen| seen == text) { String::new() } else { text.to_owned() }
        };
        let before = terms.last();
        terms.push(Terms {
            until: text::day(part.until, words),
            with: if several { part.title.clone() } else { String::new() },
            term: part.term.clone(),
            disposal: new(&part.disposal, before.map(|its| &its.disposal)),
            law: new(&part.law, before.map(|its| &its.law)),
        });
    }
    terms
}

/// Why the screen cannot be approved: a sentence, and what it is about.
fn obstacle(obstacle: &Obstacle, words: &'static Words) -> (String, Vec<String>) {
    match obstacle {
        Obstacle::Missing { credentials } => (words.screen.missing.to_owned(), credentials.clone()),
        Obstacle::CoolingDown { until } => {
            (format!("{} {}.", words.screen.cooling, text::moment(*until, words)), Vec::new())
        }
        Obstacle::Ended => (words.screen.ended.to_owned(), Vec::new()),
    }
}
