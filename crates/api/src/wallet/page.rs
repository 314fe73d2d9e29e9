//! What every page has: the frame around it, its headers, and how a failure is told.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse as _, Response},
};
use etibar_primitives::hex;
use etibar_wallet::{Language, WalletError, store::Session};

use super::{
    session::{Member, Visitor, with_cookie},
    text,
    words::Words,
};
use crate::console::assets;

/// The frame around a page.
pub(super) struct Shell {
    pub(super) words: &'static Words,
    pub(super) section: &'static str,
    /// What the forms of the session carry; `None` for who is not signed in.
    pub(super) form_key: Option<String>,
    pub(super) alert: Option<Alert>,
    pub(super) font: bool,
}

/// A message above the page.
pub(super) struct Alert {
    pub(super) good: bool,
    pub(super) text: String,
}

#[derive(Template)]
#[template(path = "wallet/message.html")]
struct Message<'a> {
    shell: Shell,
    words: &'static Words,
    heading: &'a str,
}

impl Shell {
    /// The frame for somebody who is not signed in.
    pub(super) fn outside(words: &'static Words) -> Self {
        let font = assets::has("inter-latin.woff2");
        Self { words, section: "", form_key: None, alert: None, font }
    }

    /// The frame of a page of `section`.
    pub(super) fn inside(words: &'static Words, session: &Session, section: &'static str) -> Self {
        let form_key = Some(hex::encode(&session.form_key));
        Self { section, form_key, ..Self::outside(words) }
    }

    /// The same with a message above the page.
    pub(super) fn saying(mut self, good: bool, text: impl Into<String>) -> Self {
        self.alert = Some(Alert { good, text: text.into() });
        self
    }

    /// What this session's forms carry.
    pub(super) fn key(&self) -> &str {
        self.form_key.as_deref().unwrap_or_default()
    }

    /// The languages, as the switch offers them.
    pub(super) fn languages() -> [(&'static str, &'static str); 3] {
        Language::ALL.map(|language| (language.tag(), text::name(language)))
    }
}

/// A page.
pub(super) fn page(template: &impl Template) -> Response {
    let html = template.render().expect("our templates hold nothing that can fail");
    Html(html).into_response()
}

/// A page that remembers the language chosen with it.
pub(super) fn page_for(visitor: &Visitor, template: &impl Template) -> Response {
    with_cookie(page(template), visitor.cookie())
}

/// A page that only says one thing, with a way back.
pub(super) fn message(shell: Shell, heading: &str) -> Response {
    let words = shell.words;
    page(&Message { shell, words, heading })
}

/// What did not work, said to the person who is signed in.
pub(super) fn failure(member: &Member, section: &'static str, error: &WalletError) -> Response {
    let shell = Shell::inside(member.words, &member.session, section);
    told(shell, error)
}

/// What did not work, in the words of the page's language.
pub(super) fn told(shell: Shell, error: &WalletError) -> Response {
    let words = shell.words;
    let (status, sentence) = (status(error), text::failure(error, words.language));
    log(error);
    let shell = shell.saying(false, sentence);
    (status, message(shell, words.app)).into_response()
}

/// Writes down what went wrong: a code, never what a person typed or holds.
pub(super) fn log(error: &WalletError) {
    let code = error.code();
    match error {
        WalletError::Store(_) | WalletError::Ledger(_) => tracing::error!(code, "wallet failure"),
        _ => tracing::info!(code, "wallet refusal"),
    }
}

const fn status(error: &WalletError) -> StatusCode {
    match error {
        WalletError::PersonUnknown | WalletError::EntryUnknown => StatusCode::NOT_FOUND,
        WalletError::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        WalletError::Unreachable(_) | WalletError::Ledger(_) => StatusCode::BAD_GATEWAY,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}
