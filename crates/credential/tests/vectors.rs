//! The published vectors of RFC 9901, SD-JWT VC and the Token Status List, byte for byte.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use etibar_credential::UnixSeconds;
use etibar_credential::jose::{PublicKey, text_hash};
use etibar_credential::sd_jwt::{
    ClaimPath, Disclosure, KeyBindingPolicy, Presentation, SdJwt, Step,
};
use etibar_credential::sd_jwt_vc::{MetadataError, SdRule, TypeMetadata};
use etibar_credential::status_list::{
    Bits, Status, StatusError, StatusList, StatusReference, VerifiedStatusList,
};
use serde_json::{Value, json};

fn read(path: &str) -> String {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(path);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn token(path: &str) -> String {
    read(path).trim_end().to_owned()
}

fn document(path: &str) -> Value {
    serde_json::from_str(&read(path)).expect("the vectors are JSON")
}

/// RFC 9901 Appendix A.5.
fn issuer() -> PublicKey {
    let jwk = json!({
        "kty": "EC",
        "crv": "P-256",
        "x": "b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ",
        "y": "Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8"
    });
    PublicKey::from_jwk(&jwk).expect("the RFC's key")
}

/// The type in the header of a vector: RFC 9901 uses `example+sd-jwt`, SD-JWT VC `dc+sd-jwt`.
fn typ(text: &str) -> String {
    let header = SdJwt::parse(&format!("{}~", text.split('~').next().expect("a token")));
    header.and_then(|one| one.header()).expect("a header").typ.expect("a type")
}

/// Digest and disclosure of each line.
fn disclosures(folder: &str) -> Vec<(String, String)> {
    let line = |line: &str| {
        let (digest, disclosure) = line.split_once(' ').expect("digest and disclosure");
        (digest.to_owned(), disclosure.to_owned())
    };
    read(&format!("{folder}/disclosures.txt")).lines().map(line).collect()
}

const ALL: [&str; 10] = [
    "sd_jwt/simple",
    "sd_jwt/flat",
    "sd_jwt/structured",
    "sd_jwt/recursive",
    "sd_jwt/simple_structured",
    "sd_jwt/complex_ekyc",
    "sd_jwt/sd_jwt_vc",
    "sd_jwt/w3c_vcdm",
    "sd_jwt_vc/identity_credential",
    "sd_jwt_vc/pid",
];

#[test]
fn every_disclosure_has_the_published_digest_and_keeps_its_bytes() {
    let mut count = 0;
    for folder in ALL {
        for (digest, disclosure) in disclosures(folder) {
            let parsed = Disclosure::parse(&disclosure).expect("a published disclosure");
            assert_eq!(parsed.digest(), digest, "{folder}");
            assert_eq!(parsed.encoded(), disclosure, "{folder}");
            count += 1;
        }
    }
    assert!(count > 80, "only {count} disclosures were checked");
}

/// RFC 9901 §4.2.1: no canonical form, the digest is over what the issuer wrote.
#[test]
fn each_published_way_to_write_one_claim_is_read_and_has_a_digest_of_its_own() {
    let ways = [
        "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0",
        "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNXHUwMGY2Yml1cyJd",
        "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsImZhbWlseV9uYW1lIiwiTcO2Yml1cyJd",
        "WwoiXzI2YmM0TFQtYWM2cTJLSTZjQlc1ZXMiLAoiZmFtaWx5X25hbWUiLAoiTcO2Yml1cyIKXQ",
    ];
    // §4.2.3.
    let first = Disclosure::parse(ways[0]).expect("a published disclosure").digest();
    assert_eq!(first, "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0");
    let read = |way: &&str| Disclosure::parse(way).expect("a published disclosure");
    assert!(ways.iter().map(read).all(|one| one.name() == Some("family_name")));
    assert!(ways.iter().map(read).all(|one| *one.value() == json!("Möbius")));
    let digests: BTreeSet<_> = ways.iter().map(|way| read(way).digest()).collect();
    assert_eq!(digests.len(), ways.len());
}

#[test]
fn every_issuance_verifies_and_is_rendered_with_the_same_bytes() {
    for folder in
        ["sd_jwt/simple", "sd_jwt/sd_jwt_vc", "sd_jwt/w3c_vcdm", "sd_jwt_vc/identity_credential"]
            .into_iter()
            .chain(["sd_jwt_vc/pid"])
    {
        let text = token(&format!("{folder}/issuance.txt"));
        let sd_jwt = SdJwt::parse(&text).expect("a published issuance");
        assert_eq!(sd_jwt.to_string(), text, "{folder}");
        assert_eq!(sd_jwt.disclosures().len(), disclosures(folder).len(), "{folder}");
        let processed = sd_jwt.verify(&issuer(), &typ(&text)).expect("the RFC's signature");
        let Ok(claims) =
            serde_json::from_str::<Value>(&read_or_empty(&format!("{folder}/user_claims.json")))
        else {
            continue;
        };
        for (name, value) in claims.as_object().expect("an object") {
            assert_eq!(processed.claims.0.get(name), Some(value), "{folder} {name}");
        }
    }
}

fn read_or_empty(path: &str) -> String {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(path);
    fs::read_to_string(file).unwrap_or_default()
}

/// Presentation, expected claims, and the key binding's nonce, audience and time, if any.
const PRESENTATIONS: [(&str, &str, &str); 8] = [
    ("sd_jwt/simple", "presentation", "verified"),
    ("sd_jwt/simple_structured", "presentation", "verified"),
    ("sd_jwt/complex_ekyc", "presentation", "verified"),
    ("sd_jwt/sd_jwt_vc", "presentation", "verified"),
    ("sd_jwt/w3c_vcdm", "presentation", "verified"),
    ("sd_jwt_vc/identity_credential", "presentation", "verified"),
    ("sd_jwt_vc/identity_credential", "presentation_no_kb", "verified_no_kb"),
    ("sd_jwt_vc/pid", "presentation", "verified"),
];

#[test]
fn every_presentation_gives_the_published_claims() {
    for (folder, presentation, verified) in PRESENTATIONS {
        let text = token(&format!("{folder}/{presentation}.txt"));
        let parsed = Presentation::parse(&text, &typ(&text)).expect("a published presentation");
        let processed = parsed.verify(&issuer()).expect("the RFC's signature");
        let expected = document(&format!("{folder}/{verified}.json"));
        let found = Value::Object(processed.claims.0);
        assert_eq!(found, expected, "{folder}/{presentation}");
    }
}

#[test]
fn every_key_binding_verifies_for_its_own_nonce_and_audience_only() {
    let mut count = 0;
    for (folder, presentation, _) in PRESENTATIONS {
        let text = token(&format!("{folder}/{presentation}.txt"));
        let parsed = Presentation::parse(&text, &typ(&text)).expect("a published presentation");
        if !parsed.is_bound() {
            continue;
        }
        let payload = text.rsplit_once('~').expect("a key binding").1.split('.').nth(1);
        let payload = etibar_credential::jose::decode(payload.expect("three parts"));
        let payload: Value =
            serde_json::from_slice(&payload.expect("base64url")).expect("the vectors are JSON");
        let published = format!("{folder}/kb_payload.json");
        if !read_or_empty(&published).is_empty() {
            assert_eq!(payload, document(&published), "{folder}");
        }
        let (unbound, _) = text.rsplit_once('~').expect("a key binding");
        assert_eq!(payload["sd_hash"], text_hash(&format!("{unbound}~")), "{folder}");
        let policy = KeyBindingPolicy {
            nonce: payload["nonce"].as_str().expect("a nonce"),
            audience: payload["aud"].as_str().expect("an audience"),
            now: UnixSeconds(payload["iat"].as_u64().expect("a time")),
            age_seconds_max: 0,
            skew_seconds_max: 0,
            transaction_data: &[],
        };
        let processed = parsed.verify(&issuer()).expect("the RFC's signature");
        let code = |policy: &KeyBindingPolicy<'_>| {
            parsed.verify_key_binding(&processed, policy).map_err(|error| error.code()).err()
        };
        assert_eq!(code(&policy), None, "{folder}");
        assert_eq!(code(&KeyBindingPolicy { nonce: "x", ..policy.clone() }), Some("wrong_nonce"));
        let other = KeyBindingPolicy { audience: "x", ..policy };
        assert_eq!(code(&other), Some("wrong_audience"));
        count += 1;
    }
    assert_eq!(count, 5);
}

#[test]
fn selecting_the_published_claims_gives_the_published_presentation_up_to_the_key_binding() {
    for (folder, presentation, _) in PRESENTATIONS {
        let issued = read_or_empty(&format!("{folder}/issuance.txt"));
        // The draft presents one credential that it does not show as issued.
        if issued.is_empty() || presentation == "presentation_no_kb" {
            continue;
        }
        let issued = SdJwt::parse(issued.trim_end()).expect("a published issuance");
        let text = token(&format!("{folder}/{presentation}.txt"));
        let (unbound, _) = text.rsplit_once('~').expect("a presentation");
        let shown: BTreeSet<&str> = unbound.split('~').skip(1).collect();
        let wanted: Vec<ClaimPath> = issued
            .read()
            .expect("a published issuance")
            .disclosed
            .into_iter()
            .filter(|one| shown.contains(issued.disclosures()[one.disclosure].encoded()))
            .map(|one| one.path)
            .collect();
        // A path means all that lies within, so only the innermost ones are asked for.
        let is_outer = |path: &ClaimPath| {
            let within = |other: &&ClaimPath| other.steps().len() > path.steps().len();
            wanted.iter().filter(within).any(|other| path.meets(other.steps()))
        };
        let wanted: Vec<_> = wanted.iter().filter(|path| !is_outer(path)).cloned().collect();
        let selected = issued.select(&wanted).expect("its own paths").to_string();
        let ours: BTreeSet<&str> = selected.trim_end_matches('~').split('~').skip(1).collect();
        assert_eq!(ours, shown, "{folder}: the same disclosures; their order is the holder's");
        assert_eq!(selected.split('~').next(), text.split('~').next(), "{folder}");
    }
}

#[test]
fn the_digests_in_each_published_payload_are_those_of_disclosures_or_decoys() {
    fn collect(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    match (name.as_str(), value) {
                        ("_sd", Value::Array(digests)) => found
                            .extend(digests.iter().filter_map(Value::as_str).map(str::to_owned)),
                        ("...", Value::String(digest)) => found.push(digest.clone()),
                        _ => collect(value, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            _ => {}
        }
    }
    for folder in ALL {
        let mut embedded = Vec::new();
        collect(&document(&format!("{folder}/payload.json")), &mut embedded);
        let mut known: BTreeSet<String> =
            read_or_empty(&format!("{folder}/decoys.txt")).lines().map(str::to_owned).collect();
        for (digest, disclosure) in disclosures(folder) {
            collect(Disclosure::parse(&disclosure).expect("published").value(), &mut embedded);
            known.insert(digest);
        }
        let embedded: BTreeSet<String> = embedded.into_iter().collect();
        assert!(embedded.is_subset(&known), "{folder}");
        assert!(!embedded.is_empty(), "{folder}");
    }
}

#[test]
fn the_type_metadata_of_the_draft_is_read_and_its_integrity_checked() {
    let text = read("type_metadata/education_credential.json");
    let vct = "https://betelgeuse.example.com/education_credential/v42";
    let metadata = TypeMetadata::parse(text.as_bytes(), vct, None).expect("the draft's document");
    assert_eq!(metadata.claims.len(), 7);
    assert!(metadata.claims[0].is_mandatory);
    assert_eq!(metadata.claims[3].sd, SdRule::Never);
    let (parent, pinned) = metadata.extends.clone().expect("it extends another");
    assert_eq!(parent, "https://galaxy.example.com/galactic-education-credential/v2");
    assert!(pinned.is_some());
    let wrong = TypeMetadata::parse(text.as_bytes(), vct, pinned.as_deref());
    assert_eq!(wrong, Err(MetadataError::Integrity));
    let other = TypeMetadata::parse(text.as_bytes(), "urn:other", None);
    assert_eq!(other, Err(MetadataError::Type));
    let own = etibar_credential::sd_jwt_vc::integrity(text.as_bytes());
    assert!(TypeMetadata::parse(text.as_bytes(), vct, Some(&own)).is_ok());
}

#[test]
fn claims_paths_select_what_the_draft_says() {
    let claims = document("type_metadata/payload.json");
    let select = |path: Value| -> Vec<Value> {
        let path = ClaimPath::from_json(&path).expect("a path");
        path.select(&claims).into_iter().cloned().collect()
    };
    assert_eq!(select(json!(["name"])), [json!("Zaphod Beeblebrox")]);
    assert_eq!(select(json!(["address"]))[0]["postal_code"], "12345");
    assert_eq!(select(json!(["address", "street_address"])), [json!("42 Galaxy Way")]);
    let studies =
        [json!("Intergalactic Politics"), json!("Space Navigation"), json!("Quantum Mechanics")];
    assert_eq!(select(json!(["degrees", null, "field_of_study"])), studies);
    assert_eq!(select(json!(["degrees", 1, "field_of_study"])), studies[1..2]);
    assert_eq!(select(json!(["degrees", null])).len(), 3);
    assert!(select(json!(["degrees", 3])).is_empty());
    assert!(ClaimPath::from_json(&json!([])).is_none());
    assert!(ClaimPath::from_json(&json!(["a", -1])).is_none());
    assert_eq!(ClaimPath::from_json(&json!([0])).expect("a path").steps(), [Step::Index(0)]);
}

fn list(path: &str) -> (StatusList, String) {
    let claim = document(path);
    let lst = claim["lst"].as_str().expect("a list").to_owned();
    (StatusList::from_claim(&claim).expect("a published list"), lst)
}

#[test]
fn the_lists_of_section_4_are_read_and_compressed_to_the_same_bytes() {
    let (one, lst) = list("status_list/list_1bit.json");
    let expected = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1];
    check_list(&one, &expected);
    assert_eq!(one.as_bytes(), [0xB9, 0xA3]);
    assert_eq!(one.compress(), lst);
    let (two, lst) = list("status_list/list_2bit.json");
    check_list(&two, &[1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]);
    assert_eq!(two.as_bytes(), [0xC9, 0x44, 0xF9]);
    assert_eq!(two.compress(), lst);
}

fn check_list(list: &StatusList, expected: &[u8]) {
    let mut made = StatusList::new(list.bits(), expected.len()).expect("a small list");
    for (index, status) in (0..).zip(expected) {
        assert_eq!(list.get(index), Ok(Status(*status)), "index {index}");
        made.set(index, Status(*status)).expect("it fits");
    }
    assert_eq!(&made, list);
}

#[test]
fn the_lists_of_appendix_c_hold_the_published_statuses_and_no_other() {
    for (name, bits) in [
        ("c1_1bit", Bits::One),
        ("c2_2bit", Bits::Two),
        ("c3_4bit", Bits::Four),
        ("c4_8bit", Bits::Eight),
    ] {
        let (read, _) = list(&format!("status_list/{name}.json"));
        assert_eq!(read.bits(), bits);
        let entries = usize::try_from(read.entries()).expect("a million");
        let mut made = StatusList::new(bits, entries).expect("a million");
        let statuses = document(&format!("status_list/{name}_statuses.json"));
        for entry in statuses.as_array().expect("an array") {
            let (index, status) = (entry[0].as_u64(), entry[1].as_u64());
            let status = u8::try_from(status.expect("a status")).expect("a byte");
            made.set(index.expect("an index"), Status(status)).expect("it fits");
        }
        assert_eq!(made, read, "{name}");
        let again = StatusList::from_claim(&made.to_claim()).expect("our own");
        assert_eq!(again, read, "{name}");
    }
}

#[test]
fn the_status_list_token_and_the_reference_of_the_draft_are_read() {
    let jwk = json!({
        "kty": "EC",
        "crv": "P-256",
        "x": "I3HWm_0Ds1dPMI-IWmf4mBmH-YaeAVbPVu7vB27CxXo",
        "y": "6N_d5Elj9bs1htgV3okJKIdbHEpkgTmAluYKJemzn1M"
    });
    let key = PublicKey::from_jwk(&jwk).expect("the draft's key");
    let uri = "https://example.com/statuslists/1";
    let text = token("status_list/token.txt");
    let now = UnixSeconds(1_686_920_170);
    let verified =
        VerifiedStatusList::verify_with_key(&text, uri, now, &key).expect("the draft's token");
    assert_eq!(verified.issued_at, now);
    assert_eq!(verified.expires_at, Some(UnixSeconds(2_291_720_170)));
    assert_eq!(verified.ttl_seconds, Some(43_200));
    assert_eq!(verified.list.as_bytes(), [0xB9, 0xA3]);
    let code = |uri: &str, now: u64, key: &PublicKey| {
        VerifiedStatusList::verify_with_key(&text, uri, UnixSeconds(now), key)
            .map_err(StatusError::code)
            .err()
    };
    assert_eq!(code("https://example.com/statuslists/2", now.0, &key), Some("status_subject"));
    assert_eq!(code(uri, 2_291_720_170, &key), Some("status_stale"));
    assert_eq!(code(uri, now.0, &issuer()), Some("status_token"));

    let sd_jwt = SdJwt::parse(&token("status_list/referenced_sd_jwt.txt")).expect("published");
    let processed = sd_jwt.verify(&issuer(), "example+sd-jwt").expect("the RFC's signature");
    let reference = StatusReference::from_claim(&processed.claims.0["status"]);
    assert_eq!(reference, Some(StatusReference { uri: uri.to_owned(), index: 0 }));
    assert_eq!(
        reference.expect("just compared").to_claim(),
        document("status_list/referenced_payload.json")["status"]
    );
}
