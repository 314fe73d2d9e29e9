//! The genesis: what all members agree on before the first block. Its digest is the network's id.

use alloc::{string::String, vec::Vec};

use etibar_primitives::{
    AccountId, Amount, BlockTime, Currency, Digest, Domain, DurationMs, MemberId, codec::Writer,
    key::PublicKey,
};
use serde::{Deserialize, Serialize};

use crate::{
    Ledger,
    operation::{
        AccountKind, AssuranceLevel, Bic, MemberRole, MemberStatus, Parameter, PurposeCode, Scope,
    },
    state::{Account, Issuer, Member, MemberKey, ParameterHistory, Purpose, Totals},
};

const GENESIS: Domain = Domain::new("etibar.genesis");
/// The format that the digest covers. 2: with issuers and purposes.
const VERSION: u16 = 2;

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
    /// The trust registry's first issuers.
    #[serde(default)]
    pub issuers: Vec<GenesisIssuer>,
    /// The first purposes.
    #[serde(default)]
    pub purposes: Vec<GenesisPurpose>,
}

/// An issuer registration from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisIssuer {
    /// The issuing member.
    pub member: MemberId,
    /// The digest of the credential type's identifier (`vct`).
    pub credential_type: Digest,
    /// The digest of the issuer's certificate.
    pub certificate: Digest,
    /// The highest level it may attest.
    pub ceiling: AssuranceLevel,
    /// Before this it may issue nothing.
    pub valid_from: BlockTime,
    /// From this on it may issue nothing.
    pub valid_until: BlockTime,
}

/// A purpose from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisPurpose {
    /// Its code, not zero.
    pub code: PurposeCode,
    /// The data that may be asked at most.
    pub scope: Scope,
    /// The longest that a consent may run, in milliseconds.
    pub duration_max_ms: u64,
    /// The digest of the purpose's document.
    pub document: Digest,
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
    /// Each member and type at most once, of a member, with a window that is not empty.
    #[error("an issuer is listed twice, is no member or may never issue")]
    Issuers,
    /// Each code at most once, with a code, a scope and a duration.
    #[error("a purpose is listed twice or allows nothing")]
    Purposes,
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
        self.check_registry(&members)?;
        self.opening_total().map(|_| ()).ok_or(GenesisError::Opening)
    }

    fn check_registry(&self, members: &[MemberId]) -> Result<(), GenesisError> {
        let keys: Vec<_> =
            self.issuers.iter().map(|its| (its.member, its.credential_type)).collect();
        let may_issue = |issuer: &GenesisIssuer| {
            members.contains(&issuer.member) && issuer.valid_from < issuer.valid_until
        };
        if !unique(&keys) || !self.issuers.iter().all(may_issue) {
            return Err(GenesisError::Issuers);
        }
        let codes: Vec<_> = self.purposes.iter().map(|purpose| purpose.code).collect();
        let allows = |its: &GenesisPurpose| {
            its.code != PurposeCode(0) && !its.scope.is_empty() && its.duration_max_ms > 0
        };
        if !unique(&codes) || !self.purposes.iter().all(allows) {
            return Err(GenesisError::Purposes);
        }
        Ok(())
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
        self.encode_registry(&mut out);
        GENESIS.hash(&out)
    }

    fn encode_registry(&self, out: &mut Vec<u8>) {
        out.put_count(self.issuers.len());
        for issuer in &self.issuers {
            out.put_u32(issuer.member.0);
            out.put(&issuer.credential_type.0);
            out.put(&issuer.certificate.0);
            out.put_u8(issuer.ceiling.code());
            out.put_u64(issuer.valid_from.0);
            out.put_u64(issuer.valid_until.0);
        }
        out.put_count(self.purposes.len());
        for purpose in &self.purposes {
            out.put_u16(purpose.code.0);
            out.put_u32(purpose.scope.0);
            out.put_u64(purpose.duration_max_ms);
            out.put(&purpose.document.0);
        }
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
        self.build_registry(&mut ledger);
        ledger
    }

    fn build_registry(&self, ledger: &mut Ledger) {
        for its in &self.issuers {
            let GenesisIssuer { certificate, ceiling, valid_from, valid_until, .. } = *its;
            let row = Issuer { certificate, ceiling, valid_from, valid_until };
            ledger.issuers.set((its.member, its.credential_type), Some(row));
        }
        for its in &self.purposes {
            let GenesisPurpose { code, scope, duration_max_ms, document } = *its;
            let (duration_max, retired) = (DurationMs(duration_max_ms), BlockTime::MAX);
            let row = Purpose { scope, duration_max, document, retired };
            ledger.purposes.set(code, Some(row));
        }
    }
}

fn unique<T: Ord + Copy>(items: &[T]) -> bool {
    let mut sorted = items.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).all(|pair| pair[0] != pair[1])
}
