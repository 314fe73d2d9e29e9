//! Executing a block: expiries first, then every transaction in order.

use alloc::{collections::BTreeMap, vec::Vec};

use etibar_primitives::{BlockTime, Digest, MemberId, OperationId, codec::DecodeError};

use crate::{
    Ledger, Operation, Outcome,
    operation::{Action, MemberStatus, OPERATION_BYTES, Parameter},
    receipt::{Event, MemberSummary},
    result::{BlockResult, MemberEvents, TransactionResult},
    rules::{self, Approved, CLOCK_TOLERANCE, Context, Parties},
    state::{Change, Known, OperationKey},
    transaction::TransactionView,
};

/// A finalized block, as the ledger sees it.
#[derive(Debug, Clone, Copy)]
pub struct BlockInput<'a> {
    /// One above the last executed height.
    pub height: u64,
    /// Above the last executed block's time.
    pub time: BlockTime,
    /// The block's transactions; their signatures have been verified.
    pub transactions: &'a [TransactionView<'a>],
}

/// What executing a block yielded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// Outcomes and events.
    pub result: BlockResult,
    /// The members' summaries under the receipts root.
    pub summaries: Vec<MemberSummary>,
    /// The receipts root for the execution record.
    pub receipts_root: Digest,
    /// The rows that changed, for the authenticated store.
    pub changes: Vec<Change>,
}

/// One operation of a transaction on its way.
struct Step<'a> {
    bytes: &'a [u8; OPERATION_BYTES],
    digest: Digest,
    id: OperationId,
    decoded: Result<Operation, DecodeError>,
}

/// The events of the block so far.
#[derive(Default)]
struct Journal {
    leaves: Vec<Digest>,
    members: BTreeMap<MemberId, Vec<u32>>,
}

impl Ledger {
    /// Executes the next block.
    ///
    /// # Panics
    /// When the block is not the next one, or when an invariant breaks: both mean that this
    /// machine must not go on.
    pub fn execute(&mut self, block: BlockInput<'_>) -> Executed {
        assert_eq!(block.height, self.height + 1, "blocks are executed in order of height");
        assert!(block.time > self.time, "block time rises");
        self.height = block.height;
        self.time = block.time;
        let retention = self.parameter(Parameter::IdRetentionMs, block.time);
        // An order may be dated ahead of the block that executes it by the clock tolerance.
        let kept = retention.saturating_add(2 * CLOCK_TOLERANCE.0);
        self.memory.forget(BlockTime(block.time.0.saturating_sub(kept)));

        let mut journal = Journal::default();
        let expired = self.expire(&mut journal);
        let execute = |view: &TransactionView<'_>| self.execute_transaction(view, &mut journal);
        let transactions = block.transactions.iter().map(execute).collect();
        let members = self.close_feeds(journal.members);
        let result = BlockResult { expired, transactions, members };
        let summaries = result.summaries(&journal.leaves);
        let mut changes = self.drain_changes();
        self.memory.close(block.height, block.time, &mut changes);
        self.assert_invariants();
        let receipts_root = BlockResult::receipts_root(&summaries);
        Executed { result, summaries, receipts_root, changes }
    }

    /// Lapses every reserve whose expiry has come.
    fn expire(&mut self, journal: &mut Journal) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(first) = self.expiries.first().copied() {
            let (expires, key) = first;
            if expires > self.time {
                break;
            }
            self.expiries.remove(&first);
            let Some(reserve) = self.reserves.get(&key).copied() else { continue };
            let approved = rules::expire(self, key, &reserve);
            let parties = self.apply(approved);
            self.memory.lapse(key, self.height);
            let event = Event {
                operation: reserve.operation,
                submitter: key.submitter,
                outcome: Outcome::ReserveExpired,
            };
            journal.note(event.leaf(), parties);
            events.push(event);
        }
        events
    }

    fn execute_transaction(
        &mut self,
        view: &TransactionView<'_>,
        journal: &mut Journal,
    ) -> TransactionResult {
        if let Err(refusal) = self.admit(view, self.time) {
            return TransactionResult::Refused(refusal);
        }
        let mut outcomes = Vec::with_capacity(view.operations().len());
        let mut group = Vec::new();
        for bytes in view.operations() {
            let step = Step::new(bytes);
            let (_, linked) = Operation::peek(bytes);
            if !linked && group.is_empty() {
                let (outcome, parties) = self.execute_single(view.member, &step);
                journal.note(Event::leaf_of(&step.digest, view.member, outcome), parties);
                outcomes.push(outcome);
                continue;
            }
            group.push(step);
            if !linked {
                let ends = self.execute_group(view.member, &group);
                journal.note_group(view.member, &group, &ends, &mut outcomes);
                group.clear();
            }
        }
        let submitter = Parties::one(view.member);
        let open = group.iter().map(|_| (Outcome::LinkedChainOpen, submitter)).collect::<Vec<_>>();
        journal.note_group(view.member, &group, &open, &mut outcomes);
        TransactionResult::Executed(outcomes)
    }

    fn execute_single(&mut self, submitter: MemberId, step: &Step<'_>) -> (Outcome, Parties) {
        match self.check(submitter, step) {
            Ok(approved) => (Outcome::Accepted, self.conclude(submitter, step, approved)),
            Err(outcome) => {
                self.remember_refusal(submitter, step, outcome);
                (outcome, Parties::one(submitter))
            }
        }
    }

    /// Executes linked operations: all, or none.
    fn execute_group(
        &mut self,
        submitter: MemberId,
        group: &[Step<'_>],
    ) -> Vec<(Outcome, Parties)> {
        let repeat = |step: &Step<'_>| self.check(submitter, step).err() == Some(Outcome::Exists);
        if group.iter().all(repeat) {
            return group.iter().map(|_| (Outcome::Exists, Parties::one(submitter))).collect();
        }
        self.begin_group();
        let mut approvals = Vec::with_capacity(group.len());
        let mut failure = None;
        for (index, step) in group.iter().enumerate() {
            let twice = group[..index].iter().any(|earlier| earlier.id == step.id);
            let checked = if twice {
                Err(Outcome::ExistsWithDifferentContent)
            } else {
                self.check(submitter, step)
            };
            match checked {
                Ok(approved) => {
                    let ended = approved.ended();
                    approvals.push((ended, self.apply(approved)));
                }
                Err(outcome) => {
                    failure = Some((index, outcome));
                    break;
                }
            }
        }
        let Some((failed, outcome)) = failure else {
            self.end_group(true);
            let conclude = |(step, (ended, parties)): (&Step<'_>, _)| {
                self.remember(submitter, step, Outcome::Accepted, ended);
                (Outcome::Accepted, parties)
            };
            return group.iter().zip(approvals).map(conclude).collect();
        };
        self.end_group(false);
        let conclude = |(index, step)| {
            let its = if index == failed { outcome } else { Outcome::LinkedOperationFailed };
            self.remember_refusal(submitter, step, its);
            (its, Parties::one(submitter))
        };
        group.iter().enumerate().map(conclude).collect()
    }

    /// What the rules say of one operation, in the order of [`Outcome`].
    fn check(&self, submitter: MemberId, step: &Step<'_>) -> Result<Approved, Outcome> {
        let operation = step.decoded.as_ref().map_err(|_| Outcome::MalformedOperation)?;
        let key = OperationKey { id: step.id, submitter };
        if let Some(known) = self.find(key) {
            return Err(repeat_of(known, step, operation));
        }
        let member = self.members.get(&submitter).expect("the transaction was admitted");
        let context = Context { key, submitter, role: member.role, bytes: step.bytes };
        let releases = matches!(operation.action, Action::Transfer(kind, _) if kind.releases());
        if member.status == MemberStatus::Suspended && !releases {
            return Err(Outcome::MemberSuspended);
        }
        rules::check(self, &context, &operation.action)
    }

    fn conclude(&mut self, submitter: MemberId, step: &Step<'_>, approved: Approved) -> Parties {
        let ended = approved.ended();
        let parties = self.apply(approved);
        self.remember(submitter, step, Outcome::Accepted, ended);
        parties
    }

    /// A refusal is final for its id, unless the operation never reached the rules.
    fn remember_refusal(&mut self, submitter: MemberId, step: &Step<'_>, outcome: Outcome) {
        let known = self.find(OperationKey { id: step.id, submitter }).is_some();
        let final_refusal =
            outcome == Outcome::LinkedOperationFailed || outcome > Outcome::NotAuthorised;
        if final_refusal && !known && step.decoded.is_ok() {
            self.remember(submitter, step, outcome, None);
        }
    }

    fn remember(
        &mut self,
        submitter: MemberId,
        step: &Step<'_>,
        outcome: Outcome,
        ended: Option<(OperationKey, crate::state::ReserveEnd)>,
    ) {
        let operation = step.decoded.as_ref().expect("only readable operations are remembered");
        let known = Known {
            kind: operation.action.kind(),
            outcome,
            amount: operation.action.amount(),
            fingerprint: Known::fingerprint_of(&step.digest),
            height: self.height,
            end: None,
        };
        self.memory.remember(OperationKey { id: step.id, submitter }, known, ended);
    }

    /// Counts the block's events into the members' feeds.
    fn close_feeds(&mut self, members: BTreeMap<MemberId, Vec<u32>>) -> Vec<MemberEvents> {
        let mut feeds = Vec::with_capacity(members.len());
        for (member, positions) in members {
            let first = self.event_count(member);
            let count = u64::try_from(positions.len()).expect("a block has fewer than 2^64 events");
            self.feeds.set(member, Some(first + count));
            feeds.push(MemberEvents { member, first, positions });
        }
        feeds
    }
}

fn repeat_of(known: &Known, step: &Step<'_>, operation: &Operation) -> Outcome {
    if known.fingerprint == Known::fingerprint_of(&step.digest) {
        Outcome::Exists
    } else if known.kind != operation.action.kind() {
        Outcome::ExistsWithDifferentKind
    } else if known.amount != operation.action.amount() {
        Outcome::ExistsWithDifferentAmount
    } else {
        Outcome::ExistsWithDifferentContent
    }
}

impl<'a> Step<'a> {
    fn new(bytes: &'a [u8; OPERATION_BYTES]) -> Self {
        let (id, _) = Operation::peek(bytes);
        let decoded = Operation::decode(bytes);
        Self { bytes, digest: Operation::digest(bytes), id, decoded }
    }
}

impl Journal {
    fn note(&mut self, leaf: Digest, parties: Parties) {
        let position = u32::try_from(self.leaves.len()).expect("bounded by the block's size");
        self.leaves.push(leaf);
        for member in parties.members() {
            self.members.entry(member).or_default().push(position);
        }
    }

    fn note_group(
        &mut self,
        submitter: MemberId,
        group: &[Step<'_>],
        ends: &[(Outcome, Parties)],
        outcomes: &mut Vec<Outcome>,
    ) {
        for (step, (outcome, parties)) in group.iter().zip(ends) {
            self.note(Event::leaf_of(&step.digest, submitter, *outcome), *parties);
            outcomes.push(*outcome);
        }
    }
}
