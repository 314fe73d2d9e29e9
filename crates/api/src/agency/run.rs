//! A whole agency: tasks and doors, from a configuration until told to stop.

use axum::Router;
use etibar_agency::{AgencyFault, OpenError, Opened, config::AgencyConfig};
use etibar_client::Client;
use tokio::{net::TcpListener, sync::watch};

use super::routes;
use crate::{Limits, serve};

/// Why an agency did not run, or stopped by itself.
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
    Agency(#[from] AgencyFault),
}

/// Runs an agency until `shutdown` ends. `beside` gives the rest of its pages and the fallbacks:
/// [`crate::problem::with_fallbacks`] of an empty router, if there are none.
pub async fn run_agency(
    config: &AgencyConfig,
    beside: impl FnOnce(&Client) -> Router,
    shutdown: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let Opened { agency, client, clerks, .. } = etibar_agency::open(config).await?;
    let router = routes(agency.clone(), clerks, client.genesis()).merge(beside(&client));
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
    agency.run_until(closing).await?;
    Ok(())
}
