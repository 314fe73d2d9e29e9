//! Receipts: proof that an operation had its outcome, checked with the genesis alone.
//!
//! ```text
//! event ─ path ─► member's root ─ path ─► receipts root ∈ execution record ─ records ─► header
//!                                                        │    header ─ headers ─► certificate
//!                                                        └─► attestations
//! ```
//!
//! A member's events of one block form a tree of their own whose root stands, with the number of
//! events before it, under the block's receipts root. So a member that follows its events by
//! cursor knows that it was shown all of them.

use alloc::vec::Vec;

use etibar_primitives::{
    Digest, Domain, MemberId,
    codec::{DecodeError, Reader, Writer},
    merkle::{self, Path},
};

use crate::{
    Outcome,
    block::{BlockHeader, ExecutionRecord},
    operation::OPERATION_BYTES,
};

mod page;

pub use page::{BlockEvents, EventPage};

/// The most execution records or headers between a block and its certificate.
pub const CHAIN_LENGTH_MAX: usize = 4_096;
/// The largest certificate: 2/3 of 200 validators' Ed25519 signatures.
pub const CERTIFICATE_BYTES_MAX: usize = 16 * 1024;

const EVENT: Domain = Domain::new("etibar.receipt.event");
const SUMMARY: Domain = Domain::new("etibar.receipt.summary");
const RECEIPTS: Domain = Domain::new("etibar.receipt.root");

/// One operation and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// The operation's bytes; of an expired reserve, the reserve's.
    pub operation: [u8; OPERATION_BYTES],
    /// The member that submitted it.
    pub submitter: MemberId,
    /// What became of it.
    pub outcome: Outcome,
}

/// One member's events of one block, as the receipts root commits to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberSummary {
    /// Whose events.
    pub member: MemberId,
    /// How many events the member had before this block.
    pub first: u64,
    /// How many it has in this block.
    pub count: u32,
    /// The Merkle root over them.
    pub root: Digest,
}

/// Where a summary stands under its block's receipts root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryProof {
    /// The summary.
    pub summary: MemberSummary,
    /// Its index among the block's members.
    pub index: u32,
    /// How many members the block's receipts have.
    pub members: u32,
    /// The siblings up to the receipts root.
    pub path: Path,
}

/// Consecutive execution records, the last of them proven: attested by a quorum of validators, or
/// committed to by a header that they certified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certified {
    /// From the first record asked for to the one that `headers[0]` names.
    pub records: Vec<ExecutionRecord>,
    /// From the header that commits to the last record to the one that `certificate` certifies,
    /// each the parent of the next. Empty when the last record is attested.
    pub headers: Vec<BlockHeader>,
    /// The validators' certificate for the last header, or their attestations of the last record.
    pub certificate: Vec<u8>,
}

/// What remains to be checked: whether the validators vouch for this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim<'a> {
    /// The certificate must be a consensus certificate for this header.
    Header(&'a BlockHeader),
    /// The certificate must be a quorum's attestations of this record.
    Record(&'a ExecutionRecord),
}

/// Proof that one operation had its outcome at one height.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The operation and its outcome.
    pub event: Event,
    /// The event's index in the member's events of the block.
    pub index: u32,
    /// The siblings up to the member's root.
    pub path: Path,
    /// Where the member's root stands in the block.
    pub summary: SummaryProof,
    /// The block's record, certified.
    pub certified: Certified,
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The event is not under the member's root.
    #[error("the event is not among the member's events")]
    Event,
    /// The member's root is not under the receipts root.
    #[error("the member's events are not in the block's receipts")]
    Summary,
    /// The records are not chained to what the header commits to.
    #[error("the execution records do not lead to the header")]
    Records,
    /// The headers are not chained to the certified one.
    #[error("the headers do not lead to the certified one")]
    Headers,
    /// A header is another network's.
    #[error("the proof is of another network")]
    WrongNetwork,
    /// Events are missing, repeated or another member's.
    #[error("events are missing, repeated or another member's")]
    Gap,
}

/// The receipts root of `members` summaries whose Merkle root is `root`: with the number, so that a
/// place in the tree has one description.
pub(crate) fn receipts_root(members: u32, root: &Digest) -> Digest {
    RECEIPTS.hash_parts(&[&members.to_le_bytes(), root.as_bytes()])
}

impl Event {
    /// The encoded size.
    pub const BYTES: usize = OPERATION_BYTES + 4 + 2;

    /// The leaf of an event whose operation has the digest `operation`.
    pub fn leaf_of(operation: &Digest, submitter: MemberId, outcome: Outcome) -> Digest {
        let mut bytes = [0; 38];
        bytes[..32].copy_from_slice(&operation.0);
        bytes[32..36].copy_from_slice(&submitter.0.to_le_bytes());
        bytes[36..].copy_from_slice(&outcome.code().to_le_bytes());
        EVENT.hash(&bytes)
    }

    pub(crate) fn encode(&self, out: &mut impl Writer) {
        out.put(&self.operation);
        out.put_u32(self.submitter.0);
        out.put_u16(self.outcome.code());
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            operation: reader.array()?,
            submitter: reader.member()?,
            outcome: Outcome::decode(reader)?,
        })
    }
}

impl MemberSummary {
    /// The summary's leaf under the receipts root.
    pub fn digest(&self) -> Digest {
        let mut bytes = Vec::with_capacity(48);
        self.encode(&mut bytes);
        SUMMARY.hash(&bytes)
    }

    fn encode(&self, out: &mut impl Writer) {
        out.put_u32(self.member.0);
        out.put_u64(self.first);
        out.put_u32(self.count);
        out.put(&self.root.0);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            member: reader.member()?,
            first: reader.u64()?,
            count: reader.u32()?,
            root: reader.digest()?,
        })
    }
}

impl SummaryProof {
    /// The proof for the summary at `index` of a block's `summaries`, or `None` without such.
    pub fn new(summaries: &[MemberSummary], index: usize) -> Option<Self> {
        let leaves: Vec<_> = summaries.iter().map(MemberSummary::digest).collect();
        Some(Self {
            summary: *summaries.get(index)?,
            index: u32::try_from(index).ok()?,
            members: u32::try_from(summaries.len()).ok()?,
            path: merkle::path(&leaves, index)?,
        })
    }

    fn check(&self, receipts_root: &Digest) -> Result<(), ProofError> {
        let leaf = self.summary.digest();
        let root = self.path.root(leaf, u64::from(self.index), u64::from(self.members));
        let root = root.map(|root| self::receipts_root(self.members, &root));
        if root == Some(*receipts_root) { Ok(()) } else { Err(ProofError::Summary) }
    }

    fn encode(&self, out: &mut impl Writer) {
        self.summary.encode(out);
        out.put_u32(self.index);
        out.put_u32(self.members);
        self.path.encode(out);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            summary: MemberSummary::decode(reader)?,
            index: reader.u32()?,
            members: reader.u32()?,
            path: Path::decode(reader)?,
        })
    }
}

impl Certified {
    /// Checks that the records lead to the headers, if there are any, and these to the last one.
    /// Gives what `certificate` must prove: then all is proven.
    pub fn check(&self, network: &Digest) -> Result<Claim<'_>, ProofError> {
        let chained = self.records.windows(2).all(|pair| {
            let next = pair[0].height.checked_add(1);
            pair[1].previous == pair[0].digest() && next == Some(pair[1].height)
        });
        let record = self.records.last().ok_or(ProofError::Records)?;
        let Some((first, last)) = self.headers.first().zip(self.headers.last()) else {
            return if chained { Ok(Claim::Record(record)) } else { Err(ProofError::Records) };
        };
        let committed = first.executed_height == record.height && first.executed == record.digest();
        if !chained || !committed {
            return Err(ProofError::Records);
        }
        let linked = self.headers.windows(2).all(|pair| pair[1].parent == pair[0].digest());
        if !linked {
            return Err(ProofError::Headers);
        }
        if self.headers.iter().any(|header| header.network != *network) {
            return Err(ProofError::WrongNetwork);
        }
        Ok(Claim::Header(last))
    }

    /// Appends the proof.
    pub fn encode(&self, out: &mut impl Writer) {
        out.put_count(self.records.len());
        self.records.iter().for_each(|record| record.encode(out));
        out.put_count(self.headers.len());
        self.headers.iter().for_each(|header| header.encode(out));
        out.put_prefixed(&self.certificate);
    }

    /// Reads what [`Certified::encode`] wrote.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = reader.count(CHAIN_LENGTH_MAX, "execution records")?;
        let records =
            (0..count).map(|_| ExecutionRecord::decode(reader)).collect::<Result<_, _>>()?;
        let count = reader.count(CHAIN_LENGTH_MAX, "headers")?;
        let headers = (0..count).map(|_| BlockHeader::decode(reader)).collect::<Result<_, _>>()?;
        let certificate = reader.prefixed(CERTIFICATE_BYTES_MAX, "certificate")?.to_vec();
        Ok(Self { records, headers, certificate })
    }
}

impl Receipt {
    const MAGIC: [u8; 4] = *b"EBR1";

    /// Checks everything but the certificate, and gives what that must prove.
    pub fn check(&self, network: &Digest) -> Result<Claim<'_>, ProofError> {
        let summary = &self.summary.summary;
        let root =
            self.path.root(self.event.leaf(), u64::from(self.index), u64::from(summary.count));
        if root != Some(summary.root) {
            return Err(ProofError::Event);
        }
        let record = self.certified.records.first().ok_or(ProofError::Records)?;
        self.summary.check(&record.receipts_root)?;
        self.certified.check(network)
    }

    /// The receipt as a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put(&Self::MAGIC);
        self.event.encode(&mut out);
        out.put_u32(self.index);
        self.path.encode(&mut out);
        self.summary.encode(&mut out);
        self.certified.encode(&mut out);
        out
    }

    /// Reads a whole file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        if reader.array::<4>()? != Self::MAGIC {
            return Err(DecodeError::OutOfRange("receipt magic"));
        }
        let receipt = Self {
            event: Event::decode(&mut reader)?,
            index: reader.u32()?,
            path: Path::decode(&mut reader)?,
            summary: SummaryProof::decode(&mut reader)?,
            certified: Certified::decode(&mut reader)?,
        };
        reader.finish()?;
        Ok(receipt)
    }
}
