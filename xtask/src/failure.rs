//! Why a command of ours did not succeed.

use std::fmt;

/// Everything that stops a command. The text says what to do next where we know it.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line cannot be understood.
    Usage(String),
    /// A program could not be started at all.
    Start { program: String, source: std::io::Error },
    /// A program ran and said no.
    Program { line: String, status: String },
    /// A file could not be read or written.
    File { path: String, source: std::io::Error },
    /// A tool is missing and we do not install it ourselves.
    Missing { tool: &'static str, remedy: String },
    /// Something we read has a form we do not understand.
    Form { what: String, reason: String },
    /// Rules of the house are broken; the findings are printed already.
    Findings(usize),
    /// Steps of `cargo xtask test` failed; the summary is printed already.
    Steps,
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(reason) => write!(out, "{reason}"),
            Self::Start { program, source } => write!(out, "cannot start `{program}`: {source}"),
            Self::Program { line, status } => write!(out, "`{line}` ended with {status}"),
            Self::File { path, source } => write!(out, "{path}: {source}"),
            Self::Missing { tool, remedy } => write!(out, "{tool} is missing: {remedy}"),
            Self::Form { what, reason } => write!(out, "{what}: {reason}"),
            Self::Findings(count) => write!(out, "{count} findings"),
            Self::Steps => write!(out, "steps failed"),
        }
    }
}
