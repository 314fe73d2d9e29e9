//! ISO 20022 at the edge: validates messages by their schemas, reads the fields that payments need
//! and renders the messages that answer them.
//!
//! - [`validate`] gives a verdict on every part of a file; the schemas are a generated table
//!   (`schemas/messages.table`, made by the example `tables`), so a message more is a table more.
//! - [`parse`] validates and reads a file as one typed message; [`CreditTransfer::render`],
//!   [`StatusReport::render`], [`StatusRequest::render`] and [`Header::render`] write them.
//! - [`check_credit_transfer`] holds a credit transfer to rules beyond its schema, each with the
//!   reason code that a rejection gives.
//!
//! Boundary: bytes in, values out; no I/O, no clock, no knowledge of members, accounts or limits.
//!
//! Invariants: no message is read that its schema refuses; amounts are exact or refused; what is
//! rendered is valid; no error, report or `Debug` output holds a name, an account or a text of a
//! payment.
//!
//! The verdict on a part is that of `xmllint --schema` (libxml2 2.9), which the tests compare with
//! over samples, mutants and documents drawn from the schemas. It differs, on purpose, where
//! - a file holds a document type declaration, or an encoding other than UTF-8 and ISO-8859-1: we
//!   refuse it;
//! - a file is above a limit of [`limits`]: we refuse it;
//! - a reserved namespace prefix is declared anew: we refuse it;
//! - `xsi:type` stands inside foreign content (`SplmtryData`): we do not look at it;
//! - a fraction of a second has so many nines that libxml2 rounds it up to a minute: we accept it.
//!
//! Deliberately absent: signatures of the application header and structured remittance.

mod attributes;
mod calendar;
mod check;
mod content;
mod credit_transfer;
mod decimal;
mod encoding;
mod fields;
mod header;
pub mod limits;
mod message;
mod part;
mod party;
mod position;
mod report;
mod schema;
mod status_report;
mod status_request;
mod tree;
mod validate;
mod value;
mod wording;
mod writer;
mod xml;

pub use calendar::{Date, ParseTimeError, parse_moment, render_moment};
pub use check::{Finding, Rule, check_credit_transfer};
pub use credit_transfer::{
    ChargeBearer, CreditTransfer, CreditTransferVersion, Payment, Priority, SettlementMethod,
};
pub use fields::{Bic, FieldError, Iban, Personal, ReasonCode, Text};
pub use header::Header;
pub use message::{Envelope, Message, ParseError, parse};
pub use party::{Account, Agent, Money, Proxy, ProxyKind};
pub use report::{Code, Part, Report, Verdict, Violation};
pub use status_report::{
    GroupReport, OriginalMessage, PaymentReport, Reason, Status, StatusReport, StatusReportVersion,
};
pub use status_request::{PaymentRequest, StatusRequest};
pub use validate::{supported_messages, validate};
