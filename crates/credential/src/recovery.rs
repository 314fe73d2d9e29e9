//! A lost phone: the values of recovery, here and nowhere else.
//!
//! A person recovers by a new proof at an equal level, or by the approval of two of the three
//! guardians named before. Either way the old credentials are revoked, and a cool-down keeps a
//! thief who got through from consenting to anything new. It is the same for both ways: a face that
//! was forged opens as much as two guardians who were deceived, and whoever is robbed needs the
//! same time to notice. No agency may set its own: a person is protected by the shortest.

use etibar_primitives::DurationMs;

/// How many guardians a person names, if any.
pub const GUARDIANS: usize = 3;
/// How many of them must approve.
pub const APPROVALS_NEEDED: usize = 2;
/// How long a recovery waits for approvals: two days.
pub const RECOVERY_LIFE: DurationMs = DurationMs(48 * HOUR_MS);
/// How long no new consent is taken from a person who has recovered: a weekend and a day.
pub const COOL_DOWN: DurationMs = DurationMs(72 * HOUR_MS);

const HOUR_MS: u64 = 3_600_000;
