//! The bank as issuer of its due diligence (OpenID4VCI 1.0).

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
use etibar_credential::catalogue;
use etibar_openid::{Entropy, http::Answer, vci::issuer::Incoming};

use super::{Door, protocol};
use crate::{
    Problem,
    extract::{Body, Path},
};

fn entropy() -> Entropy {
    Entropy::new(rand::random())
}

fn incoming<'a>(headers: &'a HeaderMap, body: &'a [u8]) -> Incoming<'a> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    Incoming { body, authorization: text("authorization"), dpop: text("dpop") }
}

/// `GET /.well-known/openid-credential-issuer`.
pub(super) async fn metadata(State(door): State<Door>) -> Response {
    protocol(Answer::json(200, &door.flows.issuer().metadata()))
}

/// `GET /.well-known/oauth-authorization-server`.
pub(super) async fn server_metadata(State(door): State<Door>) -> Response {
    protocol(Answer::json(200, &door.flows.issuer().server_metadata()))
}

/// `POST /oauth/token`.
pub(super) async fn token(
    State(door): State<Door>,
    headers: HeaderMap,
    Body(body): Body,
) -> Response {
    let issuer = door.flows.issuer();
    let now = door.now();
    let grants = door.flows.grants();
    let result = issuer.token(grants, incoming(&headers, &body), now, &entropy()).await;
    protocol(issuer.answer(&result, now, &entropy()))
}

/// `POST /oid4vci/nonce`.
pub(super) async fn nonce(State(door): State<Door>) -> Response {
    let issuer = door.flows.issuer();
    protocol(Answer::json(200, &issuer.nonce(door.now(), &entropy())))
}

/// `POST /oid4vci/credential`.
pub(super) async fn credential(
    State(door): State<Door>,
    headers: HeaderMap,
    Body(body): Body,
) -> Response {
    let result = door.flows.credential(incoming(&headers, &body)).await;
    protocol(door.flows.issuer().answer(&result, door.now(), &entropy()))
}

/// `POST /oid4vci/notification`.
pub(super) async fn notification(
    State(door): State<Door>,
    headers: HeaderMap,
    Body(body): Body,
) -> Response {
    let issuer = door.flows.issuer();
    let now = door.now();
    let grants = door.flows.grants();
    let result = issuer.notification(grants, incoming(&headers, &body), now).await;
    protocol(issuer.answer(&result, now, &entropy()))
}

/// `GET /types/{name}`.
pub(super) async fn type_metadata(Path(name): Path<String>) -> Result<Response, Problem> {
    let known = catalogue::credential_type_by_name(&name).ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, "type_unknown", "there is no such credential type")
    })?;
    Ok(([(CONTENT_TYPE, "application/json")], known.document).into_response())
}

/// `GET /status/{number}`.
pub(super) async fn status(
    State(door): State<Door>,
    Path(number): Path<u32>,
) -> Result<Response, Problem> {
    let text = door.flows.status_list(number).await?;
    Ok(([(CONTENT_TYPE, "application/statuslist+jwt")], text).into_response())
}
