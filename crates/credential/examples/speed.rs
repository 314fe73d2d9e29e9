//! How fast this machine issues, presents and verifies credentials and publishes status lists.
//!
//! `cargo run --release -p etibar-credential --example speed`

use std::io::{Write as _, stdout};
use std::time::Instant;

use etibar_credential::UnixSeconds;
use etibar_credential::jose::{Signer as _, SoftwareKey};
use etibar_credential::sd_jwt::{ClaimPath, KeyBinding, KeyBindingPolicy, Presentation, issue};
use etibar_credential::sd_jwt_vc::CREDENTIAL_TYPE;
use etibar_credential::status_list::{Bits, Status, StatusList};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Map, Value, json};

const ROUNDS: u32 = 1_000;
const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

fn main() -> std::io::Result<()> {
    let key = |seed| SoftwareKey::from_bytes(&[seed; 32]).expect("a scalar below the order");
    let (issuer, holder) = (key(1), key(2));
    let message = [7; 1_024];
    let signature = issuer.sign(&message).expect("a key in memory");
    report("ES256 sign", || drop(issuer.sign(&message)))?;
    let public = issuer.public_key();
    report("ES256 verify", || assert!(public.verifies(&message, &signature)))?;

    let names: Vec<String> = (0..20).map(|at| format!("claim_{at}")).collect();
    let paths: Vec<ClaimPath> = names.iter().map(|name| ClaimPath::of(&[name])).collect();
    let mut claims: Map<String, Value> =
        names.iter().map(|name| (name.clone(), json!("a value of usual length"))).collect();
    claims.insert("cnf".to_owned(), json!({ "jwk": holder.public_key().to_jwk() }));
    let make = || {
        let claims = claims.clone();
        issue(&issuer, CREDENTIAL_TYPE, claims, &paths, 2, &mut rand::rng()).expect("issuable")
    };
    let sd_jwt = make();
    report("issue, 20 claims", || drop(make()))?;
    let binding = KeyBinding { nonce: "n", audience: "v", issued_at: NOW, transaction_data: &[] };
    let present = || sd_jwt.present(&paths[..8], &binding, &holder).expect("a key in memory");
    let presentation = present();
    report("present 8 of them", || drop(present()))?;
    let policy = KeyBindingPolicy {
        nonce: "n",
        audience: "v",
        now: NOW,
        age_seconds_max: 1,
        skew_seconds_max: 1,
        transaction_data: &[],
    };
    report("verify with key binding", || {
        let parsed = Presentation::parse(&presentation, CREDENTIAL_TYPE).expect("our own");
        let processed = parsed.verify(&public).expect("our own");
        parsed.verify_key_binding(&processed, &policy).expect("our own");
    })?;
    status_lists()
}

fn report(what: &str, mut work: impl FnMut()) -> std::io::Result<()> {
    let start = Instant::now();
    for _ in 0..ROUNDS {
        work();
    }
    let each = start.elapsed() / ROUNDS;
    writeln!(stdout(), "{what}: {} µs", each.as_micros())
}

/// Ten million entries, with a share of them revoked at scattered places.
fn status_lists() -> std::io::Result<()> {
    const ENTRIES: u64 = 10_000_000;
    for per_million in [0_u64, 1_000, 10_000, 50_000] {
        let entries = usize::try_from(ENTRIES).expect("ten million");
        let mut list = StatusList::new(Bits::One, entries).expect("ten million entries");
        let mut rng = StdRng::seed_from_u64(per_million);
        for _ in 0..ENTRIES / 1_000_000 * per_million {
            list.set(rng.next_u64() % ENTRIES, Status::INVALID).expect("below the end");
        }
        let start = Instant::now();
        let packed = list.compress();
        let compressed = start.elapsed();
        let claim = json!({ "bits": 1, "lst": packed });
        let start = Instant::now();
        let read = StatusList::from_claim(&claim).expect("our own");
        let unfolded = start.elapsed();
        assert_eq!(read, list);
        writeln!(
            stdout(),
            "10 million entries, {per_million} per million revoked: {} bytes, {} ms to compress, \
             {} ms to read",
            packed.len(),
            compressed.as_millis(),
            unfolded.as_millis(),
        )?;
    }
    Ok(())
}
