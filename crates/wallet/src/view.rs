//! What a person sees: plain data, already in the person's language where a register or a bank
//! wrote the text. Pages and the scripted holder read the same.

use etibar_credential::evidence::{Duty, Role};
use etibar_primitives::{BlockTime, Digest, DurationMs, MemberId};
use serde::{Deserialize, Serialize};

use crate::id::EntryId;

/// What stands on the first page.
#[derive(Clone)]
pub struct Home {
    /// The identity card; `None` until the registrar has issued it.
    pub card: Option<IdentityCard>,
    /// What the person should do or know, the most urgent first.
    pub inbox: Vec<Notice>,
    /// Accounts, the newest first.
    pub accounts: Vec<AccountView>,
    /// How many consents are in force.
    pub consents_active: usize,
    /// How many credentials there are.
    pub credentials: usize,
}

/// The person's identity as the interior ministry attests it. Personal: never printed.
#[derive(Clone)]
pub struct IdentityCard {
    /// The credential.
    pub id: EntryId,
    /// Given name, patronymic and family name.
    pub name: String,
    /// The last three characters of the personal number.
    pub fin_end: String,
    /// The date of birth as the register writes it (ISO 8601).
    pub birthdate: String,
    /// The assurance level: `low`, `substantial` or `high`.
    pub level: String,
    /// When the document expires (ISO 8601).
    pub document_expiry: String,
    /// Who issued it.
    pub issuer: String,
    /// Until when no new consents are taken, after a recovery.
    pub cooldown_until: Option<BlockTime>,
    /// Whether the credential is in force.
    pub state: CredentialState,
}

/// Whether a credential can be presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialState {
    /// It is in force.
    Valid,
    /// Its validity has ended.
    Expired,
    /// The issuer revoked it.
    Revoked,
}

/// A credential in short.
#[derive(Clone)]
pub struct CredentialView {
    /// Its entry.
    pub id: EntryId,
    /// Its type.
    pub vct: String,
    /// The type's name in the person's language.
    pub title: String,
    /// Who issued it.
    pub issuer: String,
    /// Since when.
    pub issued: BlockTime,
    /// Until when.
    pub expires: BlockTime,
    /// Instances not yet presented.
    pub instances_left: usize,
    /// Whether it can be presented.
    pub state: CredentialState,
    /// What it says.
    pub claims: Vec<ClaimView>,
}

/// A credential that its issuer has not ready yet, or will not issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeferredView {
    /// Its entry.
    pub id: EntryId,
    /// The type's name in the person's language.
    pub title: String,
    /// Who issues it.
    pub issuer: String,
    /// When it was ordered.
    pub since: BlockTime,
    /// When the wallet asks again.
    pub due: BlockTime,
    /// Why it was not issued; `None` while it waits.
    pub refused: Option<String>,
}

/// One statement of a credential. Personal: never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimView {
    /// The claim's name in the person's language.
    pub label: String,
    /// Its value as people read it.
    pub value: String,
}

/// Something to do or to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What.
    pub kind: NoticeKind,
    /// Since when.
    pub at: BlockTime,
}

/// The kinds of notices, the most urgent first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NoticeKind {
    /// A request waits for a decision.
    Request {
        /// Which.
        request: EntryId,
        /// Who asks.
        who: String,
    },
    /// A bank is still at work on what was approved.
    UnderWay {
        /// The request.
        request: EntryId,
        /// Who is at work.
        who: String,
    },
    /// A receipt is missing or altered.
    Tampered {
        /// At which member.
        member: String,
    },
    /// A bank opened an account.
    AccountOpened {
        /// Which bank.
        bank: String,
        /// The account's entry.
        account: EntryId,
    },
    /// The person agreed, and nobody has looked yet what came of it.
    Unfinished {
        /// Which request.
        request: EntryId,
        /// Who asked.
        who: String,
    },
    /// A credential was issued anew because the register changed.
    Reissued {
        /// The credential's type in the person's language.
        title: String,
    },
    /// An authority now holds a credential for the person.
    Issued {
        /// The credential's type in the person's language.
        title: String,
    },
}

/// An account that a bank opened. Personal: never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// Its entry.
    pub id: EntryId,
    /// The bank's name.
    pub bank: String,
    /// The account's number.
    pub iban: String,
    /// The product.
    pub product: String,
    /// Since when.
    pub opened: BlockTime,
    /// The consent under which it was opened.
    pub consent: Option<EntryId>,
}

/// What came of a request that the person approved.
#[derive(Clone, Serialize, Deserialize)]
pub struct Outcome {
    /// Who asked.
    pub who: String,
    /// The product that was asked for, if it was one.
    #[serde(default)]
    pub product: Option<String>,
    /// The account, if the bank opened one.
    pub account: Option<AccountView>,
    /// The bank's stable code of what it still needs or why it did not.
    pub pending: Option<String>,
    /// Whether the bank has not ended yet: it is asked again at the next look.
    #[serde(default)]
    pub under_way: bool,
    /// The ledger operations that prove the consent: who submitted, and the id.
    pub proofs: Vec<Proof>,
    /// How long it took from the gesture to the result, in milliseconds.
    pub elapsed_ms: u64,
    /// The bank's own credential about the person, if it issued one.
    pub kyc: bool,
}

/// An operation on the ledger whose certified receipt anybody may check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Who submitted it.
    pub submitter: MemberId,
    /// Its id.
    pub operation: etibar_primitives::OperationId,
}

/// A consent as the person sees it.
#[derive(Clone)]
pub struct ConsentView {
    /// Its entry.
    pub id: EntryId,
    /// Who may use the data.
    pub who: String,
    /// Which member that is.
    pub member: MemberId,
    /// For what.
    pub purpose: String,
    /// The purpose in a sentence, as it was shown.
    pub purpose_text: String,
    /// From whom the data comes, and what.
    pub sources: Vec<Source>,
    /// Since when.
    pub granted: BlockTime,
    /// Until when.
    pub expires: BlockTime,
    /// Whether it is in force.
    pub state: ConsentState,
    /// What the law makes the bank keep all the same, as it was shown.
    pub law: String,
    /// When the person withdrew it.
    pub revoked: Option<BlockTime>,
    /// What the member keeps after an erasure, and until when.
    pub holds: Vec<(String, BlockTime)>,
    /// Whether the member confirmed an erasure with its signature.
    pub erased: bool,
    /// Proof that the ledger knows the consent's end, or its beginning.
    pub proofs: Vec<Proof>,
}

/// Whether a consent is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentState {
    /// It is in force.
    Active,
    /// The person withdrew it.
    Revoked,
    /// Its time is over.
    Expired,
}

/// From where data comes, and which.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Who attests it.
    pub from: String,
    /// The credential's name.
    pub title: String,
    /// Whether the wallet has it; otherwise it is fetched with the same gesture.
    pub held: bool,
    /// What.
    pub claims: Vec<ClaimView>,
}

impl Source {
    /// What is given, by name only.
    pub fn names(&self) -> String {
        let names: Vec<&str> = self.claims.iter().map(|claim| claim.label.as_str()).collect();
        names.join(", ")
    }
}

/// Everything about who accessed the person's data.
#[derive(Clone, Default)]
pub struct AccessLog {
    /// When it was last asked for and verified; `None` if never.
    pub checked: Option<BlockTime>,
    /// The accesses, the latest first.
    pub lines: Vec<AccessLine>,
    /// Members that did not answer.
    pub silent: Vec<String>,
}

/// One access.
#[derive(Clone, Serialize, Deserialize)]
pub struct AccessLine {
    /// The relation it belongs to.
    pub rel: Digest,
    /// Its number in that relation.
    pub sequence: u64,
    /// When.
    pub at: BlockTime,
    /// Who read.
    pub who: String,
    /// From whom.
    pub from: String,
    /// What was done: `fetched`, `used`, and so on.
    pub action: String,
    /// What was read, in the person's language.
    pub claims: Vec<String>,
    /// For what, in the person's language.
    pub purpose: String,
    /// Whose signatures hold: both sides' under what a provider gave, the reader's own under its
    /// record of what it did with data it already had.
    #[serde(default)]
    pub signed: Vec<String>,
    /// The role of whoever did it, when it was one of the author's own people.
    #[serde(default)]
    pub reader: Option<Role>,
    /// The duty by which it was done, when no consent alone allows it.
    #[serde(default)]
    pub duty: Option<Duty>,
    /// Whether all of it is proven.
    pub verdict: Verdict,
    /// Whose log it stands in; `None` where that cannot be read.
    #[serde(default)]
    pub author: Option<MemberId>,
    /// What it was rendered from, so that it can be read in another language.
    #[serde(default)]
    pub source: Option<AccessSource>,
}

/// An access as the receipt names it.
#[derive(Clone, Serialize, Deserialize)]
pub struct AccessSource {
    /// Who read.
    pub requester: MemberId,
    /// From whom.
    pub provider: MemberId,
    /// The credential type.
    pub vct: String,
    /// The claims, dotted.
    pub claims: Vec<String>,
    /// The purpose's code.
    pub purpose: u16,
    /// Whose signatures hold.
    pub signers: Vec<MemberId>,
}

/// A receipt that is still not anchored after this time is late: members anchor within seconds.
pub const ANCHOR_LATE: DurationMs = DurationMs(10 * 60_000);

impl AccessLine {
    /// Whether what is still missing at `checked` should have come long ago.
    pub fn is_late(&self, checked: BlockTime) -> bool {
        self.verdict == Verdict::Waiting && checked.since(self.at) > ANCHOR_LATE
    }
}

/// What the wallet found out about one access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Every signature that belongs under it holds, and the ledger anchors it.
    Verified {
        /// The operation that anchors it.
        proof: Proof,
        /// When the ledger anchored it.
        anchored: BlockTime,
    },
    /// Signed, and not anchored yet: that happens within the member's interval.
    Waiting,
    /// There must be a receipt with this number, and there is none.
    Missing,
    /// The receipt is not what was signed or anchored; the stable code of what is wrong.
    Altered {
        /// Which check failed.
        code: String,
    },
}

impl Verdict {
    /// Whether the person should be warned.
    pub const fn is_bad(&self) -> bool {
        matches!(self, Self::Missing | Self::Altered { .. })
    }
}

/// How a recovery stands, for the person who lost a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryView {
    /// Its number, which the person tells the guardians.
    pub number: String,
    /// Approvals still needed.
    pub missing: u8,
    /// Whether new credentials are here.
    pub done: bool,
    /// Until when no new consents are taken.
    pub cooldown_until: Option<BlockTime>,
}

/// The guardians as the person who named them is reminded of them. Personal: never printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardiansView {
    /// The last three characters of each personal number.
    pub fin_ends: [String; 3],
    /// Since when.
    pub named: BlockTime,
}

/// A passkey as its owner knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyView {
    /// The credential's id in hexadecimal digits.
    pub id: String,
    /// What the owner calls it; empty if nothing.
    pub name: String,
    /// Since when.
    pub added: BlockTime,
}
