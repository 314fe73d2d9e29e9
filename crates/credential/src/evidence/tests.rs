use proptest::prelude::*;

use super::*;
use crate::jose::SoftwareKey;

const REL: Digest = Digest([1; 32]);
const BANK: MemberId = MemberId(2);
const REGISTRAR: MemberId = MemberId(12);
const ANCHOR: OperationId = OperationId(77);

fn key(member: MemberId) -> SoftwareKey {
    let number = u8::try_from(member.0).expect("a small member");
    SoftwareKey::from_bytes(&[number; 32]).expect("a scalar below the order")
}

fn keys(member: MemberId, _chain: &[Vec<u8>]) -> Option<PublicKey> {
    [BANK, REGISTRAR].contains(&member).then(|| key(member).public_key())
}

fn receipt(sequence: u64, previous: Digest) -> Receipt {
    Receipt {
        rel: REL,
        consent: OperationId(9),
        sequence,
        previous,
        author: REGISTRAR,
        action: Action::Fetch,
        vct: "urn:az:pid:1".to_owned(),
        claims: vec!["address".to_owned()],
        purpose: PurposeCode(1),
        requester: BANK,
        provider: REGISTRAR,
        request_hash: Digest([3; 32]),
        response_hash: Digest([4; 32]),
        time: BlockTime(1_000 + sequence),
        reader: None,
        duty: None,
    }
}

/// A good log of `count` receipts, counter-signed and anchored, and its anchor.
fn log(count: u64) -> (Vec<LogEntry>, Anchor) {
    let mut previous = Digest::ZERO;
    let mut entries = Vec::new();
    let mut leaves = Vec::new();
    for sequence in 1..=count {
        let one = receipt(sequence, previous);
        let text = one.sign(&key(REGISTRAR)).expect("a key in memory");
        previous = receipt_digest(&text);
        leaves.push((previous, one.time));
        let counter = counter_sign(&text, BANK, &key(BANK)).expect("a key in memory");
        entries.push(LogEntry { receipt: text, counter_signature: Some(counter), proof: None });
    }
    let batch = Batch::new(&leaves).expect("a small batch");
    for (index, entry) in (0..).zip(&mut entries) {
        entry.proof = batch.inclusion(index).map(|inclusion| (inclusion, ANCHOR));
    }
    (entries, batch.anchor(REGISTRAR, ANCHOR))
}

fn codes(entries: &[LogEntry], anchors: &[Anchor], heads: &[Head]) -> Vec<(&'static str, u64)> {
    let report = check_log(entries, anchors, heads, &keys);
    let code = |found: &Finding| (found.problem.code(), found.sequence.unwrap_or(0));
    report.findings.iter().map(code).collect()
}

#[test]
fn a_whole_log_has_no_finding_and_gives_its_head() {
    let (entries, anchor) = log(5);
    let report = check_log(&entries, &[anchor], &[], &keys);
    assert_eq!(report.findings, []);
    assert_eq!(report.receipts.len(), 5);
    let digest = receipt_digest(&entries[4].receipt);
    assert_eq!(report.heads, [Head { rel: REL, author: REGISTRAR, sequence: 5, digest }]);
    assert_eq!(codes(&entries, &[anchor], &report.heads), []);
}

#[test]
fn a_receipt_left_out_is_missed_in_the_middle_and_at_the_end() {
    let (mut entries, anchor) = log(5);
    let heads = check_log(&entries, &[anchor], &[], &keys).heads;
    entries.remove(2);
    entries.remove(0);
    assert_eq!(
        codes(&entries, &[anchor], &heads),
        [("receipt_missing", 1), ("receipt_missing", 3)]
    );
    let (mut entries, _) = log(5);
    entries.truncate(3);
    assert_eq!(codes(&entries, &[anchor], &[]), []);
    assert_eq!(codes(&entries, &[anchor], &heads), [("receipt_missing", 4)]);
    assert_eq!(codes(&[], &[], &heads), [("receipt_missing", 1)]);
    let missing = check_log(&[], &[], &heads, &keys).findings[0].problem;
    assert_eq!(missing, Problem::Missing(5));
}

#[test]
fn a_rewritten_receipt_breaks_the_chain_the_anchor_and_the_counter_signature() {
    let (mut entries, anchor) = log(3);
    let mut other = receipt(2, receipt_digest(&entries[0].receipt));
    other.claims.clear();
    entries[1].receipt = other.sign(&key(REGISTRAR)).expect("a key in memory");
    assert_eq!(
        codes(&entries, &[anchor], &[]),
        [("counter_signature_wrong", 2), ("receipt_not_in_anchor", 2), ("receipt_altered", 3)]
    );
}

#[test]
fn the_last_receipt_rewritten_is_found_by_the_head_seen_before() {
    let (mut entries, anchor) = log(2);
    let heads = check_log(&entries, &[anchor], &[], &keys).heads;
    let mut other = receipt(2, receipt_digest(&entries[0].receipt));
    other.action = Action::Notify;
    let text = other.sign(&key(REGISTRAR)).expect("a key in memory");
    let counter = counter_sign(&text, BANK, &key(BANK)).ok();
    entries[1] = LogEntry { receipt: text, counter_signature: counter, proof: None };
    let found = codes(&entries, &[anchor], &heads);
    assert_eq!(found, [("receipt_not_anchored", 2), ("receipt_altered", 2)]);
}

#[test]
fn two_receipts_with_one_number_are_both_flagged_and_one_served_twice_is_not() {
    let (mut entries, anchor) = log(2);
    entries.push(entries[1].clone());
    assert_eq!(codes(&entries, &[anchor], &[]), []);
    let mut other = receipt(2, receipt_digest(&entries[0].receipt));
    other.purpose = PurposeCode(2);
    entries[2].receipt = other.sign(&key(REGISTRAR)).expect("a key in memory");
    entries[2].counter_signature = None;
    entries[2].proof = None;
    let found = codes(&entries, &[anchor], &[]);
    assert_eq!(found.iter().filter(|(code, _)| *code == "receipt_altered").count(), 2);
}

#[test]
fn pending_receipts_are_flagged_but_the_log_is_sound() {
    let (mut entries, anchor) = log(2);
    entries[1].counter_signature = None;
    entries[1].proof = None;
    let report = check_log(&entries, &[anchor], &[], &keys);
    assert!(report.is_sound());
    let found = codes(&entries, &[anchor], &[]);
    assert_eq!(found, [("receipt_not_counter_signed", 2), ("receipt_not_anchored", 2)]);
    entries.remove(0);
    assert!(!check_log(&entries, &[anchor], &[], &keys).is_sound());
}

#[test]
fn an_anchor_that_is_unknown_by_another_member_or_of_another_time_does_not_count() {
    let (entries, anchor) = log(1);
    assert_eq!(codes(&entries, &[], &[]), [("anchor_unknown", 1)]);
    let by_another = Anchor { member: BANK, ..anchor };
    assert_eq!(codes(&entries, &[by_another], &[]), [("anchor_unknown", 1)]);
    let later = Anchor { from: BlockTime(2_000), until: BlockTime(3_000), ..anchor };
    assert_eq!(codes(&entries, &[later], &[]), [("receipt_not_in_anchor", 1)]);
    let other_root = Anchor { root: Digest([8; 32]), ..anchor };
    assert_eq!(codes(&entries, &[other_root], &[]), [("receipt_not_in_anchor", 1)]);
}

#[test]
fn a_receipt_by_a_stranger_or_about_itself_is_forged() {
    let (mut entries, anchor) = log(1);
    entries[0].receipt = receipt(1, Digest::ZERO).sign(&key(BANK)).expect("a key in memory");
    assert_eq!(codes(&entries, &[anchor], &[]), [("receipt_forged", 0)]);
    let of_a_third = Receipt { author: MemberId(3), ..receipt(1, Digest::ZERO) };
    assert!(!of_a_third.is_valid());
    assert!(!receipt(0, Digest::ZERO).is_valid());
    assert!(!receipt(2, Digest::ZERO).is_valid());
    assert!(!receipt(1, REL).is_valid());
    let many = vec![String::new(); CLAIMS_MAX + 1];
    assert!(!Receipt { claims: many, ..receipt(1, Digest::ZERO) }.is_valid());
}

#[test]
fn a_registers_own_people_are_alone_in_their_receipts_and_under_no_consent() {
    let look = Receipt {
        consent: OperationId(0),
        purpose: PurposeCode(0),
        requester: REGISTRAR,
        action: Action::Look,
        reader: Some(Role::Clerk),
        duty: Some(Duty::Register),
        ..receipt(1, Digest::ZERO)
    };
    assert!(look.is_valid());
    let text = look.sign(&key(REGISTRAR)).expect("a key in memory");
    assert_eq!(Receipt::verify(&text, &key(REGISTRAR).public_key()), Ok(look.clone()));
    // Nobody passes a bank's access off as the register's own, nor the other way round.
    assert!(!Receipt { requester: BANK, ..look.clone() }.is_valid());
    assert!(!Receipt { consent: OperationId(9), ..look.clone() }.is_valid());
    assert!(!Receipt { purpose: PurposeCode(1), ..look.clone() }.is_valid());
    assert!(!Receipt { duty: Some(Duty::DueDiligence), ..look.clone() }.is_valid());
    assert!(!Receipt { duty: None, ..look }.is_valid());
    let of_a_bank = Receipt { duty: Some(Duty::DueDiligence), ..receipt(1, Digest::ZERO) };
    assert!(of_a_bank.is_valid());
}

#[test]
fn a_receipt_without_reader_and_duty_is_written_as_before() {
    let text = serde_json::to_string(&receipt(1, Digest::ZERO)).expect("plain data");
    assert!(!text.contains("reader") && !text.contains("duty"), "{text}");
    assert_eq!(serde_json::from_str::<Receipt>(&text).expect("read"), receipt(1, Digest::ZERO));
}

#[test]
fn the_authors_own_counter_signature_does_not_count() {
    let (mut entries, anchor) = log(1);
    let own = counter_sign(&entries[0].receipt, BANK, &key(REGISTRAR)).expect("a key");
    entries[0].counter_signature = Some(own);
    assert_eq!(codes(&entries, &[anchor], &[]), [("counter_signature_wrong", 1)]);
}

proptest! {
    #[test]
    fn any_changed_byte_of_a_served_receipt_is_flagged(
        count in 1_u64..6, entry in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(), flip in 1_u8..128,
    ) {
        let (mut entries, anchor) = log(count);
        let changed = entry.get_mut(&mut entries);
        let mut bytes = changed.receipt.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
        changed.receipt = text;
        prop_assert!(!check_log(&entries, &[anchor], &[], &keys).is_sound());
    }

    #[test]
    fn every_receipt_of_a_batch_leads_to_its_anchor_and_no_other_does(
        count in 1_u32..40, pick in any::<prop::sample::Index>(),
    ) {
        let leaves: Vec<_> =
            (0..count)
                .map(|at| (receipt_digest(&at.to_string()), BlockTime(u64::from(at))))
                .collect();
        let batch = Batch::new(&leaves).expect("a small batch");
        let anchor = batch.anchor(REGISTRAR, ANCHOR);
        let index = u32::try_from(pick.index(leaves.len())).expect("below 40");
        let inclusion = batch.inclusion(index).expect("it is in it");
        for (at, (digest, _)) in (0..).zip(&leaves) {
            prop_assert_eq!(inclusion.leads_to(*digest, &anchor), at == index);
        }
    }
}
