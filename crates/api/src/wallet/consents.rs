//! The list of consents, one consent, and its end.

use askama::Template;
use axum::response::{IntoResponse as _, Redirect, Response};
use etibar_wallet::{
    EntryId, Holder, WalletError,
    gesture::{Action, Gesture},
    view::{ConsentState, ConsentView},
};

use super::{
    entry::Signed,
    form::Form,
    page::{self, Shell},
    session::{Member, Visitor},
    text,
    words::Words,
};
use crate::extract::Path;

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
pub(super) async fn list(visitor: Visitor, member: Member) -> Response {
    let words = member.words;
    match member.holder.consents(words.language).await {
        Ok(consents) => {
            let shell = Shell::inside(words, &member.session, "consents");
            let consents = consents.iter().map(|consent| Line::of(consent, words)).collect();
            page::page_for(&visitor, &ListPage { shell, words, consents })
        }
        Err(error) => page::failure(&member, "consents", &error),
    }
}

/// One consent.
pub(super) async fn show(visitor: Visitor, member: Member, Path(id): Path<String>) -> Response {
    match consent_page(&member, &id).await {
        Ok(consent) => page::page_for(&visitor, &consent),
        Err(error) => page::failure(&member, "consents", &error),
    }
}

/// Withdraws it.
pub(super) async fn revoke(
    member: Member,
    Path(id): Path<String>,
    Form(form): Form<Signed>,
) -> Response {
    let end =
        async |holder: Holder, consent, gesture: Gesture| holder.revoke(consent, &gesture).await;
    act(&member, &id, &form, end).await
}

/// Has the data erased.
pub(super) async fn erase(
    member: Member,
    Path(id): Path<String>,
    Form(form): Form<Signed>,
) -> Response {
    let erase =
        async |holder: Holder, consent, gesture: Gesture| holder.erase(consent, &gesture).await;
    act(&member, &id, &form, erase).await
}

async fn act(
    member: &Member,
    id: &str,
    form: &Signed,
    act: impl AsyncFnOnce(Holder, EntryId, Gesture) -> Result<(), WalletError>,
) -> Response {
    let acted = async {
        let consent: EntryId = id.parse().map_err(|_| WalletError::EntryUnknown)?;
        if !member.knows(&form.form_key) {
            return Err(WalletError::GestureOther);
        }
        let gesture = member.holder.gesture(&form.passkey).await?;
        act(member.holder.clone(), consent, gesture).await?;
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
            ConsentState::Revoked => (words.consents.revoked, "bad"),
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
