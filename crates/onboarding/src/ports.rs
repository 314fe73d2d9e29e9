//! What the flows need of the world: a ledger, the other members, the bank's books, a screening.

use etibar_client::wire::{ConsentView, IssuerView, StatusListView};
use etibar_ledger::{Operation, Outcome};
use etibar_openid::{
    Private,
    member::{
        ConsentRegistered, ConsentRegistration, DataAnswer, DataRequest, ReceiptAcknowledged,
        ReceiptAcknowledgement, RevocationNotice,
    },
};
use etibar_primitives::{BlockTime, Digest, MemberId, OperationId};
use futures::future::BoxFuture;

use crate::decide::{Facts, Screened};

/// The ledger does not answer. What was asked may still have happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the ledger does not answer: {0}")]
pub struct LedgerFault(pub String);

/// Another member did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("member {member} did not do what was asked: {code}")]
pub struct PeerFault {
    /// Which.
    pub member: MemberId,
    /// Its stable code, or `unreachable`.
    pub code: String,
    /// Whether it said no for good, rather than not answering.
    pub refused: bool,
}

/// The books do not answer.
#[derive(Debug, thiserror::Error)]
#[error("the books do not answer")]
pub struct AccountFault(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// What became of an operation, proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Executed {
    /// Its outcome.
    pub outcome: Outcome,
    /// The time of its block.
    pub time: BlockTime,
}

/// The ledger as this member.
pub trait Ledger: Send + Sync + 'static {
    /// Has operations executed in one transaction and gives the verified outcome of each. The
    /// same operations again are done once.
    fn execute<'a>(
        &'a self,
        operations: &'a [Operation],
    ) -> BoxFuture<'a, Result<Vec<Executed>, LedgerFault>>;

    /// The trust registry.
    fn issuers(&self) -> BoxFuture<'_, Result<Vec<IssuerView>, LedgerFault>>;

    /// A consent by its random name.
    fn consent(&self, rel: Digest) -> BoxFuture<'_, Result<Option<ConsentView>, LedgerFault>>;

    /// The latest anchor of a member's status list.
    fn status_list(
        &self,
        member: MemberId,
        list: u32,
    ) -> BoxFuture<'_, Result<Option<StatusListView>, LedgerFault>>;
}

/// The other members over HTTP.
pub trait Peers: Send + Sync + 'static {
    /// A member's base URL, without a slash at its end.
    fn base_url(&self, member: MemberId) -> Option<String>;

    /// The status list token at `uri`, an address of `member`'s.
    fn status_list<'a>(
        &'a self,
        member: MemberId,
        uri: &'a str,
    ) -> BoxFuture<'a, Result<String, PeerFault>>;

    /// `POST /v1/consents`.
    fn register<'a>(
        &'a self,
        provider: MemberId,
        consent: &'a ConsentRegistration,
    ) -> BoxFuture<'a, Result<ConsentRegistered, PeerFault>>;

    /// `POST /v1/data`.
    fn fetch<'a>(
        &'a self,
        provider: MemberId,
        request: &'a DataRequest,
    ) -> BoxFuture<'a, Result<DataAnswer, PeerFault>>;

    /// `POST /v1/receipts`.
    fn acknowledge<'a>(
        &'a self,
        provider: MemberId,
        receipt: &'a ReceiptAcknowledgement,
    ) -> BoxFuture<'a, Result<ReceiptAcknowledged, PeerFault>>;

    /// `POST /v1/revocations`.
    fn revoked<'a>(
        &'a self,
        provider: MemberId,
        notice: &'a RevocationNotice,
    ) -> BoxFuture<'a, Result<(), PeerFault>>;
}

/// The bank's books and its aliases on the ledger.
pub trait AccountOpening: Send + Sync + 'static {
    /// Opens an empty account for `holder` and gives its IBAN. The same order again gives the same
    /// account.
    fn open<'a>(
        &'a self,
        order: OperationId,
        holder: &'a Private<String>,
    ) -> BoxFuture<'a, Result<Private<String>, AccountFault>>;

    /// Points a telephone number at an account; the newest registration wins. `false` when the
    /// number is none.
    fn register_phone<'a>(
        &'a self,
        phone: &'a Private<String>,
        account: &'a Private<String>,
    ) -> BoxFuture<'a, Result<bool, AccountFault>>;
}

/// Sanctions lists and politically exposed persons (laws 781-VIQ and 782-VIQ).
pub trait Screening: Send + Sync + 'static {
    /// What the lists say of the person.
    fn screen<'a>(&'a self, facts: &'a Facts) -> BoxFuture<'a, Result<Screened, PeerFault>>;
}

/// A screening against a list of personal numbers in the bank's hands: a sample, and clearly one.
#[derive(Debug, Default)]
pub struct SampleScreening {
    /// Numbers on the sanctions list.
    pub hits: Vec<Private<String>>,
    /// Numbers of politically exposed persons.
    pub exposed: Vec<Private<String>>,
}

impl Screening for SampleScreening {
    fn screen<'a>(&'a self, facts: &'a Facts) -> BoxFuture<'a, Result<Screened, PeerFault>> {
        let listed = |list: &[Private<String>]| {
            facts.fin().is_some_and(|fin| list.iter().any(|its| its.0 == fin))
        };
        let screened = Screened { hit: listed(&self.hits), exposed: listed(&self.exposed) };
        Box::pin(async move { Ok(screened) })
    }
}
