//! Whose business an operation is: who may see what became of it.

use etibar_ledger::{Ledger, Operation, Outcome, operation::Action, receipt::Event};
use etibar_primitives::{AccountId, MemberId};

/// Whether `member` is a party of an operation with its outcome: its submitter, and of what had an
/// effect also those whom it affected.
pub(super) fn is_party(ledger: &Ledger, member: MemberId, event: &Event) -> bool {
    if event.submitter == member {
        return true;
    }
    let effective = matches!(event.outcome, Outcome::Accepted | Outcome::ReserveExpired);
    let Ok(operation) = Operation::decode(&event.operation) else { return false };
    effective && affects(ledger, member, &operation.action)
}

fn affects(ledger: &Ledger, member: MemberId, action: &Action) -> bool {
    let owns = |id: AccountId| ledger.account(id).is_some_and(|account| account.owner == member);
    match action {
        Action::Transfer(_, transfer) => owns(transfer.debit) || owns(transfer.credit),
        Action::OpenAccount(opening) => opening.owner == member,
        Action::SetAccountStatus(setting) => owns(setting.account),
        Action::SetFloor(setting) => owns(setting.account),
        Action::AdmitMember(admission) => admission.member == member,
        Action::SetMemberStatus(setting) => setting.member == member,
        Action::GrantKey(grant) => grant.member == member,
        Action::RevokeKey(revocation) => revocation.member == member,
        Action::GrantConsent(grant) => grant.provider == member,
        Action::RevokeConsent(revocation) => ledger
            .consent(&revocation.rel)
            .is_some_and(|consent| member == consent.consumer || member == consent.provider),
        Action::RegisterIssuer(registration) => registration.member == member,
        Action::RevokeIssuer(revocation) => revocation.member == member,
        Action::ReuseKyc(reuse) => reuse.provider == member,
        Action::SettleObligations(settlement) => !settlement.excluded.contains(member),
        // What everybody compares with is everybody's.
        Action::AnchorEvidence(_)
        | Action::AnchorStatusList(_)
        | Action::RegisterPurpose(_)
        | Action::RetirePurpose(_) => true,
        Action::SetParameter(_) | Action::SetAlias(_) | Action::RemoveAlias(_) => false,
    }
}
