//! Why something is not done. Stable codes; no variant carries personal data.

use etibar_credential::{consent::ConsentError, jose::SignError};
use etibar_openid::{
    member::MessageError,
    vp::verifier::{AnswerError, AskError, RequestError, ResponseError},
};
use etibar_vault::VaultError;

use crate::ports::{AccountFault, LedgerFault, PeerFault};

/// A refusal or a fault.
#[derive(Debug, thiserror::Error)]
pub enum OnboardingError {
    /// There is no such product.
    #[error("there is no such product")]
    UnknownProduct,
    /// There is no such session.
    #[error("there is no such session")]
    UnknownSession,
    /// The session waits for no answer any more.
    #[error("the session waits for no answer")]
    SessionClosed,
    /// Too many sessions are under way.
    #[error("too many sessions are under way")]
    Overloaded,
    /// The person has recovered its wallet lately: no new consents until the cool-down ends.
    #[error("the wallet was recovered lately: no new consents yet")]
    Cooldown,
    /// The pairwise credential is made for another bank.
    #[error("the pairwise credential is another bank's")]
    OtherBank,
    /// The presentations are of different people.
    #[error("the presentations do not belong together")]
    MixedHolders,
    /// The status list is older than the ledger's anchor, or not anchored at all.
    #[error("the status list is not the one that the ledger anchors")]
    StatusNotAnchored,
    /// The status list cannot be fetched, or its address is not a member's.
    #[error("the status list cannot be had")]
    StatusUnavailable,
    /// The application is not being examined, or no longer.
    #[error("the application is not being examined")]
    NotExamined,
    /// A text of the staff is empty or too long.
    #[error("a text is empty or longer than its limit")]
    StaffText,
    /// An application was prepared as often as may be.
    #[error("the application was prepared as often as it may be")]
    TooManyPreparations,
    /// Only a senior decides.
    #[error("only the role senior decides")]
    SeniorNeeded,
    /// Nothing was recorded to decide on.
    #[error("somebody of the staff must prepare the application first")]
    NotPrepared,
    /// Whoever prepared the application does not decide on it.
    #[error("whoever prepared the application does not decide on it")]
    FourEyes,
    /// The bank has no such status list.
    #[error("there is no such status list")]
    UnknownStatusList,
    /// The holder's request is too old, for another member, or another action.
    #[error("the request is not one that this path takes now")]
    HolderRequest,
    /// The caller is not the provider of this consent.
    #[error("the consent is not between these members")]
    NotAParty,
    /// The telephone number is none.
    #[error("the telephone number is malformed")]
    Phone,
    /// The provider's answer does not fit the request.
    #[error("the provider's answer does not fit the request")]
    ProviderAnswer,
    /// See [`MessageError`].
    #[error(transparent)]
    Message(#[from] MessageError),
    /// See [`AskError`].
    #[error(transparent)]
    Ask(#[from] AskError),
    /// See [`RequestError`].
    #[error(transparent)]
    Request(#[from] RequestError),
    /// See [`ResponseError`].
    #[error(transparent)]
    Response(#[from] ResponseError),
    /// See [`AnswerError`].
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// See [`ConsentError`].
    #[error(transparent)]
    Consent(#[from] ConsentError),
    /// A key does not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// See [`VaultError`].
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The ledger does not answer.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
    /// Another member does not answer.
    #[error(transparent)]
    Peer(#[from] PeerFault),
    /// The books do not answer.
    #[error(transparent)]
    Account(#[from] AccountFault),
}

impl OnboardingError {
    /// The stable code in interfaces and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownProduct => "product_unknown",
            Self::UnknownSession => "session_unknown",
            Self::SessionClosed => "session_closed",
            Self::Overloaded => "overloaded",
            Self::Cooldown => "cooldown",
            Self::OtherBank => "pairwise_of_another_bank",
            Self::MixedHolders => "presentations_do_not_belong_together",
            Self::StatusNotAnchored => "status_not_anchored",
            Self::StatusUnavailable => "status_unavailable",
            Self::NotExamined => "not_being_examined",
            Self::StaffText => "staff_text_limit",
            Self::TooManyPreparations => "too_many_preparations",
            Self::SeniorNeeded => "senior_needed",
            Self::NotPrepared => "not_prepared",
            Self::FourEyes => "four_eyes_needed",
            Self::UnknownStatusList => "status_list_unknown",
            Self::HolderRequest => "holder_request",
            Self::NotAParty => "not_a_party",
            Self::Phone => "phone_malformed",
            Self::ProviderAnswer => "provider_answer",
            Self::Message(error) => error.code(),
            Self::Ask(error) => error.code(),
            Self::Request(error) => error.oauth().code,
            Self::Response(error) => error.oauth().code,
            Self::Answer(error) => error.code(),
            Self::Consent(error) => error.code(),
            Self::Sign(error) => error.code(),
            Self::Vault(error) => error.code(),
            Self::Ledger(_) => "ledger_unavailable",
            Self::Peer(_) => "provider_unavailable",
            Self::Account(_) => "books_unavailable",
        }
    }

    /// Whether the world failed, not the request: the same step is tried again.
    pub fn is_fault(&self) -> bool {
        match self {
            Self::Vault(error) => error.is_fault(),
            Self::Peer(fault) => !fault.refused,
            Self::StatusUnavailable
            | Self::Overloaded
            | Self::Sign(_)
            | Self::Ledger(_)
            | Self::Account(_) => true,
            _ => false,
        }
    }
}
