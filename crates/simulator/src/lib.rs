//! A whole network of validators under a deterministic runtime: lost messages, partitions, crashes
//! and late joiners from a seed. The same seed gives the same run.
//!
//! Boundary: development only; nothing depends on this crate.
//!
//! Invariants checked in each run: no two validators finalize different blocks at a height
//! (the harness); no two have different results of a height; every receipt proves what it says;
//! the ledger's own assertions after every block.

mod checks;
mod network;

pub use checks::{ProvenReceipts, SameResults, WithoutFirstBlock};
pub use network::{Observed, ValidatorNetwork};
