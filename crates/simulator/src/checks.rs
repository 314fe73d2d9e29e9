//! What must hold at the end of every run.

use std::{future::Future, pin::Pin, sync::PoisonError};

use commonware_cryptography::ed25519;
use commonware_glue::simulate::{property::Property, tracker::ProgressTracker};

use crate::Observed;

type Checking<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// How many of the newest heights are compared.
const HEIGHTS_COMPARED: usize = 100;

/// All validators have the same result of each height.
#[derive(Debug, Clone, Copy)]
pub struct SameResults;

impl Property<ed25519::PublicKey, Observed> for SameResults {
    fn name(&self) -> &'static str {
        "all validators have the same results"
    }

    fn check<'a>(
        &'a self,
        _: &'a ProgressTracker<ed25519::PublicKey>,
        states: &'a [&'a Observed],
    ) -> Checking<'a> {
        Box::pin(async move {
            let handles: Vec<_> = states.iter().filter_map(|state| state.handle.get()).collect();
            let heights = handles.iter().map(|handle| handle.status().executed.height);
            let common = heights.min().ok_or("no validator serves")?;
            let mut compared = 0;
            let mut first: Option<Vec<_>> = None;
            for handle in handles {
                let blocks = handle.blocks(common, HEIGHTS_COMPARED).await;
                let blocks = blocks.map_err(|error| error.to_string())?;
                let records: Vec<_> = blocks.iter().map(|block| block.record).collect();
                let known = first.get_or_insert_with(|| records.clone());
                // A validator that joined late has fewer.
                let (ours, theirs) = (known.iter(), records.iter());
                for (ours, theirs) in ours.zip(theirs) {
                    if ours != theirs {
                        return Err(format!("results differ: {ours:?} and {theirs:?}"));
                    }
                    compared += 1;
                }
            }
            if compared == 0 { Err("nothing was compared".to_owned()) } else { Ok(()) }
        })
    }
}

/// Some payments were made, and every receipt proves its operation.
#[derive(Debug, Clone, Copy)]
pub struct ProvenReceipts;

impl Property<ed25519::PublicKey, Observed> for ProvenReceipts {
    fn name(&self) -> &'static str {
        "payments are made and proven"
    }

    fn check<'a>(
        &'a self,
        _: &'a ProgressTracker<ed25519::PublicKey>,
        states: &'a [&'a Observed],
    ) -> Checking<'a> {
        Box::pin(async move {
            let mut proven = 0;
            for state in states {
                let Some(handle) = state.handle.get() else { continue };
                let submitted =
                    state.submitted.lock().unwrap_or_else(PoisonError::into_inner).clone();
                for (member, id) in submitted {
                    let receipt = handle.receipt(member, id).await;
                    let Ok(Some(receipt)) = receipt else { continue };
                    let checked = receipt.check(&state.network);
                    checked.map_err(|error| format!("a receipt proves nothing: {error}"))?;
                    proven += 1;
                }
                let page = handle.events(etibar_primitives::MemberId(2), 0, 1 << 20).await;
                if let Ok(Some(page)) = page {
                    let checked = page.check(&state.network, etibar_primitives::MemberId(2), 0);
                    checked.map_err(|error| format!("a page proves nothing: {error}"))?;
                }
            }
            if proven == 0 { Err("no payment was proven".to_owned()) } else { Ok(()) }
        })
    }
}

/// So many validators have no first block: it was dropped, or it lies before the state that they
/// joined by.
#[derive(Debug, Clone, Copy)]
pub struct WithoutFirstBlock(pub usize);

impl Property<ed25519::PublicKey, Observed> for WithoutFirstBlock {
    fn name(&self) -> &'static str {
        "some validators begin after the first block"
    }

    fn check<'a>(
        &'a self,
        _: &'a ProgressTracker<ed25519::PublicKey>,
        states: &'a [&'a Observed],
    ) -> Checking<'a> {
        Box::pin(async move {
            let mut without = 0;
            for state in states {
                let Some(handle) = state.handle.get() else { continue };
                let first = handle.blocks(1, 1).await.map_err(|error| error.to_string())?;
                without += usize::from(first.is_empty());
            }
            if without == self.0 {
                Ok(())
            } else {
                Err(format!("{without} validators have no first block, not {}", self.0))
            }
        })
    }
}
