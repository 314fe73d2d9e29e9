//! Natural and legal persons, how they are found, and who stands for whom.

use etibar_primitives::BlockTime;

use crate::VaultError;

/// A party of this vault: random, meaningless elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartyId(pub [u8; 16]);

/// What a party is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartyKind {
    /// A human being.
    Natural,
    /// A company or another body.
    Legal,
}

/// What kind of identifier a tag is made of. One identifier of each kind names one party.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagKind {
    /// The member's own pseudonym of the person (ppid).
    Ppid,
    /// A company's tax number (VÖEN).
    Voen,
    /// An account number.
    Account,
    /// A person whom another party's data names: a representative, an owner.
    Related,
}

/// How one party stands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// May act for it.
    Representative,
    /// Owns enough of it to be named.
    BeneficialOwner,
    /// Stands for the minor.
    Guardian,
}

/// A party without any personal value.
#[derive(Debug, Clone, Copy)]
pub struct PartyView {
    /// Which.
    pub id: PartyId,
    /// What it is.
    pub kind: PartyKind,
    /// Since when it is known.
    pub created: BlockTime,
    /// When its data key was destroyed.
    pub erased: Option<BlockTime>,
}

/// One link.
#[derive(Debug, Clone, Copy)]
pub struct LinkView {
    /// For whom: the company, the minor.
    pub party: PartyId,
    /// Who.
    pub other: PartyId,
    /// As what.
    pub kind: LinkKind,
}

impl PartyKind {
    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::Natural => 1,
            Self::Legal => 2,
        }
    }

    pub(crate) const fn of(code: u32) -> Result<Self, VaultError> {
        match code {
            1 => Ok(Self::Natural),
            2 => Ok(Self::Legal),
            _ => Err(VaultError::Row("kind of party")),
        }
    }
}

impl TagKind {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Ppid => 1,
            Self::Voen => 2,
            Self::Account => 3,
            Self::Related => 4,
        }
    }
}

impl LinkKind {
    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::Representative => 1,
            Self::BeneficialOwner => 2,
            Self::Guardian => 3,
        }
    }

    pub(crate) const fn of(code: u32) -> Result<Self, VaultError> {
        match code {
            1 => Ok(Self::Representative),
            2 => Ok(Self::BeneficialOwner),
            3 => Ok(Self::Guardian),
            _ => Err(VaultError::Row("kind of link")),
        }
    }
}
