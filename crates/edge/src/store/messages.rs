//! What the core banking is told.

use etibar_ledger::operation::ReasonCode;
use etibar_primitives::{BlockTime, MemberId, OperationId};
use sqlx::{Row as _, SqliteConnection, SqlitePool, sqlite::SqliteRow};

use super::{StoreFault, insert_rows, row};
use crate::status::PaymentStatus;

/// A change that the core is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoreMessage {
    /// The debtor's agent of an incoming payment; `None` for an outgoing one.
    pub debtor: Option<MemberId>,
    /// Which payment.
    pub uetr: OperationId,
    /// What became of it.
    pub status: PaymentStatus,
    /// When the edge learnt of it.
    pub at: BlockTime,
}

/// A message in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageView {
    /// Rises by one from message to message, save gaps.
    pub sequence: u64,
    /// The message.
    pub message: CoreMessage,
}

pub(super) async fn insert(
    connection: &mut SqliteConnection,
    messages: &[CoreMessage],
) -> Result<(), sqlx::Error> {
    let head = "INSERT INTO message (debtor, uetr, status, reason, at) ";
    insert_rows(connection, head, "", messages, |bind, message| {
        bind.put(i64::from(message.debtor.map_or(0, |debtor| debtor.0)))
            .put(message.uetr.to_bytes().to_vec())
            .put(message.status.code().to_owned())
            .put(message.status.reason().map(|reason| reason.as_str().to_owned()))
            .put(row::integer(message.at.0));
    })
    .await
}

pub(super) async fn page(
    pool: &SqlitePool,
    after: u64,
    limit: u32,
) -> Result<Vec<MessageView>, StoreFault> {
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let query = "SELECT * FROM message WHERE sequence > ? ORDER BY sequence LIMIT ?";
    let rows = sqlx::query(query).bind(after).bind(limit).fetch_all(pool).await?;
    rows.iter().map(read).collect()
}

fn read(row: &SqliteRow) -> Result<MessageView, StoreFault> {
    let debtor = row::member(row.try_get("debtor")?)?;
    let reason: Option<ReasonCode> = row::reason(row.try_get("reason")?)?;
    let status = PaymentStatus::of(row.try_get("status")?, reason);
    Ok(MessageView {
        sequence: row::count(row.try_get("sequence")?, "sequence")?,
        message: CoreMessage {
            debtor: (debtor.0 != 0).then_some(debtor),
            uetr: row::uetr(row.try_get("uetr")?)?,
            status: status.ok_or(StoreFault::Row("status"))?,
            at: row::time(row.try_get("at")?)?,
        },
    })
}
