//! What a passkey opens, and what it does not.

use etibar_wallet::{
    EntryId, Holder, PersonId, Wallet, WalletError,
    gesture::{Action, Gesture},
    passkey::PasskeyError,
    record::ProfileRecord,
};

use super::support::{Authenticator, ORIGIN, wallet};

/// A person of the wallet who holds `authenticator`.
async fn person(wallet: &Wallet, authenticator: &mut Authenticator) -> Holder {
    let person = wallet.new_person().await.expect("the wallet answers");
    let (ceremony, options) = wallet.begin_passkey("Etibar").expect("the wallet answers");
    let made =
        wallet.made_passkey(ceremony, &authenticator.create(&options)).expect("the wallet answers");
    wallet.keep_passkey(person, &made).await.expect("the wallet answers");
    wallet.holder(person).await.expect("the wallet answers")
}

fn revoke(byte: u8) -> Action {
    Action::Revoke { consent: EntryId([byte; 16]) }
}

/// The refusal of a gesture.
fn refused(gesture: Result<Gesture, WalletError>) -> String {
    gesture.map(|_| ()).expect_err("it is refused").code().to_owned()
}

#[tokio::test]
async fn a_passkey_signs_its_person_in_and_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let wallet = wallet(folder.path(), true).await;
    let (mut first, mut second) = (Authenticator::new(1), Authenticator::new(2));
    let one = person(&wallet, &mut first).await;
    let other = person(&wallet, &mut second).await;
    let answer = first.get(&wallet.ask_sign_in().unwrap());
    assert_eq!(wallet.sign_in(&answer).await.unwrap(), one.person());
    let answer = second.get(&wallet.ask_sign_in().unwrap());
    assert_eq!(wallet.sign_in(&answer).await.unwrap(), other.person());
    let stranger = Authenticator::new(3).get(&wallet.ask_sign_in().unwrap());
    let unknown = wallet.sign_in(&stranger).await.unwrap_err();
    assert_eq!(unknown.code(), PasskeyError::Unknown.code());
}

#[tokio::test]
async fn an_answer_opens_once_what_it_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let wallet = wallet(folder.path(), true).await;
    let mut device = Authenticator::new(1);
    let holder = person(&wallet, &mut device).await;
    let answer = device.get(&holder.ask(revoke(7)).await.unwrap());
    let gesture = holder.gesture(&answer).await.unwrap();
    assert_eq!(refused(holder.gesture(&answer).await), "passkey_ended");
    // For another consent it is worthless; for its own only the consent is missing here.
    let other = holder.revoke(EntryId([8; 16]), &gesture).await.unwrap_err();
    assert_eq!(other.code(), "gesture_other");
    let own = holder.revoke(EntryId([7; 16]), &gesture).await.unwrap_err();
    assert_eq!(own.code(), "entry_unknown");
}

#[tokio::test]
async fn an_answer_of_another_person_another_site_or_an_old_counter_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let wallet = wallet(folder.path(), true).await;
    let (mut first, mut second) = (Authenticator::new(1), Authenticator::new(2));
    let one = person(&wallet, &mut first).await;
    person(&wallet, &mut second).await;
    let answer = second.get(&one.ask(revoke(7)).await.unwrap());
    assert_eq!(refused(one.gesture(&answer).await), "gesture_other");
    first.origin = "http://localhost:8201";
    let answer = first.get(&one.ask(revoke(7)).await.unwrap());
    assert_eq!(refused(one.gesture(&answer).await), "passkey_wrong");
    first.origin = ORIGIN;
    let answer = first.get(&one.ask(revoke(7)).await.unwrap());
    one.gesture(&answer).await.unwrap();
    let mut copy = Authenticator::new(1);
    let answer = copy.get(&one.ask(revoke(7)).await.unwrap());
    assert_eq!(refused(one.gesture(&answer).await), "passkey_wrong");
}

#[tokio::test]
async fn an_answer_to_a_challenge_that_nobody_asked_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let wallet = wallet(folder.path(), true).await;
    let mut device = Authenticator::new(1);
    let holder = person(&wallet, &mut device).await;
    let invented = serde_json::json!({ "challenge": "A".repeat(43) }).to_string();
    assert_eq!(refused(holder.gesture(&device.get(&invented)).await), "passkey_ended");
    assert_eq!(refused(holder.gesture("{}").await), "passkey_malformed");
}

#[tokio::test]
async fn a_hosted_wallet_makes_no_gesture_by_script() {
    let folder = tempfile::tempdir().unwrap();
    let hosted = wallet(folder.path(), true).await;
    assert_eq!(refused(hosted.scripted()), "gesture_required");
    let folder = tempfile::tempdir().unwrap();
    let scripted = wallet(folder.path(), false).await;
    let gesture = scripted.scripted().unwrap();
    let holder = scripted.holder(scripted.new_person().await.unwrap()).await.unwrap();
    holder.delete(&gesture).await.unwrap();
    let gone = scripted.holder(holder.person()).await.map(|_| ()).unwrap_err();
    assert_eq!(gone.code(), "person_unknown");
}

#[tokio::test]
async fn a_session_belongs_to_its_person_until_it_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let wallet = wallet(folder.path(), true).await;
    let person: PersonId = wallet.new_person().await.unwrap();
    let (token, session) = wallet.begin_session(person).await.unwrap();
    assert_eq!(wallet.session(&token).await.unwrap(), Some(session));
    assert_eq!(wallet.session("no token").await.unwrap(), None);
    wallet.end_session(&session).await.unwrap();
    assert_eq!(wallet.session(&token).await.unwrap(), None);
}

#[test]
fn a_profile_of_an_earlier_version_is_read() {
    let profile: ProfileRecord = serde_json::from_str(r#"{"language":"ru"}"#).unwrap();
    assert_eq!(profile.language, etibar_wallet::Language::Ru);
    assert!(profile.devices.is_empty());
}

#[tokio::test]
async fn a_second_passkey_is_added_by_the_first_and_may_outlive_it() {
    let folder = tempfile::tempdir().unwrap();
    let wallet = wallet(folder.path(), true).await;
    let (mut first, mut second) = (Authenticator::new(1), Authenticator::new(2));
    let holder = person(&wallet, &mut first).await;
    let answer = first.get(&holder.ask(Action::AddPasskey).await.unwrap());
    let gesture = holder.gesture(&answer).await.unwrap();
    let (ceremony, options) = holder.begin_passkey("Etibar", &gesture).await.unwrap();
    holder.add_passkey(ceremony, &second.create(&options), "Chrome, Android").await.unwrap();
    let answer = second.get(&wallet.ask_sign_in().unwrap());
    assert_eq!(wallet.sign_in(&answer).await.unwrap(), holder.person());
    let devices = holder.devices().await.unwrap();
    assert_eq!(devices.len(), 2);
    let named = devices.iter().position(|device| device.name == "Chrome, Android").unwrap();
    let passkey = devices[1 - named].id.clone();
    let remove = Action::RemovePasskey { passkey: passkey.clone() };
    let answer = second.get(&holder.ask(remove).await.unwrap());
    let gesture = holder.gesture(&answer).await.unwrap();
    let (here, session) = wallet.begin_session(holder.person()).await.unwrap();
    let (elsewhere, _) = wallet.begin_session(holder.person()).await.unwrap();
    holder.remove_passkey(&passkey, &session, &gesture).await.unwrap();
    assert!(wallet.session(&here).await.unwrap().is_some());
    assert!(wallet.session(&elsewhere).await.unwrap().is_none());
    let lost = first.get(&wallet.ask_sign_in().unwrap());
    assert_eq!(wallet.sign_in(&lost).await.unwrap_err().code(), "passkey_unknown");
    let remaining = devices[named].id.clone();
    let remove = Action::RemovePasskey { passkey: remaining.clone() };
    let answer = second.get(&holder.ask(remove).await.unwrap());
    let gesture = holder.gesture(&answer).await.unwrap();
    let refused = holder.remove_passkey(&remaining, &session, &gesture).await.unwrap_err();
    assert_eq!(refused.code(), "last_passkey");
}

#[tokio::test]
async fn a_ceremony_that_no_passkey_of_the_person_began_adds_none() {
    let folder = tempfile::tempdir().unwrap();
    let wallet = wallet(folder.path(), true).await;
    let (mut first, mut second) = (Authenticator::new(1), Authenticator::new(2));
    let holder = person(&wallet, &mut first).await;
    let (ceremony, options) = wallet.begin_passkey("Etibar").unwrap();
    let added = holder.add_passkey(ceremony, &second.create(&options), "x").await;
    assert_eq!(added.unwrap_err().code(), "passkey_ended");
}
