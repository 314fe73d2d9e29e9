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
    #[error("a part of the validator stopped")]
    Stopped,
}
