//! What the page shows, as texts.

use std::collections::BTreeMap;

use etibar_ledger::{Genesis, operation::AccountKind};
use etibar_primitives::{MemberId, key::PublicKey};

use crate::desk::text::duration;

use super::{
    format,
    identity::{Said, Watched},
    payments::{End, Payment},
    watch::{Seen, Watch},
    words::Words,
};

/// How many payments the page shows.
const PAYMENTS_SHOWN: usize = 20;

/// The moving part of the page.
#[derive(Debug)]
pub(super) struct LiveView {
    pub(super) height: String,
    pub(super) time: String,
    pub(super) settled: String,
    pub(super) turnover: String,
    pub(super) validators_up: usize,
    pub(super) validators: Vec<ValidatorRow>,
    pub(super) payments: Vec<PaymentRow>,
    pub(super) blocks: Vec<BlockRow>,
    /// The banks' rows, then their sum.
    pub(super) balances: Vec<BalanceRow>,
    /// Identification, when banks or agencies are watched.
    pub(super) identity: Option<IdentityView>,
}

/// Identification at banks and agencies.
#[derive(Debug)]
pub(super) struct IdentityView {
    /// Erasures past their date at all banks.
    pub(super) overdue: String,
    /// Whether there are any.
    pub(super) alarm: bool,
    /// The longest that a notice of change waits now.
    pub(super) waiting: String,
    /// The longest way of a change so far.
    pub(super) lag: String,
    /// Members with something to see: alarms first.
    pub(super) rows: Vec<IdentityRow>,
}

/// A member's identification.
#[derive(Debug)]
pub(super) struct IdentityRow {
    pub(super) name: String,
    /// A class of the style sheet, and the word in it.
    pub(super) mark: (&'static str, &'static str),
    pub(super) overdue: String,
    pub(super) refused: String,
    pub(super) examinations: String,
    pub(super) waiting: String,
    pub(super) lag: String,
}

/// A validator.
#[derive(Debug)]
pub(super) struct ValidatorRow {
    pub(super) number: usize,
    pub(super) address: String,
    pub(super) up: bool,
    pub(super) height: String,
}

/// A payment.
#[derive(Debug)]
pub(super) struct PaymentRow {
    pub(super) uetr: String,
    pub(super) short: String,
    pub(super) time: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) amount: String,
    /// A class of the style sheet: `good`, `bad` or `open`.
    pub(super) mark: &'static str,
    pub(super) outcome: String,
    pub(super) latency: String,
    pub(super) receipt: String,
}

/// A block.
#[derive(Debug)]
pub(super) struct BlockRow {
    pub(super) height: String,
    pub(super) time: String,
    pub(super) transactions: String,
    pub(super) operations: String,
    pub(super) leader: String,
}

/// A bank's money.
#[derive(Debug, Default)]
pub(super) struct BalanceRow {
    pub(super) bank: String,
    pub(super) settlement: String,
    pub(super) prefund: String,
    pub(super) reserved: String,
}

/// A bank's money as numbers.
#[derive(Debug, Default, Clone, Copy)]
struct Money {
    settlement: i64,
    prefund: i64,
    reserved: i64,
}

/// The view of what `watch` knows.
pub(super) fn of(watch: &Watch, genesis: &Genesis, words: &Words) -> LiveView {
    let seen = watch.seen();
    let (payments, (settled, turnover)) = {
        let payments = watch.payments();
        let latest: Vec<_> = payments.latest().take(PAYMENTS_SHOWN).copied().collect();
        (latest, payments.settled())
    };
    let validators = validators(&seen);
    let newest = seen.blocks.first();
    LiveView {
        height: format::count(newest.map_or(0, |block| block.height)),
        time: newest.map_or_else(|| "–".to_owned(), |block| format::clock(block.time)),
        settled: format::count(settled),
        turnover: format::signed_money(i64::try_from(turnover).unwrap_or(i64::MAX)),
        validators_up: validators.iter().filter(|validator| validator.up).count(),
        validators,
        payments: payments.iter().map(|payment| row(payment, genesis, words)).collect(),
        blocks: blocks(&seen, genesis),
        balances: balances(&seen, genesis, words),
        identity: identity(&watch.identity(), genesis, words),
    }
}

fn identity(
    members: &[(Watched, Option<Said>)],
    genesis: &Genesis,
    words: &Words,
) -> Option<IdentityView> {
    members.first()?;
    let said = || members.iter().filter_map(|(_, said)| said.as_ref());
    let lasts = |ms| duration(ms, words.language);
    let longest = |figure: fn(&Said) -> u64| lasts(said().map(figure).max().unwrap_or(0));
    let overdue = said().map(|said| said.overdue).sum();
    let mut shown: Vec<_> =
        members.iter().filter(|(_, said)| *said != Some(Said::default())).collect();
    shown.sort_by_key(|(_, said)| match said {
        Some(said) if said.alarms() => 0,
        None => 1,
        Some(_) => 2,
    });
    let row = |(member, said): &(Watched, Option<Said>)| {
        let mark = match said {
            None => ("bad", words.down),
            Some(said) if said.alarms() => ("bad", words.alarm),
            Some(_) => ("open", words.up),
        };
        let said = said.unwrap_or_default();
        IdentityRow {
            name: name(genesis, member.member),
            mark,
            overdue: format::count(said.overdue),
            refused: format::count(said.refused),
            examinations: match said.lapsing {
                0 => format::count(said.examinations),
                soon => format!("{} · {}: {soon}", said.examinations, words.lapsing),
            },
            waiting: format!("{} · {}", format::count(said.waiting), lasts(said.waiting_ms)),
            lag: lasts(said.lag_ms_max),
        }
    };
    Some(IdentityView {
        overdue: format::count(overdue),
        alarm: overdue > 0,
        waiting: longest(|said| said.waiting_ms),
        lag: longest(|said| said.lag_ms_max),
        rows: shown.into_iter().map(row).collect(),
    })
}

fn validators(seen: &Seen) -> Vec<ValidatorRow> {
    let row = |(number, (url, status)): (usize, &(String, Option<_>))| {
        let status: &Option<etibar_client::wire::StatusView> = status;
        ValidatorRow {
            number,
            address: url.trim_start_matches("http://").to_owned(),
            up: status.is_some(),
            height: status
                .as_ref()
                .map_or_else(|| "–".to_owned(), |status| format::count(status.executed_height)),
        }
    };
    (1..).zip(&seen.validators).map(row).collect()
}

fn row(payment: &Payment, genesis: &Genesis, words: &Words) -> PaymentRow {
    let (mark, outcome) = match payment.end {
        End::Open => ("open", words.pending.to_owned()),
        End::Settled => ("good", words.done.to_owned()),
        End::Rejected(reason) => ("bad", format!("{} {reason}", words.rejected)),
        End::Expired => ("bad", format!("{} AB05", words.expired)),
        End::Refused(outcome) => ("bad", format!("{} {}", words.refused, outcome.iso_reason())),
    };
    let (submitter, operation) = payment.proof;
    PaymentRow {
        uetr: payment.uetr.to_string(),
        short: format::short(&payment.uetr),
        time: format::clock(payment.decided),
        from: name(genesis, payment.debtor),
        to: name(genesis, payment.creditor),
        amount: format::money(payment.amount),
        mark,
        outcome,
        latency: format::seconds(payment.latency().0),
        receipt: format!("/receipts/{submitter}/{operation}"),
    }
}

fn blocks(seen: &Seen, genesis: &Genesis) -> Vec<BlockRow> {
    let row = |block: &etibar_client::wire::BlockView| BlockRow {
        height: format::count(block.height),
        time: format::clock(block.time),
        transactions: format::count(u64::from(block.transactions)),
        operations: format::count(block.operations),
        leader: leader(genesis, &block.leader),
    };
    seen.blocks.iter().map(row).collect()
}

/// The number of a validator in the genesis, as the list of validators counts them.
fn leader(genesis: &Genesis, key: &PublicKey) -> String {
    let place = genesis.validators.iter().position(|its| its == key);
    place.map_or_else(|| format::short(key), |index| (index + 1).to_string())
}

fn balances(seen: &Seen, genesis: &Genesis, words: &Words) -> Vec<BalanceRow> {
    let mut money: BTreeMap<MemberId, Money> = BTreeMap::new();
    let mut total = Money::default();
    for account in &seen.accounts {
        let reserved = i64::try_from(account.debits_pending).unwrap_or(i64::MAX);
        let (settlement, prefund) = match account.kind {
            AccountKind::Settlement => (account.balance, 0),
            AccountKind::Prefund => (0, account.balance),
            _ => continue,
        };
        for sum in [money.entry(account.owner).or_default(), &mut total] {
            sum.settlement = sum.settlement.saturating_add(settlement);
            sum.prefund = sum.prefund.saturating_add(prefund);
            sum.reserved = sum.reserved.saturating_add(reserved);
        }
    }
    let rows = money.iter().map(|(member, money)| money.row(name(genesis, *member)));
    rows.chain([total.row(words.total.to_owned())]).collect()
}

impl Money {
    fn row(&self, bank: String) -> BalanceRow {
        BalanceRow {
            bank,
            settlement: format::signed_money(self.settlement),
            prefund: format::signed_money(self.prefund),
            reserved: format::signed_money(self.reserved),
        }
    }
}

/// The organisation's name; its number for one admitted later.
fn name(genesis: &Genesis, member: MemberId) -> String {
    let found = genesis.members.iter().find(|its| its.id == member);
    found.map_or_else(|| format!("№ {member}"), |its| its.name.clone())
}
