//! The roles of a network: each one process, told what to be by a configuration file.

mod agency;
mod edge;
mod logging;
mod validator;
mod wallet;

pub(crate) use agency::run as run_agency;
pub(crate) use edge::run as run_edge;
pub(crate) use validator::run as run_validator;
pub(crate) use wallet::run as run_wallet;

use std::{
    fs::{File, TryLockError},
    net::SocketAddr,
    path::Path,
    time::Duration,
};

use etibar_api::Limits;
use tokio::net::TcpListener;

use crate::failure::{self, Failure};

/// How long open requests may take to end once the process was told to stop. Shorter than what
/// the process itself is given.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// What the process bears.
fn limits() -> Limits {
    Limits { drain_timeout: DRAIN_TIMEOUT, ..Limits::default() }
}

/// Takes a port, or says who has to move.
async fn listen(address: SocketAddr, config: &Path) -> Result<TcpListener, Failure> {
    let taken = |source| Failure::Listen { address, config: config.into(), source };
    TcpListener::bind(address).await.map_err(taken)
}

/// Takes a store for this process, so that two never write to one; given back when it ends.
pub(crate) fn claim(store: &Path) -> Result<File, Failure> {
    let path = store.with_extension("lock");
    let file = File::create(&path).map_err(failure::file("write", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::Busy(store.into())),
        Err(TryLockError::Error(source)) => Err(Failure::File { action: "lock", path, source }),
    }
}

/// An asynchronous runtime with `threads` threads.
pub(crate) fn runtime(threads: usize) -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads.max(1))
        .enable_all()
        .build()
        .map_err(failure::system("cannot start the asynchronous runtime"))
}
