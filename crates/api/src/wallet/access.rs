//! Who looked at my data.

use askama::Template;
use axum::response::{IntoResponse as _, Redirect, Response};
use etibar_wallet::{
    WalletError,
    gesture::Action,
    view::{AccessLine, AccessLog, Verdict},
};

use super::{
    entry::Signed,
    form::Form,
    page::{self, Shell},
    session::{Member, Visitor},
    text,
    words::Words,
};

#[derive(Template)]
#[template(path = "wallet/accesses.html")]
struct AccessesPage {
    shell: Shell,
    words: &'static Words,
    options: String,
    checked: Option<String>,
    bad: bool,
    lines: Vec<Line>,
    silent: String,
}

/// One access as the page shows it.
struct Line {
    at: String,
    sequence: u64,
    who: String,
    claims: String,
    from: String,
    purpose: String,
    signed: String,
    verdict: &'static str,
    mark: &'static str,
    proof: Option<String>,
}

/// What was found the last time.
pub(super) async fn show(visitor: Visitor, member: Member) -> Response {
    let found = async {
        let log = member.holder.access_log().await?;
        let options = member.holder.ask(Action::ReadAccesses).await?;
        Ok::<_, WalletError>((log, options))
    };
    match found.await {
        Ok((log, options)) => page::page_for(&visitor, &AccessesPage::of(&member, &log, options)),
        Err(error) => page::failure(&member, "accesses", &error),
    }
}

/// Asks every member with a consent, and verifies what they say.
pub(super) async fn check(member: Member, Form(form): Form<Signed>) -> Response {
    let checked = async {
        if !member.knows(&form.form_key) {
            return Err(WalletError::GestureOther);
        }
        let gesture = member.holder.gesture(&form.passkey).await?;
        member.holder.accesses(&gesture, member.words.language).await
    };
    match checked.await {
        Ok(_) => Redirect::to("/accesses").into_response(),
        Err(error) => page::failure(&member, "accesses", &error),
    }
}

impl AccessesPage {
    fn of(member: &Member, log: &AccessLog, options: String) -> Self {
        let words = member.words;
        Self {
            shell: Shell::inside(words, &member.session, "accesses"),
            words,
            options,
            checked: log.checked.map(|at| text::moment(at, words)),
            bad: log.lines.iter().any(|line| line.verdict.is_bad()),
            lines: log.lines.iter().map(|line| Line::of(line, words)).collect(),
            silent: log.silent.join(", "),
        }
    }
}

impl Line {
    fn of(line: &AccessLine, words: &'static Words) -> Self {
        let (verdict, mark) = match line.verdict {
            Verdict::Verified { .. } => (words.accesses.verified, "good"),
            Verdict::Waiting => (words.accesses.waiting, "open"),
            Verdict::Missing => (words.accesses.missing, "bad"),
            Verdict::Altered { .. } => (words.accesses.altered, "bad"),
        };
        let proof = match line.verdict {
            Verdict::Verified { proof, .. } => {
                Some(format!("/receipts/{}/{}", proof.submitter, proof.operation))
            }
            _ => None,
        };
        Self {
            at: text::moment(line.at, words),
            sequence: line.sequence,
            who: line.who.clone(),
            claims: line.claims.join(", "),
            from: line.from.clone(),
            purpose: line.purpose.clone(),
            signed: line.signed.join(", "),
            verdict,
            mark,
            proof,
        }
    }
}
