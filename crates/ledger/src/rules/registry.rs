//! Aliases, evidence, consents and issuers.

use etibar_primitives::BlockTime;

use super::{Approved, Context, Row};
use crate::{
    Ledger, Outcome,
    operation::{
        AliasRemoval, AliasSetting, ConsentGrant, ConsentRevocation, EvidenceAnchor,
        IssuerRegistration, IssuerRevocation, Parameter,
    },
    state::{Alias, Consent, Evidence, Issuer},
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
    let consent = Consent {
        consumer: context.submitter,
        provider: grant.provider,
        commitment: grant.commitment,
        granted: ledger.time(),
        expires: grant.expires,
        revoked: BlockTime::MAX,
    };
    let row = Row::Consent(grant.rel, consent);
    Ok(Approved::row(context, row).and_concerns(grant.provider))
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
