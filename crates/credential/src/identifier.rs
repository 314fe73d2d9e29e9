//! Identifiers of people, companies and documents, and the rules by which they are well formed.
//!
//! Each is personal data: none has a `Display`, each `Debug` is redacted, and no error repeats what
//! it was given. Who needs the text says so by calling `expose`.
//!
//! Deliberately absent: whether an identifier was ever issued. Only a register knows.

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest text any identifier is parsed from, in bytes.
pub const INPUT_BYTES_MAX: usize = 64;

/// Why a text is no identifier. It never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// Not seven of the characters `0-9A-HJ-NP-Z`.
    #[error("not a personal identification number")]
    Fin,
    /// Not ten digits.
    #[error("not a taxpayer number of ten digits")]
    VoenFormat,
    /// The ninth digit is not what the first eight demand.
    #[error("the taxpayer number's check digit is wrong")]
    VoenCheckDigit,
    /// The tenth digit is neither 1 nor 2.
    #[error("the taxpayer number names no legal status")]
    VoenStatus,
    /// No form of identity or travel document.
    #[error("not a document number")]
    Document,
    /// Not a number of nine digits in Azerbaijan.
    #[error("not a telephone number of Azerbaijan")]
    Phone,
}

impl IdentifierError {
    /// The stable code in interfaces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Fin => "fin_malformed",
            Self::VoenFormat => "voen_malformed",
            Self::VoenCheckDigit => "voen_check_digit",
            Self::VoenStatus => "voen_legal_status",
            Self::Document => "document_number_malformed",
            Self::Phone => "phone_malformed",
        }
    }
}

/// Gives a type over text its redacted `Debug` and its serde by way of `parse` and `expose`.
macro_rules! personal_text {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.expose())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

/// A personal identification number (FİN): seven of `0-9A-HJ-NP-Z`, for life.
///
/// There is no public check digit. Source: domain/identity.md §1.1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fin([u8; 7]);

personal_text!(Fin);

impl Fin {
    /// Parses `text` after trimming. Lower-case ASCII letters are raised without regard to any
    /// locale; `ı`, `i`, `İ`, `I`, `o` and `O` are refused, never mapped: each could have meant a
    /// digit.
    ///
    /// # Errors
    /// [`IdentifierError::Fin`].
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        let bytes: [u8; 7] = text.trim().as_bytes().try_into().map_err(|_| IdentifierError::Fin)?;
        let raised = bytes.map(|byte| byte.to_ascii_uppercase());
        let valid = raised
            .iter()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'H' | b'J'..=b'N' | b'P'..=b'Z'));
        if valid { Ok(Self(raised)) } else { Err(IdentifierError::Fin) }
    }

    /// The seven characters, in clear.
    pub fn expose(&self) -> &str {
        core::str::from_utf8(&self.0).expect("`parse` let ASCII through only")
    }
}

/// What kind of taxpayer a VÖEN belongs to: its tenth digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegalStatus {
    /// Digit 1.
    LegalPerson,
    /// Digit 2: a natural person in business.
    NaturalPerson,
}

/// A taxpayer number (VÖEN): ten digits, the ninth a check digit, the tenth the legal status.
///
/// Source: OECD TIN sheet of Azerbaijan; domain/identity.md §1.3.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Voen([u8; 10]);

personal_text!(Voen);

impl Voen {
    const WEIGHTS: [u32; 8] = [4, 1, 8, 6, 2, 7, 5, 3];

    /// Parses `text` after trimming; nine digits are an old writing that lost its leading zero.
    ///
    /// # Errors
    /// [`IdentifierError::VoenFormat`], then [`IdentifierError::VoenStatus`], then
    /// [`IdentifierError::VoenCheckDigit`].
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        let text = text.trim().as_bytes();
        let mut digits = [b'0'; 10];
        match text.len() {
            10 => digits.copy_from_slice(text),
            9 => digits[1..].copy_from_slice(text),
            _ => return Err(IdentifierError::VoenFormat),
        }
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(IdentifierError::VoenFormat);
        }
        if !matches!(digits[9], b'1' | b'2') {
            return Err(IdentifierError::VoenStatus);
        }
        let serial = digits.first_chunk().expect("ten digits begin with eight");
        if Self::check_digit(serial) != Some(digits[8]) {
            return Err(IdentifierError::VoenCheckDigit);
        }
        Ok(Self(digits))
    }

    /// The check digit of eight ASCII digits, or `None` where the remainder is ten: such a serial
    /// is never issued.
    pub fn check_digit(serial: &[u8; 8]) -> Option<u8> {
        let sum: u32 = Self::WEIGHTS
            .iter()
            .zip(serial)
            .map(|(weight, digit)| weight * u32::from(digit.wrapping_sub(b'0')))
            .sum();
        u8::try_from(sum % 11).ok().filter(|rest| *rest < 10).map(|rest| b'0' + rest)
    }

    /// Whose number it is.
    pub const fn legal_status(&self) -> LegalStatus {
        if self.0[9] == b'1' { LegalStatus::LegalPerson } else { LegalStatus::NaturalPerson }
    }

    /// The ten digits, in clear.
    pub fn expose(&self) -> &str {
        core::str::from_utf8(&self.0).expect("`parse` let digits through only")
    }
}

/// Which document a number is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// The identity card before 2018: `AZE` and eight digits.
    IdentityCardOld,
    /// The identity card with a chip, from 2018: `AA` and seven digits.
    IdentityCard,
    /// Other series of two letters with seven digits: a child's identity card.
    ChildIdentityCard,
    /// A passport or permit with six to nine letters and digits (ICAO Doc 9303-4 §4.2.2).
    TravelDocument,
}

/// Series and number of an identity or travel document, without spaces.
///
/// Source: domain/identity.md §1.2.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentNumber(String);

personal_text!(DocumentNumber);

impl DocumentNumber {
    /// Parses `text`; spaces anywhere are dropped, ASCII letters raised.
    ///
    /// # Errors
    /// [`IdentifierError::Document`].
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        if text.len() > INPUT_BYTES_MAX {
            return Err(IdentifierError::Document);
        }
        let compact: String = text.chars().filter(|letter| *letter != ' ').collect();
        let number = Self(compact.to_ascii_uppercase());
        if number.classify().is_some() { Ok(number) } else { Err(IdentifierError::Document) }
    }

    /// Which document it is on.
    pub fn kind(&self) -> DocumentKind {
        self.classify().expect("`parse` let numbers of a known kind through only")
    }

    /// The number, in clear.
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn classify(&self) -> Option<DocumentKind> {
        let text = self.0.as_str();
        let digits = |rest: &str, count: usize| {
            rest.len() == count && rest.bytes().all(|byte| byte.is_ascii_digit())
        };
        if text.strip_prefix("AZE").is_some_and(|rest| digits(rest, 8)) {
            return Some(DocumentKind::IdentityCardOld);
        }
        if text.strip_prefix("AA").is_some_and(|rest| digits(rest, 7)) {
            return Some(DocumentKind::IdentityCard);
        }
        let plain = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if !plain || !(6..=9).contains(&text.len()) {
            return None;
        }
        let (series, rest) = text.split_at(2);
        if series.bytes().all(|byte| byte.is_ascii_uppercase()) && digits(rest, 7) {
            return Some(DocumentKind::ChildIdentityCard);
        }
        text.bytes().any(|byte| byte.is_ascii_digit()).then_some(DocumentKind::TravelDocument)
    }
}

/// A telephone number of Azerbaijan, kept as `+994` and nine digits (E.164).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone([u8; 13]);

personal_text!(Phone);

impl Phone {
    /// The first two digits after `+994` that mobile networks use.
    pub const MOBILE_PREFIXES: [&'static str; 8] = ["10", "50", "51", "55", "60", "70", "77", "99"];

    /// Parses a number written internationally (`+994…`, `00994…`, `994…`) or nationally (`0…`);
    /// spaces, hyphens and parentheses are dropped.
    ///
    /// # Errors
    /// [`IdentifierError::Phone`].
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        if text.len() > INPUT_BYTES_MAX {
            return Err(IdentifierError::Phone);
        }
        let compact: String =
            text.chars().filter(|letter| !matches!(letter, ' ' | '-' | '(' | ')')).collect();
        let rest = ["+994", "00994", "994", "0"]
            .iter()
            .find_map(|prefix| compact.strip_prefix(prefix))
            .ok_or(IdentifierError::Phone)?;
        let digits: [u8; 9] = rest.as_bytes().try_into().map_err(|_| IdentifierError::Phone)?;
        if digits[0] == b'0' || !digits.iter().all(u8::is_ascii_digit) {
            return Err(IdentifierError::Phone);
        }
        let mut number = *b"+994000000000";
        number[4..].copy_from_slice(&digits);
        Ok(Self(number))
    }

    /// Whether a mobile network serves it.
    pub fn is_mobile(&self) -> bool {
        Self::MOBILE_PREFIXES.contains(&&self.expose()[4..6])
    }

    /// The number in E.164, in clear.
    pub fn expose(&self) -> &str {
        core::str::from_utf8(&self.0).expect("`parse` let digits through only")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_fin_is_raised_without_a_locale_and_dotted_or_dotless_i_is_refused() {
        assert_eq!(
            Fin::parse(" 7zx4q9b ").map(|fin| fin.expose().to_owned()),
            Ok("7ZX4Q9B".into())
        );
        for text in [
            "7ZX4Q9", "7ZX4Q9BB", "7ZXIQ9B", "7zxiq9b", "7zxıq9", "7zxİq9", "7ZXOQ9B", "7zxoq9b",
            "",
        ] {
            assert_eq!(Fin::parse(text), Err(IdentifierError::Fin), "{text}");
        }
    }

    // VÖENs that banks publish themselves, and three of open registers.
    #[test]
    fn published_taxpayer_numbers_pass_and_each_changed_digit_of_the_serial_fails() {
        for text in ["1406242111", "1404574551", "9900071001", " 9900071001 "] {
            let voen = Voen::parse(text).expect("a published number");
            assert_eq!(voen.legal_status(), LegalStatus::LegalPerson);
            for at in 0..9 {
                let mut bytes = voen.0;
                bytes[at] = b'0' + (bytes[at] - b'0' + 1) % 10;
                let changed = core::str::from_utf8(&bytes).unwrap();
                assert_eq!(Voen::parse(changed), Err(IdentifierError::VoenCheckDigit), "{changed}");
            }
        }
        assert_eq!(Voen::parse("1406242113"), Err(IdentifierError::VoenStatus));
        assert_eq!(Voen::parse("14062421"), Err(IdentifierError::VoenFormat));
        assert_eq!(Voen::parse("140624211a"), Err(IdentifierError::VoenFormat));
    }

    #[test]
    fn nine_digits_are_a_number_that_lost_its_leading_zero() {
        let serial = b"01234567";
        let check = Voen::check_digit(serial).expect("a serial that can be issued");
        let tail = format!("1234567{}2", char::from(check));
        let voen = Voen::parse(&tail).expect("nine digits");
        assert_eq!(voen.expose(), format!("0{tail}"));
        assert_eq!(voen.legal_status(), LegalStatus::NaturalPerson);
    }

    #[test]
    fn document_numbers_are_told_apart() {
        let kind = |text| DocumentNumber::parse(text).map(|number| number.kind());
        assert_eq!(kind("AZE 12345678"), Ok(DocumentKind::IdentityCardOld));
        assert_eq!(kind("aa1234567"), Ok(DocumentKind::IdentityCard));
        assert_eq!(kind("BB1234567"), Ok(DocumentKind::ChildIdentityCard));
        assert_eq!(kind("C01234567"), Ok(DocumentKind::TravelDocument));
        for bad in
            ["", "AZE1234567", "AA12345678", "ABCDEFG", "AA123456Ş", "AA-123456", "ƏƏ1234567"]
        {
            assert_eq!(kind(bad), Err(IdentifierError::Document), "{bad}");
        }
    }

    #[test]
    fn a_phone_number_is_one_value_however_it_is_written() {
        let number = Phone::parse("+994501234567").expect("international");
        for text in ["050 123-45-67", "00994501234567", "994501234567", "(050) 123 45 67"] {
            assert_eq!(Phone::parse(text), Ok(number), "{text}");
        }
        assert!(number.is_mobile());
        assert!(!Phone::parse("+994 12 345 67 89").expect("a fixed line").is_mobile());
        for bad in
            ["", "501234567", "+99450123456", "+9945012345678", "+994050123456", "+90501234567"]
        {
            assert_eq!(Phone::parse(bad), Err(IdentifierError::Phone), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_parses_as_a_fin_matches_the_pattern_and_parses_to_itself(text in "\\PC{0,9}") {
            if let Ok(fin) = Fin::parse(&text) {
                prop_assert_eq!(fin.expose().len(), 7);
                prop_assert!(!fin.expose().contains(['I', 'O', 'i', 'o']));
                prop_assert_eq!(Fin::parse(fin.expose()), Ok(fin));
            }
        }

        #[test]
        fn no_identifier_shows_itself_in_debug_or_in_an_error(
            fin in "[0-9A-HJ-NP-Z]{7}", phone in "50[0-9]{7}", document in "AZE[0-9]{8}",
        ) {
            let shown = format!("{:?}", Fin::parse(&fin).unwrap());
            prop_assert!(!shown.contains(&fin));
            let shown = format!("{:?}", Phone::parse(&format!("0{phone}")).unwrap());
            prop_assert!(!shown.contains(&phone));
            let shown = format!("{:?}", DocumentNumber::parse(&document).unwrap());
            prop_assert!(!shown.contains(&document[3..]));
            let wrong = format!("{fin}!");
            let error = serde_json::from_value::<Fin>(wrong.clone().into()).unwrap_err();
            prop_assert!(!error.to_string().contains(&fin));
        }
    }
}
