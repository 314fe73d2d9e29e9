//! The gate: no personal value leaves the vault without a stated purpose, a basis and a record.

use std::borrow::Cow;

use etibar_primitives::BlockTime;
use sqlx::{Row as _, Sqlite, Transaction, sqlite::SqliteRow};

use crate::{
    ItemId, ItemKind, PAGE_ROWS_MAX, PartyId, Personal, ReadItem, Vault, VaultError,
    consent::{self, ConsentId, ConsentView},
    row,
};

/// Who reads: a part of the program or a role of the staff; never a person's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader(pub &'static str);

/// A law or duty that allows a reading without consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegalBasis {
    /// Customer due diligence (law 781-VIQ): identity, decisions, evidence; not loan data.
    DueDiligence,
    /// The person asks for its own data (law 998-IIIQ).
    SubjectRequest,
    /// Carrying out a consent: its artefact and secret, nothing else.
    ConsentAdministration,
    /// The customer's contract: the account, nothing else.
    Contract,
    /// A court or the supervisor demands a record under a hold.
    Authority,
}

/// Why a reading is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The person agreed.
    Consent(ConsentId),
    /// The law says so.
    Law(LegalBasis),
}

/// Which values.
#[derive(Debug, Clone, Copy)]
pub struct Select<'a> {
    /// Of which kind; all kinds when `None`.
    pub kind: Option<ItemKind>,
    /// With these names; all when empty.
    pub names: &'a [&'a str],
    /// That came under this consent only.
    pub of_consent: Option<ConsentId>,
}

/// A reading to be made.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    /// Whose data.
    pub party: PartyId,
    /// The purpose's code.
    pub purpose: u16,
    /// Why it is allowed.
    pub basis: Basis,
    /// Who reads.
    pub reader: Reader,
    /// What.
    pub select: Select<'a>,
    /// When.
    pub now: BlockTime,
}

/// What was read; the record of it is on disk.
#[derive(Debug)]
pub struct Reading {
    /// The record's number.
    pub record: i64,
    /// The values, by name.
    pub items: Vec<ReadItem>,
}

/// A record of a reading.
#[derive(Debug, Clone)]
pub struct AccessRecord {
    /// Its number: records have no gaps.
    pub sequence: i64,
    /// Whose data.
    pub party: PartyId,
    /// When.
    pub at: BlockTime,
    /// The purpose's code.
    pub purpose: u16,
    /// The consent, when that was the basis.
    pub consent: Option<ConsentId>,
    /// The law, when that was the basis.
    pub law: Option<String>,
    /// Who read.
    pub reader: String,
    /// What was read.
    pub names: Vec<String>,
}

/// Says that a reading is on record. Made here, beside the insertion, and nowhere else.
pub(crate) struct Permit {
    sequence: i64,
    _private: (),
}

impl LegalBasis {
    /// The stable name in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DueDiligence => "due_diligence",
            Self::SubjectRequest => "subject_request",
            Self::ConsentAdministration => "consent_administration",
            Self::Contract => "contract",
            Self::Authority => "authority",
        }
    }

    /// Whether it reaches values of `kind` and data `category`.
    const fn reaches(self, kind: ItemKind, category: u32) -> bool {
        match self {
            Self::SubjectRequest => true,
            Self::ConsentAdministration => matches!(kind, ItemKind::Consent),
            Self::Contract => matches!(kind, ItemKind::Account),
            Self::DueDiligence => {
                // Employment, income and debts (bits 5, 6, 7) are for the loan alone.
                !matches!(kind, ItemKind::Consent) && !matches!(category, 6 | 7)
            }
            Self::Authority => false,
        }
    }
}

impl<'a> Select<'a> {
    /// All values of one kind.
    pub const fn kind(kind: ItemKind) -> Self {
        Self { kind: Some(kind), names: &[], of_consent: None }
    }

    /// The attributes with these names.
    pub const fn attributes(names: &'a [&'a str]) -> Self {
        Self { kind: Some(ItemKind::Attribute), names, of_consent: None }
    }

    /// A consent's artefact and secret.
    pub const fn consent(consent: ConsentId) -> Self {
        Self { kind: Some(ItemKind::Consent), names: &[], of_consent: Some(consent) }
    }
}

impl Reading {
    /// The value with this name, if it was read.
    pub fn get(&self, name: &str) -> Option<&Personal> {
        self.items.iter().find(|item| item.name == name).map(|item| &item.value)
    }
}

impl Vault {
    /// Reads personal values. The record of it is committed before they are handed out.
    ///
    /// # Errors
    /// A refusal of the gate; nothing was read then, and nothing recorded.
    pub async fn read(&self, access: &Access<'_>) -> Result<Reading, VaultError> {
        let mut transaction = self.inner.writer.begin_with("BEGIN IMMEDIATE").await?;
        let key = self.data_key(&mut transaction, access.party).await?;
        let rows = select(&mut transaction, access).await?;
        check_basis(&mut transaction, access, &rows).await?;
        let names = rows.iter().map(|row| row.try_get("name")).collect::<Result<Vec<&str>, _>>()?;
        let permit = record(&mut transaction, access, &names.join(",")).await?;
        let open = |row: &SqliteRow| {
            let id = ItemId(row::bytes(row, "id")?);
            let sealed = row.try_get("sealed")?;
            Ok(ReadItem {
                id,
                kind: ItemKind::of(row::small(row, "kind")?)?,
                name: row.try_get("name")?,
                consent: row::bytes_maybe(row, "consent")?.map(ConsentId),
                obtained: row::time_of(row, "obtained")?,
                value: key.open(&permit, "item", &access.party.0, &id.0, sealed)?,
            })
        };
        let items = rows.iter().map(open).collect::<Result<_, VaultError>>()?;
        transaction.commit().await?;
        Ok(Reading { record: permit.sequence, items })
    }

    /// The records of readings of a party's data, the oldest first, from after `after` on.
    pub async fn accesses(
        &self,
        party: PartyId,
        after: i64,
    ) -> Result<Vec<AccessRecord>, VaultError> {
        let sql = "SELECT * FROM access WHERE party = ? AND sequence > ? ORDER BY sequence LIMIT ?";
        let rows = sqlx::query(sql)
            .bind(party.0.to_vec())
            .bind(after)
            .bind(PAGE_ROWS_MAX)
            .fetch_all(&self.inner.readers)
            .await?;
        rows.iter().map(access_record).collect()
    }
}

/// How many of the latest records a page shows.
const LATEST_ACCESSES: u32 = 50;

impl Vault {
    /// The latest records of readings of a party's data, the newest first.
    pub async fn latest_accesses(&self, party: PartyId) -> Result<Vec<AccessRecord>, VaultError> {
        let sql = "SELECT * FROM access WHERE party = ? ORDER BY sequence DESC LIMIT ?";
        let rows = sqlx::query(sql)
            .bind(party.0.to_vec())
            .bind(LATEST_ACCESSES)
            .fetch_all(&self.inner.readers)
            .await?;
        rows.iter().map(access_record).collect()
    }
}

/// The rows that a reading wants.
async fn select(
    transaction: &mut Transaction<'static, Sqlite>,
    access: &Access<'_>,
) -> Result<Vec<SqliteRow>, VaultError> {
    let Select { kind, names, of_consent } = access.select;
    let mut query = sqlx::QueryBuilder::<Sqlite>::new("SELECT * FROM item WHERE party = ");
    query.push_bind(access.party.0.to_vec());
    if let Some(kind) = kind {
        query.push(" AND kind = ").push_bind(kind.code());
    }
    if let Some(consent) = of_consent {
        query.push(" AND consent = ").push_bind(consent.0.to_vec());
    }
    if !names.is_empty() {
        query.push(" AND name IN (");
        let mut list = query.separated(", ");
        for name in names {
            list.push_bind((*name).to_owned());
        }
        query.push(")");
    }
    query.push(" AND (keep_until IS NULL OR keep_until > ").push_bind(row::stamp(access.now));
    query.push(") ORDER BY kind, name, obtained, id");
    Ok(query.build().persistent(false).fetch_all(&mut **transaction).await?)
}

async fn check_basis(
    transaction: &mut Transaction<'static, Sqlite>,
    access: &Access<'_>,
    rows: &[SqliteRow],
) -> Result<(), VaultError> {
    match access.basis {
        Basis::Law(law) => {
            for row in rows {
                let kind = ItemKind::of(row::small(row, "kind")?)?;
                if !law.reaches(kind, row::small(row, "category")?) {
                    return Err(VaultError::BasisTooNarrow);
                }
            }
        }
        Basis::Consent(id) => {
            let consent = consent_in(transaction, id).await?;
            if consent.party != access.party {
                return Err(VaultError::UnknownConsent);
            }
            if !consent.in_force(access.now) {
                return Err(VaultError::ConsentNotInForce);
            }
            if consent.purpose != access.purpose {
                return Err(VaultError::OtherPurpose);
            }
            for row in rows {
                let category = row::small(row, "category")?;
                if 1_u32.checked_shl(category).is_none_or(|bit| bit & consent.scope == 0) {
                    return Err(VaultError::OutsideConsent);
                }
            }
        }
    }
    Ok(())
}

async fn consent_in(
    transaction: &mut Transaction<'static, Sqlite>,
    id: ConsentId,
) -> Result<ConsentView, VaultError> {
    let row = sqlx::query("SELECT * FROM consent WHERE id = ?")
        .bind(id.0.to_vec())
        .fetch_optional(&mut **transaction)
        .await?;
    consent::view(&row.ok_or(VaultError::UnknownConsent)?)
}

/// Writes the record, and only then gives the permit.
async fn record(
    transaction: &mut Transaction<'static, Sqlite>,
    access: &Access<'_>,
    names: &str,
) -> Result<Permit, VaultError> {
    let (consent, law) = match access.basis {
        Basis::Consent(consent) => (Some(consent), None),
        Basis::Law(law) => (None, Some(law.name())),
    };
    let sql = "INSERT INTO access (party, at, purpose, consent, law, reader, kind, names) \
               VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    let done = sqlx::query(sql)
        .bind(access.party.0.to_vec())
        .bind(row::stamp(access.now))
        .bind(i64::from(access.purpose))
        .bind(consent.map(|consent| consent.0.to_vec()))
        .bind(law)
        .bind(access.reader.0)
        .bind(access.select.kind.map_or(0, ItemKind::code))
        .bind(names.to_owned())
        .execute(&mut **transaction)
        .await?;
    Ok(Permit { sequence: done.last_insert_rowid(), _private: () })
}

/// The permit of a reading by the vault itself or an authority, with its record.
pub(crate) async fn permit_for(
    transaction: &mut Transaction<'static, Sqlite>,
    access: &Access<'_>,
    names: &[Cow<'_, str>],
) -> Result<Permit, VaultError> {
    record(transaction, access, &names.join(",")).await
}

fn access_record(row: &SqliteRow) -> Result<AccessRecord, VaultError> {
    let names: &str = row.try_get("names")?;
    Ok(AccessRecord {
        sequence: row.try_get("sequence")?,
        party: PartyId(row::bytes(row, "party")?),
        at: row::time_of(row, "at")?,
        purpose: row::purpose(row)?,
        consent: row::bytes_maybe(row, "consent")?.map(ConsentId),
        law: row.try_get("law")?,
        reader: row.try_get("reader")?,
        names: names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
    })
}
