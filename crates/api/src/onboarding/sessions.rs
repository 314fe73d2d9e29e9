//! Sessions, and the wallet's way through them.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use etibar_credential::catalogue::Language;
use etibar_onboarding::{Created, OnboardingError, SessionView, session_id};
use etibar_openid::{Private, vp::verifier::Verifier};
use serde::{Deserialize, Serialize};

use super::{Door, protocol};
use crate::{
    Problem,
    extract::{Body, Json, Path, Query},
};

/// A session to be made.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    product: String,
    language: Option<Language>,
    phone: Option<Private<String>>,
}

/// How long to wait.
#[derive(Debug, Deserialize)]
pub(super) struct Wait {
    /// For the session's end, in milliseconds.
    #[serde(default)]
    wait_ms: u64,
}

/// A product, as it is offered.
#[derive(Debug, Serialize)]
pub(super) struct Offered {
    name: String,
    purpose: u16,
    level: &'static str,
    age_min: Option<u8>,
    opens_account: bool,
}

/// `GET /v1/onboarding/products`.
pub(super) async fn products(State(door): State<Door>) -> Json<Vec<Offered>> {
    let offered = door.flows.parts().products.all().iter().map(|product| Offered {
        name: product.name.clone(),
        purpose: product.purpose,
        level: product.level.code(),
        age_min: product.age_min,
        opens_account: product.opens_account,
    });
    Json(offered.collect())
}

/// `POST /v1/onboarding/sessions`.
pub(super) async fn create(
    State(door): State<Door>,
    Json(wanted): Json<Wanted>,
) -> Result<(StatusCode, Json<Created>), Problem> {
    let language = wanted.language.unwrap_or(Language::Az);
    let created = door.flows.create(&wanted.product, language, wanted.phone.as_ref()).await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// `GET /v1/onboarding/sessions/{id}`.
pub(super) async fn session(
    State(door): State<Door>,
    Path(id): Path<String>,
    Query(wait): Query<Wait>,
) -> Result<Json<SessionView>, Problem> {
    let id = session_id(&id).ok_or(OnboardingError::UnknownSession)?;
    Ok(Json(door.flows.session(id, wait.wait_ms).await?))
}

/// `GET /oid4vp/requests/{id}`.
pub(super) async fn request(State(door): State<Door>, Path(id): Path<String>) -> Response {
    object(&door, &id, None).await
}

/// `POST /oid4vp/requests/{id}`, with the wallet's nonce.
pub(super) async fn request_post(
    State(door): State<Door>,
    Path(id): Path<String>,
    Body(body): Body,
) -> Response {
    let nonce = Verifier::wallet_nonce(&body);
    object(&door, &id, nonce.as_deref()).await
}

async fn object(door: &Door, id: &str, nonce: Option<&str>) -> Response {
    match door.flows.request_object(id, nonce).await {
        Ok(object) => protocol(object.answer()),
        Err(OnboardingError::Request(error)) => protocol(error.oauth().answer(false)),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// `POST /oid4vp/responses/{id}`.
pub(super) async fn response(
    State(door): State<Door>,
    Path(id): Path<String>,
    Body(body): Body,
) -> Response {
    match door.flows.response(&id, &body).await {
        Ok(taken) => Json(taken).into_response(),
        Err(OnboardingError::Response(error)) => protocol(error.oauth().answer(false)),
        // What the presentations lack is an OAuth error to the wallet, with our code in it.
        Err(error) if !error.is_fault() => {
            let (status, code) = (400, error.code());
            let error = "invalid_request";
            protocol(etibar_openid::http::OAuthError { status, error, code }.answer(false))
        }
        Err(error) => Problem::from(error).into_response(),
    }
}
