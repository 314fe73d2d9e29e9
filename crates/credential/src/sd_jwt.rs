//! SD-JWT: claims its holder may show one by one (RFC 9901).
//!
//! The issuer replaces each disclosable claim by the digest of a *disclosure*, a salted text that
//! only the holder keeps. The holder passes on the disclosures it chooses and signs a key-binding
//! JWT over exactly those. The verifier puts the claims back.
//!
//! Only the compact serialization and SHA-256 are supported.

mod disclosure;
mod issue;
mod path;
mod present;
mod process;
mod verify;

pub use disclosure::Disclosure;
pub use issue::{Concealed, DECOYS_MAX, conceal, issue};
pub use path::{ClaimPath, Step};
pub use present::{KeyBinding, SdJwt};
pub use process::{Disclosed, Processed};
pub use verify::{KeyBindingPolicy, KeyBindingProof, Presentation};

use crate::jose::{JoseError, SignError};

/// Bytes of one SD-JWT with its disclosures and key binding.
pub const SD_JWT_BYTES_MAX: usize = 512 * 1024;

/// Disclosures in one SD-JWT.
pub const DISCLOSURES_MAX: usize = 512;

/// Bytes of one disclosure as sent: a portrait fits.
pub const DISCLOSURE_BYTES_MAX: usize = 256 * 1024;

/// The type of a key-binding JWT (RFC 9901 §4.3).
pub const KEY_BINDING_TYPE: &str = "kb+jwt";

const DIGESTS: &str = "_sd";
const ELEMENT: &str = "...";
const HASH_NAME: &str = "_sd_alg";

/// Why an SD-JWT is refused, or cannot be made. One variant for each rule of RFC 9901 §7.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SdJwtError {
    /// The issuer-signed JWT is refused (§7.1 step 2).
    #[error("issuer-signed JWT: {0}")]
    Issuer(JoseError),
    /// The key-binding JWT is refused (§7.3).
    #[error("key-binding JWT: {0}")]
    KeyBinding(JoseError),
    /// The signer did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// Longer than [`SD_JWT_BYTES_MAX`], or more than [`DISCLOSURES_MAX`] disclosures.
    #[error("the SD-JWT is too large")]
    TooLarge,
    /// No `~`, or an empty part between two of them (§4).
    #[error("not an SD-JWT in compact serialization")]
    Format,
    /// A disclosure is not base64url of a JSON array of a salt, perhaps a name, and a value (§4.2).
    #[error("a disclosure is malformed")]
    DisclosureMalformed,
    /// `_sd_alg` is not "sha-256" (§7.1 step 2d).
    #[error("the hash algorithm is not SHA-256")]
    HashAlgorithm,
    /// `_sd` is not an array of strings, or `...` stands where it may not (§4.2.4).
    #[error("a digest is embedded wrongly")]
    DigestMalformed,
    /// An object's digest matches a disclosure that does not have three elements (§7.1 3.c.ii.1).
    #[error("a member's disclosure has no name")]
    MemberWithoutName,
    /// The disclosed name is `_sd` or `...` (§7.1 3.c.ii.2).
    #[error("a disclosure has a reserved name")]
    ReservedName,
    /// The disclosed name already exists at that level (§7.1 3.c.ii.3).
    #[error("a disclosed name exists already")]
    NameExists,
    /// An element's digest matches a disclosure that does not have two elements (§7.1 3.c.iii.1).
    #[error("an element's disclosure has a name")]
    ElementWithName,
    /// A digest is found more than once (§7.1 step 4).
    #[error("a digest is repeated")]
    DigestRepeated,
    /// A disclosure is referenced by no digest (§7.1 step 5).
    #[error("a disclosure is not referenced")]
    DisclosureUnreferenced,
    /// Nested deeper than [`crate::json::DEPTH_MAX`].
    #[error("the claims are nested too deep")]
    TooDeep,
    /// Key binding is required and absent (§7.3 step 2).
    #[error("the key binding is missing")]
    KeyBindingMissing,
    /// A key-binding JWT where none may be: in what an issuer sends.
    #[error("a key binding is not expected here")]
    KeyBindingUnexpected,
    /// The credential names no P-256 holder key (§7.3 step 3a).
    #[error("the credential has no holder key")]
    HolderKeyMissing,
    /// `nonce` is not the one this verifier gave (§7.3 step 3f).
    #[error("the nonce is not ours")]
    WrongNonce,
    /// `aud` is not this verifier (§7.3 step 3f).
    #[error("the presentation is for another verifier")]
    WrongAudience,
    /// `iat` is older than the policy allows, or missing (§7.3 step 3e).
    #[error("the presentation is too old")]
    KeyBindingStale,
    /// `iat` lies in the future by more than the allowed skew (§7.3 step 3e).
    #[error("the presentation is from the future")]
    KeyBindingFuture,
    /// `sd_hash` is not the hash of what was presented (§7.3 step 3g).
    #[error("the key binding is for other disclosures")]
    WrongSdHash,
    /// `transaction_data_hashes` are not those of the request (OpenID4VP 1.0 §8.4, B.3.3.1).
    #[error("the transaction data is not what was asked")]
    WrongTransactionData,
    /// The issuer was asked to conceal a claim that is not there.
    #[error("a path leads to no claim")]
    PathNotFound,
    /// The issuer's claims use `_sd`, `...` or `_sd_alg`, or a number that is not an integer.
    #[error("the claims cannot be issued")]
    ClaimsNotIssuable,
}

impl SdJwtError {
    /// A stable code for logs, metrics and problem documents.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Issuer(error) => error.code(),
            Self::KeyBinding(JoseError::Signature) => "key_binding_signature",
            Self::KeyBinding(_) => "key_binding_malformed",
            Self::Sign(error) => error.code(),
            Self::TooLarge => "sd_jwt_too_large",
            Self::Format => "sd_jwt_format",
            Self::DisclosureMalformed => "disclosure_malformed",
            Self::HashAlgorithm => "hash_algorithm",
            Self::DigestMalformed => "digest_malformed",
            Self::MemberWithoutName => "disclosure_without_name",
            Self::ReservedName => "disclosure_reserved_name",
            Self::NameExists => "disclosure_name_exists",
            Self::ElementWithName => "disclosure_with_name",
            Self::DigestRepeated => "digest_repeated",
            Self::DisclosureUnreferenced => "disclosure_unreferenced",
            Self::TooDeep => "claims_too_deep",
            Self::KeyBindingMissing => "key_binding_missing",
            Self::KeyBindingUnexpected => "key_binding_unexpected",
            Self::HolderKeyMissing => "holder_key_missing",
            Self::WrongNonce => "wrong_nonce",
            Self::WrongAudience => "wrong_audience",
            Self::KeyBindingStale => "key_binding_stale",
            Self::KeyBindingFuture => "key_binding_from_future",
            Self::WrongSdHash => "wrong_sd_hash",
            Self::WrongTransactionData => "wrong_transaction_data",
            Self::PathNotFound => "path_not_found",
            Self::ClaimsNotIssuable => "claims_not_issuable",
        }
    }
}
