//! Payments of the member's own customers.

use std::collections::HashMap;

use etibar_ledger::operation::ReasonCode;
use etibar_primitives::{Amount, BlockTime, Digest, MemberId, OperationId};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection, SqlitePool, sqlite::SqliteRow};

use super::{OutgoingMove, ROWS_MAX, StoreFault, insert_rows, operation_bytes, payload, row};
use crate::payment::{CustomerAccount, Outgoing, OutgoingState, Proof, References};

/// A payment as its bank may see it.
#[derive(Debug, Clone)]
pub struct OutgoingView {
    /// The payment's id.
    pub uetr: OperationId,
    /// Where it is.
    pub state: OutgoingState,
    /// Why it was rejected.
    pub reason: Option<ReasonCode>,
    /// How much.
    pub amount: Amount,
    /// The creditor's agent; member 0 when none was known.
    pub creditor: MemberId,
    /// When the edge took it in.
    pub created: BlockTime,
    /// Its hard limit.
    pub expires: BlockTime,
    /// What a pacs.002 repeats.
    pub references: References,
    /// How the ledger ended it.
    pub proof: Option<Proof>,
}

pub(super) async fn insert(
    connection: &mut SqliteConnection,
    payments: &[Outgoing],
) -> Result<(), sqlx::Error> {
    let head = "INSERT INTO outgoing (uetr, state, reason, fingerprint, amount, creditor, created, \
                expires, operation, account, message_id, refs, proof_submitter, proof_id, ended) ";
    insert_rows(connection, head, "", payments, |bind, payment| {
        let references = serde_json::to_string(&payment.references)
            .expect("references have text keys and plain values only");
        bind.put(payment.uetr.to_bytes().to_vec())
            .put(payment.state.code())
            .put(payment.reason.map(|reason| reason.as_str().to_owned()))
            .put(payment.fingerprint.0.to_vec())
            .put(row::integer(payment.amount.minor_units()))
            .put(i64::from(payment.creditor.0))
            .put(row::integer(payment.created.0))
            .put(row::integer(payment.expires.0))
            .put(payment.operation.to_vec())
            .put(payment.account.expose().to_owned())
            .put(payment.references.message_id.clone())
            .put(references)
            .put(payment.proof.map(|proof| i64::from(proof.submitter.0)))
            .put(payment.proof.map(|proof| proof.operation.to_bytes().to_vec()))
            .put(payment.proof.map(|proof| row::integer(proof.time.0)));
    })
    .await?;
    let documents: Vec<_> = payments
        .iter()
        .filter_map(|payment| payment.payload.as_ref().map(|payload| (payment.uetr, payload)))
        .collect();
    let head = "INSERT INTO outgoing_document (uetr, salt, document) ";
    insert_rows(connection, head, "", &documents, |bind, (uetr, payload)| {
        bind.put(uetr.to_bytes().to_vec())
            .put(payload.salt.to_vec())
            .put(payload.document.to_vec());
    })
    .await
}

pub(super) async fn advance(
    connection: &mut SqliteConnection,
    moves: &[OutgoingMove],
) -> Result<(), sqlx::Error> {
    let head = "WITH moved (uetr, state, reason, amount, submitter, proof, ended) AS (";
    let tail = ") UPDATE outgoing SET state = moved.state, \
                reason = coalesce(moved.reason, outgoing.reason), amount = moved.amount, \
                proof_submitter = coalesce(moved.submitter, proof_submitter), \
                proof_id = coalesce(moved.proof, proof_id), \
                ended = coalesce(moved.ended, outgoing.ended) \
                FROM moved WHERE outgoing.uetr = moved.uetr";
    insert_rows(connection, head, tail, moves, |bind, its| {
        bind.put(its.uetr.to_bytes().to_vec())
            .put(its.state.code())
            .put(its.reason.map(|reason| reason.as_str().to_owned()))
            .put(row::integer(its.amount.minor_units()))
            .put(its.proof.map(|proof| i64::from(proof.submitter.0)))
            .put(its.proof.map(|proof| proof.operation.to_bytes().to_vec()))
            .put(its.proof.map(|proof| row::integer(proof.time.0)));
    })
    .await
}

pub(super) async fn open(pool: &SqlitePool) -> Result<Vec<Outgoing>, StoreFault> {
    let rows = sqlx::query(
        "SELECT outgoing.*, salt, document FROM outgoing \
         LEFT JOIN outgoing_document ON outgoing.uetr = outgoing_document.uetr AND state < 2 \
         WHERE state NOT IN (5, 7)",
    )
    .fetch_all(pool)
    .await?;
    rows.iter().map(read).collect()
}

fn read(row: &SqliteRow) -> Result<Outgoing, StoreFault> {
    let view = read_view(row)?;
    let fingerprint: &[u8] = row.try_get("fingerprint")?;
    let fingerprint = fingerprint.try_into().map_err(|_| StoreFault::Row("fingerprint"))?;
    let salt: Option<&[u8]> = row.try_get("salt")?;
    let document: Option<Vec<u8>> = row.try_get("document")?;
    let payload = salt.zip(document).map(|(salt, document)| payload(salt, document)).transpose()?;
    Ok(Outgoing {
        uetr: view.uetr,
        state: view.state,
        reason: view.reason,
        fingerprint: Digest(fingerprint),
        amount: view.amount,
        creditor: view.creditor,
        created: view.created,
        expires: view.expires,
        operation: operation_bytes(row.try_get("operation")?)?,
        account: CustomerAccount::new(row.try_get("account")?),
        references: view.references,
        payload,
        proof: view.proof,
    })
}

fn read_view(row: &SqliteRow) -> Result<OutgoingView, StoreFault> {
    let state = OutgoingState::from_code(row.try_get("state")?);
    let references = serde_json::from_str(row.try_get("refs")?);
    Ok(OutgoingView {
        uetr: row::uetr(row.try_get("uetr")?)?,
        state: state.ok_or(StoreFault::Row("state"))?,
        reason: row::reason(row.try_get("reason")?)?,
        amount: row::amount(row.try_get("amount")?)?,
        creditor: row::member(row.try_get("creditor")?)?,
        created: row::time(row.try_get("created")?)?,
        expires: row::time(row.try_get("expires")?)?,
        references: references.map_err(|_| StoreFault::Row("references"))?,
        proof: row::proof(row)?,
    })
}

/// `uetr IN (…)` for some of `uetrs` at a time.
async fn select_in(
    pool: &SqlitePool,
    head: &str,
    uetrs: &[OperationId],
) -> Result<Vec<SqliteRow>, StoreFault> {
    let mut found = Vec::new();
    for chunk in uetrs.chunks(ROWS_MAX) {
        let mut query = QueryBuilder::<Sqlite>::new(head);
        query.push(" WHERE uetr IN (");
        let mut list = query.separated(", ");
        for uetr in chunk {
            list.push_bind(uetr.to_bytes().to_vec());
        }
        query.push(")");
        found.extend(query.build().persistent(false).fetch_all(pool).await?);
    }
    Ok(found)
}

pub(super) async fn fingerprints(
    pool: &SqlitePool,
    uetrs: &[OperationId],
) -> Result<HashMap<OperationId, Digest>, StoreFault> {
    let rows = select_in(pool, "SELECT uetr, fingerprint FROM outgoing", uetrs).await?;
    let read = |row: &SqliteRow| {
        let fingerprint: &[u8] = row.try_get("fingerprint")?;
        let fingerprint = fingerprint.try_into().map_err(|_| StoreFault::Row("fingerprint"))?;
        Ok((row::uetr(row.try_get("uetr")?)?, Digest(fingerprint)))
    };
    rows.iter().map(read).collect()
}

pub(super) async fn views(
    pool: &SqlitePool,
    uetrs: &[OperationId],
) -> Result<Vec<OutgoingView>, StoreFault> {
    let rows = select_in(pool, "SELECT * FROM outgoing", uetrs).await?;
    rows.iter().map(read_view).collect()
}

pub(super) async fn views_of_message(
    pool: &SqlitePool,
    message_id: &str,
) -> Result<Vec<OutgoingView>, StoreFault> {
    let query = sqlx::query("SELECT * FROM outgoing WHERE message_id = ? ORDER BY created, rowid");
    let rows = query.bind(message_id.to_owned()).fetch_all(pool).await?;
    rows.iter().map(read_view).collect()
}
