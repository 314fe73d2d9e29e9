//! A small country: a registrar, agencies, two banks, one person, and a ledger in memory.

pub(crate) mod country;
pub(crate) mod dump;
pub(crate) mod ledger;
pub(crate) mod peers;
pub(crate) mod wallet;

pub(crate) use country::Country;
