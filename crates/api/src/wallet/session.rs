//! Who is signed in, in which language the page speaks, and where somebody was going.

use axum::{
    extract::{FromRequestParts, Query as AxumQuery, Request},
    http::{HeaderMap, HeaderValue, Method, Uri, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};
use etibar_primitives::hex;
use etibar_wallet::{Holder, Language, store::Session};
use serde::Deserialize;

use super::{
    Door,
    words::{self, Words},
};
use crate::visit::{self, with_cookie};

/// The cookie with the session's token.
const SESSION: &str = "session";
/// The cookie with the page that somebody wanted before signing in.
const PLACE: &str = "place";
/// How long the wanted page is remembered, in seconds: somebody may have to create a wallet first.
const PLACE_LIFE_S: u32 = 900;
/// The longest address that is remembered, in bytes.
const PLACE_BYTES_MAX: usize = 1_500;

/// A visitor: perhaps signed in.
pub(super) struct Visitor {
    pub(super) words: &'static Words,
    pub(super) signed_in: Option<SignedIn>,
    /// The browser still shows a session that has ended.
    pub(super) lapsed: bool,
    /// The page that was wanted before signing in.
    pub(super) place: Option<String>,
    /// What the browser says it is, for the name of a new passkey.
    pub(super) device: String,
}

/// Somebody who is signed in.
pub(super) struct SignedIn {
    pub(super) holder: Holder,
    pub(super) session: Session,
}

/// A visitor of a page that only people who are signed in see; everybody else is sent to the
/// first page, and back once they are signed in.
pub(super) struct Member {
    pub(super) words: &'static Words,
    pub(super) holder: Holder,
    pub(super) session: Session,
    /// What the browser says it is, for the name of a new passkey.
    pub(super) device: String,
}

#[derive(Deserialize)]
struct Choice {
    lang: Option<String>,
}

impl FromRequestParts<Door> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Response> {
        let words = spoken(&parts.uri, &parts.headers);
        let signed_in = signed_in(parts, door).await;
        let place = visit::cookie(&parts.headers, PLACE).filter(|place| is_place(place));
        Ok(Self {
            words,
            lapsed: signed_in.is_none() && visit::cookie(&parts.headers, SESSION).is_some(),
            signed_in,
            place: place.map(str::to_owned),
            device: super::device::name(&parts.headers),
        })
    }
}

impl FromRequestParts<Door> for Member {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Response> {
        let Visitor { words, signed_in, device, .. } =
            Visitor::from_request_parts(parts, door).await?;
        if let Some(SignedIn { holder, session }) = signed_in {
            return Ok(Self { words, holder, session, device });
        }
        let wanted = parts.uri.path_and_query().map(ToString::to_string);
        let wanted = wanted.filter(|place| parts.method == Method::GET && is_place(place));
        let cookie = wanted.map(|place| cookie(PLACE, &place, Some(PLACE_LIFE_S), false));
        Err(with_cookie(Redirect::to("/").into_response(), cookie))
    }
}

/// The words that a request is answered in: chosen with it, remembered, or the browser's.
pub(super) fn spoken(uri: &Uri, headers: &HeaderMap) -> &'static Words {
    words::of(visit::language(chosen(uri), headers))
}

fn chosen(uri: &Uri) -> Option<Language> {
    let AxumQuery(choice) = AxumQuery::<Choice>::try_from_uri(uri).ok()?;
    choice.lang.as_deref().and_then(Language::from_tag)
}

/// Remembers the language that was chosen with a page.
pub(super) async fn remember_language(request: Request, next: Next) -> Response {
    let chosen = chosen(request.uri());
    let response = next.run(request).await;
    visit::remember(response, chosen)
}

/// An address of this site that fits in a cookie.
fn is_place(place: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte);
    let own = place.starts_with('/') && !place.starts_with("//");
    own && place.len() > 1 && place.len() <= PLACE_BYTES_MAX && place.bytes().all(plain)
}

async fn signed_in(parts: &Parts, door: &Door) -> Option<SignedIn> {
    let token = visit::cookie(&parts.headers, SESSION)?;
    let session = door.wallet.session(token).await.ok().flatten()?;
    let holder = door.wallet.holder(session.person).await.ok()?;
    Some(SignedIn { holder, session })
}

impl Member {
    /// Whether a form of this session sent `key`.
    pub(super) fn knows(&self, key: &str) -> bool {
        visit::knows(&hex::encode(&self.session.form_key), key)
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

/// The cookie that forgets the wanted page.
pub(super) fn arrived() -> HeaderValue {
    cookie(PLACE, "", Some(0), false)
}

fn cookie(name: &str, value: &str, life_s: Option<u32>, secure: bool) -> HeaderValue {
    let life = life_s.map(|life| format!("; Max-Age={life}")).unwrap_or_default();
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{life}{secure}");
    HeaderValue::from_str(&text).expect("a token, a language, a place and a number are plain text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_of_this_site_is_gone_back_to() {
        for place in ["/open?request=openid4vp%3A%2F%2F%3Fclient_id%3Dx", "/consents/0a"] {
            assert!(is_place(place), "{place}");
        }
        for place in ["", "/", "//evil.example", "https://evil.example", "/a;b", "/a b", "/ə"] {
            assert!(!is_place(place), "{place}");
        }
        assert!(!is_place(&format!("/{}", "a".repeat(PLACE_BYTES_MAX))));
    }
}
