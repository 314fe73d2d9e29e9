//! Every bad input is refused with its code and changes nothing.

use axum::{
    body::Body,
    http::{Method, Request},
};
use etibar_openid::member::{ChangeNotice, HolderAction};
use etibar_primitives::{BlockTime, Digest, OperationId};
use serde_json::json;

use crate::{
    common::{FORM, JSON, bare, post, post_as, render},
    world::{BANK, OTHER_SENIOR, REGISTRAR, SENIOR, STAFF, STRANGER, World, key_of},
};

const MIB: usize = 1024 * 1024;
const SESSIONS: &str = "/v1/onboarding/sessions";
/// A session that nobody made.
const NOBODYS: &str = "00000000000000000000000000000000";

fn case(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn each_bad_order_of_a_session_is_refused_with_its_code_and_makes_none() {
    let world = World::new().await;
    let before = world.standing().await;
    let good = json!({"product": "current_account"});
    let more = json!({"product": "current_account", "secret": "9ZZ9ZZ9"});
    let phone = json!({"product": "current_account", "phone": "12"});
    let cases = [
        ("no content type", "", good.to_string(), case(415, "not_json")),
        ("another content type", FORM, good.to_string(), case(415, "not_json")),
        ("empty", JSON, String::new(), case(400, "malformed_json")),
        ("cut off", JSON, "{\"product\":".to_owned(), case(400, "malformed_json")),
        ("a list", JSON, "[]".to_owned(), case(400, "malformed_json")),
        ("an unknown field", JSON, more.to_string(), case(400, "malformed_json")),
        ("oversized", JSON, " ".repeat(2 * MIB + 1), case(413, "body_too_large")),
        ("an unknown product", JSON, json!({"product": "x"}).to_string(), {
            case(404, "product_unknown")
        }),
        ("a telephone that is none", JSON, phone.to_string(), case(400, "phone_malformed")),
    ];
    for (name, kind, body, expected) in cases {
        let answer = world.ask(post(SESSIONS, kind, body)).await;
        assert_eq!(answer.problem(), expected, "{name}");
        assert!(!answer.text.contains("9ZZ9ZZ9"), "{name}: the answer repeats the input");
    }
    assert_eq!(world.standing().await, before);
}

#[tokio::test]
async fn paths_methods_and_ids_that_are_none_answer_with_a_problem() {
    let world = World::new().await;
    let before = world.standing().await;
    let unknown = format!("{SESSIONS}/{NOBODYS}");
    let cases = [
        (Method::GET, "/v1/onboarding/nothing", case(404, "route_unknown")),
        (Method::GET, SESSIONS, case(405, "method_not_allowed")),
        (Method::POST, "/v1/onboarding/products", case(405, "method_not_allowed")),
        (Method::DELETE, &unknown, case(405, "method_not_allowed")),
        (Method::GET, "/v1/notices", case(405, "method_not_allowed")),
        (Method::GET, "/v1/holder/data", case(405, "method_not_allowed")),
        (Method::GET, "/oauth/token", case(405, "method_not_allowed")),
        (Method::GET, &unknown, case(404, "session_unknown")),
        (Method::GET, "/v1/onboarding/sessions/abc", case(404, "session_unknown")),
        (Method::GET, "/v1/onboarding/sessions/abc?wait_ms=x", case(400, "malformed_query")),
        (Method::GET, "/types/nothing", case(404, "type_unknown")),
        (Method::GET, "/status/7", case(404, "status_list_unknown")),
        (Method::GET, "/status/first", case(400, "malformed_path")),
    ];
    for (method, path, expected) in cases {
        let answer = world.ask(bare(method.clone(), path)).await;
        assert_eq!(answer.problem(), expected, "{method} {path}");
    }
    assert_eq!(world.standing().await, before);
}

#[tokio::test]
async fn an_answer_of_a_wallet_that_is_none_is_an_oauth_error_and_leaves_the_session_open() {
    let world = World::new().await;
    let session = world.session("current_account").await;
    let wallet = world.country.wallet(BANK.0, &json!({}));
    let (path, good) = world.answer_of(&wallet, &session).await;
    let before = world.standing().await;
    let nobodys = format!("/oid4vp/responses/{NOBODYS}");
    let cases = [
        ("no such request", nobodys.as_str(), good.clone(), case(404, "request_unknown")),
        ("empty", &path, Vec::new(), case(400, "answer_malformed")),
        ("noise", &path, vec![0xff; 64], case(400, "answer_malformed")),
        ("no envelope", &path, b"response=abc".to_vec(), case(400, "jwe_malformed")),
    ];
    for (name, path, body, expected) in cases {
        let answer = world.ask(post(path, FORM, body)).await;
        assert_eq!(answer.oauth(), expected, "{name}");
    }
    let large = world.ask(post(&path, FORM, vec![b'a'; 2 * MIB + 1])).await;
    assert_eq!(large.problem(), case(413, "body_too_large"));
    let gone = world.get(&format!("/oid4vp/requests/{NOBODYS}")).await;
    assert_eq!(gone.oauth().1, "request_unknown");
    assert_eq!(world.standing().await, before);

    assert_eq!(world.ask(post(&path, FORM, good.clone())).await.status, 200);
    assert_eq!(world.end(&session).await["state"], "done");
    let done = world.standing().await;
    let again = world.ask(post(&path, FORM, good)).await;
    assert_eq!(again.oauth(), case(400, "answer_replayed"));
    assert_eq!(world.standing().await, done);
}

#[tokio::test]
async fn a_notice_is_taken_from_its_provider_alone_and_once() {
    let world = World::new().await;
    let session = world.open_account().await;
    let rel = session["consents"][1]["rel"].as_str().expect("a name");
    let rel = Digest(etibar_primitives::hex::decode_array(rel).expect("hexadecimal"));
    let changed_at = world.country.time();
    let notice = ChangeNotice { id: OperationId(rand::random()), rel, changed_at };
    let body = render(&notice);
    let other = render(&ChangeNotice { rel: Digest([7; 32]), ..notice.clone() });
    let before = world.standing().await;
    let path = "/v1/notices";
    let elsewhere = etibar_client::token::sign(
        &Digest([1; 32]),
        REGISTRAR,
        &key_of(REGISTRAR),
        etibar_client::clock::now(),
    );
    let good = world.token(REGISTRAR);
    let bearers = [
        ("noise", "abc".to_owned(), "token_malformed"),
        ("expired", world.token_of(REGISTRAR, REGISTRAR, 400_000), "token_expired"),
        ("from the future", world.token_of(REGISTRAR, REGISTRAR, -90_000), "token_not_yet_valid"),
        ("another network's", elsewhere, "token_audience"),
        ("another's key", world.token_of(REGISTRAR, STRANGER, 0), "key_not_active"),
        ("the staff's", STAFF.to_owned(), "token_malformed"),
    ];
    for (name, token, code) in bearers {
        let answer = world.ask(post_as(&token, path, body.clone())).await;
        assert_eq!(answer.problem(), case(401, code), "{name}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    let missing = world.ask(post(path, JSON, body.clone())).await;
    assert_eq!(missing.problem(), case(401, "token_missing"));
    let bodies = [
        ("empty", Vec::new(), case(400, "message_malformed")),
        ("noise", vec![0xff; 90], case(400, "message_malformed")),
        ("too long for a notice", vec![b' '; 64 * 1024], case(400, "message_too_large")),
        ("oversized", vec![b' '; 2 * MIB + 1], case(413, "body_too_large")),
        ("no consent of ours", other, case(403, "not_a_party")),
    ];
    for (name, body, expected) in bodies {
        let answer = world.ask(post_as(&good, path, body)).await;
        assert_eq!(answer.problem(), expected, "{name}");
    }
    let stranger = world.ask(post_as(&world.token(STRANGER), path, body.clone())).await;
    assert_eq!(stranger.problem(), case(403, "not_a_party"));
    assert_eq!(world.standing().await, before);

    for _ in 0..2 {
        assert_eq!(world.ask(post_as(&good, path, body.clone())).await.status, 200);
    }
    let taken = world.bank.flows.parts().vault.list_work(etibar_onboarding::notices::NOTICES, 9);
    assert_eq!(taken.await.expect("no fault").len(), 1, "the same notice again is one");
}

#[tokio::test]
async fn a_request_of_a_holder_is_refused_unless_it_is_whole_fresh_ours_and_at_its_path() {
    let world = World::new().await;
    let session = world.open_account().await;
    let rel = session["consents"][0]["rel"].as_str().expect("a name");
    let rel = Digest(etibar_primitives::hex::decode_array(rel).expect("hexadecimal"));
    let wallet = world.country.wallet(BANK.0, &json!({}));
    let stranger = world.country.wallet(STRANGER.0, &json!({}));
    let audience = world.bank.flows.parts().identity.base_url.clone();
    let now = world.country.time();
    let erase = || HolderAction::Erase { rel };
    let good = wallet.envelope(&audience, erase(), now);
    let late = wallet.envelope(&audience, erase(), BlockTime(now.0 - 3_600_000));
    let elsewhere = wallet.envelope("http://m3.example", erase(), now);
    let others = stranger.envelope(&audience, erase(), now);
    let unknown = HolderAction::Erase { rel: Digest([9; 32]) };
    let unknown = wallet.envelope(&audience, unknown, now);
    let mut forged: serde_json::Value = serde_json::from_slice(&good).expect("JSON");
    let text = forged["body"].as_str().expect("a text").replace(&audience, "http://m3.example");
    forged["body"] = json!(text);
    let before = world.standing().await;
    let cases = [
        ("empty", "erase", Vec::new(), case(400, "message_malformed")),
        ("noise", "erase", vec![0xff; 64], case(400, "message_malformed")),
        ("oversized", "erase", vec![b' '; 2 * MIB + 1], case(413, "body_too_large")),
        ("another path", "revoke", good.clone(), case(400, "holder_request")),
        ("no such action", "destroy", good, case(400, "holder_request")),
        ("an hour old", "erase", late, case(400, "holder_request")),
        ("another bank's", "erase", elsewhere, case(400, "holder_request")),
        ("a changed body", "erase", forged.to_string().into(), case(400, "holder_request")),
        ("another pseudonym", "erase", others, case(403, "pairwise_of_another_bank")),
        ("no such consent", "erase", unknown, case(400, "consent_unknown")),
    ];
    for (name, action, body, expected) in cases {
        let answer = world.ask(post(&format!("/v1/holder/{action}"), JSON, body)).await;
        assert_eq!(answer.problem(), expected, "{name}");
    }
    assert_eq!(world.standing().await, before);
}

#[tokio::test]
async fn the_issuing_routes_refuse_in_oauths_words_what_was_never_granted() {
    let world = World::new().await;
    let before = world.standing().await;
    let grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Apre-authorized_code\
                 &pre-authorized_code=abc";
    for (path, kind, body) in [
        ("/oauth/token", FORM, ""),
        ("/oauth/token", FORM, grant),
        ("/oauth/token", FORM, "grant_type=password&username=a&password=b"),
        ("/oid4vci/credential", JSON, "{}"),
        ("/oid4vci/notification", JSON, "{}"),
    ] {
        let answer = world.ask(post(path, kind, body)).await;
        let (status, _) = answer.oauth();
        assert!([400, 401].contains(&status), "{path} {body}: {status} {}", answer.text);
    }
    assert_eq!(world.standing().await, before);
}

#[tokio::test]
async fn the_staffs_page_opens_to_the_staff_alone() {
    let world = World::new().await;
    let path = "/v1/onboarding/staff";
    let shown = |value: String| {
        let request = Request::get(path).header("authorization", value);
        request.body(Body::empty()).expect("a request")
    };
    assert_eq!(world.get(path).await.problem(), case(401, "token_missing"));
    let basic = world.ask(shown(format!("Basic {STAFF}"))).await;
    assert_eq!(basic.problem(), case(401, "token_missing"));
    for token in [String::new(), STAFF.to_uppercase(), world.token(BANK)] {
        let answer = world.ask(shown(format!("Bearer {token}"))).await;
        assert_eq!(answer.problem(), case(401, "staff_token_needed"));
    }
    let answer = world.ask(shown(format!("Bearer {STAFF}"))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let standing = world.get("/v1/onboarding/standing").await;
    assert_eq!(standing.status, 200, "{}", standing.text);
}

#[tokio::test]
async fn each_bad_step_of_an_examination_is_refused_with_its_code_and_decides_nothing() {
    let world = World::new().await;
    let id = world.examined().await;
    let before = world.standing().await;
    let base = format!("/v1/onboarding/applications/{id}");
    let (preparations, decision) = (format!("{base}/preparations"), format!("{base}/decision"));
    let good = json!({"sources_of_funds": "salary", "reason": "it fits"}).to_string();
    let yes = json!({"approve": true, "reason": "it fits"}).to_string();
    for (path, body) in [(&preparations, &good), (&decision, &yes)] {
        let missing = world.ask(post(path, JSON, body.clone())).await;
        assert_eq!(missing.problem(), case(401, "token_missing"));
        for token in [world.token(BANK), SENIOR.to_uppercase()] {
            let answer = world.ask(post_as(&token, path, body.clone())).await;
            assert_eq!(answer.problem(), case(401, "staff_token_needed"));
        }
        let more = json!({"reason": "a", "x": 1}).to_string();
        for (name, body, expected) in [
            ("empty", String::new(), case(400, "malformed_json")),
            ("another field", more, case(400, "malformed_json")),
            ("oversized", " ".repeat(2 * MIB + 1), case(413, "body_too_large")),
        ] {
            let answer = world.ask(post_as(SENIOR, path, body)).await;
            assert_eq!(answer.problem(), expected, "{name}");
        }
        let method = world.get(path).await;
        assert_eq!(method.problem(), case(405, "method_not_allowed"));
        let nobodys = path.replace(&id, NOBODYS);
        let unknown = world.ask(post_as(SENIOR, &nobodys, body.clone())).await;
        assert_eq!(unknown.problem(), case(404, "session_unknown"));
    }
    let empty = json!({"sources_of_funds": " ", "reason": "it fits"}).to_string();
    let empty = world.ask(post_as(SENIOR, &preparations, empty)).await;
    assert_eq!(empty.problem(), case(400, "staff_text_limit"));
    let early = world.ask(post_as(SENIOR, &decision, yes.clone())).await;
    assert_eq!(early.problem(), case(409, "not_prepared"));
    assert_eq!(world.standing().await, before);

    assert_eq!(world.ask(post_as(SENIOR, &preparations, good.clone())).await.status, 204);
    let own = world.ask(post_as(SENIOR, &decision, yes.clone())).await;
    assert_eq!(own.problem(), case(403, "four_eyes_needed"));
    let officer = world.ask(post_as(STAFF, &decision, yes.clone())).await;
    assert_eq!(officer.problem(), case(403, "senior_needed"));
    assert_eq!(world.standing().await, before, "nothing is opened");
    assert_eq!(world.ask(post_as(OTHER_SENIOR, &decision, yes.clone())).await.status, 204);
    assert_eq!(world.end(&json!({"id": id})).await["state"], "done");
    let again = world.ask(post_as(OTHER_SENIOR, &decision, yes)).await;
    assert_eq!(again.problem(), case(409, "not_being_examined"));
    let late = world.ask(post_as(STAFF, &preparations, good)).await;
    assert_eq!(late.problem(), case(409, "not_being_examined"));
}
