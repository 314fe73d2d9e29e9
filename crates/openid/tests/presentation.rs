//! OpenID4VP between our verifier and our holder, in memory, and each way to get it wrong.

mod world;

use std::collections::BTreeMap;

use etibar_credential::{
    UnixSeconds,
    catalogue::{Language, PurposeCode, RELYING_PARTY_TYPE},
    consent::{
        Artefact, Fetch, Party as Member, Provider, Terms as ConsentTerms, transaction_entry,
    },
    jose::{self, Signer, SoftwareKey},
    sd_jwt::{ClaimPath, KeyBinding, SdJwt},
    status_list::VerifiedStatusList,
    trust::TrustRegistry,
};
use etibar_openid::{
    MemoryGrants,
    dcql::{Candidate, CredentialQuery, Query, dotted},
    http::{Answer, Form, Request},
    jwe::{self, Encryption},
    vp::{
        RequestReference,
        holder::{CheckedRequest, Choice, PresentError, check_request, fetch},
        verifier::{Ask, Opened, Response, Terms, Verifier},
    },
};
use etibar_primitives::{BlockTime, Digest, MemberId, OperationId};
use futures::executor::block_on;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use world::{NOW, PID, Party, entropy, key, later, party, pid, registered};

const BANK: &str = "https://bank.example";
const REGISTRAR: &str = "https://registrar.example";
const WALLET_NONCE: &str = "a nonce of the wallet";
const TERMS: Terms = Terms { level_min: None, status_age_max_s: 600, allows_no_status: true };

struct Scene {
    verifier: Verifier,
    grants: MemoryGrants,
    bank: Party,
    registry: TrustRegistry,
    holder: SoftwareKey,
    credential: SdJwt,
}

impl Scene {
    fn new() -> Self {
        let (bank, registrar) = (party(21, BANK), party(31, REGISTRAR));
        let registry = TrustRegistry::new([
            registered(2, RELYING_PARTY_TYPE, &bank),
            registered(12, PID, &registrar),
        ]);
        let holder = key(41);
        Self {
            verifier: Verifier { base_url: BANK.to_owned(), request_life_s: 600 },
            grants: MemoryGrants::new(100),
            credential: pid(&registrar.signer, REGISTRAR, &holder),
            bank,
            registry,
            holder,
        }
    }

    fn ask(&self, ask: Ask) -> (String, RequestReference) {
        let asked =
            block_on(self.verifier.ask(&self.grants, &self.bank.signer, ask, NOW, &entropy()));
        let asked = asked.expect("a request");
        let link = asked.reference.to_uri();
        (asked.id, RequestReference::parse(&link).expect("a link"))
    }

    fn object(&self, id: &str) -> Result<String, &'static str> {
        let (grants, signer) = (&self.grants, &self.bank.signer);
        let object = self.verifier.request_object(grants, signer, id, Some(WALLET_NONCE), NOW);
        block_on(object).map(|object| object.0).map_err(|error| error.oauth().code)
    }

    fn check(
        &self,
        jws: &str,
        reference: &RequestReference,
    ) -> Result<CheckedRequest, &'static str> {
        check_request(jws, reference, WALLET_NONCE, &self.registry, NOW)
            .map_err(|error| error.code())
    }

    /// A request that the wallet has checked.
    fn asked(&self, ask: Ask) -> (String, CheckedRequest) {
        let (id, reference) = self.ask(ask);
        let jws = self.object(&id).expect("a request object");
        (id, self.check(&jws, &reference).expect("a good request"))
    }

    fn present(&self, request: &CheckedRequest) -> Request {
        let disclose: Vec<ClaimPath> = wanted(request);
        let choice = self.choice(&disclose);
        request.present(&[choice], NOW, &entropy()).expect("an answer")
    }

    fn choice<'a>(&'a self, disclose: &'a [ClaimPath]) -> Choice<'a> {
        Choice { query: "pid", credential: &self.credential, disclose, holder: &self.holder }
    }

    fn respond(&self, id: &str, body: &[u8], now: BlockTime) -> Result<Response, &'static str> {
        block_on(self.verifier.response(&self.grants, id, body, now))
            .map_err(|error| error.oauth().code)
    }

    fn opened(&self, id: &str, request: &Request) -> Opened {
        match self.respond(id, &request.body, NOW) {
            Ok(Response::Presented(opened)) => *opened,
            other => panic!("expected presentations, not {other:?}"),
        }
    }

    fn verify(&self, opened: &Opened) -> Result<BTreeMap<String, usize>, &'static str> {
        let lists = BTreeMap::<String, VerifiedStatusList>::new();
        let verified = opened.verify(&self.registry, &lists, TERMS, NOW);
        let verified = verified.map_err(|error| error.code())?;
        Ok(verified.into_iter().map(|(id, credentials)| (id, credentials.len())).collect())
    }

    /// An answer that our holder would not make: this `vp_token` under this state.
    fn forged(request: &CheckedRequest, vp_token: &Value, state: Option<&str>) -> Vec<u8> {
        let key = &request.claims().client_metadata["jwks"]["keys"][0];
        let state = state.or(request.claims().state.as_deref());
        let plain = serde_json::to_vec(&json!({ "vp_token": vp_token, "state": state }));
        let plain = plain.expect("JSON");
        let sealed = jwe::seal(&plain, key, Encryption::A128Gcm, &entropy()).expect("a key");
        Form::render(&[("response", &sealed)]).into_bytes()
    }

    /// A presentation of the PID with any binding.
    fn bound(&self, paths: &[&str], nonce: &str, audience: &str, at: BlockTime) -> String {
        let paths: Vec<_> = paths.iter().map(|path| dotted(path)).collect();
        let issued_at = UnixSeconds::from(at);
        let binding = KeyBinding { nonce, audience, issued_at, transaction_data: &[] };
        self.credential.present(&paths, &binding, &self.holder).expect("a presentation")
    }

    /// What becomes of a presentation of the PID that our holder would not make.
    fn outcome(
        &self,
        make: impl FnOnce(&CheckedRequest) -> String,
    ) -> Result<BTreeMap<String, usize>, &'static str> {
        let (id, request) = self.asked(ask(&["family_name", "birthdate"]));
        let body = Self::forged(&request, &json!({ "pid": [make(&request)] }), None);
        match self.respond(&id, &body, NOW)? {
            Response::Presented(opened) => self.verify(&opened),
            Response::Declined { .. } => Err("declined"),
        }
    }
}

fn query(paths: &[&str]) -> Query {
    let paths = paths.iter().map(|path| dotted(path));
    Query { credentials: vec![CredentialQuery::new("pid", PID, paths)], credential_sets: None }
}

fn ask(paths: &[&str]) -> Ask {
    Ask {
        query: query(paths),
        purpose: PurposeCode::ACCOUNT_OPENING,
        transaction_data: Vec::new(),
        redirect_uri: None,
    }
}

fn wanted(request: &CheckedRequest) -> Vec<ClaimPath> {
    let claims = request.claims().dcql_query.credentials[0].claims.clone().unwrap_or_default();
    claims.into_iter().map(|claim| claim.path).collect()
}

fn consent(bank: &Party, paths: &[&str]) -> String {
    let terms = ConsentTerms {
        id: OperationId(7),
        consumer: Member { member: MemberId(2), name: "Bank (sample)".to_owned() },
        providers: vec![Provider {
            member: MemberId(12),
            name: "Ministry of Internal Affairs (sample)".to_owned(),
            rel: Digest([5; 32]),
        }],
        purpose: PurposeCode::ACCOUNT_OPENING,
        dcql_query: serde_json::to_value(query(paths)).expect("JSON"),
        fetch: Fetch::Once,
        data_life_days: 30,
        starts: UnixSeconds::from(NOW),
        expires: UnixSeconds::from(later(86_400)),
        language: Language::Az,
    };
    let artefact = Artefact::draw_up(terms).map_err(|error| error.code()).expect("a consent");
    artefact.sign(&bank.signer).expect("a signature")
}

#[test]
fn one_answer_presents_what_was_asked_and_signs_the_consent() {
    let scene = Scene::new();
    let paths = ["family_name", "address.city"];
    let artefact = consent(&scene.bank, &paths);
    let entry = transaction_entry(&artefact, &["pid"]);
    let redirect = format!("{BANK}/done");
    let mut ask = ask(&paths);
    ask.transaction_data = vec![entry.clone()];
    ask.redirect_uri = Some(redirect.clone());
    let (id, request) = scene.asked(ask);

    assert_eq!(request.verifier(), MemberId(2));
    assert_eq!(request.consents()[0].consent, artefact);
    assert!(request.check_purpose(PurposeCode::ACCOUNT_OPENING).is_ok());
    let held = scene.credential.read().expect("our own credential").claims;
    let claims = Value::Object(held.0);
    let found = request.evaluate(&[Candidate { vct: PID, claims: &claims }]);
    assert_eq!(found.answer, Some(vec!["pid".to_owned()]));
    let disclose = &found.credentials[0].matches[0].disclose;
    let answer = request.present(&[scene.choice(disclose)], NOW, &entropy()).expect("an answer");
    assert_eq!(answer.url, request.claims().response_uri);

    let opened = scene.opened(&id, &answer);
    assert_eq!(opened.transaction_data_of("pid"), Ok(vec![entry]));
    let lists = BTreeMap::<String, VerifiedStatusList>::new();
    let verified = opened.verify(&scene.registry, &lists, TERMS, NOW).expect("good");
    let claims = &verified["pid"][0].claims.0;
    assert_eq!(claims["family_name"], "Sample");
    assert_eq!(claims["address"], json!({ "city": "Bakı" }));
    assert!(!claims.contains_key("birthdate"));
    assert_eq!(request.finish(&opened.answer()), Ok(Some(redirect)));
}

#[test]
fn a_request_is_answered_once_and_in_its_time() {
    let scene = Scene::new();
    let (id, request) = scene.asked(ask(&["family_name"]));
    let answer = scene.present(&request);
    assert_eq!(scene.respond("another", &answer.body, NOW).unwrap_err(), "request_unknown");
    assert_eq!(scene.respond(&id, &answer.body, later(600)).unwrap_err(), "request_unknown");
    scene.opened(&id, &answer);
    assert_eq!(scene.respond(&id, &answer.body, NOW).unwrap_err(), "answer_replayed");
    assert_eq!(scene.object(&id), Err("request_answered"));
    assert_eq!(scene.object("another"), Err("request_unknown"));
}

#[test]
fn an_unreadable_answer_leaves_the_request_open() {
    let scene = Scene::new();
    let (id, request) = scene.asked(ask(&["family_name"]));
    let refused = |body: &[u8]| scene.respond(&id, body, NOW).unwrap_err();
    assert_eq!(refused(b"response=abc"), "jwe_malformed");
    assert_eq!(refused(b"other=abc"), "answer_malformed");
    let token = json!({ "pid": ["x"] });
    assert_eq!(refused(&Scene::forged(&request, &token, Some("guess"))), "answer_state");
    assert_eq!(
        refused(&Scene::forged(&request, &json!({ "kyc": ["x"] }), None)),
        "answer_not_asked"
    );
    let two = json!({ "pid": ["x", "y"] });
    assert_eq!(refused(&Scene::forged(&request, &two, None)), "answer_not_asked");
    assert_eq!(refused(&Scene::forged(&request, &json!({}), None)), "credential_missing");
    assert_eq!(refused(b"error=access_denied&state=guess"), "answer_state");
    let (_, other) = scene.asked(ask(&["family_name"]));
    assert_eq!(refused(&scene.present(&other).body), "jwe_recipient");
    assert_eq!(scene.verify(&scene.opened(&id, &scene.present(&request))).map(|v| v.len()), Ok(1));
}

#[test]
fn a_person_may_decline() {
    let scene = Scene::new();
    let (id, request) = scene.asked(ask(&["family_name"]));
    let response = scene.respond(&id, &request.decline().body, NOW);
    assert!(matches!(response, Ok(Response::Declined { error, .. }) if error == "access_denied"));
    let late = scene.present(&request);
    assert_eq!(scene.respond(&id, &late.body, NOW).unwrap_err(), "answer_replayed");
}

#[test]
fn each_wrong_presentation_is_refused_with_its_own_code() {
    let scene = Scene::new();
    let both = ["family_name", "birthdate"];
    let nonce = |request: &CheckedRequest| request.claims().nonce.clone();
    let client = |request: &CheckedRequest| request.claims().client_id.clone();
    let good = scene.outcome(|r| scene.bound(&both, &nonce(r), &client(r), NOW));
    assert_eq!(good, Ok(BTreeMap::from([("pid".to_owned(), 1)])));
    let wrong = |result: Result<_, &'static str>| result.unwrap_err();
    let result = scene.outcome(|r| scene.bound(&both, "another", &client(r), NOW));
    assert_eq!(wrong(result), "wrong_nonce");
    let result = scene.outcome(|r| scene.bound(&both, &nonce(r), "x509_hash:other", NOW));
    assert_eq!(wrong(result), "wrong_audience");
    let old = BlockTime(NOW.0 - 301_000);
    let result = scene.outcome(|r| scene.bound(&both, &nonce(r), &client(r), old));
    assert_eq!(wrong(result), "key_binding_stale");
    let result = scene.outcome(|r| scene.bound(&["family_name"], &nonce(r), &client(r), NOW));
    assert_eq!(wrong(result), "claim_missing");
    let more = ["family_name", "birthdate", "given_name"];
    let result = scene.outcome(|r| scene.bound(&more, &nonce(r), &client(r), NOW));
    assert_eq!(wrong(result), "disclosed_too_much");
    let result = scene.outcome(|_| scene.credential.to_string());
    assert_eq!(wrong(result), "key_binding_missing");
    let forger = party(51, REGISTRAR);
    let fake = pid(&forger.signer, REGISTRAR, &scene.holder);
    let mut other = Scene { credential: fake, ..Scene::new() };
    let result = other.outcome(|r| other.bound(&both, &nonce(r), &client(r), NOW));
    assert_eq!(wrong(result), "foreign_issuer");
    other = Scene { holder: key(77), ..Scene::new() };
    let result = other.outcome(|r| other.bound(&both, &nonce(r), &client(r), NOW));
    assert_eq!(wrong(result), "key_binding_signature");
}

#[test]
fn an_answer_that_does_not_sign_the_consent_is_refused() {
    let scene = Scene::new();
    let mut ask = ask(&["family_name"]);
    let artefact = consent(&scene.bank, &["family_name"]);
    ask.transaction_data = vec![transaction_entry(&artefact, &["pid"])];
    let (id, request) = scene.asked(ask);
    let claims = request.claims();
    let unsigned = scene.bound(&["family_name"], &claims.nonce, &claims.client_id, NOW);
    let body = Scene::forged(&request, &json!({ "pid": [unsigned] }), None);
    let Ok(Response::Presented(opened)) = scene.respond(&id, &body, NOW) else { panic!("none") };
    assert_eq!(scene.verify(&opened), Err("wrong_transaction_data"));
}

#[test]
fn over_asking_is_refused_by_the_verifier_and_by_the_wallet() {
    let scene = Scene::new();
    let mut broad = ask(&["family_name", "address.city"]);
    let sign_in = PurposeCode::AGENCY_SIGN_IN;
    broad.purpose = sign_in;
    let (grants, signer) = (&scene.grants, &scene.bank.signer);
    let fresh = entropy();
    let refused = block_on(scene.verifier.ask(grants, signer, broad, NOW, &fresh));
    assert_eq!(refused.unwrap_err().code(), "exceeds_purpose");
    let (_, request) = scene.asked(ask(&["family_name", "address.city"]));
    let refused = request.check_purpose(sign_in).map_err(|error| error.code());
    assert_eq!(refused.unwrap_err(), "exceeds_purpose");
    let mut unsignable = ask(&["family_name"]);
    unsignable.transaction_data = vec![transaction_entry("x", &["another"])];
    let refused = block_on(scene.verifier.ask(grants, signer, unsignable, NOW, &fresh));
    assert_eq!(refused.unwrap_err().code(), "transaction_data_unsignable");
}

#[test]
fn each_wrong_request_is_refused_with_its_own_code() {
    let scene = Scene::new();
    let (id, reference) = scene.ask(ask(&["family_name"]));
    let jws = scene.object(&id).expect("a request object");
    let payload = jws.split('.').nth(1).and_then(jose::decode).expect("three parts");
    let good: Map<String, Value> = serde_json::from_slice(&payload).expect("JSON");
    let sign = |signer: &dyn Signer, typ: &str, change: &dyn Fn(&mut Map<String, Value>)| {
        let mut claims = good.clone();
        change(&mut claims);
        jose::sign(signer, typ, Map::new(), &claims).expect("a signature")
    };
    let typ = "oauth-authz-req+jwt";
    let set = |name: &'static str, value: Value| {
        let jws = sign(&scene.bank.signer, typ, &|claims| {
            claims.insert(name.to_owned(), value.clone());
        });
        scene.check(&jws, &reference).map_or_else(|code| code, |_| "accepted")
    };
    assert_eq!(set("iat", good["iat"].clone()), "accepted");
    assert_eq!(set("response_mode", json!("direct_post")), "response_mode_unencrypted");
    assert_eq!(set("response_type", json!("code")), "request_malformed");
    assert_eq!(set("aud", json!("https://another.example")), "request_malformed");
    assert_eq!(set("nonce", json!("")), "request_malformed");
    for elsewhere in
        ["https://other.example/x", "http://bank.example/x", "https://bank.example.other.example/"]
    {
        assert_eq!(set("response_uri", json!(elsewhere)), "response_uri_foreign");
    }
    assert_eq!(set("exp", json!(NOW.0 / 1_000)), "request_expired");
    assert_eq!(set("iat", json!(NOW.0 / 1_000 + 31)), "request_not_yet_valid");
    assert_eq!(set("exp", json!(NOW.0 / 1_000 + 3_601)), "request_not_yet_valid");
    assert_eq!(set("wallet_nonce", json!("another")), "wallet_nonce_mismatch");
    assert_eq!(set("client_id", json!("x509_hash:other")), "client_id_foreign");
    assert_eq!(set("transaction_data", json!(["e30"])), "transaction_data_unreadable");
    assert_eq!(set("client_metadata", json!({})), "request_encryption_key");
    let empty = json!({ "credentials": [] });
    assert_eq!(set("dcql_query", empty), "dcql_limit");

    let unchanged: &dyn Fn(&mut Map<String, Value>) = &|_| {};
    let wrong = |jws: &str, reference| scene.check(jws, reference).map(|_| ()).unwrap_err();
    let foreign = party(61, BANK);
    let jws = sign(&foreign.signer, typ, unchanged);
    assert_eq!(wrong(&jws, &reference), "foreign_issuer");
    let jws = sign(&scene.bank.signer, "JWT", unchanged);
    assert_eq!(wrong(&jws, &reference), "token_type");
    let other = RequestReference { client_id: "x509_hash:other".into(), ..reference.clone() };
    assert_eq!(wrong(&sign(&scene.bank.signer, typ, unchanged), &other), "client_id_foreign");
    let only_issuer = TrustRegistry::new([registered(2, PID, &scene.bank)]);
    let scene = Scene { registry: only_issuer, ..scene };
    let jws = scene.object(&id).expect("a request object");
    assert_eq!(scene.check(&jws, &reference).map(|_| ()).unwrap_err(), "type_not_allowed");
}

#[test]
fn a_wallet_does_not_answer_what_it_cannot() {
    let scene = Scene::new();
    let (_, request) = scene.asked(ask(&["family_name"]));
    let none = request.present(&[], NOW, &entropy());
    assert_eq!(none.unwrap_err().code(), "answer_incomplete");
    let other = Choice { query: "kyc", ..scene.choice(&[]) };
    let both = request.present(&[scene.choice(&[]), other], NOW, &entropy());
    assert_eq!(both.unwrap_err().code(), "answer_incomplete");
    let refused = Answer::json(400, &json!({ "error_description": "answer_replayed" }));
    let code = Some("answer_replayed".to_owned());
    assert_eq!(request.finish(&refused), Err(PresentError::Refused { status: 400, code }));
}

#[test]
fn a_request_object_is_fetched_with_the_wallets_nonce() {
    let scene = Scene::new();
    let (_, reference) = scene.ask(ask(&["family_name"]));
    let request = fetch(&reference, WALLET_NONCE);
    assert_eq!(request.method, "POST");
    assert_eq!(Verifier::wallet_nonce(&request.body).as_deref(), Some(WALLET_NONCE));
    assert!(RequestReference::parse("openid4vp://?client_id=x").is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_altered_character_of_a_request_or_an_answer_is_refused(
        at in any::<prop::sample::Index>(),
        with in "[A-Za-z0-9_.-]",
    ) {
        let scene = Scene::new();
        let (id, reference) = scene.ask(ask(&["family_name"]));
        let jws = scene.object(&id).expect("a request object");
        let place = at.index(jws.len());
        let mut altered = jws.clone();
        altered.replace_range(place..=place, &with);
        prop_assert_eq!(scene.check(&altered, &reference).is_ok(), altered == jws);

        let request = scene.check(&jws, &reference).expect("a good request");
        let body = String::from_utf8(scene.present(&request).body).expect("a form");
        let start = "response=".len();
        let place = start + at.index(body.len() - start);
        let mut altered = body.clone();
        altered.replace_range(place..=place, &with);
        prop_assume!(altered != body);
        prop_assert!(scene.respond(&id, altered.as_bytes(), NOW).is_err());
        prop_assert!(scene.respond(&id, body.as_bytes(), NOW).is_ok());
    }
}
