//! Our side of the checks with independent peers (`tests/peers/run`).
//!
//! Reads one JSON request per line and answers each with one line: issue, present, verify, and the
//! same for status lists. The keys are fixed and public: nothing here protects anything.

use std::io::{BufRead as _, Write as _, stdin, stdout};

use etibar_credential::UnixSeconds;
use etibar_credential::jose::{PublicKey, Signer as _, SoftwareKey};
use etibar_credential::sd_jwt::{
    ClaimPath, KeyBinding, KeyBindingPolicy, Presentation, SdJwt, issue,
};
use etibar_credential::sd_jwt_vc::CREDENTIAL_TYPE;
use etibar_credential::status_list::{
    Bits, Status, StatusList, StatusToken, VerifiedStatusList, sign_status_list,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Request {
    Keys,
    Issue { claims: Map<String, Value>, disclosable: Vec<ClaimPath>, decoys: usize },
    Present { sd_jwt: String, wanted: Vec<ClaimPath>, bound: Bound },
    Verify { presentation: String, issuer: Value, bound: Bound },
    SignStatus { uri: String, bits: u64, entries: usize, set: Vec<(u64, u8)>, time: Times },
    ReadStatus { token: String, uri: String, issuer: Value, now: u64, indexes: Vec<u64> },
}

#[derive(Deserialize)]
struct Bound {
    nonce: String,
    audience: String,
    now: u64,
    #[serde(default)]
    transaction_data: Vec<String>,
}

#[derive(Deserialize)]
struct Times {
    issued_at: u64,
    expires_at: u64,
    ttl_seconds: u64,
}

fn main() -> std::io::Result<()> {
    for line in stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?) {
            Ok(request) => answer(request).unwrap_or_else(|code| json!({ "error": code })),
            Err(_) => json!({ "error": "request_malformed" }),
        };
        let mut out = stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn key(seed: u8) -> SoftwareKey {
    SoftwareKey::from_bytes(&[seed; 32]).expect("a scalar below the order")
}

fn public(jwk: &Value) -> Result<PublicKey, String> {
    PublicKey::from_jwk(jwk).map_err(|_| "jwk".to_owned())
}

fn answer(request: Request) -> Result<Value, String> {
    let (issuer, holder) = (key(1), key(2));
    match request {
        Request::Keys => Ok(json!({
            "issuer": issuer.public_key().to_jwk(),
            "holder": holder.to_private_jwk(),
        })),
        Request::Issue { claims, disclosable, decoys } => {
            let mut rng = rand::rng();
            issue(&issuer, CREDENTIAL_TYPE, claims, &disclosable, decoys, &mut rng)
                .map(|sd_jwt| json!({ "sd_jwt": sd_jwt.to_string() }))
                .map_err(|error| error.code().to_owned())
        }
        Request::Present { sd_jwt, wanted, bound } => {
            let binding = KeyBinding {
                nonce: &bound.nonce,
                audience: &bound.audience,
                issued_at: UnixSeconds(bound.now),
                transaction_data: &bound.transaction_data,
            };
            SdJwt::parse(&sd_jwt)
                .and_then(|sd_jwt| sd_jwt.present(&wanted, &binding, &holder))
                .map(|presentation| json!({ "presentation": presentation }))
                .map_err(|error| error.code().to_owned())
        }
        Request::Verify { presentation, issuer, bound } => {
            verify(&presentation, &public(&issuer)?, &bound)
        }
        Request::SignStatus { uri, bits, entries, set, time } => {
            sign_list(&uri, bits, entries, &set, &time)
        }
        Request::ReadStatus { token, uri, issuer, now, indexes } => {
            let list = VerifiedStatusList::verify_with_key(
                &token,
                &uri,
                UnixSeconds(now),
                &public(&issuer)?,
            );
            let list = list.map_err(|error| error.code().to_owned())?.list;
            let statuses = indexes.into_iter().map(|index| list.get(index).map(|found| found.0));
            let statuses: Result<Vec<_>, _> = statuses.collect();
            Ok(json!({ "statuses": statuses.map_err(|error| error.code().to_owned())? }))
        }
    }
}

fn verify(presentation: &str, issuer: &PublicKey, bound: &Bound) -> Result<Value, String> {
    let policy = KeyBindingPolicy {
        nonce: &bound.nonce,
        audience: &bound.audience,
        now: UnixSeconds(bound.now),
        age_seconds_max: 300,
        skew_seconds_max: 30,
        transaction_data: &bound.transaction_data,
    };
    let verified = Presentation::parse(presentation, CREDENTIAL_TYPE).and_then(|parsed| {
        let processed = parsed.verify(issuer)?;
        parsed.verify_key_binding(&processed, &policy)?;
        Ok(processed)
    });
    verified
        .map(|processed| json!({ "claims": processed.claims.0 }))
        .map_err(|error| error.code().to_owned())
}

fn sign_list(
    uri: &str,
    bits: u64,
    entries: usize,
    set: &[(u64, u8)],
    time: &Times,
) -> Result<Value, String> {
    let bits = Bits::from_count(bits).ok_or("status_bits")?;
    let mut list = StatusList::new(bits, entries).map_err(|error| error.code().to_owned())?;
    for (index, status) in set {
        list.set(*index, Status(*status)).map_err(|error| error.code().to_owned())?;
    }
    let token = StatusToken {
        uri,
        issued_at: UnixSeconds(time.issued_at),
        expires_at: UnixSeconds(time.expires_at),
        ttl_seconds: time.ttl_seconds,
    };
    sign_status_list(&key(1), &token, &list)
        .map(|token| json!({ "token": token }))
        .map_err(|error| error.code().to_owned())
}
