//! Decimal numbers by their digits, compared exactly and never as floats.

use std::cmp::Ordering;

/// A decimal number in its shortest form: no zeros in front of the whole part, none behind the
/// fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
}

/// Digits beyond which libxml2, whose verdict is the reference, does not read a number.
const DIGITS_MAX: usize = 24;

impl<'a> Decimal<'a> {
    /// Reads an `xs:decimal` without surrounding blanks.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        if whole.len() + fraction.len() > DIGITS_MAX {
            return None;
        }
        let fraction = fraction.trim_end_matches('0');
        let negative = text.starts_with('-') && !(whole.is_empty() && fraction.is_empty());
        Some(Self { negative, whole, fraction })
    }

    /// Significant digits, as the facet `totalDigits` counts them.
    pub(crate) fn total_digits(&self) -> usize {
        (self.whole.len() + self.fraction.len()).max(1)
    }

    /// Digits behind the point, as the facet `fractionDigits` counts them.
    pub(crate) fn fraction_digits(&self) -> usize {
        self.fraction.len()
    }

    fn cmp_magnitude(&self, other: &Self) -> Ordering {
        let whole = self.whole.len().cmp(&other.whole.len());
        // Equal-length digit strings, and fractions of any length, order as text.
        whole
            .then_with(|| self.whole.cmp(other.whole))
            .then_with(|| self.fraction.cmp(other.fraction))
    }
}

impl PartialOrd for Decimal<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.cmp_magnitude(other),
            (true, true) => other.cmp_magnitude(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_counted_and_ordered_by_value() {
        let read = |text| Decimal::parse(text).expect("a decimal number");
        let ordered =
            ["-10", "-9.5", "-9", "-0.01", "-0", "0.001", ".01", "1.", "1.1", "9", "10.0"];
        for pair in ordered.windows(2) {
            assert!(read(pair[0]) < read(pair[1]), "{pair:?}");
        }
        assert_eq!(read("+0"), read("-0.00"));
        assert_eq!((read("0.001").total_digits(), read("0.001").fraction_digits()), (3, 3));
        assert_eq!((read("0100.50").total_digits(), read("0100.50").fraction_digits()), (4, 1));
        assert_eq!(read("0").total_digits(), 1);
        for bad in ["", ".", "-", "1e3", "1,5", "1.2.3", "+-1", " 1", "0x1"] {
            assert_eq!(Decimal::parse(bad), None, "{bad:?}");
        }
    }
}
