//! Event pages, receipts and block summaries: from memory when recent, else from the archive.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use etibar_ledger::{
    Operation, Outcome,
    block::{BlockHeader, ExecutionRecord},
    receipt::{
        BlockEvents, CHAIN_LENGTH_MAX, Certified, Event, EventPage, MemberSummary, Receipt,
        SummaryProof,
    },
    result::{BlockResult, TransactionResult},
    state::OperationKey,
    transaction::TransactionView,
};
use etibar_primitives::{MemberId, merkle};
use futures::future::BoxFuture;

use crate::{
    block::Block,
    handle::{BlockSummary, ReadError},
    shared::Shared,
};

/// How many bytes of recent blocks are kept in memory with their results.
const CACHE_BYTES: usize = 48 * 1024 * 1024;
/// What a cached block costs besides its transactions, roughly.
const CACHED_BLOCK_BYTES: usize = 2_048;
/// The most heights that one page spans.
const PAGE_HEIGHTS_MAX: u64 = 1_024;
/// How far above a height a header that commits to it is searched.
const COMMITMENT_DISTANCE_MAX: u64 = 256;

const _: () = assert!(CHAIN_LENGTH_MAX > 1_024 + 256, "a page's proof fits the format");

/// What is kept of an executed block besides its transactions and outcomes: small, in memory
/// order of height.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) header: BlockHeader,
    pub(crate) record: ExecutionRecord,
    pub(crate) summaries: Vec<MemberSummary>,
}

/// An executed block with everything that is served of it.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) block: Arc<Block>,
    pub(crate) entry: Entry,
    pub(crate) result: BlockResult,
}

/// Where older blocks come from.
pub(crate) trait Archive: Send + Sync {
    /// The entry of a height, `None` when it is not kept.
    fn entry(&self, height: u64) -> BoxFuture<'_, Result<Option<Entry>, ReadError>>;
    /// A block with its result, `None` when it is not kept.
    fn served(&self, height: u64) -> BoxFuture<'_, Result<Option<Arc<Served>>, ReadError>>;
    /// The certificate of a height, `None` when that height has none of its own.
    fn certificate(&self, height: u64) -> BoxFuture<'_, Result<Option<Vec<u8>>, ReadError>>;
}

/// Serves what was executed.
pub(crate) struct Serving {
    shared: Arc<Shared>,
    archive: Box<dyn Archive>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    blocks: BTreeMap<u64, Arc<Served>>,
    bytes: usize,
    feeds: HashMap<MemberId, VecDeque<Stretch>>,
    /// How many events a member had when this validator began to keep them.
    before: HashMap<MemberId, u64>,
}

/// A member's events of one block.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    first: u64,
    count: u32,
    height: u64,
}

impl Serving {
    pub(crate) fn new(shared: Arc<Shared>, archive: Box<dyn Archive>) -> Self {
        Self { shared, archive, inner: Mutex::default() }
    }

    /// Notes where the events of an executed block are. Heights rise.
    pub(crate) fn index(&self, entry: &Entry) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        for summary in &entry.summaries {
            let (first, count, height) = (summary.first, summary.count, entry.header.height);
            inner.feeds.entry(summary.member).or_default().push_back(Stretch {
                first,
                count,
                height,
            });
        }
    }

    /// Notes that `count` events of `member` are kept or gone; call it after [`Serving::index`].
    pub(crate) fn begin(&self, member: MemberId, count: u64) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let first = inner.feeds.get(&member).and_then(|all| all.front()).map(|one| one.first);
        inner.before.insert(member, first.unwrap_or(count));
    }

    /// Keeps an executed block at hand.
    pub(crate) fn keep(&self, served: Arc<Served>) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.bytes += served.weight();
        inner.blocks.insert(served.entry.header.height, served);
        while inner.bytes > CACHE_BYTES
            && let Some((_, oldest)) = inner.blocks.pop_first()
        {
            inner.bytes -= oldest.weight();
        }
    }

    /// Forgets the blocks below `height` and where their events are.
    pub(crate) fn prune(&self, height: u64) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = inner.blocks.split_off(&height);
        let dropped = std::mem::replace(&mut inner.blocks, kept);
        inner.bytes -= dropped.values().map(|served| served.weight()).sum::<usize>();
        for stretches in inner.feeds.values_mut() {
            let stale = stretches.partition_point(|stretch| stretch.height < height);
            stretches.drain(..stale);
        }
    }

    async fn served(&self, height: u64) -> Result<Arc<Served>, ReadError> {
        let cached = {
            let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            inner.blocks.get(&height).cloned()
        };
        match cached {
            Some(served) => Ok(served),
            None => self.archive.served(height).await?.ok_or(ReadError::Pruned),
        }
    }

    async fn entry(&self, height: u64) -> Result<Entry, ReadError> {
        let cached = {
            let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            inner.blocks.get(&height).map(|served| served.entry.clone())
        };
        match cached {
            Some(entry) => Ok(entry),
            None => self.archive.entry(height).await?.ok_or(ReadError::Pruned),
        }
    }

    /// The stretches of `member` from the one with event `from` on, up to the certified height.
    fn stretches(&self, member: MemberId, from: u64) -> Result<Vec<Stretch>, ReadError> {
        let certified = self.certified_height();
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.before.get(&member).is_some_and(|before| from < *before) {
            return Err(ReadError::Pruned);
        }
        let Some(all) = inner.feeds.get(&member) else { return Ok(Vec::new()) };
        if all.front().is_some_and(|oldest| from < oldest.first) {
            return Err(ReadError::Pruned);
        }
        let start = all.partition_point(|one| one.first + u64::from(one.count) <= from);
        let wanted = all.range(start..).take_while(|one| one.height <= certified);
        Ok(wanted.take(usize::try_from(PAGE_HEIGHTS_MAX).unwrap_or(usize::MAX)).copied().collect())
    }

    fn certified_height(&self) -> u64 {
        let proven = *self.shared.proven.borrow();
        proven.min(self.shared.executed.borrow().record.height)
    }

    /// See [`crate::Handle::events`].
    pub(crate) async fn events(
        &self,
        member: MemberId,
        from: u64,
        bytes_max: usize,
    ) -> Result<Option<EventPage>, ReadError> {
        let stretches = self.stretches(member, from)?;
        let Some(first) = stretches.first().map(|stretch| stretch.height) else { return Ok(None) };
        let mut blocks = Vec::new();
        let (mut bytes, mut last) = (0, first);
        for stretch in stretches {
            let size = usize::try_from(stretch.count).unwrap_or(usize::MAX) * Event::BYTES;
            let full = bytes + size > bytes_max || stretch.height - first >= PAGE_HEIGHTS_MAX;
            if full && !blocks.is_empty() {
                break;
            }
            let served = self.served(stretch.height).await?;
            blocks.push(served.events_of(member).ok_or(ReadError::Pruned)?);
            bytes += size;
            last = stretch.height;
        }
        let Some(certified) = self.certified(first, last).await? else { return Ok(None) };
        Ok(Some(EventPage { blocks, certified }))
    }

    /// See [`crate::Handle::receipt`].
    pub(crate) async fn receipt(
        &self,
        key: OperationKey,
        height: u64,
    ) -> Result<Option<Receipt>, ReadError> {
        if height > self.certified_height() {
            return Ok(None);
        }
        let served = self.served(height).await?;
        let Some(events) = served.events_of(key.submitter) else { return Ok(None) };
        // A repeat within the block comes after the operation's own outcome.
        let own = |event: &Event| {
            event.submitter == key.submitter
                && event.outcome != Outcome::ReserveExpired
                && Operation::peek(&event.operation).0 == key.id
        };
        let Some(index) = events.events.iter().position(own) else { return Ok(None) };
        let leaves: Vec<_> = events.events.iter().map(Event::leaf).collect();
        let path = merkle::path(&leaves, index).expect("the index was found among the leaves");
        let Some(certified) = self.certified(height, height).await? else { return Ok(None) };
        Ok(Some(Receipt {
            event: events.events[index],
            index: u32::try_from(index).expect("a block has fewer than 2^32 events"),
            path,
            summary: events.summary,
            certified,
        }))
    }

    /// See [`crate::Handle::blocks`].
    pub(crate) async fn blocks(
        &self,
        from: u64,
        count: usize,
    ) -> Result<Vec<BlockSummary>, ReadError> {
        let executed = self.shared.executed.borrow().record.height;
        let newest = from.min(executed);
        let mut summaries = Vec::new();
        for height in (1..=newest).rev().take(count) {
            match self.served(height).await {
                Ok(served) => summaries.push(served.summary()),
                Err(ReadError::Pruned) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(summaries)
    }

    /// The records from `first` on, up to an attested one, or up to the one that a certified
    /// header commits to; `last` or later.
    async fn certified(&self, first: u64, last: u64) -> Result<Option<Certified>, ReadError> {
        let attested = {
            let recent = self.shared.recent();
            recent.attestation_of(last).map(|(height, proof)| (height, proof.to_vec()))
        };
        if let Some((height, certificate)) = attested {
            let records = self.records(first, height).await?;
            return Ok(Some(Certified { records, headers: Vec::new(), certificate }));
        }
        let recent = {
            let recent = self.shared.recent();
            recent.certificate_of(last).map(|(header, certificate)| (*header, certificate.clone()))
        };
        let (headers, certificate) = match recent {
            Some((header, certificate)) => (vec![header], certificate),
            None => match self.archived_commitment(last).await? {
                Some(found) => found,
                None => return Ok(None),
            },
        };
        let records = self.records(first, headers[0].executed_height).await?;
        Ok(Some(Certified { records, headers, certificate }))
    }

    async fn records(&self, first: u64, last: u64) -> Result<Vec<ExecutionRecord>, ReadError> {
        let mut records = Vec::new();
        for height in first..=last {
            let known = self.shared.recent().record(height);
            match known {
                Some(record) => records.push(record),
                None => records.push(self.entry(height).await?.record),
            }
        }
        Ok(records)
    }

    /// The headers from the first that commits to `height` or later, up to the first with a
    /// certificate, and that certificate.
    async fn archived_commitment(
        &self,
        height: u64,
    ) -> Result<Option<(Vec<BlockHeader>, Vec<u8>)>, ReadError> {
        let executed = self.shared.executed.borrow().record.height;
        let mut headers: Vec<BlockHeader> = Vec::new();
        let above = height + 1..=executed.min(height + COMMITMENT_DISTANCE_MAX);
        for above in above {
            let header = self.entry(above).await?.header;
            if headers.is_empty() && header.executed_height < height {
                continue;
            }
            headers.push(header);
            if let Some(certificate) = self.archive.certificate(above).await? {
                return Ok(Some((headers, certificate)));
            }
        }
        Ok(None)
    }
}

impl Served {
    fn weight(&self) -> usize {
        let body = usize::try_from(self.entry.header.body_bytes).unwrap_or(usize::MAX);
        body + CACHED_BLOCK_BYTES
    }

    /// The events of `member` in this block with the place of their root.
    fn events_of(&self, member: MemberId) -> Option<BlockEvents> {
        let index = self.result.members.iter().position(|events| events.member == member)?;
        let summary = SummaryProof::new(&self.entry.summaries, index)?;
        let network = &self.entry.header.network;
        let transactions = self.block.transactions().iter().filter_map(|transaction| {
            let view = TransactionView::parse(&transaction.bytes, network).ok()?;
            Some((view.member, &transaction.bytes[..]))
        });
        let mut wanted = self.result.members[index].positions.iter().copied().peekable();
        let mut events = Vec::new();
        for (position, event) in (0_u32..).zip(self.result.events(transactions)) {
            if wanted.next_if_eq(&position).is_some() {
                events.push(event);
            }
        }
        Some(BlockEvents { height: self.entry.header.height, summary, events })
    }

    fn summary(&self) -> BlockSummary {
        let outcomes = self.result.transactions.iter().flat_map(|transaction| match transaction {
            TransactionResult::Executed(outcomes) => outcomes.as_slice(),
            TransactionResult::Refused(_) => &[],
        });
        let (mut operations, mut accepted) = (0, 0);
        for outcome in outcomes {
            operations += 1;
            accepted += u64::from(*outcome == Outcome::Accepted);
        }
        BlockSummary {
            digest: self.block.id(),
            header: self.entry.header,
            record: self.entry.record,
            operations,
            accepted,
        }
    }
}
