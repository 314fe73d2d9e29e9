//! Taking transactions in.

use std::sync::Arc;

use axum::{
    extract::{FromRequest as _, Request, State},
    http::{HeaderMap, StatusCode, header::CONTENT_LENGTH},
};
use bytes::Bytes;
use etibar_chain::{Accepted, Progress, RETRY_AFTER_MS, SubmitError};
use etibar_client::wire::{self, AcceptedView};
use etibar_ledger::{
    result::TransactionRefusal,
    transaction::{TRANSACTION_BYTES_MAX, TransactionError},
};

use super::Validator;
use crate::{
    Problem,
    extract::{Body, Json},
};

/// Above how many bytes a transaction is checked on a thread of its own: its signature and its
/// operations' hashes take a while.
const INLINE_BYTES_MAX: usize = 16 * 1024;

/// `POST /v1/transactions`. The same bytes may come any number of times.
pub(super) async fn submit(
    State(validator): State<Validator>,
    request: Request,
) -> Result<(StatusCode, Json<AcceptedView>), Problem> {
    let announced = announced_bytes(request.headers())?;
    let room = Arc::clone(&validator.uploads);
    let room =
        room.try_acquire_many_owned(announced).map_err(|_| Problem::overloaded(RETRY_AFTER_MS))?;
    let Body(bytes) = Body::from_request(request, &()).await?;
    let accepted = take_in(&validator, bytes).await?;
    drop(room);
    let progress = match accepted.progress {
        Progress::Waiting => wire::Progress::Waiting,
        Progress::Finalized => wire::Progress::Finalized,
    };
    Ok((StatusCode::ACCEPTED, Json(AcceptedView { digest: accepted.transaction, progress })))
}

async fn take_in(validator: &Validator, bytes: Bytes) -> Result<Accepted, Problem> {
    if bytes.len() <= INLINE_BYTES_MAX {
        return Ok(validator.handle.submit(bytes)?);
    }
    let handle = validator.handle.clone();
    let checked = tokio::task::spawn_blocking(move || handle.submit(bytes)).await;
    Ok(checked.map_err(|_| Problem::internal())??)
}

/// How much room the body needs: what its header says, else the most it may have.
fn announced_bytes(headers: &HeaderMap) -> Result<u32, Problem> {
    let most = u32::try_from(TRANSACTION_BYTES_MAX).expect("about a mebibyte");
    let Some(length) = headers.get(CONTENT_LENGTH) else { return Ok(most) };
    let length = length.to_str().ok().and_then(|text| text.parse::<u64>().ok());
    let length = length.and_then(|length| u32::try_from(length).ok());
    length.filter(|length| *length <= most).ok_or_else(|| {
        let detail = format!("a transaction has at most {TRANSACTION_BYTES_MAX} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "transaction_too_large", detail)
    })
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        let status = match error {
            SubmitError::Overloaded { retry_after_ms } => {
                return Self::overloaded(retry_after_ms).for_caller();
            }
            SubmitError::Invalid(TransactionError::TooLarge(_)) => StatusCode::PAYLOAD_TOO_LARGE,
            SubmitError::Invalid(TransactionError::WrongSignature) => StatusCode::FORBIDDEN,
            SubmitError::Invalid(TransactionError::WrongNetwork) => StatusCode::CONFLICT,
            SubmitError::Invalid(_) => StatusCode::BAD_REQUEST,
            SubmitError::Refused(refusal) => match refusal {
                TransactionRefusal::MemberUnknown | TransactionRefusal::KeyNotActive => {
                    StatusCode::FORBIDDEN
                }
                TransactionRefusal::NotYetValid | TransactionRefusal::Expired => {
                    StatusCode::CONFLICT
                }
                TransactionRefusal::WindowTooLong => StatusCode::BAD_REQUEST,
            },
        };
        Self::new(status, error.code(), error.to_string())
    }
}
