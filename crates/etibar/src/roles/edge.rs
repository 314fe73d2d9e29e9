//! A member's edge, and for the operator the console beside it.

use std::{path::Path, process::ExitCode, sync::Arc};

use axum::Router;
use etibar_api::{
    console::{self, Watch},
    edge::{RunError, run_edge},
    problem,
};
use etibar_client::Client;
use etibar_edge::{Edge, config::EdgeConfig};
use etibar_ledger::operation::MemberRole;

use super::{claim, logging, runtime};
use crate::{
    cli::RoleArguments,
    config::{read_toml, rebase},
    failure::Failure,
    process::Stop,
};

/// Threads of an edge's runtime.
const WORKER_THREADS: usize = 2;

/// Runs an edge until it is told to stop.
pub(crate) fn run(arguments: &RoleArguments) -> Result<ExitCode, Failure> {
    logging::start();
    let config = read(&arguments.config)?;
    let _store = claim(&config.store)?;
    runtime(WORKER_THREADS)?.block_on(async {
        let stop = Stop::listen(arguments.under_parent)?;
        let beside = async |client: &Client, _: &Edge| {
            Ok(beside(client, &config.validators, &stop))
        };
        match run_edge(&config, beside, stop.told()).await {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(RunError::Listen(address, source)) => {
                Err(Failure::Listen { address, config: arguments.config.clone(), source })
            }
            Err(error) => Err(Failure::Role { role: "edge", why: error.to_string() }),
        }
    })
}

/// Reads the configuration and makes its paths relative to the current folder.
fn read(path: &Path) -> Result<EdgeConfig, Failure> {
    let mut config: EdgeConfig = read_toml(path, "edge configuration")?;
    let paths = [
        &mut config.genesis,
        &mut config.key,
        &mut config.seal_key,
        &mut config.store,
        &mut config.core_token,
        &mut config.directory_key,
    ];
    for inner in paths {
        rebase(path, inner);
    }
    Ok(config)
}

/// What stands beside the edge's own routes: for the operator its console.
fn beside(client: &Client, validators: &[String], stop: &Stop) -> Router {
    let own = client.genesis().members.iter().find(|its| its.id == client.member());
    if own.is_none_or(|own| own.role != MemberRole::Operator) {
        return problem::with_fallbacks(Router::new());
    }
    let watch = Watch::new(client, validators);
    tokio::spawn(Arc::clone(&watch).run(client.clone()));
    let (closing, stop) = (Arc::clone(&watch), stop.clone());
    tokio::spawn(async move {
        stop.told().await;
        closing.close();
    });
    console::router(client.clone(), &watch)
}
