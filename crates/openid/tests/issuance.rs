//! OpenID4VCI between our issuer and our holder, in memory, and each way to get it wrong.

mod world;

use std::collections::BTreeMap;

use etibar_credential::{
    jose::{Signer, SoftwareKey},
    sd_jwt::SdJwt,
};
use etibar_openid::{
    MemoryGrants, Private,
    http::{Answer, Form, Request},
    vci::{
        CredentialConfiguration, CredentialOffer, NotificationEvent, OfferSource, TxCode,
        dpop::{self, Target},
        holder::{
            Delivery, HolderError, Session, Wallet, metadata_request, read_metadata,
            read_server_metadata, server_metadata_request,
        },
        issuer::{
            Client, Incoming, Issuer, IssuerConfig, Lifetimes, NonceKey, Offering, Refusal,
            Rendered, Way,
        },
    },
};
use etibar_primitives::{BlockTime, DurationMs};
use futures::executor::block_on;
use serde_json::json;
use world::{NOW, PID, Party, entropy, key, later, party, pid};

const BASE: &str = "https://agency.example";
const WALLET: &str = "https://wallet.example";
const BACK: &str = "https://wallet.example/back";
const PERSON: &str = "person 1";

/// An issuer behind its HTTP addresses.
struct Desk {
    issuer: Issuer,
    grants: MemoryGrants,
    party: Party,
    /// Whether the register is slow today.
    slow: bool,
    /// Who proved to be the person of the last authorization.
    session: Option<String>,
    notified: Vec<NotificationEvent>,
}

impl Desk {
    fn new() -> Self {
        let configuration = CredentialConfiguration::sd_jwt_vc(PID, "pid");
        let other = CredentialConfiguration::sd_jwt_vc("urn:az:pairwise:1", "pairwise");
        let issuer = Issuer::new(IssuerConfig {
            base_url: BASE.to_owned(),
            display: Vec::new(),
            configurations: BTreeMap::from([
                ("pid".to_owned(), configuration),
                ("pairwise".to_owned(), other),
            ]),
            clients: vec![Client { id: WALLET.to_owned(), redirect_uris: vec![BACK.to_owned()] }],
            nonce_key: NonceKey::new([3; 32]),
            lifetimes: Lifetimes::default(),
        });
        Self {
            issuer,
            grants: MemoryGrants::new(1_000),
            party: party(1, BASE),
            slow: false,
            session: None,
            notified: Vec::new(),
        }
    }

    fn ask(&mut self, request: &Request) -> Answer {
        self.ask_at(request, NOW)
    }

    fn ask_at(&mut self, request: &Request, now: BlockTime) -> Answer {
        let path = request.url.strip_prefix(BASE).expect("our host");
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let incoming = Incoming {
            body: &request.body,
            authorization: request.header("authorization"),
            dpop: request.header("dpop"),
        };
        let (issuer, grants, fresh) = (&self.issuer, &self.grants, &entropy());
        match path {
            "/.well-known/openid-credential-issuer" => Answer::json(200, &issuer.metadata()),
            "/.well-known/oauth-authorization-server" => {
                Answer::json(200, &issuer.server_metadata())
            }
            "/oauth/par" => {
                let result = block_on(issuer.push(grants, incoming, now, fresh));
                issuer.answer(&result, now, &entropy())
            }
            "/oauth/authorize" => self.authorize(query, now),
            "/oauth/token" => {
                let result = block_on(issuer.token(grants, incoming, now, fresh));
                issuer.answer(&result, now, &entropy())
            }
            "/oid4vci/nonce" => {
                let nonce: Result<_, std::convert::Infallible> = Ok(issuer.nonce(now, fresh));
                issuer.answer(&nonce, now, &entropy())
            }
            "/oid4vci/credential" => self.credential(incoming, now),
            "/oid4vci/deferred" => self.deferred(incoming, now),
            "/oid4vci/notification" => {
                let result = block_on(issuer.notification(grants, incoming, now));
                let answer = issuer.answer(&result, now, fresh);
                self.notified.extend(result.ok().map(|notified| notified.event));
                answer
            }
            path => {
                let id = path.strip_prefix("/oid4vci/offers/").expect("a known address");
                let offer = block_on(issuer.offer_by_id(grants, id, now)).expect("memory");
                offer.map_or_else(|| Answer::json(404, &json!({})), |offer| offer.answer())
            }
        }
    }

    /// The person proves who it is at once.
    fn authorize(&mut self, query: &str, now: BlockTime) -> Answer {
        let opened = block_on(self.issuer.authorize(&self.grants, query, now, &entropy()));
        let result = opened.and_then(|opened| {
            self.session = Some(opened.session.clone());
            let person = Private(PERSON.to_owned());
            block_on(self.issuer.authorized(&self.grants, &opened.session, person, now, &entropy()))
        });
        self.issuer.answer(&result, now, &entropy())
    }

    fn issue(&self, keys: usize) -> Vec<String> {
        let holder = key(500);
        (0..keys).map(|_| pid(&self.party.signer, BASE, &holder).to_string()).collect()
    }

    fn credential(&self, incoming: Incoming<'_>, now: BlockTime) -> Answer {
        let (issuer, grants) = (&self.issuer, &self.grants);
        let result = block_on(async {
            let order = issuer.credential(grants, incoming, now).await?;
            assert_eq!(order.subject, Private(PERSON.to_owned()));
            if self.slow {
                let wait = DurationMs(1_500);
                return Ok(issuer.defer(grants, &order, wait, now, &entropy()).await?);
            }
            let credentials = self.issue(order.keys.len());
            Ok::<_, etibar_openid::vci::issuer::CredentialError>(
                issuer.issue(grants, &order, credentials, now, &entropy()).await?,
            )
        });
        issuer.answer(&result, now, &entropy())
    }

    fn deferred(&self, incoming: Incoming<'_>, now: BlockTime) -> Answer {
        let (issuer, grants) = (&self.issuer, &self.grants);
        let deferred = match block_on(issuer.deferred(grants, incoming, now)) {
            Ok(deferred) => deferred,
            Err(error) => return error.oauth().answer(true),
        };
        if self.slow {
            return deferred.still_deferred(DurationMs(1)).answer();
        }
        let credentials = self.issue(deferred.order.keys.len());
        let fresh = entropy();
        let given = issuer.issue_deferred(grants, &deferred, credentials, now, &fresh);
        issuer.answer(&block_on(given), now, &entropy())
    }

    fn offer(&self, tx_code: bool, by_reference: bool) -> (String, Option<Private<String>>) {
        let way = Way::PreAuthorized { subject: Private(PERSON.to_owned()), tx_code };
        let offering = Offering { configurations: vec!["pid".to_owned()], way, by_reference };
        let offered = block_on(self.issuer.offer(&self.grants, offering, NOW, &entropy()));
        let offered = offered.expect("an offer");
        (offered.uri, offered.tx_code)
    }

    fn session(&mut self) -> Session {
        let issuer = self.ask(&metadata_request(BASE).expect("a URL"));
        let issuer = read_metadata(BASE, &issuer).expect("metadata");
        let server = self.ask(&server_metadata_request(&issuer).expect("a URL"));
        let server = read_server_metadata(&issuer, &server).expect("metadata");
        let wallet = Wallet { client_id: WALLET.to_owned(), redirect_uri: BACK.to_owned() };
        let mut session = Session::new(wallet, issuer, server);
        // The first nonce brings the first DPoP nonce along.
        let nonce = self.ask(&session.nonce_request().expect("an endpoint"));
        session.nonce(&nonce).expect("a nonce");
        session
    }

    /// A session with a token by an offer.
    fn with_token(&mut self, dpop: &SoftwareKey) -> Session {
        let mut session = self.session();
        let offer = offer(&self.offer(false, false).0);
        let request = session.redeem_offer(&offer, None, dpop, NOW, &entropy()).expect("a request");
        session.token(&self.ask(&request)).expect("a token");
        session
    }

    /// A session with a code in its hand.
    fn with_code(&mut self, dpop: &SoftwareKey) -> (Session, Private<String>) {
        let mut session = self.session();
        let ids = ["pid".to_owned()];
        let push = session.push(&ids, None, dpop, NOW, &entropy()).expect("a request");
        let url = session.pushed(&self.ask(&push)).expect("a request URI");
        let answer = self.ask(&Request::get(&url, "text/html"));
        let code = session.redirected(answer.header("location").expect("a redirect"));
        (session, code.expect("a code"))
    }

    fn c_nonce(&mut self, session: &mut Session) -> String {
        let request = session.nonce_request().expect("an endpoint");
        session.nonce(&self.ask(&request)).expect("a nonce")
    }
}

fn offer(uri: &str) -> CredentialOffer {
    match OfferSource::parse(uri).expect("an offer") {
        OfferSource::Value(offer) => offer,
        OfferSource::Reference(url) => panic!("expected an offer by value, not {url}"),
    }
}

/// The issuer's own code in a refusal.
fn code(answer: &Answer) -> String {
    let body: serde_json::Value = answer.read().expect("an error");
    assert!((400..=503).contains(&answer.status), "{}", answer.status);
    body["error_description"].as_str().expect("a code").to_owned()
}

/// `request` with a field of its form changed, or removed.
fn with_field(request: &Request, name: &str, value: Option<&str>) -> Request {
    let fields: Vec<(String, String)> =
        url::form_urlencoded::parse(&request.body).into_owned().collect();
    let changed: Vec<(&str, &str)> = fields
        .iter()
        .filter_map(|(known, old)| {
            let value = if known == name { value } else { Some(old.as_str()) };
            value.map(|value| (known.as_str(), value))
        })
        .collect();
    Request { body: Form::render(&changed).into_bytes(), ..request.clone() }
}

fn with_header(request: &Request, name: &'static str, value: String) -> Request {
    let mut changed = request.clone();
    changed.headers.retain(|(known, _)| *known != name);
    changed.headers.push((name, value));
    changed
}

fn keys(count: u64) -> Vec<SoftwareKey> {
    (0..count).map(|seed| key(2_000 + seed)).collect()
}

fn signers(keys: &[SoftwareKey]) -> Vec<&dyn Signer> {
    keys.iter().map(|key| -> &dyn Signer { key }).collect()
}

#[test]
fn an_offer_by_reference_with_a_transaction_code_gives_a_batch_and_takes_its_notification() {
    let (mut desk, dpop) = (Desk::new(), key(9));
    let mut session = desk.session();
    let (uri, tx_code) = desk.offer(true, true);
    let OfferSource::Reference(url) = OfferSource::parse(&uri).expect("an offer") else {
        panic!("expected an offer by reference")
    };
    let fetched = desk.ask(&Request::get(&url, "application/json"));
    let offer = CredentialOffer::parse(&fetched.body).expect("an offer");
    let request = session.redeem_offer(&offer, tx_code.as_ref(), &dpop, NOW, &entropy());
    session.token(&desk.ask(&request.expect("a request"))).expect("a token");

    let (nonce, keys) = (desk.c_nonce(&mut session), keys(32));
    let request =
        session.credential_request("pid", &nonce, &signers(&keys), &dpop, NOW, &entropy());
    let delivery = session.delivery(&desk.ask(&request.expect("a request")), 32);
    let Ok(Delivery::Ready { credentials, notification_id: Some(id) }) = delivery else {
        panic!("expected credentials, not {delivery:?}")
    };
    assert_eq!(credentials.len(), 32);
    assert!(SdJwt::parse(&credentials[0].0).is_ok());

    let event = NotificationEvent::CredentialAccepted;
    let request = session.notification_request(&id, event, &dpop, NOW, &entropy());
    session.notified(&desk.ask(&request.expect("a request"))).expect("taken");
    assert_eq!(desk.notified, [event]);
}

#[test]
fn an_authorization_with_par_pkce_and_dpop_gives_a_credential() {
    let (mut desk, dpop) = (Desk::new(), key(9));
    let (mut session, code) = desk.with_code(&dpop);
    let request = session.redeem_code(&code, &dpop, NOW, &entropy()).expect("a request");
    session.token(&desk.ask(&request)).expect("a token");
    // The session can be stored between two steps.
    let stored = serde_json::to_vec(&session).expect("JSON");
    let mut session: Session = serde_json::from_slice(&stored).expect("a session");
    let (nonce, keys) = (desk.c_nonce(&mut session), keys(1));
    let request =
        session.credential_request("pid", &nonce, &signers(&keys), &dpop, NOW, &entropy());
    let delivery = session.delivery(&desk.ask(&request.expect("a request")), 1);
    assert!(matches!(delivery, Ok(Delivery::Ready { .. })), "{delivery:?}");
}

#[test]
fn a_deferred_credential_is_waited_for_and_given_once() {
    let (mut desk, dpop) = (Desk::new(), key(9));
    desk.slow = true;
    let mut session = desk.with_token(&dpop);
    let (nonce, keys) = (desk.c_nonce(&mut session), keys(2));
    let request =
        session.credential_request("pid", &nonce, &signers(&keys), &dpop, NOW, &entropy());
    let answer = desk.ask(&request.expect("a request"));
    assert_eq!(answer.status, 202);
    let Ok(Delivery::Deferred { transaction_id: id, interval_s: 2 }) = session.delivery(&answer, 2)
    else {
        panic!("expected a deferral")
    };
    let again = |session: &Session| session.deferred_request(&id, &dpop, NOW, &entropy());
    let answer = desk.ask(&again(&session).expect("a request"));
    let still = Delivery::Deferred { transaction_id: id.clone(), interval_s: 1 };
    assert_eq!(session.delivery(&answer, 2), Ok(still));
    desk.slow = false;
    let answer = desk.ask(&again(&session).expect("a request"));
    assert!(matches!(session.delivery(&answer, 2), Ok(Delivery::Ready { .. })));
    assert_eq!(code(&desk.ask(&again(&session).expect("a request"))), "transaction_unknown");

    let stranger = desk.with_token(&key(10));
    let request = stranger.deferred_request(&id, &key(10), NOW, &entropy()).expect("a request");
    assert_eq!(code(&desk.ask(&request)), "transaction_unknown");
}

#[test]
fn a_server_that_wants_its_nonce_says_so_and_takes_the_second_try() {
    let (mut desk, dpop) = (Desk::new(), key(9));
    let issuer = desk.issuer.metadata();
    let server = desk.issuer.server_metadata();
    let wallet = Wallet { client_id: WALLET.to_owned(), redirect_uri: BACK.to_owned() };
    let mut session = Session::new(wallet, issuer, server);
    let offer = offer(&desk.offer(false, false).0);
    let request = session.redeem_offer(&offer, None, &dpop, NOW, &entropy()).expect("a request");
    let answer = desk.ask(&request);
    assert_eq!(code(&answer), "dpop_nonce");
    assert_eq!(session.token(&answer), Err(HolderError::UseNonce));
    let request = session.redeem_offer(&offer, None, &dpop, NOW, &entropy()).expect("a request");
    assert_eq!(session.token(&desk.ask(&request)), Ok(()));
}

#[test]
fn each_wrong_thing_in_a_pushed_request_is_refused_with_its_own_code() {
    let (mut desk, dpop) = (Desk::new(), key(9));
    let mut session = desk.session();
    let cases: [(&str, Option<&str>, &str); 9] = [
        ("client_id", Some("https://other.example"), "client_unknown"),
        ("client_id", None, "form_malformed"),
        ("redirect_uri", Some("https://wallet.example/other"), "redirect_uri_foreign"),
        ("response_type", Some("token"), "response_type"),
        ("code_challenge", None, "pkce_missing"),
        ("code_challenge", Some("short"), "pkce_missing"),
        ("code_challenge_method", Some("plain"), "pkce_missing"),
        ("scope", Some("pid admin"), "scope_unknown"),
        ("scope", None, "scope_unknown"),
    ];
    for (name, value, expected) in cases {
        let ids = ["pid".to_owned()];
        let push = session.push(&ids, None, &dpop, NOW, &entropy()).expect("a request");
        assert_eq!(code(&desk.ask(&with_field(&push, name, value))), expected, "{name}");
    }
    let mut push = session.push(&["pid".to_owned()], None, &dpop, NOW, &entropy()).expect("one");
    push.body.extend(b"&scope=pid");
    assert_eq!(code(&desk.ask(&push)), "form_malformed");
}

#[test]
fn a_pushed_request_works_once_for_its_client_and_its_time() {
    let (mut desk, dpop) = (Desk::new(), key(9));
    let mut session = desk.session();
    let ids = ["pid".to_owned()];
    let push = session.push(&ids, None, &dpop, NOW, &entropy()).expect("a request");
    let url = session.pushed(&desk.ask(&push)).expect("a request URI");
    let other = url.replace("wallet.example", "other.example");
    assert_eq!(code(&desk.ask(&Request::get(&other, "text/html"))), "client_foreign");
    let open = Request::get(&url, "text/html");
    assert_eq!(code(&desk.ask_at(&open, later(90))), "pushed_request_unknown");
    let (mut desk, mut session) = (Desk::new(), session);
    let push = session.push(&ids, None, &dpop, NOW, &entropy()).expect("a request");
    let url = session.pushed(&desk.ask(&push)).expect("a request URI");
    let open = Request::get(&url, "text/html");
    let answer = desk.ask(&open);
    assert_eq!(answer.status, 302);
    assert_eq!(code(&desk.ask(&open)), "pushed_request_unknown");
    let back = answer.header("location").expect("a redirect").to_owned();
    assert_eq!(session.redirected(&back.replace("state=", "state=x")), Err(HolderError::State));
    let foreign = back.replace("agency.example", "other.example");
    assert_eq!(session.redirected(&foreign), Err(HolderError::Issuer));
}

#[test]
fn each_wrong_thing_at_the_token_endpoint_is_refused_with_its_own_code() {
    let (mut desk, dpop) = (Desk::new(), key(9));
    let (mut session, granted) = desk.with_code(&dpop);
    let redeem = |session: &mut Session| {
        session.redeem_code(&granted, &dpop, NOW, &entropy()).expect("a request")
    };
    let cases = [
        ("grant_type", Some("password"), "grant_type"),
        ("code", Some("another"), "code_unknown"),
        ("client_id", Some("https://other.example"), "client_foreign"),
        ("redirect_uri", Some("https://wallet.example/other"), "redirect_uri_mismatch"),
        ("code_verifier", Some("not the verifier that was hashed"), "pkce_mismatch"),
        ("code_verifier", None, "form_malformed"),
    ];
    for (name, value, expected) in cases {
        let request = with_field(&redeem(&mut session), name, value);
        assert_eq!(code(&desk.ask(&request)), expected, "{name}");
    }
    let other = session.redeem_code(&granted, &key(10), NOW, &entropy()).expect("a request");
    assert_eq!(code(&desk.ask(&other)), "dpop_key");
    assert_eq!(code(&desk.ask_at(&redeem(&mut session), later(60))), "code_unknown");
}

#[test]
fn a_replayed_code_is_refused_and_revokes_the_token_it_gave() {
    let (mut desk, dpop) = (Desk::new(), key(9));
    let (mut session, granted) = desk.with_code(&dpop);
    let request = session.redeem_code(&granted, &dpop, NOW, &entropy()).expect("a request");
    let mut thief = session.clone();
    session.token(&desk.ask(&request)).expect("a token");
    let again = thief.redeem_code(&granted, &dpop, NOW, &entropy()).expect("a request");
    assert_eq!(code(&desk.ask(&again)), "code_replayed");
    let (nonce, keys) = (desk.c_nonce(&mut session), keys(1));
    let request =
        session.credential_request("pid", &nonce, &signers(&keys), &dpop, NOW, &entropy());
    let answer = desk.ask(&request.expect("a request"));
    assert_eq!((answer.status, code(&answer).as_str()), (401, "access_token_unknown"));
    assert!(answer.header("www-authenticate").is_some_and(|text| text.contains("invalid_token")));
}

#[test]
fn a_transaction_code_may_be_wrong_a_few_times_only() {
    let (mut desk, dpop) = (Desk::new(), key(9));
    let (uri, tx_code) = desk.offer(true, false);
    let (offer, right) = (offer(&uri), tx_code.expect("a code"));
    let tx = offer.grants.clone().and_then(|grants| grants.pre_authorized_code?.tx_code);
    let shape = TxCode { input_mode: Some("numeric".into()), length: Some(6), description: None };
    assert_eq!(tx, Some(shape));
    let mut session = desk.session();
    let mut attempt = |desk: &mut Desk, given: &str| {
        let given = Private(given.to_owned());
        let request = session.redeem_offer(&offer, Some(&given), &dpop, NOW, &entropy());
        desk.ask(&request.expect("a request"))
    };
    for _ in 1..5 {
        assert_eq!(code(&attempt(&mut desk, "wrong")), "tx_code_wrong");
    }
    assert_eq!(code(&attempt(&mut desk, "wrong")), "tx_code_attempts");
    assert_eq!(code(&attempt(&mut desk, &right.0)), "tx_code_attempts");
    let none = session.redeem_offer(&offer, None, &dpop, NOW, &entropy());
    assert_eq!(none, Err(HolderError::TxCode));
}

#[test]
fn each_wrong_dpop_proof_is_refused_with_its_own_code() {
    let (mut desk, dpop) = (Desk::new(), key(9));
    let session = desk.with_token(&dpop);
    let good = session.deferred_request("none", &dpop, NOW, &entropy()).expect("a request");
    let token = good.header("authorization").expect("a token")[5..].to_owned();
    let nonce = desk.c_nonce(&mut session.clone());
    let answer = desk.ask(&Request::post(&format!("{BASE}/oid4vci/nonce"), "", Vec::new()));
    let fresh = answer.header("dpop-nonce").expect("a nonce").to_owned();
    let url = format!("{BASE}/oid4vci/deferred");
    let target = Target { method: "POST", url: &url, access_token: Some(&token) };
    let mut with = |key: &SoftwareKey, target: Target<'_>, nonce: Option<&str>, at: BlockTime| {
        let proof = dpop::sign(key, target, nonce, at.into(), &entropy()).expect("a proof");
        code(&desk.ask(&with_header(&good, "dpop", proof)))
    };
    let fresh = Some(fresh.as_str());
    assert_eq!(with(&dpop, target, fresh, NOW), "transaction_unknown", "the proof is fine");
    assert_eq!(with(&key(10), target, fresh, NOW), "dpop_key");
    assert_eq!(with(&dpop, Target { method: "GET", ..target }, fresh, NOW), "dpop_method");
    let elsewhere = Target { url: "https://agency.example/oid4vci/credential", ..target };
    assert_eq!(with(&dpop, elsewhere, fresh, NOW), "dpop_url");
    let other = Target { access_token: Some("other"), ..target };
    assert_eq!(with(&dpop, other, fresh, NOW), "dpop_access_token");
    assert_eq!(
        with(&dpop, Target { access_token: None, ..target }, fresh, NOW),
        "dpop_access_token"
    );
    assert_eq!(with(&dpop, target, None, NOW), "dpop_nonce");
    assert_eq!(with(&dpop, target, Some("forged"), NOW), "dpop_nonce");
    assert_eq!(with(&dpop, target, Some(&nonce), NOW), "dpop_nonce", "a c_nonce is none");
    assert_eq!(with(&dpop, target, fresh, later(31)), "dpop_not_yet_valid");
    let old = BlockTime(NOW.0 - 301_000);
    assert_eq!(with(&dpop, target, fresh, old), "dpop_expired");
    assert_eq!(code(&desk.ask(&good)), "transaction_unknown");
    assert_eq!(code(&desk.ask(&good)), "dpop_replayed");
    let mut bare = good.clone();
    bare.headers.retain(|(name, _)| *name != "dpop");
    assert_eq!(code(&desk.ask(&bare)), "dpop_missing");
    let bearer = with_header(&good, "authorization", format!("Bearer {token}"));
    assert_eq!(code(&desk.ask(&bearer)), "access_token_missing");
    let mut proof = good.header("dpop").expect("a proof").to_owned();
    let last = proof.pop().expect("a character");
    proof.pop();
    proof.push(if last == 'A' { 'B' } else { 'A' });
    proof.push(last);
    let refused = code(&desk.ask(&with_header(&good, "dpop", proof)));
    assert!(refused == "dpop_signature" || refused == "dpop_malformed", "{refused}");
}

#[test]
fn each_wrong_proof_of_a_key_is_refused_with_its_own_code() {
    let (mut desk, dpop) = (Desk::new(), key(9));
    let mut session = desk.with_token(&dpop);
    let many = keys(33);
    let send = |desk: &mut Desk, session: &Session, nonce: &str, keys: &[&dyn Signer]| {
        let request = session.credential_request("pid", nonce, keys, &dpop, NOW, &entropy());
        code(&desk.ask(&request.expect("a request")))
    };
    let one = signers(&many[..1]);
    assert_eq!(send(&mut desk, &session, "forged", &one), "nonce_foreign");
    let twice = [one[0], one[0]];
    let nonce = desk.c_nonce(&mut session);
    assert_eq!(send(&mut desk, &session, &nonce, &twice), "proof_key_twice");
    let too_many = session.credential_request("pid", "n", &signers(&many), &dpop, NOW, &entropy());
    assert_eq!(too_many, Err(HolderError::Batch));

    let old = desk.issuer.nonce(BlockTime(NOW.0 - 300_000), &entropy()).c_nonce;
    assert_eq!(send(&mut desk, &session, &old, &one), "nonce_expired");
    let other = session.credential_request("pairwise", &nonce, &one, &dpop, NOW, &entropy());
    assert_eq!(code(&desk.ask(&other.expect("a request"))), "configuration_not_granted");

    // The same nonce works once, for one request.
    let request = session.credential_request("pid", &nonce, &one, &dpop, NOW, &entropy());
    let answer = desk.ask(&request.expect("a request"));
    assert_eq!(answer.status, 200);
    assert_eq!(send(&mut desk, &session, &nonce, &one), "nonce_replayed");
}

#[test]
fn a_request_changed_on_its_way_is_refused_with_its_own_code() {
    let (mut desk, dpop) = (Desk::new(), key(9));
    let mut session = desk.with_token(&dpop);
    let keys = keys(1);
    let mut changed = |change: &dyn Fn(&mut serde_json::Value)| {
        let nonce = desk.c_nonce(&mut session);
        let request =
            session.credential_request("pid", &nonce, &signers(&keys), &dpop, NOW, &entropy());
        let mut request = request.expect("a request");
        let mut body: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
        change(&mut body);
        request.body = serde_json::to_vec(&body).expect("JSON");
        code(&desk.ask(&request))
    };
    assert_eq!(changed(&|body| body["proofs"]["jwt"] = json!([])), "proof_missing");
    assert_eq!(changed(&|body| body["proofs"] = json!(null)), "proof_missing");
    assert_eq!(changed(&|body| body["proofs"]["jwt"] = json!(["a.b.c"])), "proof_malformed");
    assert_eq!(changed(&|body| body["proofs"]["jwt"] = json!(vec!["a"; 33])), "proof_too_many");
    assert_eq!(
        changed(&|body| body["credential_identifier"] = json!("x")),
        "credential_identifier"
    );
    let encrypted = |body: &mut serde_json::Value| {
        body["credential_response_encryption"] = json!({ "enc": "A128GCM" });
    };
    assert_eq!(changed(&encrypted), "response_encryption");
    assert_eq!(changed(&|body| *body = json!([])), "request_malformed");
    let swap = |body: &mut serde_json::Value| {
        let proof = body["proofs"]["jwt"][0].as_str().expect("a proof").to_owned();
        let (rest, signature) = proof.rsplit_once('.').expect("three parts");
        let flipped: String = signature.chars().rev().collect();
        // Reversed, the last character's spare bits may not be zero: then it is malformed.
        body["proofs"]["jwt"][0] = json!(format!("{rest}.{}A", &flipped[..85]));
    };
    assert_eq!(changed(&swap), "proof_signature");
}

#[test]
fn a_proof_for_another_issuer_or_of_another_client_is_refused() {
    let (mut desk, dpop) = (Desk::new(), key(9));
    let (mut session, granted) = desk.with_code(&dpop);
    let request = session.redeem_code(&granted, &dpop, NOW, &entropy()).expect("a request");
    session.token(&desk.ask(&request)).expect("a token");
    let keys = keys(1);
    for (pointer, expected) in
        [("/issuer/credential_issuer", "proof_audience"), ("/wallet/client_id", "proof_client")]
    {
        let mut stored = serde_json::to_value(&session).expect("JSON");
        *stored.pointer_mut(pointer).expect("a field") = json!("https://other.example");
        let foreign: Session = serde_json::from_value(stored).expect("a session");
        let nonce = desk.c_nonce(&mut session);
        let request =
            foreign.credential_request("pid", &nonce, &signers(&keys), &dpop, NOW, &entropy());
        assert_eq!(code(&desk.ask(&request.expect("a request"))), expected);
    }
}

#[test]
fn a_notification_id_is_its_tokens() {
    let (mut desk, dpop) = (Desk::new(), key(9));
    let mut session = desk.with_token(&dpop);
    let (nonce, keys) = (desk.c_nonce(&mut session), keys(1));
    let request =
        session.credential_request("pid", &nonce, &signers(&keys), &dpop, NOW, &entropy());
    let delivery = session.delivery(&desk.ask(&request.expect("a request")), 1);
    let Ok(Delivery::Ready { notification_id: Some(id), .. }) = delivery else { panic!("none") };
    let stranger = desk.with_token(&key(10));
    let event = NotificationEvent::CredentialDeleted;
    let request = stranger.notification_request(&id, event, &key(10), NOW, &entropy());
    assert_eq!(code(&desk.ask(&request.expect("a request"))), "notification_unknown");
    assert!(desk.notified.is_empty());
}

#[test]
fn a_full_store_asks_to_come_later_and_changes_nothing() {
    let mut desk = Desk::new();
    let mut session = desk.session();
    desk.grants = MemoryGrants::new(1);
    let push = session.push(&["pid".to_owned()], None, &key(9), NOW, &entropy());
    let answer = desk.ask(&push.expect("a request"));
    assert_eq!((answer.status, code(&answer).as_str()), (503, "store_full"));
}

#[test]
fn debug_output_shows_neither_codes_nor_persons() {
    let (mut desk, dpop) = (Desk::new(), key(9));
    let (session, granted) = desk.with_code(&dpop);
    let token = desk.with_token(&dpop);
    let shown = format!("{session:?} {granted:?} {token:?} {:?}", desk.issuer);
    assert!(!shown.contains(&granted.0));
    assert!(!shown.contains(PERSON));
}
