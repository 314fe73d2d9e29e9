//! Why a command did not succeed: what happened, why, and what to do about it.

use std::{io, net::SocketAddr, path::PathBuf};

use etibar_keystore::KeyFault;

/// Everything that stops a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A file or folder could not be used.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// `read`, `write` or the like.
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file was read and is not what it should be.
    #[error("{} is no {what}: {why}", path.display())]
    Form {
        /// Which file.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
        /// Why it is none.
        why: String,
    },
    /// A receipt proves nothing.
    #[error("{} proves nothing ({code}): {why}", path.display())]
    Receipt {
        /// Which file.
        path: PathBuf,
        /// The stable code.
        code: &'static str,
        /// Why.
        why: String,
    },
    /// An issuer's key cannot be had.
    #[error("the issuer's key ({code}): {0}", code = .0.code())]
    Key(#[from] KeyFault),
    /// Too few free ports on this machine.
    #[error("cannot find {0} free ports on 127.0.0.1")]
    Ports(usize),
    /// Another process uses this folder.
    #[error("{} is in use by another `etibar`", .0.display())]
    Busy(PathBuf),
    /// A process of the network did not start, or ended by itself.
    #[error("{name} {why}")]
    Process {
        /// Which one, for example `validator-1`.
        name: String,
        /// What happened to it.
        why: String,
        /// Its log.
        log: PathBuf,
    },
    /// The network did not do what it was asked.
    #[error("cannot {what}: {why}")]
    Network {
        /// What was asked.
        what: &'static str,
        /// Why it was not done.
        why: String,
    },
    /// A port of the configuration cannot be used.
    #[error("cannot listen on {address}, as {} says: {source}", config.display())]
    Listen {
        /// The port.
        address: SocketAddr,
        /// Where it stands.
        config: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A role ended by itself.
    #[error("the {role} stopped: {why}")]
    Role {
        /// Which.
        role: &'static str,
        /// Why.
        why: String,
    },
    /// A wallet could not do what a script asked.
    #[error("{why} ({code})")]
    Wallet {
        /// The stable code.
        code: String,
        /// Why.
        why: String,
    },
    /// Something of the operating system failed.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl Failure {
    /// What a person can do about it, where we know it.
    pub(crate) fn remedy(&self) -> Option<String> {
        match self {
            Self::File { source, path, .. } => match source.kind() {
                io::ErrorKind::NotFound => {
                    Some("check the path; `etibar up` makes a network with all its files".into())
                }
                io::ErrorKind::PermissionDenied => {
                    Some(format!("make {} accessible to this user", path.display()))
                }
                io::ErrorKind::StorageFull => Some("free some disk space".into()),
                _ => None,
            },
            Self::Form { .. } => Some(
                "restore the file, or move the data folder away and let `etibar up` make a new \
                 network"
                    .into(),
            ),
            Self::Receipt { .. } => Some(
                "trust nothing it says; ask for it again, and check that the genesis is of the \
                 network that gave it"
                    .into(),
            ),
            Self::Key(KeyFault::PinIncorrect(_)) => Some(
                "check the PIN before the next try: each wrong one brings the token closer to \
                 its lock"
                    .into(),
            ),
            Self::Key(KeyFault::Exists) => {
                Some("`etibar key show` shows it; nothing here deletes a key".into())
            }
            Self::Key(_) => Some("docs/operations/keys.md says what each code means".into()),
            Self::Ports(_) => Some("stop programs that listen on many ports".into()),
            Self::Busy(_) => Some("stop the other one first, or name another folder".into()),
            Self::Process { log, .. } => Some(format!("its log says more: {}", log.display())),
            Self::Listen { config, .. } => Some(format!(
                "stop the program that uses this port, or write another one into {}",
                config.display()
            )),
            Self::Network { .. }
            | Self::Role { .. }
            | Self::Wallet { .. }
            | Self::System { .. } => None,
        }
    }
}

/// Makes a [`Failure::File`] of what the system said about `path`.
pub(crate) fn file(
    action: &'static str,
    path: impl Into<PathBuf>,
) -> impl FnOnce(io::Error) -> Failure {
    let path = path.into();
    move |source| Failure::File { action, path, source }
}

/// Makes a [`Failure::System`] of what the system said.
pub(crate) fn system(what: &'static str) -> impl FnOnce(io::Error) -> Failure {
    move |source| Failure::System { what, source }
}
