//! One error for each step of a verifier.

use etibar_credential::{jose::SignError, purpose::PurposeError, trust::TrustError};

use crate::{dcql::QueryError, http::OAuthError, jwe::JweError, store::StoreError};

/// Why a request is not made.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The signer has no certificate, so the verifier has no name.
    #[error("the signing key has no certificate")]
    NoCertificate,
    /// See [`QueryError`].
    #[error(transparent)]
    Query(#[from] QueryError),
    /// It asks for more than its purpose allows; see [`PurposeError`].
    #[error(transparent)]
    Purpose(#[from] PurposeError),
    /// Too many entries, or one that no credential asked for may sign.
    #[error("the transaction data cannot be signed with what is asked for")]
    TransactionData,
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AskError {
    /// The stable code in interfaces.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoCertificate => "verifier_certificate_missing",
            Self::Query(error) => error.code(),
            Self::Purpose(error) => error.code(),
            Self::TransactionData => "transaction_data_unsignable",
            Self::Store(error) => error.code(),
        }
    }
}

/// Why a request object is not served.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The wallet's nonce is too long.
    #[error("the wallet's nonce is malformed")]
    Malformed,
    /// There is no such request, or it has ended.
    #[error("the request is unknown or has ended")]
    Unknown,
    /// It was answered.
    #[error("the request was answered")]
    Answered,
    /// The key cannot sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RequestError {
    /// The standard's code, our code and the HTTP status.
    pub const fn oauth(&self) -> OAuthError {
        let (status, error, code) = match self {
            Self::Malformed => (400, "invalid_request", "wallet_nonce_malformed"),
            Self::Unknown => (404, "invalid_request_uri", "request_unknown"),
            Self::Answered => (410, "invalid_request_uri", "request_answered"),
            Self::Sign(error) => (500, "server_error", error.code()),
            Self::Store(error) => {
                let (status, oauth) = error.oauth();
                (status, oauth, error.code())
            }
        };
        OAuthError { status, error, code }
    }
}

/// Why an answer is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ResponseError {
    /// Not the form or JSON that belongs there, or more presentations than may be.
    #[error("the answer is malformed")]
    Malformed,
    /// There is no such request, or it has ended.
    #[error("the request is unknown or has ended")]
    Unknown,
    /// The request was answered before: one nonce, one answer.
    #[error("the request was answered before")]
    Replayed,
    /// The state is another request's.
    #[error("the state is another request's")]
    State,
    /// It answers queries that were not asked.
    #[error("the answer holds what was not asked")]
    NotAsked,
    /// A credential that was needed is missing.
    #[error("a required credential is missing")]
    CredentialMissing,
    /// See [`JweError`].
    #[error(transparent)]
    Encryption(#[from] JweError),
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ResponseError {
    /// The standard's code, our code and the HTTP status.
    pub const fn oauth(&self) -> OAuthError {
        let (status, error, code) = match self {
            Self::Malformed => (400, "invalid_request", "answer_malformed"),
            Self::Unknown => (404, "invalid_request", "request_unknown"),
            Self::Replayed => (400, "invalid_request", "answer_replayed"),
            Self::State => (400, "invalid_request", "answer_state"),
            Self::NotAsked => (400, "invalid_request", "answer_not_asked"),
            Self::CredentialMissing => (400, "invalid_request", "credential_missing"),
            Self::Encryption(error) => (400, "invalid_request", error.code()),
            Self::Store(error) => {
                let (status, oauth) = error.oauth();
                (status, oauth, error.code())
            }
        };
        OAuthError { status, error, code }
    }
}

/// Why the presentations of an answer are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// A presentation is refused; see [`TrustError`].
    #[error("{query}: {error}")]
    Trust {
        /// The credential query's id.
        query: String,
        /// Why.
        error: TrustError,
    },
    /// It discloses less than was asked.
    #[error("{query}: a claim that was asked for is missing")]
    ClaimMissing {
        /// The credential query's id.
        query: String,
    },
    /// It discloses more than was asked: not taken, so that nobody keeps it.
    #[error("{query}: more is disclosed than was asked")]
    TooMuch {
        /// The credential query's id.
        query: String,
    },
    /// No presentation that may sign it signs a transaction.
    #[error("a transaction is signed by no presentation")]
    TransactionUnsigned,
}

impl AnswerError {
    /// The stable code in interfaces.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Trust { error, .. } => error.code(),
            Self::ClaimMissing { .. } => "claim_missing",
            Self::TooMuch { .. } => "disclosed_too_much",
            Self::TransactionUnsigned => "transaction_unsigned",
        }
    }
}
