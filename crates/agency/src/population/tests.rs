use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::*;
use crate::agencies::kind;

fn population(seed: u64, people: usize) -> Population {
    let reference = "2026-11-01".parse().unwrap();
    Population::generate(Plan { seed, people, reference })
}

#[test]
fn the_same_seed_gives_the_same_population_and_another_seed_another() {
    let records = |seed| population(seed, 500).records(Agency::InternalAffairs);
    assert_eq!(records(1), records(1));
    assert_ne!(records(1), records(2));
}

#[test]
fn ten_thousand_people_have_ten_thousand_valid_fins_and_documents() {
    let population = population(7, 10_000);
    let fins: BTreeSet<_> = population.people().iter().map(|person| person.fin).collect();
    assert_eq!(fins.len(), 10_000);
    assert!(fins.iter().all(|fin| Fin::parse(fin.expose()).is_ok()));
    let documents: BTreeSet<_> =
        population.people().iter().map(|person| &person.document_number).collect();
    assert_eq!(documents.len(), 10_000);
    let order = |person: &Person| person.document_issued < person.document_expiry;
    assert!(population.people().iter().all(order));
}

#[test]
fn every_child_has_a_living_guardian_who_is_old_enough() {
    let population = population(7, 10_000);
    let today = population.reference();
    let (adults, children): (Vec<_>, Vec<_>) =
        population.people().iter().partition(|person| person.guardian.is_none());
    assert!(adults.iter().all(|person| person.is_adult(today)));
    assert!(children.len() >= 2_000);
    let mut counted = BTreeMap::new();
    for child in children {
        assert!(!child.is_adult(today));
        let guardian = &population.people()[child.guardian.unwrap()];
        assert!(guardian.is_adult(today));
        assert!(guardian.died.is_none());
        assert!(!child.guardian_is_parent || guardian.born.years_until(child.born) >= 17);
        *counted.entry(child.guardian.unwrap()).or_insert(0) += 1;
    }
    for (index, person) in population.people().iter().enumerate() {
        assert_eq!(person.minor_children, counted.get(&index).copied().unwrap_or(0));
    }
}

#[test]
fn the_owners_of_every_company_sum_to_ten_thousand_basis_points() {
    let population = population(7, 10_000);
    let (mut chains, mut large) = (0, 0);
    for (index, company) in population.companies().iter().enumerate() {
        let sum: u64 = company.owners.iter().map(|owner| owner.share_basis_points).sum();
        assert_eq!(sum, 10_000);
        assert!(company.owners.iter().all(|owner| owner.share_basis_points > 0));
        for owner in &company.owners {
            if let Shareholder::Company(above) = owner.shareholder {
                assert!(above < index, "chains have no circle");
                chains += 1;
            }
        }
        let people = company.beneficial_owners(population.companies());
        let sum: u64 = people.iter().map(|(_, share)| share).sum();
        // Each step of a chain rounds down.
        assert!((9_900..=10_000).contains(&sum), "{sum}");
        large += u64::from(people.iter().any(|(_, share)| *share > 2_500));
        assert!(population.people()[company.director].is_adult(population.reference()));
    }
    assert!(chains > 20);
    assert!(large > 100);
}

#[test]
fn contracts_contributions_and_numbers_of_employees_agree() {
    let population = population(7, 2_000);
    let employments = population.records(Agency::Labour);
    let insurances = population.records(Agency::SocialProtection);
    let insured = by_holder(&insurances);
    let mut employees: BTreeMap<String, u64> = BTreeMap::new();
    for record in &employments {
        let salary = &record.claims["monthly_salary_qepik"];
        let insurance = &insured[record.holders[0].expose()];
        assert_eq!(salary, &insurance["contribution_base_qepik"]);
        let voen = record.claims["employer_voen"].as_str().unwrap();
        *employees.entry(voen.to_owned()).or_default() += 1;
    }
    let tax = population.records(Agency::Tax);
    for company in tax.iter().filter(|record| record.kind == kind::COMPANY) {
        let count = employees.get(&company.id).copied().unwrap_or(0);
        assert_eq!(company.claims["employees"], count);
    }
}

fn by_holder(records: &[Record]) -> BTreeMap<String, &serde_json::Map<String, Value>> {
    let pair = |record| -> (String, _) {
        let record: &Record = record;
        (record.holders[0].expose().to_owned(), &record.claims)
    };
    records.iter().map(pair).collect()
}

#[test]
fn each_agency_sees_its_own_slice_only() {
    let population = population(7, 1_000);
    for agency in Agency::ALL {
        let records = population.records(agency);
        assert!(!records.is_empty(), "{agency:?} has records");
        let kinds: BTreeSet<_> = records.iter().map(|record| record.kind.as_str()).collect();
        let own: BTreeSet<_> = agency.kinds().iter().copied().collect();
        assert_eq!(kinds, own, "{agency:?}");
        let ids: BTreeSet<_> = records.iter().map(|record| (&record.kind, &record.id)).collect();
        assert_eq!(ids.len(), records.len(), "{agency:?}: ids are unique");
    }
    assert!(population.records_of(MemberId(5)).is_empty());
}

#[test]
fn voens_are_valid_and_never_shared() {
    let population = population(9, 10_000);
    let mut voens = BTreeSet::new();
    let companies = population.companies().iter().map(|company| &company.voen);
    let people = population.people().iter().filter_map(|person| person.voen.as_ref());
    for voen in companies.chain(people) {
        assert!(Voen::parse(voen.expose()).is_ok());
        assert!(voens.insert(*voen));
    }
}

#[test]
fn every_kind_of_fate_occurs_among_ten_thousand() {
    let population = population(7, 10_000);
    let today = population.reference();
    let people = population.people();
    assert!(people.iter().any(|person| person.died.is_some()));
    assert!(people.iter().any(|person| person.document_expiry < today));
    assert!(people.iter().any(|person| !person.is_citizen()));
    let has = |agency, claim: &str, value: Value| {
        population.records(agency).iter().any(|record| record.claims.get(claim) == Some(&value))
    };
    assert!(has(Agency::Monitoring, "hit", true.into()));
    assert!(has(Agency::CreditBureau, "remote_loan_ban", true.into()));
    assert!(has(Agency::Property, "encumbered", true.into()));
    // The first ten are ordinary people in work: samples begin with them.
    for person in &people[..10] {
        assert!(person.is_citizen() && person.died.is_none() && person.job.is_some());
        assert!(person.is_adult(today) && person.document_expiry > today);
    }
    assert_eq!(population.companies()[0].director, 0);
}
