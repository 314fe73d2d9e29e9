//! Issued credentials, each with an entry of a status list, and the lists as they are served.

use std::collections::BTreeMap;

use etibar_primitives::{BlockTime, Digest, OperationId};
use rand::RngExt as _;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{
    Store, StoreFault, bytes, count, digest, id_bytes, integer, operation, optional_time, time,
};

/// Entries of one status list: one bit each, 128 KiB before compression.
pub const LIST_ENTRIES: u32 = 1 << 20;
/// A list is filled up to here. Entries are drawn at random, so that neighbours in a list have
/// nothing in common; the other half keeps the draws short.
const LIST_FILL: u32 = LIST_ENTRIES / 2;
/// Status lists of one agency at most; the ledger's limit.
const LISTS_MAX: u32 = etibar_ledger::operation::STATUS_LISTS_MAX;
/// Draws for one entry: with half of the list free, more are needed once in 2^64 times.
const DRAWS_MAX: usize = 64;

/// Where a credential's status stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatusEntry {
    /// The list's number.
    pub list: u32,
    /// The entry in it, from 0.
    pub entry: u32,
}

/// Why a credential is not valid any more. The status list does not tell the two apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invalidity {
    /// Loss, theft, death, withdrawal or a recovery: nothing follows from it any more.
    Cause,
    /// The register changed: it may be shown here once more, to fetch its successor.
    Superseded,
}

/// How an issued credential stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryStanding {
    /// It may be relied upon.
    Valid,
    /// It may not.
    Invalid(Invalidity),
}

/// Whether a credential takes the place of one under the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// No: the key is a new one.
    None,
    /// Yes.
    SameKey,
}

/// A credential that is about to be issued, by keyed tags.
#[derive(Debug, Clone, Copy)]
pub struct NewEntry<'a> {
    /// Its type.
    pub kind: &'a str,
    /// The record that it attests.
    pub record: Digest,
    /// Whose.
    pub holder: Digest,
    /// The key that it is bound to, and its type.
    pub key: Digest,
    /// Since when.
    pub issued: BlockTime,
    /// Until before when.
    pub expires: BlockTime,
}

/// Which credentials end together.
#[derive(Debug, Clone, Copy)]
pub(super) enum Under<'a> {
    /// Those that attest a record.
    Record(&'a Digest),
    /// All of a person.
    Holder(&'a Digest),
    /// Those under one key.
    Key(&'a Digest),
}

/// A status list as it is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The list's number.
    pub list: u32,
    /// Rises with every publication.
    pub counter: u64,
    /// When it was published.
    pub published: BlockTime,
    /// The status list token.
    pub token: String,
    /// What the ledger is told of it.
    pub digest: Digest,
    /// The operation that anchors it.
    pub operation: OperationId,
    /// When the ledger had it.
    pub anchored: Option<BlockTime>,
}

/// How many credentials of one kind were issued, and how many of them revoked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IssuedCounts {
    /// All that were ever issued.
    pub issued: u64,
    /// Those that were revoked.
    pub revoked: u64,
}

impl Store {
    /// Takes an entry for a credential, drawn at random.
    ///
    /// A renewal is bound to a key that held such a credential before: an earlier one under the
    /// same key ends with it, so that an answer which was lost leaves nothing behind.
    pub async fn allocate(
        &self,
        new: &NewEntry<'_>,
        renewal: Renewal,
    ) -> Result<StatusEntry, StoreFault> {
        let mut transaction = self.writer.begin().await?;
        if renewal == Renewal::SameKey {
            let under = Under::Key(&new.key);
            invalidate(&mut transaction, under, Invalidity::Superseded).await?;
        }
        let list = open_list(&mut transaction).await?;
        let entry = draw(&mut transaction, list).await?;
        let query = "INSERT INTO issued \
                     (list, entry, kind, record, holder, holder_key, issued, expires, status) \
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)";
        sqlx::query(query)
            .bind(list)
            .bind(entry)
            .bind(new.kind)
            .bind(bytes(&new.record))
            .bind(bytes(&new.holder))
            .bind(bytes(&new.key))
            .bind(integer(new.issued.0))
            .bind(integer(new.expires.0))
            .execute(&mut *transaction)
            .await?;
        sqlx::query("UPDATE status_list SET used = used + 1 WHERE list = ?")
            .bind(list)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(StatusEntry { list, entry })
    }

    /// How the credential at `entry` stands; `None` when there is none.
    pub async fn standing_of(
        &self,
        entry: StatusEntry,
    ) -> Result<Option<EntryStanding>, StoreFault> {
        let query = "SELECT status FROM issued WHERE list = ? AND entry = ?";
        let status: Option<i64> = sqlx::query_scalar(query)
            .bind(entry.list)
            .bind(entry.entry)
            .fetch_optional(&self.readers)
            .await?;
        status.map(EntryStanding::of_number).transpose()
    }

    /// Whether the person held a credential under `key` that a change superseded and nobody
    /// revoked for cause: its successor may be bound to it.
    pub async fn may_renew(&self, holder: &Digest, key: &Digest) -> Result<bool, StoreFault> {
        let query = "SELECT coalesce(sum(status = 2), 0) AS superseded, \
                     coalesce(sum(status = 1), 0) AS revoked \
                     FROM issued WHERE holder_key = ? AND holder = ?";
        let query = sqlx::query(query).bind(bytes(key)).bind(bytes(holder));
        let row = query.fetch_one(&self.readers).await?;
        Ok(count(&row, "superseded")? > 0 && count(&row, "revoked")? == 0)
    }

    /// Revokes every credential that attests a record for cause; how many were valid until now.
    pub async fn revoke_record(&self, record: &Digest) -> Result<u64, StoreFault> {
        let mut transaction = self.writer.begin().await?;
        let under = Under::Record(record);
        let revoked = invalidate(&mut transaction, under, Invalidity::Cause).await?;
        transaction.commit().await?;
        Ok(revoked)
    }

    /// The entries of `list` that are revoked.
    pub async fn revoked_entries(&self, list: u32) -> Result<Vec<u32>, StoreFault> {
        let query = "SELECT entry FROM issued WHERE list = ? AND status <> 0 ORDER BY entry";
        Ok(sqlx::query_scalar(query).bind(list).fetch_all(&self.readers).await?)
    }

    /// The lists that changed since they were published, or were published before `before`.
    pub async fn lists_due(&self, before: BlockTime) -> Result<Vec<(u32, u64)>, StoreFault> {
        let query = "SELECT list, counter FROM status_list WHERE dirty = 1 OR published < ?";
        let rows = sqlx::query(query).bind(integer(before.0)).fetch_all(&self.readers).await?;
        rows.iter().map(|row| Ok((row.try_get("list")?, count(row, "counter")?))).collect()
    }

    /// Stores a publication made from `revoked` entries; whether it still tells the truth. When a
    /// revocation came between, the list stays due.
    pub async fn publish(
        &self,
        publication: &Publication,
        revoked: usize,
    ) -> Result<bool, StoreFault> {
        let mut transaction = self.writer.begin().await?;
        let query = "SELECT count(*) FROM issued WHERE list = ? AND status <> 0";
        let now: i64 =
            sqlx::query_scalar(query).bind(publication.list).fetch_one(&mut *transaction).await?;
        if usize::try_from(now).ok() != Some(revoked) {
            return Ok(false);
        }
        let query = "UPDATE status_list SET dirty = 0, counter = ?, published = ?, token = ?, \
                     digest = ?, operation = ?, anchored = NULL WHERE list = ? AND counter < ?";
        let done = sqlx::query(query)
            .bind(integer(publication.counter))
            .bind(integer(publication.published.0))
            .bind(&publication.token)
            .bind(bytes(&publication.digest))
            .bind(id_bytes(publication.operation))
            .bind(publication.list)
            .bind(integer(publication.counter))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// A list as it is served; `None` when it was never published.
    pub async fn publication(&self, list: u32) -> Result<Option<Publication>, StoreFault> {
        let query = "SELECT * FROM status_list WHERE list = ? AND counter > 0";
        let row = sqlx::query(query).bind(list).fetch_optional(&self.readers).await?;
        row.as_ref().map(read_publication).transpose()
    }

    /// Every list that is served.
    pub async fn publications(&self) -> Result<Vec<Publication>, StoreFault> {
        let query = "SELECT * FROM status_list WHERE counter > 0 ORDER BY list";
        let rows = sqlx::query(query).fetch_all(&self.readers).await?;
        rows.iter().map(read_publication).collect()
    }

    /// The list is to be published again.
    pub async fn make_due(&self, list: u32) -> Result<(), StoreFault> {
        let query = "UPDATE status_list SET dirty = 1 WHERE list = ?";
        sqlx::query(query).bind(list).execute(&self.writer).await?;
        Ok(())
    }

    /// Publications that the ledger does not know yet.
    pub async fn unanchored(&self) -> Result<Vec<Publication>, StoreFault> {
        let query = "SELECT * FROM status_list WHERE counter > 0 AND anchored IS NULL";
        let rows = sqlx::query(query).fetch_all(&self.readers).await?;
        rows.iter().map(read_publication).collect()
    }

    /// The ledger knows the publication with this counter.
    pub async fn anchored(&self, list: u32, counter: u64, at: BlockTime) -> Result<(), StoreFault> {
        sqlx::query("UPDATE status_list SET anchored = ? WHERE list = ? AND counter = ?")
            .bind(integer(at.0))
            .bind(list)
            .bind(integer(counter))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// How many credentials of each kind were issued and revoked.
    pub async fn issued_counts(&self) -> Result<BTreeMap<String, IssuedCounts>, StoreFault> {
        let query = "SELECT kind, count(*) AS issued, sum(status <> 0) AS revoked FROM issued \
                     GROUP BY kind";
        let rows = sqlx::query(query).fetch_all(&self.readers).await?;
        let read = |row: &SqliteRow| {
            let counts =
                IssuedCounts { issued: count(row, "issued")?, revoked: count(row, "revoked")? };
            Ok((row.try_get("kind")?, counts))
        };
        rows.iter().map(read).collect()
    }

    /// How many credentials of a record were issued and revoked.
    pub async fn issued_of_record(&self, record: &Digest) -> Result<IssuedCounts, StoreFault> {
        let query = "SELECT count(*) AS issued, coalesce(sum(status <> 0), 0) AS revoked \
                     FROM issued WHERE record = ?";
        let row = sqlx::query(query).bind(bytes(record)).fetch_one(&self.readers).await?;
        Ok(IssuedCounts { issued: count(&row, "issued")?, revoked: count(&row, "revoked")? })
    }

    /// Forgets credentials that expired before `before`: their entries are free again. Their
    /// lists stay as they are.
    pub async fn sweep_issued(&self, before: BlockTime) -> Result<u64, StoreFault> {
        let query = "DELETE FROM issued WHERE expires < ?";
        let done = sqlx::query(query).bind(integer(before.0)).execute(&self.writer).await?;
        Ok(done.rows_affected())
    }
}

impl Invalidity {
    /// As the database holds it: frozen.
    const fn number(self) -> i64 {
        match self {
            Self::Cause => 1,
            Self::Superseded => 2,
        }
    }
}

impl EntryStanding {
    fn of_number(number: i64) -> Result<Self, StoreFault> {
        match number {
            0 => Ok(Self::Valid),
            1 => Ok(Self::Invalid(Invalidity::Cause)),
            2 => Ok(Self::Invalid(Invalidity::Superseded)),
            _ => Err(StoreFault::Row("status")),
        }
    }
}

/// Ends credentials in the transaction of the caller's change; how many were valid until now. What
/// was superseded is revoked by a cause that comes later; never the other way round.
pub(super) async fn invalidate(
    connection: &mut SqliteConnection,
    under: Under<'_>,
    why: Invalidity,
) -> Result<u64, StoreFault> {
    let (column, tag) = match under {
        Under::Record(tag) => ("record", tag),
        Under::Holder(tag) => ("holder", tag),
        Under::Key(tag) => ("holder_key", tag),
    };
    if why == Invalidity::Cause {
        let query = format!("UPDATE issued SET status = 1 WHERE {column} = ? AND status = 2");
        let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(bytes(tag));
        query.execute(&mut *connection).await?;
    }
    let query =
        format!("UPDATE issued SET status = ? WHERE {column} = ? AND status = 0 RETURNING list");
    let query = sqlx::query_scalar(sqlx::AssertSqlSafe(query)).bind(why.number());
    let lists: Vec<u32> = query.bind(bytes(tag)).fetch_all(&mut *connection).await?;
    let ended = u64::try_from(lists.len()).expect("a length fits 64 bits");
    for list in lists.into_iter().collect::<std::collections::BTreeSet<_>>() {
        sqlx::query("UPDATE status_list SET dirty = 1 WHERE list = ?")
            .bind(list)
            .execute(&mut *connection)
            .await?;
    }
    Ok(ended)
}

/// The newest list with room; a new one when there is none.
async fn open_list(connection: &mut SqliteConnection) -> Result<u32, StoreFault> {
    let query = "SELECT list, used FROM status_list ORDER BY list DESC LIMIT 1";
    let newest = sqlx::query(query).fetch_optional(&mut *connection).await?;
    let list = match newest {
        Some(row) => {
            let (list, used): (u32, u32) = (row.try_get("list")?, row.try_get("used")?);
            if used < LIST_FILL {
                return Ok(list);
            }
            list + 1
        }
        None => 0,
    };
    if list >= LISTS_MAX {
        return Err(StoreFault::ListsFull);
    }
    let query = "INSERT INTO status_list \
                 (list, used, dirty, counter, published, token, digest, operation) \
                 VALUES (?, 0, 1, 0, 0, '', zeroblob(32), zeroblob(16))";
    sqlx::query(query).bind(list).execute(connection).await?;
    Ok(list)
}

async fn draw(connection: &mut SqliteConnection, list: u32) -> Result<u32, StoreFault> {
    for _ in 0..DRAWS_MAX {
        let entry = rand::rng().random_range(0..LIST_ENTRIES);
        let query = "SELECT count(*) FROM issued WHERE list = ? AND entry = ?";
        let taken: i64 =
            sqlx::query_scalar(query).bind(list).bind(entry).fetch_one(&mut *connection).await?;
        if taken == 0 {
            return Ok(entry);
        }
    }
    Err(StoreFault::ListsFull)
}

fn read_publication(row: &SqliteRow) -> Result<Publication, StoreFault> {
    Ok(Publication {
        list: row.try_get("list")?,
        counter: count(row, "counter")?,
        published: time(row, "published")?,
        token: row.try_get("token")?,
        digest: digest(row, "digest")?,
        operation: operation(row, "operation")?,
        anchored: optional_time(row, "anchored")?,
    })
}
