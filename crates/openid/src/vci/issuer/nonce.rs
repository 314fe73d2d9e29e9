//! Nonces that need no memory until they are used: moment of expiry, random bits, and a MAC.

use std::fmt;

use etibar_credential::{UnixSeconds, jose};
use etibar_primitives::BlockTime;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::Entropy;

const EXPIRY_BYTES: usize = 8;
const RANDOM_BYTES: usize = 16;
const MAC_BYTES: usize = 16;

/// The secret under an issuer's nonces.
#[derive(Clone)]
pub struct NonceKey([u8; 32]);

impl fmt::Debug for NonceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<nonce key>")
    }
}

/// What a nonce is for; one for this is none for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Credential,
    Dpop,
}

/// Why a nonce does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NonceError {
    Foreign,
    Expired,
}

impl NonceKey {
    /// The key of 32 random bytes.
    pub const fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    pub(super) fn make(
        &self,
        usage: Use,
        now: BlockTime,
        life_s: u64,
        entropy: &Entropy,
    ) -> String {
        let label = match usage {
            Use::Credential => "nonce/credential",
            Use::Dpop => "nonce/dpop",
        };
        let expires = UnixSeconds::from(now).saturating_add(life_s);
        let mut bytes = expires.0.to_be_bytes().to_vec();
        bytes.extend(&entropy.bytes(label)[..RANDOM_BYTES]);
        let mac = self.mac(usage, &bytes).finalize().into_bytes();
        bytes.extend(&mac[..MAC_BYTES]);
        jose::encode(&bytes)
    }

    /// When `nonce` expires.
    pub(super) fn check(
        &self,
        usage: Use,
        nonce: &str,
        now: BlockTime,
    ) -> Result<UnixSeconds, NonceError> {
        let bytes = jose::decode(nonce)
            .filter(|bytes| bytes.len() == EXPIRY_BYTES + RANDOM_BYTES + MAC_BYTES)
            .ok_or(NonceError::Foreign)?;
        let (message, mac) = bytes.split_at(EXPIRY_BYTES + RANDOM_BYTES);
        let matches = self.mac(usage, message).verify_truncated_left(mac);
        matches.map_err(|_| NonceError::Foreign)?;
        let expires: [u8; EXPIRY_BYTES] =
            message[..EXPIRY_BYTES].try_into().expect("the length was checked above");
        let expires = UnixSeconds(u64::from_be_bytes(expires));
        if expires <= UnixSeconds::from(now) {
            return Err(NonceError::Expired);
        }
        Ok(expires)
    }

    fn mac(&self, usage: Use, message: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes any key");
        mac.update(&[match usage {
            Use::Credential => 1,
            Use::Dpop => 2,
        }]);
        mac.update(message);
        mac
    }
}
