//! HTTP to the validators: connections are kept, answers are bounded, failures are sorted.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use reqwest::{
    Method, StatusCode, Url,
    header::{AUTHORIZATION, CONTENT_TYPE},
};

use crate::{
    config::{ANSWER_BYTES_MAX, CONNECT_TIMEOUT, ConfigError, IDLE_TIMEOUT, VALIDATORS_MAX},
    error::Cause,
    wire::Problem,
};

/// One validator.
#[derive(Debug)]
struct Endpoint {
    base: Url,
    /// Until when it is not asked, unless nobody else is left.
    aside: Mutex<Option<Instant>>,
}

/// The validators of the network.
#[derive(Debug)]
pub(crate) struct Transport {
    http: reqwest::Client,
    endpoints: Vec<Endpoint>,
    /// Whom to ask next.
    turn: AtomicUsize,
}

/// A question to one validator.
#[derive(Debug, Clone)]
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    /// Path and query below the base URL, beginning with a slash.
    pub(crate) path: &'a str,
    pub(crate) body: Bytes,
    pub(crate) token: Option<&'a str>,
    pub(crate) timeout: Duration,
    /// The largest answer that is read, in bytes.
    pub(crate) answer_bytes_max: usize,
}

/// A validator's answer with a status of success.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

/// Why there is none.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Another validator, or a later attempt, may answer.
    Transient {
        cause: Cause,
        /// When the validator wants to be asked again.
        after: Option<Duration>,
    },
    /// The validator refuses the request itself.
    Refused(Refusal),
}

/// A refusal by a validator.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) detail: String,
}

impl<'a> Request<'a> {
    /// A question without a body.
    pub(crate) const fn get(path: &'a str, token: Option<&'a str>, timeout: Duration) -> Self {
        let body = Bytes::new();
        Self { method: Method::GET, path, body, token, timeout, answer_bytes_max: ANSWER_BYTES_MAX }
    }
}

impl Transport {
    pub(crate) fn new(validators: &[String]) -> Result<Self, ConfigError> {
        if !(1..=VALIDATORS_MAX).contains(&validators.len()) {
            return Err(ConfigError::Validators);
        }
        let endpoints =
            validators.iter().map(|url| Endpoint::new(url)).collect::<Result<_, _>>()?;
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tcp_nodelay(true)
            .build()
            .map_err(ConfigError::Http)?;
        Ok(Self { http, endpoints, turn: AtomicUsize::new(0) })
    }

    /// How many validators are known.
    pub(crate) fn len(&self) -> usize {
        self.endpoints.len()
    }

    /// All validators in the order in which to ask them: those put aside come last. Each call
    /// begins with another one when `rotate` is set.
    pub(crate) fn order(&self, rotate: bool) -> Vec<usize> {
        let step = usize::from(rotate);
        let first = self.turn.fetch_add(step, Ordering::Relaxed);
        let all = (0..self.len()).map(|offset| first.wrapping_add(offset) % self.len());
        let (mut ready, aside): (Vec<_>, Vec<_>) = all.partition(|index| self.is_ready(*index));
        ready.extend(aside);
        ready
    }

    /// Whether a validator is not put aside.
    pub(crate) fn is_ready(&self, index: usize) -> bool {
        let until = *self.endpoints[index].aside.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_none_or(|until| until <= Instant::now())
    }

    /// Asks others first for `span`.
    pub(crate) fn put_aside(&self, index: usize, span: Duration) {
        let until = Instant::now() + span;
        let mut aside = self.endpoints[index].aside.lock().unwrap_or_else(PoisonError::into_inner);
        *aside = Some(aside.map_or(until, |known| known.max(until)));
    }

    /// The validator's URL, for logs.
    pub(crate) fn name(&self, index: usize) -> &str {
        self.endpoints[index].base.as_str()
    }

    /// Asks one validator.
    pub(crate) async fn send(&self, index: usize, request: Request<'_>) -> Result<Answer, Failure> {
        let url = format!("{}{}", self.name(index).trim_end_matches('/'), request.path);
        let mut builder = self.http.request(request.method, url).timeout(request.timeout);
        if !request.body.is_empty() {
            builder = builder.header(CONTENT_TYPE, "application/octet-stream").body(request.body);
        }
        if let Some(token) = request.token {
            builder = builder.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let response = builder.send().await.map_err(|error| unreachable(&error))?;
        let status = response.status();
        let limit = if status.is_success() { request.answer_bytes_max } else { ANSWER_BYTES_MAX };
        let body = read(response, limit).await?;
        if status.is_success() { Ok(Answer { status, body }) } else { Err(failure(status, &body)) }
    }
}

impl Endpoint {
    fn new(text: &str) -> Result<Self, ConfigError> {
        let wrong = || ConfigError::Url(text.to_owned());
        let base = Url::parse(text).map_err(|_| wrong())?;
        let plain = base.scheme() == "http" && base.has_host() && base.username().is_empty();
        if plain { Ok(Self { base, aside: Mutex::new(None) }) } else { Err(wrong()) }
    }
}

impl Failure {
    fn transient(cause: Cause) -> Self {
        Self::Transient { cause, after: None }
    }
}

/// Reads a body of at most `limit` bytes.
async fn read(mut response: reqwest::Response, limit: usize) -> Result<Bytes, Failure> {
    let too_large = || Failure::transient(Cause::Answer(format!("more than {limit} bytes")));
    let announced = response.content_length().map_or(Ok(0), usize::try_from).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(too_large());
    }
    let mut body = BytesMut::with_capacity(announced);
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The innermost error says what happened; the URL around it is in the log already.
fn unreachable(error: &reqwest::Error) -> Failure {
    let mut source: &dyn std::error::Error = error;
    while let Some(inner) = source.source() {
        source = inner;
    }
    Failure::transient(Cause::Unreachable(source.to_string()))
}

fn failure(status: StatusCode, body: &[u8]) -> Failure {
    let problem: Option<Problem> = serde_json::from_slice(body).ok();
    let after = problem.as_ref().and_then(|its| its.retry_after_ms).map(Duration::from_millis);
    match (status, problem) {
        (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, _) => {
            Failure::Transient { cause: Cause::Overloaded, after }
        }
        (_, Some(problem)) if status.is_client_error() => Failure::Refused(Refusal {
            status: status.as_u16(),
            code: problem.code,
            detail: problem.detail,
        }),
        _ => Failure::transient(Cause::Answer(format!("HTTP status {status}"))),
    }
}
