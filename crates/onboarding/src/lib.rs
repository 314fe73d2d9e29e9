//! A bank's identification flows: a person presents and consents in one gesture, and the account
//! is open; another bank does not ask again.
//!
//! - [`policy`] says what each product asks and demands; [`decide`] decides, without I/O.
//! - [`Onboarding`] runs the sessions. Each is a row in the vault that moves by single commits
//!   ([`session::State`]): what a kill interrupts goes on, or is undone, at the next start.
//! - [`kyc`] issues the bank's due diligence as a credential and keeps its status list;
//!   [`holder`] answers what people ask for directly; [`notices`] follows registers' changes.
//! - [`ports`] is what the flows need of the world; [`open()`] puts the real ones together.
//!
//! Boundary: HTTP routes stand above; everything personal is in the vault; the ledger sees random
//! names and commitments only.
//!
//! Invariants: no data is used and no account opened before the ledger has executed the person's
//! consents and the receipts are verified; no consent is written down without the person's
//! signature in the same commit; a session that ends otherwise than done leaves no data, no consent
//! in force and no account; every reading is on record.
//!
//! Deliberately absent: proofing of people (the registrar's), payments, pages, four-eyes approval
//! of enhanced cases (they are marked for the staff).

mod answer;
pub mod decide;
mod error;
mod evidence;
mod flow;
mod grants;
pub mod holder;
pub mod http;
pub mod identity;
pub mod kyc;
pub mod notices;
mod open;
mod opening;
mod plans;
pub mod policy;
pub mod ports;
mod provider;
pub mod service;
pub mod session;
pub mod trust;

pub use error::OnboardingError;
pub use flow::{HOLD_LAW, HOLD_MS};
pub use grants::VaultGrants;
pub use holder::HolderAnswer;
pub use open::{MemberUrl, OnboardingConfig, OpenError, open};
pub use service::{Created, Onboarding, Parts, SessionView, session_id};
