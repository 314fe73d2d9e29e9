//! A whole edge: tasks and doors, from a configuration until told to stop.

use axum::Router;
use etibar_client::Client;
use etibar_edge::{Edge, EdgeFault, OpenError, Opened, config::EdgeConfig};
use tokio::{net::TcpListener, sync::watch};

use super::{Gauges, routes};
use crate::{Limits, serve};

/// Why an edge did not run, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It could not start.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Its address is not free.
    #[error("cannot listen on {0}: {1}")]
    Listen(std::net::SocketAddr, #[source] std::io::Error),
    /// A task of it failed.
    #[error(transparent)]
    Edge(#[from] EdgeFault),
    /// What stands beside it could not start.
    #[error("{0}")]
    Beside(String),
}

/// What stands beside an edge's own routes.
pub struct Beside {
    /// The rest of the pages, and the fallbacks: [`crate::problem::with_fallbacks`].
    pub router: Router,
    /// What it adds to the metrics.
    pub gauges: Option<Gauges>,
}

/// Runs an edge until `shutdown` ends. `beside` gives a bank's identification, or the operator's
/// console.
pub async fn run_edge(
    config: &EdgeConfig,
    beside: impl AsyncFnOnce(&Client, &Edge) -> Result<Beside, RunError>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let Opened { edge, tasks, client, core_token } = etibar_edge::open(config).await?;
    let beside = beside(&client, &edge).await?;
    let router = routes(edge, &core_token, beside.gauges).merge(beside.router);
    let listener = TcpListener::bind(config.listen).await;
    let listener = listener.map_err(|error| RunError::Listen(config.listen, error))?;
    let stop = watch::Sender::new(false);
    let mut stopped = stop.subscribe();
    let doors = async move {
        let until = async { drop(stopped.wait_for(|stop| *stop).await) };
        serve(listener, router, Limits::default(), until).await;
    };
    // First the doors close, then the tasks end: no request is left without an answer.
    let doors = tokio::spawn(doors);
    let closing = async {
        shutdown.await;
        stop.send_replace(true);
        drop(doors.await);
    };
    tasks.run_until(closing).await?;
    Ok(())
}
