//! Whose wallet is whose, for a recovery: by a keyed tag, so that the file tells nobody.

use etibar_primitives::BlockTime;
use serde_json::Value;
use sqlx::{Row as _, SqlitePool};

use super::{Kind, Records, Store, StoreFault};
use crate::{
    id::{EntryId, PersonId},
    seal::SealKey,
};

/// The name of the key of the tags.
const TAG_KEY: &str = "tag";
/// What the key is wrapped for: no person has this id's row.
const TAG_PLACE: [u8; 16] = *b"etibar.wallettag";

/// The key of the tags: read, or drawn once.
pub(super) async fn key(
    writer: &SqlitePool,
    master: &dyn etibar_vault::key::KeyService,
) -> Result<SealKey, StoreFault> {
    let broken = |_| StoreFault::MasterKey;
    let known: Option<Vec<u8>> = sqlx::query_scalar("SELECT key FROM service_key WHERE name = ?")
        .bind(TAG_KEY)
        .fetch_optional(writer)
        .await?;
    if let Some(wrapped) = known {
        return SealKey::unwrap(master, &TAG_PLACE, &wrapped).await.map_err(broken);
    }
    let key = SealKey::generate();
    sqlx::query("INSERT INTO service_key (name, key) VALUES (?, ?)")
        .bind(TAG_KEY)
        .bind(key.wrap(master, &TAG_PLACE).await.map_err(broken)?)
        .execute(writer)
        .await?;
    Ok(key)
}

impl Store {
    /// Writes down whose wallet this is.
    pub(crate) async fn claim(&self, person: PersonId, fin: &str) -> Result<(), StoreFault> {
        sqlx::query("UPDATE person SET tag = ? WHERE id = ?")
            .bind(self.tags.tag(fin.as_bytes()).to_vec())
            .bind(person.0.to_vec())
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// The wallets of the person with this personal number.
    pub(crate) async fn of_fin(&self, fin: &str) -> Result<Vec<PersonId>, StoreFault> {
        let rows = sqlx::query("SELECT id FROM person WHERE tag = ?")
            .bind(self.tags.tag(fin.as_bytes()).to_vec())
            .fetch_all(&self.readers)
            .await?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            let id: &[u8] = row.try_get("id")?;
            id.try_into().map(PersonId).map_err(|_| StoreFault::Row("person"))
        };
        rows.iter().map(read).collect()
    }
}

impl Records {
    /// Copies the records of `kind` that `wanted` picks from another person's, under their ids.
    pub(crate) async fn take_from(
        &self,
        other: &Self,
        kind: Kind,
        wanted: impl Fn(&Value) -> bool + Send,
        now: BlockTime,
    ) -> Result<(), StoreFault> {
        let all: Vec<(EntryId, Value)> = other.all(kind).await?;
        for (id, record) in all.into_iter().filter(|(_, record)| wanted(record)) {
            self.put(kind, id, &record, now).await?;
        }
        Ok(())
    }
}
