//! The other members' edges over HTTP.

use std::time::Duration;

use bytes::Bytes;
use etibar_primitives::MemberId;
use futures::future::BoxFuture;

use super::{PeerFault, PeerPort, PeerUrls};

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a whole delivery may take: well below the hard limit of a payment.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(4);
/// How long an unused connection is kept; less than servers keep it.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// Edges by their base URLs.
#[derive(Debug, Clone)]
pub struct HttpPeers {
    http: reqwest::Client,
    urls: PeerUrls,
}

impl HttpPeers {
    /// The edges at `urls`.
    pub fn new(urls: PeerUrls) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(DELIVERY_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build()?;
        Ok(Self { http, urls })
    }
}

impl PeerPort for HttpPeers {
    fn deliver(&self, to: MemberId, envelope: Bytes) -> BoxFuture<'_, Result<(), PeerFault>> {
        Box::pin(async move {
            let fault = |detail: String| PeerFault { member: to, detail };
            let url = self.urls.get(&to).ok_or_else(|| fault("no address is known".into()))?;
            let request = self
                .http
                .post(format!("{}/v1/peer/payloads", url.trim_end_matches('/')))
                .header("content-type", "application/octet-stream")
                .body(envelope);
            let answer = request.send().await.map_err(|error| fault(error.to_string()))?;
            let status = answer.status();
            if status.is_success() { Ok(()) } else { Err(fault(format!("answered {status}"))) }
        })
    }
}
