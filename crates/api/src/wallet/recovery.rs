//! A lost phone, and helping somebody who lost theirs.

use askama::Template;
use axum::{extract::State, response::Response};
use etibar_wallet::{RecoveryNumber, WalletError, gesture::Action, view::RecoveryView};
use serde::Deserialize;

use super::{
    Door, entry,
    form::Form,
    page::{self, Shell, page},
    proofing::{self, GUARDIANS, Proofing, ProofingForm},
    session::{Member, Visitor},
    text,
    words::Words,
};

#[derive(Template)]
#[template(path = "wallet/recovering.html")]
struct RecoveringPage {
    shell: Shell,
    words: &'static Words,
    heading: &'static str,
    recovery: RecoveryView,
    cooldown: Option<String>,
}

#[derive(Template)]
#[template(path = "wallet/help.html")]
struct HelpPage {
    shell: Shell,
    words: &'static Words,
    number: String,
    error: Option<&'static str>,
    options: Option<String>,
}

/// What a guardian sends: first the number, then the passkey with it.
#[derive(Deserialize)]
pub(super) struct Help {
    form_key: String,
    number: String,
    #[serde(default)]
    passkey: String,
}

/// The form of the recovery.
pub(super) async fn begin(State(door): State<Door>, visitor: Visitor) -> Response {
    match Proofing::begin(&door, visitor.words, ProofingForm::default()) {
        Ok(proofing) => page(&proofing.recovery()),
        Err(error) => page::told(Shell::outside(visitor.words), &error),
    }
}

/// Begins a recovery on this device, with a new passkey.
pub(super) async fn recover(
    State(door): State<Door>,
    visitor: Visitor,
    Form(form): Form<ProofingForm>,
) -> Response {
    let words = visitor.words;
    let again = |form, errors| match Proofing::again(&door, words, form, errors) {
        Ok(proofing) => page(&proofing.recovery()),
        Err(error) => page::told(Shell::outside(words), &error),
    };
    let errors = form.errors(words);
    if !errors.is_empty() {
        return again(form, errors);
    }
    let begun = form.ceremony().and_then(|its| door.wallet.made_passkey(its, &form.passkey));
    let begun = match begun {
        Ok(passkey) => {
            let (wallet, person) = (door.wallet.clone(), form.person(words.language));
            let (by_guardians, device) = (form.method == GUARDIANS, visitor.device);
            page::to_the_end(async move {
                let holder = wallet.recover(&person, by_guardians).await?;
                wallet.keep_passkey(holder.person(), &passkey).await?;
                holder.name_passkey(&passkey, &device).await?;
                wallet.begin_session(holder.person()).await
            })
            .await
        }
        Err(error) => Err(error),
    };
    match begun {
        Ok((token, _)) => entry::signed_in(&door, &token, "/recovering"),
        Err(error) => {
            page::log(&error);
            again(form, vec![proofing::wrong(&error, words)])
        }
    }
}

/// How the recovery stands.
pub(super) async fn waiting(member: Member) -> Response {
    let words = member.words;
    let holder = member.holder.clone();
    let found = page::to_the_end(async move { holder.recovery().await });
    let found = found.await.and_then(|its| its.ok_or(WalletError::EntryUnknown));
    match found {
        Ok(recovery) => {
            let heading = if recovery.done { words.recovery.done } else { words.recovery.waiting };
            let shell = Shell::inside(words, &member.session, "");
            let cooldown = recovery.cooldown_until.map(|until| text::moment(until, words));
            let shown = RecoveringPage { shell, words, heading, recovery, cooldown };
            page::page(&shown)
        }
        Err(error) => page::failure(&member, "", &error),
    }
}

/// Where a guardian enters the number.
pub(super) async fn help(member: Member) -> Response {
    let (shell, words) = (Shell::of(&member, "settings"), member.words);
    page(&HelpPage { shell, words, number: String::new(), error: None, options: None })
}

/// Shows the number again and asks for the passkey.
pub(super) async fn help_number(member: Member, Form(form): Form<Help>) -> Response {
    if !member.knows(&form.form_key) {
        return page::failure(&member, "settings", &WalletError::GestureOther);
    }
    let typed = form.number.trim().to_owned();
    let Ok(number) = typed.parse::<RecoveryNumber>() else {
        return wrong(&member, typed, member.words.recovery.number_wrong);
    };
    let number = number.to_string();
    match member.holder.ask(Action::ApproveRecovery { recovery: number.clone() }).await {
        Ok(options) => {
            let (shell, words) = (Shell::of(&member, "settings"), member.words);
            page(&HelpPage { shell, words, number, error: None, options: Some(options) })
        }
        Err(error) => page::failure(&member, "settings", &error),
    }
}

/// Confirms to the registrar that the person was recognised.
pub(super) async fn confirm(member: Member, Form(form): Form<Help>) -> Response {
    let number = form.number.trim().to_owned();
    let confirmed = async {
        if !member.knows(&form.form_key) {
            return Err(WalletError::GestureOther);
        }
        let gesture = member.holder.gesture(&form.passkey).await?;
        let (holder, number) = (member.holder.clone(), number.clone());
        page::to_the_end(async move { holder.approve_recovery(&number, &gesture).await }).await
    };
    let words = member.words;
    match confirmed.await {
        Ok(()) => {
            let (heading, text) = (words.recovery.help_done, words.recovery.help_done_text);
            page::done(Shell::of(&member, "settings"), heading, text, "/")
        }
        Err(error) if is_about_the_number(&error) => {
            page::log(&error);
            wrong(&member, number, text::failure(&error, words.language))
        }
        Err(error) => page::failure(&member, "settings", &error),
    }
}

/// The form again, with what is wrong with the number.
fn wrong(member: &Member, number: String, error: &'static str) -> Response {
    let (shell, words) = (Shell::of(member, "settings"), member.words);
    page(&HelpPage { shell, words, number, error: Some(error), options: None })
}

fn is_about_the_number(error: &WalletError) -> bool {
    ["recovery_unknown", "not_a_guardian"].contains(&error.code())
}
