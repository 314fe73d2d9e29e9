//! Erasure: the data key is destroyed, and with it every value of the person.
//!
//! What the law makes the member keep (law 781-VIQ: five years) goes under a key of its own,
//! blocked for every other use, with the date on which it goes, too.

use etibar_primitives::BlockTime;
use sqlx::{Row as _, sqlite::SqliteRow};

use crate::{
    Access, Basis, Change, ItemKind, LegalBasis, PAGE_ROWS_MAX, PartyId, Personal, Reader, Select,
    Vault, VaultError, gate,
    key::KeyBytes,
    random_id, row,
    seal::{DataKey, context},
};

/// A statutory hold: random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldId(pub [u8; 16]);

/// A hold that keeps a due-diligence record.
#[derive(Debug, Clone)]
pub struct HoldView {
    /// Which.
    pub id: HoldId,
    /// Whose record.
    pub party: PartyId,
    /// By which law.
    pub law: String,
    /// When the record goes, too.
    pub ends: BlockTime,
}

/// An erasure, requested or done.
#[derive(Debug, Clone)]
pub struct ErasureView {
    /// Which.
    pub id: [u8; 16],
    /// Whose data.
    pub party: PartyId,
    /// When it was asked for.
    pub requested: BlockTime,
    /// When it must be done.
    pub due: BlockTime,
    /// When it was done.
    pub done: Option<BlockTime>,
    /// The signed receipt of it.
    pub receipt: Option<Vec<u8>>,
}

/// What a receipt of an erasure says.
#[derive(Debug)]
pub struct ErasureFacts {
    /// Which erasure.
    pub id: [u8; 16],
    /// When it was asked for.
    pub requested: BlockTime,
    /// When the keys were destroyed.
    pub done: BlockTime,
    /// How many values became unreadable.
    pub values: u64,
    /// What the law keeps, and until when.
    pub holds: Vec<HoldView>,
}

/// A value of a due-diligence record under a hold.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct HeldItem {
    kind: i64,
    name: String,
    obtained: u64,
    value: Vec<u8>,
}

impl Change {
    /// Lays a hold on a party's due-diligence record. The same law again keeps the later end.
    pub async fn hold(
        &mut self,
        party: PartyId,
        law: &'static str,
        ends: BlockTime,
    ) -> Result<(), VaultError> {
        let sql = "UPDATE hold SET ends = max(ends, ?) WHERE party = ? AND law = ?";
        let done = sqlx::query(sql)
            .bind(row::stamp(ends))
            .bind(party.0.to_vec())
            .bind(law)
            .execute(&mut *self.transaction)
            .await?;
        if done.rows_affected() == 0 {
            sqlx::query("INSERT INTO hold (id, party, law, ends) VALUES (?, ?, ?, ?)")
                .bind(random_id().to_vec())
                .bind(party.0.to_vec())
                .bind(law)
                .bind(row::stamp(ends))
                .execute(&mut *self.transaction)
                .await?;
        }
        Ok(())
    }

    /// Writes down that a party wants its data erased until `due`; again: the first stands.
    pub async fn request_erasure(
        &mut self,
        party: PartyId,
        now: BlockTime,
        due: BlockTime,
    ) -> Result<(), VaultError> {
        let sql = "INSERT INTO erasure (id, party, requested, due) VALUES (?, ?, ?, ?) \
                   ON CONFLICT (party) DO NOTHING";
        sqlx::query(sql)
            .bind(random_id().to_vec())
            .bind(party.0.to_vec())
            .bind(row::stamp(now))
            .bind(row::stamp(due))
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }
}

impl Vault {
    /// Erases a party whose erasure was requested: destroys its data key and every r, moves what
    /// a hold keeps under a key of its own, and keeps the receipt that `sign` makes of the facts.
    /// All of it, or nothing. Done already: the same receipt again.
    pub async fn erase(
        &self,
        party: PartyId,
        now: BlockTime,
        sign: impl FnOnce(&ErasureFacts) -> Result<Vec<u8>, VaultError>,
    ) -> Result<Vec<u8>, VaultError> {
        let mut change = self.begin().await?;
        let erasure = erasure_of(&mut change, party).await?.ok_or(VaultError::UnknownParty)?;
        if let Some(receipt) = erasure.receipt {
            return Ok(receipt);
        }
        let holds = holds_of(&mut change, party, now).await?;
        let key = self.data_key(&mut change.transaction, party).await?;
        if !holds.is_empty() {
            keep(&mut change, party, &key, &holds, now).await?;
        }
        let values = destroy(&mut change, party, now).await?;
        let (id, requested) = (erasure.id, erasure.requested);
        let receipt = sign(&ErasureFacts { id, requested, done: now, values, holds })?;
        sqlx::query("UPDATE erasure SET done = ?, receipt = ? WHERE party = ?")
            .bind(row::stamp(now))
            .bind(receipt.clone())
            .bind(party.0.to_vec())
            .execute(&mut *change.transaction)
            .await?;
        change.commit().await?;
        self.forget_log().await?;
        Ok(receipt)
    }

    /// Overwrites what the write-ahead log still holds of deleted rows. When a reader is in the
    /// way nothing is lost: the next erasure or the next start does it.
    async fn forget_log(&self) -> Result<(), VaultError> {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&self.inner.writer).await?;
        Ok(())
    }

    /// A party's erasure, requested or done.
    pub async fn erasure(&self, party: PartyId) -> Result<Option<ErasureView>, VaultError> {
        let row = sqlx::query("SELECT * FROM erasure WHERE party = ?")
            .bind(party.0.to_vec())
            .fetch_optional(&self.inner.readers)
            .await?;
        row.map(|row| read_erasure(&row)).transpose()
    }

    /// Erasures that are not done yet, the most urgent first. Those past due are an alarm.
    pub async fn open_erasures(&self) -> Result<Vec<ErasureView>, VaultError> {
        let rows = sqlx::query("SELECT * FROM erasure WHERE done IS NULL ORDER BY due LIMIT ?")
            .bind(PAGE_ROWS_MAX)
            .fetch_all(&self.inner.readers)
            .await?;
        rows.iter().map(read_erasure).collect()
    }

    /// Erasures that should be done by `now` and are not.
    pub async fn overdue_erasures(&self, now: BlockTime) -> Result<Vec<ErasureView>, VaultError> {
        let open = self.open_erasures().await?;
        Ok(open.into_iter().filter(|erasure| erasure.due < now).collect())
    }

    /// How many erasures are not done, and how many of them should be by `now`.
    pub async fn count_erasures(&self, now: BlockTime) -> Result<(u64, u64), VaultError> {
        let sql = "SELECT count(*) AS open, coalesce(sum(due < ?), 0) AS overdue FROM erasure \
                   WHERE done IS NULL";
        let row = sqlx::query(sql).bind(row::stamp(now)).fetch_one(&self.inner.readers).await?;
        let count = |name: &'static str| {
            let count: i64 = row.try_get(name)?;
            u64::try_from(count).map_err(|_| VaultError::Row("count"))
        };
        Ok((count("open")?, count("overdue")?))
    }

    /// Destroys what is kept past its date: records under ended holds, values past their life.
    pub async fn purge(&self, now: BlockTime) -> Result<u64, VaultError> {
        let mut change = self.begin().await?;
        let sql = "UPDATE hold SET wrapped_key = NULL, sealed = NULL, purged = ? \
                   WHERE ends <= ? AND purged IS NULL";
        let holds = sqlx::query(sql)
            .bind(row::stamp(now))
            .bind(row::stamp(now))
            .execute(&mut *change.transaction)
            .await?;
        let items = sqlx::query("DELETE FROM item WHERE keep_until <= ?")
            .bind(row::stamp(now))
            .execute(&mut *change.transaction)
            .await?;
        change.commit().await?;
        let gone = holds.rows_affected() + items.rows_affected();
        if gone > 0 {
            self.forget_log().await?;
        }
        Ok(gone)
    }

    /// The record under a hold, for a court or the supervisor; the reading is on record. Nobody
    /// else gets at it: it opens under no other basis.
    pub async fn read_held(
        &self,
        hold: HoldId,
        reader: Reader,
        now: BlockTime,
    ) -> Result<Vec<(String, Personal)>, VaultError> {
        let mut transaction = self.inner.writer.begin_with("BEGIN IMMEDIATE").await?;
        let row = sqlx::query("SELECT * FROM hold WHERE id = ?")
            .bind(hold.0.to_vec())
            .fetch_optional(&mut *transaction)
            .await?
            .ok_or(VaultError::UnknownHold)?;
        let party = PartyId(row::bytes(&row, "party")?);
        let wrapped: Option<&[u8]> = row.try_get("wrapped_key")?;
        let sealed: Option<&[u8]> = row.try_get("sealed")?;
        let (Some(wrapped), Some(sealed)) = (wrapped, sealed) else {
            return Err(VaultError::UnknownHold);
        };
        let bound = context("hold", &party.0, &hold.0);
        let key: KeyBytes = self.inner.keys.unwrap(&bound, wrapped).await?;
        let select = Select { kind: None, names: &[], of_consent: None };
        let basis = Basis::Law(LegalBasis::Authority);
        let access = Access { party, purpose: 0, basis, reader, select, now };
        let permit = gate::permit_for(&mut transaction, &access, &["held_record".into()]).await?;
        let record = DataKey::of(key).open(&permit, "hold", &party.0, &hold.0, sealed)?;
        transaction.commit().await?;
        let items: Vec<HeldItem> = record.parse()?;
        Ok(items.into_iter().map(|item| (item.name, Personal::new(item.value))).collect())
    }

    /// What the law makes the member keep of a party, erased or not.
    pub async fn holds(&self, party: PartyId) -> Result<Vec<HoldView>, VaultError> {
        let sql = "SELECT * FROM hold WHERE party = ? AND purged IS NULL ORDER BY ends LIMIT ?";
        let rows = sqlx::query(sql)
            .bind(party.0.to_vec())
            .bind(PAGE_ROWS_MAX)
            .fetch_all(&self.inner.readers)
            .await?;
        rows.iter().map(read_hold).collect()
    }

    /// Records that are kept under holds for erased parties.
    pub async fn held(&self) -> Result<Vec<HoldView>, VaultError> {
        let sql = "SELECT * FROM hold WHERE sealed IS NOT NULL ORDER BY ends LIMIT ?";
        let rows = sqlx::query(sql).bind(PAGE_ROWS_MAX).fetch_all(&self.inner.readers).await?;
        rows.iter().map(read_hold).collect()
    }
}

async fn erasure_of(
    change: &mut Change,
    party: PartyId,
) -> Result<Option<ErasureView>, VaultError> {
    let row = sqlx::query("SELECT * FROM erasure WHERE party = ?")
        .bind(party.0.to_vec())
        .fetch_optional(&mut *change.transaction)
        .await?;
    row.map(|row| read_erasure(&row)).transpose()
}

async fn holds_of(
    change: &mut Change,
    party: PartyId,
    now: BlockTime,
) -> Result<Vec<HoldView>, VaultError> {
    let rows = sqlx::query("SELECT * FROM hold WHERE party = ? AND ends > ?")
        .bind(party.0.to_vec())
        .bind(row::stamp(now))
        .fetch_all(&mut *change.transaction)
        .await?;
    rows.iter().map(read_hold).collect()
}

/// Seals the due-diligence record again, under a key of its own for each hold.
async fn keep(
    change: &mut Change,
    party: PartyId,
    key: &DataKey,
    holds: &[HoldView],
    now: BlockTime,
) -> Result<(), VaultError> {
    let select = Select { kind: None, names: &[], of_consent: None };
    let basis = Basis::Law(LegalBasis::DueDiligence);
    let reader = Reader("erasure");
    let access = Access { party, purpose: 0, basis, reader, select, now };
    let permit =
        gate::permit_for(&mut change.transaction, &access, &["due_diligence_record".into()])
            .await?;
    let sql = "SELECT id, kind, name, obtained, sealed FROM item WHERE party = ? AND kind <> ? \
               AND category NOT IN (6, 7)";
    let rows = sqlx::query(sql)
        .bind(party.0.to_vec())
        .bind(ItemKind::Consent.code())
        .fetch_all(&mut *change.transaction)
        .await?;
    let held = |row: &SqliteRow| {
        let id: [u8; 16] = row::bytes(row, "id")?;
        let value = key.open(&permit, "item", &party.0, &id, row.try_get("sealed")?)?;
        Ok(HeldItem {
            kind: row.try_get("kind")?,
            name: row.try_get("name")?,
            obtained: row::time_of(row, "obtained")?.0,
            value: value.expose().to_vec(),
        })
    };
    let record = rows.iter().map(held).collect::<Result<Vec<_>, VaultError>>()?;
    let record = Personal::json(&record);
    for hold in holds {
        let own = DataKey::draw();
        let bound = context("hold", &party.0, &hold.id.0);
        let wrapped = change.vault.inner.keys.wrap(&bound, own.bytes()).await?;
        let sealed = own.seal("hold", &party.0, &hold.id.0, &record);
        sqlx::query("UPDATE hold SET wrapped_key = ?, sealed = ? WHERE id = ?")
            .bind(wrapped)
            .bind(sealed)
            .bind(hold.id.0.to_vec())
            .execute(&mut *change.transaction)
            .await?;
    }
    Ok(())
}

/// Destroys the key and everything sealed under it.
async fn destroy(change: &mut Change, party: PartyId, now: BlockTime) -> Result<u64, VaultError> {
    let id = party.0.to_vec();
    let connection = &mut *change.transaction;
    let values = sqlx::query("DELETE FROM item WHERE party = ?")
        .bind(id.clone())
        .execute(&mut *connection)
        .await?
        .rows_affected();
    for sql in [
        "DELETE FROM lookup WHERE party = ?",
        "DELETE FROM link WHERE party = ?1 OR other = ?1",
        "UPDATE receipt SET sealed = NULL WHERE party = ?",
        "DELETE FROM work WHERE party = ?",
    ] {
        sqlx::query(sql).bind(id.clone()).execute(&mut *connection).await?;
    }
    sqlx::query("UPDATE consent SET state = 3, ended = ? WHERE party = ? AND state < 3")
        .bind(row::stamp(now))
        .bind(id.clone())
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE party SET wrapped_key = NULL, erased = ? WHERE id = ?")
        .bind(row::stamp(now))
        .bind(id)
        .execute(&mut *connection)
        .await?;
    Ok(values)
}

fn read_erasure(row: &SqliteRow) -> Result<ErasureView, VaultError> {
    Ok(ErasureView {
        id: row::bytes(row, "id")?,
        party: PartyId(row::bytes(row, "party")?),
        requested: row::time_of(row, "requested")?,
        due: row::time_of(row, "due")?,
        done: row::time_maybe(row, "done")?,
        receipt: row.try_get("receipt")?,
    })
}

fn read_hold(row: &SqliteRow) -> Result<HoldView, VaultError> {
    Ok(HoldView {
        id: HoldId(row::bytes(row, "id")?),
        party: PartyId(row::bytes(row, "party")?),
        law: row.try_get("law")?,
        ends: row::time_of(row, "ends")?,
    })
}
