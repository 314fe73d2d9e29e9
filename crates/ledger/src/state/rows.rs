//! The rows of the ledger's tables.

use alloc::vec::Vec;

use etibar_primitives::{
    AccountId, Amount, BlockTime, Currency, MemberId,
    codec::{DecodeError, Reader, Writer},
    key::PublicKey,
};

use super::{memory::OperationKey, record::Record};
use crate::operation::{
    AccountKind, AccountStatus, Bic, MemberRole, MemberStatus, OPERATION_BYTES, Parameter,
    read_currency,
};

mod registry;

pub use registry::{Alias, Consent, Evidence, Issuer, Obligation, Purpose, StatusList};

/// The most keys a member may have at once.
pub(crate) const KEYS_MAX: usize = 16;
/// The most future values a parameter may have at once.
pub(crate) const CHANGES_MAX: usize = 16;

/// A member organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// What it is.
    pub role: MemberRole,
    /// Whether it may act.
    pub status: MemberStatus,
    /// Its code in messages.
    pub bic: Bic,
    /// The keys that speak for it, at most 16.
    pub keys: Vec<MemberKey>,
}

/// A key that speaks for a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberKey {
    /// The key.
    pub key: PublicKey,
    /// From when.
    pub valid_from: BlockTime,
    /// Until before when.
    pub valid_until: BlockTime,
}

/// An account: double entry, in minor units since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Who may debit it.
    pub owner: MemberId,
    /// What it is for.
    pub kind: AccountKind,
    /// Whether it may move money.
    pub status: AccountStatus,
    /// Its one currency.
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
}

/// An open reserve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserve {
    /// The account that will pay.
    pub debit: AccountId,
    /// The account that will receive.
    pub credit: AccountId,
    /// How much is set aside.
    pub amount: Amount,
    /// When it lapses.
    pub expires: BlockTime,
    /// The reserve operation, for its parties' events.
    pub operation: [u8; OPERATION_BYTES],
}

/// A parameter's values, by rising effective date; the last past one and the future ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParameterHistory {
    /// When each value takes effect, and the value.
    pub values: Vec<(BlockTime, u64)>,
}

/// Money created and taken away, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// All that was issued.
    pub issued: u64,
    /// All that was redeemed.
    pub redeemed: u64,
}

impl Member {
    /// Whether `key` speaks for this member at `time`.
    pub fn speaks(&self, key: &PublicKey, time: BlockTime) -> bool {
        let active = |its: &MemberKey| its.valid_from <= time && time < its.valid_until;
        self.keys.iter().any(|its| its.key == *key && active(its))
    }
}

impl Account {
    /// A new account.
    pub const fn new(owner: MemberId, kind: AccountKind, currency: Currency) -> Self {
        Self {
            owner,
            kind,
            status: AccountStatus::Open,
            currency,
            floor: Amount::ZERO,
            debits_posted: 0,
            credits_posted: 0,
            debits_pending: 0,
            credits_pending: 0,
        }
    }

    /// Settled credits less settled debits, in minor units.
    pub fn balance(&self) -> i128 {
        i128::from(self.credits_posted) - i128::from(self.debits_posted)
    }

    /// The balance less what is reserved, in minor units.
    pub fn available(&self) -> i128 {
        self.balance() - i128::from(self.debits_pending)
    }

    /// Whether this account may stand below zero: only the issue accounts.
    pub fn may_be_negative(&self) -> bool {
        self.kind == AccountKind::Issue
    }
}

impl ParameterHistory {
    /// The value in force at `time`, or `None` before the first.
    pub fn at(&self, time: BlockTime) -> Option<u64> {
        self.values.iter().rev().find(|(from, _)| *from <= time).map(|(_, value)| *value)
    }
}

impl Record for Member {
    const TAG: u8 = 1;
    type Key = MemberId;

    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(self.role.code());
        out.put_u8(self.status.code());
        out.put(&self.bic.to_bytes());
        out.put_count(self.keys.len());
        for key in &self.keys {
            out.put(&key.key.0);
            out.put_u64(key.valid_from.0);
            out.put_u64(key.valid_until.0);
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let role = MemberRole::decode(reader)?;
        let status = MemberStatus::decode(reader)?;
        let bic = Bic::decode(reader)?;
        let count = reader.count(KEYS_MAX, "keys")?;
        let key = |reader: &mut Reader<'_>| {
            Ok(MemberKey {
                key: PublicKey(reader.array()?),
                valid_from: reader.time()?,
                valid_until: reader.time()?,
            })
        };
        let keys = (0..count).map(|_| key(reader)).collect::<Result<_, _>>()?;
        Ok(Self { role, status, bic, keys })
    }
}

impl Record for Account {
    const TAG: u8 = 2;
    type Key = AccountId;

    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u32(self.owner.0);
        out.put_u8(self.kind.code());
        out.put_u8(self.status.code());
        out.put(&self.currency.code());
        out.put_u64(self.floor.minor_units());
        out.put_u64(self.debits_posted);
        out.put_u64(self.credits_posted);
        out.put_u64(self.debits_pending);
        out.put_u64(self.credits_pending);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            owner: reader.member()?,
            kind: AccountKind::decode(reader)?,
            status: AccountStatus::decode(reader)?,
            currency: read_currency(reader)?,
            floor: reader.amount()?,
            debits_posted: reader.u64()?,
            credits_posted: reader.u64()?,
            debits_pending: reader.u64()?,
            credits_pending: reader.u64()?,
        })
    }
}

impl Record for Reserve {
    const TAG: u8 = 3;
    type Key = OperationKey;

    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u64(self.debit.0);
        out.put_u64(self.credit.0);
        out.put_u64(self.amount.minor_units());
        out.put_u64(self.expires.0);
        out.put(&self.operation);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            debit: reader.account()?,
            credit: reader.account()?,
            amount: reader.amount()?,
            expires: reader.time()?,
            operation: reader.array()?,
        })
    }
}

impl Record for ParameterHistory {
    const TAG: u8 = 4;
    type Key = Parameter;

    fn encode(&self, out: &mut Vec<u8>) {
        out.put_count(self.values.len());
        for (from, value) in &self.values {
            out.put_u64(from.0);
            out.put_u64(*value);
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = reader.count(CHANGES_MAX + 1, "parameter values")?;
        let value = |reader: &mut Reader<'_>| Ok((reader.time()?, reader.u64()?));
        let values = (0..count).map(|_| value(reader)).collect::<Result<_, _>>()?;
        Ok(Self { values })
    }
}

impl Record for Totals {
    const TAG: u8 = 9;
    type Key = Currency;

    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u64(self.issued);
        out.put_u64(self.redeemed);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { issued: reader.u64()?, redeemed: reader.u64()? })
    }
}
