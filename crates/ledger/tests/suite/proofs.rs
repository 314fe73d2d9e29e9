//! Receipts and event pages: each proves what it says, and nothing else after any changed bit.

use etibar_ledger::{
    block::{BlockHeader, ExecutionRecord},
    receipt::{BlockEvents, Certified, Claim, Event, EventPage, Receipt, SummaryProof},
};
use etibar_primitives::{BlockTime, Digest, MemberId, key::PublicKey, merkle};
use proptest::{prelude::any, strategy::Strategy as _};

use crate::{
    audit,
    law::holds,
    plan::{Plan, plans},
    world::named,
};

/// What a validator keeps of executed blocks.
pub(crate) struct Chain {
    pub(crate) network: Digest,
    pub(crate) records: Vec<ExecutionRecord>,
    pub(crate) headers: Vec<BlockHeader>,
    pub(crate) blocks: Vec<Vec<(MemberId, BlockEvents)>>,
}

/// Executes a plan and chains its blocks; each header commits to the block two before it.
pub(crate) fn chain(plan: &Plan) -> Chain {
    let mut records: Vec<ExecutionRecord> = Vec::new();
    let mut blocks = Vec::new();
    let world = audit::run(plan, |seen, _| {
        let height = seen.after.height();
        records.push(ExecutionRecord {
            height,
            time: seen.after.time(),
            block: named(&format!("block {height}")),
            previous: records.last().map_or(Digest::ZERO, ExecutionRecord::digest),
            state_root: named(&format!("state {height}")),
            receipts_root: seen.executed.receipts_root,
        });
        let pages = seen.executed.result.members.iter().enumerate().map(|(index, its)| {
            let event = |at: &u32| seen.events[usize::try_from(*at).expect("32 bits fit")];
            let summary = SummaryProof::new(&seen.executed.summaries, index);
            let summary = summary.expect("summaries and members are side by side");
            let events = its.positions.iter().map(event).collect();
            (its.member, BlockEvents { height, summary, events })
        });
        blocks.push(pages.collect());
    });
    let network = *world.ledger.network();
    let headers = headers(network, &records);
    Chain { network, records, headers, blocks }
}

fn headers(network: Digest, records: &[ExecutionRecord]) -> Vec<BlockHeader> {
    let mut headers: Vec<BlockHeader> = Vec::new();
    for record in records {
        let height = record.height + 2;
        headers.push(BlockHeader {
            network,
            height,
            time: BlockTime(record.time.0 + 2),
            epoch: 0,
            view: height,
            leader: PublicKey([7; 32]),
            parent_view: height - 1,
            parent: headers.last().map_or(Digest::ZERO, BlockHeader::digest),
            body_root: named("body"),
            transaction_count: 1,
            body_bytes: 384,
            executed_height: record.height,
            executed: record.digest(),
        });
    }
    headers
}

impl Chain {
    /// The records from index `first` to `last`, and all headers from the one that commits to it.
    pub(crate) fn certified(&self, first: usize, last: usize) -> Certified {
        Certified {
            records: self.records[first..=last].to_vec(),
            headers: self.headers[last..].to_vec(),
            certificate: vec![0xce; 64],
        }
    }

    /// A receipt for each event of each member.
    pub(crate) fn receipts(&self) -> impl Iterator<Item = Receipt> + '_ {
        self.blocks.iter().enumerate().flat_map(move |(height, members)| {
            members.iter().flat_map(move |(_, block)| {
                let leaves: Vec<_> = block.events.iter().map(Event::leaf).collect();
                block.events.iter().enumerate().map(move |(index, event)| Receipt {
                    event: *event,
                    index: u32::try_from(index).expect("blocks are small"),
                    path: merkle::path(&leaves, index).expect("the index is a leaf's"),
                    summary: block.summary.clone(),
                    certified: self.certified(height, height),
                })
            })
        })
    }

    /// All events of each member in one page.
    pub(crate) fn pages(&self) -> Vec<(MemberId, EventPage)> {
        let last = self.records.len() - 1;
        let mut members: Vec<_> = self.blocks.iter().flatten().map(|(member, _)| *member).collect();
        members.sort_unstable();
        members.dedup();
        let page = |member: MemberId| {
            let all = self.blocks.iter().flatten();
            let own = all.filter(|(its, _)| *its == member);
            let blocks: Vec<_> = own.map(|(_, block)| block.clone()).collect();
            let first = usize::try_from(blocks[0].height - 1).expect("plans are short");
            (member, EventPage { blocks, certified: self.certified(first, last) })
        };
        members.into_iter().map(page).collect()
    }
}

fn ends_in(claim: Claim<'_>, head: Digest) -> bool {
    match claim {
        Claim::Header(header) => header.digest() == head,
        Claim::Record(record) => record.digest() == head,
    }
}

/// Whether changed bytes still prove something under the same certificate.
fn receipt_holds(chain: &Chain, original: &Receipt, bytes: &[u8]) -> bool {
    let Ok(receipt) = Receipt::from_bytes(bytes) else { return false };
    let head = original.certified.headers.last().expect("receipts have headers").digest();
    receipt.certified.certificate == original.certified.certificate
        && receipt.check(&chain.network).is_ok_and(|claim| ends_in(claim, head))
}

fn page_holds(chain: &Chain, member: MemberId, original: &EventPage, bytes: &[u8]) -> bool {
    let Ok(page) = EventPage::from_bytes(bytes) else { return false };
    let head = original.certified.headers.last().expect("pages have headers").digest();
    page.certified.certificate == original.certified.certificate
        && page.check(&chain.network, member, 0).is_ok_and(|claim| ends_in(claim, head))
}

fn flip(bytes: &mut [u8], bit: usize) {
    let bit = bit % (bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
}

#[test]
fn every_receipt_and_page_proves_itself_and_nothing_with_a_bit_changed() {
    let strategy = (plans(), any::<usize>(), any::<usize>()).prop_map(|its| its);
    holds(&strategy, |(plan, pick, bit)| {
        let chain = chain(&plan);
        let receipts: Vec<_> = chain.receipts().collect();
        for receipt in &receipts {
            assert_eq!(
                receipt.check(&chain.network),
                Ok(Claim::Header(&chain.headers[chain.headers.len() - 1]))
            );
        }
        if let Some(receipt) = receipts.get(pick % receipts.len().max(1)) {
            let mut bytes = receipt.to_bytes();
            assert_eq!(Receipt::from_bytes(&bytes).as_ref(), Ok(receipt));
            flip(&mut bytes, bit);
            assert!(!receipt_holds(&chain, receipt, &bytes), "bit {bit} is not covered");
        }
        for (member, page) in chain.pages() {
            let mut bytes = page.to_bytes();
            assert_eq!(EventPage::from_bytes(&bytes).as_ref(), Ok(&page));
            assert!(page_holds(&chain, member, &page, &bytes));
            flip(&mut bytes, bit);
            assert!(!page_holds(&chain, member, &page, &bytes), "bit {bit} is not covered");
        }
    });
}

#[test]
fn every_single_bit_of_a_receipt_and_of_a_page_is_covered() {
    let plan: Plan = (0..6_u64)
        .map(|block| (3, (0..3).map(|word| vec![(block * 7 + word) << 10; 2]).collect()))
        .collect();
    let chain = chain(&plan);
    let receipt = chain.receipts().last().expect("the plan has events");
    let bytes = receipt.to_bytes();
    assert!(receipt_holds(&chain, &receipt, &bytes));
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        flip(&mut changed, bit);
        assert!(!receipt_holds(&chain, &receipt, &changed), "receipt bit {bit}");
    }
    let (member, page) = chain.pages().pop().expect("the plan has events");
    let bytes = page.to_bytes();
    assert!(page_holds(&chain, member, &page, &bytes));
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        flip(&mut changed, bit);
        assert!(!page_holds(&chain, member, &page, &changed), "page bit {bit}");
    }
}

#[test]
fn a_page_that_leaves_events_out_or_is_anothers_is_refused() {
    holds(&plans(), |plan| {
        let chain = chain(&plan);
        for (member, page) in chain.pages() {
            let stranger = MemberId(member.0 + 1);
            assert!(page.check(&chain.network, stranger, 0).is_err());
            assert!(page.check(&named("another network"), member, 0).is_err());
            for left_out in 0..page.blocks.len() {
                let mut shorter = page.clone();
                shorter.blocks.remove(left_out);
                let last = left_out + 1 == page.blocks.len() && !shorter.blocks.is_empty();
                // Without its last block a page is a shorter one, and says no more than it holds.
                assert_eq!(shorter.check(&chain.network, member, 0).is_ok(), last);
            }
            let mut fewer = page.clone();
            fewer.blocks[0].events.pop();
            assert!(fewer.check(&chain.network, member, 0).is_err());
        }
    });
}

#[test]
fn a_proof_with_heights_at_the_end_of_their_range_is_refused() {
    let plan: Plan = vec![(3, vec![vec![1 << 10]]), (3, vec![vec![2 << 10]])];
    let chain = chain(&plan);
    let (member, page) = chain.pages().pop().expect("the plan has events");
    let mut far = page.clone();
    far.certified.records = vec![chain.records[0]; 2];
    far.certified.records[0].height = u64::MAX;
    assert!(far.certified.check(&chain.network).is_err());
    let mut many = page;
    many.blocks[0].summary.summary.first = u64::MAX;
    assert!(many.check(&chain.network, member, u64::MAX).is_err());
}
