//! Proofs that hold, and every way in which one can fail to.

#![allow(clippy::single_range_in_vec_init, reason = "a page of one block is meant")]

use std::{ops::Range, time::Instant};

use commonware_codec::Encode as _;
use commonware_consensus::{
    simplex::types::{Finalize, Proposal},
    types::{Epoch, Round, View},
};
use commonware_cryptography::{certificate::Signers, ed25519::certificate::Certificate};
use commonware_utils::{Participant, non_empty};
use etibar_ledger::{
    Operation, Outcome,
    attestation::Attestation,
    block::ExecutionRecord,
    genesis::{GenesisAccount, GenesisMember},
    operation::{AccountKind, Action, Bic, MemberRole, Transfer, TransferKind},
    receipt::{
        BlockEvents, Certified, Event, EventPage, MemberSummary, ProofError, Receipt, SummaryProof,
    },
    result::BlockResult,
};
use etibar_primitives::{
    AccountId, Amount, BlockTime, MemberId, OperationId, key::PrivateKey, merkle,
};
use proptest::prelude::*;

use super::*;

const MEMBER: MemberId = MemberId(2);
const OTHER: MemberId = MemberId(3);
const START: u64 = 1_795_354_800_000;

fn keys() -> Vec<PrivateKey> {
    (1..=4).map(|seed| PrivateKey::from_seed(&[seed; 32])).collect()
}

fn genesis() -> Genesis {
    let member = |id: u32| GenesisMember {
        id: MemberId(id),
        name: format!("Bank {id}"),
        role: if id == 1 { MemberRole::Operator } else { MemberRole::Bank },
        bic: Bic::new("NABZAZ2C").expect("a code"),
        keys: vec![PrivateKey::from_seed(&[100 + u8::try_from(id).expect("few"); 32]).public_key()],
    };
    let account = |id: u64, owner: u32, kind| GenesisAccount {
        id: AccountId(id),
        owner: MemberId(owner),
        kind,
        opening: Amount::ZERO,
    };
    Genesis {
        name: "proofs".to_owned(),
        time: BlockTime(START),
        validators: keys().iter().map(PrivateKey::public_key).collect(),
        members: (1..=3).map(member).collect(),
        accounts: vec![
            account(1, 1, AccountKind::Issue),
            account(2002, 2, AccountKind::Prefund),
            account(2003, 3, AccountKind::Prefund),
        ],
        parameters: Vec::new(),
        issuers: Vec::new(),
        purposes: Vec::new(),
    }
}

/// The first `signers` validators' certificate for `header`, in the namespace of `network`.
fn certificate(header: &BlockHeader, network: &Digest, signers: u32) -> Vec<u8> {
    let private: Vec<_> = keys()
        .iter()
        .map(|key| ed25519::PrivateKey::decode(Bytes::copy_from_slice(key.seed())).expect("a key"))
        .collect();
    let public = keys().iter().map(|key| engine_key(&key.public_key()).expect("a key")).collect();
    let participants: Set<_> = Set::from_iter_dedup::<Vec<_>>(public);
    let namespace = [CONSENSUS_NAMESPACE, &network.0].concat();
    let round = Round::new(Epoch::new(header.epoch), View::new(header.view));
    let payload = blake3::Digest(header.digest().0);
    let proposal = Proposal::new(round, View::new(header.parent_view), payload);
    let vote = |key: ed25519::PrivateKey| {
        let scheme = Scheme::signer(&namespace, participants.clone(), key).expect("a validator");
        Finalize::sign(&scheme, proposal.clone()).expect("a signer signs")
    };
    let verifier = Scheme::verifier(&namespace, participants.clone());
    let votes = non_empty![@private.into_iter().map(vote)];
    let mut whole = BlockFinalization::from_owned_finalizes(&verifier, votes, &Sequential)
        .expect("all of them have signed");
    let kept = usize::try_from(signers).expect("few");
    whole.certificate = Certificate {
        signers: Signers::new(4, (0..signers).map(Participant::new)).expect("few"),
        signatures: whole.certificate.signatures[..kept].to_vec(),
    };
    whole.encode().to_vec()
}

fn event(id: u64, outcome: Outcome) -> Event {
    let amount = Amount::new(1_250).expect("an amount");
    let transfer = Transfer::new(AccountId(2002), AccountId(2003), amount, BlockTime(START));
    let action = Action::Transfer(TransferKind::Direct, transfer);
    let operation = Operation { id: OperationId(u128::from(id) + 1), linked: false, action };
    Event { operation: operation.encode(), submitter: MEMBER, outcome }
}

/// Blocks from height 5 on, each with the events of `MEMBER` in one of `ranges`.
fn page(ranges: &[Range<u64>]) -> EventPage {
    let network = genesis().network();
    let (mut blocks, mut records, mut previous) = (Vec::new(), Vec::new(), Digest([5; 32]));
    for (height, range) in (5..).zip(ranges) {
        let events: Vec<_> = range.clone().map(|id| event(id, Outcome::Accepted)).collect();
        let leaves = events.iter().map(Event::leaf).collect();
        let count = u32::try_from(events.len()).expect("few");
        let mine = MemberSummary {
            member: MEMBER,
            first: range.start,
            count,
            root: merkle::root_of(leaves),
        };
        let foreign = MemberSummary { member: OTHER, first: 0, count: 1, root: Digest([6; 32]) };
        let summaries = [mine, foreign];
        let record = ExecutionRecord {
            height,
            time: BlockTime(START + height),
            block: Digest([7; 32]),
            previous,
            state_root: Digest([8; 32]),
            receipts_root: BlockResult::receipts_root(&summaries),
        };
        previous = record.digest();
        records.push(record);
        let summary = SummaryProof::new(&summaries, 0).expect("it is the first");
        blocks.push(BlockEvents { height, summary, events });
    }
    let last = records.last().expect("there is a block");
    let header = BlockHeader {
        network,
        height: last.height + 1,
        time: BlockTime(START + 100),
        epoch: 0,
        view: 9,
        leader: keys()[0].public_key(),
        parent_view: 8,
        parent: Digest([9; 32]),
        body_root: Digest::ZERO,
        transaction_count: 0,
        body_bytes: 0,
        executed_height: last.height,
        executed: previous,
    };
    let certificate = certificate(&header, &network, 3);
    EventPage { blocks, certified: Certified { records, headers: vec![header], certificate } }
}

fn receipt(outcome: Outcome) -> Receipt {
    let one = event(0, outcome);
    let mut page = page(std::slice::from_ref(&(0..1)));
    let summary = MemberSummary { member: MEMBER, first: 0, count: 1, root: one.leaf() };
    page.certified.records[0].receipts_root = BlockResult::receipts_root(&[summary]);
    let record = page.certified.records[0];
    page.certified.headers[0].executed = record.digest();
    let network = genesis().network();
    page.certified.certificate = certificate(&page.certified.headers[0], &network, 3);
    Receipt {
        event: one,
        index: 0,
        path: merkle::Path::default(),
        summary: SummaryProof::new(&[summary], 0).expect("it is the first"),
        certified: page.certified,
    }
}

fn verifier() -> Verifier {
    Verifier::new(&genesis()).expect("a good genesis")
}

fn check(page: &EventPage, cursor: u64) -> Result<Vec<VerifiedEvents>, PageError> {
    verifier().page(MEMBER, cursor, &page.to_bytes())
}

#[test]
fn a_page_gives_its_events_from_the_cursor_on() {
    let page = page(&[0..3, 3..4, 4..9]);
    let all = check(&page, 0).expect("a valid page");
    let spans: Vec<_> = all.iter().map(|block| (block.height, block.first, block.next())).collect();
    assert_eq!(spans, [(5, 0, 3), (6, 3, 4), (7, 4, 9)]);
    assert_eq!(all[2].time, BlockTime(START + 7));
    let rest = check(&page, 6).expect("a valid page");
    assert_eq!((rest.len(), rest[0].first, rest[0].events.len()), (1, 6, 3));
    assert_eq!(rest[0].events[0], event(6, Outcome::Accepted));
    assert_eq!(check(&page, 9), Err(PageError::Proof(ProofError::Gap)));
}

#[test]
fn a_page_with_a_gap_or_a_changed_event_is_refused() {
    assert_eq!(check(&page(&[3..5]), 2), Err(PageError::Proof(ProofError::Gap)));
    assert_eq!(check(&page(&[0..2, 3..5]), 0), Err(PageError::Proof(ProofError::Gap)));
    let mut missing = page(&[0..3]);
    missing.blocks[0].events.pop();
    assert_eq!(check(&missing, 0), Err(PageError::Proof(ProofError::Gap)));
    let mut changed = page(&[0..3]);
    changed.blocks[0].events[1].outcome = Outcome::ExceedsLiquidity;
    assert_eq!(check(&changed, 0), Err(PageError::Proof(ProofError::Event)));
    let mut swapped = page(&[0..3]);
    swapped.blocks[0].events.swap(0, 1);
    assert_eq!(check(&swapped, 0), Err(PageError::Proof(ProofError::Event)));
    let foreign = verifier().page(OTHER, 0, &page(&[0..3]).to_bytes());
    assert_eq!(foreign, Err(PageError::Proof(ProofError::Gap)));
}

#[test]
fn a_certificate_holds_for_its_header_its_network_and_a_quorum_only() {
    let page = page(&[0..3]);
    let (header, network) = (page.certified.headers[0], genesis().network());
    let ask = |header: &BlockHeader, bytes: &[u8]| verifier().certificate(header, bytes);
    for enough in [3, 4] {
        assert_eq!(ask(&header, &certificate(&header, &network, enough)), Ok(()));
    }
    for few in [0, 1, 2] {
        assert!(ask(&header, &certificate(&header, &network, few)).is_err(), "{few} signed");
    }
    let foreign = certificate(&header, &Digest([1; 32]), 4);
    assert_eq!(ask(&header, &foreign), Err(CertificateError::Quorum));
    let mut other = header;
    other.executed = Digest([1; 32]);
    let good = certificate(&header, &network, 3);
    assert_eq!(ask(&other, &good), Err(CertificateError::OtherBlock));
    assert_eq!(ask(&header, &good[..good.len() - 1]), Err(CertificateError::Malformed));
    assert_eq!(ask(&header, &[&good[..], &[0]].concat()), Err(CertificateError::Malformed));
    assert_eq!(ask(&header, &[]), Err(CertificateError::Malformed));
    for at in 0..good.len() {
        let mut forged = good.clone();
        forged[at] ^= 0x10;
        assert!(ask(&header, &forged).is_err(), "byte {at}");
    }
}

/// The same receipt, proven by these validators' attestations instead.
fn attested(validators: &[u16]) -> Receipt {
    let mut receipt = receipt(Outcome::Accepted);
    let record = receipt.certified.records[0].digest();
    let (keys, network) = (keys(), genesis().network());
    let one = |validator: &u16| Attestation {
        validator: *validator,
        signature: attestation::sign(&keys[usize::from(*validator)], &network, &record),
    };
    receipt.certified.headers.clear();
    let all: Vec<_> = validators.iter().map(one).collect();
    receipt.certified.certificate = attestation::encode(&all);
    receipt
}

#[test]
fn a_receipt_is_proven_by_the_attestations_of_a_quorum() {
    let ask = |receipt: &Receipt| verifier().receipt(&genesis(), &receipt.to_bytes());
    let verified = ask(&attested(&[0, 2, 3])).expect("three of four attest it");
    assert_eq!(verified.outcome(), Outcome::Accepted);
    let quorum = ReceiptError::Certificate(CertificateError::Quorum);
    assert_eq!(ask(&attested(&[0, 3])).err(), Some(quorum));
    assert_eq!(ask(&attested(&[0, 3, 3])).err(), Some(quorum));
    let mut forged = attested(&[0, 2, 3]);
    forged.certified.records[0].time = BlockTime(START + 6);
    assert_eq!(ask(&forged).err(), Some(quorum));
    let mut headless = receipt(Outcome::Accepted);
    headless.certified.headers.clear();
    let malformed = ReceiptError::Certificate(CertificateError::Malformed);
    assert_eq!(ask(&headless).err(), Some(malformed));
    let bytes = attested(&[0, 2, 3]).to_bytes();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        assert!(verifier().receipt(&genesis(), &changed).is_err(), "byte {at}");
    }
}

#[test]
fn a_refused_certificate_is_not_remembered_as_good() {
    let page = page(&[0..3]);
    let header = page.certified.headers[0];
    let verifier = verifier();
    assert!(verifier.certificate(&header, b"nothing").is_err());
    assert!(verifier.certificate(&header, b"nothing").is_err());
    assert_eq!(verifier.certificate(&header, &page.certified.certificate), Ok(()));
    // Its header is proven by now: what stands beside it does not matter any more.
    assert_eq!(verifier.certificate(&header, b"nothing"), Ok(()));
}

#[test]
fn a_receipt_says_in_a_sentence_what_it_proves() {
    let sentence = |outcome| {
        let bytes = receipt(outcome).to_bytes();
        verify_receipt(&genesis(), &bytes).expect("a valid receipt").sentence()
    };
    assert_eq!(
        sentence(Outcome::Accepted),
        "On 2026-11-22 13:40:00.005 UTC, at height 5, the ledger of network \"proofs\" settled \
         with finality: account 2002 of Bank 2 (member 2) paid 12.50 AZN to account 2003 of \
         Bank 3 (member 3), UETR 00000000-0000-0000-0000-000000000001."
    );
    assert_eq!(
        sentence(Outcome::ExceedsLiquidity),
        "On 2026-11-22 13:40:00.005 UTC, at height 5, the ledger of network \"proofs\" refused \
         the payment 00000000-0000-0000-0000-000000000001 of Bank 2 (member 2), 12.50 AZN from \
         account 2002 of Bank 2 (member 2) to account 2003 of Bank 3 (member 3), because of \
         exceeds_liquidity, ISO AM04; it changed nothing."
    );
}

#[test]
fn a_genesis_without_valid_keys_is_refused() {
    let mut genesis = genesis();
    // y = 2 is the height of no point on the curve.
    genesis.validators[0] = PublicKey([2; 32].map(|_: u8| 0));
    genesis.validators[0].0[0] = 2;
    let refused = Verifier::new(&genesis).expect_err("it is no point");
    assert_eq!(refused, GenesisRefused::Key(genesis.validators[0]));
    genesis.validators.clear();
    assert!(matches!(Verifier::new(&genesis), Err(GenesisRefused::Rule(_))));
}

/// The floor is 200,000 a second on one core; a busy machine shall not fail it.
#[test]
fn a_page_is_verified_faster_than_a_core_has_to() {
    let bytes = page(&[0..50_000, 50_000..100_000]).to_bytes();
    let verifier = verifier();
    let verify = || {
        let begin = Instant::now();
        verifier.page(MEMBER, 0, &bytes).expect("a valid page");
        begin.elapsed()
    };
    let best = (0..5).map(|_| verify()).min().expect("some runs");
    println!("100,000 events verified in {best:?}");
    assert!(best.as_millis() < 500, "{best:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_receipt_with_any_byte_changed_proves_nothing(
        at in any::<prop::sample::Index>(), flip in 1_u8..,
    ) {
        let mut bytes = receipt(Outcome::Accepted).to_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(verify_receipt(&genesis(), &bytes).is_err());
    }

    #[test]
    fn any_bytes_at_all_are_refused_without_a_panic(bytes: Vec<u8>) {
        prop_assert!(verify_receipt(&genesis(), &bytes).is_err());
        prop_assert!(verifier().page(MEMBER, 0, &bytes).is_err());
    }
}
