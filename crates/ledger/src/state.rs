//! The state: what the ledger knows between blocks, and how it is written down.

use alloc::{
    collections::{BTreeSet, btree_map::BTreeMap},
    vec::Vec,
};

use etibar_primitives::{AccountId, BlockTime, Currency, Digest, MemberId};

use crate::{
    genesis::Genesis,
    operation::{AccountKind, AccountStatus, Excluded, Parameter, PurposeCode},
    result::TransactionRefusal,
    transaction::TransactionView,
};

mod memory;
mod record;
mod restore;
mod rows;
mod sums;
mod table;

pub use memory::{Known, OperationKey, ReserveEnd};
pub use restore::RestoreError;
pub use rows::{
    Account, Alias, Consent, Evidence, Issuer, Member, MemberKey, Obligation, ParameterHistory,
    Purpose, Reserve, StatusList, Totals,
};

pub(crate) use memory::Memory;
pub use record::{Change, VALUE_BYTES_MAX};
pub(crate) use rows::{CHANGES_MAX, KEYS_MAX};
pub(crate) use sums::Sums;
pub(crate) use table::Table;

/// The whole state of the ledger.
///
/// Hot and dense in memory; every block's changes are given as key and value for an authenticated
/// store, from whose values [`Ledger::restore`] makes the same ledger again.
#[derive(Debug, Clone)]
pub struct Ledger {
    pub(crate) network: Digest,
    pub(crate) height: u64,
    pub(crate) time: BlockTime,
    /// The earliest `created` that an order may carry. It never falls: ids of orders before it
    /// are forgotten for good, also when the retention grows later.
    pub(crate) horizon: BlockTime,
    pub(crate) members: Table<MemberId, Member>,
    pub(crate) accounts: Table<AccountId, Account>,
    pub(crate) reserves: Table<OperationKey, Reserve>,
    pub(crate) parameters: Table<Parameter, ParameterHistory>,
    pub(crate) aliases: Table<Digest, Alias>,
    pub(crate) consents: Table<Digest, Consent>,
    pub(crate) issuers: Table<(MemberId, Digest), Issuer>,
    pub(crate) evidence: Table<MemberId, Evidence>,
    pub(crate) totals: Table<Currency, Totals>,
    pub(crate) feeds: Table<MemberId, u64>,
    pub(crate) purposes: Table<PurposeCode, Purpose>,
    pub(crate) status_lists: Table<(MemberId, u32), StatusList>,
    /// What the first member owes the second.
    pub(crate) obligations: Table<(MemberId, MemberId), Obligation>,
    pub(crate) memory: Memory,
    /// The reserves that the linked group in work has ended; empty between groups.
    pub(crate) group_ends: Vec<(OperationKey, ReserveEnd)>,
    /// When each open reserve lapses. Derived; may name reserves that have ended.
    pub(crate) expiries: BTreeSet<(BlockTime, OperationKey)>,
    /// When each consent expires. Derived; may name consents that a failed group took back.
    pub(crate) consent_ends: BTreeSet<(BlockTime, Digest)>,
    pub(crate) sums: Sums,
}

impl Ledger {
    pub(crate) fn empty(network: Digest) -> Self {
        Self {
            network,
            height: 0,
            time: BlockTime(0),
            horizon: BlockTime(0),
            members: Table::new(),
            accounts: Table::new(),
            reserves: Table::new(),
            parameters: Table::new(),
            aliases: Table::new(),
            consents: Table::new(),
            issuers: Table::new(),
            evidence: Table::new(),
            totals: Table::new(),
            feeds: Table::new(),
            purposes: Table::new(),
            status_lists: Table::new(),
            obligations: Table::new(),
            memory: Memory::default(),
            group_ends: Vec::new(),
            expiries: BTreeSet::new(),
            consent_ends: BTreeSet::new(),
            sums: Sums::default(),
        }
    }

    /// The state at height 0, and its rows for the authenticated store.
    pub fn genesis(genesis: &Genesis) -> (Self, Vec<Change>) {
        let mut ledger = genesis.build();
        let changes = ledger.drain_changes();
        ledger.assert_invariants();
        (ledger, changes)
    }

    /// The network's id: the digest of its genesis.
    pub const fn network(&self) -> &Digest {
        &self.network
    }

    /// The height of the last executed block.
    pub const fn height(&self) -> u64 {
        self.height
    }

    /// The time of the last executed block.
    pub const fn time(&self) -> BlockTime {
        self.time
    }

    /// The earliest `created` that an order may carry.
    pub const fn horizon(&self) -> BlockTime {
        self.horizon
    }

    /// An account.
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(&id)
    }

    /// Every account by rising id.
    pub fn accounts(&self) -> impl Iterator<Item = (AccountId, &Account)> {
        self.accounts.iter().map(|(id, account)| (*id, account))
    }

    /// A member.
    pub fn member(&self, id: MemberId) -> Option<&Member> {
        self.members.get(&id)
    }

    /// Every member by rising id.
    pub fn members(&self) -> impl Iterator<Item = (MemberId, &Member)> {
        self.members.iter().map(|(id, member)| (*id, member))
    }

    /// Who holds the alias with this keyed tag, and the handle of the account there.
    pub fn alias(&self, tag: &Digest) -> Option<&Alias> {
        self.aliases.get(tag)
    }

    /// A consent by its random identifier.
    pub fn consent(&self, rel: &Digest) -> Option<&Consent> {
        self.consents.get(rel)
    }

    /// An issuer registration.
    pub fn issuer(&self, member: MemberId, credential_type: Digest) -> Option<&Issuer> {
        self.issuers.get(&(member, credential_type))
    }

    /// Every issuer registration by rising member and type: whose, of which type, and what it says.
    pub fn issuers(&self) -> impl Iterator<Item = (MemberId, Digest, &Issuer)> {
        self.issuers.iter().map(|((member, credential), issuer)| (*member, *credential, issuer))
    }

    /// A purpose, also a retired one.
    pub fn purpose(&self, code: PurposeCode) -> Option<&Purpose> {
        self.purposes.get(&code)
    }

    /// Every purpose by rising code, also the retired ones.
    pub fn purposes(&self) -> impl Iterator<Item = (PurposeCode, &Purpose)> {
        self.purposes.iter().map(|(code, purpose)| (*code, purpose))
    }

    /// How many consents of a consumer the ledger holds, ended ones that are kept included.
    pub fn consent_count(&self, consumer: MemberId) -> u64 {
        self.sums.consents(consumer)
    }

    /// The latest anchor of a member's status list.
    pub fn status_list(&self, member: MemberId, list: u32) -> Option<&StatusList> {
        self.status_lists.get(&(member, list))
    }

    /// What is owed: debtor, creditor and the sum since the last settlement.
    pub fn obligations(&self) -> impl Iterator<Item = (MemberId, MemberId, &Obligation)> {
        self.obligations.iter().map(|((debtor, creditor), owed)| (*debtor, *creditor, owed))
    }

    /// What each member that owes or is owed would get (above zero) or pay (below zero) if all open
    /// obligations but those of `excluded` were settled now, in minor units.
    pub fn net_positions(&self, excluded: &Excluded) -> BTreeMap<MemberId, i128> {
        let mut nets = BTreeMap::new();
        for (debtor, creditor, owed) in self.obligations() {
            if excluded.contains(debtor) || excluded.contains(creditor) {
                continue;
            }
            let amount = i128::from(owed.amount.minor_units());
            *nets.entry(debtor).or_default() -= amount;
            *nets.entry(creditor).or_default() += amount;
        }
        nets
    }

    /// The account in which a member's obligations are settled: of its settlement accounts in AZN
    /// that are not closed, the one with the lowest id.
    pub fn settlement_account(&self, member: MemberId) -> Option<(AccountId, &Account)> {
        self.accounts().find(|(_, account)| {
            let own = account.owner == member && account.currency == Currency::AZN;
            let open = account.status != AccountStatus::Closed;
            own && open && account.kind == AccountKind::Settlement
        })
    }

    /// The latest evidence anchor of a member.
    pub fn evidence(&self, member: MemberId) -> Option<&Evidence> {
        self.evidence.get(&member)
    }

    /// Money issued and redeemed, for each currency.
    pub fn totals(&self) -> impl Iterator<Item = (Currency, &Totals)> {
        self.totals.iter().map(|(currency, totals)| (*currency, totals))
    }

    /// How many reserves are open.
    pub fn open_reserves(&self) -> usize {
        self.reserves.len()
    }

    /// All money that open reserves set aside, in minor units: a running total.
    pub fn reserved_total(&self) -> u128 {
        self.sums.reserved()
    }

    /// Whether the running totals are the sums of the rows. Reads every row: for tests.
    pub fn totals_hold(&self) -> bool {
        self.sums.hold(self)
    }

    /// An open reserve.
    pub fn reserve(&self, key: OperationKey) -> Option<&Reserve> {
        self.reserves.get(&key)
    }

    /// What is remembered of an operation, or `None` when it was never seen or is forgotten.
    pub fn find(&self, key: OperationKey) -> Option<&Known> {
        self.memory.get(&key)
    }

    /// How many events a member has had.
    pub fn event_count(&self, member: MemberId) -> u64 {
        self.feeds.get(&member).copied().unwrap_or(0)
    }

    /// A parameter's value at a time.
    pub fn parameter(&self, parameter: Parameter, at: BlockTime) -> u64 {
        let history = self.parameters.get(&parameter);
        history.and_then(|history| history.at(at)).unwrap_or(parameter.default_value())
    }

    /// Whether a transaction may be executed at `time`: window, member and key.
    pub fn admit(
        &self,
        transaction: &TransactionView<'_>,
        time: BlockTime,
    ) -> Result<(), TransactionRefusal> {
        let window = transaction.valid_until.since(transaction.valid_from);
        if window.0 > self.parameter(Parameter::TransactionValidityMaxMs, time) {
            return Err(TransactionRefusal::WindowTooLong);
        }
        if time < transaction.valid_from {
            return Err(TransactionRefusal::NotYetValid);
        }
        if time >= transaction.valid_until {
            return Err(TransactionRefusal::Expired);
        }
        let member =
            self.members.get(&transaction.member).ok_or(TransactionRefusal::MemberUnknown)?;
        if member.speaks(&transaction.key, time) {
            Ok(())
        } else {
            Err(TransactionRefusal::KeyNotActive)
        }
    }

    pub(crate) fn begin_group(&mut self) {
        self.members.begin();
        self.accounts.begin();
        self.reserves.begin();
        self.parameters.begin();
        self.aliases.begin();
        self.consents.begin();
        self.issuers.begin();
        self.evidence.begin();
        self.totals.begin();
        self.purposes.begin();
        self.status_lists.begin();
        self.obligations.begin();
        self.sums.begin();
    }

    pub(crate) fn group_is_open(&self) -> bool {
        self.accounts.is_open()
    }

    /// Keeps what was written since [`Ledger::begin_group`], or takes all of it back.
    pub(crate) fn end_group(&mut self, keep: bool) {
        self.group_ends.clear();
        self.members.end(keep);
        self.accounts.end(keep);
        self.reserves.end(keep);
        self.parameters.end(keep);
        self.aliases.end(keep);
        self.consents.end(keep);
        self.issuers.end(keep);
        self.evidence.end(keep);
        self.totals.end(keep);
        self.purposes.end(keep);
        self.status_lists.end(keep);
        self.obligations.end(keep);
        self.sums.end(keep);
    }

    /// Panics unless every invariant of the crate's documentation holds.
    pub(crate) fn assert_invariants(&self) {
        let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
        let mut pending: (u128, u128) = (0, 0);
        for (id, account) in self.accounts.iter() {
            let sum = sums.entry(account.currency).or_default();
            *sum += account.balance();
            assert!(account.available() >= 0 || account.may_be_negative(), "{id} is below zero");
            pending.0 += u128::from(account.debits_pending);
            pending.1 += u128::from(account.credits_pending);
        }
        for (currency, sum) in sums {
            assert_eq!(sum, 0, "debits and credits in {currency} differ");
        }
        assert_eq!(pending.0, pending.1, "pending debits and credits differ");
        let reserved = self.sums.reserved();
        assert_eq!(pending.0, reserved, "open reserves and pending amounts differ");
        for (currency, totals) in self.totals.iter() {
            let outstanding = i128::from(totals.issued) - i128::from(totals.redeemed);
            let issue = self
                .accounts
                .iter()
                .filter(|(_, account)| account.may_be_negative() && account.currency == *currency);
            let owed: i128 = issue.map(|(_, account)| -account.balance()).sum();
            assert_eq!(owed, outstanding, "issued less redeemed differs in {currency}");
        }
    }
}
