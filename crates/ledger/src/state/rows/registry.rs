//! The rows of aliases, consents, the trust registry, anchors and obligations.

use alloc::vec::Vec;

use etibar_primitives::{
    Amount, BlockTime, Digest, DurationMs, MemberId,
    codec::{DecodeError, Reader, Writer},
};

use super::Record;
use crate::operation::{AssuranceLevel, PurposeCode, Scope};

/// Where an alias points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alias {
    /// The participant whose customer holds the alias.
    pub member: MemberId,
    /// The participant's random handle of the customer's account.
    pub locator: [u8; 16],
    /// When it was registered.
    pub since: BlockTime,
}

/// A person's consent, without the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consent {
    /// The member that may ask.
    pub consumer: MemberId,
    /// The member that will provide.
    pub provider: MemberId,
    /// A salted commitment to the artefact.
    pub commitment: Digest,
    /// When it was given.
    pub granted: BlockTime,
    /// When it ends by itself.
    pub expires: BlockTime,
    /// When it was revoked; [`BlockTime::MAX`] when it was not.
    pub revoked: BlockTime,
    /// What the data is for.
    pub purpose: PurposeCode,
    /// Which data.
    pub scope: Scope,
}

/// A member's right to issue one credential type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issuer {
    /// The digest of its certificate.
    pub certificate: Digest,
    /// The highest level it may attest.
    pub ceiling: AssuranceLevel,
    /// From when.
    pub valid_from: BlockTime,
    /// Until before when.
    pub valid_until: BlockTime,
}

/// A member's latest evidence anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// The Merkle root of the latest interval's records.
    pub root: Digest,
    /// How many records it covers.
    pub count: u32,
    /// The first moment covered.
    pub from: BlockTime,
    /// The last moment covered.
    pub until: BlockTime,
    /// How many records all anchors of the member cover.
    pub total: u64,
}

/// A purpose for which personal data may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purpose {
    /// The data that may be asked at most.
    pub scope: Scope,
    /// The longest that a consent may run, in milliseconds.
    pub duration_max: DurationMs,
    /// The digest of the purpose's document.
    pub document: Digest,
    /// From when there is no new consent for it; [`BlockTime::MAX`] when it is not retired.
    pub retired: BlockTime,
}

/// A member's latest anchor of one status list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusList {
    /// Above the counter of every anchor before.
    pub counter: u64,
    /// The digest of the list.
    pub digest: Digest,
    /// When it was anchored.
    pub anchored: BlockTime,
}

/// What one member owes another since the last settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Obligation {
    /// The sum in AZN minor units.
    pub amount: Amount,
    /// How many operations it is the sum of, at least one.
    pub count: u32,
    /// When the first of them was executed.
    pub since: BlockTime,
}

impl Consent {
    /// Whether it allows anything at `time`: given, neither expired nor revoked.
    pub fn is_live(&self, time: BlockTime) -> bool {
        self.granted <= time && time < self.expires && time < self.revoked
    }
}

impl Record for Alias {
    const TAG: u8 = 5;
    type Key = Digest;

    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u32(self.member.0);
        out.put(&self.locator);
        out.put_u64(self.since.0);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { member: reader.member()?, locator: reader.array()?, since: reader.time()? })
    }
}

impl Record for Consent {
    const TAG: u8 = 6;
    type Key = Digest;

    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u32(self.consumer.0);
        out.put_u32(self.provider.0);
        out.put(&self.commitment.0);
        out.put_u64(self.granted.0);
        out.put_u64(self.expires.0);
        out.put_u64(self.revoked.0);
        out.put_u16(self.purpose.0);
        out.put_u32(self.scope.0);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            consumer: reader.member()?,
            provider: reader.member()?,
            commitment: reader.digest()?,
            granted: reader.time()?,
            expires: reader.time()?,
            revoked: reader.time()?,
            purpose: PurposeCode(reader.u16()?),
            scope: Scope(reader.u32()?),
        })
    }
}

impl Record for Issuer {
    const TAG: u8 = 7;
    type Key = (MemberId, Digest);

    fn encode(&self, out: &mut Vec<u8>) {
        out.put(&self.certificate.0);
        out.put_u8(self.ceiling.code());
        out.put_u64(self.valid_from.0);
        out.put_u64(self.valid_until.0);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            certificate: reader.digest()?,
            ceiling: AssuranceLevel::decode(reader)?,
            valid_from: reader.time()?,
            valid_until: reader.time()?,
        })
    }
}

impl Record for Evidence {
    const TAG: u8 = 8;
    type Key = MemberId;

    fn encode(&self, out: &mut Vec<u8>) {
        out.put(&self.root.0);
        out.put_u32(self.count);
        out.put_u64(self.from.0);
        out.put_u64(self.until.0);
        out.put_u64(self.total);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            root: reader.digest()?,
            count: reader.u32()?,
            from: reader.time()?,
            until: reader.time()?,
            total: reader.u64()?,
        })
    }
}

impl Record for Purpose {
    const TAG: u8 = 12;
    type Key = PurposeCode;

    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u32(self.scope.0);
        out.put_u64(self.duration_max.0);
        out.put(&self.document.0);
        out.put_u64(self.retired.0);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            scope: Scope(reader.u32()?),
            duration_max: DurationMs(reader.u64()?),
            document: reader.digest()?,
            retired: reader.time()?,
        })
    }
}

impl Record for StatusList {
    const TAG: u8 = 13;
    type Key = (MemberId, u32);

    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u64(self.counter);
        out.put(&self.digest.0);
        out.put_u64(self.anchored.0);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { counter: reader.u64()?, digest: reader.digest()?, anchored: reader.time()? })
    }
}

impl Record for Obligation {
    const TAG: u8 = 14;
    /// Debtor, creditor.
    type Key = (MemberId, MemberId);

    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u64(self.amount.minor_units());
        out.put_u32(self.count);
        out.put_u64(self.since.0);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { amount: reader.amount()?, count: reader.u32()?, since: reader.time()? })
    }
}
