//! The holder: a person's keys, credentials, consents, presentations and access log.
//!
//! - [`Wallet`] is the service: storage, the way to the members and to the ledger. [`Holder`] is
//!   one person in it; everything a person can do is a method there. The web wallet and the
//!   scripted holder of the command line, tests and tours use the same methods.
//! - [`gesture`] and [`passkey`] are the person's own act behind everything that leaves the wallet.
//! - [`store`] keeps: one SQLite file, each person's records under the person's key.
//!
//! Boundary: pages and cookies live above this crate; formats and protocols below it. Nothing that
//! a member says is believed without its signature, its registration on the ledger and, for an
//! access receipt, its anchor.
//!
//! Invariants: nothing is presented without a gesture over the screen that was shown; an instance
//! of a credential is presented to one relying party only; a request that asks for more than its
//! registered purpose allows is never shown as approvable; personal data is sealed at rest and is
//! in no log, error or address.
//!
//! Deliberately absent: keys in the browser (see ADR 0010), several holders of one wallet, push
//! messages, proximity presentation (ISO 18013-5).

mod accesses;
mod answer;
pub mod config;
mod control;
mod deferred;
mod devices;
mod envelope;
mod error;
pub mod gesture;
mod holder;
mod id;
mod issue;
pub mod label;
mod members;
pub mod passkey;
mod present;
pub mod record;
mod recovery;
mod refresh;
mod request;
pub mod screen;
mod seal;
pub mod store;
mod trust;
mod value;
pub mod view;
mod wallet;

pub use config::WalletConfig;
pub use devices::PASSKEYS_MAX;
pub use error::WalletError;
pub use holder::Holder;
pub use id::{EntryId, NoId, PersonId, RecoveryNumber};
pub use issue::{CLIENT_ID, NewPerson, REDIRECT_URI, type_named};
pub use wallet::{
    NewPasskey, OpenError, SESSION_LIFE_MS, Wallet, WalletSetup, open, open_scripted,
};

pub use etibar_credential::{
    catalogue::Language,
    level::{Method, Methods},
};
