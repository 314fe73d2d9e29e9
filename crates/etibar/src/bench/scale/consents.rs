//! Consents by the million on one ledger.

use std::{
    collections::HashMap,
    fmt,
    hint::black_box,
    time::{Duration, Instant},
};

use etibar_ledger::{
    Ledger,
    operation::{Action, ConsentGrant, ConsentRevocation},
    state::Change,
    transaction::OPERATIONS_MAX,
};
use etibar_primitives::{BlockTime, Digest};
use serde::Serialize;

use super::network::{AGENCY, BANK, Block, CONSENT_MS, Network, PURPOSE, SCOPE, START, numbered};
use crate::bench::{limits::per_second, report::tenths, usage};

/// One of this many consents is revoked.
const REVOKED_SHARE: u32 = 10;

/// What the consents cost. Times are of one thread.
#[derive(Debug, Serialize)]
pub(super) struct Consents {
    /// How many stand on the ledger.
    granted: u32,
    /// How many of them were revoked.
    revoked: u32,
    /// Operations in a block, which is one transaction.
    batch: usize,
    grants_per_second: u64,
    /// Of the signature and the root over a batch, for one grant.
    check_microseconds_per_grant: f64,
    execute_microseconds_per_grant: f64,
    revocations_per_second: u64,
    /// Whether a consent is live, by its random identifier, in random order.
    queries_per_second: u64,
    /// Growth of the resident memory of a process that holds the ledger.
    memory_bytes_per_consent: u64,
    /// Rows of the authenticated store that stand at the end, keys included: the consents, and the
    /// memory of the operations' ids that goes after the retention.
    state_bytes_per_consent: u64,
    /// Bytes of rows written by the grants, keys included.
    written_bytes_per_grant: u64,
    /// From the rows to a ledger that goes on, as a validator starts.
    restore_ms: u64,
}

/// Times and sizes of all blocks of one kind.
#[derive(Default)]
struct Sum {
    operations: u64,
    check: Duration,
    execute: Duration,
    written: u64,
}

impl Sum {
    fn add(&mut self, operations: usize, block: &Block) {
        self.operations += u64::try_from(operations).unwrap_or(u64::MAX);
        self.check += block.check;
        self.execute += block.execute;
        self.written += block.executed.changes.iter().map(row_bytes).sum::<u64>();
    }

    fn microseconds(&self, time: Duration) -> f64 {
        let count = u32::try_from(self.operations).unwrap_or(u32::MAX).max(1);
        tenths(time.as_secs_f64() * 1e6 / f64::from(count))
    }
}

/// Grants `count` consents, asks for them, revokes a tenth; then does the grants again with the
/// rows kept, and restores a ledger from them.
pub(super) fn measure(count: u32) -> Consents {
    let before = usage::memory(std::process::id());
    let mut network = Network::new();
    let grants = grant(&mut network, count, |_| ());
    let memory = usage::memory(std::process::id()).saturating_sub(before);
    let queries_per_second = query(&network.ledger, count);
    let revocations = revoke(&mut network, count);
    assert_eq!(network.ledger.consent_count(BANK), u64::from(count));
    let (state, restore) = restore(count);
    let all = |sum: &Sum| per_second(u128::from(sum.operations), sum.check + sum.execute);
    Consents {
        granted: count,
        revoked: count / REVOKED_SHARE,
        batch: OPERATIONS_MAX,
        grants_per_second: all(&grants),
        check_microseconds_per_grant: grants.microseconds(grants.check),
        execute_microseconds_per_grant: grants.microseconds(grants.execute),
        revocations_per_second: all(&revocations),
        queries_per_second,
        memory_bytes_per_consent: memory / u64::from(count),
        state_bytes_per_consent: state / u64::from(count),
        written_bytes_per_grant: grants.written / u64::from(count),
        restore_ms: u64::try_from(restore.as_millis()).unwrap_or(u64::MAX),
    }
}

fn grant(network: &mut Network, count: u32, mut keep: impl FnMut(Vec<Change>)) -> Sum {
    let expires = BlockTime(START.0 + CONSENT_MS);
    let mut sum = Sum::default();
    for actions in batches(0..count, |number| {
        Action::GrantConsent(ConsentGrant {
            rel: rel(number),
            commitment: numbered(5, number.into()),
            provider: AGENCY,
            expires,
            purpose: PURPOSE,
            scope: SCOPE,
        })
    }) {
        let block = network.block(BANK, &actions);
        sum.add(actions.len(), &block);
        keep(block.executed.changes);
    }
    sum
}

fn revoke(network: &mut Network, count: u32) -> Sum {
    let mut sum = Sum::default();
    let every = (0..count / REVOKED_SHARE).map(|number| number * REVOKED_SHARE);
    let revocation = |number| Action::RevokeConsent(ConsentRevocation { rel: rel(number) });
    for actions in batches(every, revocation) {
        sum.add(actions.len(), &network.block(BANK, &actions));
    }
    let now = network.ledger.time();
    let live = |number| network.ledger.consent(&rel(number)).is_some_and(|its| its.is_live(now));
    assert!(!live(0), "a revoked consent is not live");
    assert!(live(1), "the one beside it is");
    sum
}

/// Looks every consent up once, in an order that has nothing to do with their identifiers'.
fn query(ledger: &Ledger, count: u32) -> u64 {
    let asked: Vec<Digest> = (0..count).map(rel).collect();
    let now = ledger.time();
    let start = Instant::now();
    let live = asked
        .iter()
        .filter(|rel| ledger.consent(black_box(rel)).is_some_and(|consent| consent.is_live(now)))
        .count();
    let elapsed = start.elapsed();
    assert_eq!(live, asked.len(), "every consent is live");
    per_second(u128::from(count), elapsed)
}

/// The bytes of the rows after the grants, and the time to make a ledger of them.
fn restore(count: u32) -> (u64, Duration) {
    let mut network = Network::new();
    let mut rows: HashMap<Digest, Vec<u8>> = HashMap::new();
    let mut keep = |changes: Vec<Change>| {
        for change in changes {
            match change.value {
                Some(value) => drop(rows.insert(change.key, value)),
                None => drop(rows.remove(&change.key)),
            }
        }
    };
    keep(std::mem::take(&mut network.genesis_rows));
    grant(&mut network, count, &mut keep);
    let length = |bytes: &Vec<u8>| u64::try_from(32 + bytes.len()).unwrap_or(u64::MAX);
    let bytes = rows.values().map(length).sum();
    let start = Instant::now();
    let restored = Ledger::restore(*network.ledger.network(), rows.values());
    let elapsed = start.elapsed();
    let restored = restored.expect("the rows were written by a ledger");
    assert_eq!(restored.consent_count(BANK), u64::from(count));
    (bytes, elapsed)
}

fn rel(number: u32) -> Digest {
    numbered(4, number.into())
}

fn row_bytes(change: &Change) -> u64 {
    let value = change.value.as_ref().map_or(0, Vec::len);
    u64::try_from(32 + value).unwrap_or(u64::MAX)
}

/// The actions of `numbers` in full transactions.
fn batches(
    numbers: impl Iterator<Item = u32>,
    action: impl Fn(u32) -> Action,
) -> impl Iterator<Item = Vec<Action>> {
    let mut actions = numbers.map(action);
    std::iter::from_fn(move || {
        let batch: Vec<Action> = actions.by_ref().take(OPERATIONS_MAX).collect();
        (!batch.is_empty()).then_some(batch)
    })
}

impl fmt::Display for Consents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { granted, revoked, batch, .. } = self;
        writeln!(f, "consents on the ledger: {granted} granted, {revoked} revoked, one thread")?;
        writeln!(f, "  granted per second         {:>10}", self.grants_per_second)?;
        writeln!(
            f,
            "  each, in batches of {batch}   {:>10} µs to check, {} µs to execute",
            self.check_microseconds_per_grant, self.execute_microseconds_per_grant
        )?;
        writeln!(f, "  revoked per second         {:>10}", self.revocations_per_second)?;
        writeln!(f, "  looked up per second       {:>10}", self.queries_per_second)?;
        writeln!(f, "  memory of each             {:>10} bytes", self.memory_bytes_per_consent)?;
        writeln!(f, "  rows of each               {:>10} bytes", self.state_bytes_per_consent)?;
        writeln!(f, "  written for each           {:>10} bytes", self.written_bytes_per_grant)?;
        writeln!(f, "  restored from the rows in  {:>10} ms", self.restore_ms)
    }
}
