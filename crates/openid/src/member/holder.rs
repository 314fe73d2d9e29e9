//! What a holder asks of a bank or an agency: revoke, erase, who accessed, my data.
//!
//! The body's bytes are bound to the presentation: the KB-JWT's nonce is [`body_nonce`] of exactly
//! these bytes and its audience the member's base URL. So a stolen body cannot be re-used with
//! another presentation, nor a presentation with another body.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use etibar_primitives::{BlockTime, Digest, OperationId};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Message, MessageError, check_list, check_text};
use crate::private::Private;

/// How old a holder's request may be when it arrives, in seconds; a repeat within that time is
/// recognised by its id.
pub const HOLDER_REQUEST_AGE_MAX_S: u64 = 300;
/// The most receipts of one page.
pub const ACCESSES_PAGE_MAX: usize = 100;

/// What the holder wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum HolderAction {
    /// The consent shall end. Final in one block.
    Revoke {
        /// The relationship.
        rel: Digest,
    },
    /// All that no law makes the member keep shall be destroyed.
    Erase {
        /// The relationship.
        rel: Digest,
    },
    /// Who accessed my data? One page of receipts.
    Accesses {
        /// The relationship, or all of this person's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rel: Option<Digest>,
        /// Receipts after this position in the member's log of this person; 0 is from the first.
        after: u64,
    },
    /// What do you hold about me?
    Data {},
    /// These persons may approve a recovery of mine (registrar only); replaces earlier ones.
    Guardians {
        /// Their personal numbers, [`super::GUARDIANS`] of them.
        guardians: Vec<Private<String>>,
    },
}

/// The body of a holder's request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HolderRequest {
    /// Chosen by the holder once; a repeat gets the same answer.
    pub id: OperationId,
    /// The member's base URL: the presentation's audience.
    pub audience: String,
    /// When the holder made it; older than [`HOLDER_REQUEST_AGE_MAX_S`] is refused.
    pub made_at: BlockTime,
    /// What it wants.
    pub request: HolderAction,
}

impl Message for HolderRequest {
    const BYTES_MAX: usize = 4 * 1024;

    fn check(&self) -> Result<(), MessageError> {
        check_text(&self.audience, 512)?;
        if let HolderAction::Guardians { guardians } = &self.request {
            check_list(guardians, super::GUARDIANS)?;
            guardians.iter().try_for_each(super::registrar::check_fin)?;
        }
        Ok(())
    }
}

/// `POST /v1/holder/{revoke|erase|accesses|data|guardians}`: the body and who says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HolderEnvelope {
    /// The JSON text of a [`HolderRequest`] (or a [`super::RecoveryApproval`]), exactly as hashed.
    pub body: Private<String>,
    /// A presentation of the pairwise credential for this bank, or of the PID for an agency.
    pub presentation: Private<String>,
}

impl Message for HolderEnvelope {
    const BYTES_MAX: usize = 80 * 1024;

    fn check(&self) -> Result<(), MessageError> {
        check_text(&self.body.0, HolderRequest::BYTES_MAX)?;
        check_text(&self.presentation.0, 64 * 1024)
    }
}

impl HolderEnvelope {
    /// The nonce that the presentation's KB-JWT must carry.
    pub fn nonce(&self) -> String {
        body_nonce(self.body.0.as_bytes())
    }

    /// The body as `T`.
    ///
    /// # Errors
    /// See [`MessageError`].
    pub fn open<T: Message>(&self) -> Result<T, MessageError> {
        super::parse(self.body.0.as_bytes())
    }
}

/// The KB-JWT nonce of a body: base64url, without padding, of its SHA-256.
pub fn body_nonce(body: &[u8]) -> String {
    BASE64.encode(Sha256::digest(body))
}

/// The answer to [`HolderAction::Revoke`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeAnswer {
    /// The relationship that has ended.
    pub rel: Digest,
    /// The ledger operations that revoked it, one per provider.
    pub revoked_by: Vec<OperationId>,
    /// The latest block time among them.
    pub revoked_at: BlockTime,
}

impl Message for RevokeAnswer {
    const BYTES_MAX: usize = 4 * 1024;

    fn check(&self) -> Result<(), MessageError> {
        check_list(&self.revoked_by, 32)
    }
}

/// What the law makes the member keep after an erasure, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// The law's short name, such as `aml_781_viq`.
    pub basis: String,
    /// What is kept, as data categories of the catalogue.
    pub categories: Vec<String>,
    /// When it is destroyed too.
    pub until: BlockTime,
}

/// The answer to [`HolderAction::Erase`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EraseAnswer {
    /// The erasure receipt: a compact JWS by the member.
    pub receipt: String,
    /// What is kept nevertheless, blocked for any other use.
    pub holds: Vec<Hold>,
}

impl Message for EraseAnswer {
    const BYTES_MAX: usize = 32 * 1024;

    fn check(&self) -> Result<(), MessageError> {
        check_text(&self.receipt, 16 * 1024)?;
        if self.holds.len() > 16 { Err(MessageError::FieldLimit) } else { Ok(()) }
    }
}

/// An access receipt with what ties it to the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServedReceipt {
    /// Its position in the member's log of this person, from 1.
    pub position: u64,
    /// The receipt: a compact JWS by the member that made it.
    pub receipt: Private<String>,
    /// The other side's counter-signature, when it has arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counter_signature: Option<String>,
    /// Its place in the anchored tree; absent while its batch is not anchored yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inclusion: Option<serde_json::Value>,
    /// The ledger operation that anchored the tree's root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchored_by: Option<OperationId>,
}

/// The answer to [`HolderAction::Accesses`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessesAnswer {
    /// At most [`ACCESSES_PAGE_MAX`], by position.
    pub receipts: Vec<ServedReceipt>,
    /// Ask again after this position; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

impl Message for AccessesAnswer {
    const BYTES_MAX: usize = 4 * 1024 * 1024;

    fn check(&self) -> Result<(), MessageError> {
        if self.receipts.len() > ACCESSES_PAGE_MAX {
            return Err(MessageError::FieldLimit);
        }
        self.receipts.iter().try_for_each(|served| check_text(&served.receipt.0, 16 * 1024))
    }
}

/// The answer to [`HolderAction::Data`]: a copy in a machine's form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataCopy {
    /// When the copy was made.
    pub made_at: BlockTime,
    /// The data by category.
    pub data: Private<serde_json::Map<String, serde_json::Value>>,
}

impl Message for DataCopy {
    const BYTES_MAX: usize = 4 * 1024 * 1024;
}
