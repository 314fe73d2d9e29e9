//! The member's master key: a file now, a key service or a security module through the same trait.

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use etibar_primitives::hex;
use futures::future::BoxFuture;
use zeroize::Zeroizing;

use crate::{
    VaultError,
    seal::{self, KEY_BYTES},
};

/// The bytes of a data key, wiped when they go.
pub type KeyBytes = Zeroizing<[u8; KEY_BYTES]>;

/// Wraps and unwraps data keys. The master key never leaves the service.
pub trait KeyService: Send + Sync + 'static {
    /// `key` wrapped, bound to `context`: it unwraps with the same context only.
    fn wrap<'a>(
        &'a self,
        context: &'a [u8],
        key: &'a KeyBytes,
    ) -> BoxFuture<'a, Result<Vec<u8>, VaultError>>;

    /// The key that was wrapped for `context`.
    fn unwrap<'a>(
        &'a self,
        context: &'a [u8],
        wrapped: &'a [u8],
    ) -> BoxFuture<'a, Result<KeyBytes, VaultError>>;
}

/// A master key in a file: 64 hexadecimal digits, readable by its owner alone.
pub struct FileKey(KeyBytes);

impl FileKey {
    /// The key of 32 secret bytes.
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads the key from `path`, or draws one and writes it there durably.
    ///
    /// # Errors
    /// When the file cannot be read or written, or holds no key.
    pub fn open_or_create(path: &Path) -> Result<Self, VaultError> {
        match fs::read_to_string(path) {
            Ok(text) => {
                let text = Zeroizing::new(text);
                let bytes = hex::decode_array(text.trim());
                bytes.map(Self::new).ok_or(VaultError::Row("master key"))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let key = Self::new(rand::random());
                let mut options = fs::OpenOptions::new();
                let mut file = options.write(true).create_new(true).mode(0o600).open(path)?;
                file.write_all(Zeroizing::new(hex::encode(&*key.0)).as_bytes())?;
                file.sync_all()?;
                Ok(key)
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl std::fmt::Debug for FileKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileKey(redacted)")
    }
}

impl KeyService for FileKey {
    fn wrap<'a>(
        &'a self,
        context: &'a [u8],
        key: &'a KeyBytes,
    ) -> BoxFuture<'a, Result<Vec<u8>, VaultError>> {
        Box::pin(async move { Ok(seal::seal_bytes(&self.0, context, &**key)) })
    }

    fn unwrap<'a>(
        &'a self,
        context: &'a [u8],
        wrapped: &'a [u8],
    ) -> BoxFuture<'a, Result<KeyBytes, VaultError>> {
        Box::pin(async move {
            let opened = seal::open_bytes(&self.0, context, wrapped)?;
            let bytes = <[u8; KEY_BYTES]>::try_from(opened.as_slice());
            bytes.map(Zeroizing::new).map_err(|_| VaultError::Seal)
        })
    }
}
