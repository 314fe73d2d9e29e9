//! Transfers that settle at once: direct, issue, redeem.

use etibar_primitives::{AccountId, Amount, BlockTime, Digest, OperationId};

use super::{Approved, Context, Parties, Row, check_created, reserve};
use crate::{
    Ledger, Outcome,
    operation::{
        AccountKind, AccountStatus, MemberStatus, Parameter, ReasonCode, Transfer, TransferKind,
    },
    state::{Account, Totals},
};

/// The two accounts of a transfer, as they stand.
pub(super) struct Pair {
    pub(super) debit: Account,
    pub(super) credit: Account,
}

pub(super) fn check(
    ledger: &Ledger,
    context: &Context<'_>,
    kind: TransferKind,
    transfer: &Transfer,
) -> Result<Approved, Outcome> {
    authorise(ledger, context, kind, transfer)?;
    check_order(ledger, kind, transfer)?;
    let pair = Pair::of(ledger, transfer)?;
    pair.check_kinds(kind)?;
    match kind {
        TransferKind::Direct => {
            pair.check_standing(ledger)?;
            pair.check_limit(ledger, kind, transfer)?;
            Ok(Approved {
                accounts: Some(pair.settle(transfer)?),
                row: Row::None,
                parties: pair.parties(context),
            })
        }
        TransferKind::Issue | TransferKind::Redeem => {
            pair.check_standing(ledger)?;
            Ok(Approved {
                accounts: Some(pair.settle(transfer)?),
                row: totals(ledger, kind, transfer, &pair)?,
                parties: pair.parties(context),
            })
        }
        TransferKind::Reserve => reserve::open(ledger, context, transfer, &pair),
        TransferKind::Post => reserve::post(ledger, context, transfer, &pair),
        TransferKind::Void => reserve::void(ledger, context, transfer, &pair),
    }
}

/// The payer's side signs what takes its money; the payee's side signs what ends a reserve.
fn authorise(
    ledger: &Ledger,
    context: &Context<'_>,
    kind: TransferKind,
    transfer: &Transfer,
) -> Result<(), Outcome> {
    let signer = match kind {
        TransferKind::Direct | TransferKind::Reserve | TransferKind::Redeem => transfer.debit,
        TransferKind::Post | TransferKind::Void => transfer.credit,
        TransferKind::Issue => return context.operator_only(),
    };
    match ledger.account(signer) {
        Some(account) if account.owner != context.submitter => Err(Outcome::NotAuthorised),
        _ => Ok(()),
    }
}

/// What can be said of an order without looking at its accounts.
fn check_order(ledger: &Ledger, kind: TransferKind, transfer: &Transfer) -> Result<(), Outcome> {
    check_created(ledger, transfer.created)?;
    let ends = matches!(kind, TransferKind::Post | TransferKind::Void);
    let unused_set = (!ends && transfer.pending != OperationId(0))
        || (kind != TransferKind::Reserve && transfer.expires != BlockTime(0))
        || (kind != TransferKind::Void && transfer.reason != ReasonCode::default())
        || (ends && transfer.commitment != Digest::ZERO);
    if unused_set {
        return Err(Outcome::UnusedFieldSet);
    }
    if transfer.amount.is_zero() {
        return Err(Outcome::AmountIsZero);
    }
    if transfer.debit == transfer.credit {
        return Err(Outcome::AccountsAreTheSame);
    }
    Ok(())
}

impl Pair {
    fn of(ledger: &Ledger, transfer: &Transfer) -> Result<Self, Outcome> {
        let find = |id: AccountId| ledger.account(id).copied();
        let debit = find(transfer.debit).ok_or(Outcome::DebitAccountUnknown)?;
        let credit = find(transfer.credit).ok_or(Outcome::CreditAccountUnknown)?;
        if debit.currency != credit.currency {
            return Err(Outcome::CurrenciesDiffer);
        }
        Ok(Self { debit, credit })
    }

    /// Money is created and destroyed by issue and redeem only.
    fn check_kinds(&self, kind: TransferKind) -> Result<(), Outcome> {
        let debit_issues = self.debit.kind == AccountKind::Issue;
        let credit_issues = self.credit.kind == AccountKind::Issue;
        let allowed = match kind {
            TransferKind::Issue => debit_issues && !credit_issues,
            TransferKind::Redeem => credit_issues && !debit_issues,
            _ => !debit_issues && !credit_issues,
        };
        if allowed { Ok(()) } else { Err(Outcome::AccountKindNotAllowed) }
    }

    /// Both accounts and their owners may take part in a new debit.
    pub(super) fn check_standing(&self, ledger: &Ledger) -> Result<(), Outcome> {
        match self.debit.status {
            AccountStatus::Frozen => return Err(Outcome::DebitAccountFrozen),
            AccountStatus::Closed => return Err(Outcome::DebitAccountClosed),
            AccountStatus::Open => {}
        }
        if self.credit.status == AccountStatus::Closed {
            return Err(Outcome::CreditAccountClosed);
        }
        let suspended = |account: &Account| {
            ledger.member(account.owner).is_none_or(|its| its.status == MemberStatus::Suspended)
        };
        if suspended(&self.debit) {
            return Err(Outcome::DebtorSuspended);
        }
        if suspended(&self.credit) {
            return Err(Outcome::CreditorSuspended);
        }
        Ok(())
    }

    /// The instant scheme's upper limit. A bank's own liquidity moves and payments of the State
    /// Treasury have none.
    ///
    /// Source: CBA IPS page, AZN 40,000 a payment, budget payments exempt.
    pub(super) fn check_limit(
        &self,
        ledger: &Ledger,
        kind: TransferKind,
        transfer: &Transfer,
    ) -> Result<(), Outcome> {
        let is = |kind: AccountKind| move |account: &&Account| account.kind == kind;
        let both = [&self.debit, &self.credit];
        let treasury = both.iter().any(is(AccountKind::Treasury));
        let prefunds = both.iter().filter(|account| is(AccountKind::Prefund)(account)).count();
        let instant = kind == TransferKind::Reserve || prefunds == 2;
        let own = self.debit.owner == self.credit.owner;
        let limit = ledger.parameter(Parameter::InstantAmountMax, ledger.time());
        if instant && !treasury && !own && transfer.amount.minor_units() > limit {
            return Err(Outcome::AmountAboveLimit);
        }
        Ok(())
    }

    /// The debit account has the amount above its floor.
    pub(super) fn check_liquidity(&self, amount: Amount) -> Result<(), Outcome> {
        let free = self.debit.available() - i128::from(self.debit.floor.minor_units());
        if !self.debit.may_be_negative() && free < i128::from(amount.minor_units()) {
            return Err(Outcome::ExceedsLiquidity);
        }
        Ok(())
    }

    /// Both accounts after the transfer settled.
    fn settle(&self, transfer: &Transfer) -> Result<[(AccountId, Account); 2], Outcome> {
        self.check_liquidity(transfer.amount)?;
        self.posted(transfer, transfer.amount)
    }

    /// Both accounts after `amount` was posted, checked against the largest balance.
    pub(super) fn posted(
        &self,
        transfer: &Transfer,
        amount: Amount,
    ) -> Result<[(AccountId, Account); 2], Outcome> {
        let Self { mut debit, mut credit } = *self;
        let sum = |total: u64| total.checked_add(amount.minor_units());
        debit.debits_posted = sum(debit.debits_posted).ok_or(Outcome::AmountOverflows)?;
        credit.credits_posted = sum(credit.credits_posted).ok_or(Outcome::AmountOverflows)?;
        let largest = i128::from(Amount::MAX.minor_units());
        if credit.balance() > largest || debit.balance() < -largest {
            return Err(Outcome::AmountOverflows);
        }
        Ok([(transfer.debit, debit), (transfer.credit, credit)])
    }

    pub(super) fn parties(&self, context: &Context<'_>) -> Parties {
        Parties::one(context.submitter).and(self.debit.owner).and(self.credit.owner)
    }
}

fn totals(
    ledger: &Ledger,
    kind: TransferKind,
    transfer: &Transfer,
    pair: &Pair,
) -> Result<Row, Outcome> {
    let currency = pair.debit.currency;
    let Totals { issued, redeemed } = ledger.totals.get(&currency).copied().unwrap_or_default();
    let add = |total: u64| total.checked_add(transfer.amount.minor_units());
    let after = match kind {
        TransferKind::Issue => {
            Totals { issued: add(issued).ok_or(Outcome::AmountOverflows)?, redeemed }
        }
        _ => Totals { issued, redeemed: add(redeemed).ok_or(Outcome::AmountOverflows)? },
    };
    Ok(Row::Totals(currency, after))
}
