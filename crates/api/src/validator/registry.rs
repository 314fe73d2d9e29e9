//! Accounts, aliases, members and blocks after the last executed block.

use axum::{extract::State, http::StatusCode};
use etibar_chain::{BLOCKS_PAGE_MAX, BlockSummary};
use etibar_client::wire::{AccountView, AliasView, BlockView, MemberView};
use etibar_primitives::{AccountId, Digest, hex};
use serde::Deserialize;

use super::{Validator, auth::Caller};
use crate::{
    Problem,
    extract::{Json, Path, Query},
};

/// How many blocks are shown when nothing else is asked for.
const BLOCKS_DEFAULT: usize = 20;

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Stretch {
    /// The highest height; the last executed one when absent.
    from: Option<u64>,
    /// How many, downwards.
    count: Option<usize>,
}

/// `GET /v1/accounts`.
pub(super) async fn accounts(
    State(validator): State<Validator>,
    caller: Caller,
) -> Json<Vec<AccountView>> {
    Json(validator.handle.read(|ledger| {
        let visible = ledger.accounts().filter(|(_, account)| caller.may_see(account.owner));
        visible.map(|(id, account)| AccountView::new(id, account)).collect()
    }))
}

/// `GET /v1/accounts/{id}`.
pub(super) async fn account(
    State(validator): State<Validator>,
    caller: Caller,
    Path(id): Path<AccountId>,
) -> Result<Json<AccountView>, Problem> {
    let account = validator.handle.account(id).filter(|account| caller.may_see(account.owner));
    let account = account.ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, "account_unknown", "you have no such account")
    })?;
    Ok(Json(AccountView::new(id, &account)))
}

/// `GET /v1/aliases/{tag}`.
pub(super) async fn alias(
    State(validator): State<Validator>,
    _caller: Caller,
    Path(tag): Path<Digest>,
) -> Result<Json<AliasView>, Problem> {
    let alias = validator.handle.read(|ledger| ledger.alias(&tag).copied()).ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, "alias_unknown", "nobody holds this alias")
    })?;
    let locator = hex::encode(&alias.locator);
    Ok(Json(AliasView { tag, member: alias.member, locator, since: alias.since }))
}

/// `GET /v1/members`.
pub(super) async fn members(
    State(validator): State<Validator>,
    _caller: Caller,
) -> Json<Vec<MemberView>> {
    let name = |id| {
        let first = validator.genesis.members.iter().find(|member| member.id == id);
        first.map(|member| member.name.clone())
    };
    Json(validator.handle.read(|ledger| {
        let view = |(id, member): (_, &etibar_ledger::state::Member)| MemberView {
            id,
            role: member.role,
            bic: member.bic,
            status: member.status,
            name: name(id),
        };
        ledger.members().map(view).collect()
    }))
}

/// `GET /v1/blocks`: newest first.
pub(super) async fn blocks(
    State(validator): State<Validator>,
    caller: Caller,
    Query(stretch): Query<Stretch>,
) -> Result<Json<Vec<BlockView>>, Problem> {
    caller.check_operator()?;
    let executed = validator.handle.status().executed.height;
    let from = stretch.from.unwrap_or(executed).min(executed);
    let count = stretch.count.unwrap_or(BLOCKS_DEFAULT).min(BLOCKS_PAGE_MAX);
    let blocks = validator.handle.blocks(from, count).await?;
    Ok(Json(blocks.iter().map(view).collect()))
}

fn view(block: &BlockSummary) -> BlockView {
    BlockView {
        height: block.header.height,
        digest: block.digest,
        time: block.header.time,
        leader: block.header.leader,
        view: block.header.view,
        transactions: block.header.transaction_count,
        body_bytes: block.header.body_bytes,
        operations: block.operations,
        accepted: block.accepted,
        state_root: block.record.state_root,
        receipts_root: block.record.receipts_root,
    }
}
