//! The values every other crate speaks in: amounts, typed identifiers, block time, hashes, Merkle
//! trees, Ed25519 keys and the canonical byte codec.
//!
//! Boundary: pure values, no I/O, no clock, no randomness. A value that exists is valid; each type
//! checks at construction.
//!
//! Deliberately absent: anything that knows what a payment, a member or a block is.
#![no_std]

extern crate alloc;

mod amount;
pub mod codec;
mod digest;
pub mod hex;
mod id;
pub mod key;
pub mod merkle;
mod time;

pub use amount::{Amount, AmountError, Currency};
pub use digest::{Digest, Domain};
pub use id::{AccountId, MemberId, OperationId, ParseIdError};
pub use time::{BlockTime, DurationMs};
