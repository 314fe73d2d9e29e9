//! The hosted wallet's pages over HTTP: what stands on them, and what never does.

mod world;

use reqwest::{Client, Response, StatusCode, redirect::Policy};
use world::{PERSONAL, World};

fn browser() -> Client {
    Client::builder().redirect(Policy::none()).build().expect("the wallet answers")
}

async fn get(world: &World, path: &str) -> Response {
    let request = browser().get(format!("{}{path}", world.origin));
    request
        .header("cookie", format!("session={}", world.token))
        .send()
        .await
        .expect("the wallet answers")
}

fn header(response: &Response, name: &str) -> String {
    let value =
        response.headers().get(name).map(|value| value.to_str().expect("the wallet answers"));
    value.unwrap_or_default().to_owned()
}

/// Every page that somebody who is signed in can open without a network.
fn pages(world: &World) -> Vec<String> {
    let fixed = ["/", "/banks", "/consents", "/accesses", "/credentials", "/settings", "/help"];
    let mut pages: Vec<String> = fixed.iter().map(|page| (*page).to_owned()).collect();
    pages.push(format!("/consents/{}", world.consent));
    pages.push(format!("/credentials/{}", world.document));
    pages.push("/credentials/add/employment".to_owned());
    pages.push("/guardians".to_owned());
    pages
}

#[tokio::test]
async fn every_page_speaks_three_languages_under_a_strict_policy() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    for page in pages(&world) {
        for language in ["az", "en", "ru"] {
            let response = get(&world, &format!("{page}?lang={language}")).await;
            assert_eq!(response.status(), StatusCode::OK, "{page} in {language}");
            let policy = header(&response, "content-security-policy");
            assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{page}");
            assert_eq!(header(&response, "cache-control"), "no-store", "{page}");
            assert_eq!(header(&response, "referrer-policy"), "no-referrer", "{page}");
            let html = response.text().await.unwrap();
            assert!(html.contains(&format!("<html lang=\"{language}\">")), "{page}");
            assert!(!html.contains("<script>"), "{page}");
            assert!(!html.contains("style=\""), "{page}");
        }
    }
}

#[tokio::test]
async fn no_address_on_a_page_holds_anything_personal() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    for page in pages(&world) {
        let html = get(&world, &page).await.text().await.unwrap();
        for address in html.split("href=\"").chain(html.split("action=\"")).skip(1) {
            let address = address.split('"').next().unwrap();
            assert!(PERSONAL.iter().all(|personal| !address.contains(personal)), "{address}");
        }
    }
}

#[tokio::test]
async fn the_first_page_shows_the_card_without_the_whole_fin() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let html = get(&world, "/?lang=en").await.text().await.unwrap();
    assert!(html.contains("Əsmər Nümunə qızı Nümunəyeva"));
    assert!(html.contains("•••• K9P"));
    assert!(!html.contains(PERSONAL[0]));
    assert!(html.contains("AZ77 IBAZ 0000"));
    assert!(html.contains("High level"));
}

#[tokio::test]
async fn a_missing_record_is_flagged_and_a_verified_one_has_its_receipt() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let html = get(&world, "/accesses?lang=en").await.text().await.unwrap();
    assert!(html.contains("Record missing"));
    assert!(html.contains("Verified on the ledger"));
    assert!(html.contains("Some records are missing or altered"));
    assert!(html.contains("No answer from Kapital Bank (sample)"));
    assert!(html.contains("/receipts/12/"));
    assert!(html.contains("<dt>Signed by</dt><dd>Daxili İşlər Nazirliyi (sample), ABB (sample)"));
}

#[tokio::test]
async fn without_a_session_there_is_the_way_in_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let answer = browser().get(&world.origin).send().await.unwrap();
    assert!(answer.text().await.unwrap().contains("data-passkey=\"get\""));
    for page in ["/start", "/recovery"] {
        let answer = browser().get(format!("{}{page}", world.origin)).send().await.unwrap();
        assert!(answer.text().await.unwrap().contains("data-passkey=\"create\""), "{page}");
    }
    for page in pages(&world).iter().skip(1) {
        let answer = browser().get(format!("{}{page}", world.origin)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{page}");
        assert_eq!(header(&answer, "location"), "/");
    }
}

#[tokio::test]
async fn a_form_of_another_site_or_without_the_sessions_key_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let send = |origin: String, body: &'static str| {
        let request = browser().post(format!("{}/sign-out", world.origin));
        let request = request.header("cookie", format!("session={}", world.token));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.header("origin", origin).body(body).send()
    };
    let foreign = send("http://evil.example".to_owned(), "form_key=00").await.unwrap();
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    send(world.origin.clone(), "form_key=00").await.unwrap();
    assert_eq!(get(&world, "/consents").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_sessions_cookie_is_out_of_scripts_reach_and_the_language_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let answer = get(&world, "/?lang=ru").await;
    let cookie = header(&answer, "set-cookie");
    assert!(cookie.starts_with("lang=ru; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
}

#[tokio::test]
async fn wrong_fields_are_named_and_the_passkey_is_not_asked_for_in_vain() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let request = browser().post(format!("{}/start?lang=en", world.origin));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let body = "fin=IIIIIII&document=x&method=call&ceremony=&passkey=";
    let answer = request.header("origin", &world.origin).body(body).send().await.unwrap();
    let html = answer.text().await.unwrap();
    assert!(html.contains("href=\"#fin\""));
    assert!(html.contains("href=\"#document\""));
}
