//! The bank's staff: who they are to this program, by tokens of the bank's configuration.

use std::{fs, path::PathBuf};

use etibar_primitives::{Digest, Domain};
use serde::{Deserialize, Serialize};

const TOKEN: Domain = Domain::new("etibar.onboarding.staff-token");
/// Characters that a staff token has at least.
pub const STAFF_TOKEN_CHARACTERS_MIN: usize = 32;
/// The most staff tokens of one bank.
pub const STAFF_MAX: usize = 1_024;
/// Characters of a staff member's name at most.
const NAME_CHARACTERS_MAX: usize = 32;

/// What a member of the staff may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaffRole {
    /// Looks at applications and prepares examinations.
    Officer,
    /// Decides on what others prepared, too.
    Senior,
}

/// A member of the staff, as the records name it: the bank knows which person that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffMember {
    /// Its name here: lower-case letters, digits and hyphens; never a person's name.
    pub name: String,
    /// What it may do.
    pub role: StaffRole,
}

/// A member of the staff in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaffConfig {
    /// See [`StaffMember::name`].
    pub name: String,
    /// What it may do.
    pub role: StaffRole,
    /// The file with its token: at least [`STAFF_TOKEN_CHARACTERS_MIN`] characters.
    pub token: PathBuf,
}

/// Why the configuration names no staff.
#[derive(Debug, thiserror::Error)]
pub enum StaffError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A token is too short.
    #[error("the token of {0} is shorter than 32 characters")]
    Short(String),
    /// A name is none, or stands twice; or two have one token.
    #[error("the name or token of {0} is none, or another's")]
    Taken(String),
    /// There are more than [`STAFF_MAX`].
    #[error("there are more than 1024 staff tokens")]
    Count,
}

/// Who belongs to the staff, by their tokens' hashes.
#[derive(Clone, Default)]
pub struct Staff(Vec<(Digest, StaffMember)>);

impl std::fmt::Debug for Staff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Staff of {}", self.0.len())
    }
}

impl Staff {
    /// Reads the tokens of the configuration.
    ///
    /// # Errors
    /// See [`StaffError`].
    pub fn read(configured: &[StaffConfig]) -> Result<Self, StaffError> {
        let mut staff = Self::default();
        for StaffConfig { name, role, token } in configured {
            let text = fs::read_to_string(token);
            let text = text.map_err(|source| StaffError::File { path: token.clone(), source })?;
            staff.add(StaffMember { name: name.clone(), role: *role }, text.trim())?;
        }
        Ok(staff)
    }

    /// Adds one of the staff with its token.
    ///
    /// # Errors
    /// See [`StaffError`].
    pub fn add(&mut self, member: StaffMember, token: &str) -> Result<(), StaffError> {
        if token.chars().count() < STAFF_TOKEN_CHARACTERS_MIN {
            return Err(StaffError::Short(member.name));
        }
        if self.0.len() >= STAFF_MAX {
            return Err(StaffError::Count);
        }
        let hash = TOKEN.hash(token.as_bytes());
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let named = (1..=NAME_CHARACTERS_MAX).contains(&member.name.len())
            && member.name.bytes().all(allowed);
        let collides = self.0.iter().any(|(its, known)| *its == hash || known.name == member.name);
        if !named || collides {
            return Err(StaffError::Taken(member.name));
        }
        self.0.push((hash, member));
        Ok(())
    }

    /// Whose token this is. Hashes are compared: how far two agree says nothing of how far the
    /// tokens do.
    pub fn of_token(&self, token: &str) -> Option<&StaffMember> {
        let hash = TOKEN.hash(token.as_bytes());
        self.0.iter().find(|(its, _)| *its == hash).map(|(_, member)| member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn member(name: &str) -> StaffMember {
        StaffMember { name: name.to_owned(), role: StaffRole::Officer }
    }

    #[test]
    fn each_of_the_staff_has_a_name_and_a_token_of_its_own() {
        let mut staff = Staff::default();
        staff.add(member("desk-1"), TOKEN).expect("good");
        assert_eq!(staff.of_token(TOKEN), Some(&member("desk-1")));
        assert_eq!(staff.of_token(""), None);
        let other = TOKEN.replace('0', "z");
        for (name, token) in [("desk-2", TOKEN), ("desk-1", &other), ("", &other), ("Ə", &other)] {
            assert!(matches!(staff.add(member(name), token), Err(StaffError::Taken(_))), "{name}");
        }
        let short = staff.add(member("desk-2"), &TOKEN[1..]);
        assert!(matches!(short, Err(StaffError::Short(_))));
    }
}
