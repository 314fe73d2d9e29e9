//! Personal values of a party.

use etibar_primitives::BlockTime;

use crate::{Personal, VaultError, consent::ConsentId};

/// One sealed value: random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId(pub [u8; 16]);

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    /// A claim about the party; one for each name, the newest counts.
    Attribute,
    /// A document or a whole credential.
    Document,
    /// What a decision rests on: a presentation, a list's state.
    Evidence,
    /// A due-diligence decision.
    Kyc,
    /// A consent's artefact and secret.
    Consent,
    /// An account at this member; one for each name.
    Account,
}

/// A value to keep.
#[derive(Debug, Clone)]
pub struct NewItem<'a> {
    /// What it is.
    pub kind: ItemKind,
    /// A word of the catalogue, never personal itself.
    pub name: &'a str,
    /// The bit of its data category (0 to 31).
    pub category: u8,
    /// The consent under which it came.
    pub consent: Option<ConsentId>,
    /// When it must be gone.
    pub keep_until: Option<BlockTime>,
    /// The value.
    pub value: Personal,
}

/// A value that was read through the gate.
#[derive(Debug, Clone)]
pub struct ReadItem {
    /// Which.
    pub id: ItemId,
    /// What it is.
    pub kind: ItemKind,
    /// Its name.
    pub name: String,
    /// The consent under which it came.
    pub consent: Option<ConsentId>,
    /// When it came.
    pub obtained: BlockTime,
    /// The value.
    pub value: Personal,
}

impl ItemKind {
    pub(crate) const ALL: [Self; 6] =
        [Self::Attribute, Self::Document, Self::Evidence, Self::Kyc, Self::Consent, Self::Account];

    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::Attribute => 1,
            Self::Document => 2,
            Self::Evidence => 3,
            Self::Kyc => 4,
            Self::Consent => 5,
            Self::Account => 6,
        }
    }

    pub(crate) fn of(code: u32) -> Result<Self, VaultError> {
        let known = Self::ALL.into_iter().find(|kind| kind.code() == i64::from(code));
        known.ok_or(VaultError::Row("kind of value"))
    }

    /// Whether a new value of the same name takes the old one's place.
    pub(crate) const fn replaces(self) -> bool {
        matches!(self, Self::Attribute | Self::Account)
    }
}
