//! Transfers between accounts of the ledger, for systems of the member that order one at a time.
//!
//! Callers that order at the same moment share one signed transaction and one proof, so that a
//! simple caller costs little more than one that makes batches itself. The edge keeps nothing of a
//! transfer: its id and content are the caller's, the ledger remembers ids, and whoever heard no
//! answer asks again with the same order.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use etibar_ledger::{
    Operation, Outcome,
    operation::{Action, OPERATION_BYTES, ReasonCode, Transfer, TransferKind},
    receipt::{Event, Receipt},
};
use etibar_primitives::{AccountId, Amount, BlockTime, Digest, MemberId, OperationId};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};

use crate::{
    flow::EventBatch,
    ports::{LedgerFault, LedgerPort},
};

/// Callers that may wait at the same time.
const WAITING_MAX: usize = 16_384;
/// After so long without an event the ledger is asked whether the order was carried out before; if
/// not, the operation is handed in once more.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a caller wants moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferOrder {
    /// Chosen by the caller, unique among the member's operations.
    pub id: OperationId,
    /// The account that pays: one of the member's.
    pub debit: AccountId,
    /// The account that receives.
    pub credit: AccountId,
    /// How much.
    pub amount: Amount,
    /// When the caller made the order. The same order has the same moment.
    pub created: BlockTime,
}

/// What the ledger said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferEnd {
    /// Its word.
    pub outcome: Outcome,
    /// The time of the block that it said it in.
    pub time: BlockTime,
}

/// Why there is no answer. The order may have been carried out: ask again with the same one.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// Too many callers wait.
    #[error("too many transfers are under way")]
    Overloaded,
    /// The time that the caller gave is over.
    #[error("the ledger has not answered yet")]
    Pending,
    /// The edge is stopping.
    #[error("the edge is stopping")]
    Stopping,
    /// The ledger's proof of an earlier answer cannot be had.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
}

type Bytes = [u8; OPERATION_BYTES];

/// Callers by what they wait for.
#[derive(Default)]
pub(crate) struct Waiting(Mutex<HashMap<OperationId, Vec<Caller>>>);

struct Caller {
    operation: Bytes,
    tell: oneshot::Sender<TransferEnd>,
}

/// A caller's place among those that wait; given up when it is dropped, also by a caller that hangs
/// up.
struct Place<'a> {
    waiting: &'a Waiting,
    id: OperationId,
    end: oneshot::Receiver<TransferEnd>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.end.close();
        self.waiting.forget(self.id);
    }
}

/// Carries transfers to the ledger and their ends back.
pub(crate) struct Transfers<'a> {
    pub(crate) waiting: &'a Waiting,
    pub(crate) submit: &'a mpsc::UnboundedSender<Operation>,
    pub(crate) ledger: &'a dyn LedgerPort,
    pub(crate) member: MemberId,
}

impl Transfers<'_> {
    /// Hands in `order` and waits for its end until `deadline`.
    pub(crate) async fn execute(
        &self,
        order: &TransferOrder,
        deadline: Instant,
    ) -> Result<TransferEnd, TransferError> {
        let operation = order.operation();
        let bytes = operation.encode();
        let mut place = self.waiting.add(operation.id, bytes)?;
        self.wait(&operation, &bytes, &mut place.end, deadline).await
    }

    async fn wait(
        &self,
        operation: &Operation,
        bytes: &Bytes,
        end: &mut oneshot::Receiver<TransferEnd>,
        deadline: Instant,
    ) -> Result<TransferEnd, TransferError> {
        loop {
            self.submit.send(*operation).map_err(|_| TransferError::Stopping)?;
            let until = deadline.min(Instant::now() + PATIENCE);
            if let Ok(told) = timeout_at(until, &mut *end).await {
                return told.map_err(|_| TransferError::Stopping);
            }
            // The ledger is silent about a repeat.
            if let Some(first) = self.first_end(operation.id, bytes).await? {
                return Ok(first);
            }
            if until == deadline {
                return Err(TransferError::Pending);
            }
        }
    }

    /// What the ledger said when the operation came for the first time.
    async fn first_end(
        &self,
        id: OperationId,
        operation: &Bytes,
    ) -> Result<Option<TransferEnd>, LedgerFault> {
        let receipt = self.ledger.receipt(self.member, id).await?;
        let receipt = receipt.and_then(|bytes| Receipt::from_bytes(&bytes).ok());
        let same = receipt.filter(|receipt| receipt.event.operation == *operation);
        // The first record of a receipt is that of the operation's block.
        Ok(same.and_then(|receipt| {
            let record = receipt.certified.records.first()?;
            Some(TransferEnd { outcome: receipt.event.outcome, time: record.time })
        }))
    }
}

impl TransferOrder {
    fn operation(&self) -> Operation {
        let transfer = Transfer {
            debit: self.debit,
            credit: self.credit,
            amount: self.amount,
            created: self.created,
            pending: OperationId(0),
            expires: BlockTime(0),
            reason: ReasonCode::default(),
            debtor_agent: MemberId(0),
            creditor_agent: MemberId(0),
            commitment: Digest::ZERO,
        };
        let action = Action::Transfer(TransferKind::Direct, transfer);
        Operation { id: self.id, linked: false, action }
    }
}

impl Waiting {
    fn add(&self, id: OperationId, operation: Bytes) -> Result<Place<'_>, TransferError> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= WAITING_MAX {
            return Err(TransferError::Overloaded);
        }
        let (tell, end) = oneshot::channel();
        waiting.entry(id).or_default().push(Caller { operation, tell });
        Ok(Place { waiting: self, id, end })
    }

    /// Forgets the callers of `id` that wait no more.
    fn forget(&self, id: OperationId) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(callers) = waiting.get_mut(&id) {
            callers.retain(|caller| !caller.tell.is_closed());
            if callers.is_empty() {
                waiting.remove(&id);
            }
        }
    }

    /// Tells those that wait for one of the member's own events.
    pub(crate) fn tell(&self, member: MemberId, batch: &EventBatch) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_empty() {
            return;
        }
        for event in batch.events.iter().filter(|event| event.submitter == member) {
            tell_one(&mut waiting, event, batch.time);
        }
    }
}

fn tell_one(waiting: &mut HashMap<OperationId, Vec<Caller>>, event: &Event, time: BlockTime) {
    let id = event.operation.first_chunk().expect("an operation begins with its id");
    let id = OperationId::from_bytes(*id);
    let Some(callers) = waiting.get_mut(&id) else { return };
    let ours = callers.extract_if(.., |caller| caller.operation == event.operation);
    for caller in ours {
        // A caller that waits no more has dropped its end.
        let _ = caller.tell.send(TransferEnd { outcome: event.outcome, time });
    }
    if callers.is_empty() {
        waiting.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_that_hangs_up_leaves_no_place_behind() {
        let waiting = Waiting::default();
        let held = || waiting.0.lock().expect("no test panics inside").len();
        let first = waiting.add(OperationId(1), [1; OPERATION_BYTES]).expect("there is room");
        let second = waiting.add(OperationId(1), [1; OPERATION_BYTES]).expect("there is room");
        drop(first);
        assert_eq!(held(), 1, "the other caller of the same order still waits");
        drop(second);
        assert_eq!(held(), 0);
    }
}
