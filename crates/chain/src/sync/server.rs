//! Answers validators that synchronize.

use std::{num::NonZeroU64, sync::Arc};

use bytes::Bytes;
use commonware_codec::{DecodeExt as _, Encode as _, EncodeSize as _};
use commonware_consensus::types::Height;
use commonware_parallel::Strategy;
use commonware_storage::qmdb::sync::{Request, Source as _};
use etibar_ledger::receipt::Certified;
use futures::channel::oneshot;
use tokio::sync::mpsc;

use super::{HEADER_BYTES, MESSAGE_BYTES_MAX, offer::Offer};
use crate::{
    engine::{Marshal, Runtime},
    executor::Query,
    shared::Shared,
    store::state::{Family, State, Target},
};

pub(super) const KIND_OFFER: u8 = 0;
pub(super) const KIND_OPERATIONS: u8 = 1;
/// The most operations of one answer.
pub(super) const OPERATIONS_MAX: NonZeroU64 = NonZeroU64::new(256).expect("not zero");
/// How far below the offered height a certified block is searched.
const FLOOR_DISTANCE_MAX: u64 = 64;

/// A question about the state.
pub(crate) enum StateQuery {
    /// What to fetch for the state of a height, `None` when that is not remembered.
    Target(u64, oneshot::Sender<Option<Target>>),
    /// Operations, encoded; empty when there are none.
    Operations(Request<Family>, oneshot::Sender<Vec<u8>>),
}

/// Where answers come from.
pub(crate) struct Source {
    pub(crate) shared: Arc<Shared>,
    pub(crate) queries: mpsc::Sender<Query>,
    pub(crate) marshal: Marshal,
}

impl Source {
    /// The answer to a request; empty when there is nothing to offer, `None` when there is
    /// something and it cannot be proven at this moment.
    pub(super) async fn answer(&self, request: &Bytes) -> Option<Vec<u8>> {
        match *request.first()? {
            KIND_OFFER if self.shared.executed.borrow().record.height == 0 => Some(Vec::new()),
            KIND_OFFER => self.offer().await.map(|offer| offer.encode()),
            KIND_OPERATIONS => {
                let request = Request::decode(request.slice(1..)).ok()?;
                self.ask(|reply| StateQuery::Operations(request, reply)).await
            }
            _ => None,
        }
    }

    async fn ask<T>(&self, query: impl FnOnce(oneshot::Sender<T>) -> StateQuery) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.queries.send(Query::Sync(query(reply))).await.ok()?;
        answer.await.ok()
    }

    /// The newest certified state.
    async fn offer(&self) -> Option<Offer> {
        let executed = self.shared.executed.borrow().record.height;
        let tip = self.shared.certified.borrow().clone()?.header;
        let height = tip.executed_height;
        if height == 0 || height > executed {
            return None;
        }
        let (record, header, certificate) = {
            let recent = self.shared.recent();
            let record = recent.record(height)?;
            let (_, certificate) = recent.certificate_at(tip.height)?;
            (record, recent.header(&record.block)?, certificate.clone())
        };
        let target = self.ask(|reply| StateQuery::Target(height, reply)).await??;
        let lowest = (height + 1).saturating_sub(FLOOR_DISTANCE_MAX).max(1);
        for at in (lowest..=height + 1).rev() {
            let Some(finalization) = self.marshal.get_finalization(Height::new(at)).await else {
                continue;
            };
            let digest = etibar_primitives::Digest(finalization.proposal.payload.0);
            let floor = self.shared.recent().header(&digest)?;
            let certified = Certified { records: vec![record], headers: vec![tip], certificate };
            let floor_certificate = finalization.encode().to_vec();
            return Some(Offer { certified, header, target, floor, floor_certificate });
        }
        None
    }
}

impl StateQuery {
    /// Answers from the state, with what is remembered of `targets`.
    pub(crate) async fn answer<E: Runtime, T: Strategy>(
        self,
        state: &State<E, T>,
        targets: &std::collections::BTreeMap<u64, Target>,
    ) {
        match self {
            Self::Target(height, reply) => {
                let _ = reply.send(targets.get(&height).cloned());
            }
            Self::Operations(request, reply) => {
                let _ = reply.send(operations(state, request).await);
            }
        }
    }
}

/// As many of the operations that were asked for as fit into a message.
async fn operations<E: Runtime, T: Strategy>(
    state: &State<E, T>,
    request: Request<Family>,
) -> Vec<u8> {
    let mut request = match request {
        Request::Operations { size, start, max_ops } => {
            Request::Operations { size, start, max_ops: max_ops.min(OPERATIONS_MAX) }
        }
        boundary @ Request::Boundary { .. } => boundary,
    };
    loop {
        let Ok((response, _)) = state.db.serve(request).await else { return Vec::new() };
        if response.encode_size() + HEADER_BYTES <= MESSAGE_BYTES_MAX {
            return response.encode().to_vec();
        }
        let Request::Operations { size, start, max_ops } = request else { return Vec::new() };
        let Some(fewer) = NonZeroU64::new(max_ops.get() / 2) else { return Vec::new() };
        request = Request::Operations { size, start, max_ops: fewer };
    }
}
