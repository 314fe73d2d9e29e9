//! Why something did not work, with stable codes.

use etibar_primitives::OperationId;

use crate::verify::{PageError, ReceiptError};

/// What a validator, or the way to it, had against a request. Kept as the last cause when a
/// deadline ends the attempts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// No connection, or it broke, or no answer in time.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// The validator has no room now.
    #[error("overloaded")]
    Overloaded,
    /// The answer is none of this interface.
    #[error("an answer that is none: {0}")]
    Answer(String),
    /// The validator is put aside after an earlier failure.
    #[error("every validator is put aside after earlier failures")]
    PutAside,
}

/// Why a transaction was not taken in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// No operation, or more than [`etibar_ledger::transaction::OPERATIONS_MAX`].
    #[error("a transaction has 1 to 8,190 operations, not {0}")]
    Count(usize),
    /// A validator refused it and others will too.
    #[error("refused by a validator: {code}: {detail}")]
    Refused {
        /// The stable code, such as `key_not_active`.
        code: String,
        /// For people.
        detail: String,
    },
    /// No validator took it in within the deadline. It may still be executed until its validity
    /// ends: submit the same operations again, under the same ids.
    #[error("no validator took the transaction in before the deadline: {0}")]
    Deadline(Cause),
}

impl SubmitError {
    /// The stable code in interfaces; a validator's refusal keeps the validator's code.
    pub fn code(&self) -> &str {
        match self {
            Self::Count(_) => "operation_count",
            Self::Refused { code, .. } => code,
            Self::Deadline(Cause::Overloaded) => "overloaded",
            Self::Deadline(_) => "validators_unreachable",
        }
    }

    /// Whether the same operations may go through later.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Deadline(_))
    }
}

/// Why something could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// A validator refused to answer and others will too.
    #[error("refused by a validator: {code}: {detail}")]
    Refused {
        /// The stable code, such as `not_authorised`.
        code: String,
        /// For people.
        detail: String,
    },
    /// No validator answered.
    #[error("no validator answered: {0}")]
    Unreachable(Cause),
    /// A receipt came that proves nothing.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
}

impl ReadError {
    /// The stable code in interfaces; a validator's refusal keeps the validator's code.
    pub fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            Self::Unreachable(Cause::Overloaded) => "overloaded",
            Self::Unreachable(_) => "validators_unreachable",
            Self::Receipt(error) => error.code(),
        }
    }
}

/// Why there is no proof of what became of an operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExecuteError {
    /// More than [`crate::EXECUTE_OPERATIONS_MAX`] operations.
    #[error("at most 64 operations are executed by one call, not {0}")]
    Count(usize),
    /// No validator took the operations in.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The receipt could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The id was used for another operation, which has its own receipt: choose another id.
    #[error("operation {0} was another one before")]
    IdTaken(OperationId),
    /// The operation was taken in, but its outcome was not certified before the deadline. It may
    /// still be executed: execute the same operation again, under the same id.
    #[error("the outcome of operation {0} was not certified before the deadline")]
    Deadline(OperationId),
}

impl ExecuteError {
    /// The stable code in interfaces; a validator's refusal keeps the validator's code.
    pub fn code(&self) -> &str {
        match self {
            Self::Count(_) => "operation_count",
            Self::Submit(error) => error.code(),
            Self::Read(error) => error.code(),
            Self::IdTaken(_) => "operation_id_taken",
            Self::Deadline(_) => "outcome_not_certified",
        }
    }

    /// Whether the same operation may go through later.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Submit(error) => error.is_transient(),
            Self::Read(error) => matches!(error, ReadError::Unreachable(_)),
            Self::Deadline(_) => true,
            Self::Count(_) | Self::IdTaken(_) => false,
        }
    }
}

/// Why the stream of events has nothing to give now. The stream stays where it is: ask again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventsError {
    /// No validator answered for a while.
    #[error("no validator answers: {0}")]
    Unreachable(Cause),
    /// Every validator that answers refuses, such as `pruned` or `key_not_active`.
    #[error("refused by a validator: {code}: {detail}")]
    Refused {
        /// The stable code.
        code: String,
        /// For people.
        detail: String,
    },
    /// The validators that answer prove nothing.
    #[error("no validator gives a valid proof: {0}")]
    Proof(#[from] PageError),
}

impl EventsError {
    /// The stable code in interfaces; a validator's refusal keeps the validator's code.
    pub fn code(&self) -> &str {
        match self {
            Self::Unreachable(_) => "validators_unreachable",
            Self::Refused { code, .. } => code,
            Self::Proof(error) => error.code(),
        }
    }
}
