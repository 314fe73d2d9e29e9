//! Keys in a token behind a PKCS#11 module (OASIS PKCS #11 v3.0, also v2.40).

mod token;
mod workers;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use cryptoki::types::AuthPin;
use etibar_credential::{
    jose::{PublicKey, SignError, Signer},
    x509::{certificate_request, chain_from_pem, chain_to_pem, request_to_pem},
};
use etibar_primitives::{BlockTime, DurationMs};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{IssuerKey, KeyFault, Owner, certify, check_chain};
use token::{Place, Session};
use workers::{Limits, Workers};

/// Sessions in parallel, each with a thread, when the configuration names no other number: a
/// network module answers some hundred times a second on each.
const SESSIONS: u8 = 2;
/// How long a signature is awaited when the configuration says nothing, in milliseconds.
const TIMEOUT: DurationMs = DurationMs(5_000);
/// What the authority's key is called after the leaf's.
const AUTHORITY_SUFFIX: &str = "-authority";

/// A key in a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenConfig {
    /// The module's shared library, such as `/usr/lib/softhsm/libsofthsm2.so`.
    pub module: PathBuf,
    /// The token's label (`CKA_LABEL` of the slot's token).
    pub token: String,
    /// The private key's label (`CKA_LABEL`).
    pub key: String,
    /// Where the user's PIN is.
    pub pin: PinSource,
    /// The file with the certificates, PEM, leaf first and authority last.
    pub chain: PathBuf,
    /// Sessions in parallel.
    #[serde(default = "sessions")]
    pub sessions: u8,
    /// How long a signature is awaited.
    #[serde(default = "timeout")]
    pub timeout_ms: DurationMs,
}

/// Where a PIN is: never in the configuration itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PinSource {
    /// In this variable of the environment.
    Environment(String),
    /// In this file, whose last line break does not count.
    File(PathBuf),
}

const fn sessions() -> u8 {
    SESSIONS
}

const fn timeout() -> DurationMs {
    TIMEOUT
}

impl TokenConfig {
    pub(crate) fn rebase(&mut self, base: &Path) {
        self.chain = base.join(&self.chain);
        if let PinSource::File(file) = &mut self.pin {
            *file = base.join(&*file);
        }
        if self.module.components().nth(1).is_some() {
            self.module = base.join(&self.module);
        }
    }

    fn place(&self) -> Result<Place, KeyFault> {
        let pin = self.pin.read()?;
        Ok(Place::new(self.module.clone(), self.token.clone(), pin))
    }

    fn authority(&self) -> String {
        format!("{}{AUTHORITY_SUFFIX}", self.key)
    }
}

impl PinSource {
    fn read(&self) -> Result<AuthPin, KeyFault> {
        let text = match self {
            Self::Environment(name) => std::env::var(name)
                .map(Zeroizing::new)
                .map_err(|_| KeyFault::PinMissing(name.clone()))?,
            Self::File(path) => fs::read_to_string(path)
                .map(Zeroizing::new)
                .map_err(|source| KeyFault::File { path: path.clone(), source })?,
        };
        Ok(AuthPin::from(text.trim_end_matches(['\r', '\n'])))
    }
}

/// Opens the key, and proves with a signature that the chain's leaf is its.
pub(crate) fn open(
    config: &TokenConfig,
    owner: &Owner<'_>,
    now: BlockTime,
) -> Result<IssuerKey, KeyFault> {
    let text = fs::read_to_string(&config.chain)
        .map_err(|source| KeyFault::File { path: config.chain.clone(), source })?;
    let content =
        || KeyFault::Content { path: config.chain.clone(), what: "chain of certificates" };
    let chain = chain_from_pem(&text).ok_or_else(content)?;
    let public = check_chain(&chain, owner, now)?.leaf_key;
    let place = Arc::new(config.place()?);
    let session = place.connect(&config.key)?;
    // What is signed here means nothing to anybody: it is no token and no certificate.
    let probe = b"etibar: does the chain's leaf hold this key?";
    let signature = session.sign(probe)?;
    if !public.verifies(probe, &signature) {
        return Err(KeyFault::ChainKey);
    }
    let limits = Limits { sessions: config.sessions.max(1), timeout: config.timeout_ms };
    let workers = Workers::start(place, config.key.clone(), session, public, limits)?;
    IssuerKey::new(workers, chain).ok_or_else(content)
}

/// Makes the leaf's and an authority's key in the token, and writes their certificates.
pub(crate) fn create(
    config: &TokenConfig,
    owner: &Owner<'_>,
    now: BlockTime,
) -> Result<(), KeyFault> {
    let place = config.place()?;
    if config.chain.exists() {
        return Err(KeyFault::Exists);
    }
    let leaf = place.generate(&config.key)?;
    let public = place.generate(&config.authority())?;
    let authority = Direct { session: place.connect(&config.authority())?.into(), public };
    let chain = certify::chain(&authority, &leaf, owner, now)?;
    write(&config.chain, &chain_to_pem(&chain))
        .map_err(|source| KeyFault::File { path: config.chain.clone(), source })
}

/// A request over the leaf's key, which is made if it is not there.
pub(crate) fn request(config: &TokenConfig, owner: &Owner<'_>) -> Result<String, KeyFault> {
    let place = config.place()?;
    let public = match place.public_key(&config.key) {
        Err(KeyFault::KeyMissing { .. }) => place.generate(&config.key),
        other => other,
    }?;
    let leaf = Direct { session: place.connect(&config.key)?.into(), public };
    let request = certificate_request(&leaf, &certify::subject_of(owner))?;
    Ok(request_to_pem(&request))
}

fn write(path: &Path, text: &str) -> Result<(), std::io::Error> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// A key used from one thread, while keys are made.
struct Direct {
    session: std::sync::Mutex<Session>,
    public: PublicKey,
}

impl Signer for Direct {
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        let session = self.session.lock().map_err(|_| SignError::Unavailable)?;
        session.sign(message).map_err(|_| SignError::Unavailable)
    }

    fn public_key(&self) -> PublicKey {
        self.public
    }
}
