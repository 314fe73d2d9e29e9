//! How many payments a second one edge carries: 256 callers, one payment a message, everything
//! durable, the real ledger in this process with a block for each transaction.
//!
//! `cargo run --release -p etibar-edge --example load -- [payments] [settle]`; with `settle` each
//! caller waits for the end, without for the payment being written down.

#![allow(clippy::print_stdout, reason = "it measures for people")]

#[allow(dead_code, clippy::unwrap_used, reason = "shared with the tests")]
#[path = "../tests/support/machine.rs"]
mod machine;
#[allow(dead_code, clippy::unwrap_used, reason = "shared with the tests")]
#[path = "../tests/support/network.rs"]
mod network;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use etibar_edge::store::Durability;
use machine::Machine;
use network::{ALFA, BETA, Pacs008, customer, uetr};

const CALLERS: u64 = 256;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let payments: u64 = arguments.next().map_or(20_000, |count| count.parse().expect("a number"));
    let settle = arguments.next().is_some();
    let wait = if settle { Duration::from_secs(20) } else { Duration::ZERO };
    let machine = Machine::start(Durability::Full).await;
    let next = Arc::new(AtomicU64::new(0));
    let debtors: Arc<Vec<String>> = Arc::new((1..18).map(|its| customer(ALFA, its)).collect());
    let creditor = Arc::new(customer(BETA, 2));
    let begun = Instant::now();
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..CALLERS {
        let (edge, next) = (machine.edge(ALFA).clone(), next.clone());
        let (debtors, creditor) = (debtors.clone(), creditor.clone());
        callers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= payments {
                    return;
                }
                let debtor = &debtors[usize::try_from(number).expect("small") % debtors.len()];
                let message =
                    Pacs008::one(uetr(number.into()), (ALFA, debtor), (BETA, &creditor), 1);
                edge.pay(&message, wait).await.expect("the edge takes it");
            }
        });
    }
    while callers.join_next().await.is_some() {}
    let taken = begun.elapsed();
    let open = || {
        let count = |member| {
            let pulse = machine.edge(member).pulse();
            let sum = |states: &std::collections::BTreeMap<_, u64>| states.values().sum::<u64>();
            sum(&pulse.outgoing) + sum(&pulse.incoming)
        };
        count(ALFA) + count(BETA)
    };
    while open() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let ended = begun.elapsed();
    let rate = |time: Duration| u128::from(payments) * 1_000_000 / time.as_micros().max(1);
    let settled = machine.edges[&BETA].book.total().await.expect("the book answers");
    println!("taken in: {} payments/s, ended: {} payments/s", rate(taken), rate(ended));
    println!("creditors hold {settled} minor units");
    machine.stop().await;
}
