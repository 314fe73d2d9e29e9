//! Open business of the issuer and its verifier, sealed.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use etibar_openid::{Grant, GrantKey, Grants, Inserted};
use etibar_primitives::BlockTime;
use sqlx::Row as _;

use super::{Store, StoreFault, integer, time};

/// Living grants at most: more requests are told to come later.
pub const GRANTS_MAX: u64 = 200_000;

/// The grants of one agency.
#[derive(Debug, Clone)]
pub struct GrantStore {
    store: Store,
    /// How many rows there may be; counted again when it reaches the limit.
    rows: Arc<AtomicU64>,
}

impl GrantStore {
    /// The grants in `store`.
    pub async fn open(store: Store) -> Result<Self, StoreFault> {
        let grants = Self { store, rows: Arc::default() };
        grants.count().await?;
        Ok(grants)
    }

    /// Deletes what has ended; how many grants are left.
    pub async fn sweep(&self, now: BlockTime) -> Result<u64, StoreFault> {
        sqlx::query("DELETE FROM grants WHERE expires <= ?")
            .bind(integer(now.0))
            .execute(&self.store.writer)
            .await?;
        self.count().await
    }

    async fn count(&self) -> Result<u64, StoreFault> {
        let rows: i64 =
            sqlx::query_scalar("SELECT count(*) FROM grants").fetch_one(&self.store.writer).await?;
        let rows = u64::try_from(rows).map_err(|_| StoreFault::Row("count"))?;
        self.rows.store(rows, Ordering::Relaxed);
        Ok(rows)
    }

    fn seal(&self, key: &GrantKey, value: &[u8]) -> Vec<u8> {
        self.store.key().seal_bytes("grants", &row(key), value)
    }

    fn open_row(
        &self,
        key: &GrantKey,
        found: &sqlx::sqlite::SqliteRow,
    ) -> Result<Grant, StoreFault> {
        let sealed: &[u8] = found.try_get("value")?;
        let value = self.store.key().open_bytes("grants", &row(key), sealed)?;
        Ok(Grant { value: value.to_vec(), expires: time(found, "expires")? })
    }
}

impl Grants for GrantStore {
    type Fault = StoreFault;

    async fn insert(
        &self,
        key: GrantKey,
        grant: Grant,
        now: BlockTime,
    ) -> Result<Inserted, StoreFault> {
        if self.rows.load(Ordering::Relaxed) >= GRANTS_MAX && self.sweep(now).await? >= GRANTS_MAX {
            return Ok(Inserted::Full);
        }
        let query = "INSERT INTO grants (kind, hash, value, expires) VALUES (?, ?, ?, ?) \
                     ON CONFLICT (kind, hash) DO UPDATE SET value = excluded.value, \
                     expires = excluded.expires WHERE grants.expires <= ?";
        let done = sqlx::query(query)
            .bind(key.kind.name())
            .bind(key.hash.to_vec())
            .bind(self.seal(&key, &grant.value))
            .bind(integer(grant.expires.0))
            .bind(integer(now.0))
            .execute(&self.store.writer)
            .await?;
        if done.rows_affected() == 0 {
            return Ok(Inserted::Exists);
        }
        self.rows.fetch_add(1, Ordering::Relaxed);
        Ok(Inserted::New)
    }

    async fn get(&self, key: GrantKey, now: BlockTime) -> Result<Option<Grant>, StoreFault> {
        let query = "SELECT value, expires FROM grants WHERE kind = ? AND hash = ? AND expires > ?";
        let found = sqlx::query(query)
            .bind(key.kind.name())
            .bind(key.hash.to_vec())
            .bind(integer(now.0))
            .fetch_optional(&self.store.readers)
            .await?;
        found.map(|found| self.open_row(&key, &found)).transpose()
    }

    async fn take(&self, key: GrantKey, now: BlockTime) -> Result<Option<Grant>, StoreFault> {
        let query = "DELETE FROM grants WHERE kind = ? AND hash = ? RETURNING value, expires";
        let found = sqlx::query(query)
            .bind(key.kind.name())
            .bind(key.hash.to_vec())
            .fetch_optional(&self.store.writer)
            .await?;
        let grant = found.map(|found| self.open_row(&key, &found)).transpose()?;
        Ok(grant.filter(|grant| grant.expires > now))
    }

    async fn replace(
        &self,
        key: GrantKey,
        expected: &[u8],
        next: Grant,
        now: BlockTime,
    ) -> Result<bool, StoreFault> {
        // The only writing connection: nobody changes the row between these statements.
        let mut transaction = self.store.writer.begin().await?;
        let query = "SELECT value, expires FROM grants WHERE kind = ? AND hash = ? AND expires > ?";
        let found = sqlx::query(query)
            .bind(key.kind.name())
            .bind(key.hash.to_vec())
            .bind(integer(now.0))
            .fetch_optional(&mut *transaction)
            .await?;
        let grant = found.map(|found| self.open_row(&key, &found)).transpose()?;
        if grant.is_none_or(|grant| grant.value != expected) {
            return Ok(false);
        }
        sqlx::query("UPDATE grants SET value = ?, expires = ? WHERE kind = ? AND hash = ?")
            .bind(self.seal(&key, &next.value))
            .bind(integer(next.expires.0))
            .bind(key.kind.name())
            .bind(key.hash.to_vec())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }
}

fn row(key: &GrantKey) -> Vec<u8> {
    [key.kind.name().as_bytes(), &[0], &key.hash].concat()
}
