//! Making offers (OpenID4VCI 1.0 §4.1).

use etibar_credential::jose;
use etibar_primitives::BlockTime;
use serde::{Deserialize, Serialize};

use super::{Issuer, OfferingError, TokenError};
use crate::{
    Entropy, GrantKey, GrantKind, Grants, Private,
    http::Answer,
    store::{self, StoreError, after},
    vci::{
        AuthorizationCodeOffer, CredentialOffer, OfferGrants, PreAuthorizedOffer, TxCode,
        issuer::Rendered,
    },
};

/// How often a transaction code may be wrong before the offer is void.
pub const TX_CODE_ATTEMPTS_MAX: u8 = 5;
/// The digits of a transaction code.
pub const TX_CODE_DIGITS: usize = 6;

/// What to offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offering {
    /// The configurations offered.
    pub configurations: Vec<String>,
    /// How they may be fetched.
    pub way: Way,
    /// Whether the URL says where the offer is, instead of holding it.
    pub by_reference: bool,
}

/// How an offer may be redeemed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// By a code: the person was authorized already.
    PreAuthorized {
        /// The caller's own name of the person, returned with the credential request.
        subject: Private<String>,
        /// Whether a transaction code, given by another way, is needed.
        tx_code: bool,
    },
    /// By authorization; the state comes back in [`super::Authorization`].
    Authorization {
        /// Names the offer, if that matters.
        issuer_state: Option<String>,
    },
}

/// An offer that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// To be shown or sent: `openid-credential-offer://?…`.
    pub uri: String,
    /// To be given to the person by another way.
    pub tx_code: Option<Private<String>>,
    /// When the offer ends.
    pub expires: BlockTime,
}

/// A pre-authorized code.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(super) enum PreAuthorized {
    Open {
        subject: Private<String>,
        configurations: Vec<String>,
        /// The hash of the code and the transaction code.
        tx_code: Option<String>,
        attempts_left: u8,
    },
    Used {
        token: String,
    },
}

impl PreAuthorized {
    /// The error, and what is left of the code if the attempt must be counted.
    pub(super) fn check_tx_code(
        &self,
        code: &str,
        given: Option<&str>,
    ) -> Result<(), (TokenError, Option<Self>)> {
        let Self::Open { subject, configurations, tx_code, attempts_left } = self else {
            return Err((TokenError::CodeReplayed, None));
        };
        match (tx_code, given) {
            (None, None) => Ok(()),
            (None, Some(_)) | (Some(_), None) => Err((TokenError::TxCodeMissing, None)),
            (Some(_), Some(_)) if *attempts_left == 0 => Err((TokenError::TxCodeAttempts, None)),
            (Some(hash), Some(given)) if *hash == tx_code_hash(code, given) => Ok(()),
            (Some(hash), Some(_)) => {
                let left = attempts_left - 1;
                let next = Self::Open {
                    subject: subject.clone(),
                    configurations: configurations.clone(),
                    tx_code: Some(hash.clone()),
                    attempts_left: left,
                };
                let error = if left == 0 { TokenError::TxCodeAttempts } else { TokenError::TxCode };
                Err((error, Some(next)))
            }
        }
    }
}

impl Rendered for CredentialOffer {
    fn answer(&self) -> Answer {
        Answer::json(200, self)
    }
}

impl Issuer {
    /// Makes an offer.
    ///
    /// # Errors
    /// See [`OfferingError`].
    pub async fn offer<G: Grants>(
        &self,
        grants: &G,
        offering: Offering,
        now: BlockTime,
        entropy: &Entropy,
    ) -> Result<Offered, OfferingError> {
        let known = |id: &String| self.config.configurations.contains_key(id);
        let count = offering.configurations.len();
        let in_limits = (1..=super::super::offer::OFFER_CONFIGURATIONS_MAX).contains(&count);
        if !in_limits || !offering.configurations.iter().all(known) {
            return Err(OfferingError::Configuration);
        }
        let expires = after(now, self.config.lifetimes.offer_s);
        let mut tx_code = None;
        let ways = match offering.way {
            Way::Authorization { issuer_state } => OfferGrants {
                authorization_code: Some(AuthorizationCodeOffer { issuer_state }),
                pre_authorized_code: None,
            },
            Way::PreAuthorized { subject, tx_code: wanted } => {
                let code = entropy.text("pre_authorized_code");
                tx_code = wanted.then(|| tx_code_digits(entropy));
                let value = PreAuthorized::Open {
                    subject,
                    configurations: offering.configurations.clone(),
                    tx_code: tx_code.as_ref().map(|digits| tx_code_hash(&code, &digits.0)),
                    attempts_left: TX_CODE_ATTEMPTS_MAX,
                };
                let key = GrantKey::of(GrantKind::PreAuthorizedCode, &code);
                store::put(grants, key, &value, expires, now).await?;
                pre_authorized(code, wanted)
            }
        };
        let offer = CredentialOffer {
            credential_issuer: self.config.base_url.clone(),
            credential_configuration_ids: offering.configurations,
            grants: Some(ways),
        };
        if !offering.by_reference {
            return Ok(Offered { uri: offer.to_uri(), tx_code, expires });
        }
        let id = entropy.text("offer");
        store::put(grants, GrantKey::of(GrantKind::Offer, &id), &offer, expires, now).await?;
        let uri = CredentialOffer::reference_uri(&self.offer_url(&id));
        Ok(Offered { uri, tx_code, expires })
    }

    /// The offer called `id`, if it has not ended. It may be fetched more than once: what it holds
    /// works once.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn offer_by_id<G: Grants>(
        &self,
        grants: &G,
        id: &str,
        now: BlockTime,
    ) -> Result<Option<CredentialOffer>, StoreError> {
        let kept = store::get(grants, GrantKey::of(GrantKind::Offer, id), now).await?;
        Ok(kept.map(|kept| kept.value))
    }
}

fn pre_authorized(code: String, tx_code: bool) -> OfferGrants {
    let tx_code = tx_code.then(|| TxCode {
        input_mode: Some("numeric".to_owned()),
        length: Some(TX_CODE_DIGITS),
        description: None,
    });
    let offer = PreAuthorizedOffer { code: Private(code), tx_code };
    OfferGrants { authorization_code: None, pre_authorized_code: Some(offer) }
}

fn tx_code_hash(code: &str, tx_code: &str) -> String {
    jose::text_hash(&format!("{code} {tx_code}"))
}

fn tx_code_digits(entropy: &Entropy) -> Private<String> {
    let bytes: [u8; 8] = entropy.bytes("tx_code")[..8].try_into().expect("32 bytes hold 8");
    // 2^64 over 10^6: the first codes are likelier by one part in 10^13.
    Private(format!("{:06}", u64::from_be_bytes(bytes) % 1_000_000))
}
