//! A lost phone, and people who act for others: rules that decide, without knowing anybody.
//!
//! Recovery needs a new proof at an equal level, or the approval of two of the three guardians
//! whom the person named at enrolment. Either way old credentials are revoked, and a cool-down
//! keeps a thief who got through from consenting to anything new.
//!
//! Who a guardian is, the registrar knows by the guardian's own presentation: the approval's
//! signature is its KB-JWT, whose nonce is the hash of an approval that names this recovery.

use std::collections::BTreeSet;

use etibar_primitives::{Digest, OperationId};

use crate::UnixSeconds;
use crate::date::Date;
use crate::level::AssuranceLevel;

/// How many guardians a person names, if any.
pub const GUARDIANS: usize = 3;
/// How many of them must approve.
pub const APPROVALS_NEEDED: usize = 2;
/// How long a recovery waits for approvals, in seconds.
pub const RECOVERY_SECONDS_MAX: u64 = 7 * 86_400;
/// The cool-down after a recovery by guardians, in seconds: time for the person to object.
pub const COOL_DOWN_GUARDIANS_SECONDS: u64 = 72 * 3_600;
/// The cool-down after a new proof at an equal level, in seconds.
pub const COOL_DOWN_REPROOF_SECONDS: u64 = 24 * 3_600;
/// Full capacity (Civil Code of Azerbaijan, Art. 28), in years.
pub const AGE_OF_MAJORITY: u16 = 18;
/// From this age a minor acts with a guardian's agreement, in years (Art. 30); below it the
/// guardian acts.
pub const AGE_OF_PARTIAL_CAPACITY: u16 = 14;

/// Why a recovery or an act for a minor is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryError {
    /// The person has not named exactly [`GUARDIANS`] different guardians other than itself.
    #[error("the person has no three guardians")]
    NoGuardians,
    /// The new proof is below the level that the lost credentials had.
    #[error("the new proof is below the earlier level")]
    LevelTooLow,
    /// The recovery waited too long.
    #[error("the recovery has expired")]
    Expired,
    /// New consents wait until the cool-down has passed.
    #[error("new consents wait until the cool-down has passed")]
    CoolDown,
    /// The birth date lies in the future.
    #[error("the birth date lies in the future")]
    NotBorn,
    /// A minor acts alone where a guardian must act or agree.
    #[error("a guardian must act or agree")]
    GuardianNeeded,
    /// The certificate of guardianship is about another child or names another guardian.
    #[error("the certificate of guardianship is for others")]
    OtherGuardianship,
    /// The certificate of guardianship has run out.
    #[error("the guardianship has ended")]
    GuardianshipEnded,
}

impl RecoveryError {
    /// The stable code in interfaces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoGuardians => "guardians_not_named",
            Self::LevelTooLow => "recovery_level_too_low",
            Self::Expired => "recovery_expired",
            Self::CoolDown => "cool_down",
            Self::NotBorn => "birthdate_in_future",
            Self::GuardianNeeded => "guardian_needed",
            Self::OtherGuardianship => "guardianship_for_others",
            Self::GuardianshipEnded => "guardianship_ended",
        }
    }
}

/// A person as the registrar's recovery rules know one: a keyed digest of the uid.
pub type PersonTag = Digest;

/// A recovery by guardians that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery<'a> {
    /// Its id.
    pub id: OperationId,
    /// Who recovers.
    pub person: PersonTag,
    /// The guardians named at enrolment.
    pub guardians: &'a [PersonTag],
    /// When it was opened.
    pub opened: UnixSeconds,
}

/// An approval whose presentation was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approval {
    /// The recovery named in the signed approval.
    pub recovery: OperationId,
    /// Who signed it.
    pub guardian: PersonTag,
    /// When.
    pub approved: UnixSeconds,
}

/// How far a recovery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// This many more guardians must approve.
    Waiting(usize),
    /// Re-issue; no new consents until then.
    Recovered {
        /// The end of the cool-down.
        cool_down_until: UnixSeconds,
    },
}

/// Decides a recovery by guardians. Approvals of another recovery, by others than the guardians,
/// from before it was opened or after it expired do not count; two by one guardian count once.
///
/// # Errors
/// [`RecoveryError::NoGuardians`]; [`RecoveryError::Expired`] when too few approved in time.
pub fn decide(
    recovery: &Recovery<'_>,
    approvals: &[Approval],
    now: UnixSeconds,
) -> Result<Decision, RecoveryError> {
    let guardians: BTreeSet<_> = recovery.guardians.iter().collect();
    let named = recovery.guardians.len() == GUARDIANS && guardians.len() == GUARDIANS;
    if !named || guardians.contains(&recovery.person) {
        return Err(RecoveryError::NoGuardians);
    }
    let expires = recovery.opened.saturating_add(RECOVERY_SECONDS_MAX);
    let counts = |approval: &&Approval| {
        approval.recovery == recovery.id
            && guardians.contains(&approval.guardian)
            && (recovery.opened..expires).contains(&approval.approved)
            && approval.approved <= now
    };
    let approved: BTreeSet<_> =
        approvals.iter().filter(counts).map(|approval| approval.guardian).collect();
    match APPROVALS_NEEDED.checked_sub(approved.len()) {
        None | Some(0) => Ok(Decision::Recovered {
            cool_down_until: now.saturating_add(COOL_DOWN_GUARDIANS_SECONDS),
        }),
        Some(_) if now >= expires => Err(RecoveryError::Expired),
        Some(missing) => Ok(Decision::Waiting(missing)),
    }
}

/// Decides a recovery by a new proof: the end of the cool-down.
///
/// # Errors
/// [`RecoveryError::LevelTooLow`] below the level that the lost credentials had.
pub fn reproof(
    earlier: AssuranceLevel,
    reached: AssuranceLevel,
    now: UnixSeconds,
) -> Result<UnixSeconds, RecoveryError> {
    if reached < earlier {
        return Err(RecoveryError::LevelTooLow);
    }
    Ok(now.saturating_add(COOL_DOWN_REPROOF_SECONDS))
}

/// Whether a holder whose credential says `cool_down_until` may give a new consent at `now`.
///
/// # Errors
/// [`RecoveryError::CoolDown`].
pub fn check_new_consent(
    cool_down_until: Option<UnixSeconds>,
    now: UnixSeconds,
) -> Result<(), RecoveryError> {
    match cool_down_until {
        Some(until) if now < until => Err(RecoveryError::CoolDown),
        _ => Ok(()),
    }
}

/// How a person of some age acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capacity {
    /// Alone.
    Full,
    /// With a guardian's agreement.
    WithGuardian,
    /// Not at all: the guardian acts.
    GuardianOnly,
}

/// The capacity of a person born on `birthdate`, on `today`.
///
/// # Errors
/// [`RecoveryError::NotBorn`].
pub fn capacity(birthdate: Date, today: Date) -> Result<Capacity, RecoveryError> {
    Ok(match birthdate.age_on(today).ok_or(RecoveryError::NotBorn)? {
        AGE_OF_MAJORITY.. => Capacity::Full,
        AGE_OF_PARTIAL_CAPACITY.. => Capacity::WithGuardian,
        _ => Capacity::GuardianOnly,
    })
}

/// What a verified certificate of guardianship (`urn:az:guardianship:1`) says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guardianship {
    /// The child.
    pub child: PersonTag,
    /// The parent, adopter or guardian.
    pub guardian: PersonTag,
    /// Its last day, if it has one.
    pub valid_until: Option<Date>,
}

/// Whether `acting` may act on `today` for the person born on `birthdate`: the person itself when
/// of age, else only with a certificate that names exactly these two.
///
/// # Errors
/// [`RecoveryError::NotBorn`], [`RecoveryError::GuardianNeeded`],
/// [`RecoveryError::OtherGuardianship`], [`RecoveryError::GuardianshipEnded`]. For a person of age
/// nobody else acts by guardianship: [`RecoveryError::GuardianshipEnded`].
pub fn check_acting(
    person: PersonTag,
    birthdate: Date,
    acting: PersonTag,
    certificate: Option<&Guardianship>,
    today: Date,
) -> Result<Capacity, RecoveryError> {
    let capacity = capacity(birthdate, today)?;
    if capacity == Capacity::Full {
        let itself = acting == person;
        return if itself { Ok(capacity) } else { Err(RecoveryError::GuardianshipEnded) };
    }
    let certificate = certificate.ok_or(RecoveryError::GuardianNeeded)?;
    if acting == person {
        return Err(RecoveryError::GuardianNeeded);
    }
    if certificate.child != person || certificate.guardian != acting {
        return Err(RecoveryError::OtherGuardianship);
    }
    if certificate.valid_until.is_some_and(|last| today > last) {
        return Err(RecoveryError::GuardianshipEnded);
    }
    Ok(capacity)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: OperationId = OperationId(1);
    const NOW: UnixSeconds = UnixSeconds(1_000_000);

    fn tag(number: u8) -> PersonTag {
        Digest([number; 32])
    }

    fn approval(guardian: u8) -> Approval {
        Approval { recovery: ID, guardian: tag(guardian), approved: NOW }
    }

    fn decided(
        guardians: &[u8],
        approvals: &[Approval],
        now: UnixSeconds,
    ) -> Result<usize, &'static str> {
        let guardians: Vec<_> = guardians.iter().map(|number| tag(*number)).collect();
        let recovery = Recovery { id: ID, person: tag(9), guardians: &guardians, opened: NOW };
        match decide(&recovery, approvals, now) {
            Ok(Decision::Waiting(missing)) => Ok(missing),
            Ok(Decision::Recovered { cool_down_until }) => {
                assert_eq!(cool_down_until, now.saturating_add(72 * 3_600));
                Ok(0)
            }
            Err(error) => Err(error.code()),
        }
    }

    #[test]
    fn two_of_three_guardians_recover_and_one_twice_does_not() {
        let all = [1, 2, 3];
        assert_eq!(decided(&all, &[], NOW), Ok(2));
        assert_eq!(decided(&all, &[approval(1)], NOW), Ok(1));
        assert_eq!(decided(&all, &[approval(1), approval(1)], NOW), Ok(1));
        assert_eq!(decided(&all, &[approval(3), approval(1)], NOW), Ok(0));
        assert_eq!(decided(&all, &[approval(1), approval(2), approval(3)], NOW), Ok(0));
    }

    #[test]
    fn an_approval_of_another_recovery_by_a_stranger_or_out_of_time_does_not_count() {
        let all = [1, 2, 3];
        let with = |other: Approval| decided(&all, &[approval(1), other], NOW.saturating_add(10));
        assert_eq!(with(approval(2)), Ok(0));
        assert_eq!(with(approval(4)), Ok(1));
        assert_eq!(with(approval(9)), Ok(1));
        assert_eq!(with(Approval { recovery: OperationId(2), ..approval(2) }), Ok(1));
        let before = UnixSeconds(NOW.0 - 1);
        assert_eq!(with(Approval { approved: before, ..approval(2) }), Ok(1));
        let ahead = NOW.saturating_add(11);
        assert_eq!(with(Approval { approved: ahead, ..approval(2) }), Ok(1));
        let late = NOW.saturating_add(RECOVERY_SECONDS_MAX);
        assert_eq!(decided(&all, &[approval(1)], late), Err("recovery_expired"));
    }

    #[test]
    fn guardians_are_three_different_people_and_not_the_person() {
        for guardians in [&[][..], &[1, 2], &[1, 2, 2], &[1, 2, 3, 4], &[1, 2, 9]] {
            let refused = decided(guardians, &[approval(1), approval(2)], NOW);
            assert_eq!(refused, Err("guardians_not_named"), "{guardians:?}");
        }
    }

    #[test]
    fn a_new_proof_needs_the_earlier_level_and_new_consents_wait() {
        use AssuranceLevel::{High, Low, Substantial};
        assert_eq!(reproof(Substantial, Low, NOW), Err(RecoveryError::LevelTooLow));
        let until = reproof(Substantial, High, NOW).expect("a higher level");
        let last = UnixSeconds(until.0 - 1);
        assert_eq!(check_new_consent(Some(until), last), Err(RecoveryError::CoolDown));
        assert_eq!(check_new_consent(Some(until), until), Ok(()));
        assert_eq!(check_new_consent(None, NOW), Ok(()));
    }

    #[test]
    fn a_minor_acts_only_through_or_with_the_guardian_named() {
        let today: Date = "2026-11-22".parse().expect("a day");
        let date = |text: &str| text.parse::<Date>().expect("a day");
        let (child, parent) = (tag(1), tag(2));
        let certificate = Guardianship { child, guardian: parent, valid_until: None };
        let act = |born: &str, acting, certificate: Option<&Guardianship>| {
            check_acting(child, date(born), acting, certificate, today).map_err(RecoveryError::code)
        };
        assert_eq!(act("2015-01-01", parent, Some(&certificate)), Ok(Capacity::GuardianOnly));
        assert_eq!(act("2012-11-22", parent, Some(&certificate)), Ok(Capacity::WithGuardian));
        assert_eq!(act("2012-11-23", parent, Some(&certificate)), Ok(Capacity::GuardianOnly));
        assert_eq!(act("2015-01-01", child, Some(&certificate)), Err("guardian_needed"));
        assert_eq!(act("2015-01-01", parent, None), Err("guardian_needed"));
        assert_eq!(act("2015-01-01", tag(3), Some(&certificate)), Err("guardianship_for_others"));
        assert_eq!(act("2008-11-22", child, None), Ok(Capacity::Full));
        assert_eq!(act("2008-11-22", parent, Some(&certificate)), Err("guardianship_ended"));
        let ended = Guardianship { valid_until: Some(date("2026-11-21")), ..certificate };
        assert_eq!(act("2015-01-01", parent, Some(&ended)), Err("guardianship_ended"));
        assert_eq!(act("2027-01-01", parent, Some(&certificate)), Err("birthdate_in_future"));
    }
}
