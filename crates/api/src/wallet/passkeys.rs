//! The person's passkeys: which there are, another one, and one less.

use askama::Template;
use axum::response::{IntoResponse as _, Redirect, Response};
use etibar_wallet::{EntryId, WalletError, gesture::Action};
use serde::Deserialize;

use super::{
    entry::Signed,
    form::Form,
    page::{self, Shell, page},
    session::Member,
    text,
    words::Words,
};
use crate::extract::Path;

#[derive(Template)]
#[template(path = "wallet/passkeys.html")]
struct PasskeysPage {
    shell: Shell,
    words: &'static Words,
    lines: Vec<Line>,
    options: String,
}

/// One passkey in the list.
struct Line {
    name: String,
    added: String,
    id: String,
    /// What taking it away asks the device; nothing for the last one.
    remove: Option<String>,
}

#[derive(Template)]
#[template(path = "wallet/passkey_new.html")]
struct NewPage {
    shell: Shell,
    words: &'static Words,
    ceremony: EntryId,
    options: String,
}

/// What a new passkey sends.
#[derive(Deserialize)]
pub(super) struct Added {
    form_key: String,
    ceremony: String,
    passkey: String,
}

/// The passkeys.
pub(super) async fn list(member: Member) -> Response {
    let words = member.words;
    let found = async {
        let devices = member.holder.devices().await?;
        let options = member.holder.ask(Action::AddPasskey).await?;
        let several = devices.len() > 1;
        let mut lines = Vec::with_capacity(devices.len());
        for device in devices {
            let action = Action::RemovePasskey { passkey: device.id.clone() };
            let remove = if several { Some(member.holder.ask(action).await?) } else { None };
            let unnamed = device.name.is_empty();
            lines.push(Line {
                name: if unnamed { words.settings.passkey.to_owned() } else { device.name },
                added: text::moment(device.added, words),
                id: device.id,
                remove,
            });
        }
        Ok::<_, WalletError>((lines, options))
    };
    match found.await {
        Ok((lines, options)) => {
            page(&PasskeysPage { shell: Shell::of(&member, "settings"), words, lines, options })
        }
        Err(error) => page::failure(&member, "settings", &error),
    }
}

/// Begins another passkey, by one that there is.
pub(super) async fn begin(member: Member, Form(form): Form<Signed>) -> Response {
    let words = member.words;
    let begun = async {
        if !member.knows(&form.form_key) {
            return Err(WalletError::GestureOther);
        }
        let gesture = member.holder.gesture(&form.passkey).await?;
        member.holder.begin_passkey(words.start.passkey_label, &gesture).await
    };
    match begun.await {
        Ok((ceremony, options)) => {
            page(&NewPage { shell: Shell::of(&member, "settings"), words, ceremony, options })
        }
        Err(error) => page::failure(&member, "settings", &error),
    }
}

/// Keeps it.
pub(super) async fn add(member: Member, Form(form): Form<Added>) -> Response {
    let added = async {
        let ceremony = form.ceremony.parse().map_err(|_| WalletError::EntryUnknown)?;
        if !member.knows(&form.form_key) {
            return Err(WalletError::GestureOther);
        }
        member.holder.add_passkey(ceremony, &form.passkey, &member.device).await
    };
    to_list(&member, added.await)
}

/// Takes one away.
pub(super) async fn remove(
    member: Member,
    Path(id): Path<String>,
    Form(form): Form<Signed>,
) -> Response {
    let removed = async {
        if !member.knows(&form.form_key) {
            return Err(WalletError::GestureOther);
        }
        let gesture = member.holder.gesture(&form.passkey).await?;
        member.holder.remove_passkey(&id, &member.session, &gesture).await
    };
    to_list(&member, removed.await)
}

/// Where a browser that asks for a removal by its address is sent.
pub(super) async fn again() -> Redirect {
    Redirect::to("/passkeys")
}

fn to_list(member: &Member, done: Result<(), WalletError>) -> Response {
    match done {
        Ok(()) => Redirect::to("/passkeys").into_response(),
        Err(error) => page::failure(member, "settings", &error),
    }
}
