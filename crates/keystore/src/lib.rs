//! Where the private keys live with which a member issues credentials and signs requests.
//!
//! - [`KeyConfig`] names the place: a folder on this machine, or a token behind a PKCS#11 module.
//! - [`IssuerKey`] is the opened key: a signer that carries its certificates.
//! - [`request`] asks an authority outside for a certificate over a key that never leaves its
//!   token.
//!
//! Boundary: keeps keys and makes certificates over them; what is signed is the caller's. A key in
//! a folder is made at the first start, because losing the folder loses the key anyway. A key in a
//! token is made by [`create`] alone, on a person's command: a token that shows no key is a fault,
//! never a reason to become somebody else.
//!
//! Invariants: no PIN stands in a configuration; a key that its token would give out is refused;
//! no signature leaves that the certificate's key does not verify; a refused PIN is not tried
//! again by itself, so that no restart of a session locks the token; a signature is awaited for a
//! limited time.
//!
//! Deliberately absent: keys of other kinds than P-256, renewal of certificates, the members'
//! Ed25519 keys on the ledger.

mod certify;
mod error;
mod folder;
mod pkcs11;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use etibar_credential::{
    jose::{Certified, Signer},
    x509::{VerifiedChain, certificate_digest, verify_chain},
};
use etibar_primitives::{BlockTime, Digest};
use serde::{Deserialize, Serialize};

pub use error::KeyFault;
pub use pkcs11::{PinSource, TokenConfig};

/// Where an issuer's key lives. Paths may be relative to the configuration's file; whoever reads
/// the file makes them absolute with [`KeyConfig::rebase`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "adapter", rename_all = "snake_case", deny_unknown_fields)]
pub enum KeyConfig {
    /// In a folder on this machine, with its certificates; made at the first start.
    Folder {
        /// The folder.
        folder: PathBuf,
    },
    /// In a token: a hardware security module, or one in software.
    Pkcs11(TokenConfig),
}

/// Whose key it is: stands in the certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner<'a> {
    /// The member's name.
    pub name: &'a str,
    /// The URL that the key speaks for, without a slash at its end: the issuer's identifier.
    pub base_url: &'a str,
}

/// An issuer's key with its certificates.
#[derive(Clone)]
pub struct IssuerKey {
    /// Signs with the leaf's key and carries the chain.
    pub signer: Arc<dyn Signer>,
    /// SHA-256 of the authority's certificate: what the operator registers on the ledger.
    pub authority: Digest,
}

impl KeyConfig {
    /// A key in `folder`.
    pub fn folder(folder: impl Into<PathBuf>) -> Self {
        Self::Folder { folder: folder.into() }
    }

    /// Makes relative paths relative to the folder that `base` is in. A module's name without a
    /// slash stays: the system's loader looks for it.
    pub fn rebase(&mut self, base: &Path) {
        match self {
            Self::Folder { folder } => *folder = base.join(&*folder),
            Self::Pkcs11(token) => token.rebase(base),
        }
    }
}

impl IssuerKey {
    /// Opens the key that `config` names.
    ///
    /// # Errors
    /// See [`KeyFault`].
    pub fn open(config: &KeyConfig, owner: &Owner<'_>, now: BlockTime) -> Result<Self, KeyFault> {
        match config {
            KeyConfig::Folder { folder } => folder::open(folder),
            KeyConfig::Pkcs11(token) => pkcs11::open(token, owner, now),
        }
    }

    /// Opens the key that `config` names; in a folder, makes it if it is not there.
    ///
    /// # Errors
    /// See [`KeyFault`].
    pub fn open_or_create(
        config: &KeyConfig,
        owner: &Owner<'_>,
        now: BlockTime,
    ) -> Result<Self, KeyFault> {
        match config {
            KeyConfig::Folder { folder } => folder::open_or_create(folder, owner, now),
            KeyConfig::Pkcs11(_) => Self::open(config, owner, now),
        }
    }

    /// `signer` with `chain`, whose last certificate is the authority.
    fn new(signer: impl Signer + 'static, chain: Vec<Vec<u8>>) -> Option<Self> {
        let authority = Digest(certificate_digest(chain.last()?));
        Some(Self { signer: Arc::new(Certified::new(signer, chain)), authority })
    }
}

impl std::fmt::Debug for IssuerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "IssuerKey under {}", self.authority)
    }
}

/// Makes the key that `config` names, with an authority of the member's own, and opens it.
///
/// # Errors
/// [`KeyFault::Exists`] when it is there already; see [`KeyFault`].
pub fn create(
    config: &KeyConfig,
    owner: &Owner<'_>,
    now: BlockTime,
) -> Result<IssuerKey, KeyFault> {
    match config {
        KeyConfig::Folder { folder } if folder::exists(folder) => Err(KeyFault::Exists),
        KeyConfig::Folder { folder } => folder::open_or_create(folder, owner, now),
        KeyConfig::Pkcs11(token) => {
            pkcs11::create(token, owner, now)?;
            pkcs11::open(token, owner, now)
        }
    }
}

/// A certification request (PKCS#10, PEM) over the leaf's key in the token, which is made if it is
/// not there: for a member with an authority outside. Its answer goes into the file `chain`.
///
/// # Errors
/// [`KeyFault::Folder`] for a key in a folder; see [`KeyFault`].
pub fn request(config: &KeyConfig, owner: &Owner<'_>) -> Result<String, KeyFault> {
    match config {
        KeyConfig::Folder { .. } => Err(KeyFault::Folder),
        KeyConfig::Pkcs11(token) => pkcs11::request(token, owner),
    }
}

/// That `chain` is whole at `now` and its leaf speaks for `owner`.
fn check_chain(
    chain: &[Vec<u8>],
    owner: &Owner<'_>,
    now: BlockTime,
) -> Result<VerifiedChain, KeyFault> {
    let verified = verify_chain(chain, now.into()).map_err(KeyFault::Chain)?;
    if !verified.uris.iter().any(|uri| uri == owner.base_url) {
        return Err(KeyFault::ChainUrl(owner.base_url.to_owned()));
    }
    Ok(verified)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_names_where_the_pin_is_and_never_holds_one() {
        let text = r#"
            adapter = "pkcs11"
            module = "/usr/lib/softhsm/libsofthsm2.so"
            token = "agency"
            key = "issuer"
            pin = { file = "issuer.pin" }
            chain = "issuer.pem"
        "#;
        let mut config: KeyConfig = toml::from_str(text).unwrap();
        config.rebase(Path::new("/etc/agency"));
        let KeyConfig::Pkcs11(token) = &config else { panic!("a token") };
        assert_eq!(token.module, Path::new("/usr/lib/softhsm/libsofthsm2.so"));
        assert_eq!(token.pin, PinSource::File("/etc/agency/issuer.pin".into()));
        assert_eq!(token.chain, Path::new("/etc/agency/issuer.pem"));
        assert_eq!(toml::from_str::<KeyConfig>(&toml::to_string(&config).unwrap()), Ok(config));
        let plain = text.replace("{ file = \"issuer.pin\" }", "\"1234\"");
        assert!(toml::from_str::<KeyConfig>(&plain).is_err(), "a PIN in the configuration");
        let surplus = format!("{text}\nfolder = \"keys\"");
        assert!(toml::from_str::<KeyConfig>(&surplus).is_err(), "two places at once");
    }

    #[test]
    fn a_key_in_a_folder_asks_for_no_certificate() {
        let owner = Owner { name: "Sample", base_url: "https://a.example" };
        let refused = request(&KeyConfig::folder("/none"), &owner).unwrap_err();
        assert_eq!(refused.code(), "key_in_folder");
    }
}
