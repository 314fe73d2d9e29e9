//! Who is signed in, and in which language the page speaks.

use axum::{
    extract::{FromRequestParts, Query as AxumQuery},
    http::{
        HeaderMap, HeaderValue,
        header::{COOKIE, SET_COOKIE},
        request::Parts,
    },
    response::{IntoResponse as _, Redirect, Response},
};
use etibar_primitives::{Domain, hex};
use etibar_wallet::{Holder, Language, store::Session};
use serde::Deserialize;

use super::{
    Door,
    words::{self, Words},
};

/// The cookie with the session's token.
const SESSION: &str = "session";
/// The cookie with the language.
const LANGUAGE: &str = "lang";
/// How long the language is remembered, in seconds: a year.
const LANGUAGE_LIFE_S: u32 = 31_536_000;

/// A visitor: perhaps signed in.
pub(super) struct Visitor {
    pub(super) words: &'static Words,
    /// The language was chosen with this page: remember it.
    chosen: bool,
    pub(super) signed_in: Option<SignedIn>,
}

/// Somebody who is signed in.
pub(super) struct SignedIn {
    pub(super) holder: Holder,
    pub(super) session: Session,
}

/// A visitor of a page that only people who are signed in see; everybody else is sent to the
/// first page.
pub(super) struct Member {
    pub(super) words: &'static Words,
    pub(super) holder: Holder,
    pub(super) session: Session,
}

#[derive(Deserialize)]
struct Choice {
    lang: Option<String>,
}

impl Visitor {
    /// The cookie to answer with, if the language was chosen.
    pub(super) fn cookie(&self) -> Option<HeaderValue> {
        let code = self.words.language.tag();
        self.chosen.then(|| cookie(LANGUAGE, code, Some(LANGUAGE_LIFE_S), false))
    }
}

impl FromRequestParts<Door> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Response> {
        let AxumQuery(choice) = AxumQuery::<Choice>::try_from_uri(&parts.uri)
            .unwrap_or(AxumQuery(Choice { lang: None }));
        let chosen = choice.lang.as_deref().and_then(Language::from_tag);
        let remembered = find(&parts.headers, LANGUAGE).and_then(Language::from_tag);
        let language = chosen.or(remembered).unwrap_or_else(|| words::asked(&parts.headers));
        let signed_in = signed_in(parts, door).await;
        Ok(Self { words: words::of(language), chosen: chosen.is_some(), signed_in })
    }
}

impl FromRequestParts<Door> for Member {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Response> {
        let visitor = Visitor::from_request_parts(parts, door).await?;
        let words = visitor.words;
        match visitor.signed_in {
            Some(SignedIn { holder, session }) => Ok(Self { words, holder, session }),
            None => Err(Redirect::to("/").into_response()),
        }
    }
}

async fn signed_in(parts: &Parts, door: &Door) -> Option<SignedIn> {
    let token = find(&parts.headers, SESSION)?;
    let session = door.wallet.session(token).await.ok().flatten()?;
    let holder = door.wallet.holder(session.person).await.ok()?;
    Some(SignedIn { holder, session })
}

impl Member {
    /// Whether a form of this session sent `key`.
    pub(super) fn knows(&self, key: &str) -> bool {
        // Compared by hash, so that the time taken tells nothing about the key.
        let hash = |text: &str| Domain::new("etibar.wallet.form").hash(text.as_bytes());
        hash(key) == hash(&hex::encode(&self.session.form_key))
    }
}

/// The cookie that signs a browser in, for as long as the session lives.
pub(super) fn begin(token: &str, origin: &str) -> HeaderValue {
    let life = u32::try_from(etibar_wallet::SESSION_LIFE_MS / 1_000).unwrap_or(u32::MAX);
    cookie(SESSION, token, Some(life), origin.starts_with("https:"))
}

/// The cookie that signs a browser out.
pub(super) fn end() -> HeaderValue {
    cookie(SESSION, "", Some(0), false)
}

/// An answer with one cookie more.
pub(super) fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

fn cookie(name: &str, value: &str, life_s: Option<u32>, secure: bool) -> HeaderValue {
    let life = life_s.map(|life| format!("; Max-Age={life}")).unwrap_or_default();
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{life}{secure}");
    HeaderValue::from_str(&text).expect("a token, a language and a number are plain text")
}

fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|line| line.split(';'));
    let mut named = pairs.filter_map(|pair| pair.trim().split_once('='));
    named.find(|(its, _)| *its == name).map(|(_, value)| value)
}
