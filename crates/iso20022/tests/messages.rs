//! Typed messages: what is built is valid, and what is read is what was built.

use std::path::Path;

use etibar_iso20022::{
    Account, Agent, Bic, ChargeBearer, CreditTransfer, CreditTransferVersion, Date, Envelope,
    GroupReport, Header, Iban, Message, Money, OriginalMessage, ParseError, Payment, PaymentReport,
    PaymentRequest, Personal, Priority, ProxyKind, Reason, ReasonCode, Rule, SettlementMethod,
    Status, StatusReport, StatusReportVersion, StatusRequest, Text, check_credit_transfer, parse,
    validate,
};
use etibar_primitives::{Amount, BlockTime, Currency, OperationId};
use proptest::prelude::*;

#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/reference.rs"]
mod reference;

fn text<const MAX: usize>(value: &str) -> Text<MAX> {
    Text::new(value).expect("test data fits its field")
}

fn personal<const MAX: usize>(value: &str) -> Personal<MAX> {
    Personal::new(value).expect("test data fits its field")
}

fn agent(bic: &str) -> Agent {
    Agent::of(Bic::new(bic).expect("test data is a BIC"))
}

fn iban(number: &str) -> Account {
    Account::of(Iban::new(number).expect("test data is an IBAN"))
}

fn qepik(count: u64) -> Money {
    Money::azn(Amount::new(count).expect("test data is an amount"))
}

/// A version 4 UUID with `low` in its last 60 bits.
fn uetr(low: u64) -> OperationId {
    let low = u128::from(low >> 4);
    OperationId(0x8a56_2c67_ca16_48ba_8000_0000_0000_0000 | low)
}

fn payment(number: u64, amount: u64) -> Payment {
    Payment {
        instruction_id: Some(text("INSTR-1")),
        end_to_end_id: text(&format!("E2E-{number}")),
        transaction_id: Some(text(&format!("TX-{number}"))),
        uetr: Some(uetr(number << 4)),
        amount: qepik(amount),
        settlement_date: Some(Date::parse("2026-11-22").expect("test data is a day")),
        priority: Some(Priority::High),
        accepted_at: Some(BlockTime(1_795_000_000_123)),
        service_level: None,
        local_instrument: Some(text("INST")),
        category_purpose: Some(text("CASH")),
        purpose: Some(text("GDDS")),
        charge_bearer: ChargeBearer::ServiceLevel,
        instructing_agent: Some(agent("NABZAZ2C")),
        instructed_agent: Some(agent("IBAZAZ2X")),
        debtor_name: Some(personal("Synthetic Debtor & Co <Ə>")),
        debtor_account: Some(iban("AZ21NABZ00000000137010001944")),
        debtor_agent: agent("NABZAZ2C"),
        creditor_agent: agent("IBAZAZ2X"),
        creditor_name: Some(personal("Synthetic Creditor")),
        creditor_account: Some(iban("AZ21NABZ00000000137010001944")),
        remittance: vec![personal("line 1\r\nwith a break"), personal("line 2")],
    }
}

fn transfer(version: CreditTransferVersion, payments: Vec<Payment>) -> CreditTransfer {
    CreditTransfer {
        version,
        message_id: text("MSG-1"),
        created: BlockTime(1_795_000_000_000),
        declared_count: u64::try_from(payments.len()).expect("a test builds few payments"),
        control_sum: None,
        total: None,
        settlement_date: None,
        settlement_method: SettlementMethod::Clearing,
        clearing_system: Some(text("IPS")),
        instructing_agent: Some(agent("NABZAZ2C")),
        instructed_agent: None,
        payments,
    }
}

fn header(message_name: &str) -> Header {
    Header {
        from: agent("NABZAZ2C"),
        to: agent("IBAZAZ2X"),
        business_message_id: text("BIZ-1"),
        message_name: text(message_name),
        business_service: Some(text("etibar.1")),
        created: BlockTime(1_795_000_000_000),
        possible_duplicate: true,
    }
}

fn original() -> OriginalMessage {
    OriginalMessage {
        message_id: text("MSG-1"),
        message_name: text("pacs.008.001.08"),
        created: Some(BlockTime(1_795_000_000_000)),
    }
}

fn report(version: StatusReportVersion) -> StatusReport {
    let rejected = PaymentReport {
        status_id: Some(text("STATUS-1")),
        original: Some(original()),
        instruction_id: Some(text("INSTR-1")),
        end_to_end_id: Some(text("E2E-1")),
        transaction_id: Some(text("TX-1")),
        uetr: Some(uetr(1 << 4)),
        status: Some(Status::Rejected),
        reasons: vec![Reason { code: Some(ReasonCode::AM04), notes: vec![personal("a note")] }],
        accepted_at: Some(BlockTime(1_795_000_000_123)),
    };
    let settled = PaymentReport {
        uetr: Some(uetr(2 << 4)),
        status: Some(Status::SettlementCompleted),
        ..PaymentReport::default()
    };
    StatusReport {
        version,
        message_id: text("RPT-1"),
        created: BlockTime(1_795_000_001_000),
        instructing_agent: Some(agent("IBAZAZ2X")),
        instructed_agent: Some(agent("NABZAZ2C")),
        groups: vec![GroupReport {
            original: original(),
            status: Some(Status::Other(text("PART"))),
            reasons: vec![ReasonCode::AM18.into()],
        }],
        payments: vec![rejected, settled],
    }
}

fn request() -> StatusRequest {
    StatusRequest {
        message_id: text("REQ-1"),
        created: BlockTime(1_795_000_002_000),
        instructing_agent: Some(agent("NABZAZ2C")),
        instructed_agent: None,
        messages: vec![original()],
        payments: vec![PaymentRequest {
            request_id: Some(text("ASK-1")),
            original: Some(original()),
            uetr: Some(uetr(3 << 4)),
            ..PaymentRequest::default()
        }],
    }
}

/// Holds what was rendered against our validator, xmllint where it is installed, and the reader.
fn check_round_trip(rendered: &str, expected: &Message) {
    let report = validate(rendered.as_bytes());
    assert!(report.is_valid(), "{:#?}\n{rendered}", report.lines("rendered"));
    if let Some(folder) = reference::folder() {
        reference::assert_agreement(&folder, "rendered", rendered, &report);
    }
    let read = parse(rendered.as_bytes()).expect("what is rendered is read");
    assert_eq!(&read.message, expected);
}

const TRANSFER_VERSIONS: [CreditTransferVersion; 3] =
    [CreditTransferVersion::V08, CreditTransferVersion::V10, CreditTransferVersion::V12];

#[test]
fn every_rendered_message_is_valid_and_read_back_as_it_was() {
    for version in TRANSFER_VERSIONS {
        let mut built = transfer(version, vec![payment(1, 4_000_000), payment(2, 7)]);
        built.total = Some(qepik(4_000_007));
        built.control_sum = Some("40000.07".to_owned());
        built.payments[1].creditor_account =
            Some(Account::behind(ProxyKind::Phone, personal("+994-500000000")));
        check_round_trip(&built.render(), &Message::CreditTransfer(built.clone()));
        assert_eq!(check_credit_transfer(&built), []);
    }
    for version in [StatusReportVersion::V10, StatusReportVersion::V12] {
        let built = report(version);
        check_round_trip(&built.render(), &Message::StatusReport(built.clone()));
    }
    check_round_trip(&request().render(), &Message::StatusRequest(request()));
}

#[test]
fn an_answer_names_its_original_and_goes_back_the_way_it_came() {
    let mut original = transfer(CreditTransferVersion::V10, vec![payment(1, 100), payment(2, 0)]);
    original.instructed_agent = Some(agent("IBAZAZ2X"));
    let mut answer = StatusReport::answering(&original, text("RPT-1"), BlockTime(5));
    answer.payments = original.payments.iter().map(PaymentReport::of).collect();
    for finding in check_credit_transfer(&original) {
        let refused = finding.payment.expect("a zero amount is the payment's own fault");
        answer.payments[refused].status = Some(Status::Rejected);
        answer.payments[refused].reasons.push(finding.rule.reason().into());
    }
    check_round_trip(&answer.render(), &Message::StatusReport(answer.clone()));
    assert_eq!(answer.instructing_agent, original.instructed_agent);
    assert_eq!(answer.groups[0].original.message_name.as_str(), "pacs.008.001.10");
    assert_eq!(answer.payments[0].status, None);
    assert_eq!(answer.payments[1].uetr, original.payments[1].uetr);
    assert_eq!(answer.payments[1].reasons, [Reason::from(ReasonCode::AM01)]);
}

#[test]
fn a_header_travels_with_its_document_and_must_announce_it() {
    let built = request();
    let header = header("pacs.028.001.03");
    let file = header.render_with(&built.render());
    let expected =
        Envelope { header: Some(header.clone()), message: Message::StatusRequest(built) };
    assert!(validate(file.as_bytes()).is_valid());
    assert_eq!(parse(file.as_bytes()), Ok(expected));

    let wrong = Header { message_name: text("pacs.008.001.08"), ..header.clone() };
    let file = wrong.render_with(&request().render());
    let error = parse(file.as_bytes()).expect_err("the header announces another message");
    assert_eq!(error, ParseError::HeaderMismatch { name: "pacs.028.001.03".to_owned() });
    assert_eq!(parse(header.render().as_bytes()), Err(ParseError::Parts));
}

/// Changes a good message by `change` and names the one finding expected.
fn check_finding(change: impl FnOnce(&mut CreditTransfer), expected: Option<usize>, rule: Rule) {
    let mut message = transfer(CreditTransferVersion::V08, vec![payment(1, 100), payment(2, 200)]);
    assert_eq!(check_credit_transfer(&message), []);
    change(&mut message);
    let findings = check_credit_transfer(&message);
    assert_eq!(findings.len(), 1, "{rule:?}: {findings:?}");
    assert_eq!((findings[0].payment, findings[0].rule), (expected, rule));
}

#[test]
fn rules_beyond_the_schema_name_the_payment_and_the_reason() {
    let usd = Currency::new(*b"USD").expect("three capital letters");
    let wrong = || Some(iban("AZ22NABZ00000000137010001944"));
    check_finding(|m| m.declared_count = 3, None, Rule::Count);
    check_finding(|m| m.control_sum = Some("3.01".to_owned()), None, Rule::ControlSum);
    check_finding(|m| m.control_sum = Some("3.001".to_owned()), None, Rule::ControlSum);
    check_finding(|m| m.total = Some(qepik(299)), None, Rule::Total);
    check_finding(|m| m.payments[1].uetr = None, Some(1), Rule::UetrMissing);
    check_finding(|m| m.payments[1].uetr = m.payments[0].uetr, Some(1), Rule::UetrTwice);
    check_finding(|m| m.payments[0].amount = qepik(0), Some(0), Rule::ZeroAmount);
    check_finding(
        |m| m.payments[0].amount = Money::new(Amount::new(100).expect("small"), usd),
        Some(0),
        Rule::Currency,
    );
    check_finding(|m| m.payments[0].debtor_account = wrong(), Some(0), Rule::DebtorAccount);
    check_finding(|m| m.payments[0].debtor_account = None, Some(0), Rule::DebtorAccount);
    check_finding(|m| m.payments[1].creditor_account = wrong(), Some(1), Rule::CreditorAccount);
    check_finding(|m| m.payments[1].debtor_agent = Agent::default(), Some(1), Rule::DebtorAgent);
    check_finding(
        |m| m.payments[1].creditor_agent = Agent::default(),
        Some(1),
        Rule::CreditorAgent,
    );
    assert_eq!(Rule::Count.reason(), ReasonCode::AM18);
    assert_eq!(Rule::UetrTwice.reason(), ReasonCode::DUPL);
}

/// Compares with a file of `tests/golden`; `ETIBAR_GOLDEN=write` makes the files anew, which is a
/// decision: banks already hold messages of the old form.
fn check_golden(name: &str, rendered: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("ETIBAR_GOLDEN").is_some_and(|order| order == "write") {
        std::fs::write(&path, rendered).expect("the golden file is written");
    }
    let golden = std::fs::read_to_string(&path).expect("the golden file exists");
    assert_eq!(rendered, golden, "{name}");
}

#[test]
fn rendered_messages_keep_their_bytes() {
    for version in TRANSFER_VERSIONS {
        let mut built = transfer(version, vec![payment(1, 4_000_000)]);
        built.payments[0].creditor_account =
            Some(Account::behind(ProxyKind::Fin, personal("1AB2C3D")));
        check_golden(&format!("{}.xml", version.as_str()), &built.render());
    }
    check_golden("pacs.002.001.10.xml", &report(StatusReportVersion::V10).render());
    let header = header(StatusRequest::NAME);
    check_golden("head.001.001.02.xml", &header.render());
    check_golden("pacs.028.001.03.xml", &header.render_with(&request().render()));
}

#[test]
fn nothing_personal_shows_in_debug_output_or_errors() {
    let built = transfer(CreditTransferVersion::V08, vec![payment(1, 100)]);
    let shown = format!("{built:?}");
    for secret in ["Synthetic", "NABZ0000", "line 1"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    let broken = built.render().replace("Synthetic Creditor", &"Synthetic ".repeat(20));
    let error = parse(broken.as_bytes()).expect_err("the name is too long");
    assert!(!format!("{error} {error:?}").contains("Synthetic"), "{error:?}");
}

#[test]
fn a_sum_is_read_exactly_or_not_at_all() {
    let read = |decimal: &str| {
        let rendered = transfer(CreditTransferVersion::V08, vec![payment(1, 123)]).render();
        let changed = rendered.replace(">1.23<", &format!(">{decimal}<"));
        let envelope = parse(changed.as_bytes()).expect("the schema allows the decimal");
        let Message::CreditTransfer(read) = envelope.message else { panic!("a credit transfer") };
        let findings = check_credit_transfer(&read);
        (read.payments[0].amount.amount().map(Amount::minor_units).ok(), findings.len())
    };
    assert_eq!(read("1.23"), (Some(123), 0));
    assert_eq!(read(" +1.2300 "), (Some(123), 0));
    assert_eq!(read("90071992547409.91"), (Some((1 << 53) - 1), 0));
    assert_eq!(read("90071992547409.92"), (None, 1));
    assert_eq!(read("1.005"), (None, 1));
    assert_eq!(read("0.00"), (Some(0), 1));
}

/// Texts of 1 to `MAX` characters, those that XML must escape among them.
fn any_text(max: usize) -> impl Strategy<Value = String> {
    let character = prop_oneof![
        3 => proptest::char::range('a', 'z'),
        1 => proptest::sample::select("&<>\"']\r\n\t ə".chars().collect::<Vec<_>>()),
        1 => any::<char>().prop_map(|c| {
            let carried = !c.is_control() && !matches!(c, '\u{FFFE}' | '\u{FFFF}');
            if carried { c } else { 'ə' }
        }),
    ];
    proptest::collection::vec(character, 1..=max).prop_map(String::from_iter)
}

prop_compose! {
    fn any_payment()(
        number in 0..1_000_000_000_u64,
        amount in 0..=Amount::MAX.minor_units(),
        end_to_end_id in any_text(35),
        instrument in any_text(35),
        name in proptest::option::of(any_text(140)),
        alias in any_text(2048),
        remittance in proptest::collection::vec(any_text(140), 0..3),
        accepted_at in 0..253_402_300_800_000_u64,
        has_uetr in any::<bool>(),
    ) -> Payment {
        Payment {
            end_to_end_id: text(&end_to_end_id),
            uetr: has_uetr.then(|| uetr(number << 4)),
            local_instrument: Some(text(&instrument)),
            purpose: Some(text(&instrument)),
            accepted_at: Some(BlockTime(accepted_at)),
            creditor_name: name.as_deref().map(personal),
            creditor_account: Some(Account::behind(ProxyKind::Email, personal(&alias))),
            remittance: remittance.iter().map(|line| personal(line)).collect(),
            ..payment(number, amount)
        }
    }
}

/// 64, or what `PROPTEST_CASES` says.
fn cases() -> u32 {
    let given = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    given.unwrap_or(64)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn any_credit_transfer_is_rendered_valid_and_read_back(
        payments in proptest::collection::vec(any_payment(), 1..4),
        version in proptest::sample::select(TRANSFER_VERSIONS.to_vec()),
        message_id in any_text(35),
    ) {
        let mut built = transfer(version, payments);
        built.message_id = text(&message_id);
        let rendered = built.render();
        let read = parse(rendered.as_bytes()).map(|envelope| envelope.message);
        prop_assert_eq!(read, Ok(Message::CreditTransfer(built)), "{}", rendered);
    }

    #[test]
    fn any_bytes_are_judged_without_a_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        prop_assert!(!validate(&bytes).is_valid());
    }

    #[test]
    fn a_message_torn_anywhere_or_with_a_changed_byte_is_judged_without_a_panic(
        at in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = report(StatusReportVersion::V10).render().into_bytes();
        let at = at.index(bytes.len() - 20);
        prop_assert!(!validate(&bytes[..at]).is_valid());
        bytes[at] = byte;
        let judged = parse(&bytes).is_ok();
        prop_assert!(!judged || validate(&bytes).is_valid());
    }
}
