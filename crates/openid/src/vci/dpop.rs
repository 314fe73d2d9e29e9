//! Tokens bound to a key: DPoP (RFC 9449).

use etibar_credential::{
    UnixSeconds,
    jose::{self, PublicKey, SignError, Signer, Token},
};
use serde_json::{Map, Value, json};

use crate::Entropy;

/// The `typ` of a proof.
const TYPE: &str = "dpop+jwt";
/// The longest proof, in bytes.
pub const PROOF_BYTES_MAX: usize = 4 * 1024;
/// How old a proof may be, in seconds; so long its `jti` is remembered.
pub const PROOF_AGE_MAX_S: u64 = 300;
/// How far ahead of our clock a proof may be dated, in seconds.
pub const CLOCK_SKEW_S: u64 = 30;
/// The longest `jti`, in bytes.
const JTI_BYTES_MAX: usize = 128;

/// What a proof is made for.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The method of the request.
    pub method: &'a str,
    /// The URL of the request, without query and fragment.
    pub url: &'a str,
    /// The access token beside it, at a resource.
    pub access_token: Option<&'a str>,
}

/// A proof that was checked; its `jti` and nonce are the caller's to check against its memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The thumbprint of the key, base64url (`jkt`).
    pub thumbprint: String,
    /// Unique for this key.
    pub jti: String,
    /// The server's nonce, if there is one.
    pub nonce: Option<String>,
    /// When it was made.
    pub issued_at: UnixSeconds,
}

/// Why a proof is refused. Each has a stable code; OAuth's is `invalid_dpop_proof`, or
/// `use_dpop_nonce` where the nonce is the matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DpopError {
    /// There is no proof.
    #[error("the request has no DPoP proof")]
    Missing,
    /// Not an ES256 JWT of type `dpop+jwt` with a public key and the claims of RFC 9449 §4.2.
    #[error("the DPoP proof is malformed")]
    Malformed,
    /// Its signature is not its key's.
    #[error("the DPoP proof's signature is not its key's")]
    Signature,
    /// Made for another method (`htm`).
    #[error("the DPoP proof is for another method")]
    Method,
    /// Made for another URL (`htu`).
    #[error("the DPoP proof is for another URL")]
    Url,
    /// Made for another access token (`ath`).
    #[error("the DPoP proof is for another access token")]
    AccessToken,
    /// Older than [`PROOF_AGE_MAX_S`].
    #[error("the DPoP proof is too old")]
    Expired,
    /// Dated in the future.
    #[error("the DPoP proof is dated in the future")]
    NotYetValid,
    /// Without the server's nonce, or with one that has expired.
    #[error("the DPoP proof lacks a current nonce of the server")]
    Nonce,
    /// Seen before (`jti`).
    #[error("the DPoP proof was used before")]
    Replayed,
    /// Of another key than the code or token is bound to.
    #[error("the DPoP proof is of another key")]
    Key,
}

impl DpopError {
    /// The stable code in interfaces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "dpop_missing",
            Self::Malformed => "dpop_malformed",
            Self::Signature => "dpop_signature",
            Self::Method => "dpop_method",
            Self::Url => "dpop_url",
            Self::AccessToken => "dpop_access_token",
            Self::Expired => "dpop_expired",
            Self::NotYetValid => "dpop_not_yet_valid",
            Self::Nonce => "dpop_nonce",
            Self::Replayed => "dpop_replayed",
            Self::Key => "dpop_key",
        }
    }

    /// OAuth's code.
    pub const fn oauth(self) -> &'static str {
        if matches!(self, Self::Nonce) { "use_dpop_nonce" } else { "invalid_dpop_proof" }
    }
}

/// Signs a proof for `target` with the wallet's key.
///
/// # Errors
/// If the key cannot sign.
pub fn sign(
    signer: &dyn Signer,
    target: Target<'_>,
    nonce: Option<&str>,
    now: UnixSeconds,
    entropy: &Entropy,
) -> Result<String, SignError> {
    let mut header = Map::new();
    header.insert("jwk".to_owned(), signer.public_key().to_jwk());
    let mut claims = Map::new();
    claims.insert("jti".to_owned(), json!(entropy.text("dpop/jti")));
    claims.insert("htm".to_owned(), json!(target.method));
    claims.insert("htu".to_owned(), json!(target.url));
    claims.insert("iat".to_owned(), json!(now));
    if let Some(token) = target.access_token {
        claims.insert("ath".to_owned(), json!(jose::text_hash(token)));
    }
    if let Some(nonce) = nonce {
        claims.insert("nonce".to_owned(), json!(nonce));
    }
    jose::sign(signer, TYPE, header, &claims)
}

/// Checks everything about a proof that needs no memory (RFC 9449 §4.3).
///
/// # Errors
/// The first rule broken, in the order of [`DpopError`].
pub fn check(proof: &str, target: Target<'_>, now: UnixSeconds) -> Result<Proof, DpopError> {
    let malformed = |_| DpopError::Malformed;
    let token = Token::parse(proof, TYPE, PROOF_BYTES_MAX).map_err(malformed)?;
    let jwk: &Value = token.header().jwk.as_ref().ok_or(DpopError::Malformed)?;
    let key = PublicKey::from_jwk(jwk).map_err(|_| DpopError::Malformed)?;
    let claims = token.verify(&key).map_err(|error| match error {
        jose::JoseError::Signature => DpopError::Signature,
        _ => DpopError::Malformed,
    })?;
    let text = |name: &str| claims.text(name).map_err(malformed);
    let required = |name: &str| text(name)?.ok_or(DpopError::Malformed);
    let jti = required("jti")?;
    if jti.is_empty() || jti.len() > JTI_BYTES_MAX {
        return Err(DpopError::Malformed);
    }
    if required("htm")? != target.method {
        return Err(DpopError::Method);
    }
    if !same_url(required("htu")?, target.url) {
        return Err(DpopError::Url);
    }
    if target.access_token.map(jose::text_hash).as_deref() != text("ath")? {
        return Err(DpopError::AccessToken);
    }
    let issued_at = claims.time("iat").map_err(malformed)?.ok_or(DpopError::Malformed)?;
    if now.since(issued_at) > PROOF_AGE_MAX_S {
        return Err(DpopError::Expired);
    }
    if issued_at > now.saturating_add(CLOCK_SKEW_S) {
        return Err(DpopError::NotYetValid);
    }
    Ok(Proof {
        thumbprint: jose::encode(&key.thumbprint()),
        jti: jti.to_owned(),
        nonce: text("nonce")?.map(str::to_owned),
        issued_at,
    })
}

/// Whether both are the same URL once normalised, without query and fragment (RFC 9449 §4.3).
fn same_url(theirs: &str, ours: &str) -> bool {
    let normal = |text: &str| {
        let mut url = url::Url::parse(text).ok()?;
        url.set_query(None);
        url.set_fragment(None);
        Some(url)
    };
    normal(theirs).is_some_and(|theirs| Some(theirs) == normal(ours))
}
