//! Fresh random bytes for one call, given by the caller.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use sha2::{Digest as _, Sha256};

/// 32 bytes from the system's random generator, for one call only: all random values of that call
/// are derived from them, each under its own label.
///
/// Never give the same bytes to two calls.
pub struct Entropy([u8; 32]);

impl Entropy {
    /// The given random bytes.
    pub const fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// 32 bytes for `label`; other labels give unrelated bytes.
    pub fn bytes(&self, label: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"etibar.openid.entropy\0");
        hash.update(self.0);
        hash.update(label.as_bytes());
        hash.finalize().into()
    }

    /// 256 random bits as base64url without padding, for `label`.
    pub fn text(&self, label: &str) -> String {
        BASE64.encode(self.bytes(label))
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<entropy>")
    }
}
