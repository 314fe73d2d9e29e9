//! The fifteen agencies of the sample country and what each attests.
//!
//! Source: the first fifteen rows of the table of agencies in the project's description of
//! identity in Azerbaijan; the list is ours, no act names all of them.

use etibar_primitives::MemberId;

/// The member id of the first agency.
const FIRST_MEMBER: u32 = 12;

/// An agency. Its number is its member id in the sample country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Agency {
    /// Ministry of Internal Affairs: population register. It is the registrar.
    InternalAffairs,
    /// State Road Police: vehicles, licences.
    RoadPolice,
    /// Ministry of Justice: civil acts, guardianship, powers of attorney.
    Justice,
    /// State Tax Service: taxpayers, companies.
    Tax,
    /// Ministry of Labour and Social Protection: labour contracts.
    Labour,
    /// State Social Protection Fund (DSMF): contributions, pensions.
    SocialProtection,
    /// State Customs Committee: declarations.
    Customs,
    /// State Service for Property Issues: real estate.
    Property,
    /// State Migration Service: residence and work permits.
    Migration,
    /// Ministry of Science and Education: diplomas.
    Education,
    /// Mandatory health insurance agency: insured status.
    Health,
    /// Innovation and Digital Development Agency: login assurance; runs the hosted wallet.
    Digital,
    /// Financial Monitoring Service (MMX): sanctions screening.
    Monitoring,
    /// Credit bureau: exposure, delays, ban on remote loans.
    CreditBureau,
    /// Deposit Insurance Fund: cover.
    DepositInsurance,
}

impl Agency {
    /// All of them, in the order of their member ids.
    pub const ALL: [Self; 15] = [
        Self::InternalAffairs,
        Self::RoadPolice,
        Self::Justice,
        Self::Tax,
        Self::Labour,
        Self::SocialProtection,
        Self::Customs,
        Self::Property,
        Self::Migration,
        Self::Education,
        Self::Health,
        Self::Digital,
        Self::Monitoring,
        Self::CreditBureau,
        Self::DepositInsurance,
    ];

    /// The agency that `member` is in the sample country.
    pub fn of_member(member: MemberId) -> Option<Self> {
        let index = member.0.checked_sub(FIRST_MEMBER)?;
        Self::ALL.get(usize::try_from(index).ok()?).copied()
    }

    /// Its member id in the sample country.
    pub fn member(self) -> MemberId {
        let index = Self::ALL.iter().position(|its| *its == self);
        let index = index.expect("the list holds every agency");
        MemberId(FIRST_MEMBER + u32::try_from(index).expect("there are fifteen agencies"))
    }

    /// Whether it enrols people and issues the PID.
    pub const fn is_registrar(self) -> bool {
        matches!(self, Self::InternalAffairs)
    }

    /// The kinds of record that its register holds: credential types (`vct`) it attests from
    /// records. Pairwise credentials are made by the registrar and are in no register.
    pub const fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::InternalAffairs => &[kind::PID],
            Self::RoadPolice => &[kind::VEHICLE, kind::DRIVING_LICENCE],
            Self::Justice => &[kind::CIVIL_STATUS, kind::GUARDIANSHIP, kind::MANDATE],
            Self::Tax => &[kind::TAXPAYER, kind::COMPANY],
            Self::Labour => &[kind::EMPLOYMENT],
            Self::SocialProtection => &[kind::SOCIAL_INSURANCE],
            Self::Customs => &[kind::TRADE],
            Self::Property => &[kind::PROPERTY],
            Self::Migration => &[kind::RESIDENCE_PERMIT],
            Self::Education => &[kind::DIPLOMA],
            Self::Health => &[kind::HEALTH_INSURANCE],
            Self::Digital => &[kind::LOGIN_ASSURANCE],
            Self::Monitoring => &[kind::SANCTIONS_SCREENING],
            Self::CreditBureau => &[kind::CREDIT_REPORT],
            Self::DepositInsurance => &[kind::DEPOSIT_COVER],
        }
    }
}

/// Credential types (`vct`), which are the kinds of records, too.
pub mod kind {
    /// Person identification data.
    pub const PID: &str = "urn:az:pid:1";
    /// One bank's pseudonym of a person.
    pub const PAIRWISE: &str = "urn:az:pairwise:1";
    /// A registered vehicle.
    pub const VEHICLE: &str = "urn:az:vehicle:1";
    /// A driving licence.
    pub const DRIVING_LICENCE: &str = "urn:az:driving-licence:1";
    /// Marital status and children.
    pub const CIVIL_STATUS: &str = "urn:az:civil-status:1";
    /// Who stands for a minor.
    pub const GUARDIANSHIP: &str = "urn:az:guardianship:1";
    /// A power of attorney.
    pub const MANDATE: &str = "urn:az:mandate:1";
    /// An entrepreneur or a company as taxpayer.
    pub const TAXPAYER: &str = "urn:az:taxpayer:1";
    /// A company with representatives and beneficial owners.
    pub const COMPANY: &str = "urn:az:company:1";
    /// A labour contract.
    pub const EMPLOYMENT: &str = "urn:az:employment:1";
    /// Contributions and pension.
    pub const SOCIAL_INSURANCE: &str = "urn:az:social-insurance:1";
    /// Foreign trade of a company.
    pub const TRADE: &str = "urn:az:trade:1";
    /// A title to real estate.
    pub const PROPERTY: &str = "urn:az:property:1";
    /// A foreigner's permit.
    pub const RESIDENCE_PERMIT: &str = "urn:az:residence-permit:1";
    /// A degree.
    pub const DIPLOMA: &str = "urn:az:diploma:1";
    /// Insured or not.
    pub const HEALTH_INSURANCE: &str = "urn:az:health-insurance:1";
    /// How strongly a person signs in.
    pub const LOGIN_ASSURANCE: &str = "urn:az:login-assurance:1";
    /// Hit or no hit.
    pub const SANCTIONS_SCREENING: &str = "urn:az:sanctions-screening:1";
    /// Loans, delays, ban.
    pub const CREDIT_REPORT: &str = "urn:az:credit-report:1";
    /// Insured deposits.
    pub const DEPOSIT_COVER: &str = "urn:az:deposit-cover:1";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_12_to_26_are_the_agencies() {
        let members: Vec<u32> = Agency::ALL.iter().map(|agency| agency.member().0).collect();
        assert_eq!(members, (12..=26).collect::<Vec<_>>());
        for agency in Agency::ALL {
            assert_eq!(Agency::of_member(agency.member()), Some(agency));
        }
        assert_eq!(Agency::of_member(MemberId(11)), None);
        assert_eq!(Agency::of_member(MemberId(27)), None);
    }
}
