//! One bank under load: it starts payments, answers those it receives, and counts its own once
//! their outcome is proven.

use std::{collections::HashMap, sync::Arc, time::Duration};

use etibar_client::{Client, Events, VerifiedEvents};
use etibar_ledger::{
    Operation, Outcome,
    operation::{Action, Transfer, TransferKind},
    receipt::Event,
    transaction::OPERATIONS_MAX,
};
use etibar_primitives::{AccountId, Amount, BlockTime, DurationMs, OperationId};
use rand::RngExt as _;
use tokio::{
    sync::Semaphore,
    time::{Instant, MissedTickBehavior, interval_at, timeout_at},
};

use super::{latency::Latencies, payments::Kind};

/// How long a reserve may wait for its post.
const RESERVE_TIME: DurationMs = DurationMs(30_000);
/// Transactions of one bank on their way to the validators at the same time.
const SUBMISSIONS_MAX: usize = 64;

/// When a bank starts its next batch.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pace {
    /// When its last one has ended.
    Closed,
    /// At a fixed interval.
    Every(Duration),
    /// Never: it only receives.
    Never,
}

/// What all banks of a run share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    /// Payments that end from here on count.
    pub(super) from: Instant,
    /// No payment starts or counts from here on.
    pub(super) until: Instant,
    /// Nothing is waited for beyond this.
    pub(super) deadline: Instant,
    pub(super) kind: Kind,
}

/// What a bank counted.
#[derive(Debug, Default)]
pub(super) struct Finished {
    pub(super) latencies: Latencies,
    pub(super) refused: u64,
    pub(super) unfinished: u64,
    pub(super) settled_in_all: u64,
}

/// A bank with its accounts.
pub(super) struct Bank {
    pub(super) client: Client,
    pub(super) events: Events,
    pub(super) own: Vec<AccountId>,
    pub(super) others: Vec<AccountId>,
    pub(super) batch: usize,
    pub(super) pace: Pace,
    /// Where this bank's ticks lie between those of the others.
    pub(super) offset: Duration,
}

/// A bank at work.
struct Worker {
    bank: Bank,
    load: Load,
    started: HashMap<OperationId, Instant>,
    finished: Finished,
    lines: Arc<Semaphore>,
}

impl Pace {
    /// Where bank `index` of `banks` begins, so that all together are even.
    pub(super) fn offset(self, index: usize, banks: usize) -> Duration {
        let share = |every: Duration| {
            let (index, banks) = (u32::try_from(index), u32::try_from(banks));
            index.ok().zip(banks.ok()).map_or(every, |(index, banks)| every * index / banks)
        };
        match self {
            Self::Every(every) => share(every),
            Self::Closed | Self::Never => Duration::ZERO,
        }
    }
}

impl Finished {
    pub(super) fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.refused += other.refused;
        self.unfinished += other.unfinished;
        self.settled_in_all += other.settled_in_all;
    }
}

impl Bank {
    /// Loads the network until `load.until`, then waits for what is under way.
    pub(super) async fn run(self, load: Load) -> Finished {
        let lines = Arc::new(Semaphore::new(SUBMISSIONS_MAX));
        let (started, finished) = (HashMap::new(), Finished::default());
        let mut worker = Worker { bank: self, load, started, finished, lines };
        worker.work().await;
        worker.finished.unfinished = worker.count_started();
        worker.finished
    }
}

impl Worker {
    async fn work(&mut self) {
        let (closed, every) = match self.bank.pace {
            Pace::Closed => (true, None),
            Pace::Every(every) => (false, Some(every)),
            Pace::Never => (false, None),
        };
        let idle = Duration::from_hours(24);
        let mut ticks = interval_at(Instant::now() + self.bank.offset, every.unwrap_or(idle));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        if closed {
            self.start(Instant::now());
        }
        while self.is_needed() {
            let next = self.bank.events.next();
            tokio::select! {
                scheduled = ticks.tick(), if every.is_some() => self.start(scheduled),
                answer = timeout_at(self.load.deadline, next) => match answer {
                    Ok(Ok(block)) => self.take(&block),
                    Ok(Err(error)) => tracing::warn!(%error, "no events"),
                    Err(_) => break,
                },
            }
            if closed && self.started.is_empty() {
                self.start(Instant::now());
            }
        }
    }

    /// A receiver goes on until the end of the run: others may wait for its posts.
    fn is_needed(&self) -> bool {
        let now = Instant::now();
        now < self.load.until
            || (now < self.load.deadline && !self.started.is_empty())
            || (self.load.kind == Kind::Instant && now < self.load.deadline)
    }

    /// Signs and sends a batch of payments that count as started at `at`.
    fn start(&mut self, at: Instant) {
        if Instant::now() >= self.load.until {
            return;
        }
        let now = now();
        let operations: Vec<_> = (0..self.bank.batch).map(|_| self.payment(now)).collect();
        self.started.extend(operations.iter().map(|operation| (operation.id, at)));
        self.send(operations);
    }

    fn payment(&self, now: BlockTime) -> Operation {
        let mut random = rand::rng();
        let mut pick = |from: &[AccountId]| from[random.random_range(0..from.len())];
        let (debit, credit) = (pick(&self.bank.own), pick(&self.bank.others));
        let amount = Amount::new(random.random_range(1..=100)).expect("far below the largest");
        let mut transfer = Transfer::new(debit, credit, amount, now);
        let kind = match self.load.kind {
            Kind::Direct => TransferKind::Direct,
            Kind::Instant => TransferKind::Reserve,
        };
        if kind == TransferKind::Reserve {
            transfer.expires = now.saturating_add(RESERVE_TIME);
        }
        operation(kind, transfer)
    }

    fn send(&self, operations: Vec<Operation>) {
        let (client, lines) = (self.bank.client.clone(), Arc::clone(&self.lines));
        tokio::spawn(async move {
            let line = lines.acquire_owned().await;
            // Not sent means not finished: it is counted at the end.
            if let Err(error) = client.submit(&operations).await {
                tracing::warn!(%error, "a batch was not taken in");
            }
            drop(line);
        });
    }

    /// Counts what ended in a block, and posts what was reserved for this bank.
    fn take(&mut self, block: &VerifiedEvents) {
        let now = Instant::now();
        let own = self.bank.client.member();
        let mut posts = Vec::new();
        for event in &block.events {
            let operation = Operation::decode(&event.operation).expect("the ledger took it");
            let Action::Transfer(kind, transfer) = operation.action else { continue };
            match (self.load.kind, kind) {
                (Kind::Direct, TransferKind::Direct) => self.end(operation.id, event, now),
                (Kind::Instant, TransferKind::Reserve) if event.outcome != Outcome::Accepted => {
                    self.end(operation.id, event, now);
                }
                (Kind::Instant, TransferKind::Reserve) if event.submitter != own => {
                    posts.push(Self::post(operation.id, &transfer));
                }
                (Kind::Instant, TransferKind::Post) => self.end(transfer.pending, event, now),
                _ => {}
            }
        }
        for batch in posts.chunks(OPERATIONS_MAX) {
            self.send(batch.to_vec());
        }
    }

    fn post(reserve: OperationId, of: &Transfer) -> Operation {
        let mut transfer = Transfer::new(of.debit, of.credit, of.amount, now());
        transfer.pending = reserve;
        operation(TransferKind::Post, transfer)
    }

    /// Counts a payment of this bank; those of others are not in its list.
    fn end(&mut self, payment: OperationId, event: &Event, now: Instant) {
        let Some(start) = self.started.remove(&payment) else { return };
        if event.outcome != Outcome::Accepted {
            self.finished.refused += 1;
            return;
        }
        self.finished.settled_in_all += 1;
        if self.load.from <= now && now < self.load.until {
            self.finished.latencies.note(now - start);
        }
    }

    fn count_started(&self) -> u64 {
        u64::try_from(self.started.len()).unwrap_or(u64::MAX)
    }
}

fn operation(kind: TransferKind, transfer: Transfer) -> Operation {
    let id = OperationId(rand::rng().random());
    Operation { id, linked: false, action: Action::Transfer(kind, transfer) }
}

/// The local clock as block time.
pub(super) fn now() -> BlockTime {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let since = since.expect("the clock is after 1970").as_millis();
    BlockTime(u64::try_from(since).expect("the clock is before the year 500 million"))
}
