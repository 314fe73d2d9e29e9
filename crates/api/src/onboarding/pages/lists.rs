//! The applications, and what to watch.

use etibar_onboarding::{
    applications::ApplicationLine, examination::lapses_soon, obligations::ObligationLine,
    session::State as Stage, standing::Standing,
};
use etibar_primitives::{BlockTime, hex};
use etibar_vault::erasure::{ErasureView, HoldView};
use etibar_wallet::Language;

use super::{
    Choice, Door, Frame, HOME, HeaderMap, OnboardingError, Query, ROWS_MAX, Response, State,
    StatusCode, Template, WATCH, codes, desk, failed,
};
use crate::{
    console::format::minor_units,
    desk::text::{Names, day, duration, moment},
};

/// A state by which to list.
struct Filter {
    code: &'static str,
    name: &'static str,
    count: u64,
    current: bool,
}

/// An application in the list.
struct Row {
    id: String,
    short: String,
    product: String,
    state: &'static str,
    mark: &'static str,
    created: String,
    examination: String,
    /// The last day of an examination, and whether that is soon.
    lapses: Option<(String, bool)>,
}

#[derive(Template)]
#[template(path = "desk/applications.html")]
struct ApplicationsPage {
    frame: Frame,
    filters: Vec<Filter>,
    rows: Vec<Row>,
    standing: Standing,
}

/// The class of the style sheet that fits a state.
pub(super) fn mark(state: &str) -> &'static str {
    match state {
        "done" | "opened" | "accepted" | "approved" => "good",
        "refused" | "failed" | "expired" | "declined" | "step_up" => "bad",
        _ => "open",
    }
}

impl Row {
    fn of(line: ApplicationLine, now: BlockTime, language: Language) -> Self {
        let prepared = line.examination.as_ref().and_then(|its| its.prepared.last());
        let causes: Vec<&str> =
            line.causes.iter().map(|cause| codes::cause(cause.code(), language)).collect();
        let mut examination = causes.join(", ");
        let lapses = line.lapses().map(|at| (day(at), lapses_soon(at, now)));
        if let Some(act) = prepared {
            examination.push_str(" · ");
            examination.push_str(&act.by);
        }
        Self {
            short: line.id.chars().take(8).collect(),
            id: line.id,
            product: codes::product(&line.product, language),
            state: codes::state(line.state, language),
            mark: mark(line.state),
            created: moment(line.created),
            examination,
            lapses,
        }
    }
}

/// The applications; for who is not signed in, the way in.
pub(super) async fn applications(
    State(door): State<Door>,
    Query(choice): Query<Choice>,
    headers: HeaderMap,
) -> Response {
    let Some(visit) = door.desk.visit(&headers, &choice) else {
        return door.desk.door(&headers, &choice);
    };
    let frame = door.desk.frame(&visit, HOME, visit.words.applications);
    let language = visit.words.language;
    let wanted = choice.state.as_deref().and_then(Stage::of);
    let read = async {
        let standing = door.flows.standing().await?;
        let lines = door.flows.applications(wanted, ROWS_MAX).await?;
        Ok::<_, OnboardingError>((standing, lines))
    };
    let (standing, lines) = match read.await {
        Ok(read) => read,
        Err(error) => return failed(frame, error),
    };
    let count = |state: Stage| standing.applications.get(state.name()).copied().unwrap_or(0);
    let filters = Stage::ALL.into_iter().filter(|state| count(*state) > 0).map(|state| Filter {
        code: state.name(),
        name: codes::state(state.name(), language),
        count: count(state),
        current: wanted == Some(state),
    });
    let page = ApplicationsPage {
        frame,
        filters: filters.collect(),
        rows: lines.into_iter().map(|line| Row::of(line, door.now(), language)).collect(),
        standing,
    };
    choice.remember(desk::page(StatusCode::OK, &page))
}

/// An erasure that was asked for.
struct Erasure {
    id: String,
    requested: String,
    due: String,
    overdue: bool,
}

/// A refused obligation.
struct Obligation {
    provider: String,
    fee: String,
    outcome: &'static str,
    refused: String,
    retry: Option<String>,
}

/// A statutory hold.
pub(super) struct Hold {
    pub(super) law: &'static str,
    pub(super) ends: String,
}

#[derive(Template)]
#[template(path = "desk/watch.html")]
struct WatchPage {
    frame: Frame,
    standing: Standing,
    waited: String,
    last: String,
    longest: String,
    erasures: Vec<Erasure>,
    held: Vec<Hold>,
    obligations: Vec<Obligation>,
}

impl Hold {
    pub(super) fn of(hold: &HoldView, language: Language) -> Self {
        Self { law: codes::law(&hold.law, language), ends: day(hold.ends) }
    }
}

fn erasure(view: &ErasureView, now: BlockTime) -> Erasure {
    Erasure {
        id: hex::encode(&view.id).chars().take(8).collect(),
        requested: moment(view.requested),
        due: moment(view.due),
        overdue: view.due < now,
    }
}

fn obligation(line: &ObligationLine, names: &Names, language: Language) -> Obligation {
    Obligation {
        provider: names.name(line.provider, language),
        fee: minor_units(line.fee.minor_units()),
        outcome: codes::outcome(&line.outcome, language),
        refused: moment(line.refused),
        retry: line.retry.map(moment),
    }
}

/// Erasures with their holds, refused obligations, lags.
pub(super) async fn watch(
    State(door): State<Door>,
    Query(choice): Query<Choice>,
    headers: HeaderMap,
) -> Response {
    let Some(visit) = door.desk.visit(&headers, &choice) else { return door.desk.away() };
    let language = visit.words.language;
    let frame = door.desk.frame(&visit, WATCH, visit.words.watch);
    let vault = &door.flows.parts().vault;
    let read = async {
        let standing = door.flows.standing().await?;
        let erasures = vault.open_erasures().await?;
        let held = vault.held().await?;
        let obligations = door.flows.refused_obligations(ROWS_MAX).await?;
        Ok::<_, OnboardingError>((standing, erasures, held, obligations))
    };
    let (standing, erasures, held, obligations) = match read.await {
        Ok(read) => read,
        Err(error) => return failed(frame, error),
    };
    let now = door.now();
    let owed = obligations.iter().map(|line| obligation(line, &door.names, language));
    let page = WatchPage {
        frame,
        waited: duration(standing.lag.waiting_ms, language),
        last: duration(standing.lag.last_ms, language),
        longest: duration(standing.lag.max_ms, language),
        standing,
        erasures: erasures.iter().map(|view| erasure(view, now)).collect(),
        held: held.iter().map(|hold| Hold::of(hold, language)).collect(),
        obligations: owed.collect(),
    };
    choice.remember(desk::page(StatusCode::OK, &page))
}
