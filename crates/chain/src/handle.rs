//! What the rest of a validator's process may ask of the chain.
//!
//! A [`Handle`] is cheap to clone and may be used from any thread and any runtime. Nothing here
//! waits for longer than a read, except the `wait_` functions: these may be cancelled at any point
//! and wait for ever, so a caller gives them a timeout.

use std::{
    fmt::Write as _,
    sync::{Arc, PoisonError, RwLock},
};

use bytes::Bytes;
use etibar_ledger::{
    Ledger,
    block::{BlockHeader, ExecutionRecord},
    receipt::{EventPage, Receipt},
    result::TransactionRefusal,
    state::{Account, Known, OperationKey},
    transaction::{TransactionError, TransactionView},
};
use etibar_primitives::{AccountId, BlockTime, Digest, MemberId, OperationId};
use tokio::sync::{mpsc, watch};

use crate::{
    block::Transaction,
    mempool::{Admission, Candidate},
    serving::Serving,
    shared::Shared,
};

/// When a client may try again after [`SubmitError::Overloaded`], in milliseconds.
pub const RETRY_AFTER_MS: u64 = 250;

/// A transaction that the validator took in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// The transaction's digest.
    pub transaction: Digest,
    /// Where it is.
    pub progress: Progress,
}

/// Where a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It waits in the mempool.
    Waiting,
    /// It is in a finalized block: ask for the outcomes of its operations.
    Finalized,
}

/// Why a transaction was not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// It is no transaction of this network, or its signature is wrong.
    #[error(transparent)]
    Invalid(#[from] TransactionError),
    /// Its member may not submit it now.
    #[error(transparent)]
    Refused(#[from] TransactionRefusal),
    /// No room for this member now; try again in `retry_after_ms`.
    #[error("the validator is overloaded; try again in {retry_after_ms} ms")]
    Overloaded {
        /// Milliseconds.
        retry_after_ms: u64,
    },
}

impl SubmitError {
    /// The stable code in interfaces.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid(error) => error.code(),
            Self::Refused(refusal) => refusal.name(),
            Self::Overloaded { .. } => "overloaded",
        }
    }
}

/// Why something cannot be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is older than what this validator keeps, or older than its own beginning.
    #[error("older than what this validator keeps")]
    Pruned,
    /// The validator is stopping.
    #[error("the validator is stopping")]
    Stopping,
}

impl ReadError {
    /// The stable code in interfaces.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Pruned => "pruned",
            Self::Stopping => "stopping",
        }
    }
}

/// How a validator stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The network's id.
    pub network: Digest,
    /// The record of the last executed block.
    pub executed: ExecutionRecord,
    /// The highest height whose result is certified; 0 before the first.
    pub certified_height: u64,
    /// The highest height known to be final, executed or not.
    pub finalized_height: u64,
    /// The view that consensus is in.
    pub view: u64,
    /// How many transactions wait here.
    pub waiting_transactions: usize,
    /// How many bytes they have.
    pub waiting_bytes: usize,
}

/// A block in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockSummary {
    /// The block's digest.
    pub digest: Digest,
    /// Its header.
    pub header: BlockHeader,
    /// Its execution record.
    pub record: ExecutionRecord,
    /// How many operations got an outcome.
    pub operations: u64,
    /// How many of these were accepted.
    pub accepted: u64,
}

/// A validator's chain, as its own process sees it.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
    ledger: Arc<RwLock<Ledger>>,
    serving: Arc<Serving>,
    /// Transactions on their way to the next leaders.
    forward: mpsc::Sender<Transaction>,
    metrics: Arc<dyn Fn() -> String + Send + Sync>,
    stop: watch::Sender<bool>,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle").field("network", &self.shared.network).finish_non_exhaustive()
    }
}

impl Handle {
    pub(crate) fn new(
        shared: Arc<Shared>,
        ledger: Arc<RwLock<Ledger>>,
        serving: Arc<Serving>,
        forward: mpsc::Sender<Transaction>,
        metrics: Arc<dyn Fn() -> String + Send + Sync>,
        stop: watch::Sender<bool>,
    ) -> Self {
        Self { shared, ledger, serving, forward, metrics, stop }
    }

    /// Takes in a transaction: its bytes as a client signed them. The same bytes may come any
    /// number of times.
    ///
    /// The signature is checked here, on the caller's thread: about 0.1 ms, and 1 µs for each
    /// operation.
    #[allow(clippy::needless_pass_by_value, reason = "the mempool keeps them")]
    pub fn submit(&self, bytes: Bytes) -> Result<Accepted, SubmitError> {
        let accepted = admit(&self.shared, &self.ledger, &bytes)?;
        if let Some(transaction) = accepted.1 {
            // A full queue means that the leaders have enough to do.
            drop(self.forward.try_send(transaction));
        }
        Ok(accepted.0)
    }

    /// How the validator stands.
    pub fn status(&self) -> Status {
        let (waiting_transactions, waiting_bytes) = {
            let mempool = self.shared.mempool();
            (mempool.len(), mempool.bytes())
        };
        Status {
            network: self.shared.network,
            executed: self.shared.executed.borrow().record,
            certified_height: self.certified_height(),
            finalized_height: *self.shared.finalized.borrow(),
            view: *self.shared.view.borrow(),
            waiting_transactions,
            waiting_bytes,
        }
    }

    /// The highest height whose result is certified, hence provable; 0 before the first.
    pub fn certified_height(&self) -> u64 {
        *self.shared.proven.borrow()
    }

    /// Waits until a height above `height` is executed here; gives that height.
    pub async fn wait_executed(&self, height: u64) -> Result<u64, ReadError> {
        let mut executed = self.shared.executed.subscribe();
        let reached = executed.wait_for(|executed| executed.record.height > height).await;
        reached.map(|executed| executed.record.height).map_err(|_| ReadError::Stopping)
    }

    /// Waits until the result of a height above `height` is certified; gives that height. Then
    /// more events may be there.
    pub async fn wait_certified(&self, height: u64) -> Result<u64, ReadError> {
        let mut proven = self.shared.proven.subscribe();
        let reached = proven.wait_for(|proven| *proven > height).await;
        reached.map(|proven| *proven).map_err(|_| ReadError::Stopping)
    }

    /// The certified events of `member` from event `from` on: whole blocks, as many as fit in
    /// about `bytes_max` bytes, at least one. `None` when there is no such event yet: wait with
    /// [`Handle::wait_certified`].
    pub async fn events(
        &self,
        member: MemberId,
        from: u64,
        bytes_max: usize,
    ) -> Result<Option<EventPage>, ReadError> {
        self.serving.events(member, from, bytes_max).await
    }

    /// The proof of an operation's outcome, or `None` when the operation is unknown, forgotten or
    /// not certified yet.
    pub async fn receipt(
        &self,
        submitter: MemberId,
        operation: OperationId,
    ) -> Result<Option<Receipt>, ReadError> {
        let Some(known) = self.operation(submitter, operation) else { return Ok(None) };
        let key = OperationKey { id: operation, submitter };
        self.serving.receipt(key, known.height).await
    }

    /// What is known of an operation, certified or not; `None` when it is unknown or forgotten.
    pub fn operation(&self, submitter: MemberId, operation: OperationId) -> Option<Known> {
        self.read(|ledger| ledger.find(OperationKey { id: operation, submitter }).copied())
    }

    /// An account after the last executed block.
    pub fn account(&self, id: AccountId) -> Option<Account> {
        self.read(|ledger| ledger.account(id).copied())
    }

    /// Every account after the last executed block. For the operator's eyes.
    pub fn accounts(&self) -> Vec<(AccountId, Account)> {
        self.read(|ledger| ledger.accounts().map(|(id, account)| (id, *account)).collect())
    }

    /// Reads the ledger after the last executed block. Execution waits meanwhile: be quick.
    pub fn read<T>(&self, look: impl FnOnce(&Ledger) -> T) -> T {
        look(&self.ledger.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Up to `count` blocks from height `from` downwards, newest first; at most 100.
    pub async fn blocks(&self, from: u64, count: usize) -> Result<Vec<BlockSummary>, ReadError> {
        self.serving.blocks(from, count.min(BLOCKS_PAGE_MAX)).await
    }

    /// Figures in Prometheus' text form.
    pub fn metrics(&self) -> String {
        let status = self.status();
        let mut text = (self.metrics)();
        // The engine's text ends with a mark that nothing may follow.
        if let Some(end) = text.rfind("# EOF") {
            text.truncate(end);
        }
        let figures = [
            ("executed_height", "Height of the last executed block", status.executed.height),
            ("certified_height", "Highest height with a proven result", status.certified_height),
            ("finalized_height", "Highest height known to be final", status.finalized_height),
            ("view", "View that consensus is in", status.view),
            ("mempool_transactions", "Waiting transactions", size(status.waiting_transactions)),
            ("mempool_bytes", "Bytes of waiting transactions", size(status.waiting_bytes)),
        ];
        for (name, help, value) in figures {
            let name = format!("etibar_chain_{name}");
            let _ = writeln!(text, "# HELP {name} {help}.\n# TYPE {name} gauge\n{name} {value}");
        }
        text + "# EOF\n"
    }

    pub(crate) fn stop_requested(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Makes the validator stop; what was final stays so.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }
}

fn size(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// The most blocks of one answer.
pub const BLOCKS_PAGE_MAX: usize = 100;

/// Checks a transaction and takes it into the mempool; gives it back when it was new.
pub(crate) fn admit(
    shared: &Shared,
    ledger: &RwLock<Ledger>,
    bytes: &Bytes,
) -> Result<(Accepted, Option<Transaction>), SubmitError> {
    let view = TransactionView::parse(bytes, &shared.network)?;
    let transaction = view.digest();
    let known = shared.mempool().lookup(&transaction);
    if let Some(known) = known {
        return Ok((accepted(transaction, known)?, None));
    }
    let time = shared.executed.borrow().record.time;
    let admitted = {
        let ledger = ledger.read().unwrap_or_else(PoisonError::into_inner);
        // A block's time is at or after the executed one's: "too early" may pass by then.
        ledger.admit(&view, BlockTime(time.0.max(view.valid_from.0)))
    };
    admitted?;
    if !shared.mempool().has_room(view.member, bytes.len()) {
        return Err(SubmitError::Overloaded { retry_after_ms: RETRY_AFTER_MS });
    }
    view.verify()?;
    let candidate = Candidate {
        member: view.member,
        valid_from: view.valid_from,
        valid_until: view.valid_until,
        transaction: Transaction { digest: transaction, bytes: bytes.clone() },
    };
    let added = candidate.transaction.clone();
    let admission = shared.mempool().add(candidate);
    let answer = accepted(transaction, admission)?;
    shared.added.send_modify(|count| *count += 1);
    Ok((answer, (admission == Admission::Added).then_some(added)))
}

const fn accepted(transaction: Digest, admission: Admission) -> Result<Accepted, SubmitError> {
    let progress = match admission {
        Admission::Added | Admission::Waiting => Progress::Waiting,
        Admission::Finalized => Progress::Finalized,
        Admission::Overloaded => {
            return Err(SubmitError::Overloaded { retry_after_ms: RETRY_AFTER_MS });
        }
    };
    Ok(Accepted { transaction, progress })
}
