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
    page::{self, Shell, page, page_for},
    proofing::{Proofing, ProofingForm},
    session::{self, Member, Visitor, with_cookie},
    words::Words,
};

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

/// The first page for somebody who is not signed in.
pub(super) fn welcome(door: &Door, visitor: &Visitor, shell: Shell) -> Response {
    match door.wallet.ask_sign_in() {
        Ok(options) => page_for(visitor, &WelcomePage { shell, words: visitor.words, options }),
        Err(error) => page::told(shell, &error),
    }
}

/// The form of the enrolment.
pub(super) async fn start(State(door): State<Door>, visitor: Visitor) -> Response {
    match Proofing::begin(&door, visitor.words, ProofingForm::default()) {
        Ok(proofing) => with_cookie(page(&proofing.enrolment()), visitor.cookie()),
        Err(error) => page::told(Shell::outside(visitor.words), &error),
    }
}

/// Enrols: the passkey first, then the registrar, and only then a wallet.
pub(super) async fn enrol(
    State(door): State<Door>,
    visitor: Visitor,
    Form(form): Form<ProofingForm>,
) -> Response {
    let words = visitor.words;
    let errors = form.errors(words);
    if !errors.is_empty() {
        return match Proofing::again(&door, words, form, errors) {
            Ok(proofing) => page(&proofing.enrolment()),
            Err(error) => page::told(Shell::outside(words), &error),
        };
    }
    let enrolled = async {
        let passkey = door.wallet.made_passkey(form.ceremony()?, &form.passkey)?;
        let holder = door.wallet.enrol(&form.person(words.language)).await?;
        door.wallet.keep_passkey(holder.person(), &passkey).await?;
        door.wallet.begin_session(holder.person()).await
    };
    match enrolled.await {
        Ok((token, _)) => signed_in(&door, &token, "/"),
        Err(error) => {
            page::log(&error);
            let sentence = super::text::failure(&error, words.language);
            let errors = vec![("fin", sentence)];
            match Proofing::again(&door, words, form, errors) {
                Ok(proofing) => page(&proofing.enrolment()),
                Err(error) => page::told(Shell::outside(words), &error),
            }
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
        Ok((token, recovering)) => {
            signed_in(&door, &token, if recovering { "/recovering" } else { "/" })
        }
        Err(error) => {
            page::log(&error);
            let sentence = super::text::failure(&error, visitor.words.language);
            welcome(&door, &visitor, Shell::outside(visitor.words).saying(false, sentence))
        }
    }
}

/// Signs out.
pub(super) async fn sign_out(
    State(door): State<Door>,
    member: Member,
    Form(form): Form<Signed>,
) -> Response {
    if member.knows(&form.form_key)
        && let Err(error) = door.wallet.end_session(&member.session).await
    {
        return page::failure(&member, "settings", &error);
    }
    with_cookie(Redirect::to("/").into_response(), Some(session::end()))
}

/// Goes to `to` with the cookie of a new session.
pub(super) fn signed_in(door: &Door, token: &str, to: &str) -> Response {
    let cookie = session::begin(token, &door.origin);
    with_cookie(Redirect::to(to).into_response(), Some(cookie))
}
