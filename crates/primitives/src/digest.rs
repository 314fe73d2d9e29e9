//! BLAKE3 with a separate key for each purpose, so that a hash made for one is worthless for
//! another.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::hex;

/// 32 bytes of BLAKE3.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// All zero: "nothing there". No input hashes to it in practice.
    pub const ZERO: Self = Self([0; 32]);

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write(f, &self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write(f, &self.0)
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        hex::deserialize_array(deserializer).map(Self)
    }
}

/// What a hash is for. Each domain keys BLAKE3 differently.
///
/// The key is the domain's name padded with zeros: the keys are constants anyone can write down,
/// they separate purposes and keep nothing secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Domain([u8; 32]);

impl Domain {
    /// The domain called `name`, at most 32 bytes.
    ///
    /// # Panics
    /// At compile time, when `name` is longer than 32 bytes.
    pub const fn new(name: &str) -> Self {
        let bytes = name.as_bytes();
        assert!(bytes.len() <= 32, "a domain name has at most 32 bytes");
        let mut key = [0; 32];
        let mut index = 0;
        while index < bytes.len() {
            key[index] = bytes[index];
            index += 1;
        }
        Self(key)
    }

    /// The digest of `bytes` in this domain.
    pub fn hash(&self, bytes: &[u8]) -> Digest {
        Digest(*blake3::keyed_hash(&self.0, bytes).as_bytes())
    }

    /// The digest of the concatenation of `parts`. The parts' lengths must be fixed or encoded in
    /// them, otherwise two splits of the same bytes collide.
    pub fn hash_parts(&self, parts: &[&[u8]]) -> Digest {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in parts {
            hasher.update(part);
        }
        Digest(*hasher.finalize().as_bytes())
    }
}
