//! `etibar tour`: the sample network shows what it does and checks every step itself.
//!
//! The tour starts a network of its own in a temporary folder, or visits a running one, sends real
//! ISO 20022 messages to the banks' edges, kills processes, and believes nothing but verified
//! receipts.

mod chapter;
mod chapters;
mod country;
mod gateway;
mod message;
mod stage;

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Instant};

use clap::Args;
use serde_json::json;

use crate::{
    failure::{self, Failure},
    up::Voice,
};

use chapter::Chapter;

pub(crate) use country::{Citizen, Country, broken};
pub(crate) use gateway::Gateway;
pub(crate) use message::{Order, Payee, fresh_uetr, iban};
pub(crate) use stage::Stage;

/// How to take the tour.
#[derive(Debug, Args)]
pub(crate) struct TourArguments {
    /// Print one JSON document at the end, and nothing else.
    #[arg(long)]
    json: bool,
    /// Also kill every process in turn while payments and identifications go on, the agencies and
    /// the people's wallet among them; takes a few minutes.
    #[arg(long)]
    storm: bool,
    /// Keep the network's folder, to look at it afterwards.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Visit the network that `etibar up` runs from this folder instead of starting one; its
    /// processes are left alone, so the chapters about failures are not told.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["storm", "keep"])]
    connect: Option<PathBuf>,
}

/// Takes the tour; ends with success only if every check holds.
pub(crate) fn run(arguments: &TourArguments) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failure::system("cannot start the asynchronous runtime"))?;
    runtime.block_on(take(arguments))
}

async fn take(arguments: &TourArguments) -> Result<ExitCode, Failure> {
    let began = Instant::now();
    let temporary =
        tempfile::tempdir().map_err(failure::system("cannot make a temporary folder"))?;
    let folder = arguments.keep.as_deref().unwrap_or(temporary.path());
    let voice = Arc::new(if arguments.json { Voice::quiet() } else { Voice::for_people() });
    let (stage, first) = match &arguments.connect {
        Some(running) => Stage::visit(running, !arguments.json).await?,
        None => Stage::set(folder, voice, !arguments.json).await?,
    };
    let mut told = vec![first];
    // A chapter that breaks off stands in the report; the network is stopped in any case.
    chapters::tell(&stage, arguments.storm, &mut told).await;
    stage.clear().await;
    let ok = told.iter().all(Chapter::is_ok);
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    if arguments.json {
        let chapters: Vec<_> = told.iter().map(Chapter::to_json).collect();
        println!("{}", json!({ "ok": ok, "duration_ms": took_ms, "chapters": chapters }));
    } else {
        let checks: usize = told.iter().map(Chapter::checks).sum();
        let verdict = if ok { "every check held" } else { "NOT every check held" };
        println!("\n{verdict}: {checks} checks in {} chapters, {took_ms} ms", told.len());
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
