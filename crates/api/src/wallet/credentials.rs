//! The person's documents.

use askama::Template;
use axum::response::{IntoResponse as _, Redirect, Response};
use etibar_wallet::{
    EntryId, WalletError,
    gesture::Action,
    view::{CredentialState, CredentialView, DeferredView},
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

#[derive(Template)]
#[template(path = "wallet/credentials.html")]
struct ListPage {
    shell: Shell,
    words: &'static Words,
    credentials: Vec<Line>,
    /// Ordered, not here yet or not issued.
    deferred: Vec<Line>,
    obtainable: Vec<Obtainable>,
    options: String,
}

/// One document in the list.
struct Line {
    id: EntryId,
    title: String,
    issuer: String,
    state: &'static str,
    mark: &'static str,
}

/// A document that can be fetched.
struct Obtainable {
    name: &'static str,
    title: String,
    issuer: String,
}

#[derive(Template)]
#[template(path = "wallet/credential.html")]
struct CredentialPage {
    shell: Shell,
    words: &'static Words,
    credential: CredentialView,
    state: &'static str,
    mark: &'static str,
    issued: String,
    expires: String,
}

#[derive(Template)]
#[template(path = "wallet/add.html")]
struct AddPage {
    shell: Shell,
    words: &'static Words,
    name: String,
    title: String,
    issuer: String,
    options: String,
}

/// Every document, and those that can be fetched.
pub(super) async fn list(member: Member) -> Response {
    let words = member.words;
    let found = async {
        let held = member.holder.credentials(words.language).await?;
        let deferred = member.holder.deferred(words.language).await?;
        let obtainable = member.holder.obtainable(words.language).await?;
        let options = member.holder.ask(Action::Refresh).await?;
        Ok::<_, WalletError>((held, deferred, obtainable, options))
    };
    match found.await {
        Ok((held, deferred, obtainable, options)) => {
            let shell = Shell::inside(words, &member.session, "home");
            let credentials = held.iter().map(|its| line(its, words)).collect();
            let obtainable = obtainable
                .into_iter()
                .map(|(name, title, issuer)| Obtainable { name, title, issuer })
                .collect();
            let deferred = deferred.into_iter().map(|its| waiting(its, words)).collect();
            page::page(&ListPage { shell, words, credentials, deferred, obtainable, options })
        }
        Err(error) => page::failure(&member, "home", &error),
    }
}

/// Looks whether a register changed, and fetches anew what it revoked.
pub(super) async fn refresh(member: Member, Form(form): Form<Signed>) -> Response {
    let refreshed = async {
        if !member.knows(&form.form_key) {
            return Err(WalletError::GestureOther);
        }
        let gesture = member.holder.gesture(&form.passkey).await?;
        let holder = member.holder.clone();
        page::to_the_end(async move { holder.refresh(&gesture).await }).await
    };
    match refreshed.await {
        Ok(_) => Redirect::to("/credentials").into_response(),
        Err(error) => page::failure(&member, "home", &error),
    }
}

/// One document with all that it says.
pub(super) async fn show(member: Member, Path(id): Path<String>) -> Response {
    let words = member.words;
    let found = async {
        let id: EntryId = id.parse().map_err(|_| WalletError::EntryUnknown)?;
        let held = member.holder.credentials(words.language).await?;
        held.into_iter().find(|its| its.id == id).ok_or(WalletError::EntryUnknown)
    };
    match found.await {
        Ok(credential) => {
            let (state, mark) = state(credential.state, words);
            let shell = Shell::inside(words, &member.session, "home");
            let issued = text::day(credential.issued, words);
            let expires = text::day(credential.expires, words);
            let shown = CredentialPage { shell, words, credential, state, mark, issued, expires };
            page::page(&shown)
        }
        Err(error) => page::failure(&member, "home", &error),
    }
}

/// Asks for the gesture that fetches a document.
pub(super) async fn ask(member: Member, Path(name): Path<String>) -> Response {
    let words = member.words;
    let found = async {
        let obtainable = member.holder.obtainable(words.language).await?;
        let known = obtainable.into_iter().find(|(its, _, _)| *its == name);
        let (name, title, issuer) = known.ok_or(WalletError::EntryUnknown)?;
        let vct = etibar_wallet::type_named(name).ok_or(WalletError::EntryUnknown)?;
        let options = member.holder.ask(Action::AddCredential { vct: vct.to_owned() }).await?;
        Ok::<_, WalletError>((name.to_owned(), title, issuer, options))
    };
    match found.await {
        Ok((name, title, issuer, options)) => {
            let shell = Shell::inside(words, &member.session, "home");
            page::page(&AddPage { shell, words, name, title, issuer, options })
        }
        Err(error) => page::failure(&member, "home", &error),
    }
}

/// Fetches it.
pub(super) async fn add(
    member: Member,
    Path(name): Path<String>,
    Form(form): Form<Signed>,
) -> Response {
    let added = async {
        if !member.knows(&form.form_key) {
            return Err(WalletError::GestureOther);
        }
        let vct = etibar_wallet::type_named(&name).ok_or(WalletError::EntryUnknown)?;
        let gesture = member.holder.gesture(&form.passkey).await?;
        let holder = member.holder.clone();
        page::to_the_end(async move { holder.add_credential(vct, &gesture).await }).await
    };
    match added.await {
        Ok(id) => Redirect::to(&format!("/credentials/{id}")).into_response(),
        // The list shows that it is on its way.
        Err(WalletError::Deferred(_)) => Redirect::to("/credentials").into_response(),
        Err(error) => page::failure(&member, "home", &error),
    }
}

fn line(credential: &CredentialView, words: &'static Words) -> Line {
    let (state, mark) = state(credential.state, words);
    Line {
        id: credential.id,
        title: credential.title.clone(),
        issuer: credential.issuer.clone(),
        state,
        mark,
    }
}

/// A document that was ordered.
fn waiting(deferred: DeferredView, words: &'static Words) -> Line {
    let (state, mark) = match deferred.refused {
        None => (words.credentials.waiting, "open"),
        Some(_) => (words.credentials.not_issued, "bad"),
    };
    Line { id: deferred.id, title: deferred.title, issuer: deferred.issuer, state, mark }
}

const fn state(state: CredentialState, words: &'static Words) -> (&'static str, &'static str) {
    match state {
        CredentialState::Valid => (words.credentials.valid, "good"),
        CredentialState::Expired => (words.credentials.expired, "open"),
        CredentialState::Revoked => (words.credentials.revoked, "bad"),
    }
}
