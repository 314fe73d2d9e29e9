//! Every bad input is refused with its code and changes nothing.

use axum::http::Method;
use etibar_agency::Standing;
use etibar_openid::{
    Private,
    member::{HolderAction, ReceiptAcknowledgement, RegisterChange, RevocationNotice},
};
use etibar_primitives::{Digest, MemberId};
use serde_json::json;

use crate::{
    CLERK, ask, bank,
    common::{FORM, JSON, bare, post, post_as, render},
    enrolled, get, token_of,
    world::{
        BANK, REGISTRAR, World, member_key, operation,
        requests::{change, consent, enrolment, fetch},
    },
};

const KIB: usize = 1024;
/// A name, or an operation, that nobody made.
const NOBODYS: &str = "00000000-0000-4000-8000-000000000000";
const MEMBERS_ROUTES: [&str; 4] = ["/v1/consents", "/v1/data", "/v1/receipts", "/v1/revocations"];

fn case(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// How the agency stands, but for the moment of it.
async fn standing(world: &World) -> Standing {
    Standing { at: etibar_primitives::BlockTime(0), ..world.agency.standing().await.unwrap() }
}

#[tokio::test]
async fn paths_and_methods_that_are_none_answer_with_a_problem() {
    let world = World::new().await;
    let before = standing(&world).await;
    let recovery = format!("/v1/recoveries/{NOBODYS}");
    let cases = [
        (Method::GET, "/v1/nothing", case(404, "route_unknown")),
        (Method::GET, "/v1/enrolments", case(405, "method_not_allowed")),
        (Method::GET, "/v1/data", case(405, "method_not_allowed")),
        (Method::DELETE, "/v1/register/changes", case(405, "method_not_allowed")),
        (Method::POST, "/oauth/authorize", case(405, "method_not_allowed")),
        (Method::PUT, "/oid4vci/nonce", case(405, "method_not_allowed")),
        (Method::GET, "/status/7", case(404, "status_list_unknown")),
        (Method::GET, "/status/first", case(400, "malformed_path")),
        (Method::GET, "/types/kyc", case(404, "type_unknown")),
        (Method::GET, "/oid4vci/offers/none", case(404, "offer_unknown")),
        (Method::GET, &recovery, case(404, "recovery_unknown")),
        (Method::GET, "/v1/recoveries/none", case(400, "malformed_path")),
    ];
    for (method, path, expected) in cases {
        let answer = ask(&world, bare(method.clone(), path)).await;
        assert_eq!(answer.problem(), expected, "{method} {path}");
    }
    assert_eq!(standing(&world).await, before);
}

#[tokio::test]
async fn the_members_routes_open_to_a_members_fresh_token_alone() {
    let world = World::new().await;
    let before = standing(&world).await;
    let elsewhere =
        etibar_client::token::sign(&Digest([9; 32]), BANK, &member_key(BANK), world.now());
    let tokens = [
        ("noise", "abc".to_owned(), "token_malformed"),
        ("expired", token_of(&world, BANK, BANK, 400_000), "token_expired"),
        ("from the future", token_of(&world, BANK, BANK, -90_000), "token_not_yet_valid"),
        ("another network's", elsewhere, "token_audience"),
        ("another's key", token_of(&world, BANK, REGISTRAR, 0), "key_not_active"),
        ("nobody's", token_of(&world, MemberId(77), BANK, 0), "key_not_active"),
        ("the clerks'", CLERK.to_owned(), "token_malformed"),
    ];
    for path in MEMBERS_ROUTES {
        let body = render(&fetch(Digest([7; 32])));
        let missing = ask(&world, post(path, JSON, body.clone())).await;
        assert_eq!(missing.problem(), case(401, "token_missing"), "{path}");
        for (name, token, code) in &tokens {
            let answer = ask(&world, post_as(token, path, body.clone())).await;
            assert_eq!(answer.problem(), case(401, code), "{path}: {name}");
        }
    }
    assert_eq!(standing(&world).await, before);
}

#[tokio::test]
async fn each_bad_message_of_a_member_is_refused_with_its_code_and_leaves_no_receipt() {
    let world = World::new().await;
    let device = enrolled(&world, 0).await;
    let (registration, secret) = consent(&world, &device);
    let rel = secret.rel();
    let token = bank(&world);
    let before = standing(&world).await;
    for path in MEMBERS_ROUTES {
        for (name, body, expected) in [
            ("empty", Vec::new(), case(400, "message_malformed")),
            ("noise", vec![0xff; 64], case(400, "message_malformed")),
            ("another message", b"{\"id\":1}".to_vec(), case(400, "message_malformed")),
            ("oversized", vec![b' '; 320 * KIB + 1], case(413, "body_too_large")),
        ] {
            let answer = ask(&world, post_as(&token, path, body)).await;
            assert_eq!(answer.problem(), expected, "{path}: {name}");
        }
    }
    let nobodys = Digest([7; 32]);
    let unsigned = ReceiptAcknowledgement {
        id: operation(),
        rel: nobodys,
        counter_signature: "abc".to_owned(),
    };
    let notice = RevocationNotice { rel: nobodys, revoked_by: operation() };
    let mut never_granted = registration.clone();
    never_granted.granted_by = operation();
    let cases = [
        ("/v1/data", render(&fetch(nobodys)), case(404, "consent_unknown")),
        ("/v1/receipts", render(&unsigned), case(404, "receipt_unknown")),
        ("/v1/revocations", render(&notice), case(404, "consent_unknown")),
        ("/v1/consents", render(&never_granted), case(403, "grant_unknown")),
    ];
    for (path, body, expected) in cases {
        assert_eq!(ask(&world, post_as(&token, path, body)).await.problem(), expected, "{path}");
    }
    // Another member's consent is nobody's here.
    let stranger = token_of(&world, REGISTRAR, REGISTRAR, 0);
    let foreign = ask(&world, post_as(&stranger, "/v1/consents", render(&registration))).await;
    assert_eq!(foreign.problem(), case(404, "consent_unknown"));
    assert_eq!(standing(&world).await, before);

    assert_eq!(
        ask(&world, post_as(&token, "/v1/consents", render(&registration))).await.status,
        200
    );
    let live = RevocationNotice { rel, revoked_by: operation() };
    let early = ask(&world, post_as(&token, "/v1/revocations", render(&live))).await;
    assert_eq!(early.problem(), case(409, "consent_stands"), "the ledger says when it has ended");
    let stands = ask(&world, post_as(&token, "/v1/data", render(&fetch(rel)))).await;
    assert_eq!(stands.status, 200, "{}", stands.text);
}

#[tokio::test]
async fn the_register_changes_by_its_clerks_alone_and_by_whole_changes() {
    let world = World::new().await;
    enrolled(&world, 0).await;
    let before = standing(&world).await;
    let path = "/v1/register/changes";
    let good = change(&world, 0, "Şəki");
    let missing = ask(&world, post(path, JSON, render(&good))).await;
    assert_eq!(missing.problem(), case(401, "token_missing"));
    for token in ["", "abc", &CLERK.to_uppercase(), &bank(&world)] {
        let answer = ask(&world, post_as(token, path, render(&good))).await;
        assert_eq!(answer.problem(), case(401, "clerk_token_needed"));
    }
    let with = |path: &str, value: serde_json::Value| RegisterChange {
        id: operation(),
        changes: Private([(path.to_owned(), value)].into()),
        ..good.clone()
    };
    let cases = [
        ("empty", Vec::new(), case(400, "message_malformed")),
        ("oversized", vec![b' '; 320 * KIB + 1], case(413, "body_too_large")),
        ("too long", vec![b' '; 65 * KIB], case(400, "message_too_large")),
        ("no such claim", render(&with("salary", json!(1))), case(400, "claim_unknown")),
        ("no such end", render(&with("record.ended", json!("moved"))), case(400, "claim_unknown")),
        ("no day", render(&with("record.valid_until", json!("soon"))), case(400, "claim_unknown")),
        (
            "another agency's record",
            render(&RegisterChange { vct: "urn:az:company:1".to_owned(), ..good.clone() }),
            case(404, "record_unknown"),
        ),
        (
            "nobody",
            render(&RegisterChange { subject: Private("9ZZ9ZZ9".to_owned()), ..good.clone() }),
            case(404, "record_unknown"),
        ),
    ];
    for (name, body, expected) in cases {
        let answer = ask(&world, post_as(CLERK, path, body)).await;
        assert_eq!(answer.problem(), expected, "{name}");
    }
    assert_eq!(standing(&world).await, before);

    assert_eq!(ask(&world, post_as(CLERK, path, render(&good))).await.status, 200);
    let other = RegisterChange { reason: "another".to_owned(), ..good };
    let reused = ask(&world, post_as(CLERK, path, render(&other))).await;
    assert_eq!(reused.problem(), case(409, "id_reused"));
}

#[tokio::test]
async fn each_bad_request_of_a_person_is_refused_with_its_code_and_enrols_nobody() {
    let world = World::new().await;
    let before = standing(&world).await;
    let good = enrolment(&world, 0);
    let mut other = good.clone();
    other.document_number = enrolment(&world, 1).document_number;
    let routes = ["/v1/enrolments", "/v1/recoveries", "/v1/holder/revoke", "/v1/holder/accesses"];
    for path in routes {
        for (name, body, expected) in [
            ("empty", Vec::new(), case(400, "message_malformed")),
            ("noise", vec![0xff; 64], case(400, "message_malformed")),
            ("oversized", vec![b' '; 320 * KIB + 1], case(413, "body_too_large")),
        ] {
            let answer = ask(&world, post(path, JSON, body)).await;
            assert_eq!(answer.problem(), expected, "{path}: {name}");
        }
    }
    let answer = ask(&world, post("/v1/enrolments", JSON, render(&other))).await;
    assert_eq!(answer.problem(), case(403, "person_not_confirmed"));
    assert!(!answer.text.contains(&other.fin.0), "the answer repeats the number");
    assert_eq!(standing(&world).await, before);

    let device = enrolled(&world, 0).await;
    let rel = Digest([7; 32]);
    let old = world.holder_request(&device, HolderAction::Revoke { rel });
    let wrong = ask(&world, post("/v1/holder/accesses", JSON, render(&old))).await;
    assert_eq!(wrong.problem(), case(400, "other_action"));
    let nobodys = ask(&world, post("/v1/holder/revoke", JSON, render(&old))).await;
    assert_eq!(nobodys.problem(), case(404, "consent_unknown"));
    world.pass(3_600_000);
    let stale = ask(&world, post("/v1/holder/revoke", JSON, render(&old))).await;
    assert_eq!(stale.problem(), case(401, "request_stale"));
    let path = format!("/v1/recoveries/{NOBODYS}/approvals");
    let envelope = render(&world.holder_request(&device, HolderAction::Revoke { rel }));
    let approval = ask(&world, post(&path, JSON, envelope)).await;
    assert_eq!(approval.problem(), case(400, "message_malformed"));
}

#[tokio::test]
async fn the_issuing_routes_refuse_in_oauths_words_what_was_never_granted() {
    let world = World::new().await;
    let before = standing(&world).await;
    for (path, kind, body) in [
        ("/oauth/par", FORM, "client_id=nobody"),
        ("/oauth/token", FORM, ""),
        ("/oauth/token", FORM, "grant_type=authorization_code&code=abc"),
        ("/oid4vci/credential", JSON, "{}"),
        ("/oid4vci/deferred", JSON, "{}"),
        ("/oid4vci/notification", JSON, "{}"),
    ] {
        let (status, code) = ask(&world, post(path, kind, body)).await.oauth();
        assert!([400, 401].contains(&status), "{path} {body}: {status} {code}");
    }
    let nobodys = "/oid4vp/responses/00000000000000000000000000000000";
    let unknown = ask(&world, post(nobodys, FORM, "error=access_denied")).await;
    assert_eq!(unknown.oauth(), case(404, "request_unknown"));
    let (status, _) =
        get(&world, "/oauth/authorize?client_id=wallet&request_uri=none").await.oauth();
    assert!([400, 401].contains(&status), "{status}");
    assert_eq!(standing(&world).await, before);
}
