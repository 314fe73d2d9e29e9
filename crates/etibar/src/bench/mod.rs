//! `etibar bench`: how many payments per second a network settles.

use std::process::ExitCode;

use clap::Args;

use crate::failure::Failure;

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Print the figures as one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Measures and prints.
#[allow(clippy::unnecessary_wraps, reason = "measuring starts networks, which can fail")]
pub(crate) fn run(_arguments: &Arguments) -> Result<ExitCode, Failure> {
    Ok(ExitCode::FAILURE)
}
