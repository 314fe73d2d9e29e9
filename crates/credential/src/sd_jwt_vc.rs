//! SD-JWT VC: an SD-JWT that is a credential (draft-ietf-oauth-sd-jwt-vc).
//!
//! Our profile is narrower than the draft: `vct`, `iss`, `iat`, `exp` and, in a presentation, a
//! P-256 holder key are required; the issuer's key comes from `x5c`, never from a web address.

mod metadata;

pub use metadata::{ClaimRule, EXTENDS_MAX, MetadataError, SdRule, TypeMetadata, integrity};

use rand_core::CryptoRng;
use serde_json::{Map, Value, json};

use crate::UnixSeconds;
use crate::jose::{Claims, PublicKey, Signer};
use crate::sd_jwt::{self, ClaimPath, Processed, SdJwt, SdJwtError, Step};
use crate::status_list::StatusReference;

/// The `typ` of the issuer-signed JWT and the credential format's name in OpenID4VCI and OpenID4VP.
pub const CREDENTIAL_TYPE: &str = "dc+sd-jwt";

/// Claims the issuer states openly: hidden, they would let a holder drop an expiry or a status
/// (SD-JWT VC §2.2.2.2).
const ALWAYS_OPEN: [&str; 8] =
    ["iss", "iat", "nbf", "exp", "cnf", "vct", "vct#integrity", "status"];

/// Why a credential's own claims are refused. One variant for each rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VcError {
    /// As an SD-JWT.
    #[error(transparent)]
    SdJwt(#[from] SdJwtError),
    /// `vct`, `iss`, `iat` or `exp` is missing, or has the wrong JSON type.
    #[error("a required claim is missing or has the wrong type")]
    ClaimMissing,
    /// A claim that must be open came as a disclosure, or is asked to be disclosable.
    #[error("a claim that must be open is disclosable")]
    ClaimMustBeOpen,
    /// The issuer's own claims use a name that this format gives a meaning.
    #[error("a claim has a name this format reserves")]
    ClaimReserved,
    /// `nbf` or `iat` lies ahead.
    #[error("the credential is not valid yet")]
    NotYetValid,
    /// `exp` has passed.
    #[error("the credential has expired")]
    Expired,
}

impl VcError {
    /// A stable code for logs, metrics and problem documents.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::SdJwt(error) => error.code(),
            Self::ClaimMissing => "credential_claim_missing",
            Self::ClaimMustBeOpen => "credential_claim_must_be_open",
            Self::ClaimReserved => "credential_claim_reserved",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
        }
    }
}

/// What an issuer states in a credential.
#[derive(Debug, Clone)]
pub struct Template<'a> {
    /// The credential's type.
    pub vct: &'a str,
    /// `vct#integrity` of the type's metadata document, if it is pinned.
    pub vct_integrity: Option<&'a str>,
    /// The issuer identifier: the member's base URL.
    pub issuer: &'a str,
    /// Now. Round it down to the hour or day, so that it does not link a batch (SD-JWT VC §6.1).
    pub issued_at: UnixSeconds,
    /// From when, if later than `issued_at`.
    pub not_before: Option<UnixSeconds>,
    /// Until before when.
    pub expires_at: UnixSeconds,
    /// The holder's key.
    pub holder: &'a PublicKey,
    /// Where its status is published.
    pub status: Option<&'a StatusReference>,
    /// The claims of the type.
    pub claims: Map<String, Value>,
    /// Which of them the holder may keep back. Each must lead to a claim.
    pub disclosable: &'a [ClaimPath],
    /// Decoys added wherever there is a digest.
    pub decoys: usize,
}

/// Issues the credential that `template` states.
pub fn issue<R: CryptoRng + ?Sized>(
    signer: &dyn Signer,
    template: &Template<'_>,
    rng: &mut R,
) -> Result<SdJwt, VcError> {
    if ALWAYS_OPEN.iter().any(|name| template.claims.contains_key(*name)) {
        return Err(VcError::ClaimReserved);
    }
    if template.disclosable.iter().any(must_be_open) {
        return Err(VcError::ClaimMustBeOpen);
    }
    let mut claims = template.claims.clone();
    let mut state = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    state("vct", Value::from(template.vct));
    state("iss", Value::from(template.issuer));
    state("iat", Value::from(template.issued_at.0));
    state("exp", Value::from(template.expires_at.0));
    state("cnf", json!({ "jwk": template.holder.to_jwk() }));
    if let Some(integrity) = template.vct_integrity {
        state("vct#integrity", Value::from(integrity));
    }
    if let Some(not_before) = template.not_before {
        state("nbf", Value::from(not_before.0));
    }
    if let Some(status) = template.status {
        state("status", status.to_claim());
    }
    let (disclosable, decoys) = (template.disclosable, template.decoys);
    Ok(sd_jwt::issue(signer, CREDENTIAL_TYPE, claims, disclosable, decoys, rng)?)
}

/// The claims every credential of ours states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The credential's type.
    pub vct: String,
    /// `vct#integrity`, if pinned.
    pub vct_integrity: Option<String>,
    /// The issuer identifier.
    pub issuer: String,
    /// When it was issued.
    pub issued_at: UnixSeconds,
    /// From when it is valid: `nbf`, or `iat`.
    pub valid_from: UnixSeconds,
    /// Until before when it is valid.
    pub expires_at: UnixSeconds,
    /// Where its status is published, if it can be revoked.
    pub status: Option<StatusReference>,
}

impl Envelope {
    /// Reads the envelope of a credential whose signature was verified. Time is checked apart, by
    /// [`Envelope::check_time`].
    pub fn read(processed: &Processed) -> Result<Self, VcError> {
        if processed.disclosed.iter().any(|one| must_be_open(&one.path)) {
            return Err(VcError::ClaimMustBeOpen);
        }
        let claims = &processed.claims;
        let issued_at = time(claims, "iat")?.ok_or(VcError::ClaimMissing)?;
        let status = match claims.0.get("status") {
            None => None,
            Some(claim) => Some(StatusReference::from_claim(claim).ok_or(VcError::ClaimMissing)?),
        };
        Ok(Self {
            vct: text(claims, "vct")?.ok_or(VcError::ClaimMissing)?,
            vct_integrity: text(claims, "vct#integrity")?,
            issuer: text(claims, "iss")?.ok_or(VcError::ClaimMissing)?,
            issued_at,
            valid_from: time(claims, "nbf")?.unwrap_or(issued_at).max(issued_at),
            expires_at: time(claims, "exp")?.ok_or(VcError::ClaimMissing)?,
            status,
        })
    }

    /// Whether the credential is valid at `now`. `skew_seconds_max`: by how much the issuer's clock
    /// may run ahead.
    pub fn check_time(&self, now: UnixSeconds, skew_seconds_max: u64) -> Result<(), VcError> {
        if now >= self.expires_at {
            return Err(VcError::Expired);
        }
        if self.valid_from.since(now) > skew_seconds_max {
            return Err(VcError::NotYetValid);
        }
        Ok(())
    }
}

fn must_be_open(path: &ClaimPath) -> bool {
    match path.steps().first() {
        Some(Step::Name(name)) => ALWAYS_OPEN.contains(&name.as_str()),
        _ => false,
    }
}

fn text(claims: &Claims, name: &str) -> Result<Option<String>, VcError> {
    claims.text(name).map(|text| text.map(str::to_owned)).map_err(|_| VcError::ClaimMissing)
}

fn time(claims: &Claims, name: &str) -> Result<Option<UnixSeconds>, VcError> {
    claims.time(name).map_err(|_| VcError::ClaimMissing)
}
