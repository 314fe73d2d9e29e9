//! The hosted wallet: pages for a phone, signed in by passkey.
//!
//! Boundary: here are pages, cookies and forms; what a person can do is
//! [`etibar_wallet::Holder`]'s. The pages are HTML that works without script, except for the
//! passkey, which no page can ask for without.
//!
//! Invariants: an address holds random ids only, never personal data; every page is answered with
//! a content policy that allows nothing from elsewhere and no script in the page; every form of a
//! session carries its key; nothing leaves the wallet without a passkey over what was shown.

mod access;
mod consents;
mod credentials;
mod device;
mod entry;
mod form;
mod home;
mod page;
mod passkeys;
mod proofing;
mod recovery;
mod requests;
mod run;
mod sentences;
mod session;
mod settings;
mod text;
mod words;

use axum::{Router, extract::DefaultBodyLimit, middleware, routing::get};
use etibar_wallet::{Language, Wallet};

use crate::{console::assets, problem, shield};

pub use run::{RunError, run_wallet};

/// The largest form, in bytes: three fields and a passkey's answer.
const FORM_BYTES_MAX: usize = 32 * 1024;

/// What the handlers share.
#[derive(Clone)]
struct Door {
    wallet: Wallet,
    /// What browsers must say that a form came from.
    origin: std::sync::Arc<str>,
}

/// What a bank's product is called; `None` when the wallet does not know it.
pub(crate) fn product(name: &str, language: Language) -> Option<&'static str> {
    text::product_named(name, words::of(language))
}

/// The wallet's routes. `origin` is what browsers see, such as `https://wallet.example`.
pub fn router(wallet: Wallet, origin: &str) -> Router {
    let door = Door { wallet, origin: origin.into() };
    let pages = Router::new()
        .route("/", get(home::show))
        .route("/start", get(entry::start).post(entry::enrol))
        .route("/sign-in", get(page::step_up).post(entry::sign_in))
        .route("/sign-out", get(page::step_up).post(entry::sign_out))
        .route("/banks", get(home::banks).post(requests::open_account))
        .route("/open", get(requests::open))
        .route("/requests/{id}", get(requests::show).post(requests::approve))
        .route("/requests/{id}/decline", get(page::step_up).post(requests::decline))
        .route("/requests/{id}/result", get(requests::result))
        .route("/receipts/{submitter}/{operation}", get(requests::receipt))
        .route("/consents", get(consents::list))
        .route("/consents/{id}", get(consents::show))
        .route("/consents/{id}/copy", get(consents::copy))
        .route("/consents/{id}/revoke", get(page::step_up).post(consents::revoke))
        .route("/consents/{id}/erase", get(page::step_up).post(consents::erase))
        .route("/accesses", get(access::show).post(access::check))
        .route("/credentials", get(credentials::list).post(credentials::refresh))
        .route("/credentials/{id}", get(credentials::show))
        .route("/credentials/add/{name}", get(credentials::ask).post(credentials::add))
        .route("/recovery", get(recovery::begin).post(recovery::recover))
        .route("/recovering", get(recovery::waiting))
        .route("/help", get(recovery::help).post(recovery::help_number))
        .route("/help/confirm", get(page::step_up).post(recovery::confirm))
        .route("/settings", get(settings::show))
        .route("/passkeys", get(passkeys::list).post(passkeys::begin))
        .route("/passkeys/new", get(page::step_up).post(passkeys::add))
        .route("/passkeys/{id}/remove", get(passkeys::again).post(passkeys::remove))
        .route("/guardians", get(settings::guardians).post(settings::name_guardians))
        .route("/delete", get(settings::ask_delete).post(settings::delete))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(middleware::from_fn_with_state(door.clone(), form::same_origin))
        .layer(middleware::from_fn(session::remember_language))
        .layer(middleware::map_response(shield::protect));
    let router = pages
        .route("/assets/{name}", get(assets::serve))
        .route("/healthz", get(async || "ok"))
        .with_state(door);
    problem::with_fallbacks(router).layer(middleware::from_fn(page::for_people))
}
