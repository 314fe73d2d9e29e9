//! Self-issued access tokens: a member proves with its own key who asks.
//!
//! A token is a JSON Web Token (RFC 7519) signed with EdDSA (RFC 8037). Its header is always
//! `{"alg":"EdDSA","typ":"JWT","kid":<public key, hexadecimal>}`; the claims are `iss` (the
//! member's id), `aud` (the network's id), `iat` and `exp` (seconds since 1970).
//!
//! Whether the key speaks for the member is the validator's to say, from the ledger.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use etibar_primitives::{
    BlockTime, Digest, MemberId,
    key::{PrivateKey, PublicKey, Signature},
};
use serde::{Deserialize, Serialize};

/// The longest life of a token, in seconds.
pub const LIFETIME_MAX_S: u64 = 300;
/// How far ahead of the reader's clock a token may be dated, in seconds.
pub const CLOCK_SKEW_S: u64 = 30;
/// The longest token, in bytes.
pub const TOKEN_BYTES_MAX: usize = 1024;

/// The only algorithm there is: a token cannot choose another.
const ALGORITHM: &str = "EdDSA";

/// Who asks, after the signature was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// Who it says it is.
    pub member: MemberId,
    /// The key that signed it; whether it speaks for the member is still to be asked.
    pub key: PublicKey,
}

/// Why a token is none. Each has a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not three parts of base64url with the JSON that belongs there.
    #[error("the token is malformed")]
    Malformed,
    /// Signed by another algorithm, or by none.
    #[error("the token is not signed with EdDSA")]
    Algorithm,
    /// The signature is not the key's.
    #[error("the token's signature is not its key's")]
    Signature,
    /// Made for another network.
    #[error("the token is for another network")]
    Audience,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Dated in the future.
    #[error("the token is dated in the future")]
    NotYetValid,
    /// It lives longer than [`LIFETIME_MAX_S`].
    #[error("the token lives longer than {LIFETIME_MAX_S} s")]
    Lifetime,
}

impl TokenError {
    /// The stable code in interfaces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "token_malformed",
            Self::Algorithm => "token_algorithm",
            Self::Signature => "token_signature",
            Self::Audience => "token_audience",
            Self::Expired => "token_expired",
            Self::NotYetValid => "token_not_yet_valid",
            Self::Lifetime => "token_lifetime",
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<PublicKey>,
    /// Extensions that a reader must understand (RFC 7515 §4.1.11); we know none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crit: Option<serde_json::Value>,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: Digest,
    iat: u64,
    exp: u64,
}

/// Signs a token that is valid from `now` on for [`LIFETIME_MAX_S`].
pub fn sign(network: &Digest, member: MemberId, key: &PrivateKey, now: BlockTime) -> String {
    let iat = now.0 / 1_000;
    let header = Header {
        alg: ALGORITHM.to_owned(),
        typ: Some("JWT".to_owned()),
        kid: Some(key.public_key()),
        crit: None,
    };
    let claims = Claims { iss: member.to_string(), aud: *network, iat, exp: iat + LIFETIME_MAX_S };
    let mut token = part(&header);
    token.push('.');
    token.push_str(&part(&claims));
    let signature = key.sign(token.as_bytes());
    token.push('.');
    token.push_str(&BASE64.encode(signature.0));
    token
}

/// Checks everything about a token that needs no ledger.
///
/// # Errors
/// The first rule that it breaks, in the order of [`TokenError`].
pub fn verify(token: &str, network: &Digest, now: BlockTime) -> Result<Caller, TokenError> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(TokenError::Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(TokenError::Malformed)?;
    let header: Header = parse(header)?;
    if header.alg != ALGORITHM {
        return Err(TokenError::Algorithm);
    }
    let jwt = header.typ.is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
    let key = header.kid.filter(|_| jwt && header.crit.is_none()).ok_or(TokenError::Malformed)?;
    let claims: Claims = parse(claims)?;
    let member = claims.iss.parse().map(MemberId).map_err(|_| TokenError::Malformed)?;
    let signature = BASE64.decode(signature).map_err(|_| TokenError::Malformed)?;
    let signature = signature.try_into().map(Signature).map_err(|_| TokenError::Malformed)?;
    if !key.verify(signed.as_bytes(), &signature) {
        return Err(TokenError::Signature);
    }
    if claims.aud != *network {
        return Err(TokenError::Audience);
    }
    check_times(&claims, now.0 / 1_000)?;
    Ok(Caller { member, key })
}

fn check_times(claims: &Claims, now: u64) -> Result<(), TokenError> {
    if claims.exp <= now {
        return Err(TokenError::Expired);
    }
    if claims.iat > now.saturating_add(CLOCK_SKEW_S) {
        return Err(TokenError::NotYetValid);
    }
    match claims.exp.checked_sub(claims.iat) {
        Some(lifetime) if lifetime <= LIFETIME_MAX_S => Ok(()),
        _ => Err(TokenError::Lifetime),
    }
}

fn part(value: &impl Serialize) -> String {
    BASE64.encode(serde_json::to_vec(value).expect("plain data becomes JSON"))
}

fn parse<T: serde::de::DeserializeOwned>(part: &str) -> Result<T, TokenError> {
    let bytes = BASE64.decode(part).map_err(|_| TokenError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETWORK: Digest = Digest([7; 32]);
    const NOW: BlockTime = BlockTime(1_800_000_000_000);

    fn key() -> PrivateKey {
        PrivateKey::from_seed(&[3; 32])
    }

    /// A token of the given JSON texts, signed by `key`.
    fn forge(header: &str, claims: &str, key: &PrivateKey) -> String {
        let signed = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
        let signature = BASE64.encode(key.sign(signed.as_bytes()).0);
        format!("{signed}.{signature}")
    }

    fn header(algorithm: &str) -> String {
        let kid = key().public_key();
        format!(r#"{{"alg":"{algorithm}","typ":"JWT","kid":"{kid}"}}"#)
    }

    fn claims(from: i64, until: i64) -> String {
        let second = |offset: i64| (NOW.0 / 1_000).saturating_add_signed(offset);
        let (iat, exp) = (second(from), second(until));
        format!(r#"{{"iss":"2","aud":"{NETWORK}","iat":{iat},"exp":{exp}}}"#)
    }

    fn check(token: &str) -> Result<Caller, TokenError> {
        verify(token, &NETWORK, NOW)
    }

    #[test]
    fn a_signed_token_names_its_caller() {
        let token = sign(&NETWORK, MemberId(2), &key(), NOW);
        assert_eq!(check(&token), Ok(Caller { member: MemberId(2), key: key().public_key() }));
        assert!(token.len() < TOKEN_BYTES_MAX);
    }

    #[test]
    fn a_token_without_or_with_another_algorithm_is_refused() {
        let claims = claims(0, 60);
        let none = format!("{}.{}.", BASE64.encode(header("none")), BASE64.encode(&claims));
        assert_eq!(check(&none), Err(TokenError::Algorithm));
        for algorithm in ["none", "None", "HS256", "ES256", "eddsa", ""] {
            let token = forge(&header(algorithm), &claims, &key());
            assert_eq!(check(&token), Err(TokenError::Algorithm), "{algorithm}");
        }
        let empty = format!("{}.{}.", BASE64.encode(header(ALGORITHM)), BASE64.encode(&claims));
        assert_eq!(check(&empty), Err(TokenError::Malformed));
    }

    #[test]
    fn a_token_signed_by_another_key_or_changed_afterwards_is_refused() {
        let other = PrivateKey::from_seed(&[4; 32]);
        let token = forge(&header(ALGORITHM), &claims(0, 60), &other);
        assert_eq!(check(&token), Err(TokenError::Signature));
        let token = sign(&NETWORK, MemberId(2), &key(), NOW);
        let signature = token.rsplit_once('.').expect("three parts").1;
        let changed = claims(0, 60).replace(r#""iss":"2""#, r#""iss":"1""#);
        let signed = format!("{}.{}", BASE64.encode(header(ALGORITHM)), BASE64.encode(changed));
        assert_eq!(check(&format!("{signed}.{signature}")), Err(TokenError::Signature));
    }

    #[test]
    fn a_token_holds_for_its_network_and_its_time_only() {
        let token = sign(&Digest([8; 32]), MemberId(2), &key(), NOW);
        assert_eq!(check(&token), Err(TokenError::Audience));
        let at = |from, until| check(&forge(&header(ALGORITHM), &claims(from, until), &key()));
        assert_eq!(at(-300, 0), Err(TokenError::Expired));
        assert_eq!(at(-299, 1).map(|caller| caller.member), Ok(MemberId(2)));
        assert_eq!(at(31, 60), Err(TokenError::NotYetValid));
        assert_eq!(at(30, 60).map(|caller| caller.member), Ok(MemberId(2)));
        assert_eq!(at(0, 301), Err(TokenError::Lifetime));
        assert_eq!(at(20, 10), Err(TokenError::Lifetime));
    }

    #[test]
    fn other_texts_are_refused() {
        let critical = header(ALGORITHM).replace(r#""typ""#, r#""crit":["x"],"typ""#);
        let strange = [
            String::new(),
            "..".to_owned(),
            "a.b".to_owned(),
            "a".repeat(TOKEN_BYTES_MAX + 1),
            forge("[]", "{}", &key()),
            forge(&header(ALGORITHM), "{}", &key()),
            forge(&critical, &claims(0, 60), &key()),
            forge(r#"{"alg":"EdDSA","typ":"JWT"}"#, &claims(0, 60), &key()),
            forge(&header(ALGORITHM), &claims(0, 60).replace(r#""2""#, r#""two""#), &key()),
        ];
        for token in strange {
            assert_eq!(check(&token), Err(TokenError::Malformed), "{token}");
        }
    }
}
