//! Calendar days with the arithmetic that registers need. A credential's own type of day
//! (`etibar_credential::date`) only reads and compares.

use etibar_primitives::BlockTime;
use serde::{Deserialize, Serialize};

/// Days in 400 years of the Gregorian calendar.
const DAYS_OF_ERA: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const DAYS_TO_EPOCH: i64 = 719_468;
const DAY_MS: u64 = 86_400_000;
/// Azerbaijan is four hours ahead of UTC.
const BAKU_OFFSET_MS: u64 = 4 * 3_600_000;
/// The last day that is represented: 9999-12-31, in days since 1970-01-01.
const LAST_DAY: i64 = 2_932_896;

/// A day of the Gregorian calendar, from 0000-03-01 to 9999-12-31; text is `YYYY-MM-DD`.
///
/// Source: ISO 8601 calendar date, `full-date` of RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// A text is no calendar day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no calendar day of the form YYYY-MM-DD")]
pub struct DateError;

impl Date {
    /// The day `year`-`month`-`day`, or `None` when there is none.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let date = Self { year, month, day };
        (Self::from_days(date.days()) == Some(date)).then_some(date)
    }

    /// The day that lies `days` after 1970-01-01, or `None` outside of the years 0 to 9999.
    pub fn from_days(days: i64) -> Option<Self> {
        if !(-DAYS_TO_EPOCH..=LAST_DAY).contains(&days) {
            return None;
        }
        let days = days + DAYS_TO_EPOCH;
        let era = days / DAYS_OF_ERA;
        let of_era = days % DAYS_OF_ERA;
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        Some(Self {
            year: u16::try_from(year + era * 400 + next).ok()?,
            month: u8::try_from(month).ok()?,
            day: u8::try_from(day).ok()?,
        })
    }

    /// The day on which `moment` falls in Azerbaijan, four hours ahead of UTC the whole year; the
    /// last representable day at most.
    pub fn of(moment: BlockTime) -> Self {
        let days = moment.0.saturating_add(BAKU_OFFSET_MS) / DAY_MS;
        let days = i64::try_from(days).unwrap_or(LAST_DAY).min(LAST_DAY);
        Self::from_days(days).expect("the day was brought below the limit just above")
    }

    /// Days since 1970-01-01; negative before.
    pub fn days(self) -> i64 {
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let month = (i64::from(self.month) + 9) % 12;
        let of_year = (153 * month + 2) / 5 + i64::from(self.day) - 1;
        era * DAYS_OF_ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_TO_EPOCH
    }

    /// The moment at which the day ends in Azerbaijan; 0 for days before 1970.
    pub fn end(self) -> BlockTime {
        let days = u64::try_from(self.days() + 1).unwrap_or(0);
        BlockTime((days * DAY_MS).saturating_sub(BAKU_OFFSET_MS))
    }

    /// The day `days` later; the last representable day when it lies beyond.
    pub fn plus_days(self, days: i64) -> Self {
        let days = (self.days() + days).clamp(-DAYS_TO_EPOCH, LAST_DAY);
        Self::from_days(days).expect("the day was brought between the limits just above")
    }

    /// The same day `years` later; 28 February when that year has no 29th.
    pub fn plus_years(self, years: u16) -> Self {
        let year = self.year.saturating_add(years).min(9_999);
        Self::new(year, self.month, self.day).unwrap_or(Self { year, month: 2, day: 28 })
    }

    /// Whole years from this day to `later`; 0 when `later` lies before.
    pub fn years_until(self, later: Self) -> u16 {
        let before = (later.month, later.day) < (self.month, self.day);
        later.year.saturating_sub(self.year).saturating_sub(u16::from(before))
    }

    /// The year.
    pub const fn year(self) -> u16 {
        self.year
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl std::str::FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let bytes = text.as_bytes();
        let form = bytes.len() == 10 && bytes[4] == b'-' && bytes[7] == b'-';
        let digits =
            bytes.iter().enumerate().all(|(at, byte)| matches!(at, 4 | 7) || byte.is_ascii_digit());
        if !form || !digits {
            return Err(DateError);
        }
        let number = |part: &str| part.parse::<u16>().map_err(|_| DateError);
        let small = |part: &str| part.parse::<u8>().map_err(|_| DateError);
        Self::new(number(&text[..4])?, small(&text[5..7])?, small(&text[8..])?).ok_or(DateError)
    }
}

impl TryFrom<String> for Date {
    type Error = DateError;

    fn try_from(text: String) -> Result<Self, DateError> {
        text.parse()
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn each_day_number_is_one_day_and_back() {
        let mut last = date("1899-12-31");
        for days in last.days() + 1..date("2100-01-02").days() {
            let next = Date::from_days(days).unwrap();
            assert!(next > last, "{next} after {last}");
            assert_eq!(next.days(), days);
            assert_eq!(date(&next.to_string()), next);
            last = next;
        }
        assert_eq!(date("1970-01-01").days(), 0);
        assert_eq!(date("2026-11-22").days(), 20_779);
    }

    #[test]
    fn a_day_that_does_not_exist_is_refused() {
        let texts = [
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-1-01",
            "26-01-01",
            "",
            "2026-01-32",
            "2026/01/01",
            "+026-01-01",
            "２０２６-01",
        ];
        for text in texts {
            assert_eq!(text.parse::<Date>(), Err(DateError), "{text}");
        }
    }

    #[test]
    fn a_day_ends_at_midnight_in_baku() {
        let end = date("2026-11-22").end();
        assert_eq!(Date::of(BlockTime(end.0 - 1)), date("2026-11-22"));
        assert_eq!(Date::of(end), date("2026-11-23"));
        assert_eq!(end.0, 1_795_377_600_000);
    }

    #[test]
    fn a_birthday_is_reached_on_the_day_itself() {
        let born = date("2008-02-29");
        assert_eq!(born.years_until(date("2026-02-28")), 17);
        assert_eq!(born.years_until(date("2026-03-01")), 18);
        assert_eq!(born.years_until(date("2001-01-01")), 0);
        assert_eq!(born.plus_years(18).to_string(), "2026-02-28");
    }
}
