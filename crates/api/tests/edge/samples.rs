//! A message of another network's public samples: as it comes it is refused with the reason, made
//! fit for this network it pays. Skipped aloud where the samples are not beside the checkout.

use std::path::PathBuf;

use super::{Doors, StatusCode, XML, assert_problem};
use crate::network::{ALFA, BETA, bic, customer};

const SAMPLE: &str = "samples/joaoabuenosi__fednow-oss/core/tests/fixtures/pacs008_valid.xml";

/// The sample, or `None` after saying that it is not there.
fn sample() -> Option<String> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/iso20022");
    let folder = std::env::var_os("ETIBAR_ISO20022").map_or(PathBuf::from(beside), PathBuf::from);
    let text = std::fs::read_to_string(folder.join(SAMPLE)).ok();
    if text.is_none() {
        eprintln!("SKIPPED: no ISO 20022 folder (ETIBAR_ISO20022)");
    }
    text
}

/// Puts `new(inner)` in the place of every element `name` with its content.
fn replace(text: &str, name: &str, new: impl Fn(&str) -> String) -> String {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut parts = text.split(open.as_str());
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (inner, rest) = part.split_once(close.as_str()).expect("elements are closed");
        out.push_str(&new(inner));
        out.push_str(rest);
    }
    out
}

fn with_our_agents(text: &str) -> String {
    replace(text, "ClrSysMmbId", |inner| {
        let member = if inner.contains("021040078") { ALFA } else { BETA };
        format!("<BICFI>{}</BICFI>", bic(member))
    })
}

fn with_our_accounts(text: &str) -> String {
    replace(text, "Othr", |inner| {
        let payer = inner.contains("123456789012");
        let account = if payer { customer(ALFA, 1) } else { customer(BETA, 2) };
        format!("<IBAN>{account}</IBAN>")
    })
}

fn in_manat(text: &str) -> String {
    text.replace("Ccy=\"USD\"", "Ccy=\"AZN\"")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sample_of_another_network_is_refused_with_its_reason_and_pays_once_it_is_adapted() {
    let Some(foreign) = sample() else { return };
    let doors = Doors::open().await;
    let ours = with_our_accounts(&with_our_agents(&in_manat(&foreign)));
    let refusals = [
        ("as it comes", foreign.clone(), "AM03"),
        ("agents without a code", in_manat(&foreign), "AGNT"),
        ("dollars", ours.replace("Ccy=\"AZN\"", "Ccy=\"USD\""), "AM03"),
        ("an unknown creditor agent", ours.replace(bic(BETA), "AZFIAZ22"), "RC01"),
        ("too much", ours.replace("1250.00", "40000.01"), "AM02"),
    ];
    for ((what, message, reason), number) in refusals.into_iter().zip(2..) {
        let message = message.replace("6f001", &format!("6f00{number}"));
        let answer = doors.post("/v1/payments", XML, message.into_bytes()).await;
        assert_eq!(answer.status, StatusCode::OK, "{what}: {}", answer.text);
        assert!(answer.text.contains("<TxSts>RJCT</TxSts>"), "{what}: {}", answer.text);
        assert!(answer.text.contains(&format!("<Cd>{reason}</Cd>")), "{what}: {}", answer.text);
    }
    let accounts = doors.get(ALFA, "/v1/accounts").await;
    assert!(!accounts.text.contains("\"held\":1"), "a refused payment holds nothing");

    let answer = doors.post("/v1/payments", XML, ours.clone().into_bytes()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert!(answer.text.contains("<TxSts>ACSC</TxSts>"), "{}", answer.text);
    assert!(answer.text.contains("8a562c67-ca16-48ba-b074-65581be6f001"), "{}", answer.text);

    let broken = ours.replace("<ChrgBr>SLEV</ChrgBr>", "<ChrgBr>NONE</ChrgBr>");
    let answer = doors.post("/v1/payments", XML, broken.into_bytes()).await;
    assert_problem(&answer, StatusCode::BAD_REQUEST, "message_invalid");
    doors.machine.stop().await;
}
