//! The running edge: one task decides, others carry out what it decided.
//!
//! The deciding task takes all inputs that have come, commits their effects in one transaction and
//! then hands the actions out; while it commits the next inputs gather, so under load many
//! payments share one commit, one envelope and one ledger transaction.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use etibar_ledger::Operation;
use etibar_primitives::{BlockTime, MemberId, OperationId};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
    time::MissedTickBehavior,
};

use crate::{
    book::{BookOrder, CoreBanking},
    core::Core,
    envelope::Item,
    flow::{Action, Input, Order, StateCounts, Taking},
    payment::Announcement,
    ports::{LedgerPort, PeerPort},
    setup::Setup,
    status::PaymentStatus,
    store::{AliasRow, Store, StoreFault},
    transfer::Waiting,
};

mod workers;

/// Inputs that wait for the deciding task; a caller beyond waits itself.
const COMMANDS_MAX: usize = 4_096;
/// The most inputs of one step.
const STEP_INPUTS_MAX: usize = 512;
/// How often timers are looked at.
const TICK: Duration = Duration::from_millis(50);

/// What reaches the deciding task.
pub(crate) enum Command {
    Order(Box<Order>, oneshot::Sender<Taking>),
    Payloads(MemberId, Vec<(OperationId, Announcement)>, oneshot::Sender<()>),
    Alias(AliasRow, oneshot::Sender<()>),
    Input(Input),
}

/// What the edge does its work with.
#[derive(Clone)]
pub struct Ports {
    /// The ledger.
    pub ledger: Arc<dyn LedgerPort>,
    /// The other members' edges.
    pub peers: Arc<dyn PeerPort>,
    /// The bank's books.
    pub book: Arc<dyn CoreBanking>,
}

/// Callers that wait for the end of a payment.
#[derive(Default)]
pub(crate) struct Waiters(Mutex<HashMap<OperationId, Vec<oneshot::Sender<PaymentStatus>>>>);

/// What the deciding task shows of itself.
#[derive(Debug, Clone, Default)]
pub struct Pulse {
    /// The next event to come.
    pub cursor: u64,
    /// Outgoing payments under way, by state.
    pub outgoing: StateCounts,
    /// Incoming payments under way, by state.
    pub incoming: StateCounts,
}

/// Why the edge stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum EdgeFault {
    /// Its storage failed.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// A task ended that never should.
    #[error("a task of the edge ended: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// Handed to the workers: where the decisions go.
struct Outlets {
    book: mpsc::UnboundedSender<BookOrder>,
    submit: mpsc::UnboundedSender<Operation>,
    deliver: HashMap<MemberId, mpsc::UnboundedSender<Item>>,
    outbox: Arc<tokio::sync::Notify>,
}

/// The tasks of a running edge, owned by whoever runs it.
pub(crate) struct Engine {
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) waiters: Arc<Waiters>,
    pub(crate) transfers: Arc<Waiting>,
    pub(crate) submit: mpsc::UnboundedSender<Operation>,
    pub(crate) pulse: watch::Receiver<Pulse>,
    tasks: JoinSet<Result<(), EdgeFault>>,
    stop: watch::Sender<bool>,
}

impl Engine {
    /// Starts every task where the store stands.
    pub(crate) async fn start(
        setup: Arc<Setup>,
        store: Store,
        ports: Ports,
    ) -> Result<Self, EdgeFault> {
        let core = Core::open(setup.clone(), store.clone()).await?;
        let (commands, inbox) = mpsc::channel(COMMANDS_MAX);
        let (stop, stopped) = watch::channel(false);
        let (pulse_in, pulse) = watch::channel(Pulse::default());
        let waiters = Arc::new(Waiters::default());
        let transfers = Arc::new(Waiting::default());
        let mut tasks = JoinSet::new();
        let cursor = core.flow().cursor();
        let outlets = workers::start(
            &mut tasks,
            &workers::Surroundings {
                setup,
                store,
                ports,
                commands: commands.clone(),
                transfers: transfers.clone(),
                stopped: stopped.clone(),
            },
            cursor,
        );
        let submit = outlets.submit.clone();
        let decider = Decider {
            core,
            outlets,
            waiters: waiters.clone(),
            pulse: pulse_in,
            tickets: HashMap::new(),
            next_ticket: 0,
        };
        tasks.spawn(decider.run(inbox, stopped));
        Ok(Self { commands, waiters, transfers, submit, pulse, tasks, stop })
    }

    /// Waits until a task fails, or until `shutdown` resolves; then stops all of them.
    pub(crate) async fn run_until(
        mut self,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), EdgeFault> {
        let failed = tokio::select! {
            () = shutdown => None,
            ended = self.tasks.join_next() => ended,
        };
        let _ = self.stop.send(true);
        let mut outcome = failed.map_or(Ok(()), |ended| ended?);
        while let Some(ended) = self.tasks.join_next().await {
            outcome = outcome.and(ended.map_err(EdgeFault::from).flatten());
        }
        outcome
    }
}

/// The deciding task.
struct Decider {
    core: Core,
    outlets: Outlets,
    waiters: Arc<Waiters>,
    pulse: watch::Sender<Pulse>,
    tickets: HashMap<u64, Caller>,
    next_ticket: u64,
}

/// Who waits for a ticket's answer.
enum Caller {
    Order(oneshot::Sender<Taking>),
    Other(oneshot::Sender<()>),
}

impl Decider {
    async fn run(
        mut self,
        mut inbox: mpsc::Receiver<Command>,
        mut stopped: watch::Receiver<bool>,
    ) -> Result<(), EdgeFault> {
        let mut ticker = tokio::time::interval(TICK);
        ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut commands = Vec::with_capacity(STEP_INPUTS_MAX);
        loop {
            tokio::select! {
                _ = stopped.changed() => return Ok(()),
                count = inbox.recv_many(&mut commands, STEP_INPUTS_MAX) => {
                    if count == 0 {
                        return Ok(());
                    }
                }
                _ = ticker.tick() => {
                    commands.push(Command::Input(Input::Tick));
                    self.show_pulse();
                }
            }
            let inputs = commands.drain(..).map(|command| self.enter(command)).collect();
            let actions = self.core.step(now(), inputs).await?;
            for action in actions {
                self.hand_out(action);
            }
        }
    }

    /// Counts what is under way; not at every step, as there may be many.
    fn show_pulse(&self) {
        let flow = self.core.flow();
        let (outgoing, incoming) = flow.states();
        self.pulse.send_replace(Pulse { cursor: flow.cursor(), outgoing, incoming });
    }

    /// The input of a command; its caller is kept under a ticket.
    fn enter(&mut self, command: Command) -> Input {
        self.next_ticket += 1;
        let ticket = self.next_ticket;
        match command {
            Command::Input(input) => input,
            Command::Order(order, caller) => {
                self.tickets.insert(ticket, Caller::Order(caller));
                Input::Order { ticket, order }
            }
            Command::Payloads(sender, items, caller) => {
                self.tickets.insert(ticket, Caller::Other(caller));
                Input::Payloads { ticket, sender, items }
            }
            Command::Alias(alias, caller) => {
                self.tickets.insert(ticket, Caller::Other(caller));
                Input::Alias { ticket, alias }
            }
        }
    }

    /// Gives an action to whoever carries it out. A worker that is gone is on its way to stop.
    fn hand_out(&mut self, action: Action) {
        match action {
            Action::Book(order) => {
                let _ = self.outlets.book.send(order);
            }
            Action::Submit(operation) => {
                let _ = self.outlets.submit.send(operation);
            }
            Action::Deliver { creditor, item } => {
                if let Some(worker) = self.outlets.deliver.get(&creditor) {
                    let _ = worker.send(item);
                }
                self.outlets.outbox.notify_one();
            }
            Action::Taken { ticket, taking } => {
                if let Some(Caller::Order(caller)) = self.tickets.remove(&ticket) {
                    let _ = caller.send(taking);
                }
            }
            Action::Acknowledged { ticket } => {
                if let Some(Caller::Other(caller)) = self.tickets.remove(&ticket) {
                    let _ = caller.send(());
                }
            }
            Action::Ended { uetr, status } => self.waiters.tell(uetr, status),
        }
    }
}

impl Waiters {
    /// Waits for the end of a payment.
    pub(crate) fn add(&self, uetr: OperationId) -> oneshot::Receiver<PaymentStatus> {
        let (sender, receiver) = oneshot::channel();
        let mut waiters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiters.entry(uetr).or_default().push(sender);
        receiver
    }

    /// Forgets a caller that waits no more.
    pub(crate) fn forget(&self, uetr: OperationId, caller: oneshot::Receiver<PaymentStatus>) {
        drop(caller);
        let mut waiters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(its) = waiters.get_mut(&uetr) {
            its.retain(|sender| !sender.is_closed());
            if its.is_empty() {
                waiters.remove(&uetr);
            }
        }
    }

    fn tell(&self, uetr: OperationId, status: PaymentStatus) {
        let waiters = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&uetr);
        for waiter in waiters.into_iter().flatten() {
            let _ = waiter.send(status);
        }
    }
}

/// The local time as block time; 0 when the clock stands before 1970.
pub(crate) fn now() -> BlockTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    BlockTime(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
