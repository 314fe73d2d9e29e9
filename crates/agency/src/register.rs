//! An agency's register: its own system of record, behind one trait.
//!
//! The register is the agency's, not ours: what an agency holds anyway stays where it is, and this
//! is how we read it. [`CsvRegister`] reads and writes files, one for each kind of record;
//! [`SqlRegister`] keeps an SQLite database. PostgreSQL by URL is not there yet: the statements are
//! plain SQL, only the driver is missing.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{date::Date, identifiers::Fin};

mod csv;
mod sql;
#[cfg(test)]
mod tests;

pub use csv::CsvRegister;
pub use sql::SqlRegister;

/// People that may be given one record as a credential, at most: the representatives of a company.
pub const HOLDERS_MAX: usize = 16;
/// Records of one kind for one person, at most: more are not read.
pub const RECORDS_OF_PERSON_MAX: u32 = 100;

/// One entry of a register: what can be attested with one credential.
///
/// Personal data: `Debug` shows the kind only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The credential type (`vct`) that attests it.
    pub kind: String,
    /// The register's own id, unique in its kind.
    pub id: String,
    /// Who may be given it: the person, a child's guardian, a company's director.
    pub holders: Vec<Fin>,
    /// Claims as the credential type names them.
    pub claims: Map<String, Value>,
    /// The last day on which it is valid, such as a document's expiry.
    pub valid_until: Option<Date>,
    /// Why it is over, if it is.
    pub ended: Option<Ending>,
}

/// Why a record is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The person died.
    Died,
    /// The document or right was withdrawn.
    Withdrawn,
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Record {
    /// Whether it can be attested on `today`.
    pub fn is_in_force(&self, today: Date) -> bool {
        self.ended.is_none() && self.valid_until.is_none_or(|last| today <= last)
    }
}

/// The register failed, or holds what it cannot. Says nothing of a record's content.
#[derive(Debug, thiserror::Error)]
pub enum RegisterFault {
    /// A file cannot be read or written.
    #[error("the register's file {path}: {source}")]
    File {
        /// Which, without its folder.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A line of a file is no record.
    #[error("the register's file {path}, line {line}, is no record")]
    Line {
        /// Which file, without its folder.
        path: String,
        /// Which line, from 1.
        line: u64,
    },
    /// The database said no.
    #[error("the register's database failed")]
    Database(#[from] sqlx::Error),
    /// The database could not be brought to this version.
    #[error("the register's database cannot be migrated")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A row that this version cannot have written.
    #[error("the register holds an unreadable {0}")]
    Row(&'static str),
    /// The register has no such kind of record.
    #[error("the register has no records of this kind")]
    Kind,
}

impl RegisterFault {
    /// The stable code in interfaces.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Kind => "record_kind_unknown",
            _ => "register_failed",
        }
    }
}

/// A system of record.
pub trait Register: Send + Sync + 'static {
    /// The records of `kind` that `holder` may be given, in the order of their ids; at most
    /// [`RECORDS_OF_PERSON_MAX`].
    fn held_by<'a>(
        &'a self,
        kind: &'a str,
        holder: &'a Fin,
    ) -> BoxFuture<'a, Result<Vec<Record>, RegisterFault>>;

    /// One record.
    fn record<'a>(
        &'a self,
        kind: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Record>, RegisterFault>>;

    /// Writes records, all or none; those with the same kind and id are replaced.
    fn put<'a>(&'a self, records: &'a [Record]) -> BoxFuture<'a, Result<(), RegisterFault>>;

    /// How many records of each kind there are.
    fn counts(&self) -> BoxFuture<'_, Result<BTreeMap<String, u64>, RegisterFault>>;
}

impl Ending {
    /// As files and databases hold it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Died => "died",
            Self::Withdrawn => "withdrawn",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Died, Self::Withdrawn].into_iter().find(|ending| ending.as_str() == text)
    }
}
