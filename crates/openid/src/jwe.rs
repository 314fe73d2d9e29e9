//! Encrypted answers: compact JWE with ECDH-ES (direct key agreement on P-256) and AES-GCM
//! (RFC 7516, RFC 7518 §4.6 and §5.3). HAIP asks for both key sizes.
//!
//! A thin composition of `p256` and `aes-gcm` with the Concat KDF of one round. The header's
//! algorithms choose among the two that are listed here, nothing else; compression is refused
//! (RFC 8725 §3.6).

use aes_gcm::{
    Aes128Gcm, Aes256Gcm, KeyInit as _,
    aead::{Aead as _, Payload},
};
use etibar_credential::{jose, json};
use p256::{SecretKey, ecdh::diffie_hellman};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::Entropy;

/// The longest JWE, in bytes.
pub const JWE_BYTES_MAX: usize = 512 * 1024;

const ALGORITHM: &str = "ECDH-ES";
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// The content encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// AES-GCM with a key of 128 bits.
    A128Gcm,
    /// AES-GCM with a key of 256 bits.
    A256Gcm,
}

impl Encryption {
    /// The `enc` value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::A128Gcm => "A128GCM",
            Self::A256Gcm => "A256GCM",
        }
    }

    /// The encryption called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::A128Gcm, Self::A256Gcm].into_iter().find(|known| known.name() == name)
    }

    const fn key_bytes(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A256Gcm => 32,
        }
    }
}

/// Why a JWE cannot be opened. Each has a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JweError {
    /// Longer than [`JWE_BYTES_MAX`].
    #[error("the JWE is longer than its limit")]
    TooLarge,
    /// Not five parts of base64url with the header that belongs there.
    #[error("the JWE is malformed")]
    Malformed,
    /// Another algorithm than ECDH-ES with AES-GCM, compressed, or with extensions.
    #[error("the JWE uses an algorithm that is not accepted")]
    Algorithm,
    /// Encrypted to another key, as its `kid` says.
    #[error("the JWE is for another key")]
    Recipient,
    /// The ephemeral key is not a point on P-256.
    #[error("the JWE's ephemeral key is not on P-256")]
    EphemeralKey,
    /// Encrypted to another key, or altered on its way.
    #[error("the JWE cannot be decrypted")]
    Decryption,
}

impl JweError {
    /// The stable code in interfaces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "jwe_too_large",
            Self::Malformed => "jwe_malformed",
            Self::Algorithm => "jwe_algorithm",
            Self::Recipient => "jwe_recipient",
            Self::EphemeralKey => "jwe_ephemeral_key",
            Self::Decryption => "jwe_decryption",
        }
    }
}

/// The key that an answer is encrypted to: one for each request.
#[derive(Clone)]
pub struct DecryptionKey(SecretKey);

impl DecryptionKey {
    /// A new key from `entropy`'s bytes under `label`.
    pub fn generate(entropy: &Entropy, label: &str) -> Self {
        // A draw outside 1..n has a chance of 2^-32.
        for attempt in 0..u32::MAX {
            if let Some(key) = Self::from_bytes(&entropy.bytes(&format!("{label}/{attempt}"))) {
                return key;
            }
        }
        unreachable!("2^32 draws in a row outside the curve's order")
    }

    /// The key with this secret scalar; `None` if it is outside the curve's order.
    pub fn from_bytes(scalar: &[u8; 32]) -> Option<Self> {
        SecretKey::from_slice(scalar).ok().map(Self)
    }

    /// The secret scalar, to be kept until the answer has come.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes().into()
    }

    /// The public key.
    pub fn public_key(&self) -> jose::PublicKey {
        use p256::elliptic_curve::sec1::ToSec1Point as _;
        jose::PublicKey::from_sec1(self.0.public_key().to_sec1_point(false).as_bytes())
            .expect("the public half of a P-256 key is a point on P-256")
    }

    /// The public JWK as `client_metadata` carries it (HAIP §5).
    pub fn to_jwk(&self, kid: &str) -> Value {
        let mut jwk = self.public_key().to_jwk();
        jwk["use"] = json!("enc");
        jwk["alg"] = json!(ALGORITHM);
        jwk["kid"] = json!(kid);
        jwk
    }
}

impl std::fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<decryption key>")
    }
}

/// Encrypts `plaintext` to `recipient`, whose `kid` goes into the header.
///
/// `None` if `recipient` is not a P-256 key for encryption.
pub fn seal(
    plaintext: &[u8],
    recipient: &Value,
    encryption: Encryption,
    entropy: &Entropy,
) -> Option<String> {
    let kty_ok = recipient["kty"] == "EC" && recipient["crv"] == "P-256";
    let alg_ok = recipient.get("alg").is_none_or(|alg| alg == ALGORITHM);
    let use_ok = recipient.get("use").is_none_or(|usage| usage == "enc");
    if !(kty_ok && alg_ok && use_ok) {
        return None;
    }
    let key = jose::PublicKey::from_coordinates(recipient)?;
    let ephemeral = DecryptionKey::generate(entropy, "jwe/epk");
    let mut header = Map::new();
    header.insert("alg".to_owned(), json!(ALGORITHM));
    header.insert("enc".to_owned(), json!(encryption.name()));
    header.insert("epk".to_owned(), ephemeral.public_key().to_jwk());
    if let Some(kid) = recipient.get("kid").and_then(Value::as_str) {
        header.insert("kid".to_owned(), json!(kid));
    }
    let header = jose::encode(&serde_json::to_vec(&header).expect("plain data becomes JSON"));
    let secret = agree(&ephemeral, &key)?;
    let content_key = derive(&secret, encryption, &[], &[]);
    let nonce: [u8; NONCE_BYTES] =
        entropy.bytes("jwe/iv")[..NONCE_BYTES].try_into().expect("32 bytes hold 12");
    let payload = Payload { msg: plaintext, aad: header.as_bytes() };
    let sealed = encrypt(encryption, &content_key, nonce, payload)?;
    let (ciphertext, tag) = sealed.split_at(sealed.len() - TAG_BYTES);
    let parts = [&nonce[..], ciphertext, tag].map(jose::encode);
    Some(format!("{header}..{}", parts.join(".")))
}

/// Decrypts `text` with `key`, which the header may call `kid` only.
///
/// # Errors
/// See [`JweError`].
pub fn open(text: &str, key: &DecryptionKey, kid: &str) -> Result<Vec<u8>, JweError> {
    if text.len() > JWE_BYTES_MAX {
        return Err(JweError::TooLarge);
    }
    let parts: Vec<&str> = text.split('.').collect();
    let [header_text, "", nonce, ciphertext, tag] = parts[..] else {
        return Err(JweError::Malformed);
    };
    let part = |text: &str| jose::decode(text).ok_or(JweError::Malformed);
    let header = json::parse_object(&part(header_text)?).map_err(|_| JweError::Malformed)?;
    let encryption = check_header(&header, kid)?;
    let nonce: [u8; NONCE_BYTES] = part(nonce)?.try_into().map_err(|_| JweError::Malformed)?;
    let tag = part(tag)?;
    if tag.len() != TAG_BYTES {
        return Err(JweError::Malformed);
    }
    let mut sealed = part(ciphertext)?;
    sealed.extend(tag);
    let ephemeral = header
        .get("epk")
        .filter(|epk| epk["kty"] == "EC" && epk["crv"] == "P-256" && epk.get("d").is_none())
        .and_then(jose::PublicKey::from_coordinates)
        .ok_or(JweError::EphemeralKey)?;
    let secret = agree(key, &ephemeral).ok_or(JweError::EphemeralKey)?;
    let agreed = |name: &str| match header.get(name) {
        None => Ok(Vec::new()),
        Some(value) => value.as_str().and_then(jose::decode).ok_or(JweError::Malformed),
    };
    let content_key = derive(&secret, encryption, &agreed("apu")?, &agreed("apv")?);
    let payload = Payload { msg: &sealed, aad: header_text.as_bytes() };
    decrypt(encryption, &content_key, nonce, payload).ok_or(JweError::Decryption)
}

fn check_header(header: &Map<String, Value>, kid: &str) -> Result<Encryption, JweError> {
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    if text("alg") != Some(ALGORITHM) || header.contains_key("zip") || header.contains_key("crit") {
        return Err(JweError::Algorithm);
    }
    if header.get("kid").is_some_and(|named| named.as_str() != Some(kid)) {
        return Err(JweError::Recipient);
    }
    text("enc").and_then(Encryption::from_name).ok_or(JweError::Algorithm)
}

/// The shared x-coordinate, `None` if `public` is no point (it was checked when it was made).
fn agree(own: &DecryptionKey, public: &jose::PublicKey) -> Option<[u8; 32]> {
    let public = p256::PublicKey::from_sec1_bytes(&public.to_sec1()).ok()?;
    let shared = diffie_hellman(own.0.to_nonzero_scalar(), public.as_affine());
    Some((*shared.raw_secret_bytes()).into())
}

/// Concat KDF with SHA-256 (RFC 7518 §4.6.2); one round gives the 256 bits that are ever needed.
fn derive(secret: &[u8; 32], encryption: Encryption, apu: &[u8], apv: &[u8]) -> Vec<u8> {
    let length = |bytes: usize| u32::try_from(bytes).expect("a header is below 2^32 bytes");
    let mut hash = Sha256::new();
    hash.update(1_u32.to_be_bytes());
    hash.update(secret);
    for info in [encryption.name().as_bytes(), apu, apv] {
        hash.update(length(info.len()).to_be_bytes());
        hash.update(info);
    }
    hash.update(length(encryption.key_bytes() * 8).to_be_bytes());
    hash.finalize()[..encryption.key_bytes()].to_vec()
}

fn encrypt(
    encryption: Encryption,
    key: &[u8],
    nonce: [u8; NONCE_BYTES],
    payload: Payload<'_, '_>,
) -> Option<Vec<u8>> {
    match encryption {
        Encryption::A128Gcm => {
            Aes128Gcm::new_from_slice(key).ok()?.encrypt(&nonce.into(), payload).ok()
        }
        Encryption::A256Gcm => {
            Aes256Gcm::new_from_slice(key).ok()?.encrypt(&nonce.into(), payload).ok()
        }
    }
}

fn decrypt(
    encryption: Encryption,
    key: &[u8],
    nonce: [u8; NONCE_BYTES],
    payload: Payload<'_, '_>,
) -> Option<Vec<u8>> {
    match encryption {
        Encryption::A128Gcm => {
            Aes128Gcm::new_from_slice(key).ok()?.decrypt(&nonce.into(), payload).ok()
        }
        Encryption::A256Gcm => {
            Aes256Gcm::new_from_slice(key).ok()?.decrypt(&nonce.into(), payload).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(seed: u8) -> DecryptionKey {
        DecryptionKey::generate(&Entropy::new([seed; 32]), "test")
    }

    fn sealed(plaintext: &[u8], encryption: Encryption) -> String {
        seal(plaintext, &key(1).to_jwk("k"), encryption, &Entropy::new([9; 32])).expect("a key")
    }

    /// RFC 7518 Appendix C: Alice's ephemeral key, Bob's key, A128GCM, apu "Alice", apv "Bob".
    #[test]
    fn the_key_agreement_gives_the_example_of_rfc_7518() {
        let scalar = |text: &str| -> [u8; 32] {
            jose::decode(text).expect("base64url").try_into().expect("32 bytes")
        };
        let alice =
            DecryptionKey::from_bytes(&scalar("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo"))
                .expect("a key");
        let bob = DecryptionKey::from_bytes(&scalar("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"))
            .expect("a key");
        assert_eq!(bob.public_key().to_jwk()["x"], "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ");
        assert_eq!(alice.public_key().to_jwk()["x"], "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0");
        let secret = agree(&alice, &bob.public_key()).expect("a point");
        assert_eq!(agree(&bob, &alice.public_key()), Some(secret));
        let derived = derive(&secret, Encryption::A128Gcm, b"Alice", b"Bob");
        assert_eq!(jose::encode(&derived), "VqqN6vgjbSBcIijNcacQGg");
    }

    #[test]
    fn what_was_sealed_is_opened_by_its_key_alone() {
        for encryption in [Encryption::A128Gcm, Encryption::A256Gcm] {
            let text = sealed(b"{}", encryption);
            assert_eq!(open(&text, &key(1), "k"), Ok(b"{}".to_vec()));
            assert_eq!(open(&text, &key(2), "k"), Err(JweError::Decryption));
            assert_eq!(open(&text, &key(1), "other"), Err(JweError::Recipient));
        }
    }

    #[test]
    fn other_algorithms_and_forms_are_refused() {
        let text = sealed(b"{}", Encryption::A128Gcm);
        let (header, rest) = text.split_once('.').expect("five parts");
        let header = String::from_utf8(jose::decode(header).expect("base64url")).expect("JSON");
        let forge = |from: &str, to: &str| {
            let header = header.replace(from, to);
            open(&format!("{}.{rest}", jose::encode(header.as_bytes())), &key(1), "k")
        };
        assert_eq!(forge("ECDH-ES", "ECDH-ES+A128KW"), Err(JweError::Algorithm));
        assert_eq!(forge("ECDH-ES", "dir"), Err(JweError::Algorithm));
        assert_eq!(forge("A128GCM", "A128CBC-HS256"), Err(JweError::Algorithm));
        assert_eq!(forge("{\"alg\"", "{\"zip\":\"DEF\",\"alg\""), Err(JweError::Algorithm));
        assert_eq!(forge("A128GCM", "A256GCM"), Err(JweError::Decryption));
        assert_eq!(forge("P-256", "P-384"), Err(JweError::EphemeralKey));
        for text in ["", "a.b.c", "....", "!!..!!.!!.!!"] {
            assert_eq!(open(text, &key(1), "k"), Err(JweError::Malformed), "{text}");
        }
        let long = "a".repeat(JWE_BYTES_MAX + 1);
        assert_eq!(open(&long, &key(1), "k"), Err(JweError::TooLarge));
    }

    #[test]
    fn a_key_for_something_else_is_not_encrypted_to() {
        let mut jwk = key(1).to_jwk("k");
        jwk["use"] = json!("sig");
        assert!(seal(b"", &jwk, Encryption::A128Gcm, &Entropy::new([0; 32])).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn any_altered_character_of_a_jwe_is_refused(
            plaintext in proptest::collection::vec(any::<u8>(), 0..64),
            at in any::<prop::sample::Index>(),
            with in "[A-Za-z0-9_.-]",
        ) {
            let text = sealed(&plaintext, Encryption::A256Gcm);
            prop_assert_eq!(open(&text, &key(1), "k"), Ok(plaintext));
            let at = at.index(text.len());
            prop_assume!(text[at..=at] != with);
            let mut altered = text;
            altered.replace_range(at..=at, &with);
            prop_assert!(open(&altered, &key(1), "k").is_err());
        }
    }
}
