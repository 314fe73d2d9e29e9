//! The ledger: a deterministic state machine and the formats that surround it.
//!
//! `(state, block) -> (state, result, changes)`, the same bytes on every validator. Every
//! operation is first checked (reads, may refuse) and then applied (writes, cannot refuse).
//!
//! Boundary: no clock, randomness, thread, I/O, float or hash order. Time is the block's; order is
//! the block's; signatures were checked before a transaction reaches [`Ledger::execute`], whether
//! their key speaks for the member is checked here.
//!
//! Invariants, asserted after each block: money is conserved per currency; no account stands below
//! its floor; every open reserve has not expired and its sum is what the accounts hold pending;
//! an operation id has one outcome that never changes.
//!
//! Deliberately absent: personal data in any form, message formats, storage, networking.
#![no_std]

extern crate alloc;

pub mod attestation;
pub mod block;
mod execute;
pub mod genesis;
pub mod operation;
mod outcome;
pub mod receipt;
pub mod result;
mod rules;
pub mod state;
pub mod transaction;

pub use execute::{BlockInput, CONSENTS_FORGOTTEN_PER_BLOCK_MAX, EXPIRIES_PER_BLOCK_MAX, Executed};
pub use genesis::Genesis;
pub use operation::Operation;
pub use outcome::Outcome;
pub use state::Ledger;
