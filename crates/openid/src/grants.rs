//! What an issuer or a verifier must remember between two requests, behind a trait, because each
//! role keeps it in its own database.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::{Future, ready},
    sync::{Mutex, MutexGuard, PoisonError},
};

use etibar_primitives::BlockTime;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The largest value of a grant, in bytes of JSON.
pub const GRANT_VALUE_BYTES_MAX: usize = 512 * 1024;

/// What a grant is; grants of different kinds never meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantKind {
    /// A pushed authorization request (RFC 9126), by its `request_uri`.
    PushedRequest,
    /// An authorization request whose holder is being asked to prove who it is.
    Authorization,
    /// An authorization code.
    Code,
    /// A pre-authorized code.
    PreAuthorizedCode,
    /// A credential offer served by reference.
    Offer,
    /// An access token.
    AccessToken,
    /// A transaction of deferred issuance.
    Deferred,
    /// A notification id.
    Notification,
    /// Something that may be seen once: a DPoP `jti`, a `c_nonce`.
    Seen,
    /// A presentation request and what became of it.
    Presentation,
}

impl GrantKind {
    /// The stable name, for a database column.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PushedRequest => "pushed_request",
            Self::Authorization => "authorization",
            Self::Code => "code",
            Self::PreAuthorizedCode => "pre_authorized_code",
            Self::Offer => "offer",
            Self::AccessToken => "access_token",
            Self::Deferred => "deferred",
            Self::Notification => "notification",
            Self::Seen => "seen",
            Self::Presentation => "presentation",
        }
    }
}

/// How a grant is found: its kind and the SHA-256 of its handle, so that a copy of the database
/// holds no usable code or token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrantKey {
    /// What it is.
    pub kind: GrantKind,
    /// SHA-256 of the handle that was given out.
    pub hash: [u8; 32],
}

impl GrantKey {
    /// The key of a grant whose handle is `handle`.
    pub fn of(kind: GrantKind, handle: &str) -> Self {
        Self { kind, hash: Sha256::digest(handle.as_bytes()).into() }
    }
}

/// A kept value and the moment after which it does not exist any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// JSON of at most [`GRANT_VALUE_BYTES_MAX`] bytes; may name a subject of the caller's.
    pub value: Vec<u8>,
    /// From this moment on the grant is gone.
    pub expires: BlockTime,
}

/// What became of an insertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It is there now and was not before.
    New,
    /// A living grant has that key; nothing was changed.
    Exists,
    /// The store is at its limit; nothing was changed.
    Full,
}

/// The store of an issuer's or verifier's open business.
///
/// Every method is atomic and durable when it returns. A grant whose `expires` is not after `now`
/// must be treated as absent; the store may delete it at any time. One table serves:
/// `grants(kind TEXT, hash BLOB, value BLOB, expires_ms INTEGER, PRIMARY KEY (kind, hash))`.
pub trait Grants: Send + Sync {
    /// Why the store failed (disk, connection): not a refusal.
    type Fault: std::error::Error + Send + Sync + 'static;

    /// Adds a grant unless a living one has its key.
    fn insert(
        &self,
        key: GrantKey,
        grant: Grant,
        now: BlockTime,
    ) -> impl Future<Output = Result<Inserted, Self::Fault>> + Send;

    /// The living grant of `key`.
    fn get(
        &self,
        key: GrantKey,
        now: BlockTime,
    ) -> impl Future<Output = Result<Option<Grant>, Self::Fault>> + Send;

    /// Removes the living grant of `key` and returns it; of several callers one gets it.
    fn take(
        &self,
        key: GrantKey,
        now: BlockTime,
    ) -> impl Future<Output = Result<Option<Grant>, Self::Fault>> + Send;

    /// Puts `next` in the place of a living grant whose value is still `expected`; whether it did.
    fn replace(
        &self,
        key: GrantKey,
        expected: &[u8],
        next: Grant,
        now: BlockTime,
    ) -> impl Future<Output = Result<bool, Self::Fault>> + Send;
}

/// A store in memory, for tests and for what need not survive a restart.
#[derive(Debug)]
pub struct MemoryGrants {
    grants: Mutex<BTreeMap<GrantKey, Grant>>,
    entries_max: usize,
}

impl MemoryGrants {
    /// An empty store of at most `entries_max` living grants.
    pub fn new(entries_max: usize) -> Self {
        Self { grants: Mutex::default(), entries_max }
    }

    /// The number of grants, expired ones that were not yet removed included.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A panic elsewhere leaves the map whole: each change is one call on it.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<GrantKey, Grant>> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn insert_now(&self, key: GrantKey, grant: Grant, now: BlockTime) -> Inserted {
        let mut grants = self.lock();
        if grants.get(&key).is_some_and(|old| old.expires > now) {
            return Inserted::Exists;
        }
        if grants.len() >= self.entries_max {
            grants.retain(|_, old| old.expires > now);
        }
        if grants.len() >= self.entries_max {
            return Inserted::Full;
        }
        grants.insert(key, grant);
        Inserted::New
    }

    fn replace_now(&self, key: GrantKey, expected: &[u8], next: Grant, now: BlockTime) -> bool {
        let mut grants = self.lock();
        match grants.get_mut(&key) {
            Some(old) if old.expires > now && old.value == expected => {
                *old = next;
                true
            }
            _ => false,
        }
    }
}

impl Grants for MemoryGrants {
    type Fault = Infallible;

    fn insert(
        &self,
        key: GrantKey,
        grant: Grant,
        now: BlockTime,
    ) -> impl Future<Output = Result<Inserted, Infallible>> + Send {
        ready(Ok(self.insert_now(key, grant, now)))
    }

    fn get(
        &self,
        key: GrantKey,
        now: BlockTime,
    ) -> impl Future<Output = Result<Option<Grant>, Infallible>> + Send {
        ready(Ok(self.lock().get(&key).filter(|grant| grant.expires > now).cloned()))
    }

    fn take(
        &self,
        key: GrantKey,
        now: BlockTime,
    ) -> impl Future<Output = Result<Option<Grant>, Infallible>> + Send {
        ready(Ok(self.lock().remove(&key).filter(|grant| grant.expires > now)))
    }

    fn replace(
        &self,
        key: GrantKey,
        expected: &[u8],
        next: Grant,
        now: BlockTime,
    ) -> impl Future<Output = Result<bool, Infallible>> + Send {
        ready(Ok(self.replace_now(key, expected, next, now)))
    }
}
