//! How an agency stands: counts and lags, no person.

use std::collections::BTreeMap;

use etibar_primitives::{BlockTime, DurationMs};

use crate::{
    agency::Agency,
    error::AgencyError,
    store::{IssuedCounts, NoticeSums},
};

/// How an agency stands, for metrics and pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// When this was told.
    pub at: BlockTime,
    /// The register's records by kind.
    pub records: BTreeMap<String, u64>,
    /// Credentials by kind.
    pub issued: BTreeMap<String, IssuedCounts>,
    /// Consents that stand.
    pub consents: u64,
    /// Living enrolments, at the registrar.
    pub enrolments: u64,
    /// Access receipts made.
    pub receipts: u64,
    /// Of these, how many no batch holds yet.
    pub receipts_open: u64,
    /// Batches that the ledger does not know yet.
    pub batches_open: u64,
    /// Status lists that the ledger does not know yet.
    pub lists_open: u64,
    /// Notices.
    pub notices: NoticeSums,
    /// How long the oldest undelivered notice has waited.
    pub notice_wait: DurationMs,
    /// What keeps the issuer's key from signing, as a stable code.
    pub key_fault: Option<&'static str>,
    /// The next event to ask for.
    pub cursor: u64,
    /// The time of the last block with events that had its effect.
    pub block_time: BlockTime,
}

impl Agency {
    /// How the agency stands.
    pub async fn standing(&self) -> Result<Standing, AgencyError> {
        let (store, at) = (&self.inner.store, self.now());
        let (receipts, receipts_open) = store.receipt_counts().await?;
        let length = |length: usize| u64::try_from(length).expect("a length fits 64 bits");
        let notices = store.notice_sums().await?;
        let (cursor, block_time) = store.cursor().await?;
        Ok(Standing {
            at,
            records: self.inner.register.counts().await?,
            issued: store.issued_counts().await?,
            consents: store.live_consents(at).await?,
            enrolments: store.living_enrolments().await?,
            receipts,
            receipts_open,
            batches_open: length(store.open_batches().await?.len()),
            lists_open: length(store.unanchored().await?.len()),
            notice_wait: notices.oldest.map_or(DurationMs(0), |oldest| at.since(oldest)),
            notices,
            key_fault: self.inner.setup.signer.fault(),
            cursor,
            block_time,
        })
    }
}
