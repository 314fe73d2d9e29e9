//! What a state agency runs: its register, credentials issued from it, data given under consent.
//!
//! - [`register`] is the agency's own system of record behind one trait, in CSV files or SQL.
//! - [`population`] makes a synthetic population for samples and tests, the same from one seed.
//! - [`agencies`] names the fifteen agencies and what each attests.

pub mod agencies;
pub mod date;
pub mod identifiers;
pub mod population;
pub mod register;
pub mod sealed;
pub mod store;
