//! Token Status List: one small number per credential, compressed and signed
//! (draft-ietf-oauth-status-list).
//!
//! A list is kept uncompressed (10 million entries of 1 bit are 1.25 MB), changed in place, and
//! compressed when it is published. A verifier fetches whole lists, so the issuer never learns
//! which credential was looked at.

mod token;

pub use token::{
    STATUS_LIST_TYPE, STATUS_TOKEN_BYTES_MAX, StatusToken, VerifiedStatusList, sign_status_list,
};

use core::fmt;

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use serde_json::{Value, json};

use crate::jose::{JoseError, SignError, decode, encode};
use crate::x509::X509Error;

/// Bytes of one list, uncompressed: 67 million entries of 1 bit. A compressed list that unfolds
/// beyond it is refused while unfolding.
pub const STATUS_LIST_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Deflate's best level: the list is compressed once and fetched by everybody.
const COMPRESSION_LEVEL: u8 = 9;

/// Why a status list is refused. One variant for each rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StatusError {
    /// As a token.
    #[error(transparent)]
    Token(#[from] JoseError),
    /// The list's certificate chain.
    #[error(transparent)]
    Chain(#[from] X509Error),
    /// The signer did not sign.
    #[error("the status list could not be signed")]
    Sign,
    /// `bits` is not 1, 2, 4 or 8 (§4.1).
    #[error("a status has 1, 2, 4 or 8 bits")]
    Bits,
    /// Not zlib, or unfolds beyond [`STATUS_LIST_BYTES_MAX`], or has no entry.
    #[error("the list is malformed or too large")]
    Malformed,
    /// A required claim is missing (§5.1).
    #[error("a required claim is missing")]
    ClaimMissing,
    /// `sub` is not the address the credential names (§8.3).
    #[error("the list is for another address")]
    Subject,
    /// Past `exp`, or longer held than `ttl`, or older than the policy allows.
    #[error("the list is stale")]
    Stale,
    /// `iat` lies ahead.
    #[error("the list is from the future")]
    Future,
    /// The credential's index is not on the list (§8.3).
    #[error("the index is not on the list")]
    Index,
    /// The status does not fit the list's bits.
    #[error("the status does not fit")]
    Value,
}

impl StatusError {
    /// A stable code for logs, metrics and problem documents.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Token(_) => "status_token",
            Self::Chain(_) => "status_chain",
            Self::Sign => "signer_unavailable",
            Self::Bits => "status_bits",
            Self::Malformed => "status_list_malformed",
            Self::ClaimMissing => "status_claim_missing",
            Self::Subject => "status_subject",
            Self::Stale => "status_stale",
            Self::Future => "status_from_future",
            Self::Index => "status_index",
            Self::Value => "status_value",
        }
    }
}

impl From<SignError> for StatusError {
    fn from(_: SignError) -> Self {
        Self::Sign
    }
}

/// A credential's status (§7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Status(pub u8);

impl Status {
    /// 0x00: in force.
    pub const VALID: Self = Self(0);
    /// 0x01: revoked, for good.
    pub const INVALID: Self = Self(1);
    /// 0x02: suspended, for now.
    pub const SUSPENDED: Self = Self(2);
}

/// How many bits one status takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bits {
    /// Valid or revoked.
    One,
    /// As well suspended.
    Two,
    /// 16 values.
    Four,
    /// 256 values.
    Eight,
}

impl Bits {
    /// The number.
    pub const fn count(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }

    /// The size of this number of bits.
    pub const fn from_count(count: u64) -> Option<Self> {
        match count {
            1 => Some(Self::One),
            2 => Some(Self::Two),
            4 => Some(Self::Four),
            8 => Some(Self::Eight),
            _ => None,
        }
    }

    const fn mask(self) -> u8 {
        u8::MAX >> (8 - self.count())
    }

    const fn per_byte(self) -> usize {
        match self {
            Self::One => 8,
            Self::Two => 4,
            Self::Four => 2,
            Self::Eight => 1,
        }
    }
}

/// Where a credential's status is published (§6.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusReference {
    /// The list's address.
    pub uri: String,
    /// The credential's place on it, from 0.
    pub index: u64,
}

impl StatusReference {
    /// The `status` claim.
    pub fn to_claim(&self) -> Value {
        json!({ "status_list": { "idx": self.index, "uri": self.uri } })
    }

    /// Reads a `status` claim; `None` if it names no list.
    pub fn from_claim(claim: &Value) -> Option<Self> {
        let list = claim.get("status_list")?;
        let uri = list.get("uri")?.as_str()?.to_owned();
        Some(Self { uri, index: list.get("idx")?.as_u64()? })
    }
}

/// A list of statuses, uncompressed. It has whole bytes, so up to 7 entries more than asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct StatusList {
    bits: Bits,
    bytes: Vec<u8>,
}

impl StatusList {
    /// A list of at least `entries` valid credentials; at most [`STATUS_LIST_BYTES_MAX`] bytes.
    pub fn new(bits: Bits, entries: usize) -> Result<Self, StatusError> {
        let length = entries.div_ceil(bits.per_byte());
        if length == 0 || length > STATUS_LIST_BYTES_MAX {
            return Err(StatusError::Malformed);
        }
        Ok(Self { bits, bytes: vec![0; length] })
    }

    /// The list with these uncompressed bytes, as a store keeps it.
    pub fn from_bytes(bits: Bits, bytes: Vec<u8>) -> Result<Self, StatusError> {
        if bytes.is_empty() || bytes.len() > STATUS_LIST_BYTES_MAX {
            return Err(StatusError::Malformed);
        }
        Ok(Self { bits, bytes })
    }

    /// The uncompressed bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bits per entry.
    pub const fn bits(&self) -> Bits {
        self.bits
    }

    /// How many entries fit.
    pub fn entries(&self) -> u64 {
        let entries = self.bytes.len().saturating_mul(self.bits.per_byte());
        u64::try_from(entries).unwrap_or(u64::MAX)
    }

    /// The status at `index`.
    pub fn get(&self, index: u64) -> Result<Status, StatusError> {
        let (byte, shift) = self.place(index)?;
        Ok(Status((self.bytes[byte] >> shift) & self.bits.mask()))
    }

    /// Sets the status at `index`.
    pub fn set(&mut self, index: u64, status: Status) -> Result<(), StatusError> {
        if status.0 > self.bits.mask() {
            return Err(StatusError::Value);
        }
        let (byte, shift) = self.place(index)?;
        let cleared = self.bytes[byte] & !(self.bits.mask() << shift);
        self.bytes[byte] = cleared | (status.0 << shift);
        Ok(())
    }

    /// The byte and the shift of an entry: from the least significant bit up (§4.1).
    fn place(&self, index: u64) -> Result<(usize, u8), StatusError> {
        let index = usize::try_from(index).map_err(|_| StatusError::Index)?;
        let (byte, within) = (index / self.bits.per_byte(), index % self.bits.per_byte());
        if byte >= self.bytes.len() {
            return Err(StatusError::Index);
        }
        let within = u8::try_from(within).expect("at most eight entries share a byte");
        Ok((byte, within * self.bits.count()))
    }

    /// The list as published: zlib, base64url (§4.1, §4.2).
    pub fn compress(&self) -> String {
        encode(&compress_to_vec_zlib(&self.bytes, COMPRESSION_LEVEL))
    }

    /// The `status_list` claim (§4.2).
    pub fn to_claim(&self) -> Value {
        json!({ "bits": self.bits.count(), "lst": self.compress() })
    }

    /// Reads a `status_list` claim.
    pub fn from_claim(claim: &Value) -> Result<Self, StatusError> {
        let bits = claim.get("bits").and_then(Value::as_u64).and_then(Bits::from_count);
        let bits = bits.ok_or(StatusError::Bits)?;
        let packed = claim.get("lst").and_then(Value::as_str).and_then(decode);
        let packed = packed.ok_or(StatusError::Malformed)?;
        let bytes = decompress_to_vec_zlib_with_limit(&packed, STATUS_LIST_BYTES_MAX)
            .map_err(|_| StatusError::Malformed)?;
        Self::from_bytes(bits, bytes)
    }
}

impl fmt::Debug for StatusList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StatusList({} entries)", self.entries())
    }
}
