//! The edge's own storage: one SQLite file, one writer, group commit.
//!
//! Everything that one batch of inputs changes is written in one transaction, with the event
//! cursor in it: so the effects of an event and the knowledge that it was seen survive together or
//! not at all. `synchronous = FULL` in WAL mode: what was committed survives kill −9 and a loss of
//! power.

use std::{borrow::Cow, collections::HashMap, path::Path};

use etibar_ledger::operation::{OPERATION_BYTES, ReasonCode};
use etibar_primitives::{Amount, BlockTime, Digest, MemberId, OperationId};
use sqlx::{
    QueryBuilder, Sqlite, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::payment::{
    CustomerAccount, Incoming, IncomingKey, Outgoing, OutgoingState, Payload, Proof,
};

mod aliases;
mod incoming;
mod messages;
mod outbox;
mod outgoing;
pub(crate) mod row;

pub use aliases::{AliasRow, AliasState};
pub use incoming::IncomingView;
pub use messages::{CoreMessage, MessageView};
pub use outbox::OutboxEnvelope;
pub use outgoing::OutgoingView;

/// How many rows one statement writes: below SQLite's 32,766 variables with room for all columns.
const ROWS_MAX: usize = 200;
/// Connections for reading beside the one for writing.
const READERS: u32 = 4;

/// The storage failed: the edge must stop, and comes back to the last commit.
#[derive(Debug, thiserror::Error)]
pub enum StoreFault {
    /// The database said no.
    #[error("the edge's storage failed")]
    Database(#[from] sqlx::Error),
    /// The database could not be brought to this version.
    #[error("the edge's storage cannot be migrated")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A row that this version cannot have written.
    #[error("the edge's storage holds an unreadable {0}")]
    Row(&'static str),
}

/// What survives of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// A loss of power loses nothing.
    Full,
    /// Kill −9 loses nothing, a loss of power may: for tests.
    Process,
}

/// The store of one edge.
#[derive(Debug, Clone)]
pub struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
}

/// All that one batch of inputs changes.
#[derive(Debug, Default)]
pub struct Writes {
    /// New payments with their payload.
    pub outgoing_new: Vec<Outgoing>,
    /// Payments that moved on.
    pub outgoing_moved: Vec<OutgoingMove>,
    /// New or moved incoming payments.
    pub incoming: Vec<Incoming>,
    /// Payloads that came.
    pub documents: Vec<(IncomingKey, Payload)>,
    /// What the core is told.
    pub messages: Vec<CoreMessage>,
    /// Sealed envelopes to deliver.
    pub outbox: Vec<(MemberId, Vec<u8>)>,
    /// Aliases that are new or changed.
    pub aliases: Vec<AliasRow>,
    /// The next event to ask for.
    pub cursor: Option<u64>,
}

/// A step of an outgoing payment.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingMove {
    /// Which payment.
    pub uetr: OperationId,
    /// Where it is now.
    pub state: OutgoingState,
    /// Why it was rejected.
    pub reason: Option<ReasonCode>,
    /// How much: less than was ordered, if the creditor's side took less.
    pub amount: Amount,
    /// How the ledger ended it.
    pub proof: Option<Proof>,
}

/// What is needed to go on after a start.
#[derive(Debug, Default)]
pub struct Unfinished {
    /// Outgoing payments in no terminal state, with payloads where they are still needed.
    pub outgoing: Vec<Outgoing>,
    /// Incoming payments in no terminal state, with payloads as they were stored.
    pub incoming: Vec<(Incoming, Option<Payload>)>,
    /// Aliases of this member's customers.
    pub aliases: Vec<AliasRow>,
    /// The next event to ask for.
    pub cursor: u64,
}

impl Writes {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.outgoing_new.is_empty()
            && self.outgoing_moved.is_empty()
            && self.incoming.is_empty()
            && self.documents.is_empty()
            && self.messages.is_empty()
            && self.outbox.is_empty()
            && self.aliases.is_empty()
            && self.cursor.is_none()
    }
}

impl Store {
    /// Opens the store in `folder`, makes it if there is none, and migrates it.
    pub async fn open(folder: &Path, durability: Durability) -> Result<Self, StoreFault> {
        let (writer, readers) = pools(&folder.join("edge.sqlite"), durability).await?;
        migrator(&[(1, "payments", include_str!("../migrations/0001_payments.sql"))])
            .run(&writer)
            .await?;
        Ok(Self { writer, readers })
    }

    /// Writes all of `writes`, or nothing.
    pub async fn commit(&self, writes: &Writes) -> Result<(), StoreFault> {
        if writes.is_empty() {
            return Ok(());
        }
        let mut transaction = self.writer.begin().await?;
        let connection = &mut *transaction;
        outgoing::insert(connection, &writes.outgoing_new).await?;
        outgoing::advance(connection, &writes.outgoing_moved).await?;
        incoming::upsert(connection, &writes.incoming).await?;
        incoming::insert_documents(connection, &writes.documents).await?;
        messages::insert(connection, &writes.messages).await?;
        outbox::insert(connection, &writes.outbox).await?;
        aliases::upsert(connection, &writes.aliases).await?;
        if let Some(next) = writes.cursor {
            let next = row::integer(next);
            sqlx::query("UPDATE cursor SET next_event = ?").bind(next).execute(connection).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Everything that a start needs.
    pub async fn unfinished(&self) -> Result<Unfinished, StoreFault> {
        let next: i64 =
            sqlx::query_scalar("SELECT next_event FROM cursor").fetch_one(&self.readers).await?;
        Ok(Unfinished {
            outgoing: outgoing::open(&self.readers).await?,
            incoming: incoming::open(&self.readers).await?,
            aliases: aliases::all(&self.readers).await?,
            cursor: row::count(next, "cursor")?,
        })
    }

    /// The fingerprints and states of those of `uetrs` that the store knows.
    pub async fn known_outgoing(
        &self,
        uetrs: &[OperationId],
    ) -> Result<HashMap<OperationId, Digest>, StoreFault> {
        outgoing::fingerprints(&self.readers, uetrs).await
    }

    /// Those of `keys` that the store knows.
    pub async fn known_incoming(
        &self,
        keys: &[IncomingKey],
    ) -> Result<Vec<IncomingKey>, StoreFault> {
        incoming::known(&self.readers, keys).await
    }

    /// Payments of the member's own customers, those of `uetrs` that are known.
    pub async fn outgoing(&self, uetrs: &[OperationId]) -> Result<Vec<OutgoingView>, StoreFault> {
        outgoing::views(&self.readers, uetrs).await
    }

    /// Payments that came in one message of the core.
    pub async fn outgoing_of_message(&self, id: &str) -> Result<Vec<OutgoingView>, StoreFault> {
        outgoing::views_of_message(&self.readers, id).await
    }

    /// Payments with this UETR in favour of the member's customers; several only when several
    /// debtor's agents use the same UETR.
    pub async fn incoming(&self, uetr: OperationId) -> Result<Vec<IncomingView>, StoreFault> {
        incoming::views(&self.readers, uetr).await
    }

    /// Messages to the core after `after`, at most `limit`.
    pub async fn messages(&self, after: u64, limit: u32) -> Result<Vec<MessageView>, StoreFault> {
        messages::page(&self.readers, after, limit).await
    }

    /// Sealed envelopes that wait for delivery, the oldest first, at most `limit`.
    pub async fn outbox(&self, limit: u32) -> Result<Vec<OutboxEnvelope>, StoreFault> {
        outbox::page(&self.readers, limit).await
    }

    /// Forgets an envelope that was delivered.
    pub async fn delivered(&self, sequence: i64) -> Result<(), StoreFault> {
        outbox::remove(&self.writer, sequence).await
    }

    /// Keeps a sealed copy at the supervisor; the same again is kept once.
    pub async fn supervise(
        &self,
        digest: &Digest,
        sender: MemberId,
        received: BlockTime,
        envelope: &[u8],
    ) -> Result<(), StoreFault> {
        outbox::supervise(&self.writer, digest, sender, received, envelope).await
    }

    /// How many sealed copies the supervisor holds.
    pub async fn supervised_count(&self) -> Result<u64, StoreFault> {
        outbox::supervised_count(&self.readers).await
    }

    /// Every alias of the member's customers.
    pub async fn aliases(&self) -> Result<Vec<AliasRow>, StoreFault> {
        aliases::all(&self.readers).await
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// The migrations that bring a database to this version, in order.
pub(crate) fn migrator(steps: &[(i64, &'static str, &'static str)]) -> Migrator {
    let migration = |(version, name, sql): &(i64, &'static str, &'static str)| {
        let sql = sqlx::SqlStr::from_static(sql);
        Migration::new(*version, Cow::Borrowed(name), MigrationType::Simple, sql, false)
    };
    Migrator::with_migrations(steps.iter().map(migration).collect())
}

/// One connection that writes, and some that read.
pub(crate) async fn pools(
    file: &Path,
    durability: Durability,
) -> Result<(SqlitePool, SqlitePool), sqlx::Error> {
    let synchronous = match durability {
        Durability::Full => SqliteSynchronous::Full,
        Durability::Process => SqliteSynchronous::Off,
    };
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .pragma("cache_size", "-32768")
        .pragma("wal_autocheckpoint", "4000");
    let writer = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
    let readers = SqlitePoolOptions::new().max_connections(READERS).connect_lazy_with(options);
    Ok((writer, readers))
}

/// `INSERT …` for all of `rows`, some at a time.
pub(crate) async fn insert_rows<T>(
    connection: &mut sqlx::SqliteConnection,
    head: &str,
    tail: &str,
    rows: &[T],
    bind: impl Fn(&mut Bind<'_, '_>, &T) + Copy,
) -> Result<(), sqlx::Error> {
    for chunk in rows.chunks(ROWS_MAX) {
        let mut query = QueryBuilder::<Sqlite>::new(head);
        query.push_values(chunk, |mut tuple, row| bind(&mut Bind(&mut tuple), row));
        query.push(tail);
        query.build().persistent(false).execute(&mut *connection).await?;
    }
    Ok(())
}

/// One row's values on their way into a statement.
pub(crate) struct Bind<'b, 's>(&'b mut sqlx::query_builder::Separated<'s, Sqlite, &'static str>);

impl Bind<'_, '_> {
    /// The row's next value.
    pub(crate) fn put<T>(&mut self, value: T) -> &mut Self
    where
        T: for<'t> sqlx::Encode<'t, Sqlite> + sqlx::Type<Sqlite>,
    {
        self.0.push_bind(value);
        self
    }
}

fn operation_bytes(bytes: &[u8]) -> Result<[u8; OPERATION_BYTES], StoreFault> {
    bytes.try_into().map_err(|_| StoreFault::Row("operation"))
}

fn payload(salt: &[u8], document: Vec<u8>) -> Result<Payload, StoreFault> {
    let salt = salt.try_into().map_err(|_| StoreFault::Row("salt"))?;
    Ok(Payload { salt, document: document.into() })
}

fn account(number: Option<&str>) -> Option<CustomerAccount> {
    number.map(CustomerAccount::new)
}
