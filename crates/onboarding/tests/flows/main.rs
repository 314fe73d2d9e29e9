//! The flows, with wallets and issuers made of the protocols' own holder and issuer sides.

mod examination;
mod interrupted;
mod join;
mod minors;
mod support;

use std::sync::atomic::Ordering;

use etibar_credential::level::AssuranceLevel;
use etibar_ledger::Outcome;
use etibar_onboarding::{HolderAnswer, SessionView};
use etibar_openid::member::{ChangeNotice, HolderAction};
use etibar_primitives::{DurationMs, MemberId, OperationId};
use etibar_vault::{PartyId, TagKind};
use serde_json::json;
use support::{Country, country::Bank};

/// Nothing of a person is at the bank, no consent stands, no account is open.
async fn assert_clean(country: &Country, bank: &Bank) {
    let live = {
        let state = country.shared.state.lock().expect("no test panics inside");
        state.consents.values().filter(|its| its.revoked.is_none()).count()
    };
    assert_eq!(live, 0, "no consent is in force");
    assert!(bank.accounts.opened.lock().expect("unpoisoned").is_empty(), "no account is open");
    assert_eq!(party(bank, 2).await, None, "the person is not known");
}

async fn party(bank: &Bank, member: u32) -> Option<PartyId> {
    let ppid = format!("ppid-{member}");
    let vault = &bank.flows.parts().vault;
    vault.find(TagKind::Ppid, ppid.as_bytes()).await.expect("no fault")
}

async fn open_account(country: &Country, bank: &Bank) -> SessionView {
    let wallet = country.wallet(2, &json!({}));
    let (id, answer) = bank.apply(country, "current_account", &wallet).await;
    answer.expect("taken");
    let view = bank.end(id).await;
    assert_eq!(view.state, "done", "{:?}", view.reasons);
    view
}

#[tokio::test]
async fn one_presentation_opens_an_account_with_alias_consents_decision_and_receipts() {
    let country = Country::new();
    let bank = country.bank(2).await;
    let view = open_account(&country, &bank).await;
    let iban = view.iban.expect("an account").0;
    let opened = bank.accounts.opened.lock().expect("unpoisoned").clone();
    assert_eq!(opened.values().collect::<Vec<_>>(), [&iban]);
    assert_eq!(bank.accounts.phones.lock().expect("unpoisoned")["+994501234567"], iban);
    assert_eq!(view.consents.len(), 2, "account opening and following changes, both at the MIA");
    assert!(view.kyc_offer.is_some());
    for given in &view.consents {
        let state = country.shared.state.lock().expect("unpoisoned");
        assert!(state.consents[&given.rel].revoked.is_none());
    }
    bank.flows.round().await;
    assert!(country.shared.state.lock().expect("unpoisoned").anchors >= 2);
    let party = party(&bank, 2).await.expect("a customer");
    let decisions = bank.flows.decisions(party).await.expect("decisions");
    assert_eq!(decisions.len(), 1);
    assert_eq!(decisions[0].level, AssuranceLevel::Substantial);
    let accesses = bank.flows.parts().vault.accesses(party, 0).await.expect("records");
    assert!(accesses.iter().any(|its| its.consent.is_some() && its.reader == "onboarding"));
}

#[tokio::test]
async fn an_application_that_breaks_the_policy_is_refused_and_leaves_nothing() {
    for (change, state, reason) in [
        (json!({"age_over_18": false}), "refused", "under_age"),
        (json!({"document_expiry": "2020-01-01"}), "refused", "document_expired"),
        (json!({"assurance_level": "low"}), "step_up", "level_too_low"),
    ] {
        let country = Country::new();
        let bank = country.bank(2).await;
        let wallet = country.wallet(2, &change);
        let (id, answer) = bank.apply(&country, "current_account", &wallet).await;
        answer.expect("taken");
        let view = bank.end(id).await;
        assert_eq!((view.state, view.reasons.as_slice()), (state, &[reason.to_owned()][..]));
        let needed = (state == "step_up").then_some(AssuranceLevel::Substantial);
        assert_eq!(view.level_needed, needed);
        assert_clean(&country, &bank).await;
    }
}

#[tokio::test]
async fn an_answer_is_taken_once_and_by_the_bank_that_asked_only() {
    let country = Country::new();
    let (bank, other) = (country.bank(2).await, country.bank(3).await);
    let wallet = country.wallet(2, &json!({}));
    let product = "current_account";
    let language = etibar_credential::catalogue::Language::Az;
    let created = bank.flows.create(product, language, None).await.expect("a session");
    let (request, body) =
        wallet.answer(&bank.flows, &created.request_uri, &country.registry(), country.time()).await;
    let elsewhere = other.flows.response(&request, &body).await.expect_err("not its request");
    assert_eq!(elsewhere.code(), "request_unknown");
    bank.flows.response(&request, &body).await.expect("taken");
    let again = bank.flows.response(&request, &body).await.expect_err("a replay");
    assert_eq!(again.code(), "answer_replayed");
    // A pairwise credential of another bank names nobody here.
    let (id, answer) = other.apply(&country, product, &wallet).await;
    assert_eq!(answer.expect_err("another bank's").code(), "pairwise_of_another_bank");
    assert_eq!(other.end(id).await.state, "failed");
}

#[tokio::test]
async fn credentials_of_two_people_are_refused_though_each_is_valid() {
    let country = Country::new();
    let bank = country.bank(2).await;
    let mut wallet = country.wallet(2, &json!({}));
    let other = country.wallet(2, &json!({"personal_administrative_number": "9ZZ9ZZ8"}));
    wallet.held[1] = other.held.into_iter().nth(1).expect("the other's pairwise credential");
    let (id, answer) = bank.apply(&country, "current_account", &wallet).await;
    let code = answer.expect_err("two people's").code();
    assert_eq!(code, "presentations_do_not_belong_together");
    assert_eq!(bank.end(id).await.state, "failed");
    assert_clean(&country, &bank).await;
}

#[tokio::test]
async fn a_revoked_or_stale_status_ends_cleanly() {
    let country = Country::new();
    let bank = country.bank(2).await;
    let wallet = country.wallet(2, &json!({}));
    country.publish(12, &[1]);
    let (id, answer) = bank.apply(&country, "current_account", &wallet).await;
    assert_eq!(answer.expect_err("revoked").code(), "revoked");
    assert_eq!(bank.end(id).await.reasons, ["revoked"]);
    country.publish(12, &[]);
    country.pass(7_200);
    let wallet = country.wallet(2, &json!({}));
    let (id, answer) = bank.apply(&country, "current_account", &wallet).await;
    assert_eq!(answer.expect_err("two hours old").code(), "status_stale");
    assert_eq!(bank.end(id).await.state, "failed");
    assert_clean(&country, &bank).await;
}

#[tokio::test]
async fn a_list_whose_anchor_is_on_its_way_is_waited_for_and_one_without_is_refused() {
    let country = Country::new();
    let bank = country.bank(2).await;
    let late = |asks| country.shared.state.lock().expect("unpoisoned").anchors_late = asks;
    late(1_000);
    let wallet = country.wallet(2, &json!({}));
    let (_, answer) = bank.apply(&country, "current_account", &wallet).await;
    assert_eq!(answer.expect_err("never anchored").code(), "status_not_anchored");
    late(2);
    let (id, answer) = bank.apply(&country, "current_account", &wallet).await;
    answer.expect("taken");
    assert_eq!(bank.end(id).await.state, "done");
}

#[tokio::test]
async fn a_credential_revoked_between_check_and_use_opens_nothing() {
    let country = Country::new();
    let bank = country.bank(2).await;
    let wallet = country.wallet(2, &json!({}));
    // The consents' answer is lost, so the session waits between check and use.
    bank.ledger.loses_answers.store(true, Ordering::SeqCst);
    let (id, answer) = bank.apply(&country, "current_account", &wallet).await;
    answer.expect("taken");
    country.pass(1);
    country.publish(12, &[1]);
    bank.ledger.loses_answers.store(false, Ordering::SeqCst);
    country.pass(60);
    bank.flows.advance(id).await.expect("it goes on");
    let view = bank.end(id).await;
    assert_eq!((view.state, view.reasons), ("failed", vec!["revoked".to_owned()]));
    assert_clean(&country, &bank).await;
}

#[tokio::test]
async fn a_bank_killed_at_each_step_goes_on_and_does_nothing_twice() {
    for step in ["ledger", "accounts", "waiting"] {
        let country = Country::new();
        let bank = country.bank(2).await;
        let wallet = country.wallet(2, &json!({}));
        match step {
            "ledger" => bank.ledger.loses_answers.store(true, Ordering::SeqCst),
            "accounts" => bank.accounts.loses_answers.store(true, Ordering::SeqCst),
            _ => bank.ledger.down.store(true, Ordering::SeqCst),
        }
        if step == "waiting" {
            // Only what was read before serves while the ledger is down.
            bank.ledger.down.store(false, Ordering::SeqCst);
        }
        let (id, answer) = bank.apply(&country, "current_account", &wallet).await;
        answer.expect("taken");
        let before = bank.flows.advance(id).await.expect("as far as it can");
        let bank = country.restart(bank).await;
        country.pass(60);
        bank.flows.round().await;
        let view = bank.end(id).await;
        assert_eq!(view.state, "done", "{step} from {before:?}: {:?}", view.reasons);
        assert_eq!(bank.accounts.opened.lock().expect("unpoisoned").len(), 1, "{step}");
        let consents = country.shared.state.lock().expect("unpoisoned").consents.len();
        assert_eq!(consents, 2, "{step}");
    }
}

#[tokio::test]
async fn a_session_whose_ledger_never_answers_expires_without_a_trace() {
    let country = Country::new();
    let bank = country.bank(2).await;
    let wallet = country.wallet(2, &json!({}));
    bank.ledger.loses_answers.store(true, Ordering::SeqCst);
    let (id, answer) = bank.apply(&country, "current_account", &wallet).await;
    answer.expect("taken");
    let waiting = bank.flows.advance(id).await.expect("it waits");
    assert_eq!(waiting.name(), "presented");
    country.pass(1_000);
    bank.ledger.loses_answers.store(false, Ordering::SeqCst);
    bank.flows.round().await;
    let view = bank.end(id).await;
    assert_eq!(view.state, "failed");
    assert_clean(&country, &bank).await;
}

#[tokio::test]
async fn a_loan_fetches_the_report_sealed_and_a_ban_on_remote_loans_refuses_it() {
    for (ban, state) in [(false, "done"), (true, "refused")] {
        let country = Country::new();
        let bank = country.bank(2).await;
        let report = json!({
            "exposure_qepik": 0, "open_loans": 0, "days_past_due_12m": 0,
            "remote_loan_ban": ban, "not_asked_for": "never kept",
        });
        let registers = &country.web.registers;
        registers.lock().expect("unpoisoned").insert("urn:az:credit-report:1".into(), report);
        let mut wallet = country.wallet(2, &json!({}));
        let job = json!({
            "employer": "Sample LLC", "position": "clerk", "contract_since": "2020-01-01",
            "monthly_salary_qepik": 200_000,
        });
        wallet.held.push(country.issue(16, "urn:az:employment:1", &job, 3));
        let (id, answer) = bank.apply(&country, "loan", &wallet).await;
        answer.expect("taken");
        let view = bank.end(id).await;
        assert_eq!(view.state, state, "{:?}", view.reasons);
        assert_eq!(*country.web.acknowledged.lock().expect("unpoisoned"), 1);
        if ban {
            assert_eq!(view.reasons, ["remote_loan_ban"]);
            assert_clean(&country, &bank).await;
        }
    }
}

#[tokio::test]
async fn an_agency_that_is_down_delays_a_loan_and_then_it_is_granted() {
    let country = Country::new();
    let bank = country.bank(2).await;
    let report = json!({"remote_loan_ban": false});
    let registers = &country.web.registers;
    registers.lock().expect("unpoisoned").insert("urn:az:credit-report:1".into(), report);
    let mut wallet = country.wallet(2, &json!({}));
    let job = json!({
        "employer": "Sample LLC", "position": "clerk", "contract_since": "2020-01-01",
        "monthly_salary_qepik": 200_000,
    });
    wallet.held.push(country.issue(16, "urn:az:employment:1", &job, 3));
    bank.ledger.loses_answers.store(true, Ordering::SeqCst);
    let (id, answer) = bank.apply(&country, "loan", &wallet).await;
    answer.expect("taken");
    country.web.down.store(true, Ordering::SeqCst);
    bank.ledger.loses_answers.store(false, Ordering::SeqCst);
    country.pass(30);
    let waiting = bank.flows.advance(id).await.expect("it waits");
    assert_eq!(waiting.name(), "granted");
    country.web.down.store(false, Ordering::SeqCst);
    country.pass(60);
    bank.flows.round().await;
    assert_eq!(bank.end(id).await.state, "done");
}

#[tokio::test]
async fn a_director_opens_a_company_account_and_a_stranger_does_not() {
    for (fin, state) in [(support::country::FIN, "done"), ("9ZZ9ZZ8", "refused")] {
        let country = Country::new();
        let bank = country.bank(2).await;
        let mut wallet = country.wallet(2, &json!({}));
        let person = |fin: &str| json!({"personal_administrative_number": fin});
        let company = json!({
            "name": "Sample LLC", "legal_form": "MMC", "voen": "1406242111",
            "registration_date": "2020-01-01", "registration_number": "1", "address": "Bakı",
            "activity": "trade", "charter_capital": 100, "employees": 3,
            "representatives": [{"person": person(fin), "powers": "director"}],
            "beneficial_owners": [
                {"person": person("9ZZ9ZZ7"), "share_basis_points": 6000},
                {"person": person("9ZZ9ZZ6"), "share_basis_points": 2499},
            ],
        });
        wallet.held.push(country.issue(15, "urn:az:company:1", &company, 4));
        let (id, answer) = bank.apply(&country, "company_account", &wallet).await;
        answer.expect("taken");
        let view = bank.end(id).await;
        assert_eq!(view.state, state, "{:?}", view.reasons);
        if state == "done" {
            let vault = &bank.flows.parts().vault;
            let found = vault.find(TagKind::Voen, b"1406242111").await.expect("no fault");
            let links = vault.links(found.expect("a company")).await.expect("links");
            assert_eq!(links.len(), 2, "the director, and the owner above the threshold");
        } else {
            assert_eq!(view.reasons, ["not_a_representative"]);
            assert_clean(&country, &bank).await;
        }
    }
}

#[tokio::test]
async fn a_change_at_the_register_reaches_the_vault_under_the_consent_also_after_a_kill() {
    let country = Country::new();
    let bank = country.bank(2).await;
    let view = open_account(&country, &bank).await;
    bank.flows.round().await;
    let follow = &view.consents[1];
    let mut changed = support::country::pid();
    changed["address"]["city"] = json!("Gəncə");
    country.web.registers.lock().expect("unpoisoned").insert("urn:az:pid:1".into(), changed);
    let id = OperationId(rand::random());
    let notice = ChangeNotice { id, rel: follow.rel, changed_at: country.time() };
    let stranger = bank.flows.notice(MemberId(16), &notice).await.expect_err("not the provider");
    assert_eq!(stranger.code(), "not_a_party");
    country.web.down.store(true, Ordering::SeqCst);
    bank.flows.notice(MemberId(12), &notice).await.expect("taken");
    bank.flows.round().await;
    assert_eq!(bank.flows.lag().await.expect("a figure").waiting, 1);
    let bank = country.restart(bank).await;
    country.web.down.store(false, Ordering::SeqCst);
    country.pass(60);
    bank.flows.round().await;
    let lag = bank.flows.lag().await.expect("a figure");
    assert_eq!((lag.count, lag.waiting, lag.last_ms), (1, 0, 60_000));
    bank.flows.notice(MemberId(12), &notice).await.expect("the same again");
    bank.flows.round().await;
    assert_eq!(bank.flows.lag().await.expect("a figure").count, 1, "and changes nothing");
    let wallet = country.wallet(2, &json!({}));
    let data = wallet.ask(&bank.flows, "data", HolderAction::Data {}, country.time()).await;
    let Ok(HolderAnswer::Data(copy)) = data else { panic!("a copy") };
    assert_eq!(copy.data.0["attributes"]["address"]["city"], "Gəncə");
}

#[tokio::test]
async fn a_revocation_ends_the_consent_everywhere_and_a_notice_is_refused_from_then_on() {
    let country = Country::new();
    let bank = country.bank(2).await;
    let view = open_account(&country, &bank).await;
    bank.flows.round().await;
    let rel = view.consents[1].rel;
    let wallet = country.wallet(2, &json!({}));
    let now = country.time();
    let stranger = country.wallet(3, &json!({}));
    let refused = stranger.ask(&bank.flows, "revoke", HolderAction::Revoke { rel }, now).await;
    assert_eq!(refused.expect_err("another bank's pseudonym").code(), "pairwise_of_another_bank");
    let other = wallet.ask(&bank.flows, "erase", HolderAction::Revoke { rel }, now).await;
    assert_eq!(other.expect_err("another path").code(), "holder_request");
    for _ in 0..2 {
        let done = wallet.ask(&bank.flows, "revoke", HolderAction::Revoke { rel }, now).await;
        let Ok(HolderAnswer::Revoked(answer)) = done else { panic!("revoked") };
        assert_eq!(answer.rel, rel);
    }
    assert!(country.shared.state.lock().expect("unpoisoned").consents[&rel].revoked.is_some());
    bank.flows.round().await;
    assert_eq!(*country.web.revoked.lock().expect("unpoisoned"), [rel]);
    let notice = ChangeNotice { id: OperationId(rand::random()), rel, changed_at: country.time() };
    let late = bank.flows.notice(MemberId(12), &notice).await.expect_err("revoked");
    assert_eq!(late.code(), "not_a_party");
}

#[tokio::test]
async fn who_accessed_is_answered_with_proofs_and_an_erasure_leaves_a_receipt_and_the_hold() {
    let country = Country::new();
    let bank = country.bank(2).await;
    let view = open_account(&country, &bank).await;
    bank.flows.round().await;
    let wallet = country.wallet(2, &json!({}));
    let now = country.time();
    let wanted = HolderAction::Accesses { rel: None, after: 0 };
    let Ok(HolderAnswer::Accesses(page)) = wallet.ask(&bank.flows, "accesses", wanted, now).await
    else {
        panic!("receipts")
    };
    assert!(page.receipts.len() >= 2);
    assert!(page.receipts.iter().all(|its| its.inclusion.is_some() && its.anchored_by.is_some()));
    let rel = view.consents[0].rel;
    let erase = || HolderAction::Erase { rel };
    let Ok(HolderAnswer::Erased(answer)) = wallet.ask(&bank.flows, "erase", erase(), now).await
    else {
        panic!("erased")
    };
    assert_eq!(answer.receipt.split('.').count(), 3, "a signed receipt");
    assert_eq!(answer.holds.len(), 1);
    assert_eq!(answer.holds[0].basis, etibar_onboarding::HOLD_LAW);
    let ends = now.saturating_add(DurationMs(etibar_onboarding::HOLD_MS));
    assert_eq!(answer.holds[0].until, ends);
    assert_eq!(party(&bank, 2).await, None);
    let state = country.shared.state.lock().expect("unpoisoned");
    assert!(state.consents.values().all(|its| its.revoked.is_some()));
}

/// A second bank, and a wallet that shows it the first one's due diligence.
async fn reuse(country: &Country) -> (Bank, support::wallet::Wallet) {
    let first = country.bank(2).await;
    let view = open_account(country, &first).await;
    assert!(view.kyc_offer.is_some());
    let mut wallet = country.wallet(3, &json!({}));
    wallet.held.push(support::country::kyc(country, 2, "2027-11-22"));
    first.flows.publish_status().await.expect("a status list");
    let text = first.flows.status_list(0).await.expect("it is served");
    let uri = format!("{}/status/0", country.identity(2).base_url);
    country.web.lists.lock().expect("unpoisoned").insert(uri, text);
    (country.bank(3).await, wallet)
}

#[tokio::test]
async fn a_second_bank_reuses_the_due_diligence_asks_for_less_and_owes_a_fee() {
    let country = Country::new();
    let (second, wallet) = reuse(&country).await;
    let (id, answer) = second.apply(&country, "current_account", &wallet).await;
    answer.expect("taken");
    let view = second.end(id).await;
    assert_eq!(view.state, "done", "{:?}", view.reasons);
    assert_eq!(view.reused_from, Some(MemberId(2)));
    assert!(view.kyc_offer.is_none(), "another bank's due diligence is not passed on");
    assert_eq!(second.flows.standing().await.expect("figures").obligations_refused, 0);
    let state = country.shared.state.lock().expect("unpoisoned");
    let [(debtor, reuse)] = state.reuses.as_slice() else { panic!("one obligation") };
    assert_eq!((*debtor, reuse.provider, reuse.fee.minor_units()), (MemberId(3), MemberId(2), 250));
}

#[tokio::test]
async fn a_refused_obligation_is_kept_shown_and_tried_again_until_the_ledger_has_it() {
    let country = Country::new();
    let (second, wallet) = reuse(&country).await;
    let refuse = |outcome| {
        country.shared.state.lock().expect("unpoisoned").refuses_reuse = outcome;
    };
    refuse(Some(Outcome::CreditorSuspended));
    let (id, answer) = second.apply(&country, "current_account", &wallet).await;
    answer.expect("taken");
    assert_eq!(second.end(id).await.state, "done", "the account is the customer's all the same");
    let line = async |bank: &Bank| {
        let lines = bank.flows.refused_obligations(9).await.expect("lines");
        let [line] = lines.as_slice() else { panic!("one line: {lines:?}") };
        line.clone()
    };
    let first = line(&second).await;
    assert_eq!((first.provider, first.fee.minor_units()), (MemberId(2), 250));
    assert_eq!((first.outcome.as_str(), first.attempts), ("creditor_suspended", 0));
    let standing = second.flows.standing().await.expect("figures");
    assert_eq!(standing.obligations_refused, 1);
    assert!(standing.metrics().contains("etibar_onboarding_obligations_refused 1\n"));
    // Not before its hour, and after a silence the same operation.
    second.flows.round().await;
    assert_eq!(line(&second).await.attempts, 0);
    let second = country.restart(second).await;
    country.pass(3_600);
    second.flows.round().await;
    assert_eq!(line(&second).await.attempts, 1);
    refuse(None);
    second.ledger.loses_answers.store(true, Ordering::SeqCst);
    country.pass(3_600);
    second.flows.round().await;
    assert_eq!(line(&second).await.attempts, 1, "nobody knows yet");
    second.ledger.loses_answers.store(false, Ordering::SeqCst);
    second.flows.round().await;
    assert!(second.flows.refused_obligations(9).await.expect("lines").is_empty());
    let owed = country.shared.state.lock().expect("unpoisoned").reuses.len();
    assert_eq!(owed, 1, "nothing is owed twice");
}

#[tokio::test]
async fn an_obligation_that_can_never_be_recorded_is_given_up_and_still_shown() {
    let country = Country::new();
    let (second, wallet) = reuse(&country).await;
    let state = &country.shared.state;
    state.lock().expect("unpoisoned").refuses_reuse = Some(Outcome::AmountOverflows);
    let (id, answer) = second.apply(&country, "current_account", &wallet).await;
    answer.expect("taken");
    assert_eq!(second.end(id).await.state, "done");
    country.pass(86_400);
    second.flows.round().await;
    let lines = second.flows.refused_obligations(9).await.expect("lines");
    assert_eq!((lines[0].retry, lines[0].attempts), (None, 0));
    assert_eq!(second.flows.standing().await.expect("figures").obligations_refused, 1);
}
