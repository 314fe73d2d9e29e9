//! The applications, and what to watch.

use etibar_onboarding::{
    applications::ApplicationLine, obligations::ObligationLine, session::State as Stage,
    standing::Standing,
};
use etibar_primitives::{BlockTime, MemberId, hex};
use etibar_vault::erasure::{ErasureView, HoldView};

use super::{
    Choice, Door, Frame, HOME, HeaderMap, OnboardingError, Query, ROWS_MAX, Response, State,
    StatusCode, Template, WATCH, desk, failed,
};
use crate::{
    console::format::minor_units,
    desk::text::{duration, moment},
};

/// A state by which to list.
struct Filter {
    code: &'static str,
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
    fn of(line: ApplicationLine) -> Self {
        let prepared = line.examination.as_ref().and_then(|its| its.prepared.last());
        let causes: Vec<&str> = line.causes.iter().map(|cause| cause.code()).collect();
        let mut examination = causes.join(", ");
        if let Some(act) = prepared {
            examination.push_str(" · ");
            examination.push_str(&act.by);
        }
        Self {
            short: line.id.chars().take(8).collect(),
            id: line.id,
            product: line.product,
            state: line.state,
            mark: mark(line.state),
            created: moment(line.created),
            examination,
        }
    }
}

/// The applications; for who is not signed in, the way in.
pub(super) async fn applications(
    State(door): State<Door>,
    Query(choice): Query<Choice>,
    headers: HeaderMap,
) -> Response {
    let Some(visit) = door.visit(&headers, &choice) else {
        let words = desk::words_of(&choice, &headers);
        return desk::remember(&choice, desk::sign_in_page(door.frame(words), false));
    };
    let frame = door.inside(&visit, HOME, visit.words.applications);
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
        count: count(state),
        current: wanted == Some(state),
    });
    let page = ApplicationsPage {
        frame,
        filters: filters.collect(),
        rows: lines.into_iter().map(Row::of).collect(),
        standing,
    };
    desk::remember(&choice, desk::page(StatusCode::OK, &page))
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
    provider: MemberId,
    fee: String,
    outcome: String,
    refused: String,
    retry: Option<String>,
}

/// A statutory hold.
pub(super) struct Hold {
    pub(super) law: String,
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
    pub(super) fn of(hold: &HoldView) -> Self {
        Self { law: hold.law.clone(), ends: moment(hold.ends) }
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

fn obligation(line: ObligationLine) -> Obligation {
    Obligation {
        provider: line.provider,
        fee: minor_units(line.fee.minor_units()),
        outcome: line.outcome,
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
    let Some(visit) = door.visit(&headers, &choice) else { return door.desk.away() };
    let frame = door.inside(&visit, WATCH, visit.words.watch);
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
    let page = WatchPage {
        frame,
        waited: duration(standing.lag.waiting_ms),
        last: duration(standing.lag.last_ms),
        longest: duration(standing.lag.max_ms),
        standing,
        erasures: erasures.iter().map(|view| erasure(view, now)).collect(),
        held: held.iter().map(Hold::of).collect(),
        obligations: obligations.into_iter().map(obligation).collect(),
    };
    desk::remember(&choice, desk::page(StatusCode::OK, &page))
}
