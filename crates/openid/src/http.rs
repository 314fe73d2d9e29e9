//! Requests and answers as values; whoever has a socket carries them.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

/// The longest body of a request or an answer that is read here, in bytes.
pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The media type of forms.
pub const FORM: &str = "application/x-www-form-urlencoded";
/// The media type of JSON.
pub const JSON: &str = "application/json";

/// A request to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The whole URL.
    pub url: String,
    /// Names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body, empty for `GET`.
    pub body: Vec<u8>,
}

impl Request {
    /// A `GET` that accepts `accept`.
    pub fn get(url: &str, accept: &str) -> Self {
        let headers = vec![("accept", accept.to_owned())];
        Self { method: "GET", url: url.to_owned(), headers, body: Vec::new() }
    }

    /// A `POST` of `body`.
    pub fn post(url: &str, content_type: &str, body: Vec<u8>) -> Self {
        let headers = vec![("content-type", content_type.to_owned()), ("accept", JSON.to_owned())];
        Self { method: "POST", url: url.to_owned(), headers, body }
    }

    /// The header called `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

/// An answer, to be sent or received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// JSON that no cache keeps.
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("plain data becomes JSON");
        Self::of(status, JSON, body)
    }

    /// A body of any type that no cache keeps.
    pub fn of(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        let headers = [("content-type", content_type), ("cache-control", "no-store")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self { status, headers: headers.to_vec(), body }
    }

    /// The same answer with one header more.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The header called `name`, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as `T`; `None` if it is too long or another thing.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        if self.body.len() > BODY_BYTES_MAX {
            return None;
        }
        serde_json::from_slice(&self.body).ok()
    }
}

/// An OAuth error as the standards write it (RFC 6749 §5.2, RFC 6750 §3, OpenID4VCI 1.0 §8.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OAuthError {
    /// The HTTP status.
    pub status: u16,
    /// The standard's code.
    pub error: &'static str,
    /// Our code for the rule that was broken: one for each.
    pub code: &'static str,
}

impl OAuthError {
    /// The answer. `challenge`: for resources, which say so in `WWW-Authenticate` too
    /// (RFC 9449 §7.1).
    pub fn answer(self, challenge: bool) -> Answer {
        let body = json!({ "error": self.error, "error_description": self.code });
        let answer = Answer::json(self.status, &body);
        if challenge && self.status == 401 {
            let value = format!(
                "DPoP error=\"{}\", error_description=\"{}\", algs=\"ES256\"",
                self.error, self.code
            );
            return answer.with("www-authenticate", &value);
        }
        answer
    }
}

/// The fields of a form or a query; none may stand twice (RFC 6749 §3.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

/// A form that names a field twice, or has too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormError;

impl Form {
    /// The most fields of a form.
    pub const FIELDS_MAX: usize = 32;

    /// Reads `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    /// If a field stands twice or there are more than [`Form::FIELDS_MAX`].
    pub fn parse(body: &[u8]) -> Result<Self, FormError> {
        let mut fields: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(body) {
            let repeated = fields.iter().any(|(known, _)| *known == name);
            if repeated || fields.len() >= Self::FIELDS_MAX {
                return Err(FormError);
            }
            fields.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(fields))
    }

    /// The field called `name`; an empty one counts as absent (RFC 6749 §3.1).
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The form of these fields.
    pub fn render(fields: &[(&str, &str)]) -> String {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
    }
}

/// `url` with these fields added to its query.
pub(crate) fn with_query(url: &str, fields: &[(&str, &str)]) -> String {
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}{}", Form::render(fields))
}
