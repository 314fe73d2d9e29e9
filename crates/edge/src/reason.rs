//! The ISO 20022 reasons that the edge itself gives.
//!
//! Source: external code list `ExternalStatusReason1Code`.

use etibar_ledger::{Outcome, operation::ReasonCode};

/// `AB05`: time-out at the creditor's agent: it did not answer before the hard limit.
pub const CREDITOR_TIMEOUT: ReasonCode = ReasonCode(*b"AB05");
/// `AB06`: time-out at the instructed agent: the payload did not come in time.
pub const PAYLOAD_TIMEOUT: ReasonCode = ReasonCode(*b"AB06");
/// `AB08`: the creditor's agent is off-line: it took no payload before the hard limit.
pub const CREDITOR_OFFLINE: ReasonCode = ReasonCode(*b"AB08");
/// `AB10`: an error at the instructed agent: its books did not answer in time.
pub const CORE_ERROR: ReasonCode = ReasonCode(*b"AB10");
/// `AC01`: the account number is wrong.
pub const ACCOUNT_WRONG: ReasonCode = ReasonCode(*b"AC01");
/// `AC02`: the debtor's account number is wrong.
pub const DEBTOR_ACCOUNT_WRONG: ReasonCode = ReasonCode(*b"AC02");
/// `AC03`: the creditor's account number is wrong.
pub const CREDITOR_ACCOUNT_WRONG: ReasonCode = ReasonCode(*b"AC03");
/// `AC04`: the account is closed.
pub const ACCOUNT_CLOSED: ReasonCode = ReasonCode(*b"AC04");
/// `AC06`: the account is blocked.
pub const ACCOUNT_BLOCKED: ReasonCode = ReasonCode(*b"AC06");
/// `AGNT`: an agent of the message is not one that this payment can have.
pub const AGENT_WRONG: ReasonCode = ReasonCode(*b"AGNT");
/// `AM02`: above the largest amount of the scheme.
pub const AMOUNT_ABOVE_LIMIT: ReasonCode = ReasonCode(*b"AM02");
/// `AM04`: not enough money.
pub const NO_FUNDS: ReasonCode = ReasonCode(*b"AM04");
/// `AM09`: the amount is not the one that was agreed: payload and reserve differ.
pub const AMOUNT_DIFFERS: ReasonCode = ReasonCode(*b"AM09");
/// `BE23`: the alias is not registered.
pub const ALIAS_UNKNOWN: ReasonCode = ReasonCode(*b"BE23");
/// `DUPL`: the UETR was used for another payment.
pub const DUPLICATE: ReasonCode = ReasonCode(*b"DUPL");
/// `FF01`: the content is not what was agreed or cannot be read.
pub const CONTENT_WRONG: ReasonCode = ReasonCode(*b"FF01");
/// `FRAD`: the screening stopped it.
pub const SCREENED: ReasonCode = ReasonCode(*b"FRAD");
/// `MS03`: no reason given.
pub const UNSPECIFIED: ReasonCode = ReasonCode(*b"MS03");
/// `RC01`: the agent's identifier is none of a participant.
pub const AGENT_UNKNOWN: ReasonCode = ReasonCode(*b"RC01");

/// The reason that a pacs.002 gives for a refusal by the ledger.
pub fn of_outcome(outcome: Outcome) -> ReasonCode {
    ReasonCode::new(outcome.iso_reason()).unwrap_or(UNSPECIFIED)
}
