//! The formats: encode then decode is identity, one value has one encoding, and no bytes make a
//! decoder panic.

use etibar_ledger::{
    Operation,
    block::{BlockHeader, ExecutionRecord},
    operation::OPERATION_BYTES,
    receipt::{EventPage, Receipt},
    result::BlockResult,
    transaction::{TransactionError, TransactionView},
};
use etibar_primitives::{
    codec::{DecodeError, Reader},
    merkle::Path,
};
use proptest::{
    collection::vec,
    prelude::any,
    strategy::{Just, Strategy},
};

use crate::{
    audit,
    golden::{every_kind, samples},
    law::holds,
    plan::{self, plans},
    proofs,
};

/// How each format reads bytes and writes what it read.
type Format = fn(&[u8]) -> Result<Vec<u8>, DecodeError>;

fn whole<T>(
    bytes: &[u8],
    decode: impl Fn(&mut Reader<'_>) -> Result<T, DecodeError>,
    encode: impl Fn(&T, &mut Vec<u8>),
) -> Result<Vec<u8>, DecodeError> {
    let mut reader = Reader::new(bytes);
    let value = decode(&mut reader)?;
    reader.finish()?;
    let mut out = Vec::new();
    encode(&value, &mut out);
    Ok(out)
}

fn operation(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let bytes: &[u8; OPERATION_BYTES] = bytes.try_into().map_err(|_| DecodeError::UnexpectedEnd)?;
    Operation::decode(bytes).map(|its| its.encode().to_vec())
}

const FORMATS: [(&str, Format); 7] = [
    ("operation", operation),
    ("header", |bytes| whole(bytes, BlockHeader::decode, BlockHeader::encode)),
    ("record", |bytes| whole(bytes, ExecutionRecord::decode, ExecutionRecord::encode)),
    ("result", |bytes| whole(bytes, BlockResult::decode, BlockResult::encode)),
    ("path", |bytes| whole(bytes, Path::decode, Path::encode)),
    ("receipt", |bytes| Receipt::from_bytes(bytes).map(|its| its.to_bytes())),
    ("page", |bytes| EventPage::from_bytes(bytes).map(|its| its.to_bytes())),
];

/// Bytes of every format, changed in places, cut and lengthened.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let samples: Vec<Vec<u8>> = samples().into_iter().map(|(_, bytes)| bytes).collect();
    let change = (any::<usize>(), any::<u8>());
    let picked = (any::<usize>(), Just(samples)).prop_map(|(pick, samples)| {
        let pick = pick % samples.len();
        samples[pick].clone()
    });
    (picked, vec(change, 0..4), any::<u8>(), any::<usize>()).prop_map(
        |(mut bytes, changes, way, length)| {
            for (place, value) in changes {
                let place = place % bytes.len();
                bytes[place] = value;
            }
            match way % 8 {
                0 => bytes.truncate(length % bytes.len()),
                1 => bytes.push(0),
                _ => {}
            }
            bytes
        },
    )
}

/// Whatever a decoder takes is what its encoder gives.
fn decodes_only_what_it_encodes(bytes: &[u8]) {
    for (name, format) in FORMATS {
        if let Ok(again) = format(bytes) {
            assert_eq!(again, bytes, "{name} has a second encoding");
        }
    }
    let network = plan::network().network();
    if let Ok(view) = TransactionView::parse(bytes, &network) {
        assert_eq!(view.as_bytes(), bytes);
        let _either = view.verify();
    }
}

#[test]
fn arbitrary_bytes_are_refused_or_are_the_one_encoding_of_a_value() {
    holds(&vec(any::<u8>(), 0..400), |bytes| decodes_only_what_it_encodes(&bytes));
}

#[test]
fn damaged_bytes_are_refused_or_are_the_one_encoding_of_a_value() {
    holds(&damaged(), |bytes| decodes_only_what_it_encodes(&bytes));
}

#[test]
fn every_sample_is_read_back_as_it_was_written() {
    for (name, bytes) in samples() {
        let read = FORMATS.iter().any(|(_, format)| format(&bytes) == Ok(bytes.clone()));
        // Attestations are read by the check of their signatures alone, which has tests of its own.
        let other =
            ["transaction", "genesis", "attestations"].iter().any(|its| name.starts_with(its));
        assert!(read || other, "{name}");
    }
}

#[test]
fn every_kind_of_operation_has_unused_bytes_that_must_be_zero() {
    for (name, operation) in every_kind() {
        let bytes = operation.encode();
        assert_eq!(Operation::decode(&bytes), Ok(operation), "{name}");
        for place in 0..OPERATION_BYTES {
            let mut changed = bytes;
            changed[place] ^= 0x80;
            if let Ok(other) = Operation::decode(&changed) {
                assert_ne!(other, operation, "{name}: byte {place} says nothing");
            }
        }
    }
}

#[test]
fn headers_records_results_and_operations_of_random_blocks_are_read_back() {
    holds(&plans(), |plan| {
        let chain = proofs::chain(&plan);
        for header in &chain.headers {
            let mut bytes = Vec::new();
            header.encode(&mut bytes);
            assert_eq!(bytes.len(), BlockHeader::BYTES);
            assert_eq!(BlockHeader::decode(&mut Reader::new(&bytes)), Ok(*header));
        }
        for record in &chain.records {
            let mut bytes = Vec::new();
            record.encode(&mut bytes);
            assert_eq!(bytes.len(), ExecutionRecord::BYTES);
            assert_eq!(ExecutionRecord::decode(&mut Reader::new(&bytes)), Ok(*record));
        }
        audit::run(&plan, |seen, _| {
            for bytes in seen.views.iter().flat_map(TransactionView::operations) {
                if let Ok(operation) = Operation::decode(bytes) {
                    assert_eq!(operation.encode(), *bytes);
                }
            }
        });
    });
}

#[test]
fn a_transaction_with_any_bit_changed_is_refused() {
    let (_, bytes) = samples().remove(0);
    let network = plan::network().network();
    let verify = |bytes: &[u8]| -> Result<(), TransactionError> {
        TransactionView::parse(bytes, &network)?.verify()
    };
    assert_eq!(verify(&bytes), Ok(()));
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(verify(&changed).is_err(), "bit {bit} is not covered");
    }
    for length in 0..bytes.len() {
        assert!(verify(&bytes[..length]).is_err(), "{length} bytes are enough");
    }
}
