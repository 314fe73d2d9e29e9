//! Aliases of the member's customers, by their keyed tags.

use etibar_ledger::operation::OPERATION_BYTES;
use etibar_primitives::Digest;
use sqlx::{Row as _, SqliteConnection, SqlitePool, sqlite::SqliteRow};

use super::{StoreFault, insert_rows, operation_bytes};
use crate::payment::CustomerAccount;

/// Where an alias's registration is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AliasState {
    /// Submitted to the ledger.
    Asked,
    /// On the ledger.
    Active,
    /// Registered again elsewhere: the newest registration wins.
    Lost,
    /// The ledger refused it.
    Refused,
}

/// An alias of a customer.
#[derive(Debug, Clone)]
pub struct AliasRow {
    /// The keyed tag under which the ledger knows it.
    pub tag: Digest,
    /// The random handle on the ledger.
    pub locator: [u8; 16],
    /// The account it stands for.
    pub account: CustomerAccount,
    /// Where its registration is.
    pub state: AliasState,
    /// The registration exactly as it is submitted.
    pub operation: [u8; OPERATION_BYTES],
}

impl AliasState {
    const ALL: [Self; 4] = [Self::Asked, Self::Active, Self::Lost, Self::Refused];

    const fn code(self) -> i64 {
        match self {
            Self::Asked => 0,
            Self::Active => 1,
            Self::Lost => 2,
            Self::Refused => 3,
        }
    }

    /// The stable name in interfaces.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Active => "active",
            Self::Lost => "lost",
            Self::Refused => "refused",
        }
    }
}

pub(super) async fn upsert(
    connection: &mut SqliteConnection,
    aliases: &[AliasRow],
) -> Result<(), sqlx::Error> {
    let head = "INSERT INTO alias (tag, locator, account, state, operation) ";
    let tail = " ON CONFLICT (tag) DO UPDATE SET locator = excluded.locator, \
                account = excluded.account, state = excluded.state, \
                operation = excluded.operation";
    insert_rows(connection, head, tail, aliases, |bind, alias| {
        bind.put(alias.tag.0.to_vec())
            .put(alias.locator.to_vec())
            .put(alias.account.expose().to_owned())
            .put(alias.state.code())
            .put(alias.operation.to_vec());
    })
    .await
}

pub(super) async fn all(pool: &SqlitePool) -> Result<Vec<AliasRow>, StoreFault> {
    let rows = sqlx::query("SELECT * FROM alias ORDER BY tag").fetch_all(pool).await?;
    rows.iter().map(read).collect()
}

fn read(row: &SqliteRow) -> Result<AliasRow, StoreFault> {
    let tag: &[u8] = row.try_get("tag")?;
    let locator: &[u8] = row.try_get("locator")?;
    let code: i64 = row.try_get("state")?;
    let state = AliasState::ALL.into_iter().find(|state| state.code() == code);
    Ok(AliasRow {
        tag: Digest(tag.try_into().map_err(|_| StoreFault::Row("alias tag"))?),
        locator: locator.try_into().map_err(|_| StoreFault::Row("alias locator"))?,
        account: CustomerAccount::new(row.try_get("account")?),
        state: state.ok_or(StoreFault::Row("alias state"))?,
        operation: operation_bytes(row.try_get("operation")?)?,
    })
}
