//! Reuse of another member's due diligence, and what is owed for it.

use super::{Amount, BlockTime, DecodeError, Digest, MemberId, Reader, Writer, admin::coded_enum};

use serde::{Deserialize, Serialize};

coded_enum! {
    /// Who answers when reused due diligence turns out wrong, as the two members agreed.
    LiabilityClass, "liability class" {
        /// The member that relies on it, alone. Source: FATF Recommendation 17, where the ultimate
        /// responsibility stays with the institution that relies on the third party.
        Relying = 1,
        /// Both, as their agreement says.
        Shared = 2,
        /// The member that provided it, up to what their agreement says.
        Provider = 3,
    }
}

/// Accepts the due diligence of `provider`; the submitter owes it `fee` until the next settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KycReuse {
    /// The member whose due diligence is reused.
    pub provider: MemberId,
    /// What is owed for it in AZN minor units; at most the rulebook's largest fee, may be zero.
    pub fee: Amount,
    /// Who answers for it.
    pub liability: LiabilityClass,
    /// A salted commitment to the record of the reuse.
    pub commitment: Digest,
    /// When the submitter made the order; an order older than the ledger's memory is refused, so
    /// that nothing is owed twice.
    pub created: BlockTime,
}

/// Nets all obligations that are open where this stands in the ledger's order, multilaterally, and
/// moves the net amounts between the members' settlement accounts: all, or none.
///
/// When a net debtor cannot pay, nothing is settled and the operation is refused. The operator may
/// then leave members out by name: what they owe and what is owed to them stays open. So each
/// member computes from its own events what a settlement moved on its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObligationsSettlement {
    /// Whose obligations stay open.
    pub excluded: Excluded,
}

/// Up to [`Excluded::MAX`] members, by rising id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excluded([MemberId; Excluded::MAX]);

impl Excluded {
    /// The most members that one settlement leaves out.
    pub const MAX: usize = 16;

    /// Nobody.
    pub const NONE: Self = Self([MemberId(0); Self::MAX]);

    /// These members in any order; `None` when one is listed twice or is zero, or when there are
    /// more than [`Excluded::MAX`].
    pub fn new(members: &[MemberId]) -> Option<Self> {
        let mut slots = [MemberId(0); Self::MAX];
        let used = slots.get_mut(..members.len())?;
        used.copy_from_slice(members);
        used.sort_unstable();
        let rising = used.is_sorted_by(|one, next| one < next);
        let zero = used.first() == Some(&MemberId(0));
        (rising && !zero).then_some(Self(slots))
    }

    /// The members, by rising id.
    pub fn members(&self) -> impl Iterator<Item = MemberId> {
        self.0.into_iter().filter(|member| member.0 != 0)
    }

    /// Whether `member` is left out.
    pub fn contains(&self, member: MemberId) -> bool {
        self.members().any(|its| its == member)
    }
}

impl KycReuse {
    pub(super) const BYTES: usize = 4 + 8 + 1 + 32 + 8;

    pub(super) fn encode(&self, out: &mut impl Writer) {
        out.put_u32(self.provider.0);
        out.put_u64(self.fee.minor_units());
        out.put_u8(self.liability.code());
        out.put(&self.commitment.0);
        out.put_u64(self.created.0);
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            provider: reader.member()?,
            fee: reader.amount()?,
            liability: LiabilityClass::decode(reader)?,
            commitment: reader.digest()?,
            created: reader.time()?,
        })
    }
}

impl ObligationsSettlement {
    pub(super) const BYTES: usize = 4 * Excluded::MAX;

    pub(super) fn encode(&self, out: &mut impl Writer) {
        self.excluded.0.iter().for_each(|member| out.put_u32(member.0));
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut slots = [MemberId(0); Excluded::MAX];
        for slot in &mut slots {
            *slot = reader.member()?;
        }
        let excluded = Excluded(slots);
        // One set has one encoding: rising ids first, then zeros.
        let count = excluded.members().count();
        let canonical = Excluded::new(&slots[..count]) == Some(excluded);
        if canonical { Ok(Self { excluded }) } else { Err(DecodeError::OutOfRange("members")) }
    }
}
