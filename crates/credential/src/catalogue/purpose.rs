//! A purpose: what data may be asked for it, on which basis, for how long, and what the law keeps.

use etibar_primitives::{Digest, DurationMs};
use serde::{Deserialize, Serialize};

use super::{Category, DOCUMENT, Scope, Texts};

/// A purpose's number on the ledger; not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PurposeCode(pub u16);

impl PurposeCode {
    /// Opening an account for a natural person.
    pub const ACCOUNT_OPENING: Self = Self(1);
    /// Assessing a loan application.
    pub const LOAN_ASSESSMENT: Self = Self(2);
    /// Opening an account for a company.
    pub const COMPANY_ACCOUNT: Self = Self(3);
    /// Keeping what the bank knows up to date.
    pub const KYC_REFRESH: Self = Self(4);
    /// Receiving payments by telephone number.
    pub const PAYMENT_ALIAS: Self = Self(5);
    /// Signing in to an agency.
    pub const AGENCY_SIGN_IN: Self = Self(6);
}

/// From when a statutory retention counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetentionStart {
    /// The end of the business relationship.
    RelationshipEnd,
    /// The end of the consent.
    ConsentEnd,
}

/// What the law makes the consumer keep, consent or not.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// How many years; zero: nothing is kept.
    pub years: u16,
    /// Counted from when.
    pub from: RetentionStart,
    /// For the person: shown as law, not as consent.
    pub text: Texts,
}

/// A purpose of processing.
#[derive(Debug, Clone)]
pub struct Purpose {
    /// Its number.
    pub code: PurposeCode,
    /// Its stable name, such as `account_opening`.
    pub name: String,
    /// What it is called.
    pub title: Texts,
    /// What it is, in a sentence to the person.
    pub text: Texts,
    /// The credential types that may be asked for it.
    pub credential_types: Vec<String>,
    /// The categories that may be asked for it: the mask on the ledger.
    pub scope: Scope,
    /// The longest consent, in days.
    pub duration_days_max: u32,
    /// The law it stands on.
    pub lawful_basis: Texts,
    /// What the law keeps.
    pub retention: Retention,
    /// The document, as it is served and digested.
    pub document: &'static str,
}

impl Purpose {
    /// The digest of the document, as the ledger registers it.
    pub fn digest(&self) -> Digest {
        DOCUMENT.hash(self.document.as_bytes())
    }

    /// The longest consent, as the ledger registers it.
    pub fn duration_max(&self) -> DurationMs {
        DurationMs(u64::from(self.duration_days_max) * 86_400_000)
    }

    pub(super) fn parse(document: &'static str) -> Self {
        let raw: Raw = serde_json::from_str(document)
            .expect("the documents are compiled in and a test parses each of them");
        Self {
            code: raw.code,
            name: raw.name,
            title: raw.title,
            text: raw.text,
            credential_types: raw.credential_types,
            scope: raw.categories.into_iter().collect(),
            duration_days_max: raw.duration_days_max,
            lawful_basis: raw.lawful_basis,
            retention: raw.retention,
            document,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    code: PurposeCode,
    name: String,
    title: Texts,
    text: Texts,
    credential_types: Vec<String>,
    categories: Vec<Category>,
    duration_days_max: u32,
    lawful_basis: Texts,
    retention: Retention,
}
