//! OpenID for Verifiable Credential Issuance 1.0, as HAIP 1.0 profiles it: PAR, PKCE S256, DPoP,
//! pre-authorized codes, proofs of several keys at once, deferral, notifications.

pub mod dpop;
pub mod holder;
pub mod issuer;
mod messages;
mod metadata;
mod offer;
mod proof;

pub use messages::{
    CredentialRequest, CredentialResponse, DeferredRequest, Issued, NonceResponse, Notification,
    NotificationEvent, Proofs, PushedResponse, TokenResponse,
};
pub use metadata::{
    AuthorizationServerMetadata, Batch, CredentialConfiguration, CredentialIssuerMetadata, Display,
    ProofType, paths, well_known,
};
pub use offer::{
    AuthorizationCodeOffer, CredentialOffer, OfferError, OfferGrants, OfferSource,
    PreAuthorizedOffer, TxCode,
};
pub use proof::{KEYS_MAX, ProofError};

/// The grant type of pre-authorized codes (OpenID4VCI 1.0 §6.1).
pub const GRANT_PRE_AUTHORIZED: &str = "urn:ietf:params:oauth:grant-type:pre-authorized_code";
/// The grant type of authorization codes.
pub const GRANT_CODE: &str = "authorization_code";
