//! The bank's staff: who they are to this program, by tokens of the bank's configuration.

use std::path::PathBuf;

use etibar_client::roster::{Named, Roster, RosterError};
use serde::{Deserialize, Serialize};

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
    /// The file with its token: at least 32 characters.
    pub token: PathBuf,
}

/// Who belongs to the staff.
pub type Staff = Roster<StaffMember>;

impl Named for StaffMember {
    fn name(&self) -> &str {
        &self.name
    }
}

/// Reads the staff of the configuration with their tokens.
///
/// # Errors
/// See [`RosterError`].
pub fn read(configured: &[StaffConfig]) -> Result<Staff, RosterError> {
    let mut staff = Staff::default();
    for StaffConfig { name, role, token } in configured {
        staff.add_from(StaffMember { name: name.clone(), role: *role }, token)?;
    }
    Ok(staff)
}
