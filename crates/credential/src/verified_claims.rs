//! What a bank verified, in the shape of OpenID Connect for Identity Assurance 1.0: the content of
//! the credential `urn:az:kyc:1` on which another bank may rely.
//!
//! Deliberately absent: whether another bank relies on it. That is its own policy
//! ([`VerifiedClaims::check_reuse`] answers the parts that are not a matter of taste).

use core::fmt;

use etibar_primitives::MemberId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::UnixSeconds;
use crate::date::Date;
use crate::level::{AssuranceLevel, Method, Methods};

/// The trust framework: Law No 781-VIQ and the CBA's rules under it.
pub const TRUST_FRAMEWORK: &str = "az_aml";
/// The most pieces of evidence.
pub const EVIDENCE_MAX: usize = 16;

/// Why verified claims are not read or not relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifiedClaimsError {
    /// Not of this shape, or beyond its limits.
    #[error("not verified claims")]
    Malformed,
    /// Another trust framework.
    #[error("verified under another trust framework")]
    OtherFramework,
    /// Below the level demanded: step up.
    #[error("verified at a lower level than demanded")]
    LevelTooLow,
    /// Due for a refresh.
    #[error("the verification is due for a refresh")]
    RefreshDue,
    /// Verified after the present moment.
    #[error("the verification lies in the future")]
    NotYet,
}

impl VerifiedClaimsError {
    /// The stable code in interfaces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "verified_claims_malformed",
            Self::OtherFramework => "trust_framework_unknown",
            Self::LevelTooLow => "assurance_level_too_low",
            Self::RefreshDue => "kyc_refresh_due",
            Self::NotYet => "kyc_not_yet_valid",
        }
    }
}

/// One piece of evidence: a record that an agency attested (IDA type `electronic_record`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The credential type that was presented.
    pub vct: String,
    /// The member that issued it.
    pub issuer: MemberId,
    /// When the bank checked it.
    pub checked_at: UnixSeconds,
}

/// What a bank verified of a person. Its `Debug` shows no claim's value.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedClaims {
    /// At which level.
    pub level: AssuranceLevel,
    /// By which methods of the remote-opening rules.
    pub methods: Methods,
    /// When.
    pub verified_at: UnixSeconds,
    /// The day from which it must be refreshed.
    pub refresh_due: Date,
    /// From what: 1 to [`EVIDENCE_MAX`].
    pub evidence: Vec<Evidence>,
    /// The verified values by claim name; not empty.
    pub claims: Map<String, Value>,
}

impl fmt::Debug for VerifiedClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedClaims")
            .field("level", &self.level)
            .field("methods", &self.methods)
            .field("claims", &self.claims.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl VerifiedClaims {
    /// The claims of the credential `urn:az:kyc:1`, to be issued.
    ///
    /// # Errors
    /// [`VerifiedClaimsError::Malformed`] when evidence or claims are outside their limits.
    pub fn to_credential(&self) -> Result<Map<String, Value>, VerifiedClaimsError> {
        if !self.is_valid() {
            return Err(VerifiedClaimsError::Malformed);
        }
        let evidence: Vec<_> = self.evidence.iter().map(evidence_to_json).collect();
        let claims = json!({
            "verified_claims": {
                "verification": {
                    "trust_framework": TRUST_FRAMEWORK,
                    "assurance_level": self.level.code(),
                    "time": self.verified_at.0,
                    "evidence": evidence,
                },
                "claims": self.claims,
            },
            "assurance_level": self.level.code(),
            "method": self.methods,
            "verified_at": self.verified_at.0,
            "refresh_due": self.refresh_due,
        });
        match claims {
            Value::Object(map) => Ok(map),
            _ => unreachable!("an object was written just above"),
        }
    }

    /// Reads the disclosed claims of a verified credential `urn:az:kyc:1`; other members, such as
    /// `iss` and `cnf`, are the caller's.
    ///
    /// # Errors
    /// [`VerifiedClaimsError::OtherFramework`]; [`VerifiedClaimsError::Malformed`], also when what
    /// stands outside and inside `verified_claims` differ.
    pub fn from_credential(claims: &Map<String, Value>) -> Result<Self, VerifiedClaimsError> {
        let read = |name: &str| claims.get(name).ok_or(VerifiedClaimsError::Malformed);
        let inner = read("verified_claims")?;
        let verification = inner.get("verification").ok_or(VerifiedClaimsError::Malformed)?;
        if verification.get("trust_framework").and_then(Value::as_str) != Some(TRUST_FRAMEWORK) {
            return Err(VerifiedClaimsError::OtherFramework);
        }
        let evidence = verification.get("evidence").and_then(Value::as_array);
        let evidence = evidence.ok_or(VerifiedClaimsError::Malformed)?.iter();
        let values = inner.get("claims").and_then(Value::as_object);
        let this = Self {
            level: from(read("assurance_level")?)?,
            methods: from(read("method")?)?,
            verified_at: from(read("verified_at")?)?,
            refresh_due: from(read("refresh_due")?)?,
            evidence: evidence.map(evidence_from_json).collect::<Result<_, _>>()?,
            claims: values.ok_or(VerifiedClaimsError::Malformed)?.clone(),
        };
        // Written again it must be the same: one value has one form.
        let again = this.to_credential()?;
        let same = again.iter().all(|(name, value)| claims.get(name) == Some(value));
        if same { Ok(this) } else { Err(VerifiedClaimsError::Malformed) }
    }

    /// Whether a bank that demands `minimum` may rely on it at `now`.
    ///
    /// # Errors
    /// [`VerifiedClaimsError::LevelTooLow`], [`VerifiedClaimsError::NotYet`],
    /// [`VerifiedClaimsError::RefreshDue`] from that day on.
    pub fn check_reuse(
        &self,
        minimum: AssuranceLevel,
        now: UnixSeconds,
    ) -> Result<(), VerifiedClaimsError> {
        if self.level < minimum {
            Err(VerifiedClaimsError::LevelTooLow)
        } else if self.verified_at > now {
            Err(VerifiedClaimsError::NotYet)
        } else if Date::of(now) >= self.refresh_due {
            Err(VerifiedClaimsError::RefreshDue)
        } else {
            Ok(())
        }
    }

    fn is_valid(&self) -> bool {
        (1..=EVIDENCE_MAX).contains(&self.evidence.len())
            && !self.claims.is_empty()
            && self.methods.level().is_some()
    }
}

fn from<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T, VerifiedClaimsError> {
    serde_json::from_value(value.clone()).map_err(|_| VerifiedClaimsError::Malformed)
}

fn evidence_to_json(evidence: &Evidence) -> Value {
    json!({
        "type": "electronic_record",
        "check_details": [{
            "check_method": "data",
            "organization": evidence.issuer.0.to_string(),
            "time": evidence.checked_at.0,
        }],
        "record": { "type": evidence.vct },
    })
}

fn evidence_from_json(value: &Value) -> Result<Evidence, VerifiedClaimsError> {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    let issuer = text("/check_details/0/organization").and_then(|text| text.parse().ok());
    let time = value.pointer("/check_details/0/time").and_then(Value::as_u64);
    match (text("/record/type"), issuer, time) {
        (Some(vct), Some(issuer), Some(time)) => Ok(Evidence {
            vct: vct.to_owned(),
            issuer: MemberId(issuer),
            checked_at: UnixSeconds(time),
        }),
        _ => Err(VerifiedClaimsError::Malformed),
    }
}

/// The methods that a proofing record names, from their codes; `None` if one is unknown.
pub fn methods_from_codes<'a>(codes: impl IntoIterator<Item = &'a str>) -> Option<Methods> {
    codes.into_iter().map(Method::from_code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = UnixSeconds(1_795_000_000);

    fn sample() -> VerifiedClaims {
        VerifiedClaims {
            level: AssuranceLevel::High,
            methods: Methods::of(&[Method::Call, Method::Signature]),
            verified_at: NOW,
            refresh_due: "2027-11-18".parse().expect("a day"),
            evidence: vec![Evidence {
                vct: "urn:az:pid:1".to_owned(),
                issuer: MemberId(12),
                checked_at: NOW,
            }],
            claims: Map::from_iter([("family_name".to_owned(), json!("Nümunəyev"))]),
        }
    }

    #[test]
    fn verified_claims_are_read_back_and_every_claim_is_in_the_catalogue() {
        let mut claims = sample().to_credential().expect("in its limits");
        let known = crate::catalogue::credential_type("urn:az:kyc:1").expect("a type");
        for name in claims.keys() {
            assert!(known.claim(&crate::sd_jwt::ClaimPath::of(&[name])).is_some(), "{name}");
        }
        claims.insert("iss".to_owned(), json!("https://bank.example"));
        assert_eq!(VerifiedClaims::from_credential(&claims), Ok(sample()));
    }

    #[test]
    fn what_differs_inside_and_outside_is_refused() {
        let refused = |pointer: &str, value: Value| {
            let mut claims = Value::Object(sample().to_credential().expect("in its limits"));
            *claims.pointer_mut(pointer).expect("there") = value;
            let claims = claims.as_object().expect("an object").clone();
            VerifiedClaims::from_credential(&claims).unwrap_err().code()
        };
        let malformed = "verified_claims_malformed";
        assert_eq!(refused("/assurance_level", json!("low")), malformed);
        assert_eq!(refused("/verified_at", json!(1)), malformed);
        assert_eq!(refused("/method", json!([])), malformed);
        assert_eq!(refused("/verified_claims/claims", json!({})), malformed);
        assert_eq!(refused("/verified_claims/verification/evidence", json!([])), malformed);
        let framework = "/verified_claims/verification/trust_framework";
        assert_eq!(refused(framework, json!("eidas")), "trust_framework_unknown");
    }

    #[test]
    fn a_verification_is_relied_on_at_its_level_until_its_refresh_is_due() {
        let check =
            |minimum, now| sample().check_reuse(minimum, now).map_err(VerifiedClaimsError::code);
        assert_eq!(check(AssuranceLevel::High, NOW), Ok(()));
        let low = VerifiedClaims { level: AssuranceLevel::Low, ..sample() };
        let refused = low.check_reuse(AssuranceLevel::Substantial, NOW).unwrap_err();
        assert_eq!(refused.code(), "assurance_level_too_low");
        assert_eq!(check(AssuranceLevel::Low, UnixSeconds(NOW.0 - 1)), Err("kyc_not_yet_valid"));
        // 2027-11-18 begins in Baku at 2027-11-17T20:00:00Z.
        let due = UnixSeconds(1_826_481_600);
        assert_eq!(check(AssuranceLevel::Low, UnixSeconds(due.0 - 1)), Ok(()));
        assert_eq!(check(AssuranceLevel::Low, due), Err("kyc_refresh_due"));
    }

    #[test]
    fn no_value_shows_in_debug() {
        let shown = format!("{:?}", sample());
        assert!(shown.contains("family_name"));
        assert!(!shown.contains("Nümunə"));
    }
}
