//! What an issuer publishes about itself (OpenID4VCI 1.0 §12.2, RFC 8414).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{GRANT_CODE, GRANT_PRE_AUTHORIZED, KEYS_MAX};
use crate::dcql::FORMAT_SD_JWT_VC;

/// Where an issuer's endpoints stand below its base URL.
pub mod paths {
    /// Pushed authorization requests.
    pub const PUSH: &str = "/oauth/par";
    /// Authorization.
    pub const AUTHORIZE: &str = "/oauth/authorize";
    /// Tokens.
    pub const TOKEN: &str = "/oauth/token";
    /// Nonces for proofs.
    pub const NONCE: &str = "/oid4vci/nonce";
    /// Credentials.
    pub const CREDENTIAL: &str = "/oid4vci/credential";
    /// Deferred credentials.
    pub const DEFERRED: &str = "/oid4vci/deferred";
    /// Notifications.
    pub const NOTIFICATION: &str = "/oid4vci/notification";
    /// Credential offers by reference, before their id.
    pub const OFFERS: &str = "/oid4vci/offers/";
    /// The issuer's metadata.
    pub const ISSUER_METADATA: &str = "/.well-known/openid-credential-issuer";
    /// The authorization server's metadata.
    pub const SERVER_METADATA: &str = "/.well-known/oauth-authorization-server";
}

/// The credential issuer's metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialIssuerMetadata {
    /// The issuer's identifier: its base URL.
    pub credential_issuer: String,
    /// Absent: the issuer is its own authorization server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_servers: Option<Vec<String>>,
    /// See [`paths::CREDENTIAL`].
    pub credential_endpoint: String,
    /// See [`paths::NONCE`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce_endpoint: Option<String>,
    /// See [`paths::DEFERRED`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferred_credential_endpoint: Option<String>,
    /// See [`paths::NOTIFICATION`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification_endpoint: Option<String>,
    /// How many keys one request may prove.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_credential_issuance: Option<Batch>,
    /// The issuer's name, by language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<Vec<Display>>,
    /// What can be issued, by configuration id.
    pub credential_configurations_supported: BTreeMap<String, CredentialConfiguration>,
}

/// How many credentials one request may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// At least 2 when there is batch issuance at all.
    pub batch_size: usize,
}

/// A name in a language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Display {
    /// The name.
    pub name: String,
    /// BCP 47.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

/// One kind of credential that an issuer issues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialConfiguration {
    /// `dc+sd-jwt`.
    pub format: String,
    /// The OAuth scope that asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The type.
    pub vct: String,
    /// `jwk`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cryptographic_binding_methods_supported: Option<Vec<String>>,
    /// `ES256`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_signing_alg_values_supported: Option<Vec<String>>,
    /// By proof type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_types_supported: Option<BTreeMap<String, ProofType>>,
    /// Names and claims for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_metadata: Option<Value>,
}

/// How keys are proven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofType {
    /// `ES256`.
    pub proof_signing_alg_values_supported: Vec<String>,
}

/// The authorization server's metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationServerMetadata {
    /// The base URL.
    pub issuer: String,
    /// See [`paths::AUTHORIZE`].
    pub authorization_endpoint: String,
    /// See [`paths::TOKEN`].
    pub token_endpoint: String,
    /// See [`paths::PUSH`].
    pub pushed_authorization_request_endpoint: String,
    /// True: requests are pushed, never put into a browser's address (HAIP §4).
    #[serde(default)]
    pub require_pushed_authorization_requests: bool,
    /// `code`.
    pub response_types_supported: Vec<String>,
    /// Both grant types.
    #[serde(default)]
    pub grant_types_supported: Vec<String>,
    /// `S256`.
    #[serde(default)]
    pub code_challenge_methods_supported: Vec<String>,
    /// `ES256`.
    #[serde(default)]
    pub dpop_signing_alg_values_supported: Vec<String>,
    /// `none`: wallets are public clients, bound by DPoP.
    #[serde(default)]
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// True: answers carry `iss` (RFC 9207).
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
    /// True: a pre-authorized code needs no `client_id` (OpenID4VCI 1.0 §12.3).
    #[serde(default, rename = "pre-authorized_grant_anonymous_access_supported")]
    pub pre_authorized_grant_anonymous_access_supported: bool,
    /// All scopes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes_supported: Option<Vec<String>>,
}

impl CredentialConfiguration {
    /// An SD-JWT VC of type `vct`, asked for by `scope`, bound to a proven key.
    pub fn sd_jwt_vc(vct: &str, scope: &str) -> Self {
        let es256 = || vec!["ES256".to_owned()];
        let jwt = ProofType { proof_signing_alg_values_supported: es256() };
        Self {
            format: FORMAT_SD_JWT_VC.to_owned(),
            scope: Some(scope.to_owned()),
            vct: vct.to_owned(),
            cryptographic_binding_methods_supported: Some(vec!["jwk".to_owned()]),
            credential_signing_alg_values_supported: Some(es256()),
            proof_types_supported: Some(BTreeMap::from([("jwt".to_owned(), jwt)])),
            credential_metadata: None,
        }
    }
}

impl CredentialIssuerMetadata {
    /// The metadata of the issuer at `base` (no slash at its end).
    pub fn new(base: &str, configurations: BTreeMap<String, CredentialConfiguration>) -> Self {
        let at = |path: &str| format!("{base}{path}");
        Self {
            credential_issuer: base.to_owned(),
            authorization_servers: None,
            credential_endpoint: at(paths::CREDENTIAL),
            nonce_endpoint: Some(at(paths::NONCE)),
            deferred_credential_endpoint: Some(at(paths::DEFERRED)),
            notification_endpoint: Some(at(paths::NOTIFICATION)),
            batch_credential_issuance: Some(Batch { batch_size: KEYS_MAX }),
            display: None,
            credential_configurations_supported: configurations,
        }
    }
}

impl AuthorizationServerMetadata {
    /// The metadata of the authorization server at `base`, which grants these scopes.
    pub fn new(base: &str, scopes: Vec<String>) -> Self {
        let at = |path: &str| format!("{base}{path}");
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            issuer: base.to_owned(),
            authorization_endpoint: at(paths::AUTHORIZE),
            token_endpoint: at(paths::TOKEN),
            pushed_authorization_request_endpoint: at(paths::PUSH),
            require_pushed_authorization_requests: true,
            response_types_supported: list(&["code"]),
            grant_types_supported: list(&[GRANT_CODE, GRANT_PRE_AUTHORIZED]),
            code_challenge_methods_supported: list(&["S256"]),
            dpop_signing_alg_values_supported: list(&["ES256"]),
            token_endpoint_auth_methods_supported: list(&["none"]),
            authorization_response_iss_parameter_supported: true,
            pre_authorized_grant_anonymous_access_supported: true,
            scopes_supported: Some(scopes),
        }
    }
}

/// Where the metadata of `identifier` stands: the well-known path goes between host and path
/// (RFC 8414 §3.1, OpenID4VCI 1.0 §12.2.2). `None` if `identifier` is no URL.
pub fn well_known(identifier: &str, suffix: &str) -> Option<String> {
    let mut url = url::Url::parse(identifier).ok()?;
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{suffix}{path}"));
    Some(url.to_string())
}
