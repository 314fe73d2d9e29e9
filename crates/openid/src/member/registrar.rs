//! Between a person, the registrar and a register's clerk: enrolment, recovery, changes.

use std::collections::BTreeMap;

use etibar_credential::{
    catalogue::Language,
    identifier::Fin,
    level::{AssuranceLevel, Methods},
};
use etibar_primitives::{BlockTime, OperationId};
use serde::{Deserialize, Serialize};

pub use etibar_credential::recovery::{APPROVALS_NEEDED, GUARDIANS};

use super::{Message, MessageError, check_list, check_text};
use crate::private::Private;

/// The most credential offers of one answer.
pub const OFFERS_MAX: usize = 8;
/// The most attributes of one register change.
const CHANGES_MAX: usize = 32;

/// What a proofing provider says it saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofingEvidence {
    /// How the person was seen; they give the level. The fall-back at a counter, when the face no
    /// longer matches the register's photo, counts as a call.
    pub methods: Methods,
    /// The provider's name as the registrar configured it.
    pub provider: String,
    /// The provider's answer, opaque to all but its adapter.
    pub evidence: Private<String>,
}

impl ProofingEvidence {
    fn check(&self) -> Result<(), MessageError> {
        if self.methods.level().is_none() {
            return Err(MessageError::FieldLimit);
        }
        check_text(&self.provider, 64)?;
        check_text(&self.evidence.0, 256 * 1024)
    }
}

/// `POST /v1/enrolments`: a person enrols a wallet at the registrar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// Chosen by the wallet once; a repeat gets the same answer.
    pub id: OperationId,
    /// The personal number.
    pub fin: Private<String>,
    /// The identity document's series and number.
    pub document_number: Private<String>,
    /// How the person was seen.
    pub proofing: ProofingEvidence,
    /// The language of the credential's display.
    pub language: Language,
    /// Personal numbers of the guardians, none or [`GUARDIANS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guardians: Vec<Private<String>>,
}

impl Message for Enrolment {
    const BYTES_MAX: usize = 300 * 1024;

    fn check(&self) -> Result<(), MessageError> {
        check_fin(&self.fin)?;
        check_text(&self.document_number.0, 32)?;
        if !self.guardians.is_empty() && self.guardians.len() != GUARDIANS {
            return Err(MessageError::FieldLimit);
        }
        self.guardians.iter().try_for_each(check_fin)?;
        self.proofing.check()
    }
}

/// The answer: how surely, and where the credentials wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentAnswer {
    /// The enrolment's id.
    pub id: OperationId,
    /// The level of assurance reached.
    pub level: AssuranceLevel,
    /// Credential offers (`openid-credential-offer://…`), to be redeemed at once.
    pub offers: Vec<String>,
    /// The transaction code of the offers, if they ask for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tx_code: Option<Private<String>>,
}

impl Message for EnrolmentAnswer {
    const BYTES_MAX: usize = 64 * 1024;

    fn check(&self) -> Result<(), MessageError> {
        check_list(&self.offers, OFFERS_MAX)?;
        self.offers.iter().try_for_each(|offer| check_text(offer, 8 * 1024))
    }
}

/// By what a person who lost the device proves who they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "means", rename_all = "snake_case", deny_unknown_fields)]
pub enum RecoveryMeans {
    /// A new proofing, at the level of the lost credentials or above.
    Proofing {
        /// How the person was seen again.
        proofing: ProofingEvidence,
    },
    /// [`APPROVALS_NEEDED`] of the named guardians approve.
    Guardians {},
}

/// `POST /v1/recoveries`: the device is lost; end the old credentials and issue new ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    /// Chosen by the new wallet once; a repeat gets the present state.
    pub id: OperationId,
    /// The personal number.
    pub fin: Private<String>,
    /// The identity document's series and number.
    pub document_number: Private<String>,
    /// By what.
    pub by: RecoveryMeans,
    /// The language of the credential's display.
    pub language: Language,
}

impl Message for Recovery {
    const BYTES_MAX: usize = 300 * 1024;

    fn check(&self) -> Result<(), MessageError> {
        check_fin(&self.fin)?;
        check_text(&self.document_number.0, 32)?;
        match &self.by {
            RecoveryMeans::Proofing { proofing } => proofing.check(),
            RecoveryMeans::Guardians {} => Ok(()),
        }
    }
}

/// How far a recovery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryState {
    /// Guardians have still to approve.
    Waiting,
    /// Old credentials are revoked, new ones wait.
    Done,
}

/// The answer to a recovery, and to a question about it (`GET /v1/recoveries/{id}`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecoveryProgress {
    /// The recovery's id.
    pub id: OperationId,
    /// How far it is.
    pub state: RecoveryState,
    /// How many approvals are still needed.
    pub approvals_missing: u8,
    /// Offers of the new credentials, once done; only the answer to the wallet that opened it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offers: Vec<String>,
    /// Until when banks take no new consent from this person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown_until: Option<BlockTime>,
}

impl Message for RecoveryProgress {
    const BYTES_MAX: usize = 64 * 1024;

    fn check(&self) -> Result<(), MessageError> {
        if self.offers.len() > OFFERS_MAX {
            return Err(MessageError::FieldLimit);
        }
        self.offers.iter().try_for_each(|offer| check_text(offer, 8 * 1024))
    }
}

/// The body of a guardian's [`super::HolderEnvelope`] at `POST /v1/recoveries/{id}/approvals`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecoveryApproval {
    /// The recovery that the guardian approves.
    pub recovery: OperationId,
    /// The registrar's base URL: the presentation's audience.
    pub audience: String,
    /// When the guardian approved.
    pub made_at: BlockTime,
}

impl Message for RecoveryApproval {
    const BYTES_MAX: usize = 1024;

    fn check(&self) -> Result<(), MessageError> {
        check_text(&self.audience, 512)
    }
}

/// `POST /v1/register/changes`: an agency's clerk changes the register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterChange {
    /// Chosen by the clerk's system once; a repeat changes nothing.
    pub id: OperationId,
    /// Whose entry: a FIN, or a VÖEN for a company.
    pub subject: Private<String>,
    /// The credential type whose attributes change.
    pub vct: String,
    /// New values by claim path with dots; JSON null removes one.
    pub changes: Private<BTreeMap<String, serde_json::Value>>,
    /// Why, in the clerk's words.
    pub reason: String,
}

impl Message for RegisterChange {
    const BYTES_MAX: usize = 64 * 1024;

    fn check(&self) -> Result<(), MessageError> {
        check_text(&self.subject.0, 16)?;
        check_text(&self.vct, 256)?;
        check_text(&self.reason, 512)?;
        if self.changes.0.is_empty() || self.changes.0.len() > CHANGES_MAX {
            return Err(MessageError::FieldLimit);
        }
        Ok(())
    }
}

/// The answer: what followed from the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterChanged {
    /// The change's id.
    pub id: OperationId,
    /// When the register changed.
    pub changed_at: BlockTime,
    /// How many credentials were revoked by it.
    pub revoked: u32,
    /// How many notices it caused.
    pub notices: u32,
}

impl Message for RegisterChanged {
    const BYTES_MAX: usize = 512;
}

/// `GET /v1/register/releases`: credentials that a clerk releases before they are issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleasesWaiting {
    /// The oldest first.
    pub releases: Vec<WaitingRelease>,
}

/// One that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitingRelease {
    /// Its id.
    pub id: OperationId,
    /// The credential type.
    pub vct: String,
    /// Who asked: a FIN.
    pub subject: Private<String>,
    /// When.
    pub asked_at: BlockTime,
}

impl Message for ReleasesWaiting {
    const BYTES_MAX: usize = 64 * 1024;

    fn check(&self) -> Result<(), MessageError> {
        self.releases.iter().try_for_each(|waiting| check_fin(&waiting.subject))
    }
}

/// `POST /v1/register/releases/{id}`: a clerk decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseDecision {
    /// Whether the credential may be issued.
    pub release: bool,
}

impl Message for ReleaseDecision {
    const BYTES_MAX: usize = 512;
}

/// The answer: what was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseDecided {
    /// The release's id.
    pub id: OperationId,
    /// Whether the credential may be issued.
    pub released: bool,
}

impl Message for ReleaseDecided {
    const BYTES_MAX: usize = 512;
}

/// The FIN's form (identity.md 1.1).
pub(super) fn check_fin(fin: &Private<String>) -> Result<(), MessageError> {
    Fin::parse(&fin.0).map(|_| ()).map_err(|_| MessageError::Fin)
}
