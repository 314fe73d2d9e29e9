//! A bank's edge, as its core banking system speaks to it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use etibar_iso20022::{Message, parse};
use etibar_primitives::{AccountId, Amount, OperationId};
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::message::Order;
use crate::failure::Failure;

/// How long the edge may take to answer; an instant payment ends within ten seconds.
const TIMEOUT: Duration = Duration::from_secs(25);
/// How long the edge is asked to wait for the end of a payment, in seconds.
const WAIT_S: u64 = 18;

/// The door of one bank's edge.
#[derive(Debug, Clone)]
pub(crate) struct Gateway {
    http: reqwest::Client,
    url: String,
    token: String,
}

/// What a pacs.002 said of a payment, and after how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// `ACSC`, `RJCT`, `PDNG` and so on.
    pub(crate) status: String,
    /// The reason of a rejection.
    pub(crate) reason: Option<String>,
    /// From the order to the answer.
    pub(crate) took_ms: u64,
}

/// Where a payment is, as the edge tells its core.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct PaymentState {
    /// `ACSC`, `ACCC`, `RJCT`, `PDNG`.
    pub(crate) status: String,
}

/// An account of the sample book; amounts in minor units.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct BookEntry {
    pub(crate) number: String,
    pub(crate) balance: u64,
    pub(crate) held: u64,
}

impl Answer {
    /// `RJCT AC03`.
    pub(crate) fn short(&self) -> String {
        match &self.reason {
            Some(reason) => format!("{} {reason}", self.status),
            None => self.status.clone(),
        }
    }

    /// Whether it is this rejection.
    pub(crate) fn rejects(&self, reason: &str) -> bool {
        self.status == "RJCT" && self.reason.as_deref() == Some(reason)
    }
}

impl Gateway {
    /// The edge at `url` for the core that has `token`.
    pub(crate) fn new(url: String, token: String) -> Self {
        let http = reqwest::Client::builder().timeout(TIMEOUT).build();
        let http = http.expect("a client without TLS needs nothing of the system");
        Self { http, url, token }
    }

    /// Orders a payment and waits for its end.
    pub(crate) async fn pay(&self, order: &Order) -> Result<Answer, Failure> {
        let began = Instant::now();
        let message = order.render(super::stage::now());
        let (status, body) = self.send(message).await?;
        if !status.is_success() {
            let why = format!("it answered {status}: {}", String::from_utf8_lossy(&body));
            return Err(failed("order a payment", why));
        }
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (status, reason) = read_report(&body)?;
        Ok(Answer { status, reason, took_ms })
    }

    /// Gives the edge a message as it is; the HTTP status and the body.
    pub(crate) async fn send(&self, message: Vec<u8>) -> Result<(StatusCode, Bytes), Failure> {
        let request = self
            .http
            .post(format!("{}/v1/payments", self.url))
            .bearer_auth(&self.token)
            .header("content-type", "application/xml")
            .header("prefer", format!("wait={WAIT_S}"))
            .body(message);
        let answer = request.send().await.map_err(broken("order a payment"))?;
        let status = answer.status();
        Ok((status, answer.bytes().await.map_err(broken("order a payment"))?))
    }

    /// Moves money between two accounts of the ledger; says whether the ledger did.
    pub(crate) async fn transfer(
        &self,
        id: OperationId,
        debit: AccountId,
        credit: AccountId,
        amount: Amount,
    ) -> Result<bool, Failure> {
        let created = super::stage::now();
        let order =
            json!({ "debit": debit, "credit": credit, "amount": amount, "created": created });
        let request = self.http.put(format!("{}/v1/transfers/{id}", self.url));
        let request = request.bearer_auth(&self.token).json(&order);
        let answer = request.send().await.map_err(broken("order a transfer"))?;
        match answer.status() {
            StatusCode::OK => Ok(true),
            StatusCode::UNPROCESSABLE_ENTITY => Ok(false),
            status => {
                let body = answer.text().await.map_err(broken("order a transfer"))?;
                Err(failed("order a transfer", format!("it answered {status}: {body}")))
            }
        }
    }

    /// Where a payment is; `None` when the edge does not know it.
    pub(crate) async fn state(&self, uetr: OperationId) -> Result<Option<PaymentState>, Failure> {
        let what = "ask for a payment";
        let answer = self.get(&format!("/v1/payments/{uetr}"), what).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = answer.error_for_status().map_err(broken(what))?;
        answer.json().await.map(Some).map_err(broken(what))
    }

    /// The receipt of a payment's end; `None` while there is none.
    pub(crate) async fn receipt(&self, uetr: OperationId) -> Result<Option<Bytes>, Failure> {
        let what = "ask for a receipt";
        let answer = self.get(&format!("/v1/payments/{uetr}/receipt"), what).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = answer.error_for_status().map_err(broken(what))?;
        answer.bytes().await.map(Some).map_err(broken(what))
    }

    /// Registers a telephone number for a customer's account.
    pub(crate) async fn register_phone(&self, phone: &str, account: &str) -> Result<(), Failure> {
        let what = "register an alias";
        let body = json!({ "kind": "phone", "alias": phone, "account": account });
        let request = self.http.put(format!("{}/v1/aliases", self.url));
        let request = request.bearer_auth(&self.token).json(&body);
        let answer = request.send().await.map_err(broken(what))?;
        answer.error_for_status().map(drop).map_err(broken(what))
    }

    /// Whether every alias of the bank is certified on the ledger.
    pub(crate) async fn aliases_are_registered(&self) -> Result<bool, Failure> {
        let what = "ask for the aliases";
        let aliases: Vec<Value> =
            self.get("/v1/aliases", what).await?.json().await.map_err(broken(what))?;
        Ok(!aliases.is_empty() && aliases.iter().all(|alias| alias["state"] != "asked"))
    }

    /// The bank's sample book.
    pub(crate) async fn book(&self) -> Result<Vec<BookEntry>, Failure> {
        let what = "ask for the accounts";
        self.get("/v1/accounts", what).await?.json().await.map_err(broken(what))
    }

    async fn get(&self, path: &str, what: &'static str) -> Result<Response, Failure> {
        let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.token);
        request.send().await.map_err(broken(what))
    }
}

/// The status and the reason of the one payment of a pacs.002.
fn read_report(body: &[u8]) -> Result<(String, Option<String>), Failure> {
    let unreadable = |why: String| failed("read a pacs.002", why);
    let envelope = parse(body).map_err(|error| unreadable(error.to_string()))?;
    let Message::StatusReport(report) = envelope.message else {
        return Err(unreadable("it is another message".into()));
    };
    let [payment] = report.payments.as_slice() else {
        return Err(unreadable("it is not about one payment".into()));
    };
    let status = payment.status.as_ref().map(|status| status.as_str().to_owned());
    let reason = payment.reasons.first().and_then(|reason| reason.code.as_ref());
    Ok((
        status.ok_or_else(|| unreadable("it gives no status".into()))?,
        reason.map(|code| code.as_str().to_owned()),
    ))
}

fn failed(what: &'static str, why: String) -> Failure {
    Failure::Network { what, why }
}

fn broken(what: &'static str) -> impl FnOnce(reqwest::Error) -> Failure {
    move |error| failed(what, error.to_string())
}
