//! Scenarios: the rules as text. Every file of `tests/scenarios` is one network from its genesis
//! on; a line is a declaration, a block, an operation or an expectation. `#` begins a comment.
//!
//! ```text
//! member NAME bank|agency               before the first block; `op` and its account ISSUE exist
//! account NAME OWNER KIND [OPENING]     KIND: settlement prefund escrow fee treasury
//! genesis PARAMETER VALUE
//! block +MS                             ends the block before, begins one MS later
//! WHO[/KEY] [linked] OPERATION = OUTCOME
//! + [linked] OPERATION = OUTCOME        in the same transaction as the line before
//! times N LINE                          the line N times, `%` in it replaced by 1, 2, ... N
//! expect WHAT                           of the state after the block, which it ends
//! ```
//!
//! Amounts are minor units. A moment is `+MS` or `-MS` from the block's time, or `never`. Names of
//! operations, keys, tags and the like are free; the same name is the same id. The first operation
//! of a transaction may end in `valid FROM UNTIL`; `= refused REASON` then says that the whole
//! transaction is refused.
//!
//! ```text
//! direct|reserve|issue|redeem ID DEBIT CREDIT AMOUNT [created T] [expires T] [pending ID]
//!                                                    [reason CODE] [commitment NAME]
//! post|void ID RESERVE DEBIT CREDIT AMOUNT [...]
//! open ID ACCOUNT OWNER KIND [CUR]      account-status ID ACCOUNT open|frozen|closed
//! floor ID ACCOUNT AMOUNT               admit ID MEMBER bank|agency|operator
//! member-status ID MEMBER active|suspended
//! grant-key ID MEMBER KEY FROM UNTIL    revoke-key ID MEMBER KEY
//! parameter ID PARAMETER VALUE FROM     alias ID TAG           remove-alias ID TAG
//! evidence ID COUNT FROM UNTIL          consent ID REL PROVIDER UNTIL [PURPOSE SCOPE]
//! revoke-consent ID REL                 issuer ID MEMBER TYPE FROM UNTIL
//! revoke-issuer ID MEMBER TYPE          malformed ID
//! purpose ID CODE SCOPE DURATION        retire-purpose ID CODE
//! status-list ID LIST COUNTER           settle ID [EXCLUDED...]
//! reuse ID PROVIDER FEE [created T]
//! again ID                              the same bytes as the last operation ID of this member
//! ```
//!
//! Expectations: `ACCOUNT balance N available N`, `told MEMBER none|ID:OUTCOME...` (its events of
//! the block, in order), `outcome MEMBER ID OUTCOME|unknown`, `parameter NAME N`, `reserves N`,
//! `totals ISSUED REDEEMED`, `alias TAG MEMBER|none`, `consent REL given|revoked|none`,
//! `issuer MEMBER TYPE yes|no`, `evidence MEMBER TOTAL`, `purpose CODE open|retired|none`,
//! `consents MEMBER N`, `status-list MEMBER LIST COUNTER|none`, `owed DEBTOR CREDITOR SUM COUNT`,
//! `unchanged` (no row but the position). Every genesis has purpose 1 of scope 15, for ten years.

use std::{collections::BTreeMap, fs, path::Path};

use etibar_ledger::{
    Genesis, Operation, Outcome,
    genesis::GenesisAccount,
    operation::{AccountKind, MemberRole, OPERATION_BYTES, Parameter},
    receipt::Event,
    result::TransactionResult,
    state::OperationKey,
};
use etibar_primitives::{AccountId, Amount, BlockTime, MemberId, OperationId};

use crate::world::{self, ISSUE, OPERATOR, World, named};

mod expect;
mod operation;

/// Why a line fails, for people.
type Failure = String;
type Checked<T = ()> = Result<T, Failure>;

/// One transaction of the block in work.
struct Draft {
    member: MemberId,
    key: String,
    window: (BlockTime, BlockTime),
    operations: Vec<[u8; OPERATION_BYTES]>,
    /// The line of each operation, and its outcome.
    expected: Vec<(usize, Expected)>,
}

enum Expected {
    Outcome(Outcome),
    Refused(String),
}

/// A file on its way.
struct Scene {
    genesis: Genesis,
    members: BTreeMap<String, MemberId>,
    accounts: BTreeMap<String, AccountId>,
    /// The names behind ids, for reports.
    names: BTreeMap<OperationId, String>,
    sent: BTreeMap<(MemberId, String), [u8; OPERATION_BYTES]>,
    world: Option<World>,
    step_ms: Option<u64>,
    drafts: Vec<Draft>,
    /// Every event of the last block by member.
    told: BTreeMap<MemberId, Vec<Event>>,
}

#[test]
fn every_scenario_comes_out_as_written() {
    let mut failures = Vec::new();
    for (file, text) in files() {
        let mut scene = Scene::new();
        for (index, line) in text.lines().enumerate() {
            if let Err(failure) = scene.line(index + 1, line) {
                failures.push(format!("{file}:{failure}"));
                break;
            }
        }
        if let Err(failure) = scene.close() {
            failures.push(format!("{file}:{failure}"));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn the_scenarios_mention_every_outcome() {
    let text: String = files().into_iter().map(|(_, text)| text).collect();
    for outcome in Outcome::ALL {
        let mentioned = [format!("= {outcome}\n"), format!(":{outcome}\n")]
            .iter()
            .any(|mention| text.contains(mention.as_str()));
        assert!(mentioned, "{outcome}");
    }
}

fn files() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let entries = fs::read_dir(&folder).expect("the folder is part of the crate");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("the folder is readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .map(|path| {
            let name = path.file_name().expect("files have names").to_string_lossy();
            let text = fs::read_to_string(&path).expect("scenarios are UTF-8");
            (format!("tests/scenarios/{name}"), text)
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "there are no scenarios");
    files
}

impl Scene {
    fn new() -> Self {
        Self {
            genesis: world::genesis(&[], &[]),
            members: BTreeMap::from([("op".to_owned(), OPERATOR)]),
            accounts: BTreeMap::from([("ISSUE".to_owned(), ISSUE)]),
            names: BTreeMap::new(),
            sent: BTreeMap::new(),
            world: None,
            step_ms: None,
            drafts: Vec::new(),
            told: BTreeMap::new(),
        }
    }

    fn line(&mut self, number: usize, line: &str) -> Checked {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = |failure| format!("{number}: {failure}");
        match words[..] {
            [] => Ok(()),
            ["times", count, ..] => {
                let count: u32 = parse(count).map_err(at)?;
                let (_, rest) = line.split_once(count.to_string().as_str()).unwrap_or_default();
                (1..=count)
                    .try_for_each(|its| self.line(number, &rest.replace('%', &its.to_string())))
            }
            ["member" | "account" | "genesis", ..] => self.declare(&words).map_err(at),
            ["block", step] => {
                self.close()?;
                self.start();
                let step = step.strip_prefix('+').ok_or_else(|| at("no +MS".to_owned()))?;
                self.step_ms = Some(parse(step).map_err(at)?);
                Ok(())
            }
            ["expect", ref what @ ..] => {
                self.close()?;
                self.expect(what).map_err(at)
            }
            _ => self.order(number, &words).map_err(at),
        }
    }

    fn declare(&mut self, words: &[&str]) -> Checked {
        match *words {
            ["member", name, role] => {
                let role = operation::role(role)?;
                let id = MemberId(u32::try_from(self.members.len()).map_err(text)? + 1);
                let added = world::genesis(&[(id, role)], &[]);
                self.genesis.members.extend(added.members.into_iter().skip(1));
                self.members.insert(name.to_owned(), id);
            }
            ["account", name, owner, kind, ref opening @ ..] => {
                let opening = opening.first().map_or(Ok(0), |its| parse(its))?;
                let (owner, kind) = (self.member(owner)?, operation::kind(kind)?);
                let id = self.name_account(name);
                let opening = Amount::new(opening).map_err(text)?;
                self.genesis.accounts.push(GenesisAccount { id, owner, kind, opening });
            }
            ["genesis", parameter, value] => {
                self.genesis.parameters.push((operation::parameter(parameter)?, parse(value)?));
            }
            _ => return Err("no declaration".to_owned()),
        }
        Ok(())
    }

    fn start(&mut self) {
        if self.world.is_none() {
            self.world = Some(World::new(&self.genesis));
        }
    }

    /// The time of the block in work.
    fn now(&self) -> BlockTime {
        let last = self.world.as_ref().map_or(world::START, |world| world.ledger.time());
        BlockTime(last.0 + self.step_ms.unwrap_or(0))
    }

    fn order(&mut self, number: usize, words: &[&str]) -> Checked {
        if self.step_ms.is_none() {
            return Err("no block is open".to_owned());
        }
        let place = words.iter().position(|word| *word == "=").ok_or("no `= OUTCOME`")?;
        let (head, outcome) = (&words[..place], &words[place + 1..]);
        let expected = match *outcome {
            ["refused", reason] => Expected::Refused(reason.to_owned()),
            [name] => Expected::Outcome(operation::outcome(name)?),
            _ => return Err("no outcome".to_owned()),
        };
        let (who, rest) = head.split_first().ok_or("no operation")?;
        let (rest, window) = match rest.iter().position(|word| *word == "valid") {
            Some(place) => match rest[place + 1..] {
                [from, until] => (&rest[..place], (self.moment(from)?, self.moment(until)?)),
                _ => return Err("`valid FROM UNTIL`".to_owned()),
            },
            None => (rest, (BlockTime(self.now().0 - 1_000), BlockTime(self.now().0 + 1_000))),
        };
        if *who != "+" {
            let (name, key) = who.split_once('/').unwrap_or((who, ""));
            let member = self.member(name)?;
            let (key, expected) = (key.to_owned(), Vec::new());
            self.drafts.push(Draft { member, key, window, operations: Vec::new(), expected });
        }
        let member = self.drafts.last().ok_or("`+` continues nothing")?.member;
        let (linked, rest) = match rest {
            ["linked", rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let bytes = self.operation(member, linked, rest)?;
        let draft = self.drafts.last_mut().ok_or("`+` continues nothing")?;
        draft.operations.push(bytes);
        draft.expected.push((number, expected));
        Ok(())
    }

    /// Executes the block in work, if there is one.
    fn close(&mut self) -> Checked {
        let Some(step_ms) = self.step_ms.take() else { return Ok(()) };
        let drafts = std::mem::take(&mut self.drafts);
        let world = self.world.as_mut().expect("a block starts the world");
        let network = *world.ledger.network();
        let transactions: Vec<_> = drafts
            .iter()
            .map(|draft| {
                let own = draft.key.is_empty();
                let key = if own { world::key_of(draft.member) } else { world::key(&draft.key) };
                world::transaction(&network, draft.member, key, draft.window, &draft.operations)
            })
            .collect();
        let before: BTreeMap<_, _> =
            world.feeds.iter().map(|(member, feed)| (*member, feed.len())).collect();
        world.restore();
        let executed = world.block(step_ms, &transactions);
        let fresh = |(member, feed): (&MemberId, &Vec<Event>)| {
            let seen = before.get(member).copied().unwrap_or(0);
            (*member, feed[seen..].to_vec())
        };
        self.told = world.feeds.iter().map(fresh).collect();
        for (draft, result) in drafts.iter().zip(&executed.result.transactions) {
            draft.compare(result)?;
        }
        Ok(())
    }

    fn member(&self, name: &str) -> Checked<MemberId> {
        if name == "nobody" {
            return Ok(MemberId(999));
        }
        self.members.get(name).copied().ok_or(format!("no member {name}"))
    }

    fn name_account(&mut self, name: &str) -> AccountId {
        let next = AccountId(world::count(self.accounts.len()) + 1);
        *self.accounts.entry(name.to_owned()).or_insert(next)
    }

    fn account(&self, name: &str) -> Checked<AccountId> {
        if name == "nowhere" {
            return Ok(AccountId(999));
        }
        self.accounts.get(name).copied().ok_or(format!("no account {name}"))
    }

    fn moment(&self, word: &str) -> Checked<BlockTime> {
        if word == "never" {
            return Ok(BlockTime::MAX);
        }
        let (sign, rest) = word.split_at_checked(1).ok_or("no moment")?;
        let span: u64 = parse(rest)?;
        match sign {
            "+" => Ok(BlockTime(self.now().0 + span)),
            "-" => Ok(BlockTime(self.now().0 - span)),
            _ => Err(format!("{word} is no moment")),
        }
    }

    fn id(&mut self, name: &str) -> OperationId {
        let digest = named(name);
        let id = OperationId::from_bytes(*digest.0.first_chunk().expect("32 bytes hold 16"));
        self.names.insert(id, name.to_owned());
        id
    }
}

impl Draft {
    fn compare(&self, result: &TransactionResult) -> Checked {
        for (index, (number, expected)) in self.expected.iter().enumerate() {
            let found = match result {
                TransactionResult::Executed(outcomes) => outcomes[index].to_string(),
                TransactionResult::Refused(reason) => format!("refused {}", reason.name()),
            };
            let wanted = match expected {
                Expected::Outcome(outcome) => outcome.to_string(),
                Expected::Refused(reason) => format!("refused {reason}"),
            };
            if found != wanted {
                return Err(format!("{number}: expected {wanted}, found {found}"));
            }
        }
        Ok(())
    }
}

fn parse<T: std::str::FromStr>(word: &str) -> Checked<T> {
    word.parse().map_err(|_| format!("{word} is no number"))
}

fn text(error: impl std::fmt::Display) -> Failure {
    error.to_string()
}
