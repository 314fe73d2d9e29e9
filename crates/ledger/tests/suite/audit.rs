//! The laws, each as a check of one executed block against what was known before it.

use std::collections::{BTreeMap, BTreeSet};

use etibar_ledger::{
    Executed, Ledger, Operation, Outcome,
    operation::{Action, MemberStatus, OPERATION_BYTES, TransferKind},
    receipt::Event,
    result::{BlockResult, TransactionResult},
    state::{OperationKey, ReserveEnd},
    transaction::TransactionView,
};
use etibar_primitives::{BlockTime, Digest, MemberId, codec::Reader, merkle};

use crate::{
    plan::{self, Drawer, Plan},
    world::{World, count, events_of},
};

/// One block with all that a law may want to see.
pub(crate) struct Seen<'a> {
    pub(crate) before: &'a Ledger,
    pub(crate) after: &'a Ledger,
    pub(crate) views: &'a [TransactionView<'a>],
    pub(crate) executed: &'a Executed,
    pub(crate) events: &'a [Event],
}

/// Runs a plan and shows every block to `law`.
pub(crate) fn run(plan: &Plan, mut law: impl FnMut(&Seen<'_>, &World)) -> World {
    let mut world = World::new(&plan::network());
    let network = *world.ledger.network();
    let mut drawer = Drawer::default();
    for (step, words) in plan {
        let step_ms = plan::step_ms(*step);
        let time = BlockTime(world.ledger.time().0 + step_ms);
        let transactions = drawer.block(&network, time, words);
        let before = world.ledger.clone();
        let executed = world.block(step_ms, &transactions);
        let views: Vec<_> = transactions
            .iter()
            .map(|bytes| TransactionView::parse(bytes, &network).expect("made well-formed"))
            .collect();
        let events = events_of(&executed, &views);
        let seen = Seen {
            before: &before,
            after: &world.ledger,
            views: &views,
            executed: &executed,
            events: &events,
        };
        law(&seen, &world);
    }
    world
}

fn action(event: &Event) -> Option<Action> {
    Operation::decode(&event.operation).ok().map(|operation| operation.action)
}

fn id(event: &Event) -> OperationKey {
    OperationKey { id: Operation::peek(&event.operation).0, submitter: event.submitter }
}

/// Whether this outcome is an operation's own, not one that says that it had one before.
fn is_terminal(outcome: Outcome) -> bool {
    let other = [Outcome::ReserveExpired, Outcome::MalformedOperation, Outcome::Exists];
    let different = [
        Outcome::ExistsWithDifferentKind,
        Outcome::ExistsWithDifferentAmount,
        Outcome::ExistsWithDifferentContent,
    ];
    !other.contains(&outcome) && !different.contains(&outcome)
}

/// (1) What is on accounts is what was issued less what was redeemed.
pub(crate) fn money_is_conserved(ledger: &Ledger) {
    let held = |issue: bool| -> i128 {
        let kind = ledger.accounts().filter(|(_, its)| its.may_be_negative() == issue);
        kind.map(|(_, account)| account.balance()).sum()
    };
    let outstanding: i128 = ledger
        .totals()
        .map(|(_, totals)| i128::from(totals.issued) - i128::from(totals.redeemed))
        .sum();
    assert_eq!(held(false), outstanding);
    assert_eq!(held(true), -outstanding);
    let pending = |side: fn(&etibar_ledger::state::Account) -> u64| -> u64 {
        ledger.accounts().map(|(_, account)| side(account)).sum()
    };
    assert_eq!(pending(|its| its.debits_pending), pending(|its| its.credits_pending));
    assert!(ledger.totals_hold(), "a running total is not the sum of its rows");
    assert_eq!(ledger.reserved_total(), u128::from(pending(|its| its.debits_pending)));
}

/// (2) No debit takes an account below its floor.
pub(crate) fn floors_hold(seen: &Seen<'_>) {
    for (id, account) in seen.after.accounts().filter(|(_, its)| !its.may_be_negative()) {
        assert!(account.available() >= 0, "{id} is below zero");
        let Some(before) = seen.before.account(id) else { continue };
        if before.floor == account.floor && !seen.events.iter().any(sets_floor) {
            let floor = i128::from(account.floor.minor_units());
            assert!(account.available() >= floor.min(before.available()), "{id} below its floor");
        }
    }
}

fn sets_floor(event: &Event) -> bool {
    matches!(action(event), Some(Action::SetFloor(_)))
}

/// (3) An id has one outcome that never changes.
#[derive(Default)]
pub(crate) struct Outcomes {
    told: BTreeMap<OperationKey, (Outcome, BlockTime)>,
    orders: BTreeSet<(MemberId, [u8; OPERATION_BYTES])>,
}

impl Outcomes {
    pub(crate) fn check(&mut self, seen: &Seen<'_>) {
        let mut here = BTreeSet::new();
        for event in seen.events.iter().filter(|event| is_terminal(event.outcome)) {
            let key = id(event);
            assert!(here.insert(key), "an id got two outcomes in one block");
            // An id may be used again when it is forgotten, but the same order is never done then.
            if matches!(action(event), Some(Action::Transfer(..))) {
                let first = self.orders.insert((event.submitter, event.operation));
                assert!(first || !event.outcome.is_accepted(), "an order was done late or twice");
            }
            if seen.before.find(key).is_some() {
                let (_, at) = self.told.get(&key).expect("an id is remembered when it was told");
                assert!(*at < seen.after.horizon(), "a remembered id was used again");
            }
            self.told.insert(key, (event.outcome, seen.after.time()));
        }
        for (key, (outcome, _)) in &self.told {
            assert!(seen.after.find(*key).is_none_or(|known| known.outcome == *outcome));
        }
    }
}

/// (4) A reserve ends once, and none outlives its expiry.
#[derive(Default)]
pub(crate) struct Reserves {
    open: BTreeMap<OperationKey, BlockTime>,
    ended: BTreeSet<OperationKey>,
}

impl Reserves {
    pub(crate) fn check(&mut self, seen: &Seen<'_>) {
        let owner = |account| seen.after.account(account).expect("accounts stay").owner;
        for event in seen.events {
            let Some(Action::Transfer(kind, transfer)) = action(event) else { continue };
            let pending =
                || OperationKey { id: transfer.pending, submitter: owner(transfer.debit) };
            match (event.outcome, kind) {
                (Outcome::ReserveExpired, _) => self.end(id(event), seen, ReserveEnd::Expired),
                (Outcome::Accepted, TransferKind::Reserve) => {
                    assert!(transfer.expires > seen.after.time());
                    self.open.insert(id(event), transfer.expires);
                }
                (Outcome::Accepted, TransferKind::Post) => {
                    self.end(pending(), seen, ReserveEnd::Posted);
                }
                (Outcome::Accepted, TransferKind::Void) => {
                    self.end(pending(), seen, ReserveEnd::Voided);
                }
                _ => {}
            }
        }
        assert_eq!(seen.after.open_reserves(), self.open.len());
        for (key, expires) in &self.open {
            assert!(*expires > seen.after.time(), "a reserve outlived its expiry");
            assert_eq!(seen.after.reserve(*key).map(|its| its.expires), Some(*expires));
        }
    }

    fn end(&mut self, key: OperationKey, seen: &Seen<'_>, end: ReserveEnd) {
        let expires = self.open.remove(&key).expect("only an open reserve ends");
        assert_eq!(expires <= seen.after.time(), end == ReserveEnd::Expired);
        assert!(self.ended.insert(key), "a reserve ended twice");
        // The id may be forgotten, or used again for something else in this very block.
        let same = |known: &&etibar_ledger::state::Known| {
            known.kind == 2 && (end != ReserveEnd::Expired || known.height < seen.after.height())
        };
        if let Some(known) = seen.after.find(key).filter(same) {
            assert_eq!(known.end, Some((end, seen.after.height())));
        }
    }
}

/// What members owe each other is what they ordered since the last settlement, and whoever has a
/// part in a settlement hears of it.
#[derive(Default)]
pub(crate) struct Debts {
    open: BTreeMap<(MemberId, MemberId), u64>,
    pub(crate) settlements: u64,
}

impl Debts {
    pub(crate) fn check(&mut self, seen: &Seen<'_>) {
        for event in seen.events.iter().filter(|event| event.outcome.is_accepted()) {
            match action(event) {
                Some(Action::ReuseKyc(its)) => {
                    *self.open.entry((event.submitter, its.provider)).or_default() +=
                        its.fee.minor_units();
                }
                Some(Action::SettleObligations(its)) => {
                    let stays = |pair: &(MemberId, MemberId)| {
                        its.excluded.contains(pair.0) || its.excluded.contains(pair.1)
                    };
                    let settled = self.open.keys().filter(|pair| !stays(pair));
                    let mut told: BTreeSet<_> = settled.flat_map(|its| [its.0, its.1]).collect();
                    assert!(!told.is_empty(), "a settlement of nothing");
                    told.insert(event.submitter);
                    assert_eq!(told_by_state(seen, event), told);
                    self.open.retain(|pair, _| stays(pair));
                    self.settlements += 1;
                }
                _ => {}
            }
        }
        let open: BTreeMap<_, _> = seen
            .after
            .obligations()
            .map(|(debtor, creditor, owed)| ((debtor, creditor), owed.amount.minor_units()))
            .collect();
        assert_eq!(open, self.open);
    }
}

/// (6) Each party hears of an event once, nobody else does, and the roots say so.
pub(crate) fn parties_hear(seen: &Seen<'_>) {
    for (position, event) in seen.events.iter().enumerate() {
        let told: BTreeSet<_> = seen
            .executed
            .result
            .members
            .iter()
            .filter(|its| its.positions.iter().any(|its| u64::from(*its) == count(position)))
            .map(|its| its.member)
            .collect();
        assert_eq!(told, concerned(seen, event), "{event:?}");
    }
}

fn concerned(seen: &Seen<'_>, event: &Event) -> BTreeSet<MemberId> {
    let mut members = BTreeSet::from([event.submitter]);
    match (event.outcome, action(event)) {
        (Outcome::Exists, _) => members.clear(),
        (Outcome::Accepted | Outcome::ReserveExpired, Some(action)) => {
            let mut owners = Vec::new();
            match action {
                Action::Transfer(_, its) => owners.extend([its.debit, its.credit]),
                Action::SetAccountStatus(its) => owners.push(its.account),
                Action::SetFloor(its) => owners.push(its.account),
                Action::OpenAccount(its) => owners.push(its.account),
                Action::SetMemberStatus(its) => drop(members.insert(its.member)),
                Action::GrantConsent(its) => drop(members.insert(its.provider)),
                Action::ReuseKyc(its) => drop(members.insert(its.provider)),
                Action::SetAlias(_) | Action::RevokeConsent(_) | Action::SettleObligations(_) => {
                    return told_by_state(seen, event);
                }
                _ => {}
            }
            let owner = |id| seen.after.account(id).expect("accounts stay").owner;
            members.extend(owners.into_iter().map(owner));
        }
        _ => {}
    }
    members
}

/// The parties of an operation that depend on what the block did before: as they were told.
fn told_by_state(seen: &Seen<'_>, event: &Event) -> BTreeSet<MemberId> {
    let position = seen.events.iter().position(|its| core::ptr::eq(its, event));
    let position = count(position.expect("the event is the block's"));
    let heard = |its: &&etibar_ledger::result::MemberEvents| {
        its.positions.iter().any(|its| u64::from(*its) == position)
    };
    let members = seen.executed.result.members.iter().filter(heard).map(|its| its.member);
    let members: BTreeSet<_> = members.collect();
    let many = matches!(action(event), Some(Action::SettleObligations(_)));
    assert!(members.contains(&event.submitter) && (many || members.len() <= 3));
    members
}

/// (6) The roots are those of the events told, and the result is what its bytes say.
pub(crate) fn roots_are_of_the_events(seen: &Seen<'_>) {
    let leaves: Vec<Digest> = seen.events.iter().map(Event::leaf).collect();
    assert_eq!(seen.executed.result.summaries(&leaves), seen.executed.summaries);
    for (events, summary) in seen.executed.result.members.iter().zip(&seen.executed.summaries) {
        assert_eq!(summary.root, merkle::root(&events.leaves(&leaves)));
        assert_eq!(summary.first, seen.before.event_count(events.member));
        let told = count(events.positions.len());
        assert_eq!(seen.after.event_count(events.member), summary.first + told);
    }
    let mut bytes = Vec::new();
    seen.executed.result.encode(&mut bytes);
    let mut reader = Reader::new(&bytes);
    assert_eq!(BlockResult::decode(&mut reader).as_ref(), Ok(&seen.executed.result));
    assert_eq!(reader.finish(), Ok(()));
}

/// (7) Linked operations are accepted together or not at all.
pub(crate) fn groups_are_whole(seen: &Seen<'_>) {
    for (view, result) in seen.views.iter().zip(&seen.executed.result.transactions) {
        let TransactionResult::Executed(outcomes) = result else { continue };
        let mut group: Vec<Outcome> = Vec::new();
        for (bytes, outcome) in view.operations().zip(outcomes) {
            group.push(*outcome);
            if !Operation::peek(bytes).1 {
                let accepted = group.iter().filter(|outcome| outcome.is_accepted()).count();
                assert!(accepted == 0 || accepted == group.len(), "{group:?}");
                group.clear();
            }
        }
        assert!(group.iter().all(|outcome| !outcome.is_accepted()), "an open chain was done");
    }
}

/// (10) A member that is suspended all through a block debits nothing in it.
pub(crate) fn suspended_members_debit_nothing(seen: &Seen<'_>) {
    let sets = |event: &Event| matches!(action(event), Some(Action::SetMemberStatus(_)));
    if seen.events.iter().any(sets) {
        return;
    }
    let suspended = |(id, _): &(MemberId, _)| {
        seen.before.member(*id).is_some_and(|its| its.status == MemberStatus::Suspended)
    };
    for (member, _) in seen.after.members().filter(suspended) {
        for event in seen.events.iter().filter(|event| event.submitter == member) {
            let void = matches!(action(event), Some(Action::Transfer(TransferKind::Void, _)));
            assert!(event.outcome != Outcome::Accepted || void, "{event:?}");
        }
        for (id, account) in seen.after.accounts().filter(|(_, its)| its.owner == member) {
            let debits =
                |its: &etibar_ledger::state::Account| its.debits_posted + its.debits_pending;
            let before = seen.before.account(id).map_or(0, debits);
            assert!(debits(account) <= before, "{id} was debited");
        }
    }
}
