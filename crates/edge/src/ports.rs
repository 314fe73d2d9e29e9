//! What the edge needs of the world: a ledger, and the other members' edges.

use std::collections::HashMap;

use bytes::Bytes;
use etibar_ledger::Operation;
use etibar_primitives::{BlockTime, Digest, MemberId, OperationId};
use futures::future::BoxFuture;

use crate::flow::EventBatch;

mod client;
mod http;

pub use client::ClientLedger;
pub use http::HttpPeers;

/// The ledger did not answer, or refused as a whole. What was asked may still have happened.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the ledger does not answer: {code}: {detail}")]
pub struct LedgerFault {
    /// The stable code.
    pub code: String,
    /// For people.
    pub detail: String,
}

/// Another edge did not take what was delivered.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the edge of member {member} did not take the delivery: {detail}")]
pub struct PeerFault {
    /// Whose edge.
    pub member: MemberId,
    /// For people; says nothing of the content.
    pub detail: String,
}

/// Where an alias points on the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AliasTarget {
    /// The member whose customer holds it.
    pub member: MemberId,
}

/// How the ledger stands, by one validator's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerStatus {
    /// The latest certified height.
    pub height: u64,
    /// Its time.
    pub time: BlockTime,
}

/// The ledger as this member.
pub trait LedgerPort: Send + Sync + 'static {
    /// Signs the operations as one transaction and hands it in. Their outcomes come as events.
    fn submit<'a>(&'a self, operations: &'a [Operation]) -> BoxFuture<'a, Result<(), LedgerFault>>;

    /// The member's certified events of the next block from `cursor` on; waits until there are
    /// some. May be dropped at any point.
    fn events(&self, cursor: u64) -> BoxFuture<'_, Result<EventBatch, LedgerFault>>;

    /// The receipt of an operation, verified; `None` while there is none.
    fn receipt(
        &self,
        submitter: MemberId,
        operation: OperationId,
    ) -> BoxFuture<'_, Result<Option<Vec<u8>>, LedgerFault>>;

    /// Where the alias with this tag points.
    fn alias(&self, tag: Digest) -> BoxFuture<'_, Result<Option<AliasTarget>, LedgerFault>>;

    /// How the ledger stands.
    fn status(&self) -> BoxFuture<'_, Result<LedgerStatus, LedgerFault>>;
}

/// The other members' edges.
pub trait PeerPort: Send + Sync + 'static {
    /// Delivers an envelope; `Ok` once the recipient has written it down.
    fn deliver(&self, to: MemberId, envelope: Bytes) -> BoxFuture<'_, Result<(), PeerFault>>;
}

/// Where the edges are.
pub type PeerUrls = HashMap<MemberId, String>;
