//! Payments in favour of the member's customers.

use etibar_ledger::operation::{OPERATION_BYTES, ReasonCode};
use etibar_primitives::{Amount, BlockTime, OperationId};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection, SqlitePool, sqlite::SqliteRow};

use super::{ROWS_MAX, StoreFault, account, insert_rows, operation_bytes, payload, row};
use crate::payment::{Incoming, IncomingKey, IncomingState, Payload, Proof};

/// A payment as its bank may see it.
#[derive(Debug, Clone)]
pub struct IncomingView {
    /// Which.
    pub key: IncomingKey,
    /// Where it is.
    pub state: IncomingState,
    /// Why it was refused.
    pub reason: Option<ReasonCode>,
    /// How much.
    pub amount: Amount,
    /// When the edge first heard of it.
    pub seen: BlockTime,
    /// How the ledger ended it.
    pub proof: Option<Proof>,
    /// The message as it came, if it came. Personal.
    pub payload: Option<Payload>,
}

pub(super) async fn upsert(
    connection: &mut SqliteConnection,
    payments: &[Incoming],
) -> Result<(), sqlx::Error> {
    let head = "INSERT INTO incoming (debtor, uetr, state, reason, amount, seen, reserve, answer, \
                account, proof_submitter, proof_id, ended) ";
    let tail = " ON CONFLICT (debtor, uetr) DO UPDATE SET state = excluded.state, \
                reason = excluded.reason, amount = excluded.amount, reserve = excluded.reserve, \
                answer = excluded.answer, account = excluded.account, \
                proof_submitter = excluded.proof_submitter, proof_id = excluded.proof_id, \
                ended = excluded.ended";
    insert_rows(connection, head, tail, payments, |bind, payment| {
        bind.put(i64::from(payment.key.debtor.0))
            .put(payment.key.uetr.to_bytes().to_vec())
            .put(payment.state.code())
            .put(payment.reason.map(|reason| reason.as_str().to_owned()))
            .put(row::integer(payment.amount.minor_units()))
            .put(row::integer(payment.seen.0))
            .put(payment.reserve.map(|bytes| bytes.to_vec()))
            .put(payment.answer.map(|bytes| bytes.to_vec()))
            .put(payment.account.as_ref().map(|account| account.expose().to_owned()))
            .put(payment.proof.map(|proof| i64::from(proof.submitter.0)))
            .put(payment.proof.map(|proof| proof.operation.to_bytes().to_vec()))
            .put(payment.proof.map(|proof| row::integer(proof.time.0)));
    })
    .await
}

pub(super) async fn insert_documents(
    connection: &mut SqliteConnection,
    documents: &[(IncomingKey, Payload)],
) -> Result<(), sqlx::Error> {
    let head = "INSERT INTO incoming_document (debtor, uetr, salt, document) ";
    insert_rows(connection, head, "", documents, |bind, (key, payload)| {
        bind.put(i64::from(key.debtor.0))
            .put(key.uetr.to_bytes().to_vec())
            .put(payload.salt.to_vec())
            .put(payload.document.to_vec());
    })
    .await
}

const WITH_DOCUMENT: &str = "SELECT incoming.*, salt, document FROM incoming \
     LEFT JOIN incoming_document AS its ON incoming.debtor = its.debtor \
     AND incoming.uetr = its.uetr";

pub(super) async fn open(
    pool: &SqlitePool,
) -> Result<Vec<(Incoming, Option<Payload>)>, StoreFault> {
    let mut query = QueryBuilder::<Sqlite>::new(WITH_DOCUMENT);
    query.push(" WHERE state NOT IN (6, 7, 8, 9)");
    let rows = query.build().fetch_all(pool).await?;
    let read = |row: &SqliteRow| {
        let view = read_view(row)?;
        let bytes = |bytes: Option<&[u8]>| bytes.map(operation_bytes).transpose();
        let operation = |column: &str| -> Result<Option<[u8; OPERATION_BYTES]>, StoreFault> {
            bytes(row.try_get(column)?)
        };
        let incoming = Incoming {
            key: view.key,
            state: view.state,
            reason: view.reason,
            amount: view.amount,
            seen: view.seen,
            reserve: operation("reserve")?,
            answer: operation("answer")?,
            account: account(row.try_get("account")?),
            announcement: None,
            proof: view.proof,
        };
        Ok((incoming, view.payload))
    };
    rows.iter().map(read).collect()
}

fn read_view(row: &SqliteRow) -> Result<IncomingView, StoreFault> {
    let state = IncomingState::from_code(row.try_get("state")?);
    let salt: Option<&[u8]> = row.try_get("salt")?;
    let document: Option<Vec<u8>> = row.try_get("document")?;
    Ok(IncomingView {
        key: IncomingKey {
            debtor: row::member(row.try_get("debtor")?)?,
            uetr: row::uetr(row.try_get("uetr")?)?,
        },
        state: state.ok_or(StoreFault::Row("state"))?,
        reason: row::reason(row.try_get("reason")?)?,
        amount: row::amount(row.try_get("amount")?)?,
        seen: row::time(row.try_get("seen")?)?,
        proof: row::proof(row)?,
        payload: salt.zip(document).map(|(salt, document)| payload(salt, document)).transpose()?,
    })
}

pub(super) async fn known(
    pool: &SqlitePool,
    keys: &[IncomingKey],
) -> Result<Vec<IncomingKey>, StoreFault> {
    let mut found = Vec::new();
    for chunk in keys.chunks(ROWS_MAX) {
        let head = "SELECT debtor, uetr FROM incoming WHERE (debtor, uetr) IN (";
        let mut query = QueryBuilder::<Sqlite>::new(head);
        query.push_values(chunk, |mut tuple, key| {
            tuple.push_bind(i64::from(key.debtor.0)).push_bind(key.uetr.to_bytes().to_vec());
        });
        query.push(")");
        for row in query.build().persistent(false).fetch_all(pool).await? {
            let debtor = row::member(row.try_get("debtor")?)?;
            found.push(IncomingKey { debtor, uetr: row::uetr(row.try_get("uetr")?)? });
        }
    }
    Ok(found)
}

pub(super) async fn views(
    pool: &SqlitePool,
    uetr: OperationId,
) -> Result<Vec<IncomingView>, StoreFault> {
    let mut query = QueryBuilder::<Sqlite>::new(WITH_DOCUMENT);
    query.push(" WHERE incoming.uetr = ").push_bind(uetr.to_bytes().to_vec());
    let rows = query.build().fetch_all(pool).await?;
    rows.iter().map(read_view).collect()
}
