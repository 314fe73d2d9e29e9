//! Transactions that wait for a block: bounded, fair between members, in order within a member.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use etibar_ledger::result::TRANSACTIONS_MAX;
use etibar_primitives::{BlockTime, Digest, MemberId};

use crate::{block::Transaction, config::Limits};

/// How many finalized transactions are remembered, so that a late copy is known as such.
const FINALIZED_REMEMBERED: usize = 200_000;

/// A transaction whose signature was checked, and what the mempool has to know of it.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) transaction: Transaction,
    pub(crate) member: MemberId,
    pub(crate) valid_from: BlockTime,
    pub(crate) valid_until: BlockTime,
}

/// What became of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It waits now.
    Added,
    /// It was waiting already.
    Waiting,
    /// It is in a finalized block.
    Finalized,
    /// There is no room.
    Overloaded,
}

/// The waiting transactions.
#[derive(Debug)]
pub(crate) struct Mempool {
    limits: Limits,
    queues: BTreeMap<MemberId, Queue>,
    waiting: HashSet<Digest>,
    bytes: usize,
    /// The member whose turn it was last.
    last: MemberId,
    finalized: Remembered,
}

#[derive(Debug, Default)]
struct Queue {
    candidates: VecDeque<Candidate>,
    bytes: usize,
}

/// A bounded memory of finalized transactions, oldest forgotten first.
#[derive(Debug, Default)]
struct Remembered {
    heights: HashMap<Digest, u64>,
    order: VecDeque<Digest>,
}

impl Mempool {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            queues: BTreeMap::new(),
            waiting: HashSet::new(),
            bytes: 0,
            last: MemberId(0),
            finalized: Remembered::default(),
        }
    }

    /// What is known of a transaction before any effort is spent on it.
    pub(crate) fn lookup(&self, digest: &Digest) -> Option<Admission> {
        if self.waiting.contains(digest) {
            return Some(Admission::Waiting);
        }
        self.finalized.heights.contains_key(digest).then_some(Admission::Finalized)
    }

    /// Whether a transaction of `size` bytes of `member` finds room.
    pub(crate) fn has_room(&self, member: MemberId, size: usize) -> bool {
        let own = self.queues.get(&member).map_or(0, |queue| queue.bytes);
        own + size <= self.limits.member_bytes && self.bytes + size <= self.limits.mempool_bytes
    }

    /// Takes a checked transaction in.
    pub(crate) fn add(&mut self, candidate: Candidate) -> Admission {
        if let Some(known) = self.lookup(&candidate.transaction.digest) {
            return known;
        }
        let size = candidate.transaction.bytes.len();
        if !self.has_room(candidate.member, size) {
            return Admission::Overloaded;
        }
        self.waiting.insert(candidate.transaction.digest);
        self.bytes += size;
        let queue = self.queues.entry(candidate.member).or_default();
        queue.bytes += size;
        queue.candidates.push_back(candidate);
        Admission::Added
    }

    /// Whether the signature of the transaction was checked on the way in.
    pub(crate) fn is_checked(&self, digest: &Digest) -> bool {
        self.waiting.contains(digest)
    }

    /// Transactions for a block at `time`: one of each member in turn, none of `taken`.
    pub(crate) fn select(&mut self, time: BlockTime, taken: &HashSet<Digest>) -> Vec<Transaction> {
        let mut chosen = Vec::new();
        let mut room = self.limits.block_bytes;
        let mut turns = self.turns();
        while !turns.is_empty() && chosen.len() < TRANSACTIONS_MAX {
            turns.retain_mut(|(member, position)| {
                let queue = &self.queues[&*member].candidates;
                let eligible = |candidate: &Candidate| {
                    !taken.contains(&candidate.transaction.digest)
                        && candidate.valid_from <= time
                        && time < candidate.valid_until
                };
                let skipped = queue.iter().skip(*position).position(eligible);
                let Some(found) = skipped.map(|skipped| *position + skipped) else { return false };
                let transaction = &queue[found].transaction;
                if transaction.bytes.len() > room || chosen.len() == TRANSACTIONS_MAX {
                    return false;
                }
                room -= transaction.bytes.len();
                chosen.push(transaction.clone());
                *position = found + 1;
                self.last = *member;
                true
            });
        }
        chosen
    }

    /// The members with waiting transactions, from the one after the last that had a turn.
    fn turns(&self) -> Vec<(MemberId, usize)> {
        let after =
            self.queues.range((std::ops::Bound::Excluded(self.last), std::ops::Bound::Unbounded));
        after.chain(self.queues.range(..=self.last)).map(|(member, _)| (*member, 0)).collect()
    }

    /// Forgets what a finalized block holds and what expired by its time.
    pub(crate) fn finalized(&mut self, height: u64, time: BlockTime, block: &[Transaction]) {
        let mut gone = HashSet::with_capacity(block.len());
        for transaction in block {
            self.finalized.insert(transaction.digest, height);
            if self.waiting.remove(&transaction.digest) {
                gone.insert(transaction.digest);
            }
        }
        for queue in self.queues.values_mut() {
            let Queue { candidates, bytes } = queue;
            candidates.retain(|candidate| {
                let digest = &candidate.transaction.digest;
                let keep = !gone.contains(digest) && time < candidate.valid_until;
                if !keep {
                    *bytes -= candidate.transaction.bytes.len();
                    self.bytes -= candidate.transaction.bytes.len();
                    self.waiting.remove(digest);
                }
                keep
            });
        }
        self.queues.retain(|_, queue| !queue.candidates.is_empty());
    }

    /// How many bytes wait.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many transactions wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}

impl Remembered {
    fn insert(&mut self, digest: Digest, height: u64) {
        if self.heights.insert(digest, height).is_none() {
            self.order.push_back(digest);
        }
        if self.order.len() > FINALIZED_REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.heights.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn limits() -> Limits {
        Limits { block_bytes: 40, mempool_bytes: 100, member_bytes: 60, ..Limits::default() }
    }

    /// A candidate of 10 bytes.
    fn candidate(member: u32, number: u8) -> Candidate {
        let mut digest = [number; 32];
        digest[0] = u8::try_from(member).expect("small");
        Candidate {
            transaction: Transaction {
                digest: Digest(digest),
                bytes: Bytes::from(vec![number; 10]),
            },
            member: MemberId(member),
            valid_from: BlockTime(10),
            valid_until: BlockTime(20),
        }
    }

    fn numbers(chosen: &[Transaction]) -> Vec<(u8, u8)> {
        chosen.iter().map(|one| (one.digest.0[0], one.digest.0[1])).collect()
    }

    #[test]
    fn members_take_turns_and_each_keeps_its_order() {
        let mut mempool = Mempool::new(limits());
        for number in 1..=4 {
            assert_eq!(mempool.add(candidate(1, number)), Admission::Added);
        }
        assert_eq!(mempool.add(candidate(2, 1)), Admission::Added);
        let chosen = mempool.select(BlockTime(10), &HashSet::new());
        assert_eq!(numbers(&chosen), [(1, 1), (2, 1), (1, 2), (1, 3)]);
        let taken = chosen.iter().map(|one| one.digest).collect();
        assert_eq!(numbers(&mempool.select(BlockTime(10), &taken)), [(1, 4)]);
    }

    #[test]
    fn a_repeat_is_known_and_a_full_share_is_refused() {
        let mut mempool = Mempool::new(limits());
        for number in 1..=6 {
            assert_eq!(mempool.add(candidate(1, number)), Admission::Added);
        }
        assert_eq!(mempool.add(candidate(1, 6)), Admission::Waiting);
        assert_eq!(mempool.add(candidate(1, 7)), Admission::Overloaded);
        for number in 1..=4 {
            assert_eq!(mempool.add(candidate(2, number)), Admission::Added);
        }
        assert_eq!(mempool.add(candidate(3, 1)), Admission::Overloaded);
        assert_eq!((mempool.bytes(), mempool.len()), (100, 10));
    }

    #[test]
    fn what_was_finalized_or_expired_leaves_and_stays_known() {
        let mut mempool = Mempool::new(limits());
        let first = candidate(1, 1);
        assert_eq!(mempool.add(first.clone()), Admission::Added);
        assert_eq!(mempool.add(candidate(1, 2)), Admission::Added);
        mempool.finalized(1, BlockTime(15), std::slice::from_ref(&first.transaction));
        assert_eq!(mempool.add(first), Admission::Finalized);
        assert_eq!((mempool.bytes(), mempool.len()), (10, 1));
        mempool.finalized(2, BlockTime(20), &[]);
        assert_eq!((mempool.bytes(), mempool.len()), (0, 0));
    }

    #[test]
    fn what_is_not_valid_yet_or_any_more_is_not_chosen() {
        let mut mempool = Mempool::new(limits());
        assert_eq!(mempool.add(candidate(1, 1)), Admission::Added);
        assert!(mempool.select(BlockTime(9), &HashSet::new()).is_empty());
        assert!(mempool.select(BlockTime(20), &HashSet::new()).is_empty());
        assert_eq!(mempool.select(BlockTime(19), &HashSet::new()).len(), 1);
    }
}
