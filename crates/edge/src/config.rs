//! What an edge is told.

use std::{net::SocketAddr, path::PathBuf};

use etibar_primitives::{DurationMs, MemberId};
use serde::{Deserialize, Serialize};

/// The configuration of one edge. Paths may be relative to the file it stands in; whoever reads
/// the file makes them absolute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeConfig {
    /// Whose edge.
    pub member: MemberId,
    /// The file with the network's genesis.
    pub genesis: PathBuf,
    /// The file with the seed of the member's Ed25519 key: 64 hexadecimal digits.
    pub key: PathBuf,
    /// The file with the seed of the key that opens payloads: 64 hexadecimal digits.
    pub seal_key: PathBuf,
    /// The folder of the edge's databases; the edge's alone.
    pub store: PathBuf,
    /// Where the core banking and the other members' edges reach it.
    pub listen: SocketAddr,
    /// Base URLs of validators, such as `http://127.0.0.1:7001`.
    pub validators: Vec<String>,
    /// The other members' edges.
    #[serde(default)]
    pub peers: Vec<PeerConfig>,
    /// Who gets a sealed copy of every payment; `None` for the supervisor itself.
    #[serde(default)]
    pub supervisor: Option<MemberId>,
    /// The file with the token that the core banking shows: at least 32 characters.
    pub core_token: PathBuf,
    /// The file with the key of the alias directory, the same for all members: 64 hexadecimal
    /// digits.
    pub directory_key: PathBuf,
    /// How many customers the sample book gets at the first start.
    #[serde(default)]
    pub sample_customers: u32,
    /// Time limits and sizes.
    #[serde(default)]
    pub limits: Limits,
}

/// Another member's edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerConfig {
    /// Whose edge.
    pub member: MemberId,
    /// Its base URL.
    pub url: String,
    /// The public key for which payloads are sealed: 64 hexadecimal digits.
    pub seal_key: String,
}

/// Time limits in milliseconds, and sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The hard limit of an instant payment: when its reserve lapses.
    pub payment_ms: DurationMs,
    /// How long the creditor's side waits for a payload or its core before it voids.
    pub answer_ms: DurationMs,
    /// How long a payload without a reserve is kept in memory.
    pub announcement_ms: DurationMs,
    /// The pause before a step that got no answer is done again; doubles up to `retry_max_ms`.
    pub retry_ms: DurationMs,
    /// The longest such pause.
    pub retry_max_ms: DurationMs,
    /// The largest instant payment in minor units. Source: CBA IPS page, AZN 40,000.
    pub amount_max: u64,
    /// Payments under way in each direction; more are refused until some have ended.
    pub open_payments_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            payment_ms: DurationMs(10_000),
            answer_ms: DurationMs(5_000),
            announcement_ms: DurationMs(600_000),
            retry_ms: DurationMs(500),
            retry_max_ms: DurationMs(5_000),
            amount_max: 4_000_000,
            open_payments_max: 200_000,
        }
    }
}
