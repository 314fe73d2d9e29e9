//! Sealing: XChaCha20-Poly1305 with a random nonce of 24 bytes, the row bound as associated data.

use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead as _, KeyInit as _, Payload},
};
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::{VaultError, gate::Permit, key::KeyBytes};

/// Bytes of every symmetric key.
pub(crate) const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// A personal value in clear, wiped when it goes. Has no `Display`; `Debug` tells nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Personal(Zeroizing<Vec<u8>>);

impl Personal {
    /// These bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// `value` as JSON.
    ///
    /// # Panics
    /// When the value's own `Serialize` fails: plain data never does.
    pub fn json(value: &impl Serialize) -> Self {
        Self::new(serde_json::to_vec(value).expect("plain data becomes JSON"))
    }

    /// The bytes. What is done with them is the caller's duty.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// What was sealed as JSON.
    ///
    /// # Errors
    /// [`VaultError::Row`] when it is not of this shape.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, VaultError> {
        serde_json::from_slice(&self.0).map_err(|_| VaultError::Row("personal value"))
    }
}

impl std::fmt::Debug for Personal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Personal(redacted)")
    }
}

/// A person's data key. Seals freely; opens with a [`Permit`] only.
pub(crate) struct DataKey(KeyBytes);

impl DataKey {
    pub(crate) fn draw() -> Self {
        Self(Zeroizing::new(rand::random()))
    }

    pub(crate) const fn of(bytes: KeyBytes) -> Self {
        Self(bytes)
    }

    pub(crate) const fn bytes(&self) -> &KeyBytes {
        &self.0
    }

    /// Seals `value` for the row `row` of `party`.
    pub(crate) fn seal(&self, table: &str, party: &[u8], row: &[u8], value: &Personal) -> Vec<u8> {
        seal_bytes(&self.0, &context(table, party, row), value.expose())
    }

    /// Opens a value. The permit says that the reading is on record.
    pub(crate) fn open(
        &self,
        _: &Permit,
        table: &str,
        party: &[u8],
        row: &[u8],
        sealed: &[u8],
    ) -> Result<Personal, VaultError> {
        open_bytes(&self.0, &context(table, party, row), sealed).map(Personal)
    }
}

/// Which row a value belongs to. Lengths are fixed or come first, so no two rows run together.
pub(crate) fn context(table: &str, party: &[u8], row: &[u8]) -> Vec<u8> {
    let mut context = b"etibar.vault.v1".to_vec();
    for part in [table.as_bytes(), party, row] {
        let length = u32::try_from(part.len()).expect("tables, ids and rows are short");
        context.extend_from_slice(&length.to_be_bytes());
        context.extend_from_slice(part);
    }
    context
}

/// `clear` sealed under `key`, bound to `context`, for a store with keys of its own, such as the
/// wallet's. The vault's own keys never leave it.
pub fn seal_bytes(key: &KeyBytes, context: &[u8], clear: &[u8]) -> Vec<u8> {
    let nonce: [u8; NONCE_BYTES] = rand::random();
    let cipher = XChaCha20Poly1305::new((&**key).into());
    let payload = Payload { msg: clear, aad: context };
    let sealed = cipher.encrypt(&XNonce::from(nonce), payload);
    let sealed = sealed.expect("a value is shorter than the cipher's 256 GiB");
    [nonce.as_slice(), &sealed].concat()
}

/// What was sealed under `key` for `context`.
///
/// # Errors
/// [`VaultError::Seal`] when it was changed, moved, or sealed with another key.
pub fn open_bytes(
    key: &KeyBytes,
    context: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(VaultError::Seal)?;
    let cipher = XChaCha20Poly1305::new((&**key).into());
    let payload = Payload { msg: sealed, aad: context };
    let opened = cipher.decrypt(&XNonce::from(*nonce), payload);
    opened.map(Zeroizing::new).map_err(|_| VaultError::Seal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_opens_under_its_key_and_for_its_row_only() {
        let (key, other) = (Zeroizing::new([1; 32]), Zeroizing::new([2; 32]));
        let row = context("item", &[1; 16], &[2; 16]);
        let sealed = seal_bytes(&key, &row, b"clear");
        assert_eq!(open_bytes(&key, &row, &sealed).expect("its own row").as_slice(), b"clear");
        assert!(open_bytes(&other, &row, &sealed).is_err());
        for elsewhere in [
            context("item", &[1; 16], &[3; 16]),
            context("item", &[3; 16], &[2; 16]),
            context("work", &[1; 16], &[2; 16]),
        ] {
            assert!(open_bytes(&key, &elsewhere, &sealed).is_err());
        }
        let mut changed = sealed.clone();
        changed[30] ^= 1;
        assert!(open_bytes(&key, &row, &changed).is_err());
        assert!(open_bytes(&key, &row, &sealed[..20]).is_err());
        assert_ne!(seal_bytes(&key, &row, b"clear"), sealed, "a nonce is drawn each time");
    }
}
