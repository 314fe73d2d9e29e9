//! Pages of a member's events: what a member follows by cursor.

use super::{
    CHAIN_LENGTH_MAX, Certified, Claim, DecodeError, Digest, Event, MemberId, ProofError, Reader,
    SummaryProof, Vec, Writer, merkle,
};
use crate::result::EVENTS_MAX;

/// All events of one member in one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockEvents {
    /// The block.
    pub height: u64,
    /// Where the member's root stands in the block.
    pub summary: SummaryProof,
    /// Every event under that root, in order.
    pub events: Vec<Event>,
}

/// The events of one member over some blocks, in order and without a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    /// Whole blocks in rising height; the first may begin before the cursor that was asked for.
    pub blocks: Vec<BlockEvents>,
    /// The records of all heights from the first block's on, certified.
    pub certified: Certified,
}

impl EventPage {
    const MAGIC: [u8; 4] = *b"EBP1";

    /// Checks everything but the certificate: that these are all of `member`'s events from some
    /// index at or before `cursor` on. Gives what the certificate must prove.
    pub fn check(
        &self,
        network: &Digest,
        member: MemberId,
        cursor: u64,
    ) -> Result<Claim<'_>, ProofError> {
        let first = self.blocks.first().ok_or(ProofError::Gap)?;
        let mut next = first.summary.summary.first;
        if next > cursor {
            return Err(ProofError::Gap);
        }
        let start = self.certified.records.first().ok_or(ProofError::Records)?.height;
        for block in &self.blocks {
            let summary = &block.summary.summary;
            if summary.member != member || summary.first != next {
                return Err(ProofError::Gap);
            }
            let record = block
                .height
                .checked_sub(start)
                .and_then(|offset| self.certified.records.get(usize::try_from(offset).ok()?))
                .ok_or(ProofError::Records)?;
            block.check(&record.receipts_root)?;
            next = next.checked_add(u64::from(summary.count)).ok_or(ProofError::Gap)?;
        }
        self.certified.check(network)
    }

    /// Appends the page.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put(&Self::MAGIC);
        out.put_count(self.blocks.len());
        for block in &self.blocks {
            out.put_u64(block.height);
            block.summary.encode(&mut out);
            out.put_count(block.events.len());
            block.events.iter().for_each(|event| event.encode(&mut out));
        }
        self.certified.encode(&mut out);
        out
    }

    /// Reads a whole page.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        if reader.array::<4>()? != Self::MAGIC {
            return Err(DecodeError::OutOfRange("event page magic"));
        }
        let count = reader.count(CHAIN_LENGTH_MAX, "blocks")?;
        let blocks =
            (0..count).map(|_| BlockEvents::decode(&mut reader)).collect::<Result<_, _>>()?;
        let certified = Certified::decode(&mut reader)?;
        reader.finish()?;
        Ok(Self { blocks, certified })
    }
}

impl BlockEvents {
    fn check(&self, receipts_root: &Digest) -> Result<(), ProofError> {
        let summary = &self.summary.summary;
        let leaves: Vec<_> = self.events.iter().map(Event::leaf).collect();
        if usize::try_from(summary.count) != Ok(leaves.len()) {
            return Err(ProofError::Gap);
        }
        if merkle::root_of(leaves) != summary.root {
            return Err(ProofError::Event);
        }
        self.summary.check(receipts_root)
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let height = reader.u64()?;
        let summary = SummaryProof::decode(reader)?;
        let count = reader.count(EVENTS_MAX, "events")?;
        let events = (0..count).map(|_| Event::decode(reader)).collect::<Result<_, _>>()?;
        Ok(Self { height, summary, events })
    }
}
