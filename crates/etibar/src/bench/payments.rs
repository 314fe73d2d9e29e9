//! `etibar bench payments`: the load, the measurement, the figures.

use std::{path::Path, process::ExitCode, sync::Arc, time::Duration};

use clap::{Args, ValueEnum};
use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use super::{
    bank::{Finished, Load, Pace},
    latency::Latencies,
    limits::Limits,
    report::Report,
    stage::Stage,
    usage,
};
use crate::{failure::Failure, up::Voice};

/// How long the network runs under load before anything is counted.
const WARM_UP: Duration = Duration::from_secs(3);
/// How long payments that were started may take to end after the measurement.
const DRAIN: Duration = Duration::from_secs(10);

/// How to load the network.
#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    /// How many validators agree; three times f and one more tolerate f that fail in any way.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub(crate) validators: u8,
    /// Between how many accounts the payments move.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(10..=10_000))]
    pub(crate) accounts: u16,
    /// Payments in one signed transaction.
    #[arg(long, default_value_t = 8_189, value_parser = clap::value_parser!(u16).range(1..=8_190))]
    pub(crate) batch: u16,
    /// How long to measure, after three seconds of warm-up.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=3_600))]
    pub(crate) seconds: u16,
    /// Open loop: start this many payments per second, whatever becomes of them. Without it,
    /// closed loop: each bank starts a batch when its last one has ended.
    #[arg(long)]
    pub(crate) rate: Option<u32>,
    /// Closed loop: how many banks submit at the same time.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=10))]
    pub(crate) submitters: u8,
    /// What a payment is.
    #[arg(long, value_enum, default_value_t = Kind::Direct)]
    pub(crate) kind: Kind,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a payment is on the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// One transfer that settles at once.
    Direct,
    /// A reserve by the payer's bank and a post by the payee's.
    Instant,
}

/// What one run counted.
pub(crate) struct Measured {
    pub(crate) window: Duration,
    pub(crate) latencies: Latencies,
    pub(crate) refused: u64,
    pub(crate) unfinished: u64,
    pub(crate) validator_cpu: Duration,
    pub(crate) client_cpu: Duration,
    pub(crate) memory_peak: u64,
    /// Growth of all validators' folders over the whole run, and the payments of the whole run.
    pub(crate) disk_growth: u64,
    pub(crate) settled_in_all: u64,
}

/// Starts a network, loads it, prints the figures.
pub(crate) async fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let folder = tempfile::tempdir().map_err(crate::failure::system("cannot make a folder"))?;
    let voice = Arc::new(if arguments.json { Voice::quiet() } else { Voice::for_people() });
    let limits = Limits::measure(folder.path());
    let limits = limits.map_err(crate::failure::system("cannot measure the machine"))?;
    voice.say("starting the validators");
    let stage = Stage::set(folder.path(), arguments, Arc::clone(&voice)).await?;
    voice.say(&format!("measuring for {} s", arguments.seconds));
    let measured = measure(&stage, arguments, folder.path()).await;
    stage.clear().await;
    let report = Report::new(arguments, limits, measured?);
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report).expect("a report has text keys only"));
    } else {
        print!("{report}");
    }
    let sound = report.refused == 0 && report.payments > 0;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn measure(stage: &Stage, arguments: &Arguments, folder: &Path) -> Result<Measured, Failure> {
    let disk = |folder: &Path| {
        let bytes = usage::disk_bytes(&folder.join("validators"));
        bytes.map_err(crate::failure::file("read", folder))
    };
    let disk_before = disk(folder)?;
    let start = Instant::now();
    let window = Duration::from_secs(u64::from(arguments.seconds));
    let (from, until) = (start + WARM_UP, start + WARM_UP + window);
    let load = Load { from, until, deadline: until + DRAIN, kind: arguments.kind };
    let running: Vec<_> =
        stage.banks(arguments).into_iter().map(|bank| tokio::spawn(bank.run(load))).collect();
    sleep_until(from).await;
    let processes = stage.processes();
    let cpu = || processes.iter().map(|process| usage::cpu_time(*process)).sum::<Duration>();
    let (validators_before, own_before) = (cpu(), usage::cpu_time(std::process::id()));
    sleep_until(until).await;
    let validator_cpu = cpu().saturating_sub(validators_before);
    let client_cpu = usage::cpu_time(std::process::id()).saturating_sub(own_before);
    let mut finished = Finished::default();
    for bank in running {
        finished.add(bank.await.expect("a bank's task does not panic"));
    }
    let peaks = processes.iter().map(|process| usage::memory_peak(*process));
    Ok(Measured {
        window,
        latencies: finished.latencies,
        refused: finished.refused,
        unfinished: finished.unfinished,
        validator_cpu,
        client_cpu,
        memory_peak: peaks.max().unwrap_or(0),
        disk_growth: disk(folder)?.saturating_sub(disk_before),
        settled_in_all: finished.settled_in_all,
    })
}

impl Arguments {
    /// When bank `index` of `banks` starts its batches. Open loop: all share the rate.
    pub(super) fn pace(&self, index: usize, banks: usize) -> Pace {
        match self.rate {
            None if index < usize::from(self.submitters) => Pace::Closed,
            None => Pace::Never,
            Some(rate) => {
                let between = u128::from(self.batch) * 1_000_000_000 / u128::from(rate.max(1));
                let every = between.saturating_mul(u128::try_from(banks).unwrap_or(1));
                Pace::Every(Duration::from_nanos(u64::try_from(every).unwrap_or(u64::MAX)))
            }
        }
    }
}
