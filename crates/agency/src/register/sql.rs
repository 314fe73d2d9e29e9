//! A register in an SQLite database.

use std::{borrow::Cow, collections::BTreeMap, path::Path};

use futures::future::BoxFuture;
use sqlx::{
    Row as _, SqliteConnection, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow},
};

use super::{Ending, HOLDERS_MAX, RECORDS_OF_PERSON_MAX, Record, Register, RegisterFault};
use crate::identifiers::Fin;

/// Connections for reading and writing.
const CONNECTIONS: u32 = 4;

/// A register in one SQLite file.
#[derive(Debug, Clone)]
pub struct SqlRegister {
    pool: SqlitePool,
}

impl SqlRegister {
    /// Opens the database `file`, makes it if there is none, and migrates it.
    pub async fn open(file: &Path) -> Result<Self, RegisterFault> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS);
        let pool = pool.connect_with(options).await?;
        migrator().run(&pool).await?;
        Ok(Self { pool })
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn read(&self, row: &SqliteRow) -> Result<Record, RegisterFault> {
        let (kind, id): (String, String) = (row.try_get("kind")?, row.try_get("id")?);
        let holders: Vec<String> =
            sqlx::query_scalar("SELECT fin FROM holder WHERE kind = ? AND id = ? ORDER BY place")
                .bind(&kind)
                .bind(&id)
                .fetch_all(&self.pool)
                .await?;
        let holders = holders.iter().map(|text| Fin::parse(text)).collect::<Result<_, _>>();
        let claims: String = row.try_get("claims")?;
        let valid_until: Option<String> = row.try_get("valid_until")?;
        let ended: Option<String> = row.try_get("ended")?;
        let valid_until = valid_until.map(|text| text.parse()).transpose();
        Ok(Record {
            kind,
            id,
            holders: holders.map_err(|_| RegisterFault::Row("holder"))?,
            claims: serde_json::from_str(&claims).map_err(|_| RegisterFault::Row("claims"))?,
            valid_until: valid_until.map_err(|_| RegisterFault::Row("day"))?,
            ended: ended
                .map(|text| Ending::parse(&text).ok_or(RegisterFault::Row("ending")))
                .transpose()?,
        })
    }
}

impl Register for SqlRegister {
    fn held_by<'a>(
        &'a self,
        kind: &'a str,
        holder: &'a Fin,
    ) -> BoxFuture<'a, Result<Vec<Record>, RegisterFault>> {
        Box::pin(async move {
            let query = "SELECT record.* FROM holder JOIN record USING (kind, id) \
                         WHERE kind = ? AND fin = ? ORDER BY id LIMIT ?";
            let rows = sqlx::query(query)
                .bind(kind)
                .bind(holder.expose())
                .bind(RECORDS_OF_PERSON_MAX)
                .fetch_all(&self.pool)
                .await?;
            let mut records = Vec::with_capacity(rows.len());
            for row in &rows {
                records.push(self.read(row).await?);
            }
            Ok(records)
        })
    }

    fn record<'a>(
        &'a self,
        kind: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Record>, RegisterFault>> {
        Box::pin(async move {
            let query = sqlx::query("SELECT * FROM record WHERE kind = ? AND id = ?");
            match query.bind(kind).bind(id).fetch_optional(&self.pool).await? {
                Some(row) => Ok(Some(self.read(&row).await?)),
                None => Ok(None),
            }
        })
    }

    fn put<'a>(&'a self, records: &'a [Record]) -> BoxFuture<'a, Result<(), RegisterFault>> {
        Box::pin(async move {
            let mut transaction = self.pool.begin().await?;
            for record in records {
                put(&mut transaction, record).await?;
            }
            transaction.commit().await?;
            Ok(())
        })
    }

    fn counts(&self) -> BoxFuture<'_, Result<BTreeMap<String, u64>, RegisterFault>> {
        Box::pin(async move {
            let query = sqlx::query_as("SELECT kind, count(*) FROM record GROUP BY kind");
            let rows: Vec<(String, i64)> = query.fetch_all(&self.pool).await?;
            let count = |(kind, count)| {
                Ok((kind, u64::try_from(count).map_err(|_| RegisterFault::Row("count"))?))
            };
            rows.into_iter().map(count).collect()
        })
    }
}

async fn put(connection: &mut SqliteConnection, record: &Record) -> Result<(), RegisterFault> {
    if record.holders.is_empty() || record.holders.len() > HOLDERS_MAX {
        return Err(RegisterFault::Row("list of holders"));
    }
    let claims = serde_json::to_string(&record.claims).expect("a JSON map has text keys");
    let query = "INSERT INTO record (kind, id, claims, valid_until, ended) \
                 VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET \
                 claims = excluded.claims, valid_until = excluded.valid_until, \
                 ended = excluded.ended";
    sqlx::query(query)
        .bind(&record.kind)
        .bind(&record.id)
        .bind(claims)
        .bind(record.valid_until.map(|day| day.to_string()))
        .bind(record.ended.map(Ending::as_str))
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM holder WHERE kind = ? AND id = ?")
        .bind(&record.kind)
        .bind(&record.id)
        .execute(&mut *connection)
        .await?;
    for (place, fin) in (0_i64..).zip(&record.holders) {
        sqlx::query("INSERT INTO holder (kind, fin, id, place) VALUES (?, ?, ?, ?)")
            .bind(&record.kind)
            .bind(fin.expose())
            .bind(&record.id)
            .bind(place)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

fn migrator() -> Migrator {
    let sql = include_str!("../../migrations/register_0001_records.sql");
    let sql = sqlx::SqlStr::from_static(sql);
    let kind = MigrationType::Simple;
    Migrator::with_migrations(vec![Migration::new(1, Cow::Borrowed("records"), kind, sql, false)])
}
