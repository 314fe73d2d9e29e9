//! Each route once as it should be: enrolment, credentials, data under consent, changes, recovery.

use axum::http::Method;
use etibar_credential::{catalogue::Language, evidence::counter_sign, jose};
use etibar_openid::{
    Private,
    member::{
        HolderAction, ReceiptAcknowledgement, Recovery, RecoveryApproval, RecoveryMeans,
        RevocationNotice,
    },
    vci::CredentialOffer,
};
use serde_json::Value;

use crate::{
    CLERK, ask, bank, bare,
    common::{
        Answer, FORM, JSON,
        issuing::{Server, entropy, key},
        post, post_as, render,
    },
    enrolled, get, router,
    world::{
        BANK, URL, World, operation,
        requests::{change, consent, enrolment, fetch},
    },
};

fn well(answer: Answer) -> Answer {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer
}

#[tokio::test]
async fn a_person_enrols_and_fetches_credentials_over_http() {
    let world = World::new().await;
    let body = render(&enrolment(&world, 0));
    let answer = well(ask(&world, post("/v1/enrolments", JSON, body)).await).json();
    let offer = answer["offers"][0].as_str().unwrap();
    let id = offer.rsplit("%2F").next().unwrap();
    let offer = well(get(&world, &format!("/oid4vci/offers/{id}")).await);
    let offer = CredentialOffer::parse(offer.text.as_bytes()).unwrap();
    let server = Server { router: router(&world), base: URL.to_owned() };
    let pids = server.redeem(&offer, "pid", 2, world.now()).await;
    assert_eq!(pids.len(), 2);
    world.agency.work_once().await.unwrap();
    let list = well(get(&world, "/status/0").await);
    assert_eq!(list.kind(), "application/statuslist+jwt");
    assert_eq!(well(get(&world, "/types/pid").await).kind(), JSON);
    for path in ["/healthz", "/readyz", "/metrics"] {
        well(get(&world, path).await);
    }
}

#[tokio::test]
async fn a_wallet_pushes_its_request_is_sent_to_show_the_pid_and_may_say_no() {
    let world = World::new().await;
    let server = Server { router: router(&world), base: URL.to_owned() };
    let (mut session, dpop) = (server.session().await, key());
    let mut address = None;
    for _ in 0..2 {
        let request =
            session.push(&["pid".to_owned()], None, &dpop, world.now(), &entropy()).unwrap();
        // The issuer asks for its nonce in the proof the first time.
        address = session.pushed(&server.send(&request).await).ok();
        if address.is_some() {
            break;
        }
    }
    let address = address.expect("a request is pushed");
    let sent = get(&world, address.strip_prefix(URL).unwrap()).await;
    assert_eq!(sent.status, 302, "{}", sent.text);
    let link = sent.headers["location"].to_str().unwrap();
    let reference = etibar_openid::vp::RequestReference::parse(link).unwrap();
    let id = reference.request_uri.rsplit('/').next().unwrap();
    let object = well(get(&world, &format!("/oid4vp/requests/{id}")).await);
    assert_eq!(object.kind(), "application/oauth-authz-req+jwt");
    let nonce = post(&format!("/oid4vp/requests/{id}"), FORM, "wallet_nonce=abc");
    let object = well(ask(&world, nonce).await);
    let claims = object.text.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&jose::decode(claims).unwrap()).unwrap();
    let no = format!("error=access_denied&state={}", claims["state"].as_str().unwrap());
    let answer = ask(&world, post(&format!("/oid4vp/responses/{id}"), FORM, no.clone())).await;
    let back = well(answer).json()["redirect_uri"].as_str().unwrap().to_owned();
    assert!(back.contains("error=access_denied"), "{back}");
    assert!(session.redirected(&back).is_err());
    let again = ask(&world, post(&format!("/oid4vp/responses/{id}"), FORM, no)).await;
    assert_eq!(again.oauth(), (400, "answer_replayed".to_owned()));
}

#[tokio::test]
async fn a_bank_registers_a_consent_fetches_acknowledges_and_tells_its_end_over_http() {
    let world = World::new().await;
    let device = enrolled(&world, 0).await;
    let (registration, secret) = consent(&world, &device);
    let rel = secret.rel();
    let token = bank(&world);
    for _ in 0..2 {
        well(ask(&world, post_as(&token, "/v1/consents", render(&registration))).await);
    }
    let request = fetch(rel);
    let answer = well(ask(&world, post_as(&token, "/v1/data", render(&request))).await).json();
    let receipt = answer["receipt"].as_str().unwrap();
    let counter_signature = counter_sign(receipt, BANK, &*world.bank.signer).unwrap();
    let acknowledgement = ReceiptAcknowledgement { id: request.id, rel, counter_signature };
    well(ask(&world, post_as(&token, "/v1/receipts", render(&acknowledgement))).await);

    // The holder sees it, and ends it.
    let body =
        render(&world.holder_request(&device, HolderAction::Accesses { rel: None, after: 0 }));
    let seen = well(ask(&world, post("/v1/holder/accesses", JSON, body)).await).json();
    assert_eq!(seen["receipts"].as_array().unwrap().len(), 1);
    let body = render(&world.holder_request(&device, HolderAction::Revoke { rel }));
    let ended = well(ask(&world, post("/v1/holder/revoke", JSON, body)).await).json();
    let revoked_by = ended["revoked_by"][0].clone();
    let notice = RevocationNotice { rel, revoked_by: serde_json::from_value(revoked_by).unwrap() };
    for _ in 0..2 {
        let told = ask(&world, post_as(&token, "/v1/revocations", render(&notice))).await;
        assert_eq!(told.status, 204, "{}", told.text);
    }
    let late = ask(&world, post_as(&token, "/v1/data", render(&fetch(rel)))).await;
    assert_eq!(late.problem(), (403, "consent_revoked".to_owned()));
}

#[tokio::test]
async fn a_clerk_changes_the_register_over_http_and_the_same_change_again_is_one() {
    let world = World::new().await;
    enrolled(&world, 0).await;
    let body = render(&change(&world, 0, "Şəki"));
    let mut answers = Vec::new();
    for _ in 0..2 {
        let request = post_as(CLERK, "/v1/register/changes", body.clone());
        answers.push(well(ask(&world, request).await).text);
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].contains("\"revoked\":2"), "{}", answers[0]);
}

#[tokio::test]
async fn guardians_are_named_and_give_a_lost_wallet_back_over_http() {
    let world = World::new().await;
    let device = enrolled(&world, 0).await;
    let people = world.population.people();
    let guardians: Vec<_> =
        (1..4).map(|index| Private(people[index].fin.expose().to_owned())).collect();
    let body = render(&world.holder_request(&device, HolderAction::Guardians { guardians }));
    let named = ask(&world, post("/v1/holder/guardians", JSON, body)).await;
    assert_eq!(named.status, 204, "{}", named.text);
    let person = enrolment(&world, 0);
    let recovery = Recovery {
        id: operation(),
        fin: person.fin,
        document_number: person.document_number,
        by: RecoveryMeans::Guardians {},
        language: Language::Az,
    };
    let opened = well(ask(&world, post("/v1/recoveries", JSON, render(&recovery))).await).json();
    assert_eq!(opened["approvals_missing"], 2);
    for guardian in [1, 2] {
        let device = enrolled(&world, guardian).await;
        let (audience, made_at) = (URL.to_owned(), world.now());
        let body = RecoveryApproval { recovery: recovery.id, audience, made_at };
        let body = render(&world.envelope(&device, &render(&body)));
        let path = format!("/v1/recoveries/{}/approvals", recovery.id);
        well(ask(&world, post(&path, JSON, body)).await);
    }
    let done = well(ask(&world, post("/v1/recoveries", JSON, render(&recovery))).await).json();
    assert_eq!(done["state"], "done");
    let path = format!("/v1/recoveries/{}", recovery.id);
    let seen = well(ask(&world, bare(Method::GET, &path)).await).json();
    assert!(seen.get("offers").is_none(), "who asks by the id gets no offers");
}
