//! Keys in a file of this machine.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use etibar_credential::jose::{Signer as _, SoftwareKey, decode, encode};
use etibar_primitives::BlockTime;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{IssuerKey, KeyFault, Owner, certify};

const FILE: &str = "issuer.json";

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

/// Whether `folder` has a key.
pub(crate) fn exists(folder: &Path) -> bool {
    folder.join(FILE).exists()
}

/// Reads the key in `folder`.
pub(crate) fn open(folder: &Path) -> Result<IssuerKey, KeyFault> {
    let path = folder.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) => read(&path, &Zeroizing::new(text)),
        Err(source) => Err(KeyFault::File { path, source }),
    }
}

/// Reads the key in `folder`, or makes one for `owner`.
pub(crate) fn open_or_create(
    folder: &Path,
    owner: &Owner<'_>,
    now: BlockTime,
) -> Result<IssuerKey, KeyFault> {
    match open(folder) {
        Err(KeyFault::File { path, source }) if source.kind() == ErrorKind::NotFound => {
            let stored = make(owner, now)?;
            let text = serde_json::to_string_pretty(&stored).expect("plain data becomes JSON");
            let text = Zeroizing::new(text);
            write(folder, &path, text.as_bytes())
                .map_err(|source| KeyFault::File { path: path.clone(), source })?;
            read(&path, &text)
        }
        other => other,
    }
}

/// Writes the whole file or none: under another name first.
fn write(folder: &Path, path: &Path, text: &[u8]) -> Result<(), std::io::Error> {
    fs::create_dir_all(folder)?;
    let temporary = folder.join(format!("{FILE}.new"));
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    fs::File::open(folder)?.sync_all()
}

fn read(path: &Path, text: &str) -> Result<IssuerKey, KeyFault> {
    parse(text).ok_or_else(|| KeyFault::Content { path: path.into(), what: "issuer's key" })
}

fn parse(text: &str) -> Option<IssuerKey> {
    let stored: Stored = serde_json::from_str(text).ok()?;
    let key = decode(&stored.leaf_key).map(Zeroizing::new)?;
    let key = SoftwareKey::from_bytes(key.as_slice().try_into().ok()?)?;
    let chain = stored.chain.iter().map(|text| decode(text)).collect::<Option<_>>()?;
    IssuerKey::new(key, chain)
}

fn make(owner: &Owner<'_>, now: BlockTime) -> Result<Stored, KeyFault> {
    let mut rng = rand::rng();
    let (authority, leaf) = (SoftwareKey::generate(&mut rng), SoftwareKey::generate(&mut rng));
    let chain = certify::chain(&authority, &leaf.public_key(), owner, now)?;
    Ok(Stored {
        authority_key: encode(&authority.to_bytes()),
        leaf_key: encode(&leaf.to_bytes()),
        chain: chain.iter().map(|der| encode(der)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check_chain;

    #[test]
    fn a_key_is_made_once_and_read_ever_after() {
        let folder = tempfile::tempdir().unwrap();
        let now = BlockTime(1_800_000_000_000);
        let owner = Owner { name: "Sample (nümunə)", base_url: "http://127.0.0.1:7112" };
        assert!(!exists(folder.path()));
        let open = || open_or_create(folder.path(), &owner, now).unwrap();
        let (first, second) = (open(), open());
        assert!(exists(folder.path()));
        assert_eq!(first.authority, second.authority);
        assert_eq!(first.signer.public_key(), second.signer.public_key());
        let chain = check_chain(first.signer.chain(), &owner, now).unwrap();
        assert_eq!(chain.authority_digest, first.authority.0);
        assert_eq!(chain.leaf_key, first.signer.public_key());
        assert_eq!(chain.uris, ["http://127.0.0.1:7112"]);
    }

    #[test]
    fn a_damaged_file_is_no_reason_to_make_another_key() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "{}").unwrap();
        let owner = Owner { name: "Sample", base_url: "http://127.0.0.1:7112" };
        let refused = open_or_create(folder.path(), &owner, BlockTime(0)).unwrap_err();
        assert_eq!(refused.code(), "key_content");
    }
}
