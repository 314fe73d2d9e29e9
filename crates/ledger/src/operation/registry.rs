//! Aliases, anchors, consents, issuers and purposes: what the ledger attests without knowing any
//! person.

use super::{
    BlockTime, DecodeError, Digest, DurationMs, MemberId, Reader, Writer, admin::coded_enum,
};

use serde::{Deserialize, Serialize};

coded_enum! {
    /// How sure an issuer may be of a person at most.
    AssuranceLevel, "assurance level" {
        /// Self-asserted or weakly checked.
        Low = 1,
        /// Checked remotely against a register.
        Substantial = 2,
        /// Checked in person or by an equal method.
        High = 3,
    }
}

/// How many status lists a member may anchor: their numbers are below this. Ten million credentials
/// need ten lists of 2^20 entries.
pub const STATUS_LISTS_MAX: u32 = 4_096;

/// The number of a registered purpose; not zero. It means one document for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PurposeCode(pub u16);

/// A set of data categories, one bit each. Which bit is which category is part of the purposes'
/// documents; the ledger only compares sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scope(pub u32);

/// Points an alias at an account of the submitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AliasSetting {
    /// The keyed tag of the alias; the alias itself never reaches the ledger.
    pub tag: Digest,
    /// A random handle by which the submitter finds the customer's account.
    pub locator: [u8; 16],
}

/// Removes an alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AliasRemoval {
    /// The keyed tag.
    pub tag: Digest,
}

/// Anchors a Merkle root of access records kept off the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvidenceAnchor {
    /// The root.
    pub root: Digest,
    /// How many records it covers, at least one.
    pub count: u32,
    /// The first moment covered.
    pub from: BlockTime,
    /// The last moment covered.
    pub until: BlockTime,
}

/// Records a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsentGrant {
    /// A random identifier of the relationship and consent; without its preimage it means
    /// nothing.
    pub rel: Digest,
    /// A salted commitment to the consent artefact.
    pub commitment: Digest,
    /// The member that will provide the data.
    pub provider: MemberId,
    /// When the consent ends by itself; not later than its purpose allows.
    pub expires: BlockTime,
    /// What the data is for.
    pub purpose: PurposeCode,
    /// Which data; not empty and inside the purpose's scope.
    pub scope: Scope,
}

/// Ends a consent, by the consumer or by the provider on the person's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsentRevocation {
    /// The consent's random identifier.
    pub rel: Digest,
}

/// Registers an issuer of one credential type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssuerRegistration {
    /// The issuing member.
    pub member: MemberId,
    /// The digest of the credential type's identifier (`vct`).
    pub credential_type: Digest,
    /// The digest of the issuer's certificate.
    pub certificate: Digest,
    /// The highest level it may attest.
    pub ceiling: AssuranceLevel,
    /// Before this it may issue nothing.
    pub valid_from: BlockTime,
    /// From this on it may issue nothing.
    pub valid_until: BlockTime,
}

/// Ends an issuer registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssuerRevocation {
    /// The issuing member.
    pub member: MemberId,
    /// The digest of the credential type's identifier.
    pub credential_type: Digest,
}

/// Registers a purpose. Its code is never used again, also when it is retired, so that the purpose
/// of a consent is one document for good; a changed document is a new purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PurposeRegistration {
    /// A new code, not zero.
    pub code: PurposeCode,
    /// The data that may be asked for this purpose at most; not empty.
    pub scope: Scope,
    /// The longest that a consent for this purpose may run, in milliseconds; at least one.
    pub duration_max: DurationMs,
    /// The digest of the document that states the purpose, its lawful basis and its retention.
    pub document: Digest,
}

/// Ends a purpose for new consents; those given before run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PurposeRetirement {
    /// The purpose's code.
    pub code: PurposeCode,
}

/// Anchors a status list: whoever verifies a credential knows which list is the newest.
///
/// Source: IETF Token Status List; the list itself is served off the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusListAnchor {
    /// The list's number among the submitter's, below [`STATUS_LISTS_MAX`].
    pub list: u32,
    /// Above the counter of the anchor before; the first is at least one.
    pub counter: u64,
    /// The digest of the list as it is served.
    pub digest: Digest,
}

impl Scope {
    /// Whether it holds no category.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether every category of this is also in `other`.
    pub const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }
}

impl AliasSetting {
    pub(super) fn encode(&self, out: &mut impl Writer) {
        out.put(&self.tag.0);
        out.put(&self.locator);
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { tag: reader.digest()?, locator: reader.array()? })
    }
}

impl AliasRemoval {
    pub(super) fn encode(&self, out: &mut impl Writer) {
        out.put(&self.tag.0);
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { tag: reader.digest()? })
    }
}

impl EvidenceAnchor {
    pub(super) fn encode(&self, out: &mut impl Writer) {
        out.put(&self.root.0);
        out.put_u32(self.count);
        out.put_u64(self.from.0);
        out.put_u64(self.until.0);
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            root: reader.digest()?,
            count: reader.u32()?,
            from: reader.time()?,
            until: reader.time()?,
        })
    }
}

impl ConsentGrant {
    pub(super) const BYTES: usize = 32 + 32 + 4 + 8 + 2 + 4;

    pub(super) fn encode(&self, out: &mut impl Writer) {
        out.put(&self.rel.0);
        out.put(&self.commitment.0);
        out.put_u32(self.provider.0);
        out.put_u64(self.expires.0);
        out.put_u16(self.purpose.0);
        out.put_u32(self.scope.0);
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            rel: reader.digest()?,
            commitment: reader.digest()?,
            provider: reader.member()?,
            expires: reader.time()?,
            purpose: PurposeCode(reader.u16()?),
            scope: Scope(reader.u32()?),
        })
    }
}

impl ConsentRevocation {
    pub(super) fn encode(&self, out: &mut impl Writer) {
        out.put(&self.rel.0);
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { rel: reader.digest()? })
    }
}

impl IssuerRegistration {
    pub(super) const BYTES: usize = 4 + 32 + 32 + 1 + 8 + 8;

    pub(super) fn encode(&self, out: &mut impl Writer) {
        out.put_u32(self.member.0);
        out.put(&self.credential_type.0);
        out.put(&self.certificate.0);
        out.put_u8(self.ceiling.code());
        out.put_u64(self.valid_from.0);
        out.put_u64(self.valid_until.0);
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            member: reader.member()?,
            credential_type: reader.digest()?,
            certificate: reader.digest()?,
            ceiling: AssuranceLevel::decode(reader)?,
            valid_from: reader.time()?,
            valid_until: reader.time()?,
        })
    }
}

impl IssuerRevocation {
    pub(super) fn encode(&self, out: &mut impl Writer) {
        out.put_u32(self.member.0);
        out.put(&self.credential_type.0);
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { member: reader.member()?, credential_type: reader.digest()? })
    }
}

impl PurposeRegistration {
    pub(super) fn encode(&self, out: &mut impl Writer) {
        out.put_u16(self.code.0);
        out.put_u32(self.scope.0);
        out.put_u64(self.duration_max.0);
        out.put(&self.document.0);
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            code: PurposeCode(reader.u16()?),
            scope: Scope(reader.u32()?),
            duration_max: DurationMs(reader.u64()?),
            document: reader.digest()?,
        })
    }
}

impl PurposeRetirement {
    pub(super) fn encode(self, out: &mut impl Writer) {
        out.put_u16(self.code.0);
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { code: PurposeCode(reader.u16()?) })
    }
}

impl StatusListAnchor {
    pub(super) fn encode(&self, out: &mut impl Writer) {
        out.put_u32(self.list);
        out.put_u64(self.counter);
        out.put(&self.digest.0);
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { list: reader.u32()?, counter: reader.u64()?, digest: reader.digest()? })
    }
}
