//! Days of the calendar, as registers write them: birth dates, expiries, ages.

use core::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::UnixSeconds;

/// Azerbaijan is four hours ahead of UTC the whole year (no summer time since 2016).
const BAKU_OFFSET_SECONDS: u64 = 4 * 3_600;
const DAY_SECONDS: u64 = 86_400;

/// A day of the Gregorian calendar, from 0001-01-01 to 9999-12-31.
///
/// It may be a birth date, so its `Debug` is redacted and there is no `Display`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// The text is not a day written `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a day written YYYY-MM-DD")]
pub struct DateError;

impl Date {
    /// The day, or `None` if the calendar has none such.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            _ => return None,
        };
        let valid = (1..=9999).contains(&year) && (1..=days).contains(&day);
        valid.then_some(Self { year, month, day })
    }

    /// The day on which `moment` falls in Azerbaijan; the last representable day at most.
    pub fn of(moment: UnixSeconds) -> Self {
        // Howard Hinnant's civil_from_days, in years that begin on 1 March.
        let days = moment.0.saturating_add(BAKU_OFFSET_SECONDS) / DAY_SECONDS + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era.saturating_mul(400) + u64::from(month <= 2);
        let small = |value: u64| u8::try_from(value).ok();
        u16::try_from(year)
            .ok()
            .and_then(|year| Self::new(year, small(month)?, small(day)?))
            .unwrap_or(Self { year: 9999, month: 12, day: 31 })
    }

    /// The full years from this birth date to `on`; `None` when `on` lies before it. Who is born
    /// on 29 February comes of age on 1 March of a common year.
    pub fn age_on(self, on: Self) -> Option<u16> {
        let had_birthday = (on.month, on.day) >= (self.month, self.day);
        on.year.checked_sub(self.year)?.checked_sub(u16::from(!had_birthday))
    }

    /// The day as `YYYY-MM-DD`, in clear.
    pub fn expose(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return Err(DateError);
        }
        let number = |range: core::ops::Range<usize>| -> Result<u16, DateError> {
            let digits = &bytes[range];
            if !digits.iter().all(u8::is_ascii_digit) {
                return Err(DateError);
            }
            Ok(digits.iter().fold(0, |value, digit| value * 10 + u16::from(digit - b'0')))
        };
        let small = |value: u16| u8::try_from(value).map_err(|_| DateError);
        Self::new(number(0..4)?, small(number(5..7)?)?, small(number(8..10)?)?).ok_or(DateError)
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Date(redacted)")
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.expose())
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().expect("a day")
    }

    #[test]
    fn days_that_the_calendar_has_are_read_and_others_refused() {
        assert_eq!(date("2024-02-29").expose(), "2024-02-29");
        for bad in [
            "2023-02-29",
            "2024-13-01",
            "2024-00-10",
            "2024-04-31",
            "0000-01-01",
            "2024-1-01",
            "2024/01/01",
            "+024-01-01",
            "2024-01-0١",
        ] {
            assert_eq!(bad.parse::<Date>(), Err(DateError), "{bad}");
        }
    }

    #[test]
    fn a_moment_falls_on_the_day_it_is_in_baku() {
        assert_eq!(Date::of(UnixSeconds(0)).expose(), "1970-01-01");
        assert_eq!(Date::of(UnixSeconds(951_782_400)).expose(), "2000-02-29");
        // 2026-11-22T20:00:00Z is midnight in Baku.
        assert_eq!(Date::of(UnixSeconds(1_795_377_599)).expose(), "2026-11-22");
        assert_eq!(Date::of(UnixSeconds(1_795_377_600)).expose(), "2026-11-23");
        assert_eq!(Date::of(UnixSeconds(u64::MAX)).expose(), "9999-12-31");
    }

    #[test]
    fn age_counts_full_years() {
        let born = date("2008-11-22");
        assert_eq!(born.age_on(date("2026-11-21")), Some(17));
        assert_eq!(born.age_on(date("2026-11-22")), Some(18));
        assert_eq!(born.age_on(date("2008-11-22")), Some(0));
        assert_eq!(born.age_on(date("2008-11-21")), None);
        assert_eq!(date("2008-02-29").age_on(date("2026-02-28")), Some(17));
        assert_eq!(date("2008-02-29").age_on(date("2026-03-01")), Some(18));
    }
}
