//! A validator on the machine's own network, disk and clock.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

use commonware_cryptography::{ChaCha20Poly1305, ed25519};
use commonware_macros::select;
use commonware_p2p::{Address, AddressableManager as _, authenticated::lookup};
use commonware_parallel::Sequential;
use commonware_runtime::{Handle as Task, Quota, Runner as _, Supervisor as _, tokio as runtime};
use commonware_stream::{
    cups::{self, Cups},
    sake::{self, Sake},
};
use commonware_utils::{NZU32, NZUsize, TryCollect as _, ordered::Map};

use crate::{
    ChainError, Handle, ValidatorConfig,
    engine::{self, CHANNEL_QUOTA, Network, channel},
    node::{self, Node, NodeConfig},
};

/// How far the clocks of two validators may differ for a connection.
const CLOCK_DIFFERENCE_MAX: Duration = Duration::from_secs(10);
const HANDSHAKE_AGE_MAX: Duration = Duration::from_secs(20);
/// How soon a lost connection is tried again.
const RECONNECT: Duration = Duration::from_secs(1);
const MAILBOX: NonZeroUsize = NZUsize!(1_024);
const HANDSHAKES_PER_SECOND: NonZeroU32 = NZU32!(16);
/// The prefix of what is stored in the validator's directory.
const PARTITION: &str = "etibar";

/// Runs a validator on this thread until [`Handle::stop`] is called; blocks meanwhile.
///
/// `ready` is called once, from a thread of the validator's runtime, as soon as the validator
/// serves: it must not block. What was executed is durable at any time: the process may be killed.
///
/// # Errors
/// A configuration that contradicts the genesis, or a part of the validator that ended.
///
/// # Panics
/// When storage fails, or when this validator's own data contradict each other or the others':
/// the process must then end; a supervisor starts it again.
pub fn run_validator(
    config: ValidatorConfig,
    ready: impl FnOnce(Handle) + Send + 'static,
) -> Result<(), ChainError> {
    // Boxed, so that the engine is compiled once, in this crate.
    run_boxed(config, Box::new(ready))
}

type Ready = Box<dyn FnOnce(Handle) + Send>;

fn run_boxed(config: ValidatorConfig, ready: Ready) -> Result<(), ChainError> {
    config.genesis.check()?;
    let settings = runtime::Config::new()
        .with_worker_threads(config.worker_threads.max(1))
        .with_storage_directory(config.directory.clone())
        .with_tcp_nodelay(Some(true));
    runtime::Runner::new(settings).start(|context| run(context, config, ready))
}

async fn run(
    context: runtime::Context,
    config: ValidatorConfig,
    ready: Ready,
) -> Result<(), ChainError> {
    let participants = node::participants(&config.genesis)?;
    let signer = engine::engine_signer(&config.key);
    let handshake = Cups::<_, ChaCha20Poly1305>::new(
        Sake {
            signer: signer.clone(),
            synchrony_bound: CLOCK_DIFFERENCE_MAX,
            max_handshake_age: HANDSHAKE_AGE_MAX,
            version: sake::Version::V1,
        },
        cups::Version::V1,
    );
    let namespace = engine::namespace(&config.genesis.network());
    let message_bytes_max = engine::message_bytes_max(participants.len());
    let peers_max = NonZeroUsize::new(participants.len())
        .ok_or(ChainError::Config("a network has a validator"))?;
    let mut settings = lookup::Config::recommended(
        handshake,
        &namespace,
        config.listen,
        peers_max,
        message_bytes_max,
        MAILBOX,
    );
    // Banks' networks are private ones, and a restarted validator must be heard at once.
    settings.allow_private_ips = true;
    settings.bypass_ip_check = true;
    settings.peer_connection_cooldown = RECONNECT;
    settings.dial_frequency = RECONNECT / 2;
    settings.allowed_handshake_rate_per_ip = Quota::per_second(HANDSHAKES_PER_SECOND);
    settings.tracked_peer_sets = NZUsize!(1);
    let (mut connections, mut oracle) = lookup::Network::new(context.child("network"), settings);
    let _ = oracle.track(0, addresses(&config)?);
    let channels =
        (0..channel::COUNT).map(|number| connections.register(number, CHANNEL_QUOTA)).collect();
    let network = Network { provider: oracle.clone(), blocker: oracle, channels };
    let connected = connections.start();
    let node = NodeConfig {
        genesis: config.genesis,
        key: config.key,
        partition: PARTITION.to_owned(),
        timing: config.timing,
        limits: config.limits,
    };
    let started = node::start(context.child("node"), node, network, Sequential, |own| own);
    let Node { handle, mut tasks } = Box::pin(started).await?;
    tasks.push(connected);
    let mut stop = handle.stop_requested();
    ready(handle);
    select! {
        _ = stop.wait_for(|stop| *stop) => Ok(()),
        _ = Task::select(tasks) => Err(ChainError::Stopped),
    }
}

/// Where each validator of the genesis is reached.
fn addresses(config: &ValidatorConfig) -> Result<Map<ed25519::PublicKey, Address>, ChainError> {
    let mut addresses = Vec::with_capacity(config.genesis.validators.len());
    for key in &config.genesis.validators {
        let peer = config.peers.iter().find(|peer| peer.key == *key);
        let peer = peer.ok_or(ChainError::Config("a validator has no address"))?;
        let key = engine::engine_key(key);
        let key = key.ok_or(ChainError::Config("a validator's key is no Ed25519 key"))?;
        addresses.push((key, Address::Symmetric(peer.address)));
    }
    addresses.into_iter().try_collect().map_err(|_| ChainError::Config("a validator is twice"))
}
