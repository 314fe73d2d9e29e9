//! A registrar with a ledger, a bank and a person's device, all in memory but the stores.

pub(crate) mod requests;

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use etibar_agency::{
    Agency, Setup, Surroundings, agencies,
    config::Limits,
    population::{Plan, Population},
    ports::{EventBatch, Executed, LedgerFault, LedgerPort, WebFault, WebPort},
    proofing::SampleProofing,
    register::{Register as _, SqlRegister},
    sealed::StoreKey,
    store::Store,
};
use etibar_client::wire::{ConsentView, IssuerView, StatusListView};
use etibar_credential::{
    catalogue::{RELYING_PARTY_TYPE, type_digest},
    document::SealPrivateKey,
    jose::SoftwareKey,
    oprf::RegistrarKeys,
    sd_jwt::{ClaimPath, KeyBinding, SdJwt},
};
use etibar_keystore::{IssuerKey, KeyConfig, Owner};
use etibar_ledger::{
    Operation, Outcome,
    operation::{Action, AssuranceLevel},
    receipt::Event,
};
use etibar_openid::{
    Entropy, Private,
    http::{Answer, Request},
    member::{ChangeNotice, HolderAction, HolderEnvelope, HolderRequest, body_nonce, render},
    vci::{
        AuthorizationServerMetadata, CredentialIssuerMetadata,
        holder::{Session, Wallet},
        issuer::{Client, Incoming},
    },
};
use etibar_primitives::{BlockTime, Digest, MemberId, OperationId, key::PrivateKey};
use etibar_vault::sqlite::Durability;
use futures::future::BoxFuture;

mod sign_in;

pub(crate) const REGISTRAR: MemberId = MemberId(12);
pub(crate) const BANK: MemberId = MemberId(2);
pub(crate) const URL: &str = "http://registrar.example";
pub(crate) const NETWORK: Digest = Digest([1; 32]);
const BACK: &str = "https://wallet.example/back";
const START: u64 = 1_795_000_000_000;

/// The ledger, as far as these tests need one.
#[derive(Default)]
pub(crate) struct FakeLedger {
    pub(crate) issuers: Mutex<Vec<IssuerView>>,
    pub(crate) consents: Mutex<HashMap<Digest, ConsentView>>,
    pub(crate) done: Mutex<HashMap<(MemberId, OperationId), Executed>>,
    pub(crate) lists: Mutex<HashMap<(MemberId, u32), StatusListView>>,
    pub(crate) time: Arc<AtomicU64>,
}

impl FakeLedger {
    pub(crate) fn now(&self) -> BlockTime {
        BlockTime(self.time.load(Ordering::SeqCst))
    }

    pub(crate) fn submit(&self, member: MemberId, operation: Operation) -> Executed {
        let time = self.now();
        let outcome = match operation.action {
            Action::GrantConsent(grant) => {
                let view = ConsentView {
                    rel: grant.rel,
                    consumer: member,
                    provider: grant.provider,
                    commitment: grant.commitment,
                    purpose: grant.purpose,
                    scope: grant.scope,
                    granted: time,
                    expires: grant.expires,
                    revoked: None,
                };
                self.consents.lock().unwrap().insert(grant.rel, view);
                Outcome::Accepted
            }
            Action::RevokeConsent(revocation) => {
                let mut consents = self.consents.lock().unwrap();
                let found = consents.get_mut(&revocation.rel);
                found.map_or(Outcome::ConsentUnknown, |found| {
                    found.revoked = Some(time);
                    Outcome::Accepted
                })
            }
            Action::AnchorStatusList(anchor) => {
                let view = StatusListView {
                    member,
                    list: anchor.list,
                    counter: anchor.counter,
                    digest: anchor.digest,
                    anchored: time,
                };
                self.lists.lock().unwrap().insert((member, anchor.list), view);
                Outcome::Accepted
            }
            _ => Outcome::Accepted,
        };
        let done = Executed { operation: Some(operation), outcome, time };
        *self.done.lock().unwrap().entry((member, operation.id)).or_insert(done)
    }
}

/// The ledger as the registrar sees it.
pub(crate) struct Port(pub(crate) Arc<FakeLedger>);

impl LedgerPort for Port {
    fn execute(&self, operation: Operation) -> BoxFuture<'_, Result<Executed, LedgerFault>> {
        Box::pin(async move { Ok(self.0.submit(REGISTRAR, operation)) })
    }

    fn receipt(
        &self,
        submitter: MemberId,
        operation: OperationId,
    ) -> BoxFuture<'_, Result<Option<Executed>, LedgerFault>> {
        let found = self.0.done.lock().unwrap().get(&(submitter, operation)).copied();
        Box::pin(async move { Ok(found) })
    }

    fn consent(&self, rel: Digest) -> BoxFuture<'_, Result<Option<ConsentView>, LedgerFault>> {
        let found = self.0.consents.lock().unwrap().get(&rel).copied();
        Box::pin(async move { Ok(found) })
    }

    fn issuers(&self) -> BoxFuture<'_, Result<Vec<IssuerView>, LedgerFault>> {
        let found = self.0.issuers.lock().unwrap().clone();
        Box::pin(async move { Ok(found) })
    }

    fn status_list(
        &self,
        member: MemberId,
        list: u32,
    ) -> BoxFuture<'_, Result<Option<StatusListView>, LedgerFault>> {
        let found = self.0.lists.lock().unwrap().get(&(member, list)).copied();
        Box::pin(async move { Ok(found) })
    }

    fn events(&self, _: u64) -> BoxFuture<'_, Result<EventBatch, LedgerFault>> {
        Box::pin(futures::future::pending())
    }
}

/// The bank's door for notices; shut when told so.
#[derive(Default)]
pub(crate) struct FakeWeb {
    pub(crate) notices: Mutex<Vec<ChangeNotice>>,
    pub(crate) shut: AtomicBool,
}

impl WebPort for FakeWeb {
    fn get<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<String, WebFault>> {
        Box::pin(async { Err(WebFault("there is nothing".to_owned())) })
    }

    fn notify<'a>(
        &'a self,
        _: MemberId,
        notice: &'a ChangeNotice,
    ) -> BoxFuture<'a, Result<(), WebFault>> {
        let shut = self.shut.load(Ordering::SeqCst);
        if !shut {
            self.notices.lock().unwrap().push(notice.clone());
        }
        let answer = if shut { Err(WebFault("shut".to_owned())) } else { Ok(()) };
        Box::pin(async move { answer })
    }
}

pub(crate) struct World {
    pub(crate) ledger: Arc<FakeLedger>,
    pub(crate) web: Arc<FakeWeb>,
    pub(crate) agency: Agency,
    pub(crate) population: Population,
    pub(crate) bank: IssuerKey,
    pub(crate) bank_seal: SealPrivateKey,
    releases: &'static [&'static str],
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::releasing(&[]).await
    }

    /// A registrar whose clerks release credentials of these configurations.
    pub(crate) async fn releasing(releases: &'static [&'static str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Arc::new(FakeLedger::default());
        ledger.time.store(START, Ordering::SeqCst);
        let web = Arc::new(FakeWeb::default());
        let now = BlockTime(START);
        let bank = issuer_key(folder.path(), "bank", "http://b", now);
        let reference = "2026-11-01".parse().unwrap();
        let population = Population::generate(Plan { seed: 5, people: 300, reference });
        let agency = open(folder.path(), &ledger, &web, &population, releases).await;
        let own = issuer_key(folder.path(), "own", URL, now);
        let entry = |member, vct: &str, authority| IssuerView {
            member,
            credential_type: type_digest(vct),
            certificate: authority,
            ceiling: AssuranceLevel::High,
            valid_from: BlockTime(0),
            valid_until: BlockTime::MAX,
        };
        *ledger.issuers.lock().unwrap() = vec![
            entry(REGISTRAR, "urn:az:pid:1", own.authority),
            entry(REGISTRAR, "urn:az:pairwise:1", own.authority),
            entry(REGISTRAR, RELYING_PARTY_TYPE, own.authority),
            entry(BANK, RELYING_PARTY_TYPE, bank.authority),
        ];
        let bank_seal = SealPrivateKey::from_seed(&[8; 32]);
        Self { ledger, web, agency, population, bank, bank_seal, releases, folder }
    }

    /// The agency as after kill −9: a new one over what was committed.
    pub(crate) async fn restart(&mut self) {
        let (folder, releases) = (self.folder.path(), self.releases);
        self.agency = open(folder, &self.ledger, &self.web, &self.population, releases).await;
    }

    /// The key is gone; the next start makes another.
    pub(crate) fn lose_key(&self) {
        std::fs::remove_dir_all(self.folder.path().join("own")).unwrap();
    }

    /// The register's own database.
    pub(crate) async fn register(&self) -> SqlRegister {
        SqlRegister::open(&self.folder.path().join("register.sqlite")).await.unwrap()
    }

    pub(crate) fn pass(&self, milliseconds: u64) {
        self.ledger.time.fetch_add(milliseconds, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> BlockTime {
        self.ledger.now()
    }

    /// Every file of the agency's own store, for a search in it.
    pub(crate) fn store_bytes(&self) -> Vec<u8> {
        let files = ["agency.sqlite", "agency.sqlite-wal"];
        files
            .iter()
            .flat_map(|file| std::fs::read(self.folder.path().join(file)).unwrap())
            .collect()
    }

    /// Carries a wallet's request to the agency.
    pub(crate) async fn send(&self, request: &Request) -> Answer {
        let incoming = Incoming {
            body: &request.body,
            authorization: request.header("authorization"),
            dpop: request.header("dpop"),
        };
        let path = request.url.strip_prefix(URL).unwrap();
        match path.split('?').next().unwrap() {
            "/oauth/token" => self.agency.token(incoming).await,
            "/oid4vci/nonce" => self.agency.nonce(),
            "/oid4vci/credential" => self.agency.credential(incoming).await,
            "/oid4vci/deferred" => self.agency.deferred(incoming).await,
            other => panic!("no such endpoint: {other}"),
        }
    }

    /// Redeems an offer: `count` credentials of each configuration.
    pub(crate) async fn redeem(
        &self,
        offer: &str,
        configurations: &[&str],
        count: usize,
    ) -> Device {
        let mut signed = self.accept(offer).await;
        let mut device = Device::default();
        for configuration in configurations {
            let keys: Vec<SoftwareKey> = (0..count).map(|_| key()).collect();
            let borrowed: Vec<_> = keys.iter().collect();
            let fetched = self.fetch(&mut signed, configuration, &borrowed).await.unwrap();
            let pairs = fetched.into_iter().zip(keys);
            device.held.insert((*configuration).to_owned(), pairs.collect());
        }
        device
    }

    /// A wallet's session with the agency.
    fn session(&self) -> Session {
        let wallet = Wallet { client_id: "wallet".to_owned(), redirect_uri: BACK.to_owned() };
        let issuer: CredentialIssuerMetadata =
            serde_json::from_slice(&self.agency.issuer_metadata().body).unwrap();
        let server: AuthorizationServerMetadata =
            serde_json::from_slice(&self.agency.server_metadata().body).unwrap();
        Session::new(wallet, issuer, server)
    }

    /// A holder's signed request to the registrar.
    pub(crate) fn holder_request(&self, device: &Device, request: HolderAction) -> HolderEnvelope {
        let request = HolderRequest {
            id: operation(),
            audience: URL.to_owned(),
            made_at: self.now(),
            request,
        };
        self.envelope(device, &render(&request).unwrap())
    }

    pub(crate) fn envelope(&self, device: &Device, body: &[u8]) -> HolderEnvelope {
        let presentation = device.present("pid", &body_nonce(body), URL, &[], self.now());
        let body = String::from_utf8(body.to_vec()).unwrap();
        HolderEnvelope { body: Private(body), presentation: Private(presentation) }
    }
}

/// A person's credentials with their keys.
#[derive(Default)]
pub(crate) struct Device {
    pub(crate) held: HashMap<String, Vec<(SdJwt, SoftwareKey)>>,
}

impl Device {
    pub(crate) fn present(
        &self,
        configuration: &str,
        nonce: &str,
        audience: &str,
        transaction_data: &[String],
        now: BlockTime,
    ) -> String {
        let (credential, key) = &self.held[configuration][0];
        let binding = KeyBinding { nonce, audience, issued_at: now.into(), transaction_data };
        let number = ClaimPath::of(&["personal_administrative_number"]);
        credential.present(&[number], &binding, key).unwrap()
    }
}

/// The key that speaks for a member on the ledger.
pub(crate) fn member_key(member: MemberId) -> PrivateKey {
    PrivateKey::from_seed(&[u8::try_from(member.0).unwrap(); 32])
}

pub(crate) fn operation() -> OperationId {
    OperationId(rand::random())
}

pub(crate) fn entropy() -> Entropy {
    Entropy::new(rand::random())
}

fn key() -> SoftwareKey {
    SoftwareKey::generate(&mut rand::rng())
}

fn issuer_key(folder: &Path, name: &str, base_url: &str, now: BlockTime) -> IssuerKey {
    let config = KeyConfig::folder(folder.join(name));
    IssuerKey::open_or_create(&config, &Owner { name, base_url }, now).unwrap()
}

async fn open(
    folder: &Path,
    ledger: &Arc<FakeLedger>,
    web: &Arc<FakeWeb>,
    population: &Population,
    releases: &[&str],
) -> Agency {
    let kind = agencies::Agency::InternalAffairs;
    let signer = issuer_key(folder, "own", URL, ledger.now()).signer;
    let register = SqlRegister::open(&folder.join("register.sqlite")).await.unwrap();
    if register.counts().await.unwrap().is_empty() {
        register.put(&population.records(kind)).await.unwrap();
    }
    let key = Arc::new(StoreKey::new(&[3; 32]));
    let store = Store::open(folder, key, Durability::Process).await.unwrap();
    let time = ledger.time.clone();
    let seal = SealPrivateKey::from_seed(&[8; 32]).public_key();
    let setup = Setup {
        member: REGISTRAR,
        kind,
        name: "Registrar (sample)".to_owned(),
        base_url: URL.to_owned(),
        network: NETWORK,
        keys: [REGISTRAR, BANK].map(|its| (its, vec![member_key(its).public_key()])).into(),
        signer,
        nonce_key: [4; 32],
        registrar: Some(RegistrarKeys::new(&[5; 32], &[6; 32])),
        seal_keys: HashMap::from([(BANK, seal)]),
        releases: releases.iter().map(|its| (*its).to_owned()).collect(),
        wallets: vec![Client { id: "wallet".to_owned(), redirect_uris: vec![BACK.to_owned()] }],
        limits: Limits::default(),
        clock: Arc::new(move || BlockTime(time.load(Ordering::SeqCst))),
    };
    let surroundings = Surroundings {
        register: Arc::new(register),
        ledger: Arc::new(Port(ledger.clone())),
        web: web.clone(),
        proofing: Arc::new(SampleProofing),
    };
    Agency::new(setup, store, surroundings).await.unwrap()
}

/// The certified events of one block.
pub(crate) fn block(
    first: u64,
    time: BlockTime,
    operations: &[(MemberId, Operation)],
) -> EventBatch {
    let event = |(submitter, operation): &(MemberId, Operation)| Event {
        operation: operation.encode(),
        submitter: *submitter,
        outcome: Outcome::Accepted,
    };
    EventBatch { first, time, events: operations.iter().map(event).collect() }
}
