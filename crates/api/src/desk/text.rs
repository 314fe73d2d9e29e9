//! Values as the staff reads them.

use etibar_primitives::BlockTime;

/// Baku's distance from UTC; it has not changed its clocks since 2016.
const BAKU_MS: u64 = 4 * 3_600_000;

/// The day and the minute in Baku: `2026-11-22 14:05`.
pub(crate) fn moment(time: BlockTime) -> String {
    // The day of a moment is Baku's already.
    let day = etibar_agency::date::Date::of(time);
    let minutes = time.0.saturating_add(BAKU_MS) / 60_000;
    format!("{day} {:02}:{:02}", minutes / 60 % 24, minutes % 60)
}

/// A duration in its largest fitting unit: `3 d`, `4 h`, `5 min`, `6 s`, `7 ms`.
pub(crate) fn duration(ms: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    let unit = UNITS.into_iter().find(|(size, _)| ms >= *size);
    unit.map_or_else(|| format!("{ms} ms"), |(size, name)| format!("{} {name}", ms / size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_bakus_and_a_duration_has_one_unit() {
        // 2026-11-22 20:30:05 UTC is half past midnight in Baku.
        assert_eq!(moment(BlockTime(1_795_379_405_000)), "2026-11-23 00:30");
        // Still the 22nd: the distance counts once.
        assert_eq!(moment(BlockTime(1_795_366_805_000)), "2026-11-22 21:00");
        assert_eq!(duration(999), "999 ms");
        assert_eq!(duration(3_599_999), "59 min");
        assert_eq!(duration(172_800_000), "2 d");
    }
}
