//! The token endpoint (RFC 6749 §4.1.3, OpenID4VCI 1.0 §6).

use etibar_credential::jose;
use etibar_primitives::{BlockTime, hex};
use serde::{Deserialize, Serialize};

use super::{
    Incoming, Issuer, TokenError, access::AccessToken, authorize::Pushed, offering::PreAuthorized,
};
use crate::{
    Entropy, GrantKey, GrantKind, Grants, Private,
    http::Form,
    store::{self, Kept, after},
    vci::{
        GRANT_CODE, GRANT_PRE_AUTHORIZED, TokenResponse,
        dpop::{DpopError, Target},
        paths,
    },
};

/// The longest code or verifier, in bytes (RFC 7636 §4.1: 128).
const CODE_BYTES_MAX: usize = 128;

/// An authorization code.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(super) enum Code {
    Open {
        request: Pushed,
        subject: Private<String>,
    },
    /// Redeemed; the token's hash, so that a replay can revoke it.
    Used {
        token: String,
    },
}

impl Code {
    pub(super) const fn open(request: Pushed, subject: Private<String>) -> Self {
        Self::Open { request, subject }
    }
}

impl Issuer {
    /// Redeems a code for an access token.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn token<G: Grants>(
        &self,
        grants: &G,
        incoming: Incoming<'_>,
        now: BlockTime,
        entropy: &Entropy,
    ) -> Result<TokenResponse, TokenError> {
        let form = Form::parse(incoming.body).map_err(|_| TokenError::Form)?;
        let grant_type = form.get("grant_type").ok_or(TokenError::Form)?;
        let url = self.at(paths::TOKEN);
        let target = Target { method: "POST", url: &url, access_token: None };
        let jkt: String =
            self.check_dpop::<_, TokenError>(grants, incoming.dpop, target, now).await?;
        let token = entropy.text("access_token");
        let value = match grant_type {
            GRANT_CODE => self.redeem_code(grants, &form, jkt, &token, now).await?,
            GRANT_PRE_AUTHORIZED => {
                self.redeem_pre_authorized(grants, &form, jkt, &token, now).await?
            }
            _ => return Err(TokenError::GrantType),
        };
        let life_s = self.config.lifetimes.access_token_s;
        let key = GrantKey::of(GrantKind::AccessToken, &token);
        store::put(grants, key, &value, after(now, life_s), now).await?;
        let scopes = value.configurations.iter().filter_map(|id| {
            self.config.configurations.get(id).and_then(|found| found.scope.as_deref())
        });
        Ok(TokenResponse {
            access_token: Private(token),
            token_type: "DPoP".to_owned(),
            expires_in: life_s,
            scope: Some(scopes.collect::<Vec<_>>().join(" ")),
        })
    }

    async fn redeem_code<G: Grants>(
        &self,
        grants: &G,
        form: &Form,
        jkt: String,
        token: &str,
        now: BlockTime,
    ) -> Result<AccessToken, TokenError> {
        let key = GrantKey::of(GrantKind::Code, code(form, "code")?);
        let kept = store::get::<Code>(grants, key, now).await?.ok_or(TokenError::Code)?;
        let Kept { value: Code::Open { request, subject }, .. } = &kept else {
            return Err(replayed(grants, &kept.value, now).await?);
        };
        if form.get("client_id") != Some(&request.client_id) {
            return Err(TokenError::Client);
        }
        if form.get("redirect_uri") != Some(&request.redirect_uri) {
            return Err(TokenError::RedirectUri);
        }
        let verifier = code(form, "code_verifier")?;
        if jose::text_hash(verifier) != request.code_challenge {
            return Err(TokenError::Pkce);
        }
        if jkt != request.jkt {
            return Err(DpopError::Key.into());
        }
        let used = Code::Used { token: token_hash(token) };
        if !store::swap(grants, key, &kept, &used, kept.expires, now).await? {
            return Err(TokenError::CodeReplayed);
        }
        Ok(AccessToken {
            subject: subject.clone(),
            client_id: Some(request.client_id.clone()),
            configurations: request.configurations.clone(),
            jkt,
            issues_until: None,
        })
    }

    async fn redeem_pre_authorized<G: Grants>(
        &self,
        grants: &G,
        form: &Form,
        jkt: String,
        token: &str,
        now: BlockTime,
    ) -> Result<AccessToken, TokenError> {
        let handle = code(form, "pre-authorized_code")?;
        let key = GrantKey::of(GrantKind::PreAuthorizedCode, handle);
        let kept = store::get::<PreAuthorized>(grants, key, now).await?;
        let kept = kept.ok_or(TokenError::Code)?;
        let PreAuthorized::Open { subject, configurations, .. } = &kept.value else {
            return Err(TokenError::CodeReplayed);
        };
        if let Err((error, next)) = kept.value.check_tx_code(handle, form.get("tx_code")) {
            if let Some(next) = next {
                // Two wrong guesses at once: the slower one must not get its attempt back.
                if !store::swap(grants, key, &kept, &next, kept.expires, now).await? {
                    return Err(TokenError::TxCodeAttempts);
                }
            }
            return Err(error);
        }
        let used = PreAuthorized::Used { token: token_hash(token) };
        if !store::swap(grants, key, &kept, &used, kept.expires, now).await? {
            return Err(TokenError::CodeReplayed);
        }
        Ok(AccessToken {
            subject: subject.clone(),
            // Anonymous: whoever redeems a pre-authorized code need not say which wallet it is.
            client_id: form.get("client_id").map(str::to_owned),
            configurations: configurations.clone(),
            jkt,
            issues_until: None,
        })
    }
}

/// Revokes what a replayed code had given (RFC 6749 §4.1.2).
async fn replayed<G: Grants>(
    grants: &G,
    code: &Code,
    now: BlockTime,
) -> Result<TokenError, TokenError> {
    if let Code::Used { token } = code
        && let Some(hash) = hex::decode_array(token)
    {
        let key = GrantKey { kind: GrantKind::AccessToken, hash };
        store::take::<AccessToken>(grants, key, now).await?;
    }
    Ok(TokenError::CodeReplayed)
}

fn token_hash(token: &str) -> String {
    hex::encode(&GrantKey::of(GrantKind::AccessToken, token).hash)
}

fn code<'a>(form: &'a Form, name: &str) -> Result<&'a str, TokenError> {
    form.get(name).filter(|code| code.len() <= CODE_BYTES_MAX).ok_or(TokenError::Form)
}
