//! Authorization at the agency: the person shows the PID, and the code goes to the wallet.

use etibar_credential::catalogue::PurposeCode;
use etibar_openid::{
    Grant, GrantKey, GrantKind, Grants as _,
    dcql::{ClaimPath, ClaimQuery, CredentialQuery, FORMAT_SD_JWT_VC, Meta, Query},
    http::Answer,
    vci::issuer::{AuthorizeError, Refusal as _},
    vp::verifier::{Ask, Opened, RequestError, Response, ResponseError, Terms},
};
use etibar_primitives::DurationMs;
use serde::{Deserialize, Serialize};

use crate::{
    agencies::kind,
    agency::{Agency, entropy},
    error::AgencyError,
    issuing::pid_configuration,
    person::personal_number,
    subject::Subject,
};

/// The purpose under which an agency asks for the PID.
pub const SIGN_IN: PurposeCode = PurposeCode(6);
/// How long an authorization waits for its presentation.
const SESSION_LIFE: DurationMs = DurationMs(600_000);
/// The id of the only credential query.
const QUERY: &str = "pid";

/// An authorization that waits for its presentation.
#[derive(Serialize, Deserialize)]
struct Asked {
    session: String,
    /// What the wallet wants to fetch.
    configurations: Vec<String>,
}

/// Why somebody is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The authorization request is refused.
    #[error(transparent)]
    Authorize(#[from] AuthorizeError),
    /// The presentation request is not there.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The wallet's answer is refused.
    #[error(transparent)]
    Response(#[from] ResponseError),
    /// A rule of the agency.
    #[error(transparent)]
    Agency(#[from] AgencyError),
}

impl SignInError {
    /// The HTTP answer.
    pub fn answer(&self) -> Answer {
        match self {
            Self::Authorize(error) => error.oauth().answer(AuthorizeError::CHALLENGE),
            Self::Request(error) => error.oauth().answer(false),
            Self::Response(error) => error.oauth().answer(false),
            Self::Agency(error) => {
                let body = serde_json::json!({
                    "error": if error.status() < 500 { "access_denied" } else { "server_error" },
                    "error_description": error.code(),
                });
                Answer::json(error.status(), &body)
            }
        }
    }
}

impl Agency {
    /// `GET /oauth/authorize`: asks for the PID. The answer sends the person's wallet to the
    /// presentation request.
    pub async fn authorize(&self, query: &str) -> Result<Answer, SignInError> {
        let (inner, now) = (&self.inner, self.now());
        let opened = inner.issuer.authorize(&inner.grants, query, now, &entropy()).await?;
        let ask = Ask {
            query: pid_query(),
            purpose: SIGN_IN,
            transaction_data: Vec::new(),
            redirect_uri: None,
        };
        let signer = &*inner.setup.signer;
        let asked = inner.verifier.ask(&inner.grants, signer, ask, now, &entropy()).await;
        let asked = asked.map_err(|error| {
            tracing::error!(code = error.code(), "the PID cannot be asked for");
            AgencyError::Credential("presentation request")
        })?;
        let asked_for = Asked { session: opened.session, configurations: opened.configurations };
        let value = serde_json::to_vec(&asked_for).expect("plain data becomes JSON");
        let grant = Grant { value, expires: now.saturating_add(SESSION_LIFE) };
        inner
            .grants
            .insert(session_key(&asked.id), grant, now)
            .await
            .map_err(AgencyError::Store)?;
        let location = asked.reference.to_uri();
        Ok(Answer::of(302, "text/plain", Vec::new()).with("location", &location))
    }

    /// `GET` or `POST /oid4vp/requests/{id}`: the signed request object.
    pub async fn request_object(
        &self,
        id: &str,
        wallet_nonce: Option<&str>,
    ) -> Result<Answer, SignInError> {
        let (inner, now) = (&self.inner, self.now());
        let signer = &*inner.setup.signer;
        let object =
            inner.verifier.request_object(&inner.grants, signer, id, wallet_nonce, now).await?;
        Ok(object.answer())
    }

    /// `POST /oid4vp/responses/{id}`: the wallet's answer. Answers with where the wallet goes on:
    /// its own redirect URI with the authorization code.
    pub async fn response(&self, id: &str, body: &[u8]) -> Result<Answer, SignInError> {
        let (inner, now) = (&self.inner, self.now());
        let response = inner.verifier.response(&inner.grants, id, body, now).await?;
        let session = inner.grants.take(session_key(id), now).await.map_err(AgencyError::Store)?;
        let asked = session.and_then(|grant| serde_json::from_slice(&grant.value).ok());
        let Asked { session, configurations } = asked.ok_or(AuthorizeError::Session)?;
        let redirect = match response {
            Response::Declined { .. } => inner.issuer.denied(&inner.grants, &session, now).await?,
            Response::Presented(opened) => {
                let subject = self.signed_in(&opened, &configurations).await?.render();
                inner.issuer.authorized(&inner.grants, &session, subject, now, &entropy()).await?
            }
        };
        Ok(Answer::json(200, &serde_json::json!({ "redirect_uri": redirect.url })))
    }

    /// Who presents the PID. One that a change of the register superseded serves at the registrar,
    /// and only where nothing but its successor is asked for.
    async fn signed_in(
        &self,
        opened: &Opened,
        configurations: &[String],
    ) -> Result<Subject, SignInError> {
        let (registry, now) = (self.registry().await?, self.now());
        let shown = opened.vp_token().get(QUERY).and_then(|list| list.first());
        let shown = shown.ok_or(AgencyError::PersonUndisclosed)?;
        let (mut lists, status) = self.lists_for(shown, &registry, now.into()).await?;
        let asks_successor = configurations == [pid_configuration()];
        let renews = asks_successor && self.admit_superseded(&mut lists, status.as_ref()).await?;
        let terms = Terms {
            level_min: None,
            status_age_max_s: self.inner.setup.limits.status_age_max_s,
            allows_no_status: false,
        };
        let verified = opened.verify(&registry, &lists, terms, now);
        let verified = verified.map_err(|error| refused(&error))?;
        let credential = verified.get(QUERY).and_then(|list| list.first());
        let fin = personal_number(credential.ok_or(AgencyError::PersonUndisclosed)?)?;
        Ok(Subject { fin, renews, since: now })
    }
}

fn refused(error: &etibar_openid::vp::verifier::AnswerError) -> AgencyError {
    use etibar_openid::vp::verifier::AnswerError;
    match error {
        AnswerError::Trust { error, .. } => AgencyError::Presentation(error.clone()),
        _ => AgencyError::PersonUndisclosed,
    }
}

fn session_key(id: &str) -> GrantKey {
    GrantKey::of(GrantKind::Authorization, &format!("presentation:{id}"))
}

/// The personal number, and nothing else: the register has the rest.
fn pid_query() -> Query {
    let number = ClaimQuery {
        id: None,
        path: ClaimPath::of(&["personal_administrative_number"]),
        values: None,
    };
    Query {
        credentials: vec![CredentialQuery {
            id: QUERY.to_owned(),
            format: FORMAT_SD_JWT_VC.to_owned(),
            meta: Meta { vct_values: vec![kind::PID.to_owned()] },
            multiple: None,
            require_cryptographic_holder_binding: None,
            claims: Some(vec![number]),
            claim_sets: None,
        }],
        credential_sets: None,
    }
}
