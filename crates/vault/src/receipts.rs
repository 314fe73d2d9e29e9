//! Access receipts: gapless per relationship, anchored in batches.

use etibar_primitives::{BlockTime, Digest, merkle};
use sqlx::{Row as _, sqlite::SqliteRow};

use crate::{
    Access, Basis, Change, LegalBasis, PAGE_ROWS_MAX, PartyId, Personal, Reader, Select, Vault,
    VaultError, gate, random_id, row,
};

/// The largest batch of receipts in one anchor.
pub const ANCHOR_RECEIPTS_MAX: u32 = 4_096;

/// A batch of receipts, to be anchored or anchored.
#[derive(Debug, Clone, Copy)]
pub struct Anchor {
    /// Its id: the ledger operation's.
    pub id: [u8; 16],
    /// The Merkle root over the receipts' digests.
    pub root: Digest,
    /// How many.
    pub count: u32,
    /// The time of its first receipt.
    pub begins: BlockTime,
    /// The time of its last.
    pub ends: BlockTime,
}

/// A receipt with what proves it.
#[derive(Debug)]
pub struct KeptReceipt {
    /// Its number in its relationship, from 1.
    pub number: u64,
    /// The receipt, as it was given.
    pub receipt: Personal,
    /// The executed anchor, the place in it and the path; `None` until then.
    pub proof: Option<(Anchor, u64, merkle::Path)>,
}

impl Change {
    /// The number that the next receipt of `rel` takes: without a gap from 1.
    pub async fn next_receipt(&mut self, rel: &[u8; 32]) -> Result<u64, VaultError> {
        let last: i64 =
            sqlx::query_scalar("SELECT coalesce(max(number), 0) FROM receipt WHERE rel_tag = ?")
                .bind(self.vault.rel_tag(rel).to_vec())
                .fetch_one(&mut *self.transaction)
                .await?;
        u64::try_from(last + 1).map_err(|_| VaultError::Row("receipt number"))
    }

    /// The digest of the last receipt of `rel`, to be named in the next.
    pub async fn last_receipt(&mut self, rel: &[u8; 32]) -> Result<Option<Digest>, VaultError> {
        let sql = "SELECT leaf FROM receipt WHERE rel_tag = ? ORDER BY number DESC LIMIT 1";
        let row = sqlx::query(sql)
            .bind(self.vault.rel_tag(rel).to_vec())
            .fetch_optional(&mut *self.transaction)
            .await?;
        row.map(|row| row::bytes(&row, "leaf").map(Digest)).transpose()
    }

    /// Keeps a receipt. The same number of the same relationship again changes nothing.
    pub async fn put_receipt(
        &mut self,
        party: PartyId,
        rel: &[u8; 32],
        number: u64,
        leaf: Digest,
        receipt: &Personal,
        now: BlockTime,
    ) -> Result<(), VaultError> {
        let key = self.vault.clone().data_key(&mut self.transaction, party).await?;
        let tag = self.vault.rel_tag(rel);
        let sealed = key.seal("receipt", &party.0, &place(&tag, number), receipt);
        let sql = "INSERT INTO receipt (party, rel_tag, number, leaf, at, sealed) \
                   VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (rel_tag, number) DO NOTHING";
        sqlx::query(sql)
            .bind(party.0.to_vec())
            .bind(tag.to_vec())
            .bind(i64::try_from(number).map_err(|_| VaultError::Row("receipt number"))?)
            .bind(leaf.0.to_vec())
            .bind(row::stamp(now))
            .bind(sealed)
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    /// Makes a batch of the receipts that are in none yet; `None` when there are none.
    pub async fn make_anchor(&mut self) -> Result<Option<Anchor>, VaultError> {
        let sql = "SELECT sequence, leaf, at FROM receipt WHERE anchor IS NULL \
                   ORDER BY sequence LIMIT ?";
        let rows =
            sqlx::query(sql).bind(ANCHOR_RECEIPTS_MAX).fetch_all(&mut *self.transaction).await?;
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(None) };
        let leaves = rows
            .iter()
            .map(|row| row::bytes(row, "leaf").map(Digest))
            .collect::<Result<Vec<_>, _>>()?;
        let anchor = Anchor {
            id: random_id(),
            root: merkle::root(&leaves),
            count: u32::try_from(rows.len()).map_err(|_| VaultError::Row("anchor"))?,
            begins: row::time_of(first, "at")?,
            ends: row::time_of(last, "at")?,
        };
        for (place, row) in (0_i64..).zip(&rows) {
            sqlx::query("UPDATE receipt SET anchor = ?, place = ? WHERE sequence = ?")
                .bind(anchor.id.to_vec())
                .bind(place)
                .bind(row.try_get::<i64, _>("sequence")?)
                .execute(&mut *self.transaction)
                .await?;
        }
        sqlx::query("INSERT INTO anchor VALUES (?, ?, ?, ?, ?, 0)")
            .bind(anchor.id.to_vec())
            .bind(anchor.root.0.to_vec())
            .bind(i64::from(anchor.count))
            .bind(row::stamp(anchor.begins))
            .bind(row::stamp(anchor.ends))
            .execute(&mut *self.transaction)
            .await?;
        Ok(Some(anchor))
    }

    /// The ledger has the batch.
    pub async fn anchored(&mut self, id: [u8; 16]) -> Result<(), VaultError> {
        sqlx::query("UPDATE anchor SET executed = 1 WHERE id = ?")
            .bind(id.to_vec())
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }
}

impl Vault {
    /// Batches that are not on the ledger yet.
    pub async fn open_anchors(&self) -> Result<Vec<Anchor>, VaultError> {
        let rows = sqlx::query("SELECT * FROM anchor WHERE executed = 0 ORDER BY begins LIMIT ?")
            .bind(PAGE_ROWS_MAX)
            .fetch_all(&self.inner.readers)
            .await?;
        rows.iter().map(read_anchor).collect()
    }

    /// How many receipts are in no batch yet.
    pub async fn receipts_waiting(&self) -> Result<u64, VaultError> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM receipt WHERE anchor IS NULL")
            .fetch_one(&self.inner.readers)
            .await?;
        u64::try_from(count).map_err(|_| VaultError::Row("count"))
    }

    /// The receipts of a relationship for its person, with their proofs; the reading is on record.
    pub async fn receipts(
        &self,
        party: PartyId,
        rel: &[u8; 32],
        reader: Reader,
        purpose: u16,
        now: BlockTime,
    ) -> Result<Vec<KeptReceipt>, VaultError> {
        let mut transaction = self.inner.writer.begin_with("BEGIN IMMEDIATE").await?;
        let key = self.data_key(&mut transaction, party).await?;
        let tag = self.rel_tag(rel);
        let sql = "SELECT * FROM receipt WHERE rel_tag = ? AND party = ? ORDER BY number LIMIT ?";
        let rows = sqlx::query(sql)
            .bind(tag.to_vec())
            .bind(party.0.to_vec())
            .bind(PAGE_ROWS_MAX)
            .fetch_all(&mut *transaction)
            .await?;
        let select = Select { kind: None, names: &[], of_consent: None };
        let basis = Basis::Law(LegalBasis::SubjectRequest);
        let access = Access { party, purpose, basis, reader, select, now };
        let permit = gate::permit_for(&mut transaction, &access, &["receipts".into()]).await?;
        let mut kept = Vec::with_capacity(rows.len());
        for row in &rows {
            let number = u64::try_from(row.try_get::<i64, _>("number")?)
                .map_err(|_| VaultError::Row("receipt number"))?;
            let sealed: Option<&[u8]> = row.try_get("sealed")?;
            let sealed = sealed.ok_or(VaultError::Erased)?;
            let receipt = key.open(&permit, "receipt", &party.0, &place(&tag, number), sealed)?;
            kept.push(KeptReceipt { number, receipt, proof: proof(&mut transaction, row).await? });
        }
        transaction.commit().await?;
        Ok(kept)
    }
}

/// The proof of a receipt whose batch is on the ledger.
async fn proof(
    transaction: &mut sqlx::Transaction<'static, sqlx::Sqlite>,
    row: &SqliteRow,
) -> Result<Option<(Anchor, u64, merkle::Path)>, VaultError> {
    let Some(id) = row::bytes_maybe::<16>(row, "anchor")? else { return Ok(None) };
    let anchor = sqlx::query("SELECT * FROM anchor WHERE id = ? AND executed = 1")
        .bind(id.to_vec())
        .fetch_optional(&mut **transaction)
        .await?;
    let Some(anchor) = anchor.map(|row| read_anchor(&row)).transpose()? else { return Ok(None) };
    let leaves = sqlx::query("SELECT leaf FROM receipt WHERE anchor = ? ORDER BY place")
        .bind(id.to_vec())
        .fetch_all(&mut **transaction)
        .await?;
    let leaves = leaves
        .iter()
        .map(|row| row::bytes(row, "leaf").map(Digest))
        .collect::<Result<Vec<_>, _>>()?;
    let place = usize::try_from(row::small(row, "place")?).map_err(|_| VaultError::Row("place"))?;
    let path = merkle::path(&leaves, place).ok_or(VaultError::Row("place"))?;
    let index = u64::from(row::small(row, "place")?);
    Ok(Some((anchor, index, path)))
}

fn read_anchor(row: &SqliteRow) -> Result<Anchor, VaultError> {
    Ok(Anchor {
        id: row::bytes(row, "id")?,
        root: Digest(row::bytes(row, "root")?),
        count: row::small(row, "count")?,
        begins: row::time_of(row, "begins")?,
        ends: row::time_of(row, "ends")?,
    })
}

/// What a receipt's seal is bound to.
fn place(tag: &[u8; 32], number: u64) -> Vec<u8> {
    [tag.as_slice(), &number.to_be_bytes()].concat()
}
