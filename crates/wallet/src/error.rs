//! Why something did not happen.

use etibar_client::ReadError;
use etibar_openid::member::MessageError;

use crate::{passkey::PasskeyError, store::StoreFault};

/// Why a holder's request was not fulfilled. Unless said otherwise it changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    /// There is no such person here.
    #[error("no such person")]
    PersonUnknown,
    /// There is no such request, credential, consent or message, or it has ended.
    #[error("no such entry")]
    EntryUnknown,
    /// The gesture that came is not for what is to be done.
    #[error("the gesture does not cover this action")]
    GestureOther,
    /// The register changed after the screen was shown: it must be looked at again.
    #[error("what was shown has changed")]
    ScreenChanged,
    /// A gesture without a passkey, where passkeys are demanded.
    #[error("this wallet acts on a passkey only")]
    GestureRequired,
    /// The passkey's answer does not hold.
    #[error(transparent)]
    Passkey(#[from] PasskeyError),
    /// The verifier's certificate does not end in the one that the ledger registered, or its
    /// signature, nonce or address is wrong.
    #[error("the request is not from a registered relying party: {0}")]
    RequesterUntrusted(&'static str),
    /// The request is no OpenID4VP request that this wallet understands.
    #[error("the request is malformed: {0}")]
    RequestMalformed(&'static str),
    /// The request has expired or was answered already.
    #[error("the request has ended")]
    RequestEnded,
    /// The request names a purpose that the ledger does not register.
    #[error("the purpose is not registered")]
    PurposeUnknown,
    /// The request asks for more than its purpose allows.
    #[error("the request asks for more than its purpose allows: {0}")]
    ExceedsPurpose(String),
    /// No credential here or at a register fits what is asked for.
    #[error("there is no credential of the type {0}")]
    CredentialMissing(String),
    /// What an issuer gave is not what it should be.
    #[error("the issuer's answer does not hold: {0}")]
    IssuerUntrusted(&'static str),
    /// The issuer has the credential not ready yet: the wallet keeps asking.
    #[error("member {0} issues the credential later")]
    Deferred(u32),
    /// After a recovery, no new consents until the time given (milliseconds since 1970).
    #[error("no new consents until {0}")]
    CoolingDown(u64),
    /// What the person gave makes no message: a number is malformed, a text too long.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The member refused, with its stable code.
    #[error("member {member} refused: {code}")]
    Refused {
        /// Which member.
        member: u32,
        /// Its stable code.
        code: String,
    },
    /// The member does not answer, or not in time.
    #[error("member {0} does not answer")]
    Unreachable(u32),
    /// A member answered what its interface does not allow.
    #[error("member {member} answered no {what}")]
    Answer {
        /// Which member.
        member: u32,
        /// What it should have been.
        what: &'static str,
    },
    /// Without its last passkey nobody could open the wallet again.
    #[error("the last passkey cannot be taken away")]
    LastPasskey,
    /// No address is known for the member.
    #[error("no address is known for member {0}")]
    MemberUnknown(u32),
    /// Too much is open at once for one person.
    #[error("too much is open at once")]
    TooMuch,
    /// The ledger could not be read.
    #[error("the ledger could not be read")]
    Ledger(#[source] Box<ReadError>),
    /// The wallet's storage failed.
    #[error("the wallet's storage failed")]
    Store(#[source] StoreFault),
}

impl WalletError {
    /// The stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::PersonUnknown => "person_unknown",
            Self::EntryUnknown => "entry_unknown",
            Self::GestureOther => "gesture_other",
            Self::ScreenChanged => "screen_changed",
            Self::GestureRequired => "gesture_required",
            Self::Passkey(error) => error.code(),
            Self::RequesterUntrusted(_) => "requester_untrusted",
            Self::RequestMalformed(_) => "request_malformed",
            Self::RequestEnded => "request_ended",
            Self::PurposeUnknown => "purpose_unknown",
            Self::ExceedsPurpose(_) => "exceeds_purpose",
            Self::CredentialMissing(_) => "credential_missing",
            Self::IssuerUntrusted(_) => "issuer_untrusted",
            Self::Deferred(_) => "issuance_deferred",
            Self::CoolingDown(_) => "cooling_down",
            Self::Message(error) => error.code(),
            Self::Refused { code, .. } => code,
            Self::Unreachable(_) => "member_unreachable",
            Self::Answer { .. } => "member_answer",
            Self::LastPasskey => "last_passkey",
            Self::MemberUnknown(_) => "member_unknown",
            Self::TooMuch => "too_much",
            Self::Ledger(_) => "ledger_unreachable",
            Self::Store(_) => "storage",
        }
    }
}

impl From<StoreFault> for WalletError {
    fn from(fault: StoreFault) -> Self {
        match fault {
            StoreFault::Gone => Self::PersonUnknown,
            fault => Self::Store(fault),
        }
    }
}

impl From<ReadError> for WalletError {
    fn from(error: ReadError) -> Self {
        Self::Ledger(Box::new(error))
    }
}
