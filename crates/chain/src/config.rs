//! What a validator is told at start, and the limits it keeps.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use etibar_ledger::Genesis;
use etibar_primitives::key::{PrivateKey, PublicKey};

/// A validator's place in the network.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The key it votes and authenticates with; one of the genesis validators.
    pub key: PublicKey,
    /// Where its consensus port is reached.
    pub address: SocketAddr,
}

/// Everything a validator needs to run.
#[derive(Debug)]
pub struct ValidatorConfig {
    /// The network's first state; the same on every validator.
    pub genesis: Genesis,
    /// This validator's voting key; its public half is in the genesis.
    pub key: PrivateKey,
    /// Where to listen for the other validators.
    pub listen: SocketAddr,
    /// All validators of the genesis, this one included.
    pub peers: Vec<Peer>,
    /// Where to keep blocks, state and results. Nothing else may write there.
    pub directory: PathBuf,
    /// Threads of the asynchronous runtime, at least 1.
    pub worker_threads: usize,
    /// How fast consensus turns.
    pub timing: Timing,
    /// How much may wait, and how much is kept.
    pub limits: Limits,
}

/// How fast consensus turns. The same on all validators, give or take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// The longest silence: a leader with nothing to do proposes an empty block after this.
    pub heartbeat: Duration,
    /// How long after its parent a small block is proposed at the earliest. Shorter than
    /// `heartbeat`; a network with little to do never waits for it.
    pub block_interval: Duration,
    /// How long the others wait for a leader's proposal. Longer than `heartbeat`.
    pub leader_timeout: Duration,
    /// How long they wait for a block to be certified. Longer than `leader_timeout`.
    pub certification_timeout: Duration,
    /// How long a validator may be silent before its turns are skipped without waiting. Longer
    /// than `certification_timeout`.
    pub skip_timeout: Duration,
    /// How far a block's time may lie ahead of the local clock before it has to wait.
    pub clock_skew: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(1),
            block_interval: Duration::from_millis(30),
            leader_timeout: Duration::from_millis(1_500),
            certification_timeout: Duration::from_millis(2_500),
            skip_timeout: Duration::from_secs(3),
            clock_skew: Duration::from_millis(500),
        }
    }
}

/// How much may wait, and how much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of transactions in one block.
    pub block_bytes: usize,
    /// Bytes of transactions waiting in the mempool.
    pub mempool_bytes: usize,
    /// Bytes of one member's transactions waiting in the mempool.
    pub member_bytes: usize,
    /// Blocks kept for events and for others to catch up from; an older gap is closed by state
    /// sync. An idle network makes 86,400 in a day.
    pub blocks_kept: u64,
    /// By how many blocks a validator must be behind to fetch the state instead of all blocks. At
    /// most `blocks_kept` of the others.
    pub sync_distance: u64,
    /// Block results kept for events and receipts; of no use without the block.
    pub results_kept: u64,
    /// Blocks that may be finalized and not yet executed before this validator stops proposing.
    pub backlog_blocks: u64,
}

/// The most bytes of transactions a block may carry: the room of two full transactions. Part of
/// the message limits that all validators share.
pub const BLOCK_BYTES_MAX: usize = 2 * 1024 * 1024 + 8 * 1024;

impl Default for Limits {
    fn default() -> Self {
        Self {
            block_bytes: BLOCK_BYTES_MAX,
            mempool_bytes: 64 * 1024 * 1024,
            member_bytes: 16 * 1024 * 1024,
            blocks_kept: 250_000,
            sync_distance: 10_000,
            results_kept: 250_000,
            backlog_blocks: 16,
        }
    }
}
