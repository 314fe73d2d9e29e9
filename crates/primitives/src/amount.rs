//! Money: an integer count of minor units, and the currency it is counted in.

use core::fmt;

use serde::{Deserialize, Serialize};

/// An amount in minor units (100 qəpik = 1 AZN). Invariant: `0..=MAX`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Amount(u64);

/// Why a number or a text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Above [`Amount::MAX`].
    #[error("amount is above the largest amount of {} minor units", Amount::MAX.minor_units())]
    TooLarge,
    /// Not decimal digits with at most two fraction digits after a full stop.
    #[error("amount is not a decimal number with at most two fraction digits")]
    Malformed,
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// One below 2^53, so that a browser reads every amount exactly.
    pub const MAX: Self = Self((1 << 53) - 1);

    /// The amount of `minor_units`.
    ///
    /// # Errors
    /// [`AmountError::TooLarge`] above [`Amount::MAX`].
    pub const fn new(minor_units: u64) -> Result<Self, AmountError> {
        if minor_units > Self::MAX.0 { Err(AmountError::TooLarge) } else { Ok(Self(minor_units)) }
    }

    /// The count of minor units.
    pub const fn minor_units(self) -> u64 {
        self.0
    }

    /// Whether this is [`Amount::ZERO`].
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, or `None` above [`Amount::MAX`].
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self).filter(|sum| *sum <= Self::MAX)
    }

    /// The difference, or `None` below zero.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Reads `1234.5` as 123,450 minor units, exactly: digits, and at most two after a full stop.
    ///
    /// # Errors
    /// [`AmountError::Malformed`] for any other text, [`AmountError::TooLarge`] above the maximum.
    ///
    /// Source: ISO 20022 `ActiveCurrencyAndAmount`, ISO 4217 exponent 2 for AZN.
    pub fn parse_decimal(text: &str) -> Result<Self, AmountError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let fraction = fraction.trim_end_matches('0');
        if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
            return Err(AmountError::Malformed);
        }
        let hundredths = match fraction.len() {
            0 => 0,
            1 => u64::from(fraction.as_bytes()[0] - b'0') * 10,
            2 => fraction.parse().map_err(|_| AmountError::Malformed)?,
            _ => return Err(AmountError::Malformed),
        };
        let whole: u64 = match whole.trim_start_matches('0') {
            "" => 0,
            digits if digits.len() > 18 => return Err(AmountError::TooLarge),
            digits => digits.parse().map_err(|_| AmountError::Malformed)?,
        };
        let minor = whole.checked_mul(100).and_then(|minor| minor.checked_add(hundredths));
        Self::new(minor.ok_or(AmountError::TooLarge)?)
    }
}

impl fmt::Display for Amount {
    /// `1234.50`: the form of ISO 20022 messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl TryFrom<u64> for Amount {
    type Error = AmountError;

    fn try_from(minor_units: u64) -> Result<Self, AmountError> {
        Self::new(minor_units)
    }
}

impl From<Amount> for u64 {
    fn from(amount: Amount) -> u64 {
        amount.0
    }
}

/// An ISO 4217 currency by its three letters. Every currency here has two fraction digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The Azerbaijani manat.
    pub const AZN: Self = Self(*b"AZN");

    /// The currency of three capital letters, or `None`.
    pub fn new(code: [u8; 3]) -> Option<Self> {
        code.iter().all(u8::is_ascii_uppercase).then_some(Self(code))
    }

    /// The three letters.
    pub const fn code(self) -> [u8; 3] {
        self.0
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimal_texts_are_read_exactly_or_refused() {
        let minor = |text: &str| Amount::parse_decimal(text).map(Amount::minor_units);
        assert_eq!(minor("0"), Ok(0));
        assert_eq!(minor("1234.5"), Ok(123_450));
        assert_eq!(minor("1234.50000"), Ok(123_450));
        assert_eq!(minor(".07"), Ok(7));
        assert_eq!(minor("90071992547409.91"), Ok((1 << 53) - 1));
        assert_eq!(minor("90071992547409.92"), Err(AmountError::TooLarge));
        for bad in ["", ".", "-1", "+1", "1.001", "1,5", "1e3", " 1", "1.2.3", "NaN"] {
            assert_eq!(minor(bad), Err(AmountError::Malformed), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn rendering_then_parsing_is_identity(minor in 0..=Amount::MAX.minor_units()) {
            let amount = Amount::new(minor).expect("the range is the type's own");
            prop_assert_eq!(Amount::parse_decimal(&amount.to_string()), Ok(amount));
        }
    }
}
