//! Registrar and agencies that issue, and banks that rely.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use etibar_client::wire::IssuerView;
use etibar_credential::{
    UnixSeconds,
    catalogue::{Language, RELYING_PARTY_TYPE, credential_type, type_digest},
    jose::{Signer as _, sha256},
    level::AssuranceLevel,
    sd_jwt::ClaimPath,
    sd_jwt_vc::{Template, issue},
    status_list::{Bits, Status, StatusList, StatusReference, StatusToken, sign_status_list},
    trust::{TrustEntry, TrustRegistry},
};
use etibar_keystore::KeyConfig;
use etibar_ledger::{
    Operation,
    operation::{self, Action, StatusListAnchor},
};
use etibar_onboarding::{
    Onboarding, Parts, SessionView,
    identity::{Identity, Keys},
    policy::Products,
    ports::SampleScreening,
    service::Clock,
    session_id,
};
use etibar_openid::Private;
use etibar_primitives::{BlockTime, Digest, DurationMs, MemberId, OperationId};
use etibar_vault::{Vault, key::FileKey, sqlite::Durability};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    ledger::{FakeLedger, Shared},
    peers::{FakeAccounts, FakePeers, Web},
    wallet::{Held, Wallet, key},
};

/// How far the validators' clock is ahead of the members'.
const LEDGER_AHEAD_MS: u64 = 37;
/// 2026-11-22.
const START_MS: u64 = 1_795_300_000_000;
pub(crate) const FIN: &str = "9ZZ9ZZ9";
/// A politically exposed person's number.
pub(crate) const EXPOSED: &str = "9ZZ9ZZ5";
/// How long an application waits for the staff.
pub(crate) const EXAMINATION_LIFE: DurationMs = DurationMs(14 * 86_400_000);

pub(crate) struct Bank {
    pub(crate) flows: Onboarding,
    pub(crate) ledger: Arc<FakeLedger>,
    pub(crate) accounts: Arc<FakeAccounts>,
    pub(crate) folder: PathBuf,
}

pub(crate) struct Country {
    pub(crate) folder: TempDir,
    pub(crate) shared: Arc<Shared>,
    pub(crate) web: Arc<Web>,
    pub(crate) members: Vec<Identity>,
    pub(crate) now: Arc<AtomicU64>,
}

impl Country {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let members = [2, 3, 12, 14, 15, 16, 25].map(|member| {
            let path = folder.path().join(format!("identity-{member}"));
            let (name, url) =
                (format!("Member {member} (sample)"), format!("http://m{member}.example"));
            let (issuer, seal) = (KeyConfig::folder(&path), path.join("envelope.key"));
            let keys = Keys { issuer: &issuer, seal: &seal };
            Identity::open_or_create(keys, MemberId(member), &name, &url, BlockTime(START_MS))
                .expect("an identity")
        });
        let country = Self {
            folder,
            shared: Arc::default(),
            web: Arc::default(),
            members: members.to_vec(),
            now: Arc::new(AtomicU64::new(START_MS)),
        };
        country.register();
        for member in [12, 14, 15, 16, 25] {
            country.publish(member, &[]);
        }
        country
    }

    fn register(&self) {
        let mut state = self.shared.state.lock().expect("no test panics inside");
        for member in &self.members {
            let mut types: Vec<&str> = etibar_credential::catalogue::issued_by(member.member)
                .map(|its| its.vct.as_str())
                .collect();
            types.push(RELYING_PARTY_TYPE);
            state.issuers.extend(types.iter().map(|vct| IssuerView {
                member: member.member,
                credential_type: type_digest(vct),
                certificate: member.authority,
                ceiling: operation::AssuranceLevel::High,
                valid_from: BlockTime(0),
                valid_until: BlockTime::MAX,
            }));
        }
    }

    pub(crate) fn time(&self) -> BlockTime {
        BlockTime(self.now.load(Ordering::SeqCst))
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.now.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }

    pub(crate) fn clock(&self) -> Clock {
        let now = Arc::clone(&self.now);
        Arc::new(move || BlockTime(now.load(Ordering::SeqCst)))
    }

    /// The validators' clock is none of the banks': a moment on the ledger is not one of theirs.
    fn ledger_clock(&self) -> Clock {
        let clock = self.clock();
        Arc::new(move || BlockTime(clock().0 + LEDGER_AHEAD_MS))
    }

    pub(crate) fn identity(&self, member: u32) -> &Identity {
        self.members.iter().find(|its| its.member.0 == member).expect("a member")
    }

    /// The registry as a wallet reads it.
    pub(crate) fn registry(&self) -> TrustRegistry {
        let state = self.shared.state.lock().expect("no test panics inside");
        TrustRegistry::new(state.issuers.iter().map(|view| TrustEntry {
            member: view.member,
            credential_type: view.credential_type,
            authority: view.certificate.0,
            ceiling: AssuranceLevel::High,
            valid_from: UnixSeconds(0),
            valid_until: UnixSeconds(u64::MAX),
        }))
    }

    /// Publishes and anchors a member's status list.
    pub(crate) fn publish(&self, member: u32, revoked: &[u64]) {
        let identity = self.identity(member);
        let mut list = StatusList::new(Bits::One, 64).expect("a list");
        for place in revoked {
            list.set(*place, Status::INVALID).expect("a place");
        }
        let uri = format!("{}/status/0", identity.base_url);
        let now = UnixSeconds::from(self.time());
        let token = StatusToken {
            uri: &uri,
            issued_at: now,
            expires_at: now.saturating_add(86_400),
            ttl_seconds: 600,
        };
        let text = sign_status_list(&*identity.signer, &token, &list).expect("signed");
        self.anchor(member, &text);
        self.web.lists.lock().expect("no test panics inside").insert(uri, text);
    }

    pub(crate) fn anchor(&self, member: u32, text: &str) {
        let digest = Digest(sha256(text.as_bytes()));
        let anchor = StatusListAnchor { list: 0, counter: self.time().0, digest };
        let action = Action::AnchorStatusList(anchor);
        let id = OperationId(rand::random());
        self.ledger(member).run(&Operation { id, linked: false, action });
    }

    fn ledger(&self, member: u32) -> FakeLedger {
        FakeLedger {
            shared: Arc::clone(&self.shared),
            member: MemberId(member),
            clock: self.ledger_clock(),
            down: AtomicBool::new(false),
            loses_answers: AtomicBool::new(false),
        }
    }

    /// A credential for a wallet; `place` is its place on the issuer's list.
    pub(crate) fn issue(&self, issuer: u32, vct: &str, claims: &Value, place: u64) -> Held {
        let identity = self.identity(issuer);
        let holder = key();
        let status =
            StatusReference { uri: format!("{}/status/0", identity.base_url), index: place };
        let claims = claims.as_object().expect("claims").clone();
        let known = credential_type(vct).expect("a type");
        let disclosable: Vec<ClaimPath> = known
            .disclosable()
            .filter(|name| claims.contains_key(*name))
            .map(|name| ClaimPath::of(&[name]))
            .collect();
        let now = UnixSeconds::from(self.time());
        let template = Template {
            vct,
            vct_integrity: None,
            issuer: &identity.base_url,
            issued_at: now,
            not_before: None,
            expires_at: now.saturating_add(30 * 86_400),
            holder: &holder.public_key(),
            status: Some(&status),
            claims,
            disclosable: &disclosable,
            decoys: 0,
        };
        let credential = issue(&*identity.signer, &template, &mut rand::rng()).expect("issued");
        let claims = Value::Object(credential.read().expect("ours").claims.0);
        Held { vct: vct.to_owned(), credential, key: holder, claims }
    }

    /// A wallet with PID and the pairwise credential for a bank; `change` alters the PID.
    pub(crate) fn wallet(&self, bank: u32, change: &Value) -> Wallet {
        let mut pid = pid();
        for (name, value) in change.as_object().into_iter().flatten() {
            pid[name] = value.clone();
        }
        let level = pid["assurance_level"].clone();
        let pairwise = json!({
            "member": bank, "ppid": format!("ppid-{bank}"), "assurance_level": level,
            "personal_administrative_number": pid["personal_administrative_number"],
        });
        Wallet {
            held: vec![
                self.issue(12, "urn:az:pid:1", &pid, 1),
                self.issue(12, "urn:az:pairwise:1", &pairwise, 2),
            ],
        }
    }

    /// A bank; opened again it finds what it had.
    pub(crate) async fn bank(&self, member: u32) -> Bank {
        let folder = self.folder.path().join(format!("bank-{member}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        let accounts = Arc::new(FakeAccounts::default());
        self.open(member, folder, accounts).await
    }

    async fn open(&self, member: u32, folder: PathBuf, accounts: Arc<FakeAccounts>) -> Bank {
        let ledger = Arc::new(self.ledger(member));
        let identity = self.identity(member).clone();
        let master = FileKey::open_or_create(&folder.join("master.key")).expect("a key");
        let vault = Vault::open(&folder, Arc::new(master), Durability::Process).await;
        let parts = Parts {
            identity: identity.clone(),
            products: Products::sample(),
            vault: vault.expect("a vault"),
            ledger: ledger.clone(),
            peers: Arc::new(FakePeers {
                web: Arc::clone(&self.web),
                members: self.members.clone(),
                own: identity,
                clock: self.clock(),
            }),
            accounts: accounts.clone(),
            screening: Arc::new(SampleScreening {
                hits: Vec::new(),
                exposed: vec![Private(EXPOSED.to_owned())],
            }),
            clock: self.clock(),
            examination_life: EXAMINATION_LIFE,
        };
        Bank { flows: Onboarding::new(parts, [7; 32]), ledger, accounts, folder }
    }

    /// The bank after a kill: everything in memory is gone.
    pub(crate) async fn restart(&self, bank: Bank) -> Bank {
        let member = bank.flows.parts().identity.member.0;
        bank.flows.parts().vault.close().await;
        let (folder, accounts) = (bank.folder.clone(), Arc::clone(&bank.accounts));
        accounts.loses_answers.store(false, Ordering::SeqCst);
        drop(bank);
        self.open(member, folder, accounts).await
    }
}

impl Bank {
    /// A session answered by `wallet`: its id, and what the bank said to the answer.
    pub(crate) async fn apply(
        &self,
        country: &Country,
        product: &str,
        wallet: &Wallet,
    ) -> ([u8; 16], Result<(), etibar_onboarding::OnboardingError>) {
        let phone = Private("+994501234567".to_owned());
        let created = self.flows.create(product, Language::En, Some(&phone)).await;
        let created = created.expect("a session");
        let registry = country.registry();
        let (request, body) =
            wallet.answer(&self.flows, &created.request_uri, &registry, country.time()).await;
        let id = session_id(&created.id).expect("an id");
        (id, self.flows.response(&request, &body).await.map(drop))
    }

    /// The session at its end.
    pub(crate) async fn end(&self, id: [u8; 16]) -> SessionView {
        let view = self.flows.session(id, 20_000).await.expect("a session");
        assert!(view.is_final, "it ended: {} {:?}", view.state, view.reasons);
        view
    }
}

pub(crate) fn pid() -> Value {
    json!({
        "family_name": "Nümunəyev", "given_name": "Sınaq", "patronymic": "Test oğlu",
        "birthdate": "1990-05-06", "sex": "m", "nationality": "AZ",
        "place_of_birth": "Bakı", "personal_administrative_number": FIN,
        "document_number": "AA0000000", "document_issuer": "ASAN", "document_issued": "2020-01-01",
        "document_expiry": "2030-01-01",
        "address": {"region": "Bakı", "city": "Bakı", "street": "Sınaq küçəsi",
                    "building": "1", "postal_code": "AZ1000"},
        "age_over_14": true, "age_over_16": true, "age_over_18": true, "age_over_21": true,
        "assurance_level": "substantial",
    })
}

/// A bank's due diligence of the sample person.
pub(crate) fn kyc(country: &Country, bank: u32, refresh_due: &str) -> Held {
    use etibar_credential::{
        level::Method,
        verified_claims::{Evidence, VerifiedClaims},
    };
    let now = UnixSeconds::from(country.time());
    let mut claims = pid();
    let claims = claims.as_object_mut().expect("claims");
    claims.retain(|name, _| !name.starts_with("age_over") && name != "assurance_level");
    let verified = VerifiedClaims {
        level: AssuranceLevel::Substantial,
        methods: [Method::Video].into_iter().collect(),
        verified_at: now,
        refresh_due: refresh_due.parse().expect("a date"),
        evidence: vec![Evidence {
            vct: "urn:az:pid:1".to_owned(),
            issuer: MemberId(12),
            checked_at: now,
        }],
        claims: claims.clone(),
    };
    let claims = Value::Object(verified.to_credential().expect("whole"));
    country.issue(bank, "urn:az:kyc:1", &claims, 9)
}
