//! The vault's file: opening it, its own keys, finding parties.

use std::{path::Path, sync::Arc};

use sqlx::{Row as _, Sqlite, SqlitePool, Transaction};

use crate::{
    ItemKind, LinkKind, LinkView, PAGE_ROWS_MAX, PartyId, PartyKind, PartyView, TagKind,
    VaultError,
    change::Change,
    key::{KeyBytes, KeyService},
    row,
    seal::{DataKey, context},
    sqlite::{Durability, migrator, pools},
};

/// A member's vault. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) writer: SqlitePool,
    pub(crate) readers: SqlitePool,
    pub(crate) keys: Arc<dyn KeyService>,
    tags: KeyBytes,
    pub(crate) grants: KeyBytes,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

/// 16 random bytes: an id that nobody else draws.
pub fn random_id() -> [u8; 16] {
    rand::random()
}

impl Vault {
    /// Opens the vault in `folder`, makes it if there is none, and migrates it.
    ///
    /// # Errors
    /// [`VaultError::Seal`] when `keys` holds another master key than the file was made with.
    pub async fn open(
        folder: &Path,
        keys: Arc<dyn KeyService>,
        durability: Durability,
    ) -> Result<Self, VaultError> {
        let (writer, readers) = pools(&folder.join("vault.sqlite"), durability).await?;
        let sql = include_str!("../migrations/0001_vault.sql");
        migrator(&[(1, "vault", sql)]).run(&writer).await?;
        let tags = own_key(&writer, &*keys, "tags").await?;
        let grants = own_key(&writer, &*keys, "grants").await?;
        Ok(Self { inner: Arc::new(Inner { writer, readers, keys, tags, grants }) })
    }

    /// Begins a change. Only one is under way at a time; the next waits.
    pub async fn begin(&self) -> Result<Change, VaultError> {
        let transaction = self.inner.writer.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Change::new(self.clone(), transaction))
    }

    /// The party that `identifier` names.
    pub async fn find(
        &self,
        kind: TagKind,
        identifier: &[u8],
    ) -> Result<Option<PartyId>, VaultError> {
        let tag = self.identifier_tag(kind, identifier);
        let found = sqlx::query("SELECT party FROM lookup WHERE tag = ?")
            .bind(tag.to_vec())
            .fetch_optional(&self.inner.readers)
            .await?;
        found.map(|row| row::bytes(&row, "party").map(PartyId)).transpose()
    }

    /// A party, without any personal value.
    pub async fn party(&self, party: PartyId) -> Result<PartyView, VaultError> {
        let row = sqlx::query("SELECT kind, created, erased FROM party WHERE id = ?")
            .bind(party.0.to_vec())
            .fetch_optional(&self.inner.readers)
            .await?
            .ok_or(VaultError::UnknownParty)?;
        Ok(PartyView {
            id: party,
            kind: PartyKind::of(row::small(&row, "kind")?)?,
            created: row::time_of(&row, "created")?,
            erased: row::time_maybe(&row, "erased")?,
        })
    }

    /// How many values of `kind` a party has: says nothing of them.
    pub async fn count(&self, party: PartyId, kind: ItemKind) -> Result<u64, VaultError> {
        let count: i64 =
            sqlx::query_scalar("SELECT count(*) FROM item WHERE party = ? AND kind = ?")
                .bind(party.0.to_vec())
                .bind(kind.code())
                .fetch_one(&self.inner.readers)
                .await?;
        u64::try_from(count).map_err(|_| VaultError::Row("count"))
    }

    /// Who stands for `party` or owns it.
    pub async fn links(&self, party: PartyId) -> Result<Vec<LinkView>, VaultError> {
        let rows = sqlx::query("SELECT other, kind FROM link WHERE party = ? ORDER BY id LIMIT ?")
            .bind(party.0.to_vec())
            .bind(PAGE_ROWS_MAX)
            .fetch_all(&self.inner.readers)
            .await?;
        let view = |row| {
            let kind = LinkKind::of(row::small(row, "kind")?)?;
            Ok(LinkView { party, other: PartyId(row::bytes(row, "other")?), kind })
        };
        rows.iter().map(view).collect()
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.inner.readers.close().await;
        self.inner.writer.close().await;
    }

    /// The tag of an identifier: without this vault's key it is noise.
    pub(crate) fn identifier_tag(&self, kind: TagKind, identifier: &[u8]) -> [u8; 32] {
        self.tag(&[&[kind.code()], identifier].concat())
    }

    /// The tag of a consent's or receipt's `rel`.
    pub(crate) fn rel_tag(&self, rel: &[u8; 32]) -> [u8; 32] {
        self.tag(&[&[0], rel.as_slice()].concat())
    }

    fn tag(&self, input: &[u8]) -> [u8; 32] {
        *blake3::keyed_hash(&self.inner.tags, input).as_bytes()
    }

    /// The data key of `party`.
    pub(crate) async fn data_key(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        party: PartyId,
    ) -> Result<DataKey, VaultError> {
        let row = sqlx::query("SELECT wrapped_key FROM party WHERE id = ?")
            .bind(party.0.to_vec())
            .fetch_optional(&mut **transaction)
            .await?
            .ok_or(VaultError::UnknownParty)?;
        let wrapped: Option<Vec<u8>> = row.try_get("wrapped_key")?;
        let wrapped = wrapped.ok_or(VaultError::Erased)?;
        let key = self.inner.keys.unwrap(&context("party", &party.0, &[]), &wrapped).await?;
        Ok(DataKey::of(key))
    }
}

/// One of the vault's own keys; drawn at the first start.
async fn own_key(
    pool: &SqlitePool,
    keys: &dyn KeyService,
    name: &str,
) -> Result<KeyBytes, VaultError> {
    let bound = context("keyring", &[], name.as_bytes());
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let kept: Option<Vec<u8>> = sqlx::query_scalar("SELECT wrapped FROM keyring WHERE name = ?")
        .bind(name.to_owned())
        .fetch_optional(&mut *transaction)
        .await?;
    if let Some(wrapped) = kept {
        return keys.unwrap(&bound, &wrapped).await;
    }
    let key = DataKey::draw();
    let wrapped = keys.wrap(&bound, key.bytes()).await?;
    sqlx::query("INSERT INTO keyring (name, wrapped) VALUES (?, ?)")
        .bind(name.to_owned())
        .bind(wrapped)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(key.bytes().clone())
}
