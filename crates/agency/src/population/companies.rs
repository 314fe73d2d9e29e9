//! Companies with directors and owners, and who works there.

use super::{Address, Job, Numbers, Person, Plan, names, random::Random};
use crate::{date::Date, identifiers::Voen};

/// People for one company.
const PEOPLE_PER_COMPANY: usize = 25;
/// All shares of a company in basis points.
const WHOLE: u64 = 10_000;

/// A company that does not exist.
#[derive(Debug, Clone)]
pub struct Company {
    /// Its tax number.
    pub voen: Voen,
    /// Its name, marked as a sample.
    pub name: String,
    /// `MMC` (limited liability) or `ASC` (joint stock).
    pub legal_form: &'static str,
    /// When it was registered.
    pub registered: Date,
    /// Its number in the register of legal persons.
    pub registration_number: String,
    /// Where.
    pub address: Address,
    /// What it does: NACE code and text.
    pub activity: (&'static str, &'static str),
    /// In qəpik.
    pub charter_capital_qepik: u64,
    /// Labour contracts with it.
    pub employees: u64,
    /// Who represents it, by index.
    pub director: usize,
    /// Who may sign for payments under a power of attorney, by index.
    pub mandated: Option<usize>,
    /// Who owns it; the shares sum to 10,000.
    pub owners: Vec<Owner>,
    /// Whether it trades with other countries.
    pub trades: bool,
    /// In qəpik a year.
    pub turnover_qepik: u64,
    /// In qəpik.
    pub tax_debt_qepik: u64,
}

/// One owner's share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// Who.
    pub shareholder: Shareholder,
    /// How much, in basis points.
    pub share_basis_points: u64,
}

/// Who owns a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shareholder {
    /// A person, by index.
    Person(usize),
    /// A company that stands before the one it owns, by index.
    Company(usize),
}

impl Company {
    /// The people behind it with their share in basis points, through chains of companies,
    /// rounded down; by index, each once.
    pub fn beneficial_owners(&self, companies: &[Self]) -> Vec<(usize, u64)> {
        let mut owners: Vec<(usize, u64)> = Vec::new();
        for owner in &self.owners {
            let parts = match owner.shareholder {
                Shareholder::Person(person) => vec![(person, owner.share_basis_points)],
                Shareholder::Company(company) => companies[company]
                    .beneficial_owners(companies)
                    .into_iter()
                    .map(|(person, share)| (person, share * owner.share_basis_points / WHOLE))
                    .collect(),
            };
            for (person, share) in parts {
                match owners.iter_mut().find(|(its, _)| *its == person) {
                    Some((_, sum)) => *sum += share,
                    None => owners.push((person, share)),
                }
            }
        }
        owners
    }
}

/// Makes the companies and gives people their jobs and VÖENs.
pub(super) fn generate(plan: &Plan, numbers: &Numbers, people: &mut [Person]) -> Vec<Company> {
    let count = (plan.people / PEOPLE_PER_COMPANY).max(3);
    let eligible: Vec<usize> = (0..people.len())
        .filter(|index| {
            let person = &people[*index];
            person.died.is_none() && person.is_adult(plan.reference)
        })
        .collect();
    let mut companies = Vec::with_capacity(count);
    for index in 0..count {
        let mut random = Random::of(plan.seed, 4, index);
        let voen = numbers.company_voen(index);
        companies.push(company(plan, voen, index, &eligible, &mut random));
    }
    for index in eligible {
        let mut random = Random::of(plan.seed, 5, index);
        employ(plan, &mut companies, &mut people[index], index, &mut random);
        if random.one_in(15) {
            people[index].voen = Some(numbers.entrepreneur_voen(index));
        }
    }
    companies
}

fn company(
    plan: &Plan,
    voen: Voen,
    index: usize,
    eligible: &[usize],
    random: &mut Random,
) -> Company {
    let person = |random: &mut Random| eligible[random.index(eligible.len())];
    // The first company's director is the first person: samples begin with them.
    let director = if index == 0 { eligible[0] } else { person(random) };
    let joint_stock = random.one_in(8);
    let words = (random.pick(&names::COMPANY_WORDS), random.pick(&names::COMPANY_WORDS));
    let turnover_qepik = random.between(20_000, 9_000_000) * 100;
    Company {
        voen,
        name: format!("{} {} {} (nümunə)", words.0, words.1, index + 1),
        legal_form: if joint_stock { "ASC" } else { "MMC" },
        registered: plan.reference.plus_days(-random.days(200, 9_000)),
        registration_number: format!("{:010}", 1_000_000_000 + index),
        address: super::people::address(random),
        activity: names::ACTIVITIES[random.index(names::ACTIVITIES.len())],
        charter_capital_qepik: random.between(1, 50_000) * 1_000,
        employees: 0,
        director,
        mandated: random.one_in(3).then(|| person(random)),
        owners: owners(index, director, eligible, random),
        trades: random.one_in(3),
        turnover_qepik,
        tax_debt_qepik: if random.one_in(6) { turnover_qepik / 50 } else { 0 },
    }
}

/// Every fifth company has a company among its owners: with the first ones these are chains.
fn owners(index: usize, director: usize, eligible: &[usize], random: &mut Random) -> Vec<Owner> {
    let mut holders = vec![Shareholder::Person(director)];
    for _ in 0..random.below(4) {
        let holder = Shareholder::Person(eligible[random.index(eligible.len())]);
        if !holders.contains(&holder) {
            holders.push(holder);
        }
    }
    if index > 0 && (index == 1 || random.one_in(5)) {
        holders.push(Shareholder::Company(random.index(index)));
    }
    let mut left = WHOLE;
    let last = holders.len() - 1;
    let share = |(place, shareholder): (usize, Shareholder)| {
        let others = u64::try_from(last - place).expect("there are few owners");
        let share = if place == last {
            left
        } else {
            // Each later owner keeps at least one basis point.
            random.between(1, (left - others) * 2 / (others + 2)).min(left - others)
        };
        left -= share;
        Owner { shareholder, share_basis_points: share }
    };
    holders.into_iter().enumerate().map(share).collect()
}

fn employ(
    plan: &Plan,
    companies: &mut [Company],
    person: &mut Person,
    index: usize,
    random: &mut Random,
) {
    let age = person.born.years_until(plan.reference);
    // The first people work: samples ask for their income.
    let works = index < 10 || (age < 65 && random.percent(60));
    if !works {
        return;
    }
    let company = random.index(companies.len());
    companies[company].employees += 1;
    let grown = person.born.plus_years(18);
    let earliest = companies[company].registered.max(grown);
    let span = (plan.reference.days() - earliest.days()).clamp(0, 3_000);
    person.job = Some(Job {
        company,
        position: random.pick(&names::POSITIONS),
        since: plan.reference.plus_days(-random.days(0, span)),
        monthly_qepik: random.between(400, 4_500) * 100,
    });
}
