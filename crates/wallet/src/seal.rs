//! Encryption at rest: a data key for each person, itself wrapped by the wallet's master key
//! ([`etibar_vault::key::KeyService`]: a file now, a security module through the same trait).
//!
//! What a seal is for is bound to it: a row moved to another person or another kind does not open.

use std::fmt;

use etibar_vault::{
    VaultError,
    key::{KeyBytes, KeyService},
    open_bytes, seal_bytes,
};
use zeroize::Zeroizing;

/// What a person's key is wrapped for.
const KEY_CONTEXT: &[u8] = b"etibar.wallet.person-key";

/// Seals what belongs to one person.
#[derive(Clone)]
pub(crate) struct SealKey(KeyBytes);

impl SealKey {
    /// A new random key.
    pub(crate) fn generate() -> Self {
        Self(Zeroizing::new(rand::random()))
    }

    /// The key wrapped for `person`'s row.
    pub(crate) async fn wrap(
        &self,
        master: &dyn KeyService,
        person: &[u8; 16],
    ) -> Result<Vec<u8>, VaultError> {
        master.wrap(&context(&[KEY_CONTEXT, person]), &self.0).await
    }

    /// Opens what [`SealKey::wrap`] wrapped.
    pub(crate) async fn unwrap(
        master: &dyn KeyService,
        person: &[u8; 16],
        wrapped: &[u8],
    ) -> Result<Self, VaultError> {
        master.unwrap(&context(&[KEY_CONTEXT, person]), wrapped).await.map(Self)
    }

    /// Seals `plain` for the place that `parts` name.
    pub(crate) fn seal(&self, parts: &[&[u8]], plain: &[u8]) -> Vec<u8> {
        seal_bytes(&self.0, &context(parts), plain)
    }

    /// A value that only this key gives for `input`.
    pub(crate) fn tag(&self, input: &[u8]) -> [u8; 32] {
        blake3::keyed_hash(&self.0, input).into()
    }

    /// Opens what was sealed for the same place.
    pub(crate) fn open(
        &self,
        parts: &[&[u8]],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        open_bytes(&self.0, &context(parts), sealed)
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey")
    }
}

/// The parts, each behind its length, so that no two places have the same bytes.
fn context(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        let length = u32::try_from(part.len()).expect("a place is some bytes long");
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use etibar_vault::key::FileKey;

    use super::*;

    #[test]
    fn sealed_bytes_open_for_their_place_only() {
        let key = SealKey::generate();
        let sealed = key.seal(&[b"a", b"bc"], b"plain");
        assert_eq!(key.open(&[b"a", b"bc"], &sealed).expect("its place").as_slice(), b"plain");
        assert!(key.open(&[b"ab", b"c"], &sealed).is_err());
        assert!(SealKey::generate().open(&[b"a", b"bc"], &sealed).is_err());
    }

    #[tokio::test]
    async fn a_persons_key_opens_for_its_person_and_master_only() {
        let (master, other) = (FileKey::new([1; 32]), FileKey::new([2; 32]));
        let wrapped = SealKey::generate().wrap(&master, &[7; 16]).await.expect("wraps");
        assert!(SealKey::unwrap(&master, &[7; 16], &wrapped).await.is_ok());
        assert!(SealKey::unwrap(&master, &[8; 16], &wrapped).await.is_err());
        assert!(SealKey::unwrap(&other, &[7; 16], &wrapped).await.is_err());
    }
}
