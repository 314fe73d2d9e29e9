//! Who is in the sample network.

use etibar_ledger::operation::{AccountKind, Bic, MemberRole};
use etibar_primitives::{AccountId, Amount, MemberId};

/// A member of the sample network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SampleMember {
    /// Its id on the ledger.
    pub(crate) id: u32,
    /// Its name, for people.
    pub(crate) name: &'static str,
    /// Its code in messages; the first four letters open its customers' account numbers.
    pub(crate) bic: &'static str,
}

/// The operator first, then the ten banks.
pub(crate) const MEMBERS: [SampleMember; 11] = [
    member(1, "Mərkəzi Bank (sample)", "NABZAZ2C"),
    member(2, "ABB (sample)", "IBAZAZ2X"),
    member(3, "Kapital Bank (sample)", "AIIBAZ2X"),
    member(4, "PAŞA Bank (sample)", "PAHAAZ22"),
    member(5, "Xalq Bank (sample)", "HAJCAZ22"),
    member(6, "Bank Respublika (sample)", "BRESAZ22"),
    member(7, "Unibank (sample)", "UBAZAZ22"),
    member(8, "AccessBank (sample)", "ACABAZ22"),
    member(9, "Yelo Bank (sample)", "NICBAZ22"),
    member(10, "Rabitəbank (sample)", "RBTAAZ22"),
    member(11, "Azər-Türk Bank (sample)", "AZRTAZ22"),
];

/// Each bank's opening balance on each of its two accounts: 500 million manats.
const OPENING_MINOR_UNITS: u64 = 50_000_000_000;

const fn member(id: u32, name: &'static str, bic: &'static str) -> SampleMember {
    SampleMember { id, name, bic }
}

impl SampleMember {
    /// Its id on the ledger.
    pub(crate) const fn member_id(&self) -> MemberId {
        MemberId(self.id)
    }

    /// What it is.
    pub(crate) const fn role(&self) -> MemberRole {
        if self.id == 1 { MemberRole::Operator } else { MemberRole::Bank }
    }

    /// Its code in messages.
    pub(crate) fn code(&self) -> Bic {
        Bic::new(self.bic).expect("the table holds codes of eight letters and digits")
    }

    /// A bank's account for instant payments.
    pub(crate) fn prefund(&self) -> AccountId {
        AccountId(2_000 + u64::from(self.id))
    }

    /// The accounts it opens with: number, kind, balance.
    pub(crate) fn accounts(&self) -> Vec<(AccountId, AccountKind, Amount)> {
        if self.role() == MemberRole::Operator {
            return vec![(AccountId(1), AccountKind::Issue, Amount::ZERO)];
        }
        let opening = Amount::new(OPENING_MINOR_UNITS).expect("far below the largest amount");
        let id = u64::from(self.id);
        vec![
            (AccountId(1_000 + id), AccountKind::Settlement, opening),
            (self.prefund(), AccountKind::Prefund, opening),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_count_up_from_the_operator_and_every_name_says_sample() {
        for (index, member) in (1..).zip(&MEMBERS) {
            assert_eq!(member.id, index);
            assert!(member.name.ends_with("(sample)"));
            assert_eq!(member.code().as_str(), member.bic);
        }
    }
}
