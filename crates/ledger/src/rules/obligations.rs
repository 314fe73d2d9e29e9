//! What members owe each other for reused due diligence, and its settlement in central-bank money.

use alloc::{collections::BTreeMap, vec::Vec};

use etibar_primitives::{AccountId, Amount, MemberId};

use super::{Approved, Context, Parties, Row, Settlement, check_created};
use crate::{
    Ledger, Outcome,
    operation::{AccountStatus, KycReuse, MemberStatus, ObligationsSettlement, Parameter},
    state::{Account, Obligation},
};

/// A member with the account that a settlement changes, and what it gets or pays in minor units.
struct Share {
    member: MemberId,
    account: AccountId,
    row: Account,
    net: i128,
}

pub(super) fn reuse(
    ledger: &Ledger,
    context: &Context<'_>,
    reuse: &KycReuse,
) -> Result<Approved, Outcome> {
    check_created(ledger, reuse.created)?;
    let (debtor, creditor) = (context.submitter, reuse.provider);
    if debtor == creditor {
        return Err(Outcome::AccountsAreTheSame);
    }
    for member in [debtor, creditor] {
        ledger.settlement_account(member).ok_or(Outcome::SettlementAccountUnknown)?;
    }
    if is_suspended(ledger, creditor) {
        return Err(Outcome::CreditorSuspended);
    }
    if reuse.fee.minor_units() > ledger.parameter(Parameter::ReuseFeeMax, ledger.time()) {
        return Err(Outcome::AmountAboveLimit);
    }
    let former = ledger.obligations.get(&(debtor, creditor)).copied();
    let new = Obligation { amount: Amount::ZERO, count: 0, since: ledger.time() };
    let Obligation { amount, count, since } = former.unwrap_or(new);
    let amount = amount.checked_add(reuse.fee).ok_or(Outcome::AmountOverflows)?;
    let count = count.checked_add(1).ok_or(Outcome::AmountOverflows)?;
    let row = Row::Obligation((debtor, creditor), Obligation { amount, count, since });
    Ok(Approved::row(context, row).and_concerns(creditor))
}

/// Every rule is asked of all members before the next rule, so that the refusal does not depend on
/// whom one begins with.
pub(super) fn settle(
    ledger: &Ledger,
    context: &Context<'_>,
    settlement: &ObligationsSettlement,
) -> Result<Approved, Outcome> {
    context.operator_only()?;
    let excluded = &settlement.excluded;
    let nets = ledger.net_positions(excluded);
    let mut shares = shares(ledger, &nets)?;
    let debtors = || shares.iter().filter(|share| share.net < 0);
    if debtors().any(|share| share.row.status == AccountStatus::Frozen) {
        return Err(Outcome::DebitAccountFrozen);
    }
    if debtors().any(|share| is_suspended(ledger, share.member)) {
        return Err(Outcome::DebtorSuspended);
    }
    let mut creditors = shares.iter().filter(|share| share.net > 0);
    if creditors.any(|share| is_suspended(ledger, share.member)) {
        return Err(Outcome::CreditorSuspended);
    }
    let short = |share: &Share| {
        share.row.available() - i128::from(share.row.floor.minor_units()) < -share.net
    };
    if debtors().any(short) {
        return Err(Outcome::ExceedsLiquidity);
    }
    shares.iter_mut().try_for_each(Share::book)?;
    if nets.is_empty() {
        return Err(Outcome::NoOpenObligations);
    }
    let open = ledger.obligations().map(|(debtor, creditor, _)| (debtor, creditor));
    let of_excluded =
        |(debtor, creditor): &(_, _)| excluded.contains(*debtor) || excluded.contains(*creditor);
    let settled: Vec<_> = open.filter(|pair| !of_excluded(pair)).collect();
    let accounts = shares.into_iter().map(|share| (share.account, share.row)).collect();
    let row = Row::Settlement(Settlement { accounts, settled });
    let parties = nets.into_keys().fold(Parties::one(context.submitter), Parties::and);
    Ok(Approved { accounts: None, row, parties })
}

/// Who gets or pays something, by rising member id.
fn shares(ledger: &Ledger, nets: &BTreeMap<MemberId, i128>) -> Result<Vec<Share>, Outcome> {
    let share = |(member, net): (&MemberId, &i128)| {
        let found = ledger.settlement_account(*member);
        let (account, row) = found.ok_or(Outcome::SettlementAccountUnknown)?;
        Ok(Share { member: *member, account, row: *row, net: *net })
    };
    nets.iter().filter(|(_, net)| **net != 0).map(share).collect()
}

fn is_suspended(ledger: &Ledger, member: MemberId) -> bool {
    ledger.member(member).is_none_or(|its| its.status == MemberStatus::Suspended)
}

impl Share {
    fn book(&mut self) -> Result<(), Outcome> {
        let amount = u64::try_from(self.net.unsigned_abs());
        let amount = amount.map_err(|_| Outcome::AmountOverflows)?;
        let side =
            if self.net < 0 { &mut self.row.debits_posted } else { &mut self.row.credits_posted };
        *side = side.checked_add(amount).ok_or(Outcome::AmountOverflows)?;
        let largest = i128::from(Amount::MAX.minor_units());
        if self.row.balance() > largest { Err(Outcome::AmountOverflows) } else { Ok(()) }
    }
}
