//! What can go wrong for a wallet.

use etibar_credential::jose::SignError;
use serde::Deserialize;

use crate::http::Answer;

/// The longest error code of an issuer that is kept, in bytes.
const ERROR_BYTES_MAX: usize = 64;

/// Why an issuance cannot go on. Each has a stable code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HolderError {
    /// The server wants its DPoP nonce, which the session knows now: build the request again, once
    /// (RFC 9449 §8).
    #[error("the server wants its nonce in the proof")]
    UseNonce,
    /// The answer or address is not what belongs there.
    #[error("the issuer's answer is malformed")]
    Malformed,
    /// Metadata, offer or redirect of another issuer.
    #[error("the answer is of another issuer")]
    Issuer,
    /// The issuer cannot do what is asked, or HAIP asks for more than it can.
    #[error("the issuer does not support what is needed")]
    Unsupported,
    /// The redirect belongs to another session.
    #[error("the redirect belongs to another session")]
    State,
    /// The token is not bound to the wallet's key.
    #[error("the token is not bound to a key")]
    TokenType,
    /// A transaction code is missing, or none is expected.
    #[error("a transaction code is missing or not expected")]
    TxCode,
    /// No key, too many, or another number of credentials than keys, or one too long.
    #[error("the number of keys or credentials does not fit")]
    Batch,
    /// A step before this one is missing.
    #[error("an earlier step is missing")]
    Step,
    /// The issuer refuses.
    #[error("the issuer refuses: {error}")]
    Refused {
        /// The HTTP status, 0 if it came by redirect.
        status: u16,
        /// The standard's code.
        error: String,
        /// The issuer's own code, if it gives one.
        detail: Option<String>,
    },
    /// A key cannot sign.
    #[error(transparent)]
    Sign(#[from] SignError),
}

#[derive(Deserialize)]
struct ErrorBody {
    error: String,
    error_description: Option<String>,
}

impl HolderError {
    /// The stable code in interfaces.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UseNonce => "use_dpop_nonce",
            Self::Malformed => "issuer_answer_malformed",
            Self::Issuer => "issuer_foreign",
            Self::Unsupported => "issuer_unsupported",
            Self::State => "redirect_state",
            Self::TokenType => "token_type",
            Self::TxCode => "tx_code_missing",
            Self::Batch => "batch_size",
            Self::Step => "step_missing",
            Self::Refused { .. } => "issuer_refused",
            Self::Sign(error) => error.code(),
        }
    }

    pub(super) fn refused(answer: &Answer) -> Self {
        let Some(body) = answer.read::<ErrorBody>() else {
            let error = "http_error".to_owned();
            return Self::Refused { status: answer.status, error, detail: None };
        };
        if body.error == "use_dpop_nonce" && answer.header("dpop-nonce").is_some() {
            return Self::UseNonce;
        }
        let detail = body.error_description.filter(|text| is_code(text));
        Self::Refused { status: answer.status, error: clean(&body.error), detail }
    }

    pub(super) fn of_error(error: &str) -> Self {
        Self::Refused { status: 0, error: clean(error), detail: None }
    }
}

/// A code is shown and logged: what is none is not repeated.
fn clean(error: &str) -> String {
    if is_code(error) { error.to_owned() } else { "unreadable_error".to_owned() }
}

fn is_code(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !text.is_empty() && text.len() <= ERROR_BYTES_MAX && text.bytes().all(allowed)
}
