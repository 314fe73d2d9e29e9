//! The desks of an institution's staff: who is signed in, and the frame of their pages. The desk
//! of a bank's onboarding staff and that of an agency's clerks stand on it.
//!
//! A sign-in lives in memory: it ends with the process, after [`SESSION_LIFE`], or by hand. Pages
//! work without script; a form is taken only from our own pages, with its session's key.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use askama::Template;
use axum::{
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{COOKIE, SET_COOKIE},
    },
    response::{Html, IntoResponse as _, Redirect, Response},
};
use etibar_primitives::{BlockTime, Digest, Domain, DurationMs, hex};
use serde::Deserialize;

use crate::console::assets;

pub(crate) mod text;
pub(crate) mod words;

use words::Words;

/// How long a sign-in lives.
const SESSION_LIFE: DurationMs = DurationMs(8 * 3_600_000);
/// Sign-ins at once; the oldest gives way.
const SESSIONS_MAX: usize = 4_096;
/// How long the language is remembered, in seconds: a year.
const LANGUAGE_LIFE_S: u64 = 31_536_000;
/// The cookie with the language.
const LANGUAGE: &str = "lang";
const TOKEN: Domain = Domain::new("etibar.api.desk.session");
const FORM: Domain = Domain::new("etibar.api.desk.form");

/// The present moment.
type Now = Arc<dyn Fn() -> BlockTime + Send + Sync>;

/// A desk: `W` is who may sit there.
pub(crate) struct Desk<W> {
    /// What browsers must say that a form came from.
    pub(crate) origin: String,
    /// The path of its first page.
    path: &'static str,
    /// Cookies know no ports: the name says whose desk it is.
    cookie: String,
    now: Now,
    sessions: Mutex<BTreeMap<Digest, Session<W>>>,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub(crate) struct Session<W> {
    pub(crate) who: W,
    /// What the session's forms carry.
    pub(crate) form_key: String,
    expires: BlockTime,
}

/// The sign-in form.
#[derive(Deserialize)]
pub(crate) struct SignIn {
    pub(crate) token: String,
}

/// A form without fields.
#[derive(Deserialize)]
pub(crate) struct Bare {
    pub(crate) form_key: String,
}

/// What the address may say.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Choice {
    #[serde(default)]
    pub(crate) lang: Option<String>,
    /// A state to list; not personal.
    #[serde(default)]
    pub(crate) state: Option<String>,
}

impl<W: Clone> Desk<W> {
    /// A desk whose first page is at `path` of `origin`; `member` runs it.
    pub(crate) fn new(origin: &str, path: &'static str, member: u32, now: Now) -> Self {
        let origin = origin.trim_end_matches('/').to_owned();
        let cookie = format!("desk-{member}");
        Self { origin, path, cookie, now, sessions: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Digest, Session<W>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signs `who` in and goes to the first page.
    pub(crate) fn begin(&self, who: W) -> Response {
        let (token, form_key): ([u8; 32], [u8; 32]) = (rand::random(), rand::random());
        let (token, now) = (hex::encode(&token), (self.now)());
        let session = Session {
            who,
            form_key: hex::encode(&form_key),
            expires: now.saturating_add(SESSION_LIFE),
        };
        let mut sessions = self.lock();
        sessions.retain(|_, session| now < session.expires);
        if sessions.len() >= SESSIONS_MAX {
            let oldest = sessions.iter().min_by_key(|(_, session)| session.expires);
            let oldest = oldest.map(|(hash, _)| *hash);
            oldest.and_then(|hash| sessions.remove(&hash));
        }
        sessions.insert(TOKEN.hash(token.as_bytes()), session);
        drop(sessions);
        self.go(self.cookie(&token, SESSION_LIFE.0 / 1_000))
    }

    /// Signs out and goes to the first page.
    pub(crate) fn end(&self, headers: &HeaderMap) -> Response {
        if let Some(token) = find(headers, &self.cookie) {
            self.lock().remove(&TOKEN.hash(token.as_bytes()));
        }
        self.go(self.cookie("", 0))
    }

    /// Who is signed in.
    pub(crate) fn session(&self, headers: &HeaderMap) -> Option<Session<W>> {
        let hash = TOKEN.hash(find(headers, &self.cookie)?.as_bytes());
        let now = (self.now)();
        self.lock().get(&hash).filter(|session| now < session.expires).cloned()
    }

    /// The first page, for who is not signed in.
    pub(crate) fn away(&self) -> Response {
        Redirect::to(self.path).into_response()
    }

    fn go(&self, cookie: HeaderValue) -> Response {
        let mut response = Redirect::to(self.path).into_response();
        response.headers_mut().append(SET_COOKIE, cookie);
        response
    }

    fn cookie(&self, value: &str, life_s: u64) -> HeaderValue {
        let secure = if self.origin.starts_with("https:") { "; Secure" } else { "" };
        let (name, path) = (&self.cookie, self.path);
        let text = format!(
            "{name}={value}; Path={path}; HttpOnly; SameSite=Strict; Max-Age={life_s}{secure}"
        );
        HeaderValue::from_str(&text).expect("a token and a number are plain text")
    }
}

impl<W> Session<W> {
    /// Whether a form of this session sent `key`. Hashes are compared: the time taken tells
    /// nothing of the key.
    pub(crate) fn knows(&self, key: &str) -> bool {
        FORM.hash(key.as_bytes()) == FORM.hash(self.form_key.as_bytes())
    }
}

/// The frame around a page.
pub(crate) struct Frame {
    pub(crate) words: &'static Words,
    /// Whose desk it is.
    pub(crate) house: String,
    /// The page's heading.
    pub(crate) heading: &'static str,
    /// The path of the first page.
    pub(crate) home: &'static str,
    /// The sections with their paths.
    pub(crate) sections: Vec<(&'static str, &'static str)>,
    /// The path of the section that is open.
    pub(crate) section: &'static str,
    /// Who is signed in, and the key of their forms.
    pub(crate) signed_in: Option<(String, String)>,
    /// What did not work, and the field that it is about.
    pub(crate) alert: Option<(String, &'static str)>,
    /// What was done.
    pub(crate) done: Option<String>,
    pub(crate) font: bool,
}

impl Frame {
    /// The frame of a page at `home` for who is not signed in.
    pub(crate) fn new(words: &'static Words, house: &str, home: &'static str) -> Self {
        Self {
            words,
            house: house.to_owned(),
            heading: words.sign_in,
            home,
            sections: Vec::new(),
            section: "",
            signed_in: None,
            alert: None,
            done: None,
            font: assets::has("inter-latin.woff2"),
        }
    }

    /// What the forms of the session carry.
    pub(crate) fn key(&self) -> &str {
        self.signed_in.as_ref().map_or("", |(_, key)| key)
    }
}

#[derive(Template)]
#[template(path = "desk/sign_in.html")]
struct SignInPage {
    frame: Frame,
}

/// The way in; after a token that is none, with a message.
pub(crate) fn sign_in_page(mut frame: Frame, failed: bool) -> Response {
    if failed {
        frame.alert = Some((frame.words.token_wrong.to_owned(), "token"));
    }
    let status = if failed { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    page(status, &SignInPage { frame })
}

/// A page.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> Response {
    let html = template.render().expect("our templates hold nothing that can fail");
    (status, Html(html)).into_response()
}

/// The words of the chosen language, of the remembered one, or of the one that the browser asks
/// for.
pub(crate) fn words_of(choice: &Choice, headers: &HeaderMap) -> &'static Words {
    let chosen = choice.lang.as_deref().or_else(|| find(headers, LANGUAGE));
    words::choose(chosen, headers)
}

/// A page that remembers the language chosen with it.
pub(crate) fn remember(choice: &Choice, mut response: Response) -> Response {
    if let Some(chosen) = choice.lang.as_deref().and_then(words::of_code) {
        let code = chosen.code;
        let text = format!("{LANGUAGE}={code}; Path=/; SameSite=Lax; Max-Age={LANGUAGE_LIFE_S}");
        let cookie = HeaderValue::from_str(&text).expect("a language is plain text");
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|line| line.split(';'));
    let mut named = pairs.filter_map(|pair| pair.trim().split_once('='));
    named.find(|(its, _)| *its == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn a_sign_in_ends_by_hand_or_by_itself_and_its_forms_know_their_key() {
        let time = Arc::new(AtomicU64::new(1));
        let clock = Arc::clone(&time);
        let now: Now = Arc::new(move || BlockTime(clock.load(Ordering::SeqCst)));
        let desk = Desk::new("http://bank.example", "/staff", 2, now);
        let headers = |response: &Response| {
            let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
            assert!(cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");
            let pair = cookie.split(';').next().unwrap();
            HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(pair).unwrap())])
        };
        let first = headers(&desk.begin("one"));
        let session = desk.session(&first).expect("signed in");
        assert!(session.knows(&session.form_key) && !session.knows(""));
        assert_eq!(session.who, "one");
        drop(desk.end(&first));
        assert!(desk.session(&first).is_none());
        let second = headers(&desk.begin("two"));
        time.store(SESSION_LIFE.0, Ordering::SeqCst);
        assert!(desk.session(&second).is_some());
        time.store(SESSION_LIFE.0 + 1, Ordering::SeqCst);
        assert!(desk.session(&second).is_none());
        assert!(desk.session(&HeaderMap::new()).is_none());
    }
}
