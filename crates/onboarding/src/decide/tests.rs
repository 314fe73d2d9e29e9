use etibar_credential::{UnixSeconds, level::Method, verified_claims::Evidence};
use etibar_primitives::MemberId;
use serde_json::json;

use super::*;
use crate::policy::Products;

/// 2026-11-22.
const NOW: UnixSeconds = UnixSeconds(1_795_300_000);
const CALM: Screened = Screened { hit: false, exposed: false };

fn pid() -> Value {
    json!({
        "personal_administrative_number": "9ZZ9ZZ9",
        "birthdate": "1990-05-06",
        "age_over_18": true,
        "document_expiry": "2030-01-01",
        "assurance_level": "substantial",
    })
}

fn company() -> Value {
    json!({
        "representatives": [{"person": {"personal_administrative_number": "9ZZ9ZZ9"}}],
        "beneficial_owners": [
            {"person": {"personal_administrative_number": "9ZZ9ZZ8"}, "share_basis_points": 2500},
            {"person": {"personal_administrative_number": "9ZZ9ZZ7"}, "share_basis_points": 2499},
        ],
    })
}

/// The decision on `changed` facts of an otherwise good application for `product`.
fn decided(product: &str, change: impl FnOnce(&mut Facts)) -> Decision {
    let products = Products::sample();
    let mut facts = Facts::default();
    facts.add(PID, pid());
    match product {
        "company_account" => facts.add(COMPANY, company()),
        "loan" => facts.add(CREDIT_REPORT, json!({"remote_loan_ban": false})),
        "minor_account" => facts.add(
            GUARDIANSHIP,
            json!({
                "guardian": {"personal_administrative_number": "9ZZ9ZZ9"},
                "child": {
                    "birthdate": "2015-01-01",
                    "personal_administrative_number": "9ZZ9ZZ1",
                },
                "valid_until": "2033-01-01",
            }),
        ),
        _ => {}
    }
    change(&mut facts);
    let level = level_of(&facts).unwrap_or(AssuranceLevel::Low);
    decide(products.get(product).expect("a sample product"), &facts, level, CALM, NOW)
}

fn refused(product: &str, change: impl FnOnce(&mut Facts)) -> Vec<Reason> {
    match decided(product, change) {
        Decision::Refuse(reasons) => reasons,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_good_application_for_each_product_is_accepted() {
    for product in ["current_account", "minor_account", "loan", "company_account"] {
        let accepted = decided(product, |_| {});
        assert!(matches!(accepted, Decision::Accept(_)), "{product}: {accepted:?}");
    }
}

#[test]
fn a_level_that_is_too_low_asks_to_step_up_and_is_no_refusal() {
    let low = |facts: &mut Facts| facts.add(PID, json!({"assurance_level": "low"}));
    let needed = AssuranceLevel::Substantial;
    let held = AssuranceLevel::Low;
    assert_eq!(decided("current_account", low), Decision::StepUp { needed, held });
}

#[test]
fn each_rule_refuses_with_its_own_code() {
    let pid = |claims: Value| move |facts: &mut Facts| facts.add(PID, claims);
    let other = |vct: &'static str, claims: Value| move |facts: &mut Facts| facts.add(vct, claims);
    let current = |change: Value| refused("current_account", pid(change));
    assert_eq!(current(json!({"age_over_18": false})), [Reason::UnderAge]);
    assert_eq!(current(json!({"birthdate": "2008-11-23"})), [Reason::UnderAge]);
    assert_eq!(current(json!({"document_expiry": "2026-11-01"})), [Reason::DocumentExpired]);
    let none = json!({"age_over_18": null, "birthdate": null});
    assert_eq!(current(none), [Reason::ClaimMissing]);
    let ban = other(CREDIT_REPORT, json!({"remote_loan_ban": true}));
    assert_eq!(refused("loan", ban), [Reason::RemoteLoanBan]);
    assert_eq!(
        refused("loan", |facts| drop(facts.0.remove(CREDIT_REPORT))),
        [Reason::ClaimMissing]
    );
    let stranger = json!({"guardian": {"personal_administrative_number": "9ZZ9ZZ8"}});
    assert_eq!(refused("minor_account", other(GUARDIANSHIP, stranger)), [Reason::NotTheGuardian]);
    let grown = json!({"child": {
        "birthdate": "2008-01-01", "personal_administrative_number": "9ZZ9ZZ1"}});
    assert_eq!(refused("minor_account", other(GUARDIANSHIP, grown)), [Reason::GuardianshipEnded]);
    let nobody = other(COMPANY, json!({"representatives": []}));
    assert_eq!(refused("company_account", nobody), [Reason::NotARepresentative]);
    let unnamed = json!({"beneficial_owners": [{"share_basis_points": 9000}]});
    assert_eq!(refused("company_account", other(COMPANY, unnamed)), [Reason::OwnersUnknown]);
    let without = |facts: &mut Facts| drop(facts.0.remove(COMPANY));
    assert_eq!(refused("company_account", without), [Reason::OwnersUnknown, Reason::ClaimMissing]);
}

#[test]
fn a_hit_refuses_and_a_politically_exposed_person_is_accepted_with_enhanced_measures() {
    let products = Products::sample();
    let product = products.get("current_account").expect("a sample product");
    let mut facts = Facts::default();
    facts.add(PID, pid());
    let level = AssuranceLevel::High;
    let hit = Screened { hit: true, exposed: false };
    let refusal = decide(product, &facts, level, hit, NOW);
    assert_eq!(refusal, Decision::Refuse(vec![Reason::SanctionsHit]));
    let exposed = Screened { hit: false, exposed: true };
    let accepted = decide(product, &facts, level, exposed, NOW);
    let Decision::Accept(accepted) = accepted else { panic!("not accepted: {accepted:?}") };
    assert_eq!(accepted.causes, [Cause::ExposedPerson]);
}

#[test]
fn foreign_citizens_and_named_legal_forms_need_enhanced_measures_where_the_product_says_so() {
    let mut products = Products::sample();
    let causes = |product: &Product, facts: &Facts| match decide(
        product,
        facts,
        AssuranceLevel::High,
        CALM,
        NOW,
    ) {
        Decision::Accept(accepted) => accepted.causes,
        other => panic!("not accepted: {other:?}"),
    };
    let mut facts = Facts::default();
    facts.add(PID, pid());
    facts.add(COMPANY, company());
    let mut product = products.get("company_account").expect("a sample product").clone();
    assert_eq!(causes(&product, &facts), []);
    facts.add(COMPANY, json!({"legal_form": "trust"}));
    assert_eq!(causes(&product, &facts), [Cause::LegalForm]);
    product.enhanced.citizens_of = vec!["AZ".to_owned()];
    assert_eq!(causes(&product, &facts), [Cause::ForeignCitizen, Cause::LegalForm]);
    facts.add(PID, json!({"nationality": "AZ"}));
    assert_eq!(causes(&product, &facts), [Cause::LegalForm]);
    products = Products::sample();
    assert!(products.all().iter().all(|its| its.enhanced.citizens_of.is_empty()));
}

#[test]
fn reused_due_diligence_must_be_whole_of_this_person_and_not_due() {
    let kyc = |due: &str, fin: &str| {
        let verified = VerifiedClaims {
            level: AssuranceLevel::High,
            methods: [Method::Call, Method::Signature].into_iter().collect(),
            verified_at: UnixSeconds(NOW.0 - 1),
            refresh_due: due.parse().expect("a date"),
            evidence: vec![Evidence {
                vct: PID.to_owned(),
                issuer: MemberId(12),
                checked_at: UnixSeconds(NOW.0 - 1),
            }],
            claims: json!({"personal_administrative_number": fin}).as_object().unwrap().clone(),
        };
        Value::Object(verified.to_credential().expect("whole"))
    };
    let put = |claims: Value| move |facts: &mut Facts| facts.add(KYC, claims);
    let good = decided("current_account", put(kyc("2027-01-01", "9ZZ9ZZ9")));
    assert!(matches!(good, Decision::Accept(Accepted { reused: true, .. })), "{good:?}");
    let refused = |claims| refused("current_account", put(claims));
    assert_eq!(refused(kyc("2026-11-22", "9ZZ9ZZ9")), [Reason::KycRefreshDue]);
    assert_eq!(refused(kyc("2027-01-01", "9ZZ9ZZ8")), [Reason::KycOtherPerson]);
    let mut changed = kyc("2026-11-22", "9ZZ9ZZ9");
    changed["refresh_due"] = json!("soon");
    assert_eq!(refused(changed), [Reason::KycMalformed]);
}

#[test]
fn only_owners_at_or_above_the_threshold_are_named() {
    let products = Products::sample();
    let product = products.get("company_account").expect("a sample product");
    let mut facts = Facts::default();
    facts.add(COMPANY, company());
    assert_eq!(owners(product, &facts).expect("stated").len(), 1);
    let wider = Product { owner_share_min_basis_points: Some(2_499), ..product.clone() };
    assert_eq!(owners(&wider, &facts).expect("stated").len(), 2);
}

#[test]
fn facts_show_no_value_in_debug() {
    let mut facts = Facts::default();
    facts.add(PID, pid());
    assert!(!format!("{facts:?}").contains("9ZZ9ZZ9"));
}
