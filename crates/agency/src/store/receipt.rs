//! Access receipts: gapless for each consent, anchored in batches.

use etibar_primitives::{BlockTime, Digest, OperationId};
use sqlx::{Row as _, sqlite::SqliteRow};

use super::{
    Store, StoreFault, bytes, count, digest, id_bytes, integer, operation, optional_time, time,
};

/// Receipts of one batch at most.
const BATCH_RECEIPTS_MAX: u32 = 4_096;

/// A receipt as the store holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRow {
    /// Its place among all receipts.
    pub position: u64,
    /// The consent.
    pub rel: Digest,
    /// Its number under the consent, from 1.
    pub sequence: u64,
    /// The request that led to it.
    pub request: OperationId,
    /// The keyed tag of the person.
    pub holder: Digest,
    /// When.
    pub made: BlockTime,
    /// Its leaf in the anchored tree.
    pub leaf: Digest,
    /// The receipt and the answer, sealed.
    pub sealed: Vec<u8>,
    /// The consumer's signature, sealed.
    pub counter_signature: Option<Vec<u8>>,
    /// The batch that it was anchored with.
    pub batch: Option<u64>,
}

/// A batch of receipts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its number.
    pub batch: u64,
    /// The first receipt's position.
    pub first: u64,
    /// The last receipt's position.
    pub last: u64,
    /// The Merkle root over their leaves.
    pub root: Digest,
    /// The operation that anchors it.
    pub operation: OperationId,
    /// The first receipt's moment.
    pub from: BlockTime,
    /// The last receipt's moment.
    pub until: BlockTime,
    /// When the ledger had it.
    pub anchored: Option<BlockTime>,
}

/// What a new receipt is stored with, once its place is known.
pub(crate) struct NewReceipt {
    pub(crate) leaf: Digest,
    pub(crate) sealed: Vec<u8>,
}

impl Store {
    /// Gives the next number under `rel` to `make` and stores what it makes, in one step. `make`
    /// gets the number and the leaf of the receipt before.
    pub(crate) async fn append_receipt<E: From<StoreFault>>(
        &self,
        (rel, request, holder): (&Digest, OperationId, &Digest),
        at: BlockTime,
        make: impl FnOnce(u64, Option<Digest>) -> Result<NewReceipt, E>,
    ) -> Result<ReceiptRow, E> {
        // The only writing connection: no other receipt comes between.
        let fault = |error: sqlx::Error| E::from(StoreFault::Database(error));
        let mut transaction = self.writer.begin().await.map_err(fault)?;
        let query = "SELECT sequence, leaf FROM receipt WHERE rel = ? \
                     ORDER BY sequence DESC LIMIT 1";
        let last = sqlx::query(query).bind(bytes(rel)).fetch_optional(&mut *transaction).await;
        let (sequence, before) = match last.map_err(fault)? {
            Some(row) => (count(&row, "sequence")? + 1, Some(digest(&row, "leaf")?)),
            None => (1, None),
        };
        let NewReceipt { leaf, sealed } = make(sequence, before)?;
        let query = "INSERT INTO receipt (rel, sequence, request, holder, made, leaf, sealed) \
                     VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING position";
        let position: i64 = sqlx::query_scalar(query)
            .bind(bytes(rel))
            .bind(integer(sequence))
            .bind(id_bytes(request))
            .bind(bytes(holder))
            .bind(integer(at.0))
            .bind(bytes(&leaf))
            .bind(&sealed)
            .fetch_one(&mut *transaction)
            .await
            .map_err(fault)?;
        transaction.commit().await.map_err(fault)?;
        let position = u64::try_from(position).map_err(|_| StoreFault::Row("position"))?;
        Ok(ReceiptRow {
            position,
            rel: *rel,
            sequence,
            request,
            holder: *holder,
            made: at,
            leaf,
            sealed,
            counter_signature: None,
            batch: None,
        })
    }

    /// The receipt of a request.
    pub async fn receipt(
        &self,
        rel: &Digest,
        request: OperationId,
    ) -> Result<Option<ReceiptRow>, StoreFault> {
        let query = "SELECT * FROM receipt WHERE rel = ? AND request = ?";
        let row = sqlx::query(query)
            .bind(bytes(rel))
            .bind(id_bytes(request))
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// When the last receipt under a consent was made.
    pub async fn last_receipt(&self, rel: &Digest) -> Result<Option<BlockTime>, StoreFault> {
        let query = "SELECT max(made) AS made FROM receipt WHERE rel = ?";
        let row = sqlx::query(query).bind(bytes(rel)).fetch_one(&self.readers).await?;
        optional_time(&row, "made")
    }

    /// The person's receipts after `after`, at most `limit`; of one consent, or of all.
    pub async fn receipts_of(
        &self,
        holder: &Digest,
        rel: Option<&Digest>,
        after: u64,
        limit: u32,
    ) -> Result<Vec<ReceiptRow>, StoreFault> {
        let query = "SELECT * FROM receipt WHERE holder = ? AND position > ? \
                     AND (? IS NULL OR rel = ?) ORDER BY position LIMIT ?";
        let rel = rel.map(bytes);
        let rows = sqlx::query(query)
            .bind(bytes(holder))
            // The person says it: no position comes after the largest one.
            .bind(i64::try_from(after).unwrap_or(i64::MAX))
            .bind(rel.clone())
            .bind(rel)
            .bind(limit)
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(read).collect()
    }

    /// The person's latest receipts, the newest first, but for those of `without`.
    pub async fn latest_receipts_of(
        &self,
        holder: &Digest,
        without: &Digest,
        limit: u32,
    ) -> Result<Vec<ReceiptRow>, StoreFault> {
        let query =
            "SELECT * FROM receipt WHERE holder = ? AND rel <> ? ORDER BY position DESC LIMIT ?";
        let query = sqlx::query(query).bind(bytes(holder)).bind(bytes(without)).bind(limit);
        query.fetch_all(&self.readers).await?.iter().map(read).collect()
    }

    /// Keeps the consumer's signature under a receipt; a repeat changes nothing.
    pub async fn counter_sign(
        &self,
        rel: &Digest,
        request: OperationId,
        sealed: &[u8],
    ) -> Result<(), StoreFault> {
        let query = "UPDATE receipt SET counter_signature = ? \
                     WHERE rel = ? AND request = ? AND counter_signature IS NULL";
        sqlx::query(query)
            .bind(sealed)
            .bind(bytes(rel))
            .bind(id_bytes(request))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Closes a batch of the receipts that have none, if there are any; `root` gives the root of
    /// their leaves.
    pub async fn close_batch(
        &self,
        operation: OperationId,
        root: impl FnOnce(&[Digest]) -> Digest,
    ) -> Result<Option<Batch>, StoreFault> {
        let mut transaction = self.writer.begin().await?;
        let query = "SELECT position, leaf, made FROM receipt WHERE batch IS NULL \
                     ORDER BY position LIMIT ?";
        let rows = sqlx::query(query).bind(BATCH_RECEIPTS_MAX).fetch_all(&mut *transaction).await?;
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(None) };
        let leaves = rows.iter().map(|row| digest(row, "leaf")).collect::<Result<Vec<_>, _>>()?;
        let newest: Option<i64> =
            sqlx::query_scalar("SELECT max(batch) FROM batch").fetch_one(&mut *transaction).await?;
        let newest = u64::try_from(newest.unwrap_or(0)).map_err(|_| StoreFault::Row("batch"))?;
        let batch = Batch {
            batch: newest + 1,
            first: count(first, "position")?,
            last: count(last, "position")?,
            root: root(&leaves),
            operation,
            from: time(first, "made")?,
            until: time(last, "made")?.max(time(first, "made")?),
            anchored: None,
        };
        let query = "INSERT INTO batch \
                     (batch, first, last, root, operation, span_from, span_until) \
                     VALUES (?, ?, ?, ?, ?, ?, ?)";
        sqlx::query(query)
            .bind(integer(batch.batch))
            .bind(integer(batch.first))
            .bind(integer(batch.last))
            .bind(bytes(&batch.root))
            .bind(id_bytes(operation))
            .bind(integer(batch.from.0))
            .bind(integer(batch.until.0))
            .execute(&mut *transaction)
            .await?;
        sqlx::query("UPDATE receipt SET batch = ? WHERE batch IS NULL AND position <= ?")
            .bind(integer(batch.batch))
            .bind(integer(batch.last))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Some(batch))
    }

    /// When the newest batch's last receipt was made.
    pub async fn newest_batch_time(&self) -> Result<Option<BlockTime>, StoreFault> {
        let query = "SELECT max(span_until) AS newest FROM batch";
        let row = sqlx::query(query).fetch_one(&self.readers).await?;
        optional_time(&row, "newest")
    }

    /// Batches that the ledger does not know yet, the oldest first.
    pub async fn open_batches(&self) -> Result<Vec<Batch>, StoreFault> {
        let query = "SELECT * FROM batch WHERE anchored IS NULL ORDER BY batch";
        let rows = sqlx::query(query).fetch_all(&self.readers).await?;
        rows.iter().map(read_batch).collect()
    }

    /// One batch, with the leaves of its receipts in order.
    pub async fn batch(&self, batch: u64) -> Result<Option<(Batch, Vec<Digest>)>, StoreFault> {
        let query = sqlx::query("SELECT * FROM batch WHERE batch = ?").bind(integer(batch));
        let Some(row) = query.fetch_optional(&self.readers).await? else { return Ok(None) };
        let found = read_batch(&row)?;
        let query = "SELECT leaf FROM receipt WHERE position BETWEEN ? AND ? ORDER BY position";
        let rows = sqlx::query(query)
            .bind(integer(found.first))
            .bind(integer(found.last))
            .fetch_all(&self.readers)
            .await?;
        let leaves = rows.iter().map(|row| digest(row, "leaf")).collect::<Result<_, _>>()?;
        Ok(Some((found, leaves)))
    }

    /// The ledger has the batch.
    pub async fn batch_anchored(&self, batch: u64, at: BlockTime) -> Result<(), StoreFault> {
        sqlx::query("UPDATE batch SET anchored = ? WHERE batch = ?")
            .bind(integer(at.0))
            .bind(integer(batch))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// How many receipts there are, and how many of them no batch holds yet.
    pub async fn receipt_counts(&self) -> Result<(u64, u64), StoreFault> {
        let query = "SELECT count(*) AS made, coalesce(sum(batch IS NULL), 0) AS open FROM receipt";
        let row = sqlx::query(query).fetch_one(&self.readers).await?;
        Ok((count(&row, "made")?, count(&row, "open")?))
    }
}

fn read(row: &SqliteRow) -> Result<ReceiptRow, StoreFault> {
    let batch: Option<i64> = row.try_get("batch")?;
    let batch = batch.map(|batch| u64::try_from(batch).map_err(|_| StoreFault::Row("batch")));
    Ok(ReceiptRow {
        position: count(row, "position")?,
        rel: digest(row, "rel")?,
        sequence: count(row, "sequence")?,
        request: operation(row, "request")?,
        holder: digest(row, "holder")?,
        made: time(row, "made")?,
        leaf: digest(row, "leaf")?,
        sealed: row.try_get("sealed")?,
        counter_signature: row.try_get("counter_signature")?,
        batch: batch.transpose()?,
    })
}

fn read_batch(row: &SqliteRow) -> Result<Batch, StoreFault> {
    Ok(Batch {
        batch: count(row, "batch")?,
        first: count(row, "first")?,
        last: count(row, "last")?,
        root: digest(row, "root")?,
        operation: operation(row, "operation")?,
        from: time(row, "span_from")?,
        until: time(row, "span_until")?,
        anchored: optional_time(row, "anchored")?,
    })
}
