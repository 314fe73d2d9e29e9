//! Dates and times of XML Schema: lexical rules, calendar rules, and the moment they name.

use etibar_primitives::BlockTime;

/// Azerbaijan's offset from UTC in minutes; it keeps no summer time (decision of 2016). A local
/// time without an offset is read with it.
const BAKU_OFFSET_MINUTES: i64 = 240;

/// Minutes: the largest offset from UTC that XML Schema allows, 14 hours.
const OFFSET_MINUTES_MAX: i64 = 14 * 60;

/// What XML calls blank.
const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// A calendar day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: i64,
    month: u8,
    day: u8,
}

/// A text that is no date or time of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a date or time of XML Schema, or before 1970")]
pub struct ParseTimeError;

impl Date {
    /// The day of a moment, in Azerbaijan.
    pub fn of(moment: BlockTime) -> Self {
        let milliseconds = i64::try_from(moment.0).unwrap_or(i64::MAX / 2);
        let minutes = milliseconds.div_euclid(60_000) + BAKU_OFFSET_MINUTES;
        civil_from_days(minutes.div_euclid(24 * 60))
    }

    /// Reads an `xs:date`; an offset from UTC is checked and dropped.
    pub fn parse(text: &str) -> Result<Self, ParseTimeError> {
        let mut cursor = Cursor::new(text);
        let date = cursor.date().filter(|_| cursor.offset_to_end(0).is_some());
        date.ok_or(ParseTimeError)
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// Reads an `xs:dateTime` as milliseconds since 1970; finer fractions are cut off, and a time
/// without an offset is Baku's.
///
/// # Errors
/// For any other text, and for moments before 1970.
pub fn parse_moment(text: &str) -> Result<BlockTime, ParseTimeError> {
    let mut cursor = Cursor::new(text);
    let moment = cursor.date_time().ok_or(ParseTimeError)?;
    u64::try_from(moment).map(BlockTime).map_err(|_| ParseTimeError)
}

/// Renders a moment as an `xs:dateTime` in UTC with milliseconds: `2026-11-22T09:30:00.000Z`.
pub fn render_moment(moment: BlockTime) -> String {
    let milliseconds = moment.0;
    let days = milliseconds / 86_400_000;
    let date = civil_from_days(i64::try_from(days).expect("u64 / 86,400,000 is below 2^63"));
    let (seconds, fraction) = (milliseconds / 1_000 % 86_400, milliseconds % 1_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{date}T{hour:02}:{minute:02}:{second:02}.{fraction:03}Z")
}

/// Whether `text` is an `xs:dateTime`. XML Schema would pass over blanks around a date or time;
/// libxml2, whose verdict is the reference, does so only behind a `dateTime` with an offset and
/// in front of a `time`.
pub(crate) fn is_date_time(text: &str) -> bool {
    let trimmed = text.trim_end_matches(BLANKS);
    let ends_in_offset = || {
        let tail = trimmed.as_bytes();
        tail.last() == Some(&b'Z') || tail.iter().rev().nth(5).is_some_and(|b| b"+-".contains(b))
    };
    (trimmed.len() == text.len() || ends_in_offset()) && Cursor::new(trimmed).date_time().is_some()
}

/// Whether `text` is an `xs:date`.
pub(crate) fn is_date(text: &str) -> bool {
    Date::parse(text).is_ok()
}

/// Whether `text` is an `xs:time`.
pub(crate) fn is_time(text: &str) -> bool {
    let mut cursor = Cursor::new(text.trim_start_matches(BLANKS));
    cursor.time().is_some() && cursor.offset_to_end(0).is_some()
}

/// Whether `text` is an `xs:gYear`.
pub(crate) fn is_year(text: &str) -> bool {
    let mut cursor = Cursor::new(text);
    cursor.year().is_some() && cursor.offset_to_end(0).is_some()
}

/// Whether `text` is an `xs:gYearMonth`.
pub(crate) fn is_year_month(text: &str) -> bool {
    let mut cursor = Cursor::new(text);
    cursor.year_month().is_some() && cursor.offset_to_end(0).is_some()
}

/// Reads a text from left to right; each step is `None` where the text breaks its rule.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text.as_bytes() }
    }

    fn take(&mut self, expected: u8) -> Option<()> {
        let (first, rest) = self.rest.split_first()?;
        (*first == expected).then(|| self.rest = rest)
    }

    fn digits(&mut self) -> &'a [u8] {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.rest.split_at(count);
        self.rest = rest;
        digits
    }

    fn two_digits(&mut self, max: u8) -> Option<u8> {
        let [tens, ones, rest @ ..] = self.rest else { return None };
        if !tens.is_ascii_digit() || !ones.is_ascii_digit() {
            return None;
        }
        self.rest = rest;
        Some((tens - b'0') * 10 + (ones - b'0')).filter(|value| *value <= max)
    }

    /// Four digits or more, no zero in front of more than four, no year 0.
    fn year(&mut self) -> Option<i64> {
        let negative = self.take(b'-').is_some();
        let digits = self.digits();
        let padded = digits.len() > 4 && digits[0] == b'0';
        if digits.len() < 4 || padded {
            return None;
        }
        let year: i64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
        (year != 0).then_some(if negative { -year } else { year })
    }

    fn year_month(&mut self) -> Option<(i64, u8)> {
        let year = self.year()?;
        self.take(b'-')?;
        let month = self.two_digits(12).filter(|month| *month >= 1)?;
        Some((year, month))
    }

    fn date(&mut self) -> Option<Date> {
        let (year, month) = self.year_month()?;
        self.take(b'-')?;
        let day = self.two_digits(31)?;
        let fits = (1..=days_of_month(year, month)).contains(&day);
        fits.then_some(Date { year, month, day })
    }

    /// Milliseconds of the day; 24:00:00 is the end of the day.
    fn time(&mut self) -> Option<i64> {
        let hour = self.two_digits(24)?;
        self.take(b':')?;
        let minute = self.two_digits(59)?;
        self.take(b':')?;
        let second = self.two_digits(59)?;
        let fraction = if self.take(b'.').is_some() { Some(self.digits()) } else { None };
        if fraction.is_some_and(<[u8]>::is_empty) {
            return None;
        }
        let fraction = fraction.unwrap_or_default();
        let past_midnight = minute > 0 || second > 0 || fraction.iter().any(|digit| *digit != b'0');
        if hour == 24 && past_midnight {
            return None;
        }
        let thousandths = fraction.iter().chain(b"000").take(3);
        let milliseconds =
            thousandths.fold(0, |sum, digit| sum * 10 + i64::from(digit.saturating_sub(b'0')));
        let seconds = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
        Some(seconds * 1_000 + milliseconds)
    }

    /// The offset from UTC in minutes, `default` without one; `None` unless the text ends after it.
    fn offset_to_end(&mut self, default: i64) -> Option<i64> {
        let Some((sign, rest)) = self.rest.split_first() else { return Some(default) };
        self.rest = rest;
        let minutes = match sign {
            b'Z' => 0,
            b'+' | b'-' => {
                let hours = self.two_digits(23)?;
                self.take(b':')?;
                let minutes = i64::from(hours) * 60 + i64::from(self.two_digits(59)?);
                if *sign == b'-' { -minutes } else { minutes }
            }
            _ => return None,
        };
        let fits = self.rest.is_empty() && minutes.abs() <= OFFSET_MINUTES_MAX;
        fits.then_some(minutes)
    }

    /// Milliseconds since 1970, saturated far outside of any calendar in use.
    fn date_time(&mut self) -> Option<i64> {
        let date = self.date()?;
        self.take(b'T')?;
        let time = self.time()?;
        let offset = self.offset_to_end(BAKU_OFFSET_MINUTES)?;
        let day = days_from_civil(date).saturating_mul(86_400_000);
        Some(day.saturating_add(time).saturating_sub(offset * 60_000))
    }
}

fn days_of_month(year: i64, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, years counted in eras of 400 that
/// begin in March, so that the leap day is the last of its year.
fn days_from_civil(date: Date) -> i64 {
    let month = i64::from(date.month);
    let year = date.year.clamp(-1_000_000, 1_000_000) - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + i64::from(date.day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> Date {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let small = |value: i64| u8::try_from(value).expect("a month or a day is below 32");
    Date {
        year: era * 400 + year_of_era + i64::from(month <= 2),
        month: small(month),
        day: small(day_of_year - (153 * shifted + 2) / 5 + 1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn moments_are_read_with_their_offset_or_as_baku_time() {
        let read = |text| parse_moment(text).map(|moment| moment.0);
        assert_eq!(read("1970-01-01T00:00:00Z"), Ok(0));
        assert_eq!(read("1970-01-01T04:00:00"), Ok(0));
        assert_eq!(read("2026-07-02T10:30:00.1239-05:00"), Ok(1_783_006_200_123));
        assert_eq!(read("1970-01-01T24:00:00Z"), Ok(86_400_000));
        assert_eq!(read("1969-12-31T23:59:59Z"), Err(ParseTimeError));
    }

    #[test]
    fn calendar_rules_hold() {
        for good in ["2024-02-29", "2000-02-29Z", "12026-01-31+14:00", "-0001-12-31-14:00"] {
            assert!(is_date(good), "{good}");
        }
        let bad = ["2023-02-29", "1900-02-29", "0000-01-01", "026-01-01", "02026-01-01"];
        for bad in bad.into_iter().chain(["2026-13-01", "2026-00-01", "2026-04-31", "2026-01-00"]) {
            assert!(!is_date(bad), "{bad}");
        }
        for bad in ["24:00:01", "23:60:00", "23:00:60", "23:00:00.", "23:00", "23:00:00+14:01"] {
            assert!(!is_time(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn rendering_then_parsing_a_moment_is_identity(moment in 0..253_402_300_800_000_u64) {
            prop_assert_eq!(parse_moment(&render_moment(BlockTime(moment))), Ok(BlockTime(moment)));
        }
    }
}
