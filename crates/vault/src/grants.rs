//! Open business of protocols: values that live for a while and are found by a hash.
//!
//! The values hold no personal data; they are sealed under the vault's own key all the same.

use etibar_primitives::BlockTime;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use crate::{Change, Vault, VaultError, row, seal, seal::context};

/// The most living grants: above that, new ones are refused.
pub const GRANTS_MAX: u32 = 1_000_000;

/// What became of an insertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It is there now and was not before.
    New,
    /// A living one has its key.
    Exists,
    /// There are [`GRANTS_MAX`].
    Full,
}

/// A kept value and when it ends.
#[derive(Debug, Clone)]
pub struct KeptGrant {
    /// The value.
    pub value: Vec<u8>,
    /// From this moment on it is gone.
    pub expires: BlockTime,
}

/// A key: what kind, and the hash of the handle.
#[derive(Debug, Clone, Copy)]
pub struct Key<'a> {
    /// A word of the caller.
    pub kind: &'a str,
    /// SHA-256 of what was handed out.
    pub hash: [u8; 32],
}

impl Change {
    /// As [`Vault::replace_grant`], together with the rest of the change.
    pub async fn replace_grant(
        &mut self,
        key: Key<'_>,
        expected: &[u8],
        next: &KeptGrant,
        now: BlockTime,
    ) -> Result<bool, VaultError> {
        self.vault.replace(&mut self.transaction, key, expected, next, now).await
    }
}

impl Vault {
    /// Adds a value unless a living one has its key.
    pub async fn add_grant(
        &self,
        key: Key<'_>,
        grant: &KeptGrant,
        now: BlockTime,
    ) -> Result<Added, VaultError> {
        let mut transaction = self.inner.writer.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("DELETE FROM grants WHERE expires <= ?")
            .bind(row::stamp(now))
            .execute(&mut *transaction)
            .await?;
        let count: i64 =
            sqlx::query_scalar("SELECT count(*) FROM grants").fetch_one(&mut *transaction).await?;
        if count >= i64::from(GRANTS_MAX) {
            return Ok(Added::Full);
        }
        let sql = "INSERT INTO grants VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, hash) DO NOTHING";
        let done = sqlx::query(sql)
            .bind(key.kind.to_owned())
            .bind(key.hash.to_vec())
            .bind(self.seal_grant(key, &grant.value))
            .bind(self.grant_tag(&grant.value))
            .bind(row::stamp(grant.expires))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(if done.rows_affected() == 1 { Added::New } else { Added::Exists })
    }

    /// The living value of a key.
    pub async fn grant(
        &self,
        key: Key<'_>,
        now: BlockTime,
    ) -> Result<Option<KeptGrant>, VaultError> {
        let sql = "SELECT sealed, expires FROM grants WHERE kind = ? AND hash = ? AND expires > ?";
        let row = sqlx::query(sql)
            .bind(key.kind.to_owned())
            .bind(key.hash.to_vec())
            .bind(row::stamp(now))
            .fetch_optional(&self.inner.readers)
            .await?;
        row.map(|row| self.open_grant(key, &row)).transpose()
    }

    /// Removes the living value of a key and gives it; of several callers one gets it.
    pub async fn take_grant(
        &self,
        key: Key<'_>,
        now: BlockTime,
    ) -> Result<Option<KeptGrant>, VaultError> {
        let sql = "DELETE FROM grants WHERE kind = ? AND hash = ? AND expires > ? \
                   RETURNING sealed, expires";
        let row = sqlx::query(sql)
            .bind(key.kind.to_owned())
            .bind(key.hash.to_vec())
            .bind(row::stamp(now))
            .fetch_optional(&self.inner.writer)
            .await?;
        row.map(|row| self.open_grant(key, &row)).transpose()
    }

    /// Puts `next` in the place of a living value that is still `expected`; whether it did.
    pub async fn replace_grant(
        &self,
        key: Key<'_>,
        expected: &[u8],
        next: &KeptGrant,
        now: BlockTime,
    ) -> Result<bool, VaultError> {
        let mut connection = self.inner.writer.acquire().await?;
        self.replace(&mut connection, key, expected, next, now).await
    }

    async fn replace(
        &self,
        connection: &mut SqliteConnection,
        key: Key<'_>,
        expected: &[u8],
        next: &KeptGrant,
        now: BlockTime,
    ) -> Result<bool, VaultError> {
        let sql = "UPDATE grants SET sealed = ?, seen = ?, expires = ? \
                   WHERE kind = ? AND hash = ? AND expires > ? AND seen = ?";
        let done = sqlx::query(sql)
            .bind(self.seal_grant(key, &next.value))
            .bind(self.grant_tag(&next.value))
            .bind(row::stamp(next.expires))
            .bind(key.kind.to_owned())
            .bind(key.hash.to_vec())
            .bind(row::stamp(now))
            .bind(self.grant_tag(expected))
            .execute(connection)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Puts `grant` in the place of whatever a key has, at once. For what the member itself keeps:
    /// [`GRANTS_MAX`] does not hold it off.
    pub async fn put_grant(&self, key: Key<'_>, grant: &KeptGrant) -> Result<(), VaultError> {
        let sql = "INSERT INTO grants VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, hash) \
                   DO UPDATE SET sealed = excluded.sealed, seen = excluded.seen, \
                   expires = excluded.expires";
        sqlx::query(sql)
            .bind(key.kind.to_owned())
            .bind(key.hash.to_vec())
            .bind(self.seal_grant(key, &grant.value))
            .bind(self.grant_tag(&grant.value))
            .bind(row::stamp(grant.expires))
            .execute(&self.inner.writer)
            .await?;
        Ok(())
    }

    /// Gives a credential of `party` the next place on the member's status list.
    pub async fn add_status(&self, party: crate::PartyId) -> Result<u64, VaultError> {
        let done = sqlx::query("INSERT INTO status (party, value) VALUES (?, 0)")
            .bind(party.0.to_vec())
            .execute(&self.inner.writer)
            .await?;
        u64::try_from(done.last_insert_rowid()).map_err(|_| VaultError::Row("status"))
    }

    /// Revokes every credential of `party`; whether there was one.
    pub async fn revoke_status(&self, party: crate::PartyId) -> Result<bool, VaultError> {
        let done = sqlx::query("UPDATE status SET value = 1 WHERE party = ? AND value = 0")
            .bind(party.0.to_vec())
            .execute(&self.inner.writer)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// The places of revoked credentials, and the highest place of all.
    pub async fn statuses(&self) -> Result<(Vec<u64>, u64), VaultError> {
        let place = |value: i64| u64::try_from(value).map_err(|_| VaultError::Row("status"));
        let highest: i64 = sqlx::query_scalar("SELECT coalesce(max(place), 0) FROM status")
            .fetch_one(&self.inner.readers)
            .await?;
        let revoked: Vec<i64> = sqlx::query_scalar("SELECT place FROM status WHERE value = 1")
            .fetch_all(&self.inner.readers)
            .await?;
        let revoked = revoked.into_iter().map(place).collect::<Result<_, _>>()?;
        Ok((revoked, place(highest)?))
    }

    fn seal_grant(&self, key: Key<'_>, value: &[u8]) -> Vec<u8> {
        let bound = context("grants", key.kind.as_bytes(), &key.hash);
        seal::seal_bytes(&self.inner.grants, &bound, value)
    }

    fn open_grant(&self, key: Key<'_>, row: &SqliteRow) -> Result<KeptGrant, VaultError> {
        let bound = context("grants", key.kind.as_bytes(), &key.hash);
        let value = seal::open_bytes(&self.inner.grants, &bound, row.try_get("sealed")?)?;
        Ok(KeptGrant { value: value.to_vec(), expires: row::time_of(row, "expires")? })
    }

    fn grant_tag(&self, value: &[u8]) -> Vec<u8> {
        blake3::keyed_hash(&self.inner.grants, value).as_bytes().to_vec()
    }
}
