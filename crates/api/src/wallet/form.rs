//! Forms come from our own pages.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::Door;
use crate::form::check_origin;

pub(super) use crate::form::Form;

/// Refuses what another site sends.
pub(super) async fn same_origin(
    State(door): State<Door>,
    request: Request,
    next: Next,
) -> Response {
    match check_origin(request.method(), request.headers(), &door.origin) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}
