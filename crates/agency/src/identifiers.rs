//! The two numbers by which state registers know people and businesses.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The 34 characters of a FIN: capitals and digits without `I` and `O`.
const FIN_ALPHABET: &[u8; 34] = b"0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// Characters of a FIN.
const FIN_CHARACTERS: usize = 7;
/// How many FINs there are: 34^7.
pub(crate) const FIN_COUNT: u64 = 52_523_350_144;
/// Weights of the digits 1 to 8 of a VÖEN; digit 9 is the sum modulo 11.
const VOEN_WEIGHTS: [u8; 8] = [4, 1, 8, 6, 2, 7, 5, 3];

/// A person's FIN (fərdi identifikasiya nömrəsi): seven characters of `[0-9A-HJ-NP-Z]`.
///
/// Personal data: it has no `Display`, and `Debug` hides it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fin([u8; FIN_CHARACTERS]);

/// A taxpayer's number (VÖEN): ten digits with a check digit.
///
/// Of an entrepreneur it is personal data: `Debug` hides it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Voen([u8; 10]);

/// Whom a VÖEN belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VoenKind {
    /// A legal person: the last digit is 1.
    LegalPerson,
    /// A natural person who does business: the last digit is 2.
    NaturalPerson,
}

/// A text is not the number it should be. Does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// Not seven characters of `[0-9A-HJ-NP-Z]`.
    #[error("a FIN has seven capitals and digits, without I and O")]
    Fin,
    /// Not ten digits, a wrong check digit, or another legal status than 1 and 2.
    #[error("a VÖEN has ten digits with the right check digit")]
    Voen,
}

impl IdentifierError {
    /// The stable code in interfaces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Fin => "fin_malformed",
            Self::Voen => "voen_malformed",
        }
    }
}

impl Fin {
    /// Reads a FIN as people write it: trimmed, capitals or not. The dotted and dotless i are no
    /// letters of a FIN and are refused, whatever the case.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        let bytes = text.trim().as_bytes();
        let mut fin: [u8; FIN_CHARACTERS] = bytes.try_into().map_err(|_| IdentifierError::Fin)?;
        fin.make_ascii_uppercase();
        let valid = fin.iter().all(|byte| FIN_ALPHABET.contains(byte));
        valid.then_some(Self(fin)).ok_or(IdentifierError::Fin)
    }

    /// The seven characters: for registers and sealed payloads only.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a FIN holds ASCII characters only")
    }

    /// The FIN with the number `index`, modulo how many there are.
    pub(crate) fn from_index(index: u64) -> Self {
        let mut rest = index % FIN_COUNT;
        let mut fin = [0; FIN_CHARACTERS];
        for place in fin.iter_mut().rev() {
            let digit = usize::try_from(rest % 34).expect("below 34");
            *place = FIN_ALPHABET[digit];
            rest /= 34;
        }
        Self(fin)
    }
}

impl Voen {
    /// Reads ten digits.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        let bytes = text.trim().as_bytes();
        let voen: [u8; 10] = bytes.try_into().map_err(|_| IdentifierError::Voen)?;
        let digits = voen.iter().all(u8::is_ascii_digit);
        let valid =
            digits && matches!(voen[9], b'1' | b'2') && check_digit(&voen[..8]) == Some(voen[8]);
        valid.then_some(Self(voen)).ok_or(IdentifierError::Voen)
    }

    /// The ten digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a VÖEN holds ASCII digits only")
    }

    /// Whom it belongs to.
    pub const fn kind(&self) -> VoenKind {
        if self.0[9] == b'1' { VoenKind::LegalPerson } else { VoenKind::NaturalPerson }
    }

    /// The VÖEN with this six-digit serial in the first territory from `territory` (10 to 19) on
    /// that gives a check digit.
    pub(crate) fn from_serial(territory: u8, serial: u32, kind: VoenKind) -> Self {
        let end = if kind == VoenKind::LegalPerson { '1' } else { '2' };
        for tens in 0..9 {
            let body = format!("{:02}{:06}", territory % 10 + 10 * (tens + 1), serial % 1_000_000);
            if let Some(check) = check_digit(body.as_bytes()) {
                let text = format!("{body}{}{end}", char::from(check));
                return Self::parse(&text).expect("made of ten digits with its check digit");
            }
        }
        unreachable!("another territory changes the sum by 4, which is 10 modulo 11 only once")
    }
}

/// The ninth digit for eight digits; `None` for a remainder of 10, which no VÖEN has.
fn check_digit(body: &[u8]) -> Option<u8> {
    let products = body.iter().zip(VOEN_WEIGHTS);
    let sum: u32 =
        products.map(|(digit, weight)| u32::from(digit - b'0') * u32::from(weight)).sum();
    u8::try_from(sum % 11).ok().filter(|digit| *digit < 10).map(|digit| digit + b'0')
}

impl TryFrom<String> for Fin {
    type Error = IdentifierError;

    fn try_from(text: String) -> Result<Self, IdentifierError> {
        Self::parse(&text)
    }
}

impl From<Fin> for String {
    fn from(fin: Fin) -> Self {
        fin.as_str().to_owned()
    }
}

impl TryFrom<String> for Voen {
    type Error = IdentifierError;

    fn try_from(text: String) -> Result<Self, IdentifierError> {
        Self::parse(&text)
    }
}

impl From<Voen> for String {
    fn from(voen: Voen) -> Self {
        voen.as_str().to_owned()
    }
}

impl fmt::Debug for Fin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fin(redacted)")
    }
}

impl fmt::Debug for Voen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Voen(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fin_is_read_as_people_write_it() {
        assert_eq!(Fin::parse(" 5zz9a0b ").unwrap().as_str(), "5ZZ9A0B");
        assert_eq!(Fin::from_index(0).as_str(), "0000000");
        assert_eq!(Fin::from_index(FIN_COUNT - 1).as_str(), "ZZZZZZZ");
    }

    #[test]
    fn no_fin_has_an_i_an_o_or_another_length() {
        for text in
            ["5ZZ9A0", "5ZZ9A0BB", "5ZZ9AOB", "5ZZ9AIB", "5ZZ9A\u{131}B", "5ZZ9A\u{130}", ""]
        {
            assert_eq!(Fin::parse(text), Err(IdentifierError::Fin), "{text}");
        }
    }

    #[test]
    fn a_voen_needs_its_check_digit_and_legal_status() {
        // Public numbers of agencies, used by the format's description.
        for text in ["1406242111", "1404574551", "9900071001"] {
            assert_eq!(Voen::parse(text).unwrap().kind(), VoenKind::LegalPerson, "{text}");
        }
        for text in ["1406242101", "1406242113", "140624211", "14062421111", "14062A2111", ""] {
            assert_eq!(Voen::parse(text), Err(IdentifierError::Voen), "{text}");
        }
    }

    #[test]
    fn every_serial_has_a_voen_of_each_kind() {
        for serial in 0..20_000 {
            let voen = Voen::from_serial(4, serial * 49, VoenKind::NaturalPerson);
            assert_eq!(voen.kind(), VoenKind::NaturalPerson);
        }
    }

    #[test]
    fn debug_shows_neither_number() {
        let fin = Fin::parse("5ZZ9A0B").unwrap();
        let voen = Voen::parse("1406242111").unwrap();
        assert_eq!(format!("{fin:?} {voen:?}"), "Fin(redacted) Voen(redacted)");
    }
}
