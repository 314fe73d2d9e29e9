//! Accounts opened on a running network: people with wallets in this process, one bank, the
//! registrar and four validators in processes of their own.
//!
//! One opening begins with the person's request and ends when the bank's session is done: request
//! signed, presentation verified, consents on the ledger, account in the bank's books, telephone
//! number registered, the bank's own credential offered. The access receipts are anchored within
//! the bank's interval; when, says the ledger.

use std::{
    cell::RefCell,
    collections::VecDeque,
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use etibar_wallet::{Language, view::Verdict};
use futures::future::try_join_all;
use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::{
    bench::{latency::Latencies, limits::per_second, report::tenths, usage},
    failure::{self, Failure},
    sample::{MEMBERS, PortChoice, SampleNetwork, VALIDATORS},
    tour::{Citizen, Country, Stage, broken},
    up::{RunningNetwork, Voice},
};

/// The members that take part beside the agency: the operator and one bank.
const MEMBERS_USED: usize = 2;
/// The agency that takes part: the registrar.
const REGISTRAR: u32 = 12;
const PRODUCT: &str = "current_account";
/// How long the receipts may take to be anchored.
const ANCHOR_PATIENCE: Duration = Duration::from_secs(10);
const LOOK_PAUSE: Duration = Duration::from_millis(250);

/// What was measured.
#[derive(Debug, Serialize)]
pub(super) struct Openings {
    /// People who opened an account, after one that is not counted.
    opened: usize,
    /// How many at the same time.
    clients: u8,
    per_second: f64,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    /// From the request until the last receipt of the opening was on the ledger; of one person.
    /// `null` when the person's wallet did not see each receipt proven in time.
    until_anchored_ms: Option<u64>,
    /// Of all processes and of the wallets here.
    cpu_ms_per_opening: f64,
    processes: usize,
}

/// Starts a network, enrols `count` people, and lets them open an account, `clients` at a time.
pub(super) async fn measure(
    count: u16,
    clients: u8,
    voice: Arc<Voice>,
) -> Result<Openings, Failure> {
    let folder = tempfile::tempdir().map_err(failure::system("cannot make a folder"))?;
    let mut sample = SampleNetwork::open_or_create(folder.path(), PortChoice::Random, VALIDATORS)?;
    sample.ports.edges.truncate(MEMBERS_USED);
    sample.ports.agencies.retain(|its| its.member.0 == REGISTRAR);
    sample.ports.wallet = None;
    voice.say("starting four validators, a bank, the operator and the registrar");
    let network = RunningNetwork::start(sample, Arc::clone(&voice))?;
    let measured = match network.wait_until_ready().await {
        Ok(()) => open_all(&network, count, clients, &voice).await,
        Err(failure) => Err(failure),
    };
    network.stop().await;
    measured
}

async fn open_all(
    network: &RunningNetwork,
    count: u16,
    clients: u8,
    voice: &Voice,
) -> Result<Openings, Failure> {
    let (stage, _) = Stage::visit(&network.sample().folder, false).await?;
    let country = Country::open(&stage).await?;
    voice.say(&format!("enrolling {count} people and one more"));
    let first = country.enrol().await?;
    let mut people = VecDeque::new();
    for _ in 0..count {
        people.push_back(country.enrol().await?);
    }
    let asked = now_ms();
    open(&stage, &country, &first, 0).await?;
    let anchored = anchored(&country, &first).await?;
    let until_anchored_ms = anchored.map(|last| last.saturating_sub(asked));
    voice.say(&format!("opening {count} accounts, {clients} at a time"));
    let waiting = RefCell::new(people);
    let noted = RefCell::new(Latencies::default());
    let processes = network.process_ids();
    let cpu = || {
        let own = std::process::id();
        let all = processes.iter().chain([&own]).copied().map(usage::cpu_time);
        all.sum::<Duration>()
    };
    let (start, cpu_before) = (Instant::now(), cpu());
    let client = || async {
        loop {
            let (citizen, left) = {
                let mut waiting = waiting.borrow_mut();
                let Some(next) = waiting.pop_front() else { return Ok::<_, Failure>(()) };
                (next, waiting.len())
            };
            let took = open(&stage, &country, &citizen, 1 + left).await?;
            noted.borrow_mut().note(took);
        }
    };
    try_join_all((0..clients).map(|_| client())).await?;
    let (window, used) = (start.elapsed(), cpu().saturating_sub(cpu_before));
    let noted = noted.into_inner();
    let rate = per_second(u128::from(count) * 10, window);
    let all = noted.clone().percentiles();
    Ok(Openings {
        opened: noted.len(),
        clients,
        per_second: f64::from(u32::try_from(rate).unwrap_or(u32::MAX)) / 10.0,
        p50_ms: all.p50_ms,
        p95_ms: all.p95_ms,
        p99_ms: all.p99_ms,
        max_ms: all.max_ms,
        until_anchored_ms,
        cpu_ms_per_opening: tenths(used.as_secs_f64() * 1e3 / f64::from(count.max(1))),
        processes: processes.len(),
    })
}

/// Opens one account with a telephone number of its own; how long it took.
async fn open(
    stage: &Stage,
    country: &Country,
    citizen: &Citizen,
    number: usize,
) -> Result<Duration, Failure> {
    let phone = format!("+994-50-1{number:06}");
    let start = Instant::now();
    let opened = country.apply(stage, citizen, &MEMBERS[1], PRODUCT, Some(&phone)).await?;
    let took = Duration::from_millis(opened.took_ms).min(start.elapsed());
    let session = opened.session;
    if session.state == "done" && session.iban.is_some() {
        return Ok(took);
    }
    let why = format!("the session ended as {}: {}", session.state, session.reasons.join(", "));
    Err(Failure::Network { what: "open an account", why })
}

/// When the ledger anchored the last receipt of what was done with the person's data, in
/// milliseconds since 1970; `None` when not each is proven within [`ANCHOR_PATIENCE`]. The wallet
/// verifies each.
async fn anchored(country: &Country, citizen: &Citizen) -> Result<Option<u64>, Failure> {
    let since = Instant::now();
    loop {
        let gesture = country.wallet().scripted().map_err(broken("act without a passkey"))?;
        let log = citizen.holder.accesses(&gesture, Language::En).await;
        let lines = log.map_err(broken("see who read"))?.lines;
        let each = lines.iter().map(|line| match &line.verdict {
            Verdict::Verified { anchored, .. } => Some(anchored.0),
            _ => None,
        });
        let last = each.collect::<Option<Vec<u64>>>().and_then(|all| all.into_iter().max());
        if last.is_some() || since.elapsed() > ANCHOR_PATIENCE {
            return Ok(last);
        }
        sleep(LOOK_PAUSE).await;
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl fmt::Display for Openings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { opened, clients, processes, .. } = self;
        writeln!(f, "accounts opened: {opened}, {clients} at a time, {processes} processes")?;
        writeln!(f, "  per second                 {:>10}", self.per_second)?;
        writeln!(
            f,
            "  request to account         {:>10} / {} / {} / {} ms (p50, p95, p99, longest)",
            self.p50_ms, self.p95_ms, self.p99_ms, self.max_ms
        )?;
        let anchored = self.until_anchored_ms.map_or("not in time".to_owned(), |ms| ms.to_string());
        writeln!(f, "  until receipts anchored    {anchored:>10} ms")?;
        writeln!(f, "  CPU per opening            {:>10} ms all processes", self.cpu_ms_per_opening)
    }
}
