//! The sentence that says what a receipt proves.

use etibar_ledger::{
    Outcome,
    operation::{Action, Transfer, TransferKind},
};
use etibar_primitives::{AccountId, BlockTime, MemberId};

use super::VerifiedReceipt;
use super::receipt::Names;

/// The sentence for `receipt`.
pub(super) fn of(receipt: &VerifiedReceipt) -> String {
    let when = moment(receipt.time);
    let (height, network) = (receipt.height, &receipt.network_name);
    let what = deed(receipt);
    format!("On {when}, at height {height}, the ledger of network {network:?} {what}.")
}

fn deed(receipt: &VerifiedReceipt) -> String {
    let (id, names) = (receipt.id(), &receipt.names);
    let submitter = names.member(receipt.submitter());
    let Some(operation) = &receipt.operation else {
        return format!("refused operation {id} of {submitter}, whose bytes are no operation");
    };
    match (receipt.outcome(), &operation.action) {
        (Outcome::Accepted, Action::Transfer(kind, transfer)) => {
            settled(*kind, transfer, &id.to_string(), names)
        }
        (Outcome::Accepted, action) => {
            format!("accepted that {submitter} {}, operation {id}", admin(action, names))
        }
        (Outcome::ReserveExpired, action) => {
            let money = money(action, names);
            format!("let the reserve {id} of {submitter}{money} lapse; no money moved")
        }
        (refusal, action) => {
            let reason = refusal.iso_reason();
            let reason = if reason.is_empty() { String::new() } else { format!(", ISO {reason}") };
            let money = money(action, names);
            let kind = kind(action);
            format!(
                "refused {kind} {id} of {submitter}{money}, because of {}{reason}; it changed \
                 nothing",
                refusal.name()
            )
        }
    }
}

fn settled(kind: TransferKind, transfer: &Transfer, id: &str, names: &Names) -> String {
    let amount = names.amount(transfer);
    let debtor = names.account(transfer.debit, transfer.debtor_agent);
    let creditor = names.account(transfer.credit, transfer.creditor_agent);
    let pending = transfer.pending;
    match kind {
        TransferKind::Direct => {
            format!("settled with finality: {debtor} paid {amount} to {creditor}, UETR {id}")
        }
        TransferKind::Reserve => format!(
            "set aside {amount} of {debtor} for {creditor} until {}, UETR {id}; it is paid only \
             when the creditor confirms",
            moment(transfer.expires)
        ),
        TransferKind::Post => format!(
            "settled with finality: {debtor} paid {amount} to {creditor}, UETR {pending}, by \
             confirmation {id}"
        ),
        TransferKind::Void => {
            let reason = transfer.reason.as_str();
            let reason = if reason.is_empty() { String::new() } else { format!(", ISO {reason}") };
            format!(
                "released {amount} of {debtor} set aside for {creditor}, UETR {pending}{reason}; \
                 no money moved"
            )
        }
        TransferKind::Issue => {
            format!("issued {amount} of central-bank money to {creditor}, operation {id}")
        }
        TransferKind::Redeem => {
            format!("redeemed {amount} of central-bank money of {debtor}, operation {id}")
        }
    }
}

/// The money of an operation that moved none, or nothing to say.
fn money(action: &Action, names: &Names) -> String {
    let Action::Transfer(_, transfer) = action else { return String::new() };
    let debtor = names.account(transfer.debit, transfer.debtor_agent);
    let creditor = names.account(transfer.credit, transfer.creditor_agent);
    format!(", {} from {debtor} to {creditor}", names.amount(transfer))
}

const fn kind(action: &Action) -> &'static str {
    match action {
        Action::Transfer(TransferKind::Direct, _) => "the payment",
        Action::Transfer(TransferKind::Reserve, _) => "the reserve",
        Action::Transfer(TransferKind::Post, _) => "the confirmation",
        Action::Transfer(TransferKind::Void, _) => "the release",
        Action::Transfer(TransferKind::Issue, _) => "the issue of money",
        Action::Transfer(TransferKind::Redeem, _) => "the redemption of money",
        _ => "operation",
    }
}

fn admin(action: &Action, names: &Names) -> String {
    match action {
        Action::Transfer(..) => "moved money".to_owned(),
        Action::OpenAccount(opening) => {
            format!("opened account {} for {}", opening.account, names.member(opening.owner))
        }
        Action::SetAccountStatus(setting) => {
            format!("set account {} to {:?}", setting.account, setting.status)
        }
        Action::SetFloor(setting) => {
            format!("set the floor of account {} to {}", setting.account, setting.floor)
        }
        Action::AdmitMember(admission) => {
            format!("admitted member {} with BIC {}", admission.member, admission.bic)
        }
        Action::SetMemberStatus(setting) => {
            format!("set {} to {:?}", names.member(setting.member), setting.status)
        }
        Action::GrantKey(grant) => {
            format!("gave {} the key {}", names.member(grant.member), grant.key)
        }
        Action::RevokeKey(revocation) => {
            format!("took the key {} from {}", revocation.key, names.member(revocation.member))
        }
        Action::SetParameter(setting) => format!(
            "set the rulebook's {:?} to {} from {} on",
            setting.parameter,
            setting.value,
            moment(setting.effective_from)
        ),
        Action::SetAlias(setting) => format!("registered the alias tag {}", setting.tag),
        Action::RemoveAlias(removal) => format!("removed the alias tag {}", removal.tag),
        Action::AnchorEvidence(anchor) => format!(
            "anchored the root {} of {} access records from {} to {}",
            anchor.root,
            anchor.count,
            moment(anchor.from),
            moment(anchor.until)
        ),
        Action::GrantConsent(grant) => format!(
            "recorded consent {} towards {} for purpose {} until {}",
            grant.rel,
            names.member(grant.provider),
            grant.purpose.0,
            moment(grant.expires)
        ),
        Action::RevokeConsent(revocation) => format!("ended consent {}", revocation.rel),
        Action::RegisterIssuer(registration) => format!(
            "registered {} as issuer of credential type {}",
            names.member(registration.member),
            registration.credential_type
        ),
        Action::RevokeIssuer(revocation) => format!(
            "ended the right of {} to issue credential type {}",
            names.member(revocation.member),
            revocation.credential_type
        ),
        Action::RegisterPurpose(_)
        | Action::RetirePurpose(_)
        | Action::AnchorStatusList(_)
        | Action::ReuseKyc(_)
        | Action::SettleObligations(_) => identity(action, names),
    }
}

/// What [`admin`] leaves over: purposes, status lists and the reuse of due diligence.
fn identity(action: &Action, names: &Names) -> String {
    match action {
        Action::RegisterPurpose(purpose) => {
            format!("registered purpose {} with the document {}", purpose.code.0, purpose.document)
        }
        Action::RetirePurpose(purpose) => {
            format!("retired purpose {} for new consents", purpose.code.0)
        }
        Action::AnchorStatusList(anchor) => format!(
            "anchored status list {} as number {} with the digest {}",
            anchor.list, anchor.counter, anchor.digest
        ),
        Action::ReuseKyc(reuse) => format!(
            "relies on the due diligence of {} and owes it {} AZN",
            names.member(reuse.provider),
            reuse.fee
        ),
        Action::SettleObligations(its) => {
            let excluded: Vec<_> = its.excluded.members().map(|its| names.member(its)).collect();
            let but = if excluded.is_empty() {
                String::new()
            } else {
                format!(" but those of {}", excluded.join(", "))
            };
            format!("settled with finality all open obligations{but} between settlement accounts")
        }
        _ => unreachable!("`admin` passes on no other operation"),
    }
}

impl Names {
    fn member(&self, id: MemberId) -> String {
        match self.members.get(&id) {
            Some(name) => format!("{name} (member {id})"),
            None => format!("member {id}"),
        }
    }

    /// An account by its owner, else by the participant that the operation names.
    fn account(&self, id: AccountId, agent: MemberId) -> String {
        let agent = (agent.0 != 0).then_some(agent);
        match self.accounts.get(&id).copied().or(agent) {
            Some(owner) => format!("account {id} of {}", self.member(owner)),
            None => format!("account {id}"),
        }
    }

    /// The genesis opens accounts in AZN only; of a later account the receipt alone does not say
    /// the currency.
    fn amount(&self, transfer: &Transfer) -> String {
        let known =
            [transfer.debit, transfer.credit].iter().any(|id| self.accounts.contains_key(id));
        let currency = if known { "AZN" } else { "in the accounts' currency" };
        format!("{} {currency}", transfer.amount)
    }
}

/// A moment as `2026-11-22 13:40:05.123 UTC`; the last representable one as "no end".
fn moment(time: BlockTime) -> String {
    if time == BlockTime::MAX {
        return "no end".to_owned();
    }
    let (seconds, millis) = (time.0 / 1_000, time.0 % 1_000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{millis:03} UTC")
}

/// Year, month and day of a count of days since 1970-01-01, in the Gregorian calendar.
///
/// Counts from 0000-03-01 in eras of 400 years, which all have the same number of days.
const fn civil(days: u64) -> (u64, u64, u64) {
    const DAYS_PER_ERA: u64 = 146_097;
    let days = days + 719_468;
    let (era, day) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let next_year = if month <= 2 { 1 } else { 0 };
    (era * 400 + year + next_year, month, day)
}

#[cfg(test)]
mod tests {
    use etibar_ledger::operation::{Excluded, KycReuse, LiabilityClass, ObligationsSettlement};
    use etibar_primitives::{Amount, Digest};

    use super::*;

    #[test]
    fn moments_are_written_in_the_gregorian_calendar() {
        assert_eq!(moment(BlockTime(0)), "1970-01-01 00:00:00.000 UTC");
        assert_eq!(moment(BlockTime(951_782_400_000)), "2000-02-29 00:00:00.000 UTC");
        assert_eq!(moment(BlockTime(1_795_354_805_123)), "2026-11-22 13:40:05.123 UTC");
        assert_eq!(moment(BlockTime(4_107_542_399_999)), "2100-02-28 23:59:59.999 UTC");
        assert_eq!(moment(BlockTime(4_107_542_400_000)), "2100-03-01 00:00:00.000 UTC");
        assert_eq!(moment(BlockTime::MAX), "no end");
    }

    #[test]
    fn a_settlement_says_whose_obligations_stay_open_and_a_reuse_what_is_owed() {
        let members = [(MemberId(2), "Bank 2 (sample)".to_owned())].into();
        let names = Names { members, ..Names::default() };
        let settle = |members: &[MemberId]| {
            let excluded = Excluded::new(members).expect("a set");
            admin(&Action::SettleObligations(ObligationsSettlement { excluded }), &names)
        };
        assert_eq!(
            settle(&[]),
            "settled with finality all open obligations between settlement accounts"
        );
        assert_eq!(
            settle(&[MemberId(3), MemberId(2)]),
            "settled with finality all open obligations but those of Bank 2 (sample) (member 2), \
             member 3 between settlement accounts"
        );
        let reuse = KycReuse {
            provider: MemberId(2),
            fee: Amount::new(250).expect("in range"),
            liability: LiabilityClass::Relying,
            commitment: Digest([1; 32]),
            created: BlockTime(0),
        };
        assert_eq!(
            admin(&Action::ReuseKyc(reuse), &names),
            "relies on the due diligence of Bank 2 (sample) (member 2) and owes it 2.50 AZN"
        );
    }
}
