//! Movements of money between two accounts of the ledger.

use core::fmt;

use super::{
    AccountId, Amount, BlockTime, DecodeError, Digest, MemberId, OperationId, Reader, Writer,
};

/// How a transfer moves money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TransferKind {
    /// Debits and credits at once. Signed by the debit account's owner.
    Direct,
    /// Sets the amount aside until it is posted, voided or expired. Signed by the debit account's
    /// owner.
    Reserve,
    /// Completes a reserve, in full or for less. Signed by the credit account's owner.
    Post,
    /// Releases a reserve. Signed by the credit account's owner.
    Void,
    /// Creates central-bank money on the ledger. Signed by the operator.
    Issue,
    /// Takes central-bank money off the ledger. Signed by the debit account's owner.
    Redeem,
}

/// An ISO 20022 external status reason of four characters, such as `AC04`, or none (zeros).
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct ReasonCode(pub [u8; 4]);

/// The body of every transfer kind.
///
/// Fields that a kind does not use are zero: `pending` is for post and void, `expires` for
/// reserve, `reason` for void.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// The reserve that a post or a void ends.
    pub pending: OperationId,
    /// The account that pays.
    pub debit: AccountId,
    /// The account that receives.
    pub credit: AccountId,
    /// How much, in minor units. A post of less than was reserved releases the rest.
    pub amount: Amount,
    /// When the submitter made the order; an order older than the ledger's memory is refused, so
    /// the same order is never done twice.
    pub created: BlockTime,
    /// When a reserve lapses, in block time.
    pub expires: BlockTime,
    /// Why a reserve is voided.
    pub reason: ReasonCode,
    /// The participant behind the debit account's owner, or zero.
    pub debtor_agent: MemberId,
    /// The participant behind the credit account's owner, or zero.
    pub creditor_agent: MemberId,
    /// A salted commitment to the payment's message, or zeros.
    pub commitment: Digest,
}

impl TransferKind {
    /// Whether this gives reserved money back, which even a suspended member may do.
    pub(crate) const fn releases(self) -> bool {
        matches!(self, Self::Void)
    }

    pub(super) const fn code(self) -> u16 {
        match self {
            Self::Direct => 1,
            Self::Reserve => 2,
            Self::Post => 3,
            Self::Void => 4,
            Self::Issue => 5,
            Self::Redeem => 6,
        }
    }

    pub(super) const fn from_code(code: u16) -> Option<Self> {
        Some(match code {
            1 => Self::Direct,
            2 => Self::Reserve,
            3 => Self::Post,
            4 => Self::Void,
            5 => Self::Issue,
            6 => Self::Redeem,
            _ => return None,
        })
    }
}

impl ReasonCode {
    /// The code of four capital letters or digits, or `None`.
    pub fn new(text: &str) -> Option<Self> {
        let code: [u8; 4] = text.as_bytes().try_into().ok()?;
        let valid = code.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        valid.then_some(Self(code))
    }

    /// The four characters, or an empty text for none.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default().trim_end_matches('\0')
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let code: [u8; 4] = reader.array()?;
        let letters = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        if code == [0; 4] || code.iter().all(letters) {
            Ok(Self(code))
        } else {
            Err(DecodeError::OutOfRange("reason code"))
        }
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl Transfer {
    pub(super) const BYTES: usize = 16 + 5 * 8 + 4 + 2 * 4 + 32;

    /// A transfer of `amount` with every other field empty.
    pub const fn new(debit: AccountId, credit: AccountId, amount: Amount, at: BlockTime) -> Self {
        Self {
            pending: OperationId(0),
            debit,
            credit,
            amount,
            created: at,
            expires: BlockTime(0),
            reason: ReasonCode([0; 4]),
            debtor_agent: MemberId(0),
            creditor_agent: MemberId(0),
            commitment: Digest::ZERO,
        }
    }

    pub(super) fn encode(&self, out: &mut impl Writer) {
        out.put(&self.pending.to_bytes());
        out.put_u64(self.debit.0);
        out.put_u64(self.credit.0);
        out.put_u64(self.amount.minor_units());
        out.put_u64(self.created.0);
        out.put_u64(self.expires.0);
        out.put(&self.reason.0);
        out.put_u32(self.debtor_agent.0);
        out.put_u32(self.creditor_agent.0);
        out.put(&self.commitment.0);
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            pending: reader.operation()?,
            debit: reader.account()?,
            credit: reader.account()?,
            amount: reader.amount()?,
            created: reader.time()?,
            expires: reader.time()?,
            reason: ReasonCode::decode(reader)?,
            debtor_agent: reader.member()?,
            creditor_agent: reader.member()?,
            commitment: reader.digest()?,
        })
    }
}
