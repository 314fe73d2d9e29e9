//! Passkeys and sessions: who may come in.

use etibar_primitives::BlockTime;
use sqlx::{Row as _, sqlite::SqliteRow};

use super::{Store, StoreFault, integer, time};
use crate::id::PersonId;

/// A passkey as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyRow {
    /// The authenticator's id of it.
    pub credential: Vec<u8>,
    /// Whose it is.
    pub person: PersonId,
    /// The public key and counter, as JSON.
    pub passkey: String,
    /// Since when.
    pub added: BlockTime,
}

/// A browser that is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the token that the browser shows.
    pub token: [u8; 32],
    /// Who is signed in.
    pub person: PersonId,
    /// What the forms of this session carry, so that no other site can send one.
    pub form_key: [u8; 32],
    /// Until when.
    pub expires: BlockTime,
}

impl Store {
    /// Writes a passkey, new or used.
    pub async fn put_passkey(&self, row: &PasskeyRow) -> Result<(), StoreFault> {
        sqlx::query(
            "INSERT INTO passkey (credential, person, passkey, added) VALUES (?, ?, ?, ?) \
             ON CONFLICT (credential) DO UPDATE SET passkey = excluded.passkey \
             WHERE person = excluded.person",
        )
        .bind(row.credential.as_slice())
        .bind(row.person.0.to_vec())
        .bind(row.passkey.as_str())
        .bind(integer(row.added))
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// The passkey with this id.
    pub async fn passkey(&self, credential: &[u8]) -> Result<Option<PasskeyRow>, StoreFault> {
        let row = sqlx::query("SELECT * FROM passkey WHERE credential = ?")
            .bind(credential)
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(read_passkey).transpose()
    }

    /// A person's passkeys, the oldest first.
    pub async fn passkeys(&self, person: PersonId) -> Result<Vec<PasskeyRow>, StoreFault> {
        let rows = sqlx::query("SELECT * FROM passkey WHERE person = ? ORDER BY added, credential")
            .bind(person.0.to_vec())
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(read_passkey).collect()
    }

    /// Takes a passkey away from its person.
    pub async fn remove_passkey(
        &self,
        person: PersonId,
        credential: &[u8],
    ) -> Result<(), StoreFault> {
        sqlx::query("DELETE FROM passkey WHERE person = ? AND credential = ?")
            .bind(person.0.to_vec())
            .bind(credential)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Signs a browser in, and forgets all sessions that have ended.
    pub async fn put_session(&self, session: &Session, now: BlockTime) -> Result<(), StoreFault> {
        sqlx::query("DELETE FROM session WHERE expires <= ?")
            .bind(integer(now))
            .execute(&self.writer)
            .await?;
        sqlx::query("INSERT INTO session (token, person, form_key, expires) VALUES (?, ?, ?, ?)")
            .bind(session.token.to_vec())
            .bind(session.person.0.to_vec())
            .bind(session.form_key.to_vec())
            .bind(integer(session.expires))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// The session of a token's hash, if it has not ended.
    pub async fn session(
        &self,
        token: &[u8; 32],
        now: BlockTime,
    ) -> Result<Option<Session>, StoreFault> {
        let row = sqlx::query("SELECT * FROM session WHERE token = ? AND expires > ?")
            .bind(token.to_vec())
            .bind(integer(now))
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(read_session).transpose()
    }

    /// Signs a browser out.
    pub async fn remove_session(&self, token: &[u8; 32]) -> Result<(), StoreFault> {
        sqlx::query("DELETE FROM session WHERE token = ?")
            .bind(token.to_vec())
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

impl Store {
    /// Signs every browser of a person out but the one of `kept`.
    pub async fn end_other_sessions(&self, kept: &Session) -> Result<(), StoreFault> {
        sqlx::query("DELETE FROM session WHERE person = ? AND token <> ?")
            .bind(kept.person.0.to_vec())
            .bind(kept.token.to_vec())
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

fn read_passkey(row: &SqliteRow) -> Result<PasskeyRow, StoreFault> {
    Ok(PasskeyRow {
        credential: row.try_get("credential")?,
        person: person(row)?,
        passkey: row.try_get("passkey")?,
        added: time(row.try_get("added")?)?,
    })
}

fn read_session(row: &SqliteRow) -> Result<Session, StoreFault> {
    let token: &[u8] = row.try_get("token")?;
    let form_key: &[u8] = row.try_get("form_key")?;
    Ok(Session {
        token: token.try_into().map_err(|_| StoreFault::Row("session"))?,
        person: person(row)?,
        form_key: form_key.try_into().map_err(|_| StoreFault::Row("session"))?,
        expires: time(row.try_get("expires")?)?,
    })
}

fn person(row: &SqliteRow) -> Result<PersonId, StoreFault> {
    let bytes: &[u8] = row.try_get("person")?;
    bytes.try_into().map(PersonId).map_err(|_| StoreFault::Row("person"))
}
