//! What travels between holder and issuer. Unknown members are ignored, as OAuth asks.

use serde::{Deserialize, Serialize};

use crate::private::Private;

/// The answer to a pushed authorization request (RFC 9126 §2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushedResponse {
    /// Names the request, once.
    pub request_uri: String,
    /// Seconds for which it holds.
    pub expires_in: u64,
}

/// The answer of the token endpoint (RFC 6749 §5.1, RFC 9449 §5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenResponse {
    /// Opaque, bound to the DPoP key.
    pub access_token: Private<String>,
    /// `DPoP`.
    pub token_type: String,
    /// Seconds for which it holds.
    pub expires_in: u64,
    /// The scopes granted, separated by spaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// The answer of the nonce endpoint (OpenID4VCI 1.0 §7.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NonceResponse {
    /// For proofs of one request.
    pub c_nonce: String,
}

/// A credential request (OpenID4VCI 1.0 §8.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialRequest {
    /// The configuration, as in the issuer's metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_configuration_id: Option<String>,
    /// Never given out here, so never accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_identifier: Option<String>,
    /// Proofs of the keys that credentials shall be bound to, one credential each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proofs: Option<Proofs>,
    /// Not supported here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_response_encryption: Option<serde_json::Value>,
}

/// Key proofs by type; ours is `jwt` (OpenID4VCI 1.0 §F.1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proofs {
    /// `openid4vci-proof+jwt`, one for each key.
    #[serde(default)]
    pub jwt: Vec<String>,
}

/// The answer of the credential and deferred endpoints (OpenID4VCI 1.0 §8.3, §9.2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialResponse {
    /// One for each proven key, in their order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Vec<Issued>>,
    /// Ask the deferred endpoint with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// Seconds to wait before asking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<u64>,
    /// Tell the notification endpoint what became of the credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification_id: Option<String>,
}

/// An issued credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// The SD-JWT VC with all its disclosures.
    pub credential: Private<String>,
}

/// A deferred credential request (OpenID4VCI 1.0 §9.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeferredRequest {
    /// As it was given out.
    pub transaction_id: String,
}

/// A notification (OpenID4VCI 1.0 §11.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// As it was given out.
    pub notification_id: String,
    /// What happened.
    pub event: NotificationEvent,
    /// More about it, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_description: Option<String>,
}

/// What became of issued credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationEvent {
    /// The wallet holds them.
    CredentialAccepted,
    /// The wallet could not take them.
    CredentialFailure,
    /// The person removed them.
    CredentialDeleted,
}
