//! The debtor's side: received, held, submitted, reserved, and the two ends.

use etibar_ledger::{Operation, operation::ReasonCode};
use etibar_primitives::{Amount, DurationMs, MemberId, OperationId};

use super::{Action, Flow, Known, Order, Subject, Taking};
use crate::{
    book::{BookOrder, Refusal},
    envelope::Item,
    payment::{Outgoing, OutgoingState, Proof},
    reason,
    status::PaymentStatus,
};

impl Flow {
    pub(super) fn take_order(&mut self, order: Order, known: &Known) -> Taking {
        let uetr = order.uetr;
        let earlier = self.outgoing.get(&uetr).map(|its| its.fingerprint);
        if let Some(fingerprint) = earlier.or_else(|| known.outgoing.get(&uetr).copied()) {
            let same = fingerprint == order.fingerprint;
            return if same { Taking::Repeated } else { Taking::Conflict };
        }
        if self.outgoing.len() >= self.settings.limits.open_payments_max {
            return Taking::Overloaded;
        }
        let payment = order.into_payment(&self.settings, self.now);
        self.new_outgoing.insert(uetr);
        if payment.state == OutgoingState::Rejected {
            let status = PaymentStatus::of_outgoing(payment.state, payment.reason);
            self.end_answer(uetr, status);
        } else {
            self.effects.actions.push(Action::Book(hold(&payment)));
            self.retry(Subject::Outgoing(uetr));
        }
        self.outgoing.insert(uetr, payment);
        Taking::New
    }

    /// The books held the customer's money, or refused.
    pub(super) fn held(&mut self, uetr: OperationId, answer: Result<(), Refusal>) {
        let Some(payment) = self.outgoing.get_mut(&uetr) else { return };
        if payment.state != OutgoingState::Received {
            return;
        }
        self.moved_outgoing.insert(uetr);
        if let Err(Refusal(reason)) = answer {
            payment.state = OutgoingState::Rejected;
            payment.reason = Some(reason);
            self.end_answer(uetr, PaymentStatus::Rejected(reason));
            return;
        }
        payment.state = OutgoingState::Held;
        let item = item(payment);
        let creditor = payment.creditor;
        self.effects.supervise.push(item.clone());
        self.effects.actions.push(Action::Deliver { creditor, item });
        self.retry(Subject::Outgoing(uetr));
    }

    /// The creditor's edge has the payload: now the reserve may go.
    pub(super) fn delivered(&mut self, creditor: MemberId, uetr: OperationId) {
        let Some(payment) = self.outgoing.get_mut(&uetr) else { return };
        if payment.state != OutgoingState::Held || payment.creditor != creditor {
            return;
        }
        payment.state = OutgoingState::Submitted;
        payment.payload = None;
        let submit = submit(payment);
        self.moved_outgoing.insert(uetr);
        self.effects.actions.push(submit);
        self.retry(Subject::Outgoing(uetr));
    }

    /// The ledger set the money aside.
    pub(super) fn reserved(&mut self, uetr: OperationId) {
        let Some(payment) = self.outgoing.get_mut(&uetr) else { return };
        if payment.state != OutgoingState::Submitted {
            return;
        }
        payment.state = OutgoingState::Reserved;
        self.moved_outgoing.insert(uetr);
        // From here the ledger ends it by an event of its own at the latest.
        self.timers.clear(Subject::Outgoing(uetr));
    }

    /// The ledger settled the payment, in full or for less.
    pub(super) fn settled(&mut self, uetr: OperationId, amount: Amount, proof: Proof) {
        let Some(payment) = self.outgoing.get_mut(&uetr) else { return };
        if payment.state.code() > OutgoingState::Reserved.code() {
            return;
        }
        payment.state = OutgoingState::Settling;
        payment.proof = Some(proof);
        payment.amount = amount;
        self.moved_outgoing.insert(uetr);
        self.end_answer(uetr, PaymentStatus::Settled);
        self.effects.actions.push(Action::Book(BookOrder::Settle { id: uetr, amount }));
        self.retry(Subject::Outgoing(uetr));
    }

    /// The payment is rejected; what is held is given back.
    pub(super) fn rejected(&mut self, uetr: OperationId, reason: ReasonCode, proof: Option<Proof>) {
        let Some(payment) = self.outgoing.get_mut(&uetr) else { return };
        if payment.state.code() > OutgoingState::Reserved.code() {
            return;
        }
        payment.state = OutgoingState::Releasing;
        payment.reason = Some(reason);
        payment.payload = None;
        payment.proof = proof;
        self.moved_outgoing.insert(uetr);
        self.end_answer(uetr, PaymentStatus::Rejected(reason));
        self.effects.actions.push(Action::Book(BookOrder::Release { id: uetr }));
        self.retry(Subject::Outgoing(uetr));
    }

    /// The books know the end.
    pub(super) fn book_closed(&mut self, uetr: OperationId) {
        let Some(payment) = self.outgoing.get_mut(&uetr) else { return };
        payment.state = match payment.state {
            OutgoingState::Settling => OutgoingState::Settled,
            OutgoingState::Releasing => OutgoingState::Rejected,
            _ => return,
        };
        self.moved_outgoing.insert(uetr);
    }

    pub(super) fn wake_outgoing(&mut self, uetr: OperationId, pause: DurationMs) {
        let Some(payment) = self.outgoing.get(&uetr) else { return };
        let late = self.now >= payment.expires;
        let again = match payment.state {
            OutgoingState::Received if late => {
                return self.rejected(uetr, reason::CORE_ERROR, None);
            }
            OutgoingState::Held if late => {
                return self.rejected(uetr, reason::CREDITOR_OFFLINE, None);
            }
            OutgoingState::Received => Action::Book(hold(payment)),
            OutgoingState::Held => {
                Action::Deliver { creditor: payment.creditor, item: item(payment) }
            }
            OutgoingState::Submitted => submit(payment),
            OutgoingState::Settling => {
                Action::Book(BookOrder::Settle { id: uetr, amount: payment.amount })
            }
            OutgoingState::Releasing => Action::Book(BookOrder::Release { id: uetr }),
            OutgoingState::Reserved | OutgoingState::Settled | OutgoingState::Rejected => return,
        };
        let expires = payment.expires;
        self.effects.actions.push(again);
        self.retry_later(Subject::Outgoing(uetr), pause);
        if !late {
            self.timers.no_later_than(Subject::Outgoing(uetr), expires);
        }
    }

    fn end_answer(&mut self, uetr: OperationId, status: PaymentStatus) {
        self.tell_core(None, uetr, status);
        self.effects.actions.push(Action::Ended { uetr, status });
    }
}

fn hold(payment: &Outgoing) -> BookOrder {
    BookOrder::Hold { id: payment.uetr, account: payment.account.clone(), amount: payment.amount }
}

fn submit(payment: &Outgoing) -> Action {
    let operation = Operation::decode(&payment.operation);
    Action::Submit(operation.expect("a payment with a route keeps the reserve it encoded"))
}

fn item(payment: &Outgoing) -> Item {
    let payload = payment.payload.clone();
    let payload = payload.expect("the payload is kept until the creditor's edge has it");
    Item { uetr: payment.uetr, payload }
}
