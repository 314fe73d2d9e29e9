//! The request object: what a verifier signs and a wallet reads (OpenID4VP 1.0 §5, RFC 9101).

use etibar_credential::{jose, json};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json as object};

use crate::{
    dcql::Query,
    http::{Form, with_query},
};

/// The `typ` of a request object.
pub(super) const REQUEST_TYPE: &str = "oauth-authz-req+jwt";
/// The media type of a request object.
pub(super) const REQUEST_MEDIA: &str = "application/oauth-authz-req+jwt";
/// The audience of a request whose wallet is not known (OpenID4VP 1.0 §5.8).
pub(super) const AUDIENCE: &str = "https://self-issued.me/v2";
/// The longest request object, in bytes: its transaction data hold consent artefacts.
pub const REQUEST_BYTES_MAX: usize = 512 * 1024;
/// The longest life of a request, in seconds.
pub const REQUEST_LIFE_MAX_S: u64 = 3_600;
/// The most entries of `transaction_data`.
pub const TRANSACTIONS_MAX: usize = 4;
/// The longest URL or nonce, in bytes.
pub(super) const TEXT_BYTES_MAX: usize = 1024;

const SCHEME: &str = "openid4vp://";

/// What is in a request object. Unknown claims are ignored, as the standard asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestClaims {
    /// `x509_hash:…`.
    pub client_id: String,
    /// `vp_token`.
    pub response_type: String,
    /// `direct_post.jwt`.
    pub response_mode: String,
    /// Where the answer goes.
    pub response_uri: String,
    /// For one answer.
    pub nonce: String,
    /// Returned with the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// [`AUDIENCE`].
    pub aud: String,
    /// When it was made, in seconds since 1970.
    pub iat: u64,
    /// When it ends, in seconds since 1970.
    pub exp: u64,
    /// What is asked for.
    pub dcql_query: Query,
    /// Keys and formats.
    pub client_metadata: Value,
    /// What the person signs with its answer: base64url of JSON, each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_data: Option<Vec<String>>,
    /// The wallet's nonce, returned (`request_uri_method=post`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wallet_nonce: Option<String>,
}

/// Where a request object can be fetched (OpenID4VP 1.0 §5.10).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestReference {
    /// Who says to ask: must be the request's.
    pub client_id: String,
    /// Where it is.
    pub request_uri: String,
    /// Whether to fetch it by `POST`, with a nonce of the wallet's.
    pub post: bool,
}

impl RequestReference {
    /// `openid4vp://?…`, for a link or a QR code.
    pub fn to_uri(&self) -> String {
        let mut fields =
            vec![("client_id", self.client_id.as_str()), ("request_uri", &self.request_uri)];
        if self.post {
            fields.push(("request_uri_method", "post"));
        }
        with_query(SCHEME, &fields)
    }

    /// Reads a link; `None` if it is too long or another thing.
    pub fn parse(uri: &str) -> Option<Self> {
        let (_, query) = uri.split_once('?').filter(|_| uri.len() <= 4 * TEXT_BYTES_MAX)?;
        let form = Form::parse(query.as_bytes()).ok()?;
        let post = match form.get("request_uri_method") {
            None | Some("get") => false,
            Some("post") => true,
            Some(_) => return None,
        };
        let field = |name: &str| form.get(name).map(str::to_owned);
        Some(Self { client_id: field("client_id")?, request_uri: field("request_uri")?, post })
    }
}

/// The verifier's metadata with its encryption key (OpenID4VP 1.0 §5.1, HAIP §5).
pub(super) fn client_metadata(encryption_key: &Value) -> Value {
    object!({
        "jwks": { "keys": [encryption_key] },
        "encrypted_response_enc_values_supported": ["A128GCM", "A256GCM"],
        "vp_formats_supported": {
            "dc+sd-jwt": { "sd-jwt_alg_values": ["ES256"], "kb-jwt_alg_values": ["ES256"] }
        }
    })
}

/// The entries of `transaction_data` that the presentation for the credential query `id` signs,
/// when the queries in `answered` are answered: each entry is signed once, by the first of its
/// `credential_ids` that is answered (OpenID4VP 1.0 §8.4). In the order of the request.
///
/// `None` if an entry is not base64url of JSON, or nobody who is answered may sign it.
pub(super) fn entries_of(entries: &[String], id: &str, answered: &[&str]) -> Option<Vec<String>> {
    let mut own = Vec::new();
    for entry in entries {
        let json = jose::decode(entry).and_then(|bytes| json::parse(&bytes).ok())?;
        let ids = json.get("credential_ids")?.as_array()?;
        let signer = ids.iter().filter_map(Value::as_str).find(|id| answered.contains(id))?;
        if signer == id {
            own.push(entry.clone());
        }
    }
    Some(own)
}
