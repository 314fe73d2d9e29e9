//! Payments and what became of them.

use std::time::Duration;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use etibar_edge::store::StoreFault;
use etibar_primitives::OperationId;

use super::{
    Door,
    view::{IncomingPaymentView, PaymentView},
};
use crate::{
    Problem,
    extract::{Body, Json, Path},
};

/// How long `POST /v1/payments` waits unless the caller says otherwise: the hard limit of an
/// instant payment.
const WAIT_DEFAULT: Duration = Duration::from_secs(10);

/// `POST /v1/payments`.
pub(super) async fn pay(
    State(door): State<Door>,
    headers: HeaderMap,
    Body(message): Body,
) -> Result<Response, Problem> {
    demand_xml(&headers)?;
    let answer = door.edge.pay(&message, wait(&headers)).await?;
    let status = if answer.is_final { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, xml(answer.report)).into_response())
}

/// `POST /v1/status-requests`.
pub(super) async fn request_status(
    State(door): State<Door>,
    headers: HeaderMap,
    Body(message): Body,
) -> Result<Response, Problem> {
    demand_xml(&headers)?;
    Ok(xml(door.edge.report(&message).await?).into_response())
}

/// `GET /v1/payments/{uetr}`.
pub(super) async fn payment(
    State(door): State<Door>,
    Path(uetr): Path<OperationId>,
) -> Result<Response, Problem> {
    if let Some(payment) = door.edge.outgoing(uetr).await.map_err(storage)? {
        return Ok(Json(PaymentView::of(&door.edge, &payment)).into_response());
    }
    match door.edge.incoming(uetr).await.map_err(storage)?.first() {
        Some(payment) => {
            let view = IncomingPaymentView::of(&door.edge, payment);
            Ok(Json(view).into_response())
        }
        None => Err(unknown()),
    }
}

/// `GET /v1/payments/{uetr}/receipt`.
pub(super) async fn receipt(
    State(door): State<Door>,
    Path(uetr): Path<OperationId>,
) -> Result<Response, Problem> {
    let Some(receipt) = door.edge.receipt(uetr).await? else {
        let detail = "there is no certified end of such a payment, or not yet";
        return Err(Problem::new(StatusCode::NOT_FOUND, "receipt_unknown", detail));
    };
    Ok(([(CONTENT_TYPE, "application/octet-stream")], receipt).into_response())
}

#[allow(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
pub(super) fn storage(fault: StoreFault) -> Problem {
    tracing::error!(%fault, "the storage failed");
    Problem::internal()
}

fn unknown() -> Problem {
    let detail = "the edge has never taken such a payment in";
    Problem::new(StatusCode::NOT_FOUND, "payment_unknown", detail)
}

fn xml(document: String) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/xml; charset=utf-8")], document)
}

fn demand_xml(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.map(|kind| kind.split(';').next().unwrap_or_default().trim());
    if kind.is_some_and(|kind| matches!(kind, "application/xml" | "text/xml")) {
        return Ok(());
    }
    let detail = "the body must be application/xml";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_xml", detail))
}

/// How long the caller prefers to wait (RFC 7240).
pub(super) fn wait(headers: &HeaderMap) -> Duration {
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let preferences = values.flat_map(|value| value.split(',')).map(str::trim);
    for preference in preferences {
        if preference.eq_ignore_ascii_case("respond-async") {
            return Duration::ZERO;
        }
        let seconds = preference.strip_prefix("wait=").and_then(|text| text.parse().ok());
        if let Some(seconds) = seconds {
            return Duration::from_secs(seconds);
        }
    }
    WAIT_DEFAULT
}
