//! The hosted wallet.

use std::process::ExitCode;

use etibar_api::wallet::{RunError, run_wallet};

use super::{claim, logging, runtime};
use crate::{cli::RoleArguments, config::read_wallet, failure::Failure, process::Stop};

/// Threads of the wallet's runtime.
const WORKER_THREADS: usize = 1;

/// Runs the wallet until it is told to stop.
pub(crate) fn run(arguments: &RoleArguments) -> Result<ExitCode, Failure> {
    logging::start();
    let config = read_wallet(&arguments.config)?;
    let _store = claim(&config.store)?;
    runtime(WORKER_THREADS)?.block_on(async {
        let stop = Stop::listen(arguments.under_parent)?;
        match run_wallet(&config, stop.told()).await {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(RunError::Listen(address, source)) => {
                Err(Failure::Listen { address, config: arguments.config.clone(), source })
            }
            Err(error) => Err(Failure::Role { role: "wallet", why: error.to_string() }),
        }
    })
}
