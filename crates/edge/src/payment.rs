//! Payments as the edge keeps them, and the places they can be in.

use std::{fmt, sync::Arc};

use etibar_ledger::{
    Operation,
    operation::{Action, OPERATION_BYTES, ReasonCode, Transfer},
};
use etibar_primitives::{Amount, BlockTime, Digest, MemberId, OperationId};
use serde::{Deserialize, Serialize};

macro_rules! states {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$variant_doc:meta])* $variant:ident = $code:literal, $label:literal;)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// The number in the store. Frozen.
            pub const fn code(self) -> i64 {
                match self { $(Self::$variant => $code,)* }
            }

            /// The state of a number, or `None`.
            pub const fn from_code(code: i64) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }

            /// The stable name in interfaces.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $label,)* }
            }
        }
    };
}

states! {
    /// Where a payment of the member's own customer is.
    OutgoingState {
        /// Written down; the customer's money is not held yet.
        Received = 0, "received";
        /// The money is held; the payload is on its way to the creditor's edge. The ledger cannot
        /// know of it.
        Held = 1, "held";
        /// The reserve may have reached the ledger: from here only the ledger ends the payment.
        Submitted = 2, "submitted";
        /// The ledger certified the reserve.
        Reserved = 3, "reserved";
        /// The ledger settled it; the core banking is being told.
        Settling = 4, "settling";
        /// Done. Terminal.
        Settled = 5, "settled";
        /// Rejected; the held money is being released.
        Releasing = 6, "releasing";
        /// Rejected and released. Terminal.
        Rejected = 7, "rejected";
    }
}

states! {
    /// Where a payment in favour of the member's customer is.
    IncomingState {
        /// Its payload has come; no reserve stands for it yet.
        Announced = 0, "announced";
        /// Its reserve is certified; the payload has not come.
        Awaiting = 1, "awaiting";
        /// Both are there; the core banking is asked for the account.
        Checking = 2, "checking";
        /// Answered: post.
        Posting = 3, "posting";
        /// Answered: void.
        Voiding = 4, "voiding";
        /// The ledger settled it; the core banking credits the customer.
        Crediting = 5, "crediting";
        /// Done. Terminal.
        Credited = 6, "credited";
        /// Refused by this bank. Terminal.
        Refused = 7, "refused";
        /// The reserve lapsed before an answer settled it. Terminal.
        Lapsed = 8, "lapsed";
        /// A payload for which no reserve ever came. Terminal.
        Forgotten = 9, "forgotten";
    }
}

/// An account number of a customer. Personal: no `Display`, redacted `Debug`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerAccount(Arc<str>);

/// The references of a payment's message, which a pacs.002 repeats. They name nobody.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct References {
    /// `MsgId` of the message that held it.
    pub message_id: String,
    /// Its message definition, such as `pacs.008.001.08`.
    pub message_name: String,
    /// Its `CreDtTm`.
    pub message_created: Option<BlockTime>,
    /// `InstrId`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub instruction_id: Option<String>,
    /// `EndToEndId`.
    pub end_to_end_id: String,
    /// `TxId`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub transaction_id: Option<String>,
}

/// The content that travels sealed: the message and the salt of its commitment.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload {
    /// 32 random bytes.
    pub salt: [u8; 32],
    /// One pacs.008 with one payment. Personal.
    pub document: Arc<[u8]>,
}

/// How the ledger ended a payment: the operation whose receipt proves it, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// Who submitted that operation.
    pub submitter: MemberId,
    /// Its id.
    pub operation: OperationId,
    /// The time of the block.
    pub time: BlockTime,
}

/// A payment of the member's own customer.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The payment's id everywhere; the id of its reserve.
    pub uetr: OperationId,
    /// Where it is.
    pub state: OutgoingState,
    /// Why it was rejected.
    pub reason: Option<ReasonCode>,
    /// What the core's order said: the same UETR with another fingerprint is another order.
    pub fingerprint: Digest,
    /// How much.
    pub amount: Amount,
    /// The creditor's agent; member 0 when refused before one was known.
    pub creditor: MemberId,
    /// When the edge took it in.
    pub created: BlockTime,
    /// The hard limit: when its reserve lapses.
    pub expires: BlockTime,
    /// The reserve's bytes.
    pub operation: [u8; OPERATION_BYTES],
    /// The debtor's account.
    pub account: CustomerAccount,
    /// What a pacs.002 repeats.
    pub references: References,
    /// The payload, kept in memory until the creditor's edge has it.
    pub payload: Option<Payload>,
    /// How the ledger ended it.
    pub proof: Option<Proof>,
}

/// Which incoming payment: UETRs are unique for each debtor's agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncomingKey {
    /// The debtor's agent.
    pub debtor: MemberId,
    /// The payment's id.
    pub uetr: OperationId,
}

/// A payment in favour of the member's customer.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Which.
    pub key: IncomingKey,
    /// Where it is.
    pub state: IncomingState,
    /// Why it was refused.
    pub reason: Option<ReasonCode>,
    /// How much: the reserve's, or the payload's before there is one.
    pub amount: Amount,
    /// When this edge first heard of it, in milliseconds of its own clock.
    pub seen: BlockTime,
    /// The certified reserve.
    pub reserve: Option<[u8; OPERATION_BYTES]>,
    /// Post or void.
    pub answer: Option<[u8; OPERATION_BYTES]>,
    /// Whom to credit.
    pub account: Option<CustomerAccount>,
    /// What the payload says, kept in memory until the payment is answered.
    pub announcement: Option<Announcement>,
    /// How the ledger ended it.
    pub proof: Option<Proof>,
}

/// A payload as this edge read it.
#[derive(Debug, Clone)]
pub struct Announcement {
    /// The content itself.
    pub payload: Payload,
    /// What the payload commits to: must be the reserve's.
    pub commitment: Digest,
    /// What the message says, or why it cannot be used.
    pub terms: Result<Terms, ReasonCode>,
}

/// What a payload's message says about the money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// `IntrBkSttlmAmt`.
    pub amount: Amount,
    /// The member that the debtor's agent is.
    pub debtor_agent: MemberId,
    /// Whom to credit.
    pub account: CustomerAccount,
    /// The creditor's name, for the screening.
    pub creditor_name: Option<PersonName>,
}

/// A person's or company's name. Personal: no `Display`, redacted `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonName(Arc<str>);

impl OutgoingState {
    /// Whether nothing will change any more.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Settled | Self::Rejected)
    }
}

impl IncomingState {
    /// Whether nothing will change any more.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Credited | Self::Refused | Self::Lapsed | Self::Forgotten)
    }
}

impl CustomerAccount {
    /// The account of a number.
    pub fn new(number: &str) -> Self {
        Self(number.into())
    }

    /// The number, for the book and for messages; never for a log or an error.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CustomerAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomerAccount(redacted)")
    }
}

impl PersonName {
    /// The name.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name, for the screening only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonName(redacted)")
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes, redacted)", self.document.len())
    }
}

impl Incoming {
    /// The reserve as an operation, once it is certified.
    pub fn reserve(&self) -> Option<Transfer> {
        self.reserve.as_ref().and_then(transfer_of)
    }
}

/// The transfer in an operation's bytes, if it is one.
pub(crate) fn transfer_of(bytes: &[u8; OPERATION_BYTES]) -> Option<Transfer> {
    match Operation::decode(bytes).ok()?.action {
        Action::Transfer(_, transfer) => Some(transfer),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_numbers_lead_back_to_their_state() {
        for code in 0..8 {
            assert_eq!(OutgoingState::from_code(code).map(OutgoingState::code), Some(code));
        }
        for code in 0..10 {
            assert_eq!(IncomingState::from_code(code).map(IncomingState::code), Some(code));
        }
        assert_eq!(OutgoingState::from_code(8), None);
        assert_eq!(IncomingState::from_code(10), None);
    }

    #[test]
    fn what_is_personal_does_not_show_in_debug_output() {
        let account = CustomerAccount::new("AZ21NABZ00000000137010001944");
        let payload = Payload { salt: [0; 32], document: b"<Synthetic/>".as_slice().into() };
        let shown = format!("{account:?} {:?} {payload:?}", PersonName::new("Synthetic Person"));
        assert!(!shown.contains("NABZ") && !shown.contains("Synthetic"), "{shown}");
    }
}
