//! Settings: where each of them is, guardians, and the end of the wallet.

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use etibar_wallet::{WalletError, gesture::Action};
use serde::Deserialize;

use super::{
    entry::Signed,
    form::Form,
    page::{self, Shell, page},
    proofing,
    session::{self, Member},
    text,
    words::Words,
};
use crate::visit::with_cookie;

/// The fields of the guardians' form.
const PLACES: [&str; 3] = ["first", "second", "third"];

#[derive(Template)]
#[template(path = "wallet/settings.html")]
struct SettingsPage {
    shell: Shell,
    words: &'static Words,
    passkeys: usize,
    guardians: Option<String>,
}

#[derive(Template)]
#[template(path = "wallet/guardians.html")]
struct GuardiansPage {
    shell: Shell,
    words: &'static Words,
    options: String,
    /// Those named before: the ends of their personal numbers, and since when.
    named: Option<([String; 3], String)>,
    fields: [Field; 3],
}

/// One field of the guardians' form.
struct Field {
    name: &'static str,
    value: String,
    error: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "wallet/delete.html")]
struct DeletePage {
    shell: Shell,
    words: &'static Words,
    options: String,
    /// Consents that stay in force.
    active: usize,
}

/// What the guardians' form sends.
#[derive(Default, Deserialize)]
pub(super) struct Guardians {
    form_key: String,
    passkey: String,
    first: String,
    second: String,
    third: String,
}

/// The settings.
pub(super) async fn show(member: Member) -> Response {
    let words = member.words;
    let found = async {
        let passkeys = member.holder.passkeys().await?.len();
        let guardians = member.holder.guardians().await?;
        Ok::<_, WalletError>((passkeys, guardians))
    };
    match found.await {
        Ok((passkeys, guardians)) => {
            let guardians = guardians.map(|its| text::day(its.named, words));
            page(&SettingsPage {
                shell: Shell::of(&member, "settings"),
                words,
                passkeys,
                guardians,
            })
        }
        Err(error) => page::failure(&member, "settings", &error),
    }
}

/// Where guardians are named.
pub(super) async fn guardians(member: Member) -> Response {
    guardians_page(&member, &Guardians::default(), None).await
}

/// Names them at the registrar.
pub(super) async fn name_guardians(member: Member, Form(form): Form<Guardians>) -> Response {
    let fins = form.fins();
    if form.errors(member.words).iter().any(Option::is_some) {
        return guardians_page(&member, &form, None).await;
    }
    let named = async {
        if !member.knows(&form.form_key) {
            return Err(WalletError::GestureOther);
        }
        let gesture = member.holder.gesture(&form.passkey).await?;
        let holder = member.holder.clone();
        page::to_the_end(async move { holder.name_guardians(fins, &gesture).await }).await
    };
    let its = &member.words.settings;
    match named.await {
        Ok(()) => {
            let (heading, text) = (its.guardians_done, its.guardians_done_text);
            page::done(Shell::of(&member, "settings"), heading, text, "/settings")
        }
        Err(error) => {
            page::log(&error);
            let sentence = text::failure(&error, member.words.language);
            guardians_page(&member, &form, Some(sentence)).await
        }
    }
}

async fn guardians_page(
    member: &Member,
    form: &Guardians,
    refused: Option<&'static str>,
) -> Response {
    let words = member.words;
    let found = async {
        let named = member.holder.guardians().await?;
        let options = member.holder.ask(Action::NameGuardians).await?;
        Ok::<_, WalletError>((named, options))
    };
    match found.await {
        Ok((named, options)) => {
            let shell = Shell::of(member, "settings");
            let shell = match refused {
                Some(sentence) => shell.saying("bad", sentence),
                None => shell,
            };
            let named = named.map(|its| (its.fin_ends, text::day(its.named, words)));
            let values = [&form.first, &form.second, &form.third];
            // An empty form is a new one: nothing is wrong with it yet.
            let errors = if values.iter().all(|value| value.is_empty()) {
                [None; 3]
            } else {
                form.errors(words)
            };
            let fields = [0, 1, 2].map(|at: usize| Field {
                name: PLACES[at],
                value: values[at].clone(),
                error: errors[at],
            });
            page(&GuardiansPage { shell, words, options, named, fields })
        }
        Err(error) => page::failure(member, "settings", &error),
    }
}

impl GuardiansPage {
    fn is_wrong(&self) -> bool {
        self.fields.iter().any(|field| field.error.is_some())
    }
}

impl Guardians {
    fn fins(&self) -> [String; 3] {
        [&self.first, &self.second, &self.third].map(|typed| proofing::plain(typed))
    }

    /// What is wrong with each field.
    fn errors(&self, words: &'static Words) -> [Option<&'static str>; 3] {
        let fins = self.fins();
        [0, 1, 2].map(|at: usize| {
            if !proofing::is_fin(&fins[at]) {
                Some(words.start.fin_wrong)
            } else if fins[..at].contains(&fins[at]) {
                Some(words.settings.guardian_twice)
            } else {
                None
            }
        })
    }
}

/// What deleting the wallet means.
pub(super) async fn ask_delete(member: Member) -> Response {
    let words = member.words;
    let found = async {
        let active = member.holder.home(words.language).await?.consents_active;
        let options = member.holder.ask(Action::Delete).await?;
        Ok::<_, WalletError>((active, options))
    };
    match found.await {
        Ok((active, options)) => {
            page(&DeletePage { shell: Shell::of(&member, "settings"), words, options, active })
        }
        Err(error) => page::failure(&member, "settings", &error),
    }
}

/// Deletes the wallet.
pub(super) async fn delete(member: Member, Form(form): Form<Signed>) -> Response {
    let deleted = async {
        if !member.knows(&form.form_key) {
            return Err(WalletError::GestureOther);
        }
        let gesture = member.holder.gesture(&form.passkey).await?;
        member.holder.delete(&gesture).await
    };
    match deleted.await {
        Ok(()) => {
            let its = &member.words.settings;
            let shell = Shell::outside(member.words);
            let said = page::done(shell, its.deleted, its.deleted_text, "/");
            with_cookie(said.into_response(), Some(session::end()))
        }
        Err(error) => page::failure(&member, "settings", &error),
    }
}

#[cfg(test)]
mod tests {
    use etibar_wallet::Language;

    use super::*;
    use crate::wallet::words;

    #[test]
    fn three_different_people_are_guardians() {
        let words = words::of(Language::En);
        let form = |third: &str| Guardians {
            first: "5XYK5VR".into(),
            second: "7zx4 k9p".into(),
            third: third.into(),
            ..Guardians::default()
        };
        assert_eq!(form("6AA4K9P").errors(words), [None; 3]);
        assert_eq!(form("7ZX4K9P").errors(words)[2], Some(words.settings.guardian_twice));
        assert_eq!(form("7ZX4K9").errors(words)[2], Some(words.start.fin_wrong));
    }
}
