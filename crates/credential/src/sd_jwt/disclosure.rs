//! One disclosure: the text whose digest stands in the credential (RFC 9901 §4.2).

use core::fmt;

use rand_core::CryptoRng;
use serde_json::{Value, json};

use super::{DIGESTS, DISCLOSURE_BYTES_MAX, ELEMENT, SdJwtError};
use crate::jose::{decode, encode, text_hash};
use crate::json;

/// Bytes of randomness in a salt: 128 bits (RFC 9901 §9.3).
const SALT_BYTES: usize = 16;

/// A salted claim: a member of an object, or an element of an array.
#[derive(Clone, PartialEq, Eq)]
pub struct Disclosure {
    encoded: String,
    name: Option<String>,
    value: Value,
}

impl Disclosure {
    /// The disclosure of `value`, under `name` if it is a member of an object.
    pub(super) fn make<R: CryptoRng + ?Sized>(
        name: Option<&str>,
        value: Value,
        rng: &mut R,
    ) -> Self {
        let salt = salt(rng);
        let content = match name {
            Some(name) => json!([salt, name, value]),
            None => json!([salt, value]),
        };
        let encoded = encode(content.to_string().as_bytes());
        Self { encoded, name: name.map(str::to_owned), value }
    }

    /// Reads a disclosure as sent.
    pub fn parse(encoded: &str) -> Result<Self, SdJwtError> {
        if encoded.len() > DISCLOSURE_BYTES_MAX {
            return Err(SdJwtError::TooLarge);
        }
        let text = decode(encoded).ok_or(SdJwtError::DisclosureMalformed)?;
        let content = json::parse(&text).map_err(|_| SdJwtError::DisclosureMalformed)?;
        let Value::Array(items) = content else { return Err(SdJwtError::DisclosureMalformed) };
        let (salt, name, value) = match <[Value; 3]>::try_from(items) {
            Ok([salt, Value::String(name), value]) => (salt, Some(name), value),
            Ok(_) => return Err(SdJwtError::DisclosureMalformed),
            Err(items) => match <[Value; 2]>::try_from(items) {
                Ok([salt, value]) => (salt, None, value),
                Err(_) => return Err(SdJwtError::DisclosureMalformed),
            },
        };
        if !salt.is_string() {
            return Err(SdJwtError::DisclosureMalformed);
        }
        if name.as_deref().is_some_and(|name| name == DIGESTS || name == ELEMENT) {
            return Err(SdJwtError::ReservedName);
        }
        Ok(Self { encoded: encoded.to_owned(), name, value })
    }

    /// The text as sent: what the digest is over.
    pub fn encoded(&self) -> &str {
        &self.encoded
    }

    /// The digest that stands for it in the credential.
    pub fn digest(&self) -> String {
        text_hash(&self.encoded)
    }

    /// The member's name; `None` for an element of an array.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The value. It may hold digests of further disclosures.
    pub const fn value(&self) -> &Value {
        &self.value
    }
}

impl fmt::Debug for Disclosure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disclosure").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A digest that no disclosure has (RFC 9901 §4.2.5).
pub(super) fn decoy<R: CryptoRng + ?Sized>(rng: &mut R) -> String {
    text_hash(&salt(rng))
}

fn salt<R: CryptoRng + ?Sized>(rng: &mut R) -> String {
    let mut bytes = [0; SALT_BYTES];
    rng.fill_bytes(&mut bytes);
    encode(&bytes)
}
