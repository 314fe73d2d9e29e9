//! Everything that stands in a vault's database, column by column, as who steals the file reads it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use sqlx::{AssertSqlSafe, SqlitePool};

/// The shortest value that can be told from chance, in bytes.
const VALUE_BYTES_MIN: usize = 8;
/// Whole numbers above this are times in milliseconds.
const TIME_MIN: i64 = 1 << 40;

/// Where each value stands: each `table.column`.
pub(crate) type Values = BTreeMap<Vec<u8>, BTreeSet<String>>;

/// All values of the vault in `folder`; numbers as the ledger writes them.
pub(crate) async fn values(folder: &Path) -> Values {
    let url = format!("sqlite:{}?mode=ro", folder.join("vault.sqlite").display());
    let pool = SqlitePool::connect(&url).await.expect("a vault");
    let mut values = Values::new();
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&pool).await.expect("tables");
    for table in tables.iter().filter(|name| !name.starts_with("_sqlx")) {
        let columns = sqlx::query_scalar("SELECT name FROM pragma_table_info(?)").bind(table);
        let columns: Vec<String> = columns.fetch_all(&pool).await.expect("columns");
        for column in columns {
            let place = format!("{table}.{column}");
            let texts = format!(
                "SELECT CAST({column} AS BLOB) FROM {table} \
                 WHERE typeof({column}) IN ('blob', 'text') \
                 AND length({column}) >= {VALUE_BYTES_MIN}"
            );
            let texts = sqlx::query_scalar(AssertSqlSafe(texts)).fetch_all(&pool).await;
            let texts: Vec<Vec<u8>> = texts.expect("values");
            let times = format!(
                "SELECT {column} FROM {table} \
                 WHERE typeof({column}) = 'integer' AND {column} > {TIME_MIN}"
            );
            let times = sqlx::query_scalar(AssertSqlSafe(times)).fetch_all(&pool).await;
            let times: Vec<i64> = times.expect("values");
            let times = times.iter().map(|time| time.to_le_bytes().to_vec());
            for value in texts.into_iter().chain(times) {
                values.entry(value).or_default().insert(place.clone());
            }
        }
    }
    pool.close().await;
    values
}
