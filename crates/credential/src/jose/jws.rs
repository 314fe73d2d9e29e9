//! JWS in compact serialization and the JWT claims inside (RFC 7515, RFC 7519, RFC 8725).

use serde_json::{Map, Value};

use super::{PublicKey, SignError, Signer, decode, encode};
use crate::{UnixSeconds, json};

/// Bytes a compact token may have, unless its kind has a limit of its own.
pub const TOKEN_BYTES_MAX: usize = 64 * 1024;

/// Bytes a protected header may have, decoded: a chain of three certificates fits.
const HEADER_BYTES_MAX: usize = 8 * 1024;

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    /// Longer than its kind may be.
    #[error("the token is too large")]
    TooLarge,
    /// Not three parts of base64url, or header or payload is not a strict JSON object.
    #[error("the token is malformed")]
    Malformed,
    /// `alg` is not ES256 (RFC 8725 §3.1).
    #[error("the token's algorithm is not ES256")]
    Algorithm,
    /// `typ` is not the one expected here (RFC 8725 §3.11).
    #[error("the token is of another type")]
    Type,
    /// A header we never accept: `crit`, `b64`, `jku`, `x5u`.
    #[error("the token has a header that is not allowed")]
    Header,
    /// The signature does not verify.
    #[error("the signature does not verify")]
    Signature,
    /// A registered claim has the wrong JSON type.
    #[error("a claim has the wrong type")]
    Claim,
}

impl JoseError {
    /// A stable code for logs, metrics and problem documents.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "token_too_large",
            Self::Malformed => "token_malformed",
            Self::Algorithm => "token_algorithm",
            Self::Type => "token_type",
            Self::Header => "token_header",
            Self::Signature => "token_signature",
            Self::Claim => "token_claim_type",
        }
    }
}

/// What a protected header says beside `alg`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// `typ`, without a leading `application/`.
    pub typ: Option<String>,
    /// `kid`.
    pub kid: Option<String>,
    /// `x5c`: certificates in DER, leaf first (RFC 7515 §4.1.6).
    pub x5c: Vec<Vec<u8>>,
    /// `jwk`: the key a proof of possession speaks for (DPoP, OpenID4VCI). Never the key of an
    /// issuer.
    pub jwk: Option<Value>,
}

/// The registered claims of a JWT (RFC 7519 §4.1), read strictly.
#[derive(Clone, PartialEq, Eq)]
pub struct Claims(pub Map<String, Value>);

/// A token, parsed; its signature is not yet checked.
pub struct Token<'a> {
    header: Header,
    signing_input: &'a [u8],
    payload: &'a str,
    signature: Vec<u8>,
}

/// Signs `payload` as a compact JWS of type `typ`; the signer's chain, if any, becomes `x5c`.
///
/// `more` are further header members, for example `jwk` or `kid`; `alg`, `typ` and `x5c` in it are
/// overwritten.
pub fn sign(
    signer: &dyn Signer,
    typ: &str,
    mut more: Map<String, Value>,
    payload: &Map<String, Value>,
) -> Result<String, SignError> {
    more.insert("alg".to_owned(), Value::from("ES256"));
    more.insert("typ".to_owned(), Value::from(typ));
    if !signer.chain().is_empty() {
        let chain = signer.chain().iter().map(|der| Value::String(standard_base64(der)));
        more.insert("x5c".to_owned(), Value::Array(chain.collect()));
    }
    let header = encode(Value::Object(more).to_string().as_bytes());
    let payload = serde_json::to_vec(payload).expect("a map of JSON values is JSON");
    let input = format!("{header}.{}", encode(&payload));
    let signature = signer.sign(input.as_bytes())?;
    Ok(format!("{input}.{}", encode(&signature)))
}

impl<'a> Token<'a> {
    /// Parses `text`, at most `bytes_max` long, whose `typ` must be `typ`.
    pub fn parse(text: &'a str, typ: &str, bytes_max: usize) -> Result<Self, JoseError> {
        let token = Self::parse_untyped(text, bytes_max)?;
        match &token.header.typ {
            Some(found) if found.eq_ignore_ascii_case(typ) => Ok(token),
            _ => Err(JoseError::Type),
        }
    }

    /// Parses `text` of any type: for vectors and peers' tokens whose type is checked elsewhere.
    pub fn parse_untyped(text: &'a str, bytes_max: usize) -> Result<Self, JoseError> {
        if text.len() > bytes_max {
            return Err(JoseError::TooLarge);
        }
        let (signing_input, signature) = text.rsplit_once('.').ok_or(JoseError::Malformed)?;
        let (header, payload) = signing_input.split_once('.').ok_or(JoseError::Malformed)?;
        if payload.contains('.') || header.len() > HEADER_BYTES_MAX / 3 * 4 {
            return Err(JoseError::Malformed);
        }
        let header = decode(header).ok_or(JoseError::Malformed)?;
        let header = json::parse_object(&header).map_err(|_| JoseError::Malformed)?;
        Ok(Self {
            header: read_header(&header)?,
            signing_input: signing_input.as_bytes(),
            payload,
            signature: decode(signature).ok_or(JoseError::Malformed)?,
        })
    }

    /// The header. Nothing in it is proven.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The claims, once the signature verified with `key`.
    pub fn verify(&self, key: &PublicKey) -> Result<Claims, JoseError> {
        if !key.verifies(self.signing_input, &self.signature) {
            return Err(JoseError::Signature);
        }
        self.read_payload()
    }

    /// The claims without a check of the signature: only to find the key that checks it, or for a
    /// holder to see what was issued.
    pub(crate) fn read_payload(&self) -> Result<Claims, JoseError> {
        let payload = decode(self.payload).ok_or(JoseError::Malformed)?;
        json::parse_object(&payload).map(Claims).map_err(|_| JoseError::Malformed)
    }
}

fn read_header(members: &Map<String, Value>) -> Result<Header, JoseError> {
    if members.get("alg").and_then(Value::as_str) != Some("ES256") {
        return Err(JoseError::Algorithm);
    }
    if ["crit", "b64", "jku", "x5u"].iter().any(|name| members.contains_key(*name)) {
        return Err(JoseError::Header);
    }
    let text = |name: &str| match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(JoseError::Header),
    };
    let typ = text("typ")?;
    let typ = typ.map(|typ| typ.strip_prefix("application/").unwrap_or(&typ).to_owned());
    let x5c = match members.get("x5c") {
        None => Vec::new(),
        Some(Value::Array(chain)) => chain
            .iter()
            .map(|der| der.as_str().and_then(standard_base64_bytes))
            .collect::<Option<_>>()
            .ok_or(JoseError::Header)?,
        Some(_) => return Err(JoseError::Header),
    };
    Ok(Header { typ, kid: text("kid")?, x5c, jwk: members.get("jwk").cloned() })
}

impl Claims {
    /// The text claim `name`; `None` if absent.
    pub fn text(&self, name: &str) -> Result<Option<&str>, JoseError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(JoseError::Claim),
        }
    }

    /// The time claim `name` (`iat`, `nbf`, `exp`); `None` if absent.
    pub fn time(&self, name: &str) -> Result<Option<UnixSeconds>, JoseError> {
        Ok(self.number(name)?.map(UnixSeconds))
    }

    /// The claim `name`, a whole number not below zero; `None` if absent.
    pub fn number(&self, name: &str) -> Result<Option<u64>, JoseError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(value) => value.as_u64().map(Some).ok_or(JoseError::Claim),
        }
    }

    /// The confirmation key `cnf.jwk` (RFC 7800 §3.2); `None` if there is no `cnf`.
    pub fn confirmation_key(&self) -> Result<Option<PublicKey>, JoseError> {
        let Some(cnf) = self.0.get("cnf") else { return Ok(None) };
        let jwk = cnf.get("jwk").ok_or(JoseError::Claim)?;
        PublicKey::from_jwk(jwk).map(Some).map_err(|_| JoseError::Claim)
    }
}

impl core::fmt::Debug for Claims {
    /// Names only: the values are somebody's.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

/// `x5c` alone is written in base64 with padding (RFC 7515 §4.1.6).
fn standard_base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn standard_base64_bytes(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::{Certified, SoftwareKey};
    use super::*;

    fn key() -> SoftwareKey {
        SoftwareKey::from_bytes(&[7; 32]).expect("a scalar below the order")
    }

    fn payload() -> Map<String, Value> {
        json!({ "iss": "https://issuer.example", "iat": 1_700_000_000 })
            .as_object()
            .expect("an object")
            .clone()
    }

    fn with_header(header: &Value) -> String {
        let input = format!(
            "{}.{}",
            encode(header.to_string().as_bytes()),
            encode(&serde_json::to_vec(&payload()).expect("JSON"))
        );
        let signature = key().sign(input.as_bytes()).expect("a key in memory");
        format!("{input}.{}", encode(&signature))
    }

    fn check(text: &str) -> Result<Claims, JoseError> {
        Token::parse(text, "test+jwt", TOKEN_BYTES_MAX)?.verify(&key().public_key())
    }

    #[test]
    fn a_signed_token_verifies_and_carries_the_chain() {
        let signer = Certified::new(key(), vec![vec![1, 2, 3], vec![4]]);
        let text = sign(&signer, "test+jwt", Map::new(), &payload()).expect("a key in memory");
        assert_eq!(check(&text), Ok(Claims(payload())));
        let token = Token::parse(&text, "test+jwt", TOKEN_BYTES_MAX).expect("ours");
        assert_eq!(token.header().x5c, vec![vec![1, 2, 3], vec![4]]);
    }

    #[test]
    fn the_token_never_chooses_the_algorithm() {
        for alg in ["none", "HS256", "ES384", "RS256", "es256", ""] {
            let text = with_header(&json!({ "alg": alg, "typ": "test+jwt" }));
            assert_eq!(check(&text), Err(JoseError::Algorithm), "{alg}");
        }
        assert_eq!(check(&with_header(&json!({ "typ": "test+jwt" }))), Err(JoseError::Algorithm));
    }

    #[test]
    fn a_token_of_another_type_or_with_a_forbidden_header_is_refused() {
        let header = |name: &str, value: Value| {
            let mut header = json!({ "alg": "ES256", "typ": "test+jwt" });
            header[name] = value;
            check(&with_header(&header))
        };
        assert_eq!(header("typ", json!("other+jwt")), Err(JoseError::Type));
        assert_eq!(header("crit", json!(["exp"])), Err(JoseError::Header));
        assert_eq!(header("b64", json!(false)), Err(JoseError::Header));
        assert_eq!(header("jku", json!("https://x.example")), Err(JoseError::Header));
        assert_eq!(header("x5u", json!("https://x.example")), Err(JoseError::Header));
        assert_eq!(header("x5c", json!(["*"])), Err(JoseError::Header));
        assert!(header("typ", json!("application/test+jwt")).is_ok());
        assert!(header("kid", json!("1")).is_ok());
    }

    #[test]
    fn a_token_is_accepted_at_its_size_limit_and_refused_one_past_it() {
        let text = sign(&key(), "test+jwt", Map::new(), &payload()).expect("a key in memory");
        assert!(Token::parse(&text, "test+jwt", text.len()).is_ok());
        let one_less = Token::parse(&text, "test+jwt", text.len() - 1);
        assert_eq!(one_less.err(), Some(JoseError::TooLarge));
    }

    #[test]
    fn a_fraction_in_a_time_is_refused() {
        let mut claims = payload();
        claims.insert("exp".to_owned(), json!("1"));
        assert_eq!(Claims(claims).time("exp"), Err(JoseError::Claim));
    }

    proptest! {
        #[test]
        fn any_changed_character_is_refused(at in 0_usize..400, with in 0_u8..128) {
            let text = sign(&key(), "test+jwt", Map::new(), &payload()).expect("a key in memory");
            let mut changed = text.clone().into_bytes();
            let at = at % changed.len();
            prop_assume!(changed[at] != with);
            changed[at] = with;
            let changed = String::from_utf8(changed).expect("ASCII");
            prop_assert!(check(&changed).is_err());
        }

        #[test]
        fn no_text_makes_the_parser_fail_otherwise(text in "\\PC{0,200}") {
            prop_assert!(check(&text).is_err());
        }
    }
}
