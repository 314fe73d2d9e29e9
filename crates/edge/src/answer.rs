//! From statuses to pacs.002.

use etibar_iso20022::{
    Agent, Bic, GroupReport, OriginalMessage, PaymentReport, Reason, ReasonCode as IsoReason,
    Status, StatusReport, StatusReportVersion, Text,
};
use etibar_primitives::{BlockTime, OperationId, hex};

use crate::{intake::random, payment::References, setup::Setup, status::PaymentStatus};

/// What a pacs.002 says of one payment.
#[derive(Debug, Clone)]
pub struct ReportLine {
    /// What it repeats.
    pub references: References,
    /// The payment's id, if it has one.
    pub uetr: Option<OperationId>,
    /// What became of it.
    pub status: PaymentStatus,
}

/// The report on one message's payments.
pub fn render_report(
    setup: &Setup,
    original: &References,
    lines: &[ReportLine],
    now: BlockTime,
) -> String {
    let agent = setup.directory.member(setup.member).and_then(|own| Bic::new(&own.bic).ok());
    let version = match original.message_name.as_str() {
        "pacs.008.001.08" => StatusReportVersion::V10,
        _ => StatusReportVersion::V12,
    };
    let report = StatusReport {
        version,
        message_id: Text::new(&hex::encode(&random::<16>())).expect("32 digits fit 35 characters"),
        created: now,
        instructing_agent: agent.clone().map(Agent::of),
        instructed_agent: agent.map(Agent::of),
        groups: original_message(original)
            .map(|original| GroupReport { original, status: group(lines), reasons: Vec::new() })
            .into_iter()
            .collect(),
        payments: lines.iter().map(payment).collect(),
    };
    report.render()
}

/// The status of a message whose payments have one and the same; `PART` where they differ.
fn group(lines: &[ReportLine]) -> Option<Status> {
    let first = lines.first()?;
    let same = lines.iter().all(|line| line.status.code() == first.status.code());
    if same { Some(status(first.status)) } else { Text::new("PART").ok().map(Status::Other) }
}

fn payment(line: &ReportLine) -> PaymentReport {
    let text = |text: &str| Text::new(text).ok();
    let reason = line.status.reason().and_then(|reason| IsoReason::new(reason.as_str()).ok());
    PaymentReport {
        status_id: None,
        original: None,
        instruction_id: line.references.instruction_id.as_deref().and_then(text),
        end_to_end_id: text(&line.references.end_to_end_id),
        transaction_id: line.references.transaction_id.as_deref().and_then(text),
        uetr: line.uetr,
        status: Some(status(line.status)),
        reasons: reason.map(Reason::from).into_iter().collect(),
        accepted_at: None,
    }
}

fn original_message(references: &References) -> Option<OriginalMessage> {
    Some(OriginalMessage {
        message_id: Text::new(&references.message_id).ok()?,
        message_name: Text::new(&references.message_name).ok()?,
        created: references.message_created,
    })
}

fn status(status: PaymentStatus) -> Status {
    match status {
        PaymentStatus::Pending => Status::Pending,
        PaymentStatus::Settled => Status::SettlementCompleted,
        PaymentStatus::Credited => Status::CreditorCredited,
        PaymentStatus::Rejected(_) => Status::Rejected,
    }
}
