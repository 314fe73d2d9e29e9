//! What the registers say of one person, claim by claim as the credential types name them.

use serde_json::{Value, json};

use super::{Address, Company, Person, Population, Sex, names, random::Random};
use crate::{agencies::kind, date::Date};

/// What the deposit insurance covers, in qəpik: AZN 100,000 for each depositor and bank.
const COVER_QEPIK: u64 = 10_000_000;
/// Letters of number plates.
const PLATE_LETTERS: [&str; 22] = [
    "A", "B", "C", "D", "E", "F", "G", "H", "J", "K", "L", "M", "N", "P", "R", "S", "T", "U", "V",
    "X", "Y", "Z",
];
/// Of this many first people samples and tests expect nothing unusual.
const ORDINARY: usize = 10;

/// The claims of the person's record of this kind; `None` when there is none.
pub(super) fn claims(
    population: &Population,
    kind: &str,
    person: &Person,
    index: usize,
    random: &mut Random,
) -> Option<Value> {
    let today = population.plan.reference;
    let adult = person.is_adult(today);
    let alive = person.died.is_none();
    let some = adult && alive && random.one_in(3);
    match kind {
        kind::PID => Some(pid(population, person)),
        kind::VEHICLE => some.then(|| vehicle(today, random, index)),
        kind::DRIVING_LICENCE => {
            (adult && alive && random.one_in(2)).then(|| licence(today, person, random, index))
        }
        kind::CIVIL_STATUS => adult.then(|| civil_status(today, person, random)),
        kind::EMPLOYMENT => person.job.as_ref().map(|_| employment(population, person)),
        kind::SOCIAL_INSURANCE => adult.then(|| social_insurance(today, person, random)),
        kind::PROPERTY => some.then(|| property(today, person, random, index)),
        kind::RESIDENCE_PERMIT => (!person.is_citizen()).then(|| permit(person, random)),
        kind::DIPLOMA => (adult && random.percent(40)).then(|| diploma(person, random)),
        kind::HEALTH_INSURANCE => {
            alive.then(|| json!({ "insured": !random.one_in(20), "insured_since": "2021-04-01" }))
        }
        kind::LOGIN_ASSURANCE => (adult && alive).then(|| login(today, random, index)),
        // A sample hit: nobody's name stands on a list.
        kind::SANCTIONS_SCREENING => Some(json!({
            "hit": index >= ORDINARY && random.one_in(1_000),
            "lists": ["nümunə siyahısı 1", "nümunə siyahısı 2"],
            "screened_at": today.to_string(),
        })),
        kind::CREDIT_REPORT => adult.then(|| credit_report(index, random)),
        kind::DEPOSIT_COVER => adult.then(
            || json!({ "bank": "Nümunə Bank", "cover_limit_qepik": COVER_QEPIK, "insured": true }),
        ),
        _ => None,
    }
}

fn pid(population: &Population, person: &Person) -> Value {
    let mut claims = json!({
        "family_name": person.family_name,
        "given_name": person.given_name,
        "birthdate": person.born.to_string(),
        "sex": if person.sex == Sex::Male { "M" } else { "F" },
        "nationality": person.nationality,
        "place_of_birth": person.birthplace,
        "personal_administrative_number": person.fin.expose(),
        "document_number": person.document_number,
        "document_issuer": "ASAN-1 (nümunə)",
        "document_issued": person.document_issued.to_string(),
        "document_expiry": person.document_expiry.to_string(),
        "address": address(&person.address),
    });
    if let Some(patronymic) = &person.patronymic {
        claims["patronymic"] = json!(patronymic);
    }
    // The register knows a child's guardian; the credential does not tell.
    if let Some(guardian) = person.guardian {
        claims["guardian"] = json!(population.people[guardian].fin.expose());
    }
    claims
}

pub(super) fn address(address: &Address) -> Value {
    json!({
        "region": address.region,
        "city": address.city,
        "street": address.street,
        "building": address.building,
        "postal_code": address.postal_code,
    })
}

/// A person as other people's records name them.
pub(super) fn person_of(person: &Person) -> Value {
    let mut named = json!({
        "family_name": person.family_name,
        "given_name": person.given_name,
        "birthdate": person.born.to_string(),
        "personal_administrative_number": person.fin.expose(),
    });
    if let Some(patronymic) = &person.patronymic {
        named["patronymic"] = json!(patronymic);
    }
    named
}

/// A day up to `years` years before `today`, but not before the person was grown up.
fn some_day(today: Date, person: &Person, years: i64, random: &mut Random) -> Date {
    let adult_days = today.days() - person.born.plus_years(18).days();
    today.plus_days(-random.days(0, adult_days.clamp(0, years * 365)))
}

fn vehicle(today: Date, random: &mut Random, index: usize) -> Value {
    let (make, model) = names::VEHICLES[random.index(names::VEHICLES.len())];
    let letters = [random.pick(&PLATE_LETTERS), random.pick(&PLATE_LETTERS)].concat();
    json!({
        "plate": format!("99-{letters}-{:03}", random.below(1_000)),
        "vin": format!("SMP00000000{index:06}"),
        "make": make,
        "model": model,
        "year": u64::from(today.year()) - random.between(5, 18),
        "owned_since": today.plus_days(-random.days(0, 1_500)).to_string(),
        "encumbered": random.one_in(6),
    })
}

fn licence(today: Date, person: &Person, random: &mut Random, index: usize) -> Value {
    let since = some_day(today, person, 8, random);
    let categories: &[&str] = if random.one_in(6) { &["B", "C"] } else { &["B"] };
    json!({
        "licence_number": format!("ZZ{index:06}"),
        "categories": categories,
        "issued": since.to_string(),
        "expiry": since.plus_years(10).to_string(),
        "unpaid_fines_qepik": if random.one_in(5) { random.between(2, 40) * 1_000 } else { 0 },
    })
}

fn civil_status(today: Date, person: &Person, random: &mut Random) -> Value {
    let married = person.born.years_until(today) >= 22 && random.percent(65);
    let status = match (&person.died, married) {
        (Some(_), _) => "deceased",
        (None, true) => "married",
        (None, false) => "single",
    };
    let mut claims = json!({ "marital_status": status, "children": person.minor_children });
    if status == "married" {
        claims["married_since"] = json!(some_day(today, person, 30, random).to_string());
    }
    claims
}

fn employment(population: &Population, person: &Person) -> Value {
    let job = person.job.as_ref().expect("asked for people with a job only");
    let company: &Company = &population.companies[job.company];
    json!({
        "employer": company.name,
        "employer_voen": company.voen.expose(),
        "position": job.position,
        "contract_since": job.since.to_string(),
        "monthly_salary_qepik": job.monthly_qepik,
    })
}

fn social_insurance(today: Date, person: &Person, random: &mut Random) -> Value {
    let retired = person.born.years_until(today) >= 65;
    let (base, months) = match &person.job {
        Some(job) => (job.monthly_qepik, (today.days() - job.since.days()).clamp(0, 365) / 30),
        None => (0, 0),
    };
    let since = match &person.job {
        Some(job) => job.since,
        None => some_day(today, person, 30, random),
    };
    json!({
        "insured_since": since.to_string(),
        "contribution_months_12m": months,
        "contribution_base_qepik": base,
        "pension_qepik": if retired { random.between(280, 900) * 100 } else { 0 },
    })
}

fn property(today: Date, person: &Person, random: &mut Random, index: usize) -> Value {
    let Address { city, street, building, .. } = &person.address;
    json!({
        "registry_number": format!("9{index:09}"),
        "kind": random.pick(&["apartment", "house", "land"]),
        "area_m2": random.between(32, 240),
        "location": format!("{city}, {street}, {building}"),
        "share_basis_points": if random.one_in(4) { 5_000 } else { 10_000 },
        "owned_since": some_day(today, person, 20, random).to_string(),
        "encumbered": random.one_in(5),
    })
}

fn permit(person: &Person, random: &mut Random) -> Value {
    json!({
        "permit_number": person.document_number,
        "kind": random.pick(&["temporary_residence", "permanent_residence", "work"]),
        "issued": person.document_issued.to_string(),
        "expiry": person.document_expiry.to_string(),
    })
}

fn diploma(person: &Person, random: &mut Random) -> Value {
    json!({
        "institution": random.pick(&names::UNIVERSITIES),
        "degree": random.pick(&["bachelor", "bachelor", "master", "doctor"]),
        "field": random.pick(&names::FIELDS),
        "awarded": person.born.plus_years(22).to_string(),
        "enrolled": false,
    })
}

/// Numbers and addresses that look like real ones and belong to nobody we know; the mail domain
/// exists nowhere (RFC 2606).
fn login(today: Date, random: &mut Random, index: usize) -> Value {
    let method = random.pick(&["sima", "asan_imza", "password"]);
    json!({
        "method": method,
        "phone": format!("+99450{:07}", 2_000_000 + index),
        "email": format!("numune{index}@example.invalid"),
        "verified_at": today.plus_days(-random.days(10, 1_500)).to_string(),
        "assurance_level": if method == "password" { "low" } else { "high" },
    })
}

fn credit_report(index: usize, random: &mut Random) -> Value {
    let loans = if random.one_in(2) { random.between(1, 4) } else { 0 };
    let late = loans > 0 && random.one_in(8);
    json!({
        "exposure_qepik": (0..loans).map(|_| random.between(300, 25_000) * 100).sum::<u64>(),
        "open_loans": loans,
        "days_past_due_12m": if late { random.between(1, 120) } else { 0 },
        // Since 1 October 2026 the bureau holds the citizen's ban on remote loans.
        "remote_loan_ban": index >= ORDINARY && random.one_in(20),
    })
}
