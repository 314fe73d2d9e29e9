//! A member's side of the network: submits operations, follows its events, reads, and verifies.
//!
//! Boundary: nothing that a validator says about an event or a receipt is believed; it is verified
//! from the genesis alone ([`verify`]). Reads of the present state (accounts, aliases, members,
//! status) are one validator's word and are named so.
//!
//! Invariants: [`Events`] yields each event once, in order and without a gap; the same signed
//! bytes may be sent any number of times and are executed once.
//!
//! Deliberately absent: storage (the caller keeps its cursor), keys' storage, business rules, TLS
//! (terminated beside the program until it is a configuration item here).
//!
//! Without the feature `network` only [`verify`] and the formats remain: what an auditor needs.

#[cfg(feature = "network")]
mod client;
#[cfg(feature = "network")]
pub mod clock;
#[cfg(feature = "network")]
mod config;
#[cfg(feature = "network")]
mod error;
#[cfg(feature = "network")]
mod events;
#[cfg(feature = "network")]
mod execute;
pub mod roster;
#[cfg(feature = "network")]
mod submit;
pub mod token;
#[cfg(feature = "network")]
mod transport;
pub mod verify;
pub mod wire;

#[cfg(feature = "network")]
pub use client::Client;
#[cfg(feature = "network")]
pub use config::{ClientConfig, ConfigError, EXECUTE_OPERATIONS_MAX, VALIDATORS_MAX};
#[cfg(feature = "network")]
pub use error::{Cause, EventsError, ExecuteError, ReadError, SubmitError};
#[cfg(feature = "network")]
pub use events::Events;
#[cfg(feature = "network")]
pub use submit::Submitted;
pub use verify::{
    PageError, ReceiptError, VerifiedEvents, VerifiedReceipt, Verifier, verify_receipt,
};
