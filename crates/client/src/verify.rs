//! Verification from the genesis alone: no network, no clock, no storage.
//!
//! A [`Verifier`] is built once from a genesis. It checks certificates of block headers, and with
//! them receipts and pages of events. What it returns is proven: a third of the validators would
//! have had to lie together.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use commonware_codec::{Decode as _, DecodeExt as _};
use commonware_consensus::simplex::{scheme::ed25519::Scheme, types::Finalization};
use commonware_cryptography::{blake3, certificate::Verifier as _, ed25519};
use commonware_parallel::Sequential;
use commonware_utils::ordered::Set;
use etibar_ledger::{
    Genesis,
    attestation::{self, AttestationError},
    block::{BlockHeader, CONSENSUS_NAMESPACE, ExecutionRecord},
    genesis::GenesisError,
    receipt::Claim,
};
use etibar_primitives::{Digest, codec::DecodeError, key::PublicKey};

mod page;
mod receipt;
mod sentence;
#[cfg(test)]
mod tests;

pub use page::{PageError, VerifiedEvents};
pub use receipt::{ReceiptError, VerifiedReceipt, verify_receipt};

/// The engine's name for a certificate over one of our blocks.
type BlockFinalization = Finalization<Scheme, blake3::Digest>;

/// Checks what the validators of one network certified.
#[derive(Debug)]
pub struct Verifier {
    network: Digest,
    scheme: Scheme,
    /// In the order of the genesis.
    validators: Vec<PublicKey>,
    /// The digest of the header or record that was proven last: pages that follow each other often
    /// end at the same one.
    last: Mutex<Option<Digest>>,
}

/// Why a genesis starts no network that could be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GenesisRefused {
    /// It breaks a rule of the ledger.
    #[error(transparent)]
    Rule(#[from] GenesisError),
    /// A validator's key is no point on the curve.
    #[error("{0} is no key of a validator")]
    Key(PublicKey),
}

/// Why a certificate certifies nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The bytes are no certificate.
    #[error("the certificate is malformed")]
    Malformed,
    /// It is another block's.
    #[error("the certificate is another block's")]
    OtherBlock,
    /// Not signed by more than two thirds of the network's validators.
    #[error("the certificate is not signed by a quorum of the validators")]
    Quorum,
}

impl CertificateError {
    /// The stable code in interfaces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "certificate_malformed",
            Self::OtherBlock => "certificate_of_other_block",
            Self::Quorum => "certificate_without_quorum",
        }
    }
}

impl Verifier {
    /// The verifier of the network that starts from `genesis`.
    pub fn new(genesis: &Genesis) -> Result<Self, GenesisRefused> {
        genesis.check()?;
        let network = genesis.network();
        let keys: Vec<_> =
            genesis.validators.iter().map(engine_key).collect::<Result<_, GenesisRefused>>()?;
        let namespace = [CONSENSUS_NAMESPACE, &network.0].concat();
        let scheme = Scheme::verifier(&namespace, Set::from_iter_dedup(keys));
        let validators = genesis.validators.clone();
        Ok(Self { network, scheme, validators, last: Mutex::new(None) })
    }

    /// The network's id.
    pub const fn network(&self) -> &Digest {
        &self.network
    }

    /// Checks that the validators vouch for what a proof ends in.
    pub fn claim(&self, claim: Claim<'_>, certificate: &[u8]) -> Result<(), CertificateError> {
        match claim {
            Claim::Header(header) => self.certificate(header, certificate),
            Claim::Record(record) => self.attestations(record, certificate),
        }
    }

    /// Checks that a quorum of the validators attested `record`.
    fn attestations(
        &self,
        record: &ExecutionRecord,
        attestations: &[u8],
    ) -> Result<(), CertificateError> {
        let digest = record.digest();
        if *self.last.lock().unwrap_or_else(PoisonError::into_inner) == Some(digest) {
            return Ok(());
        }
        attestation::check(attestations, &self.validators, &self.network, &digest).map_err(
            |error| match error {
                AttestationError::Malformed(_) => CertificateError::Malformed,
                AttestationError::Quorum | AttestationError::Signature => CertificateError::Quorum,
            },
        )?;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(digest);
        Ok(())
    }

    /// Checks that a quorum of the validators certified `header`.
    pub fn certificate(
        &self,
        header: &BlockHeader,
        certificate: &[u8],
    ) -> Result<(), CertificateError> {
        let digest = header.digest();
        if *self.last.lock().unwrap_or_else(PoisonError::into_inner) == Some(digest) {
            return Ok(());
        }
        let config = self.scheme.certificate_codec_config();
        let finalization =
            BlockFinalization::decode_cfg(Bytes::copy_from_slice(certificate), &config)
                .map_err(|_| CertificateError::Malformed)?;
        if finalization.proposal.payload.0 != digest.0 {
            return Err(CertificateError::OtherBlock);
        }
        if !finalization.verify(&mut rand::rng(), &self.scheme, &Sequential) {
            return Err(CertificateError::Quorum);
        }
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(digest);
        Ok(())
    }
}

fn engine_key(key: &PublicKey) -> Result<ed25519::PublicKey, GenesisRefused> {
    ed25519::PublicKey::decode(Bytes::copy_from_slice(&key.0))
        .map_err(|_| GenesisRefused::Key(*key))
}

/// The stable code of bytes that are no proof at all.
const fn decode_code(_: DecodeError) -> &'static str {
    "proof_malformed"
}
