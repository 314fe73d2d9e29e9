//! What a clerk does with a person's entry is in the person's own list.

use etibar_agency::{clerk::Subject, ports::Executed};
use etibar_credential::evidence::{Action, Anchor, Duty, LogEntry, Problem, Role, check_log};
use etibar_ledger::operation;
use etibar_openid::member::{HolderAction, ServedReceipt};
use etibar_primitives::{MemberId, OperationId};

use super::{
    Device, change, consent, enrolled, fetch, recover,
    world::{BANK, REGISTRAR, World},
};

const PID: &str = "urn:az:pid:1";

/// The person's whole list, once everything is anchored.
async fn list(world: &World, device: &Device) -> Vec<ServedReceipt> {
    world.pass(10_000);
    world.agency.work_once().await.unwrap();
    let ask = world.holder_request(device, HolderAction::Accesses { rel: None, after: 0 });
    world.agency.accesses(&ask).await.unwrap().receipts
}

fn entry(served: &ServedReceipt) -> LogEntry {
    let inclusion = served.inclusion.clone().map(|its| serde_json::from_value(its).unwrap());
    LogEntry {
        receipt: served.receipt.0.clone(),
        counter_signature: served.counter_signature.clone(),
        proof: inclusion.zip(served.anchored_by),
    }
}

/// The anchors that the ledger has.
fn anchors(world: &World) -> Vec<Anchor> {
    let done = world.ledger.done.lock().unwrap();
    let anchor = |((member, operation), done): (&(MemberId, OperationId), &Executed)| {
        let operation::Action::AnchorEvidence(anchor) = done.operation?.action else { return None };
        Some(Anchor {
            member: *member,
            operation: *operation,
            root: anchor.root,
            count: anchor.count,
            from: anchor.from,
            until: anchor.until,
        })
    };
    done.iter().filter_map(anchor).collect()
}

#[tokio::test]
async fn what_a_clerk_does_is_in_the_persons_list_signed_numbered_and_anchored() {
    let mut world = World::new().await;
    let device = enrolled(&world, 0).await;
    let (registration, _) = consent(&world, &device);
    world.agency.register_consent(BANK, &registration).await.unwrap();
    let subject = Subject::parse(world.population.people()[0].fin.expose()).unwrap();
    let other = Subject::parse(world.population.people()[1].fin.expose()).unwrap();
    world.agency.look_up(&subject, "clerk-1", "asked at the counter").await.unwrap();
    world.agency.look_up(&other, "clerk-1", "another person").await.unwrap();
    let unexplained = world.agency.look_up(&subject, "clerk-1", " ").await.err().unwrap();
    assert_eq!(unexplained.code(), "reason_needed");
    assert_eq!(list(&world, &device).await.len(), 1, "of this person, and shown to somebody");

    let moved = change(&world, 0, "Şəki");
    for _ in 0..2 {
        world.agency.revoke_for_cause(&subject, PID, "clerk-2", "stolen").await.unwrap();
    }
    for _ in 0..2 {
        world.agency.change_by("clerk-2", &moved).await.unwrap();
        world.restart().await;
    }
    let device = recover(&world, 0).await;
    let served = list(&world, &device).await;

    let key = world.agency.setup().signer.public_key();
    let entries: Vec<LogEntry> = served.iter().map(entry).collect();
    let keys = |member, _: &[Vec<u8>]| (member == REGISTRAR).then_some(key);
    let found = check_log(&entries, &anchors(&world), &[], &keys);
    let done: Vec<Action> = found.receipts.iter().map(|(_, receipt)| receipt.action).collect();
    assert_eq!(done, [Action::Look, Action::Invalidate, Action::Change], "a repeat adds nothing");
    for (at, (_, receipt)) in (1..).zip(&found.receipts) {
        assert_eq!((receipt.sequence, receipt.author), (at, REGISTRAR));
        assert_eq!((receipt.reader, receipt.duty), (Some(Role::Clerk), Some(Duty::Register)));
        assert_eq!(receipt.vct, PID);
    }
    assert!(found.receipts[0].1.claims.contains(&"family_name".to_owned()));
    assert_eq!(found.receipts[2].1.claims, ["address.city"]);
    // Nobody is on the other side: only its signature is wanting, which none can give.
    assert!(found.findings.iter().all(|its| its.problem == Problem::NotCounterSigned));
    for told in &served {
        let payload = told.receipt.0.split('.').nth(1).unwrap();
        let payload = etibar_credential::jose::decode(payload).unwrap();
        let payload = String::from_utf8(payload).unwrap();
        for secret in ["clerk-1", "clerk-2", "counter", "stolen", "Şəki"] {
            assert!(!payload.contains(secret), "{payload}");
        }
    }
    // The clerk's page tells consumers' accesses apart from the clerks' own.
    let file = world.agency.look_up(&subject, "clerk-1", "asked").await.unwrap();
    assert!(file.receipts.is_empty());
}

#[tokio::test]
async fn a_fetch_and_a_look_are_two_logs_and_neither_can_be_cut_off() {
    let world = World::new().await;
    let device = enrolled(&world, 0).await;
    let (registration, secret) = consent(&world, &device);
    world.agency.register_consent(BANK, &registration).await.unwrap();
    world.agency.data(BANK, &fetch(secret.rel())).await.unwrap();
    let subject = Subject::parse(world.population.people()[0].fin.expose()).unwrap();
    for _ in 0..2 {
        world.agency.look_up(&subject, "clerk-1", "asked").await.unwrap();
    }
    let served = list(&world, &device).await;
    let key = world.agency.setup().signer.public_key();
    let keys = |_: MemberId, _: &[Vec<u8>]| Some(key);
    let entries: Vec<LogEntry> = served.iter().map(entry).collect();
    let heads = check_log(&entries, &anchors(&world), &[], &keys).heads;
    assert_eq!(heads.len(), 2);
    let cut = &entries[..entries.len() - 1];
    let found = check_log(cut, &anchors(&world), &heads, &keys).findings;
    assert!(found.iter().any(|its| matches!(its.problem, Problem::Missing(2))), "{found:?}");
}
