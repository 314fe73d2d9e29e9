//! Access receipts: each look at a person's data leaves one, signed, numbered without a gap,
//! chained, and anchored on the ledger in batches.
//!
//! A receipt is a JWS by its author, the member that keeps that log. Under a provider's record of
//! what it gave, the other side counter-signs its hash; a reader's record of what it did with data
//! it already had stands under the reader's signature alone: nobody else saw it.
//!
//! What a register's own people do with a person's entry is recorded in the same way: the agency
//! is on both sides, the role of whoever did it and the duty stand in it, and its relationship is
//! one of the agency with the person.
//!
//! Within one relationship (`rel`) and author the receipts are numbered from 1 and each
//! names the one before, so none can be left out or changed unnoticed; the anchor fixes when it
//! existed.
//!
//! A receipt names claims, never values; its hashes are over sealed envelopes, which are random.

mod batch;
mod log;

use etibar_primitives::{BlockTime, Digest, Domain, MemberId, OperationId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub use batch::{Anchor, Batch, Inclusion, RECEIPTS_MAX};
pub use log::{Finding, Head, KeyLookup, LogEntry, Problem, Report, check_log};

use crate::catalogue::PurposeCode;
use crate::jose::{self, JoseError, PublicKey, SignError, Signer, Token};

/// The `typ` of a receipt.
pub const RECEIPT_TYP: &str = "access-receipt+jwt";
/// The `typ` of a counter-signature.
pub const COUNTER_SIGNATURE_TYP: &str = "access-receipt-ack+jwt";
/// The largest receipt, in bytes.
pub const RECEIPT_BYTES_MAX: usize = 16 * 1024;
/// The most claims one receipt names.
pub const CLAIMS_MAX: usize = 128;

const RECEIPT: Domain = Domain::new("etibar.evidence.receipt");

/// What was done with the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The consent was registered.
    Register,
    /// The provider gave data.
    Fetch,
    /// The consumer used stored data.
    Use,
    /// The provider gave notice of a change.
    Notify,
    /// A copy went to the person.
    Copy,
    /// The consent was revoked.
    Revoke,
    /// The data and its key were destroyed.
    Erase,
    /// Somebody of the author's own people looked at it.
    Look,
    /// The author changed it.
    Change,
    /// The author revoked the credentials that attest it.
    Invalidate,
}

/// What somebody of the author's own people is there, never who.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A clerk of a register.
    Clerk,
    /// One of a bank's staff who looks at applications.
    Officer,
    /// One of them who decides.
    Senior,
}

/// A duty by law on which data is looked at without a consent for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    /// Keeping the author's own register: no other side and no consent there is.
    Register,
    /// Customer due diligence (law 781-VIQ), beside the consent that the data came under.
    DueDiligence,
}

/// One access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The relationship.
    pub rel: Digest,
    /// The consent; zero when a register's own people did it.
    pub consent: OperationId,
    /// The place in the author's log of this relationship, from 1 without a gap.
    pub sequence: u64,
    /// [`receipt_digest`] of the receipt before; zero in the first.
    pub previous: Digest,
    /// The member that keeps this log and signs.
    pub author: MemberId,
    /// What was done.
    pub action: Action,
    /// The credential type.
    pub vct: String,
    /// Claim names, never values; at most [`CLAIMS_MAX`].
    pub claims: Vec<String>,
    /// What for; zero when a register's own people did it.
    pub purpose: PurposeCode,
    /// Who asked.
    pub requester: MemberId,
    /// Who gave.
    pub provider: MemberId,
    /// SHA-256 of the request as sent.
    pub request_hash: Digest,
    /// SHA-256 of the sealed answer as sent; zero when there was none.
    pub response_hash: Digest,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub time: BlockTime,
    /// The role of whoever did it, when that was one of the author's own people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader: Option<Role>,
    /// The duty by which it was done, when the consent alone would not allow it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duty: Option<Duty>,
}

/// Why a receipt or counter-signature is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// Not a receipt, or a field is outside its limits.
    #[error("not an access receipt")]
    Malformed,
    /// The signature or form of the JWS.
    #[error("the receipt's signature: {0}")]
    Signature(JoseError),
    /// The counter-signature is for another receipt or by another member.
    #[error("the counter-signature belongs to another receipt")]
    OtherReceipt,
}

impl EvidenceError {
    /// The stable code in interfaces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "receipt_malformed",
            Self::Signature(_) => "receipt_signature",
            Self::OtherReceipt => "counter_signature_for_another_receipt",
        }
    }
}

/// The digest of a signed receipt: the next one's `previous`, and its leaf in the batch.
pub fn receipt_digest(jws: &str) -> Digest {
    RECEIPT.hash(jws.as_bytes())
}

impl Receipt {
    /// The member on the other side of the author: whose counter-signature belongs here.
    pub const fn other_side(&self) -> MemberId {
        if self.author.0 == self.provider.0 { self.requester } else { self.provider }
    }

    /// Signs the receipt for its author.
    ///
    /// # Errors
    /// The signer's.
    ///
    /// # Panics
    /// When the receipt is outside its limits, which the program owes.
    pub fn sign(&self, signer: &dyn Signer) -> Result<String, SignError> {
        assert!(self.is_valid(), "a receipt is made within its limits");
        let Ok(Value::Object(payload)) = serde_json::to_value(self) else {
            unreachable!("a receipt is a JSON object")
        };
        jose::sign(signer, RECEIPT_TYP, Map::new(), &payload)
    }

    /// Reads a receipt signed by its author's key.
    ///
    /// # Errors
    /// [`EvidenceError::Signature`], [`EvidenceError::Malformed`].
    pub fn verify(jws: &str, author: &PublicKey) -> Result<Self, EvidenceError> {
        let token =
            Token::parse(jws, RECEIPT_TYP, RECEIPT_BYTES_MAX).map_err(EvidenceError::Signature)?;
        Self::read(token.verify(author).map_err(EvidenceError::Signature)?.0)
    }

    /// The author it claims to be of and the chain in its header: to find the key. Not proven.
    ///
    /// # Errors
    /// [`EvidenceError::Signature`], [`EvidenceError::Malformed`].
    pub fn peek(jws: &str) -> Result<(Self, Vec<Vec<u8>>), EvidenceError> {
        let token =
            Token::parse(jws, RECEIPT_TYP, RECEIPT_BYTES_MAX).map_err(EvidenceError::Signature)?;
        let payload = token.read_payload().map_err(EvidenceError::Signature)?;
        Ok((Self::read(payload.0)?, token.header().x5c.clone()))
    }

    fn read(payload: Map<String, Value>) -> Result<Self, EvidenceError> {
        serde_json::from_value(Value::Object(payload))
            .ok()
            .filter(Self::is_valid)
            .ok_or(EvidenceError::Malformed)
    }

    fn is_valid(&self) -> bool {
        let by_a_side = self.author == self.provider || self.author == self.requester;
        let first = self.previous == Digest::ZERO;
        by_a_side
            && self.sides_fit()
            && self.sequence > 0
            && first == (self.sequence == 1)
            && self.claims.len() <= CLAIMS_MAX
    }

    /// A register's own people are on both sides, and there alone: under no consent.
    fn sides_fit(&self) -> bool {
        let alone = self.provider == self.requester;
        let unconsented = self.consent == OperationId(0) && self.purpose == PurposeCode(0);
        alone == (self.duty == Some(Duty::Register)) && (!alone || unconsented)
    }
}

/// Counter-signs the receipt `jws` for `member`, the side that did not write it.
///
/// # Errors
/// The signer's.
pub fn counter_sign(jws: &str, member: MemberId, signer: &dyn Signer) -> Result<String, SignError> {
    let payload = counter_payload(jws, member);
    jose::sign(signer, COUNTER_SIGNATURE_TYP, Map::new(), &payload)
}

/// Whether `counter_signature` is `member`'s under the receipt `jws`.
///
/// # Errors
/// [`EvidenceError::Signature`], [`EvidenceError::OtherReceipt`].
pub fn check_counter_signature(
    counter_signature: &str,
    jws: &str,
    member: MemberId,
    key: &PublicKey,
) -> Result<(), EvidenceError> {
    let token = Token::parse(counter_signature, COUNTER_SIGNATURE_TYP, RECEIPT_BYTES_MAX)
        .map_err(EvidenceError::Signature)?;
    let payload = token.verify(key).map_err(EvidenceError::Signature)?.0;
    if payload == counter_payload(jws, member) { Ok(()) } else { Err(EvidenceError::OtherReceipt) }
}

/// The chain in a counter-signature's header, leaf first. Not proven.
///
/// # Errors
/// [`EvidenceError::Signature`].
pub fn counter_signature_chain(text: &str) -> Result<Vec<Vec<u8>>, EvidenceError> {
    Token::parse(text, COUNTER_SIGNATURE_TYP, RECEIPT_BYTES_MAX)
        .map(|token| token.header().x5c.clone())
        .map_err(EvidenceError::Signature)
}

fn counter_payload(jws: &str, member: MemberId) -> Map<String, Value> {
    match json!({ "receipt": receipt_digest(jws), "member": member }) {
        Value::Object(map) => map,
        _ => unreachable!("an object was written just above"),
    }
}

#[cfg(test)]
mod tests;
