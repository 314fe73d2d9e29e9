//! Submitting: sign once, send until a validator takes it in.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use bytes::Bytes;
use etibar_ledger::{
    Operation,
    operation::Parameter,
    transaction::{self, Envelope, OPERATIONS_MAX},
};
use etibar_primitives::{BlockTime, Digest, DurationMs};
use rand::RngExt as _;
use reqwest::Method;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout_at},
};

use crate::{
    client::Inner,
    config::{
        ANSWER_BYTES_MAX, ASIDE_FAILED, BACKOFF_MAX, BACKOFF_MIN, BROADCAST_BYTES_MAX,
        SUBMIT_DEADLINE, SUBMIT_TIMEOUT, VALID_AFTER, VALID_BEFORE,
    },
    error::{Cause, SubmitError},
    transport::{Failure, Refusal, Request},
    wire::{AcceptedView, Progress},
};

/// A transaction that a validator took in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Submitted {
    /// The transaction's digest.
    pub transaction: Digest,
    /// Where it is.
    pub progress: Progress,
}

/// One validator's answer.
type Reply = (usize, Result<AcceptedView, Failure>);

/// What the attempts have yielded so far.
struct Attempts {
    /// The validators that refused.
    refused: BTreeSet<usize>,
    last: Cause,
    after: Option<Duration>,
}

/// Signs `operations` at `now`.
pub(crate) fn sign(
    inner: &Inner,
    operations: &[Operation],
    now: BlockTime,
) -> Result<Bytes, SubmitError> {
    if !(1..=OPERATIONS_MAX).contains(&operations.len()) {
        return Err(SubmitError::Count(operations.len()));
    }
    let (valid_from, valid_until) = window(now, longest_window(inner));
    let envelope = Envelope {
        network: *inner.verifier.network(),
        member: inner.config.member,
        valid_from,
        valid_until,
    };
    Ok(Bytes::from(envelope.sign(operations, &inner.config.key)))
}

/// The rulebook's limit as far as the genesis tells it.
fn longest_window(inner: &Inner) -> DurationMs {
    let validity = Parameter::TransactionValidityMaxMs;
    let set = inner.config.genesis.parameters.iter().rev().find(|(its, _)| *its == validity);
    DurationMs(set.map_or(validity.default_value(), |(_, value)| *value))
}

/// From when until when a transaction made at `now` is valid.
fn window(now: BlockTime, longest: DurationMs) -> (BlockTime, BlockTime) {
    let before = VALID_BEFORE.0.min(longest.0 / 2);
    let after = VALID_AFTER.0.min(longest.0 - before);
    (BlockTime(now.0.saturating_sub(before)), now.saturating_add(DurationMs(after)))
}

/// Sends a transaction until a validator takes it in: to all of them when it is small, else to so
/// many that one of them is honest.
pub(crate) async fn send(inner: &Arc<Inner>, bytes: Bytes) -> Result<Submitted, SubmitError> {
    let deadline = Instant::now() + SUBMIT_DEADLINE;
    let digest = transaction::digest(&bytes);
    let small = bytes.len() <= BROADCAST_BYTES_MAX;
    let targets = if small { inner.transport.len() } else { inner.honest() };
    let mut attempts = Attempts { refused: BTreeSet::new(), last: Cause::PutAside, after: None };
    let mut pause = BACKOFF_MIN;
    loop {
        let order = inner.transport.order(true);
        let willing = order.into_iter().filter(|index| !attempts.refused.contains(index));
        let chosen: Vec<_> = willing.take(targets).collect();
        let mut replies = ask(inner, &chosen, &bytes);
        while let Ok(Some(reply)) = timeout_at(deadline, replies.join_next()).await {
            let Ok(reply) = reply else { continue };
            if let Some(ended) = attempts.note(inner, &digest, reply) {
                // The other validators may still take it in: one alone could keep it to itself.
                replies.detach_all();
                return ended;
            }
        }
        let rest = attempts.after.take().map_or(pause, |after| after.clamp(pause, BACKOFF_MAX));
        let rest = jitter(rest);
        if Instant::now() + rest >= deadline {
            return Err(SubmitError::Deadline(attempts.last));
        }
        tokio::time::sleep(rest).await;
        pause = (pause * 2).min(BACKOFF_MAX);
    }
}

/// Half of `pause` to all of it, at random: clients that failed together do not return together.
fn jitter(pause: Duration) -> Duration {
    pause / 2 + rand::rng().random_range(Duration::ZERO..=pause / 2)
}

fn ask(inner: &Arc<Inner>, validators: &[usize], bytes: &Bytes) -> JoinSet<Reply> {
    let mut replies = JoinSet::new();
    for index in validators.iter().copied() {
        let (inner, body) = (Arc::clone(inner), bytes.clone());
        replies.spawn(async move { (index, ask_one(&inner, index, body).await) });
    }
    replies
}

async fn ask_one(inner: &Inner, index: usize, body: Bytes) -> Result<AcceptedView, Failure> {
    let request = Request {
        method: Method::POST,
        path: "/v1/transactions",
        body,
        token: None,
        timeout: SUBMIT_TIMEOUT,
        answer_bytes_max: ANSWER_BYTES_MAX,
    };
    let answer = inner.transport.send(index, request).await?;
    serde_json::from_slice(&answer.body).map_err(|error| Failure::Transient {
        cause: Cause::Answer(error.to_string()),
        after: None,
    })
}

impl Attempts {
    /// Takes in one validator's answer; gives the end of the submission once it is decided.
    fn note(
        &mut self,
        inner: &Inner,
        digest: &Digest,
        (index, answer): Reply,
    ) -> Option<Result<Submitted, SubmitError>> {
        match answer {
            Ok(accepted) if accepted.digest == *digest => {
                Some(Ok(Submitted { transaction: *digest, progress: accepted.progress }))
            }
            Ok(_) => {
                self.last = Cause::Answer("another transaction's digest".to_owned());
                inner.transport.put_aside(index, ASIDE_FAILED);
                None
            }
            Err(Failure::Transient { cause, after }) => {
                if cause != Cause::Overloaded {
                    inner.transport.put_aside(index, ASIDE_FAILED);
                }
                (self.last, self.after) = (cause, self.after.max(after));
                None
            }
            Err(Failure::Refused(Refusal { code, detail, .. })) => {
                self.refused.insert(index);
                let decided = self.refused.len() >= inner.honest();
                decided.then_some(Err(SubmitError::Refused { code, detail }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_never_passes_the_rulebooks_limit() {
        let now = BlockTime(1_000_000_000);
        let spans = |limit| {
            let (from, until) = window(now, DurationMs(limit));
            (now.since(from).0, until.since(now).0)
        };
        assert_eq!(spans(3_600_000), (60_000, 300_000));
        assert_eq!(spans(360_000), (60_000, 300_000));
        assert_eq!(spans(100_000), (50_000, 50_000));
        assert_eq!(spans(1), (0, 1));
    }
}
