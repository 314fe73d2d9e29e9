//! One error for each endpoint, one variant for each rule.

use super::super::{ProofError, dpop::DpopError};
use crate::{http::OAuthError, store::StoreError};

/// A refusal of an endpoint.
pub trait Refusal {
    /// Whether a 401 carries a `WWW-Authenticate` challenge: at resources.
    const CHALLENGE: bool;

    /// The standard's code, our code and the HTTP status.
    fn oauth(&self) -> OAuthError;
}

const fn refuse(status: u16, error: &'static str, code: &'static str) -> OAuthError {
    OAuthError { status, error, code }
}

const fn dpop(error: DpopError, status: u16) -> OAuthError {
    refuse(status, error.oauth(), error.code())
}

const fn store(error: &StoreError) -> OAuthError {
    let (status, oauth) = error.oauth();
    refuse(status, oauth, error.code())
}

const fn proof(error: ProofError) -> OAuthError {
    refuse(400, error.oauth(), error.code())
}

/// Refusals of pushed authorization requests (RFC 9126 §2.3).
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// A field stands twice, is missing or too long.
    #[error("the form is malformed")]
    Form,
    /// The client is not registered here.
    #[error("the client is unknown")]
    Client,
    /// The redirect URI is not one of the client's.
    #[error("the redirect URI is not the client's")]
    RedirectUri,
    /// Something else than a code is asked for.
    #[error("the response type is not supported")]
    ResponseType,
    /// No `S256` challenge (RFC 7636 §4.3).
    #[error("the request has no S256 code challenge")]
    Pkce,
    /// A scope that is not granted here, or none.
    #[error("the scope is unknown")]
    Scope,
    /// See [`DpopError`].
    #[error(transparent)]
    Dpop(#[from] DpopError),
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refusal for PushError {
    const CHALLENGE: bool = false;

    fn oauth(&self) -> OAuthError {
        match self {
            Self::Form => refuse(400, "invalid_request", "form_malformed"),
            Self::Client => refuse(401, "invalid_client", "client_unknown"),
            Self::RedirectUri => refuse(400, "invalid_request", "redirect_uri_foreign"),
            Self::ResponseType => refuse(400, "unsupported_response_type", "response_type"),
            Self::Pkce => refuse(400, "invalid_request", "pkce_missing"),
            Self::Scope => refuse(400, "invalid_scope", "scope_unknown"),
            Self::Dpop(error) => dpop(*error, 400),
            Self::Store(error) => store(error),
        }
    }
}

/// Refusals at the authorization endpoint. None of them redirects: the request is not trusted.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizeError {
    /// A field stands twice or is missing.
    #[error("the query is malformed")]
    Form,
    /// The request was not pushed, was used, or has expired.
    #[error("the pushed request is unknown, used or expired")]
    Request,
    /// Another client pushed it.
    #[error("the request is another client's")]
    Client,
    /// The authorization is unknown, was decided, or has expired.
    #[error("the authorization is unknown, decided or expired")]
    Session,
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refusal for AuthorizeError {
    const CHALLENGE: bool = false;

    fn oauth(&self) -> OAuthError {
        match self {
            Self::Form => refuse(400, "invalid_request", "form_malformed"),
            Self::Request => refuse(400, "invalid_request_uri", "pushed_request_unknown"),
            Self::Client => refuse(400, "invalid_client", "client_foreign"),
            Self::Session => refuse(400, "invalid_request", "authorization_unknown"),
            Self::Store(error) => store(error),
        }
    }
}

/// Refusals of the token endpoint (RFC 6749 §5.2, OpenID4VCI 1.0 §6.3).
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// A field stands twice or is missing.
    #[error("the form is malformed")]
    Form,
    /// Neither of the two grant types.
    #[error("the grant type is not supported")]
    GrantType,
    /// The code is unknown or has expired.
    #[error("the code is unknown or expired")]
    Code,
    /// The code was redeemed before; the token it gave is revoked (RFC 6749 §4.1.2).
    #[error("the code was redeemed before")]
    CodeReplayed,
    /// The code is another client's.
    #[error("the code is another client's")]
    Client,
    /// Another redirect URI than the request's.
    #[error("the redirect URI is not the request's")]
    RedirectUri,
    /// The verifier does not match the challenge (RFC 7636 §4.6).
    #[error("the code verifier does not match")]
    Pkce,
    /// A transaction code is needed, or none is.
    #[error("a transaction code is missing, or not expected")]
    TxCodeMissing,
    /// The transaction code is wrong.
    #[error("the transaction code is wrong")]
    TxCode,
    /// The transaction code was wrong too often: the offer is void.
    #[error("the transaction code was wrong too often")]
    TxCodeAttempts,
    /// See [`DpopError`].
    #[error(transparent)]
    Dpop(#[from] DpopError),
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refusal for TokenError {
    const CHALLENGE: bool = false;

    fn oauth(&self) -> OAuthError {
        match self {
            Self::Form => refuse(400, "invalid_request", "form_malformed"),
            Self::GrantType => refuse(400, "unsupported_grant_type", "grant_type"),
            Self::Code => refuse(400, "invalid_grant", "code_unknown"),
            Self::CodeReplayed => refuse(400, "invalid_grant", "code_replayed"),
            Self::Client => refuse(400, "invalid_grant", "client_foreign"),
            Self::RedirectUri => refuse(400, "invalid_grant", "redirect_uri_mismatch"),
            Self::Pkce => refuse(400, "invalid_grant", "pkce_mismatch"),
            Self::TxCodeMissing => refuse(400, "invalid_request", "tx_code_missing"),
            Self::TxCode => refuse(400, "invalid_grant", "tx_code_wrong"),
            Self::TxCodeAttempts => refuse(400, "invalid_grant", "tx_code_attempts"),
            Self::Dpop(error) => dpop(*error, 400),
            Self::Store(error) => store(error),
        }
    }
}

/// Why an access token does not open a resource (RFC 6750 §3.1, RFC 9449 §7.1).
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// There is no `Authorization: DPoP …`.
    #[error("the request has no DPoP access token")]
    Missing,
    /// The token is unknown, revoked or has expired.
    #[error("the access token is unknown or expired")]
    Token,
    /// See [`DpopError`].
    #[error(transparent)]
    Dpop(#[from] DpopError),
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refusal for AccessError {
    const CHALLENGE: bool = true;

    fn oauth(&self) -> OAuthError {
        match self {
            Self::Missing => refuse(401, "invalid_token", "access_token_missing"),
            Self::Token => refuse(401, "invalid_token", "access_token_unknown"),
            Self::Dpop(error) => dpop(*error, 401),
            Self::Store(error) => store(error),
        }
    }
}

/// Refusals of the credential endpoint (OpenID4VCI 1.0 §8.3.1).
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// See [`AccessError`].
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Not the JSON that belongs there, or too long.
    #[error("the credential request is malformed")]
    Malformed,
    /// The configuration is unknown, or the token does not cover it.
    #[error("the credential configuration is unknown or not granted")]
    Configuration,
    /// Credential identifiers are not given out here.
    #[error("credential identifiers are not used here")]
    Identifier,
    /// Encrypted credential responses are not supported.
    #[error("encrypted credential responses are not supported")]
    Encryption,
    /// See [`ProofError`].
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The issuer's own rules refuse: the caller says so.
    #[error("the issuer refuses the credential")]
    Denied,
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refusal for CredentialError {
    const CHALLENGE: bool = true;

    fn oauth(&self) -> OAuthError {
        match self {
            Self::Access(error) => error.oauth(),
            Self::Malformed => refuse(400, "invalid_credential_request", "request_malformed"),
            Self::Configuration => {
                refuse(400, "unknown_credential_configuration", "configuration_not_granted")
            }
            Self::Identifier => {
                refuse(400, "unknown_credential_identifier", "credential_identifier")
            }
            Self::Encryption => refuse(400, "invalid_encryption_parameters", "response_encryption"),
            Self::Proof(error) => proof(*error),
            Self::Denied => refuse(400, "credential_request_denied", "credential_denied"),
            Self::Store(error) => store(error),
        }
    }
}

/// Refusals of the deferred endpoint (OpenID4VCI 1.0 §9.3).
#[derive(Debug, thiserror::Error)]
pub enum DeferredError {
    /// See [`AccessError`].
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Not the JSON that belongs there.
    #[error("the deferred request is malformed")]
    Malformed,
    /// The transaction is unknown, another token's, or was answered.
    #[error("the transaction is unknown, another's or answered")]
    Transaction,
    /// The issuer's own rules refuse: the caller says so.
    #[error("the issuer refuses the credential")]
    Denied,
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refusal for DeferredError {
    const CHALLENGE: bool = true;

    fn oauth(&self) -> OAuthError {
        match self {
            Self::Access(error) => error.oauth(),
            Self::Malformed => refuse(400, "invalid_credential_request", "request_malformed"),
            Self::Transaction => refuse(400, "invalid_transaction_id", "transaction_unknown"),
            Self::Denied => refuse(400, "credential_request_denied", "credential_denied"),
            Self::Store(error) => store(error),
        }
    }
}

/// Refusals of the notification endpoint (OpenID4VCI 1.0 §11.3).
#[derive(Debug, thiserror::Error)]
pub enum NotificationError {
    /// See [`AccessError`].
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Not the JSON that belongs there.
    #[error("the notification is malformed")]
    Malformed,
    /// The id is unknown, another token's, or has expired.
    #[error("the notification id is unknown or another's")]
    Id,
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refusal for NotificationError {
    const CHALLENGE: bool = true;

    fn oauth(&self) -> OAuthError {
        match self {
            Self::Access(error) => error.oauth(),
            Self::Malformed => refuse(400, "invalid_notification_request", "request_malformed"),
            Self::Id => refuse(400, "invalid_notification_id", "notification_unknown"),
            Self::Store(error) => store(error),
        }
    }
}

/// Why an offer cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum OfferingError {
    /// Nothing, too much, or something that is not issued here is offered.
    #[error("the offer names a credential that is not issued here, or none")]
    Configuration,
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OfferingError {
    /// The stable code in interfaces.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Configuration => "offer_configuration_unknown",
            Self::Store(error) => error.code(),
        }
    }
}

impl Refusal for std::convert::Infallible {
    const CHALLENGE: bool = false;

    fn oauth(&self) -> OAuthError {
        match *self {}
    }
}
