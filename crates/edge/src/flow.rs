//! The flows of instant payments, as a function: inputs and a time in, writes and actions out.
//!
//! The flow does no I/O. Whoever runs it commits the writes first and carries the actions out
//! after, any of which may get lost: a timer asks again until an input says that it was done. So
//! it makes no difference where the edge is stopped, and every payment has a defined end:
//!
//! | what goes wrong | end |
//! |---|---|
//! | the books refuse the debtor | rejected at once with their reason |
//! | the creditor's edge takes no payload until the hard limit | rejected AB08, nothing submitted |
//! | the ledger refuses the reserve | rejected with the outcome's reason |
//! | the creditor is silent, or answers too late | the reserve lapses: rejected AB05 |
//! | the payload does not come | the creditor's side voids: AB06 |
//! | the creditor's books refuse, or do not answer | void with their reason, or AB10 |
//! | any edge stops at any point | comes back to the last commit and goes on |
//! | a reply is lost, or the ledger stands still | the same operation again, until its event |
//!
//! Once a reserve may have left the edge only a certified event ends the payment, never a clock.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use etibar_ledger::{Operation, receipt::Event};
use etibar_primitives::{AccountId, BlockTime, Digest, DurationMs, MemberId, OperationId};

use crate::{
    book::{BookOrder, Refusal},
    config::Limits,
    directory::Directory,
    envelope::Item,
    payment::{Announcement, Incoming, IncomingKey, Outgoing},
    status::PaymentStatus,
    store::{AliasRow, CoreMessage, OutgoingMove, Writes},
};

mod creditor;
mod debtor;
mod events;
mod order;

pub use order::{Order, Route};

/// What the flow has to know of its surroundings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whose edge.
    pub member: MemberId,
    /// Its account for instant payments; an edge without one makes and takes no payments.
    pub account: Option<AccountId>,
    /// Time limits and sizes.
    pub limits: Limits,
}

/// What reaches the flow.
#[derive(Debug)]
pub enum Input {
    /// The core banking orders a payment.
    Order {
        /// Names the caller for [`Action::Taken`].
        ticket: u64,
        /// The order.
        order: Box<Order>,
    },
    /// Another edge delivers payloads.
    Payloads {
        /// Names the caller for [`Action::Acknowledged`].
        ticket: u64,
        /// From whom; checked.
        sender: MemberId,
        /// The payloads.
        items: Vec<(OperationId, Announcement)>,
    },
    /// The books answered.
    Booked(Vec<(BookOrder, Result<(), Refusal>)>),
    /// The creditor's edge has these payloads.
    Delivered {
        /// Whose edge.
        creditor: MemberId,
        /// Which payments.
        uetrs: Vec<OperationId>,
    },
    /// Certified events of this member, without a gap.
    Events(EventBatch),
    /// A customer registers an alias.
    Alias {
        /// Names the caller for [`Action::Acknowledged`].
        ticket: u64,
        /// The alias.
        alias: AliasRow,
    },
    /// Time passed.
    Tick,
}

/// Certified events of one block.
#[derive(Debug, Clone)]
pub struct EventBatch {
    /// The index of the first.
    pub first: u64,
    /// The block's time.
    pub time: BlockTime,
    /// The events.
    pub events: Vec<Event>,
}

/// What the flow wants done, after its writes are committed.
#[derive(Debug)]
pub enum Action {
    /// Give the books an order.
    Book(BookOrder),
    /// Deliver a payload to the creditor's edge.
    Deliver {
        /// Whose edge.
        creditor: MemberId,
        /// The payload.
        item: Item,
    },
    /// Submit an operation to the ledger.
    Submit(Operation),
    /// Tell the caller that its order is written down, or was before.
    Taken {
        /// Which caller.
        ticket: u64,
        /// What became of its order.
        taking: Taking,
    },
    /// Tell the caller that what it brought is written down.
    Acknowledged {
        /// Which caller.
        ticket: u64,
    },
    /// A payment of the member's own customer came to its end.
    Ended {
        /// Which payment.
        uetr: OperationId,
        /// What became of it.
        status: PaymentStatus,
    },
}

/// Whether an order was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// It is written down.
    New,
    /// It was written down before: an earlier order said the same.
    Repeated,
    /// The UETR stands for another payment.
    Conflict,
    /// Too many payments are under way.
    Overloaded,
}

/// What a step of the flow yields.
#[derive(Debug, Default)]
pub struct Effects {
    /// To be committed first.
    pub writes: Writes,
    /// Payloads to be sealed for the supervisor, in the same commit.
    pub supervise: Vec<Item>,
    /// To be done after the commit.
    pub actions: Vec<Action>,
}

/// What the store knows of the payments that inputs name and the flow does not hold.
#[derive(Debug, Default)]
pub struct Known {
    /// Fingerprints of ended outgoing payments.
    pub outgoing: HashMap<OperationId, Digest>,
    /// Ended incoming payments.
    pub incoming: HashSet<IncomingKey>,
}

/// What a timer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Subject {
    Outgoing(OperationId),
    Incoming(IncomingKey),
    Alias(Digest),
}

/// One alarm for each subject.
#[derive(Debug, Default)]
struct Timers {
    queue: BTreeSet<(BlockTime, Subject)>,
    set: HashMap<Subject, (BlockTime, DurationMs)>,
}

/// Every payment under way, and what is done with it next.
#[derive(Debug)]
pub struct Flow {
    settings: Settings,
    directory: Arc<Directory>,
    outgoing: HashMap<OperationId, Outgoing>,
    incoming: HashMap<IncomingKey, Incoming>,
    aliases: HashMap<Digest, AliasRow>,
    timers: Timers,
    cursor: u64,
    now: BlockTime,
    new_outgoing: BTreeSet<OperationId>,
    moved_outgoing: BTreeSet<OperationId>,
    moved_incoming: BTreeSet<IncomingKey>,
    moved_aliases: BTreeSet<Digest>,
    effects: Effects,
}

impl Flow {
    /// A flow that goes on where `outgoing`, `incoming` and `aliases` stand: its first step does
    /// each one's pending action again.
    pub fn new(
        settings: Settings,
        directory: Arc<Directory>,
        outgoing: Vec<Outgoing>,
        incoming: Vec<Incoming>,
        aliases: Vec<AliasRow>,
        cursor: u64,
    ) -> Self {
        let mut flow = Self {
            settings,
            directory,
            outgoing: outgoing.into_iter().map(|its| (its.uetr, its)).collect(),
            incoming: incoming.into_iter().map(|its| (its.key, its)).collect(),
            aliases: aliases.into_iter().map(|its| (its.tag, its)).collect(),
            timers: Timers::default(),
            cursor,
            now: BlockTime(0),
            new_outgoing: BTreeSet::new(),
            moved_outgoing: BTreeSet::new(),
            moved_incoming: BTreeSet::new(),
            moved_aliases: BTreeSet::new(),
            effects: Effects::default(),
        };
        let outgoing = flow.outgoing.keys().copied().map(Subject::Outgoing);
        let incoming = flow.incoming.keys().copied().map(Subject::Incoming);
        let aliases = flow.aliases.keys().copied().map(Subject::Alias);
        let subjects: Vec<_> = outgoing.chain(incoming).chain(aliases).collect();
        for subject in subjects {
            flow.timers.set(subject, BlockTime(0), DurationMs(0));
        }
        flow
    }

    /// The next event to ask for.
    pub const fn cursor(&self) -> u64 {
        self.cursor
    }

    /// How many payments are under way: outgoing, incoming.
    pub fn open(&self) -> (usize, usize) {
        (self.outgoing.len(), self.incoming.len())
    }

    /// Whether the flow holds this outgoing payment.
    pub fn holds_outgoing(&self, uetr: &OperationId) -> bool {
        self.outgoing.contains_key(uetr)
    }

    /// Whether the flow holds this incoming payment.
    pub fn holds_incoming(&self, key: &IncomingKey) -> bool {
        self.incoming.contains_key(key)
    }

    /// The account behind an alias's tag, if it is one of this member's customers.
    pub fn alias(&self, tag: &Digest) -> Option<&AliasRow> {
        self.aliases.get(tag)
    }

    /// Takes `inputs` in, and what is due at `now`.
    pub fn step(&mut self, now: BlockTime, inputs: Vec<Input>, known: &Known) -> Effects {
        self.now = now;
        for input in inputs {
            match input {
                Input::Order { ticket, order } => {
                    let taking = self.take_order(*order, known);
                    self.effects.actions.push(Action::Taken { ticket, taking });
                }
                Input::Payloads { ticket, sender, items } => {
                    self.take_payloads(sender, items, known);
                    self.effects.actions.push(Action::Acknowledged { ticket });
                }
                Input::Booked(answers) => {
                    for (order, answer) in answers {
                        self.booked(&order, answer);
                    }
                }
                Input::Delivered { creditor, uetrs } => {
                    for uetr in uetrs {
                        self.delivered(creditor, uetr);
                    }
                }
                Input::Events(batch) => self.take_events(&batch),
                Input::Alias { ticket, alias } => {
                    self.take_alias(alias);
                    self.effects.actions.push(Action::Acknowledged { ticket });
                }
                Input::Tick => {}
            }
        }
        self.wake();
        self.close_step()
    }

    /// Does what is due.
    fn wake(&mut self) {
        for (subject, pause) in self.timers.due(self.now) {
            match subject {
                Subject::Outgoing(uetr) => self.wake_outgoing(uetr, pause),
                Subject::Incoming(key) => self.wake_incoming(key, pause),
                Subject::Alias(tag) => self.wake_alias(tag, pause),
            }
        }
    }

    fn booked(&mut self, order: &BookOrder, answer: Result<(), Refusal>) {
        match order {
            BookOrder::Hold { id, .. } => self.held(*id, answer),
            BookOrder::Settle { id, .. } | BookOrder::Release { id } => self.book_closed(*id),
            BookOrder::Check { key, .. } => self.checked(*key, answer),
            BookOrder::Credit { key, .. } => self.credited(*key),
        }
    }

    /// Collects the rows that this step touched, and forgets what has ended.
    fn close_step(&mut self) -> Effects {
        let mut effects = std::mem::take(&mut self.effects);
        let writes = &mut effects.writes;
        for uetr in std::mem::take(&mut self.new_outgoing) {
            self.moved_outgoing.remove(&uetr);
            writes.outgoing_new.extend(self.outgoing.get(&uetr).cloned());
        }
        for uetr in std::mem::take(&mut self.moved_outgoing) {
            writes.outgoing_moved.extend(self.outgoing.get(&uetr).map(|its| OutgoingMove {
                uetr,
                state: its.state,
                reason: its.reason,
                amount: its.amount,
                proof: its.proof,
            }));
        }
        for key in std::mem::take(&mut self.moved_incoming) {
            writes.incoming.extend(self.incoming.get(&key).cloned());
        }
        for tag in std::mem::take(&mut self.moved_aliases) {
            writes.aliases.extend(self.aliases.get(&tag).cloned());
        }
        let ended = writes.outgoing_new.iter().map(|its| (its.uetr, its.state));
        let ended = ended.chain(writes.outgoing_moved.iter().map(|its| (its.uetr, its.state)));
        let ended: Vec<_> = ended.filter(|(_, state)| state.is_terminal()).collect();
        for (uetr, _) in ended {
            self.outgoing.remove(&uetr);
            self.timers.clear(Subject::Outgoing(uetr));
        }
        for its in &writes.incoming {
            if its.state.is_terminal() {
                self.incoming.remove(&its.key);
                self.timers.clear(Subject::Incoming(its.key));
            }
        }
        effects
    }

    fn tell_core(&mut self, debtor: Option<MemberId>, uetr: OperationId, status: PaymentStatus) {
        let message = CoreMessage { debtor, uetr, status, at: self.now };
        self.effects.writes.messages.push(message);
    }

    /// Wakes `subject` after the usual pause.
    fn retry(&mut self, subject: Subject) {
        let pause = self.settings.limits.retry_ms;
        self.timers.set(subject, self.now.saturating_add(pause), pause);
    }

    /// Wakes `subject` after twice the pause of last time, within the limit.
    fn retry_later(&mut self, subject: Subject, pause: DurationMs) {
        let limits = &self.settings.limits;
        let pause =
            DurationMs(pause.0.saturating_mul(2).max(limits.retry_ms.0)).min(limits.retry_max_ms);
        self.timers.set(subject, self.now.saturating_add(pause), pause);
    }
}

impl Timers {
    fn set(&mut self, subject: Subject, at: BlockTime, pause: DurationMs) {
        self.clear(subject);
        self.queue.insert((at, subject));
        self.set.insert(subject, (at, pause));
    }

    fn clear(&mut self, subject: Subject) {
        if let Some((at, _)) = self.set.remove(&subject) {
            self.queue.remove(&(at, subject));
        }
    }

    fn due(&mut self, now: BlockTime) -> Vec<(Subject, DurationMs)> {
        let mut due = Vec::new();
        while let Some((at, subject)) = self.queue.first().copied() {
            if at > now {
                break;
            }
            self.queue.remove(&(at, subject));
            let pause = self.set.remove(&subject).map_or(DurationMs(0), |(_, pause)| pause);
            due.push((subject, pause));
        }
        due
    }
}

/// The totals of a flow's payments by state, for metrics.
pub type StateCounts = BTreeMap<&'static str, u64>;

impl Flow {
    /// How many payments under way are in which state.
    pub fn states(&self) -> (StateCounts, StateCounts) {
        let (mut outgoing, mut incoming) = (StateCounts::new(), StateCounts::new());
        for its in self.outgoing.values() {
            *outgoing.entry(its.state.name()).or_default() += 1;
        }
        for its in self.incoming.values() {
            *incoming.entry(its.state.name()).or_default() += 1;
        }
        (outgoing, incoming)
    }
}

impl Timers {
    /// Brings an alarm forward to `at`, if it is later.
    fn no_later_than(&mut self, subject: Subject, at: BlockTime) {
        if let Some((set, pause)) = self.set.get(&subject).copied()
            && set > at
        {
            self.set(subject, at, pause);
        }
    }
}
