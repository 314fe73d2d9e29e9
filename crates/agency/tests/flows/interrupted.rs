//! Killed at every step: each way through the registrar is cut off wherever it waits, the store is
//! opened again, and what was promised holds.

use std::{pin::pin, task::Poll};

use etibar_agency::{agencies::kind, register::Register as _};
use etibar_credential::{catalogue::Language, jose::SoftwareKey};
use etibar_openid::member::{HolderAction, Recovery, RecoveryMeans, RecoveryState};
use serde_json::Value;

use super::{
    change, consent, enrolled, enrolment, recover, renewal,
    world::{BANK, World, operation},
};

/// Waits of one request at most: more would mean that it never ends.
const STEPS_MAX: usize = 400;

/// Drives `work` through its first `steps` waits and drops it there, as a kill would: `None`.
async fn cut_off<T>(work: impl Future<Output = T>, steps: usize) -> Option<T> {
    let mut work = pin!(work);
    let mut left = steps;
    std::future::poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// The city in the register.
async fn city(world: &World, person: usize) -> Value {
    let fin = world.population.people()[person].fin;
    let records = world.register().await.held_by(kind::PID, &fin).await.unwrap();
    records[0].claims["address"]["city"].clone()
}

#[tokio::test]
async fn a_change_cut_off_at_any_step_is_completed_once_without_the_clerk() {
    let mut world = World::new().await;
    let mut device = enrolled(&world, 0).await;
    let (registration, _) = consent(&world, &device);
    world.agency.register_consent(BANK, &registration).await.unwrap();
    let (mut lost, mut completed) = (0, 0);
    for steps in 0..STEPS_MAX {
        let before = world.agency.standing().await.unwrap();
        let old = city(&world, 0).await;
        let new = format!("City {steps}");
        let request = change(&world, 0, &new);
        let answer = cut_off(world.agency.change(&request), steps).await;
        let was_cut_off = answer.is_none();
        // Twice: what completes the change may be killed, too.
        world.restart().await;
        cut_off(world.agency.work_once(), steps % 7).await;
        world.restart().await;
        world.agency.work_once().await.unwrap();
        let after = world.agency.standing().await.unwrap();
        let notices = after.notices.waiting + after.notices.unfetched;
        let caused = notices - before.notices.waiting - before.notices.unfetched;
        if city(&world, 0).await == old {
            // The kill came before anything was promised.
            assert!(was_cut_off && caused == 0, "after {steps} steps");
            lost += 1;
        } else {
            assert_eq!(city(&world, 0).await, new.as_str(), "after {steps} steps");
            assert_eq!(caused, 1, "one notice, after {steps} steps");
            completed += u32::from(was_cut_off);
        }
        let done = world.agency.change(&request).await.unwrap();
        assert_eq!(done.notices, 1);
        assert_eq!(done.revoked, 2, "both instances, after {steps} steps");
        assert_eq!(world.agency.change(&request).await.unwrap(), done, "a repeat is the same");
        device = renewal::renewed(&world, &device).await.unwrap();
        if !was_cut_off {
            assert!(lost > 0 && completed > 0, "{lost} lost, {completed} completed");
            return;
        }
    }
    panic!("the change never ended");
}

#[tokio::test]
async fn an_enrolment_cut_off_at_any_step_is_repeated_and_is_one() {
    let mut world = World::new().await;
    let today = "2026-11-20".parse().unwrap();
    let people = world.population.people().iter().enumerate();
    let adults = people.filter(|(_, person)| {
        let whole = person.died.is_none() && person.document_expiry > today;
        whole && person.guardian.is_none() && person.is_adult(today)
    });
    let adults: Vec<usize> = adults.map(|(index, _)| index).collect();
    for (steps, person) in adults.into_iter().enumerate() {
        let before = world.agency.standing().await.unwrap().enrolments;
        let request = enrolment(&world, person);
        let was_cut_off = cut_off(world.agency.enrol(&request), steps).await.is_none();
        world.restart().await;
        let answer = world.agency.enrol(&request).await.unwrap();
        let device = world.redeem(&answer.offers[0], &["pid", "pairwise-2"], 1).await;
        assert_eq!(device.held.len(), 2, "after {steps} steps");
        let after = world.agency.standing().await.unwrap().enrolments;
        assert_eq!(after, before + 1, "after {steps} steps");
        let second = world.agency.enrol(&enrolment(&world, person)).await.unwrap_err();
        assert_eq!(second.code(), "already_enrolled");
        if !was_cut_off {
            assert!(steps > 3, "an enrolment waits for its store");
            return;
        }
    }
    panic!("there were not enough people");
}

#[tokio::test]
async fn issuing_cut_off_at_any_step_is_ordered_again_and_what_was_lost_ends_with_the_rest() {
    let mut world = World::new().await;
    let request = enrolment(&world, 0);
    world.agency.enrol(&request).await.unwrap();
    let keys: Vec<SoftwareKey> = (0..3).map(|_| SoftwareKey::generate(&mut rand::rng())).collect();
    let keys: Vec<&SoftwareKey> = keys.iter().collect();
    for steps in 0..STEPS_MAX {
        let offer = world.agency.enrol(&request).await.unwrap().offers.remove(0);
        let mut signed = world.accept(&offer).await;
        let fetched = cut_off(world.fetch(&mut signed, "pid", &keys), steps).await;
        let was_cut_off = fetched.is_none();
        world.restart().await;
        let offer = world.agency.enrol(&request).await.unwrap().offers.remove(0);
        let mut signed = world.accept(&offer).await;
        let credentials = world.fetch(&mut signed, "pid", &keys).await.unwrap();
        let entries: std::collections::BTreeSet<String> = credentials
            .iter()
            .map(|its| its.read().unwrap().claims.0["status"].to_string())
            .collect();
        assert_eq!(entries.len(), 3, "each with an entry of its own, after {steps} steps");
        if !was_cut_off {
            recover(&world, 0).await;
            let counts = world.agency.standing().await.unwrap().issued[kind::PID];
            assert!(counts.issued > 3 * u64::try_from(steps).unwrap());
            assert_eq!(counts.issued - counts.revoked, 2, "only the new device's are left");
            return;
        }
    }
    panic!("issuing never ended");
}

#[tokio::test]
async fn a_recovery_cut_off_at_any_step_is_repeated_and_ends_the_lost_device() {
    let mut world = World::new().await;
    let mut lost = enrolled(&world, 0).await;
    for steps in 0..STEPS_MAX {
        let enrolment = enrolment(&world, 0);
        let request = Recovery {
            id: operation(),
            fin: enrolment.fin,
            document_number: enrolment.document_number,
            by: RecoveryMeans::Proofing { proofing: enrolment.proofing },
            language: Language::Az,
        };
        let was_cut_off = cut_off(world.agency.recover(&request), steps).await.is_none();
        world.restart().await;
        let done = world.agency.recover(&request).await.unwrap();
        assert_eq!(done.state, RecoveryState::Done);
        let found = world.redeem(&done.offers[0], &["pid"], 1).await;
        let ask = || HolderAction::Accesses { rel: None, after: 0 };
        let old = world.agency.accesses(&world.holder_request(&lost, ask())).await;
        assert_eq!(old.unwrap_err().code(), "revoked", "after {steps} steps");
        world.agency.accesses(&world.holder_request(&found, ask())).await.unwrap();
        lost = found;
        if !was_cut_off {
            assert!(steps > 3, "a recovery waits for its store");
            return;
        }
    }
    panic!("the recovery never ended");
}
