//! The person's check of "who saw my data": nothing missing, altered or unanchored.

use std::collections::BTreeMap;

use etibar_primitives::{Digest, MemberId, OperationId};

use super::{
    Anchor, EvidenceError, Inclusion, Receipt, check_counter_signature, counter_signature_chain,
    receipt_digest,
};
use crate::jose::PublicKey;

/// One receipt as a member serves it.
#[derive(Debug, Clone)]
pub struct LogEntry {
    /// The receipt.
    pub receipt: String,
    /// The other side's counter-signature, if it has arrived.
    pub counter_signature: Option<String>,
    /// Its place in an anchored batch, and the operation that anchored it, if it is anchored yet.
    pub proof: Option<(Inclusion, OperationId)>,
}

/// The end of a log, as somebody else saw it: the other side, or the wallet when it last looked.
/// Without it, receipts cut off at the end could not be missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The relationship.
    pub rel: Digest,
    /// Whose log.
    pub author: MemberId,
    /// The last number seen.
    pub sequence: u64,
    /// The digest of that receipt.
    pub digest: Digest,
}

/// What is wrong with a receipt or a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// Not a receipt, or not signed by a key that its author may use.
    Forged,
    /// Another receipt with this number exists, or it does not name the one before: somebody
    /// rewrote the log.
    Altered,
    /// These numbers were not served: the finding's, up to this one inclusive.
    Missing(u64),
    /// The other side has not counter-signed.
    NotCounterSigned,
    /// The counter-signature is not the other side's under this receipt.
    CounterSignatureWrong,
    /// Not anchored yet.
    NotAnchored,
    /// The anchor named is not on the ledger, or not by the author.
    AnchorUnknown,
    /// It is not in the anchored batch, or its time lies outside the anchored interval.
    NotInAnchor,
}

impl Problem {
    /// The stable code in interfaces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Forged => "receipt_forged",
            Self::Altered => "receipt_altered",
            Self::Missing(_) => "receipt_missing",
            Self::NotCounterSigned => "receipt_not_counter_signed",
            Self::CounterSignatureWrong => "counter_signature_wrong",
            Self::NotAnchored => "receipt_not_anchored",
            Self::AnchorUnknown => "anchor_unknown",
            Self::NotInAnchor => "receipt_not_in_anchor",
        }
    }

    /// Whether time may still heal it: the batch is not anchored yet, the other side not heard.
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::NotCounterSigned | Self::NotAnchored)
    }
}

/// A problem and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// The entry's place in what was served; `None` for what was not served.
    pub entry: Option<usize>,
    /// The relationship, if it could be read.
    pub rel: Option<Digest>,
    /// Whose log, if it could be read.
    pub author: Option<MemberId>,
    /// The number, if it could be read.
    pub sequence: Option<u64>,
    /// What is wrong.
    pub problem: Problem,
}

/// Finds the key of a member by the certificates in a header, leaf first, if the trust registry
/// vouches for it.
pub type KeyLookup<'a> = &'a dyn Fn(MemberId, &[Vec<u8>]) -> Option<PublicKey>;

/// What a check of the log found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The receipts whose author's signature holds, with their place in what was served.
    pub receipts: Vec<(usize, Receipt)>,
    /// Everything wrong, by place.
    pub findings: Vec<Finding>,
    /// The end of each log: to be kept and given to the next check.
    pub heads: Vec<Head>,
}

impl Report {
    /// Whether nothing is wrong that time will not heal.
    pub fn is_sound(&self) -> bool {
        self.findings.iter().all(|finding| finding.problem.is_pending())
    }
}

/// Checks what a member served.
///
/// `anchors`: the anchors on the ledger, as verified by the caller. `heads`: the ends of logs seen
/// elsewhere or before. `key`: the key of a member by the chain in a header, if the trust registry
/// vouched for it at the receipt's time.
pub fn check_log(
    entries: &[LogEntry],
    anchors: &[Anchor],
    heads: &[Head],
    key: KeyLookup<'_>,
) -> Report {
    let anchors: BTreeMap<_, _> = anchors.iter().map(|anchor| (anchor.operation, anchor)).collect();
    let mut report = Report::default();
    let mut logs: BTreeMap<(Digest, MemberId), Log> = BTreeMap::new();
    for (at, entry) in entries.iter().enumerate() {
        let Some(receipt) = genuine(&entry.receipt, key) else {
            let problem = Problem::Forged;
            report.findings.push(Finding {
                entry: Some(at),
                rel: None,
                author: None,
                sequence: None,
                problem,
            });
            continue;
        };
        let problems =
            [counter_problem(entry, &receipt, key), anchor_problem(entry, &receipt, &anchors)];
        for problem in problems.into_iter().flatten() {
            report.findings.push(found(Some(at), &receipt, problem));
        }
        let numbered =
            Numbered { at, digest: receipt_digest(&entry.receipt), previous: receipt.previous };
        let log = logs.entry((receipt.rel, receipt.author)).or_default();
        let same = log.entry(receipt.sequence).or_default();
        // The same receipt served twice is one receipt.
        if same.iter().all(|known| known.digest != numbered.digest) {
            same.push(numbered);
        }
        report.receipts.push((at, receipt));
    }
    for head in heads {
        logs.entry((head.rel, head.author)).or_default();
    }
    for ((rel, author), log) in &logs {
        let known = heads.iter().filter(|head| (head.rel, head.author) == (*rel, *author));
        check_sequence(&mut report, (*rel, *author), log, known);
    }
    report
}

#[derive(Clone, Copy)]
struct Numbered {
    at: usize,
    digest: Digest,
    previous: Digest,
}

/// The receipts under each number; more than one is a forgery.
type Log = BTreeMap<u64, Vec<Numbered>>;

fn genuine(jws: &str, key: KeyLookup<'_>) -> Option<Receipt> {
    let (claimed, chain) = Receipt::peek(jws).ok()?;
    Receipt::verify(jws, &key(claimed.author, &chain)?).ok()
}

fn counter_problem(entry: &LogEntry, receipt: &Receipt, key: KeyLookup<'_>) -> Option<Problem> {
    let Some(text) = &entry.counter_signature else { return Some(Problem::NotCounterSigned) };
    let member = receipt.other_side();
    let checked = counter_signature_chain(text).and_then(|chain| {
        let key = key(member, &chain).ok_or(EvidenceError::OtherReceipt)?;
        check_counter_signature(text, &entry.receipt, member, &key)
    });
    checked.err().map(|_| Problem::CounterSignatureWrong)
}

fn anchor_problem(
    entry: &LogEntry,
    receipt: &Receipt,
    anchors: &BTreeMap<OperationId, &Anchor>,
) -> Option<Problem> {
    let Some((inclusion, operation)) = &entry.proof else { return Some(Problem::NotAnchored) };
    let anchor = anchors.get(operation).filter(|anchor| anchor.member == receipt.author);
    let Some(anchor) = anchor else { return Some(Problem::AnchorUnknown) };
    let in_time = (anchor.from..=anchor.until).contains(&receipt.time);
    let included = inclusion.leads_to(receipt_digest(&entry.receipt), anchor);
    (!in_time || !included).then_some(Problem::NotInAnchor)
}

/// Gapless from 1, one receipt for each number, each naming the one before, and no shorter than the
/// heads say.
fn check_sequence<'a>(
    report: &mut Report,
    (rel, author): (Digest, MemberId),
    log: &Log,
    heads: impl Iterator<Item = &'a Head>,
) {
    let finding = |entry, sequence, problem| Finding {
        entry,
        rel: Some(rel),
        author: Some(author),
        sequence: Some(sequence),
        problem,
    };
    let mut last: Option<(u64, Digest)> = None;
    for (sequence, same) in log {
        let expected = last.map_or(1, |(number, _)| number.saturating_add(1));
        if *sequence > expected {
            report.findings.push(finding(None, expected, Problem::Missing(*sequence - 1)));
        }
        let follows = last.filter(|_| *sequence == expected);
        for one in same {
            let broken = follows.is_some_and(|(_, digest)| one.previous != digest);
            if broken || same.len() > 1 {
                report.findings.push(finding(Some(one.at), *sequence, Problem::Altered));
            }
        }
        last = same.first().map(|one| (*sequence, one.digest));
    }
    let end = last.map_or(0, |(number, _)| number);
    for head in heads {
        if head.sequence > end {
            let problem = Problem::Missing(head.sequence);
            report.findings.push(finding(None, end.saturating_add(1), problem));
        } else if let Some(same) = log.get(&head.sequence) {
            let kept = same.iter().any(|one| one.digest == head.digest);
            if !kept {
                let entry = same.first().map(|one| one.at);
                report.findings.push(finding(entry, head.sequence, Problem::Altered));
            }
        }
    }
    if let Some((sequence, digest)) = last {
        report.heads.push(Head { rel, author, sequence, digest });
    }
}

const fn found(entry: Option<usize>, receipt: &Receipt, problem: Problem) -> Finding {
    Finding {
        entry,
        rel: Some(receipt.rel),
        author: Some(receipt.author),
        sequence: Some(receipt.sequence),
        problem,
    }
}
