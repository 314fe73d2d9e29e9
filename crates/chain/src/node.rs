//! A validator as a whole: stores, engine and executor joined, on any runtime.

use std::sync::{Arc, RwLock};

use commonware_consensus::{Reporter, marshal::Update};
use commonware_cryptography::{Signer as _, ed25519};
use commonware_p2p::{Blocker, Provider, Receiver, Sender};
use commonware_parallel::Strategy;
use commonware_runtime::{Handle as Task, buffer::paged::CacheRef};
use commonware_utils::{TryCollect as _, ordered::Set};
use etibar_ledger::{
    Genesis, Ledger,
    block::{BlockHeader, ExecutionRecord},
};
use etibar_primitives::{Digest, key};
use futures::{FutureExt as _, channel::oneshot, future::BoxFuture};
use tokio::sync::{mpsc, watch};

use crate::{
    ChainError, Handle, Limits, ReadError, Timing,
    block::Block,
    engine::{self, Channel, Deliverer, Marshal, Network, Runtime, Scheme, Setup, forward},
    executor::{Executor, Query, Stores},
    serving::{Archive, Entry, Served, Serving},
    shared::{Executed, RECENT_HEIGHTS, Shared},
    store::{
        results::Results,
        state::{self, Position, State, root_of},
    },
};

/// Questions to the stores that may wait.
const QUERIES_MAX: usize = 256;

/// A validator apart from its connections.
#[derive(Debug)]
pub struct NodeConfig {
    /// The network's first state.
    pub genesis: Genesis,
    /// The validator's key.
    pub key: key::PrivateKey,
    /// The prefix of the names under which it stores; its own on a shared storage.
    pub partition: String,
    /// How fast consensus turns.
    pub timing: Timing,
    /// How much may wait, and how much is kept.
    pub limits: Limits,
}

/// A running validator.
pub struct Node {
    /// What its process may ask.
    pub handle: Handle,
    /// Its parts. None ends while the validator is well.
    pub tasks: Vec<Task<()>>,
}

/// What was on disk.
struct Opened<E: Runtime, T: Strategy> {
    ledger: Ledger,
    stores: Stores<E, T>,
    executed: Executed,
    /// Of all heights that are kept, in order.
    entries: Vec<Entry>,
}

/// The validators of a genesis in the order in which they take turns and sign.
pub(crate) fn participants(genesis: &Genesis) -> Result<Set<ed25519::PublicKey>, ChainError> {
    let keys: Option<Vec<_>> = genesis.validators.iter().map(engine::engine_key).collect();
    let keys = keys.ok_or(ChainError::Config("a validator's key is no Ed25519 key"))?;
    keys.into_iter().try_collect().map_err(|_| ChainError::Config("a validator is listed twice"))
}

/// The block that all start from: the header says it all.
pub(crate) fn genesis_block(genesis: &Genesis) -> Block {
    Block::empty(BlockHeader {
        network: genesis.network(),
        height: 0,
        time: genesis.time,
        epoch: 0,
        view: 0,
        leader: key::PublicKey([0; 32]),
        parent_view: 0,
        parent: Digest::ZERO,
        body_root: Digest::ZERO,
        transaction_count: 0,
        body_bytes: 0,
        executed_height: 0,
        executed: Digest::ZERO,
    })
}

/// Starts a validator on `context`. `wrap` may put a reporter before the one that feeds the
/// executor.
///
/// # Errors
/// A configuration that contradicts the genesis.
pub async fn start<E, P, B, S, R, T, W, D>(
    context: E,
    config: NodeConfig,
    network: Network<P, B, S, R>,
    strategy: T,
    wrap: W,
) -> Result<Node, ChainError>
where
    E: Runtime,
    P: Provider<PublicKey = ed25519::PublicKey>,
    B: Blocker<PublicKey = ed25519::PublicKey>,
    S: Sender<PublicKey = ed25519::PublicKey>,
    R: Receiver<PublicKey = ed25519::PublicKey>,
    T: Strategy,
    W: FnOnce(Deliverer) -> D,
    D: Reporter<Activity = Update<Block>>,
{
    config.genesis.check()?;
    let participants = participants(&config.genesis)?;
    let signer = engine::engine_signer(&config.key);
    let public_key = signer.public_key();
    let id = config.genesis.network();
    let scheme = Scheme::signer(&engine::namespace(&id), participants.clone(), signer)
        .ok_or(ChainError::Config("the key is no validator's of the genesis"))?;

    let page_cache = engine::page_cache();
    let opened = open(&context, &config, &page_cache, strategy.clone()).await;
    let shared = Arc::new(Shared::new(id, config.limits, opened.executed));
    let ledger = Arc::new(RwLock::new(opened.ledger));
    let (executor, deliveries) = mpsc::unbounded_channel();
    let (mut network, carried) = split(network);
    let deliverer = wrap(Deliverer { shared: Arc::clone(&shared), executor });
    let setup = Setup {
        scheme,
        public_key: public_key.clone(),
        genesis: genesis_block(&config.genesis),
        partition: config.partition,
        shared: Arc::clone(&shared),
        timing: config.timing,
        limits: config.limits,
        page_cache,
        floor: None,
    };
    network.channels.truncate(usize::try_from(engine::channel::SYNC).unwrap_or(0));
    let engine = engine::start(&context, setup, network, strategy, deliverer).await;

    let (ask, queries) = mpsc::channel(QUERIES_MAX);
    let archive = Stored { queries: ask, marshal: engine.marshal.clone() };
    let serving = Arc::new(Serving::new(Arc::clone(&shared), Box::new(archive)));
    remember(&shared, &serving, &opened.entries);
    let executor = Executor {
        shared: Arc::clone(&shared),
        ledger: Arc::clone(&ledger),
        serving: Arc::clone(&serving),
        stores: opened.stores,
        marshal: engine.marshal,
        limits: config.limits,
        deliveries,
        queries,
        cut: None,
    };
    let mut tasks = engine.tasks;
    tasks.push(context.child("executor").dedicated().spawn(|_| executor.run()));
    let (forward, queue) = mpsc::channel(forward::QUEUE_LENGTH);
    let (sender, receiver) = carried;
    let sending = forward::send(Arc::clone(&shared), participants, public_key, sender, queue);
    tasks.push(context.child("forward").spawn(|_| sending));
    let receiving = forward::receive(Arc::clone(&shared), Arc::clone(&ledger), receiver);
    tasks.push(context.child("carried").spawn(|_| receiving));

    let exposed = context.child("exposed");
    let metrics = Arc::new(move || exposed.encode());
    let stop = watch::Sender::new(false);
    let handle = Handle::new(shared, ledger, serving, forward, metrics, stop);
    Ok(Node { handle, tasks })
}

/// Takes the channel of carried transactions off the engine's.
fn split<P, B, S, R>(mut network: Network<P, B, S, R>) -> (Network<P, B, S, R>, Channel<S, R>) {
    let carried = network.channels.pop().expect("the caller registered every channel");
    (network, carried)
}

/// Opens the stores, or writes the genesis into them.
async fn open<E: Runtime, T: Strategy>(
    context: &E,
    config: &NodeConfig,
    page_cache: &CacheRef,
    strategy: T,
) -> Opened<E, T> {
    let partition = &config.partition;
    let settings = state::config(partition, page_cache, strategy);
    let state = State::open(context.child("state"), settings).await;
    let state = state.unwrap_or_else(|error| panic!("the state cannot be opened: {error}"));
    let position = state.position().await;
    let position = position.unwrap_or_else(|error| panic!("the state is unreadable: {error}"));
    let Some(position) = position else {
        return begin(context, config, page_cache, state).await;
    };
    let values = state.values().await;
    let values = values.unwrap_or_else(|error| panic!("the state is unreadable: {error}"));
    let ledger = Ledger::restore(config.genesis.network(), values)
        .unwrap_or_else(|error| panic!("the state is no ledger: {error}"));
    assert_eq!(ledger.height(), position.height, "the ledger stands where its state does");
    let results = Results::open(context, partition, page_cache, position.height)
        .await
        .unwrap_or_else(|error| panic!("the results cannot be opened: {error}"));
    let mut entries = Vec::new();
    for height in results.heights() {
        let entry = results.entry(height).await;
        let entry = entry.unwrap_or_else(|error| panic!("the results are unreadable: {error}"));
        entries.extend(entry);
    }
    let record = position.record(state.root());
    let eventful = entries.iter().rfind(|entry| !entry.summaries.is_empty());
    let eventful = eventful.map_or(0, |entry| entry.header.height);
    let executed = Executed { digest: record.digest(), record, eventful };
    Opened { ledger, stores: Stores { state, results }, executed, entries }
}

/// Writes the genesis.
async fn begin<E: Runtime, T: Strategy>(
    context: &E,
    config: &NodeConfig,
    page_cache: &CacheRef,
    state: State<E, T>,
) -> Opened<E, T> {
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
    let results =
        Results::restart(context, &config.partition, page_cache, 0).await.expect(failed);
    let results = results.append(&[(&entry, &Default::default())]).await.expect(failed);
    let state = state.commit(vec![staged]).await.expect(failed);
    let executed = Executed { digest: record.digest(), record, eventful: 0 };
    Opened { ledger, stores: Stores { state, results }, executed, entries: vec![entry] }
}

/// Tells memory of what is stored.
fn remember(shared: &Shared, serving: &Serving, entries: &[Entry]) {
    let newest = entries.last().map_or(0, |entry| entry.header.height);
    for entry in entries {
        serving.index(entry);
        if entry.header.height + RECENT_HEIGHTS >= newest {
            let mut recent = shared.recent();
            recent.insert_record(entry.record, entry.record.digest());
            recent.insert_header(entry.record.block, entry.header);
        }
    }
}

/// The archive: entries and results from the executor, blocks and certificates from the engine.
struct Stored {
    queries: mpsc::Sender<Query>,
    marshal: Marshal,
}

impl Stored {
    async fn ask<T>(
        &self,
        query: impl FnOnce(oneshot::Sender<T>) -> Query,
    ) -> Result<T, ReadError> {
        let (reply, answer) = oneshot::channel();
        self.queries.send(query(reply)).await.map_err(|_| ReadError::Stopping)?;
        answer.await.map_err(|_| ReadError::Stopping)
    }
}

impl Archive for Stored {
    fn entry(&self, height: u64) -> BoxFuture<'_, Result<Option<Entry>, ReadError>> {
        self.ask(move |reply| Query::Entry(height, reply)).boxed()
    }

    fn served(&self, height: u64) -> BoxFuture<'_, Result<Option<Arc<Served>>, ReadError>> {
        async move {
            let found = self.ask(move |reply| Query::Result(height, reply)).await?;
            let Some((entry, result)) = found else { return Ok(None) };
            let at = commonware_consensus::types::Height::new(height);
            let Some(block) = self.marshal.get_block(at).await else { return Ok(None) };
            let block = block.inner_shared();
            assert_eq!(block.id(), entry.record.block, "a finalized block is the executed one");
            Ok(Some(Arc::new(Served { block, entry, result })))
        }
        .boxed()
    }

    fn certificate(&self, height: u64) -> BoxFuture<'_, Result<Option<Vec<u8>>, ReadError>> {
        async move {
            let at = commonware_consensus::types::Height::new(height);
            let finalization = self.marshal.get_finalization(at).await;
            Ok(finalization.map(|one| commonware_codec::Encode::encode(&one).to_vec()))
        }
        .boxed()
    }
}
