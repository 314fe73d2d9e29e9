//! The protocols' open business, kept in the vault.

use etibar_openid::{Grant, GrantKey, Grants, Inserted};
use etibar_primitives::BlockTime;
use etibar_vault::{
    Vault, VaultError,
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
