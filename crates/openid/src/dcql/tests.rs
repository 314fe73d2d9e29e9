use serde_json::json;

use super::*;

const PID: &str = "urn:az:pid:1";

fn pid() -> Value {
    json!({
        "family_name": "Sample",
        "address": { "city": "Bakı", "street": "Sample" },
        "nationality": ["AZ", "TR"],
        "representatives": [{ "person": "a", "powers": ["sign"] }, { "person": "b" }],
    })
}

fn query(value: Value) -> Query {
    serde_json::from_value(value).expect("a query")
}

fn paths(list: &[&str]) -> Vec<ClaimPath> {
    list.iter().map(|path| dotted(path)).collect()
}

fn evaluate(query: &Query, claims: &Value) -> Evaluation {
    assert_eq!(query.check(), Ok(()));
    query.evaluate(&[Candidate { vct: PID, claims }])
}

#[test]
fn a_query_is_written_as_the_standard_writes_it() {
    let written = json!({
        "credentials": [{
            "id": "pid", "format": "dc+sd-jwt", "meta": { "vct_values": [PID] },
            "claims": [
                { "path": ["address", "city"] },
                { "path": ["representatives", null, "person"] },
                { "path": ["nationality", 1], "values": ["AZ"] }
            ]
        }],
        "credential_sets": [{ "options": [["pid"]], "required": false }]
    });
    assert_eq!(serde_json::to_value(query(written.clone())).expect("JSON"), written);
}

#[test]
fn paths_select_members_elements_and_all_elements() {
    let claims = pid();
    let all: ClaimPath =
        serde_json::from_value(json!(["representatives", null, "person"])).unwrap();
    assert_eq!(all.select(&claims), [&json!("a"), &json!("b")]);
    let second: ClaimPath = serde_json::from_value(json!(["nationality", 1])).unwrap();
    assert_eq!(second.select(&claims), [&json!("TR")]);
    for absent in [json!(["nationality", 2]), json!(["nationality", "x"]), json!(["address", null])]
    {
        let path: ClaimPath = serde_json::from_value(absent).unwrap();
        assert!(path.select(&claims).is_empty());
    }
}

#[test]
fn a_matching_credential_discloses_what_was_asked_and_no_more() {
    let query = Query {
        credentials: vec![CredentialQuery::new(
            "pid",
            PID,
            paths(&["family_name", "address.city"]),
        )],
        credential_sets: None,
    };
    let found = evaluate(&query, &pid());
    assert_eq!(found.answer, Some(vec!["pid".to_owned()]));
    assert_eq!(found.credentials[0].matches[0].disclose, paths(&["family_name", "address.city"]));
}

#[test]
fn a_missing_claim_is_named_and_leaves_no_answer() {
    let query = Query {
        credentials: vec![CredentialQuery::new("pid", PID, paths(&["family_name", "birthdate"]))],
        credential_sets: None,
    };
    let found = evaluate(&query, &pid());
    assert_eq!(found.answer, None);
    assert_eq!(found.credentials[0].missing, paths(&["birthdate"]));
}

#[test]
fn a_value_that_is_not_among_those_asked_for_does_not_answer() {
    let ask = |values: Value| {
        query(json!({ "credentials": [{
            "id": "pid", "format": "dc+sd-jwt", "meta": { "vct_values": [PID] },
            "claims": [{ "path": ["nationality", null], "values": values }]
        }]}))
    };
    assert!(evaluate(&ask(json!(["GE", "TR"])), &pid()).answer.is_some());
    assert!(evaluate(&ask(json!(["GE"])), &pid()).answer.is_none());
}

#[test]
fn the_first_claim_set_that_can_be_answered_is_taken() {
    let query = query(json!({ "credentials": [{
        "id": "pid", "format": "dc+sd-jwt", "meta": { "vct_values": [PID] },
        "claims": [
            { "id": "age", "path": ["age_over_18"] },
            { "id": "name", "path": ["family_name"] },
            { "id": "city", "path": ["address", "city"] }
        ],
        "claim_sets": [["age"], ["name"], ["city"]]
    }]}));
    assert_eq!(
        evaluate(&query, &pid()).credentials[0].matches[0].disclose,
        paths(&["family_name"])
    );
}

#[test]
fn an_optional_set_may_stay_unanswered_and_a_required_one_may_not() {
    let ask = |required: bool| {
        query(json!({
            "credentials": [
                { "id": "a", "format": "dc+sd-jwt", "meta": { "vct_values": [PID] } },
                { "id": "b", "format": "dc+sd-jwt", "meta": { "vct_values": ["urn:az:kyc:1"] } }
            ],
            "credential_sets": [
                { "options": [["b", "a"], ["a"]] },
                { "options": [["b"]], "required": required }
            ]
        }))
    };
    assert_eq!(evaluate(&ask(false), &pid()).answer, Some(vec!["a".to_owned()]));
    assert_eq!(evaluate(&ask(true), &pid()).answer, None);
}

#[test]
fn each_broken_rule_of_a_query_has_its_own_code() {
    let base = json!({ "credentials": [{
        "id": "pid", "format": "dc+sd-jwt", "meta": { "vct_values": [PID] },
        "claims": [{ "id": "x", "path": ["family_name"] }]
    }]});
    let broken = |pointer: &str, value: Value| {
        let mut changed = base.clone();
        *changed.pointer_mut(pointer).expect("a place in the query") = value;
        query(changed).check().expect_err("a broken rule").code()
    };
    assert_eq!(query(base.clone()).check(), Ok(()));
    assert_eq!(broken("/credentials", json!([])), "dcql_limit");
    assert_eq!(broken("/credentials/0/claims", json!([])), "dcql_limit");
    assert_eq!(broken("/credentials/0/claims/0/path", json!(vec!["a"; 9])), "dcql_limit");
    assert_eq!(broken("/credentials/0/id", json!("a b")), "dcql_identifier");
    assert_eq!(broken("/credentials/0/format", json!("mso_mdoc")), "dcql_format_unsupported");
    let mut unbound = base.clone();
    unbound["credentials"][0]["require_cryptographic_holder_binding"] = json!(false);
    assert_eq!(query(unbound).check(), Err(QueryError::HolderBinding));
    let mut unknown = base.clone();
    unknown["credentials"][0]["claim_sets"] = json!([["y"]]);
    assert_eq!(query(unknown).check(), Err(QueryError::Identifier));
    let mut sets = base.clone();
    sets["credential_sets"] = json!([{ "options": [["other"]] }]);
    assert_eq!(query(sets).check(), Err(QueryError::Identifier));
}

#[test]
fn the_limits_hold_at_their_values_and_one_past_them() {
    let ask = |count: usize| Query {
        credentials: (0..count).map(|n| CredentialQuery::new(&n.to_string(), PID, [])).collect(),
        credential_sets: None,
    };
    assert_eq!(ask(CREDENTIALS_MAX).check(), Ok(()));
    assert_eq!(ask(CREDENTIALS_MAX + 1).check(), Err(QueryError::Limit));
}
