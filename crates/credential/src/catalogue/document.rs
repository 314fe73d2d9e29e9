//! A credential type, as its Type Metadata document says.

use etibar_primitives::{Digest, MemberId};
use serde::Deserialize;

use super::{BANKS, Category, DOCUMENT, FIRST_AGENCY, Language, Scope, Texts};
use crate::jose;
use crate::sd_jwt::{ClaimPath, Step};

/// Whether the holder may keep a claim to itself (SD-JWT VC Type Metadata, `sd`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disclosure {
    /// It is its own disclosure; the holder chooses.
    Always,
    /// It shows with what contains it: at the top of the credential in every presentation.
    Never,
}

/// Who may issue a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssuerKind {
    /// The agency of this row, from 1, in the table of agencies (domain/identity.md §7).
    Agency(u32),
    /// Any bank.
    Bank,
}

impl IssuerKind {
    /// Whether `member` is such an issuer in the table.
    pub fn allows(self, member: MemberId) -> bool {
        match self {
            Self::Agency(row) => member.0 == FIRST_AGENCY + row - 1,
            Self::Bank => BANKS.contains(&member.0),
        }
    }
}

/// One claim of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Where it stands.
    pub path: ClaimPath,
    /// What it is called.
    pub labels: Texts,
    /// Whether the holder may keep it back.
    pub disclosure: Disclosure,
    /// Whether every credential of the type has it.
    pub mandatory: bool,
    /// Which category of data it is.
    pub category: Category,
}

/// A credential type.
#[derive(Debug, Clone)]
pub struct CredentialType {
    /// Its identifier, such as `urn:az:pid:1`.
    pub vct: String,
    /// The short name under which its document is served, such as `pid`.
    pub name: &'static str,
    /// What it is called.
    pub title: Texts,
    /// What it says, in a sentence.
    pub description: Texts,
    /// Who issues it.
    pub issuer: IssuerKind,
    /// The issuer's name.
    pub issuer_name: Texts,
    /// Its claims, in the order to show them.
    pub claims: Vec<Claim>,
    /// The Type Metadata document, as it is served: `application/json`.
    pub document: &'static str,
}

impl CredentialType {
    /// The digest of the document.
    pub fn digest(&self) -> Digest {
        DOCUMENT.hash(self.document.as_bytes())
    }

    /// The document's integrity metadata for `vct#integrity` (W3C Subresource Integrity).
    pub fn integrity(&self) -> String {
        use base64::Engine as _;
        let hash = jose::sha256(self.document.as_bytes());
        format!("sha256-{}", base64::engine::general_purpose::STANDARD.encode(hash))
    }

    /// The claim at exactly `path`.
    pub fn claim(&self, path: &ClaimPath) -> Option<&Claim> {
        self.claims.iter().find(|claim| claim.path == *path)
    }

    /// The label of the claim at `path`, or of the nearest one that contains it.
    pub fn label(&self, path: &ClaimPath, language: Language) -> Option<&str> {
        self.claims
            .iter()
            .filter(|claim| covers(&claim.path, path))
            .max_by_key(|claim| claim.path.steps().len())
            .map(|claim| claim.labels.in_language(language))
    }

    /// The categories that a presentation shows when the claim at `path` is asked for: of the claim
    /// itself, of what lies in it, of what it lies in. `None` when the type has no such claim.
    pub fn scope_of(&self, path: &ClaimPath) -> Option<Scope> {
        let touched = self
            .claims
            .iter()
            .filter(|claim| covers(&claim.path, path) || covers(path, &claim.path));
        let scope: Scope = touched.map(|claim| claim.category).collect();
        (!scope.is_empty()).then_some(scope)
    }

    /// The categories that every presentation shows, whatever is asked for.
    pub fn scope_always_shown(&self) -> Scope {
        let top =
            |claim: &&Claim| claim.path.steps().len() == 1 && claim.disclosure == Disclosure::Never;
        self.claims.iter().filter(top).map(|claim| claim.category).collect()
    }

    /// The names of the top-level claims that are each their own disclosure.
    pub fn disclosable(&self) -> impl Iterator<Item = &str> {
        self.claims.iter().filter_map(|claim| match (claim.path.steps(), claim.disclosure) {
            ([Step::Name(name)], Disclosure::Always) => Some(name.as_str()),
            _ => None,
        })
    }

    pub(super) fn parse(name: &'static str, document: &'static str) -> Self {
        let raw: RawType = serde_json::from_str(document)
            .expect("the documents are compiled in and a test parses each of them");
        let title = texts(raw.display.iter().map(|text| (text.locale, text.name.clone())));
        let description =
            texts(raw.display.iter().map(|text| (text.locale, text.description.clone())));
        let claim = |claim: RawClaim| Claim {
            labels: texts(claim.display.into_iter().map(|text| (text.locale, text.label))),
            path: claim.path,
            disclosure: claim.sd,
            mandatory: claim.mandatory,
            category: claim.category,
        };
        let RawIssuer { row, az, en, ru } = raw.issuer;
        Self {
            vct: raw.vct,
            name,
            title,
            description,
            issuer: row.map_or(IssuerKind::Bank, IssuerKind::Agency),
            issuer_name: Texts { az, en, ru },
            claims: raw.claims.into_iter().map(claim).collect(),
            document,
        }
    }
}

/// Whether `outer` is `inner` or leads to it; a place lies in "every element".
fn covers(outer: &ClaimPath, inner: &ClaimPath) -> bool {
    let same = |one: &Step, other: &Step| match (one, other) {
        (Step::Every, Step::Index(_)) | (Step::Index(_), Step::Every) => true,
        (one, other) => one == other,
    };
    let (outer, inner) = (outer.steps(), inner.steps());
    outer.len() <= inner.len() && outer.iter().zip(inner).all(|(one, other)| same(one, other))
}

fn texts(parts: impl Iterator<Item = (Language, String)>) -> Texts {
    let mut texts = Texts { az: String::new(), en: String::new(), ru: String::new() };
    for (language, text) in parts {
        match language {
            Language::Az => texts.az = text,
            Language::En => texts.en = text,
            Language::Ru => texts.ru = text,
        }
    }
    texts
}

#[derive(Deserialize)]
struct RawType {
    vct: String,
    display: Vec<RawDisplay>,
    issuer: RawIssuer,
    claims: Vec<RawClaim>,
}

#[derive(Deserialize)]
struct RawDisplay {
    locale: Language,
    name: String,
    description: String,
}

#[derive(Deserialize)]
struct RawIssuer {
    row: Option<u32>,
    az: String,
    en: String,
    ru: String,
}

#[derive(Deserialize)]
struct RawClaim {
    path: ClaimPath,
    display: Vec<RawLabel>,
    sd: Disclosure,
    #[serde(default)]
    mandatory: bool,
    category: Category,
}

#[derive(Deserialize)]
struct RawLabel {
    locale: Language,
    label: String,
}
