//! The signed list: a JWT of type `statuslist+jwt` (§5.1, §8.3).

use serde_json::{Map, Value};

use super::{StatusError, StatusList};
use crate::UnixSeconds;
use crate::jose::{self, Claims, JoseError, PublicKey, Signer, Token};
use crate::x509::verify_chain;

/// The `typ` of a status list token.
pub const STATUS_LIST_TYPE: &str = "statuslist+jwt";

/// Bytes of one token: an incompressible list of [`super::STATUS_LIST_BYTES_MAX`], twice in
/// base64, does not fit, and no real list comes near.
pub const STATUS_TOKEN_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What a status list token says beside the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusToken<'a> {
    /// The list's address, as credentials name it.
    pub uri: &'a str,
    /// Now.
    pub issued_at: UnixSeconds,
    /// Until before when it may be relied upon.
    pub expires_at: UnixSeconds,
    /// Seconds a verifier may keep it before it asks again.
    pub ttl_seconds: u64,
}

/// Signs `list`.
pub fn sign_status_list(
    signer: &dyn Signer,
    token: &StatusToken<'_>,
    list: &StatusList,
) -> Result<String, StatusError> {
    let mut payload = Map::new();
    payload.insert("sub".to_owned(), Value::from(token.uri));
    payload.insert("iat".to_owned(), Value::from(token.issued_at.0));
    payload.insert("exp".to_owned(), Value::from(token.expires_at.0));
    payload.insert("ttl".to_owned(), Value::from(token.ttl_seconds));
    payload.insert("status_list".to_owned(), list.to_claim());
    Ok(jose::sign(signer, STATUS_LIST_TYPE, Map::new(), &payload)?)
}

/// A list whose signature was verified, with what decides how long it may be relied upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedStatusList {
    /// The list's address.
    pub uri: String,
    /// When it was signed.
    pub issued_at: UnixSeconds,
    /// Until before when; `None` if it does not say.
    pub expires_at: Option<UnixSeconds>,
    /// Seconds it may be kept; `None` if it does not say.
    pub ttl_seconds: Option<u64>,
    /// When it was fetched, by our clock.
    pub fetched_at: UnixSeconds,
    /// SHA-256 of the authority its signer's chain ends in; `None` if verified with a bare key.
    pub authority_digest: Option<[u8; 32]>,
    /// SHA-256 of the token as served: what the issuer anchors on the ledger.
    pub token_digest: [u8; 32],
    /// The statuses.
    pub list: StatusList,
}

impl VerifiedStatusList {
    /// Verifies a token fetched at `now` from `uri` by its certificate chain. Whether the chain's
    /// authority is the credential's is checked with the credential.
    pub fn verify(text: &str, uri: &str, now: UnixSeconds) -> Result<Self, StatusError> {
        let token = Token::parse(text, STATUS_LIST_TYPE, STATUS_TOKEN_BYTES_MAX)?;
        let chain = verify_chain(&token.header().x5c, now)?;
        let claims = token.verify(&chain.leaf_key)?;
        let mut verified = Self::read(text, &claims, uri, now)?;
        verified.authority_digest = Some(chain.authority_digest);
        Ok(verified)
    }

    /// As [`VerifiedStatusList::verify`], with a key the caller already trusts.
    pub fn verify_with_key(
        text: &str,
        uri: &str,
        now: UnixSeconds,
        key: &PublicKey,
    ) -> Result<Self, StatusError> {
        let token = Token::parse(text, STATUS_LIST_TYPE, STATUS_TOKEN_BYTES_MAX)?;
        Self::read(text, &token.verify(key)?, uri, now)
    }

    fn read(text: &str, claims: &Claims, uri: &str, now: UnixSeconds) -> Result<Self, StatusError> {
        let missing = |_: JoseError| StatusError::ClaimMissing;
        if claims.text("sub").map_err(missing)? != Some(uri) {
            return Err(StatusError::Subject);
        }
        let list = claims.0.get("status_list").ok_or(StatusError::ClaimMissing)?;
        let verified = Self {
            uri: uri.to_owned(),
            issued_at: claims.time("iat").map_err(missing)?.ok_or(StatusError::ClaimMissing)?,
            expires_at: claims.time("exp").map_err(missing)?,
            ttl_seconds: claims.number("ttl").map_err(missing)?,
            fetched_at: now,
            authority_digest: None,
            token_digest: jose::sha256(text.as_bytes()),
            list: StatusList::from_claim(list)?,
        };
        if verified.expires_at.is_some_and(|expiry| now >= expiry) {
            return Err(StatusError::Stale);
        }
        Ok(verified)
    }

    /// Whether the list may be relied upon at `now`: before `exp`, not longer held than `ttl`, and
    /// signed no longer than `age_seconds_max` ago.
    pub fn check_fresh(
        &self,
        now: UnixSeconds,
        age_seconds_max: u64,
        skew_seconds_max: u64,
    ) -> Result<(), StatusError> {
        let is_expired = self.expires_at.is_some_and(|expiry| now >= expiry);
        let is_overheld = self.ttl_seconds.is_some_and(|ttl| now.since(self.fetched_at) > ttl);
        if is_expired || is_overheld || now.since(self.issued_at) > age_seconds_max {
            return Err(StatusError::Stale);
        }
        if self.issued_at.since(now) > skew_seconds_max {
            return Err(StatusError::Future);
        }
        Ok(())
    }
}
