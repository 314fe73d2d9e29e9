//! Prints a sealed document and what opens it, as one JSON object: for an independent peer to open.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use etibar_credential::document::{self, Binding, SealPrivateKey};
use etibar_primitives::{MemberId, OperationId};

fn main() {
    let key = SealPrivateKey::from_seed(&[7; 32]);
    let binding =
        Binding { consent: OperationId(5), provider: MemberId(12), consumer: MemberId(2) };
    let content = r#"{"address":{"city":"Synthetic"}}"#;
    let envelope = document::seal(
        &binding,
        "application/json",
        content.as_bytes(),
        &key.public_key(),
        &mut rand::rng(),
    )
    .expect("a small document is below the limit");
    let private = etibar_primitives::hex::encode(key.expose().as_slice());
    let shown = serde_json::json!({
        "envelope": envelope,
        "private_key": private,
        "content": content,
    });
    println!("{shown}");
}
