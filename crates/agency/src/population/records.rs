//! The agencies' slices: which record of whom each register holds.

use serde_json::{Map, Value, json};

use super::{Address, Company, Person, Population, Sex, names, random::Random};
use crate::{
    agencies::{Agency, kind},
    identifiers::Fin,
    register::{Ending, Record},
};

/// What a deposit insurance covers, in qəpik: AZN 100,000 for each depositor and bank.
const COVER_QEPIK: u64 = 10_000_000;

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
            let record = self.put(kind, format!("{index}"), vec![person.fin.clone()], claims);
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
                json!({ "person": brief(&population.people[person]), "powers": [powers] })
            });
            let owners = company.beneficial_owners(&population.companies);
            let owners = owners.into_iter().map(|(person, share)| {
                json!({ "person": brief(&population.people[person]),
                    "share_basis_points": share })
            });
            let claims = json!({
                "name": company.name,
                "legal_form": company.legal_form,
                "voen": company.voen.as_str(),
                "registration_date": company.registered.to_string(),
                "registration_number": company.registration_number,
                "address": address(&company.address),
                "activity": format!("{} {}", company.activity.0, company.activity.1),
                "charter_capital": company.charter_capital_qepik,
                "employees": company.employees,
                "representatives": representatives.collect::<Vec<_>>(),
                "beneficial_owners": owners.collect::<Vec<_>>(),
            });
            let holder = population.people[company.director].fin.clone();
            self.put(kind::COMPANY, company.voen.as_str().to_owned(), vec![holder], claims);
        }
    }

    fn taxpayers(&mut self) {
        let population = self.population;
        for (index, person) in population.people.iter().enumerate() {
            let Some(voen) = &person.voen else { continue };
            let mut random = Random::of(population.plan.seed, 7, index);
            let debt = if random.one_in(8) { random.between(10, 3_000) * 100 } else { 0 };
            let claims = json!({
                "voen": voen.as_str(),
                "taxpayer_kind": "natural_person",
                "status": "active",
                "registered_since":
                    population.plan.reference.plus_days(-random.days(30, 4_000)).to_string(),
                "annual_turnover_qepik": random.between(2_000, 200_000) * 100,
                "tax_debt_qepik": debt,
            });
            self.put(kind::TAXPAYER, voen.as_str().to_owned(), vec![person.fin.clone()], claims);
        }
        for company in &population.companies {
            let claims = json!({
                "voen": company.voen.as_str(),
                "taxpayer_kind": "legal_person",
                "status": "active",
                "registered_since": company.registered.to_string(),
                "annual_turnover_qepik": company.turnover_qepik,
                "tax_debt_qepik": company.tax_debt_qepik,
            });
            let holder = population.people[company.director].fin.clone();
            self.put(kind::TAXPAYER, company.voen.as_str().to_owned(), vec![holder], claims);
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
                "voen": company.voen.as_str(),
                "name": company.name,
                "declarations_12m": random.between(1, 240),
                "imports_12m_qepik": company.turnover_qepik * random.between(5, 60) / 100,
                "exports_12m_qepik": company.turnover_qepik * random.between(0, 50) / 100,
                "customs_debt_qepik": 0,
            });
            let holder = population.people[company.director].fin.clone();
            self.put(kind::TRADE, company.voen.as_str().to_owned(), vec![holder], claims);
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
                "principal_name": company.name,
                "principal_voen": company.voen.as_str(),
                "representative": brief(&population.people[mandated]),
                "powers": ["open_account", "payments"],
                "valid_from": since.to_string(),
                "valid_until": until.to_string(),
            });
            let holder = population.people[mandated].fin.clone();
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
                "child": brief_with_birth(child),
                "guardian": brief(guardian),
                "relation": if child.guardian_is_parent { "parent" } else { "guardian" },
                "valid_until": child.born.plus_years(18).to_string(),
            });
            let holders = vec![guardian.fin.clone()];
            let record = self.put(kind::GUARDIANSHIP, format!("{index}"), holders, claims);
            record.valid_until = Some(child.born.plus_years(18));
        }
    }
}

/// The claims of the person's record of this kind; `None` when there is none.
fn claims(
    population: &Population,
    kind: &str,
    person: &Person,
    index: usize,
    random: &mut Random,
) -> Option<Value> {
    let today = population.plan.reference;
    let adult = person.is_adult(today);
    let alive = person.died.is_none();
    match kind {
        kind::PID => Some(pid(population, person)),
        kind::VEHICLE => (adult && random.one_in(3)).then(|| vehicle(population, random, index)),
        kind::DRIVING_LICENCE => {
            (adult && alive && random.one_in(2)).then(|| licence(population, person, random, index))
        }
        kind::CIVIL_STATUS => adult.then(|| civil_status(population, person, random)),
        kind::EMPLOYMENT => person.job.as_ref().map(|_| employment(population, person)),
        kind::SOCIAL_INSURANCE => adult.then(|| social_insurance(population, person, random)),
        kind::PROPERTY => {
            (adult && alive && random.one_in(3)).then(|| property(person, random, index))
        }
        kind::RESIDENCE_PERMIT => (!person.is_citizen()).then(|| permit(person, random)),
        kind::DIPLOMA => (adult && random.percent(40)).then(|| diploma(person, random, index)),
        kind::HEALTH_INSURANCE => {
            alive.then(|| json!({ "insured": !random.one_in(20), "since": "2021-04-01" }))
        }
        kind::LOGIN_ASSURANCE => (adult && alive).then(|| login(population, random)),
        kind::SANCTIONS_SCREENING => Some(json!({
            // A sample hit: nobody's name stands on a list.
            "hit": index >= 10 && random.one_in(1_000),
            "screened_at": today.to_string(),
            "lists_date": today.plus_days(-1).to_string(),
        })),
        kind::CREDIT_REPORT => adult.then(|| credit_report(population, index, random)),
        kind::DEPOSIT_COVER => adult.then(|| {
            json!({ "covered": true, "cover_qepik": COVER_QEPIK,
            "scope": "depositor_and_bank" })
        }),
        _ => None,
    }
}

fn pid(population: &Population, person: &Person) -> Value {
    let today = population.plan.reference;
    let mut claims = json!({
        "family_name": person.family_name,
        "given_name": person.given_name,
        "birthdate": person.born.to_string(),
        "sex": if person.sex == Sex::Male { "M" } else { "F" },
        "nationality": person.nationality,
        "place_of_birth": person.birthplace,
        "personal_administrative_number": person.fin.as_str(),
        "document_number": person.document_number,
        "document_issuer": "ASAN-1 (nümunə)",
        "document_issued": person.document_issued.to_string(),
        "document_expiry": person.document_expiry.to_string(),
        "address": address(&person.address),
    });
    let age = person.born.years_until(today);
    for limit in [14, 16, 18, 21] {
        claims[format!("age_over_{limit}")] = json!(age >= limit);
    }
    if let Some(patronymic) = &person.patronymic {
        claims["patronymic"] = json!(patronymic);
    }
    if let Some(guardian) = person.guardian {
        claims["guardian"] = json!(population.people[guardian].fin.as_str());
    }
    claims
}

fn address(address: &Address) -> Value {
    json!({
        "region": address.region,
        "city": address.city,
        "street": address.street,
        "building": address.building,
        "postal_code": address.postal_code,
    })
}

fn brief(person: &Person) -> Value {
    json!({
        "family_name": person.family_name,
        "given_name": person.given_name,
        "personal_administrative_number": person.fin.as_str(),
    })
}

fn brief_with_birth(person: &Person) -> Value {
    let mut brief = brief(person);
    brief["birthdate"] = json!(person.born.to_string());
    brief
}

fn vehicle(population: &Population, random: &mut Random, index: usize) -> Value {
    let (make, model) = names::VEHICLES[random.index(names::VEHICLES.len())];
    let letter =
        |random: &mut Random| *b"ABCDEFGHJKLMNPRSTUVXYZ".get(random.index(22)).expect("one of 22");
    let letters = [letter(random), letter(random)];
    let letters = std::str::from_utf8(&letters).expect("ASCII letters");
    json!({
        "plate": format!("99-{letters}-{:03}", random.below(1_000)),
        "make": make,
        "model": model,
        "year": u64::from(population.plan.reference.year()) - random.below(18),
        "vin": format!("SMP00000000{index:06}"),
        "unpaid_fines_qepik": if random.one_in(5) { random.between(2, 40) * 1_000 } else { 0 },
    })
}

fn licence(population: &Population, person: &Person, random: &mut Random, index: usize) -> Value {
    let today = population.plan.reference;
    let since = today.plus_days(
        -random.days(0, (today.days() - person.born.plus_years(18).days()).clamp(0, 3_000)),
    );
    json!({
        "number": format!("ZZ{index:06}"),
        "categories": if random.one_in(6) { json!(["B", "C"]) } else { json!(["B"]) },
        "issued": since.to_string(),
        "expiry": since.plus_years(10).to_string(),
    })
}

fn civil_status(population: &Population, person: &Person, random: &mut Random) -> Value {
    let age = person.born.years_until(population.plan.reference);
    let married = age >= 22 && random.percent(65);
    let status = match (&person.died, married) {
        (Some(_), _) => "deceased",
        (None, true) => "married",
        (None, false) => "single",
    };
    json!({
        "marital_status": status,
        "minor_children": person.minor_children,
    })
}

fn employment(population: &Population, person: &Person) -> Value {
    let job = person.job.as_ref().expect("asked for people with a job only");
    let company: &Company = &population.companies[job.company];
    json!({
        "employer": company.name,
        "employer_voen": company.voen.as_str(),
        "position": job.position,
        "contract_since": job.since.to_string(),
        "monthly_salary_qepik": job.monthly_qepik,
    })
}

fn social_insurance(population: &Population, person: &Person, random: &mut Random) -> Value {
    let today = population.plan.reference;
    let age = person.born.years_until(today);
    let pension = if age >= 65 { random.between(280, 900) * 100 } else { 0 };
    let (base, months) = match &person.job {
        Some(job) => (job.monthly_qepik, (today.days() - job.since.days()).clamp(0, 365) / 30),
        None => (0, 0),
    };
    json!({
        "insured": person.job.is_some() || pension > 0,
        "contribution_base_qepik": base,
        "months_paid_12m": months,
        "pension_qepik": pension,
    })
}

fn property(person: &Person, random: &mut Random, index: usize) -> Value {
    json!({
        "registration_number": format!("9{index:09}"),
        "property_kind": random.pick(&["apartment", "house", "land"]),
        "address": address(&person.address),
        "area_square_metres": random.between(32, 240),
        "share_basis_points": if random.one_in(4) { 5_000 } else { 10_000 },
        "lien": random.one_in(5),
    })
}

fn permit(person: &Person, random: &mut Random) -> Value {
    json!({
        "permit_number": person.document_number,
        "permit_kind": random.pick(&["temporary_residence", "permanent_residence", "work"]),
        "nationality": person.nationality,
        "valid_from": person.document_issued.to_string(),
        "valid_until": person.document_expiry.to_string(),
    })
}

fn diploma(person: &Person, random: &mut Random, index: usize) -> Value {
    let degree = random.pick(&["bachelor", "bachelor", "master", "doctor"]);
    json!({
        "institution": random.pick(&names::UNIVERSITIES),
        "degree": degree,
        "field": random.pick(&names::FIELDS),
        "awarded": person.born.plus_years(22).to_string(),
        "number": format!("DS{index:07}"),
    })
}

fn login(population: &Population, random: &mut Random) -> Value {
    let means = random.pick(&["sima", "asan", "password"]);
    json!({
        "means": means,
        "assurance_level": if means == "password" { "low" } else { "high" },
        "since": population.plan.reference.plus_days(-random.days(10, 1_500)).to_string(),
    })
}

fn credit_report(population: &Population, index: usize, random: &mut Random) -> Value {
    let loans = if random.one_in(2) { random.between(1, 4) } else { 0 };
    let late = loans > 0 && random.one_in(8);
    json!({
        "exposure_qepik": (0..loans).map(|_| random.between(300, 25_000) * 100).sum::<u64>(),
        "open_loans": loans,
        "days_past_due_12m": if late { random.between(1, 120) } else { 0 },
        // Since 1 October 2026 the bureau holds the citizen's ban.
        "remote_loan_ban": index >= 10 && random.one_in(20),
        "report_date": population.plan.reference.to_string(),
    })
}
