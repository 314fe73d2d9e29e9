//! The pages of the bank's onboarding staff.
//!
//! | page | what |
//! |---|---|
//! | `/staff` | applications, by state; for who is not signed in, the way in |
//! | `/staff/applications/{id}` | one: what was presented, evidence, decision, erasure |
//! | `POST …/preparations`, `POST …/decision` | the two steps of an examination |
//! | `/staff/watch` | erasures with their holds, refused obligations, lags |
//!
//! Addresses hold random ids only. A page that shows a person's data read it through the gate.

mod application;
mod lists;

use askama::Template;
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use etibar_onboarding::{OnboardingError, staff::StaffMember};

use super::Door;
use crate::{
    console::assets,
    desk::{self, Bare, Choice, Frame, Session, SignIn, words::Words},
    extract::Query,
    form::{Form, check_origin},
    shield,
};

/// The first page.
pub(super) const HOME: &str = "/staff";
const WATCH: &str = "/staff/watch";
/// Rows of each list at most.
const ROWS_MAX: u32 = 100;

/// The pages, and the files that they need.
pub(super) fn routes(door: &Door) -> Router<Door> {
    Router::new()
        .route(HOME, get(lists::applications))
        .route("/staff/sign-in", post(sign_in))
        .route("/staff/sign-out", post(sign_out))
        .route("/staff/applications/{id}", get(application::show))
        .route("/staff/applications/{id}/preparations", post(application::prepare))
        .route("/staff/applications/{id}/decision", post(application::decide))
        .route(WATCH, get(lists::watch))
        .layer(middleware::from_fn_with_state(door.clone(), same_origin))
        .layer(middleware::map_response(shield::protect))
        .route("/assets/{name}", get(assets::serve))
}

async fn same_origin(State(door): State<Door>, request: Request, next: Next) -> Response {
    match check_origin(request.method(), request.headers(), &door.desk.origin) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Who looks at a page.
struct Visit {
    words: &'static Words,
    session: Session<StaffMember>,
}

impl Door {
    /// The frame of a page for who is not signed in.
    fn frame(&self, words: &'static Words) -> Frame {
        Frame::new(words, &self.flows.parts().identity.name, HOME)
    }

    /// Who is signed in.
    fn visit(&self, headers: &HeaderMap, choice: &Choice) -> Option<Visit> {
        let words = desk::words_of(choice, headers);
        let session = self.desk.session(headers)?;
        Some(Visit { words, session })
    }

    /// Who sent a form, with the key of its own session.
    fn visit_of_form(&self, headers: &HeaderMap, form_key: &str) -> Option<Visit> {
        self.visit(headers, &Choice::default()).filter(|visit| visit.session.knows(form_key))
    }

    /// The frame of a page of `section`.
    fn inside(&self, visit: &Visit, section: &'static str, heading: &'static str) -> Frame {
        let words = visit.words;
        Frame {
            heading,
            section,
            sections: vec![(HOME, words.applications), (WATCH, words.watch)],
            signed_in: Some((visit.session.who.name.clone(), visit.session.form_key.clone())),
            ..self.frame(words)
        }
    }
}

async fn sign_in(
    State(door): State<Door>,
    headers: HeaderMap,
    Form(form): Form<SignIn>,
) -> Response {
    if let Some(member) = door.staff.of_token(form.token.trim()) {
        return door.desk.begin(member.clone());
    }
    let words = desk::words_of(&Choice::default(), &headers);
    desk::sign_in_page(door.frame(words), true)
}

async fn sign_out(
    State(door): State<Door>,
    headers: HeaderMap,
    Form(form): Form<Bare>,
) -> Response {
    match door.desk.session(&headers) {
        Some(session) if session.knows(&form.form_key) => door.desk.end(&headers),
        _ => door.desk.away(),
    }
}

#[derive(Template)]
#[template(path = "desk/message.html")]
struct Message {
    frame: Frame,
}

/// What did not work, as a page.
fn failed(mut frame: Frame, error: OnboardingError) -> Response {
    let problem = crate::Problem::from(error);
    frame.alert = Some((problem.to_string(), ""));
    desk::page(problem.status(), &Message { frame })
}
