//! The issuer's endpoints (OpenID4VCI 1.0): what came over HTTP in, an HTTP answer out.

use std::convert::Infallible;

use etibar_credential::catalogue;
use etibar_openid::{
    http::Answer,
    vci::issuer::{CredentialError, DeferredError, Incoming, Refusal as _, Rendered},
};

use crate::{
    agency::{Agency, entropy},
    error::AgencyError,
    store::ReleaseState,
};

impl Agency {
    /// `GET /.well-known/openid-credential-issuer`.
    pub fn issuer_metadata(&self) -> Answer {
        Answer::json(200, &self.inner.issuer.metadata())
    }

    /// `GET /.well-known/oauth-authorization-server`.
    pub fn server_metadata(&self) -> Answer {
        Answer::json(200, &self.inner.issuer.server_metadata())
    }

    /// `GET /types/{name}`: the Type Metadata of a credential that is issued here.
    pub fn type_metadata(&self, name: &str) -> Option<&'static str> {
        let known = catalogue::credential_type_by_name(name)?;
        let own = known.issuer.allows(self.inner.setup.member);
        own.then_some(known.document)
    }

    /// `POST /oauth/par`.
    pub async fn push(&self, incoming: Incoming<'_>) -> Answer {
        let now = self.now();
        let issuer = &self.inner.issuer;
        let result = issuer.push(&self.inner.grants, incoming, now, &entropy()).await;
        issuer.answer(&result, now, &entropy())
    }

    /// `POST /oauth/token`.
    pub async fn token(&self, incoming: Incoming<'_>) -> Answer {
        let now = self.now();
        let issuer = &self.inner.issuer;
        let result = issuer.token(&self.inner.grants, incoming, now, &entropy()).await;
        issuer.answer(&result, now, &entropy())
    }

    /// `POST /oid4vci/nonce`.
    pub fn nonce(&self) -> Answer {
        let now = self.now();
        let issuer = &self.inner.issuer;
        let nonce = Ok::<_, Infallible>(issuer.nonce(now, &entropy()));
        issuer.answer(&nonce, now, &entropy())
    }

    /// `POST /oid4vci/credential`.
    pub async fn credential(&self, incoming: Incoming<'_>) -> Answer {
        let (inner, now) = (&self.inner, self.now());
        let order = match inner.issuer.credential(&inner.grants, incoming, now).await {
            Ok(order) => order,
            Err(error) => return self.refusal(&error),
        };
        match self.release_of(&order).await {
            Ok(ReleaseState::Released) => {}
            Ok(ReleaseState::Refused) => return not_issued(&AgencyError::ReleaseRefused),
            Ok(ReleaseState::Waiting) => {
                let (grants, pause) = (&inner.grants, inner.setup.limits.release_poll_ms);
                let deferred = inner.issuer.defer(grants, &order, pause, now, &entropy()).await;
                let deferred = deferred.map_err(CredentialError::from);
                return inner.issuer.answer(&deferred, now, &entropy());
            }
            Err(error) => return not_issued(&error),
        }
        let credentials = match self.credentials(&order).await {
            Ok(credentials) => credentials,
            Err(error) => return not_issued(&error),
        };
        let grants = &inner.grants;
        let issued = inner.issuer.issue(grants, &order, credentials, now, &entropy()).await;
        let issued = issued.map_err(CredentialError::from);
        inner.issuer.answer(&issued, now, &entropy())
    }

    /// `POST /oid4vci/deferred`: what waited for a clerk, once it is released; until then the
    /// transaction again (OpenID4VCI 1.0 §9.2).
    pub async fn deferred(&self, incoming: Incoming<'_>) -> Answer {
        let (inner, now) = (&self.inner, self.now());
        let order = match inner.issuer.deferred(&inner.grants, incoming, now).await {
            Ok(order) => order,
            Err(error) => {
                return inner.issuer.answer::<etibar_openid::vci::CredentialResponse, _>(
                    &Err(error),
                    now,
                    &entropy(),
                );
            }
        };
        match self.release_of(&order.order).await {
            Ok(ReleaseState::Released) => {}
            Ok(ReleaseState::Refused) => return not_issued(&AgencyError::ReleaseRefused),
            Ok(ReleaseState::Waiting) => {
                let still = order.still_deferred(inner.setup.limits.release_poll_ms);
                return inner.issuer.answer(&Ok::<_, DeferredError>(still), now, &entropy());
            }
            Err(error) => return not_issued(&error),
        }
        let credentials = match self.credentials(&order.order).await {
            Ok(credentials) => credentials,
            Err(error) => return not_issued(&error),
        };
        let grants = &inner.grants;
        let issued =
            inner.issuer.issue_deferred(grants, &order, credentials, now, &entropy()).await;
        let issued: Result<_, DeferredError> = issued;
        inner.issuer.answer(&issued, now, &entropy())
    }

    /// `POST /oid4vci/notification`.
    pub async fn notification(&self, incoming: Incoming<'_>) -> Answer {
        let (inner, now) = (&self.inner, self.now());
        let result = inner.issuer.notification(&inner.grants, incoming, now).await;
        inner.issuer.answer(&result, now, &entropy())
    }

    /// `GET /oid4vci/offers/{id}`.
    pub async fn offer(&self, id: &str) -> Result<Option<Answer>, AgencyError> {
        let (inner, now) = (&self.inner, self.now());
        let offer = inner.issuer.offer_by_id(&inner.grants, id, now).await?;
        Ok(offer.map(|offer| offer.answer()))
    }

    fn refusal(&self, error: &CredentialError) -> Answer {
        error
            .oauth()
            .answer(CredentialError::CHALLENGE)
            .with("dpop-nonce", self.nonce().header("dpop-nonce").unwrap_or_default())
    }
}

/// The register's refusal in the standard's form (OpenID4VCI 1.0 §8.3.1).
fn not_issued(error: &AgencyError) -> Answer {
    if error.status() >= 500 {
        tracing::error!(code = error.code(), "credentials cannot be issued");
    }
    let body = serde_json::json!({
        "error": "credential_request_denied",
        "error_description": error.code(),
    });
    Answer::json(if error.status() >= 500 { error.status() } else { 400 }, &body)
}
