//! A validator: its chain on a thread of its own, and the members' door beside it.

use std::{process::ExitCode, sync::Arc, thread};

use etibar_chain::{Handle, Limits, Peer, Timing, ValidatorConfig};
use etibar_ledger::Genesis;
use tokio::{net::TcpListener, sync::oneshot};

use super::{claim, limits, listen, logging, runtime};
use crate::{
    cli::RoleArguments,
    config::ValidatorFile,
    failure::{self, Failure},
    genesis,
    process::Stop,
    sample::read_key,
};

/// Threads that serve members: they check signatures while consensus goes on.
const API_THREADS: usize = 2;

/// Runs a validator until it is told to stop.
pub(crate) fn run(arguments: &RoleArguments) -> Result<ExitCode, Failure> {
    logging::start();
    let file = ValidatorFile::read(&arguments.config)?;
    let _store = claim(&file.store)?;
    let genesis = genesis::read(&file.genesis)?;
    let config = configuration(&file, genesis.clone())?;
    runtime(API_THREADS)?.block_on(async {
        let stop = Stop::listen(arguments.under_parent)?;
        let listener = listen(file.api, &arguments.config).await?;
        serve(config, Arc::new(genesis), listener, stop).await
    })
}

fn configuration(file: &ValidatorFile, genesis: Genesis) -> Result<ValidatorConfig, Failure> {
    let peer = |entry: &crate::config::PeerEntry| Peer { key: entry.key, address: entry.address };
    let limits = Limits::default();
    let sync_distance = file.sync_distance.unwrap_or(limits.sync_distance);
    Ok(ValidatorConfig {
        genesis,
        key: read_key(&file.key)?,
        listen: file.consensus,
        peers: file.peers.iter().map(peer).collect(),
        directory: file.store.clone(),
        worker_threads: file.worker_threads,
        timing: Timing::default(),
        limits: Limits { sync_distance, ..limits },
    })
}

async fn serve(
    config: ValidatorConfig,
    genesis: Arc<Genesis>,
    listener: TcpListener,
    stop: Stop,
) -> Result<ExitCode, Failure> {
    let (ready, mut handle) = oneshot::channel();
    let (ended, mut chain) = oneshot::channel();
    let run = move || {
        let ready = move |handle| drop(ready.send(handle));
        // The receiver gone means that the process is stopping already.
        drop(ended.send(etibar_chain::run_validator(config, ready)));
    };
    thread::Builder::new()
        .name("chain".into())
        .spawn(run)
        .map_err(failure::system("cannot start a thread"))?;
    let handle: Handle = tokio::select! {
        Ok(handle) = &mut handle => handle,
        ended = &mut chain => return end(ended),
        () = stop.told() => return Ok(ExitCode::SUCCESS),
    };
    tracing::info!(network = %genesis.network(), "the validator serves");
    let router = etibar_api::validator::router(handle.clone(), genesis);
    let door = etibar_api::serve(listener, router, limits(), stop.told());
    tokio::select! {
        () = door => {}
        ended = &mut chain => return end(ended),
    }
    handle.stop();
    end(chain.await)
}

/// What the end of the chain means for the process. A dropped sender is a panic of the chain,
/// which stands in the log.
fn end(
    ended: Result<Result<(), etibar_chain::ChainError>, oneshot::error::RecvError>,
) -> Result<ExitCode, Failure> {
    match ended {
        Ok(Ok(())) => Ok(ExitCode::SUCCESS),
        Ok(Err(error)) => Err(Failure::Role { role: "validator", why: error.to_string() }),
        Err(_) => {
            let why = "it found a mistake of its own; the log line before this says which".into();
            Err(Failure::Role { role: "validator", why })
        }
    }
}
