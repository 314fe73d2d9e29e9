//! Lower-case hexadecimal, for digests and keys in texts.

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::fmt;

use serde::Deserialize as _;

/// Writes `bytes` as lower-case hexadecimal digits.
pub fn write(f: &mut impl fmt::Write, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// `bytes` as lower-case hexadecimal digits.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    write(&mut text, bytes).expect("writing to a string cannot fail");
    text
}

/// The bytes of a text of hexadecimal digits, or `None` if it is none.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
        .collect()
}

/// Exactly `N` bytes from hexadecimal digits, or `None`.
pub fn decode_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    decode(text)?.try_into().ok()
}

/// Serde's view of a fixed-length hexadecimal text.
pub fn deserialize_array<'de, const N: usize, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<[u8; N], D::Error> {
    let text = <Cow<'de, str>>::deserialize(deserializer)?;
    decode_array(&text).ok_or_else(|| {
        serde::de::Error::custom(alloc::format!("expected {} hexadecimal digits", N * 2))
    })
}
