//! A validator: orders transactions with the other validators, executes them, keeps the state, and
//! proves what happened.
//!
//! Order first, then execute: consensus agrees on blocks of opaque signed transactions; each
//! finalized block is executed once, in order, by one task that owns the ledger. The validators
//! attest the result to each other at once, and a later block commits to it.
//!
//! # Use
//! ```no_run
//! use etibar_chain::{ChainError, Handle, ValidatorConfig, run_validator};
//!
//! fn validate(config: ValidatorConfig) -> Result<(), ChainError> {
//!     let (send, receive) = std::sync::mpsc::channel();
//!     let ready = move |handle| send.send(handle).unwrap();
//!     let validator = std::thread::spawn(move || run_validator(config, ready));
//!     let handle: Handle = receive.recv().unwrap();
//!     // … serve members with clones of `handle` …
//!     handle.stop();
//!     validator.join().unwrap()
//! }
//! ```
//!
//! # Certificates
//! A certificate is the encoding of Commonware's simplex `Finalization` with the Ed25519 scheme and
//! a BLAKE3 digest, over the namespace `etibar.consensus.` followed by the 32 bytes of the network
//! id; its payload is the certified header's digest. Participants are the genesis validators in
//! rising order of their keys.
//!
//! Boundary: bytes come in, events and proofs go out; no Commonware type crosses it, except where
//! [`sim`] runs a validator on a runtime of the caller's.
//!
//! Invariants: only finalized blocks are executed; what was executed is durable before the engine
//! is told, and executed again when it was not; a result that the others certified and this
//! validator does not share stops it.
//!
//! Deliberately absent: HTTP, keys of members, personal data, message formats.

mod attest;
mod block;
mod config;
mod engine;
mod error;
mod executor;
mod handle;
mod join;
mod mempool;
mod node;
mod production;
mod serving;
mod shared;
mod store;
mod sync;

pub use config::{BLOCK_BYTES_MAX, Limits, Peer, Timing, ValidatorConfig};
pub use error::ChainError;
pub use handle::{
    Accepted, BLOCKS_PAGE_MAX, BlockSummary, Handle, Progress, RETRY_AFTER_MS, ReadError, Status,
    SubmitError,
};
pub use production::run_validator;

/// Running a validator on a runtime and a network of the caller's: for simulations.
///
/// This is the one place where Commonware's types show.
pub mod sim {
    pub use crate::{
        block::Block,
        engine::{CHANNEL_QUOTA, Channel, Deliverer, Network, Runtime, channel, message_bytes_max},
        node::{Node, NodeConfig, start},
    };
}
