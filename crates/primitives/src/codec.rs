//! The canonical codec: little-endian integers, fixed arrays, length-prefixed bytes. One value has
//! one encoding; what is left over or missing is an error.

use alloc::vec::Vec;

use crate::{AccountId, Amount, BlockTime, Digest, MemberId, OperationId};

/// Why bytes are no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The input ended inside a value.
    #[error("input ends inside a value")]
    UnexpectedEnd,
    /// Bytes are left after the last value.
    #[error("input goes on after the last value")]
    TrailingBytes,
    /// A field holds a value outside its range.
    #[error("{0} is out of range")]
    OutOfRange(&'static str),
    /// A length or count is above its limit.
    #[error("{0} is above its limit")]
    TooLong(&'static str),
}

/// Reads values off the front of a byte slice.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// How many bytes are left.
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The next `length` bytes.
    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self.rest.split_at_checked(length).ok_or(DecodeError::UnexpectedEnd)?;
        self.rest = rest;
        Ok(head)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(DecodeError::UnexpectedEnd)?;
        self.rest = rest;
        Ok(*head)
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array().map(u8::from_le_bytes)
    }

    /// A 16-bit integer.
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_le_bytes)
    }

    /// A 32-bit integer.
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_le_bytes)
    }

    /// A 64-bit integer.
    pub fn u64(&mut self) -> Result<u64, DecodeError> {
        self.array().map(u64::from_le_bytes)
    }

    /// A member id.
    pub fn member(&mut self) -> Result<MemberId, DecodeError> {
        self.u32().map(MemberId)
    }

    /// An account id.
    pub fn account(&mut self) -> Result<AccountId, DecodeError> {
        self.u64().map(AccountId)
    }

    /// An operation id: 16 bytes in UUID order.
    pub fn operation(&mut self) -> Result<OperationId, DecodeError> {
        self.array().map(OperationId::from_bytes)
    }

    /// A moment.
    pub fn time(&mut self) -> Result<BlockTime, DecodeError> {
        self.u64().map(BlockTime)
    }

    /// A digest.
    pub fn digest(&mut self) -> Result<Digest, DecodeError> {
        self.array().map(Digest)
    }

    /// An amount within its range.
    pub fn amount(&mut self) -> Result<Amount, DecodeError> {
        Amount::new(self.u64()?).map_err(|_| DecodeError::OutOfRange("amount"))
    }

    /// `length` bytes that must all be zero: room for later versions.
    pub fn reserved(&mut self, length: usize) -> Result<(), DecodeError> {
        let zero = self.bytes(length)?.iter().all(|byte| *byte == 0);
        if zero { Ok(()) } else { Err(DecodeError::OutOfRange("reserved bytes")) }
    }

    /// Bytes after a 32-bit length of at most `limit`.
    pub fn prefixed(&mut self, limit: usize, what: &'static str) -> Result<&'a [u8], DecodeError> {
        let length = self.count(limit, what)?;
        self.bytes(length)
    }

    /// A 32-bit count of at most `limit`.
    pub fn count(&mut self, limit: usize, what: &'static str) -> Result<usize, DecodeError> {
        let count = usize::try_from(self.u32()?).map_err(|_| DecodeError::TooLong(what))?;
        if count > limit { Err(DecodeError::TooLong(what)) } else { Ok(count) }
    }

    /// Succeeds only when everything was read.
    pub const fn finish(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DecodeError::TrailingBytes) }
    }
}

/// Appends values to a byte vector.
pub trait Writer {
    /// Appends bytes as they are.
    fn put(&mut self, bytes: &[u8]);

    /// Appends one byte.
    fn put_u8(&mut self, value: u8) {
        self.put(&value.to_le_bytes());
    }

    /// Appends a 16-bit integer.
    fn put_u16(&mut self, value: u16) {
        self.put(&value.to_le_bytes());
    }

    /// Appends a 32-bit integer.
    fn put_u32(&mut self, value: u32) {
        self.put(&value.to_le_bytes());
    }

    /// Appends a 64-bit integer.
    fn put_u64(&mut self, value: u64) {
        self.put(&value.to_le_bytes());
    }

    /// Appends a 32-bit count.
    ///
    /// # Panics
    /// When `count` does not fit: every collection here has a limit far below.
    fn put_count(&mut self, count: usize) {
        self.put_u32(u32::try_from(count).expect("every collection is limited below 2^32"));
    }

    /// Appends bytes after their 32-bit length.
    fn put_prefixed(&mut self, bytes: &[u8]) {
        self.put_count(bytes.len());
        self.put(bytes);
    }
}

impl Writer for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}
