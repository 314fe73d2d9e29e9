//! Two-step transfers: reserve, then post, void or expire.

use etibar_primitives::AccountId;

use super::{Approved, Context, Parties, Row, transfer::Pair};
use crate::{
    Ledger, Outcome,
    operation::{AccountStatus, Parameter, Transfer, TransferKind},
    state::{Account, OperationKey, Reserve, ReserveEnd},
};

pub(super) fn open(
    ledger: &Ledger,
    context: &Context<'_>,
    transfer: &Transfer,
    pair: &Pair,
) -> Result<Approved, Outcome> {
    if transfer.expires <= ledger.time() {
        return Err(Outcome::ExpiresTooEarly);
    }
    let duration = transfer.expires.since(ledger.time());
    if duration.0 > ledger.parameter(Parameter::ReserveDurationMaxMs, ledger.time()) {
        return Err(Outcome::ExpiresTooLate);
    }
    pair.check_standing(ledger)?;
    pair.check_limit(ledger, TransferKind::Reserve, transfer)?;
    pair.check_liquidity(transfer.amount)?;
    // A post must not be refused for overflow: the creditor was promised the money.
    pair.posted(transfer, transfer.amount)?;
    let (mut debit, mut credit) = (pair.debit, pair.credit);
    let amount = transfer.amount.minor_units();
    let sum = |total: u64| total.checked_add(amount).ok_or(Outcome::AmountOverflows);
    debit.debits_pending = sum(debit.debits_pending)?;
    credit.credits_pending = sum(credit.credits_pending)?;
    let reserve = Reserve {
        debit: transfer.debit,
        credit: transfer.credit,
        amount: transfer.amount,
        expires: transfer.expires,
        operation: *context.bytes,
    };
    Ok(Approved {
        accounts: Some([(transfer.debit, debit), (transfer.credit, credit)]),
        row: Row::Opened(context.key, reserve),
        parties: pair.parties(context),
    })
}

pub(super) fn post(
    ledger: &Ledger,
    context: &Context<'_>,
    transfer: &Transfer,
    pair: &Pair,
) -> Result<Approved, Outcome> {
    let (key, reserve) = find(ledger, transfer, pair)?;
    if transfer.amount > reserve.amount {
        return Err(Outcome::ReserveHasDifferentAmount);
    }
    if pair.credit.status == AccountStatus::Closed {
        return Err(Outcome::CreditAccountClosed);
    }
    let posted = pair.posted(transfer, transfer.amount)?;
    Ok(ended(posted, key, &reserve, ReserveEnd::Posted, pair.parties(context)))
}

pub(super) fn void(
    ledger: &Ledger,
    context: &Context<'_>,
    transfer: &Transfer,
    pair: &Pair,
) -> Result<Approved, Outcome> {
    let (key, reserve) = find(ledger, transfer, pair)?;
    if transfer.amount != reserve.amount {
        return Err(Outcome::ReserveHasDifferentAmount);
    }
    let accounts = [(transfer.debit, pair.debit), (transfer.credit, pair.credit)];
    Ok(ended(accounts, key, &reserve, ReserveEnd::Voided, pair.parties(context)))
}

/// What the lapse of a reserve does. No rule can stand against it.
pub(crate) fn expire(ledger: &Ledger, key: OperationKey, reserve: &Reserve) -> Approved {
    let account =
        |id: AccountId| *ledger.account(id).expect("accounts of an open reserve are never removed");
    let (debit, credit) = (account(reserve.debit), account(reserve.credit));
    let parties = Parties::one(key.submitter).and(debit.owner).and(credit.owner);
    let accounts = [(reserve.debit, debit), (reserve.credit, credit)];
    ended(accounts, key, reserve, ReserveEnd::Expired, parties)
}

/// The end of a reserve, whatever it is: `accounts` give back what was pending.
fn ended(
    accounts: [(AccountId, Account); 2],
    key: OperationKey,
    reserve: &Reserve,
    end: ReserveEnd,
    parties: Parties,
) -> Approved {
    Approved { accounts: Some(release(accounts, reserve)), row: Row::Ended(key, end), parties }
}

/// The open reserve that `transfer` ends, or how it ended.
fn find(
    ledger: &Ledger,
    transfer: &Transfer,
    pair: &Pair,
) -> Result<(OperationKey, Reserve), Outcome> {
    let key = OperationKey { id: transfer.pending, submitter: pair.debit.owner };
    let Some(reserve) = ledger.reserve(key) else {
        let here = ledger.group_ends.iter().find(|(ended, _)| *ended == key).map(|(_, end)| *end);
        let before = || ledger.find(key).and_then(|known| known.end).map(|(end, _)| end);
        return Err(match here.or_else(before) {
            None => Outcome::ReserveUnknown,
            Some(ReserveEnd::Posted) => Outcome::ReserveAlreadyPosted,
            Some(ReserveEnd::Voided) => Outcome::ReserveAlreadyVoided,
            Some(ReserveEnd::Expired) => Outcome::ReserveAlreadyExpired,
        });
    };
    // More reserves may lapse at once than one block takes off.
    if reserve.expires <= ledger.time() {
        return Err(Outcome::ReserveAlreadyExpired);
    }
    if reserve.debit != transfer.debit || reserve.credit != transfer.credit {
        return Err(Outcome::ReserveHasDifferentAccounts);
    }
    Ok((key, *reserve))
}

/// The accounts with the reserve's pending amounts taken off.
fn release(
    [(debit_id, mut debit), (credit_id, mut credit)]: [(AccountId, Account); 2],
    reserve: &Reserve,
) -> [(AccountId, Account); 2] {
    let less = |total: u64| {
        total.checked_sub(reserve.amount.minor_units()).expect("the reserve was added to pending")
    };
    debit.debits_pending = less(debit.debits_pending);
    credit.credits_pending = less(credit.credits_pending);
    [(debit_id, debit), (credit_id, credit)]
}
