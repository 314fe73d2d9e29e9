//! People: families with children, jobs, and some who came from elsewhere.

use super::{Numbers, Plan, names, random::Random};
use crate::{
    date::Date,
    identifiers::{Fin, Voen},
};

/// Of a hundred people, how many are grown up.
const ADULTS_PERCENT: usize = 75;

/// As a document says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    /// `M`.
    Male,
    /// `F`.
    Female,
}

/// Somebody who does not exist.
#[derive(Clone)]
pub struct Person {
    /// The number for life.
    pub fin: Fin,
    /// Surname.
    pub family_name: String,
    /// First name.
    pub given_name: &'static str,
    /// Father's name with `oğlu` or `qızı`; foreigners have none.
    pub patronymic: Option<String>,
    /// Man or woman.
    pub sex: Sex,
    /// Day of birth.
    pub born: Date,
    /// Place of birth.
    pub birthplace: &'static str,
    /// ISO 3166-1 alpha-2.
    pub nationality: &'static str,
    /// Number of the ID card, or of the residence permit's card.
    pub document_number: String,
    /// Since when it is valid.
    pub document_issued: Date,
    /// Until when.
    pub document_expiry: Date,
    /// Where the person is registered.
    pub address: Address,
    /// Who stands for a child, by index.
    pub guardian: Option<usize>,
    /// Whether the guardian is a parent.
    pub guardian_is_parent: bool,
    /// For how many minors the person stands.
    pub minor_children: u32,
    /// The day of death.
    pub died: Option<Date>,
    /// The VÖEN of an entrepreneur.
    pub voen: Option<Voen>,
    /// The labour contract.
    pub job: Option<Job>,
}

/// A registered address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Region.
    pub region: &'static str,
    /// City.
    pub city: &'static str,
    /// Street.
    pub street: &'static str,
    /// House and flat.
    pub building: String,
    /// `AZ` and four digits.
    pub postal_code: String,
}

/// A labour contract.
#[derive(Debug, Clone)]
pub struct Job {
    /// The employer, by index.
    pub company: usize,
    /// As what.
    pub position: &'static str,
    /// Since when.
    pub since: Date,
    /// Gross, in qəpik a month.
    pub monthly_qepik: u64,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Person(redacted)")
    }
}

impl Person {
    /// Whether the person is 18 on `day`.
    pub fn is_adult(&self, day: Date) -> bool {
        self.born.years_until(day) >= 18
    }

    /// Whether the person is a citizen.
    pub fn is_citizen(&self) -> bool {
        self.nationality == "AZ"
    }
}

/// Adults first, then children; jobs and VÖENs of adults come with the companies.
pub(super) fn generate(plan: &Plan, numbers: &Numbers) -> Vec<Person> {
    let adults = plan.people * ADULTS_PERCENT / 100;
    let mut people = Vec::with_capacity(plan.people);
    for index in 0..adults {
        let mut random = Random::of(plan.seed, 2, index);
        people.push(adult(plan, numbers.fin(index), index, &mut random));
    }
    let guardians: Vec<usize> = (0..adults)
        .filter(|index| {
            let person: &Person = &people[*index];
            let age = person.born.years_until(plan.reference);
            person.died.is_none() && person.is_citizen() && (22..=58).contains(&age)
        })
        .collect();
    for index in adults..plan.people {
        let mut random = Random::of(plan.seed, 3, index);
        let guardian = guardians[random.index(guardians.len())];
        let child =
            child(plan, numbers.fin(index), index, (guardian, &people[guardian]), &mut random);
        people[guardian].minor_children += 1;
        people.push(child);
    }
    people
}

fn adult(plan: &Plan, fin: Fin, index: usize, random: &mut Random) -> Person {
    // The first adults are ordinary: samples and tests begin with them.
    let ordinary = index < 10;
    let sex = if random.one_in(2) { Sex::Male } else { Sex::Female };
    let age_days =
        if ordinary { random.days(25 * 366, 50 * 365) } else { random.days(18 * 366, 80 * 365) };
    let born = plan.reference.plus_days(-age_days);
    let foreign = !ordinary && random.one_in(50);
    let (nationality, birthplace, family_name, given_name) = if foreign {
        let (country, place, family, man, woman) =
            names::FOREIGN[random.index(names::FOREIGN.len())];
        (country, place, family.to_owned(), if sex == Sex::Male { man } else { woman })
    } else {
        let place = names::PLACES[random.index(names::PLACES.len())].1;
        ("AZ", place, surname(random.pick(&names::SURNAMES), sex), given_name(sex, random))
    };
    let patronymic = (!foreign).then(|| patronymic(random.pick(&names::MEN), sex));
    let (issued, expiry) = validity(plan.reference, ordinary, random);
    let died = !ordinary && random.one_in(400);
    Person {
        fin,
        family_name,
        given_name,
        patronymic,
        sex,
        born,
        birthplace,
        nationality,
        document_number: document_number(if foreign { "P1" } else { "AA" }, index),
        document_issued: issued,
        document_expiry: expiry,
        address: address(random),
        guardian: None,
        guardian_is_parent: false,
        minor_children: 0,
        died: died.then(|| plan.reference.plus_days(-random.days(1, 300))),
        voen: None,
        job: None,
    }
}

fn child(
    plan: &Plan,
    fin: Fin,
    index: usize,
    (guardian, adult): (usize, &Person),
    random: &mut Random,
) -> Person {
    let sex = if random.one_in(2) { Sex::Male } else { Sex::Female };
    let guardian_age = adult.born.years_until(plan.reference);
    let oldest = i64::from(guardian_age.min(36) - 18).clamp(1, 17) * 365;
    let is_parent = !random.one_in(20);
    let family_name = if is_parent {
        surname(&masculine(&adult.family_name), sex)
    } else {
        surname(random.pick(&names::SURNAMES), sex)
    };
    let father = match (is_parent, adult.sex) {
        (true, Sex::Male) => adult.given_name,
        _ => random.pick(&names::MEN),
    };
    let born = plan.reference.plus_days(-random.days(30, oldest));
    let issued = born.plus_days(random.days(10, 29));
    Person {
        fin,
        family_name,
        given_name: given_name(sex, random),
        patronymic: Some(patronymic(father, sex)),
        sex,
        born,
        birthplace: adult.address.city,
        nationality: "AZ",
        // Children's cards have two letters and seven digits.
        document_number: document_number("CC", index),
        document_issued: issued,
        document_expiry: born.plus_years(18),
        address: adult.address.clone(),
        guardian: Some(guardian),
        guardian_is_parent: is_parent,
        minor_children: 0,
        died: None,
        voen: None,
        job: None,
    }
}

fn given_name(sex: Sex, random: &mut Random) -> &'static str {
    match sex {
        Sex::Male => random.pick(&names::MEN),
        Sex::Female => random.pick(&names::WOMEN),
    }
}

fn surname(masculine: &str, sex: Sex) -> String {
    let bends = masculine.ends_with("ov") || masculine.ends_with("yev");
    if sex == Sex::Female && bends { format!("{masculine}a") } else { masculine.to_owned() }
}

fn masculine(family_name: &str) -> String {
    let bends = family_name.ends_with("ova") || family_name.ends_with("yeva");
    let stem = family_name.strip_suffix('a').filter(|_| bends);
    stem.unwrap_or(family_name).to_owned()
}

fn patronymic(father: &str, sex: Sex) -> String {
    let ending = if sex == Sex::Male { "oğlu" } else { "qızı" };
    format!("{father} {ending}")
}

fn document_number(series: &str, index: usize) -> String {
    format!("{series}{:07}", 1_000_000 + index)
}

/// Ten years; some documents have expired.
fn validity(reference: Date, ordinary: bool, random: &mut Random) -> (Date, Date) {
    let left = if ordinary {
        random.days(2 * 365, 9 * 365)
    } else if random.one_in(100) {
        -random.days(1, 300)
    } else {
        random.days(30, 9 * 365)
    };
    let expiry = reference.plus_days(left);
    (expiry.plus_days(-3_652), expiry)
}

pub(super) fn address(random: &mut Random) -> Address {
    let (region, city, code) = names::PLACES[random.index(names::PLACES.len())];
    let building = format!("ev {}, mənzil {}", random.between(1, 120), random.between(1, 90));
    Address {
        region,
        city,
        street: random.pick(&names::STREETS),
        building,
        postal_code: format!("AZ{code:02}{:02}", random.below(100)),
    }
}
