//! Work that survives a crash: sessions under way, notices to follow.
//!
//! A work's payload holds no personal value: nonces, ids, keys of an exchange, what to do next. It
//! is sealed under a key of its own all the same; ending the work may destroy that key.

use std::collections::BTreeMap;

use etibar_primitives::BlockTime;
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Row as _, sqlite::SqliteRow};

use crate::{
    Change, PAGE_ROWS_MAX, PartyId, Personal, Vault, VaultError, row,
    seal::{self, DataKey, context},
};

/// One piece of work.
#[derive(Debug, Clone)]
pub struct Work {
    /// Its id: random.
    pub id: [u8; 16],
    /// Whose data it is about, once that is known; erased with it.
    pub party: Option<PartyId>,
    /// Where it is: a word of the caller.
    pub state: String,
    /// When it began.
    pub created: BlockTime,
    /// When to look at it next; `None` when it is finished.
    pub due: Option<BlockTime>,
    /// How often it was tried in this state.
    pub attempts: u32,
    /// What it needs.
    payload: Personal,
}

/// Work without its payload, for lists.
#[derive(Debug, Clone)]
pub struct WorkView {
    /// Its id.
    pub id: [u8; 16],
    /// Where it is.
    pub state: String,
    /// When it began.
    pub created: BlockTime,
    /// When to look at it next; `None` when it is finished.
    pub due: Option<BlockTime>,
    /// How often it was tried in this state.
    pub attempts: u32,
}

impl Work {
    /// A new piece of work.
    pub fn new(
        id: [u8; 16],
        state: &str,
        payload: &impl Serialize,
        created: BlockTime,
        due: Option<BlockTime>,
    ) -> Self {
        let payload = Personal::json(payload);
        Self { id, party: None, state: state.to_owned(), created, due, attempts: 0, payload }
    }

    /// What it needs.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, VaultError> {
        self.payload.parse()
    }

    /// Gives it another payload.
    pub fn set_payload(&mut self, payload: &impl Serialize) {
        self.payload = Personal::json(payload);
    }
}

impl Change {
    /// Writes work down, in place of what stood there under its id. The payload gets a new key.
    pub async fn put_work(&mut self, queue: &'static str, work: &Work) -> Result<(), VaultError> {
        let key = DataKey::draw();
        let bound = context("work", queue.as_bytes(), &work.id);
        let wrapped = self.vault.inner.keys.wrap(&bound, key.bytes()).await?;
        let sealed = seal::seal_bytes(key.bytes(), &bound, work.payload.expose());
        sqlx::query("INSERT OR REPLACE INTO work VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .bind(queue)
            .bind(work.id.to_vec())
            .bind(work.party.map(|party| party.0.to_vec()))
            .bind(work.state.clone())
            .bind(row::stamp(work.created))
            .bind(work.due.map(row::stamp))
            .bind(i64::from(work.attempts))
            .bind(wrapped)
            .bind(sealed)
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    /// Forgets work.
    pub async fn end_work(&mut self, queue: &'static str, id: [u8; 16]) -> Result<(), VaultError> {
        sqlx::query("DELETE FROM work WHERE queue = ? AND id = ?")
            .bind(queue)
            .bind(id.to_vec())
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }
}

impl Vault {
    /// A piece of work.
    pub async fn work(&self, queue: &'static str, id: [u8; 16]) -> Result<Work, VaultError> {
        let row = sqlx::query("SELECT * FROM work WHERE queue = ? AND id = ?")
            .bind(queue)
            .bind(id.to_vec())
            .fetch_optional(&self.inner.readers)
            .await?
            .ok_or(VaultError::UnknownWork)?;
        self.open_work(queue, &row).await
    }

    /// Work that is due by `now`, the most overdue first.
    pub async fn due_work(
        &self,
        queue: &'static str,
        now: BlockTime,
        limit: u32,
    ) -> Result<Vec<Work>, VaultError> {
        let rows =
            sqlx::query("SELECT * FROM work WHERE queue = ? AND due <= ? ORDER BY due LIMIT ?")
                .bind(queue)
                .bind(row::stamp(now))
                .bind(limit.min(PAGE_ROWS_MAX))
                .fetch_all(&self.inner.readers)
                .await?;
        self.open_works(queue, &rows).await
    }

    /// The latest work of a queue with its payload, the newest first; in one state, or in all.
    pub async fn works(
        &self,
        queue: &'static str,
        state: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Work>, VaultError> {
        let sql = "SELECT * FROM work WHERE queue = ? AND (? IS NULL OR state = ?) \
                   ORDER BY created DESC, id LIMIT ?";
        let rows = sqlx::query(sql)
            .bind(queue)
            .bind(state.map(str::to_owned))
            .bind(state.map(str::to_owned))
            .bind(limit.min(PAGE_ROWS_MAX))
            .fetch_all(&self.inner.readers)
            .await?;
        self.open_works(queue, &rows).await
    }

    /// Work of a queue in a state: what is due first before the rest.
    pub async fn works_by_due(
        &self,
        queue: &'static str,
        state: &str,
        limit: u32,
    ) -> Result<Vec<Work>, VaultError> {
        let sql = "SELECT * FROM work WHERE queue = ? AND state = ? ORDER BY due, id LIMIT ?";
        let query = sqlx::query(sql).bind(queue).bind(state.to_owned());
        let rows = query.bind(limit.min(PAGE_ROWS_MAX)).fetch_all(&self.inner.readers).await?;
        self.open_works(queue, &rows).await
    }

    async fn open_works(
        &self,
        queue: &'static str,
        rows: &[SqliteRow],
    ) -> Result<Vec<Work>, VaultError> {
        let mut works = Vec::with_capacity(rows.len());
        for row in rows {
            works.push(self.open_work(queue, row).await?);
        }
        Ok(works)
    }

    /// How much work of a queue in a state is due by `until`.
    pub async fn count_due(
        &self,
        queue: &'static str,
        state: &str,
        until: BlockTime,
    ) -> Result<u64, VaultError> {
        let sql = "SELECT count(*) FROM work WHERE queue = ? AND state = ? AND due <= ?";
        let query = sqlx::query_scalar(sql).bind(queue).bind(state.to_owned());
        let count: i64 = query.bind(row::stamp(until)).fetch_one(&self.inner.readers).await?;
        u64::try_from(count).map_err(|_| VaultError::Row("count"))
    }

    /// How much work of a queue there is, by state.
    pub async fn count_work(
        &self,
        queue: &'static str,
    ) -> Result<BTreeMap<String, u64>, VaultError> {
        let sql = "SELECT state, count(*) FROM work WHERE queue = ? GROUP BY state";
        let rows: Vec<(String, i64)> =
            sqlx::query_as(sql).bind(queue).fetch_all(&self.inner.readers).await?;
        let count = |(state, count)| {
            Ok((state, u64::try_from(count).map_err(|_| VaultError::Row("count"))?))
        };
        rows.into_iter().map(count).collect()
    }

    /// How much work of a queue is not finished, and since when the oldest waits.
    pub async fn waiting_work(
        &self,
        queue: &'static str,
    ) -> Result<(u64, Option<BlockTime>), VaultError> {
        let sql = "SELECT count(*) AS waiting, min(created) AS oldest FROM work \
                   WHERE queue = ? AND due IS NOT NULL";
        let row = sqlx::query(sql).bind(queue).fetch_one(&self.inner.readers).await?;
        let waiting: i64 = row.try_get("waiting")?;
        let waiting = u64::try_from(waiting).map_err(|_| VaultError::Row("count"))?;
        Ok((waiting, row::time_maybe(&row, "oldest")?))
    }

    /// The latest work of a queue, the newest first.
    pub async fn list_work(
        &self,
        queue: &'static str,
        limit: u32,
    ) -> Result<Vec<WorkView>, VaultError> {
        let sql = "SELECT * FROM work WHERE queue = ? ORDER BY created DESC, id LIMIT ?";
        let rows = sqlx::query(sql)
            .bind(queue)
            .bind(limit.min(PAGE_ROWS_MAX))
            .fetch_all(&self.inner.readers)
            .await?;
        let view = |row: &SqliteRow| {
            Ok(WorkView {
                id: row::bytes(row, "id")?,
                state: row.try_get("state")?,
                created: row::time_of(row, "created")?,
                due: row::time_maybe(row, "due")?,
                attempts: row::small(row, "attempts")?,
            })
        };
        rows.iter().map(view).collect()
    }

    async fn open_work(&self, queue: &str, row: &SqliteRow) -> Result<Work, VaultError> {
        let id: [u8; 16] = row::bytes(row, "id")?;
        let bound = context("work", queue.as_bytes(), &id);
        let key = self.inner.keys.unwrap(&bound, row.try_get("wrapped_key")?).await?;
        let mut payload = seal::open_bytes(&key, &bound, row.try_get("sealed")?)?;
        Ok(Work {
            id,
            party: row::bytes_maybe(row, "party")?.map(PartyId),
            state: row.try_get("state")?,
            created: row::time_of(row, "created")?,
            due: row::time_maybe(row, "due")?,
            attempts: row::small(row, "attempts")?,
            payload: Personal::new(std::mem::take(&mut *payload)),
        })
    }
}
