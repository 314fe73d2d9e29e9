//! Aliases, anchors, consents, issuers and purposes.

use etibar_primitives::BlockTime;

use super::{Approved, Context, Row};
use crate::{
    Ledger, Outcome,
    operation::{
        AliasRemoval, AliasSetting, ConsentGrant, ConsentRevocation, EvidenceAnchor,
        IssuerRegistration, IssuerRevocation, Parameter, PurposeCode, PurposeRegistration,
        PurposeRetirement, STATUS_LISTS_MAX, StatusListAnchor,
    },
    state::{Alias, Consent, Evidence, Issuer, Purpose, StatusList},
};

/// The newest registration wins; the participant that loses the alias is told.
pub(super) fn set_alias(
    ledger: &Ledger,
    context: &Context<'_>,
    setting: &AliasSetting,
) -> Approved {
    let AliasSetting { tag, locator } = *setting;
    let alias = Alias { member: context.submitter, locator, since: ledger.time() };
    let approved = Approved::row(context, Row::Alias(tag, Some(alias)));
    match ledger.alias(&tag) {
        Some(former) => approved.and_concerns(former.member),
        None => approved,
    }
}

pub(super) fn remove_alias(
    ledger: &Ledger,
    context: &Context<'_>,
    removal: &AliasRemoval,
) -> Result<Approved, Outcome> {
    let own = ledger.alias(&removal.tag).is_some_and(|its| its.member == context.submitter);
    if !own {
        return Err(Outcome::AliasUnknown);
    }
    Ok(Approved::row(context, Row::Alias(removal.tag, None)))
}

pub(super) fn anchor_evidence(
    ledger: &Ledger,
    context: &Context<'_>,
    anchor: &EvidenceAnchor,
) -> Result<Approved, Outcome> {
    if anchor.count == 0 {
        return Err(Outcome::EvidenceIsEmpty);
    }
    if anchor.from > anchor.until {
        return Err(Outcome::WindowIsEmpty);
    }
    let former = ledger.evidence(context.submitter).map_or(0, |evidence| evidence.total);
    let total = former.checked_add(u64::from(anchor.count)).ok_or(Outcome::AmountOverflows)?;
    let EvidenceAnchor { root, count, from, until } = *anchor;
    let evidence = Evidence { root, count, from, until, total };
    Ok(Approved::row(context, Row::Evidence(context.submitter, evidence)))
}

pub(super) fn grant_consent(
    ledger: &Ledger,
    context: &Context<'_>,
    grant: &ConsentGrant,
) -> Result<Approved, Outcome> {
    if ledger.member(grant.provider).is_none() {
        return Err(Outcome::MemberUnknown);
    }
    if grant.expires <= ledger.time() {
        return Err(Outcome::WindowIsEmpty);
    }
    if ledger.consent(&grant.rel).is_some() {
        return Err(Outcome::ConsentExists);
    }
    let longest = ledger.parameter(Parameter::ConsentDurationMaxMs, ledger.time());
    if grant.expires.since(ledger.time()).0 > longest {
        return Err(Outcome::ConsentTooLong);
    }
    check_purpose(ledger, grant)?;
    let most = ledger.parameter(Parameter::ConsentsPerMemberMax, ledger.time());
    if ledger.consent_count(context.submitter) >= most {
        return Err(Outcome::TooManyConsents);
    }
    let consent = Consent {
        consumer: context.submitter,
        provider: grant.provider,
        commitment: grant.commitment,
        granted: ledger.time(),
        expires: grant.expires,
        revoked: BlockTime::MAX,
        purpose: grant.purpose,
        scope: grant.scope,
    };
    let row = Row::Consent(grant.rel, consent);
    Ok(Approved::row(context, row).and_concerns(grant.provider))
}

/// A consent asks for no more than its purpose, and for no longer.
fn check_purpose(ledger: &Ledger, grant: &ConsentGrant) -> Result<(), Outcome> {
    if grant.scope.is_empty() {
        return Err(Outcome::ScopeIsEmpty);
    }
    let purpose = ledger.purpose(grant.purpose).ok_or(Outcome::PurposeUnknown)?;
    if purpose.retired != BlockTime::MAX {
        return Err(Outcome::PurposeIsRetired);
    }
    if !grant.scope.is_within(purpose.scope) {
        return Err(Outcome::ConsentExceedsPurpose);
    }
    if grant.expires.since(ledger.time()) > purpose.duration_max {
        return Err(Outcome::ConsentTooLongForPurpose);
    }
    Ok(())
}

pub(super) fn revoke_consent(
    ledger: &Ledger,
    context: &Context<'_>,
    end: &ConsentRevocation,
) -> Result<Approved, Outcome> {
    let mut consent = *ledger.consent(&end.rel).ok_or(Outcome::ConsentUnknown)?;
    let party = [consent.consumer, consent.provider].contains(&context.submitter);
    if !party {
        return Err(Outcome::NotAuthorised);
    }
    if consent.revoked != BlockTime::MAX {
        return Err(Outcome::ConsentAlreadyRevoked);
    }
    consent.revoked = ledger.time();
    let approved = Approved::row(context, Row::Consent(end.rel, consent));
    Ok(approved.and_concerns(consent.consumer).and_concerns(consent.provider))
}

pub(super) fn register_issuer(
    ledger: &Ledger,
    context: &Context<'_>,
    entry: &IssuerRegistration,
) -> Result<Approved, Outcome> {
    context.operator_only()?;
    if ledger.member(entry.member).is_none() {
        return Err(Outcome::MemberUnknown);
    }
    if entry.valid_from >= entry.valid_until || entry.valid_until <= ledger.time() {
        return Err(Outcome::WindowIsEmpty);
    }
    let issuer = Issuer {
        certificate: entry.certificate,
        ceiling: entry.ceiling,
        valid_from: entry.valid_from,
        valid_until: entry.valid_until,
    };
    let row = Row::Issuer((entry.member, entry.credential_type), Some(issuer));
    Ok(Approved::row(context, row).and_concerns(entry.member))
}

pub(super) fn revoke_issuer(
    ledger: &Ledger,
    context: &Context<'_>,
    entry: &IssuerRevocation,
) -> Result<Approved, Outcome> {
    context.operator_only()?;
    let key = (entry.member, entry.credential_type);
    if ledger.issuer(entry.member, entry.credential_type).is_none() {
        return Err(Outcome::IssuerUnknown);
    }
    Ok(Approved::row(context, Row::Issuer(key, None)).and_concerns(entry.member))
}

pub(super) fn register_purpose(
    ledger: &Ledger,
    context: &Context<'_>,
    entry: &PurposeRegistration,
) -> Result<Approved, Outcome> {
    context.operator_only()?;
    let PurposeRegistration { code, scope, duration_max, document } = *entry;
    if code == PurposeCode(0) || scope.is_empty() || duration_max.0 == 0 {
        return Err(Outcome::ScopeIsEmpty);
    }
    if ledger.purpose(code).is_some() {
        return Err(Outcome::PurposeExists);
    }
    let purpose = Purpose { scope, duration_max, document, retired: BlockTime::MAX };
    Ok(Approved::row(context, Row::Purpose(code, purpose)))
}

pub(super) fn retire_purpose(
    ledger: &Ledger,
    context: &Context<'_>,
    entry: PurposeRetirement,
) -> Result<Approved, Outcome> {
    context.operator_only()?;
    let mut purpose = *ledger.purpose(entry.code).ok_or(Outcome::PurposeUnknown)?;
    if purpose.retired != BlockTime::MAX {
        return Err(Outcome::PurposeIsRetired);
    }
    purpose.retired = ledger.time();
    Ok(Approved::row(context, Row::Purpose(entry.code, purpose)))
}

pub(super) fn anchor_status_list(
    ledger: &Ledger,
    context: &Context<'_>,
    anchor: &StatusListAnchor,
) -> Result<Approved, Outcome> {
    let mut own = ledger.issuers().filter(|(member, ..)| *member == context.submitter);
    let time = ledger.time();
    if !own.any(|(.., its)| its.valid_from <= time && time < its.valid_until) {
        return Err(Outcome::IssuerUnknown);
    }
    if anchor.list >= STATUS_LISTS_MAX {
        return Err(Outcome::StatusListOutOfRange);
    }
    let former = ledger.status_list(context.submitter, anchor.list).map_or(0, |its| its.counter);
    if anchor.counter <= former {
        return Err(Outcome::CounterNotRising);
    }
    let StatusListAnchor { list, counter, digest } = *anchor;
    let row = StatusList { counter, digest, anchored: time };
    Ok(Approved::row(context, Row::StatusList((context.submitter, list), row)))
}
