//! A member's edge; beside it at the operator the console, at a bank the identification of people.

use std::{process::ExitCode, sync::Arc};

use axum::Router;
use etibar_api::{
    console::{self, Watch},
    edge::{Beside, RunError, run_edge},
    onboarding::{self, EdgeAccounts},
    problem,
};
use etibar_client::Client;
use etibar_edge::Edge;
use etibar_ledger::operation::MemberRole;
use etibar_onboarding::{OnboardingConfig, staff};

use super::{claim, logging, runtime};
use crate::{
    cli::RoleArguments, config::EdgeFile, failure::Failure, process::Stop, sample::read_key,
};

/// Threads of an edge's runtime.
const WORKER_THREADS: usize = 2;

/// Runs an edge until it is told to stop.
pub(crate) fn run(arguments: &RoleArguments) -> Result<ExitCode, Failure> {
    logging::start();
    let file = EdgeFile::read(&arguments.config)?;
    let _store = claim(&file.edge.store)?;
    runtime(WORKER_THREADS)?.block_on(async {
        let stop = Stop::listen(arguments.under_parent)?;
        let beside = async |client: &Client, edge: &Edge| beside(&file, client, edge, &stop).await;
        match run_edge(&file.edge, beside, stop.told()).await {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(RunError::Listen(address, source)) => {
                Err(Failure::Listen { address, config: arguments.config.clone(), source })
            }
            Err(error) => Err(Failure::Role { role: "edge", why: error.to_string() }),
        }
    })
}

/// What stands beside the edge's own routes.
async fn beside(
    file: &EdgeFile,
    client: &Client,
    edge: &Edge,
    stop: &Stop,
) -> Result<Beside, RunError> {
    let own = client.genesis().members.iter().find(|its| its.id == client.member());
    if own.is_some_and(|own| own.role == MemberRole::Operator) {
        let router = operator(client, file, stop);
        return Ok(Beside { router, gauges: None });
    }
    match &file.onboarding {
        Some(config) => bank(file, config, client, edge, stop).await,
        None => Ok(Beside { router: problem::with_fallbacks(Router::new()), gauges: None }),
    }
}

/// The operator's console.
fn operator(client: &Client, file: &EdgeFile, stop: &Stop) -> Router {
    let watched = file.console.as_ref().map_or(&[][..], |console| &console.members);
    let watch = Watch::new(client, &file.edge.validators, watched);
    tokio::spawn(Arc::clone(&watch).run(client.clone()));
    let (closing, stop) = (Arc::clone(&watch), stop.clone());
    tokio::spawn(async move {
        stop.told().await;
        closing.close();
    });
    console::router(client.clone(), &watch)
}

/// A bank's identification flows, with the edge as its books.
async fn bank(
    file: &EdgeFile,
    config: &OnboardingConfig,
    client: &Client,
    edge: &Edge,
    stop: &Stop,
) -> Result<Beside, RunError> {
    let failed = |why: String| RunError::Beside(why);
    let key = read_key(&file.edge.key).map_err(|failure| failed(failure.to_string()))?;
    let staff = staff::read(&config.staff).map_err(|error| failed(error.to_string()))?;
    let accounts = Arc::new(EdgeAccounts(edge.clone()));
    let flows = etibar_onboarding::open(config, client, Arc::new(key), accounts).await;
    let flows = flows.map_err(|error| failed(error.to_string()))?;
    let (background, stop) = (flows.clone(), stop.clone());
    tokio::spawn(async move { background.run(stop.told()).await });
    let gauges = Some(onboarding::gauges(flows.clone()));
    let router = problem::with_fallbacks(onboarding::routes(flows, client.clone(), staff));
    Ok(Beside { router, gauges })
}
