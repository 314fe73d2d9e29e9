//! Who saw my data: receipts from every member with a consent, each one verified.

use std::collections::{BTreeMap, BTreeSet};

use etibar_client::clock;
use etibar_credential::{
    UnixSeconds,
    catalogue::{self, Language, RELYING_PARTY_TYPE},
    evidence::{self, Anchor, Finding, Head, LogEntry, Problem, Receipt, check_log},
    jose::PublicKey,
    trust::TrustRegistry,
};
use etibar_ledger::{Outcome, operation};
use etibar_openid::member::{AccessesAnswer, HolderAction, ServedReceipt};
use etibar_primitives::{BlockTime, Digest, MemberId, OperationId};
use serde::{Deserialize, Serialize};

use crate::{
    WalletError, control,
    gesture::{Action, Gesture},
    holder::{Holder, PID},
    id::EntryId,
    label,
    record::{AccessesRecord, ConsentRecord},
    store::Kind,
    view::{AccessLine, AccessLog, AccessSource, Notice, NoticeKind, Proof, Verdict},
};

/// Pages that are asked of one member: a hundred receipts each.
const PAGES_MAX: usize = 50;

/// The end of a log as the wallet saw it last: what was cut off since is missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenHead {
    rel: Digest,
    author: MemberId,
    sequence: u64,
    digest: Digest,
}

/// What one check gathered.
#[derive(Default)]
struct Gathered {
    entries: Vec<LogEntry>,
    /// Members that did not answer: their logs are looked at the next time.
    silent: BTreeSet<MemberId>,
    /// Members that confirmed with their signature that they erased everything, the logs too.
    erased: BTreeSet<MemberId>,
}

impl Gathered {
    /// Whether nothing new can be said about `member`'s log this time.
    fn is_closed(&self, member: MemberId) -> bool {
        self.silent.contains(&member) || self.erased.contains(&member)
    }
}

impl Holder {
    /// Asks every member with a consent of this person, and every agency, for its access receipts,
    /// and verifies each:
    /// its author's signature and, under what a provider gave, the other side's; registration,
    /// place in the anchored batch, the anchor on the ledger, and that no number is missing, also
    /// against what the wallet saw before.
    pub async fn accesses(
        &self,
        gesture: &Gesture,
        language: Language,
    ) -> Result<AccessLog, WalletError> {
        gesture.check(self.person(), &Action::ReadAccesses)?;
        let known: Option<AccessesRecord> =
            self.records.get(Kind::Accesses, EntryId([0; 16])).await?;
        let known = known.unwrap_or_default();
        let gathered = self.gather().await?;
        let anchors = self.anchors(&gathered.entries).await?;
        let registry = self.wallet.registry().await?;
        let (closed, open): (Vec<SeenHead>, Vec<SeenHead>) =
            known.heads.into_iter().partition(|head| gathered.is_closed(head.author));
        let heads: Vec<Head> = open.iter().map(SeenHead::head).collect();
        let key = |member: MemberId, chain: &[Vec<u8>]| key(&registry, member, chain);
        let report = check_log(&gathered.entries, &anchors.found, &heads, &key);
        let checked = clock::now();
        let mut lines: Vec<AccessLine> = report
            .receipts
            .iter()
            .map(|(at, receipt)| {
                let problem = worst(&report.findings, *at, receipt);
                let entry = &gathered.entries[*at];
                let by = entry.proof.as_ref().map(|(_, by)| *by);
                let verdict = anchors.verdict(receipt, by, problem);
                let signers = signers(entry, problem, receipt).collect();
                self.line(receipt, signers, verdict, language)
            })
            .collect();
        lines.extend(self.unserved(&report.findings, checked));
        // What was verified before stays in view where nobody can be asked now.
        let of_closed =
            |line: &AccessLine| line.author.is_some_and(|author| gathered.is_closed(author));
        lines.extend(known.lines.into_iter().filter(of_closed));
        lines.sort_by_key(|line| std::cmp::Reverse((line.at, line.author, line.sequence)));
        lines.dedup_by_key(|line| (line.rel, line.author, line.sequence, line.at));
        let waiting = closed.into_iter().filter(|head| gathered.silent.contains(&head.author));
        let name = |member: &MemberId| self.wallet.inner.members.name(*member);
        let record = AccessesRecord {
            checked,
            lines,
            silent: gathered.silent.iter().map(name).collect(),
            heads: report.heads.iter().map(SeenHead::of).chain(waiting).collect(),
        };
        self.records.put(Kind::Accesses, EntryId([0; 16]), &record, checked).await?;
        self.warn(&record).await?;
        self.access_log(language).await
    }

    /// Everything that the members with a consent serve, and the agencies about their own looks.
    async fn gather(&self) -> Result<Gathered, WalletError> {
        let consents: Vec<(EntryId, ConsentRecord)> = self.records.all(Kind::Consent).await?;
        // Whether a member still holds something: a provider does, a consumer until it erased.
        let mut members: BTreeMap<MemberId, bool> = BTreeMap::new();
        for (_, consent) in &consents {
            *members.entry(consent.consumer).or_default() |= consent.erasure.is_none();
            members.extend(consent.providers.iter().map(|provider| (*provider, true)));
        }
        // A register may hold something of everybody, and its clerks may have looked at it.
        if self.find(PID).await?.is_some() {
            members.extend(self.wallet.inner.members.agencies().map(|agency| (agency, true)));
        }
        let mut gathered = Gathered::default();
        for (member, holds) in members {
            if !holds {
                gathered.erased.insert(member);
                continue;
            }
            match self.served(member).await {
                Ok(receipts) => gathered.entries.extend(receipts.into_iter().map(entry)),
                Err(error) => {
                    tracing::info!(code = error.code(), member = member.0, "no access receipts");
                    gathered.silent.insert(member);
                }
            }
        }
        Ok(gathered)
    }

    async fn served(&self, member: MemberId) -> Result<Vec<ServedReceipt>, WalletError> {
        let (mut receipts, mut after) = (Vec::new(), 0);
        for _ in 0..PAGES_MAX {
            let action = HolderAction::Accesses { rel: None, after };
            let answer = self.ask_member(member, "accesses", action).await?;
            let page: AccessesAnswer = control::read(member, &answer)?;
            receipts.extend(page.receipts);
            match page.next {
                Some(next) if next > after => after = next,
                _ => return Ok(receipts),
            }
        }
        Err(WalletError::TooMuch)
    }

    /// The anchors that the receipts name, each as the ledger's certified receipt says it.
    async fn anchors(&self, entries: &[LogEntry]) -> Result<Anchors, WalletError> {
        let named: BTreeSet<(MemberId, OperationId)> = entries
            .iter()
            .filter_map(|entry| {
                let (receipt, _) = Receipt::peek(&entry.receipt).ok()?;
                Some((receipt.author, entry.proof.as_ref()?.1))
            })
            .collect();
        let mut anchors = Anchors::default();
        for (member, operation) in named {
            let Some(receipt) = self.wallet.inner.client.receipt(member, operation).await? else {
                continue;
            };
            let Some(operation::Action::AnchorEvidence(anchor)) =
                receipt.operation.map(|its| its.action)
            else {
                continue;
            };
            if receipt.event.outcome != Outcome::Accepted {
                continue;
            }
            anchors.times.insert((member, operation), receipt.time);
            anchors.found.push(Anchor {
                member,
                operation,
                root: anchor.root,
                count: anchor.count,
                from: anchor.from,
                until: anchor.until,
            });
        }
        Ok(anchors)
    }

    fn line(
        &self,
        receipt: &Receipt,
        signers: Vec<MemberId>,
        verdict: Verdict,
        language: Language,
    ) -> AccessLine {
        let mut line = AccessLine {
            rel: receipt.rel,
            sequence: receipt.sequence,
            at: receipt.time,
            who: String::new(),
            from: String::new(),
            action: action(receipt.action).to_owned(),
            claims: Vec::new(),
            purpose: String::new(),
            signed: Vec::new(),
            reader: receipt.reader,
            duty: receipt.duty,
            verdict,
            author: Some(receipt.author),
            source: Some(AccessSource {
                requester: receipt.requester,
                provider: receipt.provider,
                vct: receipt.vct.clone(),
                claims: receipt.claims.clone(),
                purpose: receipt.purpose.0,
                signers,
            }),
        };
        self.read_in(&mut line, language);
        line
    }

    /// Puts a line into words of `language`.
    pub(crate) fn read_in(&self, line: &mut AccessLine, language: Language) {
        let members = &self.wallet.inner.members;
        if let Some(source) = &line.source {
            line.who = members.name_in(source.requester, language);
            // A register's own people are given nothing by anybody.
            line.from = if source.provider == source.requester {
                String::new()
            } else {
                members.name_in(source.provider, language)
            };
            line.claims = label::named(&source.vct, &source.claims, language);
            let signers = source.signers.iter();
            line.signed = signers.map(|signer| members.name_in(*signer, language)).collect();
            let purpose = catalogue::purpose(catalogue::PurposeCode(source.purpose));
            let purpose = purpose.map(|its| its.title.in_language(language).to_owned());
            line.purpose = purpose.unwrap_or_default();
        } else if let Some(author) = line.author {
            line.from = members.name_in(author, language);
        }
    }

    /// What was not served although it must exist, and what is no receipt at all.
    fn unserved(&self, findings: &[Finding], checked: BlockTime) -> Vec<AccessLine> {
        let lost = |finding: &Finding| {
            let verdict = match finding.problem {
                Problem::Missing(_) => Verdict::Missing,
                Problem::Forged => Verdict::Altered { code: finding.problem.code().to_owned() },
                _ => return None,
            };
            let author = finding.author.map(|author| self.wallet.inner.members.name(author));
            Some(AccessLine {
                rel: finding.rel.unwrap_or(Digest::ZERO),
                sequence: finding.sequence.unwrap_or(0),
                at: checked,
                who: String::new(),
                from: author.unwrap_or_default(),
                action: String::new(),
                claims: Vec::new(),
                purpose: String::new(),
                signed: Vec::new(),
                reader: None,
                duty: None,
                verdict,
                author: finding.author,
                source: None,
            })
        };
        findings.iter().filter_map(lost).collect()
    }

    /// Puts a warning on the first page when something is missing or altered.
    async fn warn(&self, record: &AccessesRecord) -> Result<(), WalletError> {
        let id = EntryId([1; 16]);
        let Some(bad) = record.lines.iter().find(|line| line.verdict.is_bad()) else {
            return Ok(self.records.remove(Kind::Message, id).await?);
        };
        let kind = NoticeKind::Tampered { member: bad.from.clone() };
        let notice = Notice { kind, at: record.checked };
        Ok(self.records.put(Kind::Message, id, &notice, record.checked).await?)
    }
}

/// Anchors on the ledger, and when they came there.
#[derive(Default)]
struct Anchors {
    found: Vec<Anchor>,
    times: BTreeMap<(MemberId, OperationId), BlockTime>,
}

impl Anchors {
    fn verdict(
        &self,
        receipt: &Receipt,
        anchored_by: Option<OperationId>,
        problem: Option<Problem>,
    ) -> Verdict {
        let proven = anchored_by.and_then(|operation| {
            let anchored = *self.times.get(&(receipt.author, operation))?;
            Some((Proof { submitter: receipt.author, operation }, anchored))
        });
        match (problem, proven) {
            (None, Some((proof, anchored))) => Verdict::Verified { proof, anchored },
            (None, None) => Verdict::Waiting,
            (Some(problem), _) if problem.is_pending() => Verdict::Waiting,
            (Some(problem), _) => Verdict::Altered { code: problem.code().to_owned() },
        }
    }
}

impl SeenHead {
    const fn head(&self) -> Head {
        let Self { rel, author, sequence, digest } = *self;
        Head { rel, author, sequence, digest }
    }

    const fn of(head: &Head) -> Self {
        let Head { rel, author, sequence, digest } = *head;
        Self { rel, author, sequence, digest }
    }
}

/// The worst that was found about one entry; what time will heal comes last.
///
/// What a member notes of its own use has no other side that could sign: its counterpart is the
/// provider's record of giving, which both sign.
fn worst(findings: &[Finding], at: usize, receipt: &Receipt) -> Option<Problem> {
    let of_own_use = receipt.author == receipt.requester;
    let counts = |problem: &Problem| !(of_own_use && *problem == Problem::NotCounterSigned);
    let mut own: Vec<Problem> = findings
        .iter()
        .filter(|finding| finding.entry == Some(at))
        .map(|finding| finding.problem)
        .filter(counts)
        .collect();
    own.sort_by_key(|problem| problem.is_pending());
    own.first().copied()
}

/// Whose signatures under the entry hold: its author's, and the other side's once it is there.
fn signers(
    entry: &LogEntry,
    problem: Option<Problem>,
    receipt: &Receipt,
) -> impl Iterator<Item = MemberId> {
    let countered = entry.counter_signature.is_some() && problem.is_none_or(Problem::is_pending);
    [receipt.author].into_iter().chain(countered.then(|| receipt.other_side()))
}

/// The key in a header's chain, if the ledger registers its authority for `member`.
fn key(registry: &TrustRegistry, member: MemberId, chain: &[Vec<u8>]) -> Option<PublicKey> {
    let now = UnixSeconds::from(clock::now());
    let (chain, entry) = registry.verify_chain(chain, RELYING_PARTY_TYPE, now).ok()?;
    (entry.member == member).then_some(chain.leaf_key)
}

fn entry(served: ServedReceipt) -> LogEntry {
    let inclusion = served.inclusion.and_then(|value| serde_json::from_value(value).ok());
    LogEntry {
        receipt: served.receipt.0,
        counter_signature: served.counter_signature,
        proof: inclusion.zip(served.anchored_by),
    }
}

const fn action(action: evidence::Action) -> &'static str {
    match action {
        evidence::Action::Register => "register",
        evidence::Action::Fetch => "fetch",
        evidence::Action::Use => "use",
        evidence::Action::Notify => "notify",
        evidence::Action::Copy => "copy",
        evidence::Action::Revoke => "revoke",
        evidence::Action::Erase => "erase",
        evidence::Action::Look => "look",
        evidence::Action::Change => "change",
        evidence::Action::Invalidate => "invalidate",
    }
}
