//! Over-asking: whether a verifier's question fits the purpose it gives.
//!
//! A purpose names the credential types and the data categories that may be asked for it. The
//! wallet checks before it shows anything, the verifier before it asks, the provider before it
//! answers, and the ledger compares the resulting mask with the registered one.

use serde_json::Value;

use crate::catalogue::{self, PurposeCode, Scope};
use crate::sd_jwt::ClaimPath;

/// The most credentials of one question.
pub const CREDENTIALS_MAX: usize = 16;
/// The most claims asked of one credential.
pub const CLAIMS_MAX: usize = 128;

/// What is asked of one credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialAsk {
    /// The credential type.
    pub vct: String,
    /// The claims; empty: only what every presentation shows.
    pub paths: Vec<ClaimPath>,
}

/// Why a question is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PurposeError {
    /// No purpose has this code.
    #[error("there is no purpose {}", .0.0)]
    UnknownPurpose(PurposeCode),
    /// The catalogue has no such type.
    #[error("there is no credential type {0}")]
    UnknownType(String),
    /// The type has no such claim.
    #[error("{vct} has no claim {claim}")]
    UnknownClaim {
        /// The type.
        vct: String,
        /// The claim, with dots.
        claim: String,
    },
    /// The purpose does not allow this claim.
    #[error("{claim} of {vct} may not be asked for this purpose")]
    Exceeds {
        /// The type.
        vct: String,
        /// The claim with dots, or `*` when the type itself may not be asked for.
        claim: String,
    },
    /// Not a DCQL query for SD-JWT VC, or beyond its limits.
    #[error("not a query that can be judged")]
    Malformed,
}

impl PurposeError {
    /// The stable code in interfaces.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownPurpose(_) => "unknown_purpose",
            Self::UnknownType(_) => "unknown_credential_type",
            Self::UnknownClaim { .. } => "unknown_claim",
            Self::Exceeds { .. } => "exceeds_purpose",
            Self::Malformed => "query_malformed",
        }
    }
}

/// The scope of `asks`, when it fits the purpose.
///
/// Every alternative counts: what could be answered could be asked.
///
/// # Errors
/// The first claim that does not fit, in the order asked; see [`PurposeError`].
pub fn check(asks: &[CredentialAsk], code: PurposeCode) -> Result<Scope, PurposeError> {
    let purpose = catalogue::purpose(code).ok_or(PurposeError::UnknownPurpose(code))?;
    let exceeds =
        |ask: &CredentialAsk, claim: String| PurposeError::Exceeds { vct: ask.vct.clone(), claim };
    let mut scope = Scope::EMPTY;
    for ask in asks {
        let known = catalogue::credential_type(&ask.vct)
            .ok_or_else(|| PurposeError::UnknownType(ask.vct.clone()))?;
        let shown = known.scope_always_shown();
        if !purpose.credential_types.contains(&ask.vct) || !shown.is_within(purpose.scope) {
            return Err(exceeds(ask, "*".to_owned()));
        }
        scope = scope.union(shown);
        for path in &ask.paths {
            let of_claim = known.scope_of(path).ok_or_else(|| PurposeError::UnknownClaim {
                vct: ask.vct.clone(),
                claim: path.to_string(),
            })?;
            if !of_claim.is_within(purpose.scope) {
                return Err(exceeds(ask, path.to_string()));
            }
            scope = scope.union(of_claim);
        }
    }
    Ok(scope)
}

/// What a DCQL query (OpenID4VP 1.0 §6) asks for: one entry for each type it accepts.
///
/// # Errors
/// [`PurposeError::Malformed`] when it is no such query, asks for another format than `dc+sd-jwt`,
/// or is beyond [`CREDENTIALS_MAX`] or [`CLAIMS_MAX`].
pub fn asks_of(dcql: &Value) -> Result<Vec<CredentialAsk>, PurposeError> {
    let credentials =
        dcql.get("credentials").and_then(Value::as_array).ok_or(PurposeError::Malformed)?;
    if credentials.is_empty() || credentials.len() > CREDENTIALS_MAX {
        return Err(PurposeError::Malformed);
    }
    let mut asks = Vec::new();
    for credential in credentials {
        if credential.get("format").and_then(Value::as_str) != Some("dc+sd-jwt") {
            return Err(PurposeError::Malformed);
        }
        let paths = paths_of(credential)?;
        let types = credential.pointer("/meta/vct_values").and_then(Value::as_array);
        let types = types.filter(|types| (1..=CREDENTIALS_MAX).contains(&types.len()));
        for vct in types.ok_or(PurposeError::Malformed)? {
            let vct = vct.as_str().ok_or(PurposeError::Malformed)?.to_owned();
            asks.push(CredentialAsk { vct, paths: paths.clone() });
        }
    }
    Ok(asks)
}

fn paths_of(credential: &Value) -> Result<Vec<ClaimPath>, PurposeError> {
    let Some(claims) = credential.get("claims") else { return Ok(Vec::new()) };
    let claims = claims.as_array().filter(|claims| (1..=CLAIMS_MAX).contains(&claims.len()));
    let path = |claim: &Value| ClaimPath::from_json(claim.get("path")?);
    claims
        .ok_or(PurposeError::Malformed)?
        .iter()
        .map(|claim| path(claim).ok_or(PurposeError::Malformed))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::catalogue::Category;

    fn ask(name: &str, paths: &[&str]) -> CredentialAsk {
        CredentialAsk {
            vct: format!("urn:az:{name}:1"),
            paths: paths.iter().map(|name| ClaimPath::of(&[name])).collect(),
        }
    }

    #[test]
    fn a_question_inside_the_purpose_gives_its_scope() {
        let asks = [ask("pid", &["family_name", "birthdate", "address"]), ask("pairwise", &[])];
        let expected: Scope = [
            Category::Identity,
            Category::Birth,
            Category::Address,
            Category::Pairwise,
            Category::Assurance,
        ]
        .into_iter()
        .collect();
        assert_eq!(check(&asks, PurposeCode::ACCOUNT_OPENING), Ok(expected));
    }

    #[test]
    fn a_question_beyond_the_purpose_is_refused_by_the_claims_name() {
        let refused = |asks: &[CredentialAsk], code| {
            let error = check(asks, code).unwrap_err();
            (error.code(), error.to_string())
        };
        let salary = [ask("employment", &["employer", "monthly_salary_qepik"])];
        assert_eq!(
            refused(&salary, PurposeCode::ACCOUNT_OPENING),
            (
                "exceeds_purpose",
                "monthly_salary_qepik of urn:az:employment:1 may not be asked for this purpose"
                    .into()
            )
        );
        assert!(check(&salary, PurposeCode::LOAN_ASSESSMENT).is_ok());
        let marriage = [ask("civil-status", &["marital_status"])];
        for purpose in catalogue::purposes() {
            assert_eq!(refused(&marriage, purpose.code).0, "exceeds_purpose", "{}", purpose.name);
        }
        let document = [ask("pid", &["document_number"])];
        assert_eq!(refused(&document, PurposeCode::LOAN_ASSESSMENT).0, "exceeds_purpose");
        assert_eq!(refused(&[ask("pid", &[])], PurposeCode::PAYMENT_ALIAS).0, "exceeds_purpose");
        assert_eq!(refused(&[ask("pid", &["shoe_size"])], PurposeCode(1)).0, "unknown_claim");
        assert_eq!(refused(&[ask("horoscope", &[])], PurposeCode(1)).0, "unknown_credential_type");
        assert_eq!(refused(&[], PurposeCode(99)).0, "unknown_purpose");
    }

    #[test]
    fn every_alternative_of_a_query_is_judged() {
        let query = json!({"credentials": [{
            "id": "who", "format": "dc+sd-jwt",
            "meta": {"vct_values": ["urn:az:pid:1", "urn:az:residence-permit:1"]},
            "claims": [
                {"id": "a", "path": ["family_name"]},
                {"id": "b", "path": ["permit_number"]}
            ],
            "claim_sets": [["a"], ["b"]]
        }]});
        let asks = asks_of(&query).unwrap();
        assert_eq!(asks.len(), 2);
        assert_eq!(check(&asks, PurposeCode(1)).unwrap_err().code(), "unknown_claim");
    }

    #[test]
    fn a_text_that_is_no_query_is_refused() {
        let credential = json!({"id": "a", "format": "dc+sd-jwt",
            "meta": {"vct_values": ["urn:az:pid:1"]}});
        let with = |name: &str, value: Value| {
            let mut changed = credential.clone();
            changed[name] = value;
            asks_of(&json!({"credentials": [changed]})).is_ok()
        };
        assert!(asks_of(&json!({"credentials": [credential]})).is_ok());
        assert!(with("claims", json!([{"path": ["a"]}])));
        for (name, value) in [
            ("format", json!("mso_mdoc")),
            ("meta", json!({})),
            ("meta", json!({"vct_values": []})),
            ("claims", json!([])),
            ("claims", json!([{"path": []}])),
            ("claims", json!([{"path": ["a", -1]}])),
            ("claims", json!([{}])),
            ("claims", json!(vec![json!({"path": ["a"]}); CLAIMS_MAX + 1])),
        ] {
            assert!(!with(name, value.clone()), "{name} {value}");
        }
        assert!(asks_of(&json!({"credentials": []})).is_err());
        assert!(asks_of(&json!({"credentials": vec![credential; CREDENTIALS_MAX + 1]})).is_err());
    }

    proptest! {
        #[test]
        fn asking_for_more_never_makes_a_refused_question_fit(
            of_type in any::<prop::sample::Index>(),
            picks in prop::collection::vec(any::<prop::sample::Index>(), 1..6),
            code in 1_u16..7,
        ) {
            let known = of_type.get(catalogue::credential_types());
            let paths: Vec<_> =
                picks.iter().map(|pick| pick.get(&known.claims).path.clone()).collect();
            let some = [CredentialAsk { vct: known.vct.clone(), paths: paths[1..].to_vec() }];
            let more = [CredentialAsk { vct: known.vct.clone(), paths }];
            let purpose = catalogue::purpose(PurposeCode(code)).unwrap();
            match (check(&some, purpose.code), check(&more, purpose.code)) {
                (Ok(less), Ok(scope)) => {
                    prop_assert!(less.is_within(scope));
                    prop_assert!(scope.is_within(purpose.scope));
                }
                (Err(_), Ok(_)) => prop_assert!(false, "asking for more made it fit"),
                (_, Err(_)) => {}
            }
        }
    }
}
