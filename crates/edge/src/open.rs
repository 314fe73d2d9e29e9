//! From a configuration to a running edge.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use etibar_client::{Client, ClientConfig, ConfigError};
use etibar_ledger::{Genesis, genesis::GenesisError};
use etibar_primitives::{hex, key::PrivateKey};
use zeroize::Zeroizing;

use crate::{
    alias::DirectoryKey,
    book::{SampleBook, sample_accounts},
    config::{EdgeConfig, PeerConfig},
    directory::Directory,
    edge::{Edge, EdgeTasks},
    engine::{EdgeFault, Ports},
    envelope::{SealPrivateKey, SealPublicKey},
    ports::{ClientLedger, HttpPeers},
    setup::Setup,
    store::{Durability, Store, StoreFault},
};

/// Characters that a core token has at least.
pub const CORE_TOKEN_CHARACTERS_MIN: usize = 32;

/// A running edge and what its doors need.
pub struct Opened {
    /// The edge.
    pub edge: Edge,
    /// The tasks behind it: run them.
    pub tasks: EdgeTasks,
    /// The client that it speaks to the ledger through.
    pub client: Client,
    /// The token that the core banking shows.
    pub core_token: Zeroizing<String>,
}

/// Why an edge cannot start.
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
    /// The member is not in the genesis, or its key is not there.
    #[error("the key is not one of the member's in the genesis")]
    Member,
    /// A peer's key is none.
    #[error("the seal key of member {0} is no public key")]
    PeerKey(u32),
    /// The client refuses its configuration.
    #[error(transparent)]
    Client(#[from] ConfigError),
    /// The HTTP client for peers cannot start.
    #[error("the HTTP client cannot start: {0}")]
    Http(#[from] reqwest::Error),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// The edge cannot go on where it stood.
    #[error(transparent)]
    Edge(#[from] EdgeFault),
}

/// Opens the store, the books and the way to the ledger, and starts the edge's tasks.
pub async fn open(config: &EdgeConfig) -> Result<Opened, OpenError> {
    let genesis = read_genesis(&config.genesis)?;
    let key = Arc::new(PrivateKey::from_seed(&*read_secret(&config.key, "key")?));
    let setup = Arc::new(setup(config, &genesis, key.clone())?);
    let make = || fs::create_dir_all(&config.store);
    make().map_err(|source| OpenError::File { path: config.store.clone(), source })?;
    let store = Store::open(&config.store, Durability::Full).await?;
    let book = SampleBook::open(&config.store, Durability::Full).await?;
    if let Some(own) = setup.directory.member(config.member) {
        book.open_accounts(&sample_accounts(&own.bic[..4], config.sample_customers)).await?;
    }
    let client = Client::new(ClientConfig {
        genesis: Arc::new(genesis),
        validators: config.validators.clone(),
        member: config.member,
        key,
    })?;
    let urls = config.peers.iter().map(|peer| (peer.member, peer.url.clone())).collect();
    let ports = Ports {
        ledger: Arc::new(ClientLedger::new(client.clone())),
        peers: Arc::new(HttpPeers::new(urls)?),
        book: Arc::new(book),
    };
    let core_token = read_token(&config.core_token)?;
    let (edge, tasks) = Edge::start(setup, store, ports).await?;
    Ok(Opened { edge, tasks, client, core_token })
}

fn setup(config: &EdgeConfig, genesis: &Genesis, key: Arc<PrivateKey>) -> Result<Setup, OpenError> {
    let directory = Directory::new(genesis);
    let own = directory.member(config.member).ok_or(OpenError::Member)?;
    if !own.keys.contains(&key.public_key()) {
        return Err(OpenError::Member);
    }
    let peer = |peer: &PeerConfig| {
        let key = SealPublicKey::from_hex(&peer.seal_key);
        Ok((peer.member, key.ok_or(OpenError::PeerKey(peer.member.0))?))
    };
    Ok(Setup {
        member: config.member,
        key,
        seal_key: SealPrivateKey::from_seed(&*read_secret(&config.seal_key, "key")?),
        peers: config.peers.iter().map(peer).collect::<Result<_, OpenError>>()?,
        supervisor: config.supervisor,
        directory_key: DirectoryKey::new(*read_secret(&config.directory_key, "key")?),
        directory: Arc::new(directory),
        limits: config.limits,
    })
}

fn read_genesis(path: &Path) -> Result<Genesis, OpenError> {
    let text = read(path)?;
    let genesis: Genesis = serde_json::from_str(&text)
        .map_err(|_| OpenError::Content { path: path.into(), what: "genesis" })?;
    genesis.check()?;
    Ok(genesis)
}

fn read_secret(path: &Path, what: &'static str) -> Result<Zeroizing<[u8; 32]>, OpenError> {
    let text = read(path)?;
    let bytes = hex::decode_array(text.trim()).map(Zeroizing::new);
    bytes.ok_or_else(|| OpenError::Content { path: path.into(), what })
}

fn read_token(path: &Path) -> Result<Zeroizing<String>, OpenError> {
    let text = read(path)?;
    let token = Zeroizing::new(text.trim().to_owned());
    if token.chars().count() < CORE_TOKEN_CHARACTERS_MIN {
        let what = "token of at least 32 characters";
        return Err(OpenError::Content { path: path.into(), what });
    }
    Ok(token)
}

fn read(path: &Path) -> Result<Zeroizing<String>, OpenError> {
    let text = fs::read_to_string(path);
    text.map(Zeroizing::new).map_err(|source| OpenError::File { path: path.into(), source })
}
