//! Receipts: what became of one operation, proven to anybody who has the genesis.

use std::collections::BTreeMap;

use etibar_ledger::{
    Genesis, Operation, Outcome,
    receipt::{Event, ProofError, Receipt},
};
use etibar_primitives::{AccountId, BlockTime, Digest, MemberId, OperationId, codec::DecodeError};

use super::{CertificateError, GenesisRefused, Verifier, decode_code, sentence};

/// What a valid receipt proves.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedReceipt {
    /// The network's id.
    pub network: Digest,
    /// The network's name.
    pub network_name: String,
    /// The operation's bytes, its submitter and its outcome.
    pub event: Event,
    /// The operation; `None` when its bytes are none, which is then also its outcome.
    pub operation: Option<Operation>,
    /// The height of the block that decided.
    pub height: u64,
    /// That block's time.
    pub time: BlockTime,
    /// That block's digest.
    pub block: Digest,
    /// Whose list of events the proof goes through: a party of the operation.
    pub party: MemberId,
    pub(super) names: Names,
}

/// The names of organisations and owners of accounts that the genesis tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Names {
    pub(super) members: BTreeMap<MemberId, String>,
    pub(super) accounts: BTreeMap<AccountId, MemberId>,
}

/// Why a receipt proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// The genesis starts no network.
    #[error(transparent)]
    Genesis(#[from] GenesisRefused),
    /// The bytes are no receipt.
    #[error("the receipt is malformed: {0}")]
    Malformed(#[from] DecodeError),
    /// The receipt does not hold together.
    #[error("the receipt proves nothing: {0}")]
    Proof(#[from] ProofError),
    /// The header at its end is not certified.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// It is valid, but another operation's than asked for.
    #[error("the receipt is another operation's")]
    OtherOperation,
}

impl ReceiptError {
    /// The stable code in interfaces.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Genesis(_) => "genesis_invalid",
            Self::Malformed(error) => decode_code(*error),
            Self::Proof(_) => "proof_invalid",
            Self::Certificate(error) => error.code(),
            Self::OtherOperation => "receipt_of_other_operation",
        }
    }
}

/// Verifies a receipt, off-line: `genesis` is all that has to be trusted.
pub fn verify_receipt(genesis: &Genesis, bytes: &[u8]) -> Result<VerifiedReceipt, ReceiptError> {
    Verifier::new(genesis)?.receipt(genesis, bytes)
}

impl Verifier {
    /// Verifies a receipt; `genesis`, the one of this verifier, lends the names.
    ///
    /// # Panics
    /// When `genesis` is another network's.
    pub fn receipt(
        &self,
        genesis: &Genesis,
        bytes: &[u8],
    ) -> Result<VerifiedReceipt, ReceiptError> {
        assert_eq!(genesis.network(), self.network, "a verifier knows one network");
        let receipt = Receipt::from_bytes(bytes)?;
        let claim = receipt.check(&self.network)?;
        self.claim(claim, &receipt.certified.certificate)?;
        let record = receipt.certified.records.first().ok_or(ProofError::Records)?;
        Ok(VerifiedReceipt {
            network: self.network,
            network_name: genesis.name.clone(),
            event: receipt.event,
            operation: Operation::decode(&receipt.event.operation).ok(),
            height: record.height,
            time: record.time,
            block: record.block,
            party: receipt.summary.summary.member,
            names: Names::of(genesis),
        })
    }
}

impl VerifiedReceipt {
    /// What became of the operation.
    pub const fn outcome(&self) -> Outcome {
        self.event.outcome
    }

    /// Who submitted it.
    pub const fn submitter(&self) -> MemberId {
        self.event.submitter
    }

    /// The operation's id.
    pub fn id(&self) -> OperationId {
        Operation::peek(&self.event.operation).0
    }

    /// What the receipt proves, in one sentence for people: moment, height, network, what
    /// happened, amount and ids. It holds no personal data, because the ledger holds none.
    pub fn sentence(&self) -> String {
        sentence::of(self)
    }
}

impl Names {
    fn of(genesis: &Genesis) -> Self {
        let members = genesis.members.iter().map(|member| (member.id, member.name.clone()));
        let accounts = genesis.accounts.iter().map(|account| (account.id, account.owner));
        Self { members: members.collect(), accounts: accounts.collect() }
    }
}
