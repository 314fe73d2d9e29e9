//! State sync.

use commonware_parallel::Strategy;

use crate::{engine::Runtime, store::state::State};

pub(crate) const MESSAGE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// What a synchronizing validator asks of the state.
pub(crate) enum StateQuery {}

impl StateQuery {
    pub(crate) async fn answer<E: Runtime, T: Strategy>(self, state: &State<E, T>) {
        let _ = state;
        match self {}
    }
}
