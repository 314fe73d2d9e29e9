//! Products: what a bank asks and demands for each, as data.

use etibar_credential::{
    catalogue::{PurposeCode, Scope},
    level::AssuranceLevel,
    purpose::{self, CredentialAsk, PurposeError},
};
use etibar_openid::dcql::{ClaimPath, CredentialQuery, CredentialSet, Query};
use etibar_primitives::Amount;
use serde::{Deserialize, Serialize};

/// The type of the PID.
pub const PID: &str = "urn:az:pid:1";
/// The type of the bank's own pseudonym of a person.
pub const PAIRWISE: &str = "urn:az:pairwise:1";
/// The type of a bank's due diligence.
pub const KYC: &str = "urn:az:kyc:1";
/// The type of a guardianship.
pub const GUARDIANSHIP: &str = "urn:az:guardianship:1";
/// The type of a company.
pub const COMPANY: &str = "urn:az:company:1";
/// The type of a credit report.
pub const CREDIT_REPORT: &str = "urn:az:credit-report:1";
/// The purpose of following changes at a register.
pub const PURPOSE_REFRESH: u16 = 4;

/// The claim that the pairwise credential and the PID share: it binds the two to one person.
pub const FIN: &str = "personal_administrative_number";
/// The id of the pairwise credential in every query.
pub const ID_PAIRWISE: &str = "pairwise";
/// The id of the PID in every query.
pub const ID_PID: &str = "pid";
/// The id of the few PID claims beside another bank's due diligence.
pub const ID_PID_REUSE: &str = "pid_reuse";
/// The id of another bank's due diligence.
pub const ID_KYC: &str = "kyc";

/// What is asked of another bank's due diligence.
const KYC_CLAIMS: [&str; 2] = ["verified_claims", "method"];

/// The most products of one bank.
pub const PRODUCTS_MAX: usize = 64;
/// The fewest days that a product's consents run: the first one may be nearly over.
pub const CONSENT_DAYS_MIN: u16 = 2;

/// Which part the person who presents plays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The customer itself.
    #[default]
    Customer,
    /// A guardian, for a minor.
    Guardian,
    /// A director, for a company.
    Director,
}

/// Who answers when reused due diligence turns out wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Liability {
    /// This bank alone (FATF Recommendation 17).
    Relying,
    /// Both, as agreed.
    Shared,
    /// The bank that did the due diligence.
    Provider,
}

/// One credential that a product needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Its id in the query.
    pub id: String,
    /// Its type.
    pub vct: String,
    /// Its claims, paths with dots.
    pub claims: Vec<String>,
    /// Whether it is fetched from its provider under the consent instead of presented.
    #[serde(default)]
    pub fetched: bool,
}

/// On which terms another bank's due diligence is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReusePolicy {
    /// Claims of the PID that are still asked for.
    pub claims: Vec<String>,
    /// What is owed to the other bank, in minor units of AZN.
    pub fee_qepik: u64,
    /// Who answers.
    pub liability: Liability,
}

/// Who is examined by the staff before the account is opened, beside politically exposed persons
/// (law 781-VIQ). The register knows citizenship, not residence: a bank that examines all foreign
/// citizens examines every non-resident.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Enhanced {
    /// Citizens of all other countries are examined; nobody for that reason when it is empty.
    pub citizens_of: Vec<String>,
    /// Companies of these legal forms are examined.
    pub legal_forms: Vec<String>,
}

/// A product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Its name in interfaces.
    pub name: String,
    /// The purpose's code.
    pub purpose: u16,
    /// The lowest level of assurance.
    pub level: AssuranceLevel,
    /// The lowest age of who presents, in years; 14, 16, 18 or 21.
    #[serde(default)]
    pub age_min: Option<u8>,
    /// How old a status list may be, in seconds.
    pub status_age_s: u64,
    /// How long its consents run, in days from the midnight (UTC) before; at least
    /// [`CONSENT_DAYS_MIN`].
    pub consent_days: u16,
    /// When due diligence is to be renewed, in days.
    pub refresh_days: u16,
    /// Whether it opens an account.
    pub opens_account: bool,
    /// Whether the bank asks to be told of changes.
    #[serde(default)]
    pub follows_changes: bool,
    /// Which part the person plays.
    #[serde(default)]
    pub role: Role,
    /// From which share on an owner is named, in hundredths of a percent.
    #[serde(default)]
    pub owner_share_min_basis_points: Option<u16>,
    /// Who is examined first.
    #[serde(default)]
    pub enhanced: Enhanced,
    /// What it needs beside the pairwise credential.
    #[serde(rename = "credential")]
    pub credentials: Vec<Requirement>,
    /// On which terms another bank's due diligence is accepted.
    #[serde(default)]
    pub reuse: Option<ReusePolicy>,
}

/// All products of a bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Products {
    #[serde(rename = "product")]
    list: Vec<Product>,
}

/// Why a file states no products.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Not the TOML that belongs there.
    #[error("the products cannot be read: {0}")]
    Malformed(String),
    /// None, or more than [`PRODUCTS_MAX`].
    #[error("there are no products, or too many")]
    Count,
    /// A product asks for more than its purpose allows.
    #[error("{product}: {source}")]
    Exceeds {
        /// Which.
        product: String,
        /// What.
        source: PurposeError,
    },
    /// A product has no PID.
    #[error("{0} asks for no PID")]
    NoPid(String),
    /// A product's consents would run for less than [`CONSENT_DAYS_MIN`].
    #[error("the consents of {0} run for less than {CONSENT_DAYS_MIN} days")]
    ConsentDays(String),
}

impl Products {
    /// Reads the products and checks that each stays inside its purpose.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let products: Self =
            toml::from_str(text).map_err(|error| PolicyError::Malformed(error.message().into()))?;
        if products.list.is_empty() || products.list.len() > PRODUCTS_MAX {
            return Err(PolicyError::Count);
        }
        for product in &products.list {
            if !product.credentials.iter().any(|its| its.id == ID_PID && its.vct == PID) {
                return Err(PolicyError::NoPid(product.name.clone()));
            }
            if product.consent_days < CONSENT_DAYS_MIN {
                return Err(PolicyError::ConsentDays(product.name.clone()));
            }
            product.scope().map_err(|source| {
                let product = product.name.clone();
                PolicyError::Exceeds { product, source }
            })?;
        }
        Ok(products)
    }

    /// The sample products.
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn sample() -> Self {
        Self::parse(include_str!("../products.toml")).expect("a test reads the sample products")
    }

    /// The product called `name`.
    pub fn get(&self, name: &str) -> Option<&Product> {
        self.list.iter().find(|product| product.name == name)
    }

    /// Every product.
    pub fn all(&self) -> &[Product] {
        &self.list
    }
}

impl Product {
    /// What the wallet is asked: the pairwise credential and either what the product needs or,
    /// first, another bank's due diligence and what it lacks.
    pub fn query(&self) -> Query {
        let paths = |claims: &[String]| {
            claims.iter().map(|claim| etibar_openid::dcql::dotted(claim)).collect::<Vec<_>>()
        };
        let fin = etibar_openid::dcql::dotted(FIN);
        let mut credentials = vec![CredentialQuery::new(ID_PAIRWISE, PAIRWISE, [fin])];
        let mut full = vec![ID_PAIRWISE.to_owned()];
        for needed in self.credentials.iter().filter(|needed| !needed.fetched) {
            credentials.push(CredentialQuery::new(&needed.id, &needed.vct, paths(&needed.claims)));
            full.push(needed.id.clone());
        }
        let credential_sets = self.reuse.as_ref().map(|reuse| {
            credentials.push(CredentialQuery::new(ID_PID_REUSE, PID, paths(&reuse.claims)));
            let verified = KYC_CLAIMS.map(|claim| ClaimPath::of(&[claim]));
            credentials.push(CredentialQuery::new(ID_KYC, KYC, verified));
            let short = [ID_PAIRWISE, ID_PID_REUSE, ID_KYC].map(str::to_owned).to_vec();
            vec![CredentialSet { options: vec![short, full.clone()], required: None }]
        });
        Query { credentials, credential_sets }
    }

    /// What the person agrees to: what is asked of the wallet and what is fetched.
    pub fn agreed_query(&self) -> Query {
        let mut query = self.query();
        for needed in self.fetched() {
            let paths = needed.claims.iter().map(|claim| etibar_openid::dcql::dotted(claim));
            query.credentials.push(CredentialQuery::new(&needed.id, &needed.vct, paths));
        }
        query
    }

    /// What is fetched again when the register changes: the PID's claims.
    pub fn followed_query(&self) -> Query {
        let pid = self.credentials.iter().filter(|needed| needed.id == ID_PID);
        let paths = |needed: &Requirement| {
            needed.claims.iter().map(|claim| etibar_openid::dcql::dotted(claim)).collect::<Vec<_>>()
        };
        let credentials =
            pid.map(|needed| CredentialQuery::new(ID_PID, PID, paths(needed))).collect();
        Query { credentials, credential_sets: None }
    }

    /// What is asked in all, presented or fetched.
    pub fn asks(&self) -> Vec<CredentialAsk> {
        let ask = |vct: &str, claims: &[String]| CredentialAsk {
            vct: vct.to_owned(),
            paths: claims.iter().map(|claim| path(claim)).collect(),
        };
        let mut asks = vec![ask(PAIRWISE, &[FIN.to_owned()])];
        asks.extend(self.credentials.iter().map(|needed| ask(&needed.vct, &needed.claims)));
        if let Some(reuse) = &self.reuse {
            asks.push(ask(PID, &reuse.claims));
            asks.push(ask(KYC, &KYC_CLAIMS.map(str::to_owned)));
        }
        asks
    }

    /// The data categories that the product needs.
    ///
    /// # Errors
    /// `exceeds_purpose` when that is more than its purpose allows.
    pub fn scope(&self) -> Result<Scope, PurposeError> {
        purpose::check(&self.asks(), PurposeCode(self.purpose))
    }

    /// The requirement with this id.
    pub fn requirement(&self, id: &str) -> Option<&Requirement> {
        self.credentials.iter().find(|needed| needed.id == id)
    }

    /// What is fetched from providers.
    pub fn fetched(&self) -> impl Iterator<Item = &Requirement> {
        self.credentials.iter().filter(|needed| needed.fetched)
    }
}

impl ReusePolicy {
    /// The fee; a fee above the largest amount is that.
    pub fn fee(&self) -> Amount {
        Amount::new(self.fee_qepik).unwrap_or(Amount::ZERO)
    }
}

fn path(dotted: &str) -> etibar_credential::sd_jwt::ClaimPath {
    let names: Vec<&str> = dotted.split('.').collect();
    etibar_credential::sd_jwt::ClaimPath::of(&names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_whose_consents_would_be_over_at_once_is_refused() {
        let days = |days: &str| {
            let text = include_str!("../products.toml");
            Products::parse(&text.replacen("consent_days = 30", days, 1))
        };
        assert!(days("consent_days = 2").is_ok());
        assert!(matches!(days("consent_days = 1"), Err(PolicyError::ConsentDays(_))));
    }
}
