//! What certified events of the ledger do. They alone end a payment whose reserve may have left.

use etibar_ledger::{
    Operation, Outcome,
    operation::{Action as Act, AliasSetting, Transfer, TransferKind},
    receipt::Event,
};
use etibar_primitives::{BlockTime, Digest, DurationMs, OperationId};

use super::{Action, EventBatch, Flow, Subject};
use crate::{
    payment::{IncomingKey, IncomingState, OutgoingState, Proof},
    reason,
    store::{AliasRow, AliasState},
};

impl Flow {
    /// Takes each event once: what lies before the cursor was taken before.
    pub(super) fn take_events(&mut self, batch: &EventBatch) {
        assert!(batch.first <= self.cursor, "events come without a gap");
        let taken = usize::try_from(self.cursor - batch.first).unwrap_or(usize::MAX);
        for event in batch.events.iter().skip(taken) {
            self.take_event(event, batch.time);
            self.cursor += 1;
            self.effects.writes.cursor = Some(self.cursor);
        }
    }

    fn take_event(&mut self, event: &Event, time: BlockTime) {
        let Ok(operation) = Operation::decode(&event.operation) else { return };
        let id = operation.id;
        let proof = Proof { submitter: event.submitter, operation: id, time };
        match operation.action {
            Act::Transfer(TransferKind::Reserve, transfer) => {
                if event.submitter == self.settings.member {
                    self.own_reserve(event, id, proof);
                } else if Some(transfer.credit) == self.settings.account {
                    self.reserve_for_us(event, id, &transfer, proof);
                }
            }
            Act::Transfer(kind @ (TransferKind::Post | TransferKind::Void), transfer)
                if event.outcome == Outcome::Accepted =>
            {
                self.reserve_ended(kind, event, &transfer, proof);
            }
            Act::SetAlias(setting) => self.alias_set(event, id, &setting),
            _ => {}
        }
    }

    fn own_reserve(&mut self, event: &Event, uetr: OperationId, proof: Proof) {
        let Some(payment) = self.outgoing.get(&uetr) else { return };
        // Another operation under the same id is not this payment, whatever became of it.
        if payment.operation != event.operation {
            return;
        }
        match event.outcome {
            Outcome::Accepted => self.reserved(uetr),
            Outcome::ReserveExpired => {
                self.rejected(uetr, reason::CREDITOR_TIMEOUT, Some(proof));
            }
            // A repeat: the first outcome came before it, or comes to a lapse or an answer.
            Outcome::Exists => {}
            refusal => {
                let expired = proof.time >= payment.expires;
                let waits = payment.state == OutgoingState::Submitted;
                if waits && (is_final(refusal) || expired) {
                    self.rejected(uetr, reason::of_outcome(refusal), Some(proof));
                }
            }
        }
    }

    fn reserve_for_us(
        &mut self,
        event: &Event,
        uetr: OperationId,
        transfer: &Transfer,
        proof: Proof,
    ) {
        let key = IncomingKey { debtor: event.submitter, uetr };
        match event.outcome {
            Outcome::Accepted => self.promised(key, &event.operation, transfer),
            Outcome::ReserveExpired => {
                self.not_received(key, IncomingState::Lapsed, reason::CREDITOR_TIMEOUT, proof);
            }
            _ => {}
        }
    }

    /// A post or a void took effect.
    fn reserve_ended(
        &mut self,
        kind: TransferKind,
        event: &Event,
        transfer: &Transfer,
        proof: Proof,
    ) {
        let uetr = transfer.pending;
        let voided = kind == TransferKind::Void;
        if Some(transfer.debit) == self.settings.account {
            if voided {
                let none = transfer.reason.as_str().is_empty();
                let reason = if none { reason::UNSPECIFIED } else { transfer.reason };
                self.rejected(uetr, reason, Some(proof));
            } else {
                self.settled(uetr, transfer.amount, proof);
            }
        }
        if event.submitter == self.settings.member
            && let Some(debtor) = self.directory.owner(transfer.debit)
        {
            let key = IncomingKey { debtor, uetr };
            if voided {
                self.not_received(key, IncomingState::Refused, transfer.reason, proof);
            } else {
                self.received(key, transfer.amount, proof);
            }
        }
    }

    pub(super) fn take_alias(&mut self, alias: AliasRow) {
        let tag = alias.tag;
        let submit = Operation::decode(&alias.operation);
        self.aliases.insert(tag, alias);
        self.moved_aliases.insert(tag);
        self.effects.actions.extend(submit.map(Action::Submit));
        self.retry(Subject::Alias(tag));
    }

    fn alias_set(&mut self, event: &Event, id: OperationId, setting: &AliasSetting) {
        let Some(alias) = self.aliases.get_mut(&setting.tag) else { return };
        let own = event.submitter == self.settings.member;
        let its = alias.operation == event.operation;
        debug_assert!(id.0 != 0, "the ledger refuses the id 0");
        let state = match event.outcome {
            Outcome::Accepted if own && its => AliasState::Active,
            Outcome::Accepted if !own => AliasState::Lost,
            Outcome::Exists => return,
            refusal if own && its && is_final(refusal) => AliasState::Refused,
            _ => return,
        };
        alias.state = state;
        self.moved_aliases.insert(setting.tag);
        self.timers.clear(Subject::Alias(setting.tag));
    }

    pub(super) fn wake_alias(&mut self, tag: Digest, pause: DurationMs) {
        let Some(alias) = self.aliases.get(&tag) else { return };
        if alias.state == AliasState::Asked {
            let submit = Operation::decode(&alias.operation);
            self.effects.actions.extend(submit.map(Action::Submit));
            self.retry_later(Subject::Alias(tag), pause);
        }
    }
}

/// Whether the ledger remembers this refusal: the same operation then never takes effect later.
/// Others, such as a suspension, may give way to acceptance while the operation has not expired.
fn is_final(refusal: Outcome) -> bool {
    !matches!(
        refusal,
        Outcome::MalformedOperation
            | Outcome::LinkedChainOpen
            | Outcome::Exists
            | Outcome::MemberSuspended
            | Outcome::NotAuthorised
    )
}
