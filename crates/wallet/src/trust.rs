//! The ledger's trust registry as the wallet knows it: refreshed when it is older than a moment.

use std::sync::{Arc, Mutex, PoisonError};

use etibar_client::{clock, wire::IssuerView};
use etibar_credential::{
    UnixSeconds,
    level::AssuranceLevel,
    trust::{TrustEntry, TrustRegistry},
};
use etibar_primitives::{BlockTime, DurationMs};

use crate::{Wallet, WalletError};

/// How old the known registry may be before it is read again. A revoked issuer is refused by
/// banks and agencies at once; the wallet only must not show it as registered for long.
const REGISTRY_AGE_MAX: DurationMs = DurationMs(30_000);

/// What was read last.
#[derive(Default)]
pub(crate) struct Trust {
    known: Mutex<Option<(BlockTime, Arc<TrustRegistry>)>>,
}

impl Wallet {
    /// Who may issue and ask what, by the ledger.
    pub(crate) async fn registry(&self) -> Result<Arc<TrustRegistry>, WalletError> {
        let now = clock::now();
        let known = self.inner.trust.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((read, registry)) = known
            && now.since(read).0 < REGISTRY_AGE_MAX.0
        {
            return Ok(registry);
        }
        let issuers = self.inner.client.issuers().await?;
        let registry = Arc::new(TrustRegistry::new(issuers.iter().filter_map(entry)));
        let mut known = self.inner.trust.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((now, Arc::clone(&registry)));
        Ok(registry)
    }
}

/// A registration as `credential` reads it; `None` for a level that it does not know.
fn entry(issuer: &IssuerView) -> Option<TrustEntry> {
    Some(TrustEntry {
        member: issuer.member,
        credential_type: issuer.credential_type,
        authority: issuer.certificate.0,
        ceiling: AssuranceLevel::from_number(issuer.ceiling.code())?,
        valid_from: UnixSeconds::from(issuer.valid_from),
        valid_until: UnixSeconds::from(issuer.valid_until),
    })
}
