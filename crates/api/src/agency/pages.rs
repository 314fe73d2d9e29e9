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
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use etibar_agency::{AgencyError, Standing, clerk::Clerk};
use etibar_credential::level::AssuranceLevel;
use etibar_wallet::Language;

use super::Door;
use crate::{
    desk::{
        self, Choice, Frame, Place, codes,
        text::{duration, moment},
        words::Words,
    },
    extract::Query,
    form::Form,
};

/// The first page.
const HOME: &str = "/clerk";
/// Rows of each list at most.
const ROWS_MAX: u32 = 50;

/// A clerk who is signed in.
type Visit = desk::Visit<Clerk>;

/// Where the clerks' desk stands.
pub(super) fn place(whose: (&str, u32, &str)) -> Place {
    Place::new(whose, HOME, |words| vec![(HOME, words.clerk_desk)])
}

/// The pages, and the files that they need.
pub(super) fn routes(door: &Door) -> Router<Door> {
    let own = Router::new()
        .route(HOME, get(home))
        .route("/clerk/person", get(away).post(person::look_up))
        .route("/clerk/changes", post(person::change))
        .route("/clerk/endings", post(person::end))
        .route("/clerk/revocations", post(person::revoke));
    desk::routes(&door.desk, own)
}

/// A page that only a form leads to.
async fn away(State(door): State<Door>) -> Response {
    door.desk.away()
}

/// A line of a table.
struct Act {
    at: String,
    what: &'static str,
    about: String,
    by: String,
}

struct Enrolment {
    id: String,
    level: String,
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
    fn of(row: etibar_agency::store::ActRow, language: Language) -> Self {
        let content = row.content;
        let about = codes::about(&content.about, language);
        let what = codes::act(&row.what, language);
        Self { at: moment(row.at), what, about, by: content.by }
    }
}

async fn home(
    State(door): State<Door>,
    Query(choice): Query<Choice>,
    headers: HeaderMap,
) -> Response {
    let Some(visit) = door.desk.visit(&headers, &choice) else {
        return door.desk.door(&headers, &choice);
    };
    let frame = door.desk.frame(&visit, HOME, visit.words.clerk_desk);
    choice.remember(first(&door, frame, StatusCode::OK, String::new()).await)
}

/// A level of assurance by its number.
fn level(number: u8, words: &Words) -> String {
    let known = AssuranceLevel::from_number(number);
    known.map(|level| codes::level(level, words.language)).unwrap_or_default()
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
    let words = frame.words;
    let language = words.language;
    let standing = door.agency.standing().await?;
    let enrolments = door.agency.enrolments(ROWS_MAX).await?;
    let recoveries = door.agency.recoveries(ROWS_MAX).await?;
    let acts = door.agency.acts(ROWS_MAX).await?;
    let enrolment = |row: etibar_agency::store::EnrolmentRow| Enrolment {
        id: short(row.id),
        level: level(row.level, words),
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
        waited: duration(standing.notice_wait.0, language),
        lag: duration(standing.notices.lag_ms_max, language),
        standing,
        enrolments: enrolments.into_iter().map(enrolment).collect(),
        recoveries: recoveries.into_iter().map(recovery).collect(),
        acts: acts.into_iter().map(|act| Act::of(act, language)).collect(),
        typed,
    })
}
