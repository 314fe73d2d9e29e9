//! The configuration files of the roles: TOML, with paths relative to the file itself.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use etibar_agency::config::{AgencyConfig, RegisterConfig};
use etibar_api::console::Watched;
use etibar_edge::config::EdgeConfig;
use etibar_keystore::KeyConfig;
use etibar_onboarding::OnboardingConfig;
use etibar_primitives::key::PublicKey;
use etibar_wallet::WalletConfig;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::failure::{self, Failure};

/// What a validator is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ValidatorFile {
    /// The network's genesis.
    pub(crate) genesis: PathBuf,
    /// The file with the voting key: 64 hexadecimal digits.
    pub(crate) key: PathBuf,
    /// The folder of blocks and state; the validator's alone.
    pub(crate) store: PathBuf,
    /// Where the other validators reach it.
    pub(crate) consensus: SocketAddr,
    /// Where members reach it.
    pub(crate) api: SocketAddr,
    /// Threads of consensus and execution.
    pub(crate) worker_threads: usize,
    /// A validator without a past fetches the state instead of all blocks when the others are
    /// above this height; without it, the product's own limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sync_distance: Option<u64>,
    /// All validators, this one included.
    pub(crate) peers: Vec<PeerEntry>,
}

/// Another validator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeerEntry {
    /// Its voting key.
    pub(crate) key: PublicKey,
    /// Its consensus address.
    pub(crate) address: SocketAddr,
}

/// What an edge is told: as gateway, and at a bank also about the identification of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct EdgeFile {
    /// The gateway.
    #[serde(flatten)]
    pub(crate) edge: EdgeConfig,
    /// The section `onboarding`; a bank without it takes payments only.
    pub(crate) onboarding: Option<OnboardingConfig>,
    /// The section `console`, at the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) console: Option<ConsoleConfig>,
}

/// What the operator's console watches beside the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsoleConfig {
    /// Banks and agencies, whose counts and lags it shows.
    pub(crate) members: Vec<Watched>,
}

impl EdgeFile {
    /// Reads the file and makes its paths relative to the current folder.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        const WHAT: &str = "edge configuration";
        let mut table: toml::Table = read_toml(path, WHAT)?;
        let onboarding = table.remove("onboarding");
        let console = table.remove("console");
        let form = |error: toml::de::Error| Failure::Form {
            path: path.into(),
            what: WHAT,
            why: error.to_string().trim_end().to_owned(),
        };
        let mut edge: EdgeConfig = table.try_into().map_err(form)?;
        let onboarding = onboarding.map(toml::Value::try_into::<OnboardingConfig>);
        let mut onboarding = onboarding.transpose().map_err(form)?;
        let console = console.map(toml::Value::try_into::<ConsoleConfig>);
        let console = console.transpose().map_err(form)?;
        let paths = [
            &mut edge.genesis,
            &mut edge.key,
            &mut edge.seal_key,
            &mut edge.store,
            &mut edge.core_token,
            &mut edge.directory_key,
        ];
        for inner in paths {
            rebase(path, inner);
        }
        if let Some(its) = &mut onboarding {
            let paths = [&mut its.vault, &mut its.master_key, &mut its.envelope_key];
            let tokens = its.staff.iter_mut().map(|staff| &mut staff.token);
            for inner in paths.into_iter().chain(&mut its.products).chain(tokens) {
                rebase(path, inner);
            }
            rebase_key(path, &mut its.issuer);
        }
        Ok(Self { edge, onboarding, console })
    }
}

/// Reads what an agency is told and makes its paths relative to the current folder.
pub(crate) fn read_agency(path: &Path) -> Result<AgencyConfig, Failure> {
    let mut config: AgencyConfig = read_toml(path, "agency configuration")?;
    let register = match &mut config.register {
        RegisterConfig::Csv { folder, .. } => folder,
        RegisterConfig::Sql { file, .. } => file,
    };
    let paths =
        [&mut config.genesis, &mut config.key, &mut config.store_key, &mut config.store, register];
    let tokens = config.clerks.iter_mut().map(|clerk| &mut clerk.token);
    let registrar = config.registrar.as_mut();
    let registrar = registrar.map(|its| [&mut its.uid_seed, &mut its.pairwise_key]);
    for inner in paths.into_iter().chain(registrar.into_iter().flatten()).chain(tokens) {
        rebase(path, inner);
    }
    rebase_key(path, &mut config.issuer);
    Ok(config)
}

/// Reads what a wallet is told and makes its paths relative to the current folder.
pub(crate) fn read_wallet(path: &Path) -> Result<WalletConfig, Failure> {
    let mut config: WalletConfig = read_toml(path, "wallet configuration")?;
    let paths = [&mut config.genesis, &mut config.key, &mut config.store, &mut config.master_key];
    for inner in paths {
        rebase(path, inner);
    }
    Ok(config)
}

impl ValidatorFile {
    /// Reads the file and makes its paths absolute or relative to the current folder.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let mut file: Self = read_toml(path, "validator configuration")?;
        for inner in [&mut file.genesis, &mut file.key, &mut file.store] {
            rebase(path, inner);
        }
        Ok(file)
    }
}

/// Reads a TOML file.
pub(crate) fn read_toml<T: DeserializeOwned>(
    path: &Path,
    what: &'static str,
) -> Result<T, Failure> {
    let text = fs::read_to_string(path).map_err(failure::file("read", path))?;
    let form = |error: toml::de::Error| Failure::Form {
        path: path.into(),
        what,
        why: error.to_string().trim_end().to_owned(),
    };
    toml::from_str(&text).map_err(form)
}

/// `value` as TOML after a comment that says what the file is.
pub(crate) fn render_toml<T: Serialize>(comment: &str, value: &T) -> String {
    let body = toml::to_string(value).expect("our configuration types have text keys only");
    format!("# {comment}\n\n{body}")
}

/// Turns a path relative to `file` into one relative to the current folder.
pub(crate) fn rebase(file: &Path, inner: &mut PathBuf) {
    if let Some(folder) = file.parent() {
        *inner = folder.join(&*inner);
    }
}

/// As [`rebase`], for where an issuer's key is.
fn rebase_key(file: &Path, key: &mut KeyConfig) {
    if let Some(folder) = file.parent() {
        key.rebase(folder);
    }
}
