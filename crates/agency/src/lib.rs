//! What a state agency runs: its register, credentials issued from it, data given under consent.
//!
//! - [`register`] is the agency's own system of record behind one trait, in CSV files or SQL;
//!   [`population`] fills it for samples and tests, the same from one seed.
//! - [`Agency`] issues credentials from the register's records (OpenID4VCI), signs people in with
//!   their PID (OpenID4VP), publishes status lists, takes clerks' changes, gives data under
//!   consent and keeps the access receipts; member 12 is the registrar, too: it enrols people and
//!   gives back what a lost device held.
//! - [`clerk`] is what the agency's own people do: each look at a person is on record, here and in
//!   the person's own list.
//! - [`Agency::run_until`] follows the ledger, publishes, anchors and delivers notices.
//!   [`open()`] puts the real surroundings together from a configuration.
//!
//! Boundary: the register is the agency's own and holds people in clear. What this crate stores
//! beside it ([`store`]) holds no personal value in clear: keyed tags and sealed bytes. HTTP lives
//! above.
//!
//! Invariants: a credential exists only with its entry in a status list; a change ends what it
//! made untrue and puts its notices into the outbox in one commit, and is written down before the
//! register is, so that it is completed once whatever happens; a superseded PID fetches its
//! successor under its own key and does nothing else, a revoked one does nothing at all; no data
//! leaves without a live consent on the ledger, and none without its receipt; no clerk sees or
//! changes an entry without a receipt for the person; receipts of a consent or person are numbered
//! without a gap; one living enrolment for each person.
//!
//! Deliberately absent: PostgreSQL, a proofing provider that sees faces (the sample believes what
//! it is told), members admitted after the genesis.

pub mod agencies;
mod agency;
mod changes;
pub mod clerk;
pub mod config;
pub mod date;
mod duty;
mod endpoints;
mod error;
mod holder;
pub mod identifiers;
pub mod issuing;
mod open;
mod person;
pub mod population;
pub mod ports;
pub mod proofing;
mod provider;
pub mod register;
mod registrar;
mod releases;
pub mod sealed;
pub mod sign_in;
mod status;
pub mod store;
mod subject;
mod tasks;

pub use agency::{Agency, Setup, Surroundings};
pub use changes::{ENDED, VALID_UNTIL};
pub use error::AgencyError;
pub use open::{OpenError, Opened, open};
pub use status::Standing;
pub use tasks::AgencyFault;
