//! Who this bank is: its authority, its leaf certificate, the key that opens envelopes.

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path, sync::Arc};

use etibar_credential::{
    UnixSeconds,
    document::SealPrivateKey,
    jose::{Certified, SignError, Signer, SoftwareKey},
    x509::{Subject, Validity, certificate_digest, issue_leaf, self_signed_authority},
};
use etibar_primitives::{Digest, MemberId, hex};
use zeroize::Zeroizing;

/// How long certificates made here are valid, in seconds: ten years.
const CERTIFICATE_LIFE_S: u64 = 10 * 365 * 86_400;

/// Why an identity cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file cannot be read or written.
    #[error("{0}")]
    File(#[from] std::io::Error),
    /// A file does not hold what it should.
    #[error("the file {0} does not hold what it should")]
    Content(&'static str),
    /// A certificate cannot be made.
    #[error(transparent)]
    Sign(#[from] SignError),
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
    /// Opens envelopes.
    pub seal: Arc<SealPrivateKey>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity of member {}", self.member)
    }
}

impl Identity {
    /// Opens the identity in `folder`, or makes one: `authority.key`, `authority.der`, `leaf.key`,
    /// `leaf.der`, `seal.key`. The authority's digest is what the ledger's registry is told.
    ///
    /// # Errors
    /// See [`IdentityError`].
    pub fn open_or_create(
        folder: &Path,
        member: MemberId,
        name: &str,
        base_url: &str,
        now: UnixSeconds,
    ) -> Result<Self, IdentityError> {
        fs::create_dir_all(folder)?;
        let base_url = base_url.trim_end_matches('/');
        let not_before = UnixSeconds(now.0.saturating_sub(3_600));
        let validity =
            Validity { not_before, not_after: not_before.saturating_add(CERTIFICATE_LIFE_S) };
        let authority = key(folder, "authority.key")?;
        let uri = Some(base_url);
        let subject = Subject { common_name: name, organization: name, uri: None };
        let authority_der = certificate(folder, "authority.der", || {
            self_signed_authority(&authority, &subject, validity, &serial())
        })?;
        let leaf = key(folder, "leaf.key")?;
        let leaf_der = certificate(folder, "leaf.der", || {
            let subject = Subject { uri, ..subject };
            let public = leaf.public_key();
            issue_leaf(&authority, &authority_der, &public, &subject, validity, &serial())
        })?;
        let seal = SealPrivateKey::from_seed(&*secret(folder, "seal.key")?);
        Ok(Self {
            member,
            name: name.to_owned(),
            base_url: base_url.to_owned(),
            signer: Arc::new(Certified::new(leaf, vec![leaf_der, authority_der])),
            seal: Arc::new(seal),
        })
    }

    /// The digest of the authority's certificate: what the ledger's registry holds.
    ///
    /// # Panics
    /// Never: the chain was made with an authority.
    pub fn authority_digest(&self) -> Digest {
        let authority = self.signer.chain().last().expect("the chain ends in the authority");
        Digest(certificate_digest(authority))
    }
}

fn serial() -> [u8; 16] {
    let mut serial: [u8; 16] = rand::random();
    serial[0] = serial[0] & 0x7f | 0x01;
    serial
}

fn key(folder: &Path, name: &'static str) -> Result<SoftwareKey, IdentityError> {
    SoftwareKey::from_bytes(&*secret(folder, name)?).ok_or(IdentityError::Content(name))
}

fn secret(folder: &Path, name: &'static str) -> Result<Zeroizing<[u8; 32]>, IdentityError> {
    let path = folder.join(name);
    if let Some(text) = read(&path)? {
        let text = Zeroizing::new(String::from_utf8(text).unwrap_or_default());
        let bytes = hex::decode_array(text.trim()).ok_or(IdentityError::Content(name))?;
        return Ok(Zeroizing::new(bytes));
    }
    // Below the order of P-256 whatever the rest is.
    let mut bytes: Zeroizing<[u8; 32]> = Zeroizing::new(rand::random());
    bytes[0] &= 0x7f;
    write(&path, Zeroizing::new(hex::encode(&*bytes)).as_bytes())?;
    Ok(bytes)
}

fn certificate(
    folder: &Path,
    name: &'static str,
    make: impl FnOnce() -> Result<Vec<u8>, SignError>,
) -> Result<Vec<u8>, IdentityError> {
    let path = folder.join(name);
    if let Some(der) = read(&path)? {
        return Ok(der);
    }
    let der = make()?;
    write(&path, &der)?;
    Ok(der)
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, std::io::Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), std::io::Error> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
