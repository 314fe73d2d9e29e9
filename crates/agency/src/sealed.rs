//! What the agency's store may hold of people: keyed tags and sealed bytes.

use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead as _, KeyInit as _, Payload},
};
use etibar_primitives::Digest;
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::identifiers::Fin;

const NONCE_BYTES: usize = 24;
const SEAL: &str = "etibar.agency.v1 seal";
const TAG: &str = "etibar.agency.v1 tag";

/// The key of one agency's store: without it tags say nothing and sealed values do not open.
pub struct StoreKey {
    seal: Zeroizing<[u8; 32]>,
    tag: Zeroizing<[u8; 32]>,
}

/// Sealed bytes that do not open: another key, another row, or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value does not open")]
pub struct SealFault;

impl StoreKey {
    /// The key of 32 secret bytes.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self {
            seal: Zeroizing::new(blake3::derive_key(SEAL, secret)),
            tag: Zeroizing::new(blake3::derive_key(TAG, secret)),
        }
    }

    /// The tag by which a person is found.
    pub fn holder(&self, fin: &Fin) -> Digest {
        self.tag("holder", &[fin.expose().as_bytes()])
    }

    /// The tag by which a record's credentials are found.
    pub fn record(&self, kind: &str, id: &str) -> Digest {
        self.tag("record", &[kind.as_bytes(), id.as_bytes()])
    }

    /// A keyed hash of `parts`, each with its length, so that no two lists run together.
    pub fn tag(&self, what: &str, parts: &[&[u8]]) -> Digest {
        let mut hasher = blake3::Hasher::new_keyed(&self.tag);
        for part in [what.as_bytes()].iter().chain(parts) {
            let length = u64::try_from(part.len()).expect("a length fits 64 bits");
            hasher.update(&length.to_be_bytes());
            hasher.update(part);
        }
        Digest(*hasher.finalize().as_bytes())
    }

    /// `value` as JSON, sealed for the row `row` of `table`.
    pub fn seal(&self, table: &str, row: &[u8], value: &impl Serialize) -> Vec<u8> {
        let clear = serde_json::to_vec(value).expect("plain data becomes JSON");
        self.seal_bytes(table, row, &Zeroizing::new(clear))
    }

    /// What was sealed for this row.
    pub fn open<T: DeserializeOwned>(
        &self,
        table: &str,
        row: &[u8],
        sealed: &[u8],
    ) -> Result<T, SealFault> {
        let clear = self.open_bytes(table, row, sealed)?;
        serde_json::from_slice(&clear).map_err(|_| SealFault)
    }

    /// Bytes sealed for the row `row` of `table`: XChaCha20-Poly1305 with a random nonce.
    pub fn seal_bytes(&self, table: &str, row: &[u8], clear: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let context = context(table, row);
        let payload = Payload { msg: clear, aad: &context };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.expect("a value is shorter than the cipher's 256 GiB");
        [nonce.as_slice(), &sealed].concat()
    }

    /// Bytes that were sealed for this row.
    pub fn open_bytes(
        &self,
        table: &str,
        row: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealFault> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(SealFault)?;
        let context = context(table, row);
        let payload = Payload { msg: sealed, aad: &context };
        let opened = self.cipher().decrypt(&XNonce::from(*nonce), payload);
        opened.map(Zeroizing::new).map_err(|_| SealFault)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.seal).into())
    }
}

impl std::fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoreKey(redacted)")
    }
}

/// Table names hold no zero byte, so no two rows run together.
fn context(table: &str, row: &[u8]) -> Vec<u8> {
    [b"etibar.agency.v1\0", table.as_bytes(), &[0], row].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_opens_under_its_key_and_for_its_row_only() {
        let (key, other) = (StoreKey::new(&[1; 32]), StoreKey::new(&[2; 32]));
        let sealed = key.seal("consent", b"row", &"clear");
        assert_eq!(key.open::<String>("consent", b"row", &sealed).unwrap(), "clear");
        assert_eq!(other.open::<String>("consent", b"row", &sealed), Err(SealFault));
        assert_eq!(key.open::<String>("consent", b"raw", &sealed), Err(SealFault));
        assert_eq!(key.open::<String>("receipt", b"row", &sealed), Err(SealFault));
        assert_ne!(key.seal("consent", b"row", &"clear"), sealed);
    }

    #[test]
    fn tags_differ_by_key_and_by_what_they_tag() {
        let (key, other) = (StoreKey::new(&[1; 32]), StoreKey::new(&[2; 32]));
        let fin = Fin::parse("5ZZ9A0B").unwrap();
        assert_eq!(key.holder(&fin), key.holder(&fin));
        assert_ne!(key.holder(&fin), other.holder(&fin));
        assert_ne!(key.tag("a", &[b"bc"]), key.tag("a", &[b"b", b"c"]));
        assert_ne!(key.tag("a", &[b"b"]), key.tag("b", &[b"a"]));
    }
}
