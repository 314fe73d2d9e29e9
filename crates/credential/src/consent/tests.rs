use etibar_primitives::BlockTime;
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::*;
use crate::catalogue::Category;
use crate::jose::SoftwareKey;
use crate::sd_jwt::{self, KeyBinding, KeyBindingPolicy, Presentation};

const NOW: UnixSeconds = UnixSeconds(1_795_000_000);
const BANK: MemberId = MemberId(2);
const REGISTRAR: MemberId = MemberId(12);
const LABOUR: MemberId = MemberId(16);

fn bank_key() -> SoftwareKey {
    SoftwareKey::from_bytes(&[11; 32]).expect("a scalar below the order")
}

fn secret(number: u8) -> ConsentSecret {
    ConsentSecret::new([number; 32], [number + 100; 32])
}

fn query() -> Value {
    json!({"credentials": [
        {"id": "person", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:az:pid:1"]},
         "claims": [{"path": ["family_name"]}, {"path": ["birthdate"]}, {"path": ["address"]}]},
        {"id": "work", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:az:employment:1"]},
         "claims": [{"path": ["employer"]}, {"path": ["monthly_salary_qepik"]}]}
    ]})
}

fn provider(member: MemberId, name: &str, number: u8) -> Provider {
    Provider { member, name: name.to_owned(), rel: secret(number).rel() }
}

fn terms() -> Terms {
    Terms {
        id: OperationId(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef),
        consumer: Party { member: BANK, name: "Bank A (sample)".to_owned() },
        providers: vec![
            provider(REGISTRAR, "Ministry of Internal Affairs (sample)", 1),
            provider(LABOUR, "Ministry of Labour (sample)", 2),
        ],
        purpose: PurposeCode::LOAN_ASSESSMENT,
        dcql_query: query(),
        fetch: Fetch::Once,
        data_life_days: 90,
        starts: NOW,
        expires: NOW.saturating_add(30 * 86_400),
        language: Language::Az,
    }
}

fn drawn(change: impl FnOnce(&mut Terms)) -> Result<Artefact, &'static str> {
    let mut terms = terms();
    change(&mut terms);
    Artefact::draw_up(terms).map_err(|error| error.code())
}

fn signed() -> (Artefact, String) {
    let artefact = drawn(|_| ()).expect("good terms");
    let jws = artefact.sign(&bank_key()).expect("a key in memory");
    (artefact, jws)
}

#[test]
fn an_artefact_is_read_back_as_it_was_drawn_up() {
    let (artefact, jws) = signed();
    assert_eq!(Artefact::verify(&jws, &bank_key().public_key()), Ok(artefact));
    assert_eq!(chain(&jws), Ok((BANK, Vec::new())));
    let stranger = SoftwareKey::from_bytes(&[12; 32]).expect("a scalar below the order");
    let refused = Artefact::verify(&jws, &stranger.public_key()).unwrap_err();
    assert_eq!(refused.code(), "consent_signature");
}

#[test]
fn the_payload_holds_every_field_of_the_design_and_exactly_six_parts() {
    let (artefact, _) = signed();
    let payload = artefact.payload();
    let names: Vec<_> = payload.keys().map(String::as_str).collect();
    let mut expected = [
        "jti",
        "consumer",
        "providers",
        "purpose",
        "dcql_query",
        "scope",
        "fetch",
        "data_life_days",
        "nbf",
        "exp",
        "onward",
        "lawful_basis",
        "retention",
        "language",
        "parts",
        "text_hash",
    ];
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert_eq!(payload["onward"], json!(false));
    let parts = payload["parts"].as_object().expect("an object");
    let parts: Vec<_> = parts.keys().map(String::as_str).collect();
    assert_eq!(parts, ["data", "disposal", "person", "purpose", "recipient", "term"]);
}

#[test]
fn a_bank_that_signs_other_texts_than_its_terms_give_is_refused() {
    let (artefact, _) = signed();
    let refused = |change: &dyn Fn(&mut Map<String, Value>)| {
        let mut payload = artefact.payload();
        change(&mut payload);
        let jws = jose::sign(&bank_key(), ARTEFACT_TYP, Map::new(), &payload).expect("signs");
        Artefact::verify(&jws, &bank_key().public_key()).map(|_| ()).map_err(|error| error.code())
    };
    assert_eq!(refused(&|_| ()), Ok(()));
    let altered = Err("consent_altered");
    assert_eq!(refused(&|map| drop(map.insert("onward".into(), json!(true)))), altered);
    assert_eq!(refused(&|map| drop(map.insert("scope".into(), json!(1)))), altered);
    assert_eq!(refused(&|map| map["parts"]["data"] = json!("nothing")), altered);
    assert_eq!(refused(&|map| map["purpose"]["text"] = json!("fun")), altered);
    assert_eq!(refused(&|map| drop(map.insert("text_hash".into(), json!("AA")))), altered);
    assert_eq!(refused(&|map| drop(map.insert("more".into(), json!(1)))), altered);
    assert_eq!(refused(&|map| drop(map.remove("lawful_basis"))), altered);
    assert_eq!(refused(&|map| drop(map.remove("exp"))), Err("consent_malformed"));
    assert_eq!(refused(&|map| map["purpose"]["code"] = json!(1)), Err("exceeds_purpose"));
}

#[test]
fn terms_outside_the_rules_are_not_drawn_up() {
    let too_long = |terms: &mut Terms| terms.expires = NOW.saturating_add(90 * 86_400 + 1);
    assert_eq!(drawn(too_long).unwrap_err(), "consent_too_long");
    assert!(drawn(|terms| terms.expires = NOW.saturating_add(90 * 86_400)).is_ok());
    assert_eq!(drawn(|terms| terms.expires = NOW).unwrap_err(), "consent_too_long");
    let other = |terms: &mut Terms| terms.providers[0].member = MemberId(19);
    assert_eq!(drawn(other).unwrap_err(), "provider_without_data");
    let over_asking = |terms: &mut Terms| terms.purpose = PurposeCode::ACCOUNT_OPENING;
    assert_eq!(drawn(over_asking).unwrap_err(), "exceeds_purpose");
    let malformed = "consent_malformed";
    assert_eq!(drawn(|terms| terms.providers.clear()).unwrap_err(), malformed);
    let same_rel = |terms: &mut Terms| terms.providers[1].rel = terms.providers[0].rel;
    assert_eq!(drawn(same_rel).unwrap_err(), malformed);
    assert_eq!(drawn(|terms| terms.data_life_days = 0).unwrap_err(), malformed);
    let never = Fetch::Periodic { every_days: 0 };
    assert_eq!(drawn(|terms| terms.fetch = never).unwrap_err(), malformed);
    assert_eq!(drawn(|terms| terms.consumer.name = " ".into()).unwrap_err(), malformed);
    assert_eq!(drawn(|terms| terms.dcql_query = json!({})).unwrap_err(), "query_malformed");
}

// Golden: the text's hash is signed by people; a changed word is a changed consent.
#[test]
fn the_text_in_three_languages_is_the_one_people_signed() {
    let texts: Vec<_> = Language::ALL
        .into_iter()
        .map(|language| {
            let artefact = drawn(|terms| terms.language = language).expect("good terms");
            let text = artefact.text().canonical();
            assert!(!text.contains('{'), "{text}");
            text
        })
        .collect();
    assert_eq!(texts.join("\n"), include_str!("../../tests/golden/consent.txt"));
}

#[test]
fn the_ledger_sees_of_each_provider_only_what_it_issues() {
    let (artefact, jws) = signed();
    let grant = LedgerGrant::of(&artefact, &jws, LABOUR, &secret(2)).expect("its secret");
    let work: Scope = [Category::Employment, Category::Income].into_iter().collect();
    assert_eq!(grant.scope, work);
    assert!(artefact.scope_of(REGISTRAR).expect("named").contains(Category::Address));
    assert_eq!(artefact.scope_of(MemberId(25)).unwrap_err(), ConsentError::OtherProvider);
    let wrong = LedgerGrant::of(&artefact, &jws, LABOUR, &secret(1)).unwrap_err();
    assert_eq!(wrong, ConsentError::WrongSecret);
}

#[test]
fn rel_is_the_hash_of_the_secret_and_the_salt_hides_the_artefact() {
    let digest = jose::sha256(&[b"rel".as_slice(), &[1; 32]].concat());
    assert_eq!(secret(1).rel(), Digest(digest));
    let (_, jws) = signed();
    let salted = |salt| ConsentSecret::new([1; 32], [salt; 32]).commitment(&jws);
    assert_ne!(salted(1), salted(2));
    assert_eq!(format!("{:?}", secret(1)), "ConsentSecret(redacted)");
}

#[test]
fn a_consent_holds_only_as_the_ledger_records_it_and_only_in_its_time() {
    let (artefact, jws) = signed();
    let good = LedgerGrant::of(&artefact, &jws, LABOUR, &secret(2)).expect("its secret");
    let check = |ledger: LedgerGrant, now| {
        check_consent(artefact.clone(), &jws, LABOUR, &secret(2), &ledger, now)
            .map(|checked| (checked.rel(), checked.scope()))
            .map_err(|error| error.code())
    };
    assert_eq!(check(good, NOW), Ok((good.rel, good.scope)));
    let mismatch = Err("consent_not_on_ledger");
    assert_eq!(check(LedgerGrant { commitment: Digest([9; 32]), ..good }, NOW), mismatch);
    assert_eq!(check(LedgerGrant { rel: Digest([9; 32]), ..good }, NOW), mismatch);
    assert_eq!(check(LedgerGrant { consumer: MemberId(3), ..good }, NOW), mismatch);
    assert_eq!(check(LedgerGrant { provider: REGISTRAR, ..good }, NOW), mismatch);
    assert_eq!(check(LedgerGrant { scope: Scope(1), ..good }, NOW), mismatch);
    assert_eq!(check(LedgerGrant { purpose: PurposeCode(1), ..good }, NOW), mismatch);
    assert_eq!(check(LedgerGrant { expires: BlockTime(1), ..good }, NOW), mismatch);
    assert_eq!(check(LedgerGrant { revoked: true, ..good }, NOW), Err("consent_revoked"));
    let last = NOW.saturating_add(30 * 86_400 - 1);
    assert!(check(good, last).is_ok());
    assert_eq!(check(good, last.saturating_add(1)), Err("consent_expired"));
    assert_eq!(check(good, UnixSeconds(NOW.0 - 1)), Err("consent_not_started"));
}

#[test]
fn a_provider_gives_only_what_the_consent_covers() {
    let (artefact, _) = signed();
    let fetch = |member, vct: &str, claims: &[&[&str]]| {
        let claims: Vec<_> = claims.iter().map(|names| ClaimPath::of(names)).collect();
        artefact.check_fetch(member, vct, &claims, NOW).map_err(|error| error.code())
    };
    let not_covered = Err("consent_does_not_cover");
    assert_eq!(fetch(LABOUR, "urn:az:employment:1", &[&["employer"]]), Ok(()));
    assert_eq!(fetch(REGISTRAR, "urn:az:pid:1", &[&["address", "city"]]), Ok(()));
    assert_eq!(fetch(LABOUR, "urn:az:employment:1", &[&["employer"], &["position"]]), not_covered);
    assert_eq!(fetch(LABOUR, "urn:az:pid:1", &[]), not_covered);
    assert_eq!(fetch(REGISTRAR, "urn:az:pairwise:1", &[]), not_covered);
    let other = Err("consent_for_another_provider");
    assert_eq!(fetch(MemberId(15), "urn:az:taxpayer:1", &[]), other);
}

/// A PID of a synthetic person, presented with the given transactions.
fn presented(entries: &[String]) -> (String, SoftwareKey) {
    let issuer = SoftwareKey::from_bytes(&[21; 32]).expect("a scalar below the order");
    let holder = SoftwareKey::from_bytes(&[22; 32]).expect("a scalar below the order");
    let claims = json!({
        "vct": "urn:az:pid:1",
        "cnf": {"jwk": holder.public_key().to_jwk()},
        "family_name": "Nümunəyev",
    });
    let claims = claims.as_object().expect("an object").clone();
    let mut rng = StdRng::seed_from_u64(1);
    let name = [ClaimPath::of(&["family_name"])];
    let credential =
        sd_jwt::issue(&issuer, "dc+sd-jwt", claims, &name, 0, &mut rng).expect("issued");
    let binding = KeyBinding {
        nonce: "nonce",
        audience: "x509_hash:bank",
        issued_at: NOW,
        transaction_data: entries,
    };
    (credential.present(&name, &binding, &holder).expect("presented"), issuer)
}

fn person_agreed(jws: &str, signed: &[String], claimed: &[String]) -> Result<(), &'static str> {
    let (text, issuer) = presented(signed);
    let presentation = Presentation::parse(&text, "dc+sd-jwt").expect("a presentation");
    let processed = presentation.verify(&issuer.public_key()).expect("the issuer's");
    let policy = KeyBindingPolicy {
        nonce: "nonce",
        audience: "x509_hash:bank",
        now: NOW,
        age_seconds_max: 300,
        skew_seconds_max: 5,
        transaction_data: claimed,
    };
    check_person(jws, &presentation, &processed, &policy).map(|_| ()).map_err(|error| error.code())
}

#[test]
fn the_persons_key_binding_signs_this_consent_and_no_other() {
    let (_, jws) = signed();
    let entry = [transaction_entry(&jws, &["person", "work"])];
    let other = drawn(|terms| terms.data_life_days = 91).expect("good terms");
    let other = other.sign(&bank_key()).expect("a key in memory");
    let other_entry = [transaction_entry(&other, &["person"])];
    assert_eq!(person_agreed(&jws, &entry, &entry), Ok(()));
    let both = [other_entry[0].clone(), entry[0].clone()];
    assert_eq!(person_agreed(&jws, &both, &both), Ok(()));
    let unsigned = Err("consent_not_signed");
    assert_eq!(person_agreed(&jws, &other_entry, &other_entry), unsigned);
    assert_eq!(person_agreed(&jws, &[], &[]), unsigned);
    let not_theirs = Err("consent_person_signature");
    assert_eq!(person_agreed(&jws, &other_entry, &entry), not_theirs);
    assert_eq!(person_agreed(&jws, &[], &entry), not_theirs);
}

#[test]
fn an_entry_whose_hash_is_not_the_artefacts_is_none() {
    let (_, jws) = signed();
    let entry = transaction_entry(&jws, &["person"]);
    assert_eq!(TransactionEntry::parse(&entry).expect("ours").consent, jws);
    let changed = |name: &str, value: Value| {
        let mut json: Value = serde_json::from_slice(&jose::decode(&entry).unwrap()).unwrap();
        json[name] = value;
        TransactionEntry::parse(&jose::encode(json.to_string().as_bytes())).is_some()
    };
    assert!(changed("credential_ids", json!(["other"])));
    assert!(!changed("consent_hash", json!("AAAA")));
    assert!(!changed("consent", json!("a.b.c")));
    assert!(!changed("type", json!("payment")));
    assert!(!changed("transaction_data_hashes_alg", json!(["md5"])));
    assert!(!changed("more", json!(1)));
}

proptest! {
    #[test]
    fn any_changed_byte_of_an_artefact_is_refused(
        at in any::<prop::sample::Index>(), flip in 1_u8..128,
    ) {
        let (_, jws) = signed();
        let mut bytes = jws.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(changed) = String::from_utf8(bytes) {
            prop_assert!(Artefact::verify(&changed, &bank_key().public_key()).is_err());
        }
    }
}
