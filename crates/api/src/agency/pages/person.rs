//! A person's or company's entries, and what a clerk does with them.

use std::collections::BTreeMap;

use etibar_agency::{
    AgencyError, ENDED,
    clerk::{File, RecordFile, Subject},
};
use etibar_credential::{
    catalogue::{Language, credential_type},
    sd_jwt::ClaimPath,
};
use etibar_onboarding::applications::text;
use etibar_openid::{Private, member::RegisterChange};
use etibar_primitives::OperationId;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Act, CLERK, Choice, Door, Form, Frame, HeaderMap, Response, Session, State, StatusCode,
    Template, Words, desk, first, moment,
};

/// What every form of these pages carries.
#[derive(Deserialize)]
pub(super) struct LookUp {
    form_key: String,
    subject: String,
    reason: String,
}

/// A new value of an entry.
#[derive(Deserialize)]
pub(super) struct Change {
    form_key: String,
    subject: String,
    reason: String,
    /// Drawn with the page: the same form sent again changes nothing.
    id: OperationId,
    vct: String,
    path: String,
    value: String,
}

/// The end of a record.
#[derive(Deserialize)]
pub(super) struct End {
    form_key: String,
    subject: String,
    reason: String,
    id: OperationId,
    vct: String,
    how: String,
}

/// Credentials to revoke.
#[derive(Deserialize)]
pub(super) struct Revoke {
    form_key: String,
    subject: String,
    reason: String,
    vct: String,
}

struct Line {
    path: String,
    label: String,
    value: String,
}

struct RecordLine {
    vct: String,
    title: String,
    lines: Vec<Line>,
    in_force: bool,
    ended: Option<&'static str>,
    valid_until: Option<String>,
    issued: u64,
    revoked: u64,
    /// For the form that changes it, and for the one that ends it.
    ids: (OperationId, OperationId),
}

struct ConsentLine {
    consumer: u32,
    purpose: u16,
    registered: String,
    expires: String,
}

struct ReceiptLine {
    at: String,
    requester: u32,
    purpose: u16,
    read: String,
    sequence: u64,
    anchored: bool,
}

#[derive(Template)]
#[template(path = "desk/person.html")]
struct PersonPage {
    frame: Frame,
    subject: String,
    records: Vec<RecordLine>,
    consents: Vec<ConsentLine>,
    receipts: Vec<ReceiptLine>,
    acts: Vec<Act>,
    enrolled: Option<(u8, String)>,
}

/// A clerk who is signed in and sent a form of its own.
struct Visit {
    words: &'static Words,
    session: Session<()>,
}

fn visit(door: &Door, headers: &HeaderMap, form_key: &str) -> Option<Visit> {
    let words = desk::words_of(&Choice::default(), headers);
    let session = door.desk.session(headers).filter(|session| session.knows(form_key));
    session.map(|session| Visit { words, session })
}

/// Shows a person's entries.
pub(super) async fn look_up(
    State(door): State<Door>,
    headers: HeaderMap,
    Form(form): Form<LookUp>,
) -> Response {
    match visit(&door, &headers, &form.form_key) {
        Some(visit) => show(&door, &visit, &form.subject, &form.reason, Ok(None)).await,
        None => door.desk.away(),
    }
}

/// Records a change and shows the entries again.
pub(super) async fn change(
    State(door): State<Door>,
    headers: HeaderMap,
    Form(form): Form<Change>,
) -> Response {
    let Some(visit) = visit(&door, &headers, &form.form_key) else {
        return door.desk.away();
    };
    let value = form.value.trim();
    // Numbers, truth and lists are written as JSON; everything else is a text.
    let value = match serde_json::from_str(value) {
        _ if value.is_empty() => Value::Null,
        Ok(value @ (Value::Number(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_))) => {
            value
        }
        _ => Value::from(value),
    };
    let change = RegisterChange {
        id: form.id,
        subject: Private(form.subject.trim().to_owned()),
        vct: form.vct,
        changes: Private(BTreeMap::from([(form.path.trim().to_owned(), value)])),
        reason: form.reason,
    };
    done(&door, &visit, change).await
}

/// Ends a record and shows the entries again.
pub(super) async fn end(
    State(door): State<Door>,
    headers: HeaderMap,
    Form(form): Form<End>,
) -> Response {
    let Some(visit) = visit(&door, &headers, &form.form_key) else {
        return door.desk.away();
    };
    let change = RegisterChange {
        id: form.id,
        subject: Private(form.subject.trim().to_owned()),
        vct: form.vct,
        changes: Private(BTreeMap::from([(ENDED.to_owned(), Value::from(form.how))])),
        reason: form.reason,
    };
    done(&door, &visit, change).await
}

async fn done(door: &Door, visit: &Visit, change: RegisterChange) -> Response {
    let words = visit.words;
    let changed = door.agency.change_by(CLERK, &change).await;
    let told = changed.map(|changed| {
        let (revoked, notices) = (changed.revoked, changed.notices);
        Some(format!(
            "{}. {}: {revoked}. {}: {notices}.",
            words.recorded, words.credentials_revoked, words.notices
        ))
    });
    show(door, visit, &change.subject.0, &change.reason, told).await
}

/// Revokes credentials for cause and shows the entries again.
pub(super) async fn revoke(
    State(door): State<Door>,
    headers: HeaderMap,
    Form(form): Form<Revoke>,
) -> Response {
    let Some(visit) = visit(&door, &headers, &form.form_key) else {
        return door.desk.away();
    };
    let revoked = async {
        let subject = Subject::parse(&form.subject)?;
        door.agency.revoke_for_cause(&subject, &form.vct, CLERK, &form.reason).await
    };
    let told = revoked.await.map(|revoked| {
        let words = visit.words;
        Some(format!("{}. {}: {revoked}.", words.recorded, words.credentials_revoked))
    });
    show(&door, &visit, &form.subject, &form.reason, told).await
}

/// The entries of a person or company, after what was done or did not work.
async fn show(
    door: &Door,
    visit: &Visit,
    subject: &str,
    reason: &str,
    told: Result<Option<String>, AgencyError>,
) -> Response {
    let mut frame = door.inside(visit.words, &visit.session, visit.words.person);
    let mut status = StatusCode::OK;
    match told {
        Ok(done) => frame.done = done,
        Err(error) => {
            let unexplained = matches!(error, AgencyError::Reason);
            let problem = crate::Problem::from(error);
            status = problem.status();
            frame.alert = Some((problem.to_string(), ""));
            if unexplained {
                // Without a reason nothing is done, and nobody is shown either.
                frame.heading = visit.words.clerk_desk;
                return first(door, frame, status, subject.trim().to_owned()).await;
            }
        }
    }
    let found = async {
        let subject = Subject::parse(subject)?;
        door.agency.look_up(&subject, CLERK, reason).await
    };
    match found.await {
        Ok(file) => desk::page(status, &page(file, visit.words, frame, subject)),
        Err(error) => {
            let unknown = matches!(error, AgencyError::RecordUnknown);
            let problem = crate::Problem::from(error);
            let words = visit.words;
            frame.heading = words.clerk_desk;
            let text = if unknown { words.nobody.to_owned() } else { problem.to_string() };
            frame.alert = Some((text, "subject"));
            first(door, frame, problem.status(), subject.trim().to_owned()).await
        }
    }
}

fn page(file: File, words: &Words, frame: Frame, subject: &str) -> PersonPage {
    let language = if words.code == "az" { Language::Az } else { Language::En };
    let consents = file.consents.iter().map(|consent| ConsentLine {
        consumer: consent.consumer.0,
        purpose: consent.purpose,
        registered: moment(consent.registered),
        expires: moment(consent.expires),
    });
    let receipts = file.receipts.into_iter().map(|receipt| ReceiptLine {
        at: moment(receipt.at),
        requester: receipt.requester.0,
        purpose: receipt.purpose,
        read: format!("{}: {}", receipt.vct, receipt.claims.join(", ")),
        sequence: receipt.sequence,
        anchored: receipt.anchored,
    });
    PersonPage {
        frame,
        subject: subject.trim().to_owned(),
        records: file.records.into_iter().map(|its| record(its, language)).collect(),
        consents: consents.collect(),
        receipts: receipts.collect(),
        acts: file.acts.into_iter().map(Act::of).collect(),
        enrolled: file.enrolment.map(|row| (row.level, moment(row.enrolled))),
    }
}

fn record(file: RecordFile, language: Language) -> RecordLine {
    let RecordFile { record, in_force, issued } = file;
    let known = credential_type(&record.kind);
    let line = |(name, value): (&String, &Value)| {
        let label = known.and_then(|known| known.label(&ClaimPath::of(&[name]), language));
        let label = label.unwrap_or(name).to_owned();
        Line { path: name.clone(), label, value: text(value) }
    };
    let title = known.map_or(record.kind.as_str(), |known| known.title.in_language(language));
    RecordLine {
        title: title.to_owned(),
        lines: record.claims.iter().map(line).collect(),
        in_force,
        ended: record.ending(),
        valid_until: record.valid_until.map(|day| day.to_string()),
        issued: issued.issued,
        revoked: issued.revoked,
        ids: (OperationId(rand::random()), OperationId(rand::random())),
        vct: record.kind,
    }
}
