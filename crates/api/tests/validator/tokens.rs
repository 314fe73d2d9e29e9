//! Reads need a token that the ledger backs.

use etibar_client::{clock, token};
use etibar_primitives::{BlockTime, Digest, MemberId};

use crate::world::{CREDITOR, DEBTOR, World, http, key, problem, world};

async fn ask(world: &World, authorization: Option<&str>) -> (u16, String) {
    let mut request = http().get(world.url("/v1/accounts"));
    if let Some(text) = authorization {
        request = request.header("Authorization", text);
    }
    let response = request.send().await.expect("the door answers");
    if response.status().is_success() {
        return (200, String::new());
    }
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
    problem(response).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_must_be_there_be_ours_be_fresh_and_be_backed_by_the_ledger() {
    let world = world();
    let network = world.genesis.network();
    let now = clock::now();
    let earlier = BlockTime(now.0 - 301_000);
    let later = BlockTime(now.0 + 60_000);
    let bearer = |token: String| format!("Bearer {token}");
    let signed = |network: &Digest, member, signer, at| {
        bearer(token::sign(network, member, &key(signer), at))
    };
    let good = signed(&network, DEBTOR, DEBTOR, now);
    assert_eq!(ask(&world, Some(&good)).await.0, 200);
    let mut forged = good.clone().into_bytes();
    let last = forged.len() - 2;
    forged[last] = if forged[last] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).expect("still a text");
    // {"alg":"none"} in base64url, with the good token's claims and no signature.
    let claims = good.split('.').nth(1).expect("three parts");
    let none = format!("Bearer eyJhbGciOiJub25lIn0.{claims}.");
    let cases = [
        ("missing", None, "token_missing"),
        ("another scheme", Some("Basic YTpi".to_owned()), "token_missing"),
        ("noise", Some(bearer("abc".to_owned())), "token_malformed"),
        ("forged", Some(forged), "token_signature"),
        ("alg none", Some(none), "token_algorithm"),
        ("expired", Some(signed(&network, DEBTOR, DEBTOR, earlier)), "token_expired"),
        ("future", Some(signed(&network, DEBTOR, DEBTOR, later)), "token_not_yet_valid"),
        ("audience", Some(signed(&Digest([1; 32]), DEBTOR, DEBTOR, now)), "token_audience"),
        ("another's key", Some(signed(&network, DEBTOR, CREDITOR, now)), "key_not_active"),
        ("nobody's", Some(signed(&network, MemberId(77), DEBTOR, now)), "key_not_active"),
    ];
    for (name, authorization, code) in cases {
        let answer = ask(&world, authorization.as_deref()).await;
        assert_eq!(answer, (401, code.to_owned()), "{name}");
    }
}
