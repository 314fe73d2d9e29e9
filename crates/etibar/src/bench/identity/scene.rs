//! A registrar, a bank and a holder, and the messages between them. Nobody is a person: the
//! credential is of sample values.

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use etibar_credential::{
    UnixSeconds,
    catalogue::{self, Language, PurposeCode, RELYING_PARTY_TYPE},
    consent::{
        Artefact, ConsentSecret, Fetch, Party as Member, Provider, Terms as ConsentTerms, chain,
        transaction_entry,
    },
    jose::{Signer as _, SoftwareKey},
    level::AssuranceLevel,
    sd_jwt::{ClaimPath, SdJwt},
    sd_jwt_vc::{Template, issue},
    status_list::{
        Bits, Status, StatusList, StatusReference, StatusToken, VerifiedStatusList,
        sign_status_list,
    },
    trust::TrustRegistry,
};
use etibar_openid::{
    Entropy, MemoryGrants,
    dcql::{Candidate, CredentialQuery, Query, dotted},
    http::Request,
    vp::{
        RequestReference,
        holder::{Choice, check_request},
        verifier::{Ask, Response, Terms, Verifier},
    },
};
use etibar_primitives::{BlockTime, MemberId, OperationId};
use futures::executor::block_on;
use serde_json::{Map, Value, json};

use crate::bench::authority::{self, Party};

const BANK: MemberId = MemberId(2);
const BANK_URI: &str = "https://bank.example";
const REGISTRAR: MemberId = MemberId(12);
const REGISTRAR_URI: &str = "https://registrar.example";
const STATUS_URI: &str = "https://registrar.example/status/0";
const PID: &str = "urn:az:pid:1";
const WALLET_NONCE: &str = "a nonce of the wallet";
/// What a bank asks to open an account.
const ASKED: [&str; 7] = [
    "family_name",
    "given_name",
    "birthdate",
    "nationality",
    "personal_administrative_number",
    "document_number",
    "address",
];
/// Decoy digests in a credential, as the agencies make them.
const DECOYS: usize = 3;
/// On which terms the bank accepts.
const TERMS: Terms = Terms {
    level_min: Some(AssuranceLevel::Substantial),
    status_age_max_s: 3_600,
    allows_no_status: false,
};

/// Everything that does not change from one round to the next.
pub(super) struct Scene {
    now: BlockTime,
    registrar: Party,
    bank: Party,
    holder: SoftwareKey,
    registry: TrustRegistry,
    lists: BTreeMap<String, VerifiedStatusList>,
    verifier: Verifier,
    claims: Map<String, Value>,
    disclosable: Vec<ClaimPath>,
    integrity: String,
}

/// A request on its way.
pub(super) struct Asked {
    grants: MemoryGrants,
    id: String,
    reference: RequestReference,
    object: String,
}

impl Scene {
    pub(super) fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = BlockTime(u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        let registrar = authority::party(11, REGISTRAR_URI, now.into());
        let bank = authority::party(21, BANK_URI, now.into());
        let registry = TrustRegistry::new([
            registrar.registered(REGISTRAR, PID),
            bank.registered(BANK, RELYING_PARTY_TYPE),
        ]);
        let known = catalogue::credential_type(PID).expect("the catalogue has it");
        let claims = claims();
        let shown = |name: &&str| claims.contains_key(*name);
        let disclosable: Vec<ClaimPath> =
            known.disclosable().filter(shown).map(|name| ClaimPath::of(&[name])).collect();
        Self {
            now,
            lists: BTreeMap::from([(STATUS_URI.to_owned(), status_list(&registrar, now.into()))]),
            registrar,
            bank,
            holder: authority::key(31),
            registry,
            verifier: Verifier { base_url: BANK_URI.to_owned(), request_life_s: 600 },
            claims,
            disclosable,
            integrity: known.integrity(),
        }
    }

    /// The registrar issues: the credential as its holder keeps it.
    pub(super) fn issue(&self) -> SdJwt {
        let today = UnixSeconds::from(self.now);
        let status = StatusReference { uri: STATUS_URI.to_owned(), index: 4_711 };
        let template = Template {
            vct: PID,
            vct_integrity: Some(&self.integrity),
            issuer: REGISTRAR_URI,
            issued_at: UnixSeconds(today.0 - today.0 % 86_400),
            not_before: None,
            expires_at: today.saturating_add(30 * 86_400),
            holder: &self.holder.public_key(),
            status: Some(&status),
            claims: self.claims.clone(),
            disclosable: &self.disclosable,
            decoys: DECOYS,
        };
        issue(&self.registrar.signer, &template, &mut rand::rng()).expect("good claims")
    }

    /// The bank asks: consent drawn up and signed, request made and signed.
    pub(super) fn ask(&self) -> Asked {
        let artefact = Artefact::draw_up(self.terms()).expect("within the purpose");
        let artefact = artefact.sign(&self.bank.signer).expect("a key in memory signs");
        let ask = Ask {
            query: query(),
            purpose: PurposeCode::ACCOUNT_OPENING,
            transaction_data: vec![transaction_entry(&artefact, &["pid"])],
            redirect_uri: None,
        };
        let grants = MemoryGrants::new(1);
        let signer = &self.bank.signer;
        let asked = block_on(self.verifier.ask(&grants, signer, ask, self.now, &entropy()));
        let asked = asked.expect("within the purpose");
        let nonce = Some(WALLET_NONCE);
        let object = self.verifier.request_object(&grants, signer, &asked.id, nonce, self.now);
        let object = block_on(object).expect("just asked").0;
        Asked { grants, id: asked.id, reference: asked.reference, object }
    }

    /// The wallet checks who asks, what for and under which consent, and answers.
    pub(super) fn present(&self, asked: &Asked, credential: &SdJwt) -> Request {
        let (registry, now) = (&self.registry, self.now);
        let request = check_request(&asked.object, &asked.reference, WALLET_NONCE, registry, now);
        let request = request.expect("a registered bank");
        let consent = &request.consents()[0].consent;
        let (member, certificates) = chain(consent).expect("a chain");
        assert_eq!(member, request.verifier(), "the consent is the bank's");
        let vouched = registry.verify_chain(&certificates, RELYING_PARTY_TYPE, now.into());
        let (certificate, _) = vouched.expect("a registered bank");
        let artefact = Artefact::verify(consent, &certificate.leaf_key).expect("the bank's own");
        request.check_purpose(artefact.terms().purpose).expect("within the purpose");
        let held = Value::Object(credential.read().expect("our own").claims.0);
        let found = request.evaluate(&[Candidate { vct: PID, claims: &held }]);
        let disclose = &found.credentials[0].matches[0].disclose;
        let choice = Choice { query: "pid", credential, disclose, holder: &self.holder };
        request.present(&[choice], now, &entropy()).expect("everything asked is there")
    }

    /// The bank opens the answer and relies on it.
    pub(super) fn verify(&self, asked: &Asked, answer: &Request) {
        let response = self.verifier.response(&asked.grants, &asked.id, &answer.body, self.now);
        let Ok(Response::Presented(opened)) = block_on(response) else {
            panic!("the answer was not taken");
        };
        let verified = opened.verify(&self.registry, &self.lists, TERMS, self.now);
        let verified = verified.expect("a good presentation");
        assert_eq!(verified["pid"][0].issuer, REGISTRAR);
    }

    fn terms(&self) -> ConsentTerms {
        let starts = UnixSeconds::from(self.now);
        ConsentTerms {
            id: OperationId(rand::random()),
            consumer: Member { member: BANK, name: "Bank (sample)".to_owned() },
            providers: vec![Provider {
                member: REGISTRAR,
                name: "Ministry of Internal Affairs (sample)".to_owned(),
                rel: ConsentSecret::generate(&mut rand::rng()).rel(),
            }],
            purpose: PurposeCode::ACCOUNT_OPENING,
            dcql_query: serde_json::to_value(query()).expect("plain data becomes JSON"),
            fetch: Fetch::Once,
            data_life_days: 30,
            starts,
            expires: starts.saturating_add(86_400),
            language: Language::Az,
        }
    }
}

fn entropy() -> Entropy {
    Entropy::new(rand::random())
}

fn query() -> Query {
    let paths = ASKED.into_iter().map(dotted);
    Query { credentials: vec![CredentialQuery::new("pid", PID, paths)], credential_sets: None }
}

/// One list of a million entries, one in a hundred revoked, as the bank holds it.
fn status_list(issuer: &Party, now: UnixSeconds) -> VerifiedStatusList {
    let mut list = StatusList::new(Bits::One, 1 << 20).expect("far below the limit");
    for index in (0..list.entries()).step_by(100) {
        list.set(index, Status::INVALID).expect("below the end");
    }
    let expires_at = now.saturating_add(86_400);
    let token = StatusToken { uri: STATUS_URI, issued_at: now, expires_at, ttl_seconds: 86_400 };
    let token = sign_status_list(&issuer.signer, &token, &list).expect("a key in memory signs");
    VerifiedStatusList::verify(&token, STATUS_URI, now).expect("just signed")
}

/// Every claim of a PID, of nobody.
fn claims() -> Map<String, Value> {
    let claims = json!({
        "family_name": "Nümunə",
        "given_name": "Nümunə",
        "patronymic": "Nümunə oğlu",
        "birthdate": "1990-01-02",
        "sex": "M",
        "nationality": "AZ",
        "place_of_birth": "Bakı",
        "personal_administrative_number": "0000000",
        "document_number": "AA0000000",
        "document_issuer": "Nümunə",
        "document_issued": "2020-01-02",
        "document_expiry": "2030-01-02",
        "address": {
            "region": "Bakı",
            "city": "Bakı",
            "street": "Nümunə küçəsi",
            "building": "1",
            "postal_code": "AZ1000",
        },
        "age_over_14": true,
        "age_over_16": true,
        "age_over_18": true,
        "age_over_21": true,
        "assurance_level": "high",
    });
    let Value::Object(claims) = claims else { unreachable!("an object") };
    claims
}
