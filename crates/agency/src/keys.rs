//! The issuer's keys: a certificate authority of the member's own and a leaf under it, in a file.

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use etibar_credential::{
    UnixSeconds,
    jose::{Certified, Signer as _, SoftwareKey, decode, encode},
    x509::{Subject, Validity, certificate_digest, issue_leaf, self_signed_authority},
};
use etibar_primitives::{BlockTime, Digest};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// How long authority and leaf are valid, in seconds: ten years.
const LIFE_S: u64 = 3_650 * 86_400;
/// How far before their making they are valid, in seconds: clocks differ.
const BEFORE_S: u64 = 86_400;
const FILE: &str = "issuer.json";

/// The issuer's key with its certificates.
#[derive(Debug, Clone)]
pub struct IssuerKey {
    /// Signs with the leaf's key and carries the chain.
    pub signer: Certified<SoftwareKey>,
    /// SHA-256 of the authority's certificate: what the operator registers on the ledger.
    pub authority: Digest,
}

/// The issuer's key cannot be read, written or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    /// The file cannot be read or written.
    #[error("the issuer's key file: {0}")]
    File(#[from] std::io::Error),
    /// The file holds no key.
    #[error("the issuer's key file holds no key")]
    Content,
    /// The certificates cannot be made.
    #[error("the issuer's certificates cannot be made")]
    Certificate,
}

/// What the file holds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    /// Secret scalars, base64url.
    authority_key: String,
    leaf_key: String,
    /// Certificates in DER, base64url, leaf first.
    chain: Vec<String>,
}

impl IssuerKey {
    /// Reads the key in `folder`, or makes one for the member called `name` at `base_url`.
    pub fn open_or_create(
        folder: &Path,
        name: &str,
        base_url: &str,
        now: BlockTime,
    ) -> Result<Self, KeyFault> {
        let path = folder.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => Self::read(&Zeroizing::new(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                fs::create_dir_all(folder)?;
                let stored = make(name, base_url, now)?;
                let text = serde_json::to_string_pretty(&stored).expect("plain data becomes JSON");
                let text = Zeroizing::new(text);
                let temporary = folder.join(format!("{FILE}.new"));
                let mut options = fs::OpenOptions::new();
                let mut file =
                    options.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
                file.write_all(text.as_bytes())?;
                file.sync_all()?;
                fs::rename(&temporary, &path)?;
                fs::File::open(folder)?.sync_all()?;
                Self::read(&text)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn read(text: &str) -> Result<Self, KeyFault> {
        let stored: Stored = serde_json::from_str(text).map_err(|_| KeyFault::Content)?;
        let key = decode(&stored.leaf_key).map(Zeroizing::new).ok_or(KeyFault::Content)?;
        let key: &[u8; 32] = key.as_slice().try_into().map_err(|_| KeyFault::Content)?;
        let key = SoftwareKey::from_bytes(key).ok_or(KeyFault::Content)?;
        let chain = stored.chain.iter().map(|text| decode(text));
        let chain: Vec<Vec<u8>> = chain.collect::<Option<_>>().ok_or(KeyFault::Content)?;
        let authority = chain.last().ok_or(KeyFault::Content)?;
        let authority = Digest(certificate_digest(authority));
        Ok(Self { signer: Certified::new(key, chain), authority })
    }
}

fn make(name: &str, base_url: &str, now: BlockTime) -> Result<Stored, KeyFault> {
    let mut rng = rand::rng();
    let (authority_key, leaf_key) =
        (SoftwareKey::generate(&mut rng), SoftwareKey::generate(&mut rng));
    let now = UnixSeconds::from(now);
    let validity = Validity {
        not_before: UnixSeconds(now.0.saturating_sub(BEFORE_S)),
        not_after: now.saturating_add(LIFE_S),
    };
    // Positive and not zero, as RFC 5280 §4.1.2.2 wants it.
    let serial = || {
        let mut serial: [u8; 16] = rand::random();
        serial[0] = (serial[0] & 0x7F) | 1;
        serial
    };
    let failed = |_| KeyFault::Certificate;
    let subject = Subject { common_name: "Issuer CA", organization: name, uri: None };
    let authority = self_signed_authority(&authority_key, &subject, validity, &serial());
    let authority = authority.map_err(failed)?;
    let subject = Subject { common_name: "Issuer", organization: name, uri: Some(base_url) };
    let key = leaf_key.public_key();
    let leaf = issue_leaf(&authority_key, &authority, &key, &subject, validity, &serial());
    Ok(Stored {
        authority_key: encode(&authority_key.to_bytes()),
        leaf_key: encode(&leaf_key.to_bytes()),
        chain: vec![encode(&leaf.map_err(failed)?), encode(&authority)],
    })
}

#[cfg(test)]
mod tests {
    use etibar_credential::x509::verify_chain;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_ever_after() {
        let folder = tempfile::tempdir().unwrap();
        let now = BlockTime(1_800_000_000_000);
        let open = || {
            let url = "http://127.0.0.1:7112";
            IssuerKey::open_or_create(folder.path(), "Sample (nümunə)", url, now).unwrap()
        };
        let (first, second) = (open(), open());
        assert_eq!(first.authority, second.authority);
        assert_eq!(first.signer.public_key(), second.signer.public_key());
        let chain = verify_chain(first.signer.chain(), now.into()).unwrap();
        assert_eq!(Digest(chain.authority_digest), first.authority);
        assert_eq!(chain.leaf_key, first.signer.public_key());
        assert_eq!(chain.uris, ["http://127.0.0.1:7112"]);
    }
}
