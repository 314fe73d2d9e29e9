//! How a provider convinces itself that a person agreed, and that the ledger still says so.

use etibar_primitives::{BlockTime, Digest, MemberId};
use serde::{Deserialize, Serialize};

use super::{ARTEFACT_BYTES_MAX, Artefact, ConsentError, ConsentSecret, artefact_hash};
use crate::UnixSeconds;
use crate::catalogue::{PurposeCode, Scope};
use crate::jose;
use crate::sd_jwt::{KeyBindingPolicy, KeyBindingProof, Presentation, Processed};

/// The `type` of our entry in `transaction_data`.
const ENTRY_TYPE: &str = "urn:az:consent:1";
/// The largest entry, in bytes: base64url of the artefact and a little around it.
const ENTRY_BYTES_MAX: usize = ARTEFACT_BYTES_MAX * 2;

/// One entry of an OpenID4VP request's `transaction_data` (OpenID4VP 1.0 §5.1, §8.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransactionEntry {
    /// `urn:az:consent:1`.
    r#type: String,
    /// The ids of the credential queries whose presentation consents.
    pub credential_ids: Vec<String>,
    /// How the KB-JWT hashes the entry: `["sha-256"]`.
    transaction_data_hashes_alg: Vec<String>,
    /// SHA-256 of the artefact, in base64url.
    consent_hash: String,
    /// The artefact, for the wallet to read and show.
    pub consent: String,
}

impl TransactionEntry {
    /// Reads an entry as it was sent; `None` when it is of another type or malformed.
    pub fn parse(entry: &str) -> Option<Self> {
        if entry.len() > ENTRY_BYTES_MAX {
            return None;
        }
        let entry: Self = serde_json::from_slice(&jose::decode(entry)?).ok()?;
        let ours = entry.r#type == ENTRY_TYPE
            && entry.transaction_data_hashes_alg == ["sha-256"]
            && entry.consent_hash == jose::encode(&artefact_hash(&entry.consent));
        ours.then_some(entry)
    }
}

/// The entry of a signed artefact: base64url of JSON, as it goes into the request. Its hash in the
/// KB-JWT's `transaction_data_hashes` is [`jose::text_hash`] of this very text.
pub fn transaction_entry(jws: &str, credential_ids: &[&str]) -> String {
    let entry = TransactionEntry {
        r#type: ENTRY_TYPE.to_owned(),
        credential_ids: credential_ids.iter().map(|id| (*id).to_owned()).collect(),
        transaction_data_hashes_alg: vec!["sha-256".to_owned()],
        consent_hash: jose::encode(&artefact_hash(jws)),
        consent: jws.to_owned(),
    };
    jose::encode(&serde_json::to_vec(&entry).expect("an entry is plain JSON"))
}

/// Whether the person who holds the presented credential agreed to the artefact `jws`: the KB-JWT
/// verifies by `policy`, and one of the transactions it covers is this consent.
///
/// `processed` is what [`Presentation::verify`] returned, with a key that the trust registry
/// vouched for.
///
/// # Errors
/// [`ConsentError::Person`], [`ConsentError::NotSigned`].
pub fn check_person(
    jws: &str,
    presentation: &Presentation<'_>,
    processed: &Processed,
    policy: &KeyBindingPolicy<'_>,
) -> Result<KeyBindingProof, ConsentError> {
    let proof = presentation.verify_key_binding(processed, policy).map_err(ConsentError::Person)?;
    let signed = policy
        .transaction_data
        .iter()
        .filter_map(|entry| TransactionEntry::parse(entry))
        .any(|entry| entry.consent == jws);
    if signed { Ok(proof) } else { Err(ConsentError::NotSigned) }
}

/// A consent as the ledger records it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerGrant {
    /// Its random name.
    pub rel: Digest,
    /// The commitment to the artefact.
    pub commitment: Digest,
    /// The member that submitted it.
    pub consumer: MemberId,
    /// The provider.
    pub provider: MemberId,
    /// The purpose.
    pub purpose: PurposeCode,
    /// The categories this provider may give.
    pub scope: Scope,
    /// When it ends by itself.
    pub expires: BlockTime,
    /// Whether it was revoked.
    pub revoked: bool,
}

impl LedgerGrant {
    /// The record that the consumer submits for `provider`.
    ///
    /// # Errors
    /// [`ConsentError::OtherProvider`]; [`ConsentError::WrongSecret`] when `secret` is not the one
    /// whose `rel` the artefact names for this provider.
    pub fn of(
        artefact: &Artefact,
        jws: &str,
        provider: MemberId,
        secret: &ConsentSecret,
    ) -> Result<Self, ConsentError> {
        let rel = artefact.provider(provider)?.rel;
        if secret.rel() != rel {
            return Err(ConsentError::WrongSecret);
        }
        let terms = artefact.terms();
        Ok(Self {
            rel,
            commitment: secret.commitment(jws),
            consumer: terms.consumer.member,
            provider,
            purpose: terms.purpose,
            scope: artefact.scope_of(provider)?,
            expires: BlockTime(terms.expires.0.saturating_mul(1_000)),
            revoked: false,
        })
    }
}

/// A consent that holds for one provider now. Only [`check_consent`] makes one.
#[derive(Debug, Clone)]
pub struct CheckedConsent {
    artefact: Artefact,
    rel: Digest,
    scope: Scope,
}

impl CheckedConsent {
    /// The artefact.
    pub const fn artefact(&self) -> &Artefact {
        &self.artefact
    }

    /// The consent's name on the ledger for this provider.
    pub const fn rel(&self) -> Digest {
        self.rel
    }

    /// What this provider may give.
    pub const fn scope(&self) -> Scope {
        self.scope
    }
}

/// Whether the ledger records exactly this consent for `provider`, not revoked and not expired.
///
/// Checked when the consent is registered and again at each fetch, with the ledger's present
/// record.
///
/// # Errors
/// [`ConsentError::OtherProvider`], [`ConsentError::WrongSecret`],
/// [`ConsentError::LedgerMismatch`], [`ConsentError::Revoked`], [`ConsentError::NotStarted`],
/// [`ConsentError::Expired`].
pub fn check_consent(
    artefact: Artefact,
    jws: &str,
    provider: MemberId,
    secret: &ConsentSecret,
    ledger: &LedgerGrant,
    now: UnixSeconds,
) -> Result<CheckedConsent, ConsentError> {
    let expected = LedgerGrant::of(&artefact, jws, provider, secret)?;
    if (LedgerGrant { revoked: false, ..*ledger }) != expected {
        return Err(ConsentError::LedgerMismatch);
    }
    if ledger.revoked {
        return Err(ConsentError::Revoked);
    }
    artefact.check_time(now)?;
    Ok(CheckedConsent { artefact, rel: expected.rel, scope: expected.scope })
}
