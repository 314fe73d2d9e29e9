//! Time as JSON Web Tokens write it.

use core::fmt;

use etibar_primitives::BlockTime;
use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01 UTC: a `NumericDate` without its fraction (RFC 7519 §2).
///
/// A fraction is refused when a token is read: nothing of ours writes one, and a float would have
/// to be rounded in somebody's favour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixSeconds(pub u64);

impl UnixSeconds {
    /// This moment plus `seconds`, at most the last representable one.
    pub const fn saturating_add(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// The seconds passed since `earlier`, zero if `earlier` lies ahead.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl From<BlockTime> for UnixSeconds {
    /// The second in which `time` lies.
    fn from(time: BlockTime) -> Self {
        Self(time.0 / 1_000)
    }
}

impl fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
