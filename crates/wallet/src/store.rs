//! The wallet's storage: one SQLite file, one writer.
//!
//! In clear stand random ids, public keys, counters, times and keyed tags. Everything personal is
//! in records, each sealed with its person's key; the person's key is wrapped by the master key.
//! Deleting a person's row deletes the key with all that it sealed, and what remains of the rows in
//! old pages or backups cannot be opened again.

use std::{fmt, path::Path, sync::Arc};

use etibar_primitives::BlockTime;
use etibar_vault::{
    VaultError,
    key::KeyService,
    sqlite::{self, Durability},
};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Row as _, SqliteConnection, SqlitePool};

use crate::{
    id::{EntryId, PersonId},
    seal::SealKey,
};

mod access;
mod tag;

pub use access::{PasskeyRow, Session};

/// What a record is sealed for.
const RECORD_CONTEXT: &[u8] = b"etibar.wallet.record";

/// The storage failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreFault {
    /// The database said no.
    #[error("the wallet's storage failed")]
    Database(#[from] sqlx::Error),
    /// The database could not be brought to this version.
    #[error("the wallet's storage cannot be migrated")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A sealed row does not open: it was changed, or the master key is another one.
    #[error("the wallet's storage holds a {0:?} that does not open")]
    Sealed(Kind),
    /// The master key does not answer, or is not the one that wrapped this person's key.
    #[error("the wallet's master key does not open a person's key")]
    MasterKey,
    /// The person was deleted.
    #[error("the person was deleted")]
    Gone,
    /// A row that this version cannot have written.
    #[error("the wallet's storage holds an unreadable {0}")]
    Row(&'static str),
}

/// What a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Who the person is to the wallet: language, guardians.
    Profile,
    /// A credential with its instances and keys.
    Credential,
    /// A request that waits for the person's decision.
    Request,
    /// A consent that was given, with its evidence.
    Consent,
    /// An account that a bank opened.
    Account,
    /// What the person should know.
    Message,
    /// The access receipts of one relation, as last verified.
    Accesses,
    /// An issuance that is not finished: deferred.
    Deferred,
    /// A recovery that waits for guardians.
    Recovery,
}

/// The store of one wallet service.
#[derive(Clone)]
pub struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
    master: Arc<dyn KeyService>,
    /// The key of the tags by which a recovery finds the wallet that was lost.
    tags: SealKey,
}

/// The records of one person, opened with the person's key.
#[derive(Debug, Clone)]
pub struct Records {
    store: Store,
    person: PersonId,
    key: SealKey,
}

impl Store {
    /// Opens the store in `folder`, makes it if there is none, and migrates it.
    pub async fn open(folder: &Path, master: Arc<dyn KeyService>) -> Result<Self, StoreFault> {
        let (writer, readers) =
            sqlite::pools(&folder.join("wallet.sqlite"), Durability::Full).await?;
        let steps = [
            (1, "wallet", include_str!("../migrations/0001_wallet.sql")),
            (2, "recovery", include_str!("../migrations/0002_recovery.sql")),
        ];
        sqlite::migrator(&steps).run(&writer).await?;
        let tags = tag::key(&writer, &*master).await?;
        Ok(Self { writer, readers, master, tags })
    }

    /// A new person with a key of their own.
    pub async fn create_person(&self, now: BlockTime) -> Result<Records, StoreFault> {
        let (person, key) = (PersonId::random(), SealKey::generate());
        let wrapped = key.wrap(&*self.master, &person.0).await;
        sqlx::query("INSERT INTO person (id, key, created) VALUES (?, ?, ?)")
            .bind(person.0.to_vec())
            .bind(wrapped.map_err(|_| StoreFault::MasterKey)?)
            .bind(integer(now))
            .execute(&self.writer)
            .await?;
        Ok(Records { store: self.clone(), person, key })
    }

    /// The records of a person; `None` when there is no such person (any more).
    pub async fn records(&self, person: PersonId) -> Result<Option<Records>, StoreFault> {
        let row = sqlx::query("SELECT key FROM person WHERE id = ?")
            .bind(person.0.to_vec())
            .fetch_optional(&self.readers)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let wrapped: &[u8] = row.try_get("key")?;
        let key = SealKey::unwrap(&*self.master, &person.0, wrapped).await;
        let key = key.map_err(|_| StoreFault::MasterKey)?;
        Ok(Some(Records { store: self.clone(), person, key }))
    }

    /// Deletes a person: the key, passkeys, sessions and every record.
    pub async fn delete_person(&self, person: PersonId) -> Result<(), StoreFault> {
        sqlx::query("DELETE FROM person WHERE id = ?")
            .bind(person.0.to_vec())
            .execute(&self.writer)
            .await?;
        // The log beside the database would still hold the sealed key for a while.
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.writer).await?;
        Ok(())
    }

    /// The persons who have records of a kind, by their random ids.
    pub async fn persons_with(&self, kind: Kind) -> Result<Vec<PersonId>, StoreFault> {
        let query = sqlx::query_scalar("SELECT DISTINCT person FROM record WHERE kind = ?");
        let rows: Vec<Vec<u8>> = query.bind(kind.code()).fetch_all(&self.readers).await?;
        let id = |row: Vec<u8>| row.try_into().map(PersonId);
        rows.into_iter().map(|row| id(row).map_err(|_| StoreFault::Row("person id"))).collect()
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

/// Changes of one person's records, all of which are made or none.
pub struct Batch<'a> {
    records: &'a Records,
    /// What is written, or that it is removed.
    changes: Vec<(Kind, EntryId, Option<Vec<u8>>)>,
}

impl Batch<'_> {
    /// Writes one record, over the one of the same kind and id.
    pub fn put<T: Serialize>(&mut self, kind: Kind, id: EntryId, value: &T) {
        self.changes.push((kind, id, Some(self.records.seal(kind, id, value))));
    }

    /// Removes one record; one that is not there is removed already.
    pub fn remove(&mut self, kind: Kind, id: EntryId) {
        self.changes.push((kind, id, None));
    }

    /// Makes the changes.
    ///
    /// # Errors
    /// [`StoreFault::Gone`] when the person was deleted meanwhile.
    pub async fn commit(self, now: BlockTime) -> Result<(), StoreFault> {
        let person = self.records.person;
        let mut transaction = self.records.store.writer.begin().await?;
        for (kind, id, change) in self.changes {
            match change {
                Some(sealed) => write(&mut transaction, person, (kind, id), sealed, now).await?,
                None => remove(&mut transaction, person, kind, id).await?,
            }
        }
        Ok(transaction.commit().await?)
    }
}

async fn write(
    connection: &mut SqliteConnection,
    person: PersonId,
    (kind, id): (Kind, EntryId),
    sealed: Vec<u8>,
    now: BlockTime,
) -> Result<(), StoreFault> {
    let written = sqlx::query(
        "INSERT INTO record (person, kind, id, sealed, changed) \
         SELECT id, ?2, ?3, ?4, ?5 FROM person WHERE id = ?1 \
         ON CONFLICT (person, kind, id) \
         DO UPDATE SET sealed = excluded.sealed, changed = excluded.changed",
    )
    .bind(person.0.to_vec())
    .bind(kind.code())
    .bind(id.0.to_vec())
    .bind(sealed)
    .bind(integer(now))
    .execute(connection)
    .await?;
    if written.rows_affected() == 0 { Err(StoreFault::Gone) } else { Ok(()) }
}

async fn remove(
    connection: &mut SqliteConnection,
    person: PersonId,
    kind: Kind,
    id: EntryId,
) -> Result<(), StoreFault> {
    sqlx::query("DELETE FROM record WHERE person = ? AND kind = ? AND id = ?")
        .bind(person.0.to_vec())
        .bind(kind.code())
        .bind(id.0.to_vec())
        .execute(connection)
        .await?;
    Ok(())
}

impl Records {
    /// Whose records.
    pub const fn person(&self) -> PersonId {
        self.person
    }

    /// Writes one record, over the one of the same kind and id.
    ///
    /// # Errors
    /// [`StoreFault::Gone`] when the person was deleted meanwhile.
    pub async fn put<T: Serialize + Sync>(
        &self,
        kind: Kind,
        id: EntryId,
        value: &T,
        now: BlockTime,
    ) -> Result<(), StoreFault> {
        let mut batch = self.batch();
        batch.put(kind, id, value);
        batch.commit(now).await
    }

    /// Records to be written and removed together.
    pub const fn batch(&self) -> Batch<'_> {
        Batch { records: self, changes: Vec::new() }
    }

    /// One record.
    pub async fn get<T: DeserializeOwned>(
        &self,
        kind: Kind,
        id: EntryId,
    ) -> Result<Option<T>, StoreFault> {
        let row = sqlx::query("SELECT sealed FROM record WHERE person = ? AND kind = ? AND id = ?")
            .bind(self.person.0.to_vec())
            .bind(kind.code())
            .bind(id.0.to_vec())
            .fetch_optional(&self.store.readers)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let sealed: &[u8] = row.try_get("sealed")?;
        self.open(kind, id, sealed).map(Some)
    }

    /// Every record of a kind, the last changed first.
    pub async fn all<T: DeserializeOwned>(
        &self,
        kind: Kind,
    ) -> Result<Vec<(EntryId, T)>, StoreFault> {
        let rows = sqlx::query(
            "SELECT id, sealed FROM record WHERE person = ? AND kind = ? \
             ORDER BY changed DESC, id",
        )
        .bind(self.person.0.to_vec())
        .bind(kind.code())
        .fetch_all(&self.store.readers)
        .await?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            let id: &[u8] = row.try_get("id")?;
            let id = EntryId(id.try_into().map_err(|_| StoreFault::Row("record id"))?);
            Ok((id, self.open(kind, id, row.try_get("sealed")?)?))
        };
        rows.iter().map(read).collect()
    }

    /// Removes one record; one that is not there is removed already.
    pub async fn remove(&self, kind: Kind, id: EntryId) -> Result<(), StoreFault> {
        remove(&mut *self.store.writer.acquire().await?, self.person, kind, id).await
    }

    fn seal<T: Serialize>(&self, kind: Kind, id: EntryId, value: &T) -> Vec<u8> {
        let plain = serde_json::to_vec(value).expect("our records are plain data");
        let plain = zeroize::Zeroizing::new(plain);
        self.key.seal(&self.context(kind, &id), &plain)
    }

    fn open<T: DeserializeOwned>(
        &self,
        kind: Kind,
        id: EntryId,
        sealed: &[u8],
    ) -> Result<T, StoreFault> {
        let plain = self.key.open(&self.context(kind, &id), sealed);
        let plain = plain.map_err(|_: VaultError| StoreFault::Sealed(kind))?;
        // The reason would repeat parts of the content.
        serde_json::from_slice(&plain).map_err(|_| StoreFault::Row(kind.name()))
    }

    fn context<'a>(&'a self, kind: Kind, id: &'a EntryId) -> [&'a [u8]; 4] {
        [RECORD_CONTEXT, &self.person.0, kind.name().as_bytes(), &id.0]
    }
}

impl Kind {
    /// The number in the database: frozen.
    const fn code(self) -> i64 {
        match self {
            Self::Profile => 1,
            Self::Credential => 2,
            Self::Request => 3,
            Self::Consent => 4,
            Self::Account => 5,
            Self::Message => 6,
            Self::Accesses => 7,
            Self::Deferred => 8,
            Self::Recovery => 9,
        }
    }

    /// The name in the seals: frozen.
    const fn name(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Credential => "credential",
            Self::Request => "request",
            Self::Consent => "consent",
            Self::Account => "account",
            Self::Message => "message",
            Self::Accesses => "accesses",
            Self::Deferred => "deferred",
            Self::Recovery => "recovery",
        }
    }
}

/// A time as SQLite holds it.
fn integer(time: BlockTime) -> i64 {
    i64::try_from(time.0).expect("times are below 2^63")
}

fn time(value: i64) -> Result<BlockTime, StoreFault> {
    u64::try_from(value).map(BlockTime).map_err(|_| StoreFault::Row("time"))
}

#[cfg(test)]
mod tests;
