//! Consumers fetch data, clerks change the register.

use axum::{extract::State, http::HeaderMap, response::Response};

use super::{Door, message, parse};
use crate::{Problem, extract::Body};

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

pub(super) async fn change(
    State(door): State<Door>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, Problem> {
    door.check_clerk(&headers)?;
    message(&door.agency.change(&parse(&body)?).await?)
}
