//! Changes by clerks: intended in one step, and what follows from one is written in another.

use etibar_primitives::{BlockTime, Digest, MemberId, OperationId};
use sqlx::{Row as _, SqliteConnection};

use super::{
    Invalidity, Store, StoreFault, bytes, count, digest, id_bytes, integer, issued, issued::Under,
    notice, operation, time,
};

/// What followed from a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeRow {
    /// When it was taken.
    pub changed: BlockTime,
    /// Credentials that it revoked.
    pub revoked: u64,
    /// Notices that it caused.
    pub notices: u64,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeTaken {
    /// It is done, now or before.
    Done(ChangeRow),
    /// Another change has this id.
    OtherContent,
}

/// A change that is to be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntentionRow {
    /// Chosen by the clerk's system.
    pub id: OperationId,
    /// What was asked for.
    pub fingerprint: Digest,
    /// When it was taken.
    pub intended: BlockTime,
    /// What to change and in which record, sealed.
    pub sealed: Vec<u8>,
}

/// What follows from a change, once the register has it.
#[derive(Debug, Clone)]
pub struct Consequences {
    /// The record's tag: what attests it ends.
    pub record: Digest,
    /// Why that ends.
    pub why: Invalidity,
    /// Of a person who died or whose identity was withdrawn: the tags of holder and enrolment.
    /// Every credential and the enrolment end.
    pub ended: Vec<(Digest, Option<Digest>)>,
    /// Whom to tell, about which consent.
    pub notices: Vec<(OperationId, Digest, MemberId)>,
}

impl Store {
    /// What followed from the change `id`, if it was taken.
    pub async fn change(
        &self,
        id: OperationId,
        fingerprint: &Digest,
    ) -> Result<Option<ChangeTaken>, StoreFault> {
        let query = sqlx::query("SELECT * FROM change WHERE id = ?").bind(id_bytes(id));
        let Some(row) = query.fetch_optional(&self.readers).await? else { return Ok(None) };
        if digest(&row, "fingerprint")? != *fingerprint {
            return Ok(Some(ChangeTaken::OtherContent));
        }
        Ok(Some(ChangeTaken::Done(ChangeRow {
            changed: time(&row, "changed")?,
            revoked: count(&row, "revoked")?,
            notices: count(&row, "notices")?,
        })))
    }

    /// Remembers a change before the register is written.
    pub async fn intend(&self, intention: &IntentionRow) -> Result<(), StoreFault> {
        let query = "INSERT INTO intention (id, fingerprint, intended, sealed) VALUES (?, ?, ?, ?)";
        sqlx::query(query)
            .bind(id_bytes(intention.id))
            .bind(bytes(&intention.fingerprint))
            .bind(integer(intention.intended.0))
            .bind(&intention.sealed)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Changes that are not complete, in the order in which they were taken.
    pub async fn intentions(&self) -> Result<Vec<IntentionRow>, StoreFault> {
        let query = sqlx::query("SELECT * FROM intention ORDER BY position");
        let rows = query.fetch_all(&self.readers).await?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            Ok(IntentionRow {
                id: operation(row, "id")?,
                fingerprint: digest(row, "fingerprint")?,
                intended: time(row, "intended")?,
                sealed: row.try_get("sealed")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Completes a change: ends the record's credentials, puts a notice for each consent into the
    /// outbox, remembers the change and forgets the intention, all or nothing.
    pub async fn take_change(
        &self,
        intention: &IntentionRow,
        consequences: &Consequences,
    ) -> Result<ChangeRow, StoreFault> {
        let now = intention.intended;
        let mut transaction = self.writer.begin().await?;
        let record = Under::Record(&consequences.record);
        let mut revoked = issued::invalidate(&mut transaction, record, consequences.why).await?;
        for (holder, enrolment) in &consequences.ended {
            let all = Under::Holder(holder);
            revoked += issued::invalidate(&mut transaction, all, Invalidity::Cause).await?;
            if let Some(uid) = enrolment {
                end_enrolment(&mut transaction, uid, now).await?;
            }
        }
        for (notice, rel, consumer) in &consequences.notices {
            notice::insert(&mut transaction, *notice, rel, *consumer, now).await?;
        }
        let notices = u64::try_from(consequences.notices.len()).expect("a length fits 64 bits");
        let query = "INSERT INTO change (id, fingerprint, changed, revoked, notices) \
                     VALUES (?, ?, ?, ?, ?)";
        sqlx::query(query)
            .bind(id_bytes(intention.id))
            .bind(bytes(&intention.fingerprint))
            .bind(integer(now.0))
            .bind(integer(revoked))
            .bind(integer(notices))
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM intention WHERE id = ?")
            .bind(id_bytes(intention.id))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(ChangeRow { changed: now, revoked, notices })
    }
}

async fn end_enrolment(
    connection: &mut SqliteConnection,
    uid: &Digest,
    at: BlockTime,
) -> Result<(), StoreFault> {
    let query = "UPDATE enrolment SET ended = ? WHERE uid = ? AND ended IS NULL";
    let query = sqlx::query(query).bind(integer(at.0)).bind(bytes(uid));
    query.execute(connection).await?;
    Ok(())
}
