//! The JSON of the validators' interface, as both sides know it.
//!
//! Amounts are minor units as JSON numbers: all are below 2^53. Digests and keys are lower-case
//! hexadecimal. Unknown fields are ignored, so that a newer validator may say more.

use etibar_ledger::{
    Outcome,
    operation::{AccountKind, AccountStatus, Bic, MemberRole, MemberStatus},
    state::{Account, Known, OperationKey, ReserveEnd},
};
use etibar_primitives::{
    AccountId, Amount, BlockTime, Currency, Digest, MemberId, OperationId, key::PublicKey,
};
use serde::{Deserialize, Serialize};

/// The media type of an error.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// An error answer.
///
/// Source: RFC 9457, with our stable `code` as an extension member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `urn:etibar:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status' name.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable code.
    pub code: String,
    /// For people; holds no personal data.
    pub detail: String,
    /// When to try again, in milliseconds; with `overloaded`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// A transaction was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedView {
    /// The transaction's digest.
    pub digest: Digest,
    /// Where it is.
    pub progress: Progress,
}

/// Where a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// It waits for a block.
    Waiting,
    /// It is in a finalized block: its operations have their outcomes, or will at once.
    Finalized,
}

/// How a validator stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusView {
    /// The network's id.
    pub network: Digest,
    /// The network's name.
    pub name: String,
    /// The highest final height.
    pub height: u64,
    /// The last executed height.
    pub executed_height: u64,
    /// The highest height whose result is certified.
    pub certified_height: u64,
    /// The time of the last executed block.
    pub time: BlockTime,
    /// The state root after that block.
    pub state_root: Digest,
    /// The view that consensus is in.
    pub view: u64,
    /// Transactions that wait for a block here.
    pub waiting_transactions: u64,
    /// Their bytes.
    pub waiting_bytes: u64,
    /// The network's validators as this one sees them.
    pub validators: Vec<ValidatorView>,
}

/// A validator as another one sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidatorView {
    /// Its key.
    pub key: PublicKey,
    /// Whether there is a connection to it; absent when this is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected: Option<bool>,
}

/// What is known of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationView {
    /// Who submitted it.
    pub submitter: MemberId,
    /// Its id.
    pub operation: OperationId,
    /// Its kind on the wire.
    pub kind: u16,
    /// Its outcome; never changes.
    #[serde(with = "outcome_name")]
    pub outcome: Outcome,
    /// The ISO 20022 reason of the outcome; empty when it is no reason to reject.
    #[serde(default)]
    pub iso_reason: String,
    /// Its amount in minor units; zero when it moves no money.
    pub amount: Amount,
    /// The height of the block that executed it.
    pub height: u64,
    /// Whether the outcome is certified, hence has a receipt.
    pub certified: bool,
    /// Of a reserve that ended: how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<EndView>,
}

/// How a reserve ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndView {
    /// How.
    pub how: End,
    /// At which height.
    pub height: u64,
}

/// The ways in which a reserve ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Completed.
    Posted,
    /// Released by the creditor.
    Voided,
    /// Lapsed.
    Expired,
}

/// An account after the last executed block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// Its id.
    pub id: AccountId,
    /// Who may debit it.
    pub owner: MemberId,
    /// What it is for.
    pub kind: AccountKind,
    /// Whether it may move money.
    pub status: AccountStatus,
    /// Its currency.
    #[serde(with = "currency_code")]
    pub currency: Currency,
    /// What the owner keeps available.
    pub floor: Amount,
    /// All debits that settled.
    pub debits_posted: u64,
    /// All credits that settled.
    pub credits_posted: u64,
    /// Debits reserved and open.
    pub debits_pending: u64,
    /// Credits reserved and open.
    pub credits_pending: u64,
    /// Settled credits less settled debits; below zero for an issue account only.
    pub balance: i64,
    /// The balance less what is reserved.
    pub available: i64,
}

/// Where an alias points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasView {
    /// The keyed tag.
    pub tag: Digest,
    /// The participant whose customer holds the alias.
    pub member: MemberId,
    /// The participant's random handle of the account, 32 hexadecimal digits.
    pub locator: String,
    /// When it was registered.
    pub since: BlockTime,
}

/// A member of the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberView {
    /// Its id.
    pub id: MemberId,
    /// What it is.
    pub role: MemberRole,
    /// Its code in messages.
    pub bic: Bic,
    /// Whether it may act.
    pub status: MemberStatus,
    /// The organisation's name when the genesis tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A block in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockView {
    /// Its height.
    pub height: u64,
    /// Its digest.
    pub digest: Digest,
    /// Its time.
    pub time: BlockTime,
    /// Who proposed it.
    pub leader: PublicKey,
    /// In which view.
    pub view: u64,
    /// How many transactions it holds.
    pub transactions: u32,
    /// Their bytes.
    pub body_bytes: u32,
    /// How many operations got an outcome.
    pub operations: u64,
    /// How many of these were accepted.
    pub accepted: u64,
    /// The state root after it.
    pub state_root: Digest,
    /// The root of its receipts.
    pub receipts_root: Digest,
}

mod registry;

pub use registry::{
    ConsentView, EvidenceView, IssuerView, NetPositionView, ObligationView, ObligationsView,
    PurposeView, StatusListView,
};

impl OperationView {
    /// What the ledger knows, as the interface shows it. `certified_height` is the highest height
    /// whose result is certified.
    pub fn new(key: OperationKey, known: &Known, certified_height: u64) -> Self {
        let end = |(how, height)| EndView { how: End::from(how), height };
        Self {
            submitter: key.submitter,
            operation: key.id,
            kind: known.kind,
            outcome: known.outcome,
            iso_reason: known.outcome.iso_reason().to_owned(),
            amount: known.amount,
            height: known.height,
            certified: known.height <= certified_height,
            end: known.end.map(end),
        }
    }
}

impl From<ReserveEnd> for End {
    fn from(end: ReserveEnd) -> Self {
        match end {
            ReserveEnd::Posted => Self::Posted,
            ReserveEnd::Voided => Self::Voided,
            ReserveEnd::Expired => Self::Expired,
        }
    }
}

impl AccountView {
    /// An account, as the interface shows it.
    ///
    /// # Panics
    /// When a balance leaves the range of an amount, which the ledger refuses.
    pub fn new(id: AccountId, account: &Account) -> Self {
        let range = "the ledger keeps every balance within an amount";
        Self {
            id,
            owner: account.owner,
            kind: account.kind,
            status: account.status,
            currency: account.currency,
            floor: account.floor,
            debits_posted: account.debits_posted,
            credits_posted: account.credits_posted,
            debits_pending: account.debits_pending,
            credits_pending: account.credits_pending,
            balance: i64::try_from(account.balance()).expect(range),
            available: i64::try_from(account.available()).expect(range),
        }
    }
}

/// An outcome by its stable name.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
mod outcome_name {
    use etibar_ledger::Outcome;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(
        outcome: &Outcome,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(outcome.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Outcome, D::Error> {
        let name = String::deserialize(deserializer)?;
        let found = Outcome::ALL.iter().find(|outcome| outcome.name() == name);
        found.copied().ok_or_else(|| D::Error::custom("unknown outcome"))
    }
}

/// A currency by its three letters.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
mod currency_code {
    use etibar_primitives::Currency;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(
        currency: &Currency,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(currency)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Currency, D::Error> {
        let code = String::deserialize(deserializer)?;
        let letters = code.as_bytes().try_into().ok();
        letters.and_then(Currency::new).ok_or_else(|| D::Error::custom("unknown currency"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_keeps_its_outcome_through_json() {
        let known = Known {
            kind: 2,
            outcome: Outcome::Accepted,
            amount: Amount::MAX,
            fingerprint: 0,
            height: 7,
            end: Some((ReserveEnd::Expired, 9)),
        };
        let key = OperationKey { id: OperationId(5), submitter: MemberId(2) };
        let view = OperationView::new(key, &known, 7);
        let text = serde_json::to_string(&view).expect("plain data");
        assert_eq!(serde_json::from_str::<OperationView>(&text).expect("our own text"), view);
        assert!(text.contains(r#""how":"expired""#));
        assert!(view.certified);
        assert!(!OperationView::new(key, &known, 6).certified);
    }

    #[test]
    fn an_account_shows_what_is_left_after_reserves() {
        let mut account = Account::new(MemberId(2), AccountKind::Prefund, Currency::AZN);
        (account.credits_posted, account.debits_posted, account.debits_pending) = (900, 200, 300);
        let view = AccountView::new(AccountId(2002), &account);
        assert_eq!((view.balance, view.available), (700, 400));
        let text = serde_json::to_string(&view).expect("plain data");
        assert!(text.contains(r#""currency":"AZN""#));
        assert_eq!(serde_json::from_str::<AccountView>(&text).expect("our own text"), view);
    }
}
