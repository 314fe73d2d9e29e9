//! Finds out where the others stand, and fetches their state.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use commonware_codec::{Decode as _, Encode as _};
use commonware_cryptography::{blake3, ed25519};
use commonware_macros::select;
use commonware_p2p::Recipients;
use commonware_parallel::Strategy;
use commonware_storage::qmdb::sync::{self, Request, Response, Source, engine, source};
use commonware_utils::{NZU64, NZUsize, ordered::Set};
use etibar_primitives::Digest;

use super::{
    Exchange,
    offer::{Checked, Offer},
    server::{KIND_OFFER, KIND_OPERATIONS, OPERATIONS_MAX},
};
use crate::{
    engine::{Runtime, Scheme},
    store::state::{Db, Family, State, StateConfig, StateOperation},
};

/// How often a long wait is logged, in rounds.
const ROUNDS_PER_NOTE: u32 = 20;
/// How long one round of asking lasts.
const ROUND: Duration = Duration::from_millis(500);
/// How long a peer may take to answer a request for operations.
const ANSWER: Duration = Duration::from_secs(3);
/// Requests for operations on their way at a time.
const REQUESTS: std::num::NonZeroUsize = NZUsize!(4);
const APPLIED_AT_ONCE: std::num::NonZeroU64 = NZU64!(4_096);

/// Asks the others where they stand until enough have answered, at most for `rounds` rounds;
/// gives the newest true answer, if any is one.
///
/// Enough are f + 1 of 3f + 1: one of them at least is honest.
pub(crate) async fn discover<E: Runtime>(
    runtime: &mut E,
    exchange: &Arc<Exchange>,
    participants: &Set<ed25519::PublicKey>,
    network: &Digest,
    scheme: &Scheme,
    rounds: Option<u32>,
) -> Option<Checked> {
    let enough = (participants.len().saturating_sub(1) / 3 + 1).min(participants.len() - 1);
    let mut round = 0;
    while rounds.is_none_or(|rounds| round < rounds) {
        round += 1;
        if round % ROUNDS_PER_NOTE == 0 {
            tracing::info!(enough, "waiting for other validators to say where they stand");
        }
        let mut asked = exchange.ask(Recipients::All, &[KIND_OFFER], participants.len()).await;
        let mut answered: Vec<ed25519::PublicKey> = Vec::new();
        let mut newest: Option<Checked> = None;
        let end = runtime.current() + ROUND;
        while answered.len() < enough {
            let answer = select! {
                answer = asked.answers.recv() => answer,
                () = runtime.sleep_until(end) => None,
            };
            let Some((peer, bytes)) = answer else { break };
            if answered.contains(&peer) {
                continue;
            }
            answered.push(peer);
            let offer = Offer::decode(&bytes).ok();
            let checked = offer.and_then(|offer| offer.check(network, scheme, runtime));
            if let Some(checked) = checked
                && newest.as_ref().is_none_or(|one| one.record.height < checked.record.height)
            {
                newest = Some(checked);
            }
        }
        if answered.len() >= enough {
            return newest;
        }
        runtime.sleep_until(end).await;
    }
    None
}

/// Fetches the state of `checked` into the store.
///
/// # Panics
/// When the store fails, or when what was fetched is not the certified state: the next start asks
/// again.
pub(crate) async fn fetch<E: Runtime, T: Strategy>(
    context: E,
    exchange: &Arc<Exchange>,
    peers: Vec<ed25519::PublicKey>,
    config: StateConfig<T>,
    checked: &Checked,
) -> State<E, T> {
    let source = Peers {
        clock: Arc::new(context.child("clock")),
        exchange: Arc::clone(exchange),
        others: peers,
        next: AtomicUsize::new(0),
    };
    let db: Db<E, T> = sync::sync(engine::Config {
        context,
        source,
        target: checked.target.clone(),
        max_outstanding_requests: REQUESTS,
        fetch_batch_size: OPERATIONS_MAX,
        apply_batch_size: APPLIED_AT_ONCE,
        db_config: config,
        update_rx: None,
        finish_rx: None,
        reached_target_tx: None,
    })
    .await
    .unwrap_or_else(|error| panic!("the state cannot be synchronized: {error}"));
    let state = State { db };
    assert_eq!(state.root(), checked.record.state_root, "the fetched state is the certified one");
    state
}

/// The other validators as a source of operations, asked in turn.
struct Peers<E> {
    clock: Arc<E>,
    exchange: Arc<Exchange>,
    others: Vec<ed25519::PublicKey>,
    next: AtomicUsize,
}

/// There is nobody to ask.
#[derive(Debug, thiserror::Error)]
#[error("there is no other validator")]
pub(crate) struct NoPeers;

impl<E: Runtime> Source for Peers<E> {
    type Family = Family;
    type Digest = blake3::Digest;
    type Op = StateOperation;
    type Error = NoPeers;

    async fn serve(&self, request: Request<Family>) -> source::Result<Self> {
        let encoded = [&[KIND_OPERATIONS], request.encode().as_ref()].concat();
        let operations_max = usize::try_from(request.max_ops().get()).map_err(|_| NoPeers)?;
        loop {
            let turn = self.next.fetch_add(1, Ordering::Relaxed);
            let peer = self.others.get(turn % self.others.len().max(1)).ok_or(NoPeers)?.clone();
            let mut asked = self.exchange.ask(Recipients::One(peer.clone()), &encoded, 1).await;
            let begin = self.clock.current();
            let answer = select! {
                answer = asked.answers.recv() => answer,
                () = self.clock.sleep(ANSWER) => None,
            };
            let response = answer.filter(|(from, _)| *from == peer).and_then(|(_, bytes)| {
                Response::decode_cfg(bytes, &(operations_max, ((), ()))).ok()
            });
            match response {
                Some(response) => return Ok((response, None)),
                // A peer that has nothing for us answers at once: do not flood it.
                None => self.clock.sleep_until(begin + ROUND / 2).await,
            }
        }
    }
}
