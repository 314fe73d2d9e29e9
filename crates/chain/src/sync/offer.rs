//! Where a validator stands, with proof: what another one can join at.

use commonware_codec::{Decode as _, DecodeExt as _, Encode as _};
use commonware_consensus::simplex::types::Finalization;
use commonware_cryptography::certificate::Verifier as _;
use commonware_parallel::Sequential;
use etibar_ledger::{
    block::{BlockHeader, ExecutionRecord},
    receipt::{Certified, Claim},
};
use etibar_primitives::{
    Digest,
    codec::{DecodeError, Reader, Writer as _},
};
use rand_core::CryptoRng;

use crate::{
    block::EngineDigest,
    engine::{Floor, Scheme},
    store::state::Target,
};

/// More than a target's encoding takes.
const TARGET_BYTES_MAX: usize = 128;
const FINALIZATION_BYTES_MAX: usize = 32 * 1024;

/// The state of one height and what proves it.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    /// The record of that height, certified.
    pub(crate) certified: Certified,
    /// The header of the block of that height.
    pub(crate) header: BlockHeader,
    /// The operations of the state.
    pub(crate) target: Target,
    /// The header of a finalized block at most one above that height.
    pub(crate) floor: BlockHeader,
    /// Its certificate.
    pub(crate) floor_certificate: Vec<u8>,
}

/// An offer that was found true, apart from the target: that is checked by its result.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    pub(crate) record: ExecutionRecord,
    pub(crate) header: BlockHeader,
    pub(crate) target: Target,
    pub(crate) floor: Floor,
}

impl Offer {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.certified.encode(&mut out);
        self.header.encode(&mut out);
        out.put_prefixed(&self.target.encode());
        self.floor.encode(&mut out);
        out.put_prefixed(&self.floor_certificate);
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let certified = Certified::decode(&mut reader)?;
        let header = BlockHeader::decode(&mut reader)?;
        let target = reader.prefixed(TARGET_BYTES_MAX, "target")?;
        let target = Target::decode(bytes::Bytes::copy_from_slice(target))
            .map_err(|_| DecodeError::OutOfRange("target"))?;
        let floor = BlockHeader::decode(&mut reader)?;
        let floor_certificate = reader.prefixed(FINALIZATION_BYTES_MAX, "certificate")?.to_vec();
        reader.finish()?;
        Ok(Self { certified, header, target, floor, floor_certificate })
    }

    /// Checks the certificates and how everything hangs together.
    pub(crate) fn check<G: CryptoRng>(
        self,
        network: &Digest,
        scheme: &Scheme,
        rng: &mut G,
    ) -> Option<Checked> {
        let Claim::Header(last) = self.certified.check(network).ok()? else { return None };
        let votes = finalization(&self.certified.certificate, scheme)?;
        let [record] = self.certified.records[..] else { return None };
        let blocks = finalization(&self.floor_certificate, scheme)?;
        let joined = votes.proposal.payload.0 == last.digest().0
            && blocks.proposal.payload.0 == self.floor.digest().0
            && record.block == self.header.digest()
            && (1..=record.height + 1).contains(&self.floor.height);
        if !joined
            || !votes.verify(rng, scheme, &Sequential)
            || !blocks.verify(rng, scheme, &Sequential)
        {
            return None;
        }
        let floor = Floor { blocks, votes };
        Some(Checked { record, header: self.header, target: self.target, floor })
    }
}

/// Reads a certificate as the engine writes it.
pub(crate) fn finalization(
    bytes: &[u8],
    scheme: &Scheme,
) -> Option<Finalization<Scheme, EngineDigest>> {
    let bytes = bytes::Bytes::copy_from_slice(bytes);
    Finalization::decode_cfg(bytes, &scheme.certificate_codec_config()).ok()
}
