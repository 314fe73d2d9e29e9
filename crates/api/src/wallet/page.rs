//! What every page has: the frame around it, its headers, and how a failure is told.

use askama::Template;
use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, Uri, header},
    middleware::Next,
    response::{Html, IntoResponse as _, Redirect, Response},
};
use etibar_client::wire::PROBLEM_JSON;
use etibar_primitives::hex;
use etibar_wallet::{Language, WalletError, store::Session};

use super::{
    session::{self, Member},
    text,
    words::Words,
};
use crate::{console::assets, shield, visit};

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
    /// `good`, `bad` or `open`: how it is coloured.
    pub(super) mark: &'static str,
    pub(super) text: String,
}

/// A page that only says one thing, with a way on.
#[derive(Template)]
#[template(path = "wallet/message.html")]
struct Message<'a> {
    shell: Shell,
    /// `good` or `bad`.
    mark: &'static str,
    heading: &'a str,
    text: &'a str,
    href: &'a str,
    label: &'a str,
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

    /// The frame of a page of `section` for a member.
    pub(super) fn of(member: &Member, section: &'static str) -> Self {
        Self::inside(member.words, &member.session, section)
    }

    /// The same with a message above the page, coloured by `mark`.
    pub(super) fn saying(mut self, mark: &'static str, text: impl Into<String>) -> Self {
        self.alert = Some(Alert { mark, text: text.into() });
        self
    }

    /// What this session's forms carry.
    pub(super) fn key(&self) -> &str {
        self.form_key.as_deref().unwrap_or_default()
    }

    /// The languages, as the switch offers them.
    pub(super) fn languages() -> [(&'static str, &'static str); 3] {
        Language::ALL.map(|language| (language.tag(), visit::name(language)))
    }
}

/// A page.
pub(super) fn page(template: &impl Template) -> Response {
    let html = template.render().expect("our templates hold nothing that can fail");
    Html(html).into_response()
}

/// A page that says that something was done, with a way on to `href`.
pub(super) fn done(shell: Shell, heading: &str, text: &str, href: &str) -> Response {
    let label = shell.words.go_on;
    page(&Message { shell, mark: "good", heading, text, href, label })
}

/// What did not work, said to the person who is signed in, with a way back to the section.
pub(super) fn failure(member: &Member, section: &'static str, error: &WalletError) -> Response {
    let back = match section {
        "consents" => "/consents",
        "accesses" => "/accesses",
        "settings" => "/settings",
        _ => "/",
    };
    let about = match error {
        WalletError::Unreachable(id) | WalletError::Refused { member: id, .. } => {
            let name =
                member.holder.name_of(etibar_primitives::MemberId(*id), member.words.language);
            format!("{name}: ")
        }
        _ => String::new(),
    };
    failed(Shell::of(member, section), error, &about, back)
}

/// What did not work, in the words of the page's language.
pub(super) fn told(shell: Shell, error: &WalletError) -> Response {
    failed(shell, error, "", "/")
}

fn failed(shell: Shell, error: &WalletError, about: &str, back: &str) -> Response {
    log(error);
    let words = shell.words;
    let text = format!("{about}{}", text::failure(error, words.language));
    let (heading, label) = (words.problem, words.back);
    let message = Message { shell, mark: "bad", heading, text: &text, href: back, label };
    (status(error), page(&message)).into_response()
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

/// Runs `work` to its end, also when the browser goes away meanwhile: what was begun with others is
/// not left half-done.
pub(super) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> T {
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The program ends: nobody waits for an answer any more.
        Err(_) => std::future::pending().await,
    }
}

/// Goes one step up from an address that takes forms only: browsers ask for it when a language is
/// chosen there or a window is restored.
pub(super) async fn step_up(uri: Uri) -> Redirect {
    let above = uri.path().rsplit_once('/').map_or("", |(above, _)| above);
    Redirect::to(if above.is_empty() { "/" } else { above })
}

/// Gives a problem to people as a page: interfaces read JSON, people do not.
pub(super) async fn for_people(request: Request, next: Next) -> Response {
    let words = session::spoken(request.uri(), request.headers());
    let by_browser = is_browser(request.headers());
    let response = next.run(request).await;
    let kind = response.headers().get(header::CONTENT_TYPE);
    if !by_browser || kind.is_none_or(|kind| kind != PROBLEM_JSON) {
        return response;
    }
    let text = match response.status() {
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => words.errors.lost,
        StatusCode::FORBIDDEN => words.errors.foreign,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => words.errors.busy,
        status if status.is_server_error() => words.errors.fault,
        _ => words.errors.form,
    };
    let shell = Shell::outside(words);
    let message = Message {
        shell,
        mark: "bad",
        heading: words.problem,
        text,
        href: "/",
        label: words.screen.close,
    };
    shield::protect((response.status(), page(&message)).into_response()).await
}

fn is_browser(headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepts.is_some_and(|accepts| accepts.contains("text/html"))
}
