//! The clerks' pages: who gets in, what they do, and that each look is on record.

use etibar_agency::store::ActRow;

use crate::{
    CLERK, OTHER_CLERK, ask,
    common::{
        browser::{Browser, hidden, leads_to, raw_code},
        post_as, render,
    },
    enrolled, router,
    world::{
        BANK, URL, World,
        requests::{change, consent, fetch},
    },
};

fn browser(world: &World) -> Browser {
    Browser::new(router(world), URL.to_owned())
}

async fn signed_in(browser: &mut Browser) -> String {
    signed_in_as(browser, CLERK).await
}

async fn signed_in_as(browser: &mut Browser, token: &str) -> String {
    let entered = browser.submit("/clerk/sign-in", &[("token", token)]).await;
    assert!(leads_to(&entered, "/clerk"), "{}: {}", entered.status, entered.text);
    hidden(&browser.open("/clerk").await.text, "form_key")
}

async fn acts(world: &World) -> Vec<ActRow> {
    world.agency.acts(99).await.unwrap()
}

#[tokio::test]
async fn a_clerk_looks_somebody_up_by_a_form_and_the_look_is_on_record() {
    let world = World::new().await;
    enrolled(&world, 0).await;
    let person = &world.population.people()[0];
    let fin = person.fin.expose();
    let mut browser = browser(&world);
    let door = browser.open("/clerk").await;
    assert!(door.status == 200 && door.text.contains("name=\"token\""), "{}", door.text);
    let look = |key| [("form_key", key), ("subject", fin), ("reason", "asked at the counter")];
    assert!(leads_to(&browser.submit("/clerk/person", &look("")).await, "/clerk"));
    let wrong = browser.submit("/clerk/sign-in", &[("token", "no token of anybody")]).await;
    assert_eq!(wrong.status, 401);
    let key = signed_in(&mut browser).await;
    let foreign = browser.submit_from("http://evil.example", "/clerk/person", &look(&key)).await;
    assert_eq!(foreign.problem(), (403, "foreign_form".to_owned()));
    assert!(acts(&world).await.is_empty(), "nobody was looked at");

    let page = browser.submit("/clerk/person", &look(&key)).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains(&person.family_name), "{}", page.text);
    assert!(page.headers.get("location").is_none(), "no address names anybody");
    let done = acts(&world).await;
    let [act] = done.as_slice() else { panic!("one act") };
    assert_eq!((act.what.as_str(), act.content.reason.as_str()), {
        ("looked_up", "asked at the counter")
    });
    assert_eq!(act.content.by, "clerk-1", "the record holds the clerk's name");
    let without = [("form_key", &*key), ("subject", fin), ("reason", " ")];
    let refused = browser.submit("/clerk/person", &without).await;
    assert_eq!(refused.status, 400);
    assert!(!refused.text.contains(&person.family_name), "without a reason nothing is shown");
    let nobody = [("form_key", &*key), ("subject", "9ZZ9ZZ9"), ("reason", "asked")];
    assert_eq!(browser.submit("/clerk/person", &nobody).await.status, 404);
    assert_eq!(acts(&world).await.len(), 2, "a look that finds nobody is a look");
    let none = [("form_key", &*key), ("subject", "<b>"), ("reason", "asked")];
    let none = browser.submit("/clerk/person", &none).await;
    assert_eq!(none.status, 400);
    assert!(!none.text.contains("<b>"), "what was typed is escaped");
    assert!(leads_to(&browser.open("/clerk/person").await, "/clerk"));
}

#[tokio::test]
async fn each_act_is_recorded_under_the_name_of_the_clerk_who_did_it() {
    let world = World::new().await;
    enrolled(&world, 0).await;
    let fin = world.population.people()[0].fin.expose();
    for token in [CLERK, OTHER_CLERK] {
        let mut browser = browser(&world);
        let key = signed_in_as(&mut browser, token).await;
        let look = [("form_key", &*key), ("subject", fin), ("reason", "asked")];
        assert_eq!(browser.submit("/clerk/person", &look).await.status, 200);
    }
    let change = render(&change(&world, 0, "Şəki"));
    let path = "/v1/register/changes";
    assert_eq!(ask(&world, post_as(OTHER_CLERK, path, change)).await.status, 200);
    let done = acts(&world).await;
    let by: Vec<&str> = done.iter().rev().map(|act| act.content.by.as_str()).collect();
    assert_eq!(by, ["clerk-1", "clerk-2", "clerk-2"]);
}

#[tokio::test]
async fn the_clerks_pages_say_words_names_and_dates_in_three_languages_and_no_code() {
    let world = World::new().await;
    let device = enrolled(&world, 0).await;
    let (registration, secret) = consent(&world, &device);
    world.agency.register_consent(BANK, &registration).await.unwrap();
    world.agency.data(BANK, &fetch(secret.rel())).await.unwrap();
    let mut ending = change(&world, 0, "x");
    ending.changes.0 = [("record.valid_until".to_owned(), "2099-12-31".into())].into();
    world.agency.change_by("clerk-2", &ending).await.unwrap();
    let fin = world.population.people()[0].fin.expose();
    let mut browser = browser(&world);
    let key = signed_in(&mut browser).await;
    let look = [("form_key", &*key), ("subject", fin), ("reason", "asked at the counter")];
    for (tag, purpose, act, last_day) in [
        ("az", "Məlumatın yenilənməsi", "Baxıb", "son gün"),
        ("en", "Keeping your data up to date", "Looked", "last day"),
        ("ru", "Обновление ваших данных", "Просмотр", "последний день"),
    ] {
        browser.speak(tag);
        let home = browser.open("/clerk").await.text;
        let person = browser.submit("/clerk/person", &look).await.text;
        for page in [&home, &person] {
            assert!(page.contains(&format!("<html lang=\"{tag}\">")), "{page}");
            assert_eq!(raw_code(page), None, "{tag}: {page}");
            assert!(page.contains(last_day), "{tag}: {page}");
        }
        assert!(person.contains(act), "{tag}: {person}");
        assert!(person.contains("ABB (sample)"), "the member's name: {person}");
        assert!(person.contains(purpose), "{tag}: {person}");
        assert!(person.contains("31.12.2099"), "a date: {person}");
        let refused = browser.submit("/clerk/person", &[look[0], look[1], ("reason", " ")]).await;
        assert_eq!(raw_code(&refused.text), None, "{tag}: {}", refused.text);
        let code = "a reason of 1 to 500";
        assert_eq!(refused.text.contains(code), tag == "en", "{tag}: {}", refused.text);
    }
}

async fn send(browser: &mut Browser, path: &str, fields: &[(&str, String)]) -> crate::Answer {
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.submit(path, &fields).await
}

#[tokio::test]
async fn a_clerk_changes_ends_and_revokes_on_the_pages_and_each_act_says_why() {
    let world = World::new().await;
    enrolled(&world, 0).await;
    let fin = world.population.people()[0].fin.expose();
    let mut browser = browser(&world);
    let key = signed_in(&mut browser).await;
    let common = [("form_key", &*key), ("subject", fin), ("vct", "urn:az:pid:1")];
    let with = |more: &[(&'static str, &str)]| -> Vec<(&str, String)> {
        let all = common.iter().chain(more);
        all.map(|(name, value)| (*name, (*value).to_owned())).collect()
    };
    let standing = async || world.agency.standing().await.unwrap().issued["urn:az:pid:1"];

    let revoke = with(&[("reason", "the device was stolen")]);
    let page = send(&mut browser, "/clerk/revocations", &revoke).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert_eq!(standing().await.revoked, 2);
    send(&mut browser, "/clerk/revocations", &revoke).await;
    assert_eq!(standing().await.revoked, 2, "a repeat finds none");

    let id = hidden(&page.text, "id");
    let move_to =
        |path| with(&[("id", &id), ("path", path), ("value", "Şəki"), ("reason", "moved")]);
    let unknown = send(&mut browser, "/clerk/changes", &move_to("salary")).await;
    assert_eq!(unknown.status, 400, "{}", unknown.text);
    for _ in 0..2 {
        let page = send(&mut browser, "/clerk/changes", &move_to("address.city")).await;
        assert!(page.status == 200 && page.text.contains("Şəki"), "{}", page.text);
    }
    let id = etibar_primitives::OperationId(7).to_string();
    let died = with(&[("id", &id), ("how", "died"), ("reason", "the civil register says so")]);
    let page = send(&mut browser, "/clerk/endings", &died).await;
    assert!(page.status == 200 && page.text.contains("vəfat edib"), "{}", page.text);
    assert_eq!(world.agency.standing().await.unwrap().enrolments, 0);
    let done = acts(&world).await;
    for (what, reason) in [
        ("revoked", "the device was stolen"),
        ("changed", "moved"),
        ("changed", "the civil register says so"),
    ] {
        let found = done.iter().any(|act| act.what == what && act.content.reason == reason);
        assert!(found, "{what}: {reason}");
    }
    let store = world.store_bytes();
    for secret in [fin, "the device was stolen"] {
        let found = store.windows(secret.len()).any(|bytes| bytes == secret.as_bytes());
        assert!(!found, "the store holds no personal value in clear");
    }
}
