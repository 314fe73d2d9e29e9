//! The pages of an agency's clerks.
//!
//! | page | what |
//! |---|---|
//! | `/clerk` | looking somebody up, enrolments, recoveries, what clerks did; or the way in |
//! | `POST /clerk/person` | a person's or company's entries, who asked for what |
//! | `POST /clerk/changes`, `/clerk/endings`, `/clerk/revocations` | changing and revoking |
//!
//! Whose page it is travels in the body of a form, never in an address. Each look is on record
//! before it is shown ([`etibar_agency::clerk`]).

mod person;

use askama::Template;
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use etibar_agency::{AgencyError, Standing};

use super::{Door, TOKEN};
use crate::{
    console::assets,
    desk::{
        self, Bare, Choice, Frame, Session, SignIn,
        text::{duration, moment},
        words::Words,
    },
    extract::Query,
    form::{Form, check_origin},
    shield,
};

/// The first page.
pub(super) const HOME: &str = "/clerk";
/// Rows of each list at most.
const ROWS_MAX: u32 = 50;
/// How the record names who uses the clerks' token.
pub(in crate::agency) const CLERK: &str = "clerk";

/// The pages, and the files that they need.
pub(super) fn routes(door: &Door) -> Router<Door> {
    Router::new()
        .route(HOME, get(home))
        .route("/clerk/sign-in", post(sign_in))
        .route("/clerk/sign-out", post(sign_out))
        .route("/clerk/person", get(away).post(person::look_up))
        .route("/clerk/changes", post(person::change))
        .route("/clerk/endings", post(person::end))
        .route("/clerk/revocations", post(person::revoke))
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

/// A page that only a form leads to.
async fn away(State(door): State<Door>) -> Response {
    door.desk.away()
}

impl Door {
    /// The frame of a page for who is not signed in.
    fn frame(&self, words: &'static Words) -> Frame {
        Frame::new(words, &self.agency.setup().name, HOME)
    }

    /// The frame of a page.
    fn inside(&self, words: &'static Words, session: &Session<()>, heading: &'static str) -> Frame {
        Frame {
            heading,
            section: HOME,
            sections: vec![(HOME, words.clerk_desk)],
            signed_in: Some((CLERK.to_owned(), session.form_key.clone())),
            ..self.frame(words)
        }
    }
}

/// A line of a table.
struct Act {
    at: String,
    what: String,
    about: String,
    by: String,
}

struct Enrolment {
    id: String,
    level: u8,
    enrolled: String,
    cooldown: Option<String>,
}

struct Recovery {
    id: String,
    opened: String,
    expires: String,
    done: Option<String>,
}

#[derive(Template)]
#[template(path = "desk/clerk.html")]
struct HomePage {
    frame: Frame,
    standing: Standing,
    waited: String,
    lag: String,
    enrolments: Vec<Enrolment>,
    recoveries: Vec<Recovery>,
    acts: Vec<Act>,
    /// What was typed into a form that was refused.
    typed: String,
}

impl Act {
    fn of(row: etibar_agency::store::ActRow) -> Self {
        let content = row.content;
        let about = content.about.join(", ");
        Self { at: moment(row.at), what: row.what, about, by: content.by }
    }
}

async fn home(
    State(door): State<Door>,
    Query(choice): Query<Choice>,
    headers: HeaderMap,
) -> Response {
    let words = desk::words_of(&choice, &headers);
    let Some(session) = door.desk.session(&headers) else {
        return desk::remember(&choice, desk::sign_in_page(door.frame(words), false));
    };
    let frame = door.inside(words, &session, words.clerk_desk);
    desk::remember(&choice, first(&door, frame, StatusCode::OK, String::new()).await)
}

/// The first page, with what was typed into a form that was refused.
async fn first(door: &Door, frame: Frame, status: StatusCode, typed: String) -> Response {
    match home_page(door, frame, typed).await {
        Ok(page) => desk::page(status, &page),
        Err(error) => crate::Problem::from(error).into_response(),
    }
}

async fn home_page(door: &Door, frame: Frame, typed: String) -> Result<HomePage, AgencyError> {
    let short = |id: etibar_primitives::OperationId| id.to_string().chars().take(8).collect();
    let standing = door.agency.standing().await?;
    let enrolments = door.agency.enrolments(ROWS_MAX).await?;
    let recoveries = door.agency.recoveries(ROWS_MAX).await?;
    let acts = door.agency.acts(ROWS_MAX).await?;
    let enrolment = |row: etibar_agency::store::EnrolmentRow| Enrolment {
        id: short(row.id),
        level: row.level,
        enrolled: moment(row.enrolled),
        cooldown: row.cooldown.map(moment),
    };
    let recovery = |row: etibar_agency::store::RecoveryRow| Recovery {
        id: short(row.id),
        opened: moment(row.opened),
        expires: moment(row.expires),
        done: row.done.map(moment),
    };
    Ok(HomePage {
        frame,
        waited: duration(standing.notice_wait.0),
        lag: duration(standing.notices.lag_ms_max),
        standing,
        enrolments: enrolments.into_iter().map(enrolment).collect(),
        recoveries: recoveries.into_iter().map(recovery).collect(),
        acts: acts.into_iter().map(Act::of).collect(),
        typed,
    })
}

async fn sign_in(
    State(door): State<Door>,
    headers: HeaderMap,
    Form(form): Form<SignIn>,
) -> Response {
    // Hashes are compared: how far two agree says nothing of how far the tokens do.
    if TOKEN.hash(form.token.trim().as_bytes()) == door.clerk {
        return door.desk.begin(());
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
