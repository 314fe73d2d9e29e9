//! The list of consents, one consent, and its end.

use askama::Template;
use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse as _, Redirect, Response},
};
use etibar_wallet::{
    EntryId, Holder, WalletError,
    gesture::{Action, Gesture},
    view::{ConsentState, ConsentView},
};

use super::{
    entry::Signed,
    form::Form,
    page::{self, Shell},
    session::Member,
    text,
    words::Words,
};
use crate::extract::Path;

/// How a browser keeps the copy of a consent: the name says nothing about it.
const COPY: &str = "attachment; filename=\"consent.json\"";

#[derive(Template)]
#[template(path = "wallet/consents.html")]
struct ListPage {
    shell: Shell,
    words: &'static Words,
    consents: Vec<Line>,
}

/// One consent in the list.
struct Line {
    id: EntryId,
    who: String,
    purpose: String,
    until: String,
    state: &'static str,
    mark: &'static str,
}

#[derive(Template)]
#[template(path = "wallet/consent.html")]
struct ConsentPage {
    shell: Shell,
    words: &'static Words,
    line: Line,
    granted: String,
    revoked: Option<String>,
    holds: Vec<(String, String)>,
    revoke: Option<String>,
    erase: Option<String>,
    consent: ConsentView,
}

/// Every consent.
pub(super) async fn list(member: Member) -> Response {
    let words = member.words;
    match member.holder.consents(words.language).await {
        Ok(consents) => {
            let shell = Shell::inside(words, &member.session, "consents");
            let consents = consents.iter().map(|consent| Line::of(consent, words)).collect();
            page::page(&ListPage { shell, words, consents })
        }
        Err(error) => page::failure(&member, "consents", &error),
    }
}

/// One consent.
pub(super) async fn show(member: Member, Path(id): Path<String>) -> Response {
    match consent_page(&member, &id).await {
        Ok(consent) => page::page(&consent),
        Err(error) => page::failure(&member, "consents", &error),
    }
}

/// The consent with everything that proves it, as a file for the person.
pub(super) async fn copy(member: Member, Path(id): Path<String>) -> Response {
    let found = async {
        let id: EntryId = id.parse().map_err(|_| WalletError::EntryUnknown)?;
        member.holder.consent_copy(id).await
    };
    match found.await {
        Ok(bytes) => {
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
                (header::CONTENT_DISPOSITION, HeaderValue::from_static(COPY)),
            ];
            (headers, bytes).into_response()
        }
        Err(error) => page::failure(&member, "consents", &error),
    }
}

/// Withdraws it.
pub(super) async fn revoke(
    member: Member,
    Path(id): Path<String>,
    Form(form): Form<Signed>,
) -> Response {
    act(&member, &id, &form, |holder, consent, gesture| async move {
        holder.revoke(consent, &gesture).await
    })
    .await
}

/// Has the data erased.
pub(super) async fn erase(
    member: Member,
    Path(id): Path<String>,
    Form(form): Form<Signed>,
) -> Response {
    act(&member, &id, &form, |holder, consent, gesture| async move {
        holder.erase(consent, &gesture).await
    })
    .await
}

async fn act<F>(
    member: &Member,
    id: &str,
    form: &Signed,
    act: impl FnOnce(Holder, EntryId, Gesture) -> F,
) -> Response
where
    F: Future<Output = Result<(), WalletError>> + Send + 'static,
{
    let acted = async {
        let consent: EntryId = id.parse().map_err(|_| WalletError::EntryUnknown)?;
        if !member.knows(&form.form_key) {
            return Err(WalletError::GestureOther);
        }
        let gesture = member.holder.gesture(&form.passkey).await?;
        let what = act(member.holder.clone(), consent, gesture);
        page::to_the_end(what).await?;
        Ok(consent)
    };
    match acted.await {
        Ok(consent) => Redirect::to(&format!("/consents/{consent}")).into_response(),
        Err(error) => page::failure(member, "consents", &error),
    }
}

async fn consent_page(member: &Member, id: &str) -> Result<ConsentPage, WalletError> {
    let words = member.words;
    let id: EntryId = id.parse().map_err(|_| WalletError::EntryUnknown)?;
    let consents = member.holder.consents(words.language).await?;
    let consent = consents.into_iter().find(|consent| consent.id == id);
    let consent = consent.ok_or(WalletError::EntryUnknown)?;
    let revoke = match consent.state {
        ConsentState::Active => Some(member.holder.ask(Action::Revoke { consent: id }).await?),
        _ => None,
    };
    let ended = consent.state != ConsentState::Active && !consent.erased;
    let erase =
        if ended { Some(member.holder.ask(Action::Erase { consent: id }).await?) } else { None };
    let holds = consent.holds.iter();
    Ok(ConsentPage {
        shell: Shell::inside(words, &member.session, "consents"),
        words,
        line: Line::of(&consent, words),
        granted: text::moment(consent.granted, words),
        revoked: consent.revoked.map(|at| text::moment(at, words)),
        holds: holds.map(|(what, until)| (what.clone(), text::day(*until, words))).collect(),
        revoke,
        erase,
        consent,
    })
}

impl Line {
    fn of(consent: &ConsentView, words: &'static Words) -> Self {
        let (state, mark) = match consent.state {
            ConsentState::Active => (words.consents.active, "good"),
            ConsentState::Revoked => (words.consents.revoked, "open"),
            ConsentState::Expired => (words.consents.expired, "open"),
        };
        Self {
            id: consent.id,
            who: consent.who.clone(),
            purpose: consent.purpose.clone(),
            until: text::day(consent.expires, words),
            state,
            mark,
        }
    }
}
