//! The issuer's side: authorization server and credential issuer in one.
//!
//! ```text
//! offer ─► (PAR ─► authorize ─► authorized) ─► token ─► nonce ─► credential ─► issue | defer
//!                                                                     deferred ─► issue_deferred
//!                                                                 notification
//! ```
//! Each endpoint takes what came over HTTP and returns a value or its own error; [`Issuer::answer`]
//! makes an HTTP answer of either, with a fresh DPoP nonce.

mod access;
mod authorize;
mod credential;
mod error;
mod nonce;
mod offering;
mod token;

use std::collections::BTreeMap;

pub use authorize::{Authorization, Redirect};
pub use credential::{CredentialOrder, DeferredOrder, Notified, StillDeferred};
pub use error::{
    AccessError, AuthorizeError, CredentialError, DeferredError, NotificationError, OfferingError,
    PushError, Refusal, TokenError,
};
use etibar_primitives::BlockTime;
pub use nonce::NonceKey;
pub use offering::{Offered, Offering, TX_CODE_ATTEMPTS_MAX, TX_CODE_DIGITS, Way};

use super::{
    AuthorizationServerMetadata, CredentialConfiguration, CredentialIssuerMetadata,
    CredentialResponse, Display, NonceResponse, PushedResponse, TokenResponse, paths,
};
use crate::{Entropy, http::Answer};

/// A wallet that may ask for authorization: a public client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its `client_id`.
    pub id: String,
    /// Where its users may be sent back to; compared byte by byte (RFC 9700 §2.1).
    pub redirect_uris: Vec<String>,
}

/// How long things live, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// A pushed request, until it is used (RFC 9126 suggests 5 to 600).
    pub pushed_s: u64,
    /// An authorization, while the person proves who it is.
    pub authorization_s: u64,
    /// An authorization code (HAIP: short).
    pub code_s: u64,
    /// A pre-authorized code and its offer.
    pub offer_s: u64,
    /// An access token.
    pub access_token_s: u64,
    /// A deferred credential can be fetched so long; its access token lives on for that alone.
    pub deferred_s: u64,
    /// A `c_nonce` or DPoP nonce.
    pub nonce_s: u64,
    /// How long a notification is taken.
    pub notification_s: u64,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            pushed_s: 90,
            authorization_s: 600,
            code_s: 60,
            offer_s: 600,
            access_token_s: 3_600,
            deferred_s: 14 * 86_400,
            nonce_s: 300,
            notification_s: 86_400,
        }
    }
}

/// What an issuer is made of.
#[derive(Debug, Clone)]
pub struct IssuerConfig {
    /// The base URL, without a slash at its end: the issuer's identifier.
    pub base_url: String,
    /// The issuer's name, by language.
    pub display: Vec<Display>,
    /// What it issues, by configuration id; each with its scope.
    pub configurations: BTreeMap<String, CredentialConfiguration>,
    /// The wallets that may ask for authorization.
    pub clients: Vec<Client>,
    /// Secret of the nonces; the same on all machines of an issuer.
    pub nonce_key: NonceKey,
    /// How long things live.
    pub lifetimes: Lifetimes,
}

/// An issuer's rules; its memory is a [`crate::Grants`], given to each call.
#[derive(Debug, Clone)]
pub struct Issuer {
    config: IssuerConfig,
}

/// What came over HTTP to an endpoint.
#[derive(Debug, Clone, Copy, Default)]
pub struct Incoming<'a> {
    /// The body.
    pub body: &'a [u8],
    /// The header `Authorization`.
    pub authorization: Option<&'a str>,
    /// The header `DPoP`.
    pub dpop: Option<&'a str>,
}

/// Something that an endpoint answers with.
pub trait Rendered {
    /// The HTTP answer.
    fn answer(&self) -> Answer;
}

impl Issuer {
    /// An issuer by this configuration.
    ///
    /// # Panics
    /// If a configuration lacks its scope, or two share one.
    pub fn new(config: IssuerConfig) -> Self {
        let mut scopes: Vec<&str> = config
            .configurations
            .values()
            .map(|found| found.scope.as_deref().expect("each configuration has its scope"))
            .collect();
        scopes.sort_unstable();
        assert!(
            scopes.windows(2).all(|pair| pair[0] != pair[1]),
            "a scope asks for one credential"
        );
        Self { config }
    }

    /// The configuration.
    pub const fn config(&self) -> &IssuerConfig {
        &self.config
    }

    /// The document at [`paths::ISSUER_METADATA`].
    pub fn metadata(&self) -> CredentialIssuerMetadata {
        let mut metadata = CredentialIssuerMetadata::new(
            &self.config.base_url,
            self.config.configurations.clone(),
        );
        metadata.display = Some(self.config.display.clone()).filter(|names| !names.is_empty());
        metadata
    }

    /// The document at [`paths::SERVER_METADATA`].
    pub fn server_metadata(&self) -> AuthorizationServerMetadata {
        let scopes = self.config.configurations.values().filter_map(|found| found.scope.clone());
        AuthorizationServerMetadata::new(&self.config.base_url, scopes.collect())
    }

    /// The nonce endpoint: a `c_nonce` for the proofs of one credential request. Costs no memory.
    pub fn nonce(&self, now: BlockTime, entropy: &Entropy) -> NonceResponse {
        let life_s = self.config.lifetimes.nonce_s;
        let c_nonce = self.config.nonce_key.make(nonce::Use::Credential, now, life_s, entropy);
        NonceResponse { c_nonce }
    }

    /// The HTTP answer to an endpoint's result, with a fresh DPoP nonce (RFC 9449 §8.2).
    pub fn answer<T: Rendered, E: Refusal>(
        &self,
        result: &Result<T, E>,
        now: BlockTime,
        entropy: &Entropy,
    ) -> Answer {
        let answer = match result {
            Ok(value) => value.answer(),
            Err(refusal) => refusal.oauth().answer(E::CHALLENGE),
        };
        let life_s = self.config.lifetimes.nonce_s;
        let nonce = self.config.nonce_key.make(nonce::Use::Dpop, now, life_s, entropy);
        answer.with("dpop-nonce", &nonce)
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.config.base_url)
    }

    fn offer_url(&self, id: &str) -> String {
        format!("{}{id}", self.at(paths::OFFERS))
    }
}

impl Rendered for PushedResponse {
    fn answer(&self) -> Answer {
        Answer::json(201, self)
    }
}

impl Rendered for TokenResponse {
    fn answer(&self) -> Answer {
        Answer::json(200, self)
    }
}

impl Rendered for NonceResponse {
    fn answer(&self) -> Answer {
        Answer::json(200, self)
    }
}

impl Rendered for CredentialResponse {
    /// 200 with credentials, 202 while they are deferred (OpenID4VCI 1.0 §8.3).
    fn answer(&self) -> Answer {
        Answer::json(if self.credentials.is_some() { 200 } else { 202 }, self)
    }
}
