//! Operations: every way to change the ledger, 128 bytes each.
//!
//! ```text
//! 0        16     18      20                                  128
//! | id     | kind | flags | body, zero-padded to 108 bytes     |
//! ```
//!
//! Integers are little-endian; ids are in UUID order. Unknown kinds, unknown flags and non-zero
//! padding are refused, so that an operation has exactly one encoding.

use etibar_primitives::{
    AccountId, Amount, BlockTime, Currency, Digest, Domain, DurationMs, MemberId, OperationId,
    codec::{DecodeError, Reader, Writer},
    key::PublicKey,
};

mod admin;
mod registry;
mod reuse;
mod transfer;

pub(crate) use admin::currency as read_currency;
pub use admin::{
    AccountKind, AccountOpening, AccountStatus, Bic, FloorSetting, KeyGrant, KeyRevocation,
    MemberAdmission, MemberRole, MemberStatus, Parameter, ParameterSetting, StatusSetting,
};
pub use registry::{
    AliasRemoval, AliasSetting, AssuranceLevel, ConsentGrant, ConsentRevocation, EvidenceAnchor,
    IssuerRegistration, IssuerRevocation, PurposeCode, PurposeRegistration, PurposeRetirement,
    STATUS_LISTS_MAX, Scope, StatusListAnchor,
};
pub use reuse::{Excluded, KycReuse, LiabilityClass, ObligationsSettlement};
pub use transfer::{ReasonCode, Transfer, TransferKind};

/// The size of every operation.
pub const OPERATION_BYTES: usize = 128;

const BODY_BYTES: usize = OPERATION_BYTES - 20;
const FLAG_LINKED: u16 = 1;
const OPERATION: Domain = Domain::new("etibar.operation");

/// One change somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// Chosen by the submitter, unique among its operations.
    pub id: OperationId,
    /// Whether this operation and the next of the same transaction stand or fall together.
    pub linked: bool,
    /// What to do.
    pub action: Action,
}

/// What an operation does; one variant for each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Moves money: direct, reserve, post, void, issue, redeem.
    Transfer(TransferKind, Transfer),
    /// Opens an account. Operator only.
    OpenAccount(AccountOpening),
    /// Opens again, freezes or closes an account. Operator only.
    SetAccountStatus(StatusSetting),
    /// Sets the balance below which the owner's own debits may not go.
    SetFloor(FloorSetting),
    /// Admits a member. Operator only.
    AdmitMember(MemberAdmission),
    /// Suspends or reinstates a member. Operator only.
    SetMemberStatus(MemberStatusSetting),
    /// Gives a member a key. The operator or the member itself.
    GrantKey(KeyGrant),
    /// Takes a key from a member. The operator or the member itself.
    RevokeKey(KeyRevocation),
    /// Sets a rulebook parameter from a date on. Operator only.
    SetParameter(ParameterSetting),
    /// Points an alias at an account of the submitter; the newest registration wins.
    SetAlias(AliasSetting),
    /// Removes an alias of the submitter.
    RemoveAlias(AliasRemoval),
    /// Anchors the Merkle root of access records.
    AnchorEvidence(EvidenceAnchor),
    /// Records a person's consent under a random identifier.
    GrantConsent(ConsentGrant),
    /// Ends a consent.
    RevokeConsent(ConsentRevocation),
    /// Registers a member as issuer of a credential type. Operator only.
    RegisterIssuer(IssuerRegistration),
    /// Ends an issuer registration. Operator only.
    RevokeIssuer(IssuerRevocation),
    /// Registers a purpose for which personal data may be asked. Operator only.
    RegisterPurpose(PurposeRegistration),
    /// Ends a purpose for new consents. Operator only.
    RetirePurpose(PurposeRetirement),
    /// Anchors a status list of the submitter, an issuer.
    AnchorStatusList(StatusListAnchor),
    /// Accepts another member's due diligence, and owes it a fee.
    ReuseKyc(KycReuse),
    /// Nets the open obligations and settles them in central-bank money. Operator only.
    SettleObligations(ObligationsSettlement),
}

/// A member's new standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberStatusSetting {
    /// Whose standing.
    pub member: MemberId,
    /// The new standing.
    pub status: MemberStatus,
}

impl Operation {
    /// The digest of an operation's 128 bytes: its leaf in the transaction's operations root.
    pub fn digest(bytes: &[u8; OPERATION_BYTES]) -> Digest {
        OPERATION.hash(bytes)
    }

    /// The 128 bytes.
    pub fn encode(&self) -> [u8; OPERATION_BYTES] {
        let mut slot = Slot::new();
        slot.put(&self.id.to_bytes());
        slot.put_u16(self.action.kind());
        slot.put_u16(if self.linked { FLAG_LINKED } else { 0 });
        self.action.encode_body(&mut slot);
        slot.bytes
    }

    /// Reads what [`Operation::encode`] wrote.
    pub fn decode(bytes: &[u8; OPERATION_BYTES]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let id = reader.operation()?;
        let kind = reader.u16()?;
        let flags = reader.u16()?;
        if id.0 == 0 {
            return Err(DecodeError::OutOfRange("operation id"));
        }
        if flags & !FLAG_LINKED != 0 {
            return Err(DecodeError::OutOfRange("operation flags"));
        }
        let action = Action::decode_body(kind, &mut reader)?;
        reader.reserved(reader.remaining())?;
        Ok(Self { id, linked: flags & FLAG_LINKED != 0, action })
    }

    /// The id and the linked flag of an operation whose body need not be readable.
    pub fn peek(bytes: &[u8; OPERATION_BYTES]) -> (OperationId, bool) {
        let id = bytes.first_chunk().copied().expect("128 bytes hold 16");
        (OperationId::from_bytes(id), bytes[18] & 1 == 1)
    }
}

impl Action {
    /// The number of this kind of operation on the wire. Frozen: a number is never reused.
    pub const fn kind(&self) -> u16 {
        match self {
            Self::Transfer(kind, _) => kind.code(),
            Self::OpenAccount(_) => 10,
            Self::SetAccountStatus(_) => 11,
            Self::SetFloor(_) => 12,
            Self::AdmitMember(_) => 20,
            Self::SetMemberStatus(_) => 21,
            Self::GrantKey(_) => 22,
            Self::RevokeKey(_) => 23,
            Self::SetParameter(_) => 30,
            Self::SetAlias(_) => 40,
            Self::RemoveAlias(_) => 41,
            Self::AnchorEvidence(_) => 50,
            Self::GrantConsent(_) => 60,
            Self::RevokeConsent(_) => 61,
            Self::RegisterIssuer(_) => 70,
            Self::RevokeIssuer(_) => 71,
            Self::RegisterPurpose(_) => 72,
            Self::RetirePurpose(_) => 73,
            Self::AnchorStatusList(_) => 51,
            Self::ReuseKyc(_) => 80,
            Self::SettleObligations(_) => 81,
        }
    }

    /// The money that this moves or makes owed; zero when it does neither. What a settlement of
    /// obligations moves depends on the ledger, not on the operation.
    pub const fn amount(&self) -> Amount {
        match self {
            Self::Transfer(_, transfer) => transfer.amount,
            Self::ReuseKyc(reuse) => reuse.fee,
            _ => Amount::ZERO,
        }
    }

    fn encode_body(&self, slot: &mut Slot) {
        match self {
            Self::Transfer(_, body) => body.encode(slot),
            Self::OpenAccount(body) => body.encode(slot),
            Self::SetAccountStatus(body) => body.encode(slot),
            Self::SetFloor(body) => body.encode(slot),
            Self::AdmitMember(body) => body.encode(slot),
            Self::SetMemberStatus(body) => {
                slot.put_u32(body.member.0);
                slot.put_u8(body.status.code());
            }
            Self::GrantKey(body) => body.encode(slot),
            Self::RevokeKey(body) => body.encode(slot),
            Self::SetParameter(body) => body.encode(slot),
            Self::SetAlias(body) => body.encode(slot),
            Self::RemoveAlias(body) => body.encode(slot),
            Self::AnchorEvidence(body) => body.encode(slot),
            Self::GrantConsent(body) => body.encode(slot),
            Self::RevokeConsent(body) => body.encode(slot),
            Self::RegisterIssuer(body) => body.encode(slot),
            Self::RevokeIssuer(body) => body.encode(slot),
            Self::RegisterPurpose(body) => body.encode(slot),
            Self::RetirePurpose(body) => body.encode(slot),
            Self::AnchorStatusList(body) => body.encode(slot),
            Self::ReuseKyc(body) => body.encode(slot),
            Self::SettleObligations(body) => body.encode(slot),
        }
    }

    fn decode_body(kind: u16, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if let Some(kind) = TransferKind::from_code(kind) {
            return Ok(Self::Transfer(kind, Transfer::decode(reader)?));
        }
        Ok(match kind {
            10 => Self::OpenAccount(AccountOpening::decode(reader)?),
            11 => Self::SetAccountStatus(StatusSetting::decode(reader)?),
            12 => Self::SetFloor(FloorSetting::decode(reader)?),
            20 => Self::AdmitMember(MemberAdmission::decode(reader)?),
            21 => Self::SetMemberStatus(MemberStatusSetting {
                member: reader.member()?,
                status: MemberStatus::decode(reader)?,
            }),
            22 => Self::GrantKey(KeyGrant::decode(reader)?),
            23 => Self::RevokeKey(KeyRevocation::decode(reader)?),
            30 => Self::SetParameter(ParameterSetting::decode(reader)?),
            40 => Self::SetAlias(AliasSetting::decode(reader)?),
            41 => Self::RemoveAlias(AliasRemoval::decode(reader)?),
            50 => Self::AnchorEvidence(EvidenceAnchor::decode(reader)?),
            60 => Self::GrantConsent(ConsentGrant::decode(reader)?),
            61 => Self::RevokeConsent(ConsentRevocation::decode(reader)?),
            70 => Self::RegisterIssuer(IssuerRegistration::decode(reader)?),
            71 => Self::RevokeIssuer(IssuerRevocation::decode(reader)?),
            72 => Self::RegisterPurpose(PurposeRegistration::decode(reader)?),
            73 => Self::RetirePurpose(PurposeRetirement::decode(reader)?),
            51 => Self::AnchorStatusList(StatusListAnchor::decode(reader)?),
            80 => Self::ReuseKyc(KycReuse::decode(reader)?),
            81 => Self::SettleObligations(ObligationsSettlement::decode(reader)?),
            _ => return Err(DecodeError::OutOfRange("operation kind")),
        })
    }
}

/// 128 zero bytes, filled from the front.
struct Slot {
    bytes: [u8; OPERATION_BYTES],
    filled: usize,
}

impl Slot {
    const fn new() -> Self {
        Self { bytes: [0; OPERATION_BYTES], filled: 0 }
    }
}

impl Writer for Slot {
    fn put(&mut self, bytes: &[u8]) {
        let end = self.filled + bytes.len();
        self.bytes[self.filled..end].copy_from_slice(bytes);
        self.filled = end;
    }
}

const _: () = assert!(Transfer::BYTES <= BODY_BYTES);
const _: () = assert!(IssuerRegistration::BYTES <= BODY_BYTES);
const _: () = assert!(ConsentGrant::BYTES <= BODY_BYTES);
const _: () = assert!(KycReuse::BYTES <= BODY_BYTES);
const _: () = assert!(ObligationsSettlement::BYTES <= BODY_BYTES);
