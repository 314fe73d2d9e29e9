//! Credentials that a clerk releases: deferred, asked for again, issued or refused.

use etibar_credential::jose::{Signer as _, SoftwareKey};
use etibar_openid::member::ReleaseDecision;

use super::{
    enrolment,
    world::{World, operation},
};

const DAY_MS: u64 = 86_400_000;

#[tokio::test]
async fn a_deferred_credential_is_issued_once_a_clerk_releases_it_whatever_restarts() {
    let mut world = World::releasing(&["pid"]).await;
    let answer = world.agency.enrol(&enrolment(&world, 0)).await.unwrap();
    let mut signed = world.accept(&answer.offers[0]).await;
    let keys: Vec<SoftwareKey> = (0..2).map(|_| SoftwareKey::generate(&mut rand::rng())).collect();
    let keys: Vec<&SoftwareKey> = keys.iter().collect();
    let transaction = world.order(&mut signed, "pid", &keys).await;
    world.restart().await;
    let still = world.ask_again(&mut signed, &transaction, 2).await.unwrap();
    assert_eq!(still.unwrap_err(), transaction, "it waits");
    let waiting = world.agency.releases().await.unwrap().releases;
    assert_eq!(waiting.len(), 1, "asked for twice, it is one question");
    assert_eq!(waiting[0].subject.0, world.population.people()[0].fin.expose());
    // Days later the access token would have ended: it lives for this alone.
    world.pass(2 * DAY_MS);
    let released = ReleaseDecision { release: true };
    for _ in 0..2 {
        let done = world.agency.decide_release(waiting[0].id, "clerk-1", &released).await.unwrap();
        assert!(done.released);
    }
    let other = ReleaseDecision { release: false };
    let changed = world.agency.decide_release(waiting[0].id, "clerk-1", &other).await.unwrap_err();
    assert_eq!(changed.code(), "id_reused");
    let unknown = world.agency.decide_release(operation(), "clerk-1", &other).await.unwrap_err();
    assert_eq!(unknown.code(), "release_unknown");
    world.restart().await;
    let credentials = world.ask_again(&mut signed, &transaction, 2).await.unwrap().unwrap();
    for (credential, key) in credentials.iter().zip(&keys) {
        assert_eq!(credential.read().unwrap().holder().unwrap(), key.public_key());
    }
    let again = world.ask_again(&mut signed, &transaction, 2).await.unwrap_err();
    assert_eq!(again, "transaction_unknown", "it is given once");
    let late = world.fetch(&mut signed, "pid", &keys).await.unwrap_err();
    assert_eq!(late, "access_token_unknown", "the old token orders nothing new");
    assert!(world.agency.releases().await.unwrap().releases.is_empty());
}

#[tokio::test]
async fn a_credential_that_a_clerk_refuses_is_refused_and_may_be_asked_for_a_day_later() {
    let world = World::releasing(&["pid"]).await;
    let answer = world.agency.enrol(&enrolment(&world, 0)).await.unwrap();
    let mut signed = world.accept(&answer.offers[0]).await;
    let key = SoftwareKey::generate(&mut rand::rng());
    let transaction = world.order(&mut signed, "pid", &[&key]).await;
    // What needs no release is issued meanwhile.
    world.fetch(&mut signed, "pairwise-2", &[&key]).await.unwrap();
    let waiting = world.agency.releases().await.unwrap().releases;
    let refused = ReleaseDecision { release: false };
    world.agency.decide_release(waiting[0].id, "clerk-1", &refused).await.unwrap();
    let code = world.ask_again(&mut signed, &transaction, 1).await.unwrap_err();
    assert_eq!(code, "release_refused");
    let code = world.fetch(&mut signed, "pid", &[&key]).await.unwrap_err();
    assert_eq!(code, "release_refused");
    world.pass(DAY_MS);
    let still = world.ask_again(&mut signed, &transaction, 1).await.unwrap();
    assert!(still.is_err(), "the question is asked anew");
    assert_eq!(world.agency.releases().await.unwrap().releases.len(), 1);
}
