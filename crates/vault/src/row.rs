//! Between SQLite's values and ours.

use etibar_primitives::BlockTime;
use sqlx::{Row as _, sqlite::SqliteRow};

use crate::VaultError;

/// A time as SQLite holds it; past the end of its range is its end.
pub(crate) fn stamp(time: BlockTime) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}

pub(crate) fn time(value: i64) -> Result<BlockTime, VaultError> {
    u64::try_from(value).map(BlockTime).map_err(|_| VaultError::Row("time"))
}

pub(crate) fn time_of(row: &SqliteRow, column: &str) -> Result<BlockTime, VaultError> {
    time(row.try_get(column)?)
}

pub(crate) fn time_maybe(row: &SqliteRow, column: &str) -> Result<Option<BlockTime>, VaultError> {
    row.try_get::<Option<i64>, _>(column)?.map(time).transpose()
}

pub(crate) fn bytes<const N: usize>(row: &SqliteRow, column: &str) -> Result<[u8; N], VaultError> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes.try_into().map_err(|_| VaultError::Row("id"))
}

pub(crate) fn bytes_maybe<const N: usize>(
    row: &SqliteRow,
    column: &str,
) -> Result<Option<[u8; N]>, VaultError> {
    let bytes: Option<&[u8]> = row.try_get(column)?;
    bytes.map(|bytes| bytes.try_into().map_err(|_| VaultError::Row("id"))).transpose()
}

/// A small number: a code, a member, a count.
pub(crate) fn small(row: &SqliteRow, column: &str) -> Result<u32, VaultError> {
    let value: i64 = row.try_get(column)?;
    u32::try_from(value).map_err(|_| VaultError::Row("number"))
}

pub(crate) fn purpose(row: &SqliteRow) -> Result<u16, VaultError> {
    u16::try_from(small(row, "purpose")?).map_err(|_| VaultError::Row("purpose"))
}
