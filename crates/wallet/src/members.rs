//! The members as the wallet reaches them over HTTP.

use std::{collections::BTreeMap, time::Duration};

use etibar_credential::catalogue::{self, Language};
use etibar_ledger::{Genesis, operation::MemberRole};
use etibar_openid::{
    http::{Answer, BODY_BYTES_MAX, Request},
    member::Message,
};
use etibar_primitives::MemberId;
use serde::Deserialize;

use crate::{WalletError, config::MemberAddress};

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long one request may take: an account opening waits for the ledger.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// How long an unused connection is kept; less than servers keep it.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// Names and addresses of the members, and the way there.
pub(crate) struct Members {
    http: reqwest::Client,
    registrar: MemberId,
    known: BTreeMap<MemberId, Member>,
}

/// One member.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// Which.
    pub(crate) id: MemberId,
    /// Its name on the ledger.
    pub(crate) name: String,
    /// What it is.
    role: MemberRole,
    /// Its base URL without a slash at the end; `None` if the wallet was told none.
    url: Option<String>,
}

/// A problem document's code (RFC 9457), or OAuth's error.
#[derive(Deserialize)]
struct Problem {
    #[serde(alias = "error")]
    code: Option<String>,
}

impl Members {
    pub(crate) fn new(
        addresses: Vec<MemberAddress>,
        registrar: MemberId,
        genesis: &Genesis,
    ) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            // A redirect carries a code: the flow reads it, the client must not follow it.
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let urls: BTreeMap<_, _> = addresses
            .into_iter()
            .map(|address| (address.member, address.url.trim_end_matches('/').to_owned()))
            .collect();
        let member = |member: &etibar_ledger::genesis::GenesisMember| Member {
            id: member.id,
            name: member.name.clone(),
            role: member.role,
            url: urls.get(&member.id).cloned(),
        };
        let known = genesis.members.iter().map(|its| (its.id, member(its))).collect();
        Ok(Self { http, registrar, known })
    }

    /// Who enrols people.
    pub(crate) const fn registrar(&self) -> MemberId {
        self.registrar
    }

    /// Banks with an address.
    pub(crate) fn banks(&self) -> Vec<(MemberId, String)> {
        let banks = self.known.values().filter(|its| its.role == MemberRole::Bank);
        let reachable = banks.filter(|bank| bank.url.is_some());
        reachable.map(|bank| (bank.id, bank.name.clone())).collect()
    }

    /// Agencies with an address.
    pub(crate) fn agencies(&self) -> impl Iterator<Item = MemberId> {
        let agencies = self.known.values().filter(|its| its.role == MemberRole::Agency);
        agencies.filter(|agency| agency.url.is_some()).map(|agency| agency.id)
    }

    /// A member's name, or its number if the ledger knew it not at the start.
    pub(crate) fn name(&self, member: MemberId) -> String {
        self.known.get(&member).map_or_else(|| member.to_string(), |its| its.name.clone())
    }

    /// A member's name as people read it: an agency's in their language, a bank's own.
    pub(crate) fn name_in(&self, member: MemberId, language: Language) -> String {
        let known = catalogue::agency_name(member, language);
        known.map_or_else(|| self.name(member), str::to_owned)
    }

    /// A member's base URL.
    pub(crate) fn url(&self, member: MemberId) -> Result<&str, WalletError> {
        let url = self.known.get(&member).and_then(|its| its.url.as_deref());
        url.ok_or(WalletError::MemberUnknown(member.0))
    }

    /// The member whose base URL this is, or under whose base URL it lies.
    pub(crate) fn at(&self, url: &str) -> Option<&Member> {
        self.known.values().find(|member| {
            member.url.as_deref().is_some_and(|base| {
                url.strip_prefix(base)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
            })
        })
    }

    /// Sends a request to `member`. Only addresses below the member's own are asked: a member
    /// cannot send the wallet elsewhere.
    pub(crate) async fn send(
        &self,
        member: MemberId,
        request: Request,
    ) -> Result<Answer, WalletError> {
        if self.at(&request.url).is_none_or(|its| its.id != member) {
            return Err(WalletError::MemberUnknown(member.0));
        }
        let unreachable = |_| WalletError::Unreachable(member.0);
        let method =
            if request.method == "GET" { reqwest::Method::GET } else { reqwest::Method::POST };
        let mut building = self.http.request(method, &request.url).body(request.body);
        for (name, value) in request.headers {
            building = building.header(name, value);
        }
        let mut response = building.send().await.map_err(unreachable)?;
        let status = response.status().as_u16();
        let header =
            |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
                Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
            };
        let headers = response.headers().iter().filter_map(header).collect();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > BODY_BYTES_MAX {
                return Err(WalletError::Answer {
                    member: member.0,
                    what: "answer of a bearable size",
                });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body })
    }

    /// Sends a request whose answer is a message.
    pub(crate) async fn message<T: Message>(
        &self,
        member: MemberId,
        request: Request,
    ) -> Result<T, WalletError> {
        let answer = self.send(member, request).await?;
        let answer = accepted(member, answer)?;
        let what = "message of its interface";
        etibar_openid::member::parse(&answer.body)
            .map_err(|_| WalletError::Answer { member: member.0, what })
    }
}

/// The answer if it is one of success, otherwise the member's refusal.
pub(crate) fn accepted(member: MemberId, answer: Answer) -> Result<Answer, WalletError> {
    if (200..400).contains(&answer.status) {
        return Ok(answer);
    }
    let problem: Option<Problem> = answer.read();
    let code = problem.and_then(|problem| problem.code);
    let code = code.filter(|code| code.len() <= 64 && code.bytes().all(is_code));
    Err(WalletError::Refused {
        member: member.0,
        code: code.unwrap_or_else(|| format!("http_{}", answer.status)),
    })
}

/// Whether asking again cannot help: the member said no. Silence and faults are no answer.
pub(crate) fn is_final(error: &WalletError) -> bool {
    const FAULTS: [&str; 6] = [
        "server_error",
        "temporarily_unavailable",
        "store_fault",
        "store_full",
        "storage_failed",
        "http_error",
    ];
    matches!(error, WalletError::Refused { code, .. }
        if !FAULTS.contains(&code.as_str()) && !code.starts_with("http_5"))
}

const fn is_code(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'
}
