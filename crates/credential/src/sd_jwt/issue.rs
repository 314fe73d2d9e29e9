//! The issuer's side: conceal claims, sign what remains (RFC 9901 §4, §6).

use rand_core::CryptoRng;
use serde_json::{Map, Value};

use super::disclosure::{Disclosure, decoy};
use super::{ClaimPath, DIGESTS, DISCLOSURES_MAX, ELEMENT, HASH_NAME, SdJwt, SdJwtError, Step};
use crate::jose::{self, Signer};
use crate::json;

/// Decoy digests that may be added to one object or array.
pub const DECOYS_MAX: usize = 32;

/// Claims after concealment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concealed {
    /// What the issuer signs.
    pub payload: Map<String, Value>,
    /// What the holder gets beside it.
    pub disclosures: Vec<Disclosure>,
}

/// Replaces every claim that a path in `disclosable` means by its digest, inner ones first, so that
/// a disclosable object may itself hold disclosable members.
///
/// `decoys`: digests of nothing added to each object and array that has a digest, at most
/// [`DECOYS_MAX`]. Digests are sorted, so their order tells nothing.
///
/// A path that leads to no claim is refused: a misspelt path would leave a claim always visible.
pub fn conceal<R: CryptoRng + ?Sized>(
    claims: Map<String, Value>,
    disclosable: &[ClaimPath],
    decoys: usize,
    rng: &mut R,
) -> Result<Concealed, SdJwtError> {
    let claims = Value::Object(claims);
    if decoys > DECOYS_MAX || !is_issuable(&claims) {
        return Err(SdJwtError::ClaimsNotIssuable);
    }
    if disclosable.iter().any(|path| path.select(&claims).is_empty()) {
        return Err(SdJwtError::PathNotFound);
    }
    let mut issuing = Issuing { disclosable, decoys, rng, disclosures: Vec::new(), at: Vec::new() };
    let Value::Object(mut payload) = issuing.value(claims) else {
        unreachable!("an object stays an object");
    };
    if issuing.disclosures.len() > DISCLOSURES_MAX {
        return Err(SdJwtError::TooLarge);
    }
    if !issuing.disclosures.is_empty() {
        payload.insert(HASH_NAME.to_owned(), Value::from("sha-256"));
    }
    Ok(Concealed { payload, disclosures: issuing.disclosures })
}

/// Conceals and signs `claims` as an SD-JWT of type `typ`.
pub fn issue<R: CryptoRng + ?Sized>(
    signer: &dyn Signer,
    typ: &str,
    claims: Map<String, Value>,
    disclosable: &[ClaimPath],
    decoys: usize,
    rng: &mut R,
) -> Result<SdJwt, SdJwtError> {
    let concealed = conceal(claims, disclosable, decoys, rng)?;
    let jwt = jose::sign(signer, typ, Map::new(), &concealed.payload)?;
    SdJwt::assemble(jwt, concealed.disclosures)
}

/// No reserved name anywhere (`_sd_alg` is ours on top and may not be nested, RFC 9901 §4.1.1),
/// integers only, not too deep. One level is kept for the array a disclosure wraps around its
/// value.
fn is_issuable(claims: &Value) -> bool {
    fn is_free(value: &Value) -> bool {
        match value {
            Value::Object(map) => {
                let reserved = [DIGESTS, ELEMENT, HASH_NAME];
                !reserved.iter().any(|name| map.contains_key(*name)) && map.values().all(is_free)
            }
            Value::Array(items) => items.iter().all(is_free),
            _ => true,
        }
    }
    json::is_exact(claims) && is_free(claims)
}

struct Issuing<'a, R: ?Sized> {
    disclosable: &'a [ClaimPath],
    decoys: usize,
    rng: &'a mut R,
    disclosures: Vec<Disclosure>,
    at: Vec<Step>,
}

impl<R: CryptoRng + ?Sized> Issuing<'_, R> {
    fn value(&mut self, value: Value) -> Value {
        match value {
            Value::Object(members) => self.object(members),
            Value::Array(items) => self.array(items),
            plain => plain,
        }
    }

    /// The value at `step` with its inner claims concealed, and whether it is itself disclosable.
    fn inner(&mut self, step: Step, value: Value) -> (Value, bool) {
        self.at.push(step);
        let value = self.value(value);
        let is_disclosable = self.disclosable.iter().any(|path| path.matches(&self.at));
        self.at.pop();
        (value, is_disclosable)
    }

    fn object(&mut self, members: Map<String, Value>) -> Value {
        let mut open = Map::new();
        let mut digests = Vec::new();
        for (name, value) in members {
            let (value, is_disclosable) = self.inner(Step::Name(name.clone()), value);
            if is_disclosable {
                digests.push(self.disclose(Some(&name), value));
            } else {
                open.insert(name, value);
            }
        }
        if !digests.is_empty() {
            digests.extend((0..self.decoys).map(|_| decoy(self.rng)));
            digests.sort_unstable();
            open.insert(DIGESTS.to_owned(), Value::from(digests));
        }
        Value::Object(open)
    }

    fn array(&mut self, items: Vec<Value>) -> Value {
        let mut open = Vec::new();
        let mut has_digest = false;
        for (place, value) in items.into_iter().enumerate() {
            let (value, is_disclosable) = self.inner(Step::Index(place), value);
            if is_disclosable {
                has_digest = true;
                open.push(element(self.disclose(None, value)));
            } else {
                open.push(value);
            }
        }
        if has_digest {
            for _ in 0..self.decoys {
                // A few bits of bias in a place among a handful tell nothing.
                let places = u64::try_from(open.len() + 1).unwrap_or(u64::MAX);
                let place = usize::try_from(self.rng.next_u64() % places).unwrap_or_default();
                open.insert(place, element(decoy(self.rng)));
            }
        }
        Value::Array(open)
    }

    fn disclose(&mut self, name: Option<&str>, value: Value) -> String {
        let disclosure = Disclosure::make(name, value, self.rng);
        let digest = disclosure.digest();
        self.disclosures.push(disclosure);
        digest
    }
}

fn element(digest: String) -> Value {
    Value::Object(Map::from_iter([(ELEMENT.to_owned(), Value::String(digest))]))
}
