//! Levels of assurance, and which methods of remote identification reach them.
//!
//! The methods and the matrix are those of the CBA's account rules (04/2 of 2022, changed in April
//! 2025, and 44/5 of 16 December 2025); the limits are those of the digital identification
//! project's pilot of 2019. Source: domain/identity.md §3. What a bank demands beyond is its own.

use core::fmt;

use etibar_primitives::Amount;
use serde::{Deserialize, Serialize};

/// How sure the issuer is of the person. Ordered: a higher level serves wherever a lower one does.
///
/// The names are those of Regulation (EU) 910/2014 Art. 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssuranceLevel {
    /// Self-asserted or weakly checked.
    Low,
    /// Checked remotely against a register, with liveness.
    Substantial,
    /// Checked on a live call and signed with an enhanced signature, or by an equal method.
    High,
}

impl AssuranceLevel {
    /// Every level, rising.
    pub const ALL: [Self; 3] = [Self::Low, Self::Substantial, Self::High];

    /// The level's number on the ledger: 1, 2 or 3.
    pub const fn number(self) -> u8 {
        match self {
            Self::Low => 1,
            Self::Substantial => 2,
            Self::High => 3,
        }
    }

    /// The level of a number on the ledger.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Low),
            2 => Some(Self::Substantial),
            3 => Some(Self::High),
            _ => None,
        }
    }

    /// The level as claims write it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Substantial => "substantial",
            Self::High => "high",
        }
    }

    /// The level of a claim's text.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.code() == code)
    }
}

/// One means by which a person is identified from afar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// User name and password, or another second factor: strong customer authentication.
    StrongAuthentication,
    /// A photo with liveness detection, matched with the register's.
    Photo,
    /// A video recording with liveness detection.
    Video,
    /// A live video call with an employee, recorded.
    Call,
    /// An enhanced electronic signature (Law No 602-IIQ of 2004).
    Signature,
}

impl Method {
    /// Every method, in the order of their bits.
    pub const ALL: [Self; 5] =
        [Self::StrongAuthentication, Self::Photo, Self::Video, Self::Call, Self::Signature];

    const fn bit(self) -> u8 {
        match self {
            Self::StrongAuthentication => 1,
            Self::Photo => 2,
            Self::Video => 4,
            Self::Call => 8,
            Self::Signature => 16,
        }
    }

    /// The method as claims and messages write it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::StrongAuthentication => "strong_authentication",
            Self::Photo => "photo",
            Self::Video => "video",
            Self::Call => "call",
            Self::Signature => "signature",
        }
    }

    /// The method of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.code() == code)
    }
}

/// The methods that were used together.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Methods(u8);

impl Methods {
    /// No method at all.
    pub const NONE: Self = Self(0);

    /// These methods.
    pub const fn of(methods: &[Method]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < methods.len() {
            bits |= methods[at].bit();
            at += 1;
        }
        Self(bits)
    }

    /// Whether every method of `other` is among these.
    pub const fn cover(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Whether `method` is among these.
    pub const fn contains(self, method: Method) -> bool {
        self.0 & method.bit() != 0
    }

    /// The methods, in the order of [`Method::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Method> {
        Method::ALL.into_iter().filter(move |method| self.contains(*method))
    }

    /// The level that these methods reach; `None` without any.
    ///
    /// - high: a live call and an enhanced signature;
    /// - substantial: an image with liveness detection, or an enhanced signature;
    /// - low: anything else.
    pub const fn level(self) -> Option<AssuranceLevel> {
        const HIGH: Methods = Methods::of(&[Method::Call, Method::Signature]);
        const SUBSTANTIAL: u8 =
            Methods::of(&[Method::Photo, Method::Video, Method::Call, Method::Signature]).0;
        if self.0 == 0 {
            None
        } else if self.cover(HIGH) {
            Some(AssuranceLevel::High)
        } else if self.0 & SUBSTANTIAL != 0 {
            Some(AssuranceLevel::Substantial)
        } else {
            Some(AssuranceLevel::Low)
        }
    }
}

impl fmt::Debug for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl FromIterator<Method> for Methods {
    fn from_iter<I: IntoIterator<Item = Method>>(methods: I) -> Self {
        Self(methods.into_iter().fold(0, |bits, method| bits | method.bit()))
    }
}

impl Serialize for Methods {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Methods {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<Method>::deserialize(deserializer).map(|methods| methods.into_iter().collect())
    }
}

/// The kinds of customer that the account rules tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Customer {
    /// A natural person resident in Azerbaijan.
    ResidentPerson,
    /// A natural person not resident.
    NonResidentPerson,
    /// A natural person in business.
    Entrepreneur,
    /// A legal person resident in Azerbaijan.
    ResidentCompany,
    /// A legal person not resident.
    NonResidentCompany,
}

/// Whether the bank already knows the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relationship {
    /// The first account at this bank.
    New,
    /// Another account at the same bank, without a sign of risk.
    Existing,
    /// Another account at the same bank, where the bank sees a risk: a video recording is raised to
    /// a call.
    ExistingWithRisk,
}

/// Why an account is not opened remotely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LevelError {
    /// No combination of methods opens an account remotely for this kind of customer.
    #[error("an account cannot be opened remotely for this kind of customer")]
    NotRemotely,
    /// Another method is needed; [`alternatives`] says which.
    #[error("the methods used are not sufficient for a remote opening")]
    Insufficient,
    /// The product demands a higher level: step up.
    #[error("the product demands a higher level of assurance")]
    StepUp,
}

impl LevelError {
    /// The stable code in interfaces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotRemotely => "remote_opening_not_allowed",
            Self::Insufficient => "methods_insufficient",
            Self::StepUp => "assurance_level_too_low",
        }
    }
}

const SIGNATURE: Methods = Methods::of(&[Method::Signature]);
const SIGNATURE_AND_CALL: Methods = Methods::of(&[Method::Signature, Method::Call]);
const STRONG_AND_CALL: Methods = Methods::of(&[Method::StrongAuthentication, Method::Call]);
const STRONG_AND_VIDEO: Methods = Methods::of(&[Method::StrongAuthentication, Method::Video]);

/// The combinations of methods, any one of which is enough to open an account remotely. Empty
/// where it is not allowed.
///
/// Source: the 2025 matrix, domain/identity.md §3 rule 6.
pub const fn alternatives(customer: Customer, relationship: Relationship) -> &'static [Methods] {
    use Customer::{
        Entrepreneur, NonResidentCompany, NonResidentPerson, ResidentCompany, ResidentPerson,
    };
    match (customer, relationship) {
        (NonResidentCompany, _) => &[],
        (ResidentPerson, Relationship::New) => &[SIGNATURE_AND_CALL, STRONG_AND_CALL],
        (ResidentPerson, Relationship::Existing) => &[SIGNATURE, STRONG_AND_VIDEO, STRONG_AND_CALL],
        (ResidentPerson, Relationship::ExistingWithRisk) => &[SIGNATURE, STRONG_AND_CALL],
        (ResidentCompany | Entrepreneur | NonResidentPerson, Relationship::New) => {
            &[SIGNATURE_AND_CALL]
        }
        (ResidentCompany | Entrepreneur | NonResidentPerson, _) => &[SIGNATURE],
    }
}

/// Whether `used` opens an account remotely by the 2025 matrix.
///
/// # Errors
/// [`LevelError::NotRemotely`], [`LevelError::Insufficient`].
pub fn check_opening(
    customer: Customer,
    relationship: Relationship,
    used: Methods,
) -> Result<(), LevelError> {
    let alternatives = alternatives(customer, relationship);
    if alternatives.is_empty() {
        return Err(LevelError::NotRemotely);
    }
    let enough = alternatives.iter().any(|needed| used.cover(*needed));
    if enough { Ok(()) } else { Err(LevelError::Insufficient) }
}

/// Whether `held` serves where a product states `minimum`.
///
/// # Errors
/// [`LevelError::StepUp`].
pub fn check_level(held: AssuranceLevel, minimum: AssuranceLevel) -> Result<(), LevelError> {
    if held >= minimum { Ok(()) } else { Err(LevelError::StepUp) }
}

/// A tier of the pilot of 2019: up to which balance which methods suffice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// The largest balance in qəpik, inclusive.
    pub limit: Amount,
    /// What is needed at least.
    pub methods: Methods,
    /// Whether the interior ministry's register is queried with the person's permission.
    pub register_query: bool,
}

/// The three tiers of the pilot, rising: AZN 500, 6,000 and 20,000. Above the last, the matrix.
///
/// Source: domain/identity.md §3, pilot of 2019.
pub fn pilot_tiers() -> [Tier; 3] {
    let azn =
        |whole: u64| Amount::new(whole * 100).expect("a tier is far below the largest amount");
    let tier = |limit, methods: &[Method], register_query| Tier {
        limit: azn(limit),
        methods: Methods::of(methods),
        register_query,
    };
    [
        tier(500, &[Method::StrongAuthentication], false),
        tier(6_000, &[Method::Call], true),
        tier(20_000, &[Method::Call, Method::Signature], true),
    ]
}

/// The largest balance that `used` allows by the pilot's tiers; `None` if not even the first.
pub fn pilot_limit(used: Methods, register_queried: bool) -> Option<Amount> {
    pilot_tiers()
        .into_iter()
        .filter(|tier| used.cover(tier.methods) && (register_queried || !tier.register_query))
        .map(|tier| tier.limit)
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(methods: &[Method]) -> Methods {
        Methods::of(methods)
    }

    #[test]
    fn methods_reach_the_level_of_the_strongest_combination() {
        use Method::{Call, Photo, Signature, StrongAuthentication, Video};
        for (methods, level) in [
            (&[][..], None),
            (&[StrongAuthentication], Some(AssuranceLevel::Low)),
            (&[Photo], Some(AssuranceLevel::Substantial)),
            (&[StrongAuthentication, Video], Some(AssuranceLevel::Substantial)),
            (&[Call], Some(AssuranceLevel::Substantial)),
            (&[Signature], Some(AssuranceLevel::Substantial)),
            (&[Call, Signature], Some(AssuranceLevel::High)),
            (&[Call, Signature, Photo], Some(AssuranceLevel::High)),
        ] {
            assert_eq!(of(methods).level(), level, "{methods:?}");
        }
    }

    #[test]
    fn more_methods_never_lower_the_level() {
        for bits in 0..32 {
            for method in Method::ALL {
                assert!(Methods(bits | method.bit()).level() >= Methods(bits).level());
            }
        }
    }

    #[test]
    fn the_matrix_of_2025_decides_a_remote_opening() {
        use Customer::{
            Entrepreneur, NonResidentCompany, NonResidentPerson, ResidentCompany, ResidentPerson,
        };
        use Relationship::{Existing, ExistingWithRisk, New};
        let check = |customer, relationship, methods: &[Method]| {
            check_opening(customer, relationship, of(methods)).map_err(LevelError::code)
        };
        let (strong, video, call, sign) =
            (Method::StrongAuthentication, Method::Video, Method::Call, Method::Signature);
        let short = Err("methods_insufficient");
        assert_eq!(check(ResidentPerson, New, &[sign, call]), Ok(()));
        assert_eq!(check(ResidentPerson, New, &[strong, call]), Ok(()));
        assert_eq!(check(ResidentPerson, New, &[strong, video]), short);
        assert_eq!(check(ResidentPerson, New, &[call]), short);
        assert_eq!(check(ResidentPerson, Existing, &[strong, video]), Ok(()));
        assert_eq!(check(ResidentPerson, ExistingWithRisk, &[strong, video]), short);
        assert_eq!(check(ResidentPerson, ExistingWithRisk, &[strong, call]), Ok(()));
        for customer in [ResidentCompany, Entrepreneur, NonResidentPerson] {
            assert_eq!(check(customer, New, &[sign, call]), Ok(()));
            assert_eq!(check(customer, New, &[strong, call]), short);
            assert_eq!(check(customer, Existing, &[sign]), Ok(()));
            assert_eq!(check(customer, Existing, &[strong, video]), short);
        }
        let every = Method::ALL;
        assert_eq!(check(NonResidentCompany, New, &every), Err("remote_opening_not_allowed"));
    }

    #[test]
    fn the_pilots_tiers_limit_the_balance() {
        let limit = |methods: &[Method], query| {
            pilot_limit(of(methods), query).map(etibar_primitives::Amount::minor_units)
        };
        assert_eq!(limit(&[], true), None);
        assert_eq!(limit(&[Method::StrongAuthentication], false), Some(50_000));
        assert_eq!(limit(&[Method::Call], true), Some(600_000));
        assert_eq!(limit(&[Method::Call], false), None);
        assert_eq!(limit(&[Method::Call, Method::Signature], true), Some(2_000_000));
    }

    #[test]
    fn numbers_and_codes_of_levels_are_read_back() {
        for level in AssuranceLevel::ALL {
            assert_eq!(AssuranceLevel::from_number(level.number()), Some(level));
            assert_eq!(AssuranceLevel::from_code(level.code()), Some(level));
            assert_eq!(serde_json::to_value(level).unwrap(), level.code());
        }
        assert_eq!(check_level(AssuranceLevel::Low, AssuranceLevel::High), Err(LevelError::StepUp));
    }
}
