//! The wallet's side: builds every request of an issuance and checks every answer.
//!
//! A [`Session`] is a value that can be stored between two steps, so a wallet that was closed
//! half-way goes on where it was. Keys stay outside: the caller gives the signer of the DPoP key,
//! the same one in all steps of a session, and the signers of the keys to be bound.

mod error;

use etibar_credential::jose::{self, Signer};
use etibar_primitives::BlockTime;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use error::HolderError;

use super::{
    AuthorizationServerMetadata, CredentialIssuerMetadata, CredentialOffer, CredentialRequest,
    CredentialResponse, DeferredRequest, GRANT_CODE, GRANT_PRE_AUTHORIZED, NonceResponse,
    Notification, NotificationEvent, Proofs, PushedResponse, TokenResponse,
    dpop::{self, Target},
    paths,
    proof::prove,
    well_known,
};
use crate::{
    Entropy, Private,
    http::{Answer, FORM, Form, JSON, Request, with_query},
};

/// The longest credential that is taken, in bytes.
pub const CREDENTIAL_BYTES_MAX: usize = 128 * 1024;
/// The longest time to wait for a deferred credential before asking again, in seconds.
pub const INTERVAL_MAX_S: u64 = 86_400;

/// This wallet, as the issuer knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallet {
    /// Its `client_id`.
    pub client_id: String,
    /// Where people are sent back to.
    pub redirect_uri: String,
}

/// One issuance, from metadata to notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    wallet: Wallet,
    issuer: CredentialIssuerMetadata,
    server: AuthorizationServerMetadata,
    /// The newest DPoP nonce of the server.
    dpop_nonce: Option<String>,
    pending: Option<Pending>,
    access_token: Option<Private<String>>,
    /// Whether the token names this wallet: a pre-authorized code is redeemed anonymously.
    named: bool,
}

/// An authorization under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Pending {
    verifier: Private<String>,
    state: String,
}

/// What a credential request gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Credentials, one for each key in their order. Not yet verified: give each to
    /// `credential::trust` before it is kept.
    Ready {
        /// SD-JWT VCs.
        credentials: Vec<Private<String>>,
        /// To be told to the issuer, if it wants to know.
        notification_id: Option<String>,
    },
    /// Not ready yet.
    Deferred {
        /// To ask with.
        transaction_id: String,
        /// When to ask again.
        interval_s: u64,
    },
}

/// The request for an issuer's metadata.
///
/// # Errors
/// If `issuer` is no URL.
pub fn metadata_request(issuer: &str) -> Result<Request, HolderError> {
    let url = well_known(issuer, paths::ISSUER_METADATA).ok_or(HolderError::Issuer)?;
    Ok(Request::get(&url, JSON))
}

/// The issuer's metadata.
///
/// # Errors
/// If it is another issuer's, or malformed.
pub fn read_metadata(
    issuer: &str,
    answer: &Answer,
) -> Result<CredentialIssuerMetadata, HolderError> {
    let metadata: CredentialIssuerMetadata = read(answer)?;
    if metadata.credential_issuer == issuer { Ok(metadata) } else { Err(HolderError::Issuer) }
}

/// The request for the metadata of the issuer's authorization server.
///
/// # Errors
/// If its identifier is no URL.
pub fn server_metadata_request(issuer: &CredentialIssuerMetadata) -> Result<Request, HolderError> {
    let url = well_known(server_of(issuer), paths::SERVER_METADATA).ok_or(HolderError::Issuer)?;
    Ok(Request::get(&url, JSON))
}

/// The authorization server's metadata.
///
/// # Errors
/// If it is another server's, lacks what HAIP asks for, or is malformed.
pub fn read_server_metadata(
    issuer: &CredentialIssuerMetadata,
    answer: &Answer,
) -> Result<AuthorizationServerMetadata, HolderError> {
    let server: AuthorizationServerMetadata = read(answer)?;
    if server.issuer != server_of(issuer) {
        return Err(HolderError::Issuer);
    }
    let has = |list: &[String], name: &str| list.iter().any(|known| known == name);
    let s256 = has(&server.code_challenge_methods_supported, "S256");
    let es256 = has(&server.dpop_signing_alg_values_supported, "ES256");
    if s256 && es256 { Ok(server) } else { Err(HolderError::Unsupported) }
}

fn server_of(issuer: &CredentialIssuerMetadata) -> &str {
    let named = issuer.authorization_servers.as_ref().and_then(|servers| servers.first());
    named.unwrap_or(&issuer.credential_issuer)
}

fn read<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<T, HolderError> {
    match answer.status {
        200..=299 => answer.read().ok_or(HolderError::Malformed),
        _ => Err(HolderError::refused(answer)),
    }
}

impl Session {
    /// A session with an issuer whose metadata was read.
    pub const fn new(
        wallet: Wallet,
        issuer: CredentialIssuerMetadata,
        server: AuthorizationServerMetadata,
    ) -> Self {
        Self {
            wallet,
            issuer,
            server,
            dpop_nonce: None,
            pending: None,
            access_token: None,
            named: false,
        }
    }

    /// The issuer's metadata.
    pub const fn issuer(&self) -> &CredentialIssuerMetadata {
        &self.issuer
    }

    /// Whether a token was received.
    pub const fn has_token(&self) -> bool {
        self.access_token.is_some()
    }

    /// Pushes an authorization request for these configurations (RFC 9126).
    ///
    /// # Errors
    /// If the issuer has no such configuration, or the key cannot sign.
    pub fn push(
        &mut self,
        configurations: &[String],
        issuer_state: Option<&str>,
        dpop: &dyn Signer,
        now: BlockTime,
        entropy: &Entropy,
    ) -> Result<Request, HolderError> {
        let scope = self.scope_of(configurations)?;
        let pending = Pending {
            verifier: Private(entropy.text("pkce/verifier")),
            state: entropy.text("oauth/state"),
        };
        let challenge = jose::text_hash(&pending.verifier.0);
        let mut fields = vec![
            ("response_type", "code"),
            ("client_id", self.wallet.client_id.as_str()),
            ("redirect_uri", self.wallet.redirect_uri.as_str()),
            ("scope", scope.as_str()),
            ("state", pending.state.as_str()),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        fields.extend(issuer_state.map(|state| ("issuer_state", state)));
        let body = Form::render(&fields);
        let url = self.server.pushed_authorization_request_endpoint.clone();
        let request = self.form_request(&url, body, dpop, now, entropy)?;
        self.pending = Some(pending);
        Ok(request)
    }

    /// The address that the person opens to be authorized.
    ///
    /// # Errors
    /// See [`HolderError`]; after [`HolderError::UseNonce`], push again.
    pub fn pushed(&mut self, answer: &Answer) -> Result<String, HolderError> {
        self.note(answer);
        let pushed: PushedResponse = read(answer)?;
        let fields =
            [("client_id", self.wallet.client_id.as_str()), ("request_uri", &pushed.request_uri)];
        Ok(with_query(&self.server.authorization_endpoint, &fields))
    }

    /// The code in the address that the person was sent back to.
    ///
    /// # Errors
    /// If the answer is another session's or another server's (RFC 9207), or a refusal.
    pub fn redirected(&self, url: &str) -> Result<Private<String>, HolderError> {
        let pending = self.pending.as_ref().ok_or(HolderError::Step)?;
        let (base, query) = url.split_once('?').ok_or(HolderError::Malformed)?;
        if base != self.wallet.redirect_uri {
            return Err(HolderError::State);
        }
        let form = Form::parse(query.as_bytes()).map_err(|_| HolderError::Malformed)?;
        if form.get("state") != Some(&pending.state) {
            return Err(HolderError::State);
        }
        if form.get("iss") != Some(&self.server.issuer) {
            return Err(HolderError::Issuer);
        }
        if let Some(error) = form.get("error") {
            return Err(HolderError::of_error(error));
        }
        form.get("code").map(|code| Private(code.to_owned())).ok_or(HolderError::Malformed)
    }

    /// Redeems an authorization code.
    ///
    /// # Errors
    /// If no authorization is under way, or the key cannot sign.
    pub fn redeem_code(
        &mut self,
        code: &Private<String>,
        dpop: &dyn Signer,
        now: BlockTime,
        entropy: &Entropy,
    ) -> Result<Request, HolderError> {
        let pending = self.pending.as_ref().ok_or(HolderError::Step)?;
        let body = Form::render(&[
            ("grant_type", GRANT_CODE),
            ("client_id", &self.wallet.client_id),
            ("redirect_uri", &self.wallet.redirect_uri),
            ("code", &code.0),
            ("code_verifier", &pending.verifier.0),
        ]);
        self.named = true;
        self.form_request(&self.server.token_endpoint, body, dpop, now, entropy)
    }

    /// Redeems an offer's pre-authorized code.
    ///
    /// # Errors
    /// If the offer is another issuer's or has no such code, if a transaction code is missing or
    /// not expected, or if the key cannot sign.
    pub fn redeem_offer(
        &mut self,
        offer: &CredentialOffer,
        tx_code: Option<&Private<String>>,
        dpop: &dyn Signer,
        now: BlockTime,
        entropy: &Entropy,
    ) -> Result<Request, HolderError> {
        if offer.credential_issuer != self.issuer.credential_issuer {
            return Err(HolderError::Issuer);
        }
        let grant = offer.grants.as_ref().and_then(|grants| grants.pre_authorized_code.as_ref());
        let grant = grant.ok_or(HolderError::Unsupported)?;
        if grant.tx_code.is_some() != tx_code.is_some() {
            return Err(HolderError::TxCode);
        }
        let mut fields =
            vec![("grant_type", GRANT_PRE_AUTHORIZED), ("pre-authorized_code", &*grant.code.0)];
        fields.extend(tx_code.map(|code| ("tx_code", code.0.as_str())));
        self.named = false;
        let body = Form::render(&fields);
        self.form_request(&self.server.token_endpoint, body, dpop, now, entropy)
    }

    /// Takes the answer of the token endpoint.
    ///
    /// # Errors
    /// See [`HolderError`]; after [`HolderError::UseNonce`], redeem again.
    pub fn token(&mut self, answer: &Answer) -> Result<(), HolderError> {
        self.note(answer);
        let token: TokenResponse = read(answer)?;
        if !token.token_type.eq_ignore_ascii_case("DPoP") {
            return Err(HolderError::TokenType);
        }
        self.access_token = Some(token.access_token);
        self.pending = None;
        Ok(())
    }

    /// Asks for a nonce for proofs.
    ///
    /// # Errors
    /// If the issuer has no nonce endpoint.
    pub fn nonce_request(&self) -> Result<Request, HolderError> {
        let url = self.issuer.nonce_endpoint.as_deref().ok_or(HolderError::Unsupported)?;
        Ok(Request::post(url, FORM, Vec::new()))
    }

    /// The nonce for proofs.
    ///
    /// # Errors
    /// See [`HolderError`].
    pub fn nonce(&mut self, answer: &Answer) -> Result<String, HolderError> {
        self.note(answer);
        read::<NonceResponse>(answer).map(|nonce| nonce.c_nonce)
    }

    /// Asks for credentials of one configuration, one bound to each of `keys`.
    ///
    /// # Errors
    /// If there are no keys or more than the issuer's batch, if there is no token yet, or if a key
    /// cannot sign.
    pub fn credential_request(
        &self,
        configuration: &str,
        c_nonce: &str,
        keys: &[&dyn Signer],
        dpop: &dyn Signer,
        now: BlockTime,
        entropy: &Entropy,
    ) -> Result<Request, HolderError> {
        let batch = self.issuer.batch_credential_issuance.map_or(1, |batch| batch.batch_size);
        if keys.is_empty() || keys.len() > batch {
            return Err(HolderError::Batch);
        }
        let client = self.named.then_some(self.wallet.client_id.as_str());
        let audience = &self.issuer.credential_issuer;
        let proofs = keys.iter().map(|key| prove(*key, audience, client, c_nonce, now.into()));
        let request = CredentialRequest {
            credential_configuration_id: Some(configuration.to_owned()),
            credential_identifier: None,
            proofs: Some(Proofs { jwt: proofs.collect::<Result<_, _>>()? }),
            credential_response_encryption: None,
        };
        self.resource_request(&self.issuer.credential_endpoint, &request, dpop, now, entropy)
    }

    /// Asks again for a deferred credential.
    ///
    /// # Errors
    /// If the issuer has no deferred endpoint, or the key cannot sign.
    pub fn deferred_request(
        &self,
        transaction_id: &str,
        dpop: &dyn Signer,
        now: BlockTime,
        entropy: &Entropy,
    ) -> Result<Request, HolderError> {
        let url = self.issuer.deferred_credential_endpoint.as_deref();
        let request = DeferredRequest { transaction_id: transaction_id.to_owned() };
        self.resource_request(url.ok_or(HolderError::Unsupported)?, &request, dpop, now, entropy)
    }

    /// Reads the answer of the credential or deferred endpoint to a request for `count` keys.
    ///
    /// # Errors
    /// See [`HolderError`]; after [`HolderError::UseNonce`], ask again.
    pub fn delivery(&mut self, answer: &Answer, count: usize) -> Result<Delivery, HolderError> {
        self.note(answer);
        let response: CredentialResponse = read(answer)?;
        match (response.credentials, response.transaction_id) {
            (Some(issued), None) => {
                let too_long = issued.iter().any(|i| i.credential.0.len() > CREDENTIAL_BYTES_MAX);
                if issued.len() != count || too_long {
                    return Err(HolderError::Batch);
                }
                let credentials = issued.into_iter().map(|issued| issued.credential).collect();
                Ok(Delivery::Ready { credentials, notification_id: response.notification_id })
            }
            (None, Some(transaction_id)) => {
                let interval_s = response.interval.ok_or(HolderError::Malformed)?;
                let interval_s = interval_s.clamp(1, INTERVAL_MAX_S);
                Ok(Delivery::Deferred { transaction_id, interval_s })
            }
            _ => Err(HolderError::Malformed),
        }
    }

    /// Tells the issuer what became of its credentials.
    ///
    /// # Errors
    /// If the issuer has no notification endpoint, or the key cannot sign.
    pub fn notification_request(
        &self,
        notification_id: &str,
        event: NotificationEvent,
        dpop: &dyn Signer,
        now: BlockTime,
        entropy: &Entropy,
    ) -> Result<Request, HolderError> {
        let url = self.issuer.notification_endpoint.as_deref().ok_or(HolderError::Unsupported)?;
        let message = Notification {
            notification_id: notification_id.to_owned(),
            event,
            event_description: None,
        };
        self.resource_request(url, &message, dpop, now, entropy)
    }

    /// Reads the answer of the notification endpoint.
    ///
    /// # Errors
    /// See [`HolderError`]; after [`HolderError::UseNonce`], notify again.
    pub fn notified(&mut self, answer: &Answer) -> Result<(), HolderError> {
        self.note(answer);
        match answer.status {
            200..=299 => Ok(()),
            _ => Err(HolderError::refused(answer)),
        }
    }

    /// Remembers the server's newest DPoP nonce (RFC 9449 §8.2).
    fn note(&mut self, answer: &Answer) {
        if let Some(nonce) = answer.header("dpop-nonce").filter(|nonce| nonce.len() <= 512) {
            self.dpop_nonce = Some(nonce.to_owned());
        }
    }

    fn scope_of(&self, configurations: &[String]) -> Result<String, HolderError> {
        let supported = &self.issuer.credential_configurations_supported;
        let scope = |id: &String| supported.get(id).and_then(|found| found.scope.as_deref());
        let scopes: Option<Vec<&str>> = configurations.iter().map(scope).collect();
        scopes
            .filter(|scopes| !scopes.is_empty())
            .map(|scopes| scopes.join(" "))
            .ok_or(HolderError::Unsupported)
    }

    fn form_request(
        &self,
        url: &str,
        body: String,
        dpop: &dyn Signer,
        now: BlockTime,
        entropy: &Entropy,
    ) -> Result<Request, HolderError> {
        let target = Target { method: "POST", url, access_token: None };
        let proof = dpop::sign(dpop, target, self.dpop_nonce.as_deref(), now.into(), entropy)?;
        let mut request = Request::post(url, FORM, body.into_bytes());
        request.headers.push(("dpop", proof));
        Ok(request)
    }

    fn resource_request(
        &self,
        url: &str,
        body: &impl Serialize,
        dpop: &dyn Signer,
        now: BlockTime,
        entropy: &Entropy,
    ) -> Result<Request, HolderError> {
        let token = &self.access_token.as_ref().ok_or(HolderError::Step)?.0;
        let target = Target { method: "POST", url, access_token: Some(token) };
        let proof = dpop::sign(dpop, target, self.dpop_nonce.as_deref(), now.into(), entropy)?;
        let body = serde_json::to_vec(&json!(body)).expect("plain data becomes JSON");
        let mut request = Request::post(url, JSON, body);
        request.headers.push(("authorization", format!("DPoP {token}")));
        request.headers.push(("dpop", proof));
        Ok(request)
    }
}
