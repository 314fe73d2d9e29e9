//! State sync: how a validator without a usable past joins.
//!
//! It asks the others where they stand, believes the certificate of the newest answer, fetches the
//! operations of the authenticated state and checks that the result has the certified root. From
//! there on it follows the blocks like everybody else.
//!
//! ```text
//! request:  0 | id (8) | 0                          where do you stand?
//!           0 | id (8) | 1 | request of QMDB        operations of the state
//! response: 1 | id (8) | empty, or the answer
//! ```

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use commonware_cryptography::ed25519;
use commonware_p2p::{Receiver, Recipients, Sender};
use tokio::sync::mpsc;

pub(crate) mod client;
pub(crate) mod offer;
pub(crate) mod server;

use server::Source;

/// The largest message on the channel.
pub(crate) const MESSAGE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Messages that may wait to be sent.
const OUTGOING_MAX: usize = 256;
const TAG_REQUEST: u8 = 0;
const TAG_RESPONSE: u8 = 1;
const HEADER_BYTES: usize = 9;

type Peer = ed25519::PublicKey;
type Outgoing = (Recipients<Peer>, Vec<u8>);
/// An answer and who gave it.
pub(crate) type Answer = (Peer, Bytes);

/// Requests to other validators, and theirs to this one.
pub(crate) struct Exchange {
    outgoing: mpsc::Sender<Outgoing>,
    waiting: Mutex<HashMap<u64, mpsc::Sender<Answer>>>,
    next: AtomicU64,
    source: OnceLock<Source>,
    fresh: AtomicBool,
}

/// A request on its way; dropping it forgets the answers.
pub(crate) struct Asked {
    exchange: Arc<Exchange>,
    id: u64,
    pub(crate) answers: mpsc::Receiver<Answer>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.exchange.waiting().remove(&self.id);
    }
}

impl Exchange {
    /// An exchange and what has to be sent for it, see [`send`].
    pub(crate) fn new() -> (Arc<Self>, mpsc::Receiver<Outgoing>) {
        let (outgoing, queue) = mpsc::channel(OUTGOING_MAX);
        let exchange = Self {
            outgoing,
            waiting: Mutex::default(),
            next: AtomicU64::new(0),
            source: OnceLock::new(),
            fresh: AtomicBool::new(false),
        };
        (Arc::new(exchange), queue)
    }

    /// Tells the others, while they look for a network to join, that there is none here.
    pub(crate) fn has_no_past(&self) {
        self.fresh.store(true, Ordering::Relaxed);
    }

    /// From now on answers others.
    pub(crate) fn serve(&self, source: Source) {
        assert!(self.source.set(source).is_ok(), "a validator starts serving once");
    }

    /// Sends a request to `recipients`; at most `expected` answers are kept.
    pub(crate) async fn ask(
        self: &Arc<Self>,
        recipients: Recipients<Peer>,
        request: &[u8],
        expected: usize,
    ) -> Asked {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answers) = mpsc::channel(expected.max(1));
        self.waiting().insert(id, answer);
        let message = [&[TAG_REQUEST], id.to_le_bytes().as_slice(), request].concat();
        // A closed queue means that the validator stops: the answer will not come.
        drop(self.outgoing.send((recipients, message)).await);
        Asked { exchange: Arc::clone(self), id, answers }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, HashMap<u64, mpsc::Sender<Answer>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn handle(&self, peer: Peer, mut message: Bytes) {
        if message.len() < HEADER_BYTES {
            return;
        }
        let head = message.split_to(HEADER_BYTES);
        let id = *head[1..].first_chunk().expect("eight bytes are there");
        if head[0] == TAG_RESPONSE {
            let answer = self.waiting().get(&u64::from_le_bytes(id)).cloned();
            if let Some(answer) = answer {
                // More answers than were asked for are dropped.
                drop(answer.try_send((peer, message)));
            }
            return;
        }
        let answer = match self.source.get() {
            Some(source) => source.answer(&message).await,
            // Only who has no past may say that there is nothing to join: others must not take a
            // validator that is just starting for a network that is.
            None => self.fresh.load(Ordering::Relaxed).then(Vec::new),
        };
        let Some(answer) = answer else { return };
        let message = [&[TAG_RESPONSE], id.as_slice(), &answer].concat();
        assert!(message.len() <= MESSAGE_BYTES_MAX, "answers are limited");
        drop(self.outgoing.send((Recipients::One(peer), message)).await);
    }
}

/// Sends what the exchange wants sent.
pub(crate) async fn send<S: Sender<PublicKey = Peer>>(
    mut sender: S,
    mut queue: mpsc::Receiver<Outgoing>,
) {
    while let Some((recipients, message)) = queue.recv().await {
        drop(sender.send(recipients, message, false));
    }
}

/// Handles what arrives, one message after the other: that bounds what peers can ask of this
/// validator.
pub(crate) async fn receive<R: Receiver<PublicKey = Peer>>(
    exchange: Arc<Exchange>,
    mut receiver: R,
) {
    while let Ok((peer, message)) = receiver.recv().await {
        exchange.handle(peer, message.into()).await;
    }
}
