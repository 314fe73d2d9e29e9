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
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::{get, post},
};
use etibar_onboarding::{OnboardingError, staff::StaffMember};

use super::Door;
use crate::{
    desk::{self, Choice, Frame, Place, codes},
    extract::Query,
    form::Form,
};

/// The first page.
const HOME: &str = "/staff";
const WATCH: &str = "/staff/watch";
/// Rows of each list at most.
const ROWS_MAX: u32 = 100;

/// One of the staff who is signed in.
type Visit = desk::Visit<StaffMember>;

/// Where the staff's desk stands.
pub(super) fn place(whose: (&str, u32, &str)) -> Place {
    Place::new(whose, HOME, |words| vec![(HOME, words.applications), (WATCH, words.watch)])
}

/// The pages, and the files that they need.
pub(super) fn routes(door: &Door) -> Router<Door> {
    let own = Router::new()
        .route(HOME, get(lists::applications))
        .route("/staff/applications/{id}", get(application::show))
        .route("/staff/applications/{id}/preparations", post(application::prepare))
        .route("/staff/applications/{id}/decision", post(application::decide))
        .route(WATCH, get(lists::watch));
    desk::routes(&door.desk, own)
}

#[derive(Template)]
#[template(path = "desk/message.html")]
struct Message {
    frame: Frame,
}

/// What did not work, as a page.
fn failed(mut frame: Frame, error: OnboardingError) -> Response {
    let told = codes::failure(error.code(), frame.words.language);
    frame.alert = Some((told.to_owned(), ""));
    desk::page(crate::Problem::from(error).status(), &Message { frame })
}
