//! The pages of the bank's staff: who gets in, what they may do, what each look leaves.

use etibar_onboarding::{
    examination::Preparation,
    staff::{StaffMember, StaffRole},
};
use etibar_primitives::{DurationMs, hex};

use crate::{
    common::browser::{Browser, hidden, leads_to, raw_code},
    support::country::EXPOSED,
    world::{OTHER_SENIOR, SENIOR, STAFF, World},
};

impl World {
    fn browser(&self) -> Browser {
        let origin = self.bank.flows.parts().identity.base_url.clone();
        Browser::new(self.router(), origin)
    }
}

/// A browser in which whose token this is has signed in, and the key of its forms.
async fn signed_in(browser: &mut Browser, token: &str) -> String {
    let entered = browser.submit("/staff/sign-in", &[("token", token)]).await;
    assert!(leads_to(&entered, "/staff"), "{}: {}", entered.status, entered.text);
    hidden(&browser.open("/staff").await.text, "form_key")
}

#[tokio::test]
async fn the_pages_open_to_the_staffs_tokens_alone_and_forms_come_from_them_alone() {
    let world = World::new().await;
    let id = world.examined().await;
    let mut browser = world.browser();
    let door = browser.open("/staff").await;
    assert!(door.status == 200 && door.text.contains("name=\"token\""));
    assert!(door.headers["content-security-policy"].to_str().expect("text").contains("'none'"));
    assert_eq!(door.headers["cache-control"], "no-store");
    let page = format!("/staff/applications/{id}");
    for path in ["/staff/watch", &page] {
        assert!(leads_to(&browser.open(path).await, "/staff"), "{path}");
    }
    let wrong = browser.submit("/staff/sign-in", &[("token", "no token of anybody")]).await;
    assert_eq!(wrong.status, 401);
    let malformed = browser.submit("/staff/sign-in", &[("name", "x")]).await;
    assert_eq!(malformed.problem(), (400, "malformed_form".to_owned()));
    let foreign =
        browser.submit_from("http://evil.example", "/staff/sign-in", &[("token", STAFF)]).await;
    assert_eq!(foreign.problem(), (403, "foreign_form".to_owned()));

    let key = signed_in(&mut browser, STAFF).await;
    let step = format!("{page}/preparations");
    let fields = |key| [("form_key", key), ("sources_of_funds", "salary"), ("reason", "fits")];
    let foreign = browser.submit_from("http://evil.example", &step, &fields(&key)).await;
    assert_eq!(foreign.problem(), (403, "foreign_form".to_owned()));
    assert!(leads_to(&browser.submit(&step, &fields("another key")).await, "/staff"));
    let lines = world.bank.flows.applications(None, 9).await.expect("lines");
    assert!(lines[0].examination.as_ref().expect("examined").prepared.is_empty());
    let out = browser.submit("/staff/sign-out", &[("form_key", &key)]).await;
    assert!(leads_to(&out, "/staff"));
    assert!(leads_to(&browser.open(&page).await, "/staff"), "the session is over");
}

#[tokio::test]
async fn two_of_the_staff_open_an_account_on_the_pages_and_every_look_is_on_record() {
    let world = World::new().await;
    let id = world.examined().await;
    let page = format!("/staff/applications/{id}");
    let mut one = world.browser();
    let key = signed_in(&mut one, SENIOR).await;
    let list = one.open("/staff?state=examining").await.text;
    assert!(list.contains(&page) && list.contains("siyasi xadim"), "{list}");
    assert!(!list.contains(EXPOSED), "a list names nobody");
    assert!(!one.open("/staff?state=done").await.text.contains(&page));

    let party = lookup(&world).await;
    let vault = &world.bank.flows.parts().vault;
    let before = vault.latest_accesses(party).await.expect("records").len();
    let seen = one.open(&page).await.text;
    assert!(seen.contains(EXPOSED) && seen.contains("Nümunəyev"), "{seen}");
    let records = vault.latest_accesses(party).await.expect("records");
    assert!(records.len() > before, "the look is on record");
    assert!(records[0].reader == "staff");

    let empty = [("form_key", &*key), ("sources_of_funds", "  "), ("reason", "<b>kept</b>")];
    let refused = one.submit(&format!("{page}/preparations"), &empty).await;
    assert_eq!(refused.status, 400);
    let kept = "&#60;b&#62;kept&#60;/b&#62;";
    assert!(refused.text.contains(kept), "what was typed is kept, escaped");
    let fields = [("form_key", &*key), ("sources_of_funds", "salary"), ("reason", "it fits")];
    assert!(leads_to(&one.submit(&format!("{page}/preparations"), &fields).await, &page));
    let own = one.open(&page).await.text;
    assert!(!own.contains("value=\"approve\""), "whoever prepared it is offered no decision");
    let verdict = [("form_key", &*key), ("reason", "it fits"), ("verdict", "approve")];
    let own = one.submit(&format!("{page}/decision"), &verdict).await;
    assert_eq!(own.status, 403);

    let mut two = world.browser();
    let key = signed_in(&mut two, OTHER_SENIOR).await;
    assert!(two.open(&page).await.text.contains("value=\"approve\""));
    let verdict = [("form_key", &*key), ("reason", "it fits"), ("verdict", "approve")];
    assert!(leads_to(&two.submit(&format!("{page}/decision"), &verdict).await, &page));
    let ended = world.end(&serde_json::json!({ "id": id })).await;
    assert_eq!(ended["state"], "done");
    let seen = two.open(&page).await.text;
    assert!(seen.contains("senior-1") && seen.contains("senior-2"), "{seen}");
}

#[tokio::test]
async fn the_staffs_pages_say_words_names_and_dates_in_three_languages_and_no_code() {
    let world = World::new().await;
    world.open_account().await;
    let id = world.examined().await;
    let by = StaffMember { name: "officer-1".to_owned(), role: StaffRole::Officer };
    let session = etibar_onboarding::session_id(&id).expect("an id");
    let preparation = Preparation { sources_of_funds: "maaş".into(), reason: "uyğundur".into() };
    world.bank.flows.prepare(session, &by, &preparation).await.expect("recorded");
    let lines = world.bank.flows.applications(None, 9).await.expect("lines");
    let (lapses, other) = (lines[0].lapses().expect("examined"), &lines[1].id);
    let soon = lapses.since(world.country.time()).0 / 1_000 - 86_400;
    let mut browser = world.browser();
    for (tag, state, cause, marked) in [
        ("az", "Yoxlanılır", "siyasi xadim", "tezliklə"),
        ("en", "Being examined", "politically exposed person", "soon"),
        ("ru", "Проверяется", "политически значимое лицо", "скоро"),
    ] {
        browser.speak(tag);
        signed_in(&mut browser, STAFF).await;
        let list = browser.open("/staff").await.text;
        assert!(list.contains(state) && list.contains(cause), "{tag}: {list}");
        assert!(!list.contains(&format!(">{marked}</span>")), "{tag}: {list}");
        let page = browser.open(&format!("/staff/applications/{id}")).await.text;
        assert!(page.contains(state) && page.contains(cause), "{tag}: {page}");
        let done = browser.open(&format!("/staff/applications/{other}")).await.text;
        let watch = browser.open("/staff/watch").await.text;
        let none = browser.open("/staff/applications/00").await.text;
        for page in [&list, &page, &done, &watch, &none] {
            assert!(page.contains(&format!("<html lang=\"{tag}\">")), "{page}");
            let shown = page.split("<code>").next().expect("a text");
            let rest = page.split("</code>").skip(1).filter_map(|its| its.split("<code>").next());
            for text in rest.chain([shown]) {
                assert_eq!(raw_code(text), None, "{tag}: {page}");
            }
        }
    }
    world.country.pass(soon);
    let list = browser.open("/staff").await.text;
    assert!(list.is_empty() || list.contains("name=\"token\""), "signed out after eight hours");
    signed_in(&mut browser, STAFF).await;
    let list = browser.open("/staff").await.text;
    assert!(list.contains(">скоро</span>"), "a day before its end it is marked: {list}");
}

async fn lookup(world: &World) -> etibar_vault::PartyId {
    let vault = &world.bank.flows.parts().vault;
    let found = vault.find(etibar_vault::TagKind::Ppid, b"ppid-2").await.expect("no fault");
    found.expect("a customer to be")
}

#[tokio::test]
async fn an_overdue_erasure_and_a_refused_obligation_stand_on_the_page_and_in_the_figures() {
    let world = World::new().await;
    world.open_account().await;
    let party = lookup(&world).await;
    let vault = &world.bank.flows.parts().vault;
    let now = world.country.time();
    let mut change = vault.begin().await.expect("a change");
    let due = now.saturating_add(DurationMs(1_000));
    change.request_erasure(party, now, due).await.expect("asked for");
    change.commit().await.expect("written");
    let standing = async || {
        let answer = world.get("/v1/onboarding/standing").await.json();
        (answer["erasures_open"].clone(), answer["erasures_overdue"].clone())
    };
    assert_eq!(standing().await, (1.into(), 0.into()));
    world.country.pass(2);
    assert_eq!(standing().await, (1.into(), 1.into()));
    let metrics = world.bank.flows.standing().await.expect("figures").metrics();
    assert!(metrics.contains("etibar_onboarding_erasures_overdue 1\n"), "{metrics}");
    let mut browser = world.browser();
    signed_in(&mut browser, STAFF).await;
    let page = browser.open("/staff/watch").await.text;
    let erasure = vault.open_erasures().await.expect("no fault");
    let short: String = hex::encode(&erasure[0].id).chars().take(8).collect();
    assert!(page.contains(&short) && page.contains("mark bad"), "{page}");
    let list = browser.open("/staff?lang=az").await;
    assert!(list.text.contains("Gecikmiş silinmələr"), "{}", list.text);
    assert!(list.headers["set-cookie"].to_str().expect("text").starts_with("lang=az"));
}
