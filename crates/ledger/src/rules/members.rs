//! Members, their keys, and the rulebook's parameters.

use etibar_primitives::MemberId;

use super::{Approved, Context, Row};
use crate::{
    Ledger, Outcome,
    operation::{
        KeyGrant, KeyRevocation, MemberAdmission, MemberRole, MemberStatus, MemberStatusSetting,
        ParameterSetting,
    },
    state::{CHANGES_MAX, KEYS_MAX, Member, MemberKey},
};

pub(super) fn admit(
    ledger: &Ledger,
    context: &Context<'_>,
    admission: &MemberAdmission,
) -> Result<Approved, Outcome> {
    context.operator_only()?;
    if admission.role == MemberRole::Operator || admission.member == MemberId(0) {
        return Err(Outcome::NotAuthorised);
    }
    if ledger.member(admission.member).is_some() {
        return Err(Outcome::MemberExists);
    }
    let member = Member {
        role: admission.role,
        status: MemberStatus::Active,
        bic: admission.bic,
        keys: [].into(),
    };
    Ok(Approved::row(context, Row::Member(admission.member, member)))
}

pub(super) fn set_status(
    ledger: &Ledger,
    context: &Context<'_>,
    setting: MemberStatusSetting,
) -> Result<Approved, Outcome> {
    context.operator_only()?;
    let mut member = ledger.member(setting.member).ok_or(Outcome::MemberUnknown)?.clone();
    // The network must keep somebody who can reinstate.
    if member.role == MemberRole::Operator {
        return Err(Outcome::NotAuthorised);
    }
    member.status = setting.status;
    let row = Row::Member(setting.member, member);
    Ok(Approved::row(context, row).and_concerns(setting.member))
}

pub(super) fn grant_key(
    ledger: &Ledger,
    context: &Context<'_>,
    grant: &KeyGrant,
) -> Result<Approved, Outcome> {
    context.operator_or(grant.member)?;
    let mut member = ledger.member(grant.member).ok_or(Outcome::MemberUnknown)?.clone();
    let mut everyone = ledger.members().flat_map(|(_, member)| &member.keys);
    if everyone.any(|its| its.key == grant.key) {
        return Err(Outcome::KeyExists);
    }
    // Keys whose time is over make room by themselves.
    member.keys.retain(|its| its.valid_until > ledger.time());
    if member.keys.len() >= KEYS_MAX {
        return Err(Outcome::TooManyKeys);
    }
    if grant.valid_from >= grant.valid_until || grant.valid_until <= ledger.time() {
        return Err(Outcome::WindowIsEmpty);
    }
    let KeyGrant { key, valid_from, valid_until, .. } = *grant;
    member.keys.push(MemberKey { key, valid_from, valid_until });
    let row = Row::Member(grant.member, member);
    Ok(Approved::row(context, row).and_concerns(grant.member))
}

pub(super) fn revoke_key(
    ledger: &Ledger,
    context: &Context<'_>,
    revocation: &KeyRevocation,
) -> Result<Approved, Outcome> {
    context.operator_or(revocation.member)?;
    let mut member = ledger.member(revocation.member).ok_or(Outcome::MemberUnknown)?.clone();
    let before = member.keys.len();
    member.keys.retain(|its| its.key != revocation.key);
    if member.keys.len() == before {
        return Err(Outcome::KeyUnknown);
    }
    // An operator without a key that speaks now could never be helped.
    let speaks = |its: &MemberKey| member.speaks(&its.key, ledger.time());
    if member.role == MemberRole::Operator && !member.keys.iter().any(speaks) {
        return Err(Outcome::NotAuthorised);
    }
    let row = Row::Member(revocation.member, member);
    Ok(Approved::row(context, row).and_concerns(revocation.member))
}

pub(super) fn set_parameter(
    ledger: &Ledger,
    context: &Context<'_>,
    setting: &ParameterSetting,
) -> Result<Approved, Outcome> {
    context.operator_only()?;
    if setting.effective_from < ledger.time() {
        return Err(Outcome::EffectiveInPast);
    }
    if !setting.parameter.allows(setting.value) {
        return Err(Outcome::ValueOutOfRange);
    }
    let mut history = ledger.parameters.get(&setting.parameter).cloned().unwrap_or_default();
    // Keep the value in force and the future ones; what they replaced is in the receipts.
    let in_force = history.values.iter().rposition(|(from, _)| *from <= ledger.time());
    history.values.drain(..in_force.unwrap_or(0));
    history.values.retain(|(from, _)| *from != setting.effective_from);
    if history.values.len() >= CHANGES_MAX {
        return Err(Outcome::TooManyChanges);
    }
    history.values.push((setting.effective_from, setting.value));
    history.values.sort_unstable();
    Ok(Approved::row(context, Row::Parameter(setting.parameter, history)))
}
