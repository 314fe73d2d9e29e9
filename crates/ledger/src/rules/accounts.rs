//! Opening, freezing and closing accounts; their floors.

use super::{Approved, Context, Row};
use crate::{
    Ledger, Outcome,
    operation::{AccountKind, AccountOpening, AccountStatus, FloorSetting, StatusSetting},
    state::Account,
};

pub(super) fn open(
    ledger: &Ledger,
    context: &Context<'_>,
    opening: &AccountOpening,
) -> Result<Approved, Outcome> {
    context.operator_only()?;
    let second_issue = opening.kind == AccountKind::Issue
        && ledger.accounts().any(|(_, account)| {
            account.kind == AccountKind::Issue && account.currency == opening.currency
        });
    let foreign_issue = opening.kind == AccountKind::Issue && opening.owner != context.submitter;
    if second_issue || foreign_issue || opening.account.0 == 0 {
        return Err(Outcome::AccountKindNotAllowed);
    }
    if ledger.account(opening.account).is_some() {
        return Err(Outcome::AccountExists);
    }
    if ledger.member(opening.owner).is_none() {
        return Err(Outcome::MemberUnknown);
    }
    let account = Account::new(opening.owner, opening.kind, opening.currency);
    let row = Row::Account(opening.account, account);
    Ok(Approved::row(context, row).and_concerns(opening.owner))
}

pub(super) fn set_status(
    ledger: &Ledger,
    context: &Context<'_>,
    setting: &StatusSetting,
) -> Result<Approved, Outcome> {
    context.operator_only()?;
    let mut account = *ledger.account(setting.account).ok_or(Outcome::AccountUnknown)?;
    if account.status == AccountStatus::Closed {
        return Err(Outcome::AccountIsClosed);
    }
    let empty =
        account.balance() == 0 && account.debits_pending == 0 && account.credits_pending == 0;
    if setting.status == AccountStatus::Closed && !empty {
        return Err(Outcome::AccountNotEmpty);
    }
    account.status = setting.status;
    let row = Row::Account(setting.account, account);
    Ok(Approved::row(context, row).and_concerns(account.owner))
}

pub(super) fn set_floor(
    ledger: &Ledger,
    context: &Context<'_>,
    setting: &FloorSetting,
) -> Result<Approved, Outcome> {
    let mut account = *ledger.account(setting.account).ok_or(Outcome::AccountUnknown)?;
    context.operator_or(account.owner)?;
    if account.status == AccountStatus::Closed {
        return Err(Outcome::AccountIsClosed);
    }
    account.floor = setting.floor;
    let row = Row::Account(setting.account, account);
    Ok(Approved::row(context, row).and_concerns(account.owner))
}
