//! Two banks, the ledger and the wires between them, driven by hand: whoever drives decides which
//! action is carried out when, which is lost, and which edge is killed.

use std::{collections::VecDeque, sync::Arc};

use etibar_edge::{
    book::{BookOrder, CoreBanking as _, SampleBook, sample_accounts},
    core::Core,
    envelope::{self, Item},
    flow::{Action, Input, Taking},
    intake::{self, Line},
    setup::Setup,
    status::PaymentStatus,
    store::{Durability, Store},
};
use etibar_ledger::{Genesis, operation::ReasonCode};
use etibar_primitives::{BlockTime, MemberId, OperationId};
use tempfile::TempDir;

use crate::network::{ALFA, BETA, START, SimLedger, bic, genesis_at, prefund, setup};

/// A bank: its edge may be down, its disk is not.
pub(crate) struct Bank {
    pub(crate) member: MemberId,
    setup: Arc<Setup>,
    folder: TempDir,
    core: Option<Core>,
    pub(crate) store: Store,
    book: SampleBook,
    /// What the edge wants done, in the order in which it said so.
    pub(crate) wants: VecDeque<Action>,
    /// Whether deliveries reach it.
    pub(crate) online: bool,
    /// Whether its books answer.
    pub(crate) books_answer: bool,
    /// Whether what it submits reaches the ledger.
    pub(crate) submits: bool,
}

/// The whole.
pub(crate) struct World {
    pub(crate) genesis: Genesis,
    pub(crate) ledger: SimLedger,
    pub(crate) now: BlockTime,
    pub(crate) banks: Vec<Bank>,
    /// Whether blocks are made.
    pub(crate) ledger_runs: bool,
    /// What edges told the callers, newest last.
    pub(crate) takings: Vec<Taking>,
    next_ticket: u64,
}

impl World {
    pub(crate) async fn new() -> Self {
        let genesis = genesis_at(BlockTime(START));
        let ledger = SimLedger::new(&genesis);
        let mut banks = Vec::new();
        for member in [ALFA, BETA] {
            banks.push(Bank::new(&genesis, member).await);
        }
        Self {
            genesis,
            ledger,
            now: BlockTime(START + 1),
            banks,
            ledger_runs: true,
            takings: Vec::new(),
            next_ticket: 0,
        }
    }

    pub(crate) fn bank(&mut self, member: MemberId) -> &mut Bank {
        self.banks.iter_mut().find(|bank| bank.member == member).unwrap()
    }

    /// The bank's edge takes inputs in and commits; what it wants then waits.
    pub(crate) async fn step(&mut self, member: MemberId, inputs: Vec<Input>) {
        let now = self.now;
        let bank = self.bank(member);
        let Some(core) = bank.core.as_mut() else { return };
        let actions = core.step(now, inputs).await.unwrap();
        for action in actions {
            match action {
                Action::Taken { taking, .. } => self.takings.push(taking),
                Action::Acknowledged { .. } | Action::Ended { .. } => {}
                wanted => self.bank(member).wants.push_back(wanted),
            }
        }
    }

    /// The core banking orders what a message says.
    pub(crate) async fn order(&mut self, member: MemberId, message: &[u8]) {
        let setup = self.bank(member).setup.clone();
        let intake = intake::read_orders(&setup, message).unwrap();
        for line in intake.lines {
            let Line::Order { mut order, alias } = line else { continue };
            if let Some(target) = alias.and_then(|tag| self.ledger.ledger.alias(&tag).copied()) {
                order.route = intake::route_to(&setup, target.member);
            }
            self.next_ticket += 1;
            let ticket = self.next_ticket;
            self.step(member, vec![Input::Order { ticket, order }]).await;
        }
    }

    /// Carries out what `member`'s edge wants at `index`; `reply_lost`: it never learns of it.
    pub(crate) async fn carry_out(&mut self, member: MemberId, index: usize, reply_lost: bool) {
        let Some(action) = self.bank(member).wants.remove(index) else { return };
        let reply = match action {
            Action::Book(order) => self.ask_books(member, order).await,
            Action::Deliver { creditor, item } => self.deliver(member, creditor, item).await,
            Action::Submit(operation) => {
                let now = self.now;
                if self.bank(member).submits {
                    self.ledger.submit(&self.genesis, member, &[operation], now);
                }
                None
            }
            _ => None,
        };
        if let Some(reply) = reply.filter(|_| !reply_lost) {
            self.step(member, vec![reply]).await;
        }
    }

    async fn ask_books(&mut self, member: MemberId, order: BookOrder) -> Option<Input> {
        let bank = self.bank(member);
        if !bank.books_answer {
            return None;
        }
        let answer = bank.book.apply(std::slice::from_ref(&order)).await.unwrap().remove(0);
        Some(Input::Booked(vec![(order, answer)]))
    }

    async fn deliver(&mut self, from: MemberId, to: MemberId, item: Item) -> Option<Input> {
        let uetr = item.uetr;
        let sender = self.bank(from).setup.clone();
        let sealed = envelope::seal(&sender.address(to), &[item], &sender.peers[&to], &sender.key);
        let bank = self.bank(to);
        if !bank.online || bank.core.is_none() {
            return None;
        }
        let setup = bank.setup.clone();
        let keys = |member| setup.directory.member(member).map(|its| its.keys.as_slice());
        let checked = envelope::check(&sealed, setup.directory.network(), to, keys).unwrap();
        let items = checked.open(&setup.seal_key).unwrap().into_iter();
        let items = items
            .map(|item| (item.uetr, intake::read_announcement(&setup, item.uetr, item.payload)))
            .collect();
        self.step(to, vec![Input::Payloads { ticket: 0, sender: from, items }]).await;
        Some(Input::Delivered { creditor: to, uetrs: vec![uetr] })
    }

    /// Time passes; a block is made and everyone who is up learns of it.
    pub(crate) async fn pass(&mut self, milliseconds: u64) {
        self.now = BlockTime(self.now.0 + milliseconds);
        if self.ledger_runs {
            self.ledger.execute(&self.genesis, self.now);
        }
        for member in [ALFA, BETA] {
            self.follow(member).await;
            self.step(member, vec![Input::Tick]).await;
        }
    }

    /// The edge takes the events that it has not seen.
    async fn follow(&mut self, member: MemberId) {
        while let Some(cursor) = self.bank(member).core.as_ref().map(|core| core.flow().cursor()) {
            let Some(batch) = self.ledger.events(member, cursor) else { return };
            self.step(member, vec![Input::Events(batch)]).await;
        }
    }

    /// Everything works: carries out all that is wanted and lets time pass until nothing is left.
    pub(crate) async fn settle(&mut self) {
        for _ in 0..400 {
            for member in [ALFA, BETA] {
                while !self.bank(member).wants.is_empty() {
                    self.carry_out(member, 0, false).await;
                }
            }
            let open = self.banks.iter().filter_map(|bank| bank.core.as_ref());
            // Payloads without a reserve are kept a while for a reserve that may come.
            let done = open.map(|core| core.flow().states()).all(|(outgoing, incoming)| {
                outgoing.is_empty() && incoming.keys().all(|state| *state == "announced")
            });
            if done && self.ledger.ledger.open_reserves() == 0 {
                return;
            }
            self.pass(100).await;
        }
        panic!("the payments do not come to an end");
    }

    /// Kills the edge: what it wanted is forgotten, and so is all that it did not commit.
    pub(crate) async fn kill(&mut self, member: MemberId) {
        let bank = self.bank(member);
        bank.wants.clear();
        bank.core = None;
        bank.store.close().await;
    }

    /// Starts a killed edge.
    pub(crate) async fn start(&mut self, member: MemberId) {
        let bank = self.bank(member);
        if bank.core.is_none() {
            bank.store = Store::open(bank.folder.path(), Durability::Process).await.unwrap();
            let core = Core::open(bank.setup.clone(), bank.store.clone()).await.unwrap();
            bank.core = Some(core);
        }
        self.step(member, vec![Input::Tick]).await;
    }

    /// The debtor's status, and the creditor's, of a payment from ALFA to BETA.
    pub(crate) async fn statuses(&mut self, uetr: u128) -> (PaymentStatus, Option<PaymentStatus>) {
        let uetr = OperationId(uetr);
        let outgoing = self.bank(ALFA).store.outgoing(&[uetr]).await.unwrap().remove(0);
        let incoming = self.bank(BETA).store.incoming(uetr).await.unwrap().pop();
        let status = PaymentStatus::of_outgoing(outgoing.state, outgoing.reason);
        (status, incoming.map(|its| PaymentStatus::of_incoming(its.state, its.reason)))
    }

    /// Money is conserved: what the customers of a bank gained its account on the ledger gained.
    pub(crate) async fn assert_money_is_conserved(&mut self, context: &str) {
        for member in [ALFA, BETA] {
            let account = *self.ledger.ledger.account(prefund(member)).unwrap();
            assert_eq!(account.debits_pending, 0, "{context}");
            let on_ledger = account.balance() - i128::from(crate::network::PREFUND);
            let bank = self.bank(member);
            let in_book = i128::from(bank.book.total().await.unwrap()) - bank.opening();
            assert_eq!(in_book, on_ledger, "{member}: {context}");
            let accounts = bank.book.accounts(None, 100).await.unwrap();
            assert!(accounts.iter().all(|its| its.held.is_zero()), "{member}: {context}");
        }
    }
}

impl Bank {
    async fn new(genesis: &Genesis, member: MemberId) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let setup = Arc::new(setup(genesis, member));
        let store = Store::open(folder.path(), Durability::Process).await.unwrap();
        let book = SampleBook::open(folder.path(), Durability::Process).await.unwrap();
        book.open_accounts(&sample_accounts(&bic(member)[..4], 20)).await.unwrap();
        let core = Some(Core::open(setup.clone(), store.clone()).await.unwrap());
        Self {
            member,
            setup,
            folder,
            core,
            store,
            book,
            wants: VecDeque::new(),
            online: true,
            books_answer: true,
            submits: true,
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.core.is_some()
    }

    pub(crate) fn setup(&self) -> &Setup {
        &self.setup
    }

    /// What the sample customers held at first.
    fn opening(&self) -> i128 {
        let accounts = sample_accounts(&bic(self.member)[..4], 20);
        accounts.iter().map(|its| i128::from(its.balance.minor_units())).sum()
    }
}

pub(crate) fn rejected(reason: &str) -> PaymentStatus {
    PaymentStatus::Rejected(ReasonCode::new(reason).unwrap())
}
