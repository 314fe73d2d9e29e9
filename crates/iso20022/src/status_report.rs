//! pacs.002: what became of payments.

use etibar_primitives::{BlockTime, OperationId};

use crate::calendar::render_moment;
use crate::credit_transfer::{CreditTransfer, Payment};
use crate::fields::{Personal, ReasonCode, Text};
use crate::message::ParseError;
use crate::party::{Agent, moment};
use crate::schema::NAMESPACE_PREFIX;
use crate::tree::Node;
use crate::writer::Writer;

/// One report: on a whole original message, on some of its payments, or both.
///
/// Source: `FIToFIPaymentStatusReport`, versions 10 and 12, which agree in these fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusReport {
    /// The version of the message definition.
    pub version: StatusReportVersion,
    /// `MsgId`: chosen by the sender of the report.
    pub message_id: Text<35>,
    /// `CreDtTm`.
    pub created: BlockTime,
    /// `InstgAgt`.
    pub instructing_agent: Option<Agent>,
    /// `InstdAgt`.
    pub instructed_agent: Option<Agent>,
    /// `OrgnlGrpInfAndSts`: the original messages and their statuses as wholes.
    pub groups: Vec<GroupReport>,
    /// `TxInfAndSts`: single payments.
    pub payments: Vec<PaymentReport>,
}

/// The supported versions of pacs.002.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusReportVersion {
    /// pacs.002.001.10.
    V10,
    /// pacs.002.001.12.
    V12,
}

/// Names an original message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginalMessage {
    /// `OrgnlMsgId`.
    pub message_id: Text<35>,
    /// `OrgnlMsgNmId`: the message definition.
    pub message_name: Text<35>,
    /// `OrgnlCreDtTm`.
    pub created: Option<BlockTime>,
}

/// What became of an original message as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupReport {
    /// The message.
    pub original: OriginalMessage,
    /// `GrpSts`, unless only single payments have one.
    pub status: Option<Status>,
    /// `StsRsnInf`.
    pub reasons: Vec<Reason>,
}

/// What became of one payment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaymentReport {
    /// `StsId`: chosen by the sender of the report.
    pub status_id: Option<Text<35>>,
    /// `OrgnlGrpInf`: the message that held the payment, where the report covers several.
    pub original: Option<OriginalMessage>,
    /// `OrgnlInstrId`.
    pub instruction_id: Option<Text<35>>,
    /// `OrgnlEndToEndId`.
    pub end_to_end_id: Option<Text<35>>,
    /// `OrgnlTxId`.
    pub transaction_id: Option<Text<35>>,
    /// `OrgnlUETR`.
    pub uetr: Option<OperationId>,
    /// `TxSts`.
    pub status: Option<Status>,
    /// `StsRsnInf`.
    pub reasons: Vec<Reason>,
    /// `AccptncDtTm`: the moment from which time limits run; final payments carry it.
    pub accepted_at: Option<BlockTime>,
}

/// A status of the external code list `ExternalPaymentTransactionStatus1Code`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// `ACSC`: settlement on the debtor's account has been completed.
    SettlementCompleted,
    /// `ACCC`: settlement on the creditor's account has been completed.
    CreditorCredited,
    /// `ACSP`: all checks passed, settlement is under way.
    SettlementInProcess,
    /// `ACTC`: the message passed its technical checks.
    TechnicallyAccepted,
    /// `PDNG`: further checks are pending.
    Pending,
    /// `RJCT`: rejected.
    Rejected,
    /// Any other code.
    Other(Text<4>),
}

/// Why a status is what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// `Rsn/Cd`; none where the reason is proprietary or only told.
    pub code: Option<ReasonCode>,
    /// `AddtlInf`: further words, which may name a person.
    pub notes: Vec<Personal<105>>,
}

impl From<ReasonCode> for Reason {
    fn from(code: ReasonCode) -> Self {
        Self { code: Some(code), notes: Vec::new() }
    }
}

impl StatusReportVersion {
    /// The message definition.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V10 => "pacs.002.001.10",
            Self::V12 => "pacs.002.001.12",
        }
    }
}

impl Status {
    /// The code in the message.
    pub fn as_str(&self) -> &str {
        match self {
            Self::SettlementCompleted => "ACSC",
            Self::CreditorCredited => "ACCC",
            Self::SettlementInProcess => "ACSP",
            Self::TechnicallyAccepted => "ACTC",
            Self::Pending => "PDNG",
            Self::Rejected => "RJCT",
            Self::Other(code) => code.as_str(),
        }
    }

    fn of(code: &str) -> Result<Self, crate::fields::FieldError> {
        Ok(match code {
            "ACSC" => Self::SettlementCompleted,
            "ACCC" => Self::CreditorCredited,
            "ACSP" => Self::SettlementInProcess,
            "ACTC" => Self::TechnicallyAccepted,
            "PDNG" => Self::Pending,
            "RJCT" => Self::Rejected,
            other => Self::Other(Text::new(other)?),
        })
    }
}

impl OriginalMessage {
    /// Names `message`.
    pub fn of(message: &CreditTransfer) -> Self {
        let name = Text::new(message.version.as_str());
        Self {
            message_id: message.message_id.clone(),
            message_name: name.expect("a message definition has 15 characters"),
            created: Some(message.created),
        }
    }

    pub(crate) fn read(node: Node<'_>) -> Result<Self, ParseError> {
        Ok(Self {
            message_id: node.demand("OrgnlMsgId", Text::new)?,
            message_name: node.demand("OrgnlMsgNmId", Text::new)?,
            created: node.read("OrgnlCreDtTm", moment)?,
        })
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.leaf("OrgnlMsgId", &self.message_id);
        writer.leaf("OrgnlMsgNmId", &self.message_name);
        writer.leaf_if("OrgnlCreDtTm", self.created.map(render_moment));
    }
}

impl StatusReport {
    pub(crate) fn version_of(name: &str) -> Option<StatusReportVersion> {
        let versions = [StatusReportVersion::V10, StatusReportVersion::V12];
        versions.into_iter().find(|version| version.as_str() == name)
    }

    pub(crate) fn read(version: StatusReportVersion, body: Node<'_>) -> Result<Self, ParseError> {
        let group = body.find("GrpHdr").ok_or(ParseError::Field { element: "GrpHdr" })?;
        Ok(Self {
            version,
            message_id: group.demand("MsgId", Text::new)?,
            created: group.demand("CreDtTm", moment)?,
            instructing_agent: Agent::read_at(group, "InstgAgt")?,
            instructed_agent: Agent::read_at(group, "InstdAgt")?,
            groups: body.children("OrgnlGrpInfAndSts").map(read_group).collect::<Result<_, _>>()?,
            payments: body.children("TxInfAndSts").map(read_payment).collect::<Result<_, _>>()?,
        })
    }

    /// A report that names `original` and goes back to where it came from. It carries no status
    /// yet: give one to the group, or add payments made by [`PaymentReport::of`].
    pub fn answering(original: &CreditTransfer, message_id: Text<35>, created: BlockTime) -> Self {
        let group = GroupReport {
            original: OriginalMessage::of(original),
            status: None,
            reasons: Vec::new(),
        };
        Self {
            version: StatusReportVersion::V10,
            message_id,
            created,
            instructing_agent: original.instructed_agent.clone(),
            instructed_agent: original.instructing_agent.clone(),
            groups: vec![group],
            payments: Vec::new(),
        }
    }

    /// The report as a document, valid by its schema.
    pub fn render(&self) -> String {
        let namespace = format!("{NAMESPACE_PREFIX}{}", self.version.as_str());
        Writer::document("Document", &namespace, |writer| {
            writer.element("FIToFIPmtStsRpt", |writer| {
                writer.element("GrpHdr", |writer| {
                    writer.leaf("MsgId", &self.message_id);
                    writer.leaf("CreDtTm", render_moment(self.created));
                    Agent::write_if(self.instructing_agent.as_ref(), writer, "InstgAgt");
                    Agent::write_if(self.instructed_agent.as_ref(), writer, "InstdAgt");
                });
                for group in &self.groups {
                    writer.element("OrgnlGrpInfAndSts", |writer| group.write(writer));
                }
                for payment in &self.payments {
                    writer.element("TxInfAndSts", |writer| payment.write(writer));
                }
            });
        })
    }
}

fn read_group(group: Node<'_>) -> Result<GroupReport, ParseError> {
    Ok(GroupReport {
        original: OriginalMessage::read(group)?,
        status: group.read("GrpSts", Status::of)?,
        reasons: read_reasons(group)?,
    })
}

fn read_payment(payment: Node<'_>) -> Result<PaymentReport, ParseError> {
    Ok(PaymentReport {
        status_id: payment.read("StsId", Text::new)?,
        original: payment.find("OrgnlGrpInf").map(OriginalMessage::read).transpose()?,
        instruction_id: payment.read("OrgnlInstrId", Text::new)?,
        end_to_end_id: payment.read("OrgnlEndToEndId", Text::new)?,
        transaction_id: payment.read("OrgnlTxId", Text::new)?,
        uetr: payment.read("OrgnlUETR", str::parse)?,
        status: payment.read("TxSts", Status::of)?,
        reasons: read_reasons(payment)?,
        accepted_at: payment.read("AccptncDtTm", moment)?,
    })
}

fn read_reasons(node: Node<'_>) -> Result<Vec<Reason>, ParseError> {
    let read_reason = |reason: Node<'_>| {
        let notes = reason.children("AddtlInf").map(|note| Personal::new(note.text()));
        Ok(Reason {
            code: reason.read("Rsn/Cd", ReasonCode::new)?,
            notes: notes
                .collect::<Result<_, _>>()
                .map_err(|_| ParseError::Field { element: "AddtlInf" })?,
        })
    };
    node.children("StsRsnInf").map(read_reason).collect()
}

impl GroupReport {
    fn write(&self, writer: &mut Writer) {
        self.original.write(writer);
        writer.leaf_if("GrpSts", self.status.as_ref().map(Status::as_str));
        self.reasons.iter().for_each(|reason| reason.write(writer));
    }
}

impl PaymentReport {
    /// Names `payment`, without a status yet.
    pub fn of(payment: &Payment) -> Self {
        Self {
            instruction_id: payment.instruction_id.clone(),
            end_to_end_id: Some(payment.end_to_end_id.clone()),
            transaction_id: payment.transaction_id.clone(),
            uetr: payment.uetr,
            accepted_at: payment.accepted_at,
            ..Self::default()
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.leaf_if("StsId", self.status_id.as_ref());
        if let Some(original) = &self.original {
            writer.element("OrgnlGrpInf", |writer| original.write(writer));
        }
        writer.leaf_if("OrgnlInstrId", self.instruction_id.as_ref());
        writer.leaf_if("OrgnlEndToEndId", self.end_to_end_id.as_ref());
        writer.leaf_if("OrgnlTxId", self.transaction_id.as_ref());
        writer.leaf_if("OrgnlUETR", self.uetr);
        writer.leaf_if("TxSts", self.status.as_ref().map(Status::as_str));
        self.reasons.iter().for_each(|reason| reason.write(writer));
        writer.leaf_if("AccptncDtTm", self.accepted_at.map(render_moment));
    }
}

impl Reason {
    fn write(&self, writer: &mut Writer) {
        writer.element("StsRsnInf", |writer| {
            if let Some(code) = &self.code {
                writer.element("Rsn", |writer| writer.leaf("Cd", code));
            }
            self.notes.iter().for_each(|note| writer.leaf("AddtlInf", note.expose()));
        });
    }
}
