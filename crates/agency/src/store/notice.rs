//! Notices of change on their way to consumers.

use etibar_primitives::{BlockTime, Digest, DurationMs, MemberId, OperationId};
use sqlx::{SqliteConnection, sqlite::SqliteRow};

use super::{Store, StoreFault, bytes, count, digest, id_bytes, integer, member, operation, time};

/// A notice that was not delivered yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoticeRow {
    /// Its id.
    pub id: OperationId,
    /// The consent whose data changed.
    pub rel: Digest,
    /// Whom to tell.
    pub consumer: MemberId,
    /// When the register changed.
    pub changed: BlockTime,
    /// How often it was tried.
    pub attempts: u64,
}

/// How notices stand: for the operator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoticeSums {
    /// Not delivered yet.
    pub waiting: u64,
    /// When the oldest of these was caused.
    pub oldest: Option<BlockTime>,
    /// Delivered, but the consumer has not fetched the change yet.
    pub unfetched: u64,
    /// The longest time from a change to its fetch among the last ones, in milliseconds.
    pub lag_ms_max: u64,
}

/// Over how many fetched notices the lag is told.
const LAG_WINDOW: i64 = 1_000;

impl Store {
    /// Notices whose time has come, the oldest first, at most `limit`.
    pub async fn notices_due(
        &self,
        now: BlockTime,
        limit: u32,
    ) -> Result<Vec<NoticeRow>, StoreFault> {
        let query = "SELECT * FROM notice WHERE delivered IS NULL AND due <= ? \
                     ORDER BY due LIMIT ?";
        let rows =
            sqlx::query(query).bind(integer(now.0)).bind(limit).fetch_all(&self.readers).await?;
        rows.iter().map(read).collect()
    }

    /// The consumer has taken the notice.
    pub async fn notice_delivered(&self, id: OperationId, at: BlockTime) -> Result<(), StoreFault> {
        sqlx::query("UPDATE notice SET delivered = ? WHERE id = ? AND delivered IS NULL")
            .bind(integer(at.0))
            .bind(id_bytes(id))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// The consumer did not take it: try again after `pause`.
    pub async fn notice_failed(
        &self,
        id: OperationId,
        now: BlockTime,
        pause: DurationMs,
    ) -> Result<(), StoreFault> {
        sqlx::query("UPDATE notice SET attempts = attempts + 1, due = ? WHERE id = ?")
            .bind(integer(now.saturating_add(pause).0))
            .bind(id_bytes(id))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// A notice whose consent has ended is told to nobody any more.
    pub async fn notice_void(&self, id: OperationId) -> Result<(), StoreFault> {
        let query = sqlx::query("DELETE FROM notice WHERE id = ?").bind(id_bytes(id));
        query.execute(&self.writer).await?;
        Ok(())
    }

    /// The consumer has fetched what changed under this consent.
    pub async fn notices_fetched(&self, rel: &Digest, at: BlockTime) -> Result<(), StoreFault> {
        let query = "UPDATE notice SET fetched = ?, delivered = coalesce(delivered, ?) \
                     WHERE rel = ? AND fetched IS NULL";
        sqlx::query(query)
            .bind(integer(at.0))
            .bind(integer(at.0))
            .bind(bytes(rel))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Whether the consumer has something to fetch because of a change.
    pub async fn has_open_notice(&self, rel: &Digest) -> Result<bool, StoreFault> {
        let query = "SELECT count(*) AS open FROM notice WHERE rel = ? AND fetched IS NULL";
        let row = sqlx::query(query).bind(bytes(rel)).fetch_one(&self.readers).await?;
        Ok(count(&row, "open")? > 0)
    }

    /// How notices stand.
    pub async fn notice_sums(&self) -> Result<NoticeSums, StoreFault> {
        let query = "SELECT \
            coalesce(sum(delivered IS NULL), 0) AS waiting, \
            min(CASE WHEN delivered IS NULL THEN changed END) AS oldest, \
            coalesce(sum(delivered IS NOT NULL AND fetched IS NULL), 0) AS unfetched, \
            coalesce((SELECT max(fetched - changed) FROM (SELECT fetched, changed FROM notice \
                WHERE fetched IS NOT NULL ORDER BY fetched DESC LIMIT ?)), 0) AS lag \
            FROM notice";
        let row = sqlx::query(query).bind(LAG_WINDOW).fetch_one(&self.readers).await?;
        Ok(NoticeSums {
            waiting: count(&row, "waiting")?,
            oldest: super::optional_time(&row, "oldest")?,
            unfetched: count(&row, "unfetched")?,
            lag_ms_max: count(&row, "lag")?,
        })
    }
}

pub(super) async fn insert(
    connection: &mut SqliteConnection,
    id: OperationId,
    rel: &Digest,
    consumer: MemberId,
    changed: BlockTime,
) -> Result<(), StoreFault> {
    let query = "INSERT INTO notice (id, rel, consumer, changed, attempts, due) \
                 VALUES (?, ?, ?, ?, 0, ?)";
    sqlx::query(query)
        .bind(id_bytes(id))
        .bind(bytes(rel))
        .bind(i64::from(consumer.0))
        .bind(integer(changed.0))
        .bind(integer(changed.0))
        .execute(connection)
        .await?;
    Ok(())
}

fn read(row: &SqliteRow) -> Result<NoticeRow, StoreFault> {
    Ok(NoticeRow {
        id: operation(row, "id")?,
        rel: digest(row, "rel")?,
        consumer: member(row, "consumer")?,
        changed: time(row, "changed")?,
        attempts: count(row, "attempts")?,
    })
}
