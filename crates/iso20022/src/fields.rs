//! The values of message fields: checked at construction, so that a rendered message is valid, and
//! silent where they are personal.

use std::borrow::Cow;
use std::fmt;

/// Why a text is no value of a field. Never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// Empty, or longer than the field.
    #[error("the text has not 1 to {max} characters")]
    Length {
        /// The longest allowed, in characters.
        max: usize,
    },
    /// A character that XML cannot carry.
    #[error("the text holds a control character")]
    Character,
    /// Not of the form that ISO 9362 or ISO 13616 give.
    #[error("the text is no {kind}")]
    Form {
        /// What was expected.
        kind: &'static str,
    },
}

fn check_text(text: &str, max: usize) -> Result<(), FieldError> {
    if !(1..=max).contains(&text.chars().count()) {
        return Err(FieldError::Length { max });
    }
    let carried =
        |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{7F}'..='\u{9F}');
    let fits = text.chars().all(|c| carried(c) && !matches!(c, '\u{FFFE}' | '\u{FFFF}'));
    if fits { Ok(()) } else { Err(FieldError::Character) }
}

/// A text of 1 to `MAX` characters that names no person: an identifier or a code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// Checks and keeps `text`.
    ///
    /// # Errors
    /// [`FieldError::Length`], [`FieldError::Character`].
    pub fn new(text: &str) -> Result<Self, FieldError> {
        check_text(text, MAX)?;
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text of 1 to `MAX` characters about a person: a name, an alias, a remittance text. It has no
/// `Display` and its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Personal<const MAX: usize>(String);

impl<const MAX: usize> Personal<MAX> {
    /// Checks and keeps `text`.
    ///
    /// # Errors
    /// [`FieldError::Length`], [`FieldError::Character`].
    pub fn new(text: &str) -> Result<Self, FieldError> {
        check_text(text, MAX)?;
        Ok(Self(text.to_owned()))
    }

    /// The text, for the vault and for messages; never for a log or an error.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Debug for Personal<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(redacted)")
    }
}

/// An account number of the form of ISO 13616: country, check digits, at most 30 letters and
/// digits. The check digits may still be wrong: see [`Iban::has_valid_check_digits`]. Personal: no
/// `Display`, redacted `Debug`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Iban(String);

impl Iban {
    /// Checks the form of `text`, not its check digits.
    ///
    /// # Errors
    /// [`FieldError::Form`].
    pub fn new(text: &str) -> Result<Self, FieldError> {
        let bytes = text.as_bytes();
        let fits = (5..=34).contains(&bytes.len())
            && bytes[..2].iter().all(u8::is_ascii_uppercase)
            && bytes[2..4].iter().all(u8::is_ascii_digit)
            && bytes[4..].iter().all(u8::is_ascii_alphanumeric);
        if fits { Ok(Self(text.to_owned())) } else { Err(FieldError::Form { kind: "IBAN" }) }
    }

    /// Whether the check digits are right, and the length where the country is Azerbaijan (28).
    ///
    /// Source: ISO 13616-1, ISO/IEC 7064 MOD 97-10.
    pub fn has_valid_check_digits(&self) -> bool {
        let (front, back) = self.0.split_at(4);
        let remainder = back.chars().chain(front.chars()).fold(0, |remainder: u32, character| {
            let value = character.to_digit(36).expect("an IBAN holds letters and digits");
            (if value < 10 { remainder * 10 } else { remainder * 100 } + value) % 97
        });
        remainder == 1 && (!front.starts_with("AZ") || self.0.len() == 28)
    }

    /// The number, for the vault and for messages; never for a log or an error.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Iban {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Iban(redacted)")
    }
}

/// A business identifier code of a financial institution, 8 or 11 characters (ISO 9362).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bic(String);

impl Bic {
    /// Checks and keeps `text`.
    ///
    /// # Errors
    /// [`FieldError::Form`].
    pub fn new(text: &str) -> Result<Self, FieldError> {
        let bytes = text.as_bytes();
        let alphanumeric = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        let fits = matches!(bytes.len(), 8 | 11)
            && bytes.iter().all(alphanumeric)
            && bytes[4..6].iter().all(u8::is_ascii_uppercase);
        if fits { Ok(Self(text.to_owned())) } else { Err(FieldError::Form { kind: "BIC" }) }
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Bic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A reason of the external code list `ExternalStatusReason1Code`, 1 to 4 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReasonCode(Cow<'static, str>);

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        impl ReasonCode {
            $($(#[$doc])* pub const $name: Self = Self(Cow::Borrowed(stringify!($name)));)+
        }
    };
}

reasons! {
    /// Transaction stopped: time-out at the creditor's agent.
    AB05,
    /// Transaction stopped: time-out at the instructed agent.
    AB06,
    /// The creditor's agent is not online.
    AB08,
    /// Account number invalid or missing.
    AC01,
    /// Creditor's account number invalid or missing.
    AC03,
    /// Account closed.
    AC04,
    /// Account blocked.
    AC06,
    /// Transaction forbidden on this kind of account.
    AG01,
    /// Transaction kind not supported.
    AG03,
    /// The agent in the payment workflow is incorrect.
    AGNT,
    /// The amount is zero.
    AM01,
    /// The amount is above the allowed maximum.
    AM02,
    /// The currency is not allowed.
    AM03,
    /// Not enough funds.
    AM04,
    /// Duplication.
    AM05,
    /// The sum of the amounts differs from the control sum.
    AM10,
    /// The amount is invalid or missing.
    AM12,
    /// The amount is above the clearing system's limit.
    AM13,
    /// The amount is above the limit agreed between bank and customer.
    AM14,
    /// The number of transactions is invalid or missing.
    AM18,
    /// A mandatory element is missing.
    CH21,
    /// A date is invalid.
    DT01,
    /// The payment is a duplicate of another payment.
    DUPL,
    /// The file's format is incomplete or invalid.
    FF01,
    /// Suspected fraud.
    FRAD,
    /// Reason not specified by the agent.
    MS03,
    /// The reason is given as a text.
    NARR,
    /// The bank identifier is invalid or missing.
    RC01,
    /// A regulatory reason.
    RR04,
    /// Received after the agreed processing cut-off time.
    TM01,
}

impl ReasonCode {
    /// A code of the list, which grows every quarter and is thus not checked against it.
    ///
    /// # Errors
    /// [`FieldError::Length`], [`FieldError::Character`].
    pub fn new(text: &str) -> Result<Self, FieldError> {
        check_text(text, 4)?;
        Ok(Self(Cow::Owned(text.to_owned())))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_of_an_iban_are_proven() {
        let valid = |text| Iban::new(text).expect("the form of an IBAN").has_valid_check_digits();
        assert!(valid("AZ21NABZ00000000137010001944"));
        assert!(valid("DE89370400440532013000"));
        assert!(valid("GB82WEST12345698765432"));
        assert!(!valid("AZ22NABZ00000000137010001944"));
        assert!(!valid("AZ77VTBA00000000001234567890123"));
        for bad in ["", "AZ21", "az21NABZ00000000137010001944", "AZ2ANABZ", "AZ21NABZ-1"] {
            assert!(Iban::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_text_is_bounded_in_characters_and_carries_no_control_characters() {
        assert!(Text::<4>::new("əəəə").is_ok());
        assert_eq!(Text::<4>::new("əəəəə"), Err(FieldError::Length { max: 4 }));
        assert_eq!(Text::<4>::new(""), Err(FieldError::Length { max: 4 }));
        assert_eq!(Text::<4>::new("a\u{1}"), Err(FieldError::Character));
        assert_eq!(Text::<4>::new("a\u{FFFF}"), Err(FieldError::Character));
    }

    #[test]
    fn what_is_personal_does_not_show_in_debug_output() {
        let name = Personal::<140>::new("Synthetic Person").expect("a short text");
        let iban = Iban::new("AZ21NABZ00000000137010001944").expect("the form of an IBAN");
        let shown = format!("{name:?} {iban:?}");
        assert!(!shown.contains("Synthetic") && !shown.contains("NABZ"), "{shown}");
    }

    #[test]
    fn a_bic_has_8_or_11_capital_letters_and_digits() {
        for good in ["NABZAZ2C", "NABZAZ2CXXX", "1234AZ2C"] {
            assert!(Bic::new(good).is_ok(), "{good}");
        }
        for bad in ["", "NABZAZ2", "NABZ122C", "nabzaz2c", "NABZAZ2CXX"] {
            assert!(Bic::new(bad).is_err(), "{bad}");
        }
    }
}
