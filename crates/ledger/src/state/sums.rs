//! Sums over tables that a block must not add up anew: kept while rows are written, derived from
//! the rows when a ledger is restored.

use alloc::collections::BTreeMap;

use etibar_primitives::{Amount, MemberId};

use super::Ledger;

/// The sums, and what they were when the linked group in work began.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sums {
    now: Values,
    before_group: Option<Values>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Values {
    /// All open reserves, in minor units.
    reserved: u128,
    /// How many consents each consumer has on the ledger; nobody has zero.
    consents: BTreeMap<MemberId, u64>,
}

impl Sums {
    /// The sums over the rows of `ledger`.
    pub(super) fn of(ledger: &Ledger) -> Self {
        let mut sums = Self::default();
        ledger.reserves.iter().for_each(|(_, reserve)| sums.add_reserve(reserve.amount));
        ledger.consents.iter().for_each(|(_, consent)| sums.add_consent(consent.consumer));
        sums
    }

    pub(super) const fn reserved(&self) -> u128 {
        self.now.reserved
    }

    pub(super) fn consents(&self, consumer: MemberId) -> u64 {
        self.now.consents.get(&consumer).copied().unwrap_or(0)
    }

    pub(crate) fn add_reserve(&mut self, amount: Amount) {
        self.now.reserved += u128::from(amount.minor_units());
    }

    pub(crate) fn take_reserve(&mut self, amount: Amount) {
        let less = self.now.reserved.checked_sub(u128::from(amount.minor_units()));
        self.now.reserved = less.expect("an open reserve was added");
    }

    pub(crate) fn add_consent(&mut self, consumer: MemberId) {
        *self.now.consents.entry(consumer).or_insert(0) += 1;
    }

    pub(crate) fn take_consent(&mut self, consumer: MemberId) {
        let count = self.now.consents.get_mut(&consumer).expect("a consent was counted");
        *count -= 1;
        if *count == 0 {
            self.now.consents.remove(&consumer);
        }
    }

    pub(super) fn begin(&mut self) {
        self.before_group = Some(self.now.clone());
    }

    pub(super) fn end(&mut self, keep: bool) {
        let before = self.before_group.take();
        if let Some(before) = before.filter(|_| !keep) {
            self.now = before;
        }
    }

    /// Whether the sums are those of the rows: adds all up.
    pub(super) fn hold(&self, ledger: &Ledger) -> bool {
        self.now == Self::of(ledger).now
    }
}
