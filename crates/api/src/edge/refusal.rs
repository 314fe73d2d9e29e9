//! The edge's errors as problems.

use axum::http::StatusCode;
use etibar_edge::{DeliveryError, RequestError, envelope::EnvelopeError, intake::IntakeError};
use etibar_iso20022::{ParseError, Report};

use crate::Problem;

/// How long an edge without room asks its callers to wait, in milliseconds.
const RETRY_AFTER_MS: u64 = 1_000;

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        let unavailable =
            |code, detail: String| Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail);
        match error {
            RequestError::Message(error) => message(error),
            RequestError::Overloaded => Self::overloaded(RETRY_AFTER_MS),
            RequestError::Stopping => unavailable("stopping", error.to_string()),
            RequestError::Ledger(fault) => unavailable("ledger_unavailable", fault.to_string()),
            RequestError::Book(fault) => unavailable("books_unavailable", fault.to_string()),
            RequestError::Store(fault) => {
                tracing::error!(%fault, "the storage failed");
                Self::internal()
            }
            RequestError::Alias => {
                Self::new(StatusCode::BAD_REQUEST, "alias_malformed", error.to_string())
            }
            RequestError::Account => {
                Self::new(StatusCode::NOT_FOUND, "account_unknown", error.to_string())
            }
        }
    }
}

impl From<DeliveryError> for Problem {
    fn from(error: DeliveryError) -> Self {
        match error {
            DeliveryError::Envelope(error) => {
                let status = match error {
                    EnvelopeError::Malformed(_) => StatusCode::BAD_REQUEST,
                    EnvelopeError::UnknownSender | EnvelopeError::WrongSignature => {
                        StatusCode::UNAUTHORIZED
                    }
                    _ => StatusCode::FORBIDDEN,
                };
                Self::new(status, error.code(), error.to_string())
            }
            DeliveryError::Overloaded => Self::overloaded(RETRY_AFTER_MS),
            DeliveryError::Stopping => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", error.to_string())
            }
            DeliveryError::Store(fault) => {
                tracing::error!(%fault, "the storage failed");
                Self::internal()
            }
        }
    }
}

/// A message that cannot be read, with the first place where it breaks its schema.
fn message(error: IntakeError) -> Problem {
    let (code, detail) = match error {
        IntakeError::Kind { expected } => {
            ("message_kind", format!("this path takes a {expected} message"))
        }
        IntakeError::Parse(ParseError::Invalid(report)) => ("message_invalid", first(&report)),
        IntakeError::Parse(error) => {
            let code = match error.code() {
                "unsupported" => "message_unsupported",
                "parts" => "message_parts",
                "header-mismatch" => "message_header_mismatch",
                _ => "message_field",
            };
            (code, error.to_string())
        }
    };
    Problem::new(StatusCode::BAD_REQUEST, code, detail)
}

/// Where and why; never what the message says.
fn first(report: &Report) -> String {
    let parts = report.parts.iter().flat_map(|part| &part.violations);
    let Some(violation) = report.fault.iter().chain(parts).next() else {
        return "the message breaks its schema".to_owned();
    };
    format!(
        "line {}, column {}, {}: {} ({})",
        violation.line,
        violation.column,
        violation.path,
        violation.sentence,
        violation.code.as_str()
    )
}
