//! Accounts, members, keys and the rulebook: what the operator keeps.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::{
    AccountId, Amount, BlockTime, Currency, DecodeError, MemberId, PublicKey, Reader, Writer,
};

macro_rules! coded_enum {
    ($(#[$doc:meta])* $name:ident, $what:literal {
        $($(#[$variant_doc:meta])* $variant:ident = $code:literal,)*
    }) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// The number on the wire. Frozen.
            pub const fn code(self) -> u8 {
                match self { $(Self::$variant => $code,)* }
            }

            /// Reads the number.
            pub fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                match reader.u8()? {
                    $($code => Ok(Self::$variant),)*
                    _ => Err(DecodeError::OutOfRange($what)),
                }
            }
        }
    };
}
pub(crate) use coded_enum;

coded_enum! {
    /// What an account is for.
    AccountKind, "account kind" {
        /// A participant's money at the central bank for gross settlement.
        Settlement = 1,
        /// Money a participant sets aside for instant payments.
        Prefund = 2,
        /// The other side of issued money: the only kind that may stand below zero. One for each
        /// currency, owned by the operator.
        Issue = 3,
        /// Money held for a condition.
        Escrow = 4,
        /// Fees.
        Fee = 5,
        /// The State Treasury's accounts: payments to and from them have no upper limit.
        /// Source: CBA IPS page, budget payments are exempt from the limit.
        Treasury = 6,
    }
}

coded_enum! {
    /// Whether an account may move money.
    AccountStatus, "account status" {
        /// Moves money.
        Open = 1,
        /// Takes credits; no debit.
        Frozen = 2,
        /// No movement ever again; the balance is zero.
        Closed = 3,
    }
}

coded_enum! {
    /// What a member is in the network.
    MemberRole, "member role" {
        /// The central bank: keeps the rulebook.
        Operator = 1,
        /// A participant of the payment systems.
        Bank = 2,
        /// A state agency that issues attributes.
        Agency = 3,
    }
}

coded_enum! {
    /// Whether a member may act.
    MemberStatus, "member status" {
        /// May act.
        Active = 1,
        /// May only release what is reserved in its favour; its accounts make no new debit.
        Suspended = 2,
    }
}

/// A business identifier code (ISO 9362): 8 or 11 capital letters and digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bic([u8; 11]);

/// A rulebook parameter. Its value is an unsigned integer in the unit that its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parameter {
    /// The largest instant payment, in minor units. 40,000 AZN: CBA IPS page.
    InstantAmountMax,
    /// The longest a reserve may stand, in milliseconds.
    ReserveDurationMaxMs,
    /// How long operation ids are remembered, and the largest age of an order, in milliseconds.
    IdRetentionMs,
    /// The longest validity window of a transaction, in milliseconds.
    TransactionValidityMaxMs,
    /// The longest a consent may run, in milliseconds. 90 days: CBA resolution 49/3 of 2024.
    ConsentDurationMaxMs,
    /// How long a consent is kept on the ledger after it expired, in milliseconds.
    ConsentRetentionMs,
    /// How many consents of one consumer the ledger holds, ended ones that are kept included.
    ConsentsPerMemberMax,
    /// The largest fee for the reuse of another member's due diligence, in minor units.
    ReuseFeeMax,
}

/// Opens an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountOpening {
    /// A new account id.
    pub account: AccountId,
    /// Who may debit it.
    pub owner: MemberId,
    /// What it is for.
    pub kind: AccountKind,
    /// Its one currency.
    pub currency: Currency,
}

/// An account's new status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusSetting {
    /// Which account.
    pub account: AccountId,
    /// The new status.
    pub status: AccountStatus,
}

/// An account's new floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FloorSetting {
    /// Which account.
    pub account: AccountId,
    /// What must stay available after each debit.
    pub floor: Amount,
}

/// Admits a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberAdmission {
    /// A new member id.
    pub member: MemberId,
    /// Its role; there is one operator, from the genesis.
    pub role: MemberRole,
    /// Its code in messages.
    pub bic: Bic,
}

/// Gives a member a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyGrant {
    /// Whose key.
    pub member: MemberId,
    /// The key.
    pub key: PublicKey,
    /// Before this it signs nothing.
    pub valid_from: BlockTime,
    /// From this on it signs nothing.
    pub valid_until: BlockTime,
}

/// Takes a key from a member, at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRevocation {
    /// Whose key.
    pub member: MemberId,
    /// The key.
    pub key: PublicKey,
}

/// Sets a parameter from a date on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParameterSetting {
    /// Which.
    pub parameter: Parameter,
    /// The new value.
    pub value: u64,
    /// From when; not before the block that takes it.
    pub effective_from: BlockTime,
}

impl Bic {
    /// The code of 8 or 11 characters, or `None`.
    pub fn new(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let letters = bytes.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if !letters || !matches!(bytes.len(), 8 | 11) {
            return None;
        }
        let mut code = [0; 11];
        code[..bytes.len()].copy_from_slice(bytes);
        Some(Self(code))
    }

    /// The 8 or 11 characters.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default().trim_end_matches('\0')
    }

    /// The code padded with zeros to 11 bytes.
    pub const fn to_bytes(self) -> [u8; 11] {
        self.0
    }

    /// Reads the padded code.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let code: [u8; 11] = reader.array()?;
        let length = if code[8..] == [0; 3] { 8 } else { 11 };
        core::str::from_utf8(&code[..length])
            .ok()
            .and_then(Self::new)
            .ok_or(DecodeError::OutOfRange("BIC"))
    }
}

impl fmt::Display for Bic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Bic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Bic {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Bic {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <alloc::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::new(&text).ok_or_else(|| serde::de::Error::custom("not a BIC"))
    }
}

impl Parameter {
    /// Every parameter.
    pub const ALL: [Self; 8] = [
        Self::InstantAmountMax,
        Self::ReserveDurationMaxMs,
        Self::IdRetentionMs,
        Self::TransactionValidityMaxMs,
        Self::ConsentDurationMaxMs,
        Self::ConsentRetentionMs,
        Self::ConsentsPerMemberMax,
        Self::ReuseFeeMax,
    ];

    /// The number on the wire. Frozen.
    pub const fn code(self) -> u16 {
        match self {
            Self::InstantAmountMax => 1,
            Self::ReserveDurationMaxMs => 2,
            Self::IdRetentionMs => 3,
            Self::TransactionValidityMaxMs => 4,
            Self::ConsentDurationMaxMs => 5,
            Self::ConsentRetentionMs => 6,
            Self::ConsentsPerMemberMax => 7,
            Self::ReuseFeeMax => 8,
        }
    }

    /// The value in force until somebody sets another.
    pub const fn default_value(self) -> u64 {
        const HOUR_MS: u64 = 3_600_000;
        match self {
            Self::InstantAmountMax => 4_000_000,
            Self::ReserveDurationMaxMs => 60_000,
            Self::IdRetentionMs => 25 * HOUR_MS,
            Self::TransactionValidityMaxMs => HOUR_MS,
            Self::ConsentDurationMaxMs => 90 * 24 * HOUR_MS,
            Self::ConsentRetentionMs => 30 * 24 * HOUR_MS,
            Self::ConsentsPerMemberMax => 2_000_000,
            Self::ReuseFeeMax => 500,
        }
    }

    /// Whether the parameter may have this value: the widest range in which the ledger's other
    /// rules still hold. Ids are remembered longer than any transaction can be repeated and longer
    /// than any reserve stands.
    pub fn allows(self, value: u64) -> bool {
        const HOUR_MS: u64 = 3_600_000;
        const DAY_MS: u64 = 24 * HOUR_MS;
        let range = match self {
            Self::InstantAmountMax => 1..=Amount::MAX.minor_units(),
            Self::ReserveDurationMaxMs | Self::TransactionValidityMaxMs => 1_000..=HOUR_MS,
            Self::IdRetentionMs => 2 * HOUR_MS..=30 * DAY_MS,
            Self::ConsentDurationMaxMs => DAY_MS..=3_650 * DAY_MS,
            Self::ConsentRetentionMs => HOUR_MS..=3_650 * DAY_MS,
            Self::ConsentsPerMemberMax => 1..=100_000_000,
            Self::ReuseFeeMax => 0..=1_000_000,
        };
        range.contains(&value)
    }

    /// Reads the number.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let code = reader.u16()?;
        let found = Self::ALL.into_iter().find(|parameter| parameter.code() == code);
        found.ok_or(DecodeError::OutOfRange("parameter"))
    }
}

/// Reads a currency.
pub(crate) fn currency(reader: &mut Reader<'_>) -> Result<Currency, DecodeError> {
    Currency::new(reader.array()?).ok_or(DecodeError::OutOfRange("currency"))
}

impl AccountOpening {
    pub(super) fn encode(&self, out: &mut impl Writer) {
        out.put_u64(self.account.0);
        out.put_u32(self.owner.0);
        out.put_u8(self.kind.code());
        out.put(&self.currency.code());
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            account: reader.account()?,
            owner: reader.member()?,
            kind: AccountKind::decode(reader)?,
            currency: currency(reader)?,
        })
    }
}

impl StatusSetting {
    pub(super) fn encode(&self, out: &mut impl Writer) {
        out.put_u64(self.account.0);
        out.put_u8(self.status.code());
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { account: reader.account()?, status: AccountStatus::decode(reader)? })
    }
}

impl FloorSetting {
    pub(super) fn encode(&self, out: &mut impl Writer) {
        out.put_u64(self.account.0);
        out.put_u64(self.floor.minor_units());
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { account: reader.account()?, floor: reader.amount()? })
    }
}

impl MemberAdmission {
    pub(super) fn encode(&self, out: &mut impl Writer) {
        out.put_u32(self.member.0);
        out.put_u8(self.role.code());
        out.put(&self.bic.to_bytes());
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            member: reader.member()?,
            role: MemberRole::decode(reader)?,
            bic: Bic::decode(reader)?,
        })
    }
}

impl KeyGrant {
    pub(super) fn encode(&self, out: &mut impl Writer) {
        out.put_u32(self.member.0);
        out.put(&self.key.0);
        out.put_u64(self.valid_from.0);
        out.put_u64(self.valid_until.0);
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            member: reader.member()?,
            key: PublicKey(reader.array()?),
            valid_from: reader.time()?,
            valid_until: reader.time()?,
        })
    }
}

impl KeyRevocation {
    pub(super) fn encode(&self, out: &mut impl Writer) {
        out.put_u32(self.member.0);
        out.put(&self.key.0);
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { member: reader.member()?, key: PublicKey(reader.array()?) })
    }
}

impl ParameterSetting {
    pub(super) fn encode(&self, out: &mut impl Writer) {
        out.put_u16(self.parameter.code());
        out.put_u64(self.value);
        out.put_u64(self.effective_from.0);
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            parameter: Parameter::decode(reader)?,
            value: reader.u64()?,
            effective_from: reader.time()?,
        })
    }
}
