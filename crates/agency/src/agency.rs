//! One agency: what its doors and tasks share.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use etibar_client::token;
use etibar_credential::{
    document::SealPublicKey, jose::Signer, oprf::RegistrarKeys, status_list::VerifiedStatusList,
    trust::TrustRegistry,
};
use etibar_openid::{
    Entropy,
    vci::issuer::{Client as WalletClient, Issuer, IssuerConfig, Lifetimes, NonceKey},
    vp::verifier::Verifier,
};
use etibar_primitives::{BlockTime, Digest, MemberId, key::PublicKey};

use crate::{
    agencies::Agency as Kind,
    config::Limits,
    error::AgencyError,
    issuing,
    ports::{LedgerPort, WebPort},
    proofing::Proofing,
    register::Register,
    store::{GrantStore, Store},
};

/// How long a presentation request for signing in lives, in seconds.
const SIGN_IN_LIFE_S: u64 = 600;

/// Who this agency is.
pub struct Setup {
    /// Its member id.
    pub member: MemberId,
    /// What it attests.
    pub kind: Kind,
    /// Its name, for people.
    pub name: String,
    /// The URL by which others reach it, without a slash at its end.
    pub base_url: String,
    /// The network's id.
    pub network: Digest,
    /// The keys that speak for each member, from the genesis.
    pub keys: HashMap<MemberId, Vec<PublicKey>>,
    /// Signs credentials, lists, requests and receipts.
    pub signer: Arc<dyn Signer>,
    /// Secret of the protocol's nonces.
    pub nonce_key: [u8; 32],
    /// The registrar's keys; at the registrar only.
    pub registrar: Option<RegistrarKeys>,
    /// For whom data is sealed how.
    pub seal_keys: HashMap<MemberId, SealPublicKey>,
    /// Configurations that a clerk releases before they are issued.
    pub releases: BTreeSet<String>,
    /// The wallets that may ask for authorization.
    pub wallets: Vec<WalletClient>,
    /// Time limits.
    pub limits: Limits,
    /// The present moment.
    pub clock: Arc<dyn Fn() -> BlockTime + Send + Sync>,
}

/// What an agency does its work with.
pub struct Surroundings {
    /// Its register.
    pub register: Arc<dyn Register>,
    /// The ledger.
    pub ledger: Arc<dyn LedgerPort>,
    /// Servers of others.
    pub web: Arc<dyn WebPort>,
    /// Who sees people, at the registrar.
    pub proofing: Arc<dyn Proofing>,
}

/// A running agency. Cheap to clone.
#[derive(Clone)]
pub struct Agency {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) setup: Setup,
    pub(crate) store: Store,
    pub(crate) grants: GrantStore,
    pub(crate) register: Arc<dyn Register>,
    pub(crate) ledger: Arc<dyn LedgerPort>,
    pub(crate) web: Arc<dyn WebPort>,
    pub(crate) proofing: Arc<dyn Proofing>,
    pub(crate) issuer: Issuer,
    pub(crate) verifier: Verifier,
    /// The trust registry as last read, and when.
    pub(crate) registry: Mutex<Option<(BlockTime, Arc<TrustRegistry>)>>,
    /// Status lists of others by address.
    pub(crate) lists: Mutex<BTreeMap<String, VerifiedStatusList>>,
    /// Whoever changes the register has it alone; whoever issues from it shares it. So nothing is
    /// issued from an entry while the change that ends it is under way.
    pub(crate) turn: tokio::sync::RwLock<()>,
    /// Wakes the tasks when there is something to publish, anchor or deliver.
    pub(crate) work: tokio::sync::Notify,
}

impl Agency {
    /// An agency over its store.
    pub async fn new(
        setup: Setup,
        store: Store,
        surroundings: Surroundings,
    ) -> Result<Self, AgencyError> {
        let grants = GrantStore::open(store.clone()).await?;
        let issuer = Issuer::new(IssuerConfig {
            base_url: setup.base_url.clone(),
            display: issuing::display(setup.kind),
            configurations: issuing::configurations(setup.kind),
            clients: setup.wallets.clone(),
            nonce_key: NonceKey::new(setup.nonce_key),
            lifetimes: Lifetimes::default(),
        });
        let verifier =
            Verifier { base_url: setup.base_url.clone(), request_life_s: SIGN_IN_LIFE_S };
        let Surroundings { register, ledger, web, proofing } = surroundings;
        let inner = Inner {
            setup,
            store,
            grants,
            register,
            ledger,
            web,
            proofing,
            issuer,
            verifier,
            registry: Mutex::new(None),
            lists: Mutex::default(),
            turn: tokio::sync::RwLock::new(()),
            work: tokio::sync::Notify::new(),
        };
        let agency = Self { inner: Arc::new(inner) };
        agency.replace_foreign_lists().await?;
        Ok(agency)
    }

    /// Who this agency is.
    pub fn setup(&self) -> &Setup {
        &self.inner.setup
    }

    /// Its store.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The member that shows this bearer token.
    pub fn member_of(&self, bearer: &str) -> Result<MemberId, AgencyError> {
        let setup = &self.inner.setup;
        let caller = token::verify(bearer, &setup.network, self.now())?;
        let speaks = setup.keys.get(&caller.member).is_some_and(|its| its.contains(&caller.key));
        if speaks { Ok(caller.member) } else { Err(AgencyError::KeyNotActive) }
    }

    pub(crate) fn now(&self) -> BlockTime {
        (self.inner.setup.clock)()
    }

    pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Agency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agency").field("member", &self.inner.setup.member).finish_non_exhaustive()
    }
}

/// Fresh random bytes for one call of the protocols.
pub(crate) fn entropy() -> Entropy {
    Entropy::new(rand::random())
}
