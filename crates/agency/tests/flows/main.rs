//! A person's way through the registrar: enrol, consent, change, revoke, recover.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod interrupted;
mod keys;
mod looks;
mod releases;
mod renewal;
mod world;

use etibar_credential::{
    catalogue::Language,
    document::{Binding, Envelope},
    evidence::{Receipt, counter_sign, receipt_digest},
    level::Method,
};
use etibar_ledger::{
    Operation,
    operation::{Action, ConsentRevocation},
};
use etibar_openid::{
    Private,
    member::{
        ConsentRegistration, DataRequest, Enrolment, HolderAction, ReceiptAcknowledgement,
        Recovery, RecoveryApproval, RecoveryMeans, RecoveryState, render,
    },
};
use etibar_primitives::{BlockTime, Digest};
use serde_json::{Value, json};
use world::{
    BANK, Device, REGISTRAR, URL, World, block, operation,
    requests::{change, consent, enrolment, evidence, fetch},
};

async fn enrolled(world: &World, person: usize) -> Device {
    let answer = world.agency.enrol(&enrolment(world, person)).await.unwrap();
    world.redeem(&answer.offers[0], &["pid", "pairwise-2", "pairwise-3"], 2).await
}

fn claims(device: &Device, configuration: &str) -> serde_json::Map<String, Value> {
    device.held[configuration][0].0.read().unwrap().claims.0
}

#[tokio::test]
async fn a_person_enrols_once_and_each_bank_knows_another_name() {
    let mut world = World::new().await;
    let request = enrolment(&world, 0);
    let answer = world.agency.enrol(&request).await.unwrap();
    world.restart().await;
    // The repeat, after a stop, is the same enrolment.
    let again = world.agency.enrol(&request).await.unwrap();
    assert_eq!((again.id, again.level), (answer.id, answer.level));
    let device = world.redeem(&again.offers[0], &["pid", "pairwise-2", "pairwise-3"], 3).await;
    let pid = claims(&device, "pid");
    assert_eq!(pid["assurance_level"], "substantial");
    assert_eq!(pid["age_over_18"], true);
    assert!(!pid.contains_key("guardian"), "the register knows more than the credential");
    let (two, three) = (claims(&device, "pairwise-2"), claims(&device, "pairwise-3"));
    assert_eq!((&two["member"], &three["member"]), (&json!(2), &json!(3)));
    assert_ne!(two["ppid"], three["ppid"]);
    let entries: std::collections::BTreeSet<String> = device
        .held
        .values()
        .flatten()
        .map(|(credential, _)| credential.read().unwrap().claims.0["status"].to_string())
        .collect();
    assert_eq!(entries.len(), 9, "each instance has its own status entry");
    // Somebody else, or the same person again: one living enrolment.
    let second = world.agency.enrol(&enrolment(&world, 0)).await.unwrap_err();
    assert_eq!(second.code(), "already_enrolled");
    let mut other = request.clone();
    other.language = Language::En;
    assert_eq!(world.agency.enrol(&other).await.unwrap_err().code(), "id_reused");
    world.pass(700_000);
    assert_eq!(world.agency.enrol(&request).await.unwrap_err().code(), "enrolment_complete");
}

#[tokio::test]
async fn each_refusal_of_an_enrolment_has_its_code() {
    let world = World::new().await;
    let people = world.population.people();
    let child = people.iter().position(|person| person.guardian.is_some()).unwrap();
    let guardian = people[people[child].guardian.unwrap()].fin;
    let code = async |request: Enrolment| world.agency.enrol(&request).await.unwrap_err().code();
    let other_document = Enrolment {
        document_number: Private(people[1].document_number.clone()),
        ..enrolment(&world, 0)
    };
    assert_eq!(code(other_document).await, "person_not_confirmed");
    let other_face = Enrolment {
        proofing: evidence(people[1].fin.expose(), &[Method::Video]),
        ..enrolment(&world, 0)
    };
    assert_eq!(code(other_face).await, "proofing_other_person");
    let mut provider = enrolment(&world, 0);
    provider.proofing.provider = "nobody".to_owned();
    assert_eq!(code(provider).await, "proofing_provider_unknown");
    assert_eq!(code(enrolment(&world, child)).await, "guardian_needed");
    let by_guardian = Enrolment {
        proofing: evidence(guardian.expose(), &[Method::Call, Method::Signature]),
        ..enrolment(&world, child)
    };
    let answer = world.agency.enrol(&by_guardian).await.unwrap();
    let device = world.redeem(&answer.offers[0], &["pid"], 1).await;
    assert_eq!(claims(&device, "pid")["age_over_18"], false);
    let own = Enrolment {
        guardians: vec![Private(people[0].fin.expose().to_owned()); 3],
        ..enrolment(&world, 0)
    };
    assert_eq!(code(own).await, "guardians_invalid");
    if let Some(dead) = people.iter().position(|person| person.died.is_some()) {
        assert_eq!(code(enrolment(&world, dead)).await, "person_deceased");
    }
}

/// Opens an answer as the bank does.
fn opened(world: &World, answer: &etibar_openid::member::DataAnswer) -> Value {
    let (receipt, _) = Receipt::peek(&answer.receipt).unwrap();
    let envelope = Envelope::from_text(&answer.envelope).unwrap();
    let binding = Binding { consent: receipt.consent, provider: REGISTRAR, consumer: BANK };
    let document = envelope.open(&binding, &world.bank_seal).unwrap();
    serde_json::from_slice(&document.content).unwrap()
}

#[tokio::test]
async fn data_leaves_under_a_live_consent_only_and_every_fetch_leaves_a_receipt() {
    let mut world = World::new().await;
    let device = enrolled(&world, 0).await;
    let (registration, secret) = consent(&world, &device);
    let rel = secret.rel();
    let unknown = world.agency.data(BANK, &fetch(rel)).await.unwrap_err();
    assert_eq!(unknown.code(), "consent_unknown");
    world.agency.register_consent(BANK, &registration).await.unwrap();
    world.restart().await;
    world.agency.register_consent(BANK, &registration).await.unwrap();

    let request = fetch(rel);
    let answer = world.agency.data(BANK, &request).await.unwrap();
    world.restart().await;
    assert_eq!(world.agency.data(BANK, &request).await.unwrap(), answer, "a repeat is the same");
    let city = world.population.people()[0].address.city;
    assert_eq!(opened(&world, &answer)["records"], json!([{ "address": { "city": city } }]));
    let code = async |member, request: DataRequest| {
        world.agency.data(member, &request).await.unwrap_err().code()
    };
    assert_eq!(
        code(
            BANK,
            DataRequest { id: request.id, claims: vec!["document_number".into()], ..fetch(rel) }
        )
        .await,
        "id_reused"
    );
    assert_eq!(code(BANK, fetch(rel)).await, "fetch_not_due");
    assert_eq!(code(BANK, DataRequest { purpose: 1, ..fetch(rel) }).await, "other_purpose");
    let more = DataRequest { claims: vec!["birthdate".into()], ..fetch(rel) };
    assert_eq!(code(BANK, more).await, "consent_does_not_cover");
    assert_eq!(code(REGISTRAR, fetch(rel)).await, "consent_unknown");

    let acknowledgement = ReceiptAcknowledgement {
        id: request.id,
        rel,
        counter_signature: counter_sign(&answer.receipt, BANK, &*world.bank.signer).unwrap(),
    };
    world.agency.acknowledge(BANK, &acknowledgement).await.unwrap();

    // A change: the notice waits while the bank is away, then the bank fetches once more.
    world.web.shut.store(true, std::sync::atomic::Ordering::SeqCst);
    let request = change(&world, 0, "Şəki");
    let changed = world.agency.change(&request).await.unwrap();
    assert_eq!((changed.revoked, changed.notices), (2, 1));
    world.agency.work_once().await.unwrap();
    world.restart().await;
    assert_eq!(world.agency.change(&request).await.unwrap(), changed, "a repeat changes nothing");
    assert_eq!(world.agency.standing().await.unwrap().notices.waiting, 1);
    world.web.shut.store(false, std::sync::atomic::Ordering::SeqCst);
    world.pass(60_000);
    world.agency.work_once().await.unwrap();
    assert_eq!(world.web.notices.lock().unwrap().len(), 1);
    let second = world.agency.data(BANK, &fetch(rel)).await.unwrap();
    assert_eq!(opened(&world, &second)["records"][0]["address"]["city"], "Şəki");
    let (first, next) = (&answer.receipt, Receipt::peek(&second.receipt).unwrap().0);
    assert_eq!((next.sequence, next.previous), (2, receipt_digest(first)));
    assert_eq!(world.agency.standing().await.unwrap().notices.lag_ms_max, 60_000);

    check_end(world, &device, &registration, rel).await;
}

/// Who looked, and the end of the consent.
async fn check_end(
    mut world: World,
    device: &Device,
    registration: &ConsentRegistration,
    rel: Digest,
) {
    // The old PID is revoked; the person fetches a new one and asks who looked.
    let old = world.holder_request(device, HolderAction::Accesses { rel: None, after: 0 });
    assert_eq!(world.agency.accesses(&old).await.unwrap_err().code(), "revoked");
    let recovered = recover(&world, 0).await;
    world.pass(10_000);
    world.agency.work_once().await.unwrap();
    world.restart().await;
    let ask = world.holder_request(&recovered, HolderAction::Accesses { rel: Some(rel), after: 0 });
    let accesses = world.agency.accesses(&ask).await.unwrap();
    assert_eq!(accesses.receipts.len(), 2);
    assert!(accesses.receipts.iter().all(|served| served.inclusion.is_some()));
    assert!(accesses.receipts[0].counter_signature.is_some());
    // Nothing comes after a position that no log reaches.
    let beyond = HolderAction::Accesses { rel: None, after: u64::MAX };
    let beyond = world.holder_request(&recovered, beyond);
    assert!(world.agency.accesses(&beyond).await.unwrap().receipts.is_empty());

    // The end: final at once, also for whoever asks again for an old answer.
    let end = world.holder_request(&recovered, HolderAction::Revoke { rel });
    world.agency.revoke(&end).await.unwrap();
    world.restart().await;
    let refused = world.agency.data(BANK, &fetch(rel)).await.unwrap_err();
    assert_eq!(refused.code(), "consent_revoked");
    let again = world.agency.register_consent(BANK, registration).await.unwrap_err();
    assert_eq!(again.code(), "consent_revoked");
    let store = world.store_bytes();
    let person = &world.population.people()[0];
    for secret in [person.fin.expose(), &person.family_name, &person.document_number] {
        let found = store.windows(secret.len()).any(|bytes| bytes == secret.as_bytes());
        assert!(!found, "the store holds no personal value in clear");
    }
}

/// A new device by a new proofing.
async fn recover(world: &World, person: usize) -> Device {
    let enrolment = enrolment(world, person);
    let request = Recovery {
        id: operation(),
        fin: enrolment.fin,
        document_number: enrolment.document_number,
        by: RecoveryMeans::Proofing { proofing: enrolment.proofing },
        language: Language::Az,
    };
    let progress = world.agency.recover(&request).await.unwrap();
    assert_eq!(progress.state, RecoveryState::Done);
    world.redeem(&progress.offers[0], &["pid", "pairwise-2"], 2).await
}

#[tokio::test]
async fn a_revocation_on_the_ledger_ends_fetching_whoever_tells_it() {
    let world = World::new().await;
    let device = enrolled(&world, 0).await;
    let (registration, secret) = consent(&world, &device);
    let rel = secret.rel();
    world.agency.register_consent(BANK, &registration).await.unwrap();
    let action = Action::RevokeConsent(ConsentRevocation { rel });
    let revocation = Operation { id: operation(), linked: false, action };
    let batch = block(0, world.now(), &[(BANK, revocation)]);
    assert_eq!(world.agency.take_events(&batch).await.unwrap(), 1);
    assert_eq!(world.agency.take_events(&batch).await.unwrap(), 1, "each event counts once");
    let refused = world.agency.data(BANK, &fetch(rel)).await.unwrap_err();
    assert_eq!(refused.code(), "consent_revoked");
    // Another one, of which no event has come yet: the ledger is asked.
    let (registration, secret) = consent(&world, &device);
    world.agency.register_consent(BANK, &registration).await.unwrap();
    let action = Action::RevokeConsent(ConsentRevocation { rel: secret.rel() });
    world.ledger.submit(BANK, Operation { id: operation(), linked: false, action });
    let refused = world.agency.data(BANK, &fetch(secret.rel())).await.unwrap_err();
    assert_eq!(refused.code(), "consent_revoked");
}

#[tokio::test]
async fn two_of_three_guardians_give_a_person_new_credentials_that_tell_the_cool_down() {
    let mut world = World::new().await;
    let people = world.population.people();
    let named = (1..4).map(|guardian| Private(people[guardian].fin.expose().to_owned())).collect();
    let request = Enrolment { guardians: named, ..enrolment(&world, 0) };
    let answer = world.agency.enrol(&request).await.unwrap();
    let lost = world.redeem(&answer.offers[0], &["pid", "pairwise-2"], 2).await;
    let mut devices = Vec::new();
    for guardian in [1, 2, 4] {
        devices.push(enrolled(&world, guardian).await);
    }
    let recovery = Recovery {
        id: operation(),
        fin: request.fin.clone(),
        document_number: request.document_number.clone(),
        by: RecoveryMeans::Guardians {},
        language: Language::Az,
    };
    let progress = world.agency.recover(&recovery).await.unwrap();
    assert_eq!((progress.state, progress.approvals_missing), (RecoveryState::Waiting, 2));
    let approve = async |world: &World, device: &Device| {
        let (audience, made_at) = (URL.to_owned(), world.now());
        let body = RecoveryApproval { recovery: recovery.id, audience, made_at };
        world.agency.approve(recovery.id, &world.envelope(device, &render(&body).unwrap())).await
    };
    let stranger = approve(&world, &devices[2]).await.unwrap_err();
    assert_eq!(stranger.code(), "not_a_guardian");
    assert_eq!(approve(&world, &devices[0]).await.unwrap().approvals_missing, 1);
    assert_eq!(approve(&world, &devices[0]).await.unwrap().approvals_missing, 1, "counts once");
    world.restart().await;
    assert_eq!(approve(&world, &devices[1]).await.unwrap().approvals_missing, 0);
    let done = world.agency.recover(&recovery).await.unwrap();
    assert_eq!(done.state, RecoveryState::Done);
    let until = done.cooldown_until.unwrap();
    assert!(until > BlockTime(world.now().0));
    let device = world.redeem(&done.offers[0], &["pid", "pairwise-2"], 1).await;
    assert_eq!(claims(&device, "pid")["cooldown_until"], until.0 / 1_000);
    assert_eq!(claims(&device, "pairwise-2")["ppid"], claims(&lost, "pairwise-2")["ppid"]);
    let old = world.holder_request(&lost, HolderAction::Accesses { rel: None, after: 0 });
    assert_eq!(world.agency.accesses(&old).await.unwrap_err().code(), "revoked");
}

#[tokio::test]
async fn a_death_revokes_every_credential_and_ends_the_enrolment() {
    let world = World::new().await;
    let device = enrolled(&world, 0).await;
    let mut request = change(&world, 0, "x");
    request.changes = Private([("record.ended".to_owned(), json!("died"))].into());
    world.agency.change(&request).await.unwrap();
    let standing = world.agency.standing().await.unwrap();
    assert_eq!(standing.enrolments, 0);
    for kind in ["urn:az:pid:1", "urn:az:pairwise:1"] {
        let counts = standing.issued[kind];
        assert_eq!(counts.issued, counts.revoked, "{kind}");
    }
    let ask = world.holder_request(&device, HolderAction::Accesses { rel: None, after: 0 });
    assert_eq!(world.agency.accesses(&ask).await.unwrap_err().code(), "revoked");
    let again = world.agency.enrol(&enrolment(&world, 0)).await.unwrap_err();
    assert_eq!(again.code(), "person_deceased");
}
