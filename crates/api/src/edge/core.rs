//! What the core banking and the customers' channel read and register.

use axum::{extract::State, http::StatusCode};
use etibar_edge::{MESSAGES_MAX, RequestError, alias::AliasKind, payment::CustomerAccount};
use etibar_primitives::hex;
use serde::{Deserialize, Serialize};

use super::{
    Door,
    payments::storage,
    view::{AccountView, AliasView, MessagePage},
};
use crate::{
    Problem,
    extract::{Json, Query},
};

/// Which messages.
#[derive(Debug, Deserialize)]
pub(super) struct MessagesQuery {
    /// Those after this sequence number.
    #[serde(default)]
    after: u64,
    /// At most so many.
    limit: Option<u32>,
}

/// Which accounts.
#[derive(Debug, Deserialize)]
pub(super) struct AccountsQuery {
    /// Those after this number.
    after: Option<String>,
    /// At most so many.
    limit: Option<u32>,
}

/// An alias to register.
#[derive(Deserialize)]
pub(super) struct Registration {
    kind: AliasKind,
    alias: String,
    account: String,
}

/// A registration on its way.
#[derive(Debug, Serialize)]
pub(super) struct Registered {
    tag: String,
    state: &'static str,
}

/// `GET /v1/messages?after=N`.
pub(super) async fn messages(
    State(door): State<Door>,
    Query(query): Query<MessagesQuery>,
) -> Result<Json<MessagePage>, Problem> {
    let limit = query.limit.unwrap_or(MESSAGES_MAX);
    let messages = door.edge.messages(query.after, limit).await.map_err(storage)?;
    MessagePage::of(&door.edge, &messages, query.after).await.map(Json).map_err(storage)
}

/// `GET /v1/aliases`.
pub(super) async fn aliases(State(door): State<Door>) -> Result<Json<Vec<AliasView>>, Problem> {
    let aliases = door.edge.store().aliases().await.map_err(storage)?;
    Ok(Json(aliases.iter().map(AliasView::of).collect()))
}

/// `PUT /v1/aliases`: the newest registration wins.
pub(super) async fn register_alias(
    State(door): State<Door>,
    Json(registration): Json<Registration>,
) -> Result<(StatusCode, Json<Registered>), Problem> {
    let Registration { kind, alias, account } = registration;
    let account = CustomerAccount::new(&account);
    let tag = door.edge.register_alias(kind, &alias, account).await?;
    let registered = Registered { tag: hex::encode(&tag.0), state: "asked" };
    Ok((StatusCode::ACCEPTED, Json(registered)))
}

/// `GET /v1/accounts`.
pub(super) async fn accounts(
    State(door): State<Door>,
    Query(query): Query<AccountsQuery>,
) -> Result<Json<Vec<AccountView>>, Problem> {
    let limit = query.limit.unwrap_or(MESSAGES_MAX);
    let accounts = door.edge.accounts(query.after.as_deref(), limit).await;
    let accounts = accounts.map_err(RequestError::from)?;
    Ok(Json(accounts.iter().map(AccountView::of).collect()))
}
