//! From a presentation to a credential that may be relied upon: each reason against it has its own
//! code.

use std::collections::BTreeMap;

use etibar_credential::UnixSeconds;
use etibar_credential::catalogue::type_digest;
use etibar_credential::jose::{Certified, Signer as _, SoftwareKey, decode, encode, sign};
use etibar_credential::level::AssuranceLevel;
use etibar_credential::sd_jwt::{
    ClaimPath, KeyBinding, KeyBindingPolicy, SdJwt, issue as issue_raw,
};
use etibar_credential::sd_jwt_vc::{CREDENTIAL_TYPE, MetadataError, Template, TypeMetadata, issue};
use etibar_credential::status_list::{
    Bits, STATUS_LIST_BYTES_MAX, Status, StatusError, StatusList, StatusReference, StatusToken,
    VerifiedStatusList, sign_status_list,
};
use etibar_credential::trust::{
    CredentialPolicy, TrustEntry, TrustRegistry, VerifiedCredential, verify_credential,
};
use etibar_credential::x509::{
    Subject, Validity, certificate_digest, issue_leaf, self_signed_authority,
};
use etibar_primitives::MemberId;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const VCT: &str = "urn:az:pid:1";
const ISSUER: &str = "https://agency.example";
const LIST: &str = "https://agency.example/status/1";

fn key(seed: u8) -> SoftwareKey {
    SoftwareKey::from_bytes(&[seed; 32]).expect("a scalar below the order")
}

fn later(seconds: u64) -> UnixSeconds {
    NOW.saturating_add(seconds)
}

/// An issuer whose authority has key `seed` and whose leaf speaks for `uri`.
fn signer(seed: u8, uri: &str) -> Certified<SoftwareKey> {
    let validity = Validity { not_before: UnixSeconds(NOW.0 - 10_000), not_after: later(10_000) };
    let subject = Subject { common_name: "Sample", organization: "Sample Agency", uri: Some(uri) };
    let authority = self_signed_authority(&key(seed), &subject, validity, &[seed; 8])
        .expect("a name and a validity in range");
    let leaf = key(seed + 100);
    let public = leaf.public_key();
    let certificate =
        issue_leaf(&key(seed), &authority, &public, &subject, validity, &[seed + 100; 8])
            .expect("a name and a validity in range");
    Certified::new(leaf, vec![certificate, authority])
}

fn authority_digest(seed: u8) -> [u8; 32] {
    let signer = signer(seed, ISSUER);
    let chain = signer.chain();
    certificate_digest(chain.last().expect("a chain"))
}

fn entry(ceiling: AssuranceLevel) -> TrustEntry {
    TrustEntry {
        member: MemberId(12),
        credential_type: type_digest(VCT),
        authority: authority_digest(1),
        ceiling,
        valid_from: UnixSeconds(NOW.0 - 5_000),
        valid_until: later(5_000),
    }
}

fn claims() -> Map<String, Value> {
    json!({ "family_name": "A", "given_name": "B", "assurance_level": "substantial" })
        .as_object()
        .expect("an object")
        .clone()
}

fn hidden() -> Vec<ClaimPath> {
    vec![ClaimPath::of(&["family_name"]), ClaimPath::of(&["given_name"])]
}

/// A case: what the issuer states, what the verifier knows and demands. Each test changes one part.
struct Case {
    issuer: Certified<SoftwareKey>,
    iss: &'static str,
    vct: &'static str,
    issued_at: UnixSeconds,
    not_before: Option<UnixSeconds>,
    expires_at: UnixSeconds,
    has_status: bool,
    index: u64,
    claims: Map<String, Value>,
    registry: Vec<TrustEntry>,
    status: Status,
    list_signer: Option<Certified<SoftwareKey>>,
    list_issued_at: UnixSeconds,
    has_list: bool,
    level_min: Option<AssuranceLevel>,
    allows_no_status: bool,
}

impl Case {
    fn good() -> Self {
        Self {
            issuer: signer(1, ISSUER),
            iss: ISSUER,
            vct: VCT,
            issued_at: UnixSeconds(NOW.0 - 100),
            not_before: None,
            expires_at: later(50),
            has_status: true,
            index: 41,
            claims: claims(),
            registry: vec![entry(AssuranceLevel::High)],
            status: Status::VALID,
            list_signer: None,
            list_issued_at: UnixSeconds(NOW.0 - 50),
            has_list: true,
            level_min: None,
            allows_no_status: false,
        }
    }

    fn issued(&self) -> SdJwt {
        let reference = StatusReference { uri: LIST.to_owned(), index: self.index };
        let holder = key(50).public_key();
        let template = Template {
            vct: self.vct,
            vct_integrity: None,
            issuer: self.iss,
            issued_at: self.issued_at,
            not_before: self.not_before,
            expires_at: self.expires_at,
            holder: &holder,
            status: self.has_status.then_some(&reference),
            claims: self.claims.clone(),
            disclosable: &hidden(),
            decoys: 2,
        };
        issue(&self.issuer, &template, &mut StdRng::seed_from_u64(3)).expect("issuable claims")
    }

    fn present(&self) -> String {
        let binding =
            KeyBinding { nonce: "n", audience: "v", issued_at: NOW, transaction_data: &[] };
        let wanted = [ClaimPath::of(&["family_name"])];
        self.issued().present(&wanted, &binding, &key(50)).expect("a key in memory")
    }

    fn lists(&self) -> BTreeMap<String, VerifiedStatusList> {
        if !self.has_list {
            return BTreeMap::new();
        }
        let mut list = StatusList::new(Bits::Two, 100).expect("a small list");
        list.set(41, self.status).expect("it fits");
        let token = StatusToken {
            uri: LIST,
            issued_at: self.list_issued_at,
            expires_at: later(300),
            ttl_seconds: 60,
        };
        let signer = self.list_signer.as_ref().unwrap_or(&self.issuer);
        let token = sign_status_list(signer, &token, &list).expect("a key in memory");
        let verified = VerifiedStatusList::verify(&token, LIST, NOW).expect("our own list");
        BTreeMap::from([(LIST.to_owned(), verified)])
    }

    fn verify_text(
        &self,
        text: &str,
        now: UnixSeconds,
    ) -> Result<VerifiedCredential, &'static str> {
        let policy = CredentialPolicy {
            vct: VCT,
            key_binding: KeyBindingPolicy {
                nonce: "n",
                audience: "v",
                now,
                age_seconds_max: 1_000,
                skew_seconds_max: 5,
                transaction_data: &[],
            },
            level_min: self.level_min,
            status_age_seconds_max: 200,
            allows_no_status: self.allows_no_status,
        };
        let registry = TrustRegistry::new(self.registry.iter().copied());
        verify_credential(text, &registry, &self.lists(), &policy).map_err(|error| error.code())
    }

    fn code(&self) -> Option<&'static str> {
        self.verify_text(&self.present(), NOW).err()
    }

    fn code_at(&self, now: UnixSeconds) -> Option<&'static str> {
        self.verify_text(&self.present(), now).err()
    }
}

#[test]
fn a_credential_of_a_registered_issuer_is_relied_upon() {
    let case = Case::good();
    let verified = case.verify_text(&case.present(), NOW).expect("nothing is wrong with it");
    assert_eq!(verified.issuer, MemberId(12));
    assert_eq!(verified.level, AssuranceLevel::Substantial);
    assert_eq!(verified.disclosed, [ClaimPath::of(&["family_name"])]);
    assert_eq!(verified.claims.0["family_name"], "A");
    assert!(!verified.claims.0.contains_key("given_name"));
    assert_eq!(verified.holder, key(50).public_key());
    assert_eq!(verified.status, Some(StatusReference { uri: LIST.to_owned(), index: 41 }));
    assert!(!format!("{verified:?}").contains("\"A\""));
}

#[test]
fn an_issuer_that_is_foreign_not_allowed_or_not_in_force_is_refused() {
    let foreign = Case { issuer: signer(2, ISSUER), ..Case::good() };
    assert_eq!(foreign.code(), Some("foreign_issuer"));
    let empty = Case { registry: vec![], ..Case::good() };
    assert_eq!(empty.code(), Some("foreign_issuer"));
    let other_type = TrustEntry {
        credential_type: type_digest("urn:az:vehicle:1"),
        ..entry(AssuranceLevel::High)
    };
    assert_eq!(
        Case { registry: vec![other_type], ..Case::good() }.code(),
        Some("type_not_allowed")
    );
    let ended = TrustEntry { valid_until: NOW, ..entry(AssuranceLevel::High) };
    assert_eq!(Case { registry: vec![ended], ..Case::good() }.code(), Some("issuer_not_in_force"));
    let ahead = TrustEntry { valid_from: later(1), ..entry(AssuranceLevel::High) };
    assert_eq!(Case { registry: vec![ahead], ..Case::good() }.code(), Some("issuer_not_in_force"));
    let other = Case { iss: "https://other.example", ..Case::good() };
    assert_eq!(other.code(), Some("issuer_mismatch"));
}

#[test]
fn a_type_nobody_registered_and_a_type_nobody_asked_for_are_refused() {
    let unknown = Case { vct: "urn:az:unknown:1", ..Case::good() };
    assert_eq!(unknown.code(), Some("type_not_allowed"));
    let vehicle = TrustEntry {
        credential_type: type_digest("urn:az:vehicle:1"),
        ..entry(AssuranceLevel::High)
    };
    let registry = vec![entry(AssuranceLevel::High), vehicle];
    let unexpected = Case { vct: "urn:az:vehicle:1", registry, ..Case::good() };
    assert_eq!(unexpected.code(), Some("unexpected_type"));
}

#[test]
fn a_credential_is_refused_before_and_after_its_time() {
    let case = Case::good();
    assert_eq!(case.code_at(later(49)), None);
    assert_eq!(case.code_at(later(50)), Some("expired"));
    let ahead = Case { not_before: Some(later(6)), ..Case::good() };
    assert_eq!(ahead.code(), Some("not_yet_valid"));
    let skewed = Case { not_before: Some(later(5)), ..Case::good() };
    assert_eq!(skewed.code(), None);
    assert_eq!(case.code_at(later(10_001)), Some("certificate_expired"));
}

#[test]
fn a_level_above_the_ceiling_or_below_the_policy_is_refused() {
    let low = Case { registry: vec![entry(AssuranceLevel::Low)], ..Case::good() };
    assert_eq!(low.code(), Some("ceiling_exceeded"));
    let high = Case { level_min: Some(AssuranceLevel::High), ..Case::good() };
    assert_eq!(high.code(), Some("level_too_low"));
    let enough = Case { level_min: Some(AssuranceLevel::Substantial), ..Case::good() };
    assert_eq!(enough.code(), None);
    let mut nonsense = Case::good();
    nonsense.claims.insert("assurance_level".to_owned(), json!("very high"));
    assert_eq!(nonsense.code(), Some("ceiling_exceeded"));
    let mut silent = Case::good();
    silent.claims.remove("assurance_level");
    let verified = silent.verify_text(&silent.present(), NOW).expect("the ceiling speaks for it");
    assert_eq!(verified.level, AssuranceLevel::High);
}

#[test]
fn a_revoked_suspended_or_unknown_status_is_refused() {
    let with = |status| Case { status, ..Case::good() }.code();
    assert_eq!(with(Status::INVALID), Some("revoked"));
    assert_eq!(with(Status::SUSPENDED), Some("suspended"));
    assert_eq!(with(Status(3)), Some("status_unknown"));
}

#[test]
fn a_status_list_that_is_stale_absent_foreign_or_too_short_is_refused() {
    // Fetched at `NOW`, with a ttl of 60 seconds.
    let case = Case { expires_at: later(1_000), ..Case::good() };
    assert_eq!(case.code_at(later(60)), None);
    assert_eq!(case.code_at(later(61)), Some("status_stale"));
    let old = Case { list_issued_at: UnixSeconds(NOW.0 - 201), ..Case::good() };
    assert_eq!(old.code(), Some("status_stale"));
    let ahead = Case { list_issued_at: later(6), ..Case::good() };
    assert_eq!(ahead.code(), Some("status_from_future"));
    assert_eq!(Case { has_list: false, ..Case::good() }.code(), Some("status_unavailable"));
    let foreign = Case { list_signer: Some(signer(2, ISSUER)), ..Case::good() };
    assert_eq!(foreign.code(), Some("status_foreign"));
    assert_eq!(Case { index: 100, ..Case::good() }.code(), Some("status_index"));
    assert_eq!(Case { has_status: false, ..Case::good() }.code(), Some("status_missing"));
    let allowed = Case { has_status: false, allows_no_status: true, ..Case::good() };
    assert_eq!(allowed.code(), None);
}

#[test]
fn a_presentation_without_key_binding_is_refused_whatever_else_holds() {
    let case = Case::good();
    let unbound = case.issued().to_string();
    assert_eq!(case.verify_text(&unbound, NOW).err(), Some("key_binding_missing"));
}

#[test]
fn an_expiry_or_a_status_that_the_holder_could_drop_is_refused() {
    let case = Case::good();
    let mut open = claims();
    open.insert("vct".to_owned(), json!(VCT));
    open.insert("iss".to_owned(), json!(ISSUER));
    open.insert("iat".to_owned(), json!(NOW.0));
    open.insert("exp".to_owned(), json!(NOW.0 + 10));
    let holder = key(50).public_key();
    open.insert("cnf".to_owned(), json!({ "jwk": holder.to_jwk() }));
    let binding = KeyBinding { nonce: "n", audience: "v", issued_at: NOW, transaction_data: &[] };
    let check = |claims: Map<String, Value>, hide: &[&str]| {
        let hidden: Vec<_> = hide.iter().map(|name| ClaimPath::of(&[name])).collect();
        let mut rng = StdRng::seed_from_u64(1);
        let issued = issue_raw(&case.issuer, CREDENTIAL_TYPE, claims, &hidden, 0, &mut rng)
            .expect("issuable claims");
        let shown = issued.present(&hidden, &binding, &key(50)).expect("a key in memory");
        case.verify_text(&shown, NOW).err()
    };
    assert_eq!(check(open.clone(), &["exp"]), Some("credential_claim_must_be_open"));
    for missing in ["exp", "iss", "vct", "iat"] {
        let mut without = open.clone();
        without.remove(missing);
        assert_eq!(check(without, &[]), Some("credential_claim_missing"), "{missing}");
    }
    assert_eq!(check(open, &[]), Some("status_missing"));
}

#[test]
fn a_chain_that_is_missing_cannot_be_replaced_by_a_key_in_the_header() {
    let case = Case::good();
    let text = case.present();
    let (jwt, rest) = text.split_once('~').expect("an SD-JWT");
    let payload = jwt.split('.').nth(1).and_then(decode);
    let payload: Map<String, Value> =
        serde_json::from_slice(&payload.expect("base64url")).expect("JSON");
    let thief = key(99);
    let public = thief.public_key();
    let header = Map::from_iter([("jwk".to_owned(), public.to_jwk())]);
    let forged = sign(&thief, CREDENTIAL_TYPE, header, &payload).expect("a key in memory");
    assert_eq!(case.verify_text(&format!("{forged}~{rest}"), NOW).err(), Some("chain_missing"));
    // The true chain, and another key's signature.
    let chain = case.issuer.chain().to_vec();
    let forged = sign(&Certified::new(thief, chain), CREDENTIAL_TYPE, Map::new(), &payload)
        .expect("a key in memory");
    assert_eq!(case.verify_text(&format!("{forged}~{rest}"), NOW).err(), Some("token_signature"));
}

#[test]
fn a_holder_checks_what_it_received_against_the_types_rules() {
    let document = |sd: &str, name: &str| {
        json!({ "vct": VCT, "claims": [{ "path": [name], "sd": sd, "mandatory": true }] })
            .to_string()
    };
    let received = Case::good().issued().read().expect("our own credential");
    let check = |sd: &str, name: &str| {
        TypeMetadata::parse(document(sd, name).as_bytes(), VCT, None)
            .expect("a document")
            .check(&received)
    };
    assert_eq!(check("always", "family_name"), Ok(()));
    assert_eq!(check("never", "assurance_level"), Ok(()));
    assert_eq!(check("never", "family_name"), Err(MetadataError::Disclosability));
    assert_eq!(check("always", "assurance_level"), Err(MetadataError::Disclosability));
    assert_eq!(check("allowed", "birthdate"), Err(MetadataError::MandatoryMissing));
}

#[test]
fn a_type_that_extends_another_keeps_its_rules() {
    let parent = json!({ "vct": "p", "claims": [{ "path": ["a"], "sd": "never" }] }).to_string();
    let resolve = |child: Value| {
        let fetch = |vct: &str| match vct {
            "p" => Some(parent.clone().into_bytes()),
            "loop" => Some(json!({ "vct": "loop", "extends": "loop" }).to_string().into_bytes()),
            _ => None,
        };
        TypeMetadata::resolve(child.to_string().as_bytes(), "c", None, &fetch)
    };
    let inherited = resolve(json!({ "vct": "c", "extends": "p" })).expect("a parent");
    assert_eq!(inherited.claims.len(), 1);
    let loosened = json!({
        "vct": "c", "extends": "p", "claims": [{ "path": ["a"], "sd": "always" }]
    });
    assert_eq!(resolve(loosened), Err(MetadataError::Loosened));
    assert_eq!(resolve(json!({ "vct": "c", "extends": "loop" })), Err(MetadataError::Extends));
    assert_eq!(resolve(json!({ "vct": "c", "extends": "gone" })), Err(MetadataError::Extends));
    let pinned = json!({ "vct": "c", "extends": "p", "extends#integrity": "sha256-AAAA" });
    assert_eq!(resolve(pinned), Err(MetadataError::Integrity));
}

#[test]
fn a_list_holds_ten_million_entries_and_refuses_to_unfold_beyond_its_limit() {
    let mut list = StatusList::new(Bits::Two, 10_000_000).expect("ten million entries");
    for index in (0..10_000_000).step_by(9_973) {
        list.set(index, Status::INVALID).expect("it fits");
    }
    let read = StatusList::from_claim(&list.to_claim()).expect("our own list");
    assert_eq!(read.get(9_973), Ok(Status::INVALID));
    assert_eq!(read.get(9_974), Ok(Status::VALID));
    assert_eq!(read.get(10_000_000), Err(StatusError::Index));
    assert_eq!(read, list);
    let full = StatusList::new(Bits::Eight, STATUS_LIST_BYTES_MAX).expect("at the limit");
    assert!(StatusList::from_claim(&full.to_claim()).is_ok());
    assert!(StatusList::new(Bits::Eight, STATUS_LIST_BYTES_MAX + 1).is_err());
    let bomb = miniz_oxide::deflate::compress_to_vec_zlib(&vec![0; STATUS_LIST_BYTES_MAX + 1], 1);
    let bomb = json!({ "bits": 8, "lst": encode(&bomb) });
    assert_eq!(StatusList::from_claim(&bomb), Err(StatusError::Malformed));
    let odd = json!({ "bits": 3, "lst": "eNrbuRgAAhcBXQ" });
    assert_eq!(StatusList::from_claim(&odd), Err(StatusError::Bits));
}

#[test]
fn a_status_beyond_the_lists_bits_is_refused() {
    let mut list = StatusList::new(Bits::One, 8).expect("a small list");
    assert_eq!(list.set(0, Status::SUSPENDED), Err(StatusError::Value));
    assert_eq!(list.set(8, Status::INVALID), Err(StatusError::Index));
    assert_eq!(list.set(7, Status::INVALID), Ok(()));
    assert_eq!(list.as_bytes(), [0x80]);
    assert_eq!(list.set(7, Status::VALID), Ok(()));
    assert_eq!(list.as_bytes(), [0]);
}
