//! A synthetic population, the same from the same seed: nobody in it exists.
//!
//! Names are frequent ones combined at random, streets, universities and makes are named
//! "sample" in Azerbaijani. FINs and VÖENs are formally valid, so real ones may coincide with
//! them: nothing that is said here is about their owners.
//!
//! Invariants, tested: every child has an adult guardian; a company's shares sum to 10,000 basis
//! points and chains of owners end in people; contracts, contributions and numbers of employees
//! agree; each agency is given its own records only.

use etibar_primitives::MemberId;

use crate::{
    agencies::Agency,
    date::Date,
    identifiers::{FIN_COUNT, Fin, LegalStatus, Voen, fin_of_index, voen_of_serial},
    register::Record,
};

mod claims;
mod companies;
mod names;
mod people;
mod random;
mod records;
#[cfg(test)]
mod tests;

pub use companies::{Company, Owner, Shareholder};
pub use people::{Address, Job, Person, Sex};

use random::Random;

/// The smallest population: some families and companies.
pub const PEOPLE_MIN: usize = 20;
/// The largest population: beyond it numbers of entrepreneurs would meet those of companies.
pub const PEOPLE_MAX: usize = 400_000;

/// What a population is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// The same seed gives the same people.
    pub seed: u64,
    /// How many people: [`PEOPLE_MIN`] to [`PEOPLE_MAX`], brought between them.
    pub people: usize,
    /// The day on which ages, contracts and documents are as told.
    pub reference: Date,
}

/// People and companies, by index.
#[derive(Debug, Clone)]
pub struct Population {
    plan: Plan,
    people: Vec<Person>,
    companies: Vec<Company>,
}

impl Population {
    /// Makes the population of `plan`.
    pub fn generate(plan: Plan) -> Self {
        let plan = Plan { people: plan.people.clamp(PEOPLE_MIN, PEOPLE_MAX), ..plan };
        let numbers = Numbers::new(plan.seed);
        let mut people = people::generate(&plan, &numbers);
        let companies = companies::generate(&plan, &numbers, &mut people);
        Self { plan, people, companies }
    }

    /// Everybody: adults first, then children.
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// Every company; an owner that is a company stands before those it owns.
    pub fn companies(&self) -> &[Company] {
        &self.companies
    }

    /// The day on which it is as told.
    pub const fn reference(&self) -> Date {
        self.plan.reference
    }

    /// The records of `agency`'s register: what it attests, and nothing of the others'.
    pub fn records(&self, agency: Agency) -> Vec<Record> {
        records::of(self, agency)
    }

    /// Like [`Population::records`] for a member of the sample country; empty for a bank.
    pub fn records_of(&self, member: MemberId) -> Vec<Record> {
        Agency::of_member(member).map_or_else(Vec::new, |agency| self.records(agency))
    }
}

/// Numbers that are never given twice.
struct Numbers {
    fin_start: u64,
    voen_start: u32,
}

impl Numbers {
    /// Has no factor in common with 34^7, so that different indices give different FINs.
    const FIN_STEP: u64 = 20_011_003_333;
    /// Has no factor in common with 10^6.
    const VOEN_STEP: u32 = 380_627;

    fn new(seed: u64) -> Self {
        let mut random = Random::of(seed, 1, 0);
        let voen_start = u32::try_from(random.below(1_000_000)).expect("below a million");
        Self { fin_start: random.below(FIN_COUNT), voen_start }
    }

    fn fin(&self, person: usize) -> Fin {
        let person = u64::try_from(person).expect("an index fits 64 bits");
        let moved = u128::from(person) * u128::from(Self::FIN_STEP) + u128::from(self.fin_start);
        let index = moved % u128::from(FIN_COUNT);
        fin_of_index(u64::try_from(index).expect("below the count of FINs"))
    }

    fn company_voen(&self, company: usize) -> Voen {
        self.voen(company, LegalStatus::LegalPerson)
    }

    fn entrepreneur_voen(&self, person: usize) -> Voen {
        self.voen(500_000 + person, LegalStatus::NaturalPerson)
    }

    fn voen(&self, index: usize, kind: LegalStatus) -> Voen {
        let index = u64::try_from(index).expect("an index fits 64 bits");
        let moved = index * u64::from(Self::VOEN_STEP) + u64::from(self.voen_start);
        let serial = u32::try_from(moved % 1_000_000).expect("below a million");
        voen_of_serial(u8::try_from(index % 10).expect("below ten"), serial, kind)
    }
}
