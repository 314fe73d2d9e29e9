//! The agencies' slices: which record of whom each register holds.

use serde_json::{Map, Value, json};

use super::{
    Population,
    claims::{address, claims, person_of},
    random::Random,
};
use crate::{
    agencies::{Agency, kind},
    identifiers::Fin,
    register::{Ending, Record},
};

/// Where records come from while a slice is made.
struct Slice<'p> {
    population: &'p Population,
    records: Vec<Record>,
}

/// The records of `agency`.
pub(super) fn of(population: &Population, agency: Agency) -> Vec<Record> {
    let mut slice = Slice { population, records: Vec::new() };
    for kind in agency.kinds() {
        match *kind {
            kind::COMPANY => slice.companies(),
            kind::TAXPAYER => slice.taxpayers(),
            kind::TRADE => slice.trade(),
            kind::MANDATE => slice.mandates(),
            kind::GUARDIANSHIP => slice.guardianships(),
            _ => slice.people(kind),
        }
    }
    slice.records
}

impl Slice<'_> {
    fn put(&mut self, kind: &str, id: String, holders: Vec<Fin>, claims: Value) -> &mut Record {
        let Value::Object(claims) = claims else { unreachable!("claims are written as objects") };
        let claims: Map<String, Value> = claims;
        let record =
            Record { kind: kind.to_owned(), id, holders, claims, valid_until: None, ended: None };
        self.records.push(record);
        self.records.last_mut().expect("a record was pushed just above")
    }

    /// Kinds with at most one record of a person.
    fn people(&mut self, kind: &str) {
        let stream = 100 + u64::from(kind.as_bytes()[7]) * 256 + u64::from(kind.as_bytes()[8]);
        for (index, person) in self.population.people.iter().enumerate() {
            let mut random = Random::of(self.population.plan.seed, stream, index);
            let Some(claims) = claims(self.population, kind, person, index, &mut random) else {
                continue;
            };
            let record = self.put(kind, format!("{index}"), vec![person.fin], claims);
            if kind == kind::PID {
                record.valid_until = Some(person.document_expiry);
                record.ended = person.died.map(|_| Ending::Died);
            }
            if kind == kind::RESIDENCE_PERMIT {
                record.valid_until = Some(person.document_expiry);
            }
        }
    }

    fn companies(&mut self) {
        let population = self.population;
        for company in &population.companies {
            let representatives = [
                Some((company.director, "director")),
                company.mandated.map(|person| (person, "payments")),
            ];
            let representatives = representatives.into_iter().flatten().map(|(person, powers)| {
                json!({ "person": person_of(&population.people[person]), "powers": [powers] })
            });
            let owners = company.beneficial_owners(&population.companies);
            let owners = owners.into_iter().map(|(person, share)| {
                json!({ "person": person_of(&population.people[person]),
                    "share_basis_points": share })
            });
            let claims = json!({
                "name": company.name,
                "legal_form": company.legal_form,
                "voen": company.voen.expose(),
                "registration_date": company.registered.to_string(),
                "registration_number": company.registration_number,
                "address": address(&company.address),
                "activity": format!("{} {}", company.activity.0, company.activity.1),
                "charter_capital": company.charter_capital_qepik,
                "employees": company.employees,
                "representatives": representatives.collect::<Vec<_>>(),
                "beneficial_owners": owners.collect::<Vec<_>>(),
            });
            let holder = population.people[company.director].fin;
            self.put(kind::COMPANY, company.voen.expose().to_owned(), vec![holder], claims);
        }
    }

    fn taxpayers(&mut self) {
        let population = self.population;
        for (index, person) in population.people.iter().enumerate() {
            let Some(voen) = &person.voen else { continue };
            let mut random = Random::of(population.plan.seed, 7, index);
            let debt = if random.one_in(8) { random.between(10, 3_000) * 100 } else { 0 };
            let claims = json!({
                "voen": voen.expose(),
                "status": "active",
                "tax_residency": "AZ",
                "registered_since":
                    population.plan.reference.plus_days(-random.days(30, 4_000)).to_string(),
                "annual_turnover_qepik": random.between(2_000, 200_000) * 100,
                "tax_debt_qepik": debt,
            });
            self.put(kind::TAXPAYER, voen.expose().to_owned(), vec![person.fin], claims);
        }
        for company in &population.companies {
            let claims = json!({
                "voen": company.voen.expose(),
                "status": "active",
                "tax_residency": "AZ",
                "registered_since": company.registered.to_string(),
                "annual_turnover_qepik": company.turnover_qepik,
                "tax_debt_qepik": company.tax_debt_qepik,
            });
            let holder = population.people[company.director].fin;
            self.put(kind::TAXPAYER, company.voen.expose().to_owned(), vec![holder], claims);
        }
    }

    fn trade(&mut self) {
        let population = self.population;
        for (index, company) in population.companies.iter().enumerate() {
            if !company.trades {
                continue;
            }
            let mut random = Random::of(population.plan.seed, 8, index);
            let claims = json!({
                "voen": company.voen.expose(),
                "declarations_12m": random.between(1, 240),
                "imports_12m_qepik": company.turnover_qepik * random.between(5, 60) / 100,
                "exports_12m_qepik": company.turnover_qepik * random.between(0, 50) / 100,
                "customs_debt_qepik": 0,
            });
            let holder = population.people[company.director].fin;
            self.put(kind::TRADE, company.voen.expose().to_owned(), vec![holder], claims);
        }
    }

    fn mandates(&mut self) {
        let population = self.population;
        for (index, company) in population.companies.iter().enumerate() {
            let Some(mandated) = company.mandated else { continue };
            let mut random = Random::of(population.plan.seed, 9, index);
            let since = population.plan.reference.plus_days(-random.days(1, 300));
            let until = since.plus_days(730);
            let claims = json!({
                "principal": { "name": company.name, "voen": company.voen.expose() },
                "attorney": person_of(&population.people[mandated]),
                "powers": ["open_account", "payments"],
                "issued": since.to_string(),
                "expiry": until.to_string(),
            });
            let holder = population.people[mandated].fin;
            let record = self.put(kind::MANDATE, format!("{index}"), vec![holder], claims);
            record.valid_until = Some(until);
        }
    }

    fn guardianships(&mut self) {
        let population = self.population;
        for (index, child) in population.people.iter().enumerate() {
            let Some(guardian) = child.guardian else { continue };
            let guardian = &population.people[guardian];
            let claims = json!({
                "child": person_of(child),
                "guardian": person_of(guardian),
                "relation": if child.guardian_is_parent { "parent" } else { "guardian" },
                "valid_until": child.born.plus_years(18).to_string(),
            });
            let holders = vec![guardian.fin];
            let record = self.put(kind::GUARDIANSHIP, format!("{index}"), holders, claims);
            record.valid_until = Some(child.born.plus_years(18));
        }
    }
}
