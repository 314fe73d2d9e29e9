//! A second ledger, naive on purpose: it copies itself before each group, sums what it needs to
//! know from lists, and shares no rule with the first one.

use std::collections::BTreeMap;

use etibar_ledger::{
    Genesis, Ledger, Operation, Outcome,
    genesis::GenesisPurpose,
    operation::{
        AccountKind, AccountStatus, Action, Excluded, MemberStatus, OPERATION_BYTES, Parameter,
        PurposeCode, ReasonCode, Scope, Transfer, TransferKind,
    },
    state::OperationKey,
};
use etibar_primitives::{AccountId, BlockTime, Digest, MemberId, OperationId};

use crate::world::{self, OPERATOR};

const TOLERANCE_MS: u64 = 60_000;
const LARGEST: i128 = (1 << 53) - 1;

#[derive(Clone)]
struct Account {
    owner: MemberId,
    kind: AccountKind,
    status: AccountStatus,
    floor: i128,
    balance: i128,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Open,
    Ended(Outcome),
}

#[derive(Clone)]
struct Reserve {
    id: (MemberId, OperationId),
    debit: AccountId,
    credit: AccountId,
    amount: i128,
    expires: BlockTime,
    state: State,
}

#[derive(Clone)]
struct Used {
    bytes: [u8; OPERATION_BYTES],
    outcome: Outcome,
    time: BlockTime,
}

#[derive(Clone)]
pub(crate) struct Model {
    time: BlockTime,
    horizon: u64,
    suspended: BTreeMap<MemberId, bool>,
    accounts: BTreeMap<AccountId, Account>,
    reserves: Vec<Reserve>,
    used: BTreeMap<(MemberId, OperationId), Used>,
    parameters: Vec<(Parameter, BlockTime, u64)>,
    aliases: BTreeMap<Digest, MemberId>,
    consents: BTreeMap<Digest, Consent>,
    purposes: BTreeMap<PurposeCode, Purpose>,
    /// Who may issue until before when.
    issuers: Vec<(MemberId, BlockTime)>,
    /// Every anchored counter.
    lists: Vec<(MemberId, u32, u64)>,
    /// Every debt by itself: debtor, creditor, fee.
    debts: Vec<(MemberId, MemberId, i128)>,
}

#[derive(Clone)]
struct Consent {
    consumer: MemberId,
    provider: MemberId,
    expires: BlockTime,
    revoked: bool,
}

#[derive(Clone)]
struct Purpose {
    scope: Scope,
    longest: u64,
    retired: bool,
}

impl Model {
    pub(crate) fn new(genesis: &Genesis) -> Self {
        let total: i128 =
            genesis.accounts.iter().map(|its| i128::from(its.opening.minor_units())).sum();
        let accounts = genesis.accounts.iter().map(|its| {
            let opening = i128::from(its.opening.minor_units());
            let balance = if its.kind == AccountKind::Issue { -total } else { opening };
            let status = AccountStatus::Open;
            (its.id, Account { owner: its.owner, kind: its.kind, status, floor: 0, balance })
        });
        let parameters = genesis.parameters.iter();
        Self {
            time: genesis.time,
            horizon: 0,
            suspended: genesis.members.iter().map(|its| (its.id, false)).collect(),
            accounts: accounts.collect(),
            reserves: Vec::new(),
            used: BTreeMap::new(),
            parameters: parameters.map(|(name, value)| (*name, BlockTime(0), *value)).collect(),
            aliases: BTreeMap::new(),
            consents: BTreeMap::new(),
            purposes: genesis.purposes.iter().map(Purpose::of).collect(),
            issuers: genesis.issuers.iter().map(|its| (its.member, its.valid_until)).collect(),
            lists: Vec::new(),
            debts: Vec::new(),
        }
    }

    /// Begins a block; says how many reserves lapse.
    pub(crate) fn begin(&mut self, time: BlockTime) -> u64 {
        self.time = time;
        let retention = self.parameter(Parameter::IdRetentionMs);
        self.horizon = self.horizon.max(time.0 - retention);
        let oldest = self.horizon - 2 * TOLERANCE_MS.min(self.horizon / 2);
        self.used.retain(|_, used| used.time.0 >= oldest);
        let kept = self.parameter(Parameter::ConsentRetentionMs);
        self.consents.retain(|_, consent| consent.expires.0 + kept > time.0);
        let mut lapsed = 0;
        for reserve in &mut self.reserves {
            if reserve.state == State::Open && reserve.expires <= time {
                reserve.state = State::Ended(Outcome::ReserveAlreadyExpired);
                lapsed += 1;
            }
        }
        lapsed
    }

    /// The outcome of each operation of one transaction.
    pub(crate) fn execute(
        &mut self,
        member: MemberId,
        operations: &[[u8; OPERATION_BYTES]],
    ) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        let mut from = 0;
        for (index, bytes) in operations.iter().enumerate() {
            let linked = bytes[18] & 1 == 1;
            if linked && index + 1 < operations.len() {
                continue;
            }
            let group = &operations[from..=index];
            outcomes.extend(self.group(member, group, linked));
            from = index + 1;
        }
        outcomes
    }

    fn group(
        &mut self,
        member: MemberId,
        group: &[[u8; OPERATION_BYTES]],
        open: bool,
    ) -> Vec<Outcome> {
        let known: Vec<_> = group.iter().map(|bytes| self.known(member, bytes)).collect();
        let all_known = known.iter().all(|its| *its == Some(Outcome::Exists));
        let mut copy = self.clone();
        let mut failed = None;
        for (index, bytes) in group.iter().enumerate() {
            let outcome = match copy.known(member, bytes) {
                _ if open && !all_known => Outcome::LinkedChainOpen,
                Some(known) => known,
                None => copy.one(member, bytes),
            };
            if outcome == Outcome::Accepted {
                copy.note(member, bytes, outcome);
            } else {
                failed = Some((index, outcome));
                break;
            }
        }
        let Some((place, outcome)) = failed else {
            *self = copy;
            return group.iter().map(|_| Outcome::Accepted).collect();
        };
        let mut outcomes = Vec::new();
        for (index, bytes) in group.iter().enumerate() {
            let fallback = match (open, index == place) {
                (true, _) => Outcome::LinkedChainOpen,
                (false, true) => outcome,
                (false, false) => Outcome::LinkedOperationFailed,
            };
            let its = self.known(member, bytes).unwrap_or(fallback);
            if its.code() >= Outcome::LinkedChainOpen.code() {
                self.note(member, bytes, its);
            }
            outcomes.push(its);
        }
        outcomes
    }

    fn note(&mut self, member: MemberId, bytes: &[u8; OPERATION_BYTES], outcome: Outcome) {
        let id = Operation::peek(bytes).0;
        let used = Used { bytes: *bytes, outcome, time: self.time };
        self.used.insert((member, id), used);
    }

    /// What is said of bytes that are no operation, or whose id was used.
    fn known(&self, member: MemberId, bytes: &[u8; OPERATION_BYTES]) -> Option<Outcome> {
        let Ok(operation) = Operation::decode(bytes) else {
            return Some(Outcome::MalformedOperation);
        };
        let used = self.used.get(&(member, operation.id))?;
        let former = Operation::decode(&used.bytes).expect("only readable ones are noted");
        Some(if used.bytes == *bytes {
            Outcome::Exists
        } else if former.action.kind() != operation.action.kind() {
            Outcome::ExistsWithDifferentKind
        } else if former.action.amount() != operation.action.amount() {
            Outcome::ExistsWithDifferentAmount
        } else {
            Outcome::ExistsWithDifferentContent
        })
    }

    fn one(&mut self, member: MemberId, bytes: &[u8; OPERATION_BYTES]) -> Outcome {
        let operation = Operation::decode(bytes).expect("`known` told of unreadable bytes");
        let action = operation.action;
        let void = matches!(action, Action::Transfer(TransferKind::Void, _));
        if self.suspended[&member] && !void {
            return Outcome::MemberSuspended;
        }
        let result = match action {
            Action::Transfer(kind, transfer) => {
                self.transfer(member, operation.id, kind, &transfer)
            }
            other => self.other(member, &other),
        };
        result.err().unwrap_or(Outcome::Accepted)
    }

    fn parameter(&self, name: Parameter) -> u64 {
        let past = self.parameters.iter().filter(|(its, at, _)| *its == name && *at <= self.time);
        let latest = past.max_by_key(|(_, at, _)| *at);
        latest.map_or(name.default_value(), |(_, _, value)| *value)
    }

    fn available(&self, id: AccountId) -> i128 {
        let open = self.reserves.iter().filter(|its| its.state == State::Open && its.debit == id);
        self.accounts[&id].balance - open.map(|its| its.amount).sum::<i128>()
    }

    fn transfer(
        &mut self,
        member: MemberId,
        id: OperationId,
        kind: TransferKind,
        its: &Transfer,
    ) -> Result<(), Outcome> {
        use TransferKind::{Direct, Issue, Post, Redeem, Reserve as Hold, Void};
        let signer = match kind {
            Direct | Hold | Redeem => self.accounts.get(&its.debit).map(|its| its.owner),
            Post | Void => self.accounts.get(&its.credit).map(|its| its.owner),
            Issue => Some(OPERATOR),
        };
        ensure(signer.is_none_or(|owner| owner == member), Outcome::NotAuthorised)?;
        ensure(its.created.0 >= self.horizon, Outcome::CreatedTooEarly)?;
        ensure(its.created.0 <= self.time.0 + TOLERANCE_MS, Outcome::CreatedInFuture)?;
        let used = [
            its.pending != OperationId(0) && !matches!(kind, Post | Void),
            its.expires != BlockTime(0) && kind != Hold,
            its.reason != ReasonCode::default() && kind != Void,
            its.commitment != Digest::ZERO && matches!(kind, Post | Void),
        ];
        ensure(used == [false; 4], Outcome::UnusedFieldSet)?;
        ensure(its.amount.minor_units() > 0, Outcome::AmountIsZero)?;
        ensure(its.debit != its.credit, Outcome::AccountsAreTheSame)?;
        let get = |id| self.accounts.get(id).cloned();
        let debit = get(&its.debit).ok_or(Outcome::DebitAccountUnknown)?;
        let credit = get(&its.credit).ok_or(Outcome::CreditAccountUnknown)?;
        let issues = (debit.kind == AccountKind::Issue, credit.kind == AccountKind::Issue);
        let wanted = (kind == Issue, kind == Redeem);
        ensure(issues == wanted, Outcome::AccountKindNotAllowed)?;
        match kind {
            Post | Void => self.end(kind, its, &debit, &credit),
            Hold => {
                ensure(its.expires > self.time, Outcome::ExpiresTooEarly)?;
                let longest = self.parameter(Parameter::ReserveDurationMaxMs);
                ensure(its.expires.0 - self.time.0 <= longest, Outcome::ExpiresTooLate)?;
                self.may_pay(kind, its, &debit, &credit)?;
                self.reserves.push(Reserve {
                    id: (member, id),
                    debit: its.debit,
                    credit: its.credit,
                    amount: i128::from(its.amount.minor_units()),
                    expires: its.expires,
                    state: State::Open,
                });
                Ok(())
            }
            Direct | Issue | Redeem => {
                self.may_pay(kind, its, &debit, &credit)?;
                self.book(its);
                Ok(())
            }
        }
    }

    fn may_pay(
        &self,
        kind: TransferKind,
        its: &Transfer,
        debit: &Account,
        credit: &Account,
    ) -> Result<(), Outcome> {
        let amount = i128::from(its.amount.minor_units());
        ensure(debit.status != AccountStatus::Frozen, Outcome::DebitAccountFrozen)?;
        ensure(debit.status != AccountStatus::Closed, Outcome::DebitAccountClosed)?;
        ensure(credit.status != AccountStatus::Closed, Outcome::CreditAccountClosed)?;
        ensure(!self.suspended[&debit.owner], Outcome::DebtorSuspended)?;
        ensure(!self.suspended[&credit.owner], Outcome::CreditorSuspended)?;
        let kinds = [debit.kind, credit.kind];
        let instant = kind == TransferKind::Reserve
            || (kind == TransferKind::Direct && kinds == [AccountKind::Prefund; 2]);
        let exempt = kinds.contains(&AccountKind::Treasury) || debit.owner == credit.owner;
        let limit = i128::from(self.parameter(Parameter::InstantAmountMax));
        ensure(!instant || exempt || amount <= limit, Outcome::AmountAboveLimit)?;
        let free = self.available(its.debit) - debit.floor;
        let enough = debit.kind == AccountKind::Issue || free >= amount;
        ensure(enough, Outcome::ExceedsLiquidity)?;
        let fits = credit.balance + amount <= LARGEST && debit.balance - amount >= -LARGEST;
        ensure(fits, Outcome::AmountOverflows)
    }

    fn end(
        &mut self,
        kind: TransferKind,
        its: &Transfer,
        debit: &Account,
        credit: &Account,
    ) -> Result<(), Outcome> {
        let key = (debit.owner, its.pending);
        let amount = i128::from(its.amount.minor_units());
        let found = self.reserves.iter_mut().rfind(|reserve| reserve.id == key);
        let remembered = self.used.contains_key(&key);
        let reserve = found.ok_or(Outcome::ReserveUnknown)?;
        match reserve.state {
            State::Ended(_) if !remembered => return Err(Outcome::ReserveUnknown),
            State::Ended(end) => return Err(end),
            State::Open => {}
        }
        let same = (reserve.debit, reserve.credit) == (its.debit, its.credit);
        ensure(same, Outcome::ReserveHasDifferentAccounts)?;
        if kind == TransferKind::Void {
            ensure(amount == reserve.amount, Outcome::ReserveHasDifferentAmount)?;
            reserve.state = State::Ended(Outcome::ReserveAlreadyVoided);
            return Ok(());
        }
        ensure(amount <= reserve.amount, Outcome::ReserveHasDifferentAmount)?;
        ensure(credit.status != AccountStatus::Closed, Outcome::CreditAccountClosed)?;
        reserve.state = State::Ended(Outcome::ReserveAlreadyPosted);
        self.book(its);
        Ok(())
    }

    fn book(&mut self, its: &Transfer) {
        let amount = i128::from(its.amount.minor_units());
        self.accounts.entry(its.debit).and_modify(|its| its.balance -= amount);
        self.accounts.entry(its.credit).and_modify(|its| its.balance += amount);
    }

    fn other(&mut self, member: MemberId, action: &Action) -> Result<(), Outcome> {
        let operator = member == OPERATOR;
        match *action {
            Action::SetAccountStatus(its) => {
                ensure(operator, Outcome::NotAuthorised)?;
                let held = |reserve: &&Reserve| {
                    let either = [reserve.debit, reserve.credit].contains(&its.account);
                    reserve.state == State::Open && either
                };
                let pending = self.reserves.iter().any(|reserve| held(&reserve));
                let account = self.accounts.get_mut(&its.account).ok_or(Outcome::AccountUnknown)?;
                ensure(account.status != AccountStatus::Closed, Outcome::AccountIsClosed)?;
                let empty = account.balance == 0 && !pending;
                ensure(its.status != AccountStatus::Closed || empty, Outcome::AccountNotEmpty)?;
                account.status = its.status;
            }
            Action::SetFloor(its) => {
                let account = self.accounts.get_mut(&its.account).ok_or(Outcome::AccountUnknown)?;
                ensure(operator || account.owner == member, Outcome::NotAuthorised)?;
                ensure(account.status != AccountStatus::Closed, Outcome::AccountIsClosed)?;
                account.floor = i128::from(its.floor.minor_units());
            }
            Action::SetMemberStatus(its) => {
                ensure(operator, Outcome::NotAuthorised)?;
                self.suspended.insert(its.member, its.status == MemberStatus::Suspended);
            }
            Action::OpenAccount(its) => {
                ensure(operator, Outcome::NotAuthorised)?;
                ensure(its.kind != AccountKind::Issue, Outcome::AccountKindNotAllowed)?;
                let free = !self.accounts.contains_key(&its.account);
                ensure(free, Outcome::AccountExists)?;
                let (owner, kind, status) = (its.owner, its.kind, AccountStatus::Open);
                let account = Account { owner, kind, status, floor: 0, balance: 0 };
                self.accounts.insert(its.account, account);
            }
            Action::SetParameter(its) => {
                ensure(operator, Outcome::NotAuthorised)?;
                ensure(its.effective_from >= self.time, Outcome::EffectiveInPast)?;
                ensure(its.parameter.allows(its.value), Outcome::ValueOutOfRange)?;
                let (name, from) = (its.parameter, its.effective_from);
                self.parameters.retain(|(its, at, _)| (*its, *at) != (name, from));
                self.parameters.push((name, from, its.value));
            }
            Action::RegisterPurpose(its) => {
                ensure(operator, Outcome::NotAuthorised)?;
                let empty = its.scope.0 == 0 || its.code.0 == 0 || its.duration_max.0 == 0;
                ensure(!empty, Outcome::ScopeIsEmpty)?;
                ensure(!self.purposes.contains_key(&its.code), Outcome::PurposeExists)?;
                let (scope, longest) = (its.scope, its.duration_max.0);
                self.purposes.insert(its.code, Purpose { scope, longest, retired: false });
            }
            Action::RetirePurpose(its) => {
                ensure(operator, Outcome::NotAuthorised)?;
                let purpose = self.purposes.get_mut(&its.code).ok_or(Outcome::PurposeUnknown)?;
                ensure(!purpose.retired, Outcome::PurposeIsRetired)?;
                purpose.retired = true;
            }
            Action::SettleObligations(its) => {
                ensure(operator, Outcome::NotAuthorised)?;
                return self.settle(&its.excluded);
            }
            ref registry => return self.register(member, registry),
        }
        Ok(())
    }

    fn register(&mut self, member: MemberId, action: &Action) -> Result<(), Outcome> {
        match *action {
            Action::SetAlias(its) => drop(self.aliases.insert(its.tag, member)),
            Action::RemoveAlias(its) => {
                let own = self.aliases.get(&its.tag) == Some(&member);
                ensure(own, Outcome::AliasUnknown)?;
                self.aliases.remove(&its.tag);
            }
            Action::AnchorEvidence(its) => {
                ensure(its.count > 0, Outcome::EvidenceIsEmpty)?;
                ensure(its.from <= its.until, Outcome::WindowIsEmpty)?;
            }
            Action::GrantConsent(its) => {
                let provider = self.suspended.contains_key(&its.provider);
                ensure(provider, Outcome::MemberUnknown)?;
                ensure(its.expires > self.time, Outcome::WindowIsEmpty)?;
                ensure(!self.consents.contains_key(&its.rel), Outcome::ConsentExists)?;
                ensure(its.scope.0 != 0, Outcome::ScopeIsEmpty)?;
                let purpose = self.purposes.get(&its.purpose).ok_or(Outcome::PurposeUnknown)?;
                ensure(!purpose.retired, Outcome::PurposeIsRetired)?;
                let inside = its.scope.0 | purpose.scope.0 == purpose.scope.0;
                ensure(inside, Outcome::ConsentExceedsPurpose)?;
                let short = its.expires.0 - self.time.0 <= purpose.longest;
                ensure(short, Outcome::ConsentTooLongForPurpose)?;
                let own = self.consents.values().filter(|its| its.consumer == member).count();
                let most = self.parameter(Parameter::ConsentsPerMemberMax);
                ensure(world::count(own) < most, Outcome::TooManyConsents)?;
                let (provider, expires) = (its.provider, its.expires);
                let consent = Consent { consumer: member, provider, expires, revoked: false };
                self.consents.insert(its.rel, consent);
            }
            Action::RevokeConsent(its) => {
                let consent = self.consents.get_mut(&its.rel).ok_or(Outcome::ConsentUnknown)?;
                let party = consent.consumer == member || consent.provider == member;
                ensure(party, Outcome::NotAuthorised)?;
                ensure(!consent.revoked, Outcome::ConsentAlreadyRevoked)?;
                consent.revoked = true;
            }
            Action::AnchorStatusList(its) => {
                let time = self.time;
                let issues = |its: &(MemberId, BlockTime)| its.0 == member && time < its.1;
                ensure(self.issuers.iter().any(issues), Outcome::IssuerUnknown)?;
                ensure(its.list < 4_096, Outcome::StatusListOutOfRange)?;
                let same = |list: &&(MemberId, u32, u64)| (list.0, list.1) == (member, its.list);
                let mut before = self.lists.iter().filter(same).map(|(_, _, counter)| *counter);
                let rises = its.counter > 0 && before.all(|counter| counter < its.counter);
                ensure(rises, Outcome::CounterNotRising)?;
                self.lists.push((member, its.list, its.counter));
            }
            Action::ReuseKyc(its) => {
                ensure(its.created.0 >= self.horizon, Outcome::CreatedTooEarly)?;
                let latest = self.time.0 + TOLERANCE_MS;
                ensure(its.created.0 <= latest, Outcome::CreatedInFuture)?;
                ensure(its.provider != member, Outcome::AccountsAreTheSame)?;
                let pair = [member, its.provider];
                let accounts = pair.iter().all(|its| self.settlement_account(*its).is_some());
                ensure(accounts, Outcome::SettlementAccountUnknown)?;
                ensure(!self.suspended[&its.provider], Outcome::CreditorSuspended)?;
                let largest = self.parameter(Parameter::ReuseFeeMax);
                ensure(its.fee.minor_units() <= largest, Outcome::AmountAboveLimit)?;
                self.debts.push((member, its.provider, i128::from(its.fee.minor_units())));
            }
            _ => panic!("the plans have no such operation"),
        }
        Ok(())
    }

    fn settlement_account(&self, member: MemberId) -> Option<AccountId> {
        let fits = |account: &Account| {
            let open = account.status != AccountStatus::Closed;
            open && account.owner == member && account.kind == AccountKind::Settlement
        };
        self.accounts.iter().filter(|(_, account)| fits(account)).map(|(id, _)| *id).min()
    }

    /// What `member` gets from all debts but those of the excluded, less what it pays.
    fn net(&self, member: MemberId, excluded: &Excluded) -> i128 {
        let counts = |(debtor, creditor, _): &&(MemberId, MemberId, i128)| {
            !excluded.contains(*debtor) && !excluded.contains(*creditor)
        };
        let counted = self.debts.iter().filter(counts);
        let share = |(debtor, creditor, fee): &(MemberId, MemberId, i128)| {
            (if *creditor == member { *fee } else { 0 }) - if *debtor == member { *fee } else { 0 }
        };
        counted.map(share).sum()
    }

    fn settle(&mut self, excluded: &Excluded) -> Result<(), Outcome> {
        let members = self.suspended.keys();
        let nets: Vec<_> = members.map(|member| (*member, self.net(*member, excluded))).collect();
        let mut shares = Vec::new();
        for (member, net) in nets.into_iter().filter(|(_, net)| *net != 0) {
            let account = self.settlement_account(member);
            shares.push((member, account.ok_or(Outcome::SettlementAccountUnknown)?, net));
        }
        for (_, account, _) in shares.iter().filter(|(.., net)| *net < 0) {
            let frozen = self.accounts[account].status == AccountStatus::Frozen;
            ensure(!frozen, Outcome::DebitAccountFrozen)?;
        }
        for (sign, outcome) in [(-1, Outcome::DebtorSuspended), (1, Outcome::CreditorSuspended)] {
            let mut some = shares.iter().filter(|(.., net)| net.signum() == sign);
            ensure(!some.any(|(member, ..)| self.suspended[member]), outcome)?;
        }
        for (_, account, net) in &shares {
            let left = self.available(*account) + net;
            ensure(*net > 0 || left >= self.accounts[account].floor, Outcome::ExceedsLiquidity)?;
        }
        for (_, account, net) in &shares {
            let fits = self.accounts[account].balance + net <= LARGEST;
            ensure(fits, Outcome::AmountOverflows)?;
        }
        let before = self.debts.len();
        self.debts.retain(|(one, other, _)| excluded.contains(*one) || excluded.contains(*other));
        ensure(self.debts.len() < before, Outcome::NoOpenObligations)?;
        for (_, account, net) in shares {
            self.accounts.entry(account).and_modify(|its| its.balance += net);
        }
        Ok(())
    }

    /// Every balance, reserve and remembered outcome is the ledger's.
    pub(crate) fn compare(&self, ledger: &Ledger) {
        assert_eq!(ledger.accounts().count(), self.accounts.len());
        for (id, account) in ledger.accounts() {
            let mine = &self.accounts[&id];
            assert_eq!(account.balance(), mine.balance, "balance of {id}");
            assert_eq!(account.available(), self.available(id), "available on {id}");
            assert_eq!((account.owner, account.status), (mine.owner, mine.status));
        }
        let open = self.reserves.iter().filter(|its| its.state == State::Open).count();
        assert_eq!(ledger.open_reserves(), open);
        for ((submitter, id), used) in &self.used {
            let key = OperationKey { id: *id, submitter: *submitter };
            assert_eq!(ledger.find(key).map(|known| known.outcome), Some(used.outcome));
        }
        for (tag, member) in &self.aliases {
            assert_eq!(ledger.alias(tag).map(|alias| alias.member), Some(*member));
        }
        for member in self.suspended.keys() {
            let own = self.consents.values().filter(|its| its.consumer == *member).count();
            assert_eq!(ledger.consent_count(*member), world::count(own));
            let net = ledger.net_positions(&Excluded::NONE).get(member).copied().unwrap_or(0);
            assert_eq!(net, self.net(*member, &Excluded::NONE));
        }
        for (rel, consent) in &self.consents {
            let revoked = ledger.consent(rel).map(|its| its.revoked != BlockTime::MAX);
            assert_eq!(revoked, Some(consent.revoked));
        }
        let count: u64 = ledger.obligations().map(|(.., owed)| u64::from(owed.count)).sum();
        assert_eq!(count, world::count(self.debts.len()));
    }
}

impl Purpose {
    fn of(genesis: &GenesisPurpose) -> (PurposeCode, Self) {
        let (scope, longest) = (genesis.scope, genesis.duration_max_ms);
        (genesis.code, Self { scope, longest, retired: false })
    }
}

fn ensure(holds: bool, otherwise: Outcome) -> Result<(), Outcome> {
    if holds { Ok(()) } else { Err(otherwise) }
}
