//! The commands as people and scripts call them: what they print, and how they end.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

const VALID: &str = r#"<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.028.001.03">
<FIToFIPmtStsReq><GrpHdr><MsgId>Q-1</MsgId><CreDtTm>2026-11-22T12:00:00Z</CreDtTm></GrpHdr>
<TxInf><OrgnlEndToEndId>E-1</OrgnlEndToEndId></TxInf></FIToFIPmtStsReq></Document>
"#;

fn etibar(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_etibar"));
    command.args(arguments).current_dir(folder).output().expect("the program was built")
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

#[test]
fn a_valid_message_ends_with_success_and_an_invalid_one_with_failure() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("good.xml"), VALID).unwrap();
    fs::write(folder.path().join("bad.xml"), VALID.replace("MsgId", "MessageId")).unwrap();
    let good = etibar(folder.path(), &["iso", "validate", "good.xml"]);
    assert!(good.status.success(), "{}", said(&good));
    assert!(said(&good).contains("good.xml: part 1 pacs.028.001.03 valid"), "{}", said(&good));
    let both = etibar(folder.path(), &["iso", "validate", "good.xml", "bad.xml"]);
    assert_eq!(both.status.code(), Some(1), "{}", said(&both));
    assert!(said(&both).contains("bad.xml:2:"), "{}", said(&both));
}

#[test]
fn a_file_that_is_not_there_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["iso", "validate", "none.xml"][..], &["genesis", "show", "none.xml"]] {
        let output = etibar(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(1));
        let said = said(&output);
        assert!(said.contains("cannot read none.xml"), "{said}");
        assert!(said.contains("what to do:"), "{said}");
    }
}

#[test]
fn bytes_that_are_no_receipt_prove_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let genesis = r#"{"name":"n","time":0,"validators":["KEY"],"members":[
        {"id":1,"name":"o","role":"operator","bic":"NABZAZ2C","keys":["KEY"]}],
        "accounts":[{"id":1,"owner":1,"kind":"issue","opening":0}]}"#;
    let key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    fs::write(folder.path().join("genesis.json"), genesis.replace("KEY", key)).unwrap();
    fs::write(folder.path().join("a.receipt"), b"EBR1 and nothing else").unwrap();
    let verify = ["receipt", "verify", "a.receipt", "--genesis", "genesis.json"];
    let output = etibar(folder.path(), &verify);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("a.receipt proves nothing (proof_malformed)"), "{output:?}");
    let shown = etibar(folder.path(), &["genesis", "show", "genesis.json"]);
    assert!(shown.status.success(), "{}", said(&shown));
    assert!(said(&shown).contains("NABZAZ2C"), "{}", said(&shown));
}

#[test]
fn a_key_is_shown_only_for_a_configuration_that_names_one() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("edge.toml"), "member = 2\n").unwrap();
    let output = etibar(folder.path(), &["key", "show", "--config", "edge.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("no issuer's configuration"), "{}", said(&output));
    let output = etibar(folder.path(), &["key", "create", "--config", "none.toml"]);
    assert!(said(&output).contains("cannot read none.toml"), "{}", said(&output));
}
