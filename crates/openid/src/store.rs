//! Typed access to [`Grants`]: values as JSON, lives in seconds, faults without their type.

use std::{error::Error, fmt};

use etibar_primitives::{BlockTime, DurationMs};
use serde::{Serialize, de::DeserializeOwned};

use crate::grants::{GRANT_VALUE_BYTES_MAX, Grant, GrantKey, GrantKind, Grants, Inserted};

/// The store failed; what was asked for may or may not have happened.
#[derive(Debug)]
pub struct StoreFault(Box<dyn Error + Send + Sync>);

impl fmt::Display for StoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the store of grants failed")
    }
}

impl Error for StoreFault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

/// Why something could not be remembered. Each has a stable code.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store failed.
    #[error(transparent)]
    Fault(#[from] StoreFault),
    /// The store is at its limit: ask again later.
    #[error("too much business is open")]
    Full,
}

impl StoreError {
    /// The stable code in interfaces.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Fault(_) => "store_fault",
            Self::Full => "store_full",
        }
    }

    /// The HTTP status and OAuth's code.
    pub const fn oauth(&self) -> (u16, &'static str) {
        match self {
            Self::Fault(_) => (500, "server_error"),
            Self::Full => (503, "temporarily_unavailable"),
        }
    }
}

fn fault(error: impl Error + Send + Sync + 'static) -> StoreFault {
    StoreFault(Box::new(error))
}

/// `now` and `life_s` seconds.
pub(crate) fn after(now: BlockTime, life_s: u64) -> BlockTime {
    now.saturating_add(DurationMs(life_s.saturating_mul(1_000)))
}

fn grant(value: &impl Serialize, expires: BlockTime) -> Grant {
    let value = serde_json::to_vec(value).expect("plain data becomes JSON");
    assert!(value.len() <= GRANT_VALUE_BYTES_MAX, "what is kept was limited when it was read");
    Grant { value, expires }
}

/// Keeps `value` under a handle that was drawn at random just now.
pub(crate) async fn put<G: Grants>(
    grants: &G,
    key: GrantKey,
    value: &(impl Serialize + Sync),
    expires: BlockTime,
    now: BlockTime,
) -> Result<(), StoreError> {
    match grants.insert(key, grant(value, expires), now).await.map_err(fault)? {
        Inserted::New => Ok(()),
        Inserted::Full => Err(StoreError::Full),
        Inserted::Exists => panic!("256 random bits were drawn twice: the same entropy was given"),
    }
}

/// Whether `handle` is seen for the first time; it is remembered until `expires`.
pub(crate) async fn first_time<G: Grants>(
    grants: &G,
    handle: &str,
    expires: BlockTime,
    now: BlockTime,
) -> Result<bool, StoreError> {
    let key = GrantKey::of(GrantKind::Seen, handle);
    match grants.insert(key, grant(&(), expires), now).await.map_err(fault)? {
        Inserted::New => Ok(true),
        Inserted::Exists => Ok(false),
        Inserted::Full => Err(StoreError::Full),
    }
}

/// A kept value, with its bytes for a later [`swap`].
pub(crate) struct Kept<T> {
    pub(crate) value: T,
    pub(crate) bytes: Vec<u8>,
    pub(crate) expires: BlockTime,
}

/// The value of `key`.
pub(crate) async fn get<T: DeserializeOwned>(
    grants: &impl Grants,
    key: GrantKey,
    now: BlockTime,
) -> Result<Option<Kept<T>>, StoreError> {
    grants.get(key, now).await.map_err(fault)?.map(read).transpose()
}

/// Removes and returns the value of `key`.
pub(crate) async fn take<T: DeserializeOwned>(
    grants: &impl Grants,
    key: GrantKey,
    now: BlockTime,
) -> Result<Option<Kept<T>>, StoreError> {
    grants.take(key, now).await.map_err(fault)?.map(read).transpose()
}

/// Puts `next` in the place of `kept`; false if another was faster.
pub(crate) async fn swap<T>(
    grants: &impl Grants,
    key: GrantKey,
    kept: &Kept<T>,
    next: &(impl Serialize + Sync),
    expires: BlockTime,
    now: BlockTime,
) -> Result<bool, StoreError>
where
    T: Sync,
{
    let next = grant(next, expires);
    Ok(grants.replace(key, &kept.bytes, next, now).await.map_err(fault)?)
}

fn read<T: DeserializeOwned>(grant: Grant) -> Result<Kept<T>, StoreError> {
    let value = serde_json::from_slice(&grant.value).map_err(fault)?;
    Ok(Kept { value, bytes: grant.value, expires: grant.expires })
}
