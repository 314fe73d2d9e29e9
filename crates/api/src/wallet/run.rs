//! A whole wallet service: from a configuration until told to stop.

use etibar_wallet::{OpenError, WalletConfig};
use tokio::net::TcpListener;

use super::router;
use crate::{Limits, serve};

/// Why a wallet did not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It could not start.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Its address is not free.
    #[error("cannot listen on {0}: {1}")]
    Listen(std::net::SocketAddr, #[source] std::io::Error),
}

/// Runs a wallet service until `shutdown` ends.
pub async fn run_wallet(
    config: &WalletConfig,
    shutdown: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let wallet = etibar_wallet::open(config).await?;
    let listener = TcpListener::bind(config.listen).await;
    let listener = listener.map_err(|error| RunError::Listen(config.listen, error))?;
    let router = router(wallet.clone(), &config.origin);
    let (told, stopped) = tokio::sync::oneshot::channel();
    let served = async {
        serve(listener, router, Limits::default(), shutdown).await;
        let _ = told.send(());
    };
    // Deferred credentials are asked for beside the pages, for as long as these are served.
    tokio::join!(served, wallet.run(async { drop(stopped.await) }));
    wallet.close().await;
    Ok(())
}
