//! Sealed envelopes: payloads that only their recipient reads and only their sender can have sent.
//!
//! ```text
//! EBV1 | network 32 | sender 4 | recipient 4 | enc 32 | length 4 | ciphertext | signature 64
//! ```
//!
//! The payloads are sealed by HPKE (RFC 9180: X25519-HKDF-SHA256, HKDF-SHA256, ChaCha20Poly1305)
//! in base mode with everything before `enc` as associated data; the sender's Ed25519 key signs
//! everything before the signature. One envelope holds many payments, so the asymmetric work is
//! done once for a batch.

use etibar_primitives::{
    Digest, Domain, MemberId, OperationId,
    codec::{DecodeError, Reader, Writer},
    hex,
    key::{PrivateKey, PublicKey, Signature},
};
use hpke::{
    Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _, aead::ChaCha20Poly1305,
    kdf::HkdfSha256, kem::X25519HkdfSha256,
};

use crate::payment::Payload;

/// The most payments of one envelope.
pub const ITEMS_MAX: usize = 1_024;
/// The largest message of one payment, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 256 * 1024;
/// The largest envelope, in bytes.
pub const ENVELOPE_BYTES_MAX: usize = 10 * 1024 * 1024;
/// A batch is closed above this, so that with one more payment it is below the largest envelope.
pub const BATCH_BYTES: usize = 8 * 1024 * 1024;

const MAGIC: [u8; 4] = *b"EBV1";
const HEAD_BYTES: usize = 4 + 32 + 4 + 4;
const ENC_BYTES: usize = 32;
const SIGNATURE_BYTES: usize = 64;
const INFO: &[u8] = b"etibar.edge.envelope.v1";
const SIGNING: Domain = Domain::new("etibar.edge.envelope.signing");
const DIGEST: Domain = Domain::new("etibar.edge.envelope");
const COMMITMENT: Domain = Domain::new("etibar.edge.commitment");

/// One payment's payload in an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The payment.
    pub uetr: OperationId,
    /// Its message and salt.
    pub payload: Payload,
}

/// Why an envelope is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not the bytes of an envelope.
    #[error("not a payload envelope: {0}")]
    Malformed(#[from] DecodeError),
    /// Made for another network.
    #[error("the envelope is for another network")]
    WrongNetwork,
    /// Made for another member.
    #[error("the envelope is for another member")]
    WrongRecipient,
    /// The sender is no member.
    #[error("the sender is no member")]
    UnknownSender,
    /// No key of the sender signed it.
    #[error("the envelope's signature is not the sender's")]
    WrongSignature,
    /// It was sealed for another key.
    #[error("the envelope cannot be opened")]
    Sealed,
}

impl EnvelopeError {
    /// The stable code in interfaces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed(_) => "envelope_malformed",
            Self::WrongNetwork => "wrong_network",
            Self::WrongRecipient => "wrong_recipient",
            Self::UnknownSender => "sender_unknown",
            Self::WrongSignature => "wrong_signature",
            Self::Sealed => "envelope_sealed_for_another_key",
        }
    }
}

/// A key for which payloads are sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct SealPublicKey(<X25519HkdfSha256 as hpke::Kem>::PublicKey);

/// The key that opens what was sealed for its public half.
pub struct SealPrivateKey(<X25519HkdfSha256 as hpke::Kem>::PrivateKey);

impl SealPublicKey {
    /// The key of 64 hexadecimal digits, or `None`.
    pub fn from_hex(text: &str) -> Option<Self> {
        let bytes: [u8; 32] = hex::decode_array(text)?;
        <X25519HkdfSha256 as hpke::Kem>::PublicKey::from_bytes(&bytes).ok().map(Self)
    }

    /// The key as 64 hexadecimal digits.
    pub fn to_hex(&self) -> String {
        hex::encode(&self.0.to_bytes())
    }
}

impl std::fmt::Debug for SealPublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl SealPrivateKey {
    /// The key derived from 32 secret bytes (RFC 9180 `DeriveKeyPair`).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(X25519HkdfSha256::derive_keypair(seed).0)
    }

    /// The public half.
    pub fn public_key(&self) -> SealPublicKey {
        SealPublicKey(X25519HkdfSha256::sk_to_pk(&self.0))
    }
}

impl std::fmt::Debug for SealPrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealPrivateKey(redacted)")
    }
}

/// Who sends to whom, in which network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// The network's id.
    pub network: Digest,
    /// The sender.
    pub sender: MemberId,
    /// The recipient.
    pub recipient: MemberId,
}

impl Payload {
    /// The commitment that stands on the ledger: without the salt it says nothing of the message.
    pub fn commitment(&self) -> Digest {
        COMMITMENT.hash_parts(&[&self.salt, &self.document])
    }
}

impl Address {
    fn encode(&self) -> Vec<u8> {
        let mut head = Vec::with_capacity(HEAD_BYTES);
        head.put(&MAGIC);
        head.put(&self.network.0);
        head.put_u32(self.sender.0);
        head.put_u32(self.recipient.0);
        head
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if reader.array::<4>()? != MAGIC {
            return Err(DecodeError::OutOfRange("envelope magic"));
        }
        let (network, sender) = (reader.digest()?, reader.member()?);
        Ok(Self { network, sender, recipient: reader.member()? })
    }
}

/// Seals `items` for the recipient and signs the envelope.
///
/// # Panics
/// When `items` are more than [`ITEMS_MAX`], and when the operating system has no randomness.
pub fn seal(
    address: &Address,
    items: &[Item],
    recipient: &SealPublicKey,
    signer: &PrivateKey,
) -> Vec<u8> {
    assert!(items.len() <= ITEMS_MAX, "a batch has at most {ITEMS_MAX} payments");
    let mut plain = Vec::new();
    plain.put_count(items.len());
    for item in items {
        plain.put(&item.uetr.to_bytes());
        plain.put(&item.payload.salt);
        plain.put_prefixed(&item.payload.document);
    }
    let mut envelope = address.encode();
    let (enc, ciphertext) =
        hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            &recipient.0,
            INFO,
            &plain,
            &envelope,
        )
        .expect("sealing for a valid public key cannot fail");
    envelope.put(&enc.to_bytes());
    envelope.put_prefixed(&ciphertext);
    let signature = signer.sign(&SIGNING.hash(&envelope).0);
    envelope.put(&signature.0);
    envelope
}

/// An envelope whose signature is the sender's, still sealed.
#[derive(Debug, Clone, Copy)]
pub struct Checked<'a> {
    /// Who sends to whom.
    pub address: Address,
    bytes: &'a [u8],
}

/// Checks where an envelope comes from and goes to. `keys` gives the keys of a member.
pub fn check<'a, 'k>(
    bytes: &'a [u8],
    network: &Digest,
    recipient: MemberId,
    keys: impl FnOnce(MemberId) -> Option<&'k [PublicKey]>,
) -> Result<Checked<'a>, EnvelopeError> {
    let address = Address::decode(&mut Reader::new(bytes))?;
    if address.network != *network {
        return Err(EnvelopeError::WrongNetwork);
    }
    if address.recipient != recipient {
        return Err(EnvelopeError::WrongRecipient);
    }
    let keys = keys(address.sender).ok_or(EnvelopeError::UnknownSender)?;
    let split = bytes.len().checked_sub(SIGNATURE_BYTES).ok_or(DecodeError::UnexpectedEnd)?;
    let (signed, signature) = bytes.split_at(split);
    let signature = Signature(signature.try_into().map_err(|_| DecodeError::UnexpectedEnd)?);
    let message = SIGNING.hash(signed);
    if !keys.iter().any(|key| key.verify(&message.0, &signature)) {
        return Err(EnvelopeError::WrongSignature);
    }
    Ok(Checked { address, bytes: signed })
}

impl Checked<'_> {
    /// The digest by which a repeated envelope is known.
    pub fn digest(&self) -> Digest {
        DIGEST.hash(self.bytes)
    }

    /// Opens the envelope.
    pub fn open(&self, key: &SealPrivateKey) -> Result<Vec<Item>, EnvelopeError> {
        let (head, sealed) = self.bytes.split_at(HEAD_BYTES);
        let mut reader = Reader::new(sealed);
        let enc = reader.bytes(ENC_BYTES)?;
        let ciphertext = reader.prefixed(ENVELOPE_BYTES_MAX, "envelope")?;
        reader.finish()?;
        let enc = <X25519HkdfSha256 as hpke::Kem>::EncappedKey::from_bytes(enc)
            .map_err(|_| EnvelopeError::Sealed)?;
        let plain = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &key.0,
            &enc,
            INFO,
            ciphertext,
            head,
        )
        .map_err(|_| EnvelopeError::Sealed)?;
        let mut reader = Reader::new(&plain);
        let count = reader.count(ITEMS_MAX, "payloads")?;
        let item = |reader: &mut Reader<'_>| {
            let (uetr, salt) = (reader.operation()?, reader.array()?);
            let document = reader.prefixed(DOCUMENT_BYTES_MAX, "document")?.into();
            Ok(Item { uetr, payload: Payload { salt, document } })
        };
        let items = (0..count).map(|_| item(&mut reader)).collect::<Result<_, DecodeError>>()?;
        reader.finish()?;
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (Address, Vec<Item>, PrivateKey, SealPrivateKey) {
        let address =
            Address { network: Digest([9; 32]), sender: MemberId(2), recipient: MemberId(3) };
        let payload = Payload { salt: [4; 32], document: b"<Synthetic/>".as_slice().into() };
        let items = vec![Item { uetr: OperationId(5), payload }];
        (address, items, PrivateKey::from_seed(&[1; 32]), SealPrivateKey::from_seed(&[2; 32]))
    }

    #[test]
    fn an_envelope_opens_for_its_recipient_only_and_shows_nothing_before() {
        let (address, items, signer, opener) = sample();
        let envelope = seal(&address, &items, &opener.public_key(), &signer);
        assert!(!envelope.windows(9).any(|window| window == b"Synthetic"));
        let keys = [signer.public_key()];
        let its = |_| Some(keys.as_slice());
        let checked = check(&envelope, &address.network, MemberId(3), its).unwrap();
        assert_eq!(checked.open(&opener).unwrap(), items);
        let other = SealPrivateKey::from_seed(&[3; 32]);
        assert_eq!(checked.open(&other), Err(EnvelopeError::Sealed));
        let refusal = |network: &Digest, recipient| check(&envelope, network, recipient, its).err();
        assert_eq!(refusal(&Digest([8; 32]), MemberId(3)), Some(EnvelopeError::WrongNetwork));
        assert_eq!(refusal(&address.network, MemberId(4)), Some(EnvelopeError::WrongRecipient));
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let (address, items, signer, opener) = sample();
        let envelope = seal(&address, &items, &opener.public_key(), &signer);
        let keys = [signer.public_key()];
        for index in 0..envelope.len() {
            let mut forged = envelope.clone();
            forged[index] ^= 1;
            let checked = check(&forged, &address.network, MemberId(3), |_| Some(keys.as_slice()));
            assert!(checked.is_err(), "byte {index}");
        }
        for length in 0..envelope.len() {
            let its = |_| Some(keys.as_slice());
            assert!(check(&envelope[..length], &address.network, MemberId(3), its).is_err());
        }
    }
}
