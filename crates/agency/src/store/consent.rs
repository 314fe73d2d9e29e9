//! Consents under which data may be fetched here.

use etibar_primitives::{BlockTime, Digest, MemberId};
use sqlx::{Row as _, sqlite::SqliteRow};

use super::{Store, StoreFault, bytes, count, digest, integer, member, optional_time, time};

/// A consent as the store holds it. Who consented and to what is in the sealed part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRow {
    /// The relationship as the ledger knows it.
    pub rel: Digest,
    /// Who may fetch.
    pub consumer: MemberId,
    /// The keyed tag of the person.
    pub holder: Digest,
    /// The purpose's code.
    pub purpose: u16,
    /// When it was registered here.
    pub registered: BlockTime,
    /// When it ends by itself.
    pub expires: BlockTime,
    /// When it was revoked.
    pub ended: Option<BlockTime>,
    /// The sealed part; gone once the consent has ended.
    pub sealed: Option<Vec<u8>>,
}

/// How a consent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsentState {
    /// Data may be fetched.
    Live,
    /// It was revoked.
    Revoked,
    /// It has ended by itself.
    Expired,
}

impl ConsentRow {
    /// How it stands at `now`.
    pub fn state(&self, now: BlockTime) -> ConsentState {
        match self.ended {
            Some(_) => ConsentState::Revoked,
            None if now >= self.expires => ConsentState::Expired,
            None => ConsentState::Live,
        }
    }
}

impl Store {
    /// Registers a consent unless it is known or the ledger has said that it is revoked; whether
    /// it did.
    pub async fn register_consent(&self, row: &ConsentRow) -> Result<bool, StoreFault> {
        let query = "INSERT INTO consent \
                     (rel, consumer, holder, purpose, registered, expires, sealed) \
                     SELECT ?, ?, ?, ?, ?, ?, ? \
                     WHERE NOT EXISTS (SELECT 1 FROM revoked WHERE rel = ?) \
                     ON CONFLICT (rel) DO NOTHING";
        let done = sqlx::query(query)
            .bind(bytes(&row.rel))
            .bind(i64::from(row.consumer.0))
            .bind(bytes(&row.holder))
            .bind(i64::from(row.purpose))
            .bind(integer(row.registered.0))
            .bind(integer(row.expires.0))
            .bind(row.sealed.clone())
            .bind(bytes(&row.rel))
            .execute(&self.writer)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// One consent.
    pub async fn consent(&self, rel: &Digest) -> Result<Option<ConsentRow>, StoreFault> {
        let query = sqlx::query("SELECT * FROM consent WHERE rel = ?").bind(bytes(rel));
        let row = query.fetch_optional(&self.readers).await?;
        row.as_ref().map(read).transpose()
    }

    /// The person's consents that stand at `now`.
    pub async fn consents_of(
        &self,
        holder: &Digest,
        now: BlockTime,
    ) -> Result<Vec<ConsentRow>, StoreFault> {
        let query = "SELECT * FROM consent WHERE holder = ? AND ended IS NULL AND expires > ?";
        let rows = sqlx::query(query)
            .bind(bytes(holder))
            .bind(integer(now.0))
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(read).collect()
    }

    /// The ledger knows that the consent has ended: its sealed part is destroyed at once.
    pub async fn end_consent(&self, rel: &Digest, at: BlockTime) -> Result<(), StoreFault> {
        let (next, block) = self.cursor().await?;
        self.take_events(next, block.max(at), &[*rel]).await
    }

    /// Destroys the sealed parts of consents that have ended by themselves.
    pub async fn sweep_consents(&self, now: BlockTime) -> Result<u64, StoreFault> {
        let query = "UPDATE consent SET sealed = NULL WHERE expires <= ? AND sealed IS NOT NULL";
        let done = sqlx::query(query).bind(integer(now.0)).execute(&self.writer).await?;
        Ok(done.rows_affected())
    }

    /// How many consents stand at `now`.
    pub async fn live_consents(&self, now: BlockTime) -> Result<u64, StoreFault> {
        let query = "SELECT count(*) AS live FROM consent WHERE ended IS NULL AND expires > ?";
        let row = sqlx::query(query).bind(integer(now.0)).fetch_one(&self.readers).await?;
        count(&row, "live")
    }
}

fn read(row: &SqliteRow) -> Result<ConsentRow, StoreFault> {
    let purpose: i64 = row.try_get("purpose")?;
    Ok(ConsentRow {
        rel: digest(row, "rel")?,
        consumer: member(row, "consumer")?,
        holder: digest(row, "holder")?,
        purpose: u16::try_from(purpose).map_err(|_| StoreFault::Row("purpose"))?,
        registered: time(row, "registered")?,
        expires: time(row, "expires")?,
        ended: optional_time(row, "ended")?,
        sealed: row.try_get("sealed")?,
    })
}
