//! The relying party's side.
//!
//! ```text
//! ask ─► (link or QR code) ─► request_object ─► response ─► Opened::verify ─► credentials
//! ```
//! One request, one nonce, one answer. What is asked must fit its registered purpose before it is
//! asked; what is answered must be what was asked, no less and no more.

mod answer;
mod error;

use etibar_credential::{
    catalogue::{PurposeCode, Scope},
    jose::{Signer, sign},
    purpose,
    x509::client_id,
};
use etibar_primitives::{BlockTime, hex};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use answer::{KEY_BINDING_AGE_MAX_S, Opened, Terms, Verified};
pub use error::{AnswerError, AskError, RequestError, ResponseError};

use super::{
    REQUEST_LIFE_MAX_S, RequestClaims, RequestReference, TRANSACTIONS_MAX, VpToken,
    request::{self, AUDIENCE, REQUEST_MEDIA, REQUEST_TYPE, TEXT_BYTES_MAX},
};
use crate::{
    Entropy, GrantKey, GrantKind, Grants,
    dcql::Query,
    http::{Answer, Form},
    jwe::{self, DecryptionKey},
    private::Secret,
    store::{self, Kept, after},
};

/// Where a verifier's endpoints stand below its base URL.
pub mod paths {
    /// Request objects, before their id.
    pub const REQUESTS: &str = "/oid4vp/requests/";
    /// Answers, before the request's id.
    pub const RESPONSES: &str = "/oid4vp/responses/";
}

/// A relying party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    /// The base URL, without a slash at its end; the leaf certificate names it.
    pub base_url: String,
    /// How long a request lives, in seconds; at most [`REQUEST_LIFE_MAX_S`].
    pub request_life_s: u64,
}

/// What to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The credentials and claims.
    pub query: Query,
    /// What for: the query must fit it.
    pub purpose: PurposeCode,
    /// What the person signs with its answer: `credential::consent::transaction_entry`.
    pub transaction_data: Vec<String>,
    /// Where the wallet sends the person after the answer, on the same device.
    pub redirect_uri: Option<String>,
}

/// A request that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its id: for the verifier's own session, not secret from the wallet.
    pub id: String,
    /// For a link or a QR code; see [`RequestReference::to_uri`].
    pub reference: RequestReference,
    /// The scope of the query, inside the purpose's.
    pub scope: Scope,
    /// When it ends.
    pub expires: BlockTime,
}

/// A signed request object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestObject(pub String);

/// What a wallet answered.
#[derive(Debug, Clone)]
pub enum Response {
    /// It presented; nothing is verified yet: see [`Opened::verify`].
    Presented(Box<Opened>),
    /// It did not, and said why (`access_denied` when the person refused).
    Declined {
        /// The standard's code; lower-case letters and `_`, at most 64 bytes.
        error: String,
        /// The request's id.
        id: String,
    },
}

/// A request as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Pending {
    id: String,
    client_id: String,
    nonce: String,
    state: String,
    decryption_key: Secret,
    query: Query,
    transaction_data: Vec<String>,
    redirect_uri: Option<String>,
    issued_at_s: u64,
    expires_s: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum Presentation {
    Open { request: Box<Pending> },
    Answered {},
}

#[derive(Deserialize)]
struct Payload {
    vp_token: VpToken,
    state: Option<String>,
}

impl RequestObject {
    /// The HTTP answer.
    pub fn answer(&self) -> Answer {
        Answer::of(200, REQUEST_MEDIA, self.0.clone().into_bytes())
    }
}

impl Verifier {
    /// Makes a request with a fresh nonce and encryption key.
    ///
    /// # Errors
    /// See [`AskError`].
    pub async fn ask<G: Grants>(
        &self,
        grants: &G,
        signer: &dyn Signer,
        ask: Ask,
        now: BlockTime,
        entropy: &Entropy,
    ) -> Result<Asked, AskError> {
        let client_id = signer.chain().first().map(|leaf| client_id(leaf));
        let client_id = client_id.ok_or(AskError::NoCertificate)?;
        let scope = check_ask(&ask)?;
        let id = entropy.text("presentation/id");
        let life_s = self.request_life_s.min(REQUEST_LIFE_MAX_S);
        let expires = after(now, life_s);
        let pending = Pending {
            id: id.clone(),
            client_id: client_id.clone(),
            nonce: entropy.text("presentation/nonce"),
            state: entropy.text("presentation/state"),
            decryption_key: Secret(DecryptionKey::generate(entropy, "presentation/key").to_bytes()),
            query: ask.query,
            transaction_data: ask.transaction_data,
            redirect_uri: ask.redirect_uri,
            issued_at_s: now.0 / 1_000,
            expires_s: expires.0 / 1_000,
        };
        let value = Presentation::Open { request: Box::new(pending) };
        store::put(grants, key(&id), &value, expires, now).await?;
        let request_uri = format!("{}{}{id}", self.base_url, paths::REQUESTS);
        let reference = RequestReference { client_id, request_uri, post: true };
        Ok(Asked { id, reference, scope, expires })
    }

    /// Signs the request object called `id` for a wallet that fetches it.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn request_object<G: Grants>(
        &self,
        grants: &G,
        signer: &dyn Signer,
        id: &str,
        wallet_nonce: Option<&str>,
        now: BlockTime,
    ) -> Result<RequestObject, RequestError> {
        if wallet_nonce.is_some_and(|nonce| nonce.len() > TEXT_BYTES_MAX) {
            return Err(RequestError::Malformed);
        }
        let kept = store::get::<Presentation>(grants, key(id), now).await?;
        let pending = match kept.map(|kept| kept.value) {
            None => return Err(RequestError::Unknown),
            Some(Presentation::Answered {}) => return Err(RequestError::Answered),
            Some(Presentation::Open { request }) => request,
        };
        let claims = self.claims(&pending, wallet_nonce);
        let Ok(Value::Object(payload)) = serde_json::to_value(&claims) else {
            unreachable!("the claims are an object")
        };
        Ok(RequestObject(sign(signer, REQUEST_TYPE, Map::new(), &payload)?))
    }

    /// The wallet's nonce in the body of a `POST` to the request's address.
    pub fn wallet_nonce(body: &[u8]) -> Option<String> {
        Form::parse(body).ok()?.get("wallet_nonce").map(str::to_owned)
    }

    /// Takes the answer to the request called `id`. It is taken once.
    ///
    /// # Errors
    /// See [`ResponseError`]. An answer that cannot be read leaves the request open.
    pub async fn response<G: Grants>(
        &self,
        grants: &G,
        id: &str,
        body: &[u8],
        now: BlockTime,
    ) -> Result<Response, ResponseError> {
        let form = Form::parse(body).map_err(|_| ResponseError::Malformed)?;
        let kept = store::get::<Presentation>(grants, key(id), now).await?;
        let kept = kept.ok_or(ResponseError::Unknown)?;
        let Kept { value: Presentation::Open { request }, .. } = &kept else {
            return Err(ResponseError::Replayed);
        };
        let response = match (form.get("response"), form.get("error")) {
            (Some(text), None) => Response::Presented(Box::new(open(request, text)?)),
            (None, Some(error)) => declined(request, error, form.get("state"))?,
            _ => return Err(ResponseError::Malformed),
        };
        let answered = Presentation::Answered {};
        if !store::swap(grants, key(id), &kept, &answered, kept.expires, now).await? {
            return Err(ResponseError::Replayed);
        }
        Ok(response)
    }

    fn claims(&self, pending: &Pending, wallet_nonce: Option<&str>) -> RequestClaims {
        let decryption_key = decryption_key(pending);
        let entries = Some(pending.transaction_data.clone()).filter(|list| !list.is_empty());
        RequestClaims {
            client_id: pending.client_id.clone(),
            response_type: "vp_token".to_owned(),
            response_mode: "direct_post.jwt".to_owned(),
            response_uri: format!("{}{}{}", self.base_url, paths::RESPONSES, pending.id),
            nonce: pending.nonce.clone(),
            state: Some(pending.state.clone()),
            aud: AUDIENCE.to_owned(),
            iat: pending.issued_at_s,
            exp: pending.expires_s,
            dcql_query: pending.query.clone(),
            client_metadata: request::client_metadata(&decryption_key.to_jwk(&kid(pending))),
            transaction_data: entries,
            wallet_nonce: wallet_nonce.map(str::to_owned),
        }
    }
}

fn check_ask(ask: &Ask) -> Result<Scope, AskError> {
    ask.query.check()?;
    let json = serde_json::to_value(&ask.query).expect("plain data becomes JSON");
    let scope = purpose::check(&purpose::asks_of(&json)?, ask.purpose)?;
    let ids: Vec<&str> = ask.query.credentials.iter().map(|asked| asked.id.as_str()).collect();
    let entries = &ask.transaction_data;
    let signable = request::entries_of(entries, "", &ids).is_some();
    if entries.len() > TRANSACTIONS_MAX || !signable {
        return Err(AskError::TransactionData);
    }
    Ok(scope)
}

fn key(id: &str) -> GrantKey {
    GrantKey::of(GrantKind::Presentation, id)
}

fn decryption_key(pending: &Pending) -> DecryptionKey {
    DecryptionKey::from_bytes(&pending.decryption_key.0)
        .expect("the key was a key when it was kept")
}

/// The encryption key's name: its thumbprint's first bytes.
fn kid(pending: &Pending) -> String {
    hex::encode(&decryption_key(pending).public_key().thumbprint()[..8])
}

fn open(pending: &Pending, text: &str) -> Result<Opened, ResponseError> {
    let plain = jwe::open(text, &decryption_key(pending), &kid(pending))?;
    let payload: Payload = serde_json::from_slice(&plain).map_err(|_| ResponseError::Malformed)?;
    if payload.state.as_deref() != Some(&pending.state) {
        return Err(ResponseError::State);
    }
    Opened::new(pending, payload.vp_token)
}

fn declined(
    pending: &Pending,
    error: &str,
    state: Option<&str>,
) -> Result<Response, ResponseError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    if error.len() > 64 || !error.bytes().all(allowed) {
        return Err(ResponseError::Malformed);
    }
    if state != Some(&pending.state) {
        return Err(ResponseError::State);
    }
    Ok(Response::Declined { error: error.to_owned(), id: pending.id.clone() })
}
