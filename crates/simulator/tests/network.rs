//! The network under faults, from seeds: `ETIBAR_SEEDS` says how many (100 when it is not set),
//! `ETIBAR_SEED` the first (0).

use std::time::Duration;

use commonware_consensus::types::{Epoch, Round, View};
use commonware_cryptography::ed25519;
use commonware_glue::simulate::{
    action::{Action, Crash, Schedule},
    engine::EngineDefinition as _,
    exit::ProcessedHeightAtLeast,
    plan::PlanBuilder,
};
use commonware_p2p::simulated::Link;
use commonware_utils::{Probability, probability};
use etibar_simulator::{ProvenReceipts, SameResults, ValidatorNetwork, WithoutFirstBlock};

/// Longer than any run may take, in simulated time.
const TIMEOUT: Duration = Duration::from_mins(5);
const KINDS: u64 = 4;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

/// This test's share of the seeds.
fn seeds(kind: u64) -> impl Iterator<Item = u64> {
    let (first, count) = (number("ETIBAR_SEED", 0), number("ETIBAR_SEEDS", 100));
    (first..first + count).filter(move |seed| seed % KINDS == kind)
}

fn link(success_rate: Probability) -> Link {
    Link { latency: Duration::from_millis(10), jitter: Duration::from_millis(5), success_rate }
}

fn run(
    network: &ValidatorNetwork,
    kind: u64,
    height: u64,
    plan: impl Fn(u64, PlanBuilder<ValidatorNetwork>) -> PlanBuilder<ValidatorNetwork>,
) {
    for seed in seeds(kind) {
        let builder = PlanBuilder::new(network.clone())
            .seed(seed)
            .link(link(probability!(1.0)))
            .timeout(TIMEOUT)
            .exit_condition(ProcessedHeightAtLeast::new(height))
            .property(SameResults)
            .property(ProvenReceipts);
        let results = plan(seed, builder).run();
        let results = results.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert_eq!(results.len(), 1, "one run for each seed");
    }
}

#[test]
fn validators_agree_while_messages_are_lost() {
    run(&ValidatorNetwork::default(), 0, 40, |_, plan| plan.link(link(probability!(0.95))));
}

#[test]
fn validators_agree_while_one_after_the_other_crashes_and_returns() {
    run(&ValidatorNetwork::default(), 1, 60, |_, plan| {
        plan.crash(Crash::Random {
            frequency: Duration::from_secs(3),
            downtime: Duration::from_secs(1),
            count: 1,
        })
    });
}

/// Cuts `from` off in both directions.
fn cut(
    schedule: Schedule<ed25519::PublicKey>,
    at: Duration,
    alone: usize,
) -> Schedule<ed25519::PublicKey> {
    let keys = ValidatorNetwork::default().participants();
    let others = keys.iter().enumerate().filter(|(index, _)| *index != alone);
    others.fold(schedule, |schedule, (_, other)| {
        let update = |from: &ed25519::PublicKey, to: &ed25519::PublicKey| Action::UpdateLink {
            from: from.clone(),
            to: to.clone(),
            link: link(probability!(0.0)),
        };
        schedule.at(at, update(&keys[alone], other)).at(at, update(other, &keys[alone]))
    })
}

#[test]
fn validators_agree_after_one_was_cut_off() {
    run(&ValidatorNetwork::default(), 2, 80, |seed, plan| {
        let alone = usize::try_from(seed / KINDS % 4).expect("small");
        let schedule = cut(Schedule::new(), Duration::from_secs(2), alone)
            .at(Duration::from_secs(7), Action::Heal(link(probability!(1.0))));
        plan.crash(Crash::Schedule(schedule))
    });
}

#[test]
fn a_validator_without_a_past_fetches_the_state_and_follows_also_after_a_crash() {
    run(&ValidatorNetwork::default().with_sync_distance(10), 3, 250, |seed, plan| {
        let late = usize::try_from(seed / KINDS % 4).expect("small");
        let late = ValidatorNetwork::default().participants()[late].clone();
        let schedule = Schedule::new()
            .at(Duration::from_secs(12), Action::Crash(late.clone()))
            .at(Duration::from_secs(13), Action::Restart(late.clone()));
        plan.property(WithoutFirstBlock(1)).crash(Crash::Schedule(schedule)).crash(
            Crash::DelayRound {
                participants: vec![late],
                round: Round::new(Epoch::zero(), View::new(60)),
            },
        )
    });
}

#[test]
fn a_validator_joins_when_the_others_have_dropped_their_first_blocks() {
    let network = ValidatorNetwork::default().with_sync_distance(10).with_blocks_kept(50);
    let late = network.participants()[3].clone();
    let results = PlanBuilder::new(network)
        .seed(number("ETIBAR_SEED", 0))
        .link(link(probability!(1.0)))
        .timeout(TIMEOUT)
        .exit_condition(ProcessedHeightAtLeast::new(800))
        .property(SameResults)
        .property(ProvenReceipts)
        .property(WithoutFirstBlock(4))
        .crash(Crash::DelayRound {
            participants: vec![late],
            round: Round::new(Epoch::zero(), View::new(700)),
        })
        .run();
    assert_eq!(results.map(|results| results.len()), Ok(1));
}
