//! The trust registry, consents, anchors and obligations as JSON.

use etibar_ledger::{
    operation::{AssuranceLevel, PurposeCode, Scope},
    state::{Consent, Evidence, Issuer, Purpose, StatusList},
};
use etibar_primitives::{Amount, BlockTime, Digest, MemberId};
use serde::{Deserialize, Serialize};

/// A member's right to issue one credential type, or to rely on credentials under the type
/// `urn:az:relying-party:1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuerView {
    /// The member.
    pub member: MemberId,
    /// The digest of the credential type's identifier (`vct`).
    pub credential_type: Digest,
    /// The digest of its certificate.
    pub certificate: Digest,
    /// The highest level it may attest.
    pub ceiling: AssuranceLevel,
    /// From when.
    pub valid_from: BlockTime,
    /// Until before when.
    pub valid_until: BlockTime,
}

/// A purpose for which personal data may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurposeView {
    /// Its code.
    pub code: PurposeCode,
    /// The data that may be asked at most, a bit for each category.
    pub scope: Scope,
    /// The longest that a consent may run, in milliseconds.
    pub duration_max_ms: u64,
    /// The digest of its document.
    pub document: Digest,
    /// From when there is no new consent for it; absent when it is not retired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired: Option<BlockTime>,
}

/// A consent, without the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentView {
    /// Its random identifier.
    pub rel: Digest,
    /// The member that may ask.
    pub consumer: MemberId,
    /// The member that provides.
    pub provider: MemberId,
    /// The salted commitment to the artefact.
    pub commitment: Digest,
    /// What the data is for.
    pub purpose: PurposeCode,
    /// Which data.
    pub scope: Scope,
    /// When it was given.
    pub granted: BlockTime,
    /// When it ends by itself.
    pub expires: BlockTime,
    /// When it was revoked; absent when it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<BlockTime>,
}

/// The latest anchor of a member's status list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusListView {
    /// Whose list.
    pub member: MemberId,
    /// Its number.
    pub list: u32,
    /// It rises with every anchor.
    pub counter: u64,
    /// The digest of the list as it is served.
    pub digest: Digest,
    /// When it was anchored.
    pub anchored: BlockTime,
}

/// A member's latest evidence anchor. Earlier ones are proven by their receipts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceView {
    /// Whose.
    pub member: MemberId,
    /// The Merkle root of the latest interval's records.
    pub root: Digest,
    /// How many records it covers.
    pub count: u32,
    /// The first moment covered.
    pub from: BlockTime,
    /// The last moment covered.
    pub until: BlockTime,
    /// How many records all anchors of the member cover.
    pub total: u64,
}

/// What is owed and not settled: a member's own business; the operator's answer holds everybody's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObligationsView {
    /// Who owes whom, by rising debtor and creditor.
    pub open: Vec<ObligationView>,
    /// What a settlement of everything would move now, by rising member.
    pub net: Vec<NetPositionView>,
}

/// What one member owes another since the last settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObligationView {
    /// Who owes.
    pub debtor: MemberId,
    /// Who is owed.
    pub creditor: MemberId,
    /// How much.
    pub amount: Amount,
    /// For how many reuses.
    pub count: u32,
    /// When the first of them was executed.
    pub since: BlockTime,
}

/// A member's net position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetPositionView {
    /// Whose.
    pub member: MemberId,
    /// Minor units of AZN; below zero when the member pays.
    pub amount: i64,
    /// Whether its settlement account holds what it pays, above the account's floor.
    pub covered: bool,
}

impl IssuerView {
    /// A registration, as the interface shows it.
    pub const fn new(member: MemberId, credential_type: Digest, issuer: &Issuer) -> Self {
        let Issuer { certificate, ceiling, valid_from, valid_until } = *issuer;
        Self { member, credential_type, certificate, ceiling, valid_from, valid_until }
    }

    /// Whether it is in force at `time`.
    pub fn is_valid(&self, time: BlockTime) -> bool {
        self.valid_from <= time && time < self.valid_until
    }
}

impl PurposeView {
    /// A purpose, as the interface shows it.
    pub fn new(code: PurposeCode, purpose: &Purpose) -> Self {
        Self {
            code,
            scope: purpose.scope,
            duration_max_ms: purpose.duration_max.0,
            document: purpose.document,
            retired: moment(purpose.retired),
        }
    }
}

impl ConsentView {
    /// A consent, as the interface shows it.
    pub fn new(rel: Digest, consent: &Consent) -> Self {
        Self {
            rel,
            consumer: consent.consumer,
            provider: consent.provider,
            commitment: consent.commitment,
            purpose: consent.purpose,
            scope: consent.scope,
            granted: consent.granted,
            expires: consent.expires,
            revoked: moment(consent.revoked),
        }
    }

    /// Whether it allows anything at `time`: neither expired nor revoked.
    pub fn is_live(&self, time: BlockTime) -> bool {
        time < self.expires && self.revoked.is_none_or(|revoked| time < revoked)
    }
}

impl StatusListView {
    /// An anchor, as the interface shows it.
    pub const fn new(member: MemberId, list: u32, anchor: &StatusList) -> Self {
        let StatusList { counter, digest, anchored } = *anchor;
        Self { member, list, counter, digest, anchored }
    }
}

impl EvidenceView {
    /// An anchor, as the interface shows it.
    pub const fn new(member: MemberId, evidence: &Evidence) -> Self {
        let Evidence { root, count, from, until, total } = *evidence;
        Self { member, root, count, from, until, total }
    }
}

/// The moment, unless it stands for "never".
fn moment(time: BlockTime) -> Option<BlockTime> {
    (time != BlockTime::MAX).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consent_lives_until_it_expires_or_is_revoked() {
        let consent = Consent {
            consumer: MemberId(2),
            provider: MemberId(12),
            commitment: Digest([1; 32]),
            granted: BlockTime(100),
            expires: BlockTime(200),
            revoked: BlockTime::MAX,
            purpose: PurposeCode(1),
            scope: Scope(3),
        };
        let view = ConsentView::new(Digest([2; 32]), &consent);
        assert!(view.is_live(BlockTime(199)) && !view.is_live(BlockTime(200)));
        let revoked = ConsentView { revoked: Some(BlockTime(150)), ..view };
        assert!(revoked.is_live(BlockTime(149)) && !revoked.is_live(BlockTime(150)));
        let text = serde_json::to_string(&view).expect("plain data");
        assert!(text.contains(r#""purpose":1,"scope":3"#) && !text.contains("revoked"), "{text}");
        assert_eq!(serde_json::from_str::<ConsentView>(&text).expect("our own text"), view);
    }
}
