//! Who takes part in instant payments: codes, accounts and keys from the genesis.
//!
//! Members that are admitted later are not in it until the edge is started with them configured;
//! following the ledger's admissions is to come.

use std::collections::HashMap;

use etibar_ledger::{Genesis, operation::AccountKind};
use etibar_primitives::{AccountId, Digest, MemberId, key::PublicKey};

/// A member as payments see it.
#[derive(Debug, Clone)]
pub struct Participant {
    /// Its id.
    pub member: MemberId,
    /// Its name, for people.
    pub name: String,
    /// Its code in messages.
    pub bic: String,
    /// Its account for instant payments, if it has one.
    pub account: Option<AccountId>,
    /// The keys that speak for it.
    pub keys: Vec<PublicKey>,
}

/// The members of a network.
#[derive(Debug, Clone)]
pub struct Directory {
    network: Digest,
    members: HashMap<MemberId, Participant>,
    by_bic: HashMap<[u8; 8], MemberId>,
    owners: HashMap<AccountId, MemberId>,
}

impl Directory {
    /// The members of `genesis`.
    pub fn new(genesis: &Genesis) -> Self {
        let account = |member: MemberId| {
            let mut its = genesis.accounts.iter().filter(|account| account.owner == member);
            its.find(|account| account.kind == AccountKind::Prefund).map(|account| account.id)
        };
        let participants = genesis.members.iter().map(|member| Participant {
            member: member.id,
            name: member.name.clone(),
            bic: member.bic.as_str().to_owned(),
            account: account(member.id),
            keys: member.keys.clone(),
        });
        let members: HashMap<_, _> = participants.map(|its| (its.member, its)).collect();
        let code = |its: &Participant| institution(&its.bic).map(|code| (code, its.member));
        Self {
            network: genesis.network(),
            by_bic: members.values().filter_map(code).collect(),
            owners: genesis.accounts.iter().map(|its| (its.id, its.owner)).collect(),
            members,
        }
    }

    /// The network's id.
    pub const fn network(&self) -> &Digest {
        &self.network
    }

    /// A member.
    pub fn member(&self, member: MemberId) -> Option<&Participant> {
        self.members.get(&member)
    }

    /// Every member.
    pub fn members(&self) -> impl Iterator<Item = &Participant> {
        self.members.values()
    }

    /// The member with this code; the branch of an 11-character code does not matter.
    pub fn by_bic(&self, bic: &str) -> Option<&Participant> {
        self.by_bic.get(&institution(bic)?).and_then(|member| self.members.get(member))
    }

    /// Who owns a ledger account.
    pub fn owner(&self, account: AccountId) -> Option<MemberId> {
        self.owners.get(&account).copied()
    }
}

/// The institution's part of a code.
fn institution(bic: &str) -> Option<[u8; 8]> {
    bic.as_bytes().first_chunk().copied()
}
