//! Proposing and checking blocks: what the engine asks of us before it votes.

use std::{collections::HashSet, sync::Arc, time::Duration};

use commonware_consensus::{
    Application, Heightable as _, marshal::ancestry::Ancestry, simplex::types::Context,
};
use commonware_cryptography::{Digested, Digestible as _, ed25519};
use commonware_macros::select;
use commonware_runtime::{Clock, Spawner};
use etibar_ledger::{block::BlockHeader, transaction::TransactionView};
use etibar_primitives::{BlockTime, Digest, key::PublicKey};
use futures::StreamExt as _;

use super::Scheme;
use crate::{
    block::{Block, EngineDigest, Transaction},
    config::{Limits, Timing},
    shared::{Executed, Shared},
};

/// Above how many unchecked signatures a block is checked away from the tasks that vote.
const INLINE_SIGNATURES_MAX: usize = 4;

/// How long a result may stay unproven before a leader proposes a block that commits to it. Longer
/// than attestations need to go round.
const RESULTS_GRACE: Duration = Duration::from_millis(100);

/// Below how many bytes of transactions a block waits for others to share it with.
const SMALL_BLOCK_BYTES: usize = 256 * 1024;

/// The engine's view of us.
#[derive(Debug, Clone)]
pub(crate) struct App {
    shared: Arc<Shared>,
    timing: Timing,
    limits: Limits,
}

pub(crate) type SimplexContext = Context<EngineDigest, ed25519::PublicKey>;

impl App {
    pub(crate) const fn new(shared: Arc<Shared>, timing: Timing, limits: Limits) -> Self {
        Self { shared, timing, limits }
    }

    /// When a leader with nothing to do proposes all the same, in milliseconds since 1970.
    fn due(&self, parent: &BlockHeader) -> u64 {
        parent.time.0.saturating_add(millis(self.timing.heartbeat))
    }

    /// Waits until execution is near `parent`; says whether it is. This is what keeps ordering
    /// from running away from execution.
    async fn caught_up<E: Clock>(&self, runtime: &E, parent: &BlockHeader) -> bool {
        let near = |executed: &Executed| {
            parent.height.saturating_sub(executed.record.height) <= self.limits.backlog_blocks
        };
        let mut executed = self.shared.executed.subscribe();
        let rest = self.due(parent).saturating_sub(now(runtime));
        let rest = Duration::from_millis(rest.min(millis(self.timing.heartbeat)));
        select! {
            reached = executed.wait_for(near) => reached.is_ok(),
            () = runtime.sleep(rest) => false,
        }
    }

    /// Waits until there is something to propose on `parent`, or until the heartbeat is due; gives
    /// the block's time and transactions, none of `taken`.
    ///
    /// A block that would be small waits until `block_interval` after its parent, so that what
    /// many members send at the same moment shares one round of votes.
    async fn work<E: Clock>(
        &self,
        runtime: &E,
        parent: &BlockHeader,
        taken: &HashSet<Digest>,
    ) -> (BlockTime, Vec<Transaction>) {
        let mut added = self.shared.added.subscribe();
        let mut executed = self.shared.executed.subscribe();
        let heartbeat = self.due(parent);
        let small_until = parent.time.0.saturating_add(millis(self.timing.block_interval));
        let mut unproven_since = None;
        loop {
            added.mark_unchanged();
            let done = *executed.borrow_and_update();
            let now = now(runtime);
            let time = BlockTime(now.max(parent.time.0 + 1));
            let transactions = self.shared.mempool().select(time, taken);
            let unproven = self.has_unproven_results(&done, parent);
            let since = unproven.then(|| *unproven_since.get_or_insert(now));
            let mut due =
                since.map_or(heartbeat, |since| heartbeat.min(since + millis(RESULTS_GRACE)));
            if !transactions.is_empty() {
                due = due.min(small_until);
            }
            if now >= due || !is_small(&transactions) {
                return (time, transactions);
            }
            let rest = due.saturating_sub(now).min(millis(self.timing.heartbeat));
            select! {
                _ = added.changed() => {},
                _ = executed.changed() => {},
                () = runtime.sleep(Duration::from_millis(rest)) => {},
            }
        }
    }

    /// Whether there are results that no header commits to yet and no attestations prove.
    fn has_unproven_results(&self, done: &Executed, parent: &BlockHeader) -> bool {
        done.eventful > parent.executed_height
            && done.record.height >= done.eventful
            && done.eventful > *self.shared.proven.borrow()
    }

    /// The latest result that a child of `parent` may commit to.
    fn committed(&self, parent: &BlockHeader) -> (u64, Digest) {
        let ours = self.shared.recent().record_up_to(parent.height);
        let (height, digest) = ours.unwrap_or((0, Digest::ZERO));
        if parent.height > 0 && height <= parent.executed_height {
            return (parent.executed_height, parent.executed);
        }
        (height, digest)
    }

    /// The transactions of the blocks that lie between what was executed and `parent`.
    async fn taken(
        &self,
        parent: &Digested<Block>,
        mut rest: impl Ancestry<Block>,
    ) -> HashSet<Digest> {
        let executed = self.shared.executed.borrow().record.height;
        let mut taken = HashSet::new();
        let mut block = parent.clone();
        while block.height().get() > executed {
            taken.extend(block.inner().transactions().iter().map(|one| one.digest));
            match rest.next().await {
                Some(next) => block = next,
                None => break,
            }
        }
        taken
    }

    /// The transactions of `block` whose signatures were not checked on their way in.
    fn unchecked(&self, block: &Block) -> Vec<Transaction> {
        let mempool = self.shared.mempool();
        let transactions = block.transactions().iter();
        transactions.filter(|one| !mempool.is_checked(&one.digest)).cloned().collect()
    }

    /// Waits until `header` is not too far in the future.
    async fn wait_for_time<E: Clock>(&self, runtime: &E, header: &BlockHeader) {
        let latest = now(runtime).saturating_add(millis(self.timing.clock_skew));
        if header.time.0 > latest {
            runtime.sleep(Duration::from_millis(header.time.0 - latest)).await;
        }
    }

    /// Whether `header` commits to the result that we have at that height; waits until we have
    /// one. Stays pending when ours was forgotten long ago.
    async fn agrees(&self, header: &BlockHeader) -> bool {
        let mut executed = self.shared.executed.subscribe();
        loop {
            let reached = executed.borrow_and_update().record.height >= header.executed_height;
            let ours = self.shared.recent().record_digest(header.executed_height);
            match ours {
                Some(digest) if reached => return digest == header.executed,
                _ => {}
            }
            if executed.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Notes where consensus is.
    fn note(&self, context: &SimplexContext) {
        let view = context.round.view().get();
        self.shared.view.send_if_modified(|known| {
            let newer = view > *known;
            *known = view.max(*known);
            newer
        });
    }
}

fn is_small(transactions: &[Transaction]) -> bool {
    let bytes: usize = transactions.iter().map(|one| one.bytes.len()).sum();
    bytes < SMALL_BLOCK_BYTES
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The local clock as block time.
fn now(clock: &impl Clock) -> u64 {
    clock.current().duration_since(std::time::UNIX_EPOCH).map_or(0, millis)
}

/// Whether all of `header` that needs no waiting follows from its parent and the consensus round.
fn follows(
    header: &BlockHeader,
    parent: &BlockHeader,
    context: &SimplexContext,
    network: &Digest,
) -> bool {
    let same_result = header.executed_height == parent.executed_height && parent.height > 0;
    header.network == *network
        && header.height == parent.height + 1
        && header.time > parent.time
        && header.epoch == context.round.epoch().get()
        && header.view == context.round.view().get()
        && header.leader.0 == *context.leader
        && header.parent_view == context.parent.0.get()
        && header.parent.0 == context.parent.1.0
        && header.executed_height >= parent.executed_height
        && header.executed_height <= parent.height
        && (!same_result || header.executed == parent.executed)
}

/// Whether every transaction is one of this network that may be executed at the block's time.
fn acceptable(block: &Block, network: &Digest) -> bool {
    let mut seen = HashSet::with_capacity(block.transactions().len());
    block.transactions().iter().all(|transaction| {
        TransactionView::parse(&transaction.bytes, network)
            .is_ok_and(|view| block.header().time < view.valid_until)
            && seen.insert(transaction.digest)
    })
}

fn signatures_hold(transactions: &[Transaction], network: &Digest) -> bool {
    transactions.iter().all(|transaction| {
        TransactionView::parse(&transaction.bytes, network).is_ok_and(|view| view.verify().is_ok())
    })
}

impl<E: Clock + Spawner> Application<E> for App {
    type SigningScheme = Scheme;
    type Context = SimplexContext;
    type Block = Block;
    type Input = ();

    async fn propose(
        &mut self,
        (runtime, context): (E, SimplexContext),
        ancestry: impl Ancestry<Block>,
        (): (),
    ) -> Option<Digested<Block>> {
        self.note(&context);
        let mut ancestry = ancestry;
        let parent = ancestry.next().await?;
        if !self.caught_up(&runtime, parent.inner().header()).await {
            return None;
        }
        let taken = self.taken(&parent, ancestry).await;
        let parent = *parent.inner().header();
        let (time, transactions) = self.work(&runtime, &parent, &taken).await;
        let (executed_height, executed) = self.committed(&parent);
        let header = BlockHeader {
            network: self.shared.network,
            height: parent.height + 1,
            time,
            epoch: context.round.epoch().get(),
            view: context.round.view().get(),
            leader: PublicKey(key_bytes(&context.leader)),
            parent_view: context.parent.0.get(),
            parent: Digest(context.parent.1.0),
            body_root: Digest::ZERO,
            transaction_count: 0,
            body_bytes: 0,
            executed_height,
            executed,
        };
        let block = Block::build(header, transactions);
        self.shared.recent().insert_header(block.id(), *block.header());
        let digest = block.digest();
        Some(Digested::precomputed(block, digest))
    }

    async fn verify(
        &mut self,
        (runtime, context): (E, SimplexContext),
        ancestry: impl Ancestry<Block>,
    ) -> bool {
        self.note(&context);
        let mut ancestry = ancestry;
        let (Some(block), Some(parent)) = (ancestry.next().await, ancestry.next().await) else {
            return std::future::pending().await;
        };
        let (block, network) = (block.inner_shared(), self.shared.network);
        if !follows(block.header(), parent.inner().header(), &context, &network)
            || !acceptable(&block, &network)
        {
            tracing::warn!(height = block.header().height, "refused a malformed block");
            return false;
        }
        let unchecked = self.unchecked(&block);
        let signed = if unchecked.len() > INLINE_SIGNATURES_MAX {
            let task = runtime.child("signatures").shared(true);
            task.spawn(move |_| async move { signatures_hold(&unchecked, &network) }).await
        } else {
            Ok(signatures_hold(&unchecked, &network))
        };
        match signed {
            Ok(true) => {}
            Ok(false) => return false,
            Err(_) => return std::future::pending().await,
        }
        self.wait_for_time(&runtime, block.header()).await;
        let agrees = self.agrees(block.header()).await;
        if agrees {
            self.shared.recent().insert_header(block.id(), *block.header());
        } else {
            tracing::error!(height = block.header().height, "a block commits to another result");
        }
        agrees
    }
}

/// The 32 bytes of an engine key.
pub(crate) fn key_bytes(key: &ed25519::PublicKey) -> [u8; 32] {
    *key.first_chunk().expect("an Ed25519 key has 32 bytes")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use commonware_runtime::{Runner as _, Supervisor as _, deterministic};
    use etibar_ledger::block::ExecutionRecord;
    use etibar_primitives::MemberId;

    use super::*;
    use crate::mempool::Candidate;

    /// When the parent was made, in milliseconds since 1970.
    const PARENT_MS: u64 = 10_000;

    fn parent() -> BlockHeader {
        BlockHeader {
            network: Digest::ZERO,
            height: 1,
            time: BlockTime(PARENT_MS),
            epoch: 0,
            view: 1,
            leader: PublicKey([0; 32]),
            parent_view: 0,
            parent: Digest::ZERO,
            body_root: Digest::ZERO,
            transaction_count: 0,
            body_bytes: 0,
            executed_height: 0,
            executed: Digest::ZERO,
        }
    }

    fn app() -> App {
        let record = ExecutionRecord {
            height: 1,
            time: BlockTime(PARENT_MS),
            block: Digest::ZERO,
            previous: Digest::ZERO,
            state_root: Digest::ZERO,
            receipts_root: Digest::ZERO,
        };
        let executed = Executed { record, digest: Digest::ZERO, eventful: 0 };
        let shared = Arc::new(Shared::new(Digest::ZERO, Limits::default(), executed));
        App::new(shared, Timing::default(), Limits::default())
    }

    fn submit(app: &App, number: u8, size: usize) {
        let bytes = Bytes::from(vec![number; size]);
        let transaction = Transaction { digest: Digest([number; 32]), bytes };
        let (valid_from, valid_until) = (BlockTime(0), BlockTime(u64::MAX));
        let member = MemberId(1);
        app.shared.mempool().add(Candidate { transaction, member, valid_from, valid_until });
        app.shared.added.send_modify(|count| *count += 1);
    }

    /// Proposes `wait` after the parent with what was `sent` before, and `later` a moment after;
    /// gives how long after the parent the block is, and how many transactions it has.
    fn propose(wait_ms: u64, sent: Option<usize>, later: Option<usize>) -> (u64, usize) {
        deterministic::Runner::default().start(|runtime| async move {
            let (app, parent) = (app(), parent());
            runtime.sleep_until(std::time::UNIX_EPOCH + Duration::from_millis(PARENT_MS)).await;
            runtime.sleep(Duration::from_millis(wait_ms)).await;
            if let Some(size) = sent {
                submit(&app, 1, size);
            }
            let sender = app.clone();
            let sending = runtime.child("sender").spawn(move |clock| async move {
                clock.sleep(Duration::from_millis(10)).await;
                if let Some(size) = later {
                    submit(&sender, 2, size);
                }
            });
            let (time, transactions) = app.work(&runtime, &parent, &HashSet::new()).await;
            sending.await.expect("the sender does not panic");
            (time.0 - PARENT_MS, transactions.len())
        })
    }

    fn interval_ms() -> u64 {
        millis(Timing::default().block_interval)
    }

    #[test]
    fn a_lone_transaction_on_a_quiet_network_does_not_wait() {
        assert_eq!(propose(500, Some(384), Some(384)), (500, 1));
        assert_eq!(propose(interval_ms(), Some(384), Some(384)), (interval_ms(), 1));
    }

    #[test]
    fn small_transactions_soon_after_a_block_share_the_next_one() {
        assert_eq!(propose(5, Some(384), Some(384)), (interval_ms(), 2));
    }

    #[test]
    fn a_block_that_is_not_small_does_not_wait() {
        assert_eq!(propose(5, Some(SMALL_BLOCK_BYTES), None), (5, 1));
        let (after_ms, count) = propose(5, Some(SMALL_BLOCK_BYTES - 1), Some(1));
        assert!(after_ms < interval_ms(), "proposed as soon as it was not small: {after_ms} ms");
        assert_eq!(count, 2);
    }

    #[test]
    fn a_leader_with_nothing_to_do_proposes_at_the_heartbeat() {
        assert_eq!(propose(5, None, None), (millis(Timing::default().heartbeat), 0));
    }
}
