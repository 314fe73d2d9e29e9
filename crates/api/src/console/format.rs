//! Values as people read them here.

use etibar_primitives::{Amount, BlockTime};

/// The narrow no-break space that groups thousands.
const GROUP: char = '\u{202f}';
/// Baku's distance from UTC; it has not changed its clocks since 2016.
const BAKU_MS: u64 = 4 * 3_600_000;
const DAY_MS: u64 = 86_400_000;

/// `1 234 567`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(GROUP);
        }
        text.push(digit);
    }
    text
}

/// `1 234,56`, without the currency.
pub(super) fn money(amount: Amount) -> String {
    minor_units(amount.minor_units())
}

/// `1 234,56` of minor units; `−` before what is below zero.
pub(super) fn signed_money(minor: i64) -> String {
    let sign = if minor < 0 { "−" } else { "" };
    format!("{sign}{}", minor_units(minor.unsigned_abs()))
}

pub(crate) fn minor_units(minor: u64) -> String {
    format!("{},{:02}", count(minor / 100), minor % 100)
}

/// The time of day in Baku: `14:05:09`.
pub(super) fn clock(time: BlockTime) -> String {
    let seconds = (time.0.wrapping_add(BAKU_MS) % DAY_MS) / 1_000;
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// `0,42 s` from milliseconds.
pub(super) fn seconds(ms: u64) -> String {
    format!("{},{:02} s", count(ms / 1_000), ms % 1_000 / 10)
}

/// The first eight characters of an id.
pub(super) fn short(id: &impl std::fmt::Display) -> String {
    id.to_string().chars().take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_a_decimal_comma_and_grouped_thousands() {
        assert_eq!(signed_money(123_456), "1\u{202f}234,56");
        assert_eq!(signed_money(-5), "−0,05");
        assert_eq!(money(Amount::new(100_000_000).unwrap()), "1\u{202f}000\u{202f}000,00");
    }

    #[test]
    fn the_clock_is_bakus() {
        // 2026-11-22 20:30:05 UTC is half past midnight in Baku.
        assert_eq!(clock(BlockTime(1_795_379_405_000)), "00:30:05");
    }

    #[test]
    fn a_latency_is_seconds_with_hundredths() {
        assert_eq!(seconds(1_429), "1,42 s");
        assert_eq!(seconds(9), "0,00 s");
    }
}
