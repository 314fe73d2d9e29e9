//! The credential, deferred and notification endpoints (OpenID4VCI 1.0 §8, §9, §11).

use etibar_credential::jose::PublicKey;
use etibar_primitives::{BlockTime, DurationMs, hex};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    AccessError, CredentialError, DeferredError, Incoming, Issuer, NotificationError, Rendered,
    access::Access,
    nonce::{NonceError, Use},
};
use crate::{
    Entropy, GrantKey, GrantKind, Grants, Private,
    http::Answer,
    store::{self, StoreError, after},
    vci::{
        CredentialRequest, CredentialResponse, DeferredRequest, Issued, Notification,
        NotificationEvent, ProofError, Proofs, paths,
        proof::{self, Expected},
    },
};

/// The longest credential request, in bytes: the most proofs fit.
const REQUEST_BYTES_MAX: usize = 160 * 1024;
/// The longest deferred request or notification, in bytes.
const SMALL_BYTES_MAX: usize = 4 * 1024;

/// Credentials that may be issued now: the protocol's rules are satisfied. The register's are the
/// caller's.
#[derive(Debug, Clone)]
pub struct CredentialOrder {
    /// Whose, as the caller named the person when it authorized or offered.
    pub subject: Private<String>,
    /// The configuration's id.
    pub configuration: String,
    /// One credential is bound to each.
    pub keys: Vec<PublicKey>,
    /// The wallet, if it said so.
    pub client_id: Option<String>,
    /// The access token's hash: notification and deferral are bound to it.
    token: [u8; 32],
    jkt: String,
}

/// A deferred order that is asked for again.
#[derive(Debug, Clone)]
pub struct DeferredOrder {
    /// What was ordered.
    pub order: CredentialOrder,
    transaction_id: String,
}

/// A deferred order that is still not ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StillDeferred(CredentialResponse);

/// A notification that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notified {
    /// Whose credentials.
    pub subject: Private<String>,
    /// Which.
    pub configuration: String,
    /// What became of them.
    pub event: NotificationEvent,
}

impl Rendered for StillDeferred {
    fn answer(&self) -> Answer {
        self.0.answer()
    }
}

impl Rendered for Notified {
    fn answer(&self) -> Answer {
        Answer { status: 204, headers: Vec::new(), body: Vec::new() }
    }
}

/// What a transaction or notification id stands for.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    subject: Private<String>,
    configuration: String,
    keys: Vec<Value>,
    client_id: Option<String>,
    token: String,
    jkt: String,
}

impl Kept {
    fn of(order: &CredentialOrder) -> Self {
        Self {
            subject: order.subject.clone(),
            configuration: order.configuration.clone(),
            keys: order.keys.iter().map(PublicKey::to_jwk).collect(),
            client_id: order.client_id.clone(),
            token: hex::encode(&order.token),
            jkt: order.jkt.clone(),
        }
    }

    fn is_of(&self, access: &Access) -> bool {
        self.token == hex::encode(&access.key.hash) && self.jkt == access.token.jkt
    }
}

impl Issuer {
    /// Checks a credential request: token, DPoP, configuration, proofs. The nonce is used up.
    ///
    /// # Errors
    /// See [`CredentialError`].
    pub async fn credential<G: Grants>(
        &self,
        grants: &G,
        incoming: Incoming<'_>,
        now: BlockTime,
    ) -> Result<CredentialOrder, CredentialError> {
        let access = self.access(grants, incoming, paths::CREDENTIAL, now).await?;
        if access.token.issues_until.is_some_and(|until| now >= until) {
            return Err(AccessError::Token.into());
        }
        if incoming.body.len() > REQUEST_BYTES_MAX {
            return Err(CredentialError::Malformed);
        }
        let request: CredentialRequest =
            serde_json::from_slice(incoming.body).map_err(|_| CredentialError::Malformed)?;
        if request.credential_identifier.is_some() {
            return Err(CredentialError::Identifier);
        }
        if request.credential_response_encryption.is_some() {
            return Err(CredentialError::Encryption);
        }
        let configuration =
            request.credential_configuration_id.ok_or(CredentialError::Malformed)?;
        if !access.token.configurations.contains(&configuration) {
            return Err(CredentialError::Configuration);
        }
        let proofs = request.proofs.ok_or(ProofError::Missing)?;
        let keys = self.check_proofs(grants, &proofs, &access, now).await?;
        Ok(CredentialOrder {
            subject: access.token.subject,
            configuration,
            keys,
            client_id: access.token.client_id,
            token: access.key.hash,
            jkt: access.token.jkt,
        })
    }

    /// Answers an order with its credentials, one for each key in their order.
    ///
    /// # Errors
    /// See [`StoreError`].
    ///
    /// # Panics
    /// If there are not as many credentials as keys: a bug of the caller's.
    pub async fn issue<G: Grants>(
        &self,
        grants: &G,
        order: &CredentialOrder,
        credentials: Vec<String>,
        now: BlockTime,
        entropy: &Entropy,
    ) -> Result<CredentialResponse, StoreError> {
        assert_eq!(credentials.len(), order.keys.len(), "one credential is bound to each key");
        let notification_id = entropy.text("notification");
        let key = GrantKey::of(GrantKind::Notification, &notification_id);
        let expires = after(now, self.config.lifetimes.notification_s);
        store::put(grants, key, &Kept::of(order), expires, now).await?;
        let issued = credentials.into_iter().map(|text| Issued { credential: Private(text) });
        Ok(CredentialResponse {
            credentials: Some(issued.collect()),
            notification_id: Some(notification_id),
            ..CredentialResponse::default()
        })
    }

    /// Answers an order with a transaction id: the credentials are not ready yet. The access token
    /// lives on to fetch them, and for nothing else.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn defer<G: Grants>(
        &self,
        grants: &G,
        order: &CredentialOrder,
        interval: DurationMs,
        now: BlockTime,
        entropy: &Entropy,
    ) -> Result<CredentialResponse, StoreError> {
        let transaction_id = entropy.text("transaction");
        let key = GrantKey::of(GrantKind::Deferred, &transaction_id);
        let expires = after(now, self.config.lifetimes.deferred_s);
        self.prolong(grants, order.token, expires, now).await?;
        store::put(grants, key, &Kept::of(order), expires, now).await?;
        Ok(deferral(transaction_id, interval))
    }

    /// Checks a deferred credential request. The caller answers with [`Issuer::issue_deferred`],
    /// [`DeferredOrder::still_deferred`] or [`DeferredError::Denied`].
    ///
    /// # Errors
    /// See [`DeferredError`].
    pub async fn deferred<G: Grants>(
        &self,
        grants: &G,
        incoming: Incoming<'_>,
        now: BlockTime,
    ) -> Result<DeferredOrder, DeferredError> {
        let access = self.access(grants, incoming, paths::DEFERRED, now).await?;
        let request: DeferredRequest = small(incoming.body).ok_or(DeferredError::Malformed)?;
        let key = GrantKey::of(GrantKind::Deferred, &request.transaction_id);
        let kept = store::get::<Kept>(grants, key, now).await?;
        let kept = kept.map(|kept| kept.value).filter(|kept| kept.is_of(&access));
        let kept = kept.ok_or(DeferredError::Transaction)?;
        let keys = kept.keys.iter().map(|jwk| PublicKey::from_jwk(jwk).ok());
        let order = CredentialOrder {
            subject: kept.subject,
            configuration: kept.configuration,
            keys: keys.collect::<Option<_>>().expect("the keys were checked before they were kept"),
            client_id: kept.client_id,
            token: access.key.hash,
            jkt: kept.jkt,
        };
        Ok(DeferredOrder { order, transaction_id: request.transaction_id })
    }

    /// Answers a deferred order with its credentials, once.
    ///
    /// # Errors
    /// See [`DeferredError`].
    ///
    /// # Panics
    /// If there are not as many credentials as keys: a bug of the caller's.
    pub async fn issue_deferred<G: Grants>(
        &self,
        grants: &G,
        deferred: &DeferredOrder,
        credentials: Vec<String>,
        now: BlockTime,
        entropy: &Entropy,
    ) -> Result<CredentialResponse, DeferredError> {
        let key = GrantKey::of(GrantKind::Deferred, &deferred.transaction_id);
        if store::take::<Kept>(grants, key, now).await?.is_none() {
            return Err(DeferredError::Transaction);
        }
        Ok(self.issue(grants, &deferred.order, credentials, now, entropy).await?)
    }

    /// Takes a notification. A repeat is taken again.
    ///
    /// # Errors
    /// See [`NotificationError`].
    pub async fn notification<G: Grants>(
        &self,
        grants: &G,
        incoming: Incoming<'_>,
        now: BlockTime,
    ) -> Result<Notified, NotificationError> {
        let access = self.access(grants, incoming, paths::NOTIFICATION, now).await?;
        let message: Notification = small(incoming.body).ok_or(NotificationError::Malformed)?;
        let key = GrantKey::of(GrantKind::Notification, &message.notification_id);
        let kept = store::get::<Kept>(grants, key, now).await?;
        let kept = kept.map(|kept| kept.value).filter(|kept| kept.is_of(&access));
        let kept = kept.ok_or(NotificationError::Id)?;
        Ok(Notified {
            subject: kept.subject,
            configuration: kept.configuration,
            event: message.event,
        })
    }

    async fn check_proofs<G: Grants>(
        &self,
        grants: &G,
        proofs: &Proofs,
        access: &Access,
        now: BlockTime,
    ) -> Result<Vec<PublicKey>, CredentialError> {
        let expected = Expected {
            audience: &self.config.base_url,
            client_id: access.token.client_id.as_deref(),
            now: now.into(),
        };
        let (keys, nonce) = proof::check(proofs, expected)?;
        let checked = self.config.nonce_key.check(Use::Credential, &nonce, now);
        let expires = checked.map_err(|error| match error {
            NonceError::Foreign => ProofError::NonceForeign,
            NonceError::Expired => ProofError::NonceExpired,
        })?;
        let until = BlockTime(expires.0.saturating_mul(1_000));
        if !store::first_time(grants, &format!("c_nonce {nonce}"), until, now).await? {
            return Err(ProofError::NonceReplayed.into());
        }
        Ok(keys)
    }
}

impl DeferredOrder {
    /// Not ready yet: ask again after `interval`.
    pub fn still_deferred(&self, interval: DurationMs) -> StillDeferred {
        StillDeferred(deferral(self.transaction_id.clone(), interval))
    }
}

/// Full seconds, at least one.
fn deferral(transaction_id: String, interval: DurationMs) -> CredentialResponse {
    CredentialResponse {
        transaction_id: Some(transaction_id),
        interval: Some(interval.0.div_ceil(1_000).max(1)),
        ..CredentialResponse::default()
    }
}

fn small<T: serde::de::DeserializeOwned>(body: &[u8]) -> Option<T> {
    if body.len() > SMALL_BYTES_MAX { None } else { serde_json::from_slice(body).ok() }
}
