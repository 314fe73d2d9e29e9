//! JOSE, cut down to what we accept: ES256 over P-256, compact serialization.
//!
//! A token's `alg` is compared with ours and chooses nothing. `crit`, `b64`, `jku`, `x5u` and a
//! `jwk` that came uninvited are refused: the key comes from the caller, or from a chain that the
//! trust registry vouches for.

mod jws;
mod key;

pub use jws::{Claims, Header, JoseError, TOKEN_BYTES_MAX, Token, sign};
pub use key::{Certified, JwkError, PublicKey, SignError, Signer, SoftwareKey};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// Base64url without padding (RFC 7515 §2).
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of base64url without padding; `None` if `text` is anything else. One text per byte
/// string: padding, other alphabets and stray trailing bits are refused.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Base64url of SHA-256 of `text`: how SD-JWT, KB-JWT and OpenID4VP hash a text.
pub fn text_hash(text: &str) -> String {
    encode(&sha256(text.as_bytes()))
}
