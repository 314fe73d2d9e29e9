//! The only place that reads the local clock.

use std::time::{SystemTime, UNIX_EPOCH};

use etibar_primitives::BlockTime;

/// The local time as block time; 0 when the clock stands before 1970.
pub fn now() -> BlockTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    BlockTime(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
