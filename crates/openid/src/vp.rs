//! OpenID for Verifiable Presentations 1.0, as HAIP 1.0 profiles it: signed requests by reference,
//! `x509_hash` client identifiers, DCQL, encrypted answers, transaction data.

pub mod holder;
mod request;
pub mod verifier;

use std::collections::BTreeMap;

pub use request::{
    REQUEST_BYTES_MAX, REQUEST_LIFE_MAX_S, RequestClaims, RequestReference, TRANSACTIONS_MAX,
};

/// Presentations by the id of the credential query that they answer (OpenID4VP 1.0 §8.1).
pub type VpToken = BTreeMap<String, Vec<String>>;

/// The most presentations of one answer.
pub const PRESENTATIONS_MAX: usize = 32;
