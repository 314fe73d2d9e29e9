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
    pages.extend(["/guardians", "/passkeys", "/delete"].map(str::to_owned));
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
    assert!(html.contains("Level of the check: high"));
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

/// What a browser says that it takes.
const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml");

#[tokio::test]
async fn people_read_a_page_where_programs_read_a_problem() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let ask = |accept: (&'static str, &'static str)| {
        let request = browser().get(format!("{}/nowhere?lang=ru", world.origin));
        request.header(accept.0, accept.1).send()
    };
    let page = ask(BROWSER).await.unwrap();
    assert_eq!(page.status(), StatusCode::NOT_FOUND);
    assert!(header(&page, "content-security-policy").starts_with("default-src 'none'"));
    let html = page.text().await.unwrap();
    assert!(html.contains("<html lang=\"ru\">") && html.contains("Такой страницы нет."));
    let problem = ask(("accept", "application/json")).await.unwrap();
    assert!(problem.text().await.unwrap().contains("route_unknown"));
}

#[tokio::test]
async fn who_must_sign_in_first_is_told_and_sent_on_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let wanted = "/open?request=openid4vp%3A%2F%2F%3Frequest_uri%3Dx";
    let sent = browser().get(format!("{}{wanted}", world.origin)).send().await.unwrap();
    let place = format!("place={wanted}");
    assert!(header(&sent, "set-cookie").starts_with(&place), "{sent:?}");
    let first = browser().get(format!("{}/?lang=en", world.origin)).header("cookie", place);
    let html = first.send().await.unwrap().text().await.unwrap();
    assert!(html.contains("sign in or create a wallet"));
    let lapsed = browser().get(format!("{}/?lang=en", world.origin));
    let lapsed = lapsed.header("cookie", "session=00").send().await.unwrap();
    assert!(header(&lapsed, "set-cookie").starts_with("session=; "), "{lapsed:?}");
    assert!(lapsed.text().await.unwrap().contains("signed out for your safety"));
}

#[tokio::test]
async fn an_address_for_forms_alone_leads_to_its_page_in_the_language_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let consent = format!("/consents/{}", world.consent);
    for (form, page) in [
        (format!("{consent}/revoke"), consent.as_str()),
        ("/help/confirm".to_owned(), "/help"),
        ("/sign-in".to_owned(), "/"),
        ("/passkeys/0a/remove".to_owned(), "/passkeys"),
    ] {
        let answer = get(&world, &format!("{form}?lang=az")).await;
        assert_eq!(header(&answer, "location"), page, "{form}");
        assert!(header(&answer, "set-cookie").starts_with("lang=az"), "{form}");
    }
}

#[tokio::test]
async fn a_bank_that_does_not_answer_is_named_on_a_page_with_a_way_back() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let html = get(&world, "/banks?lang=en").await.text().await.unwrap();
    let key = html.split("name=\"form_key\" value=\"").nth(1).unwrap();
    let key = key.split('"').next().unwrap();
    let request = browser().post(format!("{}/banks?lang=en", world.origin));
    let request = request.header("cookie", format!("session={}", world.token));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let body = format!("form_key={key}&bank=2&product=current_account");
    let answer = request.header("origin", &world.origin).body(body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    let html = answer.text().await.unwrap();
    assert!(html.contains("ABB (sample): There is no answer now."));
    assert!(html.contains("<a class=\"button\" href=\"/\">"));
}

#[tokio::test]
async fn records_that_are_altered_missing_late_or_under_way_look_different() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let html = get(&world, "/accesses?lang=en").await.text().await.unwrap();
    for (mark, verdict) in [
        ("good", "Verified on the ledger"),
        ("open", "Signed, being sealed"),
        ("late", "Seal is late"),
        ("bad", "Record missing"),
        ("bad", "Record altered"),
    ] {
        assert!(
            html.contains(&format!("<span class=\"mark {mark}\">{verdict}</span>")),
            "{verdict}"
        );
    }
    assert!(html.contains("does not match its seal on the ledger"));
    // What a bank does with data it has, it signs alone.
    assert!(html.contains("<dt>Signed by</dt><dd>Daxili İşlər Nazirliyi (sample), ABB (sample)"));
    assert!(html.contains("<dt>Signed by</dt><dd>ABB (sample)</dd>"));
}

#[tokio::test]
async fn what_a_clerk_did_stands_in_the_list_with_role_and_duty_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    for (tag, role, duty, done, last_day) in [
        ("az", "Reyestrin əməkdaşı", "Reyestrin aparılması", "Reyestrdə dəyişdirilib", "son gün"),
        ("en", "A clerk of the register", "Keeping the register", "Changed in the register", {
            "last day"
        }),
        ("ru", "Сотрудник реестра", "Ведение реестра", "Изменено в реестре", "последний день"),
    ] {
        let html = get(&world, &format!("/accesses?lang={tag}")).await.text().await.unwrap();
        for words in [role, duty, done, last_day] {
            assert!(html.contains(words), "{tag} lacks {words}");
        }
        assert!(!html.contains("record.valid_until") && !html.contains("address.city"), "{tag}");
    }
}
