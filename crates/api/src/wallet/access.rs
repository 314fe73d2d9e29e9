//! Who looked at my data.

use askama::Template;
use axum::response::{IntoResponse as _, Redirect, Response};
use etibar_credential::evidence::{Duty, Role};
use etibar_primitives::BlockTime;
use etibar_wallet::{
    WalletError,
    gesture::Action,
    view::{AccessLine, AccessLog, Verdict},
};

use super::{
    entry::Signed,
    form::Form,
    page::{self, Shell},
    session::Member,
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
    summary: Option<Summary>,
    lines: Vec<Line>,
    silent: String,
}

/// What a check found in all.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Summary {
    /// Something is missing or altered.
    Bad,
    /// Something should have been anchored long ago.
    Late,
    /// Something is still under way, or somebody did not answer.
    Waiting,
    /// All is proven.
    Good,
    /// Nobody has looked.
    Empty,
}

/// What was done, as the receipts name it; the words stand in the same order.
const ACTIONS: [&str; 10] = [
    "register",
    "fetch",
    "use",
    "notify",
    "copy",
    "revoke",
    "erase",
    "look",
    "change",
    "invalidate",
];

/// One access as the page shows it.
struct Line {
    at: String,
    sequence: u64,
    who: String,
    /// The role of whoever it was there; empty for programs.
    reader: &'static str,
    /// The duty by which it was done; empty where a consent allows it.
    duty: &'static str,
    /// What was done; empty where there is no record that says it.
    action: &'static str,
    claims: String,
    from: String,
    purpose: String,
    signed: String,
    verdict: &'static str,
    mark: &'static str,
    /// What the verdict means, where it does not speak for itself.
    meaning: String,
    proof: Option<String>,
}

/// What was found the last time.
pub(super) async fn show(member: Member) -> Response {
    let found = async {
        let log = member.holder.access_log(member.words.language).await?;
        let options = member.holder.ask(Action::ReadAccesses).await?;
        Ok::<_, WalletError>((log, options))
    };
    match found.await {
        Ok((log, options)) => page::page(&AccessesPage::of(&member, &log, options)),
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
        let (holder, language) = (member.holder.clone(), member.words.language);
        page::to_the_end(async move { holder.accesses(&gesture, language).await }).await
    };
    match checked.await {
        Ok(_) => Redirect::to("/accesses").into_response(),
        Err(error) => page::failure(&member, "accesses", &error),
    }
}

impl AccessesPage {
    fn of(member: &Member, log: &AccessLog, options: String) -> Self {
        let words = member.words;
        let checked = log.checked.unwrap_or_default();
        Self {
            shell: Shell::of(member, "accesses"),
            words,
            options,
            checked: log.checked.map(|at| text::moment(at, words)),
            summary: Summary::of(log),
            lines: log.lines.iter().map(|line| Line::of(line, checked, words)).collect(),
            silent: log.silent.join(", "),
        }
    }
}

impl Summary {
    fn of(log: &AccessLog) -> Option<Self> {
        let checked = log.checked?;
        let any = |wanted: &dyn Fn(&AccessLine) -> bool| log.lines.iter().any(wanted);
        Some(if any(&|line| line.verdict.is_bad()) {
            Self::Bad
        } else if any(&|line| line.is_late(checked)) {
            Self::Late
        } else if log.lines.is_empty() && log.silent.is_empty() {
            Self::Empty
        } else if any(&|line| line.verdict == Verdict::Waiting) || !log.silent.is_empty() {
            Self::Waiting
        } else {
            Self::Good
        })
    }
}

impl Line {
    fn of(line: &AccessLine, checked: BlockTime, words: &'static Words) -> Self {
        let its = &words.accesses;
        let (verdict, mark) = match line.verdict {
            Verdict::Verified { .. } => (its.verified, "good"),
            Verdict::Waiting if line.is_late(checked) => (its.late, "late"),
            Verdict::Waiting => (its.waiting, "open"),
            Verdict::Missing => (its.missing, "bad"),
            Verdict::Altered { .. } => (its.altered, "bad"),
        };
        let proof = match line.verdict {
            Verdict::Verified { proof, .. } => {
                Some(format!("/receipts/{}/{}", proof.submitter, proof.operation))
            }
            _ => None,
        };
        let known = ACTIONS.iter().position(|action| *action == line.action);
        let verified = matches!(line.verdict, Verdict::Verified { .. });
        let meaning = match &line.verdict {
            Verdict::Altered { code } => text::altered(code, words.language),
            Verdict::Missing => its.missing_text,
            Verdict::Waiting if mark == "late" => its.late_text,
            Verdict::Waiting => its.waiting_text,
            Verdict::Verified { .. } => "",
        };
        Self {
            at: if line.source.is_none() && !verified && line.who.is_empty() {
                String::new()
            } else {
                text::moment(line.at, words)
            },
            sequence: line.sequence,
            who: if line.who.is_empty() { its.unknown.to_owned() } else { line.who.clone() },
            reader: line.reader.map_or("", |role| match role {
                Role::Clerk => its.readers[0],
                Role::Officer => its.readers[1],
                Role::Senior => its.readers[2],
            }),
            duty: line.duty.map_or("", |duty| match duty {
                Duty::Register => its.duties[0],
                Duty::DueDiligence => its.duties[1],
            }),
            action: known.map_or("", |at| its.actions[at]),
            claims: line.claims.join(", "),
            from: line.from.clone(),
            purpose: line.purpose.clone(),
            signed: line.signed.join(", "),
            verdict,
            mark,
            meaning: meaning.to_owned(),
            proof,
        }
    }
}
