//! What an agency does by itself: follows its events, publishes and anchors, delivers notices.

use std::time::Duration;

use etibar_credential::evidence;
use etibar_ledger::{
    Operation, Outcome,
    operation::{Action, EvidenceAnchor},
};
use etibar_openid::member::ChangeNotice;
use etibar_primitives::{BlockTime, Digest};
use tokio::{sync::watch, task::JoinSet, time::timeout};

use crate::{
    agency::Agency,
    error::AgencyError,
    issuing::{pause, random_operation},
    ports::EventBatch,
    store::{Batch, NoticeRow, StoreFault},
};

/// How often the tasks look for work that nobody told them of.
const TICK: Duration = Duration::from_millis(500);
/// The pause before something that failed is tried again.
const PAUSE: Duration = Duration::from_millis(500);
/// Notices delivered in one round.
const NOTICES_PAGE: u32 = 64;
/// How often what has ended is deleted.
const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// Why the agency stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum AgencyFault {
    /// Its storage failed.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// A task ended that never should.
    #[error("a task of the agency ended: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl Agency {
    /// Runs the tasks until one fails, or until `shutdown` resolves; then stops all of them.
    pub async fn run_until(&self, shutdown: impl Future<Output = ()>) -> Result<(), AgencyFault> {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(until(stopped.clone(), follow(self.clone())));
        tasks.spawn(until(stopped.clone(), work(self.clone())));
        tasks.spawn(until(stopped, sweep(self.clone())));
        let failed = tokio::select! {
            () = shutdown => None,
            ended = tasks.join_next() => ended,
        };
        let _ = stop.send(true);
        let mut outcome = failed.map_or(Ok(()), |ended| ended?);
        while let Some(ended) = tasks.join_next().await {
            outcome = outcome.and(ended.map_err(AgencyFault::from).flatten());
        }
        outcome
    }

    /// Ends the consents that certified events ended, and remembers how far it is.
    pub async fn take_events(&self, batch: &EventBatch) -> Result<u64, StoreFault> {
        let (cursor, _) = self.inner.store.cursor().await?;
        assert!(batch.first <= cursor, "events come without a gap");
        let taken = usize::try_from(cursor - batch.first).unwrap_or(usize::MAX);
        let new = batch.events.iter().skip(taken);
        let revoked: Vec<Digest> = new
            .filter(|event| event.outcome == Outcome::Accepted)
            .filter_map(|event| Operation::decode(&event.operation).ok())
            .filter_map(|operation| match operation.action {
                Action::RevokeConsent(revocation) => Some(revocation.rel),
                _ => None,
            })
            .collect();
        let count = u64::try_from(batch.events.len()).expect("a length fits 64 bits");
        let next = cursor.max(batch.first + count);
        self.inner.store.take_events(next, batch.time, &revoked).await?;
        Ok(next)
    }

    /// One round of completing changes, publishing, anchoring and delivering. Errors of others are
    /// logged: the next round tries again.
    pub async fn work_once(&self) -> Result<(), StoreFault> {
        let steps = [
            self.resume_changes().await,
            self.publish().await,
            self.anchor_lists().await,
            self.anchor_receipts().await,
        ];
        for step in steps {
            match step {
                Ok(()) => {}
                Err(AgencyError::Store(fault)) => return Err(fault),
                Err(error) => tracing::warn!(code = error.code(), %error, "tried again later"),
            }
        }
        self.deliver_notices().await
    }

    /// Closes a batch of new receipts when the last one is old enough, and anchors what the
    /// ledger does not know yet.
    async fn anchor_receipts(&self) -> Result<(), AgencyError> {
        let now = self.now();
        let newest = self.inner.store.newest_batch_time().await?;
        let due = newest.is_none_or(|at| now.since(at) >= self.inner.setup.limits.anchor_ms);
        let mut open = self.inner.store.open_batches().await?;
        if open.is_empty() && due {
            let root = |leaves: &[Digest]| {
                let receipts: Vec<_> = leaves.iter().map(|leaf| (*leaf, BlockTime(0))).collect();
                evidence::Batch::new(&receipts).expect("a batch has 1 to 4,096 receipts").root()
            };
            open.extend(self.inner.store.close_batch(random_operation(), root).await?);
        }
        for batch in open {
            self.anchor_batch(&batch).await?;
        }
        Ok(())
    }

    async fn anchor_batch(&self, batch: &Batch) -> Result<(), AgencyError> {
        let count = u32::try_from(batch.last - batch.first + 1);
        let anchor = EvidenceAnchor {
            root: batch.root,
            count: count.expect("a batch has at most 4,096 receipts"),
            from: batch.from,
            until: batch.until,
        };
        let action = Action::AnchorEvidence(anchor);
        let operation = Operation { id: batch.operation, linked: false, action };
        let done = self.inner.ledger.execute(operation).await?;
        match done.outcome {
            Outcome::Accepted | Outcome::Exists => {
                Ok(self.inner.store.batch_anchored(batch.batch, done.time).await?)
            }
            refused => Err(AgencyError::LedgerRefused(refused.name())),
        }
    }

    /// Delivers the notices whose time has come.
    async fn deliver_notices(&self) -> Result<(), StoreFault> {
        for notice in self.inner.store.notices_due(self.now(), NOTICES_PAGE).await? {
            let consent = self.inner.store.consent(&notice.rel).await?;
            if consent.is_none_or(|consent| consent.ended.is_some()) {
                self.inner.store.notice_void(notice.id).await?;
                continue;
            }
            self.deliver(&notice).await?;
        }
        Ok(())
    }

    async fn deliver(&self, row: &NoticeRow) -> Result<(), StoreFault> {
        let notice = ChangeNotice { id: row.id, rel: row.rel, changed_at: row.changed };
        match self.inner.web.notify(row.consumer, &notice).await {
            Ok(()) => self.inner.store.notice_delivered(row.id, self.now()).await,
            Err(fault) => {
                tracing::warn!(consumer = row.consumer.0, %fault, "a notice waits");
                let limits = &self.inner.setup.limits;
                let longest = limits.notice_retry_max_ms;
                let pause = pause(limits.notice_retry_ms, longest, row.attempts);
                self.inner.store.notice_failed(row.id, self.now(), pause).await
            }
        }
    }
}

async fn until(
    mut stopped: watch::Receiver<bool>,
    task: impl Future<Output = Result<(), AgencyFault>>,
) -> Result<(), AgencyFault> {
    tokio::select! {
        _ = stopped.changed() => Ok(()),
        ended = task => ended,
    }
}

async fn follow(agency: Agency) -> Result<(), AgencyFault> {
    let (mut cursor, _) = agency.inner.store.cursor().await?;
    loop {
        match agency.inner.ledger.events(cursor).await {
            Ok(batch) => cursor = agency.take_events(&batch).await?,
            Err(fault) => {
                tracing::warn!(%fault, "no events now");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn work(agency: Agency) -> Result<(), AgencyFault> {
    loop {
        agency.work_once().await?;
        // Told of work, or the next look: both go on.
        drop(timeout(TICK, agency.inner.work.notified()).await);
    }
}

async fn sweep(agency: Agency) -> Result<(), AgencyFault> {
    loop {
        let now = agency.now();
        agency.inner.grants.sweep(now).await?;
        agency.inner.store.sweep_consents(now).await?;
        agency.inner.store.sweep_issued(now).await?;
        agency.inner.store.sweep_releases(now).await?;
        tokio::time::sleep(SWEEP_EVERY).await;
    }
}
