//! Type Metadata: what the claims of a type are and which may be hidden (SD-JWT VC §4).
//!
//! A verifier or wallet reads foreign types with this; our own types are in
//! [`crate::catalogue`], with the meaning we give them beyond the draft.

use serde_json::{Map, Value};

use crate::jose::sha256;
use crate::json;
use crate::sd_jwt::{ClaimPath, Processed};

/// Documents in one chain of `extends`.
pub const EXTENDS_MAX: usize = 8;

/// Bytes of one Type Metadata document.
const DOCUMENT_BYTES_MAX: usize = 256 * 1024;

/// Why a Type Metadata document, or a credential of the type, is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Not a Type Metadata document, or larger than 256 KiB.
    #[error("not a Type Metadata document")]
    Malformed,
    /// The document is not the one its digest was taken of (§5).
    #[error("the document is not the one that was pinned")]
    Integrity,
    /// The document describes another type (§4.2).
    #[error("the document describes another type")]
    Type,
    /// `extends` comes back to a type, or is longer than [`EXTENDS_MAX`] (§4.4).
    #[error("the type extends too many others, or itself")]
    Extends,
    /// A child contradicts its parent: `sd` always or never may not be loosened (§4.6.5).
    #[error("the type loosens a rule of the type it extends")]
    Loosened,
    /// A mandatory claim is missing.
    #[error("a mandatory claim is missing")]
    MandatoryMissing,
    /// A claim is open that must be disclosable, or the other way round.
    #[error("a claim is disclosable against the type's rule")]
    Disclosability,
}

impl MetadataError {
    /// A stable code for logs, metrics and problem documents.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "type_metadata_malformed",
            Self::Integrity => "type_metadata_integrity",
            Self::Type => "type_metadata_other_type",
            Self::Extends => "type_metadata_extends",
            Self::Loosened => "type_metadata_loosened",
            Self::MandatoryMissing => "claim_mandatory_missing",
            Self::Disclosability => "claim_disclosability",
        }
    }
}

/// Whether a claim may be hidden (§4.6.5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SdRule {
    /// It must be its own disclosure.
    Always,
    /// The issuer decides.
    #[default]
    Allowed,
    /// It must be open.
    Never,
}

/// The rule for the claims at one path (§4.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRule {
    /// Which claims.
    pub path: ClaimPath,
    /// Whether the issuer must state it.
    pub is_mandatory: bool,
    /// Whether it may be hidden.
    pub sd: SdRule,
}

/// One Type Metadata document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeMetadata {
    /// The type.
    pub vct: String,
    /// The type it extends, and that document's integrity if pinned.
    pub extends: Option<(String, Option<String>)>,
    /// Rules, its own first, then those of the types it extends.
    pub claims: Vec<ClaimRule>,
    /// The whole document: display names and the rest.
    pub document: Map<String, Value>,
}

/// The integrity metadata of `document`: `sha256-` and base64 (W3C Subresource Integrity).
pub fn integrity(document: &[u8]) -> String {
    use base64::Engine as _;
    let digest = base64::engine::general_purpose::STANDARD.encode(sha256(document));
    format!("sha256-{digest}")
}

impl TypeMetadata {
    /// Reads the document of type `vct`. If `pinned` (`vct#integrity`), it must match; of several
    /// values there, only `sha256` counts.
    pub fn parse(document: &[u8], vct: &str, pinned: Option<&str>) -> Result<Self, MetadataError> {
        if document.len() > DOCUMENT_BYTES_MAX {
            return Err(MetadataError::Malformed);
        }
        if let Some(pinned) = pinned {
            let ours = integrity(document);
            if !pinned.split_ascii_whitespace().any(|value| value == ours) {
                return Err(MetadataError::Integrity);
            }
        }
        let document = json::parse_object(document).map_err(|_| MetadataError::Malformed)?;
        let text = |name: &str| match document.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(MetadataError::Malformed),
        };
        if text("vct")?.as_deref() != Some(vct) {
            return Err(MetadataError::Type);
        }
        let extends = match text("extends")? {
            None => None,
            Some(parent) => Some((parent, text("extends#integrity")?)),
        };
        let claims = match document.get("claims") {
            None => Vec::new(),
            Some(Value::Array(rules)) => rules
                .iter()
                .map(read_rule)
                .collect::<Option<_>>()
                .ok_or(MetadataError::Malformed)?,
            Some(_) => return Err(MetadataError::Malformed),
        };
        Ok(Self { vct: vct.to_owned(), extends, claims, document })
    }

    /// Reads `document` and all it extends; `fetch` gives the document of a type.
    pub fn resolve(
        document: &[u8],
        vct: &str,
        pinned: Option<&str>,
        fetch: &dyn Fn(&str) -> Option<Vec<u8>>,
    ) -> Result<Self, MetadataError> {
        let mut merged = Self::parse(document, vct, pinned)?;
        let mut seen = vec![vct.to_owned()];
        let mut next = merged.extends.clone();
        while let Some((parent, pinned)) = next {
            if seen.contains(&parent) || seen.len() == EXTENDS_MAX {
                return Err(MetadataError::Extends);
            }
            let document = fetch(&parent).ok_or(MetadataError::Extends)?;
            let parsed = Self::parse(&document, &parent, pinned.as_deref())?;
            for rule in parsed.claims {
                merged.inherit(rule)?;
            }
            next = parsed.extends;
            seen.push(parent);
        }
        Ok(merged)
    }

    /// Adds a parent's rule; a child may tighten it, not loosen it.
    fn inherit(&mut self, parent: ClaimRule) -> Result<(), MetadataError> {
        let Some(own) = self.claims.iter().find(|rule| rule.path == parent.path) else {
            self.claims.push(parent);
            return Ok(());
        };
        let loosens_sd = parent.sd != SdRule::Allowed && own.sd != parent.sd;
        if loosens_sd || (parent.is_mandatory && !own.is_mandatory) {
            return Err(MetadataError::Loosened);
        }
        Ok(())
    }

    /// The paths among `claims` that the type lets the issuer hide: what to pass when issuing.
    pub fn disclosable(&self, claims: &Map<String, Value>) -> Vec<ClaimPath> {
        let claims = Value::Object(claims.clone());
        let may_hide =
            |rule: &&ClaimRule| rule.sd != SdRule::Never && !rule.path.select(&claims).is_empty();
        self.claims.iter().filter(may_hide).map(|rule| rule.path.clone()).collect()
    }

    /// Whether what a holder received keeps the type's rules. `received` is the whole credential
    /// with every disclosure, as [`crate::sd_jwt::SdJwt::verify`] gives it.
    pub fn check(&self, received: &Processed) -> Result<(), MetadataError> {
        let claims = Value::Object(received.claims.0.clone());
        for rule in &self.claims {
            let count = rule.path.select(&claims).len();
            if rule.is_mandatory && count == 0 {
                return Err(MetadataError::MandatoryMissing);
            }
            let hidden =
                received.disclosed.iter().filter(|one| rule.path.matches(one.path.steps())).count();
            let is_kept = match rule.sd {
                SdRule::Always => hidden == count,
                SdRule::Allowed => true,
                SdRule::Never => hidden == 0,
            };
            if !is_kept {
                return Err(MetadataError::Disclosability);
            }
        }
        Ok(())
    }
}

fn read_rule(rule: &Value) -> Option<ClaimRule> {
    let sd = match rule.get("sd") {
        None => SdRule::default(),
        Some(word) => match word.as_str()? {
            "always" => SdRule::Always,
            "allowed" => SdRule::Allowed,
            "never" => SdRule::Never,
            _ => return None,
        },
    };
    let is_mandatory = match rule.get("mandatory") {
        None => false,
        Some(value) => value.as_bool()?,
    };
    Some(ClaimRule { path: ClaimPath::from_json(rule.get("path")?)?, is_mandatory, sd })
}
