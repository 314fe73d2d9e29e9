//! Between consumer and provider: a consent is registered, data is fetched under it, changes are
//! noticed, and each fetch leaves a receipt that both sides sign.

use etibar_credential::consent::ARTEFACT_BYTES_MAX;
use etibar_primitives::{BlockTime, Digest, OperationId};
use serde::{Deserialize, Serialize};

use super::{Message, MessageError, check_list, check_text};
use crate::private::{Private, Secret};

/// The most claims of one data request.
pub const CLAIMS_MAX: usize = 128;
/// The longest name of a claim, in bytes.
const CLAIM_BYTES_MAX: usize = 256;
/// The longest entry of `transaction_data`, in bytes: it holds the artefact in base64url.
const TRANSACTION_BYTES_MAX: usize = 2 * ARTEFACT_BYTES_MAX;
/// The longest presentation, in bytes.
const PRESENTATION_BYTES_MAX: usize = 64 * 1024;
/// The longest access receipt, in bytes of compact JWS.
const RECEIPT_BYTES_MAX: usize = 16 * 1024;
/// The most entries of `transaction_data` beside a presentation.
const TRANSACTIONS_MAX: usize = 4;

/// `POST /v1/consents`: the consumer brings the provider the consent it will fetch under.
///
/// The provider checks the artefact's signature and that it names it, the holder's presentation
/// (its `transaction_data_hashes` hold the artefact's hash), `rel = SHA-256("rel" ‖ r)`, the
/// commitment, and the grant on the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentRegistration {
    /// The consent artefact: a compact JWS by the consumer.
    pub artefact: Private<String>,
    /// The relationship's secret; destroyed by both when the consent has ended.
    pub r: Secret,
    /// The salt under the ledger's commitment to the artefact.
    pub salt: Secret,
    /// The presentation (`dc+sd-jwt` with KB-JWT) by which the person consented.
    pub presentation: Private<String>,
    /// The `transaction_data` entries of the request, as they were sent (base64url of JSON).
    pub transaction_data: Vec<String>,
    /// The audience that the KB-JWT was made for: the consumer's `client_id`.
    pub audience: String,
    /// The nonce that the KB-JWT was made for.
    pub nonce: String,
    /// The ledger operation that granted the consent.
    pub granted_by: OperationId,
}

impl Message for ConsentRegistration {
    const BYTES_MAX: usize = 512 * 1024;

    fn check(&self) -> Result<(), MessageError> {
        check_text(&self.artefact.0, ARTEFACT_BYTES_MAX)?;
        check_text(&self.presentation.0, PRESENTATION_BYTES_MAX)?;
        check_list(&self.transaction_data, TRANSACTIONS_MAX)?;
        self.transaction_data
            .iter()
            .try_for_each(|entry| check_text(entry, TRANSACTION_BYTES_MAX))?;
        check_text(&self.audience, 512)?;
        check_text(&self.nonce, 256)
    }
}

/// The answer: data may be fetched from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentRegistered {
    /// The relationship as the ledger knows it.
    pub rel: Digest,
    /// When the provider accepted it.
    pub registered_at: BlockTime,
}

impl Message for ConsentRegistered {
    const BYTES_MAX: usize = 1024;
}

/// `POST /v1/data`: a fetch under a registered consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRequest {
    /// Chosen by the consumer once; a repeat gets the same answer and leaves no second receipt.
    pub id: OperationId,
    /// The consent's relationship.
    pub rel: Digest,
    /// The credential type whose attributes are asked for.
    pub vct: String,
    /// Claims, each as a path with dots (`address.city`); all inside the consent's query.
    pub claims: Vec<String>,
    /// The purpose's code; must be the consent's.
    pub purpose: u16,
    /// The notice that led to this fetch, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<OperationId>,
}

impl Message for DataRequest {
    const BYTES_MAX: usize = 64 * 1024;

    fn check(&self) -> Result<(), MessageError> {
        check_text(&self.vct, 256)?;
        check_list(&self.claims, CLAIMS_MAX)?;
        self.claims.iter().try_for_each(|claim| check_text(claim, CLAIM_BYTES_MAX))
    }
}

/// The answer: the attributes, sealed, and the receipt that says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataAnswer {
    /// The request's id.
    pub id: OperationId,
    /// The HPKE envelope to the consumer's registered key, as `credential::envelope` writes it.
    pub envelope: String,
    /// The access receipt: a compact JWS by the provider, for the consumer to counter-sign.
    pub receipt: String,
}

impl Message for DataAnswer {
    const BYTES_MAX: usize = 8 * 1024 * 1024;

    fn check(&self) -> Result<(), MessageError> {
        check_text(&self.envelope, 7 * 1024 * 1024)?;
        check_text(&self.receipt, RECEIPT_BYTES_MAX)
    }
}

/// `POST /v1/receipts`: the consumer's signature under an access receipt of the provider's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptAcknowledgement {
    /// The data request's id.
    pub id: OperationId,
    /// The consent's relationship.
    pub rel: Digest,
    /// The counter-signature: a compact JWS by the consumer over the receipt's hash.
    pub counter_signature: String,
}

impl Message for ReceiptAcknowledgement {
    const BYTES_MAX: usize = 20 * 1024;

    fn check(&self) -> Result<(), MessageError> {
        check_text(&self.counter_signature, RECEIPT_BYTES_MAX)
    }
}

/// The answer to an acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptAcknowledged {
    /// The data request's id.
    pub id: OperationId,
}

impl Message for ReceiptAcknowledged {
    const BYTES_MAX: usize = 256;
}

/// `POST /v1/notices`: something under this consent has changed. Says nothing of what: whoever may
/// know fetches it under the consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeNotice {
    /// Chosen by the provider once; a repeat changes nothing.
    pub id: OperationId,
    /// The relationship whose data changed.
    pub rel: Digest,
    /// When the register changed; the lag is counted from here.
    pub changed_at: BlockTime,
}

impl Message for ChangeNotice {
    const BYTES_MAX: usize = 512;
}

/// The answer to a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeTaken {
    /// The notice's id.
    pub id: OperationId,
}

impl Message for NoticeTaken {
    const BYTES_MAX: usize = 256;
}

/// `POST /v1/revocations`: the consumer tells a provider at once what the ledger says anyway, so
/// that the provider can destroy its copy of `r`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevocationNotice {
    /// The relationship that has ended.
    pub rel: Digest,
    /// The ledger operation that revoked it.
    pub revoked_by: OperationId,
}

impl Message for RevocationNotice {
    const BYTES_MAX: usize = 512;
}
