//! A bank's identification routes, beside its edge's.
//!
//! | route | who | what |
//! |---|---|---|
//! | `GET /v1/onboarding/products` | anybody | what the bank offers |
//! | `POST /v1/onboarding/sessions` | the person's channel | `{product, language, phone?}` |
//! | `GET /v1/onboarding/sessions/{id}?wait_ms=N` | who knows the id | where it is |
//! | `GET`, `POST /oid4vp/requests/{id}` | the wallet | the signed request object |
//! | `POST /oid4vp/responses/{id}` | the wallet | its answer |
//! | `POST /v1/notices` | the provider, by its member token | something changed |
//! | `POST /v1/holder/{action}` | the person, by the pairwise credential | its rights |
//! | `/.well-known/openid-credential-issuer` and `…/oauth-authorization-server` | the wallet | |
//! | `POST /oauth/token`, `/oid4vci/*` | the wallet | the due-diligence credential |
//! | `GET /types/{name}`, `GET /status/{n}` | anybody | type metadata, status list |
//! | `GET /v1/onboarding/standing` | anybody | counts and lags |
//! | `GET /v1/onboarding/readyz` | anybody | whether the bank's key signs |
//! | `GET /v1/onboarding/staff` | the staff, by their tokens | what they watch |
//! | `POST /v1/onboarding/applications/{id}/preparations` | the staff | what they found out |
//! | `POST /v1/onboarding/applications/{id}/decision` | a senior | `{approve, reason}` |
//! | `/staff` and below | the staff, signed in | pages |
//!
//! The actions of `/v1/holder` are `revoke`, `erase`, `accesses` and `data`.
//!
//! The session's id is 128 random bits: who knows it may look at the session.

mod auth;
mod holder;
mod issuing;
mod pages;
mod sessions;
mod staff;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use etibar_client::Client;
use etibar_edge::{
    Edge,
    alias::AliasKind,
    payment::{CustomerAccount, PersonName},
};
use etibar_onboarding::{
    Onboarding, OnboardingError,
    ports::{AccountFault, AccountOpening},
    staff::{Staff, StaffMember},
};
use etibar_openid::{Private, http::Answer};
use etibar_primitives::{BlockTime, OperationId};
use futures::future::BoxFuture;

use crate::{
    Problem,
    desk::{Desk, text::Names},
    edge::Gauges,
};

/// The largest body: a presentation of all credentials, encrypted.
const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;
/// How long a caller is asked to wait after a fault, in milliseconds.
const RETRY_AFTER_MS: u64 = 1_000;

/// What the handlers share.
#[derive(Clone)]
struct Door {
    flows: Onboarding,
    client: Client,
    desk: Arc<Desk<StaffMember>>,
    names: Arc<Names>,
}

impl Door {
    /// The bank's clock.
    fn now(&self) -> BlockTime {
        (self.flows.parts().clock)()
    }
}

/// The routes over running flows, without fallbacks, for a bank with this staff.
pub fn routes(flows: Onboarding, client: Client, staff: Staff) -> Router {
    let identity = &flows.parts().identity;
    let clock = Arc::clone(&flows.parts().clock);
    let place = pages::place((&identity.base_url, identity.member.0, &identity.name));
    let desk = Arc::new(Desk::new(staff, place, clock));
    let names = Arc::new(Names::of(client.genesis()));
    let door = Door { flows, client, desk, names };
    Router::new()
        .route("/v1/onboarding/products", get(sessions::products))
        .route("/v1/onboarding/readyz", get(readyz))
        .route("/v1/onboarding/sessions", post(sessions::create))
        .route("/v1/onboarding/sessions/{id}", get(sessions::session))
        .route("/v1/onboarding/standing", get(staff::standing))
        .route("/v1/onboarding/staff", get(staff::page))
        .route("/v1/onboarding/applications/{id}/preparations", post(staff::prepare))
        .route("/v1/onboarding/applications/{id}/decision", post(staff::decide))
        .route("/oid4vp/requests/{id}", get(sessions::request).post(sessions::request_post))
        .route("/oid4vp/responses/{id}", post(sessions::response))
        .route("/v1/notices", post(holder::notice))
        .route("/v1/holder/{action}", post(holder::request))
        .route("/.well-known/openid-credential-issuer", get(issuing::metadata))
        .route("/.well-known/oauth-authorization-server", get(issuing::server_metadata))
        .route("/oauth/token", post(issuing::token))
        .route("/oid4vci/nonce", post(issuing::nonce))
        .route("/oid4vci/credential", post(issuing::credential))
        .route("/oid4vci/notification", post(issuing::notification))
        .route("/types/{name}", get(issuing::type_metadata))
        .route("/status/{number}", get(issuing::status))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .merge(pages::routes(&door))
        .with_state(door)
}

/// What a bank's identification adds to its metrics.
pub fn gauges(flows: Onboarding) -> Gauges {
    Arc::new(move || {
        let flows = flows.clone();
        Box::pin(async move {
            let standing = flows.standing().await;
            standing.map_or_else(|_| String::new(), |standing| standing.metrics())
        })
    })
}

/// `GET /v1/onboarding/readyz`: the key signs with which the bank asks and issues. Apart from the
/// edge's own, because payments go on without it.
async fn readyz(State(door): State<Door>) -> Result<&'static str, Problem> {
    match door.flows.parts().identity.signer.fault() {
        None => Ok("ready\n"),
        Some(code) => {
            let detail = format!("the bank's key cannot sign: {code}");
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", detail))
        }
    }
}

/// The bank's books and aliases through its edge.
#[derive(Clone)]
pub struct EdgeAccounts(pub Edge);

impl AccountOpening for EdgeAccounts {
    fn open<'a>(
        &'a self,
        order: OperationId,
        holder: &'a Private<String>,
    ) -> BoxFuture<'a, Result<Private<String>, AccountFault>> {
        Box::pin(async move {
            let opened = self.0.open_account(order, &PersonName::new(&holder.0)).await;
            let account = opened.map_err(|error| AccountFault(Box::new(error)))?;
            Ok(Private(account.expose().to_owned()))
        })
    }

    fn register_phone<'a>(
        &'a self,
        phone: &'a Private<String>,
        account: &'a Private<String>,
    ) -> BoxFuture<'a, Result<bool, AccountFault>> {
        use etibar_edge::RequestError;
        Box::pin(async move {
            let account = CustomerAccount::new(&account.0);
            match self.0.register_alias(AliasKind::Phone, &phone.0, account).await {
                Ok(_) => Ok(true),
                Err(RequestError::Alias) => Ok(false),
                Err(error) => Err(AccountFault(Box::new(error))),
            }
        })
    }
}

/// A protocol's answer as HTTP.
fn protocol(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, answer.body).into_response();
    let headers = response.headers_mut();
    headers.remove(axum::http::header::CONTENT_TYPE);
    for (name, value) in &answer.headers {
        let name = axum::http::HeaderName::try_from(name.as_str());
        let value = axum::http::HeaderValue::try_from(value.as_str());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.insert(name, value);
        }
    }
    response
}

impl From<OnboardingError> for Problem {
    fn from(error: OnboardingError) -> Self {
        let status = match &error {
            OnboardingError::Overloaded => return Self::overloaded(RETRY_AFTER_MS),
            OnboardingError::UnknownProduct
            | OnboardingError::UnknownSession
            | OnboardingError::UnknownStatusList => StatusCode::NOT_FOUND,
            OnboardingError::SessionClosed
            | OnboardingError::NotExamined
            | OnboardingError::NotPrepared
            | OnboardingError::TooManyPreparations => StatusCode::CONFLICT,
            OnboardingError::NotAParty
            | OnboardingError::OtherBank
            | OnboardingError::Cooldown
            | OnboardingError::SeniorNeeded
            | OnboardingError::FourEyes => StatusCode::FORBIDDEN,
            OnboardingError::Vault(fault) if fault.is_fault() => {
                tracing::error!(code = fault.code(), %fault, "the vault failed");
                return Self::internal();
            }
            error if error.is_fault() => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.code(), error.to_string())
    }
}
