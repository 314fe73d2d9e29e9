//! Our side of the checks with independent peers (`tests/peers/run openid`).
//!
//! Reads one JSON request per line and answers each with one line: an issuer behind its HTTP
//! addresses, and a holder that answers a verifier's request. Keys are fixed and public, the person
//! is nobody: nothing here protects anything.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, Write as _, stdin, stdout},
    time::{SystemTime, UNIX_EPOCH},
};

use etibar_credential::{
    UnixSeconds,
    catalogue::{RELYING_PARTY_TYPE, type_digest},
    jose::{self, Certified, PublicKey, Signer as _, SoftwareKey},
    level::AssuranceLevel,
    sd_jwt::{ClaimPath, SdJwt},
    sd_jwt_vc::{Template, issue},
    trust::{TrustEntry, TrustRegistry},
    x509::{self, Subject, Validity, certificate_digest, issue_leaf, self_signed_authority},
};
use etibar_openid::{
    Entropy, MemoryGrants, Private,
    http::{Answer, Form},
    vci::{
        CredentialConfiguration,
        issuer::{
            Client, CredentialError, Incoming, Issuer, IssuerConfig, Lifetimes, NonceKey, Offering,
            Rendered as _, Way,
        },
    },
    vp::{
        RequestReference,
        holder::{Choice, check_request},
    },
};
use etibar_primitives::{BlockTime, DurationMs, MemberId};
use futures::executor::block_on;
use serde::Deserialize;
use serde_json::{Map, Value, json};

const ISSUER: &str = "https://issuer.example";
const VERIFIER: &str = "https://verifier.example";
const WALLET: &str = "https://wallet.example";
const PID: &str = "urn:az:pid:1";

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Line {
    /// Makes an offer; `slow`: its credentials are deferred.
    Offer { tx_code: bool, by_reference: bool, slow: bool },
    /// A request to the issuer.
    Http { url: String, headers: BTreeMap<String, String>, body: String },
    /// Who the verifier is, and who vouches for the issuer.
    Parties,
    /// Our holder answers a request with these claims.
    Present { claims: Map<String, Value> },
}

struct Party {
    signer: Certified<SoftwareKey>,
    authority: Vec<u8>,
}

struct Peer {
    issuer: Issuer,
    grants: MemoryGrants,
    party: Party,
    verifier: Party,
    slow: bool,
}

fn main() -> std::io::Result<()> {
    let mut peer = Peer::new();
    for line in stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?) {
            Ok(line) => peer.answer(line).unwrap_or_else(|code| json!({ "error": code })),
            Err(_) => json!({ "error": "request_malformed" }),
        };
        let mut out = stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn now() -> BlockTime {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    BlockTime(u64::try_from(passed.as_millis()).unwrap_or(u64::MAX))
}

fn entropy() -> Entropy {
    Entropy::new(rand::random())
}

fn key(seed: u8) -> SoftwareKey {
    SoftwareKey::from_bytes(&[seed; 32]).expect("a scalar below the order")
}

fn party(seed: u8, uri: &str) -> Party {
    let (root, leaf) = (key(seed), key(seed + 1));
    let today = UnixSeconds::from(now());
    let validity = Validity {
        not_before: UnixSeconds(today.0 - 86_400),
        not_after: today.saturating_add(86_400),
    };
    let subject = Subject { common_name: "Sample CA", organization: "Sample", uri: None };
    let authority = self_signed_authority(&root, &subject, validity, &[1, seed]);
    let authority = authority.expect("a software key signs");
    let subject = Subject { common_name: "Sample", organization: "Sample", uri: Some(uri) };
    let key = leaf.public_key();
    let leaf_der = issue_leaf(&root, &authority, &key, &subject, validity, &[2, seed]);
    let chain = vec![leaf_der.expect("a software key signs"), authority.clone()];
    Party { signer: Certified::new(leaf, chain), authority }
}

impl Peer {
    fn new() -> Self {
        let pid = CredentialConfiguration::sd_jwt_vc(PID, "pid");
        let issuer = Issuer::new(IssuerConfig {
            base_url: ISSUER.to_owned(),
            display: Vec::new(),
            configurations: BTreeMap::from([("pid".to_owned(), pid)]),
            clients: vec![Client {
                id: WALLET.to_owned(),
                redirect_uris: vec![format!("{WALLET}/back")],
            }],
            nonce_key: NonceKey::new(rand::random()),
            lifetimes: Lifetimes::default(),
        });
        Self {
            issuer,
            grants: MemoryGrants::new(10_000),
            party: party(11, ISSUER),
            verifier: party(21, VERIFIER),
            slow: false,
        }
    }

    fn answer(&mut self, line: Line) -> Result<Value, String> {
        match line {
            Line::Offer { tx_code, by_reference, slow } => {
                self.slow = slow;
                let subject = Private("nobody".to_owned());
                let way = Way::PreAuthorized { subject, tx_code };
                let configurations = vec!["pid".to_owned()];
                let offering = Offering { configurations, way, by_reference };
                let fresh = entropy();
                let offered = self.issuer.offer(&self.grants, offering, now(), &fresh);
                let offered = block_on(offered).map_err(|error| error.code().to_owned())?;
                Ok(json!({ "uri": offered.uri, "tx_code": offered.tx_code }))
            }
            Line::Http { url, headers, body } => {
                let answer = self.http(&url, &headers, body.as_bytes());
                let headers: BTreeMap<_, _> = answer.headers.into_iter().collect();
                let body = String::from_utf8_lossy(&answer.body).into_owned();
                Ok(json!({ "status": answer.status, "headers": headers, "body": body }))
            }
            Line::Parties => Ok(json!({
                "client_id": self.client_id(),
                "issuer_authority": jose::encode(&self.party.authority),
            })),
            Line::Present { claims } => self.present(&claims),
        }
    }

    fn client_id(&self) -> String {
        x509::client_id(&self.verifier.signer.chain()[0])
    }

    fn http(&mut self, url: &str, headers: &BTreeMap<String, String>, body: &[u8]) -> Answer {
        let path = url.strip_prefix(ISSUER).unwrap_or_default();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let header = |name: &str| headers.get(name).map(String::as_str);
        let incoming =
            Incoming { body, authorization: header("authorization"), dpop: header("dpop") };
        let (issuer, grants, fresh) = (&self.issuer, &self.grants, &entropy());
        match path {
            "/.well-known/openid-credential-issuer" => Answer::json(200, &issuer.metadata()),
            "/.well-known/oauth-authorization-server" => {
                Answer::json(200, &issuer.server_metadata())
            }
            "/oauth/par" => {
                let result = block_on(issuer.push(grants, incoming, now(), fresh));
                issuer.answer(&result, now(), &entropy())
            }
            "/oauth/authorize" => {
                let result = block_on(async {
                    let opened = issuer.authorize(grants, query, now(), fresh).await?;
                    let person = Private("nobody".to_owned());
                    let session = &opened.session;
                    issuer.authorized(grants, session, person, now(), &entropy()).await
                });
                issuer.answer(&result, now(), &entropy())
            }
            "/oauth/token" => {
                let result = block_on(issuer.token(grants, incoming, now(), fresh));
                issuer.answer(&result, now(), &entropy())
            }
            "/oid4vci/nonce" => {
                let nonce: Result<_, std::convert::Infallible> = Ok(issuer.nonce(now(), fresh));
                issuer.answer(&nonce, now(), &entropy())
            }
            "/oid4vci/credential" => self.credential(incoming),
            "/oid4vci/deferred" => self.deferred(incoming),
            "/oid4vci/notification" => {
                let result = block_on(issuer.notification(grants, incoming, now()));
                issuer.answer(&result, now(), fresh)
            }
            path => {
                let id = path.strip_prefix("/oid4vci/offers/").unwrap_or_default();
                let offer = block_on(issuer.offer_by_id(grants, id, now())).ok().flatten();
                offer.map_or_else(|| Answer::json(404, &json!({})), |offer| offer.answer())
            }
        }
    }

    fn credential(&self, incoming: Incoming<'_>) -> Answer {
        let (issuer, grants) = (&self.issuer, &self.grants);
        let result = block_on(async {
            let order = issuer.credential(grants, incoming, now()).await?;
            let fresh = entropy();
            if self.slow {
                let wait = DurationMs(1_000);
                return Ok(issuer.defer(grants, &order, wait, now(), &fresh).await?);
            }
            let credentials = self.credentials(&order.keys);
            let given = issuer.issue(grants, &order, credentials, now(), &fresh).await?;
            Ok::<_, CredentialError>(given)
        });
        issuer.answer(&result, now(), &entropy())
    }

    fn deferred(&self, incoming: Incoming<'_>) -> Answer {
        let (issuer, grants) = (&self.issuer, &self.grants);
        let result = block_on(async {
            let deferred = issuer.deferred(grants, incoming, now()).await?;
            let credentials = self.credentials(&deferred.order.keys);
            issuer.issue_deferred(grants, &deferred, credentials, now(), &entropy()).await
        });
        issuer.answer(&result, now(), &entropy())
    }

    fn credentials(&self, keys: &[PublicKey]) -> Vec<String> {
        keys.iter().map(|key| self.pid(key).to_string()).collect()
    }

    fn pid(&self, holder: &PublicKey) -> SdJwt {
        let claims = json!({ "family_name": "Nümunə", "address": { "city": "Bakı" } });
        let Value::Object(claims) = claims else { unreachable!("an object") };
        let today = UnixSeconds::from(now());
        let template = Template {
            vct: PID,
            vct_integrity: None,
            issuer: ISSUER,
            issued_at: UnixSeconds(today.0 - today.0 % 3_600),
            not_before: None,
            expires_at: today.saturating_add(3_600),
            holder,
            status: None,
            claims,
            disclosable: &[ClaimPath::of(&["family_name"]), ClaimPath::of(&["address", "city"])],
            decoys: 1,
        };
        issue(&self.party.signer, &template, &mut rand::rng()).expect("good claims")
    }

    fn present(&self, claims: &Map<String, Value>) -> Result<Value, String> {
        let jws = jose::sign(&self.verifier.signer, "oauth-authz-req+jwt", Map::new(), claims);
        let jws = jws.map_err(|error| error.code().to_owned())?;
        let registry = TrustRegistry::new([TrustEntry {
            member: MemberId(2),
            credential_type: type_digest(RELYING_PARTY_TYPE),
            authority: certificate_digest(&self.verifier.authority),
            ceiling: AssuranceLevel::High,
            valid_from: UnixSeconds(0),
            valid_until: UnixSeconds(u64::MAX),
        }]);
        let reference = RequestReference {
            client_id: self.client_id(),
            request_uri: format!("{VERIFIER}/request"),
            post: false,
        };
        let request = check_request(&jws, &reference, "", &registry, now())
            .map_err(|error| error.code().to_owned())?;
        let holder = key(31);
        let credential = self.pid(&holder.public_key());
        let disclose = [ClaimPath::of(&["family_name"])];
        let choice =
            Choice { query: "pid", credential: &credential, disclose: &disclose, holder: &holder };
        let answer = request.present(&[choice], now(), &entropy());
        let answer = answer.map_err(|error| error.code().to_owned())?;
        let form = Form::parse(&answer.body).expect("our own form");
        Ok(json!({ "url": answer.url, "response": form.get("response") }))
    }
}
