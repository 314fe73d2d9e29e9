//! Who asks: DPoP proofs at every endpoint, access tokens at resources.

use etibar_primitives::BlockTime;
use serde::{Deserialize, Serialize};

use super::{AccessError, Incoming, Issuer, nonce::Use};
use crate::{
    GrantKey, GrantKind, Grants, Private,
    store::{self, StoreError, after},
    vci::dpop::{self, CLOCK_SKEW_S, DpopError, PROOF_AGE_MAX_S, Target},
};

/// The longest access token that is looked up, in bytes.
const TOKEN_BYTES_MAX: usize = 256;

/// How often a token is read again that was changed between reading and writing.
const PROLONG_ATTEMPTS: usize = 4;

/// What an access token stands for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AccessToken {
    pub(super) subject: Private<String>,
    pub(super) client_id: Option<String>,
    pub(super) configurations: Vec<String>,
    /// The thumbprint of the key it is bound to.
    pub(super) jkt: String,
    /// Until when it asks for new credentials, when it lives on to fetch deferred ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) issues_until: Option<BlockTime>,
}

/// A token that was shown with a proof of its key.
pub(super) struct Access {
    pub(super) key: GrantKey,
    pub(super) token: AccessToken,
}

impl Issuer {
    /// The thumbprint of a fresh proof's key.
    pub(super) async fn check_dpop<G: Grants, E>(
        &self,
        grants: &G,
        proof: Option<&str>,
        target: Target<'_>,
        now: BlockTime,
    ) -> Result<String, E>
    where
        E: From<DpopError> + From<StoreError>,
    {
        let proof = dpop::check(proof.ok_or(DpopError::Missing)?, target, now.into())?;
        let nonce = proof.nonce.as_deref().ok_or(DpopError::Nonce)?;
        self.config.nonce_key.check(Use::Dpop, nonce, now).map_err(|_| DpopError::Nonce)?;
        let handle = format!("dpop {} {}", proof.thumbprint, proof.jti);
        let expires = after(now, PROOF_AGE_MAX_S + CLOCK_SKEW_S + 1);
        if !store::first_time(grants, &handle, expires, now).await? {
            return Err(DpopError::Replayed.into());
        }
        Ok(proof.thumbprint)
    }

    /// Lets the token `hash` live until `until`, to fetch what was deferred.
    pub(super) async fn prolong<G: Grants>(
        &self,
        grants: &G,
        hash: [u8; 32],
        until: BlockTime,
        now: BlockTime,
    ) -> Result<(), StoreError> {
        let key = GrantKey { kind: GrantKind::AccessToken, hash };
        // Another request may change the token at the same moment, to the same end.
        for _ in 0..PROLONG_ATTEMPTS {
            let Some(kept) = store::get::<AccessToken>(grants, key, now).await? else { break };
            if kept.expires >= until {
                break;
            }
            let issues_until = Some(kept.value.issues_until.unwrap_or(kept.expires));
            let next = AccessToken { issues_until, ..kept.value.clone() };
            if store::swap(grants, key, &kept, &next, until, now).await? {
                break;
            }
        }
        Ok(())
    }

    /// The token of a request to the resource at `path`.
    pub(super) async fn access<G: Grants>(
        &self,
        grants: &G,
        incoming: Incoming<'_>,
        path: &str,
        now: BlockTime,
    ) -> Result<Access, AccessError> {
        let token = incoming
            .authorization
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("DPoP"))
            .map(|(_, token)| token)
            .filter(|token| !token.is_empty() && token.len() <= TOKEN_BYTES_MAX)
            .ok_or(AccessError::Missing)?;
        let key = GrantKey::of(GrantKind::AccessToken, token);
        let kept = store::get::<AccessToken>(grants, key, now).await?.ok_or(AccessError::Token)?;
        let url = self.at(path);
        let target = Target { method: "POST", url: &url, access_token: Some(token) };
        let jkt: String =
            self.check_dpop::<_, AccessError>(grants, incoming.dpop, target, now).await?;
        if jkt != kept.value.jkt {
            return Err(DpopError::Key.into());
        }
        Ok(Access { key, token: kept.value })
    }
}
