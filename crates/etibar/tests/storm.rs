//! The whole network as processes: every one of them is killed in turn while payments go on.

use std::process::Command;

#[test]
fn no_payment_is_lost_or_made_twice_when_each_process_is_killed_in_turn() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_etibar"));
    let output = command.args(["tour", "--storm", "--json"]).output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{report}\n{complaints}");
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["ok"], true);
}
