//! The messages between members and holders: what is read, what is refused, what is shown.

use etibar_credential::{
    catalogue::Language,
    level::{Method, Methods},
};
use etibar_openid::{
    Private, Secret,
    member::{
        CLAIMS_MAX, ChangeNotice, DataCopy, DataRequest, Enrolment, HolderAction, HolderEnvelope,
        HolderRequest, Message, MessageError, ProofingEvidence, Recovery, RecoveryMeans,
        RegisterChange, body_nonce, parse, render,
    },
};
use etibar_primitives::{BlockTime, Digest, OperationId};
use serde_json::{Value, json};

fn data_request() -> DataRequest {
    DataRequest {
        id: OperationId(1),
        rel: Digest([2; 32]),
        vct: "urn:az:pid:1".to_owned(),
        claims: vec!["address.city".to_owned()],
        purpose: 1,
        notice: None,
    }
}

fn enrolment() -> Enrolment {
    Enrolment {
        id: OperationId(3),
        fin: Private("1ABCDE2".to_owned()),
        document_number: Private("AA0000000".to_owned()),
        proofing: ProofingEvidence {
            methods: Methods::of(&[Method::Video]),
            provider: "sample".to_owned(),
            evidence: Private("seen".to_owned()),
        },
        language: Language::Az,
        guardians: Vec::new(),
    }
}

/// Renders, reads, and expects the same.
fn round<T: Message + PartialEq + std::fmt::Debug>(message: &T) -> Value {
    let bytes = render(message).expect("within its limits");
    assert_eq!(parse::<T>(&bytes).as_ref(), Ok(message));
    serde_json::from_slice(&bytes).expect("JSON")
}

#[test]
fn messages_are_read_as_they_were_written() {
    round(&data_request());
    let written = round(&enrolment());
    assert_eq!(written["proofing"]["methods"], json!(["video"]));
    let request = |request| HolderRequest {
        id: OperationId(4),
        audience: "https://bank.example".to_owned(),
        made_at: BlockTime(5),
        request,
    };
    let rel = Digest([6; 32]);
    let written = round(&request(HolderAction::Revoke { rel }));
    assert_eq!(written["request"], json!({ "action": "revoke", "rel": rel.to_string() }));
    round(&request(HolderAction::Accesses { rel: None, after: 0 }));
    round(&request(HolderAction::Data {}));
    round(&request(HolderAction::Erase { rel }));
    let means = RecoveryMeans::Guardians {};
    round(&Recovery {
        id: OperationId(7),
        fin: Private("1ABCDE2".to_owned()),
        document_number: Private("AA0000000".to_owned()),
        by: means,
        language: Language::Ru,
    });
}

#[test]
fn an_unknown_field_is_refused_at_every_level() {
    let refused = |written: &Value, pointer: &str| {
        let mut written = written.clone();
        written.pointer_mut(pointer).expect("an object")["surprise"] = json!(1);
        written.to_string()
    };
    let written = serde_json::to_value(data_request()).expect("JSON");
    let text = refused(&written, "");
    assert_eq!(parse::<DataRequest>(text.as_bytes()), Err(MessageError::Malformed));
    let written = serde_json::to_value(enrolment()).expect("JSON");
    for pointer in ["", "/proofing"] {
        let text = refused(&written, pointer);
        assert_eq!(parse::<Enrolment>(text.as_bytes()), Err(MessageError::Malformed));
    }
    for action in [json!({ "action": "data" }), json!({ "action": "accesses", "after": 1 })] {
        let body = json!({
            "id": OperationId(1), "audience": "a", "made_at": 1, "request": action,
        });
        assert!(parse::<HolderRequest>(body.to_string().as_bytes()).is_ok());
        let text = refused(&body, "/request");
        assert_eq!(parse::<HolderRequest>(text.as_bytes()), Err(MessageError::Malformed));
    }
}

#[test]
fn limits_hold_at_their_values_and_one_past_them() {
    let with = |count: usize| DataRequest {
        claims: vec!["family_name".to_owned(); count],
        ..data_request()
    };
    assert_eq!(with(CLAIMS_MAX).check(), Ok(()));
    assert_eq!(with(CLAIMS_MAX + 1).check(), Err(MessageError::FieldLimit));
    assert_eq!(with(0).check(), Err(MessageError::FieldLimit));
    let mut bytes = render(&ChangeNotice {
        id: OperationId(1),
        rel: Digest([1; 32]),
        changed_at: BlockTime(1),
    })
    .expect("within its limits");
    bytes.resize(ChangeNotice::BYTES_MAX, b' ');
    assert!(parse::<ChangeNotice>(&bytes).is_ok());
    bytes.push(b' ');
    assert_eq!(parse::<ChangeNotice>(&bytes), Err(MessageError::TooLarge));
    let two = vec![Private("1ABCDE2".to_owned()); 2];
    assert_eq!(Enrolment { guardians: two, ..enrolment() }.check(), Err(MessageError::FieldLimit));
    let unseen = ProofingEvidence { methods: Methods::NONE, ..enrolment().proofing };
    assert_eq!(
        Enrolment { proofing: unseen, ..enrolment() }.check(),
        Err(MessageError::FieldLimit)
    );
}

#[test]
fn a_message_outside_its_limits_is_refused_before_it_is_sent() {
    let unseen = ProofingEvidence { methods: Methods::NONE, ..enrolment().proofing };
    let nobody = Enrolment { proofing: unseen, ..enrolment() };
    assert_eq!(render(&nobody), Err(MessageError::FieldLimit));
    let long = Enrolment { document_number: Private("A".repeat(33)), ..enrolment() };
    assert_eq!(render(&long), Err(MessageError::FieldLimit));
    let huge = serde_json::Map::from_iter([("a".to_owned(), json!("x".repeat(4 * 1024 * 1024)))]);
    let copy = DataCopy { made_at: BlockTime(1), data: Private(huge) };
    assert_eq!(render(&copy), Err(MessageError::TooLarge));
}

#[test]
fn a_message_that_grows_when_it_is_written_again_is_refused_not_asserted() {
    // `1e15` is four bytes to read and eighteen to write.
    let numbers = vec!["1e15"; 10_000].join(",");
    let text = format!(
        r#"{{"id":"{}","subject":"1ABCDE2","vct":"urn:az:pid:1","reason":"r",
            "changes":{{"a":[{numbers}]}}}}"#,
        OperationId(9)
    );
    let change: RegisterChange = parse(text.as_bytes()).expect("within its limits");
    assert_eq!(render(&change), Err(MessageError::TooLarge));
}

#[test]
fn a_malformed_personal_number_has_its_own_code_and_is_not_repeated() {
    let wrong = Enrolment { fin: Private("1ABCDO2".to_owned()), ..enrolment() };
    let error = wrong.check().unwrap_err();
    assert_eq!(error.code(), "message_fin_malformed");
    assert!(!error.to_string().contains("1ABCDO2"));
}

#[test]
fn a_holders_presentation_is_bound_to_the_very_bytes_of_the_body() {
    let request = HolderRequest {
        id: OperationId(4),
        audience: "https://bank.example".to_owned(),
        made_at: BlockTime(5),
        request: HolderAction::Data {},
    };
    let body = String::from_utf8(render(&request).expect("within its limits")).expect("JSON");
    let envelope =
        HolderEnvelope { body: Private(body.clone()), presentation: Private("a~b~c".to_owned()) };
    assert_eq!(envelope.open::<HolderRequest>(), Ok(request));
    assert_eq!(envelope.nonce(), body_nonce(body.as_bytes()));
    let spaced = HolderEnvelope { body: Private(format!("{body} ")), ..envelope.clone() };
    assert_ne!(spaced.nonce(), envelope.nonce());
    // SHA-256 of nothing, as in FIPS 180-4's examples.
    assert_eq!(body_nonce(b""), "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
}

#[test]
fn debug_output_shows_no_person_and_no_secret() {
    let shown = format!("{:?} {:?}", enrolment(), Secret([0xab; 32]));
    for hidden in ["1ABCDE2", "AA0000000", "seen", "abab"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}
