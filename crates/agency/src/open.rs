//! From a configuration to a running agency.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use etibar_client::{Client, ClientConfig, ConfigError, clock, roster::RosterError};
use etibar_credential::{catalogue, document::SealPublicKey, oprf::RegistrarKeys};
use etibar_keystore::{IssuerKey, KeyFault, Owner};
use etibar_ledger::{Genesis, genesis::GenesisError};
use etibar_openid::vci::issuer::Client as WalletClient;
use etibar_primitives::{Digest, hex, key::PrivateKey};
use etibar_vault::sqlite::Durability;
use zeroize::Zeroizing;

use crate::{
    agencies::{self, kind::PID},
    agency::{Agency, Setup, Surroundings},
    clerk::{self, Clerks},
    config::{AgencyConfig, RegisterConfig, SampleConfig},
    error::AgencyError,
    population::{Plan, Population},
    ports::{ClientLedger, HttpWeb, Speaker},
    proofing::SampleProofing,
    register::{CsvRegister, Register, RegisterFault, SqlRegister},
    sealed::StoreKey,
    store::{Store, StoreFault},
};

/// An agency and what its doors need. Run [`Agency::run_until`] beside them.
pub struct Opened {
    /// The agency.
    pub agency: Agency,
    /// The client that it speaks to the ledger through.
    pub client: Client,
    /// The clerks, by their tokens.
    pub clerks: Clerks,
    /// SHA-256 of the issuer's authority: what the operator registers.
    pub authority: Digest,
}

/// Why an agency cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file cannot be read, or a folder cannot be made.
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
    /// The member is not an agency, not in the genesis, or its key is not there.
    #[error("the member is no agency of the genesis with this key")]
    Member,
    /// The registrar has no keys, or another agency has them.
    #[error("the registrar, and nobody else, has a section `registrar`")]
    Registrar,
    /// A type is to be released that the agency does not issue, or the PID, which is issued to
    /// whoever was seen.
    #[error("{0:?} is no credential type that a clerk of this agency releases")]
    Release(String),
    /// A peer's key is none.
    #[error("the seal key of member {0} is no public key")]
    PeerKey(u32),
    /// The client refuses its configuration.
    #[error(transparent)]
    Client(#[from] ConfigError),
    /// The HTTP client cannot start.
    #[error("the HTTP client cannot start: {0}")]
    Http(#[from] reqwest::Error),
    /// The issuer's key cannot be had.
    #[error("the issuer's key ({code}): {0}", code = .0.code())]
    Key(#[from] KeyFault),
    /// The register cannot be opened or filled.
    #[error(transparent)]
    Register(#[from] RegisterFault),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// A clerk of the configuration is none.
    #[error(transparent)]
    Clerks(#[from] RosterError),
    /// The agency cannot go on where it stood.
    #[error(transparent)]
    Agency(#[from] AgencyError),
}

/// Opens register, store, keys and the way to the ledger.
pub async fn open(config: &AgencyConfig) -> Result<Opened, OpenError> {
    let genesis = read_genesis(&config.genesis)?;
    let key = Arc::new(PrivateKey::from_seed(&*read_secret(&config.key)?));
    let kind = agencies::Agency::of_member(config.member).ok_or(OpenError::Member)?;
    let own = genesis.members.iter().find(|member| member.id == config.member);
    let own = own.filter(|own| own.keys.contains(&key.public_key())).ok_or(OpenError::Member)?;
    let owner = Owner { name: &own.name, base_url: &config.base_url };
    let issuer = IssuerKey::open_or_create(&config.issuer, &owner, clock::now())?;
    let secret = read_secret(&config.store_key)?;
    let setup = Setup {
        member: config.member,
        kind,
        name: own.name.clone(),
        base_url: config.base_url.clone(),
        network: genesis.network(),
        keys: genesis.members.iter().map(|its| (its.id, its.keys.clone())).collect(),
        signer: issuer.signer,
        nonce_key: StoreKey::new(&secret).tag("nonce-key", &[]).0,
        registrar: registrar(config, kind)?,
        seal_keys: seal_keys(config)?,
        releases: releases(config, kind)?,
        wallets: config.wallets.iter().map(wallet).collect(),
        limits: config.limits,
        clock: Arc::new(clock::now),
    };
    make_folder(&config.store)?;
    let store = Store::open(&config.store, Arc::new(StoreKey::new(&secret)), Durability::Full);
    let store = store.await?;
    let register = open_register(&config.register, kind).await?;
    let speaker = Speaker { network: setup.network, member: config.member, key: key.clone() };
    let client = Client::new(ClientConfig {
        genesis: Arc::new(genesis),
        validators: config.validators.clone(),
        member: config.member,
        key,
    })?;
    let peers: HashMap<_, _> =
        config.peers.iter().map(|peer| (peer.member, peer.url.clone())).collect();
    let surroundings = Surroundings {
        register,
        ledger: Arc::new(ClientLedger(client.clone())),
        web: Arc::new(HttpWeb::new(peers, speaker)?),
        proofing: Arc::new(SampleProofing),
    };
    let clerks = clerk::read(&config.clerks)?;
    let agency = Agency::new(setup, store, surroundings).await?;
    Ok(Opened { agency, client, clerks, authority: issuer.authority })
}

fn registrar(
    config: &AgencyConfig,
    kind: agencies::Agency,
) -> Result<Option<RegistrarKeys>, OpenError> {
    match (&config.registrar, kind.is_registrar()) {
        (Some(keys), true) => {
            let (uid, pairwise) = (read_secret(&keys.uid_seed)?, read_secret(&keys.pairwise_key)?);
            Ok(Some(RegistrarKeys::new(&uid, &pairwise)))
        }
        (None, false) => Ok(None),
        _ => Err(OpenError::Registrar),
    }
}

/// The types to be released, each of which must be one that the agency issues by itself.
fn releases(config: &AgencyConfig, kind: agencies::Agency) -> Result<BTreeSet<String>, OpenError> {
    let own = |name: &String| {
        let known = catalogue::credential_type_by_name(name);
        known.is_some_and(|known| known.vct != PID && kind.kinds().contains(&known.vct.as_str()))
    };
    match config.releases.iter().find(|name| !own(name)) {
        Some(foreign) => Err(OpenError::Release(foreign.clone())),
        None => Ok(config.releases.iter().cloned().collect()),
    }
}

fn seal_keys(
    config: &AgencyConfig,
) -> Result<HashMap<etibar_primitives::MemberId, SealPublicKey>, OpenError> {
    let key = |peer: &crate::config::PeerConfig| {
        let key = SealPublicKey::from_hex(&peer.seal_key);
        Ok((peer.member, key.ok_or(OpenError::PeerKey(peer.member.0))?))
    };
    config.peers.iter().map(key).collect()
}

fn wallet(config: &crate::config::WalletConfig) -> WalletClient {
    WalletClient { id: config.client_id.clone(), redirect_uris: config.redirect_uris.clone() }
}

async fn open_register(
    config: &RegisterConfig,
    kind: agencies::Agency,
) -> Result<Arc<dyn Register>, OpenError> {
    let (register, sample): (Arc<dyn Register>, _) = match config {
        RegisterConfig::Csv { folder, sample } => {
            make_folder(folder)?;
            (Arc::new(CsvRegister::open(folder, kind.kinds())?), sample)
        }
        RegisterConfig::Sql { file, sample } => {
            if let Some(folder) = file.parent() {
                make_folder(folder)?;
            }
            (Arc::new(SqlRegister::open(file).await?), sample)
        }
    };
    let is_empty = register.counts().await?.values().all(|count| *count == 0);
    if let Some(SampleConfig { seed, people, reference }) = sample.filter(|_| is_empty) {
        let population = Population::generate(Plan { seed, people, reference });
        register.put(&population.records(kind)).await?;
    }
    Ok(register)
}

fn make_folder(path: &Path) -> Result<(), OpenError> {
    fs::create_dir_all(path).map_err(|source| OpenError::File { path: path.into(), source })
}

fn read_genesis(path: &Path) -> Result<Genesis, OpenError> {
    let text = read(path)?;
    let genesis: Genesis = serde_json::from_str(&text)
        .map_err(|_| OpenError::Content { path: path.into(), what: "genesis" })?;
    genesis.check()?;
    Ok(genesis)
}

fn read_secret(path: &Path) -> Result<Zeroizing<[u8; 32]>, OpenError> {
    let text = read(path)?;
    let bytes = hex::decode_array(text.trim()).map(Zeroizing::new);
    bytes.ok_or_else(|| OpenError::Content { path: path.into(), what: "key" })
}

fn read(path: &Path) -> Result<Zeroizing<String>, OpenError> {
    let text = fs::read_to_string(path);
    text.map(Zeroizing::new).map_err(|source| OpenError::File { path: path.into(), source })
}
