//! A network of one validator with its door open, shared by the tests that run at the same time.

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::{Arc, Mutex, PoisonError, Weak, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use etibar_api::{Limits, serve, validator};
use etibar_chain::{Handle, Peer, Timing, ValidatorConfig, run_validator};
use etibar_client::{Client, ClientConfig, clock, token};
use etibar_ledger::{
    Genesis, Operation,
    genesis::{GenesisAccount, GenesisIssuer, GenesisMember, GenesisPurpose},
    operation::{
        AccountKind, Action, AssuranceLevel, Bic, MemberRole, PurposeCode, Scope, Transfer,
        TransferKind,
    },
    transaction::Envelope,
};
use etibar_primitives::{
    AccountId, Amount, BlockTime, Digest, MemberId, OperationId, key::PrivateKey,
};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// How long a test waits for something that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const OPERATOR: MemberId = MemberId(1);
pub(crate) const DEBTOR: MemberId = MemberId(2);
pub(crate) const CREDITOR: MemberId = MemberId(3);
pub(crate) const STRANGER: MemberId = MemberId(4);

/// A running network.
pub(crate) struct World {
    pub(crate) genesis: Arc<Genesis>,
    pub(crate) handle: Handle,
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    threads: Vec<JoinHandle<()>>,
    _directory: TempDir,
}

static SHARED: Mutex<Weak<World>> = Mutex::new(Weak::new());

/// The network that all tests of this moment share.
pub(crate) fn world() -> Arc<World> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let world = Arc::new(World::start());
        *shared = Arc::downgrade(&world);
        world
    })
}

pub(crate) fn key(member: MemberId) -> PrivateKey {
    PrivateKey::from_seed(&[u8::try_from(member.0).expect("few"); 32])
}

pub(crate) const fn prefund(member: MemberId) -> AccountId {
    AccountId(2_000 + u64_of(member))
}

pub(crate) const fn settlement(member: MemberId) -> AccountId {
    AccountId(1_000 + u64_of(member))
}

const fn u64_of(member: MemberId) -> u64 {
    let [a, b, c, d] = member.0.to_le_bytes();
    u64::from_le_bytes([a, b, c, d, 0, 0, 0, 0])
}

fn genesis() -> Genesis {
    let member = |id: MemberId| GenesisMember {
        id,
        name: format!("Bank {id} (sample)"),
        role: if id == OPERATOR { MemberRole::Operator } else { MemberRole::Bank },
        bic: Bic::new("NABZAZ2C").expect("a code"),
        keys: vec![key(id).public_key()],
    };
    let account = |id, owner, kind, opening| GenesisAccount {
        id,
        owner,
        kind,
        opening: Amount::new(opening).expect("an amount"),
    };
    let banks = [DEBTOR, CREDITOR, STRANGER];
    let issue = account(AccountId(1), OPERATOR, AccountKind::Issue, 0);
    let settlements =
        banks.map(|bank| account(settlement(bank), bank, AccountKind::Settlement, 1_000));
    let prefunds = banks.map(|bank| account(prefund(bank), bank, AccountKind::Prefund, 100_000));
    Genesis {
        name: "test".to_owned(),
        time: BlockTime(clock::now().0 - 1_000),
        validators: vec![key(MemberId(99)).public_key()],
        members: std::iter::once(OPERATOR).chain(banks).map(member).collect(),
        accounts: std::iter::once(issue).chain(prefunds).chain(settlements).collect(),
        parameters: Vec::new(),
        issuers: vec![GenesisIssuer {
            member: DEBTOR,
            credential_type: Digest([3; 32]),
            certificate: Digest([4; 32]),
            ceiling: AssuranceLevel::Substantial,
            valid_from: BlockTime(0),
            valid_until: BlockTime::MAX,
        }],
        purposes: vec![GenesisPurpose {
            code: PurposeCode(1),
            scope: Scope(0b111),
            duration_max_ms: 86_400_000,
            document: Digest([5; 32]),
        }],
    }
}

fn validator(genesis: &Genesis, directory: &Path) -> (Handle, JoinHandle<()>) {
    let free = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let listen = free.local_addr().expect("it is bound");
    drop(free);
    let config = ValidatorConfig {
        genesis: genesis.clone(),
        key: key(MemberId(99)),
        listen,
        peers: vec![Peer { key: key(MemberId(99)).public_key(), address: listen }],
        directory: directory.to_owned(),
        worker_threads: 1,
        timing: Timing::default(),
        limits: etibar_chain::Limits::default(),
    };
    let (send, receive) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let ready = move |handle| send.send(handle).expect("the test waits");
        run_validator(config, ready).expect("the validator runs");
    });
    (receive.recv_timeout(PATIENCE).expect("the validator starts"), thread)
}

impl World {
    fn start() -> Self {
        let genesis = Arc::new(genesis());
        let directory = TempDir::new().expect("a temporary directory");
        let (handle, validator) = validator(&genesis, directory.path());
        let (stop, stopped) = oneshot::channel();
        let (send, receive) = mpsc::channel();
        let router = validator::router(handle.clone(), Arc::clone(&genesis));
        let door = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
                let listener = listener.expect("a port is free");
                send.send(listener.local_addr().expect("it is bound")).expect("the test waits");
                let shutdown = async move { drop(stopped.await) };
                serve(listener, router, Limits::default(), shutdown).await;
            });
        });
        let address = receive.recv_timeout(PATIENCE).expect("the door opens");
        let threads = vec![door, validator];
        Self { genesis, handle, address, stop: Some(stop), threads, _directory: directory }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A client of `member` through these doors.
    pub(crate) fn client_through(&self, member: MemberId, validators: Vec<String>) -> Client {
        let genesis = Arc::clone(&self.genesis);
        let key = Arc::new(key(member));
        let config = ClientConfig { genesis, validators, member, key };
        Client::new(config).expect("a good configuration")
    }

    pub(crate) fn client(&self, member: MemberId) -> Client {
        self.client_through(member, vec![self.url("")])
    }

    pub(crate) fn token(&self, member: MemberId) -> String {
        token::sign(&self.genesis.network(), member, &key(member), clock::now())
    }

    /// An envelope of `member` that is valid now.
    pub(crate) fn envelope(&self, member: MemberId) -> Envelope {
        let now = clock::now().0;
        Envelope {
            network: self.genesis.network(),
            member,
            valid_from: BlockTime(now - 10_000),
            valid_until: BlockTime(now + 60_000),
        }
    }

    /// A GET by `member`.
    pub(crate) async fn get(&self, member: MemberId, path: &str) -> reqwest::Response {
        let request = http().get(self.url(path)).bearer_auth(self.token(member));
        request.send().await.expect("the door answers")
    }

    /// A POST of a transaction.
    pub(crate) async fn post(&self, body: impl Into<reqwest::Body>) -> reqwest::Response {
        let request = http().post(self.url("/v1/transactions")).body(body);
        request.send().await.expect("the door answers")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.handle.stop();
        for thread in self.threads.drain(..) {
            assert!(thread.join().is_ok(), "a part of the network panicked");
        }
    }
}

pub(crate) fn http() -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy().timeout(PATIENCE);
    builder.build().expect("a client")
}

/// A fresh operation id: tests share one ledger.
pub(crate) fn fresh() -> OperationId {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    OperationId(u128::from(NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)))
}

/// A payment of `amount` minor units.
pub(crate) fn payment(kind: TransferKind, from: MemberId, to: MemberId, amount: u64) -> Operation {
    let amount = Amount::new(amount).expect("an amount");
    let mut transfer = Transfer::new(prefund(from), prefund(to), amount, clock::now());
    if kind == TransferKind::Reserve {
        transfer.expires = BlockTime(transfer.created.0 + 30_000);
    }
    Operation { id: fresh(), linked: false, action: Action::Transfer(kind, transfer) }
}

/// The status and the code of a problem; panics when the answer is none.
pub(crate) async fn problem(response: reqwest::Response) -> (u16, String) {
    let status = response.status().as_u16();
    let kind = response.headers()["content-type"].to_str().expect("a text").to_owned();
    assert_eq!(kind, etibar_client::wire::PROBLEM_JSON);
    let body = response.bytes().await.expect("a body");
    let problem: etibar_client::wire::Problem =
        serde_json::from_slice(&body).expect("problem+json");
    assert_eq!(problem.status, status);
    assert_eq!(problem.kind, format!("urn:etibar:problem:{}", problem.code));
    (status, problem.code)
}
