//! What other members' edges bring.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
};

use super::Door;
use crate::{Problem, extract::Body};

/// `POST /v1/peer/payloads`. The envelope says and proves who brings it; nothing of it can be
/// read without this edge's key. Answers once its payloads are written down.
pub(super) async fn deliver(
    State(door): State<Door>,
    headers: HeaderMap,
    Body(envelope): Body,
) -> Result<StatusCode, Problem> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if kind != Some("application/octet-stream") {
        let detail = "the body must be application/octet-stream";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_octets", detail));
    }
    door.edge.receive(&envelope).await?;
    Ok(StatusCode::NO_CONTENT)
}
