//! Transactions: one member's signed batch of operations.
//!
//! ```text
//! 0      4       36      40      44     76        84        92       124     188      256
//! | EBT1 | network | member | count | key | valid   | valid   | root  | signature | zeros | ops…
//!                                          from      until
//! ```
//!
//! The signature covers the first 124 bytes, hence through the root every operation: one
//! operation with its Merkle path and this header is portable proof of origin.

use alloc::vec::Vec;

use etibar_primitives::{
    BlockTime, Digest, Domain, MemberId,
    codec::{Reader, Writer},
    key::{PrivateKey, PublicKey, Signature},
    merkle,
};

use crate::operation::{OPERATION_BYTES, Operation};

/// The header's size.
pub const HEADER_BYTES: usize = 256;
/// The most operations of one transaction: with the header they fill 1 MiB less 128 bytes.
pub const OPERATIONS_MAX: usize = 8_190;
/// The largest transaction.
pub const TRANSACTION_BYTES_MAX: usize = HEADER_BYTES + OPERATIONS_MAX * OPERATION_BYTES;

const MAGIC: [u8; 4] = *b"EBT1";
const SIGNED_BYTES: usize = 124;
const TRANSACTION: Domain = Domain::new("etibar.transaction");
const SIGNING: Domain = Domain::new("etibar.transaction.signing");

/// Why bytes are no transaction of this network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// Shorter than a header and one operation, or not a whole number of operations.
    #[error("transaction has {0} bytes, not a header and whole operations")]
    Length(usize),
    /// More than [`TRANSACTION_BYTES_MAX`] bytes.
    #[error("transaction has {0} bytes, more than the limit")]
    TooLarge(usize),
    /// Another magic number, a wrong count or non-zero padding.
    #[error("transaction header is malformed")]
    Header,
    /// Made for another network.
    #[error("transaction is for another network")]
    WrongNetwork,
    /// The window is empty.
    #[error("transaction is valid at no time")]
    Window,
    /// The operations do not have the root that was signed.
    #[error("operations do not match the signed root")]
    WrongRoot,
    /// The signature is not the key's.
    #[error("signature is not the key's")]
    WrongSignature,
}

impl TransactionError {
    /// The stable code in interfaces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Length(_) => "transaction_length",
            Self::TooLarge(_) => "transaction_too_large",
            Self::Header => "transaction_header",
            Self::WrongNetwork => "wrong_network",
            Self::Window => "transaction_window",
            Self::WrongRoot => "wrong_operations_root",
            Self::WrongSignature => "wrong_signature",
        }
    }
}

/// A well-formed transaction, borrowed from its bytes. Its signature may still be wrong: see
/// [`TransactionView::verify`].
#[derive(Debug, Clone, Copy)]
pub struct TransactionView<'a> {
    bytes: &'a [u8],
    /// Who speaks.
    pub member: MemberId,
    /// With which key.
    pub key: PublicKey,
    /// The first block time at which it may be executed.
    pub valid_from: BlockTime,
    /// The block time from which on it may not.
    pub valid_until: BlockTime,
    root: Digest,
    signature: Signature,
}

impl<'a> TransactionView<'a> {
    /// Reads the header and checks lengths, network and window; leaves the signature to
    /// [`TransactionView::verify`].
    pub fn parse(bytes: &'a [u8], network: &Digest) -> Result<Self, TransactionError> {
        if bytes.len() > TRANSACTION_BYTES_MAX {
            return Err(TransactionError::TooLarge(bytes.len()));
        }
        let body = bytes.len().checked_sub(HEADER_BYTES).filter(|body| *body > 0);
        let whole = body.filter(|body| body.is_multiple_of(OPERATION_BYTES));
        let count = whole.ok_or(TransactionError::Length(bytes.len()))? / OPERATION_BYTES;
        let (view, its_network, its_count) =
            Self::read_header(bytes).ok_or(TransactionError::Header)?;
        if usize::try_from(its_count) != Ok(count) {
            return Err(TransactionError::Header);
        }
        if its_network != *network {
            return Err(TransactionError::WrongNetwork);
        }
        if view.valid_from >= view.valid_until {
            return Err(TransactionError::Window);
        }
        Ok(view)
    }

    fn read_header(bytes: &'a [u8]) -> Option<(Self, Digest, u32)> {
        let mut reader = Reader::new(bytes.get(..HEADER_BYTES)?);
        if reader.array::<4>().ok()? != MAGIC {
            return None;
        }
        let network = reader.digest().ok()?;
        let member = reader.member().ok()?;
        let count = reader.u32().ok()?;
        let key = PublicKey(reader.array().ok()?);
        let valid_from = reader.time().ok()?;
        let valid_until = reader.time().ok()?;
        let root = reader.digest().ok()?;
        let signature = Signature(reader.array().ok()?);
        reader.reserved(reader.remaining()).ok()?;
        let view = Self { bytes, member, key, valid_from, valid_until, root, signature };
        Some((view, network, count))
    }

    /// Checks the operations against the signed root and the signature against the key. Whether
    /// the key speaks for the member is the ledger's to say.
    pub fn verify(&self) -> Result<(), TransactionError> {
        if !self.key.verify(&signed_message(self.bytes), &self.signature) {
            return Err(TransactionError::WrongSignature);
        }
        if merkle::root_of(self.operations().map(Operation::digest).collect()) != self.root {
            return Err(TransactionError::WrongRoot);
        }
        Ok(())
    }

    /// The operations' bytes, in order.
    pub fn operations(&self) -> impl ExactSizeIterator<Item = &'a [u8; OPERATION_BYTES]> + use<'a> {
        self.bytes[HEADER_BYTES..].as_chunks().0.iter()
    }

    /// All the bytes.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The digest of all the bytes: the transaction's name in blocks and in the mempool.
    pub fn digest(&self) -> Digest {
        digest(self.bytes)
    }
}

/// The digest of a transaction's bytes.
pub fn digest(bytes: &[u8]) -> Digest {
    TRANSACTION.hash(bytes)
}

fn signed_message(bytes: &[u8]) -> [u8; 32] {
    SIGNING.hash(&bytes[..SIGNED_BYTES]).0
}

/// What a member signs over its operations.
#[derive(Debug, Clone, Copy)]
pub struct Envelope {
    /// The network's id: the digest of its genesis.
    pub network: Digest,
    /// Who speaks.
    pub member: MemberId,
    /// The first block time at which the transaction may be executed.
    pub valid_from: BlockTime,
    /// The block time from which on it may not.
    pub valid_until: BlockTime,
}

impl Envelope {
    /// Encodes and signs `operations`.
    ///
    /// # Panics
    /// When there is no operation or more than [`OPERATIONS_MAX`].
    pub fn sign(&self, operations: &[Operation], key: &PrivateKey) -> Vec<u8> {
        assert!(!operations.is_empty(), "a transaction has at least one operation");
        assert!(operations.len() <= OPERATIONS_MAX, "a transaction has at most 8,190 operations");
        let mut bytes = Vec::with_capacity(HEADER_BYTES + operations.len() * OPERATION_BYTES);
        bytes.resize(HEADER_BYTES, 0);
        let mut leaves = Vec::with_capacity(operations.len());
        for operation in operations {
            let encoded = operation.encode();
            leaves.push(Operation::digest(&encoded));
            bytes.extend_from_slice(&encoded);
        }
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.put(&MAGIC);
        header.put(&self.network.0);
        header.put_u32(self.member.0);
        header.put_count(operations.len());
        header.put(&key.public_key().0);
        header.put_u64(self.valid_from.0);
        header.put_u64(self.valid_until.0);
        header.put(&merkle::root_of(leaves).0);
        assert_eq!(header.len(), SIGNED_BYTES);
        let signature = key.sign(&signed_message(&header));
        header.put(&signature.0);
        bytes[..header.len()].copy_from_slice(&header);
        bytes
    }
}
