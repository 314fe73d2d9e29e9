//! `etibar bench scale`: what a country's credentials and consents weigh.
//!
//! Status lists of millions of credentials, signed, verified and anchored; consents granted, found
//! and revoked on a ledger in memory. One thread, no network and no disk: the figures are the cost
//! of the work itself, which each validator and each issuer has.

mod consents;
mod network;
mod status;

use clap::Args;
use serde::Serialize;

use self::{consents::Consents, status::StatusLists};

/// How much to weigh.
#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    /// How many credentials have an entry in a status list, 1 bit each.
    #[arg(long, default_value_t = 10_000_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    entries: u32,
    /// How many consents stand on the ledger.
    #[arg(long, default_value_t = 1_000_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(10..=2_000_000))]
    consents: u32,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// What was measured.
#[derive(Debug, Serialize)]
struct Report {
    status_lists: StatusLists,
    consents: Consents,
}

/// Measures and prints.
pub(crate) fn run(arguments: &Arguments) {
    let report = Report {
        consents: consents::measure(arguments.consents),
        status_lists: status::measure(arguments.entries),
    };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report).expect("a report has text keys only"));
    } else {
        print!("{}{}", report.status_lists, report.consents);
    }
}
