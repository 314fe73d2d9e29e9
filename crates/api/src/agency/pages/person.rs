//! A person's or company's entries, and what a clerk does with them.

use std::collections::BTreeMap;

use etibar_agency::{
    AgencyError, ENDED, VALID_UNTIL,
    clerk::{File, RecordFile, Subject},
};
use etibar_openid::{Private, member::RegisterChange};
use etibar_primitives::OperationId;
use etibar_wallet::{Language, label};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Act, Door, Form, Frame, HOME, HeaderMap, Response, State, StatusCode, Template, Visit, codes,
    desk, first, level, moment,
};
use crate::desk::text;

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
    label: String,
    value: String,
}

struct RecordLine {
    vct: String,
    title: String,
    lines: Vec<Line>,
    /// What may be changed: the path, and what it is called.
    entries: Vec<(String, String)>,
    in_force: bool,
    ended: Option<&'static str>,
    valid_until: Option<String>,
    issued: u64,
    revoked: u64,
    /// For the form that changes it, and for the one that ends it.
    ids: (OperationId, OperationId),
}

struct ConsentLine {
    consumer: String,
    purpose: &'static str,
    registered: String,
    expires: String,
}

struct ReceiptLine {
    at: String,
    requester: String,
    purpose: &'static str,
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
    enrolled: Option<(String, String)>,
}

/// Shows a person's entries.
pub(super) async fn look_up(
    State(door): State<Door>,
    headers: HeaderMap,
    Form(form): Form<LookUp>,
) -> Response {
    match door.desk.visit_of_form(&headers, &form.form_key) {
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
    let Some(visit) = door.desk.visit_of_form(&headers, &form.form_key) else {
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
    let Some(visit) = door.desk.visit_of_form(&headers, &form.form_key) else {
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
    let changed = door.agency.change_by(&visit.who.name, &change).await;
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
    let Some(visit) = door.desk.visit_of_form(&headers, &form.form_key) else {
        return door.desk.away();
    };
    let revoked = async {
        let subject = Subject::parse(&form.subject)?;
        door.agency.revoke_for_cause(&subject, &form.vct, &visit.who.name, &form.reason).await
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
    let mut frame = door.desk.frame(visit, HOME, visit.words.person);
    let language = visit.words.language;
    let mut status = StatusCode::OK;
    match told {
        Ok(done) => frame.done = done,
        Err(error) => {
            let unexplained = matches!(error, AgencyError::Reason);
            let told = codes::failure(error.code(), language);
            status = crate::Problem::from(error).status();
            frame.alert = Some((told.to_owned(), ""));
            if unexplained {
                // Without a reason nothing is done, and nobody is shown either.
                frame.heading = visit.words.clerk_desk;
                return first(door, frame, status, subject.trim().to_owned()).await;
            }
        }
    }
    let found = async {
        let subject = Subject::parse(subject)?;
        door.agency.look_up(&subject, &visit.who.name, reason).await
    };
    match found.await {
        Ok(file) => desk::page(status, &page(door, file, frame, subject)),
        Err(error) => {
            frame.heading = visit.words.clerk_desk;
            frame.alert = Some((codes::failure(error.code(), language).to_owned(), "subject"));
            let status = crate::Problem::from(error).status();
            first(door, frame, status, subject.trim().to_owned()).await
        }
    }
}

fn page(door: &Door, file: File, frame: Frame, subject: &str) -> PersonPage {
    let words = frame.words;
    let language = words.language;
    let consents = file.consents.iter().map(|consent| ConsentLine {
        consumer: door.names.name(consent.consumer, language),
        purpose: codes::purpose(consent.purpose, language),
        registered: moment(consent.registered),
        expires: moment(consent.expires),
    });
    let receipts = file.receipts.into_iter().map(|receipt| ReceiptLine {
        at: moment(receipt.at),
        requester: door.names.name(receipt.requester, language),
        purpose: codes::purpose(receipt.purpose, language),
        read: label::named(&receipt.vct, &receipt.claims, language).join(", "),
        sequence: receipt.sequence,
        anchored: receipt.anchored,
    });
    PersonPage {
        subject: subject.trim().to_owned(),
        records: file.records.into_iter().map(|its| record(its, language)).collect(),
        consents: consents.collect(),
        receipts: receipts.collect(),
        acts: file.acts.into_iter().map(|act| Act::of(act, language)).collect(),
        enrolled: file.enrolment.map(|row| (level(row.level, words), moment(row.enrolled))),
        frame,
    }
}

fn record(file: RecordFile, language: Language) -> RecordLine {
    let RecordFile { record, in_force, issued } = file;
    let ended = record.ending().map(|how| codes::ending(how, language));
    let claims = label::claims(&record.kind, &Value::Object(record.claims), language);
    let lines = claims.into_iter().map(|its| Line { label: its.label, value: its.value });
    let last_day = label::claim(&record.kind, VALID_UNTIL, language).unwrap_or_default();
    RecordLine {
        title: label::title(&record.kind, language),
        lines: lines.collect(),
        entries: label::leaves(&record.kind, language)
            .into_iter()
            .map(|(path, label)| (path, label.to_owned()))
            .chain([(VALID_UNTIL.to_owned(), last_day)])
            .collect(),
        in_force,
        ended,
        valid_until: record.valid_until.map(text::date),
        issued: issued.issued,
        revoked: issued.revoked,
        ids: (OperationId(rand::random()), OperationId(rand::random())),
        vct: record.kind,
    }
}
