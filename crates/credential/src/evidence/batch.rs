//! A batch of receipts under one Merkle root, and the proof that one of them is in it.

use etibar_primitives::{BlockTime, Digest, MemberId, OperationId, merkle};
use serde::{Deserialize, Serialize};

/// The most receipts of one anchor.
pub const RECEIPTS_MAX: usize = 65_536;

/// Receipts to anchor together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    leaves: Vec<Digest>,
    from: BlockTime,
    until: BlockTime,
}

/// A batch's root as the ledger anchors it: operation `EvidenceAnchor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// The member that anchored.
    pub member: MemberId,
    /// The ledger operation.
    pub operation: OperationId,
    /// The root.
    pub root: Digest,
    /// How many receipts.
    pub count: u32,
    /// The earliest moment of a receipt in it.
    pub from: BlockTime,
    /// The latest.
    pub until: BlockTime,
}

/// Where a receipt stands in an anchored batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inclusion {
    /// Its place, from 0.
    pub index: u32,
    /// How many receipts the batch has.
    pub count: u32,
    /// The siblings from the leaf up.
    pub path: Vec<Digest>,
}

impl Batch {
    /// The batch of these receipts: [`super::receipt_digest`] and time of each, in order. `None`
    /// for none, or for more than [`RECEIPTS_MAX`].
    pub fn new(receipts: &[(Digest, BlockTime)]) -> Option<Self> {
        if receipts.len() > RECEIPTS_MAX {
            return None;
        }
        let times = || receipts.iter().map(|(_, time)| *time);
        let (from, until) = (times().min()?, times().max()?);
        Some(Self { leaves: receipts.iter().map(|(digest, _)| *digest).collect(), from, until })
    }

    /// The root.
    pub fn root(&self) -> Digest {
        merkle::root(&self.leaves)
    }

    /// How many receipts.
    pub fn count(&self) -> u32 {
        u32::try_from(self.leaves.len()).expect("`new` allows 65,536 at most")
    }

    /// The earliest and the latest moment of a receipt in it.
    pub const fn interval(&self) -> (BlockTime, BlockTime) {
        (self.from, self.until)
    }

    /// The proof for the receipt at `index`; `None` when there is none.
    pub fn inclusion(&self, index: u32) -> Option<Inclusion> {
        let place = usize::try_from(index).ok()?;
        let path = merkle::path(&self.leaves, place)?.0;
        Some(Inclusion { index, count: self.count(), path })
    }

    /// The anchor that the ledger holds once `member`'s `operation` is executed.
    pub fn anchor(&self, member: MemberId, operation: OperationId) -> Anchor {
        let (from, until) = self.interval();
        Anchor { member, operation, root: self.root(), count: self.count(), from, until }
    }
}

impl Inclusion {
    /// Whether the receipt with this digest is in the anchored batch at this place.
    pub fn leads_to(&self, receipt: Digest, anchor: &Anchor) -> bool {
        let path = merkle::Path(self.path.clone());
        self.count == anchor.count
            && self.path.len() <= merkle::PATH_LENGTH_MAX
            && path.root(receipt, u64::from(self.index), u64::from(self.count)) == Some(anchor.root)
    }
}
