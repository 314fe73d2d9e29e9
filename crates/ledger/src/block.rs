//! Block headers and execution records: what the validators sign.
//!
//! A header orders a body of transactions. It commits, through `executed`, to the result of an
//! earlier block: execution follows ordering, and the certificate of a later header certifies it.

use alloc::vec::Vec;

use etibar_primitives::{
    BlockTime, Digest, Domain,
    codec::{DecodeError, Reader, Writer},
    key::PublicKey,
    merkle,
};

/// What everything that validators sign begins with; the network's id follows. It separates one
/// network's signatures from all others'.
pub const CONSENSUS_NAMESPACE: &[u8] = b"etibar.consensus.";

const HEADER: Domain = Domain::new("etibar.block.header");
const RECORD: Domain = Domain::new("etibar.block.record");

/// The format of headers and records. A later one has another number, and is told apart by it.
const VERSION: u16 = 1;

/// The header of a block; its digest is the block's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockHeader {
    /// The network's id: the digest of its genesis.
    pub network: Digest,
    /// One above the parent's; the genesis block has 0.
    pub height: u64,
    /// Above the parent's.
    pub time: BlockTime,
    /// The epoch of the validator set.
    pub epoch: u64,
    /// The view in which the leader proposed it.
    pub view: u64,
    /// Who proposed it.
    pub leader: PublicKey,
    /// The view of the parent.
    pub parent_view: u64,
    /// The parent's digest.
    pub parent: Digest,
    /// The Merkle root over the digests of the transactions.
    pub body_root: Digest,
    /// How many transactions the body holds.
    pub transaction_count: u32,
    /// The body's size in bytes.
    pub body_bytes: u32,
    /// The latest height whose result this header commits to; below `height`.
    pub executed_height: u64,
    /// The digest of the [`ExecutionRecord`] of `executed_height`.
    pub executed: Digest,
}

/// The result of executing one block, chained to the result before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExecutionRecord {
    /// The executed block's height.
    pub height: u64,
    /// The executed block's time.
    pub time: BlockTime,
    /// The executed block's digest.
    pub block: Digest,
    /// The digest of the record of the height before; zero for the genesis.
    pub previous: Digest,
    /// The root of the authenticated state after the block.
    pub state_root: Digest,
    /// The root of the block's receipts, see [`crate::receipt`].
    pub receipts_root: Digest,
}

impl BlockHeader {
    /// The encoded size.
    pub const BYTES: usize = 2 + 5 * 32 + 6 * 8 + 2 * 4;

    /// The block's digest.
    pub fn digest(&self) -> Digest {
        HEADER.hash(&self.to_bytes())
    }

    /// The root that `body_root` must be for transactions with these digests.
    pub fn body_root(transactions: &[Digest]) -> Digest {
        merkle::root(transactions)
    }

    fn to_bytes(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::BYTES);
        self.encode(&mut out);
        out
    }

    /// Appends the header, after the number of its format.
    pub fn encode(&self, out: &mut impl Writer) {
        out.put_u16(VERSION);
        out.put(&self.network.0);
        out.put_u64(self.height);
        out.put_u64(self.time.0);
        out.put_u64(self.epoch);
        out.put_u64(self.view);
        out.put(&self.leader.0);
        out.put_u64(self.parent_view);
        out.put(&self.parent.0);
        out.put(&self.body_root.0);
        out.put_u32(self.transaction_count);
        out.put_u32(self.body_bytes);
        out.put_u64(self.executed_height);
        out.put(&self.executed.0);
    }

    /// Reads what [`BlockHeader::encode`] wrote.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        read_version(reader)?;
        let header = Self {
            network: reader.digest()?,
            height: reader.u64()?,
            time: reader.time()?,
            epoch: reader.u64()?,
            view: reader.u64()?,
            leader: PublicKey(reader.array()?),
            parent_view: reader.u64()?,
            parent: reader.digest()?,
            body_root: reader.digest()?,
            transaction_count: reader.u32()?,
            body_bytes: reader.u32()?,
            executed_height: reader.u64()?,
            executed: reader.digest()?,
        };
        if header.height > 0 && header.executed_height >= header.height {
            return Err(DecodeError::OutOfRange("executed height"));
        }
        Ok(header)
    }
}

impl ExecutionRecord {
    /// The encoded size.
    pub const BYTES: usize = 2 + 2 * 8 + 4 * 32;

    /// The record's digest, as a header commits to it.
    pub fn digest(&self) -> Digest {
        let mut out = Vec::with_capacity(Self::BYTES);
        self.encode(&mut out);
        RECORD.hash(&out)
    }

    /// Appends the record, after the number of its format.
    pub fn encode(&self, out: &mut impl Writer) {
        out.put_u16(VERSION);
        out.put_u64(self.height);
        out.put_u64(self.time.0);
        out.put(&self.block.0);
        out.put(&self.previous.0);
        out.put(&self.state_root.0);
        out.put(&self.receipts_root.0);
    }

    /// Reads what [`ExecutionRecord::encode`] wrote.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        read_version(reader)?;
        Ok(Self {
            height: reader.u64()?,
            time: reader.time()?,
            block: reader.digest()?,
            previous: reader.digest()?,
            state_root: reader.digest()?,
            receipts_root: reader.digest()?,
        })
    }
}

fn read_version(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    if reader.u16()? == VERSION { Ok(()) } else { Err(DecodeError::OutOfRange("block version")) }
}
