//! Pushed authorization requests and the authorization endpoint (RFC 9126, RFC 7636, RFC 9207).

use etibar_credential::jose;
use etibar_primitives::BlockTime;
use serde::{Deserialize, Serialize};

use super::{AuthorizeError, Incoming, Issuer, PushError, Rendered, token::Code};
use crate::{
    Entropy, GrantKey, GrantKind, Grants, Private,
    http::{Answer, Form, with_query},
    store::{self, after},
    vci::{PushedResponse, dpop::Target, paths},
};

/// What comes before the random part of a `request_uri` (RFC 9126 §2.2).
const REQUEST_URI: &str = "urn:ietf:params:oauth:request_uri:";
/// The longest `state` or `issuer_state`, in bytes.
const STATE_BYTES_MAX: usize = 1024;
/// The most scopes of one request.
const SCOPES_MAX: usize = 16;

/// An authorization request, checked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Pushed {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) code_challenge: String,
    pub(super) configurations: Vec<String>,
    pub(super) state: Option<String>,
    pub(super) issuer_state: Option<String>,
    /// The thumbprint of the key that the code is bound to (RFC 9449 §10).
    pub(super) jkt: String,
}

/// An authorization that waits for the person to prove who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// Names it, secretly, until it is decided: keep it in the person's session.
    pub session: String,
    /// The wallet that asks.
    pub client_id: String,
    /// What it asks for.
    pub configurations: Vec<String>,
    /// The offer's state, if an offer led here.
    pub issuer_state: Option<String>,
}

/// Where to send the person back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// The wallet's redirect URI with `code`, `state` and `iss`, or with `error`.
    pub url: String,
}

impl Rendered for Redirect {
    fn answer(&self) -> Answer {
        Answer::of(302, "text/plain", Vec::new()).with("location", &self.url)
    }
}

impl Issuer {
    /// Takes a pushed authorization request.
    ///
    /// # Errors
    /// See [`PushError`].
    pub async fn push<G: Grants>(
        &self,
        grants: &G,
        incoming: Incoming<'_>,
        now: BlockTime,
        entropy: &Entropy,
    ) -> Result<PushedResponse, PushError> {
        let form = Form::parse(incoming.body).map_err(|_| PushError::Form)?;
        let mut pushed = self.check_request(&form)?;
        let url = self.at(paths::PUSH);
        let target = Target { method: "POST", url: &url, access_token: None };
        pushed.jkt = self.check_dpop::<_, PushError>(grants, incoming.dpop, target, now).await?;
        let request_uri = format!("{REQUEST_URI}{}", entropy.text("request_uri"));
        let key = GrantKey::of(GrantKind::PushedRequest, &request_uri);
        let life_s = self.config.lifetimes.pushed_s;
        store::put(grants, key, &pushed, after(now, life_s), now).await?;
        Ok(PushedResponse { request_uri, expires_in: life_s })
    }

    /// Opens the authorization of a pushed request; the request is used up.
    ///
    /// # Errors
    /// See [`AuthorizeError`].
    pub async fn authorize<G: Grants>(
        &self,
        grants: &G,
        query: &str,
        now: BlockTime,
        entropy: &Entropy,
    ) -> Result<Authorization, AuthorizeError> {
        let form = Form::parse(query.as_bytes()).map_err(|_| AuthorizeError::Form)?;
        let client_id = form.get("client_id").ok_or(AuthorizeError::Form)?;
        let request_uri = form.get("request_uri").ok_or(AuthorizeError::Form)?;
        let key = GrantKey::of(GrantKind::PushedRequest, request_uri);
        let pushed = store::get::<Pushed>(grants, key, now).await?;
        let pushed = pushed.ok_or(AuthorizeError::Request)?.value;
        if pushed.client_id != client_id {
            return Err(AuthorizeError::Client);
        }
        if store::take::<Pushed>(grants, key, now).await?.is_none() {
            return Err(AuthorizeError::Request);
        }
        let session = entropy.text("authorization");
        let key = GrantKey::of(GrantKind::Authorization, &session);
        let expires = after(now, self.config.lifetimes.authorization_s);
        store::put(grants, key, &pushed, expires, now).await?;
        Ok(Authorization {
            session,
            client_id: pushed.client_id,
            configurations: pushed.configurations,
            issuer_state: pushed.issuer_state,
        })
    }

    /// The person proved who it is and agreed: gives the code. `subject` is the caller's own name
    /// of the person, returned with the credential request.
    ///
    /// # Errors
    /// See [`AuthorizeError`].
    pub async fn authorized<G: Grants>(
        &self,
        grants: &G,
        session: &str,
        subject: Private<String>,
        now: BlockTime,
        entropy: &Entropy,
    ) -> Result<Redirect, AuthorizeError> {
        let pushed = self.end_session(grants, session, now).await?;
        let code = entropy.text("code");
        let (redirect_uri, state) = (pushed.redirect_uri.clone(), pushed.state.clone());
        let key = GrantKey::of(GrantKind::Code, &code);
        let expires = after(now, self.config.lifetimes.code_s);
        store::put(grants, key, &Code::open(pushed, subject), expires, now).await?;
        Ok(self.redirect(&redirect_uri, state.as_deref(), ("code", &code)))
    }

    /// The person did not agree, or could not prove who it is.
    ///
    /// # Errors
    /// See [`AuthorizeError`].
    pub async fn denied<G: Grants>(
        &self,
        grants: &G,
        session: &str,
        now: BlockTime,
    ) -> Result<Redirect, AuthorizeError> {
        let pushed = self.end_session(grants, session, now).await?;
        let error = ("error", "access_denied");
        Ok(self.redirect(&pushed.redirect_uri, pushed.state.as_deref(), error))
    }

    async fn end_session<G: Grants>(
        &self,
        grants: &G,
        session: &str,
        now: BlockTime,
    ) -> Result<Pushed, AuthorizeError> {
        let key = GrantKey::of(GrantKind::Authorization, session);
        let kept = store::take::<Pushed>(grants, key, now).await?;
        Ok(kept.ok_or(AuthorizeError::Session)?.value)
    }

    fn redirect(&self, uri: &str, state: Option<&str>, result: (&str, &str)) -> Redirect {
        let mut fields = vec![result, ("iss", self.config.base_url.as_str())];
        if let Some(state) = state {
            fields.push(("state", state));
        }
        Redirect { url: with_query(uri, &fields) }
    }

    fn check_request(&self, form: &Form) -> Result<Pushed, PushError> {
        let client_id = form.get("client_id").ok_or(PushError::Form)?;
        let client = self.config.clients.iter().find(|client| client.id == client_id);
        let client = client.ok_or(PushError::Client)?;
        let redirect_uri = form.get("redirect_uri").ok_or(PushError::Form)?;
        if !client.redirect_uris.iter().any(|known| known == redirect_uri) {
            return Err(PushError::RedirectUri);
        }
        if form.get("response_type") != Some("code") {
            return Err(PushError::ResponseType);
        }
        let challenge = form.get("code_challenge").unwrap_or_default();
        let digest = jose::decode(challenge).filter(|bytes| bytes.len() == 32);
        if form.get("code_challenge_method") != Some("S256") || digest.is_none() {
            return Err(PushError::Pkce);
        }
        let state = |name: &str| match form.get(name) {
            Some(text) if text.len() > STATE_BYTES_MAX => Err(PushError::Form),
            text => Ok(text.map(str::to_owned)),
        };
        Ok(Pushed {
            client_id: client_id.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            code_challenge: challenge.to_owned(),
            configurations: self.configurations_of(form.get("scope").ok_or(PushError::Scope)?)?,
            state: state("state")?,
            issuer_state: state("issuer_state")?,
            jkt: String::new(),
        })
    }

    fn configurations_of(&self, scope: &str) -> Result<Vec<String>, PushError> {
        let scopes: Vec<&str> = scope.split(' ').filter(|name| !name.is_empty()).collect();
        if scopes.is_empty() || scopes.len() > SCOPES_MAX {
            return Err(PushError::Scope);
        }
        let named = |scope: &str| {
            let found =
                self.config.configurations.iter().find(|(_, c)| c.scope.as_deref() == Some(scope));
            found.map(|(id, _)| id.clone()).ok_or(PushError::Scope)
        };
        let mut ids: Vec<String> = scopes.into_iter().map(named).collect::<Result<_, _>>()?;
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }
}
