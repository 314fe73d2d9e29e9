//! `etibar bench gateway`: naive clients, each with one payment at a time, through the banks'
//! gateways, which batch for them. The whole way is real.
//!
//! Direct: a transfer between two banks' accounts goes in by HTTP and is signed, submitted,
//! finalized and certified; the answer is the ledger's verified word. Instant: a pacs.008 goes in,
//! is validated, sealed, delivered, reserved, posted and credited, and a pacs.002 with the final
//! status comes out.

use std::{process::ExitCode, sync::Arc, time::Duration};

use clap::{Args, ValueEnum};
use etibar_primitives::Amount;
use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use super::{
    latency::{Latencies, Percentiles},
    limits::per_second,
    usage,
};
use crate::{
    failure::{self, Failure},
    sample::{MEMBERS, PortChoice, SampleMember, SampleNetwork, VALIDATORS},
    tour::{Gateway, Order, Payee, fresh_uetr, iban},
    up::{RunningNetwork, Voice},
};

const WARM_UP: Duration = Duration::from_secs(3);
/// The members that take part: the operator keeps the supervisor's copies.
const MEMBERS_USED: usize = 3;
/// Customers of each bank that pay and are paid; the numbers below are open accounts.
const CUSTOMERS: u32 = 18;

/// What each client sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// Transfers between accounts of the ledger: one step, by the debtor's bank alone.
    Direct,
    /// Customers' payments: a reserve and the other bank's answer.
    Instant,
}

/// How to load the gateways.
#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    /// How many clients send, each its next payment when its last one has ended.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u16).range(2..=2_048))]
    clients: u16,
    /// What they send.
    #[arg(long, value_enum, default_value = "direct")]
    kind: Kind,
    /// How long to measure, after three seconds of warm-up.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=3_600))]
    seconds: u16,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// What was measured, from the message sent to the final status received.
#[derive(Debug, Serialize)]
struct Report {
    kind: Kind,
    clients: u16,
    seconds: u16,
    payments: usize,
    payments_per_second: u64,
    latency: Percentiles,
    refused: u64,
    cpu_microseconds_per_payment: u128,
}

/// What one client counted.
#[derive(Default)]
struct Counted {
    latencies: Latencies,
    refused: u64,
}

/// Starts a network with two banks, loads their gateways, prints the figures.
pub(crate) async fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let folder = tempfile::tempdir().map_err(failure::system("cannot make a folder"))?;
    let voice = Arc::new(if arguments.json { Voice::quiet() } else { Voice::for_people() });
    let mut sample = SampleNetwork::open_or_create(folder.path(), PortChoice::Random, VALIDATORS)?;
    sample.ports.edges.truncate(MEMBERS_USED);
    sample.ports.agencies.clear();
    sample.ports.wallet = None;
    voice.say("starting four validators, two banks and the operator");
    let network = RunningNetwork::start(sample, Arc::clone(&voice))?;
    let measured = match network.wait_until_ready().await {
        Ok(()) => measure(&network, arguments).await,
        Err(failure) => Err(failure),
    };
    network.stop().await;
    let report = measured?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report).expect("a report has text keys only"));
    } else {
        print(&report);
    }
    let sound = report.refused == 0 && report.payments > 0;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn measure(network: &RunningNetwork, arguments: &Arguments) -> Result<Report, Failure> {
    let window = Duration::from_secs(u64::from(arguments.seconds));
    let from = Instant::now() + WARM_UP;
    let until = from + window;
    let banks = [&MEMBERS[1], &MEMBERS[2]];
    let gateways = [gateway(network, banks[0])?, gateway(network, banks[1])?];
    let mut clients = Vec::with_capacity(usize::from(arguments.clients));
    for number in 0..u32::from(arguments.clients) {
        let side = usize::from(number % 2 == 1);
        let (debtor, creditor) = (banks[side], banks[1 - side]);
        let sender = Sender::new(arguments.kind, debtor, creditor, number);
        let client = pay_on(gateways[side].clone(), sender, from, until);
        clients.push(tokio::spawn(client));
    }
    sleep_until(from).await;
    let processes = network.process_ids();
    let cpu = || processes.iter().map(|process| usage::cpu_time(*process)).sum::<Duration>();
    let before = cpu();
    sleep_until(until).await;
    let used = cpu().saturating_sub(before);
    let mut all = Counted::default();
    for client in clients {
        let counted = client.await.expect("a client's task does not panic")?;
        all.latencies.extend(counted.latencies);
        all.refused += counted.refused;
    }
    let payments = all.latencies.len();
    let count = u128::try_from(payments).unwrap_or(u128::MAX);
    Ok(Report {
        kind: arguments.kind,
        clients: arguments.clients,
        seconds: arguments.seconds,
        payments,
        payments_per_second: per_second(count, window),
        latency: all.latencies.percentiles(),
        refused: all.refused,
        cpu_microseconds_per_payment: used.as_micros() / count.max(1),
    })
}

/// One client's payments: all alike but for their ids.
struct Sender {
    kind: Kind,
    debtor: &'static SampleMember,
    creditor: &'static SampleMember,
    account: String,
    payee: String,
}

impl Sender {
    fn new(
        kind: Kind,
        debtor: &'static SampleMember,
        creditor: &'static SampleMember,
        number: u32,
    ) -> Self {
        let customer = 1 + number / 2 % CUSTOMERS;
        let (account, payee) = (iban(debtor, customer), iban(creditor, customer));
        Self { kind, debtor, creditor, account, payee }
    }

    /// Sends one payment and waits for its end; says whether it was settled.
    async fn send(&self, gateway: &Gateway) -> Result<bool, Failure> {
        let amount = Amount::new(1).expect("far below the largest amount");
        if self.kind == Kind::Direct {
            let (debit, credit) = (self.debtor.prefund(), self.creditor.prefund());
            return gateway.transfer(fresh_uetr(), debit, credit, amount).await;
        }
        let order = Order {
            uetr: fresh_uetr(),
            debtor: self.debtor,
            account: self.account.clone(),
            creditor: self.creditor,
            payee: Payee::Account(self.payee.clone()),
            amount,
        };
        Ok(gateway.pay(&order).await?.status == "ACSC")
    }
}

/// One client: the next payment when the last one has ended.
async fn pay_on(
    gateway: Gateway,
    sender: Sender,
    from: Instant,
    until: Instant,
) -> Result<Counted, Failure> {
    let mut counted = Counted::default();
    while Instant::now() < until {
        let start = Instant::now();
        let settled = sender.send(&gateway).await?;
        let end = Instant::now();
        if !settled {
            counted.refused += 1;
        } else if from <= end && end < until {
            counted.latencies.note(end - start);
        }
    }
    Ok(counted)
}

fn gateway(network: &RunningNetwork, bank: &SampleMember) -> Result<Gateway, Failure> {
    let path = network.sample().edge_config(bank.member_id()).with_file_name("core.token");
    let token = std::fs::read_to_string(&path).map_err(failure::file("read", path))?;
    Ok(Gateway::new(network.sample().edge_url(bank.member_id()), token.trim().to_owned()))
}

fn print(report: &Report) {
    let Percentiles { p50_ms, p99_ms, p999_ms, max_ms, .. } = report.latency;
    let what = match report.kind {
        Kind::Direct => "direct transfers",
        Kind::Instant => "instant payments",
    };
    println!("{what} through two banks' gateways, one at a time from each client");
    println!("  {} clients, 4 validators, {} s", report.clients, report.seconds);
    println!("  payments per second        {:>10}", report.payments_per_second);
    println!("  latency p50 / p99 / p99.9  {p50_ms:>10} / {p99_ms} / {p999_ms} ms");
    println!("  longest                    {max_ms:>10} ms");
    println!("  not settled                {:>10}", report.refused);
    let cpu = report.cpu_microseconds_per_payment;
    println!("  CPU per payment            {cpu:>10} µs all validators and edges");
}
