//! Carries small transactions to the next leaders, so that a member that reached one validator
//! does not wait for that validator's turn.
//!
//! Best effort: a transaction that is lost on the way is proposed by the validator that took it
//! in, when its turn comes.

use std::sync::{Arc, RwLock};

use commonware_cryptography::ed25519;
use commonware_p2p::{Receiver, Recipients, Sender};
use commonware_utils::ordered::Set;
use etibar_ledger::Ledger;
use tokio::sync::mpsc;

use crate::{block::Transaction, handle::admit, shared::Shared};

/// Transactions above this size are not carried: their members submit them to several validators.
pub(crate) const FORWARDED_BYTES_MAX: usize = 32 * 1024;
/// When more than this waits here, the leaders have enough to do.
const FORWARDING_BACKLOG_BYTES: usize = 1024 * 1024;
/// How many leaders get a transaction: those of this view and the next two.
const LEADERS: u64 = 3;
/// Transactions that may wait to be carried.
pub(crate) const QUEUE_LENGTH: usize = 1_024;

/// Sends what this validator took in to the next leaders.
pub(crate) async fn send<S: Sender<PublicKey = ed25519::PublicKey>>(
    shared: Arc<Shared>,
    participants: Set<ed25519::PublicKey>,
    me: ed25519::PublicKey,
    mut sender: S,
    mut queue: mpsc::Receiver<Transaction>,
) {
    while let Some(transaction) = queue.recv().await {
        let busy = shared.mempool().bytes() > FORWARDING_BACKLOG_BYTES;
        if busy || transaction.bytes.len() > FORWARDED_BYTES_MAX {
            continue;
        }
        let view = *shared.view.borrow();
        let mut leaders: Vec<_> = (view..view + LEADERS)
            .map(|view| leader(&participants, view))
            .filter(|leader| *leader != me)
            .collect();
        leaders.sort_unstable();
        leaders.dedup();
        if !leaders.is_empty() {
            drop(sender.send(Recipients::Some(leaders), transaction.bytes, false));
        }
    }
}

/// Takes in what other validators carried here.
pub(crate) async fn receive<R: Receiver<PublicKey = ed25519::PublicKey>>(
    shared: Arc<Shared>,
    ledger: Arc<RwLock<Ledger>>,
    mut receiver: R,
) {
    while let Ok((_, message)) = receiver.recv().await {
        if message.len() <= FORWARDED_BYTES_MAX
            && let Err(error) = admit(&shared, &ledger, &message.into())
        {
            tracing::debug!(code = error.code(), "a carried transaction was not taken in");
        }
    }
}

/// The leader of a view: validators take turns in the order of their keys.
fn leader(participants: &Set<ed25519::PublicKey>, view: u64) -> ed25519::PublicKey {
    let count = u64::try_from(participants.len()).expect("a few validators");
    let index = usize::try_from(view % count).expect("below the number of validators");
    participants[index].clone()
}
