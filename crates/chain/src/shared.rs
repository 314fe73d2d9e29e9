//! What the parts of a validator know of each other: the mempool, and how far things are.
//!
//! Readers watch; nobody waits while holding a lock.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use etibar_ledger::block::{BlockHeader, ExecutionRecord};
use etibar_primitives::Digest;
use tokio::sync::watch;

use crate::{config::Limits, mempool::Mempool};

/// How many recent heights are kept at hand for checking and serving.
pub(crate) const RECENT_HEIGHTS: u64 = 1_024;

/// How far execution is; what is not durable yet is executed again after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Executed {
    /// The record of the latest executed block.
    pub(crate) record: ExecutionRecord,
    /// Its digest.
    pub(crate) digest: Digest,
    /// The latest height that had events; a header has to commit to it soon.
    pub(crate) eventful: u64,
}

/// A header that the validators certified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CertifiedTip {
    pub(crate) header: BlockHeader,
}

/// Recent blocks by height and digest.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    /// Execution records with their digests.
    records: BTreeMap<u64, (ExecutionRecord, Digest)>,
    /// Certified headers with their certificates.
    certificates: BTreeMap<u64, (BlockHeader, Vec<u8>)>,
    /// Headers that this validator proposed, checked or executed.
    headers: HashMap<Digest, BlockHeader>,
    /// Proofs by attestation, by the height of the record.
    attestations: BTreeMap<u64, Vec<u8>>,
    by_height: BTreeMap<u64, Vec<Digest>>,
}

/// Shared by the engine, the executor and the handles.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The digest of the genesis.
    pub(crate) network: Digest,
    mempool: Mutex<Mempool>,
    recent: Mutex<Recent>,
    /// Counts additions to the mempool.
    pub(crate) added: watch::Sender<u64>,
    pub(crate) executed: watch::Sender<Executed>,
    /// The highest finalized height heard of.
    pub(crate) finalized: watch::Sender<u64>,
    /// The newest certified header, `None` until the first.
    pub(crate) certified: watch::Sender<Option<CertifiedTip>>,
    /// The highest height whose result is proven, by a certified header or by attestations.
    pub(crate) proven: watch::Sender<u64>,
    /// The view that consensus is in, and the validators in order of turns.
    pub(crate) view: watch::Sender<u64>,
}

impl Shared {
    pub(crate) fn new(network: Digest, limits: Limits, executed: Executed) -> Self {
        let mut recent = Recent::default();
        recent.insert_record(executed.record, executed.digest);
        Self {
            network,
            mempool: Mutex::new(Mempool::new(limits)),
            recent: Mutex::new(recent),
            added: watch::Sender::new(0),
            finalized: watch::Sender::new(executed.record.height),
            executed: watch::Sender::new(executed),
            certified: watch::Sender::new(None),
            proven: watch::Sender::new(0),
            view: watch::Sender::new(0),
        }
    }

    /// Notes that the validators certified `header`.
    pub(crate) fn certify(&self, header: BlockHeader, certificate: impl FnOnce() -> Vec<u8>) {
        if self.recent().certificates.contains_key(&header.height) {
            return;
        }
        self.recent().certificates.insert(header.height, (header, certificate()));
        self.certified.send_if_modified(|known| {
            let higher = known.as_ref().is_none_or(|tip| tip.header.height < header.height);
            if higher {
                *known = Some(CertifiedTip { header });
            }
            higher
        });
        self.prove(header.executed_height);
    }

    /// Notes that a quorum attested the result of `height`, which this validator has, too.
    pub(crate) fn attest(&self, height: u64, attestations: Vec<u8>) {
        self.recent().attestations.insert(height, attestations);
        self.prove(height);
    }

    fn prove(&self, height: u64) {
        self.proven.send_if_modified(|known| {
            let higher = height > *known;
            *known = height.max(*known);
            higher
        });
    }

    pub(crate) fn mempool(&self) -> MutexGuard<'_, Mempool> {
        lock(&self.mempool)
    }

    pub(crate) fn recent(&self) -> MutexGuard<'_, Recent> {
        lock(&self.recent)
    }
}

/// A panic elsewhere ends the process; until then its data is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recent {
    /// Remembers a header.
    pub(crate) fn insert_header(&mut self, digest: Digest, header: BlockHeader) {
        if self.headers.insert(digest, header).is_none() {
            self.by_height.entry(header.height).or_default().push(digest);
        }
    }

    pub(crate) fn header(&self, digest: &Digest) -> Option<BlockHeader> {
        self.headers.get(digest).copied()
    }

    /// Remembers the record of an executed block.
    pub(crate) fn insert_record(&mut self, record: ExecutionRecord, digest: Digest) {
        self.records.insert(record.height, (record, digest));
    }

    /// The record of a height.
    pub(crate) fn record(&self, height: u64) -> Option<ExecutionRecord> {
        self.records.get(&height).map(|(record, _)| *record)
    }

    /// The digest of the record of a height.
    pub(crate) fn record_digest(&self, height: u64) -> Option<Digest> {
        self.records.get(&height).map(|(_, digest)| *digest)
    }

    /// The highest height up to `height` with a record, and the record's digest.
    pub(crate) fn record_up_to(&self, height: u64) -> Option<(u64, Digest)> {
        let found = self.records.range(..=height).next_back();
        found.map(|(height, (_, digest))| (*height, *digest))
    }

    /// The lowest certified header that commits to the result of `height`, with its certificate.
    pub(crate) fn certificate_of(&self, height: u64) -> Option<&(BlockHeader, Vec<u8>)> {
        // Nothing older is remembered: an older height may have had a lower header.
        if self.certificates.first_key_value()?.0 > &(height + 1) {
            return None;
        }
        let mut above = self.certificates.range(height + 1..).map(|(_, certified)| certified);
        above.find(|(header, _)| header.executed_height >= height)
    }

    /// The lowest attested height from `height` on, with the attestations.
    pub(crate) fn attestation_of(&self, height: u64) -> Option<(u64, &[u8])> {
        let (attested, bytes) = self.attestations.range(height..).next()?;
        Some((*attested, bytes))
    }

    /// The certified header of a height, with its certificate.
    pub(crate) fn certificate_at(&self, height: u64) -> Option<&(BlockHeader, Vec<u8>)> {
        self.certificates.get(&height)
    }

    /// Forgets what lies more than [`RECENT_HEIGHTS`] below `height`.
    pub(crate) fn forget_below(&mut self, height: u64) {
        let floor = height.saturating_sub(RECENT_HEIGHTS);
        self.records = self.records.split_off(&floor);
        self.certificates = self.certificates.split_off(&floor);
        self.attestations = self.attestations.split_off(&floor);
        let kept = self.by_height.split_off(&floor);
        for digest in std::mem::replace(&mut self.by_height, kept).into_values().flatten() {
            self.headers.remove(&digest);
        }
    }
}
