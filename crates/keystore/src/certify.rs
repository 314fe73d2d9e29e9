//! An authority of the member's own and a leaf under it.

use etibar_credential::{
    UnixSeconds,
    jose::{PublicKey, SignError, Signer},
    x509::{Subject, Validity, issue_leaf, self_signed_authority},
};
use etibar_primitives::BlockTime;

use crate::Owner;

/// How long authority and leaf are valid, in seconds: ten years.
const LIFE_S: u64 = 3_650 * 86_400;
/// How far before their making they are valid, in seconds: clocks differ.
const BEFORE_S: u64 = 86_400;

/// Certificates in DER, leaf first: the authority over its own key, and under it `leaf`.
pub(crate) fn chain(
    authority: &dyn Signer,
    leaf: &PublicKey,
    owner: &Owner<'_>,
    now: BlockTime,
) -> Result<Vec<Vec<u8>>, SignError> {
    let now = UnixSeconds::from(now);
    let validity = Validity {
        not_before: UnixSeconds(now.0.saturating_sub(BEFORE_S)),
        not_after: now.saturating_add(LIFE_S),
    };
    let subject = Subject { common_name: "Issuer CA", organization: owner.name, uri: None };
    let root = self_signed_authority(authority, &subject, validity, &serial())?;
    let leaf = issue_leaf(authority, &root, leaf, &subject_of(owner), validity, &serial())?;
    Ok(vec![leaf, root])
}

/// Whom the leaf is for.
pub(crate) const fn subject_of<'a>(owner: &Owner<'a>) -> Subject<'a> {
    Subject { common_name: "Issuer", organization: owner.name, uri: Some(owner.base_url) }
}

/// Positive and not zero, as RFC 5280 §4.1.2.2 wants it.
fn serial() -> [u8; 16] {
    let mut serial: [u8; 16] = rand::random();
    serial[0] = (serial[0] & 0x7F) | 1;
    serial
}
