//! A member's edge: instant payments between its core banking, the other members' edges and the
//! ledger, with everything that must survive in one local database.
//!
//! - [`flow`] decides: a function from inputs and time to writes and actions, without I/O.
//! - [`store`] keeps: one SQLite file, all effects of a batch and the event cursor in one commit.
//! - [`core::Core`] is one step of both; [`Edge`] runs it with workers that carry out the actions.
//! - [`ports`] and [`book::CoreBanking`] are what the edge needs of the world: a ledger, the other
//!   edges, the bank's books. [`open()`] puts the real ones together from a configuration.
//!
//! Boundary: personal data stays in the edge's database and in envelopes sealed for the creditor's
//! edge and the supervisor; on the ledger stands a salted commitment. HTTP lives above this crate.
//!
//! Invariants: an order is executed once for its UETR, whatever is repeated, lost or killed; once a
//! reserve may have left the edge only a certified event ends the payment; a creditor is credited
//! only after a certified post; each end is told to the core once.
//!
//! Deliberately absent: encryption of the database at rest with a key for each person (it comes
//! with the vault), returns (pacs.004) and recalls (camt.056), payments within one bank, members
//! admitted after the genesis, an oblivious alias directory.

pub mod alias;
pub mod answer;
pub mod book;
pub mod config;
pub mod core;
pub mod directory;
mod edge;
mod engine;
pub mod envelope;
pub mod flow;
pub mod intake;
mod open;
pub mod payment;
pub mod ports;
pub mod reason;
pub mod setup;
pub mod status;
pub mod store;
mod transfer;

pub use edge::{
    DeliveryError, Edge, EdgeTasks, MESSAGES_MAX, PaymentAnswer, Readiness, RequestError, WAIT_MAX,
};
pub use engine::{EdgeFault, Ports, Pulse};
pub use open::{CORE_TOKEN_CHARACTERS_MIN, OpenError, Opened, open};
pub use transfer::{TransferEnd, TransferError, TransferOrder};
