//! A lost phone, and helping somebody who lost theirs.

use askama::Template;
use axum::{extract::State, response::Response};
use etibar_wallet::{WalletError, gesture::Action, view::RecoveryView};
use serde::Deserialize;

use super::{
    Door, entry,
    form::Form,
    page::{self, Shell, page},
    proofing::{GUARDIANS, Proofing, ProofingForm},
    session::{Member, Visitor, with_cookie},
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
        Ok(proofing) => with_cookie(page(&proofing.recovery()), visitor.cookie()),
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
    let begun = async {
        let passkey = door.wallet.made_passkey(form.ceremony()?, &form.passkey)?;
        let by_guardians = form.method == GUARDIANS;
        let holder = door.wallet.recover(&form.person(words.language), by_guardians).await?;
        door.wallet.keep_passkey(holder.person(), &passkey).await?;
        door.wallet.begin_session(holder.person()).await
    };
    match begun.await {
        Ok((token, _)) => entry::signed_in(&door, &token, "/recovering"),
        Err(error) => {
            page::log(&error);
            again(form, vec![("fin", text::failure(&error, words.language))])
        }
    }
}

/// How the recovery stands.
pub(super) async fn waiting(visitor: Visitor, member: Member) -> Response {
    let words = member.words;
    let found = async { member.holder.recovery().await?.ok_or(WalletError::EntryUnknown) };
    match found.await {
        Ok(recovery) => {
            let heading = if recovery.done { words.recovery.done } else { words.recovery.waiting };
            let shell = Shell::inside(words, &member.session, "");
            let cooldown = recovery.cooldown_until.map(|until| text::moment(until, words));
            let shown = RecoveringPage { shell, words, heading, recovery, cooldown };
            page::page_for(&visitor, &shown)
        }
        Err(error) => page::failure(&member, "", &error),
    }
}

/// Where a guardian enters the number.
pub(super) async fn help(visitor: Visitor, member: Member) -> Response {
    let shell = Shell::inside(member.words, &member.session, "settings");
    let (words, number) = (member.words, String::new());
    page::page_for(&visitor, &HelpPage { shell, words, number, options: None })
}

/// Shows the number again and asks for the passkey.
pub(super) async fn help_number(member: Member, Form(form): Form<Help>) -> Response {
    let number = form.number.trim().to_owned();
    let asked = async {
        if !member.knows(&form.form_key) {
            return Err(WalletError::GestureOther);
        }
        member.holder.ask(Action::ApproveRecovery { recovery: number.clone() }).await
    };
    match asked.await {
        Ok(options) => {
            let shell = Shell::inside(member.words, &member.session, "settings");
            page(&HelpPage { shell, words: member.words, number, options: Some(options) })
        }
        Err(error) => page::failure(&member, "settings", &error),
    }
}

/// Confirms to the registrar that the person was recognised.
pub(super) async fn confirm(member: Member, Form(form): Form<Help>) -> Response {
    let confirmed = async {
        if !member.knows(&form.form_key) {
            return Err(WalletError::GestureOther);
        }
        let gesture = member.holder.gesture(&form.passkey).await?;
        member.holder.approve_recovery(form.number.trim(), &gesture).await
    };
    match confirmed.await {
        Ok(()) => {
            let shell = Shell::inside(member.words, &member.session, "settings");
            page::message(shell, member.words.recovery.help_done)
        }
        Err(error) => page::failure(&member, "settings", &error),
    }
}
