//! Typed messages: reading a file as a header and one message.

use crate::credit_transfer::CreditTransfer;
use crate::encoding::decode;
use crate::header::Header;
use crate::report::{Report, Verdict};
use crate::status_report::StatusReport;
use crate::status_request::StatusRequest;
use crate::tree::Node;
use crate::validate::validate_into_trees;

/// A file with one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The application header, where the file has one.
    pub header: Option<Header>,
    /// The message.
    pub message: Message,
}

/// The messages that have a typed form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// pacs.008: customer credit transfers between institutions.
    CreditTransfer(CreditTransfer),
    /// pacs.002: what became of payments.
    StatusReport(StatusReport),
    /// pacs.028: asking what became of payments.
    StatusRequest(StatusRequest),
}

/// Why a file is no message that this crate reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The file breaks its schemas; the report says where.
    #[error("the message breaks its schema")]
    Invalid(Report),
    /// The schema is unknown, or has no typed form here.
    #[error("message {name} is not supported")]
    Unsupported {
        /// The message definition or the namespace.
        name: String,
    },
    /// The file is not one document behind at most one header.
    #[error("the file does not hold one document behind at most one application header")]
    Parts,
    /// The header announces another message than the one that follows.
    #[error("the header announces another message than {name}")]
    HeaderMismatch {
        /// The message that follows.
        name: String,
    },
    /// A valid value that nothing here can hold, such as a moment before 1970.
    #[error("the value of {element} cannot be used")]
    Field {
        /// The element.
        element: &'static str,
    },
}

impl ParseError {
    /// The stable text of this error's kind.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::Unsupported { .. } => "unsupported",
            Self::Parts => "parts",
            Self::HeaderMismatch { .. } => "header-mismatch",
            Self::Field { .. } => "field",
        }
    }
}

/// Validates a file and reads it as one message with at most one header before it.
///
/// # Errors
/// Every [`ParseError`]; nothing of an invalid message is handed out.
pub fn parse(bytes: &[u8]) -> Result<Envelope, ParseError> {
    let text = decode(bytes).map_err(ParseError::Invalid)?;
    let (report, trees) = validate_into_trees(&text);
    if report.fault.is_some() || report.parts.iter().any(|part| part.verdict == Verdict::Invalid) {
        return Err(ParseError::Invalid(report));
    }
    if let Some(part) = report.parts.iter().find(|part| part.verdict == Verdict::Unsupported) {
        return Err(ParseError::Unsupported { name: part.name.clone() });
    }
    let mut roots = report
        .parts
        .iter()
        .zip(&trees)
        .filter_map(|(part, tree)| tree.root().map(|root| (part.name.as_str(), root)));
    let first = roots.next().ok_or(ParseError::Parts)?;
    let (header, (name, document)) = if first.0 == Header::NAME {
        (Some(Header::read(first.1)?), roots.next().ok_or(ParseError::Parts)?)
    } else {
        (None, first)
    };
    if roots.next().is_some() || name == Header::NAME {
        return Err(ParseError::Parts);
    }
    if header.as_ref().is_some_and(|header| header.message_name.as_str() != name) {
        return Err(ParseError::HeaderMismatch { name: name.to_owned() });
    }
    Ok(Envelope { header, message: read_message(name, document)? })
}

fn read_message(name: &str, document: Node<'_>) -> Result<Message, ParseError> {
    let unsupported = || ParseError::Unsupported { name: name.to_owned() };
    let body = document.all().next().ok_or(ParseError::Parts)?;
    match body.name() {
        "FIToFICstmrCdtTrf" => {
            let version = CreditTransfer::version_of(name).ok_or_else(unsupported)?;
            CreditTransfer::read(version, body).map(Message::CreditTransfer)
        }
        "FIToFIPmtStsRpt" => {
            let version = StatusReport::version_of(name).ok_or_else(unsupported)?;
            StatusReport::read(version, body).map(Message::StatusReport)
        }
        "FIToFIPmtStsReq" => StatusRequest::read(body).map(Message::StatusRequest),
        _ => Err(unsupported()),
    }
}

impl Node<'_> {
    /// The value of an optional element, which the schema found valid.
    pub(crate) fn read<T, E>(
        self,
        path: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, ParseError> {
        let unusable = |_| ParseError::Field { element: path };
        self.text_of(path).map(|text| parse(text).map_err(unusable)).transpose()
    }

    /// The value of an element that the schema demands.
    pub(crate) fn demand<T, E>(
        self,
        path: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, ParseError> {
        self.read(path, parse)?.ok_or(ParseError::Field { element: path })
    }
}
