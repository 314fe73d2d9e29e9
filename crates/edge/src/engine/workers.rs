//! The tasks that carry out decisions and bring back what came of them. What fails is dropped: the
//! deciding task's timers ask again.

use std::{collections::HashSet, sync::Arc, time::Duration};

use bytes::Bytes;
use etibar_ledger::{Operation, transaction::OPERATIONS_MAX};
use etibar_primitives::MemberId;
use tokio::{
    sync::{Notify, Semaphore, mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{Command, EdgeFault, Outlets, Ports};
use crate::{
    book::BookOrder,
    envelope::{self, BATCH_BYTES, ITEMS_MAX, Item},
    flow::Input,
    setup::Setup,
    store::Store,
    transfer::Waiting,
};

/// The most orders that the books are given at once.
const BOOK_ORDERS_MAX: usize = 1_024;
/// Transactions on their way to the ledger at the same time.
const SUBMISSIONS_MAX: usize = 4;
/// How long after a submission the next one gathers operations: those that come soon after one
/// another share a signature and a way to the ledger, and a lone one does not wait.
const GATHERING: Duration = Duration::from_millis(5);
/// Envelopes read from the outbox at once.
const OUTBOX_PAGE: u32 = 16;
/// The pause before something that failed is tried again.
const PAUSE: Duration = Duration::from_millis(500);

type Tasks = JoinSet<Result<(), EdgeFault>>;

/// What every worker works with.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) setup: Arc<Setup>,
    pub(super) store: Store,
    pub(super) ports: Ports,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) transfers: Arc<Waiting>,
    pub(super) stopped: watch::Receiver<bool>,
}

/// Starts all workers.
pub(super) fn start(tasks: &mut Tasks, with: &Surroundings, cursor: u64) -> Outlets {
    let (book, orders) = mpsc::unbounded_channel();
    tasks.spawn(with.clone().until_stopped(keep_books(with.clone(), orders)));
    let (submit, operations) = mpsc::unbounded_channel();
    tasks.spawn(with.clone().until_stopped(submit_operations(with.clone(), operations)));
    let deliver = with.setup.peers.keys().map(|peer| {
        let (sender, items) = mpsc::unbounded_channel();
        tasks.spawn(with.clone().until_stopped(deliver_payloads(with.clone(), *peer, items)));
        (*peer, sender)
    });
    let deliver = deliver.collect();
    let outbox = Arc::new(Notify::new());
    tasks.spawn(with.clone().until_stopped(empty_outbox(with.clone(), outbox.clone())));
    tasks.spawn(with.clone().until_stopped(follow_events(with.clone(), cursor)));
    Outlets { book, submit, deliver, outbox }
}

impl Surroundings {
    /// Runs a worker until the edge stops.
    async fn until_stopped(
        mut self,
        worker: impl Future<Output = Result<(), EdgeFault>>,
    ) -> Result<(), EdgeFault> {
        tokio::select! {
            _ = self.stopped.changed() => Ok(()),
            ended = worker => ended,
        }
    }

    async fn tell(&self, input: Input) {
        // A closed channel means that the deciding task has stopped, and so will this one.
        let _ = self.commands.send(Command::Input(input)).await;
    }
}

async fn keep_books(
    with: Surroundings,
    mut orders: mpsc::UnboundedReceiver<BookOrder>,
) -> Result<(), EdgeFault> {
    let mut batch = Vec::new();
    while orders.recv_many(&mut batch, BOOK_ORDERS_MAX).await > 0 {
        match with.ports.book.apply(&batch).await {
            Ok(answers) => {
                assert_eq!(answers.len(), batch.len(), "the books answer every order");
                let answered = batch.drain(..).zip(answers).collect();
                with.tell(Input::Booked(answered)).await;
            }
            Err(fault) => {
                tracing::warn!(%fault, orders = batch.len(), "the books did not answer");
                batch.clear();
            }
        }
    }
    Ok(())
}

async fn submit_operations(
    with: Surroundings,
    mut operations: mpsc::UnboundedReceiver<Operation>,
) -> Result<(), EdgeFault> {
    let room = Arc::new(Semaphore::new(SUBMISSIONS_MAX));
    let mut submissions = JoinSet::new();
    let mut batch = Vec::new();
    let mut gathered = Instant::now();
    loop {
        // While all submissions are under way the next operations gather into a larger batch.
        let permit = room.clone().acquire_owned().await.expect("the semaphore is never closed");
        if operations.recv_many(&mut batch, OPERATIONS_MAX).await == 0 {
            return Ok(());
        }
        sleep_until(gathered).await;
        while batch.len() < OPERATIONS_MAX
            && let Ok(operation) = operations.try_recv()
        {
            batch.push(operation);
        }
        gathered = Instant::now() + GATHERING;
        let mut seen = HashSet::new();
        batch.retain(|operation: &Operation| seen.insert(operation.id));
        let (ledger, batch) = (with.ports.ledger.clone(), std::mem::take(&mut batch));
        submissions.spawn(async move {
            if let Err(fault) = ledger.submit(&batch).await {
                tracing::warn!(%fault, operations = batch.len(), "submitted again later");
            }
            drop(permit);
        });
        while submissions.try_join_next().is_some() {}
    }
}

async fn deliver_payloads(
    with: Surroundings,
    creditor: MemberId,
    mut items: mpsc::UnboundedReceiver<Item>,
) -> Result<(), EdgeFault> {
    let key = with.setup.peers[&creditor].clone();
    let address = with.setup.address(creditor);
    let mut waiting: Vec<Item> = Vec::new();
    loop {
        if waiting.is_empty() && items.recv_many(&mut waiting, ITEMS_MAX).await == 0 {
            return Ok(());
        }
        let mut seen = HashSet::new();
        waiting.retain(|item| seen.insert(item.uetr));
        let batch: Vec<_> = waiting.drain(..fitting(&waiting)).collect();
        let envelope = envelope::seal(&address, &batch, &key, &with.setup.key);
        match with.ports.peers.deliver(creditor, Bytes::from(envelope)).await {
            Ok(()) => {
                let uetrs = batch.iter().map(|item| item.uetr).collect();
                with.tell(Input::Delivered { creditor, uetrs }).await;
            }
            Err(fault) => {
                tracing::warn!(%fault, payments = batch.len(), "delivered again later");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// How many of `items` fit one envelope; at least one.
fn fitting(items: &[Item]) -> usize {
    let mut bytes = 0;
    let fits = |item: &&Item| {
        bytes += item.payload.document.len();
        bytes <= BATCH_BYTES
    };
    items.iter().take(ITEMS_MAX).take_while(fits).count().max(1)
}

async fn empty_outbox(with: Surroundings, more: Arc<Notify>) -> Result<(), EdgeFault> {
    loop {
        let page = with.store.outbox(OUTBOX_PAGE).await?;
        let whole = page.is_empty();
        for envelope in page {
            let bytes = Bytes::from(envelope.envelope);
            match with.ports.peers.deliver(envelope.recipient, bytes).await {
                Ok(()) => with.store.delivered(envelope.sequence).await?,
                Err(fault) => {
                    tracing::warn!(%fault, "a sealed copy waits in the outbox");
                    tokio::time::sleep(PAUSE).await;
                    break;
                }
            }
        }
        if whole {
            more.notified().await;
        }
    }
}

async fn follow_events(with: Surroundings, cursor: u64) -> Result<(), EdgeFault> {
    let mut cursor = cursor;
    loop {
        match with.ports.ledger.events(cursor).await {
            Ok(batch) => {
                let count = u64::try_from(batch.events.len()).unwrap_or(u64::MAX);
                cursor = batch.first.saturating_add(count);
                with.transfers.tell(with.setup.member, &batch);
                with.tell(Input::Events(batch)).await;
            }
            Err(fault) => {
                tracing::warn!(%fault, "no events now");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
