//! One application, and the two steps of its examination.

use axum::response::{IntoResponse as _, Redirect};
use etibar_onboarding::{
    applications::{Application, EvidenceLine},
    examination::{Preparation, Step, Verdict},
    kyc::Record,
    policy::PAIRWISE,
    session::State as Stage,
    session_id,
    staff::StaffRole,
};
use etibar_vault::{AccessRecord, erasure::ErasureView};
use etibar_wallet::{Language, label, view::ClaimView};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Choice, Door, Form, Frame, HOME, HeaderMap, OnboardingError, Query, Response, State,
    StatusCode, Template, Visit, codes, desk, failed,
    lists::{Hold, mark},
};
use crate::{
    desk::text::{day, moment},
    extract::Path,
};

/// The form of a preparation.
#[derive(Deserialize)]
pub(super) struct PreparationForm {
    form_key: String,
    sources_of_funds: String,
    reason: String,
}

/// The form of a decision.
#[derive(Deserialize)]
pub(super) struct VerdictForm {
    form_key: String,
    reason: String,
    /// `approve` or `refuse`: the button.
    verdict: String,
}

/// A credential that the application rests on.
struct EvidenceRow {
    title: String,
    issuer: String,
    status: String,
}

/// What one of the staff wrote down.
struct StepLine {
    title: &'static str,
    by: String,
    at: String,
    sources: Option<String>,
    reason: String,
}

/// A decision of the bank.
struct DecisionLine {
    product: String,
    level: String,
    decided: String,
    renew: String,
}

/// A reading of the person's data.
struct AccessLine {
    at: String,
    reader: &'static str,
    basis: &'static str,
    read: String,
}

/// An erasure that was asked for.
struct ErasureLine {
    requested: String,
    due: String,
    done: Option<String>,
}

/// Which steps the person who looks may take now.
struct Steps {
    /// The application is being examined.
    examining: bool,
    /// Why no decision may be taken by whoever looks; `None` when it may.
    obstacle: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "desk/application.html")]
struct ApplicationPage {
    frame: Frame,
    id: String,
    short: String,
    product: String,
    /// The state's stable name, for programs that look at the page.
    code: &'static str,
    state: &'static str,
    mark: &'static str,
    created: String,
    reasons: String,
    causes: String,
    lapses: Option<String>,
    reused_from: Option<String>,
    level: Option<String>,
    facts: Option<Vec<ClaimView>>,
    evidence: Vec<EvidenceRow>,
    decisions: Vec<DecisionLine>,
    written: Vec<StepLine>,
    steps: Steps,
    erasure: Option<ErasureLine>,
    holds: Vec<Hold>,
    accesses: Vec<AccessLine>,
    /// What was typed into a form that was refused.
    typed: Typed,
}

/// What was typed into a form that was refused.
#[derive(Default)]
struct Typed {
    sources: String,
    preparation: String,
    verdict: String,
}

impl Steps {
    fn of(application: &Application, visit: &Visit) -> Self {
        let words = visit.words;
        let (line, who) = (&application.line, &visit.who);
        let prepared = line.examination.as_ref().map_or(&[][..], |its| &its.prepared);
        let obstacle = if prepared.is_empty() {
            Some(words.not_prepared)
        } else if who.role != StaffRole::Senior {
            Some(words.senior_needed)
        } else if prepared.iter().any(|act| act.by == who.name) {
            Some(words.four_eyes)
        } else {
            None
        };
        Self { examining: line.state == Stage::Examining.name(), obstacle }
    }
}

fn step(step: Step, visit: &Visit) -> StepLine {
    let title = match step.approve {
        None => visit.words.prepared_by,
        Some(true) => visit.words.approved_by,
        Some(false) => visit.words.refused_by,
    };
    let (by, at, reason) = (step.by, moment(step.at), step.reason);
    StepLine { title, by, at, sources: step.sources_of_funds, reason }
}

fn decision(record: &Record, language: Language) -> DecisionLine {
    DecisionLine {
        product: codes::product(&record.product, language),
        level: codes::level(record.level, language),
        decided: moment(record.decided),
        renew: day(record.refresh_due),
    }
}

fn access(record: &AccessRecord, language: Language) -> AccessLine {
    let mut read: Vec<String> =
        record.names.iter().map(|name| codes::item(name, language)).collect();
    read.dedup();
    AccessLine {
        at: moment(record.at),
        reader: codes::reader(&record.reader, language),
        basis: codes::basis(record.law.as_deref().unwrap_or("consent"), language),
        read: read.join(", "),
    }
}

fn evidence(line: EvidenceLine, door: &Door, language: Language) -> EvidenceRow {
    EvidenceRow {
        title: label::title(&line.vct, language),
        issuer: door.names.name(line.issuer, language),
        status: line.status,
    }
}

fn erasure(view: &ErasureView) -> ErasureLine {
    ErasureLine {
        requested: moment(view.requested),
        due: day(view.due),
        done: view.done.map(moment),
    }
}

fn page_of(
    door: &Door,
    application: Application,
    visit: &Visit,
    frame: Frame,
    typed: Typed,
) -> ApplicationPage {
    let language = visit.words.language;
    let steps = Steps::of(&application, visit);
    let line = application.line;
    let said = |code: &String| codes::reason(code, language);
    let reasons: Vec<&str> = application.reasons.iter().map(said).collect();
    let causes: Vec<&str> =
        line.causes.iter().map(|cause| codes::cause(cause.code(), language)).collect();
    let facts = application.facts.map(|mut facts| {
        // Which bank a pairwise number is for says nothing here: it is this one.
        if let Some(Value::Object(pairwise)) = facts.0.get_mut(PAIRWISE) {
            pairwise.remove("member");
        }
        let credentials = facts.0.iter();
        credentials.flat_map(|(vct, claims)| label::claims(vct, claims, language)).collect()
    });
    let shown = application.evidence.into_iter().map(|line| evidence(line, door, language));
    let read = application.accesses.iter().map(|record| access(record, language));
    ApplicationPage {
        frame,
        lapses: line.lapses().map(moment),
        short: line.id.chars().take(8).collect(),
        id: line.id,
        product: codes::product(&line.product, language),
        code: line.state,
        state: codes::state(line.state, language),
        mark: mark(line.state),
        created: moment(line.created),
        reasons: reasons.join(", "),
        causes: causes.join(", "),
        reused_from: application.reused_from.map(|member| door.names.name(member, language)),
        level: application.level.map(|level| codes::level(level, language)),
        facts,
        evidence: shown.collect(),
        decisions: application.decisions.iter().map(|its| decision(its, language)).collect(),
        written: application.steps.into_iter().map(|its| step(its, visit)).collect(),
        steps,
        erasure: application.erasure.as_ref().map(erasure),
        holds: application.holds.iter().map(|hold| Hold::of(hold, language)).collect(),
        accesses: read.collect(),
        typed,
    }
}

/// The page, after what did not work if something did not.
async fn render(
    door: &Door,
    visit: &Visit,
    id: &str,
    wrong: Option<(OnboardingError, &'static str, Typed)>,
) -> Response {
    let mut frame = door.desk.frame(visit, HOME, visit.words.application);
    let found = async {
        let id = session_id(id).ok_or(OnboardingError::UnknownSession)?;
        door.flows.application(id, &visit.who).await
    };
    let application = match found.await {
        Ok(application) => application,
        Err(error) => return failed(frame, error),
    };
    let (mut status, mut typed) = (StatusCode::OK, Typed::default());
    if let Some((error, field, kept)) = wrong {
        let told = codes::failure(error.code(), visit.words.language);
        status = crate::Problem::from(error).status();
        frame.alert = Some((told.to_owned(), field));
        typed = kept;
    }
    desk::page(status, &page_of(door, application, visit, frame, typed))
}

/// One application.
pub(super) async fn show(
    State(door): State<Door>,
    Path(id): Path<String>,
    Query(choice): Query<Choice>,
    headers: HeaderMap,
) -> Response {
    match door.desk.visit(&headers, &choice) {
        Some(visit) => render(&door, &visit, &id, None).await,
        None => door.desk.away(),
    }
}

/// Records a preparation and shows the application again.
pub(super) async fn prepare(
    State(door): State<Door>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(form): Form<PreparationForm>,
) -> Response {
    let Some(visit) = door.desk.visit_of_form(&headers, &form.form_key) else {
        return door.desk.away();
    };
    let (sources_of_funds, reason) = (form.sources_of_funds, form.reason);
    let preparation = Preparation { sources_of_funds, reason };
    let done = async {
        let id = session_id(&id).ok_or(OnboardingError::UnknownSession)?;
        door.flows.prepare(id, &visit.who, &preparation).await
    };
    match done.await {
        Ok(()) => Redirect::to(&format!("{HOME}/applications/{id}")).into_response(),
        Err(error) => {
            let Preparation { sources_of_funds: sources, reason: preparation } = preparation;
            let typed = Typed { sources, preparation, ..Typed::default() };
            render(&door, &visit, &id, Some((error, "sources", typed))).await
        }
    }
}

/// Approves or refuses and shows the application again.
pub(super) async fn decide(
    State(door): State<Door>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(form): Form<VerdictForm>,
) -> Response {
    let Some(visit) = door.desk.visit_of_form(&headers, &form.form_key) else {
        return door.desk.away();
    };
    let verdict = Verdict { approve: form.verdict == "approve", reason: form.reason };
    let done = async {
        let id = session_id(&id).ok_or(OnboardingError::UnknownSession)?;
        if !["approve", "refuse"].contains(&form.verdict.as_str()) {
            return Err(OnboardingError::StaffText);
        }
        door.flows.decide(id, &visit.who, &verdict).await
    };
    match done.await {
        Ok(()) => Redirect::to(&format!("{HOME}/applications/{id}")).into_response(),
        Err(error) => {
            let typed = Typed { verdict: verdict.reason, ..Typed::default() };
            render(&door, &visit, &id, Some((error, "verdict", typed))).await
        }
    }
}
