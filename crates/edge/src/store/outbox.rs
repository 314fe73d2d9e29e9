//! Sealed envelopes: on their way to others, and kept at the supervisor.

use etibar_primitives::{BlockTime, Digest, MemberId};
use sqlx::{Row as _, SqliteConnection, SqlitePool, sqlite::SqliteRow};

use super::{StoreFault, insert_rows, row};

/// An envelope that waits for delivery.
#[derive(Debug, Clone)]
pub struct OutboxEnvelope {
    /// Its place in the outbox.
    pub sequence: i64,
    /// To whom.
    pub recipient: MemberId,
    /// Its bytes.
    pub envelope: Vec<u8>,
}

pub(super) async fn insert(
    connection: &mut SqliteConnection,
    envelopes: &[(MemberId, Vec<u8>)],
) -> Result<(), sqlx::Error> {
    let head = "INSERT INTO outbox (recipient, envelope) ";
    insert_rows(connection, head, "", envelopes, |bind, (recipient, envelope)| {
        bind.put(i64::from(recipient.0)).put(envelope.clone());
    })
    .await
}

pub(super) async fn page(pool: &SqlitePool, limit: u32) -> Result<Vec<OutboxEnvelope>, StoreFault> {
    let query = "SELECT * FROM outbox ORDER BY sequence LIMIT ?";
    let rows = sqlx::query(query).bind(limit).fetch_all(pool).await?;
    let read = |row: &SqliteRow| {
        Ok(OutboxEnvelope {
            sequence: row.try_get("sequence")?,
            recipient: row::member(row.try_get("recipient")?)?,
            envelope: row.try_get("envelope")?,
        })
    };
    rows.iter().map(read).collect()
}

pub(super) async fn remove(pool: &SqlitePool, sequence: i64) -> Result<(), StoreFault> {
    sqlx::query("DELETE FROM outbox WHERE sequence = ?").bind(sequence).execute(pool).await?;
    Ok(())
}

pub(super) async fn supervise(
    pool: &SqlitePool,
    digest: &Digest,
    sender: MemberId,
    received: BlockTime,
    envelope: &[u8],
) -> Result<(), StoreFault> {
    let query = "INSERT INTO supervised (digest, sender, received, envelope) VALUES (?, ?, ?, ?) \
                 ON CONFLICT (digest) DO NOTHING";
    sqlx::query(query)
        .bind(digest.0.to_vec())
        .bind(i64::from(sender.0))
        .bind(row::integer(received.0))
        .bind(envelope.to_vec())
        .execute(pool)
        .await?;
    Ok(())
}

pub(super) async fn supervised_count(pool: &SqlitePool) -> Result<u64, StoreFault> {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM supervised").fetch_one(pool).await?;
    row::count(count, "count")
}
