//! What a client is told, and the limits it keeps.

use std::{sync::Arc, time::Duration};

use etibar_ledger::Genesis;
use etibar_primitives::{DurationMs, MemberId, key::PrivateKey};

use crate::verify::GenesisRefused;

/// Who speaks, to which network, through which validators.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// The network's genesis: all trust starts here.
    pub genesis: Arc<Genesis>,
    /// The validators' base URLs, such as `http://127.0.0.1:7001`; 1 to [`VALIDATORS_MAX`].
    pub validators: Vec<String>,
    /// The member that speaks.
    pub member: MemberId,
    /// A key that speaks for it.
    pub key: Arc<PrivateKey>,
}

/// Why a client cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no validator, or more than [`VALIDATORS_MAX`].
    #[error("a client has 1 to {VALIDATORS_MAX} validators")]
    Validators,
    /// It is no `http` URL.
    #[error("{0:?} is no http:// URL of a validator")]
    Url(String),
    /// The genesis starts no network.
    #[error(transparent)]
    Genesis(#[from] GenesisRefused),
    /// The HTTP client cannot start.
    #[error("the HTTP client cannot start")]
    Http(#[source] reqwest::Error),
}

/// The most validators of one client.
pub const VALIDATORS_MAX: usize = 200;

/// How far before now a transaction's validity begins: clocks differ.
pub(crate) const VALID_BEFORE: DurationMs = DurationMs(60_000);
/// How far after now a transaction's validity ends, unless the rulebook allows less.
pub(crate) const VALID_AFTER: DurationMs = DurationMs(5 * 60_000);

/// A transaction up to this size goes to every validator at once, in bytes.
pub(crate) const BROADCAST_BYTES_MAX: usize = 64 * 1024;
/// How long a submission tries before it gives up.
pub(crate) const SUBMIT_DEADLINE: Duration = Duration::from_secs(10);
/// How long one validator may take to answer a submission.
pub(crate) const SUBMIT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one validator may take to answer a read.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a validator may hold a question for events before it answers "nothing new".
pub(crate) const EVENTS_WAIT: Duration = Duration::from_secs(10);
/// How much longer than that the answer may take to arrive.
pub(crate) const EVENTS_GRACE: Duration = Duration::from_secs(5);
/// How long a validator may hold a question for a receipt before it answers "unknown".
pub(crate) const RECEIPT_WAIT: Duration = Duration::from_secs(5);
/// How long executing an operation tries before it gives up.
pub(crate) const EXECUTE_DEADLINE: Duration = Duration::from_mins(1);
/// The most operations that are executed by one call: each is proven by a receipt of its own.
pub const EXECUTE_OPERATIONS_MAX: usize = 64;
/// How many bytes of events a page may have, roughly: one block is never cut.
pub(crate) const EVENTS_PAGE_BYTES: usize = 1024 * 1024;
/// How long the stream of events tries before it tells its reader that nobody answers.
pub(crate) const EVENTS_PATIENCE: Duration = Duration::from_secs(30);
/// How long a connection may take to open.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long an unused connection is kept; less than a server keeps it, so that the server is
/// never the first to close.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a validator that failed is put aside.
pub(crate) const ASIDE_FAILED: Duration = Duration::from_secs(2);
/// How long a validator that gave a false proof is put aside.
pub(crate) const ASIDE_FALSE: Duration = Duration::from_mins(10);
/// The first pause before another attempt.
pub(crate) const BACKOFF_MIN: Duration = Duration::from_millis(50);
/// The longest pause before another attempt.
pub(crate) const BACKOFF_MAX: Duration = Duration::from_secs(1);
/// The largest JSON answer, in bytes.
pub(crate) const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The largest page of events or receipt, in bytes: a page carries at least one whole block.
pub(crate) const PROOF_BYTES_MAX: usize = 160 * 1024 * 1024;
