//! The sums at the end.

use etibar_ledger::operation::AccountKind;

use crate::{
    failure::Failure,
    sample::{MEMBERS, SAMPLE_CUSTOMERS, SampleMember},
    tour::{
        chapter::Chapter,
        stage::{Stage, wait_for},
    },
};

pub(super) async fn agree(stage: &Stage, chapter: &mut Chapter) -> Result<(), Failure> {
    let accounts = stage.accounts().await?;
    let sum: i64 = accounts.iter().map(|account| account.balance).sum();
    chapter.fact("accounts on the ledger", accounts.len());
    chapter.check("all balances of the ledger sum to zero with the issue account", sum == 0);
    let pending: u64 = accounts.iter().map(|account| account.debits_pending).sum();
    chapter.check("no money is set aside any more", pending == 0);
    for bank in &MEMBERS[1..] {
        // A bank answers once the ledger has settled and writes its own books next.
        let agreed = async || {
            let moved = moved(stage, bank).await?;
            Ok((moved.ledger == moved.books && moved.held == 0).then_some(moved.ledger))
        };
        let agreed = wait_for(agreed).await?;
        let sum = agreed.map_or_else(String::new, |ledger| format!(" ({ledger})"));
        chapter.check(
            format!("{}: customers' books moved as the ledger did{sum}", bank.name),
            agreed.is_some(),
        );
    }
    Ok(())
}

/// How a bank's money has moved since the beginning, in minor units.
struct Moved {
    ledger: i64,
    books: i64,
    /// Still held for payments under way.
    held: u64,
}

async fn moved(stage: &Stage, bank: &SampleMember) -> Result<Moved, Failure> {
    let book = stage.gateway(bank)?.book().await?;
    // Beside the sample's customers stand those who opened an account later, with nothing in it.
    let opened = u64::from(SAMPLE_CUSTOMERS);
    let customers: i64 = book.iter().map(|entry| as_signed(entry.balance)).sum();
    let genesis = &stage.sample.genesis;
    let opening = genesis
        .accounts
        .iter()
        .find(|account| account.owner == bank.member_id() && account.kind == AccountKind::Prefund);
    let opening = opening.map_or(0, |account| as_signed(account.opening.minor_units()));
    Ok(Moved {
        ledger: stage.prefund(bank).await?.balance - opening,
        books: customers - opening_of_customers(opened),
        held: book.iter().map(|entry| entry.held).sum(),
    })
}

/// What `count` accounts of a sample book hold at first: every 20th is closed and empty.
fn opening_of_customers(count: u64) -> i64 {
    as_signed((count - count / 20) * 1_000_000)
}

fn as_signed(minor: u64) -> i64 {
    i64::try_from(minor).unwrap_or(i64::MAX)
}
