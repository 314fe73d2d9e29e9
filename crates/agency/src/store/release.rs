//! Credentials that a clerk releases before they are issued.

use etibar_primitives::{BlockTime, Digest, OperationId};
use sqlx::{Row as _, sqlite::SqliteRow};

use super::{Store, StoreFault, bytes, id_bytes, integer, operation, time};

/// How a release stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseState {
    /// A clerk has still to look.
    Waiting,
    /// It may be issued.
    Released,
    /// It may not.
    Refused,
}

/// A release that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseRow {
    /// Its random id.
    pub id: OperationId,
    /// The credential type.
    pub kind: String,
    /// Whose: a keyed tag.
    pub holder: Digest,
    /// When it was asked for.
    pub asked: BlockTime,
    /// Until when it stands: a question that nobody answered, or the answer.
    pub expires: BlockTime,
    /// How it stands.
    pub state: ReleaseState,
    /// Whose, for the clerk: sealed.
    pub sealed: Vec<u8>,
}

impl Store {
    /// How the release for the row's kind and holder stands; asked for now if it was not yet.
    pub async fn ask_release(&self, row: &ReleaseRow) -> Result<ReleaseState, StoreFault> {
        let mut transaction = self.writer.begin().await?;
        let query = "DELETE FROM release WHERE kind = ? AND holder = ? AND expires <= ?";
        sqlx::query(query)
            .bind(&row.kind)
            .bind(bytes(&row.holder))
            .bind(integer(row.asked.0))
            .execute(&mut *transaction)
            .await?;
        let query = "INSERT INTO release (id, kind, holder, asked, expires, state, sealed) \
                     VALUES (?, ?, ?, ?, ?, 0, ?) ON CONFLICT (kind, holder) DO NOTHING";
        sqlx::query(query)
            .bind(id_bytes(row.id))
            .bind(&row.kind)
            .bind(bytes(&row.holder))
            .bind(integer(row.asked.0))
            .bind(integer(row.expires.0))
            .bind(&row.sealed)
            .execute(&mut *transaction)
            .await?;
        let query = "SELECT state FROM release WHERE kind = ? AND holder = ?";
        let query = sqlx::query_scalar(query).bind(&row.kind).bind(bytes(&row.holder));
        let state: i64 = query.fetch_one(&mut *transaction).await?;
        transaction.commit().await?;
        ReleaseState::of_number(state)
    }

    /// Releases that wait for a clerk, the oldest first, at most `limit`.
    pub async fn releases_waiting(
        &self,
        now: BlockTime,
        limit: u32,
    ) -> Result<Vec<ReleaseRow>, StoreFault> {
        let query = "SELECT * FROM release WHERE state = 0 AND expires > ? ORDER BY asked LIMIT ?";
        let query = sqlx::query(query).bind(integer(now.0)).bind(limit);
        query.fetch_all(&self.readers).await?.iter().map(read).collect()
    }

    /// One question with its answer, if it has one.
    pub async fn release(&self, id: OperationId) -> Result<Option<ReleaseRow>, StoreFault> {
        let query = sqlx::query("SELECT * FROM release WHERE id = ?").bind(id_bytes(id));
        query.fetch_optional(&self.readers).await?.as_ref().map(read).transpose()
    }

    /// A clerk decides; the state then, which is the first decision. `None` when there is no such
    /// question.
    pub async fn decide_release(
        &self,
        id: OperationId,
        decision: ReleaseState,
        expires: BlockTime,
    ) -> Result<Option<ReleaseState>, StoreFault> {
        let query = "UPDATE release SET state = ?, expires = ? WHERE id = ? AND state = 0";
        sqlx::query(query)
            .bind(decision.number())
            .bind(integer(expires.0))
            .bind(id_bytes(id))
            .execute(&self.writer)
            .await?;
        let query = sqlx::query_scalar("SELECT state FROM release WHERE id = ?").bind(id_bytes(id));
        let state: Option<i64> = query.fetch_optional(&self.readers).await?;
        state.map(ReleaseState::of_number).transpose()
    }

    /// Forgets releases whose time is over.
    pub async fn sweep_releases(&self, now: BlockTime) -> Result<(), StoreFault> {
        let query = sqlx::query("DELETE FROM release WHERE expires <= ?").bind(integer(now.0));
        query.execute(&self.writer).await?;
        Ok(())
    }
}

impl ReleaseState {
    /// As the database holds it: frozen.
    const fn number(self) -> i64 {
        match self {
            Self::Waiting => 0,
            Self::Released => 1,
            Self::Refused => 2,
        }
    }

    fn of_number(number: i64) -> Result<Self, StoreFault> {
        match number {
            0 => Ok(Self::Waiting),
            1 => Ok(Self::Released),
            2 => Ok(Self::Refused),
            _ => Err(StoreFault::Row("state of a release")),
        }
    }
}

fn read(row: &SqliteRow) -> Result<ReleaseRow, StoreFault> {
    Ok(ReleaseRow {
        id: operation(row, "id")?,
        kind: row.try_get("kind")?,
        holder: super::digest(row, "holder")?,
        asked: time(row, "asked")?,
        expires: time(row, "expires")?,
        state: ReleaseState::of_number(row.try_get("state")?)?,
        sealed: row.try_get("sealed")?,
    })
}
