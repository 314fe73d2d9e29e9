//! Wallets fetch credentials.

use axum::{
    extract::{RawQuery, State},
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse as _, Response},
};
use etibar_openid::{vci::issuer::Incoming, vp::verifier::Verifier};

use super::{Door, protocol};
use crate::{
    Problem,
    extract::{Body, Path},
};

fn incoming<'a>(headers: &'a HeaderMap, body: &'a [u8]) -> Incoming<'a> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    Incoming { body, authorization: text("authorization"), dpop: text("dpop") }
}

pub(super) async fn metadata(State(door): State<Door>) -> Response {
    protocol(door.agency.issuer_metadata())
}

pub(super) async fn server_metadata(State(door): State<Door>) -> Response {
    protocol(door.agency.server_metadata())
}

pub(super) async fn push(
    State(door): State<Door>,
    headers: HeaderMap,
    Body(body): Body,
) -> Response {
    protocol(door.agency.push(incoming(&headers, &body)).await)
}

pub(super) async fn authorize(State(door): State<Door>, RawQuery(query): RawQuery) -> Response {
    let answer = door.agency.authorize(query.as_deref().unwrap_or_default()).await;
    protocol(answer.unwrap_or_else(|error| error.answer()))
}

pub(super) async fn request(
    State(door): State<Door>,
    Path(id): Path<String>,
    Body(body): Body,
) -> Response {
    let nonce = Verifier::wallet_nonce(&body);
    let answer = door.agency.request_object(&id, nonce.as_deref()).await;
    protocol(answer.unwrap_or_else(|error| error.answer()))
}

pub(super) async fn response(
    State(door): State<Door>,
    Path(id): Path<String>,
    Body(body): Body,
) -> Response {
    let answer = door.agency.response(&id, &body).await;
    protocol(answer.unwrap_or_else(|error| error.answer()))
}

pub(super) async fn token(
    State(door): State<Door>,
    headers: HeaderMap,
    Body(body): Body,
) -> Response {
    protocol(door.agency.token(incoming(&headers, &body)).await)
}

pub(super) async fn nonce(State(door): State<Door>) -> Response {
    protocol(door.agency.nonce())
}

pub(super) async fn credential(
    State(door): State<Door>,
    headers: HeaderMap,
    Body(body): Body,
) -> Response {
    protocol(door.agency.credential(incoming(&headers, &body)).await)
}

pub(super) async fn deferred(
    State(door): State<Door>,
    headers: HeaderMap,
    Body(body): Body,
) -> Response {
    protocol(door.agency.deferred(incoming(&headers, &body)).await)
}

pub(super) async fn notification(
    State(door): State<Door>,
    headers: HeaderMap,
    Body(body): Body,
) -> Response {
    protocol(door.agency.notification(incoming(&headers, &body)).await)
}

pub(super) async fn offer(
    State(door): State<Door>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let offer = door.agency.offer(&id).await?;
    Ok(protocol(offer.ok_or_else(|| unknown("offer_unknown", "there is no such offer"))?))
}

pub(super) async fn type_metadata(
    State(door): State<Door>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let document = door.agency.type_metadata(&name);
    let missing = || unknown("type_unknown", "this type is not issued here");
    let document = document.ok_or_else(missing)?;
    Ok(([(CONTENT_TYPE, "application/json")], document).into_response())
}

pub(super) async fn status_list(
    State(door): State<Door>,
    Path(list): Path<u32>,
) -> Result<Response, Problem> {
    let missing = || unknown("status_list_unknown", "there is no such status list");
    let token = door.agency.status_list(list).await?.ok_or_else(missing)?;
    let headers = [(CONTENT_TYPE, "application/statuslist+jwt"), (CACHE_CONTROL, "no-cache")];
    Ok((headers, token).into_response())
}

fn unknown(code: &'static str, detail: &'static str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, code, detail)
}
