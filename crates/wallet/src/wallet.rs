//! The wallet service: storage, the way to the members and to the ledger, and who may come in.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use etibar_client::{Client, ClientConfig, ConfigError, clock};
use etibar_ledger::{Genesis, genesis::GenesisError};
use etibar_primitives::{BlockTime, MemberId, hex, key::PrivateKey};
use etibar_vault::{
    VaultError,
    key::{FileKey, KeyService},
};
use zeroize::Zeroizing;

use crate::{
    WalletError,
    answer::Answering,
    config::{MemberAddress, WalletConfig},
    gesture::{Action, Challenges, Cover, Gesture},
    holder::Holder,
    id::{EntryId, PersonId},
    members::Members,
    passkey::{Answer, PasskeyError, Passkeys, Registration},
    store::{Session, Store, StoreFault},
    trust::Trust,
};

pub use crate::passkey::NewPasskey;

/// How long a passkey may take to be made, in milliseconds: the person fills a form meanwhile.
const REGISTRATION_LIFE_MS: u64 = 20 * 60_000;
/// Passkeys that are being made at once; then the oldest is forgotten.
const REGISTRATIONS_MAX: usize = 2_000;
/// How long a browser stays signed in, in milliseconds. Nothing leaves the wallet without another
/// gesture anyway.
pub const SESSION_LIFE_MS: u64 = 30 * 60_000;

/// A wallet service. Cheap to clone.
#[derive(Clone)]
pub struct Wallet {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) client: Client,
    pub(crate) members: Members,
    passkeys: Option<Passkeys>,
    challenges: Mutex<Challenges>,
    registrations: Mutex<Vec<Pending>>,
    pub(crate) trust: Trust,
    pub(crate) answering: Answering,
    /// Deferred credentials are asked for by one at a time: an issuer gives each once.
    pub(crate) resuming: tokio::sync::Mutex<()>,
}

/// A passkey that is being made.
struct Pending {
    id: EntryId,
    /// Who adds it to their wallet; `None` before there is a wallet.
    person: Option<PersonId>,
    began: BlockTime,
    registration: Registration,
    /// Once it is made: kept so that a form sent again needs no second one.
    made: Option<NewPasskey>,
}

/// What a wallet in a process of its own is made of; tests and tours give the parts themselves.
pub struct WalletSetup {
    /// The folder of the database.
    pub store: PathBuf,
    /// Wraps the persons' keys.
    pub master: Arc<dyn KeyService>,
    /// The way to the ledger.
    pub client: Client,
    /// The members that issue and ask.
    pub members: Vec<MemberAddress>,
    /// Who enrols people.
    pub registrar: MemberId,
    /// The origin that passkeys are bound to; `None` for a scripted wallet, which acts without.
    pub origin: Option<String>,
}

/// Why a wallet cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file cannot be read, or the store's folder cannot be made.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{path} holds no {what}")]
    Content {
        /// Which.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// The genesis starts no network.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The client refuses its configuration.
    #[error(transparent)]
    Client(#[from] ConfigError),
    /// The master key cannot be read or made.
    #[error("the master key: {0}")]
    MasterKey(#[source] VaultError),
    /// The origin is no `http` or `https` origin with a host.
    #[error("{0:?} is no origin such as https://wallet.example")]
    Origin(String),
    /// The HTTP client cannot start.
    #[error("the HTTP client cannot start")]
    Http(#[source] reqwest::Error),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

/// Opens the wallet that `config` describes.
pub async fn open(config: &WalletConfig) -> Result<Wallet, OpenError> {
    let origin = Some(config.origin.clone());
    start(config, &config.store, &config.master_key, origin).await
}

/// Opens a wallet of one's own in `store`, in the network that `config` describes, for a script: it
/// acts without a passkey. Its master key is made there if there is none.
pub async fn open_scripted(config: &WalletConfig, store: &Path) -> Result<Wallet, OpenError> {
    let made = fs::create_dir_all(store);
    made.map_err(|source| OpenError::File { path: store.to_owned(), source })?;
    start(config, store, &store.join("master.key"), None).await
}

async fn start(
    config: &WalletConfig,
    store: &Path,
    master_key: &Path,
    origin: Option<String>,
) -> Result<Wallet, OpenError> {
    let genesis = read_genesis(&config.genesis)?;
    let key = Arc::new(PrivateKey::from_seed(&*read_secret(&config.key)?));
    let client = Client::new(ClientConfig {
        genesis: Arc::new(genesis),
        validators: config.validators.clone(),
        member: config.member,
        key,
    })?;
    let master = FileKey::open_or_create(master_key).map_err(OpenError::MasterKey)?;
    Wallet::start(WalletSetup {
        store: store.to_owned(),
        master: Arc::new(master),
        client,
        members: config.members.clone(),
        registrar: config.registrar,
        origin,
    })
    .await
}

impl Wallet {
    /// The wallet of these parts.
    pub async fn start(setup: WalletSetup) -> Result<Self, OpenError> {
        let make = fs::create_dir_all(&setup.store);
        make.map_err(|source| OpenError::File { path: setup.store.clone(), source })?;
        let store = Store::open(&setup.store, setup.master).await?;
        let passkeys = setup.origin.as_deref().map(passkeys).transpose()?;
        let members = Members::new(setup.members, setup.registrar, setup.client.genesis());
        let members = members.map_err(OpenError::Http)?;
        let inner = Inner {
            store,
            client: setup.client,
            members,
            passkeys,
            challenges: Mutex::default(),
            registrations: Mutex::default(),
            trust: Trust::default(),
            answering: Answering::default(),
            resuming: tokio::sync::Mutex::new(()),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The wallet's way to the ledger.
    pub fn client(&self) -> &Client {
        &self.inner.client
    }

    /// The banks that a person may open an account at: number and name.
    pub fn banks(&self) -> Vec<(MemberId, String)> {
        self.inner.members.banks()
    }

    /// A person with an empty wallet: for passkeys before the first credential.
    pub async fn new_person(&self) -> Result<PersonId, WalletError> {
        Ok(self.inner.store.create_person(clock::now()).await?.person())
    }

    /// One person's side of the wallet.
    pub async fn holder(&self, person: PersonId) -> Result<Holder, WalletError> {
        let records = self.inner.store.records(person).await?;
        let records = records.ok_or(WalletError::PersonUnknown)?;
        Ok(Holder::new(self.clone(), records))
    }

    /// Proof of agreement of a scripted wallet, for whatever its script does.
    ///
    /// # Errors
    /// [`WalletError::GestureRequired`] where passkeys are demanded: a hosted wallet.
    pub fn scripted(&self) -> Result<Gesture, WalletError> {
        if self.inner.passkeys.is_some() {
            return Err(WalletError::GestureRequired);
        }
        Ok(Gesture { cover: Cover::Scripted, evidence: None })
    }

    /// Begins a passkey that the device shows as `label`: the ceremony and what
    /// `navigator.credentials.create` takes, as JSON.
    pub fn begin_passkey(&self, label: &str) -> Result<(EntryId, String), WalletError> {
        self.register(None, label)
    }

    /// The same for a passkey that `person` adds, or for the first of a wallet to be.
    pub(crate) fn register(
        &self,
        person: Option<PersonId>,
        label: &str,
    ) -> Result<(EntryId, String), WalletError> {
        let registration = self.passkeys()?.register(label);
        let options = registration.options.clone();
        let (id, began) = (EntryId::random(), clock::now());
        let mut pending = lock(&self.inner.registrations);
        pending.retain(|pending| began.since(pending.began).0 < REGISTRATION_LIFE_MS);
        if pending.len() >= REGISTRATIONS_MAX {
            pending.remove(0);
        }
        pending.push(Pending { id, person, began, registration, made: None });
        Ok((id, options))
    }

    /// The passkey of a ceremony: checks the browser's answer, or gives the passkey that the same
    /// ceremony already made.
    pub fn made_passkey(&self, ceremony: EntryId, answer: &str) -> Result<NewPasskey, WalletError> {
        self.registered(None, ceremony, answer)
    }

    /// The same; the ceremony must have been begun for `person`.
    pub(crate) fn registered(
        &self,
        person: Option<PersonId>,
        ceremony: EntryId,
        answer: &str,
    ) -> Result<NewPasskey, WalletError> {
        let passkeys = self.passkeys()?;
        let mut pending = lock(&self.inner.registrations);
        let wanted = |its: &&mut Pending| its.id == ceremony && its.person == person;
        let found = pending.iter_mut().find(wanted);
        let found = found.ok_or(PasskeyError::Ended)?;
        if let Some(made) = &found.made {
            return Ok(made.clone());
        }
        let made = passkeys.registered(&found.registration, answer)?;
        found.made = Some(made.clone());
        Ok(made)
    }

    /// Whether a ceremony has made its passkey, so that the form need not ask again.
    pub fn has_passkey(&self, ceremony: EntryId) -> bool {
        let pending = lock(&self.inner.registrations);
        pending.iter().any(|pending| pending.id == ceremony && pending.made.is_some())
    }

    /// Gives a passkey to a person.
    pub async fn keep_passkey(
        &self,
        person: PersonId,
        passkey: &NewPasskey,
    ) -> Result<(), WalletError> {
        Ok(self.inner.store.put_passkey(&passkey.row(person, clock::now())).await?)
    }

    /// What `navigator.credentials.get` takes to sign in with any passkey of this site, as JSON.
    pub fn ask_sign_in(&self) -> Result<String, WalletError> {
        let challenge = self.challenge(None, Action::SignIn);
        Ok(self.passkeys()?.request(&challenge, &[])?)
    }

    /// Who signs in by the browser's answer. The same gesture lets the registrar renew an identity
    /// whose attributes have changed.
    pub async fn sign_in(&self, answer: &str) -> Result<PersonId, WalletError> {
        let (person, gesture) = self.verify(answer).await?;
        gesture.check(person, &Action::SignIn)?;
        self.holder(person).await?.come_back().await;
        Ok(person)
    }

    /// Signs a browser in: the token to show, and the session.
    pub async fn begin_session(
        &self,
        person: PersonId,
    ) -> Result<(Zeroizing<String>, Session), WalletError> {
        let secret: [u8; 32] = rand::random();
        let now = clock::now();
        let session = Session {
            token: token_hash(&secret),
            person,
            form_key: rand::random(),
            expires: BlockTime(now.0 + SESSION_LIFE_MS),
        };
        self.inner.store.put_session(&session, now).await?;
        Ok((Zeroizing::new(hex::encode(&secret)), session))
    }

    /// The session of a token; `None` when there is none or it has ended.
    pub async fn session(&self, token: &str) -> Result<Option<Session>, WalletError> {
        let Some(secret) = hex::decode_array(token) else { return Ok(None) };
        Ok(self.inner.store.session(&token_hash(&secret), clock::now()).await?)
    }

    /// Signs a browser out.
    pub async fn end_session(&self, session: &Session) -> Result<(), WalletError> {
        Ok(self.inner.store.remove_session(&session.token).await?)
    }

    /// Closes the storage.
    pub async fn close(&self) {
        self.inner.store.close().await;
    }

    /// A new challenge for what `person` is asked to agree to.
    pub(crate) fn challenge(&self, person: Option<PersonId>, action: Action) -> [u8; 32] {
        lock(&self.inner.challenges).ask(person, action, clock::now())
    }

    pub(crate) fn passkeys(&self) -> Result<&Passkeys, WalletError> {
        self.inner.passkeys.as_ref().ok_or(WalletError::GestureRequired)
    }

    /// Verifies a browser's answer to a challenge: whose passkey it is, and what it covers.
    pub(crate) async fn verify(&self, answer: &str) -> Result<(PersonId, Gesture), WalletError> {
        let answer = Answer::parse(answer)?;
        let bytes = answer.challenge()?;
        let challenge = lock(&self.inner.challenges).take(&bytes, clock::now());
        let challenge = challenge.ok_or(PasskeyError::Ended)?;
        let row = self.inner.store.passkey(&answer.credential()?).await?;
        let row = row.ok_or(PasskeyError::Unknown)?;
        if challenge.person.is_some_and(|person| person != row.person) {
            return Err(WalletError::GestureOther);
        }
        let (row, evidence) = self.passkeys()?.verify(&answer, &bytes, &challenge.nonce, &row)?;
        let person = row.person;
        self.inner.store.put_passkey(&row).await?;
        let cover = Cover::One(person, challenge.action);
        Ok((person, Gesture { cover, evidence: Some(evidence) }))
    }
}

fn passkeys(origin: &str) -> Result<Passkeys, OpenError> {
    let wrong = || OpenError::Origin(origin.to_owned());
    let url = reqwest::Url::parse(origin).map_err(|_| wrong())?;
    let host = url.domain().ok_or_else(wrong)?;
    if !["http", "https"].contains(&url.scheme()) || url.origin().ascii_serialization() != origin {
        return Err(wrong());
    }
    Ok(Passkeys::new(host, origin))
}

fn token_hash(secret: &[u8; 32]) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(secret).into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read_genesis(path: &PathBuf) -> Result<Genesis, OpenError> {
    let text = read(path)?;
    let genesis: Genesis = serde_json::from_str(&text)
        .map_err(|_| OpenError::Content { path: path.clone(), what: "genesis" })?;
    genesis.check()?;
    Ok(genesis)
}

fn read_secret(path: &PathBuf) -> Result<Zeroizing<[u8; 32]>, OpenError> {
    let text = read(path)?;
    let bytes = hex::decode_array(text.trim()).map(Zeroizing::new);
    bytes.ok_or_else(|| OpenError::Content { path: path.clone(), what: "key" })
}

fn read(path: &PathBuf) -> Result<Zeroizing<String>, OpenError> {
    let text = fs::read_to_string(path);
    text.map(Zeroizing::new).map_err(|source| OpenError::File { path: path.clone(), source })
}
