//! What an agency keeps beside its register: one SQLite file, no personal value in clear.
//!
//! Every method is one transaction: what it promised survives kill −9 when it returns.

use std::{path::Path, sync::Arc};

use etibar_primitives::{BlockTime, Digest, MemberId, OperationId};
use etibar_vault::sqlite::{Durability, migrator, pools};
use sqlx::{Row as _, SqlitePool, sqlite::SqliteRow};

use crate::sealed::{SealFault, StoreKey};

mod act;
mod change;
mod consent;
mod enrolment;
mod grants;
mod issued;
mod notice;
mod receipt;
mod release;

pub use act::{ActContent, ActKind, ActRow};
pub use change::{ChangeRow, ChangeTaken, Consequences, IntentionRow};
pub use consent::{ConsentRow, ConsentState};
pub use enrolment::{EnrolmentRow, EnrolmentTaken, RecoveryRow};
pub use grants::{GRANTS_MAX, GrantStore};
pub use issued::{EntryStanding, Invalidity, IssuedCounts, LIST_ENTRIES, NewEntry, Publication};
pub use issued::{Renewal, StatusEntry};
pub use notice::{NoticeRow, NoticeSums};
pub(crate) use receipt::NewReceipt;
pub use receipt::{Batch, ReceiptRow};
pub use release::{ReleaseRow, ReleaseState};

/// The storage failed: the agency must stop, and comes back to the last commit.
#[derive(Debug, thiserror::Error)]
pub enum StoreFault {
    /// The database said no.
    #[error("the agency's storage failed")]
    Database(#[from] sqlx::Error),
    /// The database could not be brought to this version.
    #[error("the agency's storage cannot be migrated")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A row that this version cannot have written.
    #[error("the agency's storage holds an unreadable {0}")]
    Row(&'static str),
    /// A sealed value does not open: another store key.
    #[error(transparent)]
    Seal(#[from] SealFault),
    /// No list has room for another credential.
    #[error("every status list is full")]
    ListsFull,
}

/// The store of one agency. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
    key: Arc<StoreKey>,
}

impl Store {
    /// Opens the store in `folder`, makes it if there is none, and migrates it.
    pub async fn open(
        folder: &Path,
        key: Arc<StoreKey>,
        durability: Durability,
    ) -> Result<Self, StoreFault> {
        let (writer, readers) = pools(&folder.join("agency.sqlite"), durability).await?;
        let steps = [
            (1, "agency", include_str!("../migrations/agency_0001.sql")),
            (2, "acts", include_str!("../migrations/agency_0002_acts.sql")),
            (3, "standing", include_str!("../migrations/agency_0003_standing.sql")),
            (4, "intention", include_str!("../migrations/agency_0004_intention.sql")),
            (5, "release", include_str!("../migrations/agency_0005_release.sql")),
        ];
        migrator(&steps).run(&writer).await?;
        Ok(Self { writer, readers, key })
    }

    /// The key under which people are tagged and values sealed.
    pub fn key(&self) -> &StoreKey {
        &self.key
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// The next event to ask for, and the time of the last block whose events had their effect.
    pub async fn cursor(&self) -> Result<(u64, BlockTime), StoreFault> {
        let row = sqlx::query("SELECT * FROM cursor").fetch_one(&self.readers).await?;
        Ok((count(&row, "next_event")?, time(&row, "block_time")?))
    }

    /// Ends what the events ended and moves the cursor, in one step. A consent that is not known
    /// yet is remembered: it is not taken later.
    pub async fn take_events(
        &self,
        next: u64,
        at: BlockTime,
        revoked: &[Digest],
    ) -> Result<(), StoreFault> {
        let mut transaction = self.writer.begin().await?;
        for rel in revoked {
            sqlx::query("INSERT INTO revoked (rel, at) VALUES (?, ?) ON CONFLICT (rel) DO NOTHING")
                .bind(bytes(rel))
                .bind(integer(at.0))
                .execute(&mut *transaction)
                .await?;
            sqlx::query(
                "UPDATE consent SET ended = ?, sealed = NULL WHERE rel = ? AND ended IS NULL",
            )
            .bind(integer(at.0))
            .bind(bytes(rel))
            .execute(&mut *transaction)
            .await?;
        }
        sqlx::query("UPDATE cursor SET next_event = ?, block_time = ?")
            .bind(integer(next))
            .bind(integer(at.0))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// A count or a time as SQLite holds it.
///
/// # Panics
/// Above 2^63: no index or time comes there.
fn integer(value: u64) -> i64 {
    i64::try_from(value).expect("indices and times are below 2^63")
}

fn bytes(digest: &Digest) -> Vec<u8> {
    digest.0.to_vec()
}

fn id_bytes(id: OperationId) -> Vec<u8> {
    id.to_bytes().to_vec()
}

fn count(row: &SqliteRow, column: &'static str) -> Result<u64, StoreFault> {
    let value: i64 = row.try_get(column)?;
    u64::try_from(value).map_err(|_| StoreFault::Row(column))
}

fn time(row: &SqliteRow, column: &'static str) -> Result<BlockTime, StoreFault> {
    count(row, column).map(BlockTime)
}

fn optional_time(row: &SqliteRow, column: &'static str) -> Result<Option<BlockTime>, StoreFault> {
    let value: Option<i64> = row.try_get(column)?;
    let value = value.map(|value| u64::try_from(value).map_err(|_| StoreFault::Row(column)));
    Ok(value.transpose()?.map(BlockTime))
}

fn digest(row: &SqliteRow, column: &'static str) -> Result<Digest, StoreFault> {
    let value: &[u8] = row.try_get(column)?;
    value.try_into().map(Digest).map_err(|_| StoreFault::Row(column))
}

fn operation(row: &SqliteRow, column: &'static str) -> Result<OperationId, StoreFault> {
    let value: &[u8] = row.try_get(column)?;
    let value = value.try_into().map_err(|_| StoreFault::Row(column))?;
    Ok(OperationId::from_bytes(value))
}

fn member(row: &SqliteRow, column: &'static str) -> Result<MemberId, StoreFault> {
    let value: i64 = row.try_get(column)?;
    u32::try_from(value).map(MemberId).map_err(|_| StoreFault::Row(column))
}
