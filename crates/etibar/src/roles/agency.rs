//! A state agency: register, credentials, data under consent.

use std::process::ExitCode;

use axum::Router;
use etibar_api::{
    agency::{RunError, run_agency},
    problem,
};

use super::{claim, logging, runtime};
use crate::{cli::RoleArguments, config::read_agency, failure::Failure, process::Stop};

/// Threads of an agency's runtime.
const WORKER_THREADS: usize = 1;

/// Runs an agency until it is told to stop.
pub(crate) fn run(arguments: &RoleArguments) -> Result<ExitCode, Failure> {
    logging::start();
    let config = read_agency(&arguments.config)?;
    let _store = claim(&config.store)?;
    runtime(WORKER_THREADS)?.block_on(async {
        let stop = Stop::listen(arguments.under_parent)?;
        let beside = |_: &_| problem::with_fallbacks(Router::new());
        match run_agency(&config, beside, stop.told()).await {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(RunError::Listen(address, source)) => {
                Err(Failure::Listen { address, config: arguments.config.clone(), source })
            }
            Err(error) => Err(Failure::Role { role: "agency", why: error.to_string() }),
        }
    })
}
