//! People enrol, recover, and ask who saw their data.

use axum::{extract::State, http::StatusCode, response::Response};
use etibar_primitives::OperationId;

use super::{Door, message, parse};
use crate::{
    Problem,
    extract::{Body, Path},
};

pub(super) async fn enrol(State(door): State<Door>, Body(body): Body) -> Result<Response, Problem> {
    message(&door.agency.enrol(&parse(&body)?).await?)
}

pub(super) async fn recover(
    State(door): State<Door>,
    Body(body): Body,
) -> Result<Response, Problem> {
    message(&door.agency.recover(&parse(&body)?).await?)
}

pub(super) async fn recovery(
    State(door): State<Door>,
    Path(id): Path<OperationId>,
) -> Result<Response, Problem> {
    message(&door.agency.recovery(id).await?)
}

pub(super) async fn approve(
    State(door): State<Door>,
    Path(id): Path<OperationId>,
    Body(body): Body,
) -> Result<Response, Problem> {
    message(&door.agency.approve(id, &parse(&body)?).await?)
}

pub(super) async fn revoke(
    State(door): State<Door>,
    Body(body): Body,
) -> Result<Response, Problem> {
    message(&door.agency.revoke(&parse(&body)?).await?)
}

pub(super) async fn accesses(
    State(door): State<Door>,
    Body(body): Body,
) -> Result<Response, Problem> {
    message(&door.agency.accesses(&parse(&body)?).await?)
}

pub(super) async fn guardians(
    State(door): State<Door>,
    Body(body): Body,
) -> Result<StatusCode, Problem> {
    door.agency.guardians(&parse(&body)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
