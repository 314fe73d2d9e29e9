//! Secret keys in files that only their owner may read.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use etibar_primitives::{hex, key::PrivateKey};
use rand::Rng as _;

use crate::failure::{self, Failure};

/// Only the owner reads and writes.
const SECRET_MODE: u32 = 0o600;

/// `N` random bytes that nobody can predict.
pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

/// The key in `path`, made at random if there is none.
pub(super) fn read_or_create(path: &Path) -> Result<PrivateKey, Failure> {
    match write_new(path, &random_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other.map_err(failure::file("write", path))?,
    }
    read_key(path)
}

/// Reads a key file: 64 hexadecimal digits.
pub(crate) fn read_key(path: &Path) -> Result<PrivateKey, Failure> {
    let text = fs::read_to_string(path).map_err(failure::file("read", path))?;
    let seed = hex::decode_array(text.trim()).ok_or_else(|| Failure::Form {
        path: path.into(),
        what: "key",
        why: "it does not hold 64 hexadecimal digits".into(),
    })?;
    Ok(PrivateKey::from_seed(&seed))
}

fn write_new(path: &Path, seed: &[u8; 32]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(SECRET_MODE);
    let mut file = options.open(path)?;
    file.write_all(hex::encode(seed).as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let first = read_or_create(&path).unwrap();
        let again = read_or_create(&path).unwrap();
        assert_eq!(first.public_key(), again.public_key());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, SECRET_MODE);
    }

    #[test]
    fn a_file_without_64_hexadecimal_digits_is_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "00ff").unwrap();
        assert!(matches!(read_key(&path), Err(Failure::Form { .. })));
    }
}
