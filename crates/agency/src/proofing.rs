//! How the registrar sees that a person is who the register says: a hook for a provider.

use etibar_openid::member::ProofingEvidence;
use futures::future::BoxFuture;
use serde::Deserialize;

use crate::identifiers::Fin;

/// Why a proofing does not convince.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofingError {
    /// The registrar knows no such provider.
    #[error("the proofing provider is unknown")]
    Provider,
    /// The evidence is not the provider's.
    #[error("the proofing evidence is malformed")]
    Malformed,
    /// Another person was seen.
    #[error("the proofing saw another person")]
    OtherPerson,
    /// Nobody alive was seen.
    #[error("the proofing saw no living person")]
    NotLive,
    /// The provider does not answer.
    #[error("the proofing provider does not answer")]
    Unavailable,
}

impl ProofingError {
    /// The stable code in interfaces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Provider => "proofing_provider_unknown",
            Self::Malformed => "proofing_malformed",
            Self::OtherPerson => "proofing_other_person",
            Self::NotLive => "proofing_not_live",
            Self::Unavailable => "proofing_unavailable",
        }
    }
}

/// A proofing provider: photo, video or call against the register's portrait.
pub trait Proofing: Send + Sync + 'static {
    /// The name by which evidence refers to it.
    fn name(&self) -> &str;

    /// Whether `evidence` shows `person`, alive, by the methods it states.
    fn check<'a>(
        &'a self,
        person: &'a Fin,
        evidence: &'a ProofingEvidence,
    ) -> BoxFuture<'a, Result<(), ProofingError>>;
}

/// **A sample, not a proofing**: believes what the evidence says. It sees no face and no document.
/// Its evidence is the JSON `{"sample": true, "seen": "<FIN>", "live": true}`.
#[derive(Debug, Clone, Copy, Default)]
pub struct SampleProofing;

/// What the sample provider is told.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SampleEvidence {
    sample: bool,
    seen: Fin,
    live: bool,
}

impl SampleProofing {
    /// The name by which evidence refers to it.
    pub const NAME: &'static str = "sample";

    /// The evidence that `person` was seen.
    pub fn evidence(person: &str) -> String {
        serde_json::json!({ "sample": true, "seen": person, "live": true }).to_string()
    }
}

impl Proofing for SampleProofing {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn check<'a>(
        &'a self,
        person: &'a Fin,
        evidence: &'a ProofingEvidence,
    ) -> BoxFuture<'a, Result<(), ProofingError>> {
        let judge = || {
            if evidence.provider != Self::NAME {
                return Err(ProofingError::Provider);
            }
            let seen: SampleEvidence =
                serde_json::from_str(&evidence.evidence.0).map_err(|_| ProofingError::Malformed)?;
            if !seen.sample {
                return Err(ProofingError::Malformed);
            }
            if !seen.live {
                return Err(ProofingError::NotLive);
            }
            if seen.seen == *person { Ok(()) } else { Err(ProofingError::OtherPerson) }
        };
        let judged = judge();
        Box::pin(async move { judged })
    }
}
