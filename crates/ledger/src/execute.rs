//! Executing a block: expiries first, then every transaction in order.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

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

/// The most reserves that lapse in one block; what is left lapses in the next ones, and can be
/// neither posted nor voided meanwhile. Bounds the time and the result of a block.
pub const EXPIRIES_PER_BLOCK_MAX: usize = 1 << 16;

/// The most ended consents that one block forgets; what is left goes with the next ones. Bounds the
/// time and the changes of a block.
pub const CONSENTS_FORGOTTEN_PER_BLOCK_MAX: usize = 1 << 14;

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
        self.horizon = self.horizon.max(BlockTime(block.time.0.saturating_sub(retention)));
        // An order may be dated ahead of the block that executes it by the clock tolerance.
        let forgotten = self.horizon.0.saturating_sub(2 * CLOCK_TOLERANCE.0);
        self.memory.forget(BlockTime(forgotten));

        self.forget_consents();
        let mut journal = Journal::default();
        let expired = self.expire(&mut journal);
        let due = self.expiries.first().is_some_and(|(expires, _)| *expires <= block.time);
        assert!(!due || expired.len() == EXPIRIES_PER_BLOCK_MAX, "a reserve outlived its expiry");
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

    /// Forgets consents that expired longer ago than the rulebook keeps them, at most
    /// [`CONSENTS_FORGOTTEN_PER_BLOCK_MAX`]. A revoked one stays as long as if it were not: its
    /// identifier must not be free before everybody refuses the expired artefact.
    fn forget_consents(&mut self) {
        let retention = self.parameter(Parameter::ConsentRetentionMs, self.time);
        let latest = BlockTime(self.time.0.saturating_sub(retention));
        let mut forgotten = 0;
        while forgotten < CONSENTS_FORGOTTEN_PER_BLOCK_MAX {
            let due = self.consent_ends.first().copied().filter(|(expires, _)| *expires <= latest);
            let Some((expires, rel)) = due else { break };
            self.consent_ends.remove(&(expires, rel));
            let kept = self.consents.get(&rel).filter(|consent| consent.expires == expires);
            let Some(consumer) = kept.map(|consent| consent.consumer) else { continue };
            self.sums.take_consent(consumer);
            self.consents.set(rel, None);
            forgotten += 1;
        }
    }

    /// Lapses the reserves whose expiry has come, at most [`EXPIRIES_PER_BLOCK_MAX`].
    fn expire(&mut self, journal: &mut Journal) -> Vec<Event> {
        let mut events = Vec::new();
        while events.len() < EXPIRIES_PER_BLOCK_MAX {
            let due = self.expiries.first().copied().filter(|(expires, _)| *expires <= self.time);
            let Some((expires, key)) = due else { break };
            self.expiries.remove(&(expires, key));
            let open = self.reserves.get(&key).filter(|reserve| reserve.expires == expires);
            let Some(reserve) = open.copied() else { continue };
            let approved = rules::expire(self, key, &reserve);
            let parties = self.apply(approved);
            self.memory.lapse(key, self.height);
            let event = Event {
                operation: reserve.operation,
                submitter: key.submitter,
                outcome: Outcome::ReserveExpired,
            };
            journal.note(event.leaf(), &parties);
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
                journal.note(Event::leaf_of(&step.digest, view.member, outcome), &parties);
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
        let open = self.refuse_group(view.member, &group, |_| Outcome::LinkedChainOpen);
        journal.note_group(view.member, &group, &open, &mut outcomes);
        TransactionResult::Executed(outcomes)
    }

    fn execute_single(&mut self, submitter: MemberId, step: &Step<'_>) -> (Outcome, Parties) {
        match self.check(submitter, step) {
            Ok(approved) => (Outcome::Accepted, self.conclude(submitter, step, approved)),
            Err(outcome) => {
                self.remember_refusal(submitter, step, outcome);
                (outcome, Parties::refused(submitter, outcome))
            }
        }
    }

    /// Executes linked operations: all, or none.
    fn execute_group(
        &mut self,
        submitter: MemberId,
        group: &[Step<'_>],
    ) -> Vec<(Outcome, Parties)> {
        let repeat =
            |step: &Step<'_>| self.identify(submitter, step).err() == Some(Outcome::Exists);
        if group.iter().all(repeat) {
            return self.refuse_group(submitter, group, |_| Outcome::Exists);
        }
        self.begin_group();
        let mut approvals = Vec::with_capacity(group.len());
        let mut failure = None;
        let mut ids = BTreeSet::new();
        for (index, step) in group.iter().enumerate() {
            // The ids of a group are remembered only when it has ended.
            let twice = !ids.insert(step.id);
            let checked = match self.identify(submitter, step) {
                Ok(_) if twice => Err(Outcome::ExistsWithDifferentContent),
                _ => self.check(submitter, step),
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
        let refusal =
            |index| if index == failed { outcome } else { Outcome::LinkedOperationFailed };
        self.refuse_group(submitter, group, refusal)
    }

    /// Refuses linked operations with one `refusal` for each place. An unreadable operation stays
    /// that, and one that has its outcome already is a repeat of it.
    fn refuse_group(
        &mut self,
        submitter: MemberId,
        group: &[Step<'_>],
        refusal: impl Fn(usize) -> Outcome,
    ) -> Vec<(Outcome, Parties)> {
        let conclude = |(index, step)| {
            let outcome = self.identify(submitter, step).err().unwrap_or_else(|| refusal(index));
            self.remember_refusal(submitter, step, outcome);
            (outcome, Parties::refused(submitter, outcome))
        };
        group.iter().enumerate().map(conclude).collect()
    }

    /// The operation of `step`, unless it is none or its id has an outcome.
    fn identify<'a>(
        &self,
        submitter: MemberId,
        step: &'a Step<'_>,
    ) -> Result<&'a Operation, Outcome> {
        let operation = step.decoded.as_ref().map_err(|_| Outcome::MalformedOperation)?;
        let key = OperationKey { id: step.id, submitter };
        match self.find(key) {
            Some(known) => Err(repeat_of(known, step, operation)),
            // A reserve that waits to lapse may outlive the memory of its id.
            None if self.reserve(key).is_some() => Err(Outcome::ExistsWithDifferentContent),
            None => Ok(operation),
        }
    }

    /// What the rules say of one operation, in the order of [`Outcome`].
    fn check(&self, submitter: MemberId, step: &Step<'_>) -> Result<Approved, Outcome> {
        let operation = self.identify(submitter, step)?;
        let key = OperationKey { id: step.id, submitter };
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

    /// A refusal is final for its id: the member was told, so the same bytes must never be done
    /// later. Unreadable bytes have no id, and a repeat leaves the first outcome.
    fn remember_refusal(&mut self, submitter: MemberId, step: &Step<'_>, outcome: Outcome) {
        if outcome > Outcome::ExistsWithDifferentContent {
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
    fn note(&mut self, leaf: Digest, parties: &Parties) {
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
            self.note(Event::leaf_of(&step.digest, submitter, *outcome), parties);
            outcomes.push(*outcome);
        }
    }
}
