//! Who may use the core banking's routes.

use axum::{
    extract::{Request, State},
    http::{StatusCode, header::AUTHORIZATION},
    middleware::Next,
    response::Response,
};
use etibar_primitives::{Digest, Domain};

use super::Door;
use crate::Problem;

const TOKEN: Domain = Domain::new("etibar.api.edge.core-token");

/// The core's token, kept as a hash.
pub(super) struct CoreToken(Digest);

impl CoreToken {
    pub(super) fn new(token: &str) -> Self {
        Self(TOKEN.hash(token.as_bytes()))
    }

    /// Compares hashes: how far two hashes agree says nothing of how far the tokens do.
    fn admits(&self, shown: &str) -> bool {
        TOKEN.hash(shown.as_bytes()) == self.0
    }
}

/// Lets requests with the core's token through.
pub(super) async fn core_only(
    State(door): State<Door>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.strip_prefix("Bearer "));
    if token.is_some_and(|token| door.token.admits(token.trim())) {
        return Ok(next.run(request).await);
    }
    let detail = "the core banking's token is needed";
    Err(Problem::new(StatusCode::UNAUTHORIZED, "core_token_needed", detail))
}
