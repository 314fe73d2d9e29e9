//! The consensus engine: every Commonware actor and how they are joined.
//!
//! Votes, certificates and blocks travel on channels of their own. Simplex orders; marshal keeps
//! the finalized blocks, fetches those that are missing and delivers them in order.
//!
//! Blocks are checked *before* a validator votes to notarize them (`Inline`): a notarized block is
//! then always a valid one, and there is no second kind of certified-but-invalid block to reason
//! about. The alternative (`Deferred`) would hide the checking time behind the vote; with
//! signatures checked at admission that time is a few milliseconds of a full block.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use bytes::Bytes;
use commonware_actor::Feedback;
use commonware_broadcast::buffered;
use commonware_codec::{CodecShared, DecodeExt as _, Encode as _};
use commonware_consensus::{
    CertifiableAutomaton, Relay, Reporter, Reporters,
    marshal::{
        self, Start, Update,
        core::Actor as MarshalActor,
        resolver::p2p as backfill,
        standard::{Inline, Standard},
    },
    simplex::{
        self, SkipBudget,
        config::{ForwardPolicy, SkipPolicy},
        elector::RoundRobin,
        types::{Activity, Finalization},
    },
    types::{Epoch, FixedEpocher, ViewDelta},
};
use commonware_cryptography::{
    Digested, Digestible as _,
    certificate::{ConstantProvider, Verifier as _},
    ed25519,
};
use commonware_p2p::{Blocker, Provider, Receiver, Sender};
use commonware_parallel::Strategy;
use commonware_runtime::{
    BLOB_PAGE_SIZE, Clock, Handle, Metrics, Quota, Spawner, Storage,
    buffer::paged::{CacheRef, page_size},
};
use commonware_storage::{archive::prunable, translator::EightCap};
use commonware_utils::{NZDuration, NZU32, NZU64, NZUsize, acknowledgement::Exact};
use etibar_primitives::{Digest, key};
use rand_core::CryptoRng;
use tokio::sync::mpsc;

use crate::{
    block::{Block, EngineDigest},
    config::{Limits, Timing},
    shared::Shared,
};

pub(crate) mod application;
pub(crate) mod forward;

use application::{App, SimplexContext};

/// How validators sign: Ed25519, certificates are lists of signatures.
pub(crate) type Scheme = simplex::scheme::ed25519::Scheme;
/// How to ask for blocks and certificates.
pub(crate) type Marshal = marshal::core::Mailbox<Scheme, Standard<Block>>;
/// A finalized block that waits for execution, and whom to tell when it is durable.
pub(crate) type Delivery = (Digested<Block>, Exact);

/// The channels between validators. Frozen: part of the protocol.
pub mod channel {
    /// Votes of the current views.
    pub const VOTES: u64 = 0;
    /// Certificates.
    pub const CERTIFICATES: u64 = 1;
    /// Missing certificates.
    pub const RESOLVER: u64 = 2;
    /// Proposed blocks.
    pub const BLOCKS: u64 = 3;
    /// Missing blocks.
    pub const BACKFILL: u64 = 4;
    /// State sync.
    pub const SYNC: u64 = 5;
    /// Transactions on their way to the next leaders.
    pub const TRANSACTIONS: u64 = 6;
    /// Attestations of results.
    pub const ATTESTATIONS: u64 = 7;
    /// How many there are.
    pub const COUNT: u64 = 8;
}

/// Messages each peer may send per second on a channel. Mailboxes are sized by it: keep it small.
pub const CHANNEL_QUOTA: Quota = Quota::per_second(NZU32!(256));

const PAGE_CACHE_PAGES: NonZeroUsize = NZUsize!(4_096);
const MAILBOX: NonZeroUsize = NZUsize!(1_024);
const BUFFER_BYTES: NonZeroUsize = NZUsize!(1024 * 1024);
const BLOCKS_PER_SECTION: std::num::NonZeroU64 = NZU64!(256);
/// Finalized blocks that may wait for execution inside the engine; twice as many stay in memory.
const PENDING_BLOCKS: NonZeroUsize = NZUsize!(16);
const VIEWS_KEPT: ViewDelta = ViewDelta::new(256);
const REPAIRS: NonZeroUsize = NZUsize!(32);
const BLOCKS_CACHED_PER_PEER: usize = 16;

/// What the engine needs of a runtime.
pub trait Runtime: Clock + CryptoRng + Spawner + Storage + Metrics {}
impl<E: Clock + CryptoRng + Spawner + Storage + Metrics> Runtime for E {}

/// A registered channel.
pub type Channel<S, R> = (S, R);

/// The connections to the other validators.
pub struct Network<P, B, S, R> {
    /// Knows the peers.
    pub provider: P,
    /// Cuts off a peer that misbehaves.
    pub blocker: B,
    /// One for each number below [`channel::COUNT`], in order.
    pub channels: Vec<Channel<S, R>>,
}

/// What the engine is started with.
pub(crate) struct Setup {
    pub(crate) scheme: Scheme,
    pub(crate) public_key: ed25519::PublicKey,
    pub(crate) genesis: Block,
    pub(crate) partition: String,
    pub(crate) shared: Arc<Shared>,
    pub(crate) timing: Timing,
    pub(crate) limits: Limits,
    pub(crate) page_cache: CacheRef,
    /// Where to start instead of the genesis, after a state sync.
    pub(crate) floor: Option<Floor>,
}

/// Where a validator that synchronized its state joins.
#[derive(Debug, Clone)]
pub(crate) struct Floor {
    /// The first block that marshal delivers.
    pub(crate) blocks: Finalization<Scheme, EngineDigest>,
    /// The newest block that is known to be final.
    pub(crate) votes: Finalization<Scheme, EngineDigest>,
}

/// A running engine.
pub(crate) struct Engine {
    pub(crate) marshal: Marshal,
    /// Ends when any part of the engine ends.
    pub(crate) tasks: Vec<Handle<()>>,
}

/// The bytes that separate this network's signatures from all others'.
pub(crate) fn namespace(network: &Digest) -> Vec<u8> {
    [b"etibar.consensus.".as_slice(), &network.0].concat()
}

/// The page cache that all stores share.
pub(crate) fn page_cache() -> CacheRef {
    // Never change the page size: stored data depends on it.
    CacheRef::new(page_size(BLOB_PAGE_SIZE), PAGE_CACHE_PAGES)
}

/// The engine's form of our keys.
pub(crate) fn engine_key(key: &key::PublicKey) -> Option<ed25519::PublicKey> {
    ed25519::PublicKey::decode(Bytes::copy_from_slice(&key.0)).ok()
}

/// The engine's form of a private key.
pub(crate) fn engine_signer(key: &key::PrivateKey) -> ed25519::PrivateKey {
    ed25519::PrivateKey::decode(Bytes::copy_from_slice(key.seed()))
        .expect("any 32 bytes are a private key")
}

/// The largest message that any component sends, for a network of `participants`.
pub fn message_bytes_max(participants: usize) -> u32 {
    let participants = u32::try_from(participants).expect("a few validators");
    commonware_p2p::max_message_size(&[
        simplex::max_payload_size::<Scheme, EngineDigest>(participants),
        marshal::max_payload_size::<Standard<Block>, Scheme>(participants, &()),
        crate::sync::MESSAGE_BYTES_MAX,
    ])
}

/// Starts ordering. Finalized blocks come out of `deliveries`' other end, in order.
pub(crate) async fn start<E, P, B, S, R, T, D>(
    context: &E,
    setup: Setup,
    network: Network<P, B, S, R>,
    strategy: T,
    deliveries: D,
) -> Engine
where
    E: Runtime,
    P: Provider<PublicKey = ed25519::PublicKey>,
    B: Blocker<PublicKey = ed25519::PublicKey>,
    S: Sender<PublicKey = ed25519::PublicKey>,
    R: Receiver<PublicKey = ed25519::PublicKey>,
    T: Strategy,
    D: Reporter<Activity = Update<Block>>,
{
    let mut channels = network.channels.into_iter();
    let mut next = || channels.next().expect("the caller registered every channel");
    let (votes, certificates, resolver, blocks, backfill) =
        (next(), next(), next(), next(), next());
    let missing = backfill::init(
        context.child("backfill"),
        backfill::Config {
            public_key: setup.public_key.clone(),
            peer_provider: network.provider.clone(),
            blocker: network.blocker.clone(),
            mailbox_size: MAILBOX,
            fetch_timeout: NZDuration!(FETCH_TIMEOUT),
            fetch_retry_delay: FETCH_RETRY,
            priority_requests: false,
            priority_responses: false,
        },
        backfill,
    );
    let (broadcast, buffer) = buffered::Engine::new(
        context.child("broadcast"),
        buffered::Config {
            public_key: setup.public_key.clone(),
            mailbox_size: MAILBOX,
            deque_size: BLOCKS_CACHED_PER_PEER,
            priority: false,
            codec_config: (),
            peer_provider: network.provider,
            strategy: strategy.clone(),
        },
    );
    let broadcast = broadcast.start(blocks);
    let (actor, marshal) = open_marshal(context, &setup, strategy.clone()).await;
    let app = App::new(Arc::clone(&setup.shared), setup.timing, setup.limits);
    let automaton = Inline::new(context.child("application"), app, marshal.clone(), EPOCHS);
    let delivery = actor.start(deliveries, buffer, missing);
    let simplex = simplex_config(setup, automaton, network.blocker, strategy);
    let simplex = simplex::Engine::new(context.child("simplex"), simplex);
    let ordering = simplex.start(votes, certificates, resolver);
    Engine { marshal, tasks: vec![broadcast, delivery, ordering] }
}

/// One epoch without end, until the validator set can change.
const EPOCHS: FixedEpocher = FixedEpocher::new(NZU64!(u64::MAX));
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
const FETCH_RETRY: Duration = Duration::from_millis(200);

type Archive<E, V> = prunable::Archive<EightCap, E, EngineDigest, V>;
type MarshalOf<E, T> = MarshalActor<
    E,
    Standard<Block>,
    ConstantProvider<Scheme, Epoch>,
    Archive<E, Finalization<Scheme, EngineDigest>>,
    Archive<E, Arc<Block>>,
    FixedEpocher,
    T,
>;

/// Opens the finalized blocks and the actor that keeps them.
async fn open_marshal<E: Runtime, T: Strategy>(
    context: &E,
    setup: &Setup,
    strategy: T,
) -> (MarshalOf<E, T>, Marshal) {
    let config = setup.scheme.certificate_codec_config();
    let finalizations = context.child("finalizations");
    let finalizations = open_archive(finalizations, setup, "finalizations", config).await;
    let blocks = open_archive(context.child("blocks"), setup, "blocks", ()).await;
    let start = if let Some(floor) = &setup.floor {
        Start::Floor(floor.blocks.clone())
    } else {
        let digest = setup.genesis.digest();
        Start::Genesis(Digested::precomputed(setup.genesis.clone(), digest))
    };
    let config = marshal::Config {
        provider: ConstantProvider::new(setup.scheme.clone()),
        epocher: EPOCHS,
        start,
        partition_prefix: format!("{}-marshal", setup.partition),
        mailbox_size: MAILBOX,
        view_retention: VIEWS_KEPT,
        prunable_items_per_section: BLOCKS_PER_SECTION,
        page_cache: setup.page_cache.clone(),
        replay_buffer: BUFFER_BYTES,
        key_write_buffer: BUFFER_BYTES,
        value_write_buffer: BUFFER_BYTES,
        block_codec_config: (),
        max_repair: REPAIRS,
        max_pending_acks: PENDING_BLOCKS,
        strategy,
    };
    let (actor, mailbox, _) =
        MarshalActor::init(context.child("marshal"), finalizations, blocks, config).await;
    (actor, mailbox)
}

async fn open_archive<E: Runtime, V: CodecShared>(
    context: E,
    setup: &Setup,
    name: &str,
    codec_config: V::Cfg,
) -> Archive<E, V> {
    let config = prunable::Config {
        translator: EightCap,
        metadata_partition: format!("{}-{name}-metadata", setup.partition),
        key_partition: format!("{}-{name}-key", setup.partition),
        key_page_cache: setup.page_cache.clone(),
        value_partition: format!("{}-{name}-value", setup.partition),
        compression: None,
        codec_config,
        items_per_section: BLOCKS_PER_SECTION,
        key_write_buffer: BUFFER_BYTES,
        value_write_buffer: BUFFER_BYTES,
        replay_buffer: BUFFER_BYTES,
    };
    prunable::Archive::init(context, config)
        .await
        .unwrap_or_else(|error| panic!("the archive {name} cannot be opened: {error}"))
}

/// How simplex is joined to the application and to marshal.
fn simplex_config<A, B, T>(
    setup: Setup,
    automaton: A,
    blocker: B,
    strategy: T,
) -> SimplexConfig<A, B, T>
where
    A: CertifiableAutomaton<Context = SimplexContext, Digest = EngineDigest>
        + Relay<
            Digest = EngineDigest,
            PublicKey = ed25519::PublicKey,
            Plan = simplex::Plan<ed25519::PublicKey>,
        > + Reporter<Activity = SimplexActivity>,
    B: Blocker<PublicKey = ed25519::PublicKey>,
    T: Strategy,
{
    let floor = match setup.floor {
        Some(floor) => simplex::Floor::Finalized(floor.votes),
        None => simplex::Floor::Genesis(setup.genesis.digest()),
    };
    simplex::Config {
        scheme: setup.scheme,
        elector: RoundRobin::default(),
        blocker,
        automaton: automaton.clone(),
        relay: automaton.clone(),
        reporter: Reporters::from((automaton, Certifier { shared: setup.shared })),
        strategy,
        partition: format!("{}-simplex-0", setup.partition),
        mailbox_size: MAILBOX,
        epoch: Epoch::zero(),
        floor,
        replay_buffer: BUFFER_BYTES,
        write_buffer: BUFFER_BYTES,
        page_cache: setup.page_cache,
        leader_timeout: setup.timing.leader_timeout,
        certification_timeout: setup.timing.certification_timeout,
        timeout_retry: setup.timing.leader_timeout,
        view_retention: VIEWS_KEPT,
        skip: SkipPolicy::Enabled {
            timeout: setup.timing.skip_timeout,
            budget: SkipBudget::Participants,
        },
        fetch_timeout: NZDuration!(FETCH_TIMEOUT),
        fetch_retry_delay: FETCH_RETRY,
        forward: ForwardPolicy::SilentLeader,
        track_historical_votes: false,
    }
}

type SimplexActivity = Activity<Scheme, EngineDigest>;
type SimplexConfig<A, B, T> =
    simplex::Config<Scheme, RoundRobin, B, EngineDigest, A, A, Reporters<A, Certifier>, T>;

/// Notes the newest certificate as soon as consensus has it: that, not the disk, decides how soon
/// a member sees the proof of its payment.
#[derive(Debug, Clone)]
pub(crate) struct Certifier {
    shared: Arc<Shared>,
}

impl Reporter for Certifier {
    type Activity = SimplexActivity;

    fn report(&mut self, activity: SimplexActivity) -> Feedback {
        if let Activity::Finalization(finalization) = activity {
            let digest = Digest(finalization.proposal.payload.0);
            let header = self.shared.recent().header(&digest);
            if let Some(header) = header {
                self.shared.certify(header, || finalization.encode().to_vec());
            }
        }
        Feedback::Ok
    }
}

/// Hands finalized blocks to the executor.
#[derive(Debug, Clone)]
pub struct Deliverer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) executor: mpsc::UnboundedSender<Delivery>,
}

impl Reporter for Deliverer {
    type Activity = Update<Block>;

    fn report(&mut self, update: Update<Block>) -> Feedback {
        match update {
            Update::Tip(_, height, _) => {
                self.shared.finalized.send_if_modified(|known| {
                    let higher = height.get() > *known;
                    *known = height.get().max(*known);
                    higher
                });
                Feedback::Ok
            }
            Update::Block(block, acknowledgement) => {
                let header = *block.inner().header();
                self.shared.recent().insert_header(block.inner().id(), header);
                // At most `PENDING_BLOCKS` are on their way at a time.
                match self.executor.send((block, acknowledgement)) {
                    Ok(()) => Feedback::Ok,
                    Err(_) => Feedback::Closed,
                }
            }
        }
    }
}
