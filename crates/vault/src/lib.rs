//! A member's personal data at rest: one SQLite file in which every personal value is sealed.
//!
//! - Each person has a random data key, wrapped by the member's master key ([`key::KeyService`]).
//!   Every value is sealed under its person's key and bound to its row: a value moved to another
//!   row or person does not open. Destroying the data key is the [`erasure`].
//! - A person is found by a keyed tag only ([`Vault::find`]); no table holds an identifier.
//! - [`Vault::read`] is the only way to a personal value. It states who reads, the purpose and the
//!   basis, writes an access record and commits it before the value is handed out: opening a value
//!   takes a permit that only the gate makes.
//! - [`Change`] writes: all of it, or nothing.
//! - [`work`] is what a crash must not lose: sessions, queues.
//!
//! Boundary: formats of credentials, consents and receipts are the caller's bytes; the clock is
//! the caller's; the ledger is not known here.
//!
//! Invariants: no personal value stands in clear in the file or its log; two members' files share
//! no value; a person without a key has no readable value; after a kill the file is as after the
//! last commit.
//!
//! Deliberately absent: PostgreSQL (the statements are plain, a second engine is a second pool),
//! the rotation of the master key, search in values.

mod change;
pub mod consent;
pub mod erasure;
mod error;
mod gate;
pub mod grants;
mod item;
pub mod key;
mod party;
pub mod receipts;
mod row;
mod seal;
pub mod sqlite;
mod store;
pub mod work;

pub use change::Change;
pub use error::VaultError;
pub use gate::{Access, AccessRecord, Basis, LegalBasis, Reader, Reading, Select};
pub use item::{ItemId, ItemKind, NewItem, ReadItem};
pub use party::{LinkKind, LinkView, PartyId, PartyKind, PartyView, TagKind};
pub use seal::{Personal, open_bytes, seal_bytes};
pub use store::{Vault, random_id};

/// The largest personal value (a document), in bytes.
pub const VALUE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How many rows one page of a list has at most.
pub const PAGE_ROWS_MAX: u32 = 500;
