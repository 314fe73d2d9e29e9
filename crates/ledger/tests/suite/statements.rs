//! (9) A member that adds up its own events has the ledger's balances: opening and entries make the
//! closing statement, and nothing that moved its money was kept from it.

use std::collections::BTreeMap;

use etibar_ledger::{
    Ledger, Operation, Outcome,
    operation::{Action, Excluded, TransferKind},
    receipt::Event,
};
use etibar_primitives::{AccountId, MemberId};

use crate::{
    audit::{self, Seen},
    law::holds,
    plan::plans,
};

/// What each member wrote down.
#[derive(Default)]
struct Books {
    members: BTreeMap<MemberId, Book>,
    entries: u64,
}

/// One member's accounts, from its events alone.
#[derive(Default)]
struct Book {
    balances: BTreeMap<AccountId, i128>,
    /// What it owes (negative) and is owed for reused due diligence, by the other side.
    open: BTreeMap<MemberId, i128>,
}

impl Books {
    /// Everybody's opening balances.
    fn open(ledger: &Ledger) -> Self {
        let mut books = Self::default();
        for (id, account) in ledger.accounts() {
            let book = books.members.entry(account.owner).or_default();
            book.balances.insert(id, account.balance());
        }
        books
    }

    fn check(&mut self, seen: &Seen<'_>) {
        for heard in &seen.executed.result.members {
            let book = self.members.entry(heard.member).or_default();
            for position in &heard.positions {
                let event = &seen.events[usize::try_from(*position).expect("32 bits fit")];
                self.entries += u64::from(book.enter(heard.member, event, seen.after));
            }
        }
        for (id, account) in seen.after.accounts() {
            let stated = self.members[&account.owner].balances.get(&id).copied();
            assert_eq!(stated.unwrap_or_default(), account.balance(), "the statement of {id}");
        }
    }
}

impl Book {
    /// Enters an event; says whether it moved money.
    fn enter(&mut self, member: MemberId, event: &Event, ledger: &Ledger) -> bool {
        let accepted = event.outcome == Outcome::Accepted;
        let Ok(operation) = Operation::decode(&event.operation) else { return false };
        match operation.action {
            _ if !accepted => false,
            Action::Transfer(TransferKind::Reserve | TransferKind::Void, _) => false,
            Action::Transfer(_, transfer) => {
                let amount = i128::from(transfer.amount.minor_units());
                for (id, signed) in [(transfer.debit, -amount), (transfer.credit, amount)] {
                    if owner(ledger, id) == Some(member) {
                        *self.balances.entry(id).or_default() += signed;
                    }
                }
                true
            }
            Action::ReuseKyc(reuse) => {
                let fee = i128::from(reuse.fee.minor_units());
                let owes = event.submitter == member;
                let other = if owes { reuse.provider } else { event.submitter };
                *self.open.entry(other).or_default() += if owes { -fee } else { fee };
                false
            }
            Action::SettleObligations(settlement) => {
                self.settle(member, &settlement.excluded, ledger)
            }
            _ => false,
        }
    }

    fn settle(&mut self, member: MemberId, excluded: &Excluded, ledger: &Ledger) -> bool {
        if excluded.contains(member) {
            return false;
        }
        let settled: i128 = {
            let pairs = self.open.iter().filter(|(other, _)| !excluded.contains(**other));
            pairs.map(|(_, net)| *net).sum()
        };
        self.open.retain(|other, _| excluded.contains(*other));
        if settled == 0 {
            return false;
        }
        let own = ledger.settlement_account(member);
        let (id, _) = own.expect("whoever is settled has a settlement account");
        *self.balances.entry(id).or_default() += settled;
        true
    }
}

fn owner(ledger: &Ledger, id: AccountId) -> Option<MemberId> {
    ledger.account(id).map(|account| account.owner)
}

#[test]
fn what_a_member_hears_adds_up_to_its_balances() {
    let entries = std::cell::Cell::new(0_u64);
    holds(&plans(), |plan| {
        let mut books = None;
        audit::run(&plan, |seen, _| {
            books.get_or_insert_with(|| Books::open(seen.before)).check(seen);
        });
        entries.set(entries.get() + books.map_or(0, |books: Books| books.entries));
    });
    assert!(entries.get() > 0, "the plans move nothing");
}
