//! What a payment's status is called outside.

use etibar_ledger::operation::ReasonCode;

use crate::payment::{IncomingState, OutgoingState};

/// The status of a payment in the words of ISO 20022.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentStatus {
    /// `PDNG`: nothing final yet.
    Pending,
    /// `ACSC`: settled in central-bank money.
    Settled,
    /// `ACCC`: settled, and the creditor's account is credited.
    Credited,
    /// `RJCT`: rejected; no money moved or will.
    Rejected(ReasonCode),
}

impl PaymentStatus {
    /// The code of `ExternalPaymentTransactionStatus1Code`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pending => "PDNG",
            Self::Settled => "ACSC",
            Self::Credited => "ACCC",
            Self::Rejected(_) => "RJCT",
        }
    }

    /// Why it was rejected.
    pub const fn reason(self) -> Option<ReasonCode> {
        match self {
            Self::Rejected(reason) => Some(reason),
            _ => None,
        }
    }

    /// Whether this will not change any more.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Pending)
    }

    pub(crate) fn of(code: &str, reason: Option<ReasonCode>) -> Option<Self> {
        Some(match code {
            "PDNG" => Self::Pending,
            "ACSC" => Self::Settled,
            "ACCC" => Self::Credited,
            "RJCT" => Self::Rejected(reason?),
            _ => return None,
        })
    }

    /// The status of a payment of the member's own customer.
    pub fn of_outgoing(state: OutgoingState, reason: Option<ReasonCode>) -> Self {
        match state {
            OutgoingState::Settling | OutgoingState::Settled => Self::Settled,
            OutgoingState::Releasing | OutgoingState::Rejected => {
                Self::Rejected(reason.unwrap_or(crate::reason::UNSPECIFIED))
            }
            _ => Self::Pending,
        }
    }

    /// The status of a payment in favour of the member's customer.
    pub fn of_incoming(state: IncomingState, reason: Option<ReasonCode>) -> Self {
        match state {
            IncomingState::Crediting => Self::Settled,
            IncomingState::Credited => Self::Credited,
            IncomingState::Refused | IncomingState::Lapsed | IncomingState::Forgotten => {
                Self::Rejected(reason.unwrap_or(crate::reason::UNSPECIFIED))
            }
            _ => Self::Pending,
        }
    }
}
