//! The protocols' open business, kept in the vault.

use std::sync::{Mutex, PoisonError};

use etibar_openid::{Grant, GrantKey, Grants, Inserted};
use etibar_primitives::BlockTime;
use etibar_vault::{
    Change, Vault, VaultError,
    grants::{Added, KeptGrant, Key},
};

/// Codes, tokens, nonces and presentation requests in the vault.
#[derive(Debug, Clone)]
pub struct VaultGrants(pub Vault);

fn key(key: GrantKey) -> Key<'static> {
    Key { kind: key.kind.name(), hash: key.hash }
}

fn kept(grant: Grant) -> KeptGrant {
    KeptGrant { value: grant.value, expires: grant.expires }
}

fn grant(kept: KeptGrant) -> Grant {
    Grant { value: kept.value, expires: kept.expires }
}

impl Grants for VaultGrants {
    type Fault = VaultError;

    async fn insert(
        &self,
        at: GrantKey,
        grant: Grant,
        now: BlockTime,
    ) -> Result<Inserted, VaultError> {
        Ok(match self.0.add_grant(key(at), &kept(grant), now).await? {
            Added::New => Inserted::New,
            Added::Exists => Inserted::Exists,
            Added::Full => Inserted::Full,
        })
    }

    async fn get(&self, at: GrantKey, now: BlockTime) -> Result<Option<Grant>, VaultError> {
        Ok(self.0.grant(key(at), now).await?.map(grant))
    }

    async fn take(&self, at: GrantKey, now: BlockTime) -> Result<Option<Grant>, VaultError> {
        Ok(self.0.take_grant(key(at), now).await?.map(grant))
    }

    async fn replace(
        &self,
        at: GrantKey,
        expected: &[u8],
        next: Grant,
        now: BlockTime,
    ) -> Result<bool, VaultError> {
        self.0.replace_grant(key(at), expected, &kept(next), now).await
    }
}

/// The vault's grants for one answer to a request. That the request is answered is not written at
/// once but kept, to be written together with the answer: a bank that dies in between still waits.
pub(crate) struct HeldBack<'a> {
    grants: &'a VaultGrants,
    answered: Mutex<Option<Answered>>,
}

/// That a request is answered.
pub(crate) struct Answered {
    at: GrantKey,
    expected: Vec<u8>,
    next: KeptGrant,
}

impl<'a> HeldBack<'a> {
    pub(crate) const fn new(grants: &'a VaultGrants) -> Self {
        Self { grants, answered: Mutex::new(None) }
    }

    /// What is to be written, when there is an answer.
    pub(crate) fn into_answered(self) -> Option<Answered> {
        self.answered.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answered {
    /// Writes it with the rest of the change; false when another answer came first.
    pub(crate) async fn write(
        &self,
        change: &mut Change,
        now: BlockTime,
    ) -> Result<bool, VaultError> {
        change.replace_grant(key(self.at), &self.expected, &self.next, now).await
    }
}

impl Grants for HeldBack<'_> {
    type Fault = VaultError;

    async fn insert(
        &self,
        at: GrantKey,
        grant: Grant,
        now: BlockTime,
    ) -> Result<Inserted, VaultError> {
        self.grants.insert(at, grant, now).await
    }

    async fn get(&self, at: GrantKey, now: BlockTime) -> Result<Option<Grant>, VaultError> {
        self.grants.get(at, now).await
    }

    async fn take(&self, at: GrantKey, now: BlockTime) -> Result<Option<Grant>, VaultError> {
        self.grants.take(at, now).await
    }

    async fn replace(
        &self,
        at: GrantKey,
        expected: &[u8],
        next: Grant,
        _: BlockTime,
    ) -> Result<bool, VaultError> {
        let answered = Answered { at, expected: expected.to_vec(), next: kept(next) };
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Some(answered);
        Ok(true)
    }
}
