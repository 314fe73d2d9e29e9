//! The pacs.008 messages that the tour's core banking systems send.

use etibar_iso20022::{
    Account, Agent, Bic, ChargeBearer, CreditTransfer, CreditTransferVersion, Date, Iban, Money,
    Payment, Personal, ProxyKind, SettlementMethod, Text,
};
use etibar_primitives::{Amount, BlockTime, OperationId};

use crate::sample::{SampleMember, random_bytes};

/// Whom to pay.
#[derive(Debug, Clone)]
pub(crate) enum Payee {
    /// The account of an IBAN.
    Account(String),
    /// The account behind a telephone number.
    Phone(String),
}

/// A payment order of a customer.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    /// Its id everywhere.
    pub(crate) uetr: OperationId,
    /// The customer's bank.
    pub(crate) debtor: &'static SampleMember,
    /// The customer's account.
    pub(crate) account: String,
    /// The payee's bank.
    pub(crate) creditor: &'static SampleMember,
    /// Whom to pay.
    pub(crate) payee: Payee,
    /// How much.
    pub(crate) amount: Amount,
}

/// A fresh UETR: a UUID of version 4 (RFC 9562).
pub(crate) fn fresh_uetr() -> OperationId {
    let mut bytes: [u8; 16] = random_bytes();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    OperationId::from_bytes(bytes)
}

/// The IBAN of customer `index` of a sample bank, with right check digits (ISO 13616).
pub(crate) fn iban(bank: &SampleMember, index: u32) -> String {
    let basic = format!("{}{index:020}", &bank.bic[..4]);
    let number = |digits: &str| Iban::new(&format!("AZ{digits}{basic}")).ok();
    let right = |digits: &String| number(digits).is_some_and(|iban| iban.has_valid_check_digits());
    let digits = (2..=98).map(|digits| format!("{digits:02}")).find(right);
    format!("AZ{}{basic}", digits.expect("one of 97 remainders is right"))
}

impl Order {
    /// The order as a message of the bank's core banking.
    pub(crate) fn render(&self, now: BlockTime) -> Vec<u8> {
        let text = |text: &str| Text::new(text).expect("a short text of letters and digits");
        let name = |name: &str| Personal::new(name).expect("a short invented name");
        let agent = |bank: &SampleMember| {
            Agent::of(Bic::new(bank.bic).expect("the table holds well-formed codes"))
        };
        let account = |number: &str| {
            Account::of(Iban::new(number).expect("the tour makes well-formed numbers"))
        };
        let payment = Payment {
            instruction_id: None,
            end_to_end_id: text("TOUR"),
            transaction_id: None,
            uetr: Some(self.uetr),
            amount: Money::azn(self.amount),
            settlement_date: None,
            priority: None,
            accepted_at: Some(now),
            service_level: None,
            local_instrument: Some(text("INST")),
            category_purpose: None,
            purpose: None,
            charge_bearer: ChargeBearer::ServiceLevel,
            instructing_agent: None,
            instructed_agent: None,
            debtor_name: Some(name("Sample Debtor")),
            debtor_account: Some(account(&self.account)),
            debtor_agent: agent(self.debtor),
            creditor_agent: agent(self.creditor),
            creditor_name: Some(name("Sample Creditor")),
            creditor_account: Some(match &self.payee {
                Payee::Account(number) => account(number),
                Payee::Phone(number) => Account::behind(
                    ProxyKind::Phone,
                    Personal::new(number).expect("a telephone number is a short text"),
                ),
            }),
            remittance: vec![name("tour")],
        };
        let message = CreditTransfer {
            version: CreditTransferVersion::V10,
            message_id: text(&format!("TOUR{:032x}", u128::from_be_bytes(random_bytes()))[..35]),
            created: now,
            declared_count: 1,
            control_sum: None,
            total: None,
            settlement_date: today(now),
            settlement_method: SettlementMethod::Clearing,
            clearing_system: Some(text("IPS")),
            instructing_agent: Some(agent(self.debtor)),
            instructed_agent: None,
            payments: vec![payment],
        };
        message.render().into_bytes()
    }
}

/// The day of `now` in UTC.
fn today(now: BlockTime) -> Option<Date> {
    etibar_iso20022::render_moment(now).get(..10).and_then(|day| Date::parse(day).ok())
}

#[cfg(test)]
mod tests {
    use etibar_iso20022::validate;

    use super::*;
    use crate::sample::MEMBERS;

    #[test]
    fn the_tours_messages_obey_their_schema() {
        let order = Order {
            uetr: fresh_uetr(),
            debtor: &MEMBERS[1],
            account: iban(&MEMBERS[1], 1),
            creditor: &MEMBERS[2],
            payee: Payee::Account(iban(&MEMBERS[2], 1)),
            amount: Amount::new(1_250).unwrap(),
        };
        let phone = Order { payee: Payee::Phone("+994-50-0000001".into()), ..order.clone() };
        for order in [order, phone] {
            let message = order.render(BlockTime(1_795_379_405_000));
            let report = validate(&message);
            assert!(report.is_valid(), "{:?}", report.lines("message"));
        }
    }

    #[test]
    fn invented_account_numbers_have_28_characters_and_right_check_digits() {
        for bank in &MEMBERS[1..] {
            let number = iban(bank, 7);
            assert_eq!(number.len(), 28);
            assert!(Iban::new(&number).unwrap().has_valid_check_digits());
        }
    }

    #[test]
    fn a_fresh_uetr_is_a_uuid_of_version_4() {
        let text = fresh_uetr().to_string();
        assert_eq!(&text[14..15], "4");
        assert!(matches!(&text[19..20], "8" | "9" | "a" | "b"));
    }
}
