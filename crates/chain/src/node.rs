//! Running a validator.

use crate::{ChainError, Handle, ValidatorConfig};

/// Runs a validator on this thread until [`Handle::stop`] is called; blocks meanwhile.
///
/// `ready` is called once, from a thread of the validator's runtime, as soon as the validator
/// serves: it must not block. What was executed is durable at any time: the process may be killed.
///
/// # Errors
/// A configuration that contradicts the genesis.
///
/// # Panics
/// When storage fails, or when this validator's own data contradict each other or the others':
/// the process must then end; a supervisor starts it again.
pub fn run_validator(
    config: ValidatorConfig,
    ready: impl FnOnce(Handle) + Send + 'static,
) -> Result<(), ChainError> {
    config.genesis.check()?;
    drop((config, ready));
    Err(ChainError::Config("not yet"))
}
