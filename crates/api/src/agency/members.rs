//! Consumers fetch data, clerks change the register.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use etibar_primitives::OperationId;

use super::{Door, message, parse};
use crate::{
    Problem,
    extract::{Body, Path},
};

pub(super) async fn register_consent(
    State(door): State<Door>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, Problem> {
    let caller = door.member(&headers)?;
    message(&door.agency.register_consent(caller, &parse(&body)?).await?)
}

pub(super) async fn data(
    State(door): State<Door>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, Problem> {
    let caller = door.member(&headers)?;
    message(&door.agency.data(caller, &parse(&body)?).await?)
}

pub(super) async fn acknowledge(
    State(door): State<Door>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, Problem> {
    let caller = door.member(&headers)?;
    message(&door.agency.acknowledge(caller, &parse(&body)?).await?)
}

pub(super) async fn revoked(
    State(door): State<Door>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<StatusCode, Problem> {
    let caller = door.member(&headers)?;
    door.agency.revoked(caller, &parse(&body)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn change(
    State(door): State<Door>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, Problem> {
    let clerk = door.clerk(&headers)?;
    message(&door.agency.change_by(&clerk.name, &parse(&body)?).await?)
}

pub(super) async fn releases(
    State(door): State<Door>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    door.clerk(&headers)?;
    message(&door.agency.releases().await?)
}

pub(super) async fn decide_release(
    State(door): State<Door>,
    headers: HeaderMap,
    Path(id): Path<OperationId>,
    Body(body): Body,
) -> Result<Response, Problem> {
    let clerk = door.clerk(&headers)?;
    message(&door.agency.decide_release(id, &clerk.name, &parse(&body)?).await?)
}
