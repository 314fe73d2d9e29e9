//! pacs.008: customer credit transfers between financial institutions.

use etibar_primitives::{BlockTime, OperationId};

use crate::calendar::{Date, render_moment};
use crate::fields::{Personal, Text};
use crate::message::ParseError;
use crate::party::{Account, Agent, Money, date, moment};
use crate::schema::NAMESPACE_PREFIX;
use crate::tree::Node;
use crate::writer::Writer;
use crate::xml::trim;

/// One message with one payment or a batch.
///
/// Source: `FIToFICustomerCreditTransfer`, versions 8, 10 and 12, which agree in these fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditTransfer {
    /// The version of the message definition.
    pub version: CreditTransferVersion,
    /// `MsgId`: chosen by the instructing agent, unique for it.
    pub message_id: Text<35>,
    /// `CreDtTm`.
    pub created: BlockTime,
    /// `NbOfTxs`: how many payments the sender says there are.
    pub declared_count: u64,
    /// `CtrlSum`: the sum of the amounts whatever their currencies, as a decimal number.
    pub control_sum: Option<String>,
    /// `TtlIntrBkSttlmAmt`: the sum of the amounts.
    pub total: Option<Money>,
    /// `IntrBkSttlmDt` of all payments.
    pub settlement_date: Option<Date>,
    /// `SttlmMtd`.
    pub settlement_method: SettlementMethod,
    /// `ClrSys`: the clearing system's code or own name.
    pub clearing_system: Option<Text<35>>,
    /// `InstgAgt` of all payments.
    pub instructing_agent: Option<Agent>,
    /// `InstdAgt` of all payments.
    pub instructed_agent: Option<Agent>,
    /// `CdtTrfTxInf`, at least one in a valid message.
    pub payments: Vec<Payment>,
}

/// The supported versions of pacs.008.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditTransferVersion {
    /// pacs.008.001.08.
    V08,
    /// pacs.008.001.10.
    V10,
    /// pacs.008.001.12.
    V12,
}

/// How the payments are settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettlementMethod {
    /// `INDA`: by the agent instructed.
    InstructedAgent,
    /// `INGA`: by the agent instructing.
    InstructingAgent,
    /// `COVE`: through a cover payment.
    Cover,
    /// `CLRG`: through a clearing system.
    Clearing,
}

/// How urgent a payment is (`SttlmPrty`, or `InstrPrty` without it).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// `URGT`.
    Urgent,
    /// `HIGH`.
    High,
    /// `NORM`.
    Normal,
}

/// Who bears the charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChargeBearer {
    /// `DEBT`: the debtor.
    Debtor,
    /// `CRED`: the creditor.
    Creditor,
    /// `SHAR`: each its own.
    Shared,
    /// `SLEV`: as the service level says.
    ServiceLevel,
}

/// One payment. Fields that are not here (ultimate parties, addresses, tax, structured remittance)
/// stay in the message as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// `InstrId`.
    pub instruction_id: Option<Text<35>>,
    /// `EndToEndId`.
    pub end_to_end_id: Text<35>,
    /// `TxId`.
    pub transaction_id: Option<Text<35>>,
    /// `UETR`: the payment's own id, everywhere.
    pub uetr: Option<OperationId>,
    /// `IntrBkSttlmAmt`.
    pub amount: Money,
    /// `IntrBkSttlmDt`, or the group's.
    pub settlement_date: Option<Date>,
    /// The urgency, where the message gives one.
    pub priority: Option<Priority>,
    /// `AccptncDtTm`: when the debtor's agent accepted the payment.
    pub accepted_at: Option<BlockTime>,
    /// `SvcLvl`, code or proprietary, the first of several.
    pub service_level: Option<Text<35>>,
    /// `LclInstrm`, code or proprietary.
    pub local_instrument: Option<Text<35>>,
    /// `CtgyPurp`, code or proprietary.
    pub category_purpose: Option<Text<35>>,
    /// `Purp`, code or proprietary.
    pub purpose: Option<Text<35>>,
    /// `ChrgBr`.
    pub charge_bearer: ChargeBearer,
    /// `InstgAgt`, or the group's.
    pub instructing_agent: Option<Agent>,
    /// `InstdAgt`, or the group's.
    pub instructed_agent: Option<Agent>,
    /// `Dbtr/Nm`.
    pub debtor_name: Option<Personal<140>>,
    /// `DbtrAcct`.
    pub debtor_account: Option<Account>,
    /// `DbtrAgt`.
    pub debtor_agent: Agent,
    /// `CdtrAgt`.
    pub creditor_agent: Agent,
    /// `Cdtr/Nm`.
    pub creditor_name: Option<Personal<140>>,
    /// `CdtrAcct`.
    pub creditor_account: Option<Account>,
    /// `RmtInf/Ustrd`, all of them.
    pub remittance: Vec<Personal<140>>,
}

macro_rules! coded {
    ($type:ty { $($variant:ident = $code:literal,)+ }) => {
        impl $type {
            /// The code in the message.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            fn of(code: &str) -> Result<Self, ()> {
                match code { $($code => Ok(Self::$variant),)+ _ => Err(()) }
            }
        }
    };
}

coded!(CreditTransferVersion {
    V08 = "pacs.008.001.08", V10 = "pacs.008.001.10", V12 = "pacs.008.001.12",
});
coded!(SettlementMethod {
    InstructedAgent = "INDA", InstructingAgent = "INGA", Cover = "COVE", Clearing = "CLRG",
});
coded!(Priority { Urgent = "URGT", High = "HIGH", Normal = "NORM", });
coded!(ChargeBearer {
    Debtor = "DEBT", Creditor = "CRED", Shared = "SHAR", ServiceLevel = "SLEV",
});

impl CreditTransfer {
    pub(crate) fn version_of(name: &str) -> Option<CreditTransferVersion> {
        CreditTransferVersion::of(name).ok()
    }

    /// `name`: the message definition, `pacs.008.001.08`.
    pub(crate) fn read(version: CreditTransferVersion, body: Node<'_>) -> Result<Self, ParseError> {
        let group = body.find("GrpHdr").ok_or(ParseError::Field { element: "GrpHdr" })?;
        let count = |text: &str| text.parse::<u64>();
        let decimal = |text: &str| Ok::<_, ()>(trim(text).to_owned());
        let mut message = Self {
            version,
            message_id: group.demand("MsgId", Text::new)?,
            created: group.demand("CreDtTm", moment)?,
            declared_count: group.demand("NbOfTxs", count)?,
            control_sum: group.read("CtrlSum", decimal)?,
            total: group.find("TtlIntrBkSttlmAmt").map(Money::read).transpose()?,
            settlement_date: group.read("IntrBkSttlmDt", date)?,
            settlement_method: group.demand("SttlmInf/SttlmMtd", SettlementMethod::of)?,
            clearing_system: coded_or_own(group, "SttlmInf/ClrSys")?,
            instructing_agent: Agent::read_at(group, "InstgAgt")?,
            instructed_agent: Agent::read_at(group, "InstdAgt")?,
            payments: Vec::new(),
        };
        let kind = group.find("PmtTpInf");
        for payment in body.children("CdtTrfTxInf") {
            let payment = message.read_payment(payment, kind)?;
            message.payments.push(payment);
        }
        Ok(message)
    }

    fn read_payment(
        &self,
        payment: Node<'_>,
        group_kind: Option<Node<'_>>,
    ) -> Result<Payment, ParseError> {
        let kind = payment.find("PmtTpInf").or(group_kind);
        let of_kind = |path| kind.map_or(Ok(None), |kind| coded_or_own(kind, path));
        let priority = match payment.read("SttlmPrty", Priority::of)? {
            None => kind.map_or(Ok(None), |kind| kind.read("InstrPrty", Priority::of))?,
            some => some,
        };
        let amount = payment.find("IntrBkSttlmAmt").map(Money::read).transpose()?;
        let demand_agent = |name| Ok(Agent::read_at(payment, name)?.unwrap_or_default());
        let remittance = payment.find("RmtInf").into_iter();
        let remittance = remittance.flat_map(|remittance| remittance.children("Ustrd"));
        Ok(Payment {
            instruction_id: payment.read("PmtId/InstrId", Text::new)?,
            end_to_end_id: payment.demand("PmtId/EndToEndId", Text::new)?,
            transaction_id: payment.read("PmtId/TxId", Text::new)?,
            uetr: payment.read("PmtId/UETR", str::parse)?,
            amount: amount.ok_or(ParseError::Field { element: "IntrBkSttlmAmt" })?,
            settlement_date: payment.read("IntrBkSttlmDt", date)?.or(self.settlement_date),
            priority,
            accepted_at: payment.read("AccptncDtTm", moment)?,
            service_level: of_kind("SvcLvl")?,
            local_instrument: of_kind("LclInstrm")?,
            category_purpose: of_kind("CtgyPurp")?,
            purpose: coded_or_own(payment, "Purp")?,
            charge_bearer: payment.demand("ChrgBr", ChargeBearer::of)?,
            instructing_agent: Agent::read_at(payment, "InstgAgt")?
                .or_else(|| self.instructing_agent.clone()),
            instructed_agent: Agent::read_at(payment, "InstdAgt")?
                .or_else(|| self.instructed_agent.clone()),
            debtor_name: payment.read("Dbtr/Nm", Personal::new)?,
            debtor_account: Account::read_at(payment, "DbtrAcct")?,
            debtor_agent: demand_agent("DbtrAgt")?,
            creditor_agent: demand_agent("CdtrAgt")?,
            creditor_name: payment.read("Cdtr/Nm", Personal::new)?,
            creditor_account: Account::read_at(payment, "CdtrAcct")?,
            remittance: remittance
                .map(|line| Personal::new(line.text()))
                .collect::<Result<_, _>>()
                .map_err(|_| ParseError::Field { element: "RmtInf/Ustrd" })?,
        })
    }

    /// The message as a document; valid by its schema wherever it holds a payment.
    pub fn render(&self) -> String {
        let namespace = format!("{NAMESPACE_PREFIX}{}", self.version.as_str());
        Writer::document("Document", &namespace, |writer| {
            writer.element("FIToFICstmrCdtTrf", |writer| {
                writer.element("GrpHdr", |writer| self.write_group(writer));
                for payment in &self.payments {
                    writer.element("CdtTrfTxInf", |writer| payment.write(writer));
                }
            });
        })
    }

    fn write_group(&self, writer: &mut Writer) {
        writer.leaf("MsgId", &self.message_id);
        writer.leaf("CreDtTm", render_moment(self.created));
        writer.leaf("NbOfTxs", self.declared_count);
        writer.leaf_if("CtrlSum", self.control_sum.as_ref());
        if let Some(total) = &self.total {
            total.write(writer, "TtlIntrBkSttlmAmt");
        }
        writer.leaf_if("IntrBkSttlmDt", self.settlement_date);
        writer.element("SttlmInf", |writer| {
            writer.leaf("SttlmMtd", self.settlement_method.as_str());
            write_coded_or_own(writer, "ClrSys", self.clearing_system.as_ref(), CLEARING_CODE_MAX);
        });
        Agent::write_if(self.instructing_agent.as_ref(), writer, "InstgAgt");
        Agent::write_if(self.instructed_agent.as_ref(), writer, "InstdAgt");
    }
}

impl Payment {
    fn write(&self, writer: &mut Writer) {
        writer.element("PmtId", |writer| {
            writer.leaf_if("InstrId", self.instruction_id.as_ref());
            writer.leaf("EndToEndId", &self.end_to_end_id);
            writer.leaf_if("TxId", self.transaction_id.as_ref());
            writer.leaf_if("UETR", self.uetr);
        });
        self.write_kind(writer);
        self.amount.write(writer, "IntrBkSttlmAmt");
        writer.leaf_if("IntrBkSttlmDt", self.settlement_date);
        writer.leaf_if("SttlmPrty", self.priority.map(Priority::as_str));
        writer.leaf_if("AccptncDtTm", self.accepted_at.map(render_moment));
        writer.leaf("ChrgBr", self.charge_bearer.as_str());
        Agent::write_if(self.instructing_agent.as_ref(), writer, "InstgAgt");
        Agent::write_if(self.instructed_agent.as_ref(), writer, "InstdAgt");
        write_party(writer, "Dbtr", self.debtor_name.as_ref());
        Account::write_if(self.debtor_account.as_ref(), writer, "DbtrAcct");
        self.debtor_agent.write(writer, "DbtrAgt");
        self.creditor_agent.write(writer, "CdtrAgt");
        write_party(writer, "Cdtr", self.creditor_name.as_ref());
        Account::write_if(self.creditor_account.as_ref(), writer, "CdtrAcct");
        write_coded_or_own(writer, "Purp", self.purpose.as_ref(), CODE_MAX);
        if !self.remittance.is_empty() {
            writer.element("RmtInf", |writer| {
                self.remittance.iter().for_each(|line| writer.leaf("Ustrd", line.expose()));
            });
        }
    }

    fn write_kind(&self, writer: &mut Writer) {
        let (level, instrument) = (&self.service_level, &self.local_instrument);
        let category = &self.category_purpose;
        if level.is_none() && instrument.is_none() && category.is_none() {
            return;
        }
        writer.element("PmtTpInf", |writer| {
            write_coded_or_own(writer, "SvcLvl", level.as_ref(), CODE_MAX);
            write_coded_or_own(writer, "LclInstrm", instrument.as_ref(), INSTRUMENT_CODE_MAX);
            write_coded_or_own(writer, "CtgyPurp", category.as_ref(), CODE_MAX);
        });
    }
}

/// Characters of a code of most external lists.
const CODE_MAX: usize = 4;

/// Characters of a code of `ExternalCashClearingSystem1Code`.
const CLEARING_CODE_MAX: usize = 3;

/// Characters of a code of `ExternalLocalInstrument1Code`.
const INSTRUMENT_CODE_MAX: usize = 35;

/// The text of `Cd` or `Prtry` below `path`.
fn coded_or_own(node: Node<'_>, path: &'static str) -> Result<Option<Text<35>>, ParseError> {
    let choice = node.find(path).and_then(|choice| choice.all().next());
    let text = choice.map(|choice| Text::new(choice.text())).transpose();
    text.map_err(|_| ParseError::Field { element: path })
}

/// `Cd` for a text that can be a code, else `Prtry`.
fn write_coded_or_own(
    writer: &mut Writer,
    name: &'static str,
    text: Option<&Text<35>>,
    code_max: usize,
) {
    let Some(text) = text else { return };
    let is_code = text.as_str().chars().count() <= code_max;
    writer.element(name, |writer| writer.leaf(if is_code { "Cd" } else { "Prtry" }, text));
}

fn write_party(writer: &mut Writer, name: &'static str, party: Option<&Personal<140>>) {
    writer.element(name, |writer| writer.leaf_if("Nm", party.map(Personal::expose)));
}
