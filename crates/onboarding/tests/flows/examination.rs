//! Enhanced due diligence by four eyes.

use crate::support::{
    Country,
    country::{Bank, EXAMINATION_LIFE, EXPOSED},
};
use etibar_credential::evidence::{Action, Receipt, Role};
use etibar_onboarding::{
    HolderAnswer, OnboardingError, SessionView,
    examination::{LAPSES_SOON, Preparation, STAFF_TEXT_CHARACTERS_MAX, Verdict, lapses_soon},
    session::State,
    staff::{StaffMember, StaffRole},
};
use etibar_openid::member::{HolderAction, ServedReceipt};
use etibar_primitives::{MemberId, hex};
use etibar_vault::{Reader, TagKind};
use serde_json::json;

fn officer(name: &str) -> StaffMember {
    StaffMember { name: name.to_owned(), role: StaffRole::Officer }
}

fn senior(name: &str) -> StaffMember {
    StaffMember { name: name.to_owned(), role: StaffRole::Senior }
}

fn preparation() -> Preparation {
    Preparation {
        sources_of_funds: "salary of a public office".to_owned(),
        reason: "the declared income fits the expected turnover".to_owned(),
    }
}

fn verdict(approve: bool) -> Verdict {
    Verdict { approve, reason: "looked at the declaration of assets".to_owned() }
}

fn code(result: Result<(), OnboardingError>) -> &'static str {
    result.expect_err("refused").code()
}

/// A politically exposed person's application that waits for the staff.
async fn waiting(country: &Country, bank: &Bank) -> [u8; 16] {
    let wallet = country.wallet(2, &json!({"personal_administrative_number": EXPOSED}));
    let (id, answer) = bank.apply(country, "current_account", &wallet).await;
    answer.expect("taken");
    let view = settled(bank, id).await;
    assert_eq!((view.state, view.is_final, view.enhanced), ("examining", false, true));
    id
}

/// The session once it waits for people or has ended.
async fn settled(bank: &Bank, id: [u8; 16]) -> SessionView {
    bank.flows.session(id, 20_000).await.expect("a session")
}

fn accounts(bank: &Bank) -> usize {
    bank.accounts.opened.lock().expect("unpoisoned").len()
}

#[tokio::test]
async fn an_exposed_persons_account_opens_after_a_second_of_the_staff_approved_it() {
    let country = Country::new();
    let bank = country.bank(2).await;
    let id = waiting(&country, &bank).await;
    bank.flows.round().await;
    assert_eq!(accounts(&bank), 0, "nothing opens while it is examined");
    let lines = bank.flows.applications(Some(State::Examining), 9).await.expect("lines");
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].causes[0].code(), "exposed_person");

    let (one, two) = (senior("senior-1"), senior("senior-2"));
    assert_eq!(code(bank.flows.decide(id, &two, &verdict(true)).await), "not_prepared");
    bank.flows.prepare(id, &one, &preparation()).await.expect("recorded");
    let decide = async |by: &StaffMember| bank.flows.decide(id, by, &verdict(true)).await;
    assert_eq!(code(decide(&one).await), "four_eyes_needed");
    assert_eq!(code(decide(&officer("officer-1")).await), "senior_needed");
    assert_eq!(accounts(&bank), 0);

    let bank = country.restart(bank).await;
    bank.flows.decide(id, &two, &verdict(true)).await.expect("approved");
    let view = bank.end(id).await;
    assert_eq!(view.state, "done", "{:?}", view.reasons);
    assert_eq!(accounts(&bank), 1);
    assert_eq!(code(bank.flows.decide(id, &two, &verdict(false)).await), "not_being_examined");

    // Who, when and why stand in the record, and each look at it leaves one.
    let seen = bank.flows.application(id, &two).await.expect("an application");
    let by: Vec<&str> = seen.steps.iter().map(|step| step.by.as_str()).collect();
    assert_eq!(by, ["senior-1", "senior-2"]);
    assert_eq!(seen.steps[0].sources_of_funds.as_deref(), Some("salary of a public office"));
    assert_eq!(seen.steps[1].approve, Some(true));
    let examination = seen.decisions[0].examination.clone().expect("in the record");
    assert_eq!(examination.decided.map(|(act, approved)| (act.by, approved)), {
        Some(("senior-2".to_owned(), true))
    });
    assert!(seen.accesses.iter().any(|its| its.reader == "staff"));
    let facts = seen.facts.expect("the consent stands");
    assert_eq!(facts.fin(), Some(EXPOSED));
    check_looks(&country, &bank, id).await;
}

/// Each look of the staff is in the person's own list: its role and what it saw, never a name.
async fn check_looks(country: &Country, bank: &Bank, id: [u8; 16]) {
    bank.flows.application(id, &officer("officer-1")).await.expect("an application");
    bank.flows.round().await;
    let wallet = country.wallet(2, &json!({"personal_administrative_number": EXPOSED}));
    let wanted = HolderAction::Accesses { rel: None, after: 0 };
    let answer = wallet.ask(&bank.flows, "accesses", wanted, country.time()).await;
    let Ok(HolderAnswer::Accesses(page)) = answer else { panic!("receipts") };
    assert!(page.receipts.iter().all(|its| its.inclusion.is_some()), "anchored");
    let read = |served: &ServedReceipt| Receipt::peek(&served.receipt.0).expect("a receipt").0;
    let looks: Vec<Receipt> =
        page.receipts.iter().map(read).filter(|its| its.action == Action::Look).collect();
    let by = |role| looks.iter().any(|its| its.reader == Some(role));
    assert!(by(Role::Senior) && by(Role::Officer), "{looks:?}");
    assert!(looks.iter().any(|its| its.claims.contains(&"family_name".to_owned())), "{looks:?}");
    assert!(looks.iter().all(|its| its.author == MemberId(2) && its.duty.is_none()));
    let numbers = page.receipts.iter().map(read).map(|its| (its.rel, its.sequence));
    let numbers: std::collections::BTreeSet<_> = numbers.collect();
    assert_eq!(numbers.len(), page.receipts.len(), "each has a number of its own");
}

#[tokio::test]
async fn a_refused_examination_ends_without_a_trace_but_for_the_record_that_the_law_keeps() {
    let country = Country::new();
    let bank = country.bank(2).await;
    let id = waiting(&country, &bank).await;
    bank.flows.prepare(id, &officer("officer-1"), &preparation()).await.expect("recorded");
    bank.flows.decide(id, &senior("senior-1"), &verdict(false)).await.expect("refused");
    let view = bank.end(id).await;
    assert_eq!((view.state, view.reasons), ("refused", vec!["examination_refused".to_owned()]));
    assert_eq!(accounts(&bank), 0);
    let vault = &bank.flows.parts().vault;
    assert_eq!(vault.find(TagKind::Ppid, b"ppid-2").await.expect("no fault"), None);
    {
        let state = country.shared.state.lock().expect("unpoisoned");
        assert!(state.consents.values().all(|its| its.revoked.is_some()));
    }
    let held = vault.held().await.expect("holds");
    assert_eq!(held.len(), 1);
    let record = vault.read_held(held[0].id, Reader("court"), country.time()).await;
    let names: Vec<String> = record.expect("kept").into_iter().map(|(name, _)| name).collect();
    assert!(names.contains(&"preparation".to_owned()) && names.contains(&"verdict".to_owned()));
}

#[tokio::test]
async fn consents_status_and_time_are_looked_at_again_when_it_is_approved() {
    for what in ["consent", "status", "ledger"] {
        let country = Country::new();
        let bank = country.bank(2).await;
        let id = waiting(&country, &bank).await;
        bank.flows.prepare(id, &officer("officer-1"), &preparation()).await.expect("recorded");
        let rel = bank.flows.session(id, 0).await.expect("a view").consents[0].rel;
        match what {
            "consent" => {
                let wallet = country.wallet(2, &json!({}));
                let now = country.time();
                let revoke = HolderAction::Revoke { rel };
                wallet.ask(&bank.flows, "revoke", revoke, now).await.expect("revoked");
            }
            "status" => {
                country.pass(1);
                country.publish(12, &[1]);
            }
            _ => {
                let mut state = country.shared.state.lock().expect("unpoisoned");
                let now = country.time();
                state.consents.get_mut(&rel).expect("granted").revoked = Some(now);
            }
        }
        // The list at hand is too old by now: what is relied on is today's.
        country.pass(4_000);
        let revoked: &[u64] = if what == "status" { &[1] } else { &[] };
        country.publish(12, revoked);
        bank.flows.decide(id, &senior("senior-1"), &verdict(true)).await.expect("approved");
        let view = bank.end(id).await;
        let reason = if what == "status" { "revoked" } else { "consent_not_in_force" };
        assert_eq!((view.state, view.reasons), ("failed", vec![reason.to_owned()]), "{what}");
        assert_eq!(accounts(&bank), 0, "{what}");
    }
}

#[tokio::test]
async fn an_examination_that_nobody_ends_lapses_at_its_time_and_not_before() {
    let country = Country::new();
    let bank = country.bank(2).await;
    let id = waiting(&country, &bank).await;
    bank.flows.prepare(id, &officer("officer-1"), &preparation()).await.expect("recorded");
    let until = bank.flows.session(id, 0).await.expect("a view").examined_until;
    assert_eq!(until, Some(country.time().saturating_add(EXAMINATION_LIFE)));
    country.pass(EXAMINATION_LIFE.0 / 1_000 - 1);
    bank.flows.round().await;
    assert_eq!(settled(&bank, id).await.state, "examining");
    assert_eq!(bank.flows.standing().await.expect("figures").examinations_lapsing, 1);
    country.pass(1);
    let late = bank.flows.decide(id, &senior("senior-1"), &verdict(true)).await;
    assert_eq!(code(late), "not_being_examined");
    bank.flows.round().await;
    let view = bank.end(id).await;
    assert_eq!((view.state, view.reasons), ("expired", vec!["examination_lapsed".to_owned()]));
    assert_eq!(accounts(&bank), 0);
    assert!(bank.flows.parts().vault.held().await.expect("holds").is_empty());
}

#[tokio::test]
async fn what_is_examined_stands_first_the_soonest_to_lapse_at_the_top_and_is_counted_in_time() {
    let country = Country::new();
    let bank = country.bank(2).await;
    let first = waiting(&country, &bank).await;
    country.pass(60);
    let other = country.wallet(2, &json!({"personal_administrative_number": EXPOSED}));
    let (second, answer) = bank.apply(&country, "current_account", &other).await;
    answer.expect("taken");
    assert_eq!(settled(&bank, second).await.state, "examining");
    let (third, _) = bank.apply(&country, "current_account", &country.wallet(2, &json!({}))).await;
    bank.end(third).await;
    for state in [None, Some(State::Examining)] {
        let lines = bank.flows.applications(state, 9).await.expect("lines");
        let ids: Vec<String> = lines.iter().take(2).map(|line| line.id.clone()).collect();
        assert_eq!(ids, [first, second].map(|id| hex::encode(&id)));
        assert!(lines[0].lapses() < lines[1].lapses());
        assert_eq!(lines.len(), if state.is_none() { 3 } else { 2 });
        assert!(lines.get(2).is_none_or(|line| line.lapses().is_none()));
    }
    let lapses = bank.flows.applications(None, 9).await.expect("lines")[0].lapses();
    let lapses = lapses.expect("it is examined");
    let lapsing = async || {
        let standing = bank.flows.standing().await.expect("figures");
        assert_eq!(standing.examinations_waiting, 2);
        standing.examinations_lapsing
    };
    assert_eq!(lapsing().await, 0);
    assert!(!lapses_soon(lapses, country.time()));
    country.pass((lapses.since(country.time()).0 - LAPSES_SOON.0) / 1_000);
    assert_eq!(lapsing().await, 1);
    assert!(lapses_soon(lapses, country.time()));
    let metrics = bank.flows.standing().await.expect("figures").metrics();
    assert!(metrics.contains("etibar_onboarding_examinations_lapsing 1\n"), "{metrics}");
}

#[tokio::test]
async fn texts_and_preparations_have_their_limits() {
    let country = Country::new();
    let bank = country.bank(2).await;
    let id = waiting(&country, &bank).await;
    let one = officer("officer-1");
    let with = |reason: String| Preparation { reason, ..preparation() };
    for text in [String::new(), "  ".to_owned(), "ə".repeat(STAFF_TEXT_CHARACTERS_MAX + 1)] {
        let refused = bank.flows.prepare(id, &one, &with(text)).await;
        assert_eq!(code(refused), "staff_text_limit");
    }
    let longest = with("ə".repeat(STAFF_TEXT_CHARACTERS_MAX));
    for _ in 0..etibar_onboarding::examination::PREPARATIONS_MAX {
        bank.flows.prepare(id, &one, &longest).await.expect("recorded");
    }
    let more = bank.flows.prepare(id, &one, &longest).await;
    assert_eq!(code(more), "too_many_preparations");
    let unknown = bank.flows.prepare([9; 16], &one, &preparation()).await;
    assert_eq!(code(unknown), "session_unknown");
}
