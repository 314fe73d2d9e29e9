//! Changes by clerks: what follows from one is written in one step.

use etibar_primitives::{BlockTime, Digest, MemberId, OperationId};

use super::{Store, StoreFault, bytes, count, digest, id_bytes, integer, issued, notice, time};

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

    /// Revokes the record's credentials, puts a notice for each consent into the outbox and
    /// remembers the change: all or nothing.
    pub async fn take_change(
        &self,
        (id, fingerprint): (OperationId, &Digest),
        record: &Digest,
        notices: &[(OperationId, Digest, MemberId)],
        now: BlockTime,
    ) -> Result<ChangeRow, StoreFault> {
        let mut transaction = self.writer.begin().await?;
        let revoked = issued::revoke(&mut transaction, "record", record).await?;
        for (notice, rel, consumer) in notices {
            notice::insert(&mut transaction, *notice, rel, *consumer, now).await?;
        }
        let notices = u64::try_from(notices.len()).expect("a length fits 64 bits");
        let query = "INSERT INTO change (id, fingerprint, changed, revoked, notices) \
                     VALUES (?, ?, ?, ?, ?)";
        sqlx::query(query)
            .bind(id_bytes(id))
            .bind(bytes(fingerprint))
            .bind(integer(now.0))
            .bind(integer(revoked))
            .bind(integer(notices))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(ChangeRow { changed: now, revoked, notices })
    }
}
