//! Random faults from a seed: lost, repeated and reordered actions, killed edges, silent wires.
//! Whatever happens, every payment ends once, on both sides alike, and no money is lost or made.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/network.rs"]
mod network;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/world.rs"]
mod world;

use etibar_edge::status::PaymentStatus;
use network::{ALFA, BETA, Pacs008, customer, uetr};
use world::World;

/// Payments of one run.
const PAYMENTS: u128 = 6;
/// Steps with faults before everything works again.
const STEPS: u32 = 160;
/// Runs, each from its own seed.
const RUNS: u64 = 40;

/// SplitMix64: the whole run follows from its seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }
}

async fn disturb(world: &mut World, chance: &mut Chance) {
    let member = if chance.one_in(2) { ALFA } else { BETA };
    match chance.below(12) {
        0 => world.kill(member).await,
        1 | 2 => world.start(member).await,
        3 => {
            let bank = world.bank(member);
            bank.online = !chance.one_in(4);
            bank.books_answer = !chance.one_in(6);
            bank.submits = !chance.one_in(6);
            world.ledger_runs = !chance.one_in(6);
        }
        4 | 5 => world.pass(1 + chance.below(700)).await,
        6 => {
            let number = chance.below(6);
            order(world, u128::from(number)).await;
        }
        _ => {
            let waiting = u64::try_from(world.bank(member).wants.len()).unwrap();
            if waiting > 0 {
                let index = usize::try_from(chance.below(waiting)).unwrap();
                world.carry_out(member, index, chance.one_in(5)).await;
            }
        }
    }
}

/// Payment `number` from ALFA to BETA; some go to closed or blocked accounts.
async fn order(world: &mut World, number: u128) {
    let to = [2, 3, 20, 4, 19, 5][usize::try_from(number).unwrap()];
    let message =
        Pacs008::one(uetr(number), (ALFA, &customer(ALFA, 1)), (BETA, &customer(BETA, to)), 700);
    world.order(ALFA, &message).await;
}

/// Gives how many payments were settled.
async fn run(seed: u64) -> u128 {
    let mut world = World::new().await;
    let mut chance = Chance(seed);
    for _ in 0..STEPS {
        disturb(&mut world, &mut chance).await;
    }
    world.ledger_runs = true;
    for member in [ALFA, BETA] {
        world.start(member).await;
        let bank = world.bank(member);
        (bank.online, bank.books_answer, bank.submits) = (true, true, true);
        assert!(bank.is_up());
    }
    for number in 0..PAYMENTS {
        order(&mut world, number).await;
    }
    world.settle().await;
    let mut settled = 0;
    for number in 0..PAYMENTS {
        let (debtor, creditor) = world.statuses(uetr(number)).await;
        let agree = match (debtor, creditor) {
            (PaymentStatus::Settled, Some(PaymentStatus::Credited)) => {
                settled += 1;
                true
            }
            (PaymentStatus::Rejected(_), Some(creditor)) => {
                matches!(creditor, PaymentStatus::Rejected(_) | PaymentStatus::Pending)
            }
            (PaymentStatus::Rejected(_), None) => true,
            _ => false,
        };
        assert!(agree, "seed {seed}, payment {number}: {debtor:?}, {creditor:?}");
    }
    world.assert_money_is_conserved(&format!("seed {seed}")).await;
    for member in [ALFA, BETA] {
        let told = world.bank(member).store.messages(0, 1_000).await.unwrap();
        let mut payments: Vec<_> = told.iter().map(|its| its.message.uetr).collect();
        payments.sort_unstable();
        payments.dedup();
        assert_eq!(payments.len(), told.len(), "seed {seed}: the core is told each end once");
    }
    settled
}

#[tokio::test]
async fn every_payment_ends_once_and_money_is_conserved_whatever_fails() {
    let mut settled = 0;
    for seed in 0..RUNS {
        settled += run(seed).await;
    }
    let all = u128::from(RUNS) * PAYMENTS;
    assert!((all / 8..all).contains(&settled), "{settled} of {all}: the faults are not the point");
}

#[tokio::test]
async fn a_payment_survives_the_death_of_either_edge_at_every_step() {
    for victim in [ALFA, BETA] {
        for death in 0..14 {
            let mut world = World::new().await;
            order(&mut world, 0).await;
            for step in 0..14 {
                if step == death {
                    world.kill(victim).await;
                    world.start(victim).await;
                }
                for member in [ALFA, BETA] {
                    world.carry_out(member, 0, false).await;
                }
                world.pass(100).await;
            }
            world.settle().await;
            let ends = world.statuses(uetr(0)).await;
            let context = format!("{victim} died at step {death}");
            let settled = (PaymentStatus::Settled, Some(PaymentStatus::Credited));
            assert_eq!(ends, settled, "{context}");
            world.assert_money_is_conserved(&context).await;
        }
    }
}
