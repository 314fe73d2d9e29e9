//! Proofs that the holder has the keys that credentials shall be bound to (OpenID4VCI 1.0 §F.1).

use etibar_credential::{
    UnixSeconds,
    jose::{JoseError, PublicKey, SignError, Signer, Token, sign},
};
use serde_json::{Map, json};

use super::Proofs;

/// The `typ` of a proof.
const TYPE: &str = "openid4vci-proof+jwt";
/// The most keys of one request.
pub const KEYS_MAX: usize = 32;
/// The longest proof, in bytes.
const PROOF_BYTES_MAX: usize = 4 * 1024;
/// How old a proof may be, in seconds; its nonce bounds it more tightly.
const PROOF_AGE_MAX_S: u64 = 300;
/// How far ahead of our clock a proof may be dated, in seconds.
const CLOCK_SKEW_S: u64 = 30;

/// Why a key's proof is refused. Each has a stable code; the standard's is `invalid_proof`, or
/// `invalid_nonce` where the nonce is the matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// There is no proof of type `jwt`.
    #[error("the request proves no key")]
    Missing,
    /// More than [`KEYS_MAX`].
    #[error("the request proves more keys than one batch may")]
    TooMany,
    /// Not an ES256 JWT of type `openid4vci-proof+jwt` with a public key.
    #[error("a key's proof is malformed")]
    Malformed,
    /// Its signature is not its key's.
    #[error("a key's proof is not signed by the key")]
    Signature,
    /// Made for another issuer (`aud`).
    #[error("a key's proof is for another issuer")]
    Audience,
    /// Made by another client (`iss`).
    #[error("a key's proof is of another client")]
    Client,
    /// Too old, or dated in the future.
    #[error("a key's proof is not of this time")]
    Time,
    /// The same key twice.
    #[error("a key is proven twice")]
    KeyTwice,
    /// Without a nonce, or the proofs of one request carry different ones.
    #[error("the proofs lack one common nonce")]
    NonceMissing,
    /// The nonce is none of ours.
    #[error("the nonce is not of this issuer")]
    NonceForeign,
    /// The nonce has expired.
    #[error("the nonce has expired")]
    NonceExpired,
    /// The nonce was used before.
    #[error("the nonce was used before")]
    NonceReplayed,
}

impl ProofError {
    /// The stable code in interfaces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "proof_missing",
            Self::TooMany => "proof_too_many",
            Self::Malformed => "proof_malformed",
            Self::Signature => "proof_signature",
            Self::Audience => "proof_audience",
            Self::Client => "proof_client",
            Self::Time => "proof_time",
            Self::KeyTwice => "proof_key_twice",
            Self::NonceMissing => "nonce_missing",
            Self::NonceForeign => "nonce_foreign",
            Self::NonceExpired => "nonce_expired",
            Self::NonceReplayed => "nonce_replayed",
        }
    }

    /// The standard's code (OpenID4VCI 1.0 §8.3.1.2).
    pub const fn oauth(self) -> &'static str {
        match self {
            Self::NonceMissing | Self::NonceForeign | Self::NonceExpired | Self::NonceReplayed => {
                "invalid_nonce"
            }
            _ => "invalid_proof",
        }
    }
}

/// What proofs are checked against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    pub(super) audience: &'a str,
    /// The client of the token; `iss` must be absent if there is none (anonymous access).
    pub(super) client_id: Option<&'a str>,
    pub(super) now: UnixSeconds,
}

/// Signs a proof that the wallet holds `signer`'s key.
pub(super) fn prove(
    signer: &dyn Signer,
    audience: &str,
    client_id: Option<&str>,
    nonce: &str,
    now: UnixSeconds,
) -> Result<String, SignError> {
    let mut header = Map::new();
    header.insert("jwk".to_owned(), signer.public_key().to_jwk());
    let mut claims = Map::new();
    claims.insert("aud".to_owned(), json!(audience));
    claims.insert("iat".to_owned(), json!(now));
    claims.insert("nonce".to_owned(), json!(nonce));
    if let Some(client) = client_id {
        claims.insert("iss".to_owned(), json!(client));
    }
    sign(signer, TYPE, header, &claims)
}

/// The proven keys in their order, and the nonce common to their proofs.
pub(super) fn check(
    proofs: &Proofs,
    expected: Expected<'_>,
) -> Result<(Vec<PublicKey>, String), ProofError> {
    if proofs.jwt.is_empty() {
        return Err(ProofError::Missing);
    }
    if proofs.jwt.len() > KEYS_MAX {
        return Err(ProofError::TooMany);
    }
    let mut keys: Vec<PublicKey> = Vec::with_capacity(proofs.jwt.len());
    let mut common: Option<String> = None;
    for proof in &proofs.jwt {
        let (key, nonce) = check_one(proof, expected)?;
        if keys.contains(&key) {
            return Err(ProofError::KeyTwice);
        }
        keys.push(key);
        match &common {
            Some(first) if *first != nonce => return Err(ProofError::NonceMissing),
            _ => common = Some(nonce),
        }
    }
    Ok((keys, common.expect("there is at least one proof")))
}

fn check_one(proof: &str, expected: Expected<'_>) -> Result<(PublicKey, String), ProofError> {
    let malformed = |_| ProofError::Malformed;
    let token = Token::parse(proof, TYPE, PROOF_BYTES_MAX).map_err(malformed)?;
    let jwk = token.header().jwk.as_ref().ok_or(ProofError::Malformed)?;
    let key = PublicKey::from_jwk(jwk).map_err(|_| ProofError::Malformed)?;
    let claims = token.verify(&key).map_err(|error| match error {
        JoseError::Signature => ProofError::Signature,
        _ => ProofError::Malformed,
    })?;
    let text = |name: &str| claims.text(name).map_err(malformed);
    let audience = match claims.0.get("aud") {
        // Some wallets write a list of one (RFC 7519 §4.1.3 allows both).
        Some(serde_json::Value::Array(list)) if list.len() == 1 => list[0].as_str(),
        _ => text("aud")?,
    };
    if audience != Some(expected.audience) {
        return Err(ProofError::Audience);
    }
    if text("iss")?.is_some_and(|client| Some(client) != expected.client_id) {
        return Err(ProofError::Client);
    }
    let issued_at = claims.time("iat").map_err(malformed)?.ok_or(ProofError::Malformed)?;
    let ahead = issued_at > expected.now.saturating_add(CLOCK_SKEW_S);
    if ahead || expected.now.since(issued_at) > PROOF_AGE_MAX_S {
        return Err(ProofError::Time);
    }
    let nonce = text("nonce")?.ok_or(ProofError::NonceMissing)?;
    Ok((key, nonce.to_owned()))
}
