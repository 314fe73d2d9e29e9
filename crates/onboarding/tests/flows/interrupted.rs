//! Killed at every step: the taking of an answer and every step after it are cut off wherever they
//! wait, the vault is opened again, and the session ends whole or leaves nothing.

use std::{pin::pin, sync::atomic::Ordering, task::Poll};

use etibar_credential::catalogue::Language;
use etibar_onboarding::session_id;
use serde_json::json;

use super::{
    assert_clean,
    support::{Country, country::Bank},
};

/// Waits of one request at most: more would mean that it never ends.
const STEPS_MAX: usize = 1_000;

/// Drives `work` through its first `steps` waits and drops it there, as a kill would: `None`.
async fn cut_off<T>(work: impl Future<Output = T>, steps: usize) -> Option<T> {
    let mut work = pin!(work);
    let mut left = steps;
    std::future::poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// An answer on its way to the bank.
struct Sent {
    /// The session.
    id: [u8; 16],
    request: String,
    body: Vec<u8>,
    /// It was cut off before the bank said that it has it.
    was_cut_off: bool,
}

/// A session that was answered by a wallet, as far as `steps` waits of the answer go.
async fn answered(country: &Country, bank: &Bank, steps: usize) -> Sent {
    let answer = answer(country, bank).await;
    let taken = cut_off(bank.flows.response(&answer.request, &answer.body), steps).await;
    Sent { was_cut_off: taken.map(|taken| taken.expect("taken")).is_none(), ..answer }
}

/// A session, and an answer that is not sent yet.
async fn answer(country: &Country, bank: &Bank) -> Sent {
    let wallet = country.wallet(2, &json!({}));
    let created = bank.flows.create("current_account", Language::En, None).await;
    let created = created.expect("a session");
    let registry = country.registry();
    let (request, body) =
        wallet.answer(&bank.flows, &created.request_uri, &registry, country.time()).await;
    Sent { id: session_id(&created.id).expect("an id"), request, body, was_cut_off: true }
}

/// The session's end after the last restart: an account with its consents, once.
async fn assert_whole(country: &Country, bank: &Bank, id: [u8; 16], steps: usize) {
    country.pass(60);
    bank.flows.round().await;
    let view = bank.end(id).await;
    assert_eq!(view.state, "done", "after {steps} steps: {:?}", view.reasons);
    assert_eq!(bank.accounts.opened.lock().expect("unpoisoned").len(), 1, "after {steps} steps");
    let consents = country.shared.state.lock().expect("unpoisoned").consents.len();
    assert_eq!(consents, 2, "after {steps} steps");
}

#[tokio::test]
async fn an_answer_cut_off_at_any_step_is_taken_again_or_was_taken_and_opens_one_account() {
    let (mut again, mut opened) = (0, 0);
    for steps in 0..STEPS_MAX {
        let country = Country::new();
        let bank = country.bank(2).await;
        let sent = answered(&country, &bank, steps).await;
        let bank = country.restart(bank).await;
        let view = bank.flows.session(sent.id, 0).await.expect("a session");
        let repeated = bank.flows.response(&sent.request, &sent.body).await;
        if view.state == "waiting" {
            let taken = repeated.expect("the bank still waits for it");
            assert_eq!(session_id(&taken.session).expect("an id"), sent.id);
            again += 1;
        } else {
            assert_eq!(repeated.expect_err("it has it").code(), "answer_replayed");
            opened += 1;
        }
        assert_whole(&country, &bank, sent.id, steps).await;
        if !sent.was_cut_off {
            assert!(again > 0 && opened > 0, "{again} taken again, {opened} opened");
            return;
        }
    }
    panic!("the answer was never taken");
}

#[tokio::test]
async fn an_answer_that_could_not_be_judged_is_taken_once_it_can() {
    let country = Country::new();
    let bank = country.bank(2).await;
    let answer = answer(&country, &bank).await;
    country.web.down.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        let refused = bank.flows.response(&answer.request, &answer.body).await;
        assert_eq!(refused.expect_err("no list").code(), "status_unavailable");
        assert_eq!(bank.flows.session(answer.id, 0).await.expect("a session").state, "waiting");
    }
    country.web.down.store(false, Ordering::SeqCst);
    bank.flows.response(&answer.request, &answer.body).await.expect("taken");
    assert_whole(&country, &bank, answer.id, 0).await;
}

#[tokio::test]
async fn an_answer_that_comes_twice_at_once_is_taken_once() {
    let country = Country::new();
    let bank = country.bank(2).await;
    let answer = answer(&country, &bank).await;
    let respond = || bank.flows.response(&answer.request, &answer.body);
    let (one, other) = tokio::join!(respond(), respond());
    let (taken, refused) = if one.is_ok() { (one, other) } else { (other, one) };
    taken.expect("one of them is taken");
    let code = refused.expect_err("not the other").code();
    assert!(["session_closed", "answer_replayed"].contains(&code), "{code}");
    assert_whole(&country, &bank, answer.id, 0).await;
}

#[tokio::test]
async fn an_answer_that_nobody_sends_again_leaves_nothing() {
    let country = Country::new();
    let bank = country.bank(2).await;
    let sent = answered(&country, &bank, 0).await;
    assert!(sent.was_cut_off);
    let bank = country.restart(bank).await;
    country.pass(3_600);
    bank.flows.round().await;
    assert_eq!(bank.end(sent.id).await.state, "expired");
    assert_clean(&country, &bank).await;
}

#[tokio::test]
async fn an_opening_cut_off_at_any_step_goes_on_and_does_nothing_twice() {
    for steps in 0..STEPS_MAX {
        let country = Country::new();
        let bank = country.bank(2).await;
        let id = answered(&country, &bank, STEPS_MAX).await.id;
        let bank = country.restart(bank).await;
        let ended = cut_off(bank.flows.advance(id), steps).await;
        let was_cut_off = ended.is_none();
        let bank = country.restart(bank).await;
        assert_whole(&country, &bank, id, steps).await;
        if !was_cut_off {
            assert!(steps > 10, "an opening has many steps: {steps}");
            return;
        }
    }
    panic!("the opening never ended");
}
