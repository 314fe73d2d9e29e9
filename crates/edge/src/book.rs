//! The bank's own books, as the edge needs them: a trait that a core banking system implements,
//! and a small account book that stands in for one.

use etibar_ledger::operation::ReasonCode;
use etibar_primitives::{Amount, OperationId};
use futures::future::BoxFuture;

use crate::payment::{CustomerAccount, IncomingKey, PersonName};

mod opening;
mod sample;

pub use sample::{SampleAccount, SampleBook, sample_accounts};

/// One thing that the edge asks of the books. Orders are repeated after a lost answer or a crash,
/// so each is done once for its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BookOrder {
    /// Sets a customer's money aside. May be refused: no such account, closed, blocked, no money.
    Hold {
        /// The payment.
        id: OperationId,
        /// Whose money.
        account: CustomerAccount,
        /// How much.
        amount: Amount,
    },
    /// Takes held money; what is held beyond `amount` is free again. Never refused.
    Settle {
        /// The payment.
        id: OperationId,
        /// How much settled.
        amount: Amount,
    },
    /// Frees held money. Never refused; after it, a hold of the same id is refused.
    Release {
        /// The payment.
        id: OperationId,
    },
    /// Whether a customer may be credited. May be refused: no such account, closed, screened.
    Check {
        /// The payment.
        key: IncomingKey,
        /// Who would be credited.
        account: CustomerAccount,
        /// The name that the debtor gave.
        name: Option<PersonName>,
    },
    /// Credits a customer: the money is there. Never refused; what cannot be credited any more
    /// goes to the bank's suspense account, to be returned.
    Credit {
        /// The payment.
        key: IncomingKey,
        /// Whom.
        account: CustomerAccount,
        /// How much.
        amount: Amount,
    },
}

/// The books said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("refused by the books: {0}")]
pub struct Refusal(pub ReasonCode);

/// The books could not be asked; the same orders are given again later.
#[derive(Debug, thiserror::Error)]
#[error("the books do not answer")]
pub struct BookFault(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// An account as the bank's staff may see it.
#[derive(Debug, Clone)]
pub struct BookAccount {
    /// Its number.
    pub number: CustomerAccount,
    /// Whose it is.
    pub holder: PersonName,
    /// Whether it moves money.
    pub status: BookStatus,
    /// What it holds, held money included, in minor units.
    pub balance: Amount,
    /// What is set aside of that.
    pub held: Amount,
}

/// Whether a customer's account moves money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BookStatus {
    /// It does.
    Open,
    /// It takes and gives nothing for now.
    Blocked,
    /// It never will again.
    Closed,
}

impl BookStatus {
    /// The stable name in interfaces.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Blocked => "blocked",
            Self::Closed => "closed",
        }
    }

    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::Open => 0,
            Self::Blocked => 1,
            Self::Closed => 2,
        }
    }

    pub(crate) fn from_code(code: i64) -> Option<Self> {
        [Self::Open, Self::Blocked, Self::Closed].into_iter().find(|its| its.code() == code)
    }
}

/// A core banking system.
pub trait CoreBanking: Send + Sync + 'static {
    /// Does `orders` in their order and answers each, all durably before the answer.
    fn apply<'a>(
        &'a self,
        orders: &'a [BookOrder],
    ) -> BoxFuture<'a, Result<Vec<Result<(), Refusal>>, BookFault>>;

    /// The customers' accounts, by number, from the one after `after` on, at most `limit`.
    fn accounts<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<BookAccount>, BookFault>>;

    /// Opens an empty account for `holder` at the bank with this four-letter code. The same order
    /// again gets the same account.
    fn open_account<'a>(
        &'a self,
        order: OperationId,
        bank_code: &'a str,
        holder: &'a PersonName,
    ) -> BoxFuture<'a, Result<CustomerAccount, BookFault>>;
}
