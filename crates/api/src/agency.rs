//! An agency: towards wallets, consumers of data, and its clerks.
//!
//! | route | who | answer |
//! |---|---|---|
//! | `/.well-known/openid-credential-issuer` | anybody | the issuer's metadata |
//! | `/.well-known/oauth-authorization-server` | anybody | the server's metadata |
//! | `POST /oauth/par`, `GET /oauth/authorize`, `POST /oauth/token` | wallets | OAuth |
//! | `/oid4vp/requests/{id}`, `POST /oid4vp/responses/{id}` | wallets | signing in with the PID |
//! | `POST /oid4vci/{nonce,credential,deferred,notification}` | wallets | OpenID4VCI |
//! | `GET /oid4vci/offers/{id}`, `GET /types/{name}`, `GET /status/{n}` | anybody | |
//! | `POST /v1/consents`, `/v1/data`, `/v1/receipts` | members, by token | data under consent |
//! | `POST /v1/revocations` | members, by token | 204 once the consent has ended here, too |
//! | `POST /v1/holder/{revoke,accesses,guardians}` | holders, by presentation | |
//! | `POST /v1/enrolments`, `/v1/recoveries`, `…/{id}/approvals` | people (registrar) | |
//! | `POST /v1/register/changes` | clerks, by token | |
//! | `GET /v1/register/releases`, `POST …/{id}` | clerks, by token | |
//! | `/clerk` and below | clerks, signed in | pages |
//! | `/v1/standing`, `/metrics`, `/healthz`, `/readyz` | anybody | counts and lags |
//!
//! `GET /oauth/authorize` answers 302 to `openid4vp://…`; the wallet's answer to that request is
//! answered with `redirect_uri`, the wallet's own with the code.

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use etibar_agency::{
    Agency, AgencyError,
    clerk::{Clerk, Clerks},
};
use etibar_ledger::Genesis;
use etibar_openid::{
    http::Answer,
    member::{self, Message, MessageError},
};
use etibar_primitives::MemberId;

use crate::{
    Problem,
    desk::{Desk, text::Names},
};

mod issuing;
mod members;
mod pages;
mod people;
mod run;
mod status;

pub use run::{RunError, run_agency};
pub use status::AgencyStanding;

/// The largest body of any route, in bytes: an enrolment with its evidence.
const BODY_BYTES_MAX: usize = 320 * 1024;

/// What the handlers share.
#[derive(Clone)]
struct Door {
    agency: Agency,
    desk: Arc<Desk<Clerk>>,
    names: Arc<Names>,
}

/// The routes over an agency with these clerks, without fallbacks. `genesis` tells the members'
/// names.
pub fn routes(agency: Agency, clerks: Clerks, genesis: &Genesis) -> Router {
    let setup = agency.setup();
    let place = pages::place((&setup.base_url, setup.member.0, &setup.name));
    let desk = Arc::new(Desk::new(clerks, place, Arc::clone(&setup.clock)));
    let door = Door { agency, desk, names: Arc::new(Names::of(genesis)) };
    let wallets = Router::new()
        .route("/.well-known/openid-credential-issuer", get(issuing::metadata))
        .route("/.well-known/oauth-authorization-server", get(issuing::server_metadata))
        .route("/oauth/par", post(issuing::push))
        .route("/oauth/authorize", get(issuing::authorize))
        .route("/oauth/token", post(issuing::token))
        .route("/oid4vp/requests/{id}", get(issuing::request).post(issuing::request))
        .route("/oid4vp/responses/{id}", post(issuing::response))
        .route("/oid4vci/nonce", post(issuing::nonce))
        .route("/oid4vci/credential", post(issuing::credential))
        .route("/oid4vci/deferred", post(issuing::deferred))
        .route("/oid4vci/notification", post(issuing::notification))
        .route("/oid4vci/offers/{id}", get(issuing::offer))
        .route("/types/{name}", get(issuing::type_metadata))
        .route("/status/{list}", get(issuing::status_list));
    let others = Router::new()
        .route("/v1/consents", post(members::register_consent))
        .route("/v1/data", post(members::data))
        .route("/v1/receipts", post(members::acknowledge))
        .route("/v1/revocations", post(members::revoked))
        .route("/v1/register/changes", post(members::change))
        .route("/v1/register/releases", get(members::releases))
        .route("/v1/register/releases/{id}", post(members::decide_release))
        .route("/v1/holder/revoke", post(people::revoke))
        .route("/v1/holder/accesses", post(people::accesses))
        .route("/v1/holder/guardians", post(people::guardians))
        .route("/v1/enrolments", post(people::enrol))
        .route("/v1/recoveries", post(people::recover))
        .route("/v1/recoveries/{id}", get(people::recovery))
        .route("/v1/recoveries/{id}/approvals", post(people::approve))
        .route("/v1/standing", get(status::standing))
        .route("/metrics", get(status::metrics))
        .route("/healthz", get(status::healthz))
        .route("/readyz", get(status::readyz));
    let router = wallets.merge(others).merge(pages::routes(&door));
    let router = router.layer(DefaultBodyLimit::max(BODY_BYTES_MAX));
    router.method_not_allowed_fallback(wrong_method).with_state(door)
}

/// The fallback for wrong methods reaches only routes that stand when it is set.
async fn wrong_method() -> Problem {
    let detail = "this path does not take this method";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}

impl Door {
    /// The member that asks.
    fn member(&self, headers: &HeaderMap) -> Result<MemberId, Problem> {
        Ok(self.agency.member_of(bearer(headers)?)?)
    }

    /// The clerk that asks.
    fn clerk(&self, headers: &HeaderMap) -> Result<&Clerk, Problem> {
        let detail = "a clerk's token is needed";
        let refusal = || Problem::new(StatusCode::UNAUTHORIZED, "clerk_token_needed", detail);
        self.desk.of_token(bearer(headers)?).ok_or_else(refusal)
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.strip_prefix("Bearer "));
    let detail = "a bearer token is needed";
    let missing = || Problem::new(StatusCode::UNAUTHORIZED, "token_missing", detail);
    token.map(str::trim).ok_or_else(missing)
}

/// Reads a message between members or from a person.
fn parse<T: Message>(body: &[u8]) -> Result<T, Problem> {
    member::parse(body).map_err(|error| AgencyError::from(error).into())
}

/// A message as an answer.
fn message<T: Message>(answer: &T) -> Result<Response, Problem> {
    let detail = "the answer is outside its limits";
    let broken =
        |error: MessageError| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.code(), detail);
    let body = member::render(answer).map_err(broken)?;
    Ok(protocol(Answer::of(200, "application/json", body)))
}

/// A protocol's answer over HTTP.
fn protocol(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, answer.body).into_response();
    response.headers_mut().clear();
    for (name, value) in &answer.headers {
        let name = HeaderName::try_from(name.as_str());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value.as_str())) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

impl From<AgencyError> for Problem {
    fn from(error: AgencyError) -> Self {
        let status = StatusCode::from_u16(error.status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(code = error.code(), %error, "an agency failed");
            return Self::internal();
        }
        Self::new(status, error.code(), error.to_string())
    }
}
