//! The verifier's side (RFC 9901 §7.3).

use serde_json::Value;

use super::present::split;
use super::process::{Processed, process};
use super::{Disclosure, KEY_BINDING_TYPE, SD_JWT_BYTES_MAX, SdJwtError};
use crate::UnixSeconds;
use crate::jose::{Claims, Header, PublicKey, TOKEN_BYTES_MAX, Token, text_hash};

/// An SD-JWT as received, with or without key binding. Nothing is proven until
/// [`Presentation::verify`].
pub struct Presentation<'a> {
    text: &'a str,
    token: Token<'a>,
    disclosures: Vec<Disclosure>,
    key_binding: Option<Token<'a>>,
}

/// What a verifier demands of a key-binding JWT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyBindingPolicy<'a> {
    /// The nonce this verifier gave. Whether it was used before is the caller's to know.
    pub nonce: &'a str,
    /// This verifier's name.
    pub audience: &'a str,
    /// Now.
    pub now: UnixSeconds,
    /// Seconds a key binding stays acceptable.
    pub age_seconds_max: u64,
    /// Seconds by which the holder's clock may run ahead.
    pub skew_seconds_max: u64,
    /// The request's `transaction_data` exactly as sent, in its order; empty if there was none.
    pub transaction_data: &'a [String],
}

/// A key binding that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyBindingProof {
    /// The holder's key.
    pub holder: PublicKey,
    /// When the holder signed, by the holder's clock.
    pub issued_at: UnixSeconds,
    /// The key-binding JWT itself: the holder's signature, kept as evidence.
    pub token: String,
}

impl<'a> Presentation<'a> {
    /// Parses `text`, whose issuer-signed JWT must be of type `typ`.
    pub fn parse(text: &'a str, typ: &str) -> Result<Self, SdJwtError> {
        let (jwt, disclosures, bound) = split(text)?;
        let token = Token::parse(jwt, typ, SD_JWT_BYTES_MAX).map_err(SdJwtError::Issuer)?;
        let key_binding = match bound {
            "" => None,
            bound => Some(
                Token::parse(bound, KEY_BINDING_TYPE, TOKEN_BYTES_MAX)
                    .map_err(SdJwtError::KeyBinding)?,
            ),
        };
        Ok(Self { text, token, disclosures, key_binding })
    }

    /// The header of the issuer-signed JWT: where to find the chain. Not proven.
    pub const fn header(&self) -> &Header {
        self.token.header()
    }

    /// The issuer-signed claims before any check of the signature: only to find the issuer's key.
    pub fn unproven_claims(&self) -> Result<Claims, SdJwtError> {
        self.token.read_payload().map_err(SdJwtError::Issuer)
    }

    /// Whether a key-binding JWT came along.
    pub const fn is_bound(&self) -> bool {
        self.key_binding.is_some()
    }

    /// §7.1: the issuer's signature, then the disclosures. Validity in time is the caller's rule.
    pub fn verify(&self, issuer: &PublicKey) -> Result<Processed, SdJwtError> {
        let payload = self.token.verify(issuer).map_err(SdJwtError::Issuer)?;
        process(&payload, &self.disclosures)
    }

    /// §7.3: the holder's signature over this presentation, for this verifier, now.
    ///
    /// `processed` is what [`Presentation::verify`] returned for the same presentation.
    pub fn verify_key_binding(
        &self,
        processed: &Processed,
        policy: &KeyBindingPolicy<'_>,
    ) -> Result<KeyBindingProof, SdJwtError> {
        let token = self.key_binding.as_ref().ok_or(SdJwtError::KeyBindingMissing)?;
        let holder = processed.holder()?;
        let claims = token.verify(&holder).map_err(SdJwtError::KeyBinding)?;
        let text = |name: &str| claims.text(name).map_err(SdJwtError::KeyBinding);
        if text("nonce")? != Some(policy.nonce) {
            return Err(SdJwtError::WrongNonce);
        }
        if text("aud")? != Some(policy.audience) {
            return Err(SdJwtError::WrongAudience);
        }
        let issued_at = check_age(&claims, policy)?;
        let (unbound, bound) = self.text.rsplit_once('~').ok_or(SdJwtError::Format)?;
        if text("sd_hash")? != Some(text_hash(&format!("{unbound}~")).as_str()) {
            return Err(SdJwtError::WrongSdHash);
        }
        check_transaction_data(&claims, policy.transaction_data)?;
        Ok(KeyBindingProof { holder, issued_at, token: bound.to_owned() })
    }
}

fn check_age(claims: &Claims, policy: &KeyBindingPolicy<'_>) -> Result<UnixSeconds, SdJwtError> {
    let time = |name: &str| claims.time(name).map_err(SdJwtError::KeyBinding);
    let issued_at = time("iat")?.ok_or(SdJwtError::KeyBindingStale)?;
    let expired = time("exp")?.is_some_and(|expiry| policy.now >= expiry);
    if expired || policy.now.since(issued_at) > policy.age_seconds_max {
        return Err(SdJwtError::KeyBindingStale);
    }
    let not_yet = time("nbf")?.unwrap_or(issued_at).max(issued_at);
    if not_yet.since(policy.now) > policy.skew_seconds_max {
        return Err(SdJwtError::KeyBindingFuture);
    }
    Ok(issued_at)
}

fn check_transaction_data(claims: &Claims, asked: &[String]) -> Result<(), SdJwtError> {
    let given = match claims.0.get("transaction_data_hashes") {
        None => Vec::new(),
        Some(Value::Array(hashes)) => hashes.iter().map(Value::as_str).collect(),
        Some(_) => return Err(SdJwtError::WrongTransactionData),
    };
    let hash_name = claims.text("transaction_data_hashes_alg").map_err(SdJwtError::KeyBinding)?;
    let is_same = given.len() == asked.len()
        && given.iter().zip(asked).all(|(hash, data)| *hash == Some(text_hash(data).as_str()))
        && matches!(hash_name, None | Some("sha-256"));
    if is_same { Ok(()) } else { Err(SdJwtError::WrongTransactionData) }
}
