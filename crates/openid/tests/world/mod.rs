//! What the tests of both protocols share: a moment, fresh entropy, keys with certificates.
#![allow(dead_code, reason = "each test file uses its part")]

use std::sync::atomic::{AtomicU64, Ordering};

use etibar_credential::{
    UnixSeconds,
    catalogue::type_digest,
    jose::{Certified, Signer, SoftwareKey},
    level::AssuranceLevel,
    sd_jwt::{ClaimPath, SdJwt},
    sd_jwt_vc::{Template, issue},
    trust::TrustEntry,
    x509::{Subject, Validity, certificate_digest, issue_leaf, self_signed_authority},
};
use etibar_openid::Entropy;
use etibar_primitives::{BlockTime, DurationMs, MemberId};
use rand::{SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

pub(crate) const NOW: BlockTime = BlockTime(1_800_000_000_000);
pub(crate) const PID: &str = "urn:az:pid:1";

/// `NOW` and some seconds.
pub(crate) fn later(seconds: u64) -> BlockTime {
    NOW.saturating_add(DurationMs(seconds * 1_000))
}

/// Entropy that no other call in this process gets.
pub(crate) fn entropy() -> Entropy {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    Entropy::new(bytes)
}

pub(crate) fn key(seed: u64) -> SoftwareKey {
    SoftwareKey::generate(&mut StdRng::seed_from_u64(seed))
}

/// A member's leaf key with its chain, and its authority's digest.
pub(crate) struct Party {
    pub(crate) signer: Certified<SoftwareKey>,
    pub(crate) authority: [u8; 32],
}

pub(crate) fn party(seed: u64, uri: &str) -> Party {
    let (root, leaf) = (key(seed), key(seed + 1_000));
    let validity =
        Validity { not_before: UnixSeconds(1_700_000_000), not_after: UnixSeconds(1_900_000_000) };
    let subject = Subject { common_name: "Sample", organization: "Sample", uri: None };
    let ca = self_signed_authority(&root, &subject, validity, &[1, 2]).expect("a certificate");
    let subject = Subject { uri: Some(uri), ..subject };
    let der = issue_leaf(&root, &ca, &leaf.public_key(), &subject, validity, &[1, 3])
        .expect("a certificate");
    let authority = certificate_digest(&ca);
    Party { signer: Certified::new(leaf, vec![der, ca]), authority }
}

pub(crate) fn registered(member: u32, vct: &str, party: &Party) -> TrustEntry {
    TrustEntry {
        member: MemberId(member),
        credential_type: type_digest(vct),
        authority: party.authority,
        ceiling: AssuranceLevel::High,
        valid_from: UnixSeconds(0),
        valid_until: UnixSeconds(u64::MAX),
    }
}

/// A PID of nobody, bound to `holder`.
pub(crate) fn pid(issuer: &dyn Signer, uri: &str, holder: &SoftwareKey) -> SdJwt {
    let claims = json!({
        "family_name": "Sample",
        "given_name": "Person",
        "birthdate": "1990-01-02",
        "address": { "city": "Bakı", "street": "Nümunə küçəsi" },
    });
    let Value::Object(claims) = claims else { unreachable!("an object") };
    let paths = [
        ClaimPath::of(&["family_name"]),
        ClaimPath::of(&["given_name"]),
        ClaimPath::of(&["birthdate"]),
        ClaimPath::of(&["address", "city"]),
        ClaimPath::of(&["address", "street"]),
    ];
    let template = Template {
        vct: PID,
        vct_integrity: None,
        issuer: uri,
        issued_at: UnixSeconds::from(NOW),
        not_before: None,
        expires_at: UnixSeconds::from(later(86_400)),
        holder: &holder.public_key(),
        status: None,
        claims,
        disclosable: &paths,
        decoys: 2,
    };
    issue(issuer, &template, &mut StdRng::seed_from_u64(7)).expect("a credential")
}
