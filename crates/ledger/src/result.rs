//! The result of a block: an outcome for each operation, and who is told of which.

use alloc::vec::Vec;

use etibar_primitives::{
    Digest, MemberId,
    codec::{DecodeError, Reader, Writer},
    merkle,
};

use crate::{
    Outcome,
    operation::{OPERATION_BYTES, Operation},
    receipt::{Event, MemberSummary, receipts_root},
    transaction::{HEADER_BYTES, OPERATIONS_MAX},
};

/// The most transactions of one block.
pub const TRANSACTIONS_MAX: usize = 8_192;
/// The most events of one block: bounds the memory of a decoder.
pub const EVENTS_MAX: usize = 1 << 20;

const VERSION: u16 = 1;

/// Why a whole transaction had no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransactionRefusal {
    /// No such member.
    #[error("the member is unknown")]
    MemberUnknown,
    /// The key is not one of the member's, or not at this time.
    #[error("the key does not speak for the member at this time")]
    KeyNotActive,
    /// Too early by the transaction's own window.
    #[error("the transaction is not valid yet")]
    NotYetValid,
    /// Too late by the transaction's own window.
    #[error("the transaction is not valid any more")]
    Expired,
    /// The window is longer than the rulebook allows.
    #[error("the transaction's validity window is too long")]
    WindowTooLong,
}

impl TransactionRefusal {
    /// Every refusal, with its number in results. Frozen.
    const CODES: [(Self, u16); 5] = [
        (Self::MemberUnknown, 1),
        (Self::KeyNotActive, 2),
        (Self::NotYetValid, 3),
        (Self::Expired, 4),
        (Self::WindowTooLong, 5),
    ];

    /// The stable name in interfaces.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MemberUnknown => "member_unknown",
            Self::KeyNotActive => "key_not_active",
            Self::NotYetValid => "transaction_not_yet_valid",
            Self::Expired => "transaction_expired",
            Self::WindowTooLong => "transaction_window_too_long",
        }
    }

    fn code(self) -> u16 {
        let found = Self::CODES.into_iter().find(|(refusal, _)| *refusal == self);
        found.expect("the table lists every refusal").1
    }

    fn from_code(code: u16) -> Option<Self> {
        Self::CODES.into_iter().find(|(_, its)| *its == code).map(|(refusal, _)| refusal)
    }
}

/// What became of one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransactionResult {
    /// Every operation has its own outcome.
    Executed(Vec<Outcome>),
    /// None was looked at.
    Refused(TransactionRefusal),
}

/// The events of one member in one block, by their positions in the block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberEvents {
    /// Whose events.
    pub member: MemberId,
    /// How many events the member had before this block.
    pub first: u64,
    /// Positions in rising order: the expired reserves come first, then the operations of the
    /// block in order, those of refused transactions left out. Exact repeats of operations have a
    /// position but no member.
    pub positions: Vec<u32>,
}

/// Everything that executing a block yielded besides the new state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BlockResult {
    /// Reserves that lapsed at this block's time, as their submitters ordered them.
    pub expired: Vec<Event>,
    /// One for each transaction, in order.
    pub transactions: Vec<TransactionResult>,
    /// By rising member id.
    pub members: Vec<MemberEvents>,
}

impl BlockResult {
    /// Every event of the block by position. `transactions` are the bytes of the block's
    /// transactions, with the submitter of each.
    pub fn events<'a>(
        &'a self,
        transactions: impl Iterator<Item = (MemberId, &'a [u8])> + 'a,
    ) -> impl Iterator<Item = Event> + 'a {
        let executed = self.transactions.iter().zip(transactions);
        let operations = executed.flat_map(|(result, (submitter, bytes))| {
            let outcomes: &[Outcome] = match result {
                TransactionResult::Executed(outcomes) => outcomes,
                TransactionResult::Refused(_) => &[],
            };
            let operations = bytes[HEADER_BYTES..].as_chunks::<OPERATION_BYTES>().0;
            operations.iter().zip(outcomes).map(move |(operation, outcome)| Event {
                operation: *operation,
                submitter,
                outcome: *outcome,
            })
        });
        self.expired.iter().copied().chain(operations)
    }

    /// The root over the members' summaries, and their number, that the execution record holds.
    pub fn receipts_root(summaries: &[MemberSummary]) -> Digest {
        let root = merkle::root_of(summaries.iter().map(MemberSummary::digest).collect());
        let count = u32::try_from(summaries.len()).expect("bounded by EVENTS_MAX");
        receipts_root(count, &root)
    }

    /// The summaries of the members' events, given the leaf of each position.
    pub fn summaries(&self, leaves: &[Digest]) -> Vec<MemberSummary> {
        let summary = |events: &MemberEvents| MemberSummary {
            member: events.member,
            first: events.first,
            count: u32::try_from(events.positions.len()).expect("bounded by EVENTS_MAX"),
            root: merkle::root_of(events.leaves(leaves)),
        };
        self.members.iter().map(summary).collect()
    }

    /// Appends the result.
    pub fn encode(&self, out: &mut impl Writer) {
        out.put_u16(VERSION);
        out.put_count(self.expired.len());
        self.expired.iter().for_each(|event| event.encode(out));
        out.put_count(self.transactions.len());
        for transaction in &self.transactions {
            match transaction {
                TransactionResult::Refused(refusal) => out.put_u16(refusal.code()),
                TransactionResult::Executed(outcomes) => {
                    out.put_u16(0);
                    out.put_count(outcomes.len());
                    for outcome in outcomes {
                        out.put_u16(outcome.code());
                    }
                }
            }
        }
        out.put_count(self.members.len());
        for events in &self.members {
            out.put_u32(events.member.0);
            out.put_u64(events.first);
            out.put_count(events.positions.len());
            events.positions.iter().for_each(|position| out.put_u32(*position));
        }
    }

    /// Reads what [`BlockResult::encode`] wrote.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if reader.u16()? != VERSION {
            return Err(DecodeError::OutOfRange("block result version"));
        }
        let count = reader.count(EVENTS_MAX, "expired reserves")?;
        let expired = (0..count).map(|_| Event::decode(reader)).collect::<Result<_, _>>()?;
        let count = reader.count(TRANSACTIONS_MAX, "transactions")?;
        let transactions =
            (0..count).map(|_| TransactionResult::decode(reader)).collect::<Result<_, _>>()?;
        let count = reader.count(EVENTS_MAX, "members")?;
        let members = (0..count).map(|_| MemberEvents::decode(reader)).collect::<Result<_, _>>()?;
        let result = Self { expired, transactions, members };
        if result.is_ordered() { Ok(result) } else { Err(DecodeError::OutOfRange("events")) }
    }

    /// Whether members and their positions rise and every position is an event's.
    fn is_ordered(&self) -> bool {
        let outcomes = self.transactions.iter().map(|transaction| match transaction {
            TransactionResult::Executed(outcomes) => outcomes.len(),
            TransactionResult::Refused(_) => 0,
        });
        let events = self.expired.len() + outcomes.sum::<usize>();
        let rise = |its: &MemberEvents| its.positions.is_sorted_by(|one, next| one < next);
        let within = |its: &MemberEvents| {
            let last = its.positions.last();
            last.is_some_and(|last| usize::try_from(*last).is_ok_and(|last| last < events))
        };
        self.members.is_sorted_by(|one, next| one.member < next.member)
            && self.members.iter().all(|member| rise(member) && within(member))
    }
}

impl TransactionResult {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let code = reader.u16()?;
        if code != 0 {
            let refusal = TransactionRefusal::from_code(code);
            return refusal.map(Self::Refused).ok_or(DecodeError::OutOfRange("refusal"));
        }
        let count = reader.count(OPERATIONS_MAX, "operations")?;
        (0..count).map(|_| Outcome::decode(reader)).collect::<Result<_, _>>().map(Self::Executed)
    }
}

impl MemberEvents {
    /// The leaves of these events out of the leaves of all positions.
    pub fn leaves(&self, leaves: &[Digest]) -> Vec<Digest> {
        let leaf = |position: &u32| leaves[usize::try_from(*position).expect("32 bits fit")];
        self.positions.iter().map(leaf).collect()
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let member = reader.member()?;
        let first = reader.u64()?;
        let count = reader.count(EVENTS_MAX, "events")?;
        let positions = (0..count).map(|_| reader.u32()).collect::<Result<_, _>>()?;
        Ok(Self { member, first, positions })
    }
}

impl Outcome {
    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::from_code(reader.u16()?).ok_or(DecodeError::OutOfRange("outcome"))
    }
}

impl Event {
    /// The leaf of this event in its parties' trees.
    pub fn leaf(&self) -> Digest {
        Self::leaf_of(&Operation::digest(&self.operation), self.submitter, self.outcome)
    }
}
