//! Between SQLite's values and ours.

use etibar_ledger::operation::ReasonCode;
use etibar_primitives::{Amount, BlockTime, MemberId, OperationId};
use sqlx::{Row as _, sqlite::SqliteRow};

use super::StoreFault;
use crate::payment::Proof;

/// A count or a time as SQLite holds it.
///
/// # Panics
/// Above 2^63: no amount, event index or time comes there.
pub(crate) fn integer(value: u64) -> i64 {
    i64::try_from(value).expect("amounts, indices and times are below 2^63")
}

pub(crate) fn count(value: i64, what: &'static str) -> Result<u64, StoreFault> {
    u64::try_from(value).map_err(|_| StoreFault::Row(what))
}

pub(crate) fn member(value: i64) -> Result<MemberId, StoreFault> {
    u32::try_from(value).map(MemberId).map_err(|_| StoreFault::Row("member"))
}

pub(crate) fn amount(value: i64) -> Result<Amount, StoreFault> {
    Amount::new(count(value, "amount")?).map_err(|_| StoreFault::Row("amount"))
}

pub(crate) fn time(value: i64) -> Result<BlockTime, StoreFault> {
    count(value, "time").map(BlockTime)
}

pub(crate) fn uetr(bytes: &[u8]) -> Result<OperationId, StoreFault> {
    let bytes = bytes.try_into().map_err(|_| StoreFault::Row("UETR"))?;
    Ok(OperationId::from_bytes(bytes))
}

pub(crate) fn reason(text: Option<&str>) -> Result<Option<ReasonCode>, StoreFault> {
    text.map(|text| ReasonCode::new(text).ok_or(StoreFault::Row("reason"))).transpose()
}

/// The columns `proof_submitter`, `proof_id`, `ended`.
pub(crate) fn proof(row: &SqliteRow) -> Result<Option<Proof>, StoreFault> {
    let submitter: Option<i64> = row.try_get("proof_submitter")?;
    let operation: Option<&[u8]> = row.try_get("proof_id")?;
    let ended: Option<i64> = row.try_get("ended")?;
    let (Some(submitter), Some(operation), Some(ended)) = (submitter, operation, ended) else {
        return Ok(None);
    };
    let (submitter, operation) = (member(submitter)?, uetr(operation)?);
    Ok(Some(Proof { submitter, operation, time: time(ended)? }))
}
