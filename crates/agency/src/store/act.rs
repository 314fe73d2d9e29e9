//! What clerks did: each look at a person, too.

use etibar_primitives::{BlockTime, Digest};
use serde::{Deserialize, Serialize};
use sqlx::{Row as _, sqlite::SqliteRow};

use super::{Store, StoreFault, bytes, count, digest, integer, time};

/// What a clerk does with a person's entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActKind {
    /// Looks at it.
    LookedUp,
    /// Changes it.
    Changed,
    /// Revokes the credentials that attest it.
    Revoked,
    /// Releases a credential that waits.
    Released,
    /// Refuses it.
    Refused,
}

/// Who did it, why, and what about.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActContent {
    /// The clerk, as the agency names it.
    pub by: String,
    /// Why, in the clerk's words.
    pub reason: String,
    /// The type and the claims that it was about; all that there are when empty.
    pub about: Vec<String>,
}

/// An act as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct ActRow {
    /// Its number.
    pub sequence: u64,
    /// When.
    pub at: BlockTime,
    /// What: a stable word.
    pub what: String,
    /// Whose entry: a keyed tag.
    pub subject: Digest,
    /// Who, why and what about.
    pub content: ActContent,
}

impl ActKind {
    /// The stable word in the store and in interfaces.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LookedUp => "looked_up",
            Self::Changed => "changed",
            Self::Revoked => "revoked",
            Self::Released => "released",
            Self::Refused => "refused",
        }
    }
}

impl Store {
    /// Writes down what a clerk is about to do.
    pub async fn note_act(
        &self,
        what: ActKind,
        subject: &Digest,
        content: &ActContent,
        at: BlockTime,
    ) -> Result<(), StoreFault> {
        let sealed = self.key().seal("act", &subject.0, content);
        sqlx::query("INSERT INTO act (at, what, subject, sealed) VALUES (?, ?, ?, ?)")
            .bind(integer(at.0))
            .bind(what.name())
            .bind(bytes(subject))
            .bind(sealed)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// The latest acts, the newest first; on one person or company, or on all.
    pub async fn latest_acts(
        &self,
        subject: Option<&Digest>,
        limit: u32,
    ) -> Result<Vec<ActRow>, StoreFault> {
        let query = "SELECT * FROM act WHERE (? IS NULL OR subject = ?) \
                     ORDER BY sequence DESC LIMIT ?";
        let subject = subject.map(bytes);
        let rows = sqlx::query(query)
            .bind(subject.clone())
            .bind(subject)
            .bind(limit)
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(|row| self.read_act(row)).collect()
    }

    fn read_act(&self, row: &SqliteRow) -> Result<ActRow, StoreFault> {
        let subject = digest(row, "subject")?;
        let sealed: &[u8] = row.try_get("sealed")?;
        Ok(ActRow {
            sequence: count(row, "sequence")?,
            at: time(row, "at")?,
            what: row.try_get("what")?,
            content: self.key().open("act", &subject.0, sealed)?,
            subject,
        })
    }
}
