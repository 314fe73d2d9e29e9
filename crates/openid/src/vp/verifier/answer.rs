//! An answer, decrypted: its presentations are verified and compared with what was asked.

use std::collections::BTreeMap;

use etibar_credential::{
    jose::Claims,
    level::AssuranceLevel,
    sd_jwt::{KeyBindingPolicy, Presentation},
    sd_jwt_vc::CREDENTIAL_TYPE,
    trust::{
        CredentialPolicy, StatusLists, TrustError, TrustRegistry, VerifiedCredential,
        verify_credential,
    },
};
use etibar_primitives::BlockTime;
use serde_json::Value;

use super::{AnswerError, Pending, ResponseError};
use crate::{
    dcql::{Candidate, CredentialQuery, Query},
    http::Answer,
    vp::{PRESENTATIONS_MAX, VpToken, request::entries_of},
};

/// How old a key binding may be, in seconds.
pub const KEY_BINDING_AGE_MAX_S: u64 = 300;
/// How far ahead of our clock a holder's may run, in seconds.
const CLOCK_SKEW_S: u64 = 30;

/// On which terms credentials are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The lowest level of assurance that serves.
    pub level_min: Option<AssuranceLevel>,
    /// How old a status list may be, in seconds.
    pub status_age_max_s: u64,
    /// Whether credentials without a status serve.
    pub allows_no_status: bool,
}

/// An answer whose presentations are not verified yet.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The request's id.
    pub id: String,
    /// The nonce of every KB-JWT.
    pub nonce: String,
    /// The audience of every KB-JWT: the verifier's `client_id`.
    pub audience: String,
    query: Query,
    transaction_data: Vec<String>,
    redirect_uri: Option<String>,
    vp_token: VpToken,
}

/// Verified credentials by the id of the credential query that they answer.
pub type Verified = BTreeMap<String, Vec<VerifiedCredential>>;

impl Opened {
    pub(super) fn new(pending: &Pending, vp_token: VpToken) -> Result<Self, ResponseError> {
        let count: usize = vp_token.values().map(Vec::len).sum();
        if count > PRESENTATIONS_MAX {
            return Err(ResponseError::Malformed);
        }
        for (id, presentations) in &vp_token {
            let asked = pending.query.credential(id).ok_or(ResponseError::NotAsked)?;
            let several = asked.multiple.unwrap_or(false);
            if presentations.is_empty() || (presentations.len() > 1 && !several) {
                return Err(ResponseError::NotAsked);
            }
        }
        if pending.query.choose(|id| vp_token.contains_key(id)).is_none() {
            return Err(ResponseError::CredentialMissing);
        }
        Ok(Self {
            id: pending.id.clone(),
            nonce: pending.nonce.clone(),
            audience: pending.client_id.clone(),
            query: pending.query.clone(),
            transaction_data: pending.transaction_data.clone(),
            redirect_uri: pending.redirect_uri.clone(),
            vp_token,
        })
    }

    /// The presentations as they came, by credential query: the evidence of a consent.
    pub const fn vp_token(&self) -> &VpToken {
        &self.vp_token
    }

    /// The `transaction_data` entries that the presentation for `id` signs.
    ///
    /// # Errors
    /// If no presentation may sign one of the request's entries.
    pub fn transaction_data_of(&self, id: &str) -> Result<Vec<String>, AnswerError> {
        let answered: Vec<&str> = self.vp_token.keys().map(String::as_str).collect();
        entries_of(&self.transaction_data, id, &answered).ok_or(AnswerError::TransactionUnsigned)
    }

    /// Verifies every presentation against registry and status lists, and compares what it
    /// discloses with what was asked.
    ///
    /// # Errors
    /// The first refusal in the order of the query's ids; see [`AnswerError`].
    pub fn verify(
        &self,
        registry: &TrustRegistry,
        statuses: &dyn StatusLists,
        terms: Terms,
        now: BlockTime,
    ) -> Result<Verified, AnswerError> {
        let mut verified = Verified::new();
        for (id, presentations) in &self.vp_token {
            let asked = self.query.credential(id).expect("checked when it was opened");
            let entries = self.transaction_data_of(id)?;
            for presentation in presentations {
                let binding = KeyBindingPolicy {
                    nonce: &self.nonce,
                    audience: &self.audience,
                    now: now.into(),
                    age_seconds_max: KEY_BINDING_AGE_MAX_S,
                    skew_seconds_max: CLOCK_SKEW_S,
                    transaction_data: &entries,
                };
                let credential =
                    verify_one(asked, presentation, registry, statuses, terms, binding)
                        .map_err(|error| AnswerError::Trust { query: id.clone(), error })?;
                check_extent(asked, &credential)?;
                verified.entry(id.clone()).or_default().push(credential);
            }
        }
        Ok(verified)
    }

    /// The answer to the wallet: it may send the person on.
    pub fn answer(&self) -> Answer {
        let body = self.redirect_uri.as_ref().map_or_else(
            || serde_json::json!({}),
            |uri| serde_json::json!({ "redirect_uri": uri }),
        );
        Answer::json(200, &body)
    }
}

fn verify_one(
    asked: &CredentialQuery,
    presentation: &str,
    registry: &TrustRegistry,
    statuses: &dyn StatusLists,
    terms: Terms,
    key_binding: KeyBindingPolicy<'_>,
) -> Result<VerifiedCredential, TrustError> {
    // Which of several types it claims to be; that it is that type is verified below.
    let claimed = Presentation::parse(presentation, CREDENTIAL_TYPE)?.unproven_claims()?;
    let claimed = claimed.0.get("vct").and_then(Value::as_str).unwrap_or_default();
    let vct = asked.meta.vct_values.iter().find(|vct| *vct == claimed);
    let policy = CredentialPolicy {
        vct: vct.ok_or(TrustError::UnexpectedType)?,
        key_binding,
        level_min: terms.level_min,
        status_age_seconds_max: terms.status_age_max_s,
        allows_no_status: terms.allows_no_status,
    };
    verify_credential(presentation, registry, statuses, &policy)
}

fn check_extent(
    asked: &CredentialQuery,
    credential: &VerifiedCredential,
) -> Result<(), AnswerError> {
    let Claims(claims) = &credential.claims;
    let claims = Value::Object(claims.clone());
    if asked.answer(Candidate { vct: &credential.vct, claims: &claims }).is_err() {
        return Err(AnswerError::ClaimMissing { query: asked.id.clone() });
    }
    let wanted = asked.claims.as_deref().unwrap_or_default();
    let asked_for = |path: &etibar_credential::sd_jwt::ClaimPath| {
        wanted.iter().any(|claim| claim.path.meets(path.steps()))
    };
    if !credential.disclosed.iter().all(asked_for) {
        return Err(AnswerError::TooMuch { query: asked.id.clone() });
    }
    Ok(())
}
