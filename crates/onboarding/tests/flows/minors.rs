//! An account for a minor: whoever acts for the child opens it, and nobody else.

use etibar_vault::{LinkKind, TagKind};
use serde_json::{Value, json};

use super::{
    assert_clean, party,
    support::{Country, country::FIN, wallet::Wallet},
};

/// The child's personal number.
const CHILD: &str = "1ZZ1ZZ1";

/// What the justice ministry attests: who acts for the child.
fn certificate(guardian: &str, born: &str, valid_until: &str) -> Value {
    json!({
        "child": {
            "family_name": "Nümunəyeva", "given_name": "Uşaq", "patronymic": "Sınaq qızı",
            "birthdate": born, "personal_administrative_number": CHILD,
        },
        "guardian": {
            "family_name": "Nümunəyev", "given_name": "Sınaq", "birthdate": "1990-05-06",
            "personal_administrative_number": guardian,
        },
        "relation": "parent",
        "valid_until": valid_until,
    })
}

/// A wallet with the identity and this certificate.
fn holding(country: &Country, certificate: &Value) -> Wallet {
    let mut wallet = country.wallet(2, &json!({}));
    wallet.held.push(country.issue(14, "urn:az:guardianship:1", certificate, 5));
    wallet
}

#[tokio::test]
async fn a_guardian_opens_an_account_in_the_childs_name_that_is_linked_to_the_guardian() {
    for born in ["2016-02-03", "2010-02-03"] {
        let country = Country::new();
        let bank = country.bank(2).await;
        let wallet = holding(&country, &certificate(FIN, born, "2034-02-03"));
        let (id, answer) = bank.apply(&country, "minor_account", &wallet).await;
        answer.expect("taken");
        let view = bank.end(id).await;
        assert_eq!(view.state, "done", "{:?}", view.reasons);
        let iban = view.iban.expect("an account").0;
        let names = bank.accounts.names.lock().expect("unpoisoned").clone();
        assert_eq!(names.values().collect::<Vec<_>>(), ["Uşaq Nümunəyeva"], "the child's name");
        let vault = &bank.flows.parts().vault;
        let child = vault.find(TagKind::Related, CHILD.as_bytes()).await.expect("no fault");
        let child = child.expect("the child is known");
        let owner = vault.find(TagKind::Account, iban.as_bytes()).await.expect("no fault");
        assert_eq!(owner, Some(child), "the account is the child's");
        let guardian = party(&bank, 2).await.expect("the guardian is known");
        let links = vault.links(child).await.expect("links");
        assert_eq!(links.len(), 1);
        assert_eq!((links[0].other, links[0].kind), (guardian, LinkKind::Guardian));
        assert!(view.kyc_offer.is_none(), "no due diligence of the guardian is offered for it");
    }
}

#[tokio::test]
async fn who_does_not_act_for_the_child_opens_nothing() {
    let cases = [
        (certificate("9ZZ9ZZ8", "2016-02-03", "2034-02-03"), "not_the_guardian"),
        (certificate(FIN, "2008-02-03", "2026-02-03"), "guardianship_ended"),
        (certificate(FIN, "2016-02-03", "2026-11-21"), "guardianship_ended"),
        (certificate(FIN, "someday", "2034-02-03"), "claim_missing"),
    ];
    for (certificate, reason) in cases {
        let country = Country::new();
        let bank = country.bank(2).await;
        let wallet = holding(&country, &certificate);
        let (id, answer) = bank.apply(&country, "minor_account", &wallet).await;
        answer.expect("taken");
        let view = bank.end(id).await;
        assert_eq!((view.state, view.reasons), ("refused", vec![reason.to_owned()]));
        assert_clean(&country, &bank).await;
    }
}

#[tokio::test]
async fn a_revoked_certificate_of_guardianship_opens_nothing() {
    let country = Country::new();
    let bank = country.bank(2).await;
    let wallet = holding(&country, &certificate(FIN, "2016-02-03", "2034-02-03"));
    country.publish(14, &[5]);
    let (id, answer) = bank.apply(&country, "minor_account", &wallet).await;
    assert_eq!(answer.expect_err("revoked").code(), "revoked");
    assert_eq!(bank.end(id).await.state, "failed");
    assert_clean(&country, &bank).await;
}
