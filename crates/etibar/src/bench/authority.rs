//! Keys with the certificates that vouch for them, as each member has them.

use etibar_credential::{
    UnixSeconds,
    catalogue::type_digest,
    jose::{Certified, Signer as _, SoftwareKey},
    level::AssuranceLevel,
    trust::TrustEntry,
    x509::{Subject, Validity, certificate_digest, issue_leaf, self_signed_authority},
};
use etibar_primitives::MemberId;

/// A member's leaf key with its chain, and what the trust registry holds of it.
pub(super) struct Party {
    pub(super) signer: Certified<SoftwareKey>,
    authority: [u8; 32],
}

/// A key that depends on nothing but `seed`: it protects nothing.
pub(super) fn key(seed: u8) -> SoftwareKey {
    SoftwareKey::from_bytes(&[seed; 32]).expect("a small scalar is below the order")
}

/// The member behind `uri`, with certificates valid around `now`. Takes the keys of `seed` and of
/// the number after it.
pub(super) fn party(seed: u8, uri: &str, now: UnixSeconds) -> Party {
    let (root, leaf) = (key(seed), key(seed + 1));
    let validity = Validity {
        not_before: UnixSeconds(now.0 - 86_400),
        not_after: now.saturating_add(30 * 86_400),
    };
    let subject = Subject { common_name: "Sample CA", organization: "Sample", uri: None };
    let authority = self_signed_authority(&root, &subject, validity, &[1, seed]);
    let authority = authority.expect("a key in memory signs");
    let subject = Subject { common_name: "Sample", organization: "Sample", uri: Some(uri) };
    let key = leaf.public_key();
    let der = issue_leaf(&root, &authority, &key, &subject, validity, &[2, seed]);
    let der = der.expect("a key in memory signs");
    let digest = certificate_digest(&authority);
    Party { signer: Certified::new(leaf, vec![der, authority]), authority: digest }
}

impl Party {
    /// The registration that lets `member` act as this party for the type `vct`.
    pub(super) fn registered(&self, member: MemberId, vct: &str) -> TrustEntry {
        TrustEntry {
            member,
            credential_type: type_digest(vct),
            authority: self.authority,
            ceiling: AssuranceLevel::High,
            valid_from: UnixSeconds(0),
            valid_until: UnixSeconds(u64::MAX),
        }
    }
}
