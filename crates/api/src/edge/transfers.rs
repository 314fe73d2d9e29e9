//! Transfers between accounts of the ledger, one at a time.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use etibar_edge::{TransferError, TransferOrder};
use etibar_ledger::Outcome;
use etibar_primitives::{AccountId, Amount, BlockTime, OperationId};
use serde::{Deserialize, Serialize};

use super::{Door, payments::wait};
use crate::{
    Problem,
    extract::{Json, Path},
};

/// How long an overloaded edge asks its callers to wait, in milliseconds.
const RETRY_AFTER_MS: u64 = 1_000;

/// What to move. The id stands in the path; the same id with the same body is the same order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TransferBody {
    /// The account that pays: one of the member's.
    debit: AccountId,
    /// The account that receives.
    credit: AccountId,
    /// In minor units.
    amount: Amount,
    /// When the caller made the order, in milliseconds since 1970.
    created: BlockTime,
}

/// What the ledger said.
#[derive(Debug, Serialize)]
pub(super) struct TransferView {
    id: OperationId,
    /// `accepted`: a refusal is a problem with the outcome's code.
    outcome: &'static str,
    /// The time of the block, in milliseconds since 1970.
    time: BlockTime,
}

/// `PUT /v1/transfers/{id}`.
pub(super) async fn transfer(
    State(door): State<Door>,
    Path(id): Path<OperationId>,
    headers: HeaderMap,
    Json(body): Json<TransferBody>,
) -> Result<Json<TransferView>, Problem> {
    let TransferBody { debit, credit, amount, created } = body;
    let order = TransferOrder { id, debit, credit, amount, created };
    let end = door.edge.transfer(&order, wait(&headers)).await?;
    if end.outcome != Outcome::Accepted {
        let detail = "the ledger refused the transfer, and will for this id";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, end.outcome.name(), detail));
    }
    Ok(Json(TransferView { id, outcome: end.outcome.name(), time: end.time }))
}

/// `GET /v1/transfers/{id}/receipt`.
pub(super) async fn receipt(
    State(door): State<Door>,
    Path(id): Path<OperationId>,
) -> Result<Response, Problem> {
    let Some(receipt) = door.edge.own_receipt(id).await? else {
        let detail = "the ledger has no certified outcome of such a transfer, or not yet";
        return Err(Problem::new(StatusCode::NOT_FOUND, "receipt_unknown", detail));
    };
    Ok(([(CONTENT_TYPE, "application/octet-stream")], receipt).into_response())
}

impl From<TransferError> for Problem {
    fn from(error: TransferError) -> Self {
        let detail = error.to_string();
        match error {
            TransferError::Overloaded => Self::overloaded(RETRY_AFTER_MS),
            TransferError::Pending => Self::new(StatusCode::GATEWAY_TIMEOUT, "pending", detail),
            TransferError::Stopping => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", detail)
            }
            TransferError::Ledger(_) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "ledger_unavailable", detail)
            }
        }
    }
}
