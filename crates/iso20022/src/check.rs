//! Rules of a credit transfer beyond its schema, each with the reason a rejection gives.

use std::collections::BTreeSet;

use etibar_primitives::{Amount, Currency};

use crate::credit_transfer::{CreditTransfer, Payment};
use crate::fields::{Iban, ReasonCode};
use crate::party::{Account, Agent, amount};

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Index of the payment in the message; none where the message as a whole breaks the rule, so
    /// that all of it is rejected.
    pub payment: Option<usize>,
    /// The rule.
    pub rule: Rule,
}

macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $reason:ident, $sentence:literal;)+) => {
        /// The rules. The codes never change meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule { $($(#[$doc])* $variant,)+ }

        impl Rule {
            /// The stable text of this rule.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The reason for the pacs.002 that rejects.
            pub const fn reason(self) -> ReasonCode {
                match self { $(Self::$variant => ReasonCode::$reason,)+ }
            }

            /// What is wrong, in one sentence without a value of the message.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)+ }
            }
        }
    };
}

rules! {
    /// `NbOfTxs` is not the number of payments.
    Count = "count", AM18, "the declared number of payments is not the actual one";
    /// `CtrlSum` is not the sum of the amounts.
    ControlSum = "control-sum", AM10, "the control sum is not the sum of the amounts";
    /// `TtlIntrBkSttlmAmt` is not the sum of the amounts in its currency.
    Total = "total", AM10, "the total is not the sum of the amounts in its currency";
    /// The currency is not the manat.
    Currency = "currency", AM03, "the currency is not AZN";
    /// The amount is zero.
    ZeroAmount = "zero-amount", AM01, "the amount is zero";
    /// The amount holds a fraction of a qəpik, or is larger than any sum.
    Amount = "amount", AM12, "the amount is no number of qəpik";
    /// The payment has no UETR.
    UetrMissing = "uetr-missing", CH21, "the payment has no UETR";
    /// Another payment before it in the message has the same UETR.
    UetrTwice = "uetr-twice", DUPL, "an earlier payment of the message has the same UETR";
    /// The debtor's account is absent, or its check digits are wrong.
    DebtorAccount = "debtor-account", AC01, "the debtor's account is absent or wrong";
    /// The creditor's account and alias are absent, or the account's check digits are wrong.
    CreditorAccount = "creditor-account", AC03, "the creditor's account is absent or wrong";
    /// The debtor's agent has neither a BIC nor a number in a clearing system.
    DebtorAgent = "debtor-agent", RC01, "the debtor's agent is not identified";
    /// The creditor's agent has neither, and the account is no alias that would tell it.
    CreditorAgent = "creditor-agent", RC01, "the creditor's agent is not identified";
}

/// Checks a message that its schema allows. An empty list means that nothing was found; what only
/// the edge knows (limits, the members, the day) is not checked here.
pub fn check_credit_transfer(message: &CreditTransfer) -> Vec<Finding> {
    let mut findings = Vec::new();
    let whole = |rule| Finding { payment: None, rule };
    if u64::try_from(message.payments.len()) != Ok(message.declared_count) {
        findings.push(whole(Rule::Count));
    }
    findings.extend(check_sums(message).into_iter().map(whole));
    let mut seen = BTreeSet::new();
    for (index, payment) in message.payments.iter().enumerate() {
        let mut note = |rule| findings.push(Finding { payment: Some(index), rule });
        check_payment(payment, &mut note);
        match payment.uetr {
            None => note(Rule::UetrMissing),
            Some(uetr) if !seen.insert(uetr) => note(Rule::UetrTwice),
            Some(_) => {}
        }
    }
    findings
}

/// Sums are compared only where every amount is one; the others are findings of their own.
fn check_sums(message: &CreditTransfer) -> Vec<Rule> {
    let amounts = message.payments.iter().map(|payment| payment.amount.amount());
    let Ok(amounts) = amounts.collect::<Result<Vec<_>, _>>() else { return Vec::new() };
    let sum = amounts.into_iter().try_fold(Amount::ZERO, Amount::checked_add);
    let mut rules = Vec::new();
    if message.control_sum.as_deref().is_some_and(|control| amount(control).ok() != sum) {
        rules.push(Rule::ControlSum);
    }
    if let Some(total) = &message.total {
        let mut currencies = message.payments.iter().map(|payment| payment.amount.currency());
        let one_currency = currencies.all(|currency| currency == total.currency());
        if !one_currency || total.amount().ok() != sum {
            rules.push(Rule::Total);
        }
    }
    rules
}

fn check_payment(payment: &Payment, note: &mut impl FnMut(Rule)) {
    if payment.amount.currency() != Currency::AZN {
        note(Rule::Currency);
    }
    match payment.amount.amount() {
        Ok(Amount::ZERO) => note(Rule::ZeroAmount),
        Ok(_) => {}
        Err(_) => note(Rule::Amount),
    }
    if !is_usable(payment.debtor_account.as_ref()) {
        note(Rule::DebtorAccount);
    }
    if !is_usable(payment.creditor_account.as_ref()) {
        note(Rule::CreditorAccount);
    }
    if !is_identified(&payment.debtor_agent) {
        note(Rule::DebtorAgent);
    }
    let has_alias =
        payment.creditor_account.as_ref().is_some_and(|account| account.proxy.is_some());
    if !has_alias && !is_identified(&payment.creditor_agent) {
        note(Rule::CreditorAgent);
    }
}

/// Whether an account is named at all, and by right check digits where it is an IBAN.
fn is_usable(account: Option<&Account>) -> bool {
    account.is_some_and(|account| {
        account.iban.as_ref().is_none_or(Iban::has_valid_check_digits)
            && (account.iban.is_some() || account.other.is_some() || account.proxy.is_some())
    })
}

const fn is_identified(agent: &Agent) -> bool {
    agent.bic.is_some() || agent.clearing_member.is_some()
}
