//! The rule book of credentials: which types there are, what each claim is called in three
//! languages, which category of data it is, who issues it, and for which purposes which data may
//! be asked.
//!
//! The documents in `types/` are SD-JWT VC Type Metadata (draft-ietf-oauth-sd-jwt-vc §6) with two
//! members of ours: `issuer` and, for each claim, `category`. Those in `purposes/` are ours. Both
//! are compiled in and parsed once; the ledger holds their digests.
//!
//! Deliberately absent: the values of claims.

mod document;
mod purpose;

use std::sync::LazyLock;

use etibar_primitives::{Digest, Domain, MemberId};
use serde::{Deserialize, Serialize};

pub use document::{Claim, CredentialType, Disclosure, IssuerKind};
pub use purpose::{Purpose, PurposeCode, Retention, RetentionStart};

/// The type identifier under which relying parties are registered on the ledger.
pub const RELYING_PARTY_TYPE: &str = "urn:az:relying-party:1";
/// The first agency's member number: row 1 of the table of agencies.
pub const FIRST_AGENCY: u32 = 12;
/// The members that are banks.
pub const BANKS: core::ops::RangeInclusive<u32> = 2..=11;

const TYPE_NAME: Domain = Domain::new("etibar.credential.type");
const DOCUMENT: Domain = Domain::new("etibar.credential.document");

/// A language of the texts shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Azerbaijani, the default.
    Az,
    /// English.
    En,
    /// Russian.
    Ru,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 3] = [Self::Az, Self::En, Self::Ru];

    /// The language's tag (RFC 5646).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Az => "az",
            Self::En => "en",
            Self::Ru => "ru",
        }
    }

    /// The language of a tag; a region (`en-US`) is ignored.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next()?;
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }
}

/// One text in every language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// In Azerbaijani.
    pub az: String,
    /// In English.
    pub en: String,
    /// In Russian.
    pub ru: String,
}

impl Texts {
    /// The text in `language`.
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::Az => &self.az,
            Language::En => &self.en,
            Language::Ru => &self.ru,
        }
    }
}

macro_rules! categories {
    ($($(#[$doc:meta])* $name:ident = $bit:literal, $code:literal;)*) => {
        /// A category of personal data: the unit in which a consent on the ledger is limited.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub enum Category {
            $($(#[$doc])* #[serde(rename = $code)] $name,)*
        }

        impl Category {
            /// Every category, by its bit.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The number of its bit in a [`Scope`].
            pub const fn bit(self) -> u32 {
                match self { $(Self::$name => $bit,)* }
            }

            /// Its stable name.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }
        }
    };
}

categories! {
    /// Names, sex, citizenship, FIN.
    Identity = 0, "identity";
    /// Birth date and place, age.
    Birth = 1, "birth";
    /// Telephone, e-mail.
    Contact = 2, "contact";
    /// Where the person is registered.
    Address = 3, "address";
    /// The identity document.
    Document = 4, "document";
    /// Marriage, children, guardians: a special category of Law No 998-IIIQ.
    Family = 5, "family";
    /// Employer and position.
    Employment = 6, "employment";
    /// Salary, pension, turnover.
    Income = 7, "income";
    /// Loans, arrears, fines.
    Debts = 8, "debts";
    /// Taxpayer number and status.
    Tax = 9, "tax";
    /// Real estate.
    Property = 10, "property";
    /// Vehicles and the right to drive.
    Vehicle = 11, "vehicle";
    /// Diplomas, enrolment.
    Education = 12, "education";
    /// The right to live in the country.
    Residence = 13, "residence";
    /// Whether insured; never anything of health.
    Insurance = 14, "insurance";
    /// Imports and exports.
    Trade = 15, "trade";
    /// Sanctions lists.
    Screening = 16, "screening";
    /// A company and who acts for it.
    Company = 17, "company";
    /// Who owns a company in the end.
    Ownership = 18, "ownership";
    /// Another bank's due diligence.
    Kyc = 19, "kyc";
    /// The number by which one bank knows the person.
    Pairwise = 20, "pairwise";
    /// How sure the issuer is of the person.
    Assurance = 21, "assurance";
}

impl Category {
    /// The category of a stable name.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|category| category.code() == code)
    }

    /// The category's name for people, in Azerbaijani, English or Russian.
    pub const fn label(self, language: Language) -> &'static str {
        let (az, en, ru) = match self {
            Self::Identity => ("şəxsiyyət", "identity", "личность"),
            Self::Birth => ("doğum və yaş", "birth and age", "рождение и возраст"),
            Self::Contact => ("əlaqə", "contact", "контакты"),
            Self::Address => ("ünvan", "address", "адрес"),
            Self::Document => ("şəxsiyyət sənədi", "identity document", "документ"),
            Self::Family => ("ailə", "family", "семья"),
            Self::Employment => ("iş yeri", "employment", "место работы"),
            Self::Income => ("gəlir", "income", "доход"),
            Self::Debts => ("borclar", "debts", "долги"),
            Self::Tax => ("vergi", "tax", "налоги"),
            Self::Property => ("daşınmaz əmlak", "real estate", "недвижимость"),
            Self::Vehicle => ("nəqliyyat vasitəsi", "vehicle", "транспорт"),
            Self::Education => ("təhsil", "education", "образование"),
            Self::Residence => ("yaşayış icazəsi", "residence permit", "вид на жительство"),
            Self::Insurance => ("sığorta", "insurance", "страхование"),
            Self::Trade => ("xarici ticarət", "foreign trade", "внешняя торговля"),
            Self::Screening => ("sanksiya yoxlaması", "sanctions screening", "проверка санкций"),
            Self::Company => ("şirkət", "company", "компания"),
            Self::Ownership => ("mülkiyyətçilər", "owners", "владельцы"),
            Self::Kyc => ("bank yoxlaması", "bank's check", "проверка банком"),
            Self::Pairwise => ("bank üçün nömrə", "number for the bank", "номер для банка"),
            Self::Assurance => ("etibarlılıq səviyyəsi", "assurance level", "уровень доверия"),
        };
        match language {
            Language::Az => az,
            Language::En => en,
            Language::Ru => ru,
        }
    }
}

/// A set of categories: the mask on the ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scope(pub u32);

impl Scope {
    /// No category.
    pub const EMPTY: Self = Self(0);

    /// This set and `category`.
    #[must_use]
    pub const fn with(self, category: Category) -> Self {
        Self(self.0 | 1 << category.bit())
    }

    /// The categories of either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `category` is in it.
    pub const fn contains(self, category: Category) -> bool {
        self.0 >> category.bit() & 1 == 1
    }

    /// Whether every category of this is in `other`.
    pub const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether there is no category.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The categories, by their bits; bits without a category are left out.
    pub fn categories(self) -> impl Iterator<Item = Category> {
        Category::ALL.iter().copied().filter(move |category| self.contains(*category))
    }
}

impl FromIterator<Category> for Scope {
    fn from_iter<I: IntoIterator<Item = Category>>(categories: I) -> Self {
        categories.into_iter().fold(Self::EMPTY, Self::with)
    }
}

/// The digest of a credential type's identifier, by which the ledger's trust registry knows it.
pub fn type_digest(vct: &str) -> Digest {
    TYPE_NAME.hash(vct.as_bytes())
}

/// The type called `vct`, such as `urn:az:pid:1`.
pub fn credential_type(vct: &str) -> Option<&'static CredentialType> {
    credential_types().iter().find(|known| known.vct == vct)
}

/// The type whose document is served under `name`, such as `pid`.
pub fn credential_type_by_name(name: &str) -> Option<&'static CredentialType> {
    credential_types().iter().find(|known| known.name == name)
}

/// Every type: by issuer, the bank's last.
pub fn credential_types() -> &'static [CredentialType] {
    static TYPES: LazyLock<Vec<CredentialType>> = LazyLock::new(|| {
        TYPE_DOCUMENTS.iter().map(|(name, text)| CredentialType::parse(name, text)).collect()
    });
    &TYPES
}

/// The types that `member` may issue by the table of agencies.
pub fn issued_by(member: MemberId) -> impl Iterator<Item = &'static CredentialType> {
    credential_types().iter().filter(move |known| known.issuer.allows(member))
}

/// What an agency is called by the types that it issues; `None` for whoever is none.
pub fn agency_name(member: MemberId, language: Language) -> Option<&'static str> {
    let known = issued_by(member).find(|known| matches!(known.issuer, IssuerKind::Agency(_)))?;
    Some(known.issuer_name.in_language(language))
}

/// The purpose with this code.
pub fn purpose(code: PurposeCode) -> Option<&'static Purpose> {
    purposes().iter().find(|known| known.code == code)
}

/// Every purpose, by code.
pub fn purposes() -> &'static [Purpose] {
    static PURPOSES: LazyLock<Vec<Purpose>> =
        LazyLock::new(|| PURPOSE_DOCUMENTS.iter().map(|text| Purpose::parse(text)).collect());
    &PURPOSES
}

macro_rules! types {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../types/", $name, ".json")))),*]
    };
}

macro_rules! purposes {
    ($($name:literal),* $(,)?) => {
        [$(include_str!(concat!("../purposes/", $name, ".json"))),*]
    };
}

static TYPE_DOCUMENTS: [(&str, &str); 21] = types![
    "pid",
    "pairwise",
    "vehicle",
    "driving-licence",
    "civil-status",
    "guardianship",
    "mandate",
    "taxpayer",
    "company",
    "employment",
    "social-insurance",
    "trade",
    "property",
    "residence-permit",
    "diploma",
    "health-insurance",
    "login-assurance",
    "sanctions-screening",
    "credit-report",
    "deposit-cover",
    "kyc",
];

static PURPOSE_DOCUMENTS: [&str; 6] = purposes![
    "account_opening",
    "loan_assessment",
    "company_account",
    "kyc_refresh",
    "payment_alias",
    "agency_sign_in",
];

#[cfg(test)]
mod tests;
