//! The ledger's laws over random blocks, numbered as in the design: (1) to (7) and (10).
//!
//! Elsewhere: (6) across a crash, with the chain's store and the edge's cursor, in the simulator;
//! (9) closing statements, in `statements`; (8) FIFO and (7) for offsetting sets come with the
//! queue and its offsetting pass: until then nothing waits on the ledger; (11) the dictionary scan
//! over test identities, on the tour.

use std::cell::Cell;

use etibar_ledger::{BlockInput, Outcome, result::TransactionResult};
use etibar_primitives::BlockTime;
use proptest::{prelude::any, strategy::Strategy as _};

use crate::{
    audit::{self, Debts, Outcomes, Reserves},
    law::holds,
    model::Model,
    plan::{self, plans},
};

#[test]
fn money_is_conserved_and_no_account_falls_below_its_floor() {
    holds(&plans(), |plan| {
        audit::run(&plan, |seen, _| {
            audit::money_is_conserved(seen.after);
            audit::floors_hold(seen);
        });
    });
}

#[test]
fn every_operation_has_one_outcome_that_never_changes() {
    holds(&plans(), |plan| {
        let mut outcomes = Outcomes::default();
        audit::run(&plan, |seen, _| outcomes.check(seen));
    });
}

#[test]
fn every_reserve_ends_once_and_none_outlives_its_expiry() {
    holds(&plans(), |plan| {
        let mut reserves = Reserves::default();
        audit::run(&plan, |seen, _| reserves.check(seen));
    });
}

#[test]
fn what_is_owed_is_settled_once_and_every_party_hears_of_it() {
    let settlements = Cell::new(0_u64);
    holds(&plans(), |plan| {
        let mut debts = Debts::default();
        audit::run(&plan, |seen, _| debts.check(seen));
        settlements.set(settlements.get() + debts.settlements);
    });
    assert!(settlements.get() > 0, "the plans settle nothing");
}

#[test]
fn each_party_hears_of_each_event_once_and_nobody_else_does() {
    holds(&plans(), |plan| {
        let world = audit::run(&plan, |seen, _| {
            audit::parties_hear(seen);
            audit::roots_are_of_the_events(seen);
        });
        for (member, feed) in &world.feeds {
            assert_eq!(world.ledger.event_count(*member), crate::world::count(feed.len()));
        }
    });
}

#[test]
fn linked_operations_are_done_together_or_not_at_all() {
    holds(&plans(), |plan| drop(audit::run(&plan, |seen, _| audit::groups_are_whole(seen))));
}

#[test]
fn a_suspended_member_makes_no_new_debit() {
    holds(&plans(), |plan| {
        drop(audit::run(&plan, |seen, _| audit::suspended_members_debit_nothing(seen)));
    });
}

#[test]
fn ledgers_restored_after_any_block_execute_all_later_blocks_alike() {
    holds(&plans(), |plan| {
        let mut world = crate::world::World::new(&plan::network());
        let network = *world.ledger.network();
        let mut drawer = plan::Drawer::default();
        for (step, words) in &plan {
            let step_ms = plan::step_ms(*step);
            let time = BlockTime(world.ledger.time().0 + step_ms);
            let transactions = drawer.block(&network, time, words);
            world.restore();
            // `World::block` compares every restored ledger's result with the first one's.
            world.block(step_ms, &transactions);
        }
        assert_eq!(world.shadows(), plan.len());
    });
}

#[test]
fn repeating_a_block_changes_what_an_empty_block_changes() {
    let strategy = (plans(), any::<bool>()).prop_map(|(plan, late)| (plan, late));
    holds(&strategy, |(plan, late)| {
        audit::run(&plan, |seen, _| {
            let block = BlockInput {
                height: seen.after.height() + 1,
                time: BlockTime(seen.after.time().0 + if late { 600_000 } else { 1 }),
                transactions: &[],
            };
            let empty = seen.after.clone().execute(block);
            let again =
                seen.after.clone().execute(BlockInput { transactions: seen.views, ..block });
            let repeats = again.result.transactions.iter().all(|result| match result {
                TransactionResult::Refused(_) => true,
                TransactionResult::Executed(outcomes) => {
                    assert!(!outcomes.contains(&Outcome::Accepted), "done twice");
                    outcomes.iter().all(|outcome| *outcome == Outcome::Exists)
                }
            });
            assert_eq!(again.result.expired, empty.result.expired);
            if repeats {
                assert_eq!(again.changes, empty.changes);
                assert_eq!(again.receipts_root, empty.receipts_root);
            }
        });
    });
}

#[test]
fn a_second_naive_ledger_gives_every_operation_the_same_outcome() {
    let accepted = Cell::new(0_u64);
    holds(&plans(), |plan| {
        let mut model = Model::new(&plan::network());
        audit::run(&plan, |seen, _| {
            let lapsed = model.begin(seen.after.time());
            assert_eq!(lapsed, crate::world::count(seen.executed.result.expired.len()));
            for (view, result) in seen.views.iter().zip(&seen.executed.result.transactions) {
                let TransactionResult::Executed(outcomes) = result else { continue };
                let operations: Vec<_> = view.operations().copied().collect();
                assert_eq!(&model.execute(view.member, &operations), outcomes);
                let done = outcomes.iter().filter(|outcome| outcome.is_accepted()).count();
                accepted.set(accepted.get() + crate::world::count(done));
            }
            model.compare(seen.after);
        });
    });
    assert!(accepted.get() > 0, "the plans do nothing");
}
