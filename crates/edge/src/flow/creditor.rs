//! The creditor's side: a payload and a certified reserve meet, the books are asked, an answer
//! goes to the ledger, and the customer is credited once that is certified.

use etibar_ledger::{
    Operation,
    operation::{self, OPERATION_BYTES, ReasonCode, Transfer, TransferKind},
};
use std::collections::HashMap;

use etibar_primitives::{Amount, Digest, Domain, DurationMs, MemberId, OperationId, hex};

use super::{Action, Flow, Known, Subject};
use crate::{
    book::{BookOrder, Refusal},
    intake::ALIAS_PREFIX,
    payment::{Announcement, CustomerAccount, Incoming, IncomingKey, IncomingState, Proof, Terms},
    reason,
    status::PaymentStatus,
    store::{AliasRow, AliasState},
};

const ANSWER: Domain = Domain::new("etibar.edge.answer");

/// What the creditor's side says to a reserve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Post,
    Void(ReasonCode),
}

/// The id of the answer to a reserve. Post and void have the same: a payment is answered once.
fn answer_id(key: IncomingKey) -> OperationId {
    let digest = ANSWER.hash_parts(&[&key.debtor.0.to_le_bytes(), &key.uetr.to_bytes()]);
    let (id, _) = digest.0.split_first_chunk().expect("32 bytes hold 16");
    OperationId::from_bytes(*id)
}

impl Flow {
    pub(super) fn take_payloads(
        &mut self,
        sender: MemberId,
        items: Vec<(OperationId, Announcement)>,
        known: &Known,
    ) {
        for (uetr, announcement) in items {
            let key = IncomingKey { debtor: sender, uetr };
            if !known.incoming.contains(&key) {
                self.announce(key, announcement);
            }
        }
    }

    /// The first payload of a payment counts; what comes after it changes nothing.
    fn announce(&mut self, key: IncomingKey, announcement: Announcement) {
        let payload = announcement.payload.clone();
        let amount = announcement.terms.as_ref().map(|terms| terms.amount).unwrap_or_default();
        let account = announcement.terms.as_ref().map(|terms| terms.account.clone()).ok();
        match self.incoming.get_mut(&key) {
            Some(payment) if payment.state == IncomingState::Awaiting => {
                payment.account = account;
                payment.announcement = Some(announcement);
                self.effects.writes.documents.push((key, payload));
                self.decide(key);
            }
            Some(_) => {}
            None => {
                let payment = Incoming {
                    key,
                    state: IncomingState::Announced,
                    reason: None,
                    amount,
                    seen: self.now,
                    reserve: None,
                    answer: None,
                    account,
                    announcement: Some(announcement),
                    proof: None,
                };
                self.incoming.insert(key, payment);
                self.moved_incoming.insert(key);
                self.effects.writes.documents.push((key, payload));
                let forget = self.settings.limits.announcement_ms;
                let at = self.now.saturating_add(forget);
                self.timers.set(Subject::Incoming(key), at, forget);
            }
        }
    }

    /// A reserve in our favour is certified.
    pub(super) fn promised(
        &mut self,
        key: IncomingKey,
        operation: &[u8; OPERATION_BYTES],
        transfer: &Transfer,
    ) {
        let fresh = || Incoming {
            key,
            state: IncomingState::Awaiting,
            reason: None,
            amount: transfer.amount,
            seen: self.now,
            reserve: None,
            answer: None,
            account: None,
            announcement: None,
            proof: None,
        };
        let payment = self.incoming.entry(key).or_insert_with(fresh);
        if payment.reserve.is_some() {
            return;
        }
        payment.reserve = Some(*operation);
        payment.amount = transfer.amount;
        payment.seen = self.now;
        let announced = payment.state == IncomingState::Announced;
        payment.state = IncomingState::Awaiting;
        self.moved_incoming.insert(key);
        if announced {
            self.decide(key);
        } else {
            let wait = self.settings.limits.answer_ms;
            self.timers.set(Subject::Incoming(key), self.now.saturating_add(wait), wait);
        }
    }

    /// Payload and reserve are both there: do they say the same, and do we take the money?
    fn decide(&mut self, key: IncomingKey) {
        let Some(payment) = self.incoming.get_mut(&key) else { return };
        resolve(payment, &self.aliases);
        match agree(payment) {
            Err(reason) => self.answer(key, Answer::Void(reason)),
            Ok(check) => {
                payment.state = IncomingState::Checking;
                self.moved_incoming.insert(key);
                self.effects.actions.push(Action::Book(check));
                self.retry(Subject::Incoming(key));
            }
        }
    }

    /// The books would credit the customer, or refuse.
    pub(super) fn checked(&mut self, key: IncomingKey, answer: Result<(), Refusal>) {
        let checking = |its: &Incoming| its.state == IncomingState::Checking;
        if self.incoming.get(&key).is_some_and(checking) {
            let answer =
                answer.map_or_else(|Refusal(reason)| Answer::Void(reason), |()| Answer::Post);
            self.answer(key, answer);
        }
    }

    fn answer(&mut self, key: IncomingKey, answer: Answer) {
        let Some(payment) = self.incoming.get_mut(&key) else { return };
        let Some(reserve) = payment.reserve() else { return };
        let (kind, reason) = match answer {
            Answer::Post => (TransferKind::Post, None),
            Answer::Void(reason) => (TransferKind::Void, Some(reason)),
        };
        let transfer = Transfer {
            pending: key.uetr,
            reason: reason.unwrap_or_default(),
            debtor_agent: reserve.debtor_agent,
            creditor_agent: reserve.creditor_agent,
            ..Transfer::new(reserve.debit, reserve.credit, reserve.amount, self.now)
        };
        let action = operation::Action::Transfer(kind, transfer);
        let operation = Operation { id: answer_id(key), linked: false, action };
        payment.state = match answer {
            Answer::Post => IncomingState::Posting,
            Answer::Void(_) => IncomingState::Voiding,
        };
        payment.reason = reason;
        payment.answer = Some(operation.encode());
        payment.announcement = None;
        self.moved_incoming.insert(key);
        self.effects.actions.push(Action::Submit(operation));
        self.retry(Subject::Incoming(key));
    }

    /// The ledger settled the payment: only now the customer is credited. The money is there even
    /// when this edge did not ask for it; what has no customer goes to the suspense account.
    pub(super) fn received(&mut self, key: IncomingKey, amount: Amount, proof: Proof) {
        let Some(payment) = self.incoming.get_mut(&key) else { return };
        if payment.state == IncomingState::Crediting {
            return;
        }
        payment.state = IncomingState::Crediting;
        payment.reason = None;
        payment.amount = amount;
        payment.proof = Some(proof);
        let credit = credit(payment);
        self.moved_incoming.insert(key);
        self.effects.actions.push(Action::Book(credit));
        self.retry(Subject::Incoming(key));
    }

    /// The ledger ended the payment without money: voided by us, or lapsed.
    pub(super) fn not_received(
        &mut self,
        key: IncomingKey,
        end: IncomingState,
        reason: ReasonCode,
        proof: Proof,
    ) {
        let Some(payment) = self.incoming.get_mut(&key) else { return };
        if payment.state == IncomingState::Crediting {
            return;
        }
        payment.state = end;
        payment.reason = payment.reason.or(Some(reason));
        payment.proof = Some(proof);
        let status = PaymentStatus::of_incoming(end, payment.reason);
        self.moved_incoming.insert(key);
        self.tell_core(Some(key.debtor), key.uetr, status);
    }

    /// The books credited the customer.
    pub(super) fn credited(&mut self, key: IncomingKey) {
        let Some(payment) = self.incoming.get_mut(&key) else { return };
        if payment.state != IncomingState::Crediting {
            return;
        }
        payment.state = IncomingState::Credited;
        self.moved_incoming.insert(key);
        self.tell_core(Some(key.debtor), key.uetr, PaymentStatus::Credited);
    }

    pub(super) fn wake_incoming(&mut self, key: IncomingKey, pause: DurationMs) {
        let Some(payment) = self.incoming.get_mut(&key) else { return };
        let limits = &self.settings.limits;
        let late = self.now >= payment.seen.saturating_add(limits.answer_ms);
        let subject = Subject::Incoming(key);
        let again = match payment.state {
            IncomingState::Announced => {
                let forget = payment.seen.saturating_add(limits.announcement_ms);
                if self.now >= forget {
                    payment.state = IncomingState::Forgotten;
                    self.moved_incoming.insert(key);
                } else {
                    self.timers.set(subject, forget, limits.announcement_ms);
                }
                return;
            }
            IncomingState::Awaiting if payment.announcement.is_some() => return self.decide(key),
            IncomingState::Awaiting if late => {
                return self.answer(key, Answer::Void(reason::PAYLOAD_TIMEOUT));
            }
            IncomingState::Awaiting => {
                let at = payment.seen.saturating_add(limits.answer_ms);
                self.timers.set(subject, at, limits.answer_ms);
                return;
            }
            IncomingState::Checking if late => {
                return self.answer(key, Answer::Void(reason::CORE_ERROR));
            }
            IncomingState::Checking => match agree(payment) {
                Ok(check) => Action::Book(check),
                Err(reason) => return self.answer(key, Answer::Void(reason)),
            },
            IncomingState::Posting | IncomingState::Voiding => {
                let answer = payment.answer.as_ref().expect("an answered payment keeps its answer");
                let operation = Operation::decode(answer);
                Action::Submit(operation.expect("the answer was encoded from an operation"))
            }
            IncomingState::Crediting => Action::Book(credit(payment)),
            _ => return,
        };
        self.effects.actions.push(again);
        self.retry_later(subject, pause);
        let deadline = self.incoming.get(&key).map(|its| {
            let waits = its.state == IncomingState::Checking;
            (waits, its.seen.saturating_add(self.settings.limits.answer_ms))
        });
        if let Some((true, deadline)) = deadline {
            self.timers.no_later_than(subject, deadline);
        }
    }
}

/// Puts the customer's account in the place of an alias of this bank.
fn resolve(payment: &mut Incoming, aliases: &HashMap<Digest, AliasRow>) {
    let Some(Ok(terms)) = payment.announcement.as_mut().map(|its| its.terms.as_mut()) else {
        return;
    };
    let tag = terms.account.expose().strip_prefix(ALIAS_PREFIX);
    if let Some(alias) = tag.and_then(hex::decode_array).map(Digest)
        && let Some(alias) = aliases.get(&alias)
        && alias.state != AliasState::Refused
    {
        terms.account = alias.account.clone();
        payment.account = Some(alias.account.clone());
    }
}

/// Whether payload and reserve say the same; gives the question for the books.
fn agree(payment: &Incoming) -> Result<BookOrder, ReasonCode> {
    let reserve = payment.reserve().ok_or(reason::CONTENT_WRONG)?;
    let announcement = payment.announcement.as_ref().ok_or(reason::CONTENT_WRONG)?;
    if announcement.commitment != reserve.commitment {
        return Err(reason::CONTENT_WRONG);
    }
    let Terms { amount, debtor_agent, account, creditor_name } =
        announcement.terms.as_ref().map_err(|reason| *reason)?;
    if *amount != reserve.amount {
        return Err(reason::AMOUNT_DIFFERS);
    }
    if *debtor_agent != payment.key.debtor {
        return Err(reason::AGENT_WRONG);
    }
    Ok(BookOrder::Check { key: payment.key, account: account.clone(), name: creditor_name.clone() })
}

fn credit(payment: &Incoming) -> BookOrder {
    let nobody = || CustomerAccount::new("");
    let account = payment.account.clone().unwrap_or_else(nobody);
    BookOrder::Credit { key: payment.key, account, amount: payment.amount }
}
