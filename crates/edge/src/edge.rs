//! The edge as its doors see it.

use std::{sync::Arc, time::Duration};

use etibar_iso20022::{Message, Text, parse};
use etibar_ledger::{
    Operation,
    operation::{Action, AliasSetting},
};
use etibar_primitives::{Digest, OperationId};
use tokio::{
    sync::{Semaphore, oneshot},
    time::timeout,
};

use crate::{
    alias::AliasKind,
    answer::{ReportLine, render_report},
    book::{BookAccount, BookFault},
    engine::{Command, EdgeFault, Engine, Ports, Pulse, Waiters, now},
    envelope::{self, EnvelopeError},
    flow::{Order, Taking},
    intake::{self, Intake, IntakeError, Line},
    payment::{CustomerAccount, PersonName, References},
    ports::LedgerFault,
    reason,
    setup::Setup,
    status::PaymentStatus,
    store::{AliasRow, AliasState, IncomingView, MessageView, OutgoingView, Store, StoreFault},
    transfer::{TransferEnd, TransferError, TransferOrder, Transfers, Waiting},
};

/// The longest that a caller may wait for the end of its payments.
pub const WAIT_MAX: Duration = Duration::from_secs(20);
/// The most messages of one page.
pub const MESSAGES_MAX: u32 = 1_000;
/// Messages that are read and checked at the same time; more wait.
const PARSING_MAX: usize = 64;

/// A running edge. Cheap to clone.
#[derive(Clone)]
pub struct Edge {
    setup: Arc<Setup>,
    store: Store,
    ports: Ports,
    commands: tokio::sync::mpsc::Sender<Command>,
    waiters: Arc<Waiters>,
    transfers: Arc<Waiting>,
    submit: tokio::sync::mpsc::UnboundedSender<Operation>,
    pulse: tokio::sync::watch::Receiver<Pulse>,
    parsing: Arc<Semaphore>,
}

/// The tasks behind an [`Edge`]: it works as long as these run.
pub struct EdgeTasks(Engine);

/// Why a request of the core banking, or of its customers' channel, is not answered with a
/// report. It changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The message cannot be read.
    #[error(transparent)]
    Message(#[from] IntakeError),
    /// Too many payments are under way.
    #[error("too many payments are under way")]
    Overloaded,
    /// The edge is stopping.
    #[error("the edge is stopping")]
    Stopping,
    /// The ledger is needed for this and does not answer.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
    /// The books are needed for this and do not answer.
    #[error(transparent)]
    Book(#[from] BookFault),
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// The text is no alias of its kind.
    #[error("the text is no alias of its kind")]
    Alias,
    /// The bank has no such account.
    #[error("the bank has no such account")]
    Account,
}

/// The answer to a pacs.008.
#[derive(Debug, Clone)]
pub struct PaymentAnswer {
    /// A pacs.002.
    pub report: String,
    /// Whether every payment of it came to its end.
    pub is_final: bool,
}

/// How the edge stands.
#[derive(Debug, Clone)]
pub struct Readiness {
    /// The deciding task runs.
    pub deciding: bool,
    /// A validator answers.
    pub ledger: bool,
}

impl Edge {
    /// Starts an edge where its store stands.
    pub async fn start(
        setup: Arc<Setup>,
        store: Store,
        ports: Ports,
    ) -> Result<(Self, EdgeTasks), EdgeFault> {
        let engine = Engine::start(setup.clone(), store.clone(), ports.clone()).await?;
        let edge = Self {
            setup,
            store,
            ports,
            commands: engine.commands.clone(),
            waiters: engine.waiters.clone(),
            transfers: engine.transfers.clone(),
            submit: engine.submit.clone(),
            pulse: engine.pulse.clone(),
            parsing: Arc::new(Semaphore::new(PARSING_MAX)),
        };
        Ok((edge, EdgeTasks(engine)))
    }

    /// Who this edge is.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The store, to read.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// What is under way.
    pub fn pulse(&self) -> Pulse {
        self.pulse.borrow().clone()
    }

    /// Takes in a pacs.008 and answers with a pacs.002: what became of each payment within `wait`
    /// (zero: as soon as it is written down). The same message again gets the same statuses.
    ///
    /// # Errors
    /// After an error the same message may be given again: nothing is paid twice.
    pub async fn pay(&self, message: &[u8], wait: Duration) -> Result<PaymentAnswer, RequestError> {
        let deadline = tokio::time::Instant::now() + wait.min(WAIT_MAX);
        let intake = {
            let _room = self.parsing.acquire().await.map_err(|_| RequestError::Stopping)?;
            intake::read_orders(&self.setup, message)?
        };
        let Intake { references, lines } = self.resolve(intake).await?;
        let mut waits = Vec::with_capacity(lines.len());
        for line in lines {
            waits.push(self.enter(line).await?);
        }
        let mut answers = Vec::with_capacity(waits.len());
        for wait in waits {
            answers.push(self.outcome(wait, deadline).await?);
        }
        let is_final = answers.iter().all(|line| line.status.is_final());
        let report = render_report(&self.setup, &references, &answers, now());
        Ok(PaymentAnswer { report, is_final })
    }

    /// Carries out a transfer between two accounts of the ledger and answers with the ledger's
    /// word, waiting for it up to `wait`. The same order again gets the same word.
    ///
    /// # Errors
    /// After an error the order may have been carried out: ask again with the same one.
    pub async fn transfer(
        &self,
        order: &TransferOrder,
        wait: Duration,
    ) -> Result<TransferEnd, TransferError> {
        let transfers = Transfers {
            waiting: &self.transfers,
            submit: &self.submit,
            ledger: &*self.ports.ledger,
            member: self.setup.member,
        };
        transfers.execute(order, tokio::time::Instant::now() + wait.min(WAIT_MAX)).await
    }

    /// Asks the directory for the members behind aliases.
    async fn resolve(&self, mut intake: Intake) -> Result<Intake, RequestError> {
        for line in &mut intake.lines {
            if let Line::Order { order, alias: Some(tag) } = line
                && let Some(target) = self.ports.ledger.alias(*tag).await?
            {
                order.route = intake::route_to(&self.setup, target.member);
            }
        }
        Ok(intake)
    }

    async fn enter(&self, line: Line) -> Result<Entered, RequestError> {
        let order = match line {
            Line::Refused { references, uetr, reason } => {
                let status = PaymentStatus::Rejected(reason);
                return Ok(Entered::Known(ReportLine { references, uetr, status }));
            }
            Line::Order { order, .. } => order,
        };
        let Order { uetr, references, .. } = order.as_ref().clone();
        let end = self.waiters.add(uetr);
        let (caller, taking) = oneshot::channel();
        let command = Command::Order(order, caller);
        self.commands.send(command).await.map_err(|_| RequestError::Stopping)?;
        Ok(Entered::Asked { uetr, references, taking, end })
    }

    async fn outcome(
        &self,
        entered: Entered,
        deadline: tokio::time::Instant,
    ) -> Result<ReportLine, RequestError> {
        let (uetr, references, taking, mut end) = match entered {
            Entered::Known(line) => return Ok(line),
            Entered::Asked { uetr, references, taking, end } => (uetr, references, taking, end),
        };
        let line = |status| ReportLine { references, uetr: Some(uetr), status };
        match taking.await.map_err(|_| RequestError::Stopping)? {
            Taking::New => {}
            Taking::Conflict => {
                self.waiters.forget(uetr, end);
                return Ok(line(PaymentStatus::Rejected(reason::DUPLICATE)));
            }
            Taking::Overloaded => return Err(RequestError::Overloaded),
            Taking::Repeated => {
                let known = self.status_of(uetr).await?;
                if known.is_final() {
                    self.waiters.forget(uetr, end);
                    return Ok(line(known));
                }
            }
        }
        let status = match tokio::time::timeout_at(deadline, &mut end).await {
            Ok(Ok(status)) => status,
            Ok(Err(_)) => return Err(RequestError::Stopping),
            Err(_) => PaymentStatus::Pending,
        };
        self.waiters.forget(uetr, end);
        Ok(line(status))
    }

    async fn status_of(&self, uetr: OperationId) -> Result<PaymentStatus, StoreFault> {
        let found = self.store.outgoing(&[uetr]).await?;
        let status = |its: &OutgoingView| PaymentStatus::of_outgoing(its.state, its.reason);
        Ok(found.first().map_or(PaymentStatus::Pending, status))
    }

    /// Answers a pacs.028 with a pacs.002 about every payment that it names and the edge knows.
    /// A payment that is not in the answer was never taken in: it may be ordered again.
    pub async fn report(&self, message: &[u8]) -> Result<String, RequestError> {
        let message = parse(message).map_err(IntakeError::from)?.message;
        let Message::StatusRequest(request) = message else {
            return Err(IntakeError::Kind { expected: "pacs.028" }.into());
        };
        let mut found = Vec::new();
        let uetrs: Vec<_> = request.payments.iter().filter_map(|its| its.uetr).collect();
        found.extend(self.store.outgoing(&uetrs).await?);
        let messages = request.messages.iter().map(|original| original.message_id.as_str());
        let named = request.payments.iter().filter(|its| its.uetr.is_none());
        let named = named.filter_map(|its| {
            its.original.as_ref().map(|original| (original.message_id.as_str(), its))
        });
        for (id, payment) in
            messages.map(|id| (id, None)).chain(named.map(|(id, its)| (id, Some(its))))
        {
            let of_message = self.store.outgoing_of_message(id).await?;
            found.extend(of_message.into_iter().filter(|its| {
                payment.is_none_or(|asked| {
                    let end_to_end = asked.end_to_end_id.as_ref().map(Text::as_str);
                    end_to_end.is_none_or(|id| id == its.references.end_to_end_id)
                })
            }));
        }
        let lines: Vec<_> = found.iter().map(report_line).collect();
        let original = found.first().map_or_else(
            || References {
                message_id: request.message_id.as_str().to_owned(),
                message_name: "pacs.028.001.03".to_owned(),
                message_created: Some(request.created),
                ..References::default()
            },
            |first| first.references.clone(),
        );
        Ok(render_report(&self.setup, &original, &lines, now()))
    }

    /// The report that the core gets of a payment of its own customer.
    pub fn render_outgoing(&self, payment: &OutgoingView) -> String {
        render_report(&self.setup, &payment.references, &[report_line(payment)], now())
    }

    /// A payment of the member's own customer.
    pub async fn outgoing(&self, uetr: OperationId) -> Result<Option<OutgoingView>, StoreFault> {
        Ok(self.store.outgoing(&[uetr]).await?.pop())
    }

    /// Payments in favour of the member's customers under this UETR.
    pub async fn incoming(&self, uetr: OperationId) -> Result<Vec<IncomingView>, StoreFault> {
        self.store.incoming(uetr).await
    }

    /// The receipt that proves how a payment ended; `None` while none is certified.
    pub async fn receipt(&self, uetr: OperationId) -> Result<Option<Vec<u8>>, RequestError> {
        let outgoing = self.outgoing(uetr).await?.and_then(|payment| payment.proof);
        let proof = match outgoing {
            Some(proof) => Some(proof),
            None => self.incoming(uetr).await?.into_iter().find_map(|payment| payment.proof),
        };
        let Some(proof) = proof else { return Ok(None) };
        Ok(self.ports.ledger.receipt(proof.submitter, proof.operation).await?)
    }

    /// The receipt of one of the member's own operations; `None` while none is certified.
    pub async fn own_receipt(&self, id: OperationId) -> Result<Option<Vec<u8>>, RequestError> {
        Ok(self.ports.ledger.receipt(self.setup.member, id).await?)
    }

    /// What the core is told, after message `after`, at most `limit`.
    pub async fn messages(&self, after: u64, limit: u32) -> Result<Vec<MessageView>, StoreFault> {
        self.store.messages(after, limit.min(MESSAGES_MAX)).await
    }

    /// Takes an envelope of another edge; gives how many payloads it held. Once this returns, they
    /// are written down. The supervisor keeps the envelope sealed.
    pub async fn receive(&self, bytes: &[u8]) -> Result<usize, DeliveryError> {
        let setup = &self.setup;
        let keys = |member| setup.directory.member(member).map(|its| its.keys.as_slice());
        let checked = envelope::check(bytes, setup.directory.network(), setup.member, keys)?;
        let sender = checked.address.sender;
        if setup.settings().account.is_none() {
            self.store.supervise(&checked.digest(), sender, now(), bytes).await?;
            return Ok(0);
        }
        let items = {
            let _room = self.parsing.acquire().await.map_err(|_| DeliveryError::Stopping)?;
            let items = checked.open(&setup.seal_key)?;
            let read = |item: envelope::Item| {
                (item.uetr, intake::read_announcement(setup, item.uetr, item.payload))
            };
            items.into_iter().map(read).collect::<Vec<_>>()
        };
        let open: u64 = self.pulse.borrow().incoming.values().sum();
        if usize::try_from(open).is_ok_and(|open| open >= setup.limits.open_payments_max) {
            return Err(DeliveryError::Overloaded);
        }
        let count = items.len();
        let (caller, written) = oneshot::channel();
        let command = Command::Payloads(sender, items, caller);
        self.commands.send(command).await.map_err(|_| DeliveryError::Stopping)?;
        written.await.map_err(|_| DeliveryError::Stopping)?;
        Ok(count)
    }

    /// Registers an alias for a customer's account; the ledger's answer comes later.
    pub async fn register_alias(
        &self,
        kind: AliasKind,
        alias: &str,
        account: CustomerAccount,
    ) -> Result<Digest, RequestError> {
        let tag = self.setup.directory_key.tag(kind, alias).ok_or(RequestError::Alias)?;
        if !self.holds(&account).await? {
            return Err(RequestError::Account);
        }
        let locator = intake::random();
        let id = OperationId::from_bytes(intake::random());
        let action = Action::SetAlias(AliasSetting { tag, locator });
        let operation = Operation { id, linked: false, action }.encode();
        let alias = AliasRow { tag, locator, account, state: AliasState::Asked, operation };
        let (caller, written) = oneshot::channel();
        let command = Command::Alias(alias, caller);
        self.commands.send(command).await.map_err(|_| RequestError::Stopping)?;
        written.await.map_err(|_| RequestError::Stopping)?;
        Ok(tag)
    }

    /// Opens an empty account for `holder` in the bank's books. The same order again gets the same
    /// account.
    pub async fn open_account(
        &self,
        order: OperationId,
        holder: &PersonName,
    ) -> Result<CustomerAccount, RequestError> {
        let own = self.setup.directory.member(self.setup.member).ok_or(RequestError::Account)?;
        Ok(self.ports.book.open_account(order, &own.bic[..4], holder).await?)
    }

    async fn holds(&self, account: &CustomerAccount) -> Result<bool, BookFault> {
        // The page begins after the number, so ask from just before it.
        let mut before = account.expose().to_owned();
        before.pop();
        let page = self.ports.book.accounts(Some(&before), 2).await?;
        Ok(page.iter().any(|its| its.number == *account))
    }

    /// The sample customers' accounts, by number.
    pub async fn accounts(
        &self,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<BookAccount>, BookFault> {
        self.ports.book.accounts(after, limit.min(MESSAGES_MAX)).await
    }

    /// Whether the edge can do its work.
    pub async fn readiness(&self) -> Readiness {
        let status = timeout(Duration::from_secs(2), self.ports.ledger.status()).await;
        let ledger = matches!(status, Ok(Ok(_)));
        Readiness { deciding: !self.commands.is_closed(), ledger }
    }
}

/// Why an envelope is not taken. Nothing of it was kept.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// It is none for this edge.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// Too many payments are under way.
    #[error("too many payments are under way")]
    Overloaded,
    /// The edge is stopping.
    #[error("the edge is stopping")]
    Stopping,
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

/// A payment of a message on its way in.
enum Entered {
    Known(ReportLine),
    Asked {
        uetr: OperationId,
        references: References,
        taking: oneshot::Receiver<Taking>,
        end: oneshot::Receiver<PaymentStatus>,
    },
}

impl EdgeTasks {
    /// Runs until a task fails or `shutdown` resolves, then stops in order.
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) -> Result<(), EdgeFault> {
        self.0.run_until(shutdown).await
    }
}

fn report_line(payment: &OutgoingView) -> ReportLine {
    ReportLine {
        references: payment.references.clone(),
        uetr: Some(payment.uetr),
        status: PaymentStatus::of_outgoing(payment.state, payment.reason),
    }
}
