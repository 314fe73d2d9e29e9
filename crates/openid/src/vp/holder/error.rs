//! Why a wallet does not show or answer a request.

use etibar_credential::{jose::JoseError, sd_jwt::SdJwtError, trust::TrustError};

use crate::dcql::QueryError;

/// Why a request is not shown to the person. Each has a stable code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestRefused {
    /// The request object's form or signature; see [`JoseError`].
    #[error(transparent)]
    Jose(#[from] JoseError),
    /// Its sender is not a registered relying party; see [`TrustError`].
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// A claim is missing, too long or another than it must be.
    #[error("the request is malformed")]
    Malformed,
    /// The client identifier is not the certificate's, or not the link's.
    #[error("the request is of another verifier than the link")]
    ClientId,
    /// The answer would not be encrypted.
    #[error("the request wants an answer that is not encrypted")]
    ResponseMode,
    /// The answer would go to a host that the certificate does not name.
    #[error("the answer would go to a host that is not the verifier's")]
    ResponseUri,
    /// The request has expired.
    #[error("the request has expired")]
    Expired,
    /// The request is dated in the future, or lives too long.
    #[error("the request is not of this time")]
    NotYetValid,
    /// The request was not made for this wallet's fetch.
    #[error("the request lacks the wallet's nonce")]
    WalletNonce,
    /// See [`QueryError`].
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The person would sign something that cannot be shown.
    #[error("the transaction data cannot be shown")]
    TransactionData,
    /// There is no key or algorithm to encrypt the answer with.
    #[error("the request has no usable encryption key")]
    Encryption,
}

impl RequestRefused {
    /// The stable code in interfaces.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Jose(error) => error.code(),
            Self::Trust(error) => error.code(),
            Self::Malformed => "request_malformed",
            Self::ClientId => "client_id_foreign",
            Self::ResponseMode => "response_mode_unencrypted",
            Self::ResponseUri => "response_uri_foreign",
            Self::Expired => "request_expired",
            Self::NotYetValid => "request_not_yet_valid",
            Self::WalletNonce => "wallet_nonce_mismatch",
            Self::Query(error) => error.code(),
            Self::TransactionData => "transaction_data_unreadable",
            Self::Encryption => "request_encryption_key",
        }
    }
}

/// Why a presentation is not made or not taken. Each has a stable code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PresentError {
    /// The choices do not answer what is required, or answer what was not asked.
    #[error("the chosen credentials do not answer the request")]
    Incomplete,
    /// None of the chosen credentials may sign a transaction.
    #[error("none of the chosen credentials may sign the transaction")]
    TransactionUnsigned,
    /// A credential cannot be presented; see [`SdJwtError`].
    #[error(transparent)]
    SdJwt(#[from] SdJwtError),
    /// The verifier's encryption key is none.
    #[error("the verifier's encryption key is not usable")]
    Recipient,
    /// The verifier does not take the answer.
    #[error("the verifier does not take the answer")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The verifier's code, if it gives one.
        code: Option<String>,
    },
}

impl PresentError {
    /// The stable code in interfaces.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Incomplete => "answer_incomplete",
            Self::TransactionUnsigned => "transaction_unsigned",
            Self::SdJwt(error) => error.code(),
            Self::Recipient => "request_encryption_key",
            Self::Refused { .. } => "verifier_refused",
        }
    }
}
