//! Putting disclosed claims back in their places (RFC 9901 §7.1 steps 3 to 5).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{ClaimPath, DIGESTS, Disclosure, ELEMENT, HASH_NAME, SdJwtError, Step};
use crate::jose::{Claims, PublicKey};
use crate::json::DEPTH_MAX;

/// Where a disclosure's claim ended up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosed {
    /// The claim's place in the processed claims.
    pub path: ClaimPath,
    /// The disclosure's place in the SD-JWT, from 0.
    pub disclosure: usize,
}

/// The claims a verifier obtains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Processed {
    /// Issuer-signed and disclosed claims together, free of digests.
    pub claims: Claims,
    /// Which of them were disclosed by the holder's choice, in the order of the digests.
    pub disclosed: Vec<Disclosed>,
}

impl Processed {
    /// The holder's key, `cnf.jwk` (RFC 9901 §4.1.2).
    pub fn holder(&self) -> Result<PublicKey, SdJwtError> {
        self.claims.confirmation_key().ok().flatten().ok_or(SdJwtError::HolderKeyMissing)
    }
}

/// Matches `disclosures` to the digests in `payload`.
pub(super) fn process(
    payload: &Claims,
    disclosures: &[Disclosure],
) -> Result<Processed, SdJwtError> {
    let mut payload = payload.0.clone();
    match payload.remove(HASH_NAME) {
        None => {}
        Some(Value::String(name)) if name == "sha-256" => {}
        Some(_) => return Err(SdJwtError::HashAlgorithm),
    }
    let mut by_digest = BTreeMap::new();
    for (place, disclosure) in disclosures.iter().enumerate() {
        if by_digest.insert(disclosure.digest(), (place, disclosure)).is_some() {
            return Err(SdJwtError::DigestRepeated);
        }
    }
    let mut run = Run { by_digest, seen: BTreeSet::new(), disclosed: Vec::new(), at: Vec::new() };
    let claims = run.object(payload)?;
    if run.disclosed.len() != disclosures.len() {
        return Err(SdJwtError::DisclosureUnreferenced);
    }
    Ok(Processed { claims: Claims(claims), disclosed: run.disclosed })
}

struct Run<'a> {
    by_digest: BTreeMap<String, (usize, &'a Disclosure)>,
    seen: BTreeSet<String>,
    disclosed: Vec<Disclosed>,
    at: Vec<Step>,
}

impl<'a> Run<'a> {
    fn value(&mut self, value: Value) -> Result<Value, SdJwtError> {
        if self.at.len() >= DEPTH_MAX {
            return Err(SdJwtError::TooDeep);
        }
        match value {
            Value::Object(members) => self.object(members).map(Value::Object),
            Value::Array(items) => self.array(items).map(Value::Array),
            plain => Ok(plain),
        }
    }

    fn object(&mut self, members: Map<String, Value>) -> Result<Map<String, Value>, SdJwtError> {
        let mut claims = Map::new();
        let mut digests = Vec::new();
        for (name, value) in members {
            if name == DIGESTS {
                digests = read_digests(value)?;
            } else if name == ELEMENT {
                return Err(SdJwtError::DigestMalformed);
            } else {
                let inner = self.inside(Step::Name(name.clone()), value)?;
                claims.insert(name, inner);
            }
        }
        for digest in digests {
            let Some((place, disclosure)) = self.look_up(digest)? else { continue };
            let name = disclosure.name().ok_or(SdJwtError::MemberWithoutName)?;
            if claims.contains_key(name) {
                return Err(SdJwtError::NameExists);
            }
            let step = Step::Name(name.to_owned());
            let value = self.put_back(step, place, disclosure)?;
            claims.insert(name.to_owned(), value);
        }
        Ok(claims)
    }

    fn array(&mut self, items: Vec<Value>) -> Result<Vec<Value>, SdJwtError> {
        let mut claims = Vec::new();
        for item in items {
            let step = Step::Index(claims.len());
            let Some(digest) = read_element(&item)? else {
                let inner = self.inside(step, item)?;
                claims.push(inner);
                continue;
            };
            let Some((place, disclosure)) = self.look_up(digest)? else { continue };
            if disclosure.name().is_some() {
                return Err(SdJwtError::ElementWithName);
            }
            let value = self.put_back(step, place, disclosure)?;
            claims.push(value);
        }
        Ok(claims)
    }

    /// The disclosure with this digest, if it was passed on; each digest may come once.
    fn look_up(&mut self, digest: String) -> Result<Option<(usize, &'a Disclosure)>, SdJwtError> {
        let found = self.by_digest.get(&digest).copied();
        if !self.seen.insert(digest) {
            return Err(SdJwtError::DigestRepeated);
        }
        Ok(found)
    }

    fn put_back(
        &mut self,
        step: Step,
        disclosure: usize,
        content: &Disclosure,
    ) -> Result<Value, SdJwtError> {
        self.at.push(step);
        let path = ClaimPath::from_steps(self.at.clone()).ok_or(SdJwtError::TooDeep)?;
        self.disclosed.push(Disclosed { path, disclosure });
        let value = self.value(content.value().clone());
        self.at.pop();
        value
    }

    fn inside(&mut self, step: Step, value: Value) -> Result<Value, SdJwtError> {
        self.at.push(step);
        let value = self.value(value);
        self.at.pop();
        value
    }
}

fn read_digests(value: Value) -> Result<Vec<String>, SdJwtError> {
    let Value::Array(items) = value else { return Err(SdJwtError::DigestMalformed) };
    let digest = |item| match item {
        Value::String(digest) => Ok(digest),
        _ => Err(SdJwtError::DigestMalformed),
    };
    items.into_iter().map(digest).collect()
}

/// The digest in `{"...": digest}`; `None` for an ordinary element.
fn read_element(item: &Value) -> Result<Option<String>, SdJwtError> {
    let Some(members) = item.as_object() else { return Ok(None) };
    match members.get(ELEMENT) {
        None => Ok(None),
        Some(Value::String(digest)) if members.len() == 1 => Ok(Some(digest.clone())),
        Some(_) => Err(SdJwtError::DigestMalformed),
    }
}
