//! pacs.028: asking what became of payments.

use etibar_primitives::{BlockTime, OperationId};

use crate::calendar::render_moment;
use crate::fields::Text;
use crate::message::ParseError;
use crate::party::{Agent, moment};
use crate::schema::NAMESPACE_PREFIX;
use crate::status_report::OriginalMessage;
use crate::tree::Node;
use crate::writer::Writer;

/// One request: about whole messages, single payments, or both.
///
/// Source: pacs.028.001.03, `FIToFIPaymentStatusRequestV03`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRequest {
    /// `MsgId`: chosen by the sender of the request.
    pub message_id: Text<35>,
    /// `CreDtTm`.
    pub created: BlockTime,
    /// `InstgAgt`.
    pub instructing_agent: Option<Agent>,
    /// `InstdAgt`.
    pub instructed_agent: Option<Agent>,
    /// `OrgnlGrpInf`: the messages asked about.
    pub messages: Vec<OriginalMessage>,
    /// `TxInf`: the payments asked about.
    pub payments: Vec<PaymentRequest>,
}

/// Names one payment asked about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaymentRequest {
    /// `StsReqId`: chosen by the sender of the request.
    pub request_id: Option<Text<35>>,
    /// `OrgnlGrpInf`: the message that held the payment.
    pub original: Option<OriginalMessage>,
    /// `OrgnlInstrId`.
    pub instruction_id: Option<Text<35>>,
    /// `OrgnlEndToEndId`.
    pub end_to_end_id: Option<Text<35>>,
    /// `OrgnlTxId`.
    pub transaction_id: Option<Text<35>>,
    /// `OrgnlUETR`.
    pub uetr: Option<OperationId>,
}

impl StatusRequest {
    /// The message definition.
    pub const NAME: &'static str = "pacs.028.001.03";

    pub(crate) fn read(body: Node<'_>) -> Result<Self, ParseError> {
        let group = body.find("GrpHdr").ok_or(ParseError::Field { element: "GrpHdr" })?;
        let messages = body.children("OrgnlGrpInf").map(OriginalMessage::read);
        Ok(Self {
            message_id: group.demand("MsgId", Text::new)?,
            created: group.demand("CreDtTm", moment)?,
            instructing_agent: Agent::read_at(group, "InstgAgt")?,
            instructed_agent: Agent::read_at(group, "InstdAgt")?,
            messages: messages.collect::<Result<_, _>>()?,
            payments: body.children("TxInf").map(read_payment).collect::<Result<_, _>>()?,
        })
    }

    /// The request as a document, valid by its schema.
    pub fn render(&self) -> String {
        let namespace = format!("{NAMESPACE_PREFIX}{}", Self::NAME);
        Writer::document("Document", &namespace, |writer| {
            writer.element("FIToFIPmtStsReq", |writer| {
                writer.element("GrpHdr", |writer| {
                    writer.leaf("MsgId", &self.message_id);
                    writer.leaf("CreDtTm", render_moment(self.created));
                    Agent::write_if(self.instructing_agent.as_ref(), writer, "InstgAgt");
                    Agent::write_if(self.instructed_agent.as_ref(), writer, "InstdAgt");
                });
                for message in &self.messages {
                    writer.element("OrgnlGrpInf", |writer| message.write(writer));
                }
                for payment in &self.payments {
                    writer.element("TxInf", |writer| payment.write(writer));
                }
            });
        })
    }
}

fn read_payment(payment: Node<'_>) -> Result<PaymentRequest, ParseError> {
    Ok(PaymentRequest {
        request_id: payment.read("StsReqId", Text::new)?,
        original: payment.find("OrgnlGrpInf").map(OriginalMessage::read).transpose()?,
        instruction_id: payment.read("OrgnlInstrId", Text::new)?,
        end_to_end_id: payment.read("OrgnlEndToEndId", Text::new)?,
        transaction_id: payment.read("OrgnlTxId", Text::new)?,
        uetr: payment.read("OrgnlUETR", str::parse)?,
    })
}

impl PaymentRequest {
    fn write(&self, writer: &mut Writer) {
        writer.leaf_if("StsReqId", self.request_id.as_ref());
        if let Some(original) = &self.original {
            writer.element("OrgnlGrpInf", |writer| original.write(writer));
        }
        writer.leaf_if("OrgnlInstrId", self.instruction_id.as_ref());
        writer.leaf_if("OrgnlEndToEndId", self.end_to_end_id.as_ref());
        writer.leaf_if("OrgnlTxId", self.transaction_id.as_ref());
        writer.leaf_if("OrgnlUETR", self.uetr);
    }
}
