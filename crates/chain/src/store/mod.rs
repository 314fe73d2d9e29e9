//! What a validator keeps: the state, and what became of every block.

pub(crate) mod results;
pub(crate) mod state;
