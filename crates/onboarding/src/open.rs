//! From a configuration to running flows.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use etibar_client::{Client, clock};
use etibar_keystore::KeyConfig;
use etibar_openid::Private;
use etibar_primitives::{DurationMs, MemberId, key::PrivateKey};
use etibar_vault::{Vault, VaultError, key::FileKey, sqlite::Durability};
use serde::{Deserialize, Serialize};

use crate::{
    http::{ClientLedger, HttpPeers},
    identity::{Identity, IdentityError, Keys},
    policy::{PolicyError, Products},
    ports::{AccountOpening, SampleScreening},
    service::{DAY_MS, Onboarding, Parts},
    staff::StaffConfig,
};

/// How long an application waits for the staff's examination when nothing is said, in days.
pub const EXAMINATION_DAYS: u16 = 14;

/// The configuration of a bank's identification flows. Paths may be relative to the file it stands
/// in; whoever reads the file makes them absolute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnboardingConfig {
    /// The bank's name, as shown to people.
    pub name: String,
    /// The base URL by which wallets and members reach it.
    pub base_url: String,
    /// The folder of the vault's file.
    pub vault: PathBuf,
    /// The file of the vault's master key; made at the first start.
    pub master_key: PathBuf,
    /// Where the key is that issues credentials and signs requests. The ledger's registry must
    /// know its authority as relying party and as issuer of `urn:az:kyc:1`.
    pub issuer: KeyConfig,
    /// The file of the key that opens envelopes; made at the first start.
    pub envelope_key: PathBuf,
    /// The products; the sample's when absent.
    #[serde(default)]
    pub products: Option<PathBuf>,
    /// Members that provide data or issue credentials, with their base URLs.
    #[serde(default)]
    pub members: Vec<MemberUrl>,
    /// The bank's staff; without any, enhanced cases lapse.
    #[serde(default)]
    pub staff: Vec<StaffConfig>,
    /// How long an application waits for the staff's examination, in days; its consents may end
    /// before.
    #[serde(default = "examination_days")]
    pub examination_days: u16,
    /// A sample screening's personal numbers on the sanctions list.
    #[serde(default)]
    pub sample_sanctions: Vec<Private<String>>,
    /// A sample screening's personal numbers of politically exposed persons.
    #[serde(default)]
    pub sample_exposed: Vec<Private<String>>,
}

fn examination_days() -> u16 {
    EXAMINATION_DAYS
}

/// Where a member is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberUrl {
    /// Which.
    pub member: MemberId,
    /// Its base URL.
    pub url: String,
}

/// Why the flows cannot start.
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
    /// See [`PolicyError`].
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// See [`IdentityError`].
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// See [`VaultError`].
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The HTTP client cannot start.
    #[error("the HTTP client cannot start: {0}")]
    Http(#[from] reqwest::Error),
}

/// Opens the vault and the bank's identity and joins them with the ledger and the books.
///
/// `key` signs member tokens; it is the member's key on the ledger. Run [`Onboarding::run`] beside.
///
/// # Errors
/// See [`OpenError`].
pub async fn open(
    config: &OnboardingConfig,
    client: &Client,
    key: Arc<PrivateKey>,
    accounts: Arc<dyn AccountOpening>,
) -> Result<Onboarding, OpenError> {
    let member = client.member();
    let make = |path: &Path| {
        fs::create_dir_all(path).map_err(|source| OpenError::File { path: path.to_owned(), source })
    };
    make(&config.vault)?;
    let keys = Keys { issuer: &config.issuer, seal: &config.envelope_key };
    let (name, base_url) = (&config.name, &config.base_url);
    let identity = Identity::open_or_create(keys, member, name, base_url, clock::now())?;
    let products = match &config.products {
        None => Products::sample(),
        Some(path) => {
            let text = fs::read_to_string(path);
            let file = |source| OpenError::File { path: path.clone(), source };
            Products::parse(&text.map_err(file)?)?
        }
    };
    let master = Arc::new(FileKey::open_or_create(&config.master_key)?);
    let vault = Vault::open(&config.vault, master, Durability::Full).await?;
    let urls: BTreeMap<_, _> =
        config.members.iter().map(|its| (its.member, its.url.clone())).collect();
    let clock: crate::service::Clock = Arc::new(clock::now);
    let peers = HttpPeers::new(urls, (*client.network(), member), key, Arc::clone(&clock))?;
    let screening = SampleScreening {
        hits: config.sample_sanctions.clone(),
        exposed: config.sample_exposed.clone(),
    };
    let parts = Parts {
        identity,
        products,
        vault,
        ledger: Arc::new(ClientLedger(client.clone())),
        peers: Arc::new(peers),
        accounts,
        screening: Arc::new(screening),
        clock,
        examination_life: DurationMs(u64::from(config.examination_days) * DAY_MS),
    };
    Ok(Onboarding::new(parts, rand::random()))
}
