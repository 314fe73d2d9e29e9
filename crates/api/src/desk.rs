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
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode},
    middleware::{self, Next},
    response::{Html, IntoResponse as _, Redirect, Response},
    routing::{get, post},
};
use etibar_client::roster::{Named, Roster};
use etibar_primitives::{BlockTime, Digest, Domain, DurationMs, hex};
use etibar_wallet::Language;
use serde::Deserialize;

use crate::{
    console::assets,
    form::{Form, check_origin},
    shield, visit,
};

pub(crate) mod codes;
pub(crate) mod text;
pub(crate) mod words;

use words::Words;

/// How long a sign-in lives.
const SESSION_LIFE: DurationMs = DurationMs(8 * 3_600_000);
/// Sign-ins at once; the oldest gives way.
const SESSIONS_MAX: usize = 4_096;
const TOKEN: Domain = Domain::new("etibar.api.desk.session");

/// The present moment.
type Now = Arc<dyn Fn() -> BlockTime + Send + Sync>;

/// A section's path and its name.
type Section = (&'static str, &'static str);

/// Where a desk stands, and whose it is.
pub(crate) struct Place {
    /// What browsers must say that a form came from.
    origin: String,
    /// The path of its first page.
    home: &'static str,
    /// The member that runs it.
    member: u32,
    /// The member's name.
    house: String,
    /// Its sections.
    sections: fn(&'static Words) -> Vec<Section>,
}

/// A desk: `W` is who may sit there.
pub(crate) struct Desk<W> {
    people: Roster<W>,
    place: Place,
    /// Cookies know no ports: the name says whose desk it is.
    cookie: String,
    now: Now,
    sessions: Mutex<BTreeMap<Digest, Session<W>>>,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
struct Session<W> {
    who: W,
    /// What the session's forms carry.
    form_key: String,
    expires: BlockTime,
}

/// A look at a page by somebody who is signed in.
pub(crate) struct Visit<W> {
    pub(crate) words: &'static Words,
    pub(crate) who: W,
    form_key: String,
}

/// The sign-in form.
#[derive(Deserialize)]
struct SignIn {
    token: String,
}

/// A form without fields.
#[derive(Deserialize)]
struct Bare {
    form_key: String,
}

/// What the address may say.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Choice {
    #[serde(default)]
    lang: Option<String>,
    /// A state to list; not personal.
    #[serde(default)]
    pub(crate) state: Option<String>,
}

impl Place {
    /// The desk of the member `house` whose first page is at `home` of `origin`.
    pub(crate) fn new(
        (origin, member, house): (&str, u32, &str),
        home: &'static str,
        sections: fn(&'static Words) -> Vec<Section>,
    ) -> Self {
        let origin = origin.trim_end_matches('/').to_owned();
        Self { origin, home, member, house: house.to_owned(), sections }
    }
}

impl Choice {
    fn language(&self) -> Option<Language> {
        self.lang.as_deref().and_then(Language::from_tag)
    }

    /// The words of a page: chosen with it, remembered, or the browser's.
    fn words(&self, headers: &HeaderMap) -> &'static Words {
        words::of(visit::language(self.language(), headers))
    }

    /// A page that remembers the language chosen with it.
    pub(crate) fn remember(&self, response: Response) -> Response {
        visit::remember(response, self.language())
    }
}

impl<W: Named + Clone> Desk<W> {
    /// A desk at `place` for `people`.
    pub(crate) fn new(people: Roster<W>, place: Place, now: Now) -> Self {
        let cookie = format!("desk-{}", place.member);
        Self { people, place, cookie, now, sessions: Mutex::default() }
    }

    /// Whose token this is.
    pub(crate) fn of_token(&self, token: &str) -> Option<&W> {
        self.people.of_token(token)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Digest, Session<W>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signs `who` in and goes to the first page.
    fn begin(&self, who: W) -> Response {
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
    fn end(&self, headers: &HeaderMap) -> Response {
        if let Some(token) = visit::cookie(headers, &self.cookie) {
            self.lock().remove(&TOKEN.hash(token.as_bytes()));
        }
        self.go(self.cookie("", 0))
    }

    fn session(&self, headers: &HeaderMap) -> Option<Session<W>> {
        let hash = TOKEN.hash(visit::cookie(headers, &self.cookie)?.as_bytes());
        let now = (self.now)();
        self.lock().get(&hash).filter(|session| now < session.expires).cloned()
    }

    /// Who looks at a page; `None` for who is not signed in.
    pub(crate) fn visit(&self, headers: &HeaderMap, choice: &Choice) -> Option<Visit<W>> {
        let Session { who, form_key, .. } = self.session(headers)?;
        Some(Visit { words: choice.words(headers), who, form_key })
    }

    /// Who sent a form, with the key of its own session.
    pub(crate) fn visit_of_form(&self, headers: &HeaderMap, form_key: &str) -> Option<Visit<W>> {
        let visit = self.visit(headers, &Choice::default());
        visit.filter(|visit| visit::knows(&visit.form_key, form_key))
    }

    /// The frame of a page of `section`.
    pub(crate) fn frame(
        &self,
        visit: &Visit<W>,
        section: &'static str,
        heading: &'static str,
    ) -> Frame {
        Frame {
            heading,
            section,
            sections: (self.place.sections)(visit.words),
            signed_in: Some((visit.who.name().to_owned(), visit.form_key.clone())),
            ..self.outside(visit.words)
        }
    }

    /// The frame of a page for who is not signed in.
    fn outside(&self, words: &'static Words) -> Frame {
        Frame {
            words,
            house: self.place.house.clone(),
            heading: words.sign_in,
            home: self.place.home,
            sections: Vec::new(),
            section: "",
            signed_in: None,
            alert: None,
            done: None,
            font: assets::has("inter-latin.woff2"),
        }
    }

    /// The way in, for who is not signed in.
    pub(crate) fn door(&self, headers: &HeaderMap, choice: &Choice) -> Response {
        let frame = self.outside(choice.words(headers));
        choice.remember(page(StatusCode::OK, &SignInPage { frame }))
    }

    /// The first page, for who is not signed in.
    pub(crate) fn away(&self) -> Response {
        Redirect::to(self.place.home).into_response()
    }

    fn go(&self, cookie: HeaderValue) -> Response {
        visit::with_cookie(self.away(), Some(cookie))
    }

    fn cookie(&self, value: &str, life_s: u64) -> HeaderValue {
        let secure = if self.place.origin.starts_with("https:") { "; Secure" } else { "" };
        let (name, path) = (&self.cookie, self.place.home);
        let text = format!(
            "{name}={value}; Path={path}; HttpOnly; SameSite=Strict; Max-Age={life_s}{secure}"
        );
        HeaderValue::from_str(&text).expect("a token and a number are plain text")
    }
}

/// The pages of a desk: its own, the ways in and out, and the files that they need.
pub(crate) fn routes<W, S>(desk: &Arc<Desk<W>>, own: Router<S>) -> Router<S>
where
    W: Named + Clone + Send + Sync + 'static,
    S: Clone + Send + Sync + 'static,
{
    let home = desk.place.home;
    let ways = Router::new()
        .route(&format!("{home}/sign-in"), post(sign_in::<W>))
        .route(&format!("{home}/sign-out"), post(sign_out::<W>))
        .with_state(Arc::clone(desk));
    own.merge(ways)
        .layer(middleware::from_fn_with_state(Arc::clone(desk), same_origin::<W>))
        .layer(middleware::map_response(shield::protect))
        .route("/assets/{name}", get(assets::serve))
}

async fn same_origin<W>(
    State(desk): State<Arc<Desk<W>>>,
    request: Request,
    next: Next,
) -> Response {
    match check_origin(request.method(), request.headers(), &desk.place.origin) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn sign_in<W: Named + Clone>(
    State(desk): State<Arc<Desk<W>>>,
    headers: HeaderMap,
    Form(form): Form<SignIn>,
) -> Response {
    if let Some(who) = desk.of_token(form.token.trim()) {
        return desk.begin(who.clone());
    }
    let mut frame = desk.outside(Choice::default().words(&headers));
    frame.alert = Some((frame.words.token_wrong.to_owned(), "token"));
    page(StatusCode::UNAUTHORIZED, &SignInPage { frame })
}

async fn sign_out<W: Named + Clone>(
    State(desk): State<Arc<Desk<W>>>,
    headers: HeaderMap,
    Form(form): Form<Bare>,
) -> Response {
    match desk.visit_of_form(&headers, &form.form_key) {
        Some(_) => desk.end(&headers),
        None => desk.away(),
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
    pub(crate) sections: Vec<Section>,
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
    /// The other languages with their own names.
    pub(crate) fn others(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let own = self.words.language;
        let others = Language::ALL.into_iter().filter(move |language| *language != own);
        others.map(|language| (language.tag(), visit::name(language)))
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

/// A page.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> Response {
    let html = template.render().expect("our templates hold nothing that can fail");
    (status, Html(html)).into_response()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use axum::http::header::{COOKIE, SET_COOKIE};
    use etibar_agency::clerk::Clerk;

    use super::*;

    fn clerk(name: &str) -> Clerk {
        Clerk { name: name.to_owned() }
    }

    #[test]
    fn a_sign_in_ends_by_hand_or_by_itself_and_its_forms_know_their_key() {
        let time = Arc::new(AtomicU64::new(1));
        let clock = Arc::clone(&time);
        let now: Now = Arc::new(move || BlockTime(clock.load(Ordering::SeqCst)));
        let place = Place::new(("http://bank.example/", 2, "A bank"), "/staff", |_| Vec::new());
        let desk = Desk::new(Roster::default(), place, now);
        let headers = |response: &Response| {
            let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
            assert!(cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");
            let pair = cookie.split(';').next().unwrap();
            HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(pair).unwrap())])
        };
        let visit = |headers: &HeaderMap| desk.visit(headers, &Choice::default());
        let first = headers(&desk.begin(clerk("one")));
        let key = visit(&first).expect("signed in").form_key;
        assert!(desk.visit_of_form(&first, "").is_none());
        let sender = desk.visit_of_form(&first, &key).expect("its own form");
        assert_eq!(sender.who, clerk("one"));
        drop(desk.end(&first));
        assert!(visit(&first).is_none());
        let second = headers(&desk.begin(clerk("two")));
        time.store(SESSION_LIFE.0, Ordering::SeqCst);
        assert!(visit(&second).is_some());
        time.store(SESSION_LIFE.0 + 1, Ordering::SeqCst);
        assert!(visit(&second).is_none());
        assert!(visit(&HeaderMap::new()).is_none());
    }
}
