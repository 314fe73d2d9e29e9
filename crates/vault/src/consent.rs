//! Consents that the member holds: what the gate asks for.

use etibar_primitives::{BlockTime, MemberId};
use sqlx::sqlite::SqliteRow;

use crate::{PAGE_ROWS_MAX, PartyId, Personal, Vault, VaultError, row};

/// A consent of this vault: random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsentId(pub [u8; 16]);

/// Where a consent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsentState {
    /// Signed by the person, not on the ledger yet: nothing may be read or fetched under it.
    Drafted,
    /// Granted on the ledger, verified.
    Granted,
    /// Revoked on the ledger, or by the erasure.
    Revoked,
    /// The ledger refused the grant.
    Refused,
}

/// A consent to write down.
#[derive(Debug)]
pub struct NewConsent {
    /// Its id.
    pub id: ConsentId,
    /// Whose.
    pub party: PartyId,
    /// The random name of the relationship on the ledger; kept as a keyed tag.
    pub rel: [u8; 32],
    /// Who provides the data.
    pub provider: MemberId,
    /// The purpose's code.
    pub purpose: u16,
    /// The data categories' bits.
    pub scope: u32,
    /// When it ends by itself.
    pub expires: BlockTime,
    /// The artefact, r and whatever else belongs to it: sealed.
    pub secret: Personal,
}

/// A consent without its content.
#[derive(Debug, Clone, Copy)]
pub struct ConsentView {
    /// Which.
    pub id: ConsentId,
    /// Whose.
    pub party: PartyId,
    /// Who provides the data.
    pub provider: MemberId,
    /// The purpose's code.
    pub purpose: u16,
    /// The data categories' bits.
    pub scope: u32,
    /// Where it is.
    pub state: ConsentState,
    /// When it was written down.
    pub created: BlockTime,
    /// When it ends by itself.
    pub expires: BlockTime,
    /// When it was revoked or refused.
    pub ended: Option<BlockTime>,
}

impl ConsentState {
    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::Drafted => 1,
            Self::Granted => 2,
            Self::Revoked => 3,
            Self::Refused => 4,
        }
    }

    const fn of(code: u32) -> Result<Self, VaultError> {
        match code {
            1 => Ok(Self::Drafted),
            2 => Ok(Self::Granted),
            3 => Ok(Self::Revoked),
            4 => Ok(Self::Refused),
            _ => Err(VaultError::Row("state of a consent")),
        }
    }

    /// The stable name in interfaces.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Drafted => "drafted",
            Self::Granted => "granted",
            Self::Revoked => "revoked",
            Self::Refused => "refused",
        }
    }
}

impl ConsentView {
    /// Whether data may be used under it.
    pub fn in_force(&self, now: BlockTime) -> bool {
        self.state == ConsentState::Granted && now < self.expires
    }
}

impl Vault {
    /// A consent.
    pub async fn consent(&self, consent: ConsentId) -> Result<ConsentView, VaultError> {
        let row = sqlx::query("SELECT * FROM consent WHERE id = ?")
            .bind(consent.0.to_vec())
            .fetch_optional(&self.inner.readers)
            .await?;
        view(&row.ok_or(VaultError::UnknownConsent)?)
    }

    /// The consent with this name on the ledger.
    pub async fn consent_of_rel(&self, rel: &[u8; 32]) -> Result<ConsentView, VaultError> {
        let row = sqlx::query("SELECT * FROM consent WHERE rel_tag = ?")
            .bind(self.rel_tag(rel).to_vec())
            .fetch_optional(&self.inner.readers)
            .await?;
        view(&row.ok_or(VaultError::UnknownConsent)?)
    }

    /// A party's consents, the oldest first.
    pub async fn consents(&self, party: PartyId) -> Result<Vec<ConsentView>, VaultError> {
        let sql = "SELECT * FROM consent WHERE party = ? ORDER BY created, id LIMIT ?";
        let rows = sqlx::query(sql)
            .bind(party.0.to_vec())
            .bind(PAGE_ROWS_MAX)
            .fetch_all(&self.inner.readers)
            .await?;
        rows.iter().map(view).collect()
    }

    /// The latest consents of all parties, the newest first: for the member's staff.
    pub async fn latest_consents(&self, limit: u32) -> Result<Vec<ConsentView>, VaultError> {
        let rows = sqlx::query("SELECT * FROM consent ORDER BY created DESC, id LIMIT ?")
            .bind(limit.min(PAGE_ROWS_MAX))
            .fetch_all(&self.inner.readers)
            .await?;
        rows.iter().map(view).collect()
    }
}

pub(crate) fn view(row: &SqliteRow) -> Result<ConsentView, VaultError> {
    Ok(ConsentView {
        id: ConsentId(row::bytes(row, "id")?),
        party: PartyId(row::bytes(row, "party")?),
        provider: MemberId(row::small(row, "provider")?),
        purpose: row::purpose(row)?,
        scope: row::small(row, "scope")?,
        state: ConsentState::of(row::small(row, "state")?)?,
        created: row::time_of(row, "created")?,
        expires: row::time_of(row, "expires")?,
        ended: row::time_maybe(row, "ended")?,
    })
}
