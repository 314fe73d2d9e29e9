//! Credential offers (OpenID4VCI 1.0 §4.1): an issuer's invitation, by value or by reference.

use serde::{Deserialize, Serialize};

use crate::{
    http::{Form, with_query},
    private::Private,
};

/// The longest offer or URL of one, in bytes.
pub(super) const OFFER_BYTES_MAX: usize = 8 * 1024;
/// The most credentials of one offer.
pub(super) const OFFER_CONFIGURATIONS_MAX: usize = 16;

const SCHEME: &str = "openid-credential-offer://";

/// An invitation to fetch credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialOffer {
    /// The issuer's identifier.
    pub credential_issuer: String,
    /// What is offered.
    pub credential_configuration_ids: Vec<String>,
    /// How to get it; absent: as the issuer's metadata says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<OfferGrants>,
}

/// The ways of an offer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferGrants {
    /// By authorization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_code: Option<AuthorizationCodeOffer>,
    /// By a code that stands for an authorization already given.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        rename = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
    )]
    pub pre_authorized_code: Option<PreAuthorizedOffer>,
}

/// How to be authorized for an offer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationCodeOffer {
    /// To be sent back with the authorization request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_state: Option<String>,
}

/// A code that can be redeemed at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreAuthorizedOffer {
    /// The code.
    #[serde(rename = "pre-authorized_code")]
    pub code: Private<String>,
    /// Whether a second code, sent by another way, is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tx_code: Option<TxCode>,
}

/// What the transaction code looks like.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TxCode {
    /// `numeric` or `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_mode: Option<String>,
    /// Its length in characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<usize>,
    /// Where the person finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What stands in an offer's URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfferSource {
    /// The offer itself.
    Value(CredentialOffer),
    /// Where to fetch it, by HTTPS.
    Reference(String),
}

/// Why an offer is none. Each has a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// Longer than [`OFFER_BYTES_MAX`], or offers nothing or too much.
    #[error("the offer is outside its limits")]
    Limit,
    /// Not the URL or JSON that belongs there.
    #[error("the offer is malformed")]
    Malformed,
}

impl OfferError {
    /// The stable code in interfaces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Limit => "offer_limit",
            Self::Malformed => "offer_malformed",
        }
    }
}

impl CredentialOffer {
    /// The URL that holds the offer.
    pub fn to_uri(&self) -> String {
        let json = serde_json::to_string(self).expect("plain data becomes JSON");
        with_query(SCHEME, &[("credential_offer", &json)])
    }

    /// The URL that says where the offer is.
    pub fn reference_uri(url: &str) -> String {
        with_query(SCHEME, &[("credential_offer_uri", url)])
    }

    /// Reads an offer's JSON.
    ///
    /// # Errors
    /// See [`OfferError`].
    pub fn parse(json: &[u8]) -> Result<Self, OfferError> {
        if json.len() > OFFER_BYTES_MAX {
            return Err(OfferError::Limit);
        }
        let offer: Self = serde_json::from_slice(json).map_err(|_| OfferError::Malformed)?;
        let count = offer.credential_configuration_ids.len();
        if count == 0 || count > OFFER_CONFIGURATIONS_MAX {
            return Err(OfferError::Limit);
        }
        Ok(offer)
    }
}

impl OfferSource {
    /// Reads the URL of an offer.
    ///
    /// # Errors
    /// See [`OfferError`].
    pub fn parse(uri: &str) -> Result<Self, OfferError> {
        if uri.len() > OFFER_BYTES_MAX {
            return Err(OfferError::Limit);
        }
        let (_, query) = uri.split_once('?').ok_or(OfferError::Malformed)?;
        let form = Form::parse(query.as_bytes()).map_err(|_| OfferError::Malformed)?;
        match (form.get("credential_offer"), form.get("credential_offer_uri")) {
            (Some(json), None) => CredentialOffer::parse(json.as_bytes()).map(Self::Value),
            (None, Some(url)) => Ok(Self::Reference(url.to_owned())),
            _ => Err(OfferError::Malformed),
        }
    }
}
