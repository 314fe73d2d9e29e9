//! Enrolments and recoveries at the registrar.

use etibar_primitives::{BlockTime, Digest, OperationId};
use sqlx::{Row as _, sqlite::SqliteRow};

use super::{
    Invalidity, Store, StoreFault, bytes, digest, id_bytes, integer, issued, issued::Under,
    operation, optional_time, time,
};

/// An enrolment as the store holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentRow {
    /// Chosen by the wallet.
    pub id: OperationId,
    /// The person's OPRF output.
    pub uid: Digest,
    /// What was asked for.
    pub fingerprint: Digest,
    /// The level of assurance: 1, 2 or 3.
    pub level: u8,
    /// When.
    pub enrolled: BlockTime,
    /// When the person last recovered.
    pub recovered: Option<BlockTime>,
    /// Until when no new consent is taken from the person.
    pub cooldown: Option<BlockTime>,
    /// The person and the guardians, sealed.
    pub sealed: Vec<u8>,
}

/// What became of an enrolment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnrolmentTaken {
    /// It is stored now.
    New,
    /// It was stored before with the same content.
    Repeated(EnrolmentRow),
    /// Another enrolment has this id.
    OtherContent,
    /// The person has a living enrolment.
    Duplicate,
}

/// A recovery as the store holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryRow {
    /// Chosen by the new wallet.
    pub id: OperationId,
    /// The person's OPRF output.
    pub uid: Digest,
    /// What was asked for.
    pub fingerprint: Digest,
    /// When it was opened.
    pub opened: BlockTime,
    /// When it is void.
    pub expires: BlockTime,
    /// When it was completed.
    pub done: Option<BlockTime>,
    /// Until when no new consent is taken from the person.
    pub cooldown: Option<BlockTime>,
}

impl Store {
    /// Stores an enrolment unless the person has a living one.
    pub async fn enrol(&self, row: &EnrolmentRow) -> Result<EnrolmentTaken, StoreFault> {
        let mut transaction = self.writer.begin().await?;
        let query = "SELECT * FROM enrolment WHERE id = ?";
        let same = sqlx::query(query).bind(id_bytes(row.id)).fetch_optional(&mut *transaction);
        if let Some(found) = same.await? {
            let found = read(&found)?;
            return Ok(if found.fingerprint == row.fingerprint {
                EnrolmentTaken::Repeated(found)
            } else {
                EnrolmentTaken::OtherContent
            });
        }
        let query = "INSERT INTO enrolment (id, uid, fingerprint, level, enrolled, sealed) \
                     VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
        let done = sqlx::query(query)
            .bind(id_bytes(row.id))
            .bind(bytes(&row.uid))
            .bind(bytes(&row.fingerprint))
            .bind(i64::from(row.level))
            .bind(integer(row.enrolled.0))
            .bind(&row.sealed)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(if done.rows_affected() == 1 { EnrolmentTaken::New } else { EnrolmentTaken::Duplicate })
    }

    /// The person's living enrolment.
    pub async fn living_enrolment(&self, uid: &Digest) -> Result<Option<EnrolmentRow>, StoreFault> {
        let query = "SELECT * FROM enrolment WHERE uid = ? AND ended IS NULL";
        let row = sqlx::query(query).bind(bytes(uid)).fetch_optional(&self.readers).await?;
        row.as_ref().map(read).transpose()
    }

    /// Replaces the sealed part of a living enrolment, such as its guardians.
    pub async fn reseal_enrolment(&self, id: OperationId, sealed: &[u8]) -> Result<(), StoreFault> {
        let query = sqlx::query("UPDATE enrolment SET sealed = ? WHERE id = ?");
        query.bind(sealed).bind(id_bytes(id)).execute(&self.writer).await?;
        Ok(())
    }

    /// The latest enrolments, the newest first.
    pub async fn latest_enrolments(&self, limit: u32) -> Result<Vec<EnrolmentRow>, StoreFault> {
        let query = "SELECT * FROM enrolment ORDER BY enrolled DESC, id LIMIT ?";
        let query = sqlx::query(query).bind(limit);
        query.fetch_all(&self.readers).await?.iter().map(read).collect()
    }

    /// The latest recoveries, the newest first.
    pub async fn latest_recoveries(&self, limit: u32) -> Result<Vec<RecoveryRow>, StoreFault> {
        let query = "SELECT * FROM recovery ORDER BY opened DESC, id LIMIT ?";
        let query = sqlx::query(query).bind(limit);
        query.fetch_all(&self.readers).await?.iter().map(read_recovery).collect()
    }

    /// How many living enrolments there are.
    pub async fn living_enrolments(&self) -> Result<u64, StoreFault> {
        let query = "SELECT count(*) AS living FROM enrolment WHERE ended IS NULL";
        super::count(&sqlx::query(query).fetch_one(&self.readers).await?, "living")
    }

    /// Opens a recovery; the one with this id if there is one.
    pub async fn open_recovery(&self, row: &RecoveryRow) -> Result<RecoveryRow, StoreFault> {
        let query = "INSERT INTO recovery (id, uid, fingerprint, opened, expires) \
                     VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING";
        sqlx::query(query)
            .bind(id_bytes(row.id))
            .bind(bytes(&row.uid))
            .bind(bytes(&row.fingerprint))
            .bind(integer(row.opened.0))
            .bind(integer(row.expires.0))
            .execute(&self.writer)
            .await?;
        let found = self.recovery(row.id).await?;
        found.ok_or(StoreFault::Row("recovery"))
    }

    /// One recovery.
    pub async fn recovery(&self, id: OperationId) -> Result<Option<RecoveryRow>, StoreFault> {
        let query = sqlx::query("SELECT * FROM recovery WHERE id = ?").bind(id_bytes(id));
        let row = query.fetch_optional(&self.readers).await?;
        row.as_ref().map(read_recovery).transpose()
    }

    /// A guardian approves; how many have now.
    pub async fn approve(
        &self,
        recovery: OperationId,
        guardian: &Digest,
        at: BlockTime,
    ) -> Result<u64, StoreFault> {
        let query = "INSERT INTO approval (recovery, guardian, at) VALUES (?, ?, ?) \
                     ON CONFLICT DO NOTHING";
        sqlx::query(query)
            .bind(id_bytes(recovery))
            .bind(bytes(guardian))
            .bind(integer(at.0))
            .execute(&self.writer)
            .await?;
        self.approvals(recovery).await
    }

    /// How many guardians have approved.
    pub async fn approvals(&self, recovery: OperationId) -> Result<u64, StoreFault> {
        let query = "SELECT count(*) AS approvals FROM approval WHERE recovery = ?";
        let row = sqlx::query(query).bind(id_bytes(recovery)).fetch_one(&self.readers).await?;
        super::count(&row, "approvals")
    }

    /// Completes a recovery: the person's credentials are revoked, and the enrolment has the
    /// level and the end of the cool-down, all in one step; how many were revoked.
    pub async fn complete_recovery(
        &self,
        recovery: &RecoveryRow,
        holder: &Digest,
        level: u8,
        (now, cooldown): (BlockTime, BlockTime),
    ) -> Result<u64, StoreFault> {
        let mut transaction = self.writer.begin().await?;
        let under = Under::Holder(holder);
        let revoked = issued::invalidate(&mut transaction, under, Invalidity::Cause).await?;
        let query = "UPDATE enrolment SET recovered = ?, cooldown = ?, level = ? \
                     WHERE uid = ? AND ended IS NULL";
        sqlx::query(query)
            .bind(integer(now.0))
            .bind(integer(cooldown.0))
            .bind(i64::from(level))
            .bind(bytes(&recovery.uid))
            .execute(&mut *transaction)
            .await?;
        let query = "UPDATE recovery SET done = ?, cooldown = ? WHERE id = ? AND done IS NULL";
        let done = sqlx::query(query)
            .bind(integer(now.0))
            .bind(integer(cooldown.0))
            .bind(id_bytes(recovery.id))
            .execute(&mut *transaction)
            .await?;
        if done.rows_affected() == 0 {
            // Done before: what that did stands, this does nothing.
            return Ok(0);
        }
        transaction.commit().await?;
        Ok(revoked)
    }
}

fn read(row: &SqliteRow) -> Result<EnrolmentRow, StoreFault> {
    let level: i64 = row.try_get("level")?;
    Ok(EnrolmentRow {
        id: operation(row, "id")?,
        uid: digest(row, "uid")?,
        fingerprint: digest(row, "fingerprint")?,
        level: u8::try_from(level).map_err(|_| StoreFault::Row("level"))?,
        enrolled: time(row, "enrolled")?,
        recovered: optional_time(row, "recovered")?,
        cooldown: optional_time(row, "cooldown")?,
        sealed: row.try_get("sealed")?,
    })
}

fn read_recovery(row: &SqliteRow) -> Result<RecoveryRow, StoreFault> {
    Ok(RecoveryRow {
        id: operation(row, "id")?,
        uid: digest(row, "uid")?,
        fingerprint: digest(row, "fingerprint")?,
        opened: time(row, "opened")?,
        expires: time(row, "expires")?,
        done: optional_time(row, "done")?,
        cooldown: optional_time(row, "cooldown")?,
    })
}
