//! What a scenario expects of the state after a block.

use etibar_ledger::{Ledger, operation::PurposeCode};
use etibar_primitives::BlockTime;

use super::{Checked, Operation, OperationKey, Scene, named, operation, parse};

impl Scene {
    pub(super) fn expect(&mut self, words: &[&str]) -> Checked {
        self.start();
        match *words {
            ["told", member, ref events @ ..] => {
                let member = self.member(member)?;
                let told = self.told.get(&member).map(Vec::as_slice).unwrap_or_default();
                let name = |id| self.name_of(Operation::peek(id).0);
                let told: Vec<_> = told
                    .iter()
                    .map(|event| format!("{}:{}", name(&event.operation), event.outcome))
                    .collect();
                let told = if told.is_empty() { "none".to_owned() } else { told.join(" ") };
                same(&told, &events.join(" "))
            }
            ["outcome", member, name, wanted] => {
                let key = OperationKey { id: self.id(name), submitter: self.member(member)? };
                let found = self.ledger().find(key).map_or("unknown", |its| its.outcome.name());
                same(found, wanted)
            }
            ["unchanged"] => {
                let changes = self.world.as_ref().and_then(|world| world.last.as_ref());
                let changes = changes.map_or(0, |executed| executed.changes.len());
                same(&changes, &1)
            }
            ["issuer", member, credential, wanted] => {
                let issuer = self.ledger().issuer(self.member(member)?, named(credential));
                same(if issuer.is_some() { "yes" } else { "no" }, wanted)
            }
            ["status-list", member, list, wanted] => {
                let anchor = self.ledger().status_list(self.member(member)?, parse(list)?);
                let counter = anchor.map_or("none".to_owned(), |its| its.counter.to_string());
                same(counter.as_str(), wanted)
            }
            ["owed", debtor, creditor, sum, count] => {
                let pair = (self.member(debtor)?, self.member(creditor)?);
                let mut open = self.ledger().obligations();
                let owed = open.find(|(debtor, creditor, _)| (*debtor, *creditor) == pair);
                let owed = owed.map_or((0, 0), |(.., its)| (its.amount.minor_units(), its.count));
                same(&owed, &(parse(sum)?, parse(count)?))
            }
            [account, "balance", balance, "available", available] => {
                let id = self.account(account)?;
                let account = self.ledger().account(id).ok_or("no such account")?;
                same(&account.balance(), &parse(balance)?)?;
                same(&account.available(), &parse(available)?)
            }
            [what, subject, wanted] => self.expect_of(what, subject, wanted),
            ["reserves", count] => same(&self.ledger().open_reserves(), &parse(count)?),
            _ => Err(format!("no expectation {words:?}")),
        }
    }

    fn expect_of(&self, what: &str, subject: &str, wanted: &str) -> Checked {
        let ledger = self.ledger();
        match what {
            "totals" => {
                let (_, totals) = ledger.totals().next().ok_or("no totals")?;
                let found = (totals.issued, totals.redeemed);
                same(&found, &(parse(subject)?, parse(wanted)?))
            }
            "parameter" => {
                let value = ledger.parameter(operation::parameter(subject)?, ledger.time());
                same(&value, &parse(wanted)?)
            }
            "alias" => {
                let member = ledger.alias(&named(subject)).map(|alias| alias.member);
                let wanted = (wanted != "none").then(|| self.member(wanted)).transpose()?;
                same(&member, &wanted)
            }
            "consents" => same(&ledger.consent_count(self.member(subject)?), &parse(wanted)?),
            "purpose" => {
                let found = match ledger.purpose(PurposeCode(parse(subject)?)) {
                    None => "none",
                    Some(purpose) if purpose.retired == BlockTime::MAX => "open",
                    Some(_) => "retired",
                };
                same(found, wanted)
            }
            "consent" => same(consent(ledger, subject), wanted),
            "evidence" => {
                let evidence = ledger.evidence(self.member(subject)?);
                same(&evidence.map_or(0, |evidence| evidence.total), &parse(wanted)?)
            }
            _ => Err(format!("no expectation {what}")),
        }
    }

    fn ledger(&self) -> &Ledger {
        &self.world.as_ref().expect("an expectation starts the world").ledger
    }
}

fn consent(ledger: &Ledger, rel: &str) -> &'static str {
    match ledger.consent(&named(rel)) {
        None => "none",
        Some(consent) if consent.revoked == BlockTime::MAX => "given",
        Some(_) => "revoked",
    }
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(found: &T, wanted: &T) -> Checked {
    if found == wanted { Ok(()) } else { Err(format!("expected {wanted:?}, found {found:?}")) }
}
