//! A person whose register data changed: the superseded PID fetches its successor, and that only.

use etibar_credential::jose::SoftwareKey;
use etibar_openid::{Private, member::HolderAction};
use serde_json::json;

use super::{
    change, claims, enrolled, recover,
    world::{Device, World},
};

/// The keys of the device's PIDs.
fn keys(device: &Device) -> Vec<&SoftwareKey> {
    device.held["pid"].iter().map(|(_, key)| key).collect()
}

/// The device after it fetched the successors of its PIDs.
pub(crate) async fn renewed(world: &World, device: &Device) -> Result<Device, String> {
    let mut signed = world.sign_in(device, &["pid"]).await?;
    let successors = world.fetch(&mut signed, "pid", &keys(device)).await?;
    let same = |key: &SoftwareKey| SoftwareKey::from_bytes(&key.to_bytes()).unwrap();
    let held = successors.into_iter().zip(keys(device).into_iter().map(same));
    Ok(Device { held: [("pid".to_owned(), held.collect())].into() })
}

#[tokio::test]
async fn a_superseded_pid_fetches_its_successor_with_the_same_level_and_key() {
    let mut world = World::new().await;
    let device = enrolled(&world, 0).await;
    world.agency.change(&change(&world, 0, "Şəki")).await.unwrap();
    // Elsewhere it is revoked like any other.
    let ask = HolderAction::Accesses { rel: None, after: 0 };
    let elsewhere = world.agency.accesses(&world.holder_request(&device, ask)).await;
    assert_eq!(elsewhere.unwrap_err().code(), "revoked");
    world.restart().await;
    let new = renewed(&world, &device).await.unwrap();
    let (old, new_claims) = (claims(&device, "pid"), claims(&new, "pid"));
    assert_eq!(new_claims["address"]["city"], "Şəki");
    assert_eq!(new_claims["assurance_level"], old["assurance_level"]);
    assert_eq!(new_claims["cnf"], old["cnf"], "the successor is bound to the same key");
    assert_eq!(new_claims["personal_administrative_number"], old["personal_administrative_number"]);
    let ask = HolderAction::Accesses { rel: None, after: 0 };
    world.agency.accesses(&world.holder_request(&new, ask)).await.unwrap();
    // The successor signs in like any PID, and may have new keys.
    let mut signed = world.sign_in(&new, &["pid", "pairwise-2"]).await.unwrap();
    let key = SoftwareKey::generate(&mut rand::rng());
    world.fetch(&mut signed, "pid", &[&key]).await.unwrap();
}

#[tokio::test]
async fn a_superseded_pid_gives_nothing_but_its_successor() {
    let world = World::new().await;
    let device = enrolled(&world, 0).await;
    world.agency.change(&change(&world, 0, "Şəki")).await.unwrap();
    for more in [&["pairwise-2"][..], &["pairwise-2", "pid"]] {
        let refused = world.sign_in(&device, more).await.err();
        assert_eq!(refused.as_deref(), Some("revoked"), "{more:?}");
    }
    // Whoever listened in and has no key of the person's gets nothing for a key of their own.
    let mut signed = world.sign_in(&device, &["pid"]).await.unwrap();
    let foreign = SoftwareKey::generate(&mut rand::rng());
    let mixed = [keys(&device)[0], &foreign];
    let refused = world.fetch(&mut signed, "pid", &mixed).await.err();
    assert_eq!(refused.as_deref(), Some("holder_key_other"));
    // Another person's key does not serve, superseded or not.
    let other = enrolled(&world, 1).await;
    world.agency.change(&change(&world, 1, "Şəki")).await.unwrap();
    let refused = world.fetch(&mut signed, "pid", &keys(&other)).await.err();
    assert_eq!(refused.as_deref(), Some("holder_key_other"));
}

#[tokio::test]
async fn a_repeated_renewal_leaves_one_living_pid_for_each_key() {
    let world = World::new().await;
    let device = enrolled(&world, 0).await;
    world.agency.change(&change(&world, 0, "Şəki")).await.unwrap();
    let lost = renewed(&world, &device).await.unwrap();
    // The answer was lost: the wallet asks again with what it has.
    let kept = renewed(&world, &device).await.unwrap();
    let ask = || HolderAction::Accesses { rel: None, after: 0 };
    let stray = world.agency.accesses(&world.holder_request(&lost, ask())).await;
    assert_eq!(stray.unwrap_err().code(), "revoked");
    world.agency.accesses(&world.holder_request(&kept, ask())).await.unwrap();
    let counts = world.agency.standing().await.unwrap().issued["urn:az:pid:1"];
    assert_eq!(counts.issued - counts.revoked, 2);
    // Two changes in a row: the first successor and its ancestor both lead to the last.
    world.agency.change(&change(&world, 0, "Quba")).await.unwrap();
    for held in [&device, &kept] {
        let newest = renewed(&world, held).await.unwrap();
        assert_eq!(claims(&newest, "pid")["address"]["city"], "Quba");
    }
}

#[tokio::test]
async fn a_pid_revoked_for_cause_does_not_sign_in() {
    let world = World::new().await;
    // A recovery: the device was lost, whether the register changed before or not.
    for (person, changed) in [(0, false), (1, true)] {
        let device = enrolled(&world, person).await;
        if changed {
            world.agency.change(&change(&world, person, "Şəki")).await.unwrap();
        }
        // The finder signed in before: what that opened ends, too.
        let mut before = world.sign_in(&device, &["pid"]).await.unwrap();
        world.pass(1);
        recover(&world, person).await;
        assert_eq!(world.sign_in(&device, &["pid"]).await.err().as_deref(), Some("revoked"));
        let late = world.fetch(&mut before, "pid", &keys(&device)).await.err();
        assert_eq!(late.as_deref(), Some("not_enrolled"));
        // And a change after it supersedes what the new device holds only.
        world.agency.change(&change(&world, person, "Quba")).await.unwrap();
        assert_eq!(world.sign_in(&device, &["pid"]).await.err().as_deref(), Some("revoked"));
    }
    let ends = [
        (2, "record.ended", json!("died")),
        (3, "record.ended", json!("withdrawn")),
        (4, "record.valid_until", json!("2020-01-01")),
        (5, "personal_administrative_number", json!("9ZZ9ZZ9")),
    ];
    for (person, path, value) in ends {
        let device = enrolled(&world, person).await;
        let mut request = change(&world, person, "x");
        request.changes = Private([(path.to_owned(), value)].into());
        world.agency.change(&request).await.unwrap();
        let refused = world.sign_in(&device, &["pid"]).await.err();
        assert_eq!(refused.as_deref(), Some("revoked"), "{path}");
    }
}
