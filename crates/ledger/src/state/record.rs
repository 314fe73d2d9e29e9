//! Rows as key and value of the authenticated store.
//!
//! The key is a hash of the row's kind and identity, so that keys are spread evenly; the value
//! begins with the same kind and identity, so that values alone restore the ledger.

use alloc::vec::Vec;

use etibar_primitives::{
    AccountId, BlockTime, Currency, Digest, Domain, MemberId,
    codec::{DecodeError, Reader, Writer},
};

use super::{Ledger, memory::OperationKey, memory::Window};
use crate::operation::{Parameter, PurposeCode};

const KEY: Domain = Domain::new("etibar.state.key");

/// A change of one row of the authenticated store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The row's key.
    pub key: Digest,
    /// The row's new value; `None` removes it.
    pub value: Option<Vec<u8>>,
}

/// The largest value: a full chunk of remembered operation ids.
pub const VALUE_BYTES_MAX: usize = 128 * 1024;

/// Identities as bytes.
pub(crate) trait RowKey: Ord + Copy {
    fn encode(&self, out: &mut Vec<u8>);
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

/// A row that is stored under its kind and identity.
pub(crate) trait Record: Sized {
    /// The number of this kind of row. Frozen.
    const TAG: u8;
    type Key: RowKey;

    fn encode(&self, out: &mut Vec<u8>);
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;

    fn storage_key(key: Self::Key) -> Digest {
        let mut bytes = Vec::with_capacity(64);
        bytes.put_u8(Self::TAG);
        key.encode(&mut bytes);
        KEY.hash(&bytes)
    }

    fn to_value(&self, key: Self::Key) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(160);
        bytes.put_u8(Self::TAG);
        key.encode(&mut bytes);
        self.encode(&mut bytes);
        bytes
    }
}

/// The version of all rows' formats, in the one row that every state has. 2: consents have a
/// purpose and a scope.
const STATE_VERSION: u16 = 2;

/// The single row that says where the ledger stands.
pub(super) struct Position {
    pub(super) height: u64,
    pub(super) time: BlockTime,
    pub(super) horizon: BlockTime,
}

impl Ledger {
    /// Every row that changed since the last call, as the authenticated store takes them: by
    /// table, within a table by rising identity.
    pub(crate) fn drain_changes(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        let Self { height, time, horizon, .. } = *self;
        let position = Position { height, time, horizon };
        changes.push(Change { key: Position::storage_key(()), value: Some(position.to_value(())) });
        self.members.drain(&mut changes);
        self.accounts.drain(&mut changes);
        self.reserves.drain(&mut changes);
        self.parameters.drain(&mut changes);
        self.aliases.drain(&mut changes);
        self.consents.drain(&mut changes);
        self.issuers.drain(&mut changes);
        self.evidence.drain(&mut changes);
        self.totals.drain(&mut changes);
        self.feeds.drain(&mut changes);
        self.purposes.drain(&mut changes);
        self.status_lists.drain(&mut changes);
        self.obligations.drain(&mut changes);
        self.memory.drain(&mut changes);
        changes
    }
}

impl Record for Position {
    const TAG: u8 = 0;
    type Key = ();

    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u16(STATE_VERSION);
        out.put_u64(self.height);
        out.put_u64(self.time.0);
        out.put_u64(self.horizon.0);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if reader.u16()? != STATE_VERSION {
            return Err(DecodeError::OutOfRange("state version"));
        }
        Ok(Self { height: reader.u64()?, time: reader.time()?, horizon: reader.time()? })
    }
}

impl Record for u64 {
    const TAG: u8 = 10;
    type Key = MemberId;

    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u64(*self);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.u64()
    }
}

impl Record for Window {
    const TAG: u8 = 11;
    type Key = (u64, u32);

    fn encode(&self, out: &mut Vec<u8>) {
        self.encode_entries(out);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::decode_entries(reader)
    }
}

impl RowKey for () {
    fn encode(&self, _: &mut Vec<u8>) {}

    fn decode(_: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(())
    }
}

impl RowKey for MemberId {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u32(self.0);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.member()
    }
}

impl RowKey for AccountId {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u64(self.0);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.account()
    }
}

impl RowKey for Digest {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put(&self.0);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.digest()
    }
}

impl RowKey for (MemberId, Digest) {
    fn encode(&self, out: &mut Vec<u8>) {
        RowKey::encode(&self.0, out);
        RowKey::encode(&self.1, out);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok((reader.member()?, reader.digest()?))
    }
}

impl RowKey for (MemberId, u32) {
    fn encode(&self, out: &mut Vec<u8>) {
        RowKey::encode(&self.0, out);
        out.put_u32(self.1);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok((reader.member()?, reader.u32()?))
    }
}

impl RowKey for (MemberId, MemberId) {
    fn encode(&self, out: &mut Vec<u8>) {
        RowKey::encode(&self.0, out);
        RowKey::encode(&self.1, out);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok((reader.member()?, reader.member()?))
    }
}

impl RowKey for PurposeCode {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u16(self.0);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.u16().map(Self)
    }
}

impl RowKey for (u64, u32) {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u64(self.0);
        out.put_u32(self.1);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok((reader.u64()?, reader.u32()?))
    }
}

impl RowKey for Currency {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put(&self.code());
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        crate::operation::read_currency(reader)
    }
}

impl RowKey for Parameter {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u16(self.code());
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::decode(reader)
    }
}

impl RowKey for OperationKey {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put(&self.id.to_bytes());
        out.put_u32(self.submitter.0);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { id: reader.operation()?, submitter: reader.member()? })
    }
}
