//! What must be refused: the rules of RFC 9901 §7.1 and §7.3, each with its own code, and laws that
//! hold for every credential.

use std::collections::BTreeSet;

use etibar_credential::UnixSeconds;
use etibar_credential::jose::{self, Signer as _, SoftwareKey, encode, sign, text_hash};
use etibar_credential::sd_jwt::{
    ClaimPath, DISCLOSURES_MAX, KeyBinding, KeyBindingPolicy, Presentation, SD_JWT_BYTES_MAX,
    SdJwt, conceal, issue,
};
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

const TYPE: &str = "dc+sd-jwt";
const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

fn key(seed: u8) -> SoftwareKey {
    SoftwareKey::from_bytes(&[seed; 32]).expect("a scalar below the order")
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

fn disclosure(content: &Value) -> String {
    encode(content.to_string().as_bytes())
}

/// An SD-JWT whose payload and disclosures are written by hand, signed by the issuer.
fn handmade(payload: &Value, disclosures: &[&str]) -> String {
    let jwt = sign(&key(1), TYPE, Map::new(), &object(payload)).expect("a key in memory");
    let mut text = format!("{jwt}~");
    for one in disclosures {
        text.push_str(one);
        text.push('~');
    }
    text
}

fn check(text: &str) -> Result<Value, &'static str> {
    let parsed = Presentation::parse(text, TYPE).map_err(|error| error.code())?;
    let processed = parsed.verify(&key(1).public_key()).map_err(|error| error.code())?;
    Ok(Value::Object(processed.claims.0))
}

/// A payload with the digests of `hidden` in `_sd`.
fn with_digests(hidden: &[&str]) -> Value {
    let digests: Vec<_> = hidden.iter().map(|one| text_hash(one)).collect();
    json!({ "iss": "https://issuer.example", "_sd": digests, "_sd_alg": "sha-256" })
}

fn header(header: &Value) -> String {
    let good = disclosure(&json!(["salt", "name", "value"]));
    let payload = with_digests(&[&good]).to_string();
    let input = format!("{}.{}", encode(header.to_string().as_bytes()), encode(payload.as_bytes()));
    let signature = key(1).sign(input.as_bytes()).expect("a key in memory");
    format!("{input}.{}~{good}~", encode(&signature))
}

#[test]
fn what_the_fourteen_cases_break_is_accepted_when_it_is_whole() {
    let good = disclosure(&json!(["salt", "name", "value"]));
    let expected = json!({ "iss": "https://issuer.example", "name": "value" });
    assert_eq!(check(&handmade(&with_digests(&[&good]), &[&good])), Ok(expected.clone()));
    assert_eq!(check(&header(&json!({ "alg": "ES256", "typ": TYPE }))), Ok(expected));
}

#[test]
fn case_01_an_algorithm_that_is_not_ours_is_refused_and_none_above_all() {
    for alg in ["none", "HS256", "ES384", "RS256"] {
        assert_eq!(check(&header(&json!({ "alg": alg, "typ": TYPE }))), Err("token_algorithm"));
    }
}

#[test]
fn case_02_a_signature_that_does_not_verify_is_refused() {
    let good = disclosure(&json!(["salt", "name", "value"]));
    let payload = object(&with_digests(&[&good]));
    let jwt = sign(&key(2), TYPE, Map::new(), &payload).expect("a key in memory");
    assert_eq!(check(&format!("{jwt}~{good}~")), Err("token_signature"));
}

#[test]
fn case_03_a_hash_algorithm_that_is_not_understood_is_refused() {
    let good = disclosure(&json!(["salt", "name", "value"]));
    for other in [json!("sha-512"), json!("md5"), json!(1), Value::Null] {
        let mut payload = with_digests(&[&good]);
        payload["_sd_alg"] = other;
        assert_eq!(check(&handmade(&payload, &[&good])), Err("hash_algorithm"));
    }
}

#[test]
fn case_04_digests_that_are_not_an_array_of_strings_are_refused() {
    for digests in [json!("x"), json!({}), json!([1]), json!([["x"]]), Value::Null] {
        let payload = json!({ "_sd": digests });
        assert_eq!(check(&handmade(&payload, &[])), Err("digest_malformed"));
    }
}

#[test]
fn case_05_an_element_digest_with_company_or_outside_an_array_is_refused() {
    for payload in [
        json!({ "list": [{ "...": "x", "more": 1 }] }),
        json!({ "list": [{ "...": 1 }] }),
        json!({ "...": "x" }),
        json!({ "inner": { "...": "x" } }),
    ] {
        assert_eq!(check(&handmade(&payload, &[])), Err("digest_malformed"), "{payload}");
    }
}

#[test]
fn case_06_a_disclosure_that_is_not_a_salted_array_is_refused() {
    for content in [
        json!(["salt"]),
        json!(["salt", "name", "value", "more"]),
        json!([]),
        json!({ "name": "value" }),
        json!([1, "name", "value"]),
        json!(["salt", 1, "value"]),
        json!("text"),
    ] {
        let bad = disclosure(&content);
        let text = handmade(&with_digests(&[&bad]), &[&bad]);
        assert_eq!(check(&text), Err("disclosure_malformed"), "{content}");
    }
    assert_eq!(check(&handmade(&with_digests(&["*"]), &["*"])), Err("disclosure_malformed"));
}

#[test]
fn case_07_a_member_disclosed_without_a_name_is_refused() {
    let element = disclosure(&json!(["salt", "value"]));
    let text = handmade(&with_digests(&[&element]), &[&element]);
    assert_eq!(check(&text), Err("disclosure_without_name"));
}

#[test]
fn case_08_a_disclosed_name_that_is_reserved_is_refused() {
    for name in ["_sd", "..."] {
        let bad = disclosure(&json!(["salt", name, ["x"]]));
        let text = handmade(&with_digests(&[&bad]), &[&bad]);
        assert_eq!(check(&text), Err("disclosure_reserved_name"));
    }
}

#[test]
fn case_09_a_disclosed_name_that_exists_already_is_refused() {
    let open = disclosure(&json!(["salt", "iss", "https://other.example"]));
    assert_eq!(check(&handmade(&with_digests(&[&open]), &[&open])), Err("disclosure_name_exists"));
    let (one, two) =
        (disclosure(&json!(["salt1", "name", 1])), disclosure(&json!(["salt2", "name", 2])));
    let text = handmade(&with_digests(&[&one, &two]), &[&one, &two]);
    assert_eq!(check(&text), Err("disclosure_name_exists"));
}

#[test]
fn case_10_an_element_disclosed_with_a_name_is_refused() {
    let member = disclosure(&json!(["salt", "name", "value"]));
    let payload = json!({ "list": [{ "...": text_hash(&member) }] });
    assert_eq!(check(&handmade(&payload, &[&member])), Err("disclosure_with_name"));
}

#[test]
fn case_11_a_digest_found_twice_is_refused_also_through_another_disclosure() {
    let good = disclosure(&json!(["salt", "name", "value"]));
    let twice = with_digests(&[&good, &good]);
    assert_eq!(check(&handmade(&twice, &[&good])), Err("digest_repeated"));
    // Nobody disclosed it, and it is repeated all the same.
    assert_eq!(check(&handmade(&twice, &[])), Err("digest_repeated"));
    let outer = disclosure(&json!(["salt", "outer", { "_sd": [text_hash(&good)] }]));
    let nested = handmade(&with_digests(&[&good, &outer]), &[&good, &outer]);
    assert_eq!(check(&nested), Err("digest_repeated"));
    let sent_twice = handmade(&with_digests(&[&good]), &[&good, &good]);
    assert_eq!(check(&sent_twice), Err("digest_repeated"));
}

#[test]
fn case_12_a_disclosure_that_no_digest_refers_to_is_refused() {
    let good = disclosure(&json!(["salt", "name", "value"]));
    let stray = disclosure(&json!(["salt", "stray", "value"]));
    let text = handmade(&with_digests(&[&good]), &[&good, &stray]);
    assert_eq!(check(&text), Err("disclosure_unreferenced"));
    // Its parent was not passed on, so nothing refers to it.
    let outer = disclosure(&json!(["salt", "outer", { "_sd": [text_hash(&good)] }]));
    let orphan = handmade(&with_digests(&[&outer]), &[&good]);
    assert_eq!(check(&orphan), Err("disclosure_unreferenced"));
}

#[test]
fn case_13_a_text_that_is_not_an_sd_jwt_is_refused() {
    let good = disclosure(&json!(["salt", "name", "value"]));
    let whole = handmade(&with_digests(&[&good]), &[&good]);
    let jwt = whole.split('~').next().expect("a token").to_owned();
    assert_eq!(check(&jwt), Err("sd_jwt_format"));
    assert_eq!(check(&format!("~{good}~")), Err("sd_jwt_format"));
    assert_eq!(check(&format!("{jwt}~~")), Err("sd_jwt_format"));
    assert_eq!(check(&format!("{jwt}~{good}~~")), Err("sd_jwt_format"));
    assert_eq!(check(&format!("{jwt}~{good}")), Err("key_binding_malformed"));
    let other_type = sign(&key(1), "jwt", Map::new(), &Map::new()).expect("a key in memory");
    assert_eq!(check(&format!("{other_type}~")), Err("token_type"));
}

#[test]
fn case_14_a_name_twice_a_fraction_and_a_claim_out_of_time_are_refused() {
    for content in [r#"["salt","name",{"a":1,"a":2}]"#, r#"["salt","name",1.5]"#] {
        let bad = encode(content.as_bytes());
        let text = handmade(&with_digests(&[&bad]), &[&bad]);
        assert_eq!(check(&text), Err("disclosure_malformed"), "{content}");
    }
    // Time and required claims (step 6) are the credential's rules: see tests/trust.rs.
}

fn claims() -> Map<String, Value> {
    object(&json!({
        "cnf": { "jwk": key(2).public_key().to_jwk() },
        "name": "A",
        "monthly_salary_qepik": 123_456,
        "address": { "city": "B", "street": { "name": "C", "number": 4 } },
        "nationalities": ["D", { "code": "E" }, ["F"]],
    }))
}

/// Members, nested members, a whole object over its members, elements.
fn paths() -> Vec<ClaimPath> {
    [
        json!(["name"]),
        json!(["monthly_salary_qepik"]),
        json!(["address"]),
        json!(["address", "city"]),
        json!(["address", "street", "number"]),
        json!(["nationalities", null]),
        json!(["nationalities", 1, "code"]),
    ]
    .iter()
    .map(|path| ClaimPath::from_json(path).expect("a path"))
    .collect()
}

fn issued(decoys: usize) -> SdJwt {
    let mut rng = StdRng::seed_from_u64(7);
    issue(&key(1), TYPE, claims(), &paths(), decoys, &mut rng).expect("issuable claims")
}

fn binding(data: &[String]) -> KeyBinding<'_> {
    KeyBinding { nonce: "n-1", audience: "verifier", issued_at: NOW, transaction_data: data }
}

fn policy(data: &[String]) -> KeyBindingPolicy<'_> {
    KeyBindingPolicy {
        nonce: "n-1",
        audience: "verifier",
        now: NOW,
        age_seconds_max: 60,
        skew_seconds_max: 5,
        transaction_data: data,
    }
}

fn check_bound(text: &str, policy: &KeyBindingPolicy<'_>) -> Result<Value, &'static str> {
    let parsed = Presentation::parse(text, TYPE).map_err(|error| error.code())?;
    let processed = parsed.verify(&key(1).public_key()).map_err(|error| error.code())?;
    let proof = parsed.verify_key_binding(&processed, policy).map_err(|error| error.code())?;
    assert_eq!(proof.holder, key(2).public_key());
    Ok(Value::Object(processed.claims.0))
}

#[test]
fn a_key_binding_that_is_missing_foreign_stale_or_for_another_question_is_refused() {
    let data = vec![encode(b"{\"type\":\"consent\"}")];
    let sd_jwt = issued(2);
    let whole = sd_jwt.present(&paths(), &binding(&data), &key(2)).expect("the holder's key");
    assert!(check_bound(&whole, &policy(&data)).is_ok());
    let unbound = sd_jwt.to_string();
    assert_eq!(check_bound(&unbound, &policy(&data)), Err("key_binding_missing"));
    let foreign = sd_jwt.present(&paths(), &binding(&data), &key(3)).expect("a key");
    assert_eq!(check_bound(&foreign, &policy(&data)), Err("key_binding_signature"));
    let code = |policy: KeyBindingPolicy<'_>| check_bound(&whole, &policy).err();
    assert_eq!(code(KeyBindingPolicy { nonce: "n-2", ..policy(&data) }), Some("wrong_nonce"));
    let other = KeyBindingPolicy { audience: "other", ..policy(&data) };
    assert_eq!(code(other), Some("wrong_audience"));
    let at = |seconds| KeyBindingPolicy { now: UnixSeconds(seconds), ..policy(&data) };
    assert_eq!(code(at(NOW.0 + 60)), None);
    assert_eq!(code(at(NOW.0 + 61)), Some("key_binding_stale"));
    assert_eq!(code(at(NOW.0 - 5)), None);
    assert_eq!(code(at(NOW.0 - 6)), Some("key_binding_from_future"));
    assert_eq!(code(policy(&[])), Some("wrong_transaction_data"));
    let more = vec![data[0].clone(), data[0].clone()];
    assert_eq!(code(policy(&more)), Some("wrong_transaction_data"));
    // One disclosure less than the holder signed for.
    let (shown, bound) = whole.rsplit_once('~').expect("a key binding");
    let (fewer, _) = shown.rsplit_once('~').expect("a disclosure");
    let cut = format!("{fewer}~{bound}");
    assert!(matches!(check_bound(&cut, &policy(&data)), Err("wrong_sd_hash")));
}

/// RFC 9901 §7.3 step 5: type and algorithm of the key-binding JWT, each of its claims.
#[test]
fn a_key_binding_of_another_type_or_algorithm_or_without_one_of_its_claims_is_refused() {
    let issued = issued(0).to_string();
    let good = json!({
        "nonce": "n-1", "aud": "verifier", "iat": NOW.0, "sd_hash": text_hash(&issued),
    });
    let made = |header: &Value, payload: &Value| {
        let part = |value: &Value| encode(value.to_string().as_bytes());
        let input = format!("{}.{}", part(header), part(payload));
        let signature = key(2).sign(input.as_bytes()).expect("a key in memory");
        let text = format!("{issued}{input}.{}", encode(&signature));
        check_bound(&text, &policy(&[])).err()
    };
    let header = json!({ "alg": "ES256", "typ": "kb+jwt" });
    assert_eq!(made(&header, &good), None);
    for (name, value) in [("typ", "jwt"), ("typ", "dc+sd-jwt"), ("alg", "none"), ("alg", "HS256")] {
        let mut other = header.clone();
        other[name] = json!(value);
        assert_eq!(made(&other, &good), Some("key_binding_malformed"), "{name} {value}");
    }
    let without = [
        ("nonce", "wrong_nonce"),
        ("aud", "wrong_audience"),
        ("iat", "key_binding_stale"),
        ("sd_hash", "wrong_sd_hash"),
    ];
    for (name, code) in without {
        let mut less = good.clone();
        less.as_object_mut().expect("an object").remove(name);
        assert_eq!(made(&header, &less), Some(code), "{name}");
    }
}

/// RFC 9901 §7.2: what an issuer gives a holder is not yet bound.
#[test]
fn a_holder_refuses_a_credential_that_comes_with_a_key_binding() {
    let bound = issued(0).present(&[], &binding(&[]), &key(2)).expect("the holder's key");
    assert_eq!(
        SdJwt::parse(&bound).map_err(|error| error.code()).err(),
        Some("key_binding_unexpected")
    );
}

/// RFC 9901 §7.1 step 3.f: an object whose members were all withheld is left as an empty one.
#[test]
fn an_object_whose_members_are_all_withheld_stays_as_an_empty_object() {
    let hidden = disclosure(&json!(["salt", "city", "B"]));
    let payload = json!({ "address": { "_sd": [text_hash(&hidden)] }, "list": [{ "...": "x" }] });
    assert_eq!(check(&handmade(&payload, &[])), Ok(json!({ "address": {}, "list": [] })));
}

#[test]
fn a_credential_without_a_holder_key_cannot_be_bound() {
    let mut open = claims();
    open.remove("cnf");
    let mut rng = StdRng::seed_from_u64(1);
    let sd_jwt = issue(&key(1), TYPE, open, &[], 0, &mut rng).expect("issuable claims");
    let bound = sd_jwt.bind(&binding(&[]), &key(2)).expect("the holder's key");
    assert_eq!(check_bound(&bound, &policy(&[])), Err("holder_key_missing"));
}

#[test]
fn the_issuer_refuses_claims_it_could_not_stand_for() {
    let refuse = |claims: Value, path: &[&str]| {
        let mut rng = StdRng::seed_from_u64(1);
        let paths = if path.is_empty() { vec![] } else { vec![ClaimPath::of(path)] };
        conceal(object(&claims), &paths, 0, &mut rng).map_err(|error| error.code()).err()
    };
    assert_eq!(refuse(json!({ "a": 1.5 }), &[]), Some("claims_not_issuable"));
    assert_eq!(refuse(json!({ "a": { "_sd": [] } }), &[]), Some("claims_not_issuable"));
    assert_eq!(refuse(json!({ "a": [{ "...": 1 }] }), &[]), Some("claims_not_issuable"));
    assert_eq!(refuse(json!({ "_sd_alg": "x" }), &[]), Some("claims_not_issuable"));
    assert_eq!(refuse(json!({ "a": { "_sd_alg": "x" } }), &[]), Some("claims_not_issuable"));
    assert_eq!(refuse(json!({ "address": 1 }), &["adress"]), Some("path_not_found"));
    assert_eq!(refuse(json!({ "address": 1 }), &["address"]), None);
}

#[test]
fn decoys_hide_how_many_claims_there_are_and_order_tells_nothing() {
    let plain = issued(0);
    let hidden = issued(3);
    assert_eq!(plain.disclosures().len(), hidden.disclosures().len());
    let count = |sd_jwt: &SdJwt| {
        let payload = sd_jwt.jwt().split('.').nth(1).and_then(jose::decode).expect("base64url");
        let payload: Value = serde_json::from_slice(&payload).expect("JSON");
        let digests = payload["_sd"].as_array().expect("digests").clone();
        let mut sorted = digests.clone();
        sorted.sort_by_key(|digest| digest.as_str().map(str::to_owned));
        assert_eq!(digests, sorted);
        (digests.len(), payload["nationalities"].as_array().expect("an array").len())
    };
    assert_eq!(count(&plain), (3, 3));
    assert_eq!(count(&hidden), (6, 6));
    let all = Value::Object(claims());
    assert_eq!(check(&plain.to_string()), Ok(all.clone()));
    assert_eq!(check(&hidden.to_string()), Ok(all));
}

#[test]
fn sizes_are_refused_one_past_their_limit() {
    let digest_of = |count: usize| -> (Value, Vec<String>) {
        let made: Vec<_> =
            (0..count).map(|at| disclosure(&json!(["salt", format!("n{at}"), at]))).collect();
        let names: Vec<_> = made.iter().map(String::as_str).collect();
        (with_digests(&names), made)
    };
    let check_count = |count: usize| {
        let (payload, made) = digest_of(count);
        let names: Vec<_> = made.iter().map(String::as_str).collect();
        check(&handmade(&payload, &names)).map(|_| ())
    };
    assert_eq!(check_count(DISCLOSURES_MAX), Ok(()));
    assert_eq!(check_count(DISCLOSURES_MAX + 1), Err("sd_jwt_too_large"));
    assert_eq!(check(&"~".repeat(SD_JWT_BYTES_MAX + 1)), Err("sd_jwt_too_large"));
}

/// The texts and numbers in `value`: each stands once in [`claims`].
fn leaves(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(members) => members.values().flat_map(leaves).collect(),
        Value::Array(items) => items.iter().flat_map(leaves).collect(),
        plain => BTreeSet::from([plain.to_string()]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_changed_character_of_a_presentation_is_refused(at in any::<usize>(), with in 0_u8..128) {
        let whole = issued(1).present(&paths(), &binding(&[]), &key(2)).expect("a key");
        let mut changed = whole.into_bytes();
        let at = at % changed.len();
        prop_assume!(changed[at] != with);
        changed[at] = with;
        let changed = String::from_utf8(changed).expect("ASCII");
        prop_assert!(check_bound(&changed, &policy(&[])).is_err());
    }

    #[test]
    fn any_subset_of_the_claims_verifies_and_shows_no_other(mask in 0_u8..128) {
        let wanted: Vec<_> =
            (0..).zip(paths()).filter(|(bit, _)| mask & (1 << bit) != 0).map(|(_, p)| p).collect();
        let text = issued(1).present(&wanted, &binding(&[]), &key(2)).expect("a key");
        let shown = check_bound(&text, &policy(&[])).expect("a subset verifies");
        let (all, shown) = (Value::Object(claims()), leaves(&shown));
        for (bit, path) in (0..).zip(paths()) {
            let values: BTreeSet<_> = path.select(&all).into_iter().flat_map(leaves).collect();
            let touches =
                |other: &ClaimPath| path.meets(other.steps()) || other.meets(path.steps());
            if mask & (1 << bit) != 0 {
                prop_assert!(values.is_subset(&shown), "{} is missing", path);
            } else if !wanted.iter().any(touches) {
                prop_assert!(values.is_disjoint(&shown), "{} shows", path);
            }
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "[A-Za-z0-9~._-]{0,300}") {
        prop_assert!(check(&text).is_err());
    }
}
