//! Coming in: creating a wallet, signing in and out.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use etibar_wallet::WalletError;
use serde::Deserialize;

use super::{
    Door,
    form::Form,
    page::{self, Shell, page},
    proofing::{self, Proofing, ProofingForm},
    session::{self, Member, Visitor},
    words::Words,
};
use crate::visit::with_cookie;

#[derive(Template)]
#[template(path = "wallet/welcome.html")]
struct WelcomePage {
    shell: Shell,
    words: &'static Words,
    options: String,
}

/// What the sign-in form sends.
#[derive(Deserialize)]
pub(super) struct SignIn {
    passkey: String,
}

/// What a form of one gesture, or none, sends.
#[derive(Deserialize)]
pub(super) struct Signed {
    pub(super) form_key: String,
    #[serde(default)]
    pub(super) passkey: String,
}

/// The frame of the first page for somebody who is not signed in: says why they are there.
pub(super) fn outside(visitor: &Visitor) -> Shell {
    let shell = Shell::outside(visitor.words);
    if visitor.lapsed {
        shell.saying("open", visitor.words.signed_out)
    } else if visitor.place.is_some() {
        shell.saying("open", visitor.words.sign_in_first)
    } else {
        shell
    }
}

/// The first page for somebody who is not signed in.
pub(super) fn welcome(door: &Door, words: &'static Words, shell: Shell) -> Response {
    match door.wallet.ask_sign_in() {
        // A session that has ended is forgotten, so that this is said once.
        Ok(options) => {
            let shown = page(&WelcomePage { shell, words, options });
            with_cookie(shown, Some(session::end()))
        }
        Err(error) => page::told(shell, &error),
    }
}

/// The form of the enrolment.
pub(super) async fn start(State(door): State<Door>, visitor: Visitor) -> Response {
    match Proofing::begin(&door, visitor.words, ProofingForm::default()) {
        Ok(proofing) => page(&proofing.enrolment()),
        Err(error) => page::told(Shell::outside(visitor.words), &error),
    }
}

/// Enrols: the passkey first, then the registrar, and only then a wallet.
pub(super) async fn enrol(
    State(door): State<Door>,
    visitor: Visitor,
    Form(form): Form<ProofingForm>,
) -> Response {
    let Visitor { words, place, device, .. } = visitor;
    let again = |form, errors| match Proofing::again(&door, words, form, errors) {
        Ok(proofing) => page(&proofing.enrolment()),
        Err(error) => page::told(Shell::outside(words), &error),
    };
    let errors = form.errors(words);
    if !errors.is_empty() {
        return again(form, errors);
    }
    let passkey = form.ceremony().and_then(|its| door.wallet.made_passkey(its, &form.passkey));
    let enrolled = match passkey {
        Ok(passkey) => {
            let (wallet, person) = (door.wallet.clone(), form.person(words.language));
            page::to_the_end(async move {
                let holder = wallet.enrol(&person).await?;
                wallet.keep_passkey(holder.person(), &passkey).await?;
                holder.name_passkey(&passkey, &device).await?;
                wallet.begin_session(holder.person()).await
            })
            .await
        }
        Err(error) => Err(error),
    };
    match enrolled {
        Ok((token, _)) => signed_in(&door, &token, place.as_deref().unwrap_or("/")),
        Err(error) => {
            page::log(&error);
            let errors = vec![proofing::wrong(&error, words)];
            again(form, errors)
        }
    }
}

/// Signs in by a passkey of this site.
pub(super) async fn sign_in(
    State(door): State<Door>,
    visitor: Visitor,
    Form(form): Form<SignIn>,
) -> Response {
    let signed = async {
        let person = door.wallet.sign_in(&form.passkey).await?;
        let (token, session) = door.wallet.begin_session(person).await?;
        let holder = door.wallet.holder(session.person).await?;
        let recovering = holder.recovery().await?.is_some_and(|recovery| !recovery.done);
        Ok::<_, WalletError>((token, recovering))
    };
    match signed.await {
        Ok((token, true)) => signed_in(&door, &token, "/recovering"),
        Ok((token, false)) => signed_in(&door, &token, visitor.place.as_deref().unwrap_or("/")),
        Err(error) => {
            page::log(&error);
            let sentence = super::text::failure(&error, visitor.words.language);
            let shell = Shell::outside(visitor.words).saying("bad", sentence);
            welcome(&door, visitor.words, shell)
        }
    }
}

/// Signs out.
pub(super) async fn sign_out(
    State(door): State<Door>,
    member: Member,
    Form(form): Form<Signed>,
) -> Response {
    if !member.knows(&form.form_key) {
        return page::failure(&member, "settings", &WalletError::GestureOther);
    }
    if let Err(error) = door.wallet.end_session(&member.session).await {
        return page::failure(&member, "settings", &error);
    }
    with_cookie(Redirect::to("/").into_response(), Some(session::end()))
}

/// Goes to `to` with the cookie of a new session.
pub(super) fn signed_in(door: &Door, token: &str, to: &str) -> Response {
    let answer = with_cookie(Redirect::to(to).into_response(), Some(session::arrived()));
    with_cookie(answer, Some(session::begin(token, &door.origin)))
}
