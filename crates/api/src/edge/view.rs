//! What the core banking sees of payments, as JSON.

use etibar_edge::{
    Edge,
    book::BookAccount,
    payment::Proof,
    status::PaymentStatus,
    store::{AliasRow, IncomingView, MessageView, OutgoingView, StoreFault},
};
use etibar_primitives::{Amount, BlockTime, MemberId, OperationId, hex};
use serde::Serialize;

/// A payment of the bank's own customer.
#[derive(Debug, Serialize)]
pub(super) struct PaymentView {
    uetr: OperationId,
    direction: &'static str,
    state: &'static str,
    status: &'static str,
    reason: Option<String>,
    amount: Amount,
    currency: &'static str,
    creditor_agent: Option<String>,
    created: BlockTime,
    expires: BlockTime,
    message_id: String,
    end_to_end_id: String,
    end: Option<EndView>,
}

/// A payment in favour of the bank's customer.
#[derive(Debug, Serialize)]
pub(super) struct IncomingPaymentView {
    uetr: OperationId,
    direction: &'static str,
    state: &'static str,
    status: &'static str,
    reason: Option<String>,
    amount: Amount,
    currency: &'static str,
    debtor_agent: Option<String>,
    seen: BlockTime,
    end: Option<EndView>,
    /// The pacs.008 as it came.
    document: Option<String>,
}

/// How the ledger ended a payment.
#[derive(Debug, Serialize)]
struct EndView {
    submitter: MemberId,
    operation: OperationId,
    time: BlockTime,
}

/// Messages in order.
#[derive(Debug, Serialize)]
pub(super) struct MessagePage {
    messages: Vec<Message>,
    /// What to ask for next.
    after: u64,
}

#[derive(Debug, Serialize)]
struct Message {
    sequence: u64,
    direction: &'static str,
    uetr: OperationId,
    status: &'static str,
    reason: Option<String>,
    at: BlockTime,
    /// The pacs.002 about the own customer's payment, or the pacs.008 that was credited.
    document: Option<String>,
}

/// An alias of a customer.
#[derive(Debug, Serialize)]
pub(super) struct AliasView {
    tag: String,
    account: String,
    state: &'static str,
}

/// A customer's account in the sample book.
#[derive(Debug, Serialize)]
pub(super) struct AccountView {
    number: String,
    holder: String,
    status: &'static str,
    balance: Amount,
    held: Amount,
}

impl PaymentView {
    pub(super) fn of(edge: &Edge, payment: &OutgoingView) -> Self {
        let status = PaymentStatus::of_outgoing(payment.state, payment.reason);
        Self {
            uetr: payment.uetr,
            direction: "outgoing",
            state: payment.state.name(),
            status: status.code(),
            reason: status.reason().map(|reason| reason.to_string()),
            amount: payment.amount,
            currency: "AZN",
            creditor_agent: bic(edge, payment.creditor),
            created: payment.created,
            expires: payment.expires,
            message_id: payment.references.message_id.clone(),
            end_to_end_id: payment.references.end_to_end_id.clone(),
            end: payment.proof.map(EndView::of),
        }
    }
}

impl IncomingPaymentView {
    pub(super) fn of(edge: &Edge, payment: &IncomingView) -> Self {
        let status = PaymentStatus::of_incoming(payment.state, payment.reason);
        Self {
            uetr: payment.key.uetr,
            direction: "incoming",
            state: payment.state.name(),
            status: status.code(),
            reason: status.reason().map(|reason| reason.to_string()),
            amount: payment.amount,
            currency: "AZN",
            debtor_agent: bic(edge, payment.key.debtor),
            seen: payment.seen,
            end: payment.proof.map(EndView::of),
            document: document(payment),
        }
    }
}

impl EndView {
    fn of(proof: Proof) -> Self {
        Self { submitter: proof.submitter, operation: proof.operation, time: proof.time }
    }
}

impl MessagePage {
    pub(super) async fn of(
        edge: &Edge,
        messages: &[MessageView],
        after: u64,
    ) -> Result<Self, StoreFault> {
        let mut page = Self { messages: Vec::with_capacity(messages.len()), after };
        for MessageView { sequence, message } in messages {
            let (direction, document) = match message.debtor {
                None => {
                    let payment = edge.outgoing(message.uetr).await?;
                    ("outgoing", payment.map(|payment| edge.render_outgoing(&payment)))
                }
                Some(debtor) => {
                    let payments = edge.incoming(message.uetr).await?;
                    let its = payments.iter().find(|its| its.key.debtor == debtor);
                    ("incoming", its.and_then(document))
                }
            };
            page.messages.push(Message {
                sequence: *sequence,
                direction,
                uetr: message.uetr,
                status: message.status.code(),
                reason: message.status.reason().map(|reason| reason.to_string()),
                at: message.at,
                document,
            });
            page.after = *sequence;
        }
        Ok(page)
    }
}

impl AliasView {
    pub(super) fn of(alias: &AliasRow) -> Self {
        Self {
            tag: hex::encode(&alias.tag.0),
            account: alias.account.expose().to_owned(),
            state: alias.state.name(),
        }
    }
}

impl AccountView {
    pub(super) fn of(account: &BookAccount) -> Self {
        Self {
            number: account.number.expose().to_owned(),
            holder: account.holder.expose().to_owned(),
            status: account.status.name(),
            balance: account.balance,
            held: account.held,
        }
    }
}

fn document(payment: &IncomingView) -> Option<String> {
    let payload = payment.payload.as_ref()?;
    Some(String::from_utf8_lossy(&payload.document).into_owned())
}

fn bic(edge: &Edge, member: MemberId) -> Option<String> {
    edge.setup().directory.member(member).map(|its| its.bic.clone())
}
