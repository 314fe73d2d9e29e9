//! Settings: passkeys, guardians, and the end of the wallet.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use etibar_wallet::{WalletError, gesture::Action};
use serde::Deserialize;

use super::{
    Door,
    entry::Signed,
    form::Form,
    page::{self, Shell},
    session::{self, Member, Visitor, with_cookie},
    text,
    words::Words,
};

/// The fields of the guardians' form.
const PLACES: [&str; 3] = ["first", "second", "third"];

#[derive(Template)]
#[template(path = "wallet/settings.html")]
struct SettingsPage {
    shell: Shell,
    words: &'static Words,
    passkeys: Vec<String>,
    options: String,
}

#[derive(Template)]
#[template(path = "wallet/guardians.html")]
struct GuardiansPage {
    shell: Shell,
    words: &'static Words,
    options: String,
    places: [&'static str; 3],
}

/// What the guardians' form sends.
#[derive(Deserialize)]
pub(super) struct Guardians {
    form_key: String,
    passkey: String,
    first: String,
    second: String,
    third: String,
}

/// The settings.
pub(super) async fn show(visitor: Visitor, member: Member) -> Response {
    let words = member.words;
    let found = async {
        let passkeys = member.holder.passkeys().await?;
        let options = member.holder.ask(Action::Delete).await?;
        Ok::<_, WalletError>((passkeys, options))
    };
    match found.await {
        Ok((passkeys, options)) => {
            let shell = Shell::inside(words, &member.session, "settings");
            let passkeys = passkeys.iter().map(|row| text::moment(row.added, words)).collect();
            page::page_for(&visitor, &SettingsPage { shell, words, passkeys, options })
        }
        Err(error) => page::failure(&member, "settings", &error),
    }
}

/// Where guardians are named.
pub(super) async fn guardians(visitor: Visitor, member: Member) -> Response {
    let words = member.words;
    match member.holder.ask(Action::NameGuardians).await {
        Ok(options) => {
            let shell = Shell::inside(words, &member.session, "settings");
            page::page_for(&visitor, &GuardiansPage { shell, words, options, places: PLACES })
        }
        Err(error) => page::failure(&member, "settings", &error),
    }
}

/// Names them at the registrar.
pub(super) async fn name_guardians(member: Member, Form(form): Form<Guardians>) -> Response {
    let named = async {
        if !member.knows(&form.form_key) {
            return Err(WalletError::GestureOther);
        }
        let gesture = member.holder.gesture(&form.passkey).await?;
        let fins = [form.first, form.second, form.third].map(|fin| fin.trim().to_ascii_uppercase());
        member.holder.name_guardians(fins, &gesture).await
    };
    match named.await {
        Ok(()) => {
            let shell = Shell::inside(member.words, &member.session, "settings");
            page::message(shell, member.words.settings.guardians_done)
        }
        Err(error) => page::failure(&member, "settings", &error),
    }
}

/// Deletes the wallet.
pub(super) async fn delete(
    State(_): State<Door>,
    member: Member,
    Form(form): Form<Signed>,
) -> Response {
    let deleted = async {
        if !member.knows(&form.form_key) {
            return Err(WalletError::GestureOther);
        }
        let gesture = member.holder.gesture(&form.passkey).await?;
        member.holder.delete(&gesture).await
    };
    match deleted.await {
        Ok(()) => {
            let said = page::message(Shell::outside(member.words), member.words.settings.deleted);
            with_cookie(said.into_response(), Some(session::end()))
        }
        Err(error) => page::failure(&member, "settings", &error),
    }
}
