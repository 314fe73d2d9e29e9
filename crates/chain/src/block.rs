//! A block as the engine carries it: a small hash-linked header and the bytes of its transactions.

use bytes::{BufMut, Bytes};
use commonware_codec::{Buf, BufsMut, EncodeSize, Error, RangeCfg, Read, Write};
use commonware_consensus::{BoundedBlock, Heightable, types::Height};
use commonware_cryptography::{Digestible, blake3};
use etibar_ledger::{
    block::BlockHeader,
    operation::OPERATION_BYTES,
    result::TRANSACTIONS_MAX,
    transaction::{self, HEADER_BYTES, OPERATIONS_MAX},
};
use etibar_primitives::{Digest, codec::Reader};

use crate::config::BLOCK_BYTES_MAX;

/// The engine's digest type around ours.
pub(crate) type EngineDigest = blake3::Digest;

/// The most bytes of the length before the body.
const LENGTH_BYTES_MAX: usize = 5;
/// Where a transaction's header holds its number of operations.
const COUNT_OFFSET: usize = 40;

/// One transaction of a block, named by its digest.
#[derive(Debug, Clone)]
pub(crate) struct Transaction {
    pub(crate) digest: Digest,
    pub(crate) bytes: Bytes,
}

/// A block. Invariant: the header commits to exactly these transactions.
#[derive(Debug, Clone)]
pub struct Block {
    header: BlockHeader,
    digest: Digest,
    body: Bytes,
    transactions: Vec<Transaction>,
}

impl Block {
    /// The genesis block, or another one without transactions.
    pub(crate) fn empty(header: BlockHeader) -> Self {
        Self { digest: header.digest(), header, body: Bytes::new(), transactions: Vec::new() }
    }

    /// The block of `transactions` whose header is otherwise `header`.
    pub(crate) fn build(mut header: BlockHeader, transactions: Vec<Transaction>) -> Self {
        let digests: Vec<_> = transactions.iter().map(|transaction| transaction.digest).collect();
        let size = transactions.iter().map(|transaction| transaction.bytes.len()).sum();
        let mut body = Vec::with_capacity(size);
        for transaction in &transactions {
            body.extend_from_slice(&transaction.bytes);
        }
        header.body_root = BlockHeader::body_root(&digests);
        header.transaction_count = count(digests.len());
        header.body_bytes = count(size);
        Self { digest: header.digest(), header, body: Bytes::from(body), transactions }
    }

    /// The block of `header` and `body`, or `None` when the header commits to another body.
    fn assemble(header: BlockHeader, body: Bytes) -> Option<Self> {
        if usize::try_from(header.body_bytes) != Ok(body.len()) {
            return None;
        }
        let transactions = split(&body)?;
        let digests: Vec<_> = transactions.iter().map(|transaction| transaction.digest).collect();
        let committed = usize::try_from(header.transaction_count) == Ok(digests.len())
            && header.body_root == BlockHeader::body_root(&digests);
        committed.then(|| Self { digest: header.digest(), header, body, transactions })
    }

    pub(crate) const fn header(&self) -> &BlockHeader {
        &self.header
    }

    /// The digest of the header, hence of the block.
    pub(crate) const fn id(&self) -> Digest {
        self.digest
    }

    pub(crate) fn transactions(&self) -> &[Transaction] {
        &self.transactions
    }
}

/// The transactions of a body, or `None` when it is no sequence of transactions.
fn split(body: &Bytes) -> Option<Vec<Transaction>> {
    let mut transactions = Vec::new();
    let mut offset = 0;
    while offset < body.len() {
        let count = body.get(offset..)?.get(COUNT_OFFSET..)?.first_chunk()?;
        let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
        if count > OPERATIONS_MAX || transactions.len() == TRANSACTIONS_MAX {
            return None;
        }
        let end = offset + HEADER_BYTES + count * OPERATION_BYTES;
        let digest = transaction::digest(body.get(offset..end)?);
        transactions.push(Transaction { digest, bytes: body.slice(offset..end) });
        offset = end;
    }
    Some(transactions)
}

fn count(size: usize) -> u32 {
    u32::try_from(size).expect("a body is far below 4 GiB")
}

fn header_bytes(header: &BlockHeader) -> Vec<u8> {
    let mut out = Vec::with_capacity(BlockHeader::BYTES);
    header.encode(&mut out);
    out
}

impl Write for Block {
    fn write(&self, buf: &mut impl BufMut) {
        buf.put_slice(&header_bytes(&self.header));
        self.body.write(buf);
    }

    fn write_bufs(&self, buf: &mut impl BufsMut) {
        buf.put_slice(&header_bytes(&self.header));
        self.body.write_bufs(buf);
    }
}

impl EncodeSize for Block {
    fn encode_size(&self) -> usize {
        BlockHeader::BYTES + self.body.encode_size()
    }

    fn encode_inline_size(&self) -> usize {
        BlockHeader::BYTES + self.body.encode_inline_size()
    }
}

impl Read for Block {
    type Cfg = ();

    /// Reads a block and makes sure that its body is the one that the header commits to:
    /// everything downstream knows a block by the digest of its header alone.
    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, Error> {
        let bytes = <[u8; BlockHeader::BYTES]>::read_cfg(buf, &())?;
        let mut reader = Reader::new(&bytes);
        let header = BlockHeader::decode(&mut reader)
            .and_then(|header| reader.finish().map(|()| header))
            .map_err(|_| Error::Invalid("Block", "the header is malformed"))?;
        let body = Bytes::read_cfg(buf, &RangeCfg::from(..=BLOCK_BYTES_MAX))?;
        Self::assemble(header, body).ok_or(Error::Invalid("Block", "the body is another's"))
    }
}

impl Digestible for Block {
    type Digest = EngineDigest;

    fn digest(&self) -> EngineDigest {
        blake3::Digest(self.digest.0)
    }
}

impl Heightable for Block {
    fn height(&self) -> Height {
        Height::new(self.header.height)
    }
}

impl commonware_consensus::Block for Block {
    fn parent(&self) -> EngineDigest {
        blake3::Digest(self.header.parent.0)
    }
}

impl BoundedBlock for Block {
    fn max_encode_size((): &()) -> usize {
        BlockHeader::BYTES + LENGTH_BYTES_MAX + BLOCK_BYTES_MAX
    }
}

#[cfg(test)]
mod tests {
    use commonware_codec::{DecodeExt as _, Encode as _};
    use etibar_primitives::{BlockTime, key::PublicKey};

    use super::*;

    fn header() -> BlockHeader {
        BlockHeader {
            network: Digest([1; 32]),
            height: 7,
            time: BlockTime(8),
            epoch: 0,
            view: 9,
            leader: PublicKey([2; 32]),
            parent_view: 8,
            parent: Digest([3; 32]),
            body_root: Digest::ZERO,
            transaction_count: 0,
            body_bytes: 0,
            executed_height: 5,
            executed: Digest([4; 32]),
        }
    }

    /// Bytes that are cut like a transaction of `count` operations.
    fn transaction(count: u8) -> Transaction {
        let mut bytes = vec![5; HEADER_BYTES + usize::from(count) * OPERATION_BYTES];
        bytes[COUNT_OFFSET..COUNT_OFFSET + 4].copy_from_slice(&[count, 0, 0, 0]);
        let digest = transaction::digest(&bytes);
        Transaction { digest, bytes: Bytes::from(bytes) }
    }

    #[test]
    fn a_block_is_read_as_it_was_written() {
        let block = Block::build(header(), vec![transaction(2), transaction(1)]);
        let bytes = block.encode();
        let read = Block::decode(bytes.clone()).expect("it was just written");
        assert_eq!(read.id(), block.id());
        assert_eq!(read.encode(), bytes);
        let digests =
            |block: &Block| block.transactions().iter().map(|one| one.digest).collect::<Vec<_>>();
        assert_eq!(digests(&read), digests(&block));
    }

    #[test]
    fn a_header_with_another_body_is_refused() {
        let block = Block::build(header(), vec![transaction(2)]);
        let other = Block::build(header(), vec![transaction(1)]);
        let mut mixed = header_bytes(block.header());
        mixed.extend_from_slice(&other.body.encode());
        assert!(Block::decode(Bytes::from(mixed)).is_err());
        let mut changed = block.encode().to_vec();
        *changed.last_mut().expect("a block has bytes") ^= 1;
        assert!(Block::decode(Bytes::from(changed)).is_err());
        let mut longer = block.encode().to_vec();
        longer.push(0);
        assert!(Block::decode(Bytes::from(longer)).is_err());
    }
}
