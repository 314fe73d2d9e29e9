//! The protocols by which credentials are issued and presented, and by which members act on a
//! consent: OpenID4VCI 1.0, OpenID4VP 1.0 (HAIP profile), the OAuth around them (PAR, PKCE, DPoP),
//! and the members' own messages.
//!
//! [`vci`] issues: [`vci::issuer`] is the agency's or bank's side, [`vci::holder`] the wallet's.
//! [`vp`] presents: [`vp::verifier`] is the relying party's side, [`vp::holder`] the wallet's.
//! [`member`] holds what members and holders say to each other beyond these standards.
//!
//! Boundary: no I/O, no clock, no source of randomness. The caller gives the moment, fresh random
//! bytes ([`Entropy`]) and a store ([`Grants`]) that survives a restart; it carries requests and
//! answers over HTTP as it likes.
//!
//! Invariants: a secret handed out (code, token, nonce) is stored as a hash only; each is bound to
//! the key or verifier it was made for, ends by itself, and works once where the standard says
//! once. Tokens are signed with ES256 and nothing else, whatever their header claims. Every
//! message and list has a named limit. Personal data is redacted in `Debug`.
//!
//! Deliberately absent: registers, vaults, HTTP, pages, the ledger; wallet attestation (the sample
//! country's wallets are public clients bound by DPoP); mdoc and W3C VCDM formats; refresh tokens.

pub mod dcql;
mod entropy;
mod grants;
pub mod http;
pub mod jwe;
pub mod member;
mod private;
mod store;
pub mod vci;
pub mod vp;

pub use entropy::Entropy;
pub use grants::{
    GRANT_VALUE_BYTES_MAX, Grant, GrantKey, GrantKind, Grants, Inserted, MemoryGrants,
};
pub use private::{Private, Secret};
pub use store::{StoreError, StoreFault};
