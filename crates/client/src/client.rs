//! The client: one member's view of the network.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use etibar_ledger::{Genesis, Operation};
use etibar_primitives::{AccountId, BlockTime, Digest, MemberId, OperationId};
use reqwest::StatusCode;
use serde::de::DeserializeOwned;

use crate::{
    clock,
    config::{ASIDE_FAILED, ASIDE_FALSE, ClientConfig, ConfigError, PROOF_BYTES_MAX, READ_TIMEOUT},
    error::{Cause, ReadError, SubmitError},
    events::Events,
    submit::{self, Submitted},
    token,
    transport::{Answer, Failure, Refusal, Request, Transport},
    verify::{ReceiptError, VerifiedReceipt, Verifier},
    wire::{
        AccountView, AliasView, BlockView, ConsentView, EvidenceView, IssuerView, MemberView,
        ObligationsView, OperationView, PurposeView, StatusListView, StatusView,
    },
};

/// Speaks to the network for one member. Cheap to clone; use one for the whole process.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) config: ClientConfig,
    pub(crate) verifier: Verifier,
    pub(crate) transport: Transport,
    token: Mutex<Option<Token>>,
}

#[derive(Debug)]
struct Token {
    text: Arc<str>,
    /// From when on a new one is signed.
    renew: BlockTime,
}

/// A token is renewed when this much of its life is left, in milliseconds.
const TOKEN_RENEWAL_MS: u64 = 60_000;

impl Client {
    /// A client for `config`. Opens no connection yet.
    pub fn new(config: ClientConfig) -> Result<Self, ConfigError> {
        let verifier = Verifier::new(&config.genesis)?;
        let transport = Transport::new(&config.validators)?;
        let inner = Inner { config, verifier, transport, token: Mutex::new(None) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The network's id.
    pub fn network(&self) -> &Digest {
        self.inner.verifier.network()
    }

    /// The network's genesis.
    pub fn genesis(&self) -> &Arc<Genesis> {
        &self.inner.config.genesis
    }

    /// The member that speaks.
    pub fn member(&self) -> MemberId {
        self.inner.config.member
    }

    /// Signs `operations` as one transaction, valid from a minute ago for some minutes, and has a
    /// validator take it in. What becomes of each operation is told by [`Client::events`] and
    /// [`Client::receipt`].
    ///
    /// # Errors
    /// After [`SubmitError::Deadline`] the transaction may still be executed: submit the same
    /// operations again, the ids make sure that they are done once.
    pub async fn submit(&self, operations: &[Operation]) -> Result<Submitted, SubmitError> {
        let transaction = self.sign(operations)?;
        self.submit_signed(transaction).await
    }

    /// Signs `operations` as one transaction; its bytes may be sent by anybody.
    pub fn sign(&self, operations: &[Operation]) -> Result<Bytes, SubmitError> {
        submit::sign(&self.inner, operations, clock::now())
    }

    /// Has a validator take in a signed transaction. The same bytes may be sent again at will.
    pub async fn submit_signed(&self, transaction: Bytes) -> Result<Submitted, SubmitError> {
        submit::send(&self.inner, transaction).await
    }

    /// The member's own events from index `cursor` on, every one verified.
    pub fn events(&self, cursor: u64) -> Events {
        self.events_of(self.member(), cursor)
    }

    /// Another member's events. Answered for the operator only.
    pub fn events_of(&self, member: MemberId, cursor: u64) -> Events {
        Events::new(self.clone(), member, cursor)
    }

    /// The verified proof of an operation's outcome; `None` while there is none: the operation is
    /// unknown or its outcome is not certified yet. Answered for its parties and the operator.
    pub async fn receipt(
        &self,
        submitter: MemberId,
        operation: OperationId,
    ) -> Result<Option<VerifiedReceipt>, ReadError> {
        let Some((_, receipt)) = self.receipt_bytes(submitter, operation).await? else {
            return Ok(None);
        };
        Ok(Some(receipt))
    }

    /// Like [`Client::receipt`], with the bytes that [`crate::verify_receipt`] takes: the file
    /// that a customer or a court may be given.
    pub async fn receipt_bytes(
        &self,
        submitter: MemberId,
        operation: OperationId,
    ) -> Result<Option<(Bytes, VerifiedReceipt)>, ReadError> {
        self.receipt_within(submitter, operation, Duration::ZERO).await
    }

    /// Like [`Client::receipt_bytes`]; each validator that is asked may wait up to `wait` for the
    /// outcome to be certified.
    pub(crate) async fn receipt_within(
        &self,
        submitter: MemberId,
        operation: OperationId,
        wait: Duration,
    ) -> Result<Option<(Bytes, VerifiedReceipt)>, ReadError> {
        let wait_ms = wait.as_millis();
        let path = format!("/v1/receipts/{submitter}/{operation}?wait_ms={wait_ms}");
        let genesis = self.genesis();
        let check = |answer: Answer| {
            let receipt = self.inner.verifier.receipt(genesis, &answer.body)?;
            if (receipt.submitter(), receipt.id()) != (submitter, operation) {
                return Err(ReceiptError::OtherOperation);
            }
            Ok((answer.body, receipt))
        };
        let limits = (PROOF_BYTES_MAX, READ_TIMEOUT + wait);
        self.read(&path, limits, |answer| check(answer).map_err(ReadError::Receipt)).await
    }

    /// What is known of an operation: one validator's word. `None` when more validators than may
    /// be faulty say that it is unknown.
    pub async fn operation(
        &self,
        submitter: MemberId,
        operation: OperationId,
    ) -> Result<Option<OperationView>, ReadError> {
        self.read_json(&format!("/v1/operations/{submitter}/{operation}")).await
    }

    /// The member's own accounts; the operator's: all. One validator's word.
    pub async fn accounts(&self) -> Result<Vec<AccountView>, ReadError> {
        Ok(self.read_json("/v1/accounts").await?.unwrap_or_default())
    }

    /// An account of the member, or any for the operator. One validator's word.
    pub async fn account(&self, id: AccountId) -> Result<Option<AccountView>, ReadError> {
        self.read_json(&format!("/v1/accounts/{id}")).await
    }

    /// Where the alias with this keyed tag points. One validator's word.
    pub async fn alias(&self, tag: Digest) -> Result<Option<AliasView>, ReadError> {
        self.read_json(&format!("/v1/aliases/{tag}")).await
    }

    /// Every member of the network. One validator's word.
    pub async fn members(&self) -> Result<Vec<MemberView>, ReadError> {
        Ok(self.read_json("/v1/members").await?.unwrap_or_default())
    }

    /// How a validator stands: one of them, not always the same.
    pub async fn status(&self) -> Result<StatusView, ReadError> {
        let status = self.read_json("/v1/status").await?;
        status.ok_or_else(|| unreachable(Cause::Answer("no status".to_owned())))
    }

    /// Up to `count` blocks from height `from` downwards. Answered for the operator only. One
    /// validator's word.
    pub async fn blocks(&self, from: u64, count: usize) -> Result<Vec<BlockView>, ReadError> {
        let path = format!("/v1/blocks?from={from}&count={count}");
        Ok(self.read_json(&path).await?.unwrap_or_default())
    }

    /// Every issuer and relying party of the trust registry, also those whose time is over. One
    /// validator's word.
    pub async fn issuers(&self) -> Result<Vec<IssuerView>, ReadError> {
        Ok(self.read_json("/v1/issuers").await?.unwrap_or_default())
    }

    /// Every purpose, also the retired ones. One validator's word.
    pub async fn purposes(&self) -> Result<Vec<PurposeView>, ReadError> {
        Ok(self.read_json("/v1/purposes").await?.unwrap_or_default())
    }

    /// A consent by its random identifier; whoever knows it may ask. One validator's word: a
    /// provider that must be sure that a consent stands also has the receipt of its grant and
    /// hears of its revocation by [`Client::events`].
    pub async fn consent(&self, rel: Digest) -> Result<Option<ConsentView>, ReadError> {
        self.read_json(&format!("/v1/consents/{rel}")).await
    }

    /// The latest anchor of a member's status list. One validator's word.
    pub async fn status_list(
        &self,
        member: MemberId,
        list: u32,
    ) -> Result<Option<StatusListView>, ReadError> {
        self.read_json(&format!("/v1/status-lists/{member}/{list}")).await
    }

    /// A member's latest evidence anchor. One validator's word; [`Client::receipt`] of any anchor
    /// is a proof, and is answered to every member.
    pub async fn evidence(&self, member: MemberId) -> Result<Option<EvidenceView>, ReadError> {
        self.read_json(&format!("/v1/evidence/{member}")).await
    }

    /// What the member owes and is owed; the operator's: everybody's. One validator's word.
    pub async fn obligations(&self) -> Result<ObligationsView, ReadError> {
        let none = ObligationsView { open: Vec::new(), net: Vec::new() };
        Ok(self.read_json("/v1/obligations").await?.unwrap_or(none))
    }

    async fn read_json<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, ReadError> {
        let parse = |answer: Answer| {
            serde_json::from_slice(&answer.body)
                .map_err(|error| unreachable(Cause::Answer(error.to_string())))
        };
        self.read(path, (crate::config::ANSWER_BYTES_MAX, READ_TIMEOUT), parse).await
    }

    /// Asks one validator after the other until one answers something that `check` accepts.
    /// An answer has at most so many bytes and comes within the timeout. "Not found" and refusals
    /// count once more validators than may be faulty have said so.
    async fn read<T>(
        &self,
        path: &str,
        (answer_bytes_max, timeout): (usize, Duration),
        check: impl Fn(Answer) -> Result<T, ReadError>,
    ) -> Result<Option<T>, ReadError> {
        let transport = &self.inner.transport;
        let token = self.inner.token();
        let (mut absent, mut refused) = (0, 0);
        let mut last = unreachable(Cause::PutAside);
        for index in transport.order(false) {
            let request = Request::get(path, Some(&token), timeout);
            let request = Request { answer_bytes_max, ..request };
            match transport.send(index, request).await {
                Ok(answer) => match check(answer) {
                    Ok(value) => return Ok(Some(value)),
                    Err(error) => {
                        let validator = transport.name(index);
                        tracing::warn!(validator, code = error.code(), "a wrong answer");
                        transport.put_aside(index, ASIDE_FALSE);
                        last = error;
                    }
                },
                Err(Failure::Transient { cause, .. }) => {
                    transport.put_aside(index, ASIDE_FAILED);
                    last = unreachable(cause);
                }
                Err(Failure::Refused(refusal)) if refusal.is_absence() => {
                    absent += 1;
                    if absent >= self.inner.honest() {
                        return Ok(None);
                    }
                }
                Err(Failure::Refused(refusal)) => {
                    refused += 1;
                    last = ReadError::Refused { code: refusal.code, detail: refusal.detail };
                    if refused >= self.inner.honest() {
                        return Err(last);
                    }
                }
            }
        }
        Err(last)
    }
}

impl Inner {
    /// How many validators must say the same so that one of them is honest, as far as so many
    /// are configured.
    pub(crate) fn honest(&self) -> usize {
        let faulty = (self.config.genesis.validators.len() - 1) / 3;
        (faulty + 1).min(self.transport.len())
    }

    /// A token for now, signed at most once in a few minutes.
    pub(crate) fn token(&self) -> Arc<str> {
        let now = clock::now();
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = token.as_ref().filter(|token| now < token.renew) {
            return Arc::clone(&token.text);
        }
        let config = &self.config;
        let text: Arc<str> =
            token::sign(self.verifier.network(), config.member, &config.key, now).into();
        let renew = BlockTime(now.0 + token::LIFETIME_MAX_S * 1_000 - TOKEN_RENEWAL_MS);
        *token = Some(Token { text: Arc::clone(&text), renew });
        text
    }
}

impl Refusal {
    /// Whether it says that the thing asked for is not there.
    pub(crate) fn is_absence(&self) -> bool {
        self.status == StatusCode::NOT_FOUND.as_u16() && self.code.ends_with("_unknown")
    }
}

const fn unreachable(cause: Cause) -> ReadError {
    ReadError::Unreachable(cause)
}
