//! Whether a value belongs to a simple type.

use std::borrow::Cow;

use crate::calendar;
use crate::decimal::Decimal;
use crate::report::Code;
use crate::schema::{Base, Simple};
use crate::xml::trim;

/// The broken rule and its sentence, which never repeats the value.
type Refusal = (Code, Cow<'static, str>);

/// Checks `value`, as it stands between its tags, against `simple`.
pub(crate) fn check(simple: &Simple, value: &str) -> Result<(), Refusal> {
    // Blanks around a value do not count in a number; for dates see [`calendar`].
    let trimmed = trim(value);
    match simple.base {
        Base::String => check_string(simple, value),
        Base::Decimal => check_decimal(simple, trimmed),
        Base::Base64 => check_base64(simple, value),
        Base::Boolean => {
            let known = matches!(trimmed, "true" | "false" | "1" | "0");
            demand(known, "the value is neither true, false, 1 nor 0")
        }
        Base::DateTime => demand(calendar::is_date_time(value), "the value is no date and time"),
        Base::Date => demand(calendar::is_date(value), "the value is no date"),
        Base::Time => demand(calendar::is_time(value), "the value is no time of day"),
        Base::Year => demand(calendar::is_year(value), "the value is no year"),
        Base::YearMonth => demand(calendar::is_year_month(value), "the value is no month"),
    }
}

fn demand(holds: bool, sentence: &'static str) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err((Code::ValueType, Cow::Borrowed(sentence))) }
}

fn check_string(simple: &Simple, value: &str) -> Result<(), Refusal> {
    check_length(simple, value.chars().count(), "characters")?;
    if let Some((pattern, regex)) = &simple.pattern
        && !regex.is_match(value)
    {
        return Err((Code::ValuePattern, format!("the value does not match {pattern}").into()));
    }
    if !simple.codes.is_empty() && !simple.codes.contains(&value) {
        let codes = simple.codes.join(", ");
        return Err((Code::ValueCode, format!("the value is none of {codes}").into()));
    }
    Ok(())
}

fn check_length(simple: &Simple, length: usize, unit: &str) -> Result<(), Refusal> {
    let (min, max) = (simple.length_min, simple.length_max);
    if (min..=max).contains(&length) {
        return Ok(());
    }
    let sentence = if length < min {
        format!("the value has {length} {unit}, fewer than {min}")
    } else {
        format!("the value has {length} {unit}, more than {max}")
    };
    Err((Code::ValueLength, sentence.into()))
}

fn check_decimal(simple: &Simple, value: &str) -> Result<(), Refusal> {
    let Some(number) = Decimal::parse(value) else {
        return demand(false, "the value is no decimal number");
    };
    let digits = |given: usize, max: Option<usize>, kind: &str| match max {
        Some(max) if given > max => {
            let sentence = format!("the number has {given} {kind}, more than {max}");
            Err((Code::ValueDigits, Cow::from(sentence)))
        }
        _ => Ok(()),
    };
    digits(number.total_digits(), simple.total_digits, "digits")?;
    digits(number.fraction_digits(), simple.fraction_digits, "digits behind the point")?;
    if simple.min_inclusive.as_ref().is_some_and(|min| number < *min) {
        return Err((Code::ValueRange, "the number is below the least allowed".into()));
    }
    if simple.max_inclusive.as_ref().is_some_and(|max| number > *max) {
        return Err((Code::ValueRange, "the number is above the largest allowed".into()));
    }
    Ok(())
}

/// Like libxml2, whose verdict is the reference, this passes over characters outside of the
/// alphabet; what remains must be whole groups with correct padding.
fn check_base64(simple: &Simple, value: &str) -> Result<(), Refusal> {
    let (mut digits, mut padding, mut last) = (0_usize, 0_usize, 0_u8);
    for byte in value.bytes() {
        match sextet(byte) {
            Some(_) if padding > 0 => return demand(false, "base64 goes on after its padding"),
            Some(digit) => (digits, last) = (digits + 1, digit),
            None if byte == b'=' => padding += 1,
            None => {}
        }
    }
    let whole = match (padding, digits % 4) {
        (0, 0) => true,
        (1, 3) => last.trailing_zeros() >= 2,
        (2, 2) => last.trailing_zeros() >= 4,
        _ => false,
    };
    demand(whole, "the value is no base64")?;
    check_length(simple, digits * 3 / 4, "bytes")
}

fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}
