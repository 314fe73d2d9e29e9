//! What members and holders say to each other about consents, data, enrolment and recovery.
//!
//! Between members a message travels over TLS under the sender's member token; what a holder sends
//! is a [`HolderEnvelope`]: a body and a presentation whose KB-JWT nonce is the body's hash.
//!
//! Every message refuses unknown fields and has a size limit; [`parse`] is the only reader.

mod data;
mod holder;
mod registrar;

pub use data::{
    CLAIMS_MAX, ChangeNotice, ConsentRegistered, ConsentRegistration, DataAnswer, DataRequest,
    NoticeTaken, ReceiptAcknowledged, ReceiptAcknowledgement, RevocationNotice,
};
pub use holder::{
    ACCESSES_PAGE_MAX, AccessesAnswer, DataCopy, EraseAnswer, HOLDER_REQUEST_AGE_MAX_S, Hold,
    HolderAction, HolderEnvelope, HolderRequest, RevokeAnswer, ServedReceipt, body_nonce,
};
pub use registrar::{
    APPROVALS_NEEDED, Enrolment, EnrolmentAnswer, GUARDIANS, OFFERS_MAX, ProofingEvidence,
    Recovery, RecoveryApproval, RecoveryMeans, RecoveryProgress, RecoveryState, RegisterChange,
    RegisterChanged, ReleaseDecided, ReleaseDecision, ReleasesWaiting, WaitingRelease,
};
use serde::{Serialize, de::DeserializeOwned};

/// A message between members or from a holder.
pub trait Message: Serialize + DeserializeOwned {
    /// The largest message, in bytes of JSON.
    const BYTES_MAX: usize;

    /// Checks the limits that the type alone does not hold.
    ///
    /// # Errors
    /// The first limit that is broken.
    fn check(&self) -> Result<(), MessageError> {
        Ok(())
    }
}

/// Why a message is none. Each has a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Longer than the message's [`Message::BYTES_MAX`].
    #[error("the message is longer than its limit")]
    TooLarge,
    /// Not the JSON that belongs there, or with a field that does not.
    #[error("the message is malformed")]
    Malformed,
    /// A text or list in it is longer than its limit, or empty where it must not be.
    #[error("a field of the message is outside its limits")]
    FieldLimit,
    /// A FIN is not seven of the register's characters (identity.md 1.1).
    #[error("the personal number is malformed")]
    Fin,
}

impl MessageError {
    /// The stable code in interfaces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "message_too_large",
            Self::Malformed => "message_malformed",
            Self::FieldLimit => "message_field_limit",
            Self::Fin => "message_fin_malformed",
        }
    }
}

/// Reads a message and checks its limits.
///
/// # Errors
/// See [`MessageError`]. The error never repeats the message: it may be personal.
pub fn parse<T: Message>(bytes: &[u8]) -> Result<T, MessageError> {
    if bytes.len() > T::BYTES_MAX {
        return Err(MessageError::TooLarge);
    }
    let message: T = serde_json::from_slice(bytes).map_err(|_| MessageError::Malformed)?;
    message.check()?;
    Ok(message)
}

/// The message as JSON.
///
/// # Errors
/// See [`MessageError`]: what a person typed or a store holds ends up in messages, too, so one that
/// breaks its limits is refused before it is sent.
pub fn render<T: Message>(message: &T) -> Result<Vec<u8>, MessageError> {
    message.check()?;
    let bytes = serde_json::to_vec(message).map_err(|_| MessageError::Malformed)?;
    if bytes.len() > T::BYTES_MAX { Err(MessageError::TooLarge) } else { Ok(bytes) }
}

/// A list of `1..=max` entries.
fn check_list<T>(list: &[T], max: usize) -> Result<(), MessageError> {
    if list.is_empty() || list.len() > max { Err(MessageError::FieldLimit) } else { Ok(()) }
}

/// A text of `1..=max` bytes.
fn check_text(text: &str, max: usize) -> Result<(), MessageError> {
    if text.is_empty() || text.len() > max { Err(MessageError::FieldLimit) } else { Ok(()) }
}
