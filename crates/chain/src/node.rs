//! A validator as a whole: stores, engine and executor joined, on any runtime.

use std::sync::{Arc, PoisonError, RwLock};

use commonware_codec::Encode as _;
use commonware_consensus::{Reporter, marshal::Update, types::Height};
use commonware_cryptography::{Signer as _, ed25519};
use commonware_p2p::{Blocker, Provider, Receiver, Sender};
use commonware_parallel::Strategy;
use commonware_runtime::Handle as Task;
use commonware_utils::{TryCollect as _, ordered::Set};
use etibar_ledger::{Genesis, Ledger, block::BlockHeader};
use etibar_primitives::{Digest, key};
use futures::{FutureExt as _, channel::oneshot, future::BoxFuture};
use tokio::sync::{mpsc, watch};

use crate::{
    ChainError, Handle, Limits, ReadError, Timing,
    attest::Attestor,
    block::Block,
    engine::{
        self, Channel, Deliverer, Delivery, Marshal, Network, Runtime, Scheme, Setup, forward,
    },
    executor::{Executor, Pending, Query},
    join::{self, Joining, Memory, Opened},
    serving::{Archive, Entry, Served, Serving},
    shared::{RECENT_HEIGHTS, Shared},
    sync::{self, Exchange, client::discover, server::Source},
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

/// Who this validator is.
struct Identity {
    participants: Set<ed25519::PublicKey>,
    public_key: ed25519::PublicKey,
    scheme: Scheme,
}

impl Identity {
    fn new(config: &NodeConfig) -> Result<Self, ChainError> {
        config.genesis.check()?;
        let participants = participants(&config.genesis)?;
        let signer = engine::engine_signer(&config.key);
        let public_key = signer.public_key();
        let namespace = engine::namespace(&config.genesis.network());
        let scheme = Scheme::signer(&namespace, participants.clone(), signer)
            .ok_or(ChainError::Config("the key is no validator's of the genesis"))?;
        Ok(Self { participants, public_key, scheme })
    }
}

/// Starts a validator on `context`. `wrap` may put a reporter before the one that feeds the
/// executor.
///
/// A validator without a past first waits until enough of the others have said where they stand.
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
    let identity = Identity::new(&config)?;
    let page_cache = engine::page_cache();
    let (network, beside) = split(network);
    let (exchange, mut tasks) = exchange(&context, beside.sync);
    let memory = Memory::open(context.child("join"), &config.partition).await;
    let joining = Joining {
        context: &context,
        config: &config,
        page_cache: &page_cache,
        strategy: strategy.clone(),
        exchange: &exchange,
        participants: &identity.participants,
        public_key: &identity.public_key,
        scheme: &identity.scheme,
    };
    let (opened, memory) = join::open(joining, memory).await;

    let network_id = config.genesis.network();
    let shared = Arc::new(Shared::new(network_id, config.limits, opened.executed));
    let validators = config.genesis.validators.clone();
    let attestor = Attestor::new(Arc::clone(&shared), validators, config.key);
    let (sender, receiver) = beside.attestations;
    tasks.push(context.child("attest").spawn(|_| attestor.run(sender, receiver)));
    let (executor, deliveries) = mpsc::unbounded_channel();
    let deliverer = wrap(Deliverer { shared: Arc::clone(&shared), executor });
    let setup = Setup {
        scheme: identity.scheme.clone(),
        public_key: identity.public_key.clone(),
        genesis: genesis_block(&config.genesis),
        partition: config.partition,
        shared: Arc::clone(&shared),
        timing: config.timing,
        limits: config.limits,
        page_cache,
        floor: opened.floor.clone(),
    };
    let engine = engine::start(&context, setup, network, strategy, deliverer).await;
    tasks.extend(engine.tasks);
    if opened.known {
        let far = Far {
            exchange: Arc::clone(&exchange),
            participants: identity.participants.clone(),
            scheme: identity.scheme.clone(),
            shared: Arc::clone(&shared),
            distance: config.limits.blocks_kept,
        };
        drop(context.child("far").spawn(|runtime| far.watch(runtime, memory)));
    }
    let executing =
        Executing { shared, limits: config.limits, marshal: engine.marshal, deliveries };
    let handle = executing.start(&context, opened, &exchange, identity, beside.carried, &mut tasks);
    Ok(Node { handle, tasks })
}

/// Starts to talk about state.
fn exchange<E, S, R>(context: &E, sync: Channel<S, R>) -> (Arc<Exchange>, Vec<Task<()>>)
where
    E: Runtime,
    S: Sender<PublicKey = ed25519::PublicKey>,
    R: Receiver<PublicKey = ed25519::PublicKey>,
{
    let (exchange, outgoing) = Exchange::new();
    let receiving = sync::receive(Arc::clone(&exchange), sync.1);
    let tasks = vec![
        context.child("sync_sender").spawn(|_| sync::send(sync.0, outgoing)),
        context.child("sync_receiver").spawn(|_| receiving),
    ];
    (exchange, tasks)
}

/// What comes out of the engine, to be executed and served.
struct Executing {
    shared: Arc<Shared>,
    limits: Limits,
    marshal: Marshal,
    deliveries: mpsc::UnboundedReceiver<Delivery>,
}

impl Executing {
    fn start<E, T, S, R>(
        self,
        context: &E,
        opened: Opened<E, T>,
        exchange: &Exchange,
        identity: Identity,
        (sender, receiver): Channel<S, R>,
        tasks: &mut Vec<Task<()>>,
    ) -> Handle
    where
        E: Runtime,
        T: Strategy,
        S: Sender<PublicKey = ed25519::PublicKey>,
        R: Receiver<PublicKey = ed25519::PublicKey>,
    {
        let Self { shared, limits, marshal, deliveries } = self;
        let ledger = Arc::new(RwLock::new(opened.ledger));
        let (ask, queries) = mpsc::channel(QUERIES_MAX);
        exchange.serve(Source {
            shared: Arc::clone(&shared),
            queries: ask.clone(),
            marshal: marshal.clone(),
        });
        let archive = Stored { queries: ask, marshal: marshal.clone() };
        let serving = Arc::new(Serving::new(Arc::clone(&shared), Box::new(archive)));
        remember(&shared, &serving, &opened.entries, &ledger);
        let executor = Executor {
            shared: Arc::clone(&shared),
            ledger: Arc::clone(&ledger),
            serving: Arc::clone(&serving),
            targets: [(opened.executed.record.height, opened.stores.state.target())].into(),
            stores: opened.stores,
            marshal,
            limits,
            deliveries,
            queries,
            cut: None,
            pending: Pending::default(),
        };
        tasks.push(context.child("executor").dedicated().spawn(|clock| executor.run(clock)));
        let (forward, queue) = mpsc::channel(forward::QUEUE_LENGTH);
        let Identity { participants, public_key, .. } = identity;
        let sending = forward::send(Arc::clone(&shared), participants, public_key, sender, queue);
        tasks.push(context.child("forward").spawn(|_| sending));
        let receiving = forward::receive(Arc::clone(&shared), Arc::clone(&ledger), receiver);
        tasks.push(context.child("carried").spawn(|_| receiving));
        let exposed = context.child("exposed");
        let metrics = Arc::new(move || exposed.encode());
        Handle::new(shared, ledger, serving, forward, metrics, watch::Sender::new(false))
    }
}

/// The channels that are not the engine's.
struct Beside<S, R> {
    sync: Channel<S, R>,
    carried: Channel<S, R>,
    attestations: Channel<S, R>,
}

/// Takes the channels that are not the engine's off.
fn split<P, B, S, R>(mut network: Network<P, B, S, R>) -> (Network<P, B, S, R>, Beside<S, R>) {
    let mut take = || network.channels.pop().expect("the caller registered every channel");
    let (attestations, carried, sync) = (take(), take(), take());
    (network, Beside { sync, carried, attestations })
}

/// Finds out, once, whether this validator was away for so long that the others may have dropped
/// the blocks it misses.
struct Far {
    exchange: Arc<Exchange>,
    participants: Set<ed25519::PublicKey>,
    scheme: Scheme,
    shared: Arc<Shared>,
    distance: u64,
}

impl Far {
    async fn watch<E: Runtime>(self, mut runtime: E, memory: Memory<E>) {
        let Self { exchange, participants, scheme, shared, distance } = self;
        let network = shared.network;
        let found = discover(&mut runtime, &exchange, &participants, &network, &scheme, None).await;
        let executed = shared.executed.borrow().record.height;
        if found.is_some_and(|found| found.record.height > executed.saturating_add(distance)) {
            drop(memory.joining().await);
            panic!("too far behind to follow by blocks; the next start fetches the state");
        }
    }
}

/// Tells memory of what is stored.
fn remember(shared: &Shared, serving: &Serving, entries: &[Entry], ledger: &RwLock<Ledger>) {
    let newest = entries.last().map_or(0, |entry| entry.header.height);
    for entry in entries {
        serving.index(entry);
        if entry.header.height + RECENT_HEIGHTS >= newest {
            let mut recent = shared.recent();
            recent.insert_record(entry.record, entry.record.digest());
            recent.insert_header(entry.record.block, entry.header);
        }
    }
    let ledger = ledger.read().unwrap_or_else(PoisonError::into_inner);
    for (member, _) in ledger.members() {
        serving.begin(member, ledger.event_count(member));
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
            let at = Height::new(height);
            let Some(block) = self.marshal.get_block(at).await else { return Ok(None) };
            let block = block.inner_shared();
            assert_eq!(block.id(), entry.record.block, "a finalized block is the executed one");
            Ok(Some(Arc::new(Served { block, entry, result })))
        }
        .boxed()
    }

    fn certificate(&self, height: u64) -> BoxFuture<'_, Result<Option<Vec<u8>>, ReadError>> {
        async move {
            let at = Height::new(height);
            let finalization = self.marshal.get_finalization(at).await;
            Ok(finalization.map(|one| one.encode().to_vec()))
        }
        .boxed()
    }
}
