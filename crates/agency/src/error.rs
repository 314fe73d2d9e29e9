//! Why an agency does not do what it was asked; one enum, one stable code for each rule.

use etibar_credential::{
    consent::ConsentError, document::DocumentError, evidence::EvidenceError,
    identifier::IdentifierError, jose::SignError, trust::TrustError,
};
use etibar_openid::{StoreError, member::MessageError, vci::issuer::OfferingError};

use crate::{
    ports::{LedgerFault, WebFault},
    proofing::ProofingError,
    register::RegisterFault,
    sealed::SealFault,
    store::StoreFault,
};

/// A request that was not fulfilled. No variant repeats personal data.
#[derive(Debug, thiserror::Error)]
pub enum AgencyError {
    /// Not the message that belongs here.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// A number of a person, business or document is malformed.
    #[error(transparent)]
    Identifier(#[from] IdentifierError),
    /// A credential that was shown does not convince.
    #[error("the presentation is refused: {0}")]
    Presentation(#[from] TrustError),
    /// The presentation does not show who the person is.
    #[error("the presentation does not disclose the personal number")]
    PersonUndisclosed,
    /// The issuer serves a status list older than the one the ledger knows.
    #[error("the status list is older than its anchor on the ledger")]
    StatusOlderThanAnchor,
    /// A consent does not hold, or does not allow this.
    #[error(transparent)]
    Consent(#[from] ConsentError),
    /// There is no such consent for this consumer here.
    #[error("no such consent is registered here")]
    ConsentUnknown,
    /// The ledger has no accepted grant of it.
    #[error("the ledger has no such grant")]
    GrantUnknown,
    /// Registered already, by another artefact.
    #[error("the consent is registered with other content, or was revoked")]
    ConsentExists,
    /// A clerk says why, in some words.
    #[error("a reason is needed, of at most 500 characters")]
    Reason,
    /// The ledger says that the consent stands.
    #[error("the ledger says that the consent stands")]
    ConsentStands,
    /// The consent was given for another purpose.
    #[error("the consent is for another purpose")]
    OtherPurpose,
    /// The consent allows one fetch, or the next one is not due.
    #[error("the consent allows no further fetch now")]
    FetchNotDue,
    /// The register has nothing to tell.
    #[error("the register has no such record in force")]
    RecordUnknown,
    /// Several records could be meant.
    #[error("the register has several such records")]
    RecordAmbiguous,
    /// The register's records of this kind have no such claim.
    #[error("the record has no such claim")]
    ClaimUnknown,
    /// The consumer has no key to seal for.
    #[error("no seal key of the consumer is known")]
    SealKeyUnknown,
    /// There is no such receipt.
    #[error("no such receipt")]
    ReceiptUnknown,
    /// An access receipt's counter-signature does not hold.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The holder's request is too old, from the future or for another member.
    #[error("the request is stale or was made for another member")]
    RequestStale,
    /// The route is for another action.
    #[error("the body asks for another action than the route")]
    OtherAction,
    /// The same id with other content.
    #[error("the id was used with other content")]
    IdReused,
    /// Only the registrar does this.
    #[error("this agency is not the registrar")]
    NotRegistrar,
    /// The proofing provider is not convinced.
    #[error(transparent)]
    Proofing(#[from] ProofingError),
    /// Number and document do not belong together in the register.
    #[error("the register does not confirm this person and document")]
    PersonNotConfirmed,
    /// The person has died.
    #[error("the register says that the person has died")]
    PersonDeceased,
    /// The document has ended.
    #[error("the document is not in force")]
    DocumentExpired,
    /// A minor is enrolled by the guardian.
    #[error("a minor is enrolled by the guardian whom the register names")]
    GuardianNeeded,
    /// The person has a living enrolment: recovery is the way.
    #[error("the person is enrolled already")]
    AlreadyEnrolled,
    /// The person has no living enrolment.
    #[error("the person is not enrolled")]
    NotEnrolled,
    /// A superseded identity fetches its successor and nothing else.
    #[error("a superseded identity serves to fetch its successor only")]
    RenewsOnly,
    /// A successor is bound to the key of the superseded identity.
    #[error("a successor is bound to the keys of the superseded identity")]
    HolderKeyOther,
    /// A clerk refused to release the credential.
    #[error("the agency refuses the credential")]
    ReleaseRefused,
    /// No release with this id waits, or its time is over.
    #[error("no such release")]
    ReleaseUnknown,
    /// The offers of this enrolment were made long ago.
    #[error("the enrolment is complete")]
    EnrolmentComplete,
    /// A recovery needs at least the level of the enrolment.
    #[error("a recovery needs a proofing at the enrolment's level")]
    RecoveryLevel,
    /// There is no such recovery, or it has ended.
    #[error("no such recovery is open")]
    RecoveryUnknown,
    /// The person named no guardians.
    #[error("the person named no guardians")]
    NoGuardians,
    /// Whoever approves is not one of the named guardians.
    #[error("only a named guardian may approve")]
    NotAGuardian,
    /// Guardians must be three other people.
    #[error("guardians are three different people, none of them oneself")]
    GuardiansInvalid,
    /// The caller's member token does not convince.
    #[error("the member token is refused: {0}")]
    Token(#[from] etibar_client::token::TokenError),
    /// The caller's key does not speak for the member.
    #[error("the token's key does not speak for the member")]
    KeyNotActive,
    /// See [`OfferingError`].
    #[error(transparent)]
    Offering(#[from] OfferingError),
    /// The open business of the protocols cannot be stored.
    #[error(transparent)]
    Grants(#[from] StoreError),
    /// A credential cannot be made.
    #[error("a credential cannot be made: {0}")]
    Credential(&'static str),
    /// The signing key does not answer.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// An answer is too large to be sealed.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The ledger refused an operation of the agency.
    #[error("the ledger refused: {0}")]
    LedgerRefused(&'static str),
    /// The ledger does not answer.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
    /// Another party's server does not answer.
    #[error(transparent)]
    Web(#[from] WebFault),
    /// The register failed.
    #[error(transparent)]
    Register(#[from] RegisterFault),
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

impl AgencyError {
    /// The stable code in interfaces.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Message(error) => error.code(),
            Self::Identifier(error) => error.code(),
            Self::Presentation(error) => error.code(),
            Self::PersonUndisclosed => "person_undisclosed",
            Self::StatusOlderThanAnchor => "status_older_than_anchor",
            Self::Consent(error) => error.code(),
            Self::ConsentUnknown => "consent_unknown",
            Self::GrantUnknown => "grant_unknown",
            Self::ConsentExists => "consent_exists",
            Self::Reason => "reason_needed",
            Self::ConsentStands => "consent_stands",
            Self::OtherPurpose => "other_purpose",
            Self::FetchNotDue => "fetch_not_due",
            Self::RecordUnknown => "record_unknown",
            Self::RecordAmbiguous => "record_ambiguous",
            Self::ClaimUnknown => "claim_unknown",
            Self::SealKeyUnknown => "seal_key_unknown",
            Self::ReceiptUnknown => "receipt_unknown",
            Self::Evidence(error) => error.code(),
            Self::RequestStale => "request_stale",
            Self::OtherAction => "other_action",
            Self::IdReused => "id_reused",
            Self::NotRegistrar => "not_registrar",
            Self::Proofing(error) => error.code(),
            Self::PersonNotConfirmed => "person_not_confirmed",
            Self::PersonDeceased => "person_deceased",
            Self::DocumentExpired => "document_expired",
            Self::GuardianNeeded => "guardian_needed",
            Self::AlreadyEnrolled => "already_enrolled",
            Self::NotEnrolled => "not_enrolled",
            Self::RenewsOnly => "renews_only",
            Self::HolderKeyOther => "holder_key_other",
            Self::ReleaseRefused => "release_refused",
            Self::ReleaseUnknown => "release_unknown",
            Self::EnrolmentComplete => "enrolment_complete",
            Self::RecoveryLevel => "recovery_level_too_low",
            Self::RecoveryUnknown => "recovery_unknown",
            Self::NoGuardians => "no_guardians",
            Self::NotAGuardian => "not_a_guardian",
            Self::GuardiansInvalid => "guardians_invalid",
            Self::Token(error) => error.code(),
            Self::KeyNotActive => "key_not_active",
            Self::Offering(error) => error.code(),
            Self::Grants(error) => error.code(),
            Self::Credential(_) => "credential_not_issuable",
            Self::Sign(error) => error.code(),
            Self::Document(error) => error.code(),
            Self::LedgerRefused(_) => "ledger_refused",
            Self::Ledger(_) => "ledger_unavailable",
            Self::Web(_) => "issuer_unavailable",
            Self::Register(error) => error.code(),
            Self::Store(_) => "storage_failed",
        }
    }

    /// The HTTP status that says the same.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Message(_)
            | Self::Identifier(_)
            | Self::OtherAction
            | Self::Reason
            | Self::ClaimUnknown
            | Self::GuardiansInvalid => 400,
            Self::Token(_) | Self::KeyNotActive | Self::RequestStale => 401,
            Self::ConsentUnknown
            | Self::RecordUnknown
            | Self::ReceiptUnknown
            | Self::RecoveryUnknown
            | Self::ReleaseUnknown
            | Self::NotRegistrar => 404,
            Self::ConsentExists
            | Self::ConsentStands
            | Self::RecordAmbiguous
            | Self::IdReused
            | Self::AlreadyEnrolled
            | Self::EnrolmentComplete
            | Self::FetchNotDue => 409,
            Self::Grants(_) | Self::Sign(_) | Self::Ledger(_) | Self::Web(_) => 503,
            Self::Credential(_)
            | Self::Document(_)
            | Self::Register(_)
            | Self::Store(_)
            | Self::LedgerRefused(_)
            | Self::Offering(_) => 500,
            _ => 403,
        }
    }
}

impl From<SealFault> for AgencyError {
    fn from(fault: SealFault) -> Self {
        Self::Store(fault.into())
    }
}
