//! Credentials, their status, and the evidence around them: formats and cryptography.
//!
//! Here live the bytes that leave one party and convince another: SD-JWT VC (RFC 9901), Token
//! Status List, X.509 chains up to a registered authority, and what a verifier concludes from
//! them.
//!
//! Boundary: pure functions over bytes. No I/O, no clock: the caller gives the time, and the
//! randomness where a secret or a salt is made.
//!
//! Invariants: the algorithm is ours (ES256), never the token's; nothing is read from a token
//! before its signature was checked, except what names the key to check it with; every input has
//! a named limit in bytes; numbers are integers wherever money may stand; each refusal has a
//! stable code.
//!
//! Deliberately absent: DIDs, other algorithms, JSON-LD, key storage, protocols (OpenID4VCI and
//! OpenID4VP live above), and any memory of nonces already seen.

pub mod capacity;
pub mod catalogue;
pub mod consent;
pub mod date;
pub mod document;
pub mod evidence;
pub mod identifier;
pub mod jose;
pub mod json;
pub mod level;
pub mod oprf;
pub mod purpose;
pub mod recovery;
pub mod sd_jwt;
pub mod sd_jwt_vc;
pub mod status_list;
pub mod time;
pub mod trust;
pub mod verified_claims;
pub mod x509;

pub use time::UnixSeconds;
