//! The wallet's side: checks who asks and for what, finds what answers, and answers.

mod error;

use etibar_credential::{
    catalogue::{PurposeCode, RELYING_PARTY_TYPE, Scope},
    consent::TransactionEntry,
    jose::{Signer, Token},
    purpose::{self, PurposeError},
    sd_jwt::{ClaimPath, KeyBinding, SdJwt},
    trust::TrustRegistry,
};
use etibar_primitives::{BlockTime, MemberId};
use serde_json::{Value, json};

pub use error::{PresentError, RequestRefused};

use super::{
    REQUEST_BYTES_MAX, REQUEST_LIFE_MAX_S, RequestClaims, RequestReference, TRANSACTIONS_MAX,
    VpToken,
    request::{AUDIENCE, REQUEST_MEDIA, REQUEST_TYPE, TEXT_BYTES_MAX, entries_of},
};
use crate::{
    Entropy,
    dcql::{Candidate, Evaluation},
    http::{Answer, FORM, Form, Request},
    jwe::{self, Encryption},
};

/// How far ahead of the wallet's clock a request may be dated, in seconds.
const CLOCK_SKEW_S: u64 = 30;

/// A request whose sender is known and registered, and whose form is right. What it asks for is
/// still to be compared with its purpose ([`CheckedRequest::check_purpose`]) and shown to the
/// person.
#[derive(Debug, Clone)]
pub struct CheckedRequest {
    verifier: MemberId,
    verifier_uris: Vec<String>,
    claims: RequestClaims,
    consents: Vec<TransactionEntry>,
    recipient: Value,
    encryption: Encryption,
}

/// A credential chosen to answer a credential query.
#[derive(Clone, Copy)]
pub struct Choice<'a> {
    /// The credential query's id.
    pub query: &'a str,
    /// The credential.
    pub credential: &'a SdJwt,
    /// The claims to disclose: [`crate::dcql::Match::disclose`].
    pub disclose: &'a [ClaimPath],
    /// The key that the credential is bound to.
    pub holder: &'a dyn Signer,
}

/// The request for a request object. `wallet_nonce`: fresh, kept for [`check_request`].
pub fn fetch(reference: &RequestReference, wallet_nonce: &str) -> Request {
    if !reference.post {
        return Request::get(&reference.request_uri, REQUEST_MEDIA);
    }
    let body = Form::render(&[("wallet_nonce", wallet_nonce)]);
    let mut request = Request::post(&reference.request_uri, FORM, body.into_bytes());
    request.headers = vec![("content-type", FORM.to_owned()), ("accept", REQUEST_MEDIA.to_owned())];
    request
}

/// Checks a request object: signature, chain up to a registered relying party, that it is the one
/// the link named, form and time.
///
/// # Errors
/// The first rule broken, in the order of [`RequestRefused`].
pub fn check_request(
    jws: &str,
    reference: &RequestReference,
    wallet_nonce: &str,
    registry: &TrustRegistry,
    now: BlockTime,
) -> Result<CheckedRequest, RequestRefused> {
    let token = Token::parse(jws, REQUEST_TYPE, REQUEST_BYTES_MAX)?;
    let chain = &token.header().x5c;
    let (chain, entry) = registry.verify_chain(chain, RELYING_PARTY_TYPE, now.into())?;
    let payload = token.verify(&chain.leaf_key)?;
    let claims: RequestClaims =
        serde_json::from_value(Value::Object(payload.0)).map_err(|_| RequestRefused::Malformed)?;
    let leaf = etibar_credential::jose::encode(&chain.leaf_digest);
    if claims.client_id != format!("x509_hash:{leaf}") || claims.client_id != reference.client_id {
        return Err(RequestRefused::ClientId);
    }
    check_form(&claims)?;
    if !chain.uris.iter().any(|uri| same_origin(uri, &claims.response_uri)) {
        return Err(RequestRefused::ResponseUri);
    }
    check_time(&claims, now)?;
    if reference.post && claims.wallet_nonce.as_deref() != Some(wallet_nonce) {
        return Err(RequestRefused::WalletNonce);
    }
    claims.dcql_query.check()?;
    let consents = read_consents(&claims)?;
    let (recipient, encryption) =
        encryption_of(&claims.client_metadata).ok_or(RequestRefused::Encryption)?;
    Ok(CheckedRequest {
        verifier: entry.member,
        verifier_uris: chain.uris,
        claims,
        consents,
        recipient,
        encryption,
    })
}

fn check_form(claims: &RequestClaims) -> Result<(), RequestRefused> {
    let is_long = |text: &str| text.is_empty() || text.len() > TEXT_BYTES_MAX;
    let texts = [Some(&claims.nonce), Some(&claims.response_uri), claims.state.as_ref()];
    let fixed = claims.response_type == "vp_token" && claims.aud == AUDIENCE;
    if !fixed || texts.into_iter().flatten().any(|text| is_long(text)) {
        return Err(RequestRefused::Malformed);
    }
    // An answer in the clear would show the claims to whoever carries it.
    if claims.response_mode != "direct_post.jwt" {
        return Err(RequestRefused::ResponseMode);
    }
    Ok(())
}

fn check_time(claims: &RequestClaims, now: BlockTime) -> Result<(), RequestRefused> {
    let now_s = now.0 / 1_000;
    if claims.exp <= now_s {
        return Err(RequestRefused::Expired);
    }
    let life_s = claims.exp.checked_sub(claims.iat);
    let ahead = claims.iat > now_s.saturating_add(CLOCK_SKEW_S);
    if ahead || life_s.is_none_or(|life_s| life_s > REQUEST_LIFE_MAX_S) {
        return Err(RequestRefused::NotYetValid);
    }
    Ok(())
}

/// An entry that the wallet cannot read must not be signed (OpenID4VP 1.0 §8.5,
/// `invalid_transaction_data`).
fn read_consents(claims: &RequestClaims) -> Result<Vec<TransactionEntry>, RequestRefused> {
    let entries = claims.transaction_data.as_deref().unwrap_or_default();
    if entries.len() > TRANSACTIONS_MAX {
        return Err(RequestRefused::TransactionData);
    }
    let read = |entry: &String| {
        let parsed = TransactionEntry::parse(entry)?;
        let known = |id: &String| claims.dcql_query.credential(id).is_some();
        parsed.credential_ids.iter().all(known).then_some(parsed)
    };
    entries.iter().map(read).collect::<Option<_>>().ok_or(RequestRefused::TransactionData)
}

fn encryption_of(metadata: &Value) -> Option<(Value, Encryption)> {
    let keys = metadata.pointer("/jwks/keys")?.as_array()?;
    let usable = |key: &&Value| {
        let alg = key.get("alg").and_then(Value::as_str) == Some("ECDH-ES");
        alg && key["kty"] == "EC" && key["crv"] == "P-256"
    };
    let key = keys.iter().find(usable)?.clone();
    let Some(names) = metadata.get("encrypted_response_enc_values_supported") else {
        // The standard's default (OpenID4VP 1.0 §5.1).
        return Some((key, Encryption::A128Gcm));
    };
    let names: Vec<&str> = names.as_array()?.iter().filter_map(Value::as_str).collect();
    let supported = [Encryption::A256Gcm, Encryption::A128Gcm];
    let encryption = supported.into_iter().find(|known| names.contains(&known.name()))?;
    Some((key, encryption))
}

fn same_origin(ours: &str, theirs: &str) -> bool {
    let origin = |text: &str| {
        let url = url::Url::parse(text).ok()?;
        let plain = url.username().is_empty() && url.password().is_none();
        let web = matches!(url.scheme(), "https" | "http");
        (plain && web).then(|| url.origin())
    };
    origin(ours).is_some_and(|ours| Some(ours) == origin(theirs))
}

impl CheckedRequest {
    /// The relying party, as the ledger knows it.
    pub const fn verifier(&self) -> MemberId {
        self.verifier
    }

    /// The base URLs that its certificate names.
    pub fn verifier_uris(&self) -> &[String] {
        &self.verifier_uris
    }

    /// What it says.
    pub const fn claims(&self) -> &RequestClaims {
        &self.claims
    }

    /// The consents that the answer would sign. The artefact inside each is still to be verified
    /// and shown.
    pub fn consents(&self) -> &[TransactionEntry] {
        &self.consents
    }

    /// The scope of what is asked, when it fits the purpose.
    ///
    /// # Errors
    /// See [`PurposeError`]; `exceeds_purpose` when too much is asked.
    pub fn check_purpose(&self, purpose: PurposeCode) -> Result<Scope, PurposeError> {
        let query = serde_json::to_value(&self.claims.dcql_query).expect("plain data is JSON");
        purpose::check(&purpose::asks_of(&query)?, purpose)
    }

    /// Which credentials answer, what each would disclose, and what is missing.
    pub fn evaluate(&self, candidates: &[Candidate<'_>]) -> Evaluation {
        self.claims.dcql_query.evaluate(candidates)
    }

    /// The answer: each chosen credential with a fresh key binding, encrypted to the verifier.
    ///
    /// # Errors
    /// See [`PresentError`].
    pub fn present(
        &self,
        choices: &[Choice<'_>],
        now: BlockTime,
        entropy: &Entropy,
    ) -> Result<Request, PresentError> {
        let answered: Vec<&str> = choices.iter().map(|choice| choice.query).collect();
        let query = &self.claims.dcql_query;
        let all_asked = answered.iter().all(|id| query.credential(id).is_some());
        if !all_asked || query.choose(|id| answered.contains(&id)).is_none() {
            return Err(PresentError::Incomplete);
        }
        let entries = self.claims.transaction_data.as_deref().unwrap_or_default();
        let mut vp_token = VpToken::new();
        for choice in choices {
            let own = entries_of(entries, choice.query, &answered);
            let binding = KeyBinding {
                nonce: &self.claims.nonce,
                audience: &self.claims.client_id,
                issued_at: now.into(),
                transaction_data: &own.ok_or(PresentError::TransactionUnsigned)?,
            };
            let text = choice.credential.present(choice.disclose, &binding, choice.holder)?;
            vp_token.entry(choice.query.to_owned()).or_default().push(text);
        }
        let mut payload = json!({ "vp_token": vp_token });
        if let Some(state) = &self.claims.state {
            payload["state"] = json!(state);
        }
        let plain = serde_json::to_vec(&payload).expect("plain data becomes JSON");
        let sealed = jwe::seal(&plain, &self.recipient, self.encryption, entropy)
            .ok_or(PresentError::Recipient)?;
        Ok(self.post(&[("response", &sealed)]))
    }

    /// The answer of a person who does not agree.
    pub fn decline(&self) -> Request {
        let mut fields = vec![("error", "access_denied")];
        fields.extend(self.claims.state.as_deref().map(|state| ("state", state)));
        self.post(&fields)
    }

    /// Where to send the person after the verifier took the answer, if anywhere.
    ///
    /// # Errors
    /// [`PresentError::Refused`] if it did not take it.
    pub fn finish(&self, answer: &Answer) -> Result<Option<String>, PresentError> {
        if !(200..=299).contains(&answer.status) {
            let body: Option<Value> = answer.read();
            let text = |name: &str| {
                let text = body.as_ref()?.get(name)?.as_str()?;
                let allowed = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
                (text.len() <= 64 && text.bytes().all(allowed)).then(|| text.to_owned())
            };
            let code = text("error_description").or_else(|| text("error"));
            return Err(PresentError::Refused { status: answer.status, code });
        }
        let body: Value = answer.read().unwrap_or(Value::Null);
        let uri = body.get("redirect_uri").and_then(Value::as_str);
        Ok(uri.filter(|uri| uri.len() <= TEXT_BYTES_MAX).map(str::to_owned))
    }

    fn post(&self, fields: &[(&str, &str)]) -> Request {
        Request::post(&self.claims.response_uri, FORM, Form::render(fields).into_bytes())
    }
}
