//! The rules: what each operation needs, and what it does.
//!
//! A rule reads the ledger and yields an [`Approved`]; only [`Ledger::apply`] takes one, and it
//! cannot refuse. So a refused operation leaves no trace.

use alloc::vec::Vec;

use etibar_primitives::{AccountId, BlockTime, Currency, Digest, DurationMs, MemberId};

use crate::{
    Ledger, Outcome,
    operation::{Action, MemberRole, OPERATION_BYTES, Parameter, PurposeCode},
    state::{
        Account, Alias, Consent, Evidence, Issuer, Member, Obligation, OperationKey,
        ParameterHistory, Purpose, Reserve, ReserveEnd, StatusList, Totals,
    },
};

mod accounts;
mod members;
mod obligations;
mod registry;
mod reserve;
mod transfer;

pub(crate) use reserve::expire;

/// How far a submitter's clock may run ahead of block time.
pub(crate) const CLOCK_TOLERANCE: DurationMs = DurationMs(60_000);

/// Who asks, and with what.
pub(crate) struct Context<'a> {
    pub(crate) key: OperationKey,
    pub(crate) submitter: MemberId,
    pub(crate) role: MemberRole,
    pub(crate) bytes: &'a [u8; OPERATION_BYTES],
}

/// An operation that the rules allow: the rows it will write. Made only by the rules.
pub(crate) struct Approved {
    accounts: Option<[(AccountId, Account); 2]>,
    row: Row,
    parties: Parties,
}

/// The row that an operation writes besides accounts.
enum Row {
    None,
    Opened(OperationKey, Reserve),
    Ended(OperationKey, ReserveEnd),
    Totals(Currency, Totals),
    Account(AccountId, Account),
    Member(MemberId, Member),
    Parameter(Parameter, ParameterHistory),
    Alias(Digest, Option<Alias>),
    Consent(Digest, Consent),
    Issuer((MemberId, Digest), Option<Issuer>),
    Evidence(MemberId, Evidence),
    Purpose(PurposeCode, Purpose),
    StatusList((MemberId, u32), StatusList),
    Obligation((MemberId, MemberId), Obligation),
    Settlement(Settlement),
}

/// What a settlement of obligations writes.
struct Settlement {
    accounts: Vec<(AccountId, Account)>,
    /// The obligations that end.
    settled: Vec<(MemberId, MemberId)>,
}

/// The members that an event concerns, each once.
#[derive(Debug, Clone)]
pub(crate) struct Parties {
    few: [Option<MemberId>; 3],
    /// Those that do not fit: only a settlement concerns many.
    more: Vec<MemberId>,
}

/// What the rules say of `action`.
pub(crate) fn check(
    ledger: &Ledger,
    context: &Context<'_>,
    action: &Action,
) -> Result<Approved, Outcome> {
    match action {
        Action::Transfer(kind, transfer) => transfer::check(ledger, context, *kind, transfer),
        Action::OpenAccount(opening) => accounts::open(ledger, context, opening),
        Action::SetAccountStatus(setting) => accounts::set_status(ledger, context, setting),
        Action::SetFloor(setting) => accounts::set_floor(ledger, context, setting),
        Action::AdmitMember(admission) => members::admit(ledger, context, admission),
        Action::SetMemberStatus(setting) => members::set_status(ledger, context, *setting),
        Action::GrantKey(grant) => members::grant_key(ledger, context, grant),
        Action::RevokeKey(revocation) => members::revoke_key(ledger, context, revocation),
        Action::SetParameter(setting) => members::set_parameter(ledger, context, setting),
        Action::SetAlias(setting) => Ok(registry::set_alias(ledger, context, setting)),
        Action::RemoveAlias(removal) => registry::remove_alias(ledger, context, removal),
        Action::AnchorEvidence(anchor) => registry::anchor_evidence(ledger, context, anchor),
        Action::GrantConsent(grant) => registry::grant_consent(ledger, context, grant),
        Action::RevokeConsent(end) => registry::revoke_consent(ledger, context, end),
        Action::RegisterIssuer(entry) => registry::register_issuer(ledger, context, entry),
        Action::RevokeIssuer(entry) => registry::revoke_issuer(ledger, context, entry),
        Action::RegisterPurpose(entry) => registry::register_purpose(ledger, context, entry),
        Action::RetirePurpose(entry) => registry::retire_purpose(ledger, context, *entry),
        Action::AnchorStatusList(anchor) => registry::anchor_status_list(ledger, context, anchor),
        Action::ReuseKyc(reuse) => obligations::reuse(ledger, context, reuse),
        Action::SettleObligations(its) => obligations::settle(ledger, context, its),
    }
}

/// An order is not older than the ledger's memory, nor from after the block that holds it.
fn check_created(ledger: &Ledger, created: BlockTime) -> Result<(), Outcome> {
    if created < ledger.horizon() {
        return Err(Outcome::CreatedTooEarly);
    }
    if created > ledger.time().saturating_add(CLOCK_TOLERANCE) {
        return Err(Outcome::CreatedInFuture);
    }
    Ok(())
}

impl Context<'_> {
    fn operator_only(&self) -> Result<(), Outcome> {
        if self.role == MemberRole::Operator { Ok(()) } else { Err(Outcome::NotAuthorised) }
    }

    /// The operator, or `member` for itself.
    fn operator_or(&self, member: MemberId) -> Result<(), Outcome> {
        if self.submitter == member { Ok(()) } else { self.operator_only() }
    }
}

impl Approved {
    /// An operation that writes one row and concerns its submitter alone.
    fn row(context: &Context<'_>, row: Row) -> Self {
        Self { accounts: None, row, parties: Parties::one(context.submitter) }
    }

    fn and_concerns(mut self, member: MemberId) -> Self {
        self.parties = self.parties.and(member);
        self
    }

    /// The reserve that this ends.
    pub(crate) fn ended(&self) -> Option<(OperationKey, ReserveEnd)> {
        match &self.row {
            Row::Ended(key, end) => Some((*key, *end)),
            _ => None,
        }
    }
}

impl Ledger {
    /// Writes what the rules approved.
    pub(crate) fn apply(&mut self, approved: Approved) -> Parties {
        for (id, account) in approved.accounts.into_iter().flatten() {
            self.accounts.set(id, Some(account));
        }
        match approved.row {
            Row::None => {}
            Row::Opened(key, reserve) => {
                self.expiries.insert((reserve.expires, key));
                self.sums.add_reserve(reserve.amount);
                self.reserves.set(key, Some(reserve));
            }
            Row::Ended(key, end) => self.close_reserve(key, end),
            Row::Totals(currency, totals) => self.totals.set(currency, Some(totals)),
            Row::Account(id, account) => self.accounts.set(id, Some(account)),
            Row::Member(id, member) => self.members.set(id, Some(member)),
            Row::Parameter(parameter, history) => self.parameters.set(parameter, Some(history)),
            Row::Alias(tag, alias) => self.aliases.set(tag, alias),
            Row::Consent(rel, consent) => self.put_consent(rel, consent),
            Row::Issuer(key, issuer) => self.issuers.set(key, issuer),
            Row::Evidence(member, evidence) => self.evidence.set(member, Some(evidence)),
            Row::Purpose(code, purpose) => self.purposes.set(code, Some(purpose)),
            Row::StatusList(key, list) => self.status_lists.set(key, Some(list)),
            Row::Obligation(key, owed) => self.obligations.set(key, Some(owed)),
            Row::Settlement(settlement) => {
                for (id, account) in settlement.accounts {
                    self.accounts.set(id, Some(account));
                }
                settlement.settled.into_iter().for_each(|key| self.obligations.set(key, None));
            }
        }
        approved.parties
    }

    fn put_consent(&mut self, rel: Digest, consent: Consent) {
        if self.consents.get(&rel).is_none() {
            self.consent_ends.insert((consent.expires, rel));
            self.sums.add_consent(consent.consumer);
        }
        self.consents.set(rel, Some(consent));
    }

    fn close_reserve(&mut self, key: OperationKey, end: ReserveEnd) {
        let reserve = self.reserves.get(&key).expect("the reserve was read by the rule");
        // A group that fails brings the reserve back, and with it the need for its expiry.
        if self.group_is_open() {
            self.group_ends.push((key, end));
        } else {
            self.expiries.remove(&(reserve.expires, key));
        }
        self.sums.take_reserve(reserve.amount);
        self.reserves.set(key, None);
    }
}

impl Parties {
    pub(crate) fn one(member: MemberId) -> Self {
        Self { few: [Some(member), None, None], more: Vec::new() }
    }

    /// Who hears of a refusal: its submitter. A repeat is no event, so that repeating bytes that
    /// somebody holds changes nothing.
    pub(crate) fn refused(submitter: MemberId, outcome: Outcome) -> Self {
        if outcome == Outcome::Exists {
            Self { few: [None; 3], more: Vec::new() }
        } else {
            Self::one(submitter)
        }
    }

    /// The same and `member`, once.
    fn and(mut self, member: MemberId) -> Self {
        if !self.members().any(|its| its == member) {
            match self.few.iter_mut().find(|slot| slot.is_none()) {
                Some(free) => *free = Some(member),
                None => self.more.push(member),
            }
        }
        self
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = MemberId> {
        self.few.iter().flatten().chain(&self.more).copied()
    }
}
