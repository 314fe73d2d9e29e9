//! `etibar bench`: what a network on this machine settles, beside what the machine can do at most.
//!
//! Of payments everything is real: processes, connections on the loopback address, signatures,
//! disks, and every outcome is counted only when its proof has been verified by the bank that
//! submitted it. What credentials and consents cost by themselves is measured in this process.

mod authority;
mod bank;
mod gateway;
mod identity;
mod latency;
mod limits;
mod payments;
mod report;
mod scale;
mod stage;
mod usage;

use std::process::ExitCode;

use clap::Subcommand;

use crate::failure::{self, Failure};

/// What to measure.
#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Payments between banks, from the signed order to the verified receipt.
    Payments(payments::Arguments),
    /// Payments of many clients, one at a time each, through the banks' gateways.
    Gateway(gateway::Arguments),
    /// Credentials issued, presented and verified, beside the machine's own signatures; accounts
    /// opened with them.
    Identity(identity::Arguments),
    /// What millions of status entries and consents weigh.
    Scale(scale::Arguments),
}

/// Measures and prints.
pub(crate) fn run(command: &BenchCommand) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(failure::system("cannot start the asynchronous runtime"))?;
    match command {
        BenchCommand::Payments(arguments) => runtime.block_on(payments::run(arguments)),
        BenchCommand::Gateway(arguments) => runtime.block_on(gateway::run(arguments)),
        BenchCommand::Identity(arguments) => runtime.block_on(identity::run(arguments)),
        BenchCommand::Scale(arguments) => {
            scale::run(arguments);
            Ok(ExitCode::SUCCESS)
        }
    }
}
