//! What an agency is told.

use std::{net::SocketAddr, path::PathBuf};

use etibar_keystore::KeyConfig;
use etibar_primitives::{DurationMs, MemberId};
use serde::{Deserialize, Serialize};

use crate::date::Date;

/// The configuration of one agency. Paths may be relative to the file it stands in; whoever reads
/// the file makes them absolute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgencyConfig {
    /// Whose agency.
    pub member: MemberId,
    /// The file with the network's genesis.
    pub genesis: PathBuf,
    /// The file with the seed of the member's Ed25519 key: 64 hexadecimal digits.
    pub key: PathBuf,
    /// The file with the key of the agency's store: 64 hexadecimal digits.
    pub store_key: PathBuf,
    /// Where the issuer's key is.
    pub issuer: KeyConfig,
    /// The folder of the agency's database; the agency's alone.
    pub store: PathBuf,
    /// The agency's register.
    pub register: RegisterConfig,
    /// Where it is reached.
    pub listen: SocketAddr,
    /// The URL by which others reach it, without a slash at its end: the issuer's identifier.
    pub base_url: String,
    /// Base URLs of validators, such as `http://127.0.0.1:7001`.
    pub validators: Vec<String>,
    /// The members that may fetch data here, and are told of changes.
    #[serde(default)]
    pub peers: Vec<PeerConfig>,
    /// The wallets that may ask for authorization.
    #[serde(default)]
    pub wallets: Vec<WalletConfig>,
    /// The clerks: people, or a system of the agency's own.
    #[serde(default)]
    pub clerks: Vec<ClerkConfig>,
    /// Short names of credential types that a clerk releases before they are issued, such as
    /// `mandate`: whoever asks for one gets it later.
    #[serde(default)]
    pub releases: Vec<String>,
    /// The registrar's secrets; needed by member 12, absent elsewhere.
    #[serde(default)]
    pub registrar: Option<RegistrarConfig>,
    /// Time limits.
    #[serde(default)]
    pub limits: Limits,
}

/// Where the register is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "adapter", rename_all = "snake_case", deny_unknown_fields)]
pub enum RegisterConfig {
    /// Files in a folder.
    Csv {
        /// The folder.
        folder: PathBuf,
        /// What an empty register is filled with.
        #[serde(default)]
        sample: Option<SampleConfig>,
    },
    /// An SQLite database.
    Sql {
        /// The file.
        file: PathBuf,
        /// What an empty register is filled with.
        #[serde(default)]
        sample: Option<SampleConfig>,
    },
}

/// A synthetic population.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleConfig {
    /// The same for all agencies of a country.
    pub seed: u64,
    /// How many people.
    pub people: usize,
    /// The day on which it is as told.
    pub reference: Date,
}

/// A member that fetches data and is told of changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerConfig {
    /// Whose server.
    pub member: MemberId,
    /// Its base URL.
    pub url: String,
    /// The key for which data is sealed: 64 hexadecimal digits.
    pub seal_key: String,
}

/// A wallet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalletConfig {
    /// Its `client_id`.
    pub client_id: String,
    /// Where its users may be sent back to.
    pub redirect_uris: Vec<String>,
}

/// A clerk in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClerkConfig {
    /// See [`crate::clerk::Clerk::name`].
    pub name: String,
    /// The file with the clerk's token: at least 32 characters.
    pub token: PathBuf,
}

/// The registrar's secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistrarConfig {
    /// The file with the seed of the OPRF key: 64 hexadecimal digits.
    pub uid_seed: PathBuf,
    /// The file with the key of pairwise names: 64 hexadecimal digits.
    pub pairwise_key: PathBuf,
}

/// Time limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// How long a credential is valid at most, in days; a record may end before.
    pub credential_days: u16,
    /// How long a wallet waits before it asks again for a credential that waits for a clerk.
    pub release_poll_ms: DurationMs,
    /// How often a status list is signed anew, changed or not.
    pub status_refresh_ms: DurationMs,
    /// How long a signed status list is valid.
    pub status_life_ms: DurationMs,
    /// How long a verifier may keep a status list, in seconds.
    pub status_ttl_s: u64,
    /// How old a status list may be that is relied upon here, in seconds.
    pub status_age_max_s: u64,
    /// How often receipts are anchored.
    pub anchor_ms: DurationMs,
    /// The pause before a notice is delivered again; doubles up to `notice_retry_max_ms`.
    pub notice_retry_ms: DurationMs,
    /// The longest such pause.
    pub notice_retry_max_ms: DurationMs,
    /// How long an enrolment or recovery may be repeated to get its offers again.
    pub repeat_ms: DurationMs,
    /// How old the person's signature under a consent may be when it is registered, in seconds.
    pub consent_age_max_s: u64,
}

impl Default for Limits {
    fn default() -> Self {
        const HOUR: u64 = 3_600_000;
        Self {
            credential_days: 180,
            release_poll_ms: DurationMs(5_000),
            status_refresh_ms: DurationMs(HOUR),
            status_life_ms: DurationMs(24 * HOUR),
            status_ttl_s: 300,
            status_age_max_s: 24 * 3_600,
            anchor_ms: DurationMs(5_000),
            notice_retry_ms: DurationMs(500),
            notice_retry_max_ms: DurationMs(60_000),
            repeat_ms: DurationMs(600_000),
            consent_age_max_s: 900,
        }
    }
}
