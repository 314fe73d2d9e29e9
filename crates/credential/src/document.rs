//! Sealed documents and data: readable by one consumer, under one consent, and no other way.
//!
//! Each document has a fresh key. The document is encrypted with it (ChaCha20-Poly1305, RFC 8439);
//! the key and the salt of the content's hash are sealed by HPKE in base mode (RFC 9180:
//! DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305) to the consumer's registered seal
//! key. Both carry the same associated data: consent, parties, media type and content hash. So an
//! envelope does not open under another consent, and destroying the sealed key destroys the
//! document. The hash is salted, so it says nothing to who has not opened the envelope.
//!
//! Deliberately absent: who sent it. The access receipt that comes along is signed over the
//! envelope's hash.

use core::fmt;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use etibar_primitives::{Digest, MemberId, OperationId, codec::Writer as _, hex};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::jose;

/// The largest document, in bytes.
pub const CONTENT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The largest envelope as text, in bytes: the document in base64url and a little around it.
pub const ENVELOPE_BYTES_MAX: usize = CONTENT_BYTES_MAX / 3 * 4 + 4 * 1024;
/// The longest media type, in bytes.
pub const MEDIA_TYPE_BYTES_MAX: usize = 127;

const INFO: &[u8] = b"etibar.credential.document.v1";
const MAGIC: &[u8; 4] = b"EDV1";
const HASH_PREFIX: &[u8] = b"etibar.document.content";
/// Of the document's own encryption. Its key is used for this one document, so it may be constant.
const NONCE: [u8; 12] = [0; 12];
const SECRET_BYTES: usize = 64;

type Kem = X25519HkdfSha256;

/// Why an envelope is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Not an envelope, or beyond its limits.
    #[error("not a document envelope")]
    Malformed,
    /// For another consent, provider or consumer than expected.
    #[error("the envelope belongs to another consent")]
    OtherConsent,
    /// Sealed for another key, or changed.
    #[error("the envelope cannot be opened")]
    Sealed,
    /// What was inside does not have the hash that stands outside.
    #[error("the content is not the one announced")]
    OtherContent,
    /// The document is larger than the limit, or the media type is longer.
    #[error("the document is above its limit")]
    TooLarge,
}

impl DocumentError {
    /// The stable code in interfaces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "envelope_malformed",
            Self::OtherConsent => "envelope_for_another_consent",
            Self::Sealed => "envelope_sealed",
            Self::OtherContent => "envelope_content",
            Self::TooLarge => "document_too_large",
        }
    }
}

/// A member's public seal key: 32 bytes of X25519.
#[derive(Clone, PartialEq, Eq)]
pub struct SealPublicKey(<Kem as hpke::Kem>::PublicKey);

/// The key that opens what was sealed for its public half.
pub struct SealPrivateKey(<Kem as hpke::Kem>::PrivateKey);

impl SealPublicKey {
    /// The key of 64 hexadecimal digits; `None` if it is none.
    pub fn from_hex(text: &str) -> Option<Self> {
        let bytes: [u8; 32] = hex::decode_array(text)?;
        <Kem as hpke::Kem>::PublicKey::from_bytes(&bytes).ok().map(Self)
    }

    /// The key as 64 hexadecimal digits.
    pub fn to_hex(&self) -> String {
        hex::encode(&self.0.to_bytes())
    }
}

impl SealPrivateKey {
    /// The key derived from 32 secret bytes (RFC 9180 §7.1.3 `DeriveKeyPair`).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(Kem::derive_keypair(seed).0)
    }

    /// The public half.
    pub fn public_key(&self) -> SealPublicKey {
        SealPublicKey(Kem::sk_to_pk(&self.0))
    }

    /// The 32 bytes of the private key (RFC 9180 §7.1.2), for a key file and nothing else.
    pub fn expose(&self) -> Zeroizing<[u8; 32]> {
        let mut bytes = Zeroizing::new([0; 32]);
        bytes.copy_from_slice(&self.0.to_bytes());
        bytes
    }
}

impl fmt::Debug for SealPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for SealPrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealPrivateKey(redacted)")
    }
}

/// Under which consent a document travels, from whom to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// The consent's id.
    pub consent: OperationId,
    /// Who gives.
    pub provider: MemberId,
    /// Who receives.
    pub consumer: MemberId,
}

/// A sealed document, as it travels.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    v: u8,
    consent: OperationId,
    provider: MemberId,
    consumer: MemberId,
    media_type: String,
    content_hash: Digest,
    #[serde(with = "base64url")]
    enc: Vec<u8>,
    #[serde(with = "base64url")]
    sealed_key: Vec<u8>,
    #[serde(with = "base64url")]
    ciphertext: Vec<u8>,
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Envelope({} bytes)", self.ciphertext.len())
    }
}

/// An opened document. Wiped when dropped; its `Debug` tells nothing.
pub struct Document {
    /// Its media type.
    pub media_type: String,
    /// Its bytes.
    pub content: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Document(redacted)")
    }
}

/// Seals `content` for `recipient` under `binding`.
///
/// # Errors
/// [`DocumentError::TooLarge`].
pub fn seal<R: CryptoRng + ?Sized>(
    binding: &Binding,
    media_type: &str,
    content: &[u8],
    recipient: &SealPublicKey,
    rng: &mut R,
) -> Result<Envelope, DocumentError> {
    if content.len() > CONTENT_BYTES_MAX || media_type.len() > MEDIA_TYPE_BYTES_MAX {
        return Err(DocumentError::TooLarge);
    }
    // The document's key, then the salt.
    let mut secret = Zeroizing::new([0; SECRET_BYTES]);
    rng.fill_bytes(secret.as_mut());
    let (key, salt) = secret.split_at(32);
    let content_hash = content_hash(salt, content);
    let aad = associated_data(binding, media_type, &content_hash);
    let cipher = cipher(key);
    let ciphertext = cipher
        .encrypt(&NONCE.into(), Payload { msg: content, aad: &aad })
        .expect("a document within its limit is far below the cipher's");
    let (enc, sealed_key) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeS::Base,
        &recipient.0,
        INFO,
        secret.as_ref(),
        &aad,
        &mut Draw(rng),
    )
    .expect("sealing for a valid public key cannot fail");
    Ok(Envelope {
        v: 1,
        consent: binding.consent,
        provider: binding.provider,
        consumer: binding.consumer,
        media_type: media_type.to_owned(),
        content_hash,
        enc: enc.to_bytes().to_vec(),
        sealed_key,
        ciphertext,
    })
}

impl Envelope {
    /// The envelope as text: base64url of its JSON.
    pub fn to_text(&self) -> String {
        jose::encode(&serde_json::to_vec(self).expect("an envelope is plain JSON"))
    }

    /// Reads what [`Envelope::to_text`] wrote.
    ///
    /// # Errors
    /// [`DocumentError::Malformed`].
    pub fn from_text(text: &str) -> Result<Self, DocumentError> {
        if text.len() > ENVELOPE_BYTES_MAX / 3 * 4 {
            return Err(DocumentError::Malformed);
        }
        let json = jose::decode(text).ok_or(DocumentError::Malformed)?;
        let envelope: Self = serde_json::from_slice(&json).map_err(|_| DocumentError::Malformed)?;
        let valid = envelope.v == 1
            && envelope.media_type.len() <= MEDIA_TYPE_BYTES_MAX
            && envelope.ciphertext.len() <= CONTENT_BYTES_MAX + 16;
        if valid { Ok(envelope) } else { Err(DocumentError::Malformed) }
    }

    /// What it says of consent and parties. Proven once it opens.
    pub const fn binding(&self) -> Binding {
        Binding { consent: self.consent, provider: self.provider, consumer: self.consumer }
    }

    /// The salted hash of the content.
    pub const fn content_hash(&self) -> Digest {
        self.content_hash
    }

    /// SHA-256 of the envelope's text: the `response_hash` of an access receipt.
    pub fn hash(&self) -> Digest {
        Digest(jose::sha256(self.to_text().as_bytes()))
    }

    /// Opens the envelope, which must belong to `expected`.
    ///
    /// # Errors
    /// [`DocumentError::OtherConsent`], [`DocumentError::Sealed`], [`DocumentError::OtherContent`].
    pub fn open(
        &self,
        expected: &Binding,
        key: &SealPrivateKey,
    ) -> Result<Document, DocumentError> {
        if self.binding() != *expected {
            return Err(DocumentError::OtherConsent);
        }
        let aad = associated_data(expected, &self.media_type, &self.content_hash);
        let enc = <Kem as hpke::Kem>::EncappedKey::from_bytes(&self.enc)
            .map_err(|_| DocumentError::Sealed)?;
        let secret = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, Kem>(
            &OpModeR::Base,
            &key.0,
            &enc,
            INFO,
            &self.sealed_key,
            &aad,
        )
        .map(Zeroizing::new)
        .map_err(|_| DocumentError::Sealed)?;
        if secret.len() != SECRET_BYTES {
            return Err(DocumentError::Sealed);
        }
        let (key, salt) = secret.split_at(32);
        let content = cipher(key)
            .decrypt(&NONCE.into(), Payload { msg: &self.ciphertext, aad: &aad })
            .map(Zeroizing::new)
            .map_err(|_| DocumentError::Sealed)?;
        if content_hash(salt, &content) != self.content_hash {
            return Err(DocumentError::OtherContent);
        }
        Ok(Document { media_type: self.media_type.clone(), content })
    }
}

fn cipher(key: &[u8]) -> chacha20poly1305::ChaCha20Poly1305 {
    chacha20poly1305::ChaCha20Poly1305::new_from_slice(key)
        .expect("the first half of 64 bytes has 32")
}

fn content_hash(salt: &[u8], content: &[u8]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(HASH_PREFIX);
    hasher.update(salt);
    hasher.update(content);
    Digest(hasher.finalize().into())
}

/// `EDV1 | consent 16 | provider 4 | consumer 4 | content hash 32 | length 4 | media type`;
/// integers are little-endian.
fn associated_data(binding: &Binding, media_type: &str, content_hash: &Digest) -> Vec<u8> {
    let mut aad = Vec::with_capacity(64 + media_type.len());
    aad.put(MAGIC);
    aad.put(&binding.consent.to_bytes());
    aad.put_u32(binding.provider.0);
    aad.put_u32(binding.consumer.0);
    aad.put(&content_hash.0);
    aad.put_prefixed(media_type.as_bytes());
    aad
}

/// HPKE asks for a random source of known size; ours may be behind a pointer.
struct Draw<'a, R: ?Sized>(&'a mut R);

impl<R: CryptoRng + ?Sized> rand_core::TryRng for Draw<'_, R> {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(self.0.next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(self.0.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

impl<R: CryptoRng + ?Sized> rand_core::TryCryptoRng for Draw<'_, R> {}

mod base64url {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::jose;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&jose::encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        jose::decode(&text).ok_or_else(|| serde::de::Error::custom("not base64url"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    const BINDING: Binding =
        Binding { consent: OperationId(5), provider: MemberId(12), consumer: MemberId(2) };
    const CONTENT: &[u8] = br#"{"address":{"city":"Synthetic"}}"#;

    fn opener() -> SealPrivateKey {
        SealPrivateKey::from_seed(&[2; 32])
    }

    fn sealed(seed: u64) -> Envelope {
        let mut rng = StdRng::seed_from_u64(seed);
        seal(&BINDING, "application/json", CONTENT, &opener().public_key(), &mut rng)
            .expect("a small document")
    }

    fn outcome(envelope: &Envelope, expected: &Binding, key: &SealPrivateKey) -> &'static str {
        envelope.open(expected, key).map_or_else(DocumentError::code, |_| "opened")
    }

    #[test]
    fn a_document_opens_for_its_consumer_under_its_consent_only() {
        let envelope = Envelope::from_text(&sealed(1).to_text()).expect("ours");
        let document = envelope.open(&BINDING, &opener()).expect("its key");
        assert_eq!(document.content.as_slice(), CONTENT);
        assert_eq!(document.media_type, "application/json");
        assert_eq!(format!("{document:?} {envelope:?}"), "Document(redacted) Envelope(48 bytes)");
        let other = Binding { consent: OperationId(6), ..BINDING };
        assert_eq!(outcome(&envelope, &other, &opener()), "envelope_for_another_consent");
        let stranger = SealPrivateKey::from_seed(&[3; 32]);
        assert_eq!(outcome(&envelope, &BINDING, &stranger), "envelope_sealed");
    }

    #[test]
    fn an_envelope_made_to_name_another_consent_does_not_open() {
        let other = Binding { consent: OperationId(6), ..BINDING };
        let moved = Envelope { consent: other.consent, ..sealed(1) };
        assert_eq!(outcome(&moved, &other, &opener()), "envelope_sealed");
        let renamed = Envelope { media_type: "text/html".to_owned(), ..sealed(1) };
        assert_eq!(outcome(&renamed, &BINDING, &opener()), "envelope_sealed");
        let swapped = Envelope { ciphertext: sealed(2).ciphertext, ..sealed(1) };
        assert_eq!(outcome(&swapped, &BINDING, &opener()), "envelope_sealed");
    }

    #[test]
    fn the_same_document_twice_has_nothing_in_common_outside() {
        let (one, two) = (sealed(1), sealed(2));
        assert_ne!(one.content_hash, two.content_hash);
        assert_ne!(one.ciphertext, two.ciphertext);
        assert_ne!(one.enc, two.enc);
        assert_ne!(one.hash(), two.hash());
    }

    #[test]
    fn a_document_is_sealed_at_the_limit_and_refused_one_past_it() {
        let mut rng = StdRng::seed_from_u64(1);
        let content = vec![0; CONTENT_BYTES_MAX + 1];
        let mut at = |bytes: &[u8]| seal(&BINDING, "a/b", bytes, &opener().public_key(), &mut rng);
        let largest = at(&content[1..]).expect("at the limit");
        assert!(Envelope::from_text(&largest.to_text()).is_ok());
        assert_eq!(at(&content).unwrap_err(), DocumentError::TooLarge);
    }

    proptest! {
        #[test]
        fn any_changed_byte_of_an_envelope_is_refused(
            at in any::<prop::sample::Index>(), flip in 1_u8..128,
        ) {
            let json = jose::decode(&sealed(1).to_text()).expect("ours");
            let mut changed = json.clone();
            let at = at.index(changed.len());
            changed[at] ^= flip;
            if let Ok(envelope) = Envelope::from_text(&jose::encode(&changed)) {
                // Another writing of the same envelope, such as a hexadecimal digit in upper case.
                prop_assume!(envelope != sealed(1));
                prop_assert!(envelope.open(&BINDING, &opener()).is_err());
            }
        }
    }
}
