//! What a verifier concludes from a presentation, with the ledger's trust registry and status lists
//! in hand. No question goes out: everything needed is passed in.

use std::collections::BTreeMap;

use etibar_primitives::{Digest, MemberId};

use crate::UnixSeconds;
use crate::catalogue::type_digest;
use crate::jose::{Claims, PublicKey};
use crate::level::AssuranceLevel;
use crate::sd_jwt::{ClaimPath, KeyBindingPolicy, Presentation, SdJwtError};
use crate::sd_jwt_vc::{CREDENTIAL_TYPE, Envelope, VcError};
use crate::status_list::{Status, StatusError, StatusReference, VerifiedStatusList};
use crate::x509::{VerifiedChain, X509Error, verify_chain};

/// The claim in which an issuer states how sure it is of the person.
pub const LEVEL_CLAIM: &str = "assurance_level";

/// One registration: this member may issue this type with keys under this authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustEntry {
    /// The issuing member.
    pub member: MemberId,
    /// The digest of the type's identifier, [`type_digest`].
    pub credential_type: Digest,
    /// SHA-256 of the authority's certificate in DER.
    pub authority: [u8; 32],
    /// The highest level the member may attest.
    pub ceiling: AssuranceLevel,
    /// From when.
    pub valid_from: UnixSeconds,
    /// Until before when.
    pub valid_until: UnixSeconds,
}

/// The ledger's trust registry, as far as a verifier knows it: a snapshot it refreshes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustRegistry {
    by_authority: BTreeMap<[u8; 32], Vec<TrustEntry>>,
}

impl TrustRegistry {
    /// The registry with these entries. A member has one entry per type: of two, the later wins,
    /// as on the ledger.
    pub fn new(entries: impl IntoIterator<Item = TrustEntry>) -> Self {
        let latest: BTreeMap<_, _> = entries
            .into_iter()
            .map(|entry| ((entry.member, entry.credential_type), entry))
            .collect();
        let mut by_authority: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for entry in latest.into_values() {
            by_authority.entry(entry.authority).or_default().push(entry);
        }
        Self { by_authority }
    }

    /// Who stands behind `authority` for the type `vct` at `now`.
    ///
    /// # Errors
    /// [`TrustError::ForeignIssuer`], [`TrustError::TypeNotAllowed`], [`TrustError::NotInForce`].
    pub fn look_up(
        &self,
        authority: &[u8; 32],
        vct: &str,
        now: UnixSeconds,
    ) -> Result<&TrustEntry, TrustError> {
        let entries = self.by_authority.get(authority).ok_or(TrustError::ForeignIssuer)?;
        let credential_type = type_digest(vct);
        let entry = entries
            .iter()
            .find(|entry| entry.credential_type == credential_type)
            .ok_or(TrustError::TypeNotAllowed)?;
        if now < entry.valid_from || now >= entry.valid_until {
            return Err(TrustError::NotInForce);
        }
        Ok(entry)
    }

    /// Verifies `chain` and looks up who stands behind it, for JAR requests, consent artefacts and
    /// receipts as for credentials.
    pub fn verify_chain(
        &self,
        chain: &[Vec<u8>],
        vct: &str,
        now: UnixSeconds,
    ) -> Result<(VerifiedChain, &TrustEntry), TrustError> {
        let verified = verify_chain(chain, now)?;
        let entry = self.look_up(&verified.authority_digest, vct, now)?;
        Ok((verified, entry))
    }
}

/// Status lists a verifier holds.
pub trait StatusLists {
    /// The latest verified list of this address, if it was fetched.
    fn find(&self, uri: &str) -> Option<&VerifiedStatusList>;
}

impl StatusLists for BTreeMap<String, VerifiedStatusList> {
    fn find(&self, uri: &str) -> Option<&VerifiedStatusList> {
        self.get(uri)
    }
}

/// What a verifier demands of one credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialPolicy<'a> {
    /// The type asked for.
    pub vct: &'a str,
    /// The key binding: nonce, audience, age, transaction data, and the clock.
    pub key_binding: KeyBindingPolicy<'a>,
    /// The lowest level that serves; `None` if any does.
    pub level_min: Option<AssuranceLevel>,
    /// Seconds since a status list was signed that are still acceptable.
    pub status_age_seconds_max: u64,
    /// Whether a credential without a status serves: short-lived ones have none.
    pub allows_no_status: bool,
}

/// A credential that may be relied upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedCredential {
    /// The issuing member.
    pub issuer: MemberId,
    /// The issuer identifier.
    pub issuer_uri: String,
    /// The type.
    pub vct: String,
    /// The claims: open and disclosed, with the envelope's.
    pub claims: Claims,
    /// The paths the holder chose to disclose.
    pub disclosed: Vec<ClaimPath>,
    /// How sure the issuer is of the person: what it states, or else its ceiling.
    pub level: AssuranceLevel,
    /// The holder's key. Each instance has its own.
    pub holder: PublicKey,
    /// Where the status stands, to look again later.
    pub status: Option<StatusReference>,
    /// When it was issued.
    pub issued_at: UnixSeconds,
    /// Until before when it is valid.
    pub expires_at: UnixSeconds,
    /// The key-binding JWT: the holder's signature, for the evidence.
    pub key_binding: String,
}

/// Why a presentation is refused. One variant for each rule; `code` is stable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// As an SD-JWT: signatures, digests, nonce, audience, key binding.
    #[error(transparent)]
    SdJwt(#[from] SdJwtError),
    /// As a credential: claims, validity in time.
    #[error(transparent)]
    Credential(VcError),
    /// The issuer's certificate chain.
    #[error(transparent)]
    Chain(#[from] X509Error),
    /// The authority is in no registration.
    #[error("the issuer is not in the trust registry")]
    ForeignIssuer,
    /// The issuer is registered, not for this type.
    #[error("the issuer may not issue this type")]
    TypeNotAllowed,
    /// The registration has not begun or has ended.
    #[error("the issuer's registration is not in force")]
    NotInForce,
    /// The leaf speaks for another URI than `iss`.
    #[error("the certificate does not speak for the issuer identifier")]
    IssuerMismatch,
    /// The credential is of another type than was asked for.
    #[error("the credential is of another type")]
    UnexpectedType,
    /// The issuer states a level above its ceiling, or no level that exists.
    #[error("the issuer attests more than it may")]
    CeilingExceeded,
    /// The level is below what the policy demands: a reason to step up.
    #[error("the level of assurance is too low")]
    LevelTooLow,
    /// The credential names no status list and the policy wants one.
    #[error("the credential has no status")]
    StatusMissing,
    /// The status list was not fetched.
    #[error("the status list is not at hand")]
    StatusUnavailable,
    /// The status list is signed under another authority than the credential.
    #[error("the status list is another issuer's")]
    StatusForeign,
    /// The list itself: stale, from the future, too short.
    #[error(transparent)]
    Status(StatusError),
    /// Revoked.
    #[error("the credential is revoked")]
    Revoked,
    /// Suspended.
    #[error("the credential is suspended")]
    Suspended,
    /// A status we give no meaning.
    #[error("the credential's status is unknown")]
    StatusUnknown,
}

impl TrustError {
    /// A stable code for logs, metrics and problem documents.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::SdJwt(error) => error.code(),
            Self::Credential(error) => error.code(),
            Self::Chain(error) => error.code(),
            Self::ForeignIssuer => "foreign_issuer",
            Self::TypeNotAllowed => "type_not_allowed",
            Self::NotInForce => "issuer_not_in_force",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::UnexpectedType => "unexpected_type",
            Self::CeilingExceeded => "ceiling_exceeded",
            Self::LevelTooLow => "level_too_low",
            Self::StatusMissing => "status_missing",
            Self::StatusUnavailable => "status_unavailable",
            Self::StatusForeign => "status_foreign",
            Self::Status(error) => error.code(),
            Self::Revoked => "revoked",
            Self::Suspended => "suspended",
            Self::StatusUnknown => "status_unknown",
        }
    }
}

impl From<VcError> for TrustError {
    fn from(error: VcError) -> Self {
        match error {
            VcError::SdJwt(error) => Self::SdJwt(error),
            other => Self::Credential(other),
        }
    }
}

/// Verifies one presentation, in this order: form, issuer's chain, signature and disclosures,
/// registration, type, time, key binding, level, status. Whether the nonce was used before is the
/// caller's to know.
pub fn verify_credential(
    presentation: &str,
    registry: &TrustRegistry,
    statuses: &dyn StatusLists,
    policy: &CredentialPolicy<'_>,
) -> Result<VerifiedCredential, TrustError> {
    let (now, skew) = (policy.key_binding.now, policy.key_binding.skew_seconds_max);
    let parsed = Presentation::parse(presentation, CREDENTIAL_TYPE)?;
    let chain = verify_chain(&parsed.header().x5c, now)?;
    let processed = parsed.verify(&chain.leaf_key)?;
    let envelope = Envelope::read(&processed)?;
    let entry = registry.look_up(&chain.authority_digest, &envelope.vct, now)?;
    if !chain.uris.is_empty() && !chain.uris.contains(&envelope.issuer) {
        return Err(TrustError::IssuerMismatch);
    }
    if envelope.vct != policy.vct {
        return Err(TrustError::UnexpectedType);
    }
    envelope.check_time(now, skew)?;
    let proof = parsed.verify_key_binding(&processed, &policy.key_binding)?;
    let level = check_level(&processed.claims, entry.ceiling, policy.level_min)?;
    check_status(&envelope, &chain.authority_digest, statuses, policy)?;
    Ok(VerifiedCredential {
        issuer: entry.member,
        issuer_uri: envelope.issuer,
        vct: envelope.vct,
        disclosed: processed.disclosed.into_iter().map(|one| one.path).collect(),
        claims: processed.claims,
        level,
        holder: proof.holder,
        status: envelope.status,
        issued_at: envelope.issued_at,
        expires_at: envelope.expires_at,
        key_binding: proof.token,
    })
}

fn check_level(
    claims: &Claims,
    ceiling: AssuranceLevel,
    level_min: Option<AssuranceLevel>,
) -> Result<AssuranceLevel, TrustError> {
    let level = match claims.0.get(LEVEL_CLAIM) {
        None => ceiling,
        Some(stated) => stated
            .as_str()
            .and_then(AssuranceLevel::from_code)
            .filter(|stated| *stated <= ceiling)
            .ok_or(TrustError::CeilingExceeded)?,
    };
    if level_min.is_some_and(|level_min| level < level_min) {
        return Err(TrustError::LevelTooLow);
    }
    Ok(level)
}

fn check_status(
    envelope: &Envelope,
    authority: &[u8; 32],
    statuses: &dyn StatusLists,
    policy: &CredentialPolicy<'_>,
) -> Result<(), TrustError> {
    let Some(reference) = &envelope.status else {
        return if policy.allows_no_status { Ok(()) } else { Err(TrustError::StatusMissing) };
    };
    let list = statuses.find(&reference.uri).ok_or(TrustError::StatusUnavailable)?;
    if list.authority_digest.as_ref() != Some(authority) || list.uri != reference.uri {
        return Err(TrustError::StatusForeign);
    }
    let (now, skew) = (policy.key_binding.now, policy.key_binding.skew_seconds_max);
    list.check_fresh(now, policy.status_age_seconds_max, skew).map_err(TrustError::Status)?;
    match list.list.get(reference.index).map_err(TrustError::Status)? {
        Status::VALID => Ok(()),
        Status::INVALID => Err(TrustError::Revoked),
        Status::SUSPENDED => Err(TrustError::Suspended),
        Status(_) => Err(TrustError::StatusUnknown),
    }
}
