//! Who this bank is: the key that signs, its certificates, the key that opens envelopes.

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path, sync::Arc};

use etibar_credential::{document::SealPrivateKey, jose::Signer};
use etibar_keystore::{IssuerKey, KeyConfig, KeyFault, Owner};
use etibar_primitives::{BlockTime, Digest, MemberId, hex};
use zeroize::Zeroizing;

/// Why an identity cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file cannot be read or written.
    #[error("{0}")]
    File(#[from] std::io::Error),
    /// The file of the seal key holds none.
    #[error("the file of the seal key holds no key")]
    Content,
    /// The issuer's key cannot be had.
    #[error("the issuer's key ({code}): {0}", code = .0.code())]
    Key(#[from] KeyFault),
}

/// A bank's identity.
#[derive(Clone)]
pub struct Identity {
    /// The member.
    pub member: MemberId,
    /// Its name, as shown to people.
    pub name: String,
    /// Its base URL, without a slash at its end.
    pub base_url: String,
    /// Signs with the leaf; its chain ends in the authority.
    pub signer: Arc<dyn Signer>,
    /// SHA-256 of the authority's certificate: what the ledger's registry holds.
    pub authority: Digest,
    /// Opens envelopes.
    pub seal: Arc<SealPrivateKey>,
}

/// Where a bank's keys are.
#[derive(Debug, Clone, Copy)]
pub struct Keys<'a> {
    /// The key that issues credentials and signs requests.
    pub issuer: &'a KeyConfig,
    /// The file of the key that opens envelopes; made if it is not there.
    pub seal: &'a Path,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity of member {}", self.member)
    }
}

impl Identity {
    /// Opens the keys; makes what is not there, but never in a token.
    ///
    /// # Errors
    /// See [`IdentityError`].
    pub fn open_or_create(
        keys: Keys<'_>,
        member: MemberId,
        name: &str,
        base_url: &str,
        now: BlockTime,
    ) -> Result<Self, IdentityError> {
        let base_url = base_url.trim_end_matches('/');
        let issuer = IssuerKey::open_or_create(keys.issuer, &Owner { name, base_url }, now)?;
        Ok(Self {
            member,
            name: name.to_owned(),
            base_url: base_url.to_owned(),
            signer: issuer.signer,
            authority: issuer.authority,
            seal: Arc::new(SealPrivateKey::from_seed(&*secret(keys.seal)?)),
        })
    }
}

fn secret(path: &Path) -> Result<Zeroizing<[u8; 32]>, IdentityError> {
    match fs::read_to_string(path) {
        Ok(text) => {
            let text = Zeroizing::new(text);
            let bytes = hex::decode_array(text.trim()).ok_or(IdentityError::Content)?;
            Ok(Zeroizing::new(bytes))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(rand::random());
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let mut options = fs::OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(Zeroizing::new(hex::encode(&*bytes)).as_bytes())?;
            file.sync_all()?;
            Ok(bytes)
        }
        Err(error) => Err(error.into()),
    }
}
