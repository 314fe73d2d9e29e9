//! How a validator begins: from its disk, from the genesis, or from the others' state.
//!
//! A validator that lost its disk lost the memory of its votes with it. It joins at the newest
//! certified block, and for the few views above it may vote twice: until the next block is final
//! it counts as one of the f that may fail. Wait for that before you wipe a second one.

use std::sync::Arc;

use bytes::Bytes;
use commonware_codec::{Encode as _, RangeCfg};
use commonware_cryptography::ed25519;
use commonware_parallel::Strategy;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_storage::metadata::{self, Metadata};
use commonware_utils::{ordered::Set, sequence::FixedBytes};
use etibar_ledger::{Ledger, block::ExecutionRecord, result::BlockResult};
use etibar_primitives::{
    Digest,
    codec::{Reader, Writer as _},
};

use crate::{
    engine::{Floor, Runtime, Scheme},
    executor::Stores,
    node::{NodeConfig, genesis_block},
    serving::Entry,
    shared::{Executed, RECENT_HEIGHTS},
    store::{
        results::Results,
        state::{self, Position, State, root_of},
    },
    sync::{
        Exchange,
        client::{self, discover},
        offer::{Checked, finalization},
    },
};

const MEMORY_BYTES_MAX: usize = 128 * 1024;
const KEY: FixedBytes<1> = FixedBytes::new([0]);
const JOINING: u8 = 0;
const JOINED: u8 = 1;

/// What a validator begins with.
pub(crate) struct Opened<E: Runtime, T: Strategy> {
    pub(crate) ledger: Ledger,
    pub(crate) stores: Stores<E, T>,
    pub(crate) executed: Executed,
    /// Of the heights that had events and of the newest ones, in order.
    pub(crate) entries: Vec<Entry>,
    /// Where the blocks begin, if not at the genesis.
    pub(crate) floor: Option<Floor>,
    /// Whether there was something on disk.
    pub(crate) known: bool,
}

/// What joining needs besides the configuration.
pub(crate) struct Joining<'a, E, T> {
    pub(crate) context: &'a E,
    pub(crate) config: &'a NodeConfig,
    pub(crate) page_cache: &'a CacheRef,
    pub(crate) strategy: T,
    pub(crate) exchange: &'a Arc<Exchange>,
    pub(crate) participants: &'a Set<ed25519::PublicKey>,
    pub(crate) public_key: &'a ed25519::PublicKey,
    pub(crate) scheme: &'a Scheme,
}

/// Remembers where this validator joined, and that it was joining when it was killed.
pub(crate) struct Memory<E: Runtime>(Metadata<E, FixedBytes<1>, Bytes>);

/// What is remembered.
enum Remembered {
    Nothing,
    Joining,
    Joined(Box<Floor>),
}

impl<E: Runtime> Memory<E> {
    pub(crate) async fn open(context: E, partition: &str) -> Self {
        let config = metadata::Config {
            partition: format!("{partition}-join"),
            codec_config: RangeCfg::from(..=MEMORY_BYTES_MAX),
        };
        let opened = Metadata::init(context, config).await;
        Self(opened.unwrap_or_else(|error| panic!("the join memory cannot be opened: {error}")))
    }

    fn get(&self, scheme: &Scheme) -> Remembered {
        let Some(bytes) = self.0.get(&KEY) else { return Remembered::Nothing };
        let mut reader = Reader::new(bytes);
        let unreadable = "what was written before is readable";
        match reader.u8().expect(unreadable) {
            JOINED => {
                let mut next = || {
                    let bytes = reader.prefixed(MEMORY_BYTES_MAX, "floor").expect(unreadable);
                    finalization(bytes, scheme).expect(unreadable)
                };
                let (blocks, votes) = (next(), next());
                Remembered::Joined(Box::new(Floor { blocks, votes }))
            }
            _ => Remembered::Joining,
        }
    }

    async fn put(mut self, value: Vec<u8>) -> Self {
        let written = self.0.put_sync(KEY, Bytes::from(value)).await;
        self.0 = written.unwrap_or_else(|error| panic!("the join memory is lost: {error}"));
        self
    }

    /// Remembers that the state has to be fetched.
    pub(crate) async fn joining(self) -> Self {
        self.put(vec![JOINING]).await
    }

    async fn joined(self, floor: &Floor) -> Self {
        let mut out = vec![JOINED];
        out.put_prefixed(&floor.blocks.encode());
        out.put_prefixed(&floor.votes.encode());
        self.put(out).await
    }
}

/// Opens what is there, or begins anew.
pub(crate) async fn open<E: Runtime, T: Strategy>(
    joining: Joining<'_, E, T>,
    memory: Memory<E>,
) -> (Opened<E, T>, Memory<E>) {
    let floor = match memory.get(joining.scheme) {
        Remembered::Nothing => None,
        Remembered::Joined(floor) => Some(*floor),
        // What is on disk may be half of a state: it is not even looked at.
        Remembered::Joining => return joining.join(memory, 0).await,
    };
    let context = joining.context.child("state");
    let state = State::open(context, joining.state_config()).await;
    let state = state.unwrap_or_else(|error| panic!("the state cannot be opened: {error}"));
    let position = state.position().await;
    let position = position.unwrap_or_else(|error| panic!("the state is unreadable: {error}"));
    if let Some(position) = position {
        return (joining.restore(state, position, floor).await, memory);
    }
    drop(state);
    joining.exchange.has_no_past();
    let near = joining.config.limits.sync_distance;
    joining.join(memory, near).await
}

impl<E: Runtime, T: Strategy> Joining<'_, E, T> {
    fn state_config(&self) -> state::StateConfig<T> {
        state::config(&self.config.partition, self.page_cache, self.strategy.clone())
    }

    fn network(&self) -> Digest {
        self.config.genesis.network()
    }

    /// Asks the others; joins them when they are above height `near`, else begins at the genesis.
    async fn join(self, memory: Memory<E>, near: u64) -> (Opened<E, T>, Memory<E>) {
        let mut runtime = self.context.child("discovery");
        let (network, everybody) = (self.network(), self.participants);
        let found =
            discover(&mut runtime, self.exchange, everybody, &network, self.scheme, None).await;
        match found.filter(|found| found.record.height > near) {
            Some(found) => self.fetch(memory, found).await,
            None => (self.begin().await, memory),
        }
    }

    /// Fetches the state that the others have.
    async fn fetch(self, memory: Memory<E>, found: Checked) -> (Opened<E, T>, Memory<E>) {
        let height = found.record.height;
        tracing::info!(height, "fetching the state from the other validators");
        let memory = memory.joining().await;
        let others = self.participants.iter().filter(|peer| *peer != self.public_key);
        let peers = others.cloned().collect();
        let context = self.context.child("state");
        let state = client::fetch(context, self.exchange, peers, self.state_config(), &found).await;
        let position = state.position().await;
        let position = position.unwrap_or_else(|error| panic!("the state is unreadable: {error}"));
        let position = position.expect("every certified state has a position");
        assert_eq!(position.record(state.root()), found.record, "the state is the record's");
        let partition = &self.config.partition;
        let failed = "the results cannot be started";
        let results = Results::restart(self.context, partition, self.page_cache, height).await;
        let results = results.expect(failed);
        let entry = Entry { header: found.header, record: found.record, summaries: Vec::new() };
        let results = results.append(&[(&entry, &BlockResult::default())]).await.expect(failed);
        drop(results);
        let memory = memory.joined(&found.floor).await;
        tracing::info!(height, "the state is there");
        (self.restore(state, position, Some(found.floor)).await, memory)
    }

    /// Makes the ledger from what is stored.
    async fn restore(
        self,
        state: State<E, T>,
        position: Position,
        floor: Option<Floor>,
    ) -> Opened<E, T> {
        let values = state.values().await;
        let values = values.unwrap_or_else(|error| panic!("the state is unreadable: {error}"));
        let ledger = Ledger::restore(self.network(), values)
            .unwrap_or_else(|error| panic!("the state is no ledger: {error}"));
        assert_eq!(ledger.height(), position.height, "the ledger stands where its state does");
        let partition = &self.config.partition;
        let results = Results::open(self.context, partition, self.page_cache, position.height);
        let results = results.await;
        let results =
            results.unwrap_or_else(|error| panic!("the results cannot be opened: {error}"));
        let mut entries = Vec::new();
        for height in results.heights() {
            let entry = results.entry(height).await;
            let entry = entry.unwrap_or_else(|error| panic!("results are unreadable: {error}"));
            // Of the others nothing has to be at hand.
            let wanted = |entry: &Entry| {
                !entry.summaries.is_empty() || height + RECENT_HEIGHTS >= position.height
            };
            entries.extend(entry.filter(wanted));
        }
        let record = position.record(state.root());
        let eventful = entries.iter().rfind(|entry| !entry.summaries.is_empty());
        let eventful = eventful.map_or(0, |entry| entry.header.height);
        let executed = Executed { digest: record.digest(), record, eventful };
        let stores = Stores { state, results };
        Opened { ledger, stores, executed, entries, floor, known: true }
    }

    /// Writes the genesis.
    async fn begin(self) -> Opened<E, T> {
        let config = self.config;
        let state = State::open(self.context.child("state"), self.state_config()).await;
        let state = state.unwrap_or_else(|error| panic!("the state cannot be opened: {error}"));
        let (ledger, changes) = Ledger::genesis(&config.genesis);
        let block = genesis_block(&config.genesis);
        let position = Position {
            height: 0,
            time: config.genesis.time,
            block: block.id(),
            previous: Digest::ZERO,
            receipts_root: Digest::ZERO,
        };
        let failed = "the genesis cannot be written";
        let staged = state.stage(None, changes, &position).await.expect(failed);
        let record: ExecutionRecord = position.record(root_of(&staged));
        let entry = Entry { header: *block.header(), record, summaries: Vec::new() };
        let results = Results::restart(self.context, &config.partition, self.page_cache, 0).await;
        let results = results.expect(failed);
        let results = results.append(&[(&entry, &BlockResult::default())]).await.expect(failed);
        let state = state.commit(vec![staged]).await.expect(failed);
        let executed = Executed { digest: record.digest(), record, eventful: 0 };
        let stores = Stores { state, results };
        Opened { ledger, stores, executed, entries: vec![entry], floor: None, known: false }
    }
}
