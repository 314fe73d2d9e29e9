//! Agents, parties, accounts and sums, as several messages hold them.

use etibar_primitives::{Amount, AmountError, BlockTime, Currency};

use crate::calendar::{self, Date, ParseTimeError};
use crate::fields::{Bic, Iban, Personal, Text};
use crate::message::ParseError;
use crate::tree::Node;
use crate::writer::Writer;
use crate::xml::trim;

/// A financial institution. Rendered without either identifier, it is an agent without a name,
/// which the schema allows and [`crate::check_credit_transfer`] refuses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agent {
    /// Its business identifier code.
    pub bic: Option<Bic>,
    /// Its number in a clearing system.
    pub clearing_member: Option<Text<35>>,
}

impl Agent {
    /// The agent of a business identifier code.
    pub const fn of(bic: Bic) -> Self {
        Self { bic: Some(bic), clearing_member: None }
    }

    pub(crate) fn read(holder: Node<'_>) -> Result<Self, ParseError> {
        Ok(Self {
            bic: holder.read("FinInstnId/BICFI", Bic::new)?,
            clearing_member: holder.read("FinInstnId/ClrSysMmbId/MmbId", Text::new)?,
        })
    }

    pub(crate) fn read_at(node: Node<'_>, path: &'static str) -> Result<Option<Self>, ParseError> {
        node.find(path).map(Self::read).transpose()
    }

    pub(crate) fn write_if(agent: Option<&Self>, writer: &mut Writer, name: &'static str) {
        if let Some(agent) = agent {
            agent.write(writer, name);
        }
    }

    pub(crate) fn write(&self, writer: &mut Writer, name: &'static str) {
        writer.element(name, |writer| {
            writer.element("FinInstnId", |writer| {
                writer.leaf_if("BICFI", self.bic.as_ref());
                if let Some(member) = &self.clearing_member {
                    writer.element("ClrSysMmbId", |writer| writer.leaf("MmbId", member));
                }
            });
        });
    }
}

/// A customer's account: what the message gives of number and alias.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// The number, if it is an IBAN.
    pub iban: Option<Iban>,
    /// The number, if it is none.
    pub other: Option<Personal<34>>,
    /// The alias.
    pub proxy: Option<Proxy>,
}

/// An alias that stands for an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// What kind of alias it is.
    pub kind: ProxyKind,
    /// The alias itself.
    pub id: Personal<2048>,
}

/// The kinds of alias of the Azerbaijani instant payments system, and all others.
///
/// Source: external code list `ExternalProxyAccountType1Code`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProxyKind {
    /// `TELE`: a telephone number.
    Phone,
    /// `EMAL`: an e-mail address.
    Email,
    /// `NIDN`, or proprietary `FIN`: the personal identification number.
    Fin,
    /// `COTX`, or proprietary `VOEN`: the taxpayer's number of a legal person.
    Voen,
    /// Another code of the list, or proprietary kind.
    Other(Text<35>),
    /// The message does not say.
    Unknown,
}

impl ProxyKind {
    fn read(proxy: Node<'_>) -> Result<Self, ParseError> {
        let code = proxy.read("Tp/Cd", Text::<35>::new)?;
        Ok(match code.or(proxy.read("Tp/Prtry", Text::<35>::new)?) {
            None => Self::Unknown,
            Some(kind) => match kind.as_str() {
                "TELE" => Self::Phone,
                "EMAL" => Self::Email,
                "NIDN" | "FIN" => Self::Fin,
                "COTX" | "VOEN" => Self::Voen,
                _ => Self::Other(kind),
            },
        })
    }

    fn write(&self, writer: &mut Writer) {
        let (element, kind) = match self {
            Self::Phone => ("Cd", "TELE"),
            Self::Email => ("Cd", "EMAL"),
            Self::Fin => ("Cd", "NIDN"),
            Self::Voen => ("Cd", "COTX"),
            Self::Other(kind) => {
                (if kind.as_str().len() <= 4 { "Cd" } else { "Prtry" }, kind.as_str())
            }
            Self::Unknown => return,
        };
        writer.element("Tp", |writer| writer.leaf(element, kind));
    }
}

impl Account {
    /// The account of an IBAN.
    pub const fn of(iban: Iban) -> Self {
        Self { iban: Some(iban), other: None, proxy: None }
    }

    /// The account that an alias stands for.
    pub fn behind(kind: ProxyKind, id: Personal<2048>) -> Self {
        Self { proxy: Some(Proxy { kind, id }), ..Self::default() }
    }

    pub(crate) fn read(account: Node<'_>) -> Result<Self, ParseError> {
        let proxy = account.find("Prxy").map(|proxy| {
            Ok(Proxy { kind: ProxyKind::read(proxy)?, id: proxy.demand("Id", Personal::new)? })
        });
        let other = account.read("Id/Othr/Id", Personal::new)?;
        Ok(Self {
            iban: account.read("Id/IBAN", Iban::new)?,
            other: other.filter(|other| other.expose() != NOT_PROVIDED),
            proxy: proxy.transpose()?,
        })
    }

    pub(crate) fn read_at(node: Node<'_>, path: &'static str) -> Result<Option<Self>, ParseError> {
        node.find(path).map(Self::read).transpose()
    }

    pub(crate) fn write_if(account: Option<&Self>, writer: &mut Writer, name: &'static str) {
        if let Some(account) = account {
            account.write(writer, name);
        }
    }

    pub(crate) fn write(&self, writer: &mut Writer, name: &'static str) {
        writer.element(name, |writer| {
            writer.element("Id", |writer| match (&self.iban, &self.other) {
                (Some(iban), _) => writer.leaf("IBAN", iban.expose()),
                (None, other) => writer.element("Othr", |writer| {
                    writer.leaf("Id", other.as_ref().map_or(NOT_PROVIDED, Personal::expose));
                }),
            });
            if let Some(proxy) = &self.proxy {
                writer.element("Prxy", |writer| {
                    proxy.kind.write(writer);
                    writer.leaf("Id", proxy.id.expose());
                });
            }
        });
    }
}

/// Stands for the account number where only an alias is known: pacs.008.001.08 demands one.
const NOT_PROVIDED: &str = "NOTPROVIDED";

/// A sum in a currency, exactly as the message writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Money {
    decimal: String,
    currency: Currency,
}

impl Money {
    /// That many qəpik.
    pub fn azn(amount: Amount) -> Self {
        Self::new(amount, Currency::AZN)
    }

    /// That many minor units of `currency`, which has two fraction digits.
    pub fn new(amount: Amount, currency: Currency) -> Self {
        Self { decimal: amount.to_string(), currency }
    }

    /// The sum in minor units, exactly.
    ///
    /// # Errors
    /// [`AmountError::Malformed`] for a fraction of a minor unit, [`AmountError::TooLarge`].
    pub fn amount(&self) -> Result<Amount, AmountError> {
        amount(&self.decimal)
    }

    /// The currency.
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    pub(crate) fn read(sum: Node<'_>) -> Result<Self, ParseError> {
        let code = <[u8; 3]>::try_from(sum.currency().as_bytes()).ok();
        let currency = code.and_then(Currency::new).ok_or(ParseError::Field { element: "Ccy" })?;
        Ok(Self { decimal: trim(sum.text()).to_owned(), currency })
    }

    pub(crate) fn write(&self, writer: &mut Writer, name: &'static str) {
        let currency = self.currency.to_string();
        writer.attributed(name, "Ccy", &currency, |writer| writer.escape(&self.decimal));
    }
}

/// A decimal number of XML Schema as minor units.
pub(crate) fn amount(text: &str) -> Result<Amount, AmountError> {
    let text = trim(text);
    Amount::parse_decimal(text.strip_prefix('+').unwrap_or(text))
}

/// A moment between blanks.
pub(crate) fn moment(text: &str) -> Result<BlockTime, ParseTimeError> {
    calendar::parse_moment(trim(text))
}

/// A day between blanks.
pub(crate) fn date(text: &str) -> Result<Date, ParseTimeError> {
    Date::parse(trim(text))
}
