//! Why an issuer's key cannot be had.

use std::path::PathBuf;

use etibar_credential::{jose::SignError, x509::X509Error};

/// Why a key cannot be opened, made or used. No text names a PIN.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    /// A file or folder cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{} holds no {what}", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// A certificate cannot be made.
    #[error("a certificate cannot be made: {0}")]
    Certificate(#[from] SignError),
    /// The key to be made is there already.
    #[error("the key is there already")]
    Exists,
    /// What was asked is for keys in tokens.
    #[error("a key in a folder has an authority of its own")]
    Folder,
    /// The certificates are not whole.
    #[error("the certificates: {0}")]
    Chain(X509Error),
    /// The leaf speaks for another URL.
    #[error("the leaf certificate does not speak for {0}")]
    ChainUrl(String),
    /// The leaf vouches for another key than the token's.
    #[error("the leaf certificate vouches for another key than the token's")]
    ChainKey,
    /// The module cannot be loaded, or does not start.
    #[error("the PKCS#11 module {}: {why}", path.display())]
    Module {
        /// Which.
        path: PathBuf,
        /// What the loader or the module said.
        why: String,
    },
    /// No initialized token has this label.
    #[error("no token is labelled `{0}`")]
    TokenMissing(String),
    /// Several tokens have this label.
    #[error("several tokens are labelled `{0}`")]
    TokenAmbiguous(String),
    /// The environment has no such variable.
    #[error("the environment has no variable {0} with the PIN")]
    PinMissing(String),
    /// The token refuses the PIN.
    #[error("the token `{0}` refuses the PIN")]
    PinIncorrect(String),
    /// The token is locked after too many wrong PINs, or wants a new one.
    #[error("the PIN of the token `{0}` is locked, expired or not yet set")]
    PinLocked(String),
    /// The token has no such private key.
    #[error("the token `{token}` has no private key `{key}`; `etibar key create` makes it")]
    KeyMissing {
        /// The token's label.
        token: String,
        /// The key's label.
        key: String,
    },
    /// The token has several such private keys.
    #[error("the token `{token}` has several private keys `{key}`")]
    KeyAmbiguous {
        /// The token's label.
        token: String,
        /// The key's label.
        key: String,
    },
    /// The token would give the key out, or it is no P-256 key for signatures.
    #[error("the key `{key}` is unfit: {why}")]
    KeyUnfit {
        /// The key's label.
        key: String,
        /// Why.
        why: &'static str,
    },
    /// The token failed otherwise: unplugged, out of sessions, broken.
    #[error("the token failed: {0}")]
    Token(String),
    /// The token's signature does not verify with its own key.
    #[error("the token made a wrong signature")]
    Signature,
    /// A thread that speaks with the token cannot be started.
    #[error("a thread for the token cannot start: {0}")]
    Thread(std::io::Error),
}

impl KeyFault {
    /// A stable code for logs, metrics and health.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "key_file",
            Self::Content { .. } => "key_content",
            Self::Certificate(error) => error.code(),
            Self::Exists => "key_exists",
            Self::Folder => "key_in_folder",
            Self::Chain(error) => error.code(),
            Self::ChainUrl(_) => "key_chain_url",
            Self::ChainKey => "key_chain_key",
            Self::Module { .. } => "key_module",
            Self::TokenMissing(_) => "key_token_missing",
            Self::TokenAmbiguous(_) => "key_token_ambiguous",
            Self::PinMissing(_) => "key_pin_missing",
            Self::PinIncorrect(_) => "key_pin_incorrect",
            Self::PinLocked(_) => "key_pin_locked",
            Self::KeyMissing { .. } => "key_missing",
            Self::KeyAmbiguous { .. } => "key_ambiguous",
            Self::KeyUnfit { .. } => "key_unfit",
            Self::Token(_) => "key_token_failed",
            Self::Signature => "key_signature_wrong",
            Self::Thread(_) => "key_thread",
        }
    }
}
