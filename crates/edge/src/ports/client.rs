//! The ledger through the verifying client.

use etibar_client::{Client, EventsError, ReadError, SubmitError};
use etibar_ledger::Operation;
use etibar_primitives::{Digest, MemberId, OperationId};
use futures::future::BoxFuture;

use super::{AliasTarget, LedgerFault, LedgerPort, LedgerStatus};
use crate::flow::EventBatch;

/// The ledger of a running network. Every event and receipt is verified from the genesis; where an
/// alias points is one validator's word.
#[derive(Debug, Clone)]
pub struct ClientLedger(Client);

impl ClientLedger {
    /// The ledger through `client`.
    pub const fn new(client: Client) -> Self {
        Self(client)
    }
}

impl LedgerPort for ClientLedger {
    fn submit<'a>(&'a self, operations: &'a [Operation]) -> BoxFuture<'a, Result<(), LedgerFault>> {
        Box::pin(async move {
            self.0.submit(operations).await?;
            Ok(())
        })
    }

    fn events(&self, cursor: u64) -> BoxFuture<'_, Result<EventBatch, LedgerFault>> {
        Box::pin(async move {
            let next = self.0.events(cursor).next().await?;
            Ok(EventBatch { first: next.first, time: next.time, events: next.events })
        })
    }

    fn receipt(
        &self,
        submitter: MemberId,
        operation: OperationId,
    ) -> BoxFuture<'_, Result<Option<Vec<u8>>, LedgerFault>> {
        Box::pin(async move {
            let receipt = self.0.receipt_bytes(submitter, operation).await?;
            Ok(receipt.map(|(bytes, _)| bytes.to_vec()))
        })
    }

    fn alias(&self, tag: Digest) -> BoxFuture<'_, Result<Option<AliasTarget>, LedgerFault>> {
        Box::pin(async move {
            let alias = self.0.alias(tag).await?;
            Ok(alias.map(|alias| AliasTarget { member: alias.member }))
        })
    }

    fn status(&self) -> BoxFuture<'_, Result<LedgerStatus, LedgerFault>> {
        Box::pin(async move {
            let status = self.0.status().await?;
            Ok(LedgerStatus { height: status.certified_height, time: status.time })
        })
    }
}

impl From<SubmitError> for LedgerFault {
    fn from(error: SubmitError) -> Self {
        Self { code: error.code().to_owned(), detail: error.to_string() }
    }
}

impl From<EventsError> for LedgerFault {
    fn from(error: EventsError) -> Self {
        Self { code: error.code().to_owned(), detail: error.to_string() }
    }
}

impl From<ReadError> for LedgerFault {
    fn from(error: ReadError) -> Self {
        Self { code: error.code().to_owned(), detail: error.to_string() }
    }
}
