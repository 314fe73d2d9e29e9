use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::sd_jwt::ClaimPath;

fn path(json: &serde_json::Value) -> ClaimPath {
    ClaimPath::from_json(json).expect("a path")
}

fn complete(texts: &Texts) -> bool {
    Language::ALL.into_iter().all(|language| !texts.in_language(language).trim().is_empty())
}

#[test]
fn every_type_has_its_name_its_labels_in_three_languages_and_no_path_twice() {
    for known in credential_types() {
        assert_eq!(known.vct, format!("urn:az:{}:1", known.name));
        assert!(complete(&known.title), "{}", known.vct);
        assert!(complete(&known.description), "{}", known.vct);
        assert!(complete(&known.issuer_name), "{}", known.vct);
        let mut paths = BTreeSet::new();
        for claim in &known.claims {
            assert!(complete(&claim.labels), "{} {}", known.vct, claim.path);
            assert!(paths.insert(claim.path.clone()), "{} {}", known.vct, claim.path);
        }
        let nested = known.claims.iter().filter(|claim| claim.path.steps().len() > 1);
        for claim in nested {
            let top = ClaimPath::from_steps(claim.path.steps()[..1].to_vec()).expect("one step");
            assert!(known.claim(&top).is_some(), "{} {}", known.vct, claim.path);
            assert_eq!(claim.disclosure, Disclosure::Never, "{} {}", known.vct, claim.path);
        }
    }
}

#[test]
fn every_agency_of_the_table_issues_and_banks_issue_kyc_only() {
    for member in 12..=26 {
        assert!(issued_by(MemberId(member)).count() >= 1, "member {member}");
    }
    for member in BANKS {
        let types: Vec<_> = issued_by(MemberId(member)).map(|known| known.name).collect();
        assert_eq!(types, ["kyc"]);
    }
    assert_eq!(issued_by(MemberId(1)).count(), 0);
    assert_eq!(issued_by(MemberId(27)).count(), 0);
    let of_the_registrar: Vec<_> = issued_by(MemberId(12)).map(|known| known.name).collect();
    assert_eq!(of_the_registrar, ["pid", "pairwise"]);
}

#[test]
fn every_category_has_a_claim_and_its_own_bit() {
    let used: Scope = credential_types()
        .iter()
        .flat_map(|known| &known.claims)
        .map(|claim| claim.category)
        .collect();
    assert_eq!(used.0, (1 << Category::ALL.len()) - 1);
    for (at, category) in Category::ALL.iter().enumerate() {
        assert_eq!(usize::try_from(category.bit()), Ok(at));
        assert_eq!(Category::from_code(category.code()), Some(*category));
    }
}

#[test]
fn every_purpose_is_whole_and_names_only_known_types_whose_data_it_may_use() {
    for (at, purpose) in purposes().iter().enumerate() {
        assert_eq!(usize::from(purpose.code.0), at + 1);
        for texts in [&purpose.title, &purpose.text, &purpose.lawful_basis, &purpose.retention.text]
        {
            assert!(complete(texts), "{}", purpose.name);
        }
        assert!(purpose.duration_days_max > 0);
        for vct in &purpose.credential_types {
            let known = credential_type(vct).expect("a known type");
            let shown = known.scope_always_shown();
            assert!(shown.is_within(purpose.scope), "{} {vct}", purpose.name);
            let usable = known.claims.iter().any(|claim| purpose.scope.contains(claim.category));
            assert!(usable, "{} {vct}", purpose.name);
        }
    }
}

#[test]
fn due_diligence_is_kept_five_years_and_an_alias_not_at_all() {
    let years = |code| purpose(code).expect("a purpose").retention.years;
    assert_eq!(years(PurposeCode::ACCOUNT_OPENING), 5);
    assert_eq!(years(PurposeCode::KYC_REFRESH), 5);
    assert_eq!(years(PurposeCode::PAYMENT_ALIAS), 0);
}

// Golden: a consent on the ledger points at these documents. A changed text is a new purpose.
#[test]
fn the_purposes_masks_and_digests_are_those_registered() {
    let registered: Vec<_> = purposes()
        .iter()
        .map(|purpose| format!("{} {:#x} {}", purpose.code.0, purpose.scope.0, purpose.digest()))
        .collect();
    let golden = include_str!("../../tests/golden/purposes.txt");
    assert_eq!(registered.join("\n"), golden.trim_end());
}

#[test]
fn asking_for_an_object_asks_for_every_category_in_it() {
    let company = credential_type("urn:az:company:1").unwrap();
    let scope = |json: serde_json::Value| company.scope_of(&path(&json));
    assert_eq!(scope(json!(["beneficial_owners"])), Some(Scope::EMPTY.with(Category::Ownership)));
    assert_eq!(
        scope(json!(["beneficial_owners", 0, "person", "birthdate"])),
        Some(Scope::EMPTY.with(Category::Ownership))
    );
    assert_eq!(scope(json!(["shoe_size"])), None);
    let pid = credential_type("urn:az:pid:1").unwrap();
    assert_eq!(pid.scope_always_shown(), Scope::EMPTY.with(Category::Assurance));
    assert!(pid.disclosable().any(|name| name == "birthdate"));
    assert!(pid.disclosable().all(|name| name != "assurance_level" && name != "region"));
    assert!(pid.integrity().starts_with("sha256-"));
}

#[test]
fn a_language_is_found_by_its_tag_with_or_without_a_region() {
    assert_eq!(Language::from_tag("en-US"), Some(Language::En));
    assert_eq!(Language::from_tag("AZ"), Some(Language::Az));
    assert_eq!(Language::from_tag("de"), None);
}
