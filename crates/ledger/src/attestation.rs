//! Attestations: the validators' signatures over the result of a block.
//!
//! A validator signs a block's execution record once the block is final and executed. A quorum of
//! such signatures proves the result at once; without it one has to wait for a later block whose
//! header commits to the record and is certified itself. Either proof stands alone.

use alloc::vec::Vec;

use etibar_primitives::{
    Digest,
    codec::{DecodeError, Reader, Writer},
    key::{PrivateKey, PublicKey, Signature},
};

use crate::genesis::VALIDATORS_MAX;

/// What a signed message begins with, so that it is no other kind of message.
const PURPOSE: &[u8] = b"etibar.attestation.v1";

/// One validator's signature over a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attestation {
    /// The validator's place in the genesis, from 0.
    pub validator: u16,
    /// Over the network and the record's digest.
    pub signature: Signature,
}

/// Why attestations prove nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttestationError {
    /// The bytes hold none.
    #[error("the attestations are malformed: {0}")]
    Malformed(#[from] DecodeError),
    /// Not by more than two thirds of the validators.
    #[error("the result is not attested by a quorum of the validators")]
    Quorum,
    /// A signature is not the validator's.
    #[error("a signature is not the validator's")]
    Signature,
}

/// How many of `validators` make a quorum: any two quorums share an honest one as long as fewer
/// than a third lie.
pub const fn quorum(validators: usize) -> usize {
    validators - validators.saturating_sub(1) / 3
}

/// Signs the record with digest `record`.
pub fn sign(key: &PrivateKey, network: &Digest, record: &Digest) -> Signature {
    key.sign(&message(network, record))
}

/// Whether `signature` is the validator's over the record with digest `record`.
pub fn is_signed(
    validator: &PublicKey,
    signature: &Signature,
    network: &Digest,
    record: &Digest,
) -> bool {
    validator.verify(&message(network, record), signature)
}

/// The attestations as a receipt carries them.
pub fn encode(attestations: &[Attestation]) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_count(attestations.len());
    for attestation in attestations {
        out.put_u16(attestation.validator);
        out.put(&attestation.signature.0);
    }
    out
}

/// Checks that a quorum of `validators` attested the record with digest `record`.
pub fn check(
    bytes: &[u8],
    validators: &[PublicKey],
    network: &Digest,
    record: &Digest,
) -> Result<(), AttestationError> {
    let attestations = decode(bytes)?;
    if attestations.len() < quorum(validators.len()) {
        return Err(AttestationError::Quorum);
    }
    // Each counts once.
    if !attestations.windows(2).all(|pair| pair[0].validator < pair[1].validator) {
        return Err(AttestationError::Quorum);
    }
    for Attestation { validator, signature } in attestations {
        let key = validators.get(usize::from(validator)).ok_or(AttestationError::Quorum)?;
        if !is_signed(key, &signature, network, record) {
            return Err(AttestationError::Signature);
        }
    }
    Ok(())
}

fn decode(bytes: &[u8]) -> Result<Vec<Attestation>, DecodeError> {
    let mut reader = Reader::new(bytes);
    let count = reader.count(VALIDATORS_MAX, "attestations")?;
    let mut attestations = Vec::with_capacity(count);
    for _ in 0..count {
        let validator = reader.u16()?;
        attestations.push(Attestation { validator, signature: Signature(reader.array()?) });
    }
    reader.finish()?;
    Ok(attestations)
}

fn message(network: &Digest, record: &Digest) -> Vec<u8> {
    [PURPOSE, &network.0, &record.0].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETWORK: Digest = Digest([1; 32]);
    const RECORD: Digest = Digest([2; 32]);

    fn keys() -> Vec<PrivateKey> {
        (1..=4).map(|seed| PrivateKey::from_seed(&[seed; 32])).collect()
    }

    fn attested(validators: &[u16]) -> Vec<u8> {
        let keys = keys();
        let one = |validator: &u16| Attestation {
            validator: *validator,
            signature: sign(&keys[usize::from(*validator)], &NETWORK, &RECORD),
        };
        encode(&validators.iter().map(one).collect::<Vec<_>>())
    }

    fn verdict(bytes: &[u8], record: Digest) -> Result<(), AttestationError> {
        let validators: Vec<_> = keys().iter().map(PrivateKey::public_key).collect();
        check(bytes, &validators, &NETWORK, &record)
    }

    #[test]
    fn a_quorum_is_more_than_two_thirds() {
        let quorums = [1, 2, 3, 4, 5, 6, 7, 10, 100].map(quorum);
        assert_eq!(quorums, [1, 2, 3, 3, 4, 5, 5, 7, 67]);
    }

    #[test]
    fn three_of_four_validators_attest_a_result_and_two_do_not() {
        assert_eq!(verdict(&attested(&[0, 1, 3]), RECORD), Ok(()));
        assert_eq!(verdict(&attested(&[0, 1, 2, 3]), RECORD), Ok(()));
        assert_eq!(verdict(&attested(&[0, 3]), RECORD), Err(AttestationError::Quorum));
    }

    #[test]
    fn a_validator_counts_once_and_only_by_its_own_signature() {
        assert_eq!(verdict(&attested(&[0, 1, 1]), RECORD), Err(AttestationError::Quorum));
        assert_eq!(verdict(&attested(&[1, 0, 2]), RECORD), Err(AttestationError::Quorum));
        let other = Digest([3; 32]);
        assert_eq!(verdict(&attested(&[0, 1, 2]), other), Err(AttestationError::Signature));
    }

    #[test]
    fn every_bit_counts() {
        let bytes = attested(&[0, 1, 2]);
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(verdict(&changed, RECORD).is_err(), "bit {bit}");
        }
    }
}
