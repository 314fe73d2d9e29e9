//! Each route once as it should be: from a session to an account, a credential and a person's
//! rights.

use axum::http::Method;
use etibar_openid::{member::HolderAction, vci::OfferSource};
use etibar_primitives::{BlockTime, Digest};
use serde_json::json;

use crate::{
    common::{
        Answer, FORM, JSON, bare,
        issuing::{Server, entropy, key},
        post,
    },
    world::{BANK, World},
};

fn well(answer: Answer) -> Answer {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer
}

#[tokio::test]
async fn a_person_opens_an_account_over_http_and_the_bank_vouches_for_it() {
    let world = World::new().await;
    let products = well(world.get("/v1/onboarding/products").await).json();
    assert!(products.as_array().expect("a list").iter().any(|its| its["name"] == "loan"));
    let session = world.session("current_account").await;
    let link = session["request_uri"].as_str().expect("a link");
    let reference = etibar_openid::vp::RequestReference::parse(link).expect("a link");
    let id = reference.request_uri.rsplit('/').next().expect("an id").to_owned();
    let object = well(world.get(&format!("/oid4vp/requests/{id}")).await);
    assert_eq!(object.kind(), "application/oauth-authz-req+jwt");
    let nonce = format!("/oid4vp/requests/{id}");
    well(world.ask(post(&nonce, FORM, "wallet_nonce=abc")).await);

    let ended = world.open_account().await;
    assert!(ended["iban"].is_string() && ended["is_final"] == true, "{ended}");
    assert_eq!(ended["consents"].as_array().expect("a list").len(), 2);

    world.bank.flows.publish_status().await.expect("published");
    let list = well(world.get("/status/0").await);
    assert_eq!(list.kind(), "application/statuslist+jwt");
    assert_eq!(well(world.get("/types/kyc").await).kind(), JSON);

    let offer = ended["kyc_offer"].as_str().expect("an offer");
    let OfferSource::Value(offer) = OfferSource::parse(offer).expect("an offer") else {
        panic!("the bank's offers come by value")
    };
    let base = world.bank.flows.parts().identity.base_url.clone();
    let server = Server { router: world.router(), base };
    let credentials = server.redeem(&offer, "kyc", 2, world.country.time()).await;
    assert_eq!(credentials.len(), 2);
    let again =
        server.session().await.redeem_offer(&offer, None, &key(), world.country.time(), &entropy());
    let again = server.send(&again.expect("asked")).await;
    assert_eq!(again.status, 400, "an offer is redeemed once");
}

#[tokio::test]
async fn a_person_reads_its_data_sees_who_looked_revokes_and_erases_over_http() {
    let world = World::new().await;
    let session = world.open_account().await;
    let rel = session["consents"][1]["rel"].as_str().expect("a name");
    let rel = Digest(etibar_primitives::hex::decode_array(rel).expect("hexadecimal"));
    let wallet = world.country.wallet(BANK.0, &json!({}));
    let audience = world.bank.flows.parts().identity.base_url.clone();
    let now: BlockTime = world.country.time();
    let hold = async |path: &str, action| {
        let body = wallet.envelope(&audience, action, now);
        well(world.ask(post(path, JSON, body)).await).json()
    };
    let data = hold("/v1/holder/data", HolderAction::Data {}).await;
    assert_eq!(data["data"]["attributes"]["given_name"], "Sınaq");
    let wanted = HolderAction::Accesses { rel: None, after: 0 };
    let accesses = hold("/v1/holder/accesses", wanted).await;
    assert!(!accesses["receipts"].as_array().expect("a list").is_empty());
    let mut answers = Vec::new();
    for _ in 0..2 {
        answers.push(hold("/v1/holder/revoke", HolderAction::Revoke { rel }).await);
    }
    assert_eq!(answers[0]["revoked_by"], answers[1]["revoked_by"], "a repeat is the same");
    let erased = hold("/v1/holder/erase", HolderAction::Erase { rel }).await;
    assert!(erased["receipt"].is_string());
    // Nobody is known by this pseudonym any more.
    let body = wallet.envelope(&audience, HolderAction::Data {}, now);
    let gone = world.ask(post("/v1/holder/data", JSON, body)).await;
    assert_eq!(gone.problem(), (403, "not_a_party".to_owned()));
    let head = world.ask(bare(Method::HEAD, "/v1/onboarding/products")).await;
    assert_eq!(head.status, 200);
}
