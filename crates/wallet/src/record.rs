//! What the wallet keeps of a person, each record sealed with the person's key.

use etibar_credential::jose::SoftwareKey;
use etibar_primitives::{BlockTime, Digest, MemberId, hex};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    gesture::Evidence,
    id::EntryId,
    screen::ConsentScreen,
    view::{AccessLine, CredentialState, Proof},
};

/// A credential: one set of claims in instances, each under a key of its own.
#[derive(Clone, Serialize, Deserialize)]
pub struct CredentialRecord {
    /// Its type.
    pub vct: String,
    /// Who issued it.
    pub issuer: MemberId,
    /// Since when.
    pub issued: BlockTime,
    /// Until when.
    pub expires: BlockTime,
    /// All its claims, disclosed.
    pub claims: Value,
    /// Its instances.
    pub instances: Vec<Instance>,
    /// Whether it is in force, as last looked up.
    pub state: CredentialState,
}

/// One instance of a credential: presented to one relying party only, so that two of them hold no
/// value in common.
#[derive(Clone, Serialize, Deserialize)]
pub struct Instance {
    /// The SD-JWT with all disclosures.
    pub sd_jwt: String,
    /// The secret scalar of its key, hexadecimal.
    pub key: String,
    /// To whom it was presented.
    #[serde(default)]
    pub shown_to: Option<MemberId>,
}

impl Instance {
    /// A new key that nothing is bound to yet.
    pub(crate) fn unused() -> Self {
        let key = SoftwareKey::generate(&mut rand::rng());
        Self { sd_jwt: String::new(), key: hex::encode(&key.to_bytes()), shown_to: None }
    }
}

/// A request for a presentation that waits for the person's decision.
#[derive(Clone, Serialize, Deserialize)]
pub struct RequestRecord {
    /// Who asks.
    pub requester: MemberId,
    /// The signed request object as it came.
    pub request: String,
    /// The link under which it was fetched.
    pub reference: etibar_openid::vp::RequestReference,
    /// The nonce with which it was fetched.
    pub wallet_nonce: String,
    /// The bank's session that it belongs to.
    pub session: Option<String>,
    /// The product that was asked for.
    pub product: Option<String>,
    /// When it ends.
    pub expires: BlockTime,
    /// When it came.
    pub came: BlockTime,
    /// What came of it, once it was answered.
    pub outcome: Option<crate::view::Outcome>,
    /// The consents that the answer gave, from the moment before it was sent.
    #[serde(default)]
    pub given: Vec<EntryId>,
}

/// A consent with everything that proves it.
#[derive(Clone, Serialize, Deserialize)]
pub struct ConsentRecord {
    /// Who may use the data.
    pub consumer: MemberId,
    /// Who gives it.
    pub providers: Vec<MemberId>,
    /// The relations on the ledger, one for each provider.
    pub rels: Vec<Digest>,
    /// What the consent is for: its place among the screen's parts.
    pub part: usize,
    /// The consent artefact as the consumer signed it.
    pub artefact: String,
    /// The screen as it was shown and approved.
    pub screen: ConsentScreen,
    /// The person's passkey over that screen; absent for a scripted holder.
    pub evidence: Option<Evidence>,
    /// Since when.
    pub granted: BlockTime,
    /// Until when.
    pub expires: BlockTime,
    /// When it was withdrawn.
    pub revoked: Option<BlockTime>,
    /// The member's signed receipt of an erasure.
    pub erasure: Option<String>,
    /// What is kept after an erasure, by the categories' codes behind commas, and until when.
    pub holds: Vec<(String, BlockTime)>,
    /// Ledger operations that prove it.
    pub proofs: Vec<Proof>,
}

/// What was found out about accesses, the last time the wallet looked.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct AccessesRecord {
    /// When.
    pub checked: BlockTime,
    /// The accesses, the latest first.
    pub lines: Vec<AccessLine>,
    /// Members that did not answer.
    pub silent: Vec<String>,
    /// The ends of the logs, for the next check.
    #[serde(default)]
    pub heads: Vec<crate::accesses::SeenHead>,
}

/// An issuance that the issuer has deferred, or ended without a credential.
#[derive(Clone, Serialize, Deserialize)]
pub struct DeferredRecord {
    /// Who issues.
    pub issuer: MemberId,
    /// The credential type.
    pub vct: String,
    /// The protocol's session, with its access token.
    pub session: etibar_openid::vci::holder::Session,
    /// The secret scalar of the key that the access token is bound to, hexadecimal.
    pub dpop: String,
    /// The instances that were ordered: keys without a credential yet.
    pub instances: Vec<Instance>,
    /// The issuer's number of the issuance.
    pub transaction: String,
    /// When it was ordered.
    pub began: BlockTime,
    /// The pause that the issuer asked for, in seconds.
    pub interval_s: u64,
    /// When to ask again; once it has ended, when it did.
    pub due: BlockTime,
    /// How often the issuer was asked.
    pub asked: u32,
    /// The stable code of why there is no credential.
    pub refused: Option<String>,
}

/// A recovery under way on this device.
#[derive(Clone, Serialize, Deserialize)]
pub struct RecoveryRecord {
    /// What was sent to the registrar; sent again, it asks how the recovery stands.
    pub sent: etibar_openid::member::Recovery,
    /// How it stands.
    pub view: crate::view::RecoveryView,
}

/// Who the person is to the wallet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProfileRecord {
    /// The language in which they last read.
    pub language: crate::Language,
    /// The guardians whom they named last.
    #[serde(default)]
    pub guardians: Option<crate::view::GuardiansView>,
    /// What they call their passkeys, by the credential's id in hexadecimal digits.
    #[serde(default)]
    pub devices: std::collections::BTreeMap<String, String>,
}
