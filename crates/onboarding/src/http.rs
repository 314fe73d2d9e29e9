//! The ledger through the verifying client, and the other members over HTTP.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use etibar_client::{
    Client, token,
    wire::{ConsentView, IssuerView, StatusListView},
};
use etibar_ledger::Operation;
use etibar_openid::member::{
    ConsentRegistered, ConsentRegistration, DataAnswer, DataRequest, Message, MessageError,
    ReceiptAcknowledged, ReceiptAcknowledgement, RevocationNotice, parse, render,
};
use etibar_primitives::{BlockTime, Digest, MemberId, key::PrivateKey};
use futures::future::BoxFuture;

use crate::{
    ports::{Executed, Ledger, LedgerFault, PeerFault, Peers},
    service::Clock,
};

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a whole exchange may take.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an unused connection is kept; less than servers keep it.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 9 * 1024 * 1024;

/// The ledger of a running network. Outcomes are verified from the genesis; registry, consents and
/// anchors are one validator's word.
#[derive(Debug, Clone)]
pub struct ClientLedger(pub Client);

impl Ledger for ClientLedger {
    fn execute<'a>(
        &'a self,
        operations: &'a [Operation],
    ) -> BoxFuture<'a, Result<Vec<Executed>, LedgerFault>> {
        Box::pin(async move {
            let receipts = self.0.execute_all(operations).await.map_err(fault)?;
            let executed = |receipt: etibar_client::VerifiedReceipt| Executed {
                outcome: receipt.outcome(),
                time: receipt.time,
            };
            Ok(receipts.into_iter().map(executed).collect())
        })
    }

    fn issuers(&self) -> BoxFuture<'_, Result<Vec<IssuerView>, LedgerFault>> {
        Box::pin(async move { self.0.issuers().await.map_err(fault) })
    }

    fn consent(&self, rel: Digest) -> BoxFuture<'_, Result<Option<ConsentView>, LedgerFault>> {
        Box::pin(async move { self.0.consent(rel).await.map_err(fault) })
    }

    fn status_list(
        &self,
        member: MemberId,
        list: u32,
    ) -> BoxFuture<'_, Result<Option<StatusListView>, LedgerFault>> {
        Box::pin(async move { self.0.status_list(member, list).await.map_err(fault) })
    }
}

fn fault(error: impl std::fmt::Display) -> LedgerFault {
    LedgerFault(error.to_string())
}

/// The other members by their base URLs; this one shows its member token.
#[derive(Clone)]
pub struct HttpPeers {
    http: reqwest::Client,
    urls: BTreeMap<MemberId, String>,
    member: MemberId,
    network: Digest,
    key: Arc<PrivateKey>,
    clock: Clock,
}

impl HttpPeers {
    /// The members at `urls`, seen by `member` of the network `network`.
    ///
    /// # Errors
    /// When the HTTP client cannot start.
    pub fn new(
        urls: BTreeMap<MemberId, String>,
        (network, member): (Digest, MemberId),
        key: Arc<PrivateKey>,
        clock: Clock,
    ) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(EXCHANGE_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let trimmed =
            |(member, url): (MemberId, String)| (member, url.trim_end_matches('/').to_owned());
        let urls = urls.into_iter().map(trimmed).collect();
        Ok(Self { http, urls, member, network, key, clock })
    }

    async fn post<T: Message>(
        &self,
        to: MemberId,
        path: &str,
        message: &impl Message,
    ) -> Result<T, PeerFault> {
        let malformed = |_| PeerFault { member: to, code: "malformed".into(), refused: true };
        let body = self.exchange(to, path, render(message).map_err(malformed)?).await?;
        parse(&body).map_err(malformed)
    }

    async fn exchange(
        &self,
        to: MemberId,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, PeerFault> {
        let unknown = PeerFault { member: to, code: "no_address".into(), refused: true };
        let url = self.urls.get(&to).ok_or(unknown)?;
        let now: BlockTime = (self.clock)();
        let token = token::sign(&self.network, self.member, &self.key, now);
        let request = self
            .http
            .post(format!("{url}{path}"))
            .bearer_auth(token)
            .header("content-type", "application/json")
            .body(body);
        read(to, request.send().await).await
    }
}

/// The body of a good answer; of another one its stable code.
async fn read(
    from: MemberId,
    answer: Result<reqwest::Response, reqwest::Error>,
) -> Result<Vec<u8>, PeerFault> {
    let gone = |_| PeerFault { member: from, code: "unreachable".into(), refused: false };
    let mut answer = answer.map_err(gone)?;
    let status = answer.status();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(gone)? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(PeerFault { member: from, code: "too_large".into(), refused: true });
        }
        body.extend_from_slice(&chunk);
    }
    if status.is_success() {
        return Ok(body);
    }
    let problem: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
    let code = problem.as_ref().and_then(|its| its.get("code")?.as_str()).unwrap_or("refused");
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let code = if code.bytes().all(allowed) { code } else { "refused" };
    let refused = status.is_client_error() && status.as_u16() != 429 && status.as_u16() != 408;
    Err(PeerFault { member: from, code: code.to_owned(), refused })
}

impl Peers for HttpPeers {
    fn base_url(&self, member: MemberId) -> Option<String> {
        self.urls.get(&member).cloned()
    }

    fn status_list<'a>(
        &'a self,
        member: MemberId,
        uri: &'a str,
    ) -> BoxFuture<'a, Result<String, PeerFault>> {
        Box::pin(async move {
            let request = self.http.get(uri).header("accept", "application/statuslist+jwt");
            let body = read(member, request.send().await).await?;
            let malformed = |_| PeerFault { member, code: "malformed".into(), refused: true };
            String::from_utf8(body).map_err(malformed)
        })
    }

    fn register<'a>(
        &'a self,
        provider: MemberId,
        consent: &'a ConsentRegistration,
    ) -> BoxFuture<'a, Result<ConsentRegistered, PeerFault>> {
        Box::pin(self.post(provider, "/v1/consents", consent))
    }

    fn fetch<'a>(
        &'a self,
        provider: MemberId,
        request: &'a DataRequest,
    ) -> BoxFuture<'a, Result<DataAnswer, PeerFault>> {
        Box::pin(self.post(provider, "/v1/data", request))
    }

    fn acknowledge<'a>(
        &'a self,
        provider: MemberId,
        receipt: &'a ReceiptAcknowledgement,
    ) -> BoxFuture<'a, Result<ReceiptAcknowledged, PeerFault>> {
        Box::pin(self.post(provider, "/v1/receipts", receipt))
    }

    fn revoked<'a>(
        &'a self,
        provider: MemberId,
        notice: &'a RevocationNotice,
    ) -> BoxFuture<'a, Result<(), PeerFault>> {
        Box::pin(async move {
            let malformed = |error: MessageError| PeerFault {
                member: provider,
                code: error.code().into(),
                refused: true,
            };
            let body = render(notice).map_err(malformed)?;
            self.exchange(provider, "/v1/revocations", body).await.map(drop)
        })
    }
}
