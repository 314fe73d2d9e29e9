//! The authenticated state: QMDB, from the ledger's changes.
//!
//! One row for each key, the root over all of them in the execution record. A commit carries where
//! it stands (height, time, block, previous record, receipts root), so that the state alone tells
//! the record of its height.

use std::{num::NonZeroUsize, sync::Arc};

use bytes::Bytes;
use commonware_codec::{Buf, EncodeSize, Error, RangeCfg, Read, Write};
use commonware_cryptography::{Blake3, blake3};
use commonware_parallel::Strategy;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_storage::{
    journal::contiguous::variable,
    merkle::{Location, full},
    mmr,
    qmdb::{
        any::unordered::{
            self,
            variable::{Operation, Update},
        },
        current::{self, VariableConfig, batch::MerkleizedBatch},
        floor::{Decision, Entry, Limits, Policy},
    },
    translator::EightCap,
};
use commonware_utils::{
    NZU64, NZUsize, bitmap::Readable as _, non_empty_range, sequence::FixedBytes,
};
use etibar_ledger::{
    block::ExecutionRecord,
    state::{Change, VALUE_BYTES_MAX},
};
use etibar_primitives::{
    BlockTime, Digest,
    codec::{DecodeError, Reader, Writer as _},
};

use crate::engine::Runtime;

/// Bytes of a chunk of the activity bitmap. Never change: roots depend on it.
const CHUNK_BYTES: usize = 32;
const OPERATIONS_PER_SECTION: std::num::NonZeroU64 = NZU64!(65_536);
const BUFFER_BYTES: NonZeroUsize = NZUsize!(1024 * 1024);
/// Operations read at once when all rows are enumerated.
const SCAN_OPERATIONS: std::num::NonZeroU64 = NZU64!(1_024);
/// The most bytes of old rows that one block moves to the front of the log.
const MOVED_BYTES_MAX: usize = 256 * 1024;

pub(crate) type Family = mmr::Family;
pub(crate) type Key = FixedBytes<32>;
pub(crate) type StateOperation = Operation<Family, Key, Value>;
pub(crate) type Db<E, T> =
    current::unordered::variable::Db<Family, E, Key, Value, Blake3, EightCap, CHUNK_BYTES, T>;
/// A block's changes with their root, not applied yet.
pub(crate) type Staged<T> =
    Arc<MerkleizedBatch<Family, blake3::Digest, Update<Key, Value>, CHUNK_BYTES, T>>;
/// A failure of the store: the process has to stop.
pub(crate) type StateError = commonware_storage::qmdb::Error<Family>;

/// What to fetch for the state of a height.
pub(crate) type Target = commonware_storage::qmdb::sync::Target<Family, blake3::Digest>;

/// The bytes of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Value(pub(crate) Bytes);

/// Where a state stands: all of its execution record but the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) height: u64,
    pub(crate) time: BlockTime,
    pub(crate) block: Digest,
    pub(crate) previous: Digest,
    pub(crate) receipts_root: Digest,
}

/// The store, with the strategy to hash with.
pub(crate) struct State<E: Runtime, T: Strategy> {
    pub(crate) db: Db<E, T>,
}

impl<E: Runtime, T: Strategy> State<E, T> {
    /// Opens what is stored; empty at first.
    pub(crate) async fn open(context: E, config: StateConfig<T>) -> Result<Self, StateError> {
        let db = Db::init(context, config, None).await?;
        Ok(Self { db })
    }

    /// Where the state stands; `None` before the genesis was written.
    pub(crate) async fn position(&self) -> Result<Option<Position>, StateError> {
        let metadata = self.db.get_metadata().await?;
        let decode = |value: Value| {
            Position::decode(&mut Reader::new(&value.0))
                .map_err(|_| StateError::DataCorrupted("the commit's position is unreadable"))
        };
        metadata.map(decode).transpose()
    }

    /// The root over all rows.
    pub(crate) const fn root(&self) -> Digest {
        Digest(self.db.root().0)
    }

    /// What to fetch for this state.
    pub(crate) fn target(&self) -> Target {
        let bounds = self.db.bounds();
        Target::new(self.db.ops_root(), non_empty_range!(self.db.sync_boundary(), bounds.end))
    }

    /// Every row that is there now.
    pub(crate) async fn values(&self) -> Result<Vec<Bytes>, StateError> {
        let mut values = Vec::new();
        let bounds = self.db.bounds();
        let mut location = *bounds.start;
        while location < *bounds.end {
            let start = Location::new(location);
            let (_, operations) =
                self.db.ops_historical_proof(bounds.end, start, SCAN_OPERATIONS).await?;
            for operation in operations {
                if let Operation::Update(unordered::Update(_, value)) = operation
                    && self.is_live(location)
                {
                    values.push(value.0);
                }
                location += 1;
            }
        }
        Ok(values)
    }

    fn is_live(&self, location: u64) -> bool {
        let bitmap = self.db.bitmap();
        let chunk = location / (8 * u64::try_from(CHUNK_BYTES).unwrap_or(u64::MAX));
        let pruned = u64::try_from(bitmap.pruned_chunks()).unwrap_or(u64::MAX);
        chunk >= pruned && bitmap.get_bit(location)
    }

    /// Computes the state after `changes`, on top of the last of what is `staged` already.
    pub(crate) async fn stage(
        &self,
        staged: Option<&Staged<T>>,
        changes: Vec<Change>,
        position: &Position,
    ) -> Result<Staged<T>, StateError> {
        let mut batch = match staged {
            Some(previous) => previous.new_batch::<Blake3>(),
            None => self.db.new_batch(),
        };
        for change in changes {
            let value = change.value.map(|value| Value(Bytes::from(value)));
            batch = batch.write(Key::new(change.key.0), value);
        }
        let mut policy = Moving { bytes: MOVED_BYTES_MAX };
        batch.merkleize(&self.db, Some(position.to_value()), &mut policy).await
    }

    /// Applies what was staged, in order, and makes it durable.
    pub(crate) async fn commit(mut self, staged: Vec<Staged<T>>) -> Result<Self, StateError> {
        for batch in staged {
            self.db = self.db.apply_batch(batch).await?;
        }
        self.db = self.db.commit().await?;
        Ok(self)
    }

    /// Forgets operations below `location`, which is at most what [`Db::sync_boundary`] said.
    pub(crate) async fn prune(mut self, location: Location<Family>) -> Result<Self, StateError> {
        self.db = self.db.prune(location).await?;
        self.db = self.db.sync().await?;
        Ok(self)
    }
}

/// The root of a staged state.
pub(crate) fn root_of<T: Strategy>(staged: &Staged<T>) -> Digest {
    Digest(staged.root().0)
}

/// What to fetch for a staged state.
pub(crate) fn target_of<T: Strategy>(staged: &Staged<T>) -> Target {
    let end = staged.bounds().tip.size;
    Target::new(staged.ops_root(), non_empty_range!(staged.sync_boundary(), end))
}

pub(crate) type StateConfig<T> = VariableConfig<EightCap, ((), ()), T>;

/// How the state is laid out on disk.
pub(crate) fn config<T: Strategy>(
    partition: &str,
    page_cache: &CacheRef,
    strategy: T,
) -> StateConfig<T> {
    VariableConfig {
        merkle_config: full::Config {
            journal_partition: format!("{partition}-state-nodes"),
            metadata_partition: format!("{partition}-state-pins"),
            items_per_blob: OPERATIONS_PER_SECTION,
            write_buffer: BUFFER_BYTES,
            replay_buffer: BUFFER_BYTES,
            strategy,
            page_cache: page_cache.clone(),
        },
        journal_config: variable::Config {
            partition: format!("{partition}-state-log"),
            items_per_section: OPERATIONS_PER_SECTION,
            compression: None,
            codec_config: ((), ()),
            page_cache: page_cache.clone(),
            write_buffer: BUFFER_BYTES,
            replay_buffer: BUFFER_BYTES,
        },
        grafted_metadata_partition: format!("{partition}-state-grafted"),
        translator: EightCap,
        init_cache: Some(NZUsize!(65_536)),
        init_buffer: BUFFER_BYTES,
        init_concurrency: (),
    }
}

/// Keeps the log short without rewriting much: rows that remember operation ids are large and
/// live for long, and moving one for every small change would multiply what is written.
struct Moving {
    bytes: usize,
}

impl Policy<Family, Key, Value> for Moving {
    fn evicts(&self) -> bool {
        false
    }

    fn limits(&self, made_inactive: usize) -> Limits {
        Limits { entries: 1 + made_inactive / 4, skips: 1 << 20 }
    }

    fn decide<'a>(&mut self, entry: Entry<'a, Family, Key, Value>) -> Decision<'a, Value> {
        match self.bytes.checked_sub(entry.value().0.len()) {
            Some(left) => {
                self.bytes = left;
                entry.keep()
            }
            None => entry.stop(),
        }
    }
}

impl Position {
    /// The record of this position, given the state's root.
    pub(crate) const fn record(&self, state_root: Digest) -> ExecutionRecord {
        ExecutionRecord {
            height: self.height,
            time: self.time,
            block: self.block,
            previous: self.previous,
            state_root,
            receipts_root: self.receipts_root,
        }
    }

    fn to_value(self) -> Value {
        let mut out = Vec::new();
        out.put_u64(self.height);
        out.put_u64(self.time.0);
        out.put(&self.block.0);
        out.put(&self.previous.0);
        out.put(&self.receipts_root.0);
        Value(Bytes::from(out))
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let position = Self {
            height: reader.u64()?,
            time: reader.time()?,
            block: reader.digest()?,
            previous: reader.digest()?,
            receipts_root: reader.digest()?,
        };
        reader.finish()?;
        Ok(position)
    }
}

impl Write for Value {
    fn write(&self, buf: &mut impl bytes::BufMut) {
        self.0.write(buf);
    }
}

impl EncodeSize for Value {
    fn encode_size(&self) -> usize {
        self.0.encode_size()
    }
}

impl Read for Value {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, Error> {
        Bytes::read_cfg(buf, &RangeCfg::from(..=VALUE_BYTES_MAX)).map(Self)
    }
}
