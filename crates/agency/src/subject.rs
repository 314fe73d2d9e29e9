//! Who was authorized to fetch credentials, and by what: the protocols carry it from the sign-in to
//! the order.

use etibar_openid::Private;
use etibar_primitives::BlockTime;
use serde::{Deserialize, Serialize};

use crate::{error::AgencyError, identifiers::Fin};

/// A person who signed in, or to whom an offer was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Subject {
    /// Whose credentials.
    pub(crate) fin: Fin,
    /// Whether by a superseded PID: then its successor may be fetched, under the keys of the
    /// superseded one, and nothing else.
    pub(crate) renews: bool,
    /// When. What a recovery ended gives nothing any more, nor does what it had opened before.
    pub(crate) since: BlockTime,
}

impl Subject {
    /// As the protocols carry it.
    pub(crate) fn render(&self) -> Private<String> {
        Private(serde_json::to_string(self).expect("plain data becomes JSON"))
    }

    /// What [`Subject::render`] made.
    pub(crate) fn parse(text: &Private<String>) -> Result<Self, AgencyError> {
        serde_json::from_str(&text.0).map_err(|_| AgencyError::Credential("subject"))
    }
}
