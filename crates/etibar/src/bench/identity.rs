//! `etibar bench identity`: what issuing, asking, presenting and verifying credentials costs,
//! beside what the machine can sign and check at most; then how fast accounts are opened.
//!
//! The steps: one thread, all messages as on the wire, no network and no disk: a signed request, a
//! consent, a status list, an answer encrypted to the bank. The accounts: everything real.

mod openings;
mod scene;

use std::{
    fmt,
    hint::black_box,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Args;
use etibar_credential::jose::Signer as _;
use serde::Serialize;

use self::{openings::Openings, scene::Scene};
use super::{
    authority,
    latency::{Latencies, Microseconds},
    limits::{per_second, rate},
    report::float,
};
use crate::{failure::Failure, up::Voice};

/// How long to measure.
#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    /// How long to measure, after a second of warm-up.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=3_600))]
    seconds: u16,
    /// How many people then open an account on a network of their own; 0 for none.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u16).range(0..=300))]
    openings: u16,
    /// How many of them at the same time.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    clients: u8,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// What was measured.
#[derive(Debug, Serialize)]
struct Report {
    seconds: u16,
    limits: SignatureLimits,
    issue: Figures,
    ask: Figures,
    present: Figures,
    verify: Figures,
    /// `null` without openings.
    openings: Option<Openings>,
}

/// What one core can do with P-256 at most, in the library that the product uses.
#[derive(Debug, Clone, Copy, Serialize)]
struct SignatureLimits {
    signatures_per_second: u64,
    verifications_per_second: u64,
}

/// One step's figures, of one thread.
#[derive(Debug, Serialize)]
struct Figures {
    count: usize,
    per_second: u64,
    latency: Microseconds,
    /// How many signatures the step makes and checks; a chain has two.
    signatures: Signatures,
    /// The steps per second as a share of what the machine could do if it only signed and checked
    /// as many signatures.
    ratio_to_signatures: f64,
}

/// How many signatures one step makes and checks.
#[derive(Debug, Clone, Copy, Serialize)]
struct Signatures {
    made: u32,
    checked: u32,
}

/// The steps, in their order, with the signatures of each.
#[derive(Default)]
struct Noted {
    issue: Latencies,
    ask: Latencies,
    present: Latencies,
    verify: Latencies,
}

const WARM_UP: Duration = Duration::from_secs(1);

const ISSUE: Signatures = Signatures { made: 1, checked: 0 };
/// The consent and the request.
const ASK: Signatures = Signatures { made: 2, checked: 0 };
/// The request and the consent with the bank's chain each; the key binding.
const PRESENT: Signatures = Signatures { made: 1, checked: 6 };
/// The issuer's chain, the credential, the key binding.
const VERIFY: Signatures = Signatures { made: 0, checked: 4 };

/// Measures and prints.
pub(crate) async fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let voice = Arc::new(if arguments.json { Voice::quiet() } else { Voice::for_people() });
    voice.say(&format!("measuring credentials for {} s", arguments.seconds));
    let limits = SignatureLimits::measure();
    let scene = Scene::new();
    round(&scene, WARM_UP);
    let noted = round(&scene, Duration::from_secs(arguments.seconds.into()));
    let openings = match arguments.openings {
        0 => None,
        count => Some(openings::measure(count, arguments.clients, voice).await?),
    };
    let report = Report {
        seconds: arguments.seconds,
        limits,
        issue: Figures::new(noted.issue, ISSUE, limits),
        ask: Figures::new(noted.ask, ASK, limits),
        present: Figures::new(noted.present, PRESENT, limits),
        verify: Figures::new(noted.verify, VERIFY, limits),
        openings,
    };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report).expect("a report has text keys only"));
    } else {
        print!("{report}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Whole rounds, one after the other, until `time` is over.
fn round(scene: &Scene, time: Duration) -> Noted {
    let mut noted = Noted::default();
    let start = Instant::now();
    while start.elapsed() < time {
        let credential = noted.issue.time(|| scene.issue());
        let asked = noted.ask.time(|| scene.ask());
        let answer = noted.present.time(|| scene.present(&asked, &credential));
        noted.verify.time(|| scene.verify(&asked, &answer));
    }
    noted
}

impl SignatureLimits {
    fn measure() -> Self {
        let key = authority::key(1);
        let public = key.public_key();
        let message = [7; 1_024];
        let signature = key.sign(&message).expect("a key in memory signs");
        Self {
            signatures_per_second: rate(|| {
                black_box(key.sign(black_box(&message))).expect("a key in memory signs");
            }),
            verifications_per_second: rate(|| {
                assert!(public.verifies(black_box(&message), &signature));
            }),
        }
    }
}

impl Figures {
    fn new(latencies: Latencies, signatures: Signatures, limits: SignatureLimits) -> Self {
        let count = latencies.len();
        let total = latencies.total();
        let mean = |each: u32, limit: u64| f64::from(each) / float(limit.max(1));
        let least = mean(signatures.made, limits.signatures_per_second)
            + mean(signatures.checked, limits.verifications_per_second);
        let rate = per_second(u128::try_from(count).unwrap_or(0), total);
        Self {
            count,
            per_second: rate,
            latency: latencies.microseconds(),
            signatures,
            ratio_to_signatures: (least * float(rate) * 1_000.0).round() / 1_000.0,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "credentials on one core, {} s", self.seconds)?;
        let SignatureLimits { signatures_per_second, verifications_per_second } = self.limits;
        writeln!(
            f,
            "  this machine: {signatures_per_second} P-256 signatures/s, \
             {verifications_per_second} checks/s"
        )?;
        writeln!(f, "            per second   p50 / p95 / p99 µs   ratio to its signatures alone")?;
        let steps = [
            ("issue", &self.issue),
            ("ask", &self.ask),
            ("present", &self.present),
            ("verify", &self.verify),
        ];
        for (name, figures) in steps {
            let Microseconds { p50_us, p95_us, p99_us } = figures.latency;
            let latency = format!("{p50_us} / {p95_us} / {p99_us}");
            let (rate, ratio) = (figures.per_second, figures.ratio_to_signatures);
            writeln!(f, "  {name:<8} {rate:>11} {latency:>20}   {ratio}")?;
        }
        match &self.openings {
            Some(openings) => write!(f, "{openings}"),
            None => Ok(()),
        }
    }
}
