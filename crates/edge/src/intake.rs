//! From messages to orders and announcements.

use etibar_iso20022::{
    Account, Agent, CreditTransfer, Message, ParseError, Payment, ProxyKind, Rule,
    check_credit_transfer, parse,
};
use etibar_ledger::operation::ReasonCode;
use etibar_primitives::{Amount, Digest, Domain, MemberId, OperationId, codec::Writer as _};

use crate::{
    alias::AliasKind,
    envelope::DOCUMENT_BYTES_MAX,
    flow::{Order, Route},
    payment::{Announcement, CustomerAccount, Payload, PersonName, References, Terms},
    reason,
    setup::Setup,
};

const FINGERPRINT: Domain = Domain::new("etibar.edge.order");

/// A pacs.008 from the core banking, taken apart.
#[derive(Debug)]
pub struct Intake {
    /// What the answer says it answers.
    pub references: References,
    /// One for each payment, in their order.
    pub lines: Vec<Line>,
}

/// One payment of a message.
#[derive(Debug)]
pub enum Line {
    /// It can be ordered; its route may still need the alias directory.
    Order {
        /// The order; [`Order::route`] is an error while `alias` is to be resolved.
        order: Box<Order>,
        /// The tag to resolve first.
        alias: Option<Digest>,
    },
    /// It cannot even be written down: it has no id of its own, or the whole message is refused.
    Refused {
        /// What a pacs.002 repeats.
        references: References,
        /// Its id, if it has one.
        uetr: Option<OperationId>,
        /// Why.
        reason: ReasonCode,
    },
}

/// Why a message is no order.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// It breaks its schema or is none of ours.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// It is another message than this place takes.
    #[error("expected a {expected} message")]
    Kind {
        /// The message expected.
        expected: &'static str,
    },
}

/// Reads a pacs.008 of the core banking.
pub fn read_orders(setup: &Setup, bytes: &[u8]) -> Result<Intake, IntakeError> {
    let Message::CreditTransfer(message) = parse(bytes)?.message else {
        return Err(IntakeError::Kind { expected: "pacs.008" });
    };
    let findings = check_credit_transfer(&message);
    let whole = findings.iter().find(|finding| finding.payment.is_none());
    let mut lines = Vec::with_capacity(message.payments.len());
    for (index, payment) in message.payments.iter().enumerate() {
        let own = findings.iter().filter(|finding| finding.payment == Some(index));
        let rules: Vec<Rule> = own.map(|finding| finding.rule).collect();
        let references = references(&message, Some(payment));
        let unusable = rules.iter().find(|its| matches!(its, Rule::UetrMissing | Rule::UetrTwice));
        let refusal = whole.map(|finding| finding.rule).or(unusable.copied());
        let line = match (refusal, payment.uetr.filter(|uetr| uetr.0 != 0)) {
            (None, Some(uetr)) => {
                let document = match message.payments.len() {
                    // Nothing that the sender wrote is lost on the way.
                    1 => bytes.to_vec(),
                    _ => single(&message, payment),
                };
                let broken = rules.first().map(|rule| iso_reason(*rule));
                order_line(setup, payment, uetr, references, document, broken)
            }
            (rule, uetr) => {
                let reason = iso_reason(rule.unwrap_or(Rule::UetrMissing));
                Line::Refused { references, uetr, reason }
            }
        };
        lines.push(line);
    }
    Ok(Intake { references: references(&message, None), lines })
}

fn order_line(
    setup: &Setup,
    payment: &Payment,
    uetr: OperationId,
    references: References,
    document: Vec<u8>,
    broken: Option<ReasonCode>,
) -> Line {
    let amount = payment.amount.amount().unwrap_or_default();
    let account = account_number(payment.debtor_account.as_ref()).unwrap_or_default();
    let alias = alias_tag(setup, payment.creditor_account.as_ref());
    let checked = match broken {
        Some(reason) => Err(reason),
        None => check_order(setup, payment, amount, document.len()),
    };
    // An order that waits for its alias is refused as unknown unless it is found.
    let (route, alias) = match (checked, alias) {
        (Err(reason), _) | (Ok(()), Some(Err(reason))) => (Err(reason), None),
        (Ok(()), Some(Ok(tag))) => (Err(reason::ALIAS_UNKNOWN), Some(tag)),
        (Ok(()), None) => (route_by_agent(setup, &payment.creditor_agent), None),
    };
    let order = Order {
        uetr,
        fingerprint: fingerprint(payment),
        references,
        account: CustomerAccount::new(&account),
        amount,
        payload: Payload { salt: random(), document: document.into() },
        route,
    };
    Line::Order { order: Box::new(order), alias }
}

/// What only this edge knows of an order.
fn check_order(
    setup: &Setup,
    payment: &Payment,
    amount: Amount,
    document_bytes: usize,
) -> Result<(), ReasonCode> {
    let debtor = payment.debtor_agent.bic.as_ref();
    let debtor = debtor.and_then(|bic| setup.directory.by_bic(bic.as_str()));
    if debtor.is_none_or(|agent| agent.member != setup.member || agent.account.is_none()) {
        return Err(reason::AGENT_WRONG);
    }
    if amount.minor_units() > setup.limits.amount_max {
        return Err(reason::AMOUNT_ABOVE_LIMIT);
    }
    if document_bytes > DOCUMENT_BYTES_MAX {
        return Err(reason::CONTENT_WRONG);
    }
    Ok(())
}

fn route_by_agent(setup: &Setup, agent: &Agent) -> Result<Route, ReasonCode> {
    let bic = agent.bic.as_ref().ok_or(reason::AGENT_UNKNOWN)?;
    let creditor = setup.directory.by_bic(bic.as_str()).ok_or(reason::AGENT_UNKNOWN)?;
    route_to(setup, creditor.member)
}

/// The way to a member's customers. A payment within one bank does not leave its own books.
pub fn route_to(setup: &Setup, creditor: MemberId) -> Result<Route, ReasonCode> {
    let account = setup.directory.member(creditor).and_then(|its| its.account);
    let account = account.ok_or(reason::AGENT_UNKNOWN)?;
    if creditor == setup.member || !setup.peers.contains_key(&creditor) {
        return Err(reason::AGENT_WRONG);
    }
    Ok(Route { creditor, account })
}

/// The tag of the alias that an account is named by, or why there is none.
fn alias_tag(setup: &Setup, account: Option<&Account>) -> Option<Result<Digest, ReasonCode>> {
    let account = account?;
    let proxy = account.proxy.as_ref().filter(|_| account.iban.is_none())?;
    let kind = match proxy.kind {
        ProxyKind::Phone => AliasKind::Phone,
        ProxyKind::Email => AliasKind::Email,
        _ => return Some(Err(reason::ALIAS_UNKNOWN)),
    };
    let tag = setup.directory_key.tag(kind, proxy.id.expose());
    Some(tag.ok_or(reason::ALIAS_UNKNOWN))
}

/// Reads the payload of a payment in favour of this member's customers.
pub fn read_announcement(setup: &Setup, uetr: OperationId, payload: Payload) -> Announcement {
    let commitment = payload.commitment();
    let terms = read_terms(setup, uetr, &payload.document);
    Announcement { payload, commitment, terms }
}

fn read_terms(setup: &Setup, uetr: OperationId, document: &[u8]) -> Result<Terms, ReasonCode> {
    let parsed = parse(document).map_err(|_| reason::CONTENT_WRONG)?;
    let Message::CreditTransfer(message) = parsed.message else {
        return Err(reason::CONTENT_WRONG);
    };
    let [payment] = message.payments.as_slice() else { return Err(reason::CONTENT_WRONG) };
    if let Some(finding) = check_credit_transfer(&message).first() {
        return Err(iso_reason(finding.rule));
    }
    if payment.uetr != Some(uetr) {
        return Err(reason::CONTENT_WRONG);
    }
    let agent = |agent: &Agent| {
        let bic = agent.bic.as_ref()?;
        setup.directory.by_bic(bic.as_str()).map(|its| its.member)
    };
    let account = if let Some(tag) = alias_tag(setup, payment.creditor_account.as_ref()) {
        // Only this bank knows which account stands behind its customer's alias.
        alias_account(&tag?)
    } else if agent(&payment.creditor_agent) == Some(setup.member) {
        account_number(payment.creditor_account.as_ref()).ok_or(reason::CREDITOR_ACCOUNT_WRONG)?
    } else {
        return Err(reason::AGENT_WRONG);
    };
    Ok(Terms {
        amount: payment.amount.amount().map_err(|_| reason::AMOUNT_DIFFERS)?,
        debtor_agent: agent(&payment.debtor_agent).ok_or(reason::AGENT_WRONG)?,
        account: CustomerAccount::new(&account),
        creditor_name: payment.creditor_name.as_ref().map(|name| PersonName::new(name.expose())),
    })
}

/// Stands for an account until the flow looks the alias up among its own.
fn alias_account(tag: &Digest) -> String {
    format!("{ALIAS_PREFIX}{tag}")
}

/// Marks an account that is named by an alias's tag.
pub(crate) const ALIAS_PREFIX: &str = "alias:";

/// The message with one of its payments alone.
fn single(message: &CreditTransfer, payment: &Payment) -> Vec<u8> {
    let alone = CreditTransfer {
        declared_count: 1,
        control_sum: None,
        total: None,
        payments: vec![payment.clone()],
        ..message.clone()
    };
    alone.render().into_bytes()
}

/// What makes two orders the same: the payment, not the message that carries it.
fn fingerprint(payment: &Payment) -> Digest {
    let mut out = Vec::new();
    let mut put = |text: &str| out.put_prefixed(text.as_bytes());
    let bic = |agent: &Agent| agent.bic.as_ref().map(|bic| bic.as_str().to_owned());
    put(&payment.amount.amount().map(|its| its.to_string()).unwrap_or_default());
    put(&payment.amount.currency().to_string());
    put(payment.end_to_end_id.as_str());
    put(&bic(&payment.debtor_agent).unwrap_or_default());
    put(&bic(&payment.creditor_agent).unwrap_or_default());
    for account in [&payment.debtor_account, &payment.creditor_account] {
        put(&account_number(account.as_ref()).unwrap_or_default());
        let proxy = account.as_ref().and_then(|account| account.proxy.as_ref());
        put(proxy.map_or("", |proxy| proxy.id.expose()));
    }
    FINGERPRINT.hash(&out)
}

fn account_number(account: Option<&Account>) -> Option<String> {
    let account = account?;
    let iban = account.iban.as_ref().map(|iban| iban.expose().to_owned());
    iban.or_else(|| account.other.as_ref().map(|other| other.expose().to_owned()))
}

fn references(message: &CreditTransfer, payment: Option<&Payment>) -> References {
    References {
        message_id: message.message_id.as_str().to_owned(),
        message_name: message.version.as_str().to_owned(),
        message_created: Some(message.created),
        instruction_id: payment
            .and_then(|its| its.instruction_id.as_ref())
            .map(|id| id.as_str().to_owned()),
        end_to_end_id: payment.map_or(String::new(), |its| its.end_to_end_id.as_str().to_owned()),
        transaction_id: payment
            .and_then(|its| its.transaction_id.as_ref())
            .map(|id| id.as_str().to_owned()),
    }
}

fn iso_reason(rule: Rule) -> ReasonCode {
    ReasonCode::new(rule.reason().as_str()).unwrap_or(reason::CONTENT_WRONG)
}

/// Random bytes from a generator that the operating system seeds and that is fit for secrets.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    rand::random()
}
