//! The genesis: what all members agree on before the first block. Its digest is the network's id.

use alloc::{string::String, vec::Vec};

use etibar_primitives::{
    AccountId, Amount, BlockTime, Currency, Digest, Domain, MemberId, codec::Writer, key::PublicKey,
};
use serde::{Deserialize, Serialize};

use crate::{
    Ledger,
    operation::{AccountKind, Bic, MemberRole, MemberStatus, Parameter},
    state::{Account, Member, MemberKey, ParameterHistory, Totals},
};

const GENESIS: Domain = Domain::new("etibar.genesis");
/// The format that the digest covers.
const VERSION: u16 = 1;

/// The agreed start of a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// The network's name, for people.
    pub name: String,
    /// The time of block 0.
    pub time: BlockTime,
    /// The validators' public keys; 3f + 1 of them tolerate f that fail in any way.
    pub validators: Vec<PublicKey>,
    /// The first members; exactly one is the operator.
    pub members: Vec<GenesisMember>,
    /// The first accounts.
    pub accounts: Vec<GenesisAccount>,
    /// Parameters that differ from their default.
    #[serde(default)]
    pub parameters: Vec<(Parameter, u64)>,
}

/// A member from the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisMember {
    /// Its id.
    pub id: MemberId,
    /// The organisation's name, for people.
    pub name: String,
    /// What it is.
    pub role: MemberRole,
    /// Its code in messages.
    pub bic: Bic,
    /// The keys that speak for it.
    pub keys: Vec<PublicKey>,
}

/// An account from the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisAccount {
    /// Its id.
    pub id: AccountId,
    /// Who may debit it.
    pub owner: MemberId,
    /// What it is for. One issue account is the other side of all opening balances.
    pub kind: AccountKind,
    /// Its opening balance in AZN minor units; zero for the issue account.
    pub opening: Amount,
}

/// Why a genesis cannot start a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// There must be exactly one.
    #[error("a genesis has exactly one operator")]
    Operator,
    /// There must be exactly one, with no opening balance.
    #[error("a genesis has exactly one issue account, without an opening balance, of the operator")]
    IssueAccount,
    /// Ids are unique and above zero.
    #[error("ids of members and accounts are unique and not zero")]
    Ids,
    /// Each account's owner is a member.
    #[error("an account's owner is no member")]
    Owner,
    /// Keys are unique among members; each member has 1 to 16.
    #[error("each member has 1 to 16 keys that no other member has")]
    Keys,
    /// 1 to 200 validators, each once.
    #[error("there are 1 to 200 validators, each listed once")]
    Validators,
    /// Each parameter at most once, with a value that the rulebook allows.
    #[error("a parameter is listed twice or has a value that is not allowed")]
    Parameters,
    /// All opening balances together fit an amount.
    #[error("the opening balances are too large together")]
    Opening,
}

/// The most validators of a network.
pub const VALIDATORS_MAX: usize = 200;

impl Genesis {
    /// Checks that a network can start from this.
    pub fn check(&self) -> Result<(), GenesisError> {
        let operators = self.members.iter().filter(|member| member.role == MemberRole::Operator);
        let operators: Vec<_> = operators.map(|member| member.id).collect();
        let [operator] = operators[..] else { return Err(GenesisError::Operator) };
        let mut issues = self.accounts.iter().filter(|its| its.kind == AccountKind::Issue);
        match (issues.next(), issues.next()) {
            (Some(issue), None) if issue.opening.is_zero() && issue.owner == operator => {}
            _ => return Err(GenesisError::IssueAccount),
        }
        let members: Vec<_> = self.members.iter().map(|member| member.id).collect();
        let accounts: Vec<_> = self.accounts.iter().map(|account| account.id).collect();
        let zero = members.contains(&MemberId(0)) || accounts.contains(&AccountId(0));
        if zero || !unique(&members) || !unique(&accounts) {
            return Err(GenesisError::Ids);
        }
        if self.accounts.iter().any(|account| !members.contains(&account.owner)) {
            return Err(GenesisError::Owner);
        }
        let keys: Vec<_> = self.members.iter().flat_map(|member| &member.keys).collect();
        let counts = self.members.iter().all(|member| (1..=16).contains(&member.keys.len()));
        if !counts || !unique(&keys) {
            return Err(GenesisError::Keys);
        }
        let few = (1..=VALIDATORS_MAX).contains(&self.validators.len());
        if !few || !unique(&self.validators) {
            return Err(GenesisError::Validators);
        }
        let names: Vec<_> = self.parameters.iter().map(|(parameter, _)| *parameter).collect();
        let allowed = self.parameters.iter().all(|(parameter, value)| parameter.allows(*value));
        if !allowed || !unique(&names) {
            return Err(GenesisError::Parameters);
        }
        self.opening_total().map(|_| ()).ok_or(GenesisError::Opening)
    }

    /// The network's id.
    pub fn network(&self) -> Digest {
        let mut out = Vec::new();
        out.put_u16(VERSION);
        out.put_prefixed(self.name.as_bytes());
        out.put_u64(self.time.0);
        out.put_count(self.validators.len());
        self.validators.iter().for_each(|key| out.put(&key.0));
        out.put_count(self.members.len());
        for member in &self.members {
            out.put_u32(member.id.0);
            out.put_prefixed(member.name.as_bytes());
            out.put_u8(member.role.code());
            out.put(&member.bic.to_bytes());
            out.put_count(member.keys.len());
            member.keys.iter().for_each(|key| out.put(&key.0));
        }
        out.put_count(self.accounts.len());
        for account in &self.accounts {
            out.put_u64(account.id.0);
            out.put_u32(account.owner.0);
            out.put_u8(account.kind.code());
            out.put_u64(account.opening.minor_units());
        }
        out.put_count(self.parameters.len());
        for (parameter, value) in &self.parameters {
            out.put_u16(parameter.code());
            out.put_u64(*value);
        }
        GENESIS.hash(&out)
    }

    fn opening_total(&self) -> Option<Amount> {
        let mut openings = self.accounts.iter().map(|account| account.opening);
        openings.try_fold(Amount::ZERO, Amount::checked_add)
    }

    /// The ledger at height 0.
    ///
    /// # Panics
    /// When [`Genesis::check`] refuses the genesis.
    pub(crate) fn build(&self) -> Ledger {
        self.check().expect("a network starts from a checked genesis");
        let mut ledger = Ledger::empty(self.network());
        ledger.time = self.time;
        for member in &self.members {
            let whole_life = |key: &PublicKey| MemberKey {
                key: *key,
                valid_from: BlockTime(0),
                valid_until: BlockTime::MAX,
            };
            let keys = member.keys.iter().map(whole_life).collect();
            let status = MemberStatus::Active;
            let row = Member { role: member.role, status, bic: member.bic, keys };
            ledger.members.set(member.id, Some(row));
        }
        let total = self.opening_total().expect("the genesis was checked").minor_units();
        for account in &self.accounts {
            let mut row = Account::new(account.owner, account.kind, Currency::AZN);
            row.credits_posted = account.opening.minor_units();
            if row.may_be_negative() {
                row.debits_posted = total;
            }
            ledger.accounts.set(account.id, Some(row));
        }
        ledger.totals.set(Currency::AZN, Some(Totals { issued: total, redeemed: 0 }));
        for (parameter, value) in &self.parameters {
            let values = [(BlockTime(0), *value)].into();
            ledger.parameters.set(*parameter, Some(ParameterHistory { values }));
        }
        ledger
    }
}

fn unique<T: Ord + Copy>(items: &[T]) -> bool {
    let mut sorted = items.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).all(|pair| pair[0] != pair[1])
}
