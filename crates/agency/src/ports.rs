//! What an agency needs of the world: a ledger, and the servers of others.

use std::{collections::HashMap, sync::Arc, time::Duration};

use etibar_client::{
    Client, EventsError, ReadError, clock, token,
    wire::{ConsentView, IssuerView, StatusListView},
};
use etibar_ledger::{Operation, Outcome, receipt::Event};
use etibar_openid::member::{ChangeNotice, render};
use etibar_primitives::{BlockTime, Digest, MemberId, OperationId, key::PrivateKey};
use futures::future::BoxFuture;

/// The ledger did not answer. What was asked may still have happened.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the ledger does not answer: {0}")]
pub struct LedgerFault(pub String);

/// Another party's server did not answer as it should.
#[derive(Debug, Clone, thiserror::Error)]
#[error("another party's server does not answer: {0}")]
pub struct WebFault(pub String);

/// What became of an operation, proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Executed {
    /// The operation, if its bytes can be read.
    pub operation: Option<Operation>,
    /// Its outcome.
    pub outcome: Outcome,
    /// The block's time.
    pub time: BlockTime,
}

/// The member's certified events of one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventBatch {
    /// The index of the first.
    pub first: u64,
    /// The block's time.
    pub time: BlockTime,
    /// In order.
    pub events: Vec<Event>,
}

/// The ledger as this member.
pub trait LedgerPort: Send + Sync + 'static {
    /// Has the operation executed, once for its id, and proves what became of it.
    fn execute(&self, operation: Operation) -> BoxFuture<'_, Result<Executed, LedgerFault>>;

    /// The proof of an operation's outcome, if there is one.
    fn receipt(
        &self,
        submitter: MemberId,
        operation: OperationId,
    ) -> BoxFuture<'_, Result<Option<Executed>, LedgerFault>>;

    /// A consent as it stands: one validator's word.
    fn consent(&self, rel: Digest) -> BoxFuture<'_, Result<Option<ConsentView>, LedgerFault>>;

    /// The trust registry: one validator's word.
    fn issuers(&self) -> BoxFuture<'_, Result<Vec<IssuerView>, LedgerFault>>;

    /// The newest anchor of a status list: one validator's word.
    fn status_list(
        &self,
        member: MemberId,
        list: u32,
    ) -> BoxFuture<'_, Result<Option<StatusListView>, LedgerFault>>;

    /// The member's certified events of the next block from `cursor` on; waits until there are
    /// some. May be dropped at any point.
    fn events(&self, cursor: u64) -> BoxFuture<'_, Result<EventBatch, LedgerFault>>;
}

/// Servers of others.
pub trait WebPort: Send + Sync + 'static {
    /// Fetches a text, such as a status list.
    fn get<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<String, WebFault>>;

    /// Delivers a notice of change; `Ok` once the consumer has written it down.
    fn notify<'a>(
        &'a self,
        consumer: MemberId,
        notice: &'a ChangeNotice,
    ) -> BoxFuture<'a, Result<(), WebFault>>;
}

/// The ledger of a running network through the verifying client.
#[derive(Debug, Clone)]
pub struct ClientLedger(pub Client);

impl LedgerPort for ClientLedger {
    fn execute(&self, operation: Operation) -> BoxFuture<'_, Result<Executed, LedgerFault>> {
        Box::pin(async move {
            let receipt = self.0.execute(operation).await;
            let receipt = receipt.map_err(|error| LedgerFault(error.to_string()))?;
            let (outcome, time) = (receipt.outcome(), receipt.time);
            Ok(Executed { operation: receipt.operation, outcome, time })
        })
    }

    fn receipt(
        &self,
        submitter: MemberId,
        operation: OperationId,
    ) -> BoxFuture<'_, Result<Option<Executed>, LedgerFault>> {
        Box::pin(async move {
            let receipt = self.0.receipt(submitter, operation).await?;
            Ok(receipt.map(|receipt| Executed {
                operation: receipt.operation,
                outcome: receipt.outcome(),
                time: receipt.time,
            }))
        })
    }

    fn consent(&self, rel: Digest) -> BoxFuture<'_, Result<Option<ConsentView>, LedgerFault>> {
        Box::pin(async move { Ok(self.0.consent(rel).await?) })
    }

    fn issuers(&self) -> BoxFuture<'_, Result<Vec<IssuerView>, LedgerFault>> {
        Box::pin(async move { Ok(self.0.issuers().await?) })
    }

    fn status_list(
        &self,
        member: MemberId,
        list: u32,
    ) -> BoxFuture<'_, Result<Option<StatusListView>, LedgerFault>> {
        Box::pin(async move { Ok(self.0.status_list(member, list).await?) })
    }

    fn events(&self, cursor: u64) -> BoxFuture<'_, Result<EventBatch, LedgerFault>> {
        Box::pin(async move {
            let next = self.0.events(cursor).next().await?;
            Ok(EventBatch { first: next.first, time: next.time, events: next.events })
        })
    }
}

impl From<ReadError> for LedgerFault {
    fn from(error: ReadError) -> Self {
        Self(error.to_string())
    }
}

impl From<EventsError> for LedgerFault {
    fn from(error: EventsError) -> Self {
        Self(error.to_string())
    }
}

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a whole answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest text that is fetched, in bytes: a status list.
const TEXT_BYTES_MAX: usize = etibar_credential::status_list::STATUS_TOKEN_BYTES_MAX;

/// Servers of others over HTTP.
#[derive(Debug, Clone)]
pub struct HttpWeb {
    http: reqwest::Client,
    peers: HashMap<MemberId, String>,
    speaker: Speaker,
}

/// In whose name notices are delivered.
#[derive(Debug, Clone)]
pub struct Speaker {
    /// The network's id.
    pub network: Digest,
    /// The member.
    pub member: MemberId,
    /// A key that speaks for it.
    pub key: Arc<PrivateKey>,
}

impl HttpWeb {
    /// The servers of the members at `peers`; notices are delivered in the name of `speaker`.
    pub fn new(peers: HashMap<MemberId, String>, speaker: Speaker) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .build()?;
        Ok(Self { http, peers, speaker })
    }
}

impl WebPort for HttpWeb {
    fn get<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<String, WebFault>> {
        Box::pin(async move {
            let mut answer = self.http.get(url).send().await?.error_for_status()?;
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await? {
                if body.len() + chunk.len() > TEXT_BYTES_MAX {
                    return Err(WebFault("the answer is longer than its limit".to_owned()));
                }
                body.extend_from_slice(&chunk);
            }
            String::from_utf8(body).map_err(|_| WebFault("the answer is no text".to_owned()))
        })
    }

    fn notify<'a>(
        &'a self,
        consumer: MemberId,
        notice: &'a ChangeNotice,
    ) -> BoxFuture<'a, Result<(), WebFault>> {
        Box::pin(async move {
            let url = self.peers.get(&consumer);
            let url = url.ok_or_else(|| WebFault("no address is known".to_owned()))?;
            let Speaker { network, member, key } = &self.speaker;
            let token = token::sign(network, *member, key, clock::now());
            let body = render(notice).map_err(|error| WebFault(error.to_string()))?;
            self.http
                .post(format!("{}/v1/notices", url.trim_end_matches('/')))
                .bearer_auth(token)
                .header("content-type", "application/json")
                .body(body)
                .send()
                .await?
                .error_for_status()?;
            Ok(())
        })
    }
}

impl From<reqwest::Error> for WebFault {
    fn from(error: reqwest::Error) -> Self {
        // Without the address: it may name a session.
        Self(error.without_url().to_string())
    }
}
