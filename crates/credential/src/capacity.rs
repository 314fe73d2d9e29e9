//! Who acts for whom by age: rules that decide, without knowing anybody.

use crate::date::Date;

/// Full capacity (Civil Code of Azerbaijan, Art. 28), in years.
pub const AGE_OF_MAJORITY: u16 = 18;
/// From this age a minor acts with a guardian's agreement, in years (Art. 30); below it the
/// guardian acts.
pub const AGE_OF_PARTIAL_CAPACITY: u16 = 14;

/// Why an act for a minor is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CapacityError {
    /// The birth date lies in the future.
    #[error("the birth date lies in the future")]
    NotBorn,
    /// A minor acts alone where a guardian must act or agree.
    #[error("a guardian must act or agree")]
    GuardianNeeded,
    /// The certificate of guardianship is about another child or names another guardian.
    #[error("the certificate of guardianship is for others")]
    OtherGuardianship,
    /// The certificate of guardianship has run out, or the child is of age.
    #[error("the guardianship has ended")]
    GuardianshipEnded,
}

impl CapacityError {
    /// The stable code in interfaces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotBorn => "birthdate_in_future",
            Self::GuardianNeeded => "guardian_needed",
            Self::OtherGuardianship => "guardianship_for_others",
            Self::GuardianshipEnded => "guardianship_ended",
        }
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
/// [`CapacityError::NotBorn`].
pub fn capacity(birthdate: Date, today: Date) -> Result<Capacity, CapacityError> {
    Ok(match birthdate.age_on(today).ok_or(CapacityError::NotBorn)? {
        AGE_OF_MAJORITY.. => Capacity::Full,
        AGE_OF_PARTIAL_CAPACITY.. => Capacity::WithGuardian,
        _ => Capacity::GuardianOnly,
    })
}

/// What a verified certificate of guardianship (`urn:az:guardianship:1`) says. `P` is how the
/// caller knows people: a personal number, or a tag of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guardianship<P> {
    /// The child.
    pub child: P,
    /// The parent, adopter or guardian.
    pub guardian: P,
    /// Its last day, if it has one.
    pub valid_until: Option<Date>,
}

/// Whether `acting` may act on `today` for the person born on `birthdate`: the person itself when
/// of age, else only with a certificate that names exactly these two.
///
/// # Errors
/// [`CapacityError::NotBorn`], [`CapacityError::GuardianNeeded`],
/// [`CapacityError::OtherGuardianship`], [`CapacityError::GuardianshipEnded`]. For a person of age
/// nobody else acts by guardianship: [`CapacityError::GuardianshipEnded`].
pub fn check_acting<P: PartialEq>(
    person: &P,
    birthdate: Date,
    acting: &P,
    certificate: Option<&Guardianship<P>>,
    today: Date,
) -> Result<Capacity, CapacityError> {
    let capacity = capacity(birthdate, today)?;
    if capacity == Capacity::Full {
        let itself = acting == person;
        return if itself { Ok(capacity) } else { Err(CapacityError::GuardianshipEnded) };
    }
    let certificate = certificate.ok_or(CapacityError::GuardianNeeded)?;
    if acting == person {
        return Err(CapacityError::GuardianNeeded);
    }
    if certificate.child != *person || certificate.guardian != *acting {
        return Err(CapacityError::OtherGuardianship);
    }
    if certificate.valid_until.is_some_and(|last| today > last) {
        return Err(CapacityError::GuardianshipEnded);
    }
    Ok(capacity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minor_acts_only_through_or_with_the_guardian_named() {
        let today: Date = "2026-11-22".parse().expect("a day");
        let date = |text: &str| text.parse::<Date>().expect("a day");
        let (child, parent) = (1, 2);
        let certificate = Guardianship { child, guardian: parent, valid_until: None };
        let act = |born: &str, acting, certificate: Option<&Guardianship<i32>>| {
            check_acting(&child, date(born), &acting, certificate, today)
                .map_err(CapacityError::code)
        };
        assert_eq!(act("2015-01-01", parent, Some(&certificate)), Ok(Capacity::GuardianOnly));
        assert_eq!(act("2012-11-22", parent, Some(&certificate)), Ok(Capacity::WithGuardian));
        assert_eq!(act("2012-11-23", parent, Some(&certificate)), Ok(Capacity::GuardianOnly));
        assert_eq!(act("2015-01-01", child, Some(&certificate)), Err("guardian_needed"));
        assert_eq!(act("2015-01-01", parent, None), Err("guardian_needed"));
        assert_eq!(act("2015-01-01", 3, Some(&certificate)), Err("guardianship_for_others"));
        assert_eq!(act("2008-11-22", child, None), Ok(Capacity::Full));
        assert_eq!(act("2008-11-22", parent, Some(&certificate)), Err("guardianship_ended"));
        let ended = Guardianship { valid_until: Some(date("2026-11-21")), ..certificate };
        assert_eq!(act("2015-01-01", parent, Some(&ended)), Err("guardianship_ended"));
        assert_eq!(act("2027-01-01", parent, Some(&certificate)), Err("birthdate_in_future"));
    }
}
