//! Executes finalized blocks, in order, once: the only task that writes the state.
//!
//! Results are served as soon as they are there. Several blocks are made durable together: first
//! their results, then the state; then the engine is told. After a crash the engine delivers again
//! what it was not told to be durable, and the same blocks have the same results.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use commonware_codec::Encode as _;
use commonware_consensus::types::Height;
use commonware_parallel::Strategy;
use commonware_runtime::Clock;
use commonware_storage::merkle::Location;
use commonware_utils::{Acknowledgement as _, acknowledgement::Exact};
use etibar_ledger::{
    BlockInput, Ledger,
    block::{BlockHeader, ExecutionRecord},
    result::BlockResult,
    transaction::TransactionView,
};
use etibar_primitives::Digest;
use futures::channel::oneshot;
use tokio::sync::mpsc;

use crate::{
    block::Block,
    config::Limits,
    engine::{Delivery, Marshal, Runtime},
    serving::{Entry, Served, Serving},
    shared::{Executed, RECENT_HEIGHTS, Shared},
    store::{
        results::Results,
        state::{Family, Position, Staged, State, Target, root_of, target_of},
    },
};

/// The most blocks that are made durable together: half of what the engine lets wait.
const GROUP_BLOCKS_MAX: usize = 8;
/// How long an executed block waits for others to be made durable with.
const GROUP_WAIT: Duration = Duration::from_millis(100);
/// How often old data is dropped, in blocks.
const PRUNE_INTERVAL: u64 = 256;

/// A question to the owner of the stores.
pub(crate) enum Query {
    /// The entry of a height.
    Entry(u64, oneshot::Sender<Option<Entry>>),
    /// The entry and the result of a height.
    Result(u64, oneshot::Sender<Option<(Entry, BlockResult)>>),
    /// Something of the state, for state sync.
    Sync(crate::sync::server::StateQuery),
}

/// The executor and all it owns.
pub(crate) struct Executor<E: Runtime, T: Strategy> {
    pub(crate) shared: Arc<Shared>,
    pub(crate) ledger: Arc<RwLock<Ledger>>,
    pub(crate) serving: Arc<Serving>,
    pub(crate) stores: Stores<E, T>,
    pub(crate) marshal: Marshal,
    pub(crate) limits: Limits,
    pub(crate) deliveries: mpsc::UnboundedReceiver<Delivery>,
    pub(crate) queries: mpsc::Receiver<Query>,
    /// What to fetch for the state of recent heights.
    pub(crate) targets: BTreeMap<u64, Target>,
    /// Where the state's log may be cut at the next pruning.
    pub(crate) cut: Option<Location<Family>>,
    pub(crate) pending: Pending<T>,
}

/// What was executed and is not durable yet.
pub(crate) struct Pending<T: Strategy> {
    done: Vec<Done<T>>,
    acknowledgements: Vec<Exact>,
    /// When to make it durable at the latest.
    due: Option<SystemTime>,
}

impl<T: Strategy> Default for Pending<T> {
    fn default() -> Self {
        Self { done: Vec::new(), acknowledgements: Vec::new(), due: None }
    }
}

/// The stores; a failed write leaves none, and the process stops.
pub(crate) struct Stores<E: Runtime, T: Strategy> {
    pub(crate) state: State<E, T>,
    pub(crate) results: Results<E>,
}

/// Sleeps until `due`, for ever without one.
async fn until<C: Clock>(clock: &C, due: Option<SystemTime>) {
    match due {
        Some(due) => clock.sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// A block that was executed and is not durable yet.
struct Done<T: Strategy> {
    served: Arc<Served>,
    staged: Staged<T>,
    digest: Digest,
}

impl<E: Runtime, T: Strategy> Executor<E, T> {
    /// Runs until the engine stops.
    pub(crate) async fn run<C: Clock>(mut self, clock: C) {
        loop {
            let due = self.pending.due;
            tokio::select! {
                biased;
                delivery = self.deliveries.recv() => {
                    let Some((block, acknowledgement)) = delivery else {
                        self.persist().await;
                        return;
                    };
                    self.take(block.inner_shared()).await;
                    self.pending.acknowledgements.push(acknowledgement);
                    self.pending.due.get_or_insert_with(|| clock.current() + GROUP_WAIT);
                    if self.pending.acknowledgements.len() >= GROUP_BLOCKS_MAX {
                        self = self.persist().await;
                    }
                }
                () = until(&clock, due) => self = self.persist().await,
                query = self.queries.recv() => match query {
                    Some(query) => self.answer(query).await,
                    None => return,
                },
            }
        }
    }

    /// Executes a finalized block and tells everybody.
    async fn take(&mut self, block: Arc<Block>) {
        let mut executed = *self.shared.executed.borrow();
        // The engine repeats what it was not told to be durable, and begins below a state that
        // was synchronized.
        if block.header().height <= executed.record.height {
            return;
        }
        let one = self.execute(block, &executed).await;
        executed.record = one.served.entry.record;
        executed.digest = one.digest;
        if !one.served.entry.summaries.is_empty() {
            executed.eventful = executed.record.height;
        }
        self.publish(&one, executed).await;
        self.pending.done.push(one);
    }

    async fn execute(&self, block: Arc<Block>, executed: &Executed) -> Done<T> {
        let header = *block.header();
        assert_eq!(header.height, executed.record.height + 1, "finalized blocks come in order");
        self.check_commitment(&header);
        let outcome = {
            let mut ledger = self.ledger.write().unwrap_or_else(PoisonError::into_inner);
            let view = |bytes| {
                TransactionView::parse(bytes, &header.network)
                    .expect("the validators checked every transaction before they voted")
            };
            let transactions: Vec<_> =
                block.transactions().iter().map(|one| view(&one.bytes)).collect();
            ledger.execute(BlockInput {
                height: header.height,
                time: header.time,
                transactions: &transactions,
            })
        };
        let position = Position {
            height: header.height,
            time: header.time,
            block: block.id(),
            previous: executed.digest,
            receipts_root: outcome.receipts_root,
        };
        let staged = self
            .stores
            .state
            .stage(self.pending.done.last().map(|one| &one.staged), outcome.changes, &position)
            .await
            .unwrap_or_else(|error| panic!("the state cannot be computed: {error}"));
        let record = position.record(root_of(&staged));
        let entry = Entry { header, record, summaries: outcome.summaries };
        let served = Arc::new(Served { block, entry, result: outcome.result });
        Done { served, staged, digest: record.digest() }
    }

    /// A finalized header names the result that a quorum has: another result here means that this
    /// machine or its data is broken.
    fn check_commitment(&self, header: &BlockHeader) {
        let height = header.executed_height;
        let ours = self.shared.recent().record_digest(height);
        if let Some(ours) = ours {
            assert_eq!(
                ours, header.executed,
                "the validators certified another result of height {height} than this one has"
            );
        }
    }

    /// Makes durable what was executed, and tells the engine.
    async fn persist(mut self) -> Self {
        let Pending { done, acknowledgements, .. } = std::mem::take(&mut self.pending);
        if let Some(last) = done.last() {
            let height = last.served.entry.record.height;
            let results: Vec<_> =
                done.iter().map(|one| (&one.served.entry, &one.served.result)).collect();
            let Stores { state, results: log } = self.stores;
            let log = log.append(&results).await;
            let log = log.unwrap_or_else(|error| panic!("results cannot be written: {error}"));
            let staged = done.iter().map(|one| Arc::clone(&one.staged)).collect();
            let state = state.commit(staged).await;
            let state =
                state.unwrap_or_else(|error| panic!("the state cannot be written: {error}"));
            self.stores = Stores { state, results: log };
            for one in &done {
                self.targets.insert(one.served.entry.record.height, target_of(&one.staged));
            }
            self.targets = self.targets.split_off(&height.saturating_sub(RECENT_HEIGHTS));
            let first = done[0].served.entry.record.height;
            self = self.prune(first, height).await;
        }
        for acknowledgement in acknowledgements {
            acknowledgement.acknowledge();
        }
        self
    }

    /// Tells everybody what is executed now.
    async fn publish(&self, one: &Done<T>, executed: Executed) {
        let Entry { header, record, .. } = one.served.entry;
        self.shared.recent().insert_record(record, one.digest);
        let transactions = one.served.block.transactions();
        self.shared.mempool().finalized(header.height, header.time, transactions);
        self.serving.index(&one.served.entry);
        self.serving.keep(Arc::clone(&one.served));
        self.shared.recent().forget_below(record.height);
        self.shared.executed.send_replace(executed);
        self.certify(&record).await;
    }

    /// Looks up the certificate of a block that consensus did not bring here itself, as when this
    /// validator was away.
    async fn certify(&self, record: &ExecutionRecord) {
        let known = self.shared.certified.borrow().as_ref().map_or(0, |tip| tip.header.height);
        if known >= record.height {
            return;
        }
        let height = Height::new(record.height);
        let header = self.shared.recent().header(&record.block);
        if let Some(header) = header
            && let Some(finalization) = self.marshal.get_finalization(height).await
            && finalization.proposal.payload.0 == record.block.0
        {
            self.shared.certify(header, || finalization.encode().to_vec());
        }
    }

    /// Drops old data, once in an interval; heights `first` to `height` are durable now.
    async fn prune(mut self, first: u64, height: u64) -> Self {
        if (first - 1) / PRUNE_INTERVAL == height / PRUNE_INTERVAL {
            return self;
        }
        self.marshal.prune(Height::new(height.saturating_sub(self.limits.blocks_kept)));
        let floor = height.saturating_sub(self.limits.results_kept);
        let served = self.limits.results_kept.min(self.limits.blocks_kept);
        self.serving.prune(height.saturating_sub(served));
        let Stores { mut state, results } = self.stores;
        let results = results.prune(floor).await;
        let results = results.unwrap_or_else(|error| panic!("results cannot be pruned: {error}"));
        let next = state.db.sync_boundary();
        if let Some(cut) = self.cut.replace(next) {
            // One interval late: a validator may be synchronizing from there.
            state = state
                .prune(cut)
                .await
                .unwrap_or_else(|error| panic!("the state cannot be pruned: {error}"));
        }
        self.stores = Stores { state, results };
        self
    }

    async fn answer(&self, query: Query) {
        let results = &self.stores.results;
        let failed = |error| panic!("results cannot be read: {error}");
        match query {
            Query::Entry(height, reply) => {
                let entry = results.entry(height).await.unwrap_or_else(failed);
                let _ = reply.send(entry);
            }
            Query::Result(height, reply) => {
                let entry = results.entry(height).await.unwrap_or_else(failed);
                let failed = |error| panic!("results cannot be read: {error}");
                let result = results.result(height).await.unwrap_or_else(failed);
                let _ = reply.send(entry.zip(result));
            }
            Query::Sync(query) => query.answer(&self.stores.state, &self.targets).await,
        }
    }
}
