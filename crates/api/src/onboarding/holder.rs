//! What people and providers ask directly.

use axum::{
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
use etibar_onboarding::OnboardingError;
use etibar_openid::member::{ChangeNotice, NoticeTaken, parse};

use super::{Door, auth::Member};
use crate::{
    Problem,
    extract::{Body, Json, Path},
};

/// `POST /v1/notices`.
pub(super) async fn notice(
    State(door): State<Door>,
    Member(member): Member,
    Body(body): Body,
) -> Result<Json<NoticeTaken>, Problem> {
    let notice: ChangeNotice = parse(&body).map_err(OnboardingError::from)?;
    Ok(Json(door.flows.notice(member, &notice).await?))
}

/// `POST /v1/holder/{action}`.
pub(super) async fn request(
    State(door): State<Door>,
    Path(action): Path<String>,
    Body(body): Body,
) -> Result<Response, Problem> {
    let answer = door.flows.holder(&action, &body).await?;
    let body = answer.render().map_err(|error| {
        let detail = "the answer is outside its limits";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.code(), detail)
    })?;
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}
