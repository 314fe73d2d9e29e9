//! The power fails for the whole network, again and again, from seeds (see `network.rs`): writes
//! that were not synced are lost or torn. What a validator called executed stays so.

use std::time::Duration;

use commonware_cryptography::ed25519;
use commonware_glue::simulate::engine::{EngineDefinition as _, InitContext};
use commonware_p2p::simulated::{Config, Link, Network, Oracle};
use commonware_runtime::{
    Clock as _, Spawner as _, Supervisor as _,
    deterministic::{self, Context, FaultConfig, PartialWriteMode, WriteConfig},
};
use commonware_utils::{NZUsize, channel::mpsc, probability};
use etibar_ledger::block::ExecutionRecord;
use etibar_simulator::{Observed, ValidatorNetwork};

/// How often the power fails in a run.
const FAILURES: u64 = 4;
/// Runs for each ten seeds.
const SEEDS_PER_RUN: u64 = 10;
const STARTED_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(5);

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

async fn connect(
    context: &Context,
    participants: &[ed25519::PublicKey],
) -> Oracle<ed25519::PublicKey, Context> {
    let config = Config {
        max_size: ValidatorNetwork::default().max_message_size(),
        max_peers_per_set: NZUsize!(participants.len()),
        disconnect_on_block: true,
        tracked_peer_sets: NZUsize!(1),
    };
    let peers = participants.to_vec();
    let (network, oracle) = Network::new_with_peers(context.child("network"), config, peers).await;
    drop(network.start());
    for from in participants {
        for to in participants.iter().filter(|to| *to != from) {
            let link = Link {
                latency: Duration::from_millis(10),
                jitter: Duration::from_millis(5),
                success_rate: probability!(1.0),
            };
            oracle.add_link(from.clone(), to.clone(), link).await.expect("both are known");
        }
    }
    oracle
}

async fn start(context: &Context, oracle: &Oracle<ed25519::PublicKey, Context>) -> Vec<Observed> {
    let definition = ValidatorNetwork::default();
    let participants = definition.participants();
    let (monitor, mut updates) = mpsc::unbounded_channel();
    drop(
        context.child("updates").spawn(|_| async move { while updates.recv().await.is_some() {} }),
    );
    let mut all = Vec::new();
    for (index, public_key) in participants.iter().enumerate() {
        let mut channels = Vec::new();
        for (number, quota) in definition.channels() {
            let control = oracle.control(public_key.clone());
            channels.push(control.register(number, quota).await.expect("a new channel"));
        }
        let init = InitContext {
            context: context.child("validator").with_attribute("index", index),
            index,
            delayed: false,
            public_key,
            oracle,
            channels,
            participants: &participants,
            monitor: monitor.clone(),
        };
        all.push(definition.init(init).await.1);
    }
    all
}

/// Runs the network for a while; gives what each validator called executed when it started and
/// when the power failed.
async fn boot(
    context: Context,
    span: Duration,
    before: Vec<ExecutionRecord>,
) -> Vec<ExecutionRecord> {
    let participants = ValidatorNetwork::default().participants();
    let oracle = connect(&context, &participants).await;
    let all = start(&context, &oracle).await;
    let deadline = context.current() + STARTED_WITHIN;
    for (index, one) in all.iter().enumerate() {
        while one.handle.get().is_none() {
            assert!(context.current() < deadline, "validator {index} does not start");
            context.sleep(POLL).await;
        }
        let Some(before) = before.get(index) else { continue };
        let handle = one.handle.get().expect("it was waited for");
        let now = handle.status().executed;
        assert!(now.height >= before.height, "validator {index} forgot what it executed");
        let again = handle.blocks(before.height, 1).await.expect("it serves");
        assert!(
            before.height == 0 || again[0].record == *before,
            "validator {index} changed its past"
        );
    }
    context.sleep(span).await;
    let handles = all.iter().map(|one| one.handle.get().expect("it was waited for"));
    handles.map(|handle| handle.status().executed).collect()
}

#[test]
fn what_was_executed_survives_power_failures() {
    let (first, count) = (number("ETIBAR_SEED", 0), number("ETIBAR_SEEDS", 100));
    for seed in first..first + count.div_ceil(SEEDS_PER_RUN) {
        let writes = WriteConfig {
            failure_rate: probability!(0.0),
            retention_rate: probability!(0.5),
            mode: PartialWriteMode::Subset,
        };
        let config = deterministic::Config::default()
            .with_seed(seed)
            .with_storage_fault_config(FaultConfig::default().write(writes));
        let mut runner = deterministic::Runner::new(config);
        let mut executed = Vec::new();
        for failure in 0..FAILURES {
            let span = Duration::from_millis(1_000 + (seed * 397 + failure * 761) % 2_000);
            let known = executed.clone();
            let (now, checkpoint) =
                runner.start_and_recover(move |context| boot(context, span, known));
            runner = deterministic::Runner::from(checkpoint);
            executed = now;
        }
        let lowest = executed.iter().map(|record| record.height).min();
        assert!(lowest > Some(10), "seed {seed}: the network did not go on: {executed:?}");
    }
}
