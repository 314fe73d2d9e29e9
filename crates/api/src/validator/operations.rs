//! What became of an operation, with proof and without.

use axum::{extract::State, http::StatusCode, response::Response};
use etibar_client::wire::OperationView;
use etibar_ledger::state::OperationKey;
use etibar_primitives::{AccountId, MemberId, OperationId};

use super::{Validator, auth::Caller, events::proof, parties::is_party};
use crate::{
    Problem,
    extract::{Json, Path},
};

/// `GET /v1/receipts/{submitter}/{operation}`: the receipt, once the outcome is certified.
pub(super) async fn receipt(
    State(validator): State<Validator>,
    caller: Caller,
    Path((submitter, operation)): Path<(MemberId, OperationId)>,
) -> Result<Response, Problem> {
    let receipt = validator.handle.receipt(submitter, operation).await?.ok_or_else(unknown)?;
    let party = |event| validator.handle.read(|ledger| is_party(ledger, caller.member, event));
    if !caller.is_operator() && !party(&receipt.event) {
        return Err(unknown());
    }
    Ok(proof(receipt.to_bytes()))
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
