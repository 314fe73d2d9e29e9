//! The memory of operation ids: what makes every operation happen at most once.
//!
//! Each executed block leaves a window of the ids it used. The horizon is the block's time less the
//! rulebook's retention, and never falls. An order names when it was made: at most the clock
//! tolerance after the block that took it, at least the horizon. A window is forgotten when it is
//! older than the horizon by twice the tolerance, so the orders in it are before the horizon for
//! ever, and the same order never finds its id forgotten. Operations that name no time are bound by
//! their transaction's window, which is shorter than every retention.

use alloc::{
    collections::{BTreeMap, VecDeque},
    vec::Vec,
};

use etibar_primitives::{
    Amount, BlockTime, Digest, MemberId, OperationId,
    codec::{DecodeError, Reader, Writer},
};

use super::record::{Change, Record as _};
use crate::Outcome;

/// How many ids one stored row holds at most.
const CHUNK_IDS: usize = 1_024;

/// An operation's identity: ids are their submitter's own, so that nobody can use up another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OperationKey {
    /// The id that the submitter chose.
    pub id: OperationId,
    /// Who submitted it.
    pub submitter: MemberId,
}

/// How a reserve ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReserveEnd {
    /// Completed.
    Posted,
    /// Released by the creditor.
    Voided,
    /// Lapsed.
    Expired,
}

/// What is remembered of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The operation's kind on the wire.
    pub kind: u16,
    /// Its outcome; it never changes.
    pub outcome: Outcome,
    /// Its amount; zero when it moves no money.
    pub amount: Amount,
    /// The first eight bytes of the operation's digest.
    pub fingerprint: u64,
    /// The height of the block that executed it.
    pub height: u64,
    /// Of an accepted reserve that ended: how, and at which height.
    pub end: Option<(ReserveEnd, u64)>,
}

/// One thing a block did to the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// An operation got its outcome; a post or void also ended the reserve.
    Done { key: OperationKey, known: Known, ended: Option<(OperationKey, ReserveEnd)> },
    /// A reserve lapsed.
    Lapsed(OperationKey),
}

/// The entries of one block, or of a chunk of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) height: u64,
    pub(super) time: BlockTime,
    pub(super) entries: Vec<Entry>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    known: BTreeMap<OperationKey, Known>,
    /// By rising height: the block's time, its ids, and how many stored rows it has.
    windows: VecDeque<Remembered>,
    /// The block being executed.
    open: Vec<Entry>,
    forgotten: Vec<(u64, u32)>,
}

#[derive(Debug, Clone)]
struct Remembered {
    height: u64,
    time: BlockTime,
    keys: Vec<OperationKey>,
    chunks: u32,
}

impl Known {
    /// The first eight bytes of an operation's digest.
    pub(crate) fn fingerprint_of(operation: &Digest) -> u64 {
        u64::from_le_bytes(*operation.0.first_chunk().expect("32 bytes hold 8"))
    }
}

impl Memory {
    pub(super) fn get(&self, key: &OperationKey) -> Option<&Known> {
        self.known.get(key)
    }

    /// Remembers an operation of the block being executed.
    pub(crate) fn remember(
        &mut self,
        key: OperationKey,
        known: Known,
        ended: Option<(OperationKey, ReserveEnd)>,
    ) {
        let former = self.known.insert(key, known);
        assert!(former.is_none(), "an operation id got a second outcome");
        if let Some((reserve, end)) = ended {
            self.end(reserve, end, known.height);
        }
        self.open.push(Entry::Done { key, known, ended });
    }

    /// Remembers that a reserve lapsed in the block being executed.
    pub(crate) fn lapse(&mut self, reserve: OperationKey, height: u64) {
        self.end(reserve, ReserveEnd::Expired, height);
        self.open.push(Entry::Lapsed(reserve));
    }

    fn end(&mut self, reserve: OperationKey, end: ReserveEnd, height: u64) {
        // A reserve may outlive the memory of its id; then there is nothing to note.
        if let Some(known) = self.known.get_mut(&reserve) {
            assert!(known.end.is_none(), "a reserve ended twice");
            known.end = Some((end, height));
        }
    }

    /// Ends the block: its entries become a window.
    pub(crate) fn close(&mut self, height: u64, time: BlockTime, changes: &mut Vec<Change>) {
        let entries = core::mem::take(&mut self.open);
        let mut chunks = 0;
        for chunk in entries.chunks(CHUNK_IDS) {
            let window = Window { height, time, entries: chunk.to_vec() };
            let key = (height, chunks);
            changes
                .push(Change { key: Window::storage_key(key), value: Some(window.to_value(key)) });
            chunks += 1;
        }
        if chunks > 0 {
            let keys = entries.iter().filter_map(Entry::key).collect();
            self.windows.push_back(Remembered { height, time, keys, chunks });
        }
    }

    /// Forgets the windows before `horizon`.
    pub(crate) fn forget(&mut self, horizon: BlockTime) {
        while let Some(window) = self.windows.pop_front_if(|window| window.time < horizon) {
            for key in &window.keys {
                self.known.remove(key);
            }
            self.forgotten.extend((0..window.chunks).map(|chunk| (window.height, chunk)));
        }
    }

    /// Appends the removal of the rows of forgotten windows.
    pub(super) fn drain(&mut self, changes: &mut Vec<Change>) {
        for key in self.forgotten.drain(..) {
            changes.push(Change { key: Window::storage_key(key), value: None });
        }
    }

    /// Puts stored windows back, in order of height and chunk.
    pub(super) fn load(&mut self, chunk: u32, window: &Window) {
        for entry in &window.entries {
            match entry {
                Entry::Done { key, known, ended } => {
                    self.known.insert(*key, *known);
                    if let Some((reserve, end)) = ended {
                        self.end(*reserve, *end, window.height);
                    }
                }
                Entry::Lapsed(reserve) => self.end(*reserve, ReserveEnd::Expired, window.height),
            }
        }
        let keys = window.entries.iter().filter_map(Entry::key);
        match self.windows.back_mut().filter(|last| last.height == window.height) {
            Some(last) => {
                last.keys.extend(keys);
                last.chunks = chunk + 1;
            }
            None => self.windows.push_back(Remembered {
                height: window.height,
                time: window.time,
                keys: keys.collect(),
                chunks: chunk + 1,
            }),
        }
    }
}

impl Entry {
    fn key(&self) -> Option<OperationKey> {
        match self {
            Self::Done { key, .. } => Some(*key),
            Self::Lapsed(_) => None,
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Lapsed(reserve) => {
                out.put_u8(3);
                encode_key(out, reserve);
            }
            Self::Done { key, known, ended } => {
                out.put_u8(match ended {
                    None => 0,
                    Some((_, ReserveEnd::Posted)) => 1,
                    Some((_, _)) => 2,
                });
                encode_key(out, key);
                out.put_u16(known.kind);
                out.put_u16(known.outcome.code());
                out.put_u64(known.amount.minor_units());
                out.put_u64(known.fingerprint);
                if let Some((reserve, _)) = ended {
                    encode_key(out, reserve);
                }
            }
        }
    }

    fn decode(reader: &mut Reader<'_>, height: u64) -> Result<Self, DecodeError> {
        let form = reader.u8()?;
        let key = decode_key(reader)?;
        let end = match form {
            0 => None,
            1 => Some(ReserveEnd::Posted),
            2 => Some(ReserveEnd::Voided),
            3 => return Ok(Self::Lapsed(key)),
            _ => return Err(DecodeError::OutOfRange("memory entry")),
        };
        let known = Known {
            kind: reader.u16()?,
            outcome: Outcome::decode(reader)?,
            amount: reader.amount()?,
            fingerprint: reader.u64()?,
            height,
            end: None,
        };
        let ended = end.map(|end| Ok((decode_key(reader)?, end))).transpose()?;
        Ok(Self::Done { key, known, ended })
    }
}

fn encode_key(out: &mut Vec<u8>, key: &OperationKey) {
    out.put(&key.id.to_bytes());
    out.put_u32(key.submitter.0);
}

fn decode_key(reader: &mut Reader<'_>) -> Result<OperationKey, DecodeError> {
    Ok(OperationKey { id: reader.operation()?, submitter: reader.member()? })
}

impl Window {
    pub(super) fn encode_entries(&self, out: &mut Vec<u8>) {
        out.put_u64(self.height);
        out.put_u64(self.time.0);
        out.put_count(self.entries.len());
        self.entries.iter().for_each(|entry| entry.encode(out));
    }

    pub(super) fn decode_entries(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let height = reader.u64()?;
        let time = reader.time()?;
        let count = reader.count(CHUNK_IDS, "remembered ids")?;
        let entries =
            (0..count).map(|_| Entry::decode(reader, height)).collect::<Result<_, _>>()?;
        Ok(Self { height, time, entries })
    }
}
