//! Digital Credentials Query Language (OpenID4VP 1.0 §6, §7): what a verifier asks for, and which
//! credentials answer it.

use std::collections::{BTreeMap, BTreeSet};

pub use etibar_credential::sd_jwt::{ClaimPath, Step};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The format identifier of SD-JWT VC, the only one asked for here.
pub const FORMAT_SD_JWT_VC: &str = "dc+sd-jwt";
/// The most credential queries of one query.
pub const CREDENTIALS_MAX: usize = 16;
/// The most claims of one credential query.
pub const CLAIMS_MAX: usize = 128;
/// The longest path, in elements.
pub const PATH_ELEMENTS_MAX: usize = 8;
/// The most sets, options of a set, and values of a claim.
pub const ALTERNATIVES_MAX: usize = 16;
/// The longest identifier or path element, in bytes.
pub const NAME_BYTES_MAX: usize = 256;

/// A whole query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// The credentials asked for, each with its own id.
    pub credentials: Vec<CredentialQuery>,
    /// Which of them are needed together; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_sets: Option<Vec<CredentialSet>>,
}

/// One credential asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialQuery {
    /// Letters, digits, `_` and `-`; unique in the query; the key in `vp_token`.
    pub id: String,
    /// [`FORMAT_SD_JWT_VC`].
    pub format: String,
    /// Which types.
    pub meta: Meta,
    /// Whether several credentials may answer; absent: no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiple: Option<bool>,
    /// Whether the presentation must prove its key; absent: yes. We accept nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_cryptographic_holder_binding: Option<bool>,
    /// The claims asked for; absent: none that is selectively disclosable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Vec<ClaimQuery>>,
    /// Which of the claims are needed together, by their ids, in order of preference; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim_sets: Option<Vec<Vec<String>>>,
}

/// The types of SD-JWT VC that answer a query (OpenID4VP 1.0 §B.3.5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// The accepted `vct` values.
    pub vct_values: Vec<String>,
}

/// One claim asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimQuery {
    /// Its name in `claim_sets`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where it stands.
    pub path: ClaimPath,
    /// The values one of which it must have; absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Value>>,
}

/// A set of credential queries of which one option is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialSet {
    /// The options, in order of preference; each a list of credential query ids.
    pub options: Vec<Vec<String>>,
    /// Whether an option must be answered; absent: yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
}

/// Why a query is none that we ask or answer. Each has a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A list is empty or longer than its limit, or a name is.
    #[error("the query is outside its limits")]
    Limit,
    /// An id is repeated, malformed or names nothing.
    #[error("an identifier of the query is repeated, malformed or unknown")]
    Identifier,
    /// A format other than `dc+sd-jwt`.
    #[error("the query asks for a format that is not supported")]
    Format,
    /// It asks for a presentation without the holder's key.
    #[error("the query waives the holder's binding")]
    HolderBinding,
}

impl QueryError {
    /// The stable code in interfaces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Limit => "dcql_limit",
            Self::Identifier => "dcql_identifier",
            Self::Format => "dcql_format_unsupported",
            Self::HolderBinding => "dcql_holder_binding",
        }
    }
}

/// A credential that might answer: held by a holder, or presented to a verifier.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its type.
    pub vct: &'a str,
    /// All its claims, disclosed ones in their places.
    pub claims: &'a Value,
}

/// What the candidates answer to a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// In the order of the query's `credentials`.
    pub credentials: Vec<CredentialEvaluation>,
    /// The ids of the credential queries to answer; `None` if a required one cannot be.
    pub answer: Option<Vec<String>>,
}

/// What the candidates answer to one credential query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialEvaluation {
    /// The credential query's id.
    pub id: String,
    /// The candidates that answer it, in their order.
    pub matches: Vec<Match>,
    /// If none does: the claims that the nearest candidate of that type lacks; empty if there is
    /// no credential of that type at all.
    pub missing: Vec<ClaimPath>,
}

/// A candidate that answers, and what it would disclose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Its index among the candidates.
    pub candidate: usize,
    /// The claims to disclose: no more than was asked for.
    pub disclose: Vec<ClaimPath>,
}

impl Query {
    /// Checks limits and references.
    ///
    /// # Errors
    /// The first rule broken, in the order of [`QueryError`].
    pub fn check(&self) -> Result<(), QueryError> {
        check_count(self.credentials.len(), CREDENTIALS_MAX)?;
        let mut ids = BTreeSet::new();
        for credential in &self.credentials {
            credential.check()?;
            if !ids.insert(credential.id.as_str()) {
                return Err(QueryError::Identifier);
            }
        }
        let Some(sets) = &self.credential_sets else { return Ok(()) };
        check_count(sets.len(), ALTERNATIVES_MAX)?;
        for set in sets {
            check_count(set.options.len(), ALTERNATIVES_MAX)?;
            for option in &set.options {
                check_count(option.len(), CREDENTIALS_MAX)?;
                if !option.iter().all(|id| ids.contains(id.as_str())) {
                    return Err(QueryError::Identifier);
                }
            }
        }
        Ok(())
    }

    /// Which candidates answer, what each would disclose, and what is missing.
    pub fn evaluate(&self, candidates: &[Candidate<'_>]) -> Evaluation {
        let credentials: Vec<_> =
            self.credentials.iter().map(|query| query.evaluate(candidates)).collect();
        let answered: BTreeMap<&str, bool> = credentials
            .iter()
            .map(|outcome| (outcome.id.as_str(), !outcome.matches.is_empty()))
            .collect();
        let answer = self.choose(|id| answered.get(id).copied().unwrap_or(false));
        Evaluation { credentials, answer }
    }

    /// The ids to answer when `answerable` says which can be: all, or the first complete option of
    /// each set. `None` if a required set has none (OpenID4VP 1.0 §6.4.2).
    pub fn choose(&self, answerable: impl Fn(&str) -> bool) -> Option<Vec<String>> {
        let Some(sets) = &self.credential_sets else {
            let all = self.credentials.iter().map(|query| query.id.clone()).collect::<Vec<_>>();
            return all.iter().all(|id| answerable(id)).then_some(all);
        };
        let mut chosen = BTreeSet::new();
        for set in sets {
            let option = set.options.iter().find(|ids| ids.iter().all(|id| answerable(id)));
            match option {
                Some(ids) => chosen.extend(ids.iter().cloned()),
                None if set.required.unwrap_or(true) => return None,
                None => {}
            }
        }
        Some(chosen.into_iter().collect())
    }

    /// The credential query called `id`.
    pub fn credential(&self, id: &str) -> Option<&CredentialQuery> {
        self.credentials.iter().find(|query| query.id == id)
    }
}

impl CredentialQuery {
    /// A query for the claims at `paths` of one credential of type `vct`.
    pub fn new(id: &str, vct: &str, paths: impl IntoIterator<Item = ClaimPath>) -> Self {
        let claims: Vec<_> =
            paths.into_iter().map(|path| ClaimQuery { id: None, path, values: None }).collect();
        Self {
            id: id.to_owned(),
            format: FORMAT_SD_JWT_VC.to_owned(),
            meta: Meta { vct_values: vec![vct.to_owned()] },
            multiple: None,
            require_cryptographic_holder_binding: None,
            claims: Some(claims).filter(|claims| !claims.is_empty()),
            claim_sets: None,
        }
    }

    fn check(&self) -> Result<(), QueryError> {
        if self.format != FORMAT_SD_JWT_VC {
            return Err(QueryError::Format);
        }
        if self.require_cryptographic_holder_binding == Some(false) {
            return Err(QueryError::HolderBinding);
        }
        check_identifier(&self.id)?;
        check_count(self.meta.vct_values.len(), ALTERNATIVES_MAX)?;
        self.meta.vct_values.iter().try_for_each(|vct| check_name(vct))?;
        let mut ids = BTreeSet::new();
        if let Some(claims) = &self.claims {
            check_count(claims.len(), CLAIMS_MAX)?;
            for claim in claims {
                claim.check()?;
                if claim.id.as_deref().is_some_and(|id| !ids.insert(id)) {
                    return Err(QueryError::Identifier);
                }
            }
        }
        let Some(sets) = &self.claim_sets else { return Ok(()) };
        check_count(sets.len(), ALTERNATIVES_MAX)?;
        for set in sets {
            check_count(set.len(), CLAIMS_MAX)?;
            if !set.iter().all(|id| ids.contains(id.as_str())) {
                return Err(QueryError::Identifier);
            }
        }
        Ok(())
    }

    /// What `candidate` would have to disclose, or the claims that it lacks.
    ///
    /// # Errors
    /// The lacking claims; none if the type is another one.
    pub fn answer(&self, candidate: Candidate<'_>) -> Result<Vec<ClaimPath>, Vec<ClaimPath>> {
        if !self.meta.vct_values.iter().any(|vct| vct == candidate.vct) {
            return Err(Vec::new());
        }
        let claims = self.claims.as_deref().unwrap_or_default();
        let Some(sets) = &self.claim_sets else {
            return answer_all(&claims.iter().collect::<Vec<_>>(), candidate.claims);
        };
        let mut first_lack = None;
        for set in sets {
            let wanted: Vec<_> = claims
                .iter()
                .filter(|claim| claim.id.as_ref().is_some_and(|id| set.contains(id)))
                .collect();
            match answer_all(&wanted, candidate.claims) {
                Ok(paths) => return Ok(paths),
                Err(lack) => first_lack = first_lack.or(Some(lack)),
            }
        }
        Err(first_lack.unwrap_or_default())
    }

    fn evaluate(&self, candidates: &[Candidate<'_>]) -> CredentialEvaluation {
        let mut matches = Vec::new();
        let mut missing: Option<Vec<ClaimPath>> = None;
        for (index, candidate) in candidates.iter().enumerate() {
            match self.answer(*candidate) {
                Ok(disclose) => matches.push(Match { candidate: index, disclose }),
                Err(lack) if lack.is_empty() => {}
                Err(lack) => {
                    if missing.as_ref().is_none_or(|best| lack.len() < best.len()) {
                        missing = Some(lack);
                    }
                }
            }
        }
        let missing = missing.filter(|_| matches.is_empty()).unwrap_or_default();
        CredentialEvaluation { id: self.id.clone(), matches, missing }
    }
}

impl ClaimQuery {
    fn check(&self) -> Result<(), QueryError> {
        if let Some(id) = &self.id {
            check_identifier(id)?;
        }
        check_count(self.path.steps().len(), PATH_ELEMENTS_MAX)?;
        for step in self.path.steps() {
            if let Step::Name(name) = step {
                check_name(name)?;
            }
        }
        match &self.values {
            Some(values) => check_count(values.len(), ALTERNATIVES_MAX),
            None => Ok(()),
        }
    }

    fn answered_by(&self, claims: &Value) -> bool {
        let found = self.path.select(claims);
        match &self.values {
            None => !found.is_empty(),
            Some(values) => found.iter().any(|value| values.contains(value)),
        }
    }
}

/// The path of nested object members written with dots, such as `address.city`.
///
/// # Panics
/// If it has more steps than a path may: such a path is a mistake in the program.
pub fn dotted(path: &str) -> ClaimPath {
    ClaimPath::of(&path.split('.').collect::<Vec<_>>())
}

fn answer_all(wanted: &[&ClaimQuery], claims: &Value) -> Result<Vec<ClaimPath>, Vec<ClaimPath>> {
    let lack: Vec<_> = wanted
        .iter()
        .filter(|claim| !claim.answered_by(claims))
        .map(|claim| claim.path.clone())
        .collect();
    if lack.is_empty() {
        Ok(wanted.iter().map(|claim| claim.path.clone()).collect())
    } else {
        Err(lack)
    }
}

fn check_count(count: usize, max: usize) -> Result<(), QueryError> {
    if count == 0 || count > max { Err(QueryError::Limit) } else { Ok(()) }
}

fn check_name(name: &str) -> Result<(), QueryError> {
    check_count(name.len(), NAME_BYTES_MAX)
}

fn check_identifier(id: &str) -> Result<(), QueryError> {
    check_name(id)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if id.bytes().all(allowed) { Ok(()) } else { Err(QueryError::Identifier) }
}

#[cfg(test)]
mod tests;
