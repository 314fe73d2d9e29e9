//! The holder's side: keep an SD-JWT, choose what to show, bind it to the verifier
//! (RFC 9901 §4.3, §7.2).

use core::fmt;

use serde_json::{Map, Value};

use super::process::{Disclosed, Processed, process};
use super::{
    ClaimPath, DISCLOSURES_MAX, Disclosure, KEY_BINDING_TYPE, SD_JWT_BYTES_MAX, SdJwtError,
};
use crate::UnixSeconds;
use crate::jose::{self, Header, PublicKey, Signer, Token, text_hash};

/// An SD-JWT as the holder keeps it: the issuer-signed JWT and disclosures, no key binding.
#[derive(Clone, PartialEq, Eq)]
pub struct SdJwt {
    jwt: String,
    disclosures: Vec<Disclosure>,
}

/// What a key-binding JWT says beside the hash of the presentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyBinding<'a> {
    /// The verifier's nonce.
    pub nonce: &'a str,
    /// The verifier (`client_id` in OpenID4VP).
    pub audience: &'a str,
    /// Now.
    pub issued_at: UnixSeconds,
    /// The request's `transaction_data`, each as received: base64url (OpenID4VP 1.0 B.3.3.1).
    pub transaction_data: &'a [String],
}

impl SdJwt {
    pub(super) fn assemble(jwt: String, disclosures: Vec<Disclosure>) -> Result<Self, SdJwtError> {
        let sd_jwt = Self { jwt, disclosures };
        if sd_jwt.to_string().len() > SD_JWT_BYTES_MAX {
            return Err(SdJwtError::TooLarge);
        }
        Ok(sd_jwt)
    }

    /// Parses `text` as an issuer sends it: ends in `~`, no key binding.
    pub fn parse(text: &str) -> Result<Self, SdJwtError> {
        let (jwt, disclosures, key_binding) = split(text)?;
        if !key_binding.is_empty() {
            return Err(SdJwtError::KeyBindingUnexpected);
        }
        Ok(Self { jwt: jwt.to_owned(), disclosures })
    }

    /// The issuer-signed JWT.
    pub fn jwt(&self) -> &str {
        &self.jwt
    }

    /// The disclosures, in the order they are sent.
    pub fn disclosures(&self) -> &[Disclosure] {
        &self.disclosures
    }

    /// Checks what an issuer sent: its signature, type and every disclosure.
    pub fn verify(&self, issuer: &PublicKey, typ: &str) -> Result<Processed, SdJwtError> {
        let token = Token::parse(&self.jwt, typ, SD_JWT_BYTES_MAX).map_err(SdJwtError::Issuer)?;
        let payload = token.verify(issuer).map_err(SdJwtError::Issuer)?;
        process(&payload, &self.disclosures)
    }

    /// The claims as the holder sees them. The signature is **not** checked: for a credential that
    /// was verified when it was received.
    pub fn read(&self) -> Result<Processed, SdJwtError> {
        let token =
            Token::parse_untyped(&self.jwt, SD_JWT_BYTES_MAX).map_err(SdJwtError::Issuer)?;
        process(&token.read_payload().map_err(SdJwtError::Issuer)?, &self.disclosures)
    }

    /// The header of the issuer-signed JWT: the chain to check it with. Not proven.
    pub fn header(&self) -> Result<Header, SdJwtError> {
        Token::parse_untyped(&self.jwt, SD_JWT_BYTES_MAX)
            .map(|token| token.header().clone())
            .map_err(SdJwtError::Issuer)
    }

    /// This SD-JWT with only the disclosures that `wanted` needs: the claim itself, what lies
    /// around it, and all that lies within it.
    pub fn select(&self, wanted: &[ClaimPath]) -> Result<Self, SdJwtError> {
        let all = self.read()?.disclosed;
        let is_needed = |one: &&Disclosed| wanted.iter().any(|path| path.meets(one.path.steps()));
        let mut places: Vec<usize> =
            all.iter().filter(is_needed).map(|one| one.disclosure).collect();
        places.sort_unstable();
        let disclosures = places.into_iter().map(|place| self.disclosures[place].clone()).collect();
        Ok(Self { jwt: self.jwt.clone(), disclosures })
    }

    /// This SD-JWT with a key-binding JWT signed by the holder's key.
    pub fn bind(
        &self,
        binding: &KeyBinding<'_>,
        holder: &dyn Signer,
    ) -> Result<String, SdJwtError> {
        let unbound = self.to_string();
        let mut payload = Map::new();
        payload.insert("nonce".to_owned(), Value::from(binding.nonce));
        payload.insert("aud".to_owned(), Value::from(binding.audience));
        payload.insert("iat".to_owned(), Value::from(binding.issued_at.0));
        payload.insert("sd_hash".to_owned(), Value::from(text_hash(&unbound)));
        if !binding.transaction_data.is_empty() {
            let hashes: Vec<_> =
                binding.transaction_data.iter().map(|data| text_hash(data)).collect();
            payload.insert("transaction_data_hashes".to_owned(), Value::from(hashes));
            payload.insert("transaction_data_hashes_alg".to_owned(), Value::from("sha-256"));
        }
        let key_binding = jose::sign(holder, KEY_BINDING_TYPE, Map::new(), &payload)?;
        Ok(unbound + &key_binding)
    }

    /// [`SdJwt::select`], then [`SdJwt::bind`].
    pub fn present(
        &self,
        wanted: &[ClaimPath],
        binding: &KeyBinding<'_>,
        holder: &dyn Signer,
    ) -> Result<String, SdJwtError> {
        self.select(wanted)?.bind(binding, holder)
    }
}

impl fmt::Display for SdJwt {
    /// The compact serialization, as sent by an issuer. It holds personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~", self.jwt)?;
        self.disclosures.iter().try_for_each(|disclosure| write!(f, "{}~", disclosure.encoded()))
    }
}

impl fmt::Debug for SdJwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SdJwt({} disclosures)", self.disclosures.len())
    }
}

/// The issuer-signed JWT, the disclosures, and the key-binding JWT or nothing.
pub(super) fn split(text: &str) -> Result<(&str, Vec<Disclosure>, &str), SdJwtError> {
    if text.len() > SD_JWT_BYTES_MAX {
        return Err(SdJwtError::TooLarge);
    }
    let (jwt, rest) = text.split_once('~').ok_or(SdJwtError::Format)?;
    let (middle, key_binding) = rest.rsplit_once('~').unwrap_or(("", rest));
    if jwt.is_empty() {
        return Err(SdJwtError::Format);
    }
    if middle.is_empty() && rest.contains('~') {
        return Err(SdJwtError::Format);
    }
    let mut disclosures = Vec::new();
    for part in middle.split('~').filter(|_| !middle.is_empty()) {
        if part.is_empty() {
            return Err(SdJwtError::Format);
        }
        if disclosures.len() == DISCLOSURES_MAX {
            return Err(SdJwtError::TooLarge);
        }
        disclosures.push(Disclosure::parse(part)?);
    }
    Ok((jwt, disclosures, key_binding))
}
