//! Pages of events: all of a member's events from a cursor on, proven.

use etibar_ledger::receipt::{Event, EventPage, ProofError};
use etibar_primitives::{BlockTime, MemberId, codec::DecodeError};

use super::{CertificateError, Verifier, decode_code};

/// All events of one member in one block, from the cursor on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedEvents {
    /// The index of the first event among all events the member ever had.
    pub first: u64,
    /// The block's height.
    pub height: u64,
    /// The block's time.
    pub time: BlockTime,
    /// The events, in order.
    pub events: Vec<Event>,
}

/// Why a page of events proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// The bytes are no page.
    #[error("the page of events is malformed: {0}")]
    Malformed(#[from] DecodeError),
    /// The page does not hold together.
    #[error("the page of events proves nothing: {0}")]
    Proof(#[from] ProofError),
    /// The header at its end is not certified.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

impl PageError {
    /// The stable code in interfaces.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(error) => decode_code(*error),
            Self::Proof(_) => "proof_invalid",
            Self::Certificate(error) => error.code(),
        }
    }
}

impl VerifiedEvents {
    /// The index after the last event: the cursor to go on from.
    pub fn next(&self) -> u64 {
        self.first + u64::try_from(self.events.len()).expect("a block has few events")
    }
}

impl Verifier {
    /// Checks that `bytes` hold all of `member`'s events from `cursor` on, as far as they go.
    /// Gives them block by block; events before the cursor are left out.
    ///
    /// Speed: some million events a second on one core; see the test
    /// `a_page_is_verified_faster_than_a_core_has_to`.
    pub fn page(
        &self,
        member: MemberId,
        cursor: u64,
        bytes: &[u8],
    ) -> Result<Vec<VerifiedEvents>, PageError> {
        let page = EventPage::from_bytes(bytes)?;
        let claim = page.check(&self.network, member, cursor)?;
        self.claim(claim, &page.certified.certificate)?;
        let records = &page.certified.records;
        let start = records.first().ok_or(ProofError::Records)?.height;
        let mut verified = Vec::with_capacity(page.blocks.len());
        for block in page.blocks {
            let (first, mut events) = (block.summary.summary.first, block.events);
            let behind = usize::try_from(cursor.saturating_sub(first)).unwrap_or(usize::MAX);
            events.drain(..behind.min(events.len()));
            if events.is_empty() {
                continue;
            }
            let offset = block.height.checked_sub(start).and_then(|its| usize::try_from(its).ok());
            let record = offset.and_then(|its| records.get(its)).ok_or(ProofError::Records)?;
            let first = first.max(cursor);
            verified.push(VerifiedEvents {
                first,
                height: block.height,
                time: record.time,
                events,
            });
        }
        // A page that ends before the cursor says nothing about what was asked.
        if verified.is_empty() { Err(ProofError::Gap.into()) } else { Ok(verified) }
    }
}
