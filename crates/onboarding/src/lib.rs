//! A bank's identification flows: a person presents and consents in one gesture, and the account
//! is open; another bank does not ask again.
//!
//! - [`policy`] says what each product asks and demands; [`decide`] decides, without I/O.
//! - [`Onboarding`] runs the sessions. Each is a row in the vault that moves by single commits
//!   ([`session::State`]): what a kill interrupts goes on, or is undone, at the next start.
//! - [`kyc`] issues the bank's due diligence as a credential and keeps its status list;
//!   [`holder`] answers what people ask for directly; [`notices`] follows registers' changes.
//! - [`examination`] is enhanced due diligence by four eyes of the bank's [`staff`], who see
//!   [`applications`].
//! - [`ports`] is what the flows need of the world; [`open()`] puts the real ones together.
//!
//! Boundary: HTTP routes stand above; everything personal is in the vault; the ledger sees random
//! names and commitments only.
//!
//! Invariants: no data is used and no account opened before the ledger has executed the person's
//! consents and the receipts are verified; no consent is written down without the person's
//! signature in the same commit; a session that ends otherwise than done leaves no data, no consent
//! in force and no account; an enhanced case opens no account before a second of the staff has
//! approved it; every reading is on record.
//!
//! Deliberately absent: proofing of people (the registrar's), payments, pages, a directory of the
//! staff (the bank has one; here they are names with tokens).

mod answer;
pub mod applications;
pub mod decide;
mod error;
mod evidence;
pub mod examination;
mod flow;
mod grants;
pub mod holder;
pub mod http;
pub mod identity;
pub mod kyc;
pub mod notices;
pub mod obligations;
mod open;
mod opening;
mod plans;
pub mod policy;
pub mod ports;
mod provider;
pub mod service;
pub mod session;
pub mod staff;
pub mod standing;
pub mod trust;

pub use error::OnboardingError;
pub use flow::{HOLD_LAW, HOLD_MS};
pub use grants::VaultGrants;
pub use holder::HolderAnswer;
pub use open::{EXAMINATION_DAYS, MemberUrl, OnboardingConfig, OpenError, open};
pub use service::{Created, Onboarding, Parts, SessionView, session_id};
