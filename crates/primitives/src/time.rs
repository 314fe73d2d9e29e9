//! Block time: the only time the ledger knows.

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01 UTC, as agreed by the validators in a block header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BlockTime(pub u64);

/// A span of block time in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DurationMs(pub u64);

impl BlockTime {
    /// The last representable moment; an expiry of "never".
    pub const MAX: Self = Self(u64::MAX);

    /// This moment plus `span`, at most [`BlockTime::MAX`].
    pub fn saturating_add(self, span: DurationMs) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// The time passed since `earlier`, zero if `earlier` lies ahead.
    pub fn since(self, earlier: Self) -> DurationMs {
        DurationMs(self.0.saturating_sub(earlier.0))
    }
}
