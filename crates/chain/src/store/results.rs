//! What became of every block: two append-only logs in which a block's height is its position.
//!
//! The log of entries is small and read whole at start; the log of results is large and read by
//! position. Both are durable before the state is: after a crash they may be ahead of it, and what
//! is ahead is dropped and executed again.

use std::num::NonZeroUsize;

use bytes::Bytes;
use commonware_codec::RangeCfg;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_storage::journal::{
    Error,
    contiguous::{Contiguous as _, Many, variable},
};
use commonware_utils::{NZU64, NZUsize};
use etibar_ledger::{
    block::{BlockHeader, ExecutionRecord},
    receipt::MemberSummary,
    result::BlockResult,
};
use etibar_primitives::codec::{DecodeError, Reader, Writer as _};

use crate::{engine::Runtime, serving::Entry};

const ITEMS_PER_SECTION: std::num::NonZeroU64 = NZU64!(4_096);
const BUFFER_BYTES: NonZeroUsize = NZUsize!(1024 * 1024);
/// The largest item: far above the result of a full block.
const ITEM_BYTES_MAX: usize = 64 * 1024 * 1024;
/// More members than any network has.
const MEMBERS_MAX: usize = 1 << 20;

type Log<E> = variable::Journal<E, Bytes>;

/// Both logs.
pub(crate) struct Results<E: Runtime> {
    entries: Log<E>,
    results: Log<E>,
}

/// A failure of the store: the process has to stop.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResultsError {
    #[error(transparent)]
    Log(#[from] Error),
    #[error("a stored result is unreadable: {0}")]
    Item(#[from] DecodeError),
    #[error("results end at height {found}, the state is at {needed}")]
    Behind { found: u64, needed: u64 },
}

impl<E: Runtime> Results<E> {
    /// Opens the logs and drops what is above `height`, where the state stands.
    pub(crate) async fn open(
        context: &E,
        partition: &str,
        page_cache: &CacheRef,
        height: u64,
    ) -> Result<Self, ResultsError> {
        let size = height + 1;
        let open = |name: &'static str| {
            let config = config(partition, name, page_cache);
            Log::init_at_most(context.child(name), config, size)
        };
        let (entries, results) = (open("entries").await?, open("results").await?);
        let found = entries.size().min(results.size());
        if found < size {
            return Err(ResultsError::Behind { found: found.saturating_sub(1), needed: height });
        }
        Ok(Self { entries, results })
    }

    /// Empties both logs: the next block is `height`.
    pub(crate) async fn restart(
        context: &E,
        partition: &str,
        page_cache: &CacheRef,
        height: u64,
    ) -> Result<Self, ResultsError> {
        let open = |name: &'static str| {
            let config = config(partition, name, page_cache);
            Log::init_at_size(context.child(name), config, height)
        };
        Ok(Self { entries: open("entries").await?, results: open("results").await? })
    }

    /// Appends the results of the next blocks and makes them durable.
    pub(crate) async fn append(
        mut self,
        blocks: &[(&Entry, &BlockResult)],
    ) -> Result<Self, ResultsError> {
        let entries: Vec<_> = blocks.iter().map(|(entry, _)| encode_entry(entry)).collect();
        let results: Vec<_> = blocks.iter().map(|(_, result)| encode_result(result)).collect();
        (self.entries, _) = self.entries.append_many(Many::Flat(&entries)).await?;
        (self.results, _) = self.results.append_many(Many::Flat(&results)).await?;
        let (entries, results) =
            futures::future::try_join(self.entries.commit(), self.results.commit()).await?;
        Ok(Self { entries, results })
    }

    /// The heights that are kept, the upper one excluded.
    pub(crate) fn heights(&self) -> std::ops::Range<u64> {
        let (entries, results) = (self.entries.bounds(), self.results.bounds());
        entries.start.max(results.start)..entries.end
    }

    /// The entry of a height, or `None` when it is not kept.
    pub(crate) async fn entry(&self, height: u64) -> Result<Option<Entry>, ResultsError> {
        if !self.heights().contains(&height) {
            return Ok(None);
        }
        Ok(Some(decode_entry(&self.entries.read(height).await?)?))
    }

    /// The result of a height, or `None` when it is not kept.
    pub(crate) async fn result(&self, height: u64) -> Result<Option<BlockResult>, ResultsError> {
        if !self.heights().contains(&height) {
            return Ok(None);
        }
        let bytes = self.results.read(height).await?;
        let mut reader = Reader::new(&bytes);
        let result = BlockResult::decode(&mut reader)?;
        reader.finish()?;
        Ok(Some(result))
    }

    /// Forgets what is below `height`, in whole sections.
    pub(crate) async fn prune(mut self, height: u64) -> Result<Self, ResultsError> {
        (self.entries, _) = self.entries.prune(height).await?;
        (self.results, _) = self.results.prune(height).await?;
        Ok(self)
    }
}

fn config(partition: &str, name: &str, page_cache: &CacheRef) -> variable::Config<RangeCfg<usize>> {
    variable::Config {
        partition: format!("{partition}-{name}"),
        items_per_section: ITEMS_PER_SECTION,
        compression: None,
        codec_config: RangeCfg::from(..=ITEM_BYTES_MAX),
        page_cache: page_cache.clone(),
        write_buffer: BUFFER_BYTES,
        replay_buffer: BUFFER_BYTES,
    }
}

fn encode_entry(entry: &Entry) -> Bytes {
    let mut out = Vec::new();
    entry.header.encode(&mut out);
    entry.record.encode(&mut out);
    out.put_count(entry.summaries.len());
    for summary in &entry.summaries {
        out.put_u32(summary.member.0);
        out.put_u64(summary.first);
        out.put_u32(summary.count);
        out.put(&summary.root.0);
    }
    Bytes::from(out)
}

fn decode_entry(bytes: &[u8]) -> Result<Entry, DecodeError> {
    let mut reader = Reader::new(bytes);
    let header = BlockHeader::decode(&mut reader)?;
    let record = ExecutionRecord::decode(&mut reader)?;
    let count = reader.count(MEMBERS_MAX, "members")?;
    let summaries = (0..count).map(|_| decode_summary(&mut reader)).collect::<Result<_, _>>()?;
    reader.finish()?;
    Ok(Entry { header, record, summaries })
}

fn decode_summary(reader: &mut Reader<'_>) -> Result<MemberSummary, DecodeError> {
    Ok(MemberSummary {
        member: reader.member()?,
        first: reader.u64()?,
        count: reader.u32()?,
        root: reader.digest()?,
    })
}

fn encode_result(result: &BlockResult) -> Bytes {
    let mut out = Vec::new();
    result.encode(&mut out);
    Bytes::from(out)
}
