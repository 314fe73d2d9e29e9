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

/// The agencies of the sample country: who attests what, in the order of their ids. The first is
/// the registrar. Their codes are invented: agencies have none.
pub(crate) const AGENCIES: [SampleMember; 15] = [
    member(12, "Daxili İşlər Nazirliyi (sample)", "DINXAZ2X"),
    member(13, "Dövlət Yol Polisi (sample)", "DYPXAZ2X"),
    member(14, "Ədliyyə Nazirliyi (sample)", "EDLXAZ2X"),
    member(15, "Dövlət Vergi Xidməti (sample)", "DVXXAZ2X"),
    member(16, "Əmək və Əhalinin Sosial Müdafiəsi Nazirliyi (sample)", "EESMAZ2X"),
    member(17, "Dövlət Sosial Müdafiə Fondu (sample)", "DSMFAZ2X"),
    member(18, "Dövlət Gömrük Komitəsi (sample)", "DGKXAZ2X"),
    member(19, "Əmlak Məsələləri Dövlət Xidməti (sample)", "EMDXAZ2X"),
    member(20, "Dövlət Miqrasiya Xidməti (sample)", "DMXXAZ2X"),
    member(21, "Elm və Təhsil Nazirliyi (sample)", "ETNXAZ2X"),
    member(22, "İcbari Tibbi Sığorta Agentliyi (sample)", "ITSXAZ2X"),
    member(23, "İnnovasiya və Rəqəmsal İnkişaf Agentliyi (sample)", "IRIXAZ2X"),
    member(24, "Maliyyə Monitorinqi Xidməti (sample)", "MMXXAZ2X"),
    member(25, "Azərbaycan Kredit Bürosu (sample)", "AKBXAZ2X"),
    member(26, "Əmanətlərin Sığortalanması Fondu (sample)", "ESFXAZ2X"),
];

/// Whose key the hosted wallet reads the ledger with: the digital agency runs it.
pub(crate) const WALLET_OPERATOR: &SampleMember = &AGENCIES[11];

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
        match self.id {
            1 => MemberRole::Operator,
            2..=11 => MemberRole::Bank,
            _ => MemberRole::Agency,
        }
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
        match self.role() {
            MemberRole::Operator => return vec![(AccountId(1), AccountKind::Issue, Amount::ZERO)],
            MemberRole::Agency => return Vec::new(),
            MemberRole::Bank => {}
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
        for (index, member) in (1..).zip(MEMBERS.iter().chain(&AGENCIES)) {
            assert_eq!(member.id, index);
            assert!(member.name.ends_with("(sample)"));
            assert_eq!(member.code().as_str(), member.bic);
        }
    }

    #[test]
    fn the_agencies_are_those_that_know_what_they_attest() {
        use etibar_agency::agencies::Agency;
        let known = Agency::ALL.map(Agency::member);
        assert_eq!(AGENCIES.map(|agency| agency.member_id()), known);
        assert_eq!(WALLET_OPERATOR.member_id(), Agency::Digital.member());
    }
}
