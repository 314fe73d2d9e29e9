//! An order of the core banking, as read from its message.

use etibar_ledger::{
    Operation,
    operation::{Action, OPERATION_BYTES, ReasonCode, Transfer, TransferKind},
};
use etibar_primitives::{AccountId, Amount, BlockTime, Digest, MemberId, OperationId};

use super::Settings;
use crate::payment::{CustomerAccount, Outgoing, OutgoingState, Payload, References};

/// One payment that the core orders.
#[derive(Debug, Clone)]
pub struct Order {
    /// Its id.
    pub uetr: OperationId,
    /// What it says: the same UETR with another fingerprint is a conflict.
    pub fingerprint: Digest,
    /// What a pacs.002 repeats.
    pub references: References,
    /// Who pays.
    pub account: CustomerAccount,
    /// How much; zero when the message gave no usable amount.
    pub amount: Amount,
    /// What travels to the creditor's edge.
    pub payload: Payload,
    /// Where it goes, or why it cannot.
    pub route: Result<Route, ReasonCode>,
}

/// Where a payment goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The creditor's agent.
    pub creditor: MemberId,
    /// Its ledger account for instant payments.
    pub account: AccountId,
}

impl Order {
    /// The payment that this order makes, with its reserve made once and for all.
    pub(super) fn into_payment(self, settings: &Settings, now: BlockTime) -> Outgoing {
        let expires = now.saturating_add(settings.limits.payment_ms);
        let (state, reason, creditor, operation, payload) = match self.route {
            Ok(route) => {
                let operation = self.reserve(settings, route, now, expires);
                (OutgoingState::Received, None, route.creditor, operation, Some(self.payload))
            }
            Err(reason) => {
                let nothing = [0; OPERATION_BYTES];
                (OutgoingState::Rejected, Some(reason), MemberId(0), nothing, None)
            }
        };
        Outgoing {
            uetr: self.uetr,
            state,
            reason,
            fingerprint: self.fingerprint,
            amount: self.amount,
            creditor,
            created: now,
            expires,
            operation,
            account: self.account,
            references: self.references,
            payload,
            proof: None,
        }
    }

    fn reserve(
        &self,
        settings: &Settings,
        route: Route,
        now: BlockTime,
        expires: BlockTime,
    ) -> [u8; OPERATION_BYTES] {
        let debit = settings.account.unwrap_or(AccountId(0));
        let transfer = Transfer {
            expires,
            debtor_agent: settings.member,
            creditor_agent: route.creditor,
            commitment: self.payload.commitment(),
            ..Transfer::new(debit, route.account, self.amount, now)
        };
        let action = Action::Transfer(TransferKind::Reserve, transfer);
        Operation { id: self.uetr, linked: false, action }.encode()
    }
}
