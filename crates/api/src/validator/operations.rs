//! What became of an operation, with proof and without.

use std::{sync::Arc, time::Duration};

use axum::{extract::State, http::StatusCode, response::Response};
use etibar_chain::RETRY_AFTER_MS;
use etibar_client::wire::OperationView;
use etibar_ledger::state::OperationKey;
use etibar_primitives::{AccountId, MemberId, OperationId};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use super::{RECEIPT_WAIT_MAX_MS, Validator, auth::Caller, events::proof, parties::is_party};
use crate::{
    Problem,
    extract::{Json, Path, Query},
};

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Patience {
    /// How long to wait for the outcome to be certified; at most [`RECEIPT_WAIT_MAX_MS`].
    #[serde(default)]
    wait_ms: u64,
}

/// `GET /v1/receipts/{submitter}/{operation}`: the receipt, once the outcome is certified; 404 when
/// it is not within the wait.
pub(super) async fn receipt(
    State(validator): State<Validator>,
    caller: Caller,
    Path((submitter, operation)): Path<(MemberId, OperationId)>,
    Query(patience): Query<Patience>,
) -> Result<Response, Problem> {
    if patience.wait_ms > 0 {
        let wait = Duration::from_millis(patience.wait_ms.min(RECEIPT_WAIT_MAX_MS));
        wait_certified(&validator, OperationKey { id: operation, submitter }, wait).await?;
    }
    let receipt = validator.handle.receipt(submitter, operation).await?.ok_or_else(unknown)?;
    let party = |event| validator.handle.read(|ledger| is_party(ledger, caller.member, event));
    if !caller.is_operator() && !party(&receipt.event) {
        return Err(unknown());
    }
    Ok(proof(receipt.to_bytes()))
}

/// Waits until the outcome of an operation is certified, or the wait is over.
async fn wait_certified(
    validator: &Validator,
    key: OperationKey,
    wait: Duration,
) -> Result<(), Problem> {
    let deadline = Instant::now() + wait;
    let room = Arc::clone(&validator.waiters).try_acquire_owned();
    let room = room.map_err(|_| Problem::overloaded(RETRY_AFTER_MS))?;
    loop {
        // Read before the outcome: a height that is certified in between ends the wait at once.
        let certified = validator.handle.certified_height();
        let known = validator.handle.operation(key.submitter, key.id);
        if known.is_some_and(|known| known.height <= certified) {
            break;
        }
        match timeout_at(deadline, validator.handle.wait_certified(certified)).await {
            Ok(reached) => drop(reached?),
            Err(_) => break,
        }
    }
    drop(room);
    Ok(())
}

/// `GET /v1/operations/{submitter}/{operation}`: what the ledger knows, certified or not.
pub(super) async fn operation(
    State(validator): State<Validator>,
    caller: Caller,
    Path((submitter, operation)): Path<(MemberId, OperationId)>,
) -> Result<Json<OperationView>, Problem> {
    let key = OperationKey { id: operation, submitter };
    // Read before the outcome: what is certified by now has its proof by then.
    let certified = validator.handle.certified_height();
    let known = validator.handle.operation(submitter, operation).ok_or_else(unknown)?;
    if !caller.may_see(submitter) && !is_known_party(&validator, caller.member, key).await? {
        return Err(unknown());
    }
    Ok(Json(OperationView::new(key, &known, certified)))
}

/// Whether `member`, not the submitter, is a party: by the open reserve, else by the receipt.
async fn is_known_party(
    validator: &Validator,
    member: MemberId,
    key: OperationKey,
) -> Result<bool, Problem> {
    let reserve = validator.handle.read(|ledger| {
        let owns = |id: AccountId| ledger.account(id).is_some_and(|its| its.owner == member);
        ledger.reserve(key).map(|reserve| owns(reserve.debit) || owns(reserve.credit))
    });
    if let Some(party) = reserve {
        return Ok(party);
    }
    let receipt = validator.handle.receipt(key.submitter, key.id).await?;
    Ok(receipt.is_some_and(|receipt| {
        validator.handle.read(|ledger| is_party(ledger, member, &receipt.event))
    }))
}

/// What is not there and what is not the caller's business answer alike.
fn unknown() -> Problem {
    let detail = "no such operation of yours is known";
    Problem::new(StatusCode::NOT_FOUND, "operation_unknown", detail)
}
