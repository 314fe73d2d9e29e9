//! Why a validator cannot run.

use etibar_ledger::genesis::GenesisError;

/// Why a validator cannot start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The genesis is none.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The configuration contradicts the genesis or itself.
    #[error("configuration: {0}")]
    Config(&'static str),
    /// A part of the validator ended by itself.
    #[error("the part {0} of the validator stopped")]
    Stopped(&'static str),
}
