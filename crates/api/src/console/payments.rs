//! The latest payments, put together from the banks' verified events.

use std::collections::{BTreeMap, VecDeque};

use etibar_client::VerifiedEvents;
use etibar_ledger::{
    Operation, Outcome,
    operation::{Action, ReasonCode, Transfer, TransferKind},
    receipt::Event,
};
use etibar_primitives::{AccountId, Amount, BlockTime, DurationMs, MemberId, OperationId};

/// How many payments are kept for the page.
pub(super) const PAYMENTS_KEPT: usize = 50;

/// What became of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The money is set aside and the creditor has not answered.
    Open,
    /// Settled in central-bank money.
    Settled,
    /// The creditor's bank refused.
    Rejected(ReasonCode),
    /// Nobody answered in time.
    Expired,
    /// The ledger refused.
    Refused(Outcome),
}

/// One payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Payment {
    pub(super) uetr: OperationId,
    pub(super) debtor: MemberId,
    pub(super) creditor: MemberId,
    pub(super) amount: Amount,
    /// When the debtor's bank made the order.
    pub(super) created: BlockTime,
    /// When the ledger decided last.
    pub(super) decided: BlockTime,
    pub(super) end: End,
    /// The operation whose receipt proves the end: its submitter and id.
    pub(super) proof: (MemberId, OperationId),
}

/// The latest payments and how many there were.
#[derive(Debug, Default)]
pub(super) struct Payments {
    latest: VecDeque<Payment>,
    owners: BTreeMap<AccountId, MemberId>,
    settled: u64,
    settled_minor_units: u64,
}

impl Payment {
    /// From the order to the decision.
    pub(super) fn latency(&self) -> DurationMs {
        self.decided.since(self.created)
    }
}

impl Payments {
    /// Knows whose an account is, for transfers that name no agents.
    pub(super) fn new(owners: BTreeMap<AccountId, MemberId>) -> Self {
        Self { owners, ..Self::default() }
    }

    /// Newest first.
    pub(super) fn latest(&self) -> impl Iterator<Item = &Payment> {
        self.latest.iter()
    }

    /// How many settled since this process began to look, and their sum in minor units.
    pub(super) const fn settled(&self) -> (u64, u64) {
        (self.settled, self.settled_minor_units)
    }

    /// Takes in events of `member`. Both banks of a payment tell of it: the debtor's counts.
    pub(super) fn note(&mut self, member: MemberId, page: &VerifiedEvents) {
        for event in &page.events {
            let Ok(operation) = Operation::decode(&event.operation) else { continue };
            let Action::Transfer(kind, transfer) = operation.action else { continue };
            if self.debtor_of(&transfer) == member {
                self.apply(event, operation.id, kind, &transfer, page.time);
            }
        }
    }

    fn apply(
        &mut self,
        event: &Event,
        id: OperationId,
        kind: TransferKind,
        transfer: &Transfer,
        time: BlockTime,
    ) {
        let proof = (event.submitter, id);
        let (uetr, end) = match (kind, event.outcome) {
            (TransferKind::Reserve, Outcome::Accepted) => (id, End::Open),
            (TransferKind::Reserve, Outcome::ReserveExpired) => (id, End::Expired),
            (TransferKind::Direct, Outcome::Accepted) => (id, End::Settled),
            // A repeat changes nothing, and neither does a late or double answer.
            (_, Outcome::Exists) => return,
            (TransferKind::Reserve | TransferKind::Direct, refusal) => (id, End::Refused(refusal)),
            (TransferKind::Post, Outcome::Accepted) => (transfer.pending, End::Settled),
            (TransferKind::Void, Outcome::Accepted) => {
                (transfer.pending, End::Rejected(transfer.reason))
            }
            _ => return,
        };
        if end == End::Settled {
            self.settled += 1;
            self.settled_minor_units =
                self.settled_minor_units.saturating_add(transfer.amount.minor_units());
        }
        if let Some(known) = self.latest.iter_mut().find(|known| known.uetr == uetr) {
            // The ledger decides once; events of one bank come in order.
            if known.end == End::Open {
                (known.end, known.decided, known.proof) = (end, time, proof);
            }
            return;
        }
        self.latest.push_front(Payment {
            uetr,
            debtor: self.debtor_of(transfer),
            creditor: self.owner(transfer.creditor_agent, transfer.credit),
            amount: transfer.amount,
            created: transfer.created,
            decided: time,
            end,
            proof,
        });
        self.latest.truncate(PAYMENTS_KEPT);
    }

    fn debtor_of(&self, transfer: &Transfer) -> MemberId {
        self.owner(transfer.debtor_agent, transfer.debit)
    }

    fn owner(&self, agent: MemberId, account: AccountId) -> MemberId {
        if agent == MemberId(0) {
            self.owners.get(&account).copied().unwrap_or(MemberId(0))
        } else {
            agent
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBTOR: MemberId = MemberId(2);
    const CREDITOR: MemberId = MemberId(3);

    fn event(id: u128, kind: TransferKind, pending: u128, outcome: Outcome) -> Event {
        let amount = Amount::new(1_050).unwrap();
        let mut transfer =
            Transfer::new(AccountId(2_002), AccountId(2_003), amount, BlockTime(1_000));
        transfer.pending = OperationId(pending);
        let action = Action::Transfer(kind, transfer);
        let operation = Operation { id: OperationId(id), linked: false, action };
        let submitter = if pending == 0 { DEBTOR } else { CREDITOR };
        Event { operation: operation.encode(), submitter, outcome }
    }

    fn noted(events: Vec<Event>) -> Payments {
        let owners = [(AccountId(2_002), DEBTOR), (AccountId(2_003), CREDITOR)].into();
        let mut payments = Payments::new(owners);
        let page = VerifiedEvents { first: 0, height: 1, time: BlockTime(1_400), events };
        // Both banks tell the same.
        payments.note(DEBTOR, &page);
        payments.note(CREDITOR, &page);
        payments
    }

    fn end_of(events: Vec<Event>) -> End {
        let payments = noted(events);
        let ends: Vec<_> = payments.latest().map(|payment| payment.end).collect();
        assert_eq!(ends.len(), 1);
        ends[0]
    }

    #[test]
    fn a_payment_that_two_banks_tell_of_is_shown_and_counted_once() {
        let payments = noted(vec![
            event(7, TransferKind::Reserve, 0, Outcome::Accepted),
            event(8, TransferKind::Post, 7, Outcome::Accepted),
        ]);
        assert_eq!(payments.settled(), (1, 1_050));
        let payment = *payments.latest().next().unwrap();
        assert_eq!(payments.latest().count(), 1);
        assert_eq!((payment.debtor, payment.creditor), (DEBTOR, CREDITOR));
        assert_eq!(payment.proof, (CREDITOR, OperationId(8)));
        assert_eq!(payment.latency(), DurationMs(400));
    }

    #[test]
    fn every_end_of_a_payment_is_told_apart() {
        let reserve = || event(7, TransferKind::Reserve, 0, Outcome::Accepted);
        assert_eq!(end_of(vec![reserve()]), End::Open);
        let expired = event(7, TransferKind::Reserve, 0, Outcome::ReserveExpired);
        assert_eq!(end_of(vec![reserve(), expired]), End::Expired);
        let refused = event(7, TransferKind::Reserve, 0, Outcome::ExceedsLiquidity);
        assert_eq!(end_of(vec![refused]), End::Refused(Outcome::ExceedsLiquidity));
        let repeat = event(7, TransferKind::Reserve, 0, Outcome::Exists);
        assert_eq!(end_of(vec![reserve(), repeat]), End::Open);
        let void = event(8, TransferKind::Void, 7, Outcome::Accepted);
        assert_eq!(end_of(vec![reserve(), void]), End::Rejected(ReasonCode([0; 4])));
    }

    #[test]
    fn no_more_payments_are_kept_than_fit_the_page() {
        let many = u128::try_from(PAYMENTS_KEPT).unwrap() + 1;
        let reserves = (1..=many).map(|id| event(id, TransferKind::Reserve, 0, Outcome::Accepted));
        assert_eq!(noted(reserves.collect()).latest().count(), PAYMENTS_KEPT);
    }
}
