//! The decision on an application: a function of the product, the verified claims and the moment.
//!
//! It reads nothing and writes nothing. Each rule has a stable code; a refusal says all that broke,
//! a lack of assurance asks to step up instead of refusing.

use std::collections::BTreeMap;

use etibar_credential::{
    UnixSeconds,
    capacity::{CapacityError, Guardianship, check_acting},
    date::Date,
    level::AssuranceLevel,
    verified_claims::{VerifiedClaims, VerifiedClaimsError},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::policy::{COMPANY, CREDIT_REPORT, GUARDIANSHIP, KYC, PID, Product, Role};

/// Verified claims by credential type. Personal: no `Debug` of its values.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facts(pub BTreeMap<String, Value>);

/// What an outside list says of the person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Screened {
    /// On a sanctions list (law 782-VIQ).
    pub hit: bool,
    /// A politically exposed person: enhanced measures.
    pub exposed: bool,
}

/// Why an application is refused. Stable codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Younger than the product demands.
    UnderAge,
    /// The person's identity document has expired.
    DocumentExpired,
    /// On a sanctions list.
    SanctionsHit,
    /// The person has forbidden remote loans (credit bureau, from October 2026).
    RemoteLoanBan,
    /// The presenter is not the guardian that the credential names.
    NotTheGuardian,
    /// The child is of age, or the guardianship has ended.
    GuardianshipEnded,
    /// The presenter is no representative of the company.
    NotARepresentative,
    /// The company's owners are not stated down to people.
    OwnersUnknown,
    /// The reused due diligence is due for renewal.
    KycRefreshDue,
    /// The reused due diligence was done for another person.
    KycOtherPerson,
    /// The reused due diligence is not of this shape.
    KycMalformed,
    /// A claim that the product needs is missing or malformed.
    ClaimMissing,
}

/// Why enhanced measures apply (law 781-VIQ). Stable codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A politically exposed person.
    ExposedPerson,
    /// A citizen of a country that the product does not name.
    ForeignCitizen,
    /// A trust, or another form that the product names.
    LegalForm,
}

/// The decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Accepted.
    Accept(Accepted),
    /// Accepted once the person is identified more surely.
    StepUp {
        /// The level needed.
        needed: AssuranceLevel,
        /// The level held.
        held: AssuranceLevel,
    },
    /// Refused, with everything that broke.
    Refuse(Vec<Reason>),
}

/// An accepted application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The level reached.
    pub level: AssuranceLevel,
    /// Why the staff must examine it first; nothing when it need not.
    pub causes: Vec<Cause>,
    /// Whether it rests on another bank's due diligence.
    pub reused: bool,
}

impl Reason {
    /// The stable code in interfaces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnderAge => "under_age",
            Self::DocumentExpired => "document_expired",
            Self::SanctionsHit => "sanctions_hit",
            Self::RemoteLoanBan => "remote_loan_ban",
            Self::NotTheGuardian => "not_the_guardian",
            Self::GuardianshipEnded => "guardianship_ended",
            Self::NotARepresentative => "not_a_representative",
            Self::OwnersUnknown => "owners_unknown",
            Self::KycRefreshDue => "kyc_refresh_due",
            Self::KycOtherPerson => "kyc_other_person",
            Self::KycMalformed => "kyc_malformed",
            Self::ClaimMissing => "claim_missing",
        }
    }
}

impl Cause {
    /// The stable code in interfaces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ExposedPerson => "exposed_person",
            Self::ForeignCitizen => "foreign_citizen",
            Self::LegalForm => "legal_form",
        }
    }
}

impl Facts {
    /// The claims of one type.
    pub fn of(&self, vct: &str) -> Option<&Value> {
        self.0.get(vct)
    }

    /// Puts the claims of a type beside those already known of it.
    pub fn add(&mut self, vct: &str, claims: Value) {
        match (self.0.get_mut(vct).and_then(Value::as_object_mut), claims) {
            (Some(known), Value::Object(more)) => known.extend(more),
            (_, claims) => {
                self.0.insert(vct.to_owned(), claims);
            }
        }
    }

    fn text(&self, vct: &str, name: &str) -> Option<&str> {
        self.of(vct)?.get(name)?.as_str()
    }

    /// The number by which the state knows who presents.
    pub fn fin(&self) -> Option<&str> {
        self.text(PID, "personal_administrative_number")
    }
}

impl std::fmt::Debug for Facts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Decides.
pub fn decide(
    product: &Product,
    facts: &Facts,
    held: AssuranceLevel,
    screened: Screened,
    now: UnixSeconds,
) -> Decision {
    if held < product.level {
        return Decision::StepUp { needed: product.level, held };
    }
    let today = Date::of(now);
    let mut reasons = Vec::new();
    let mut check = |broken: Option<Reason>| reasons.extend(broken);
    check(screened.hit.then_some(Reason::SanctionsHit));
    check(age(product, facts, today));
    check(document(facts, today));
    check(loan(product, facts));
    match product.role {
        Role::Customer => {}
        Role::Guardian => check(guardian(facts, today)),
        Role::Director => {
            check(director(facts));
            check(owners(product, facts).is_none().then_some(Reason::OwnersUnknown));
        }
    }
    let reused = facts.of(KYC).is_some();
    if reused {
        check(kyc(product, facts, now));
    }
    if !reasons.is_empty() {
        reasons.sort_unstable();
        reasons.dedup();
        return Decision::Refuse(reasons);
    }
    Decision::Accept(Accepted { level: held, causes: causes(product, facts, screened), reused })
}

/// Why enhanced measures apply.
fn causes(product: &Product, facts: &Facts, screened: Screened) -> Vec<Cause> {
    let enhanced = &product.enhanced;
    let nationality = facts.text(PID, "nationality");
    let home = |country: &String| nationality == Some(country.as_str());
    let foreign = !enhanced.citizens_of.is_empty() && !enhanced.citizens_of.iter().any(home);
    let form = facts.text(COMPANY, "legal_form");
    let named = form.is_some_and(|form| enhanced.legal_forms.iter().any(|its| its == form));
    let causes = [
        (screened.exposed, Cause::ExposedPerson),
        (foreign, Cause::ForeignCitizen),
        (named, Cause::LegalForm),
    ];
    causes.into_iter().filter(|(applies, _)| *applies).map(|(_, cause)| cause).collect()
}

/// The level that the presented credentials reach: the lowest that one of them states.
pub fn level_of(facts: &Facts) -> Option<AssuranceLevel> {
    let stated = |vct| facts.text(vct, "assurance_level").and_then(AssuranceLevel::from_code);
    let level = stated(PID)?;
    Some(stated(KYC).map_or(level, |kyc| level.min(kyc)))
}

fn age(product: &Product, facts: &Facts, today: Date) -> Option<Reason> {
    let least = product.age_min?;
    let Some(pid) = facts.of(PID) else { return Some(Reason::ClaimMissing) };
    let stated = pid.get(format!("age_over_{least}")).and_then(Value::as_bool);
    let counted = facts
        .text(PID, "birthdate")
        .and_then(|text| text.parse::<Date>().ok())
        .and_then(|born| born.age_on(today))
        .map(|age| age >= u16::from(least));
    match (stated, counted) {
        (None, None) => Some(Reason::ClaimMissing),
        (Some(false), _) | (_, Some(false)) => Some(Reason::UnderAge),
        _ => None,
    }
}

fn document(facts: &Facts, today: Date) -> Option<Reason> {
    let expiry = facts.text(PID, "document_expiry")?;
    match expiry.parse::<Date>() {
        Ok(expiry) if expiry < today => Some(Reason::DocumentExpired),
        Ok(_) => None,
        Err(_) => Some(Reason::ClaimMissing),
    }
}

fn loan(product: &Product, facts: &Facts) -> Option<Reason> {
    product.credentials.iter().find(|needed| needed.vct == CREDIT_REPORT)?;
    let report = facts.of(CREDIT_REPORT);
    match report.and_then(|report| report.get("remote_loan_ban")).and_then(Value::as_bool) {
        Some(true) => Some(Reason::RemoteLoanBan),
        Some(false) => None,
        None => Some(Reason::ClaimMissing),
    }
}

/// Whether the presenter acts for the child of the certificate (Civil Code, Art. 28 and 30).
fn guardian(facts: &Facts, today: Date) -> Option<Reason> {
    let Some(claims) = facts.of(GUARDIANSHIP) else { return Some(Reason::ClaimMissing) };
    let text = |path: &str| claims.pointer(path).and_then(Value::as_str);
    let born = text("/child/birthdate").and_then(|text| text.parse::<Date>().ok());
    let child = text("/child/personal_administrative_number");
    let (Some(born), Some(child)) = (born, child) else { return Some(Reason::ClaimMissing) };
    let named = text("/guardian/personal_administrative_number");
    let (Some(named), Some(presenter)) = (named, facts.fin()) else {
        return Some(Reason::NotTheGuardian);
    };
    let valid_until = text("/valid_until").and_then(|text| text.parse().ok());
    let certificate = Guardianship { child, guardian: named, valid_until };
    match check_acting(&child, born, &presenter, Some(&certificate), today) {
        Ok(_) => None,
        Err(CapacityError::GuardianshipEnded) => Some(Reason::GuardianshipEnded),
        Err(CapacityError::NotBorn) => Some(Reason::ClaimMissing),
        Err(_) => Some(Reason::NotTheGuardian),
    }
}

fn director(facts: &Facts) -> Option<Reason> {
    let people = facts.of(COMPANY).and_then(|company| company.get("representatives"));
    let Some(people) = people.and_then(Value::as_array) else { return Some(Reason::ClaimMissing) };
    let Some(fin) = facts.fin() else { return Some(Reason::ClaimMissing) };
    let acts = people.iter().any(|entry| fin_of_person(entry) == Some(fin));
    (!acts).then_some(Reason::NotARepresentative)
}

/// The owners who hold at least the product's share, each `{person, share_basis_points}`; `None`
/// when the company does not say. Source: FATF Recommendation 24; the share is the bank's policy.
pub fn owners<'a>(product: &Product, facts: &'a Facts) -> Option<Vec<&'a Value>> {
    let least = u64::from(product.owner_share_min_basis_points.unwrap_or(2_500));
    let all = facts.of(COMPANY)?.get("beneficial_owners")?.as_array()?;
    let share = |entry: &&Value| entry.get("share_basis_points").and_then(Value::as_u64);
    if all.iter().any(|entry| share(&entry).is_none() || fin_of_person(entry).is_none()) {
        return None;
    }
    Some(all.iter().filter(|entry| share(entry).is_some_and(|share| share >= least)).collect())
}

/// The number of the person that an entry of a company names.
pub fn fin_of_person(entry: &Value) -> Option<&str> {
    let person = entry.get("person")?;
    person.as_str().or_else(|| person.get("personal_administrative_number")?.as_str())
}

/// Another bank's due diligence: whole, not due for renewal, and of the person who presents.
fn kyc(product: &Product, facts: &Facts, now: UnixSeconds) -> Option<Reason> {
    let claims = facts.of(KYC)?.as_object()?;
    let Ok(verified) = VerifiedClaims::from_credential(claims) else {
        return Some(Reason::KycMalformed);
    };
    match verified.check_reuse(product.level, now) {
        Ok(()) => {}
        Err(VerifiedClaimsError::RefreshDue) => return Some(Reason::KycRefreshDue),
        Err(_) => return Some(Reason::KycMalformed),
    }
    let fin = verified.claims.get("personal_administrative_number").and_then(Value::as_str);
    if fin.is_some() && fin == facts.fin() { None } else { Some(Reason::KycOtherPerson) }
}

#[cfg(test)]
mod tests;
