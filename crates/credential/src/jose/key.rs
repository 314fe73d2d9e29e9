//! P-256 keys: who signs, and what a public key looks like as a JWK.

use core::fmt;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::pkcs8::DecodePublicKey as _;
use rand_core::CryptoRng;
use serde_json::{Map, Value, json};

use super::{decode, encode, sha256};

/// Why a signature could not be made. The signer is outside: a token, a module, a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The key's keeper did not answer or refused.
    #[error("the signing key is not available")]
    Unavailable,
    /// The certificate to be made is not encodable: a name or a validity outside X.509's range.
    #[error("the certificate cannot be encoded")]
    Certificate,
}

impl SignError {
    /// A stable code for logs, metrics and problem documents.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unavailable => "signer_unavailable",
            Self::Certificate => "certificate_not_encodable",
        }
    }
}

/// Whoever holds a P-256 private key: a file, PKCS#11, a phone's enclave.
pub trait Signer: Send + Sync {
    /// The ES256 signature (`r ‖ s`, RFC 7518 §3.4) over `message`, which is not yet hashed.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError>;

    /// The key that verifies it.
    fn public_key(&self) -> PublicKey;

    /// The certificates that vouch for the key, DER, leaf first and authority last. Empty for a
    /// holder's key.
    fn chain(&self) -> &[Vec<u8>] {
        &[]
    }

    /// The stable code of what keeps the key from signing now, as far as its keeper knows: for
    /// health and metrics.
    fn fault(&self) -> Option<&'static str> {
        None
    }
}

/// A point on P-256, checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// Why a JWK is not a key we accept (RFC 7517, RFC 7518 §6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwkError {
    /// Not an object with `kty` "EC" and `crv` "P-256".
    #[error("not an EC key on P-256")]
    NotP256,
    /// A private key (`d`) where a public one belongs.
    #[error("a private key was sent")]
    Private,
    /// `x` or `y` is not 32 bytes of base64url, or the point is not on the curve.
    #[error("not a point on P-256")]
    NotOnCurve,
    /// `alg`, `use` or `key_ops` says the key is not for ES256 signatures.
    #[error("the key is not for ES256 signatures")]
    WrongUse,
}

impl PublicKey {
    /// The key with these uncompressed SEC1 bytes (65 bytes, first 4); `None` if no such point.
    pub fn from_sec1(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != 65 {
            return None;
        }
        VerifyingKey::from_sec1_bytes(bytes).ok().map(Self)
    }

    /// The uncompressed SEC1 bytes.
    pub fn to_sec1(&self) -> [u8; 65] {
        let point = self.0.to_sec1_point(false);
        point.as_bytes().try_into().expect("an uncompressed P-256 point has 65 bytes")
    }

    /// Reads the public key in `jwk`; members we do not know are ignored (RFC 7517 §4).
    pub fn from_jwk(jwk: &Value) -> Result<Self, JwkError> {
        let member = |name: &str| jwk.get(name).and_then(Value::as_str);
        if member("kty") != Some("EC") || member("crv") != Some("P-256") {
            return Err(JwkError::NotP256);
        }
        if jwk.get("d").is_some() {
            return Err(JwkError::Private);
        }
        let other_alg = jwk.get("alg").is_some_and(|alg| alg.as_str() != Some("ES256"));
        let other_use = jwk.get("use").is_some_and(|usage| usage.as_str() != Some("sig"));
        let other_ops = jwk.get("key_ops").is_some_and(|ops| {
            !ops.as_array().is_some_and(|ops| ops.iter().any(|op| op.as_str() == Some("verify")))
        });
        if other_alg || other_use || other_ops {
            return Err(JwkError::WrongUse);
        }
        Self::from_coordinates(jwk).ok_or(JwkError::NotOnCurve)
    }

    /// The point of an EC JWK whose use was checked by the caller, for example an encryption key.
    pub fn from_coordinates(jwk: &Value) -> Option<Self> {
        let mut sec1 = vec![4];
        for name in ["x", "y"] {
            let coordinate = jwk.get(name).and_then(Value::as_str).and_then(decode)?;
            if coordinate.len() != 32 {
                return None;
            }
            sec1.extend(coordinate);
        }
        Self::from_sec1(&sec1)
    }

    /// The public JWK with the members RFC 7638 requires and no other.
    pub fn to_jwk(&self) -> Value {
        let sec1 = self.to_sec1();
        json!({
            "crv": "P-256",
            "kty": "EC",
            "x": encode(&sec1[1..33]),
            "y": encode(&sec1[33..]),
        })
    }

    /// The JWK thumbprint: SHA-256 over the canonical JWK (RFC 7638 §3).
    pub fn thumbprint(&self) -> [u8; 32] {
        let sec1 = self.to_sec1();
        let (x, y) = (encode(&sec1[1..33]), encode(&sec1[33..]));
        sha256(format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#).as_bytes())
    }

    /// Whether `signature` (`r ‖ s`) over `message` was made with this key.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        // The one hot path of every verifier: aws-lc is several times as fast as p256 (ADR 0009).
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.to_sec1())
            .verify(message, signature)
            .is_ok()
    }

    /// The underlying verifying key.
    pub(crate) const fn inner(&self) -> &VerifyingKey {
        &self.0
    }

    /// The key in a `SubjectPublicKeyInfo`, DER.
    pub(crate) fn from_spki(der: &[u8]) -> Option<Self> {
        VerifyingKey::from_public_key_der(der).ok().map(Self)
    }

    /// As [`PublicKey::verifies`], for a signature in DER, as X.509 has it.
    pub(crate) fn verifies_der(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, self.to_sec1())
            .verify(message, signature)
            .is_ok()
    }
}

impl fmt::Debug for PublicKey {
    /// A holder's key names the holder, so nothing of it is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(…)")
    }
}

/// A private key in memory: from a file, or a holder's.
///
/// Signatures are deterministic (RFC 6979), so a bad source of randomness cannot betray the key.
/// The key is wiped when dropped.
#[derive(Clone)]
pub struct SoftwareKey {
    key: SigningKey,
}

impl SoftwareKey {
    /// A new key from `rng`.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        loop {
            let mut scalar = [0; 32];
            rng.fill_bytes(&mut scalar);
            // A draw outside 1..n has a chance of 2^-32; drawing again keeps the choice even.
            if let Some(key) = Self::from_bytes(&scalar) {
                return key;
            }
        }
    }

    /// The key with this secret scalar, big-endian; `None` if it is zero or not below the order.
    pub fn from_bytes(scalar: &[u8; 32]) -> Option<Self> {
        SigningKey::from_slice(scalar).ok().map(|key| Self { key })
    }

    /// The secret scalar, big-endian: for sealing into a key file, for nothing else.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.key.to_bytes().into()
    }

    /// The private JWK's reading: `d` beside the public members.
    pub fn from_private_jwk(jwk: &Value) -> Option<Self> {
        let scalar = jwk.get("d").and_then(Value::as_str).and_then(decode)?;
        let key = Self::from_bytes(&scalar.try_into().ok()?)?;
        (PublicKey::from_coordinates(jwk)? == key.public_key()).then_some(key)
    }

    /// The private JWK. Secret.
    pub fn to_private_jwk(&self) -> Value {
        let mut jwk = self.public_key().to_jwk();
        if let Some(members) = jwk.as_object_mut() {
            let members: &mut Map<String, Value> = members;
            members.insert("d".to_owned(), Value::String(encode(&self.to_bytes())));
        }
        jwk
    }
}

impl Signer for SoftwareKey {
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        let signature: Signature =
            self.key.try_sign(message).map_err(|_| SignError::Unavailable)?;
        Ok(signature.to_bytes().into())
    }

    fn public_key(&self) -> PublicKey {
        PublicKey(*self.key.verifying_key())
    }
}

impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SoftwareKey(…)")
    }
}

/// A key together with the certificates that vouch for it.
#[derive(Debug, Clone)]
pub struct Certified<S> {
    signer: S,
    chain: Vec<Vec<u8>>,
}

impl<S: Signer> Certified<S> {
    /// `signer` with `chain`, DER, leaf first. That the leaf holds the signer's key is checked by
    /// whoever verifies; a mistake shows at the first signature.
    pub const fn new(signer: S, chain: Vec<Vec<u8>>) -> Self {
        Self { signer, chain }
    }
}

impl<S: Signer> Signer for Certified<S> {
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        self.signer.sign(message)
    }

    fn public_key(&self) -> PublicKey {
        self.signer.public_key()
    }

    fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    fn fault(&self) -> Option<&'static str> {
        self.signer.fault()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7515 Appendix A.3.1.
    fn key_of_the_rfc() -> Value {
        json!({
            "kty": "EC",
            "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
        })
    }

    #[test]
    fn the_signature_of_rfc_7515_verifies_and_ours_verifies_with_its_key() {
        let key = SoftwareKey::from_private_jwk(&key_of_the_rfc()).expect("the RFC's key");
        let input = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA\
                     6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTU\
                         JqPP3-Kg6NU1Q";
        let theirs = decode(signature).expect("base64url");
        assert!(key.public_key().verifies(input.as_bytes(), &theirs));
        let ours = key.sign(input.as_bytes()).expect("a key in memory");
        assert!(key.public_key().verifies(input.as_bytes(), &ours));
        assert!(!key.public_key().verifies(b"another text", &ours));
        assert!(!key.public_key().verifies(input.as_bytes(), &ours[..63]));
    }

    #[test]
    fn a_jwk_round_trips_and_a_private_one_is_not_taken_for_public() {
        let key = SoftwareKey::from_private_jwk(&key_of_the_rfc()).expect("the RFC's key");
        assert_eq!(PublicKey::from_jwk(&key.public_key().to_jwk()), Ok(key.public_key()));
        assert_eq!(PublicKey::from_jwk(&key_of_the_rfc()), Err(JwkError::Private));
        assert_eq!(key.to_private_jwk()["d"], key_of_the_rfc()["d"]);
    }

    #[test]
    fn a_key_on_another_curve_off_the_curve_or_for_another_use_is_refused() {
        let good = SoftwareKey::from_private_jwk(&key_of_the_rfc()).expect("the RFC's key");
        let good = good.public_key().to_jwk();
        let with = |name: &str, value: Value| {
            let mut jwk = good.clone();
            jwk[name] = value;
            PublicKey::from_jwk(&jwk)
        };
        assert_eq!(with("crv", json!("P-384")), Err(JwkError::NotP256));
        assert_eq!(with("kty", json!("OKP")), Err(JwkError::NotP256));
        assert_eq!(with("y", good["x"].clone()), Err(JwkError::NotOnCurve));
        assert_eq!(with("x", json!("AA")), Err(JwkError::NotOnCurve));
        assert_eq!(with("alg", json!("none")), Err(JwkError::WrongUse));
        assert_eq!(with("use", json!("enc")), Err(JwkError::WrongUse));
        assert_eq!(with("key_ops", json!(["deriveKey"])), Err(JwkError::WrongUse));
        assert!(with("kid", json!("1")).is_ok());
    }

    #[test]
    fn the_thumbprint_is_the_hash_of_the_canonical_jwk() {
        let key = SoftwareKey::from_private_jwk(&key_of_the_rfc()).expect("the RFC's key");
        let canonical = key.public_key().to_jwk().to_string();
        assert_eq!(key.public_key().thumbprint(), sha256(canonical.as_bytes()));
        assert_eq!(
            encode(&key.public_key().thumbprint()),
            "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"
        );
    }
}
