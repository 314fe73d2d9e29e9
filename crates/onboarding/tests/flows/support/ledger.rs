//! A ledger in memory with the rules that the flows meet.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use etibar_client::wire::{ConsentView, IssuerView, StatusListView};
use etibar_credential::catalogue;
use etibar_ledger::{
    Operation, Outcome,
    operation::{Action, KycReuse},
};
use etibar_onboarding::{
    ports::{Executed, Ledger, LedgerFault},
    service::Clock,
};
use etibar_primitives::{Digest, MemberId, OperationId};
use futures::future::BoxFuture;

#[derive(Default)]
pub(crate) struct State {
    pub(crate) issuers: Vec<IssuerView>,
    pub(crate) consents: BTreeMap<Digest, ConsentView>,
    pub(crate) lists: BTreeMap<(MemberId, u32), StatusListView>,
    pub(crate) reuses: Vec<(MemberId, KycReuse)>,
    pub(crate) anchors: u32,
    /// How often it is asked for a list's anchor before it has one.
    pub(crate) anchors_late: u32,
    /// How the ledger refuses to record a reuse.
    pub(crate) refuses_reuse: Option<Outcome>,
    done: BTreeMap<OperationId, (Vec<u8>, Executed)>,
}

impl State {
    /// Every byte of it, as each member may read it: ids, operations and when they were executed.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let one = |(id, (bytes, executed)): (&OperationId, &(Vec<u8>, Executed))| {
            [&id.to_bytes(), bytes.as_slice(), &executed.time.0.to_le_bytes()].concat()
        };
        self.done.iter().flat_map(one).collect()
    }
}

/// What all members share.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) state: Mutex<State>,
}

/// The ledger as one member.
pub(crate) struct FakeLedger {
    pub(crate) shared: std::sync::Arc<Shared>,
    pub(crate) member: MemberId,
    pub(crate) clock: Clock,
    /// Nobody answers.
    pub(crate) down: AtomicBool,
    /// Operations are executed, the answers are lost.
    pub(crate) loses_answers: AtomicBool,
}

impl FakeLedger {
    pub(crate) fn run(&self, operation: &Operation) -> Executed {
        let mut state = self.shared.state.lock().expect("no test panics inside");
        let bytes = operation.encode().to_vec();
        if let Some((known, executed)) = state.done.get(&operation.id) {
            assert_eq!(*known, bytes, "an id is used for one operation");
            return *executed;
        }
        let time = (self.clock)();
        let outcome = self.apply(&mut state, operation, time);
        let executed = Executed { outcome, time };
        state.done.insert(operation.id, (bytes, executed));
        executed
    }

    fn apply(
        &self,
        state: &mut State,
        operation: &Operation,
        now: etibar_primitives::BlockTime,
    ) -> Outcome {
        match operation.action {
            Action::GrantConsent(grant) => {
                let purpose = catalogue::purpose(catalogue::PurposeCode(grant.purpose.0));
                let Some(purpose) = purpose else { return Outcome::PurposeUnknown };
                if !catalogue::Scope(grant.scope.0).is_within(purpose.scope) {
                    return Outcome::ConsentExceedsPurpose;
                }
                if state.consents.contains_key(&grant.rel) {
                    return Outcome::ConsentExists;
                }
                let view = ConsentView {
                    rel: grant.rel,
                    consumer: self.member,
                    provider: grant.provider,
                    commitment: grant.commitment,
                    purpose: grant.purpose,
                    scope: grant.scope,
                    granted: now,
                    expires: grant.expires,
                    revoked: None,
                };
                state.consents.insert(grant.rel, view);
                Outcome::Accepted
            }
            Action::RevokeConsent(end) => match state.consents.get_mut(&end.rel) {
                None => Outcome::ConsentUnknown,
                Some(consent) if consent.revoked.is_some() => Outcome::ConsentAlreadyRevoked,
                Some(consent) => {
                    consent.revoked = Some(now);
                    Outcome::Accepted
                }
            },
            Action::AnchorStatusList(anchor) => {
                let key = (self.member, anchor.list);
                let view = StatusListView {
                    member: self.member,
                    list: anchor.list,
                    counter: anchor.counter,
                    digest: anchor.digest,
                    anchored: now,
                };
                state.lists.insert(key, view);
                Outcome::Accepted
            }
            Action::AnchorEvidence(anchor) => {
                state.anchors += anchor.count;
                Outcome::Accepted
            }
            Action::ReuseKyc(reuse) => {
                if let Some(refusal) = state.refuses_reuse {
                    return refusal;
                }
                state.reuses.push((self.member, reuse));
                Outcome::Accepted
            }
            _ => Outcome::NotAuthorised,
        }
    }

    fn answers(&self) -> Result<(), LedgerFault> {
        if self.down.load(Ordering::SeqCst) { Err(LedgerFault("down".into())) } else { Ok(()) }
    }
}

impl Ledger for FakeLedger {
    fn execute<'a>(
        &'a self,
        operations: &'a [Operation],
    ) -> BoxFuture<'a, Result<Vec<Executed>, LedgerFault>> {
        Box::pin(async move {
            self.answers()?;
            let executed = operations.iter().map(|operation| self.run(operation)).collect();
            if self.loses_answers.load(Ordering::SeqCst) {
                return Err(LedgerFault("the answer is lost".into()));
            }
            Ok(executed)
        })
    }

    fn issuers(&self) -> BoxFuture<'_, Result<Vec<IssuerView>, LedgerFault>> {
        Box::pin(async move {
            self.answers()?;
            Ok(self.shared.state.lock().expect("no test panics inside").issuers.clone())
        })
    }

    fn consent(&self, rel: Digest) -> BoxFuture<'_, Result<Option<ConsentView>, LedgerFault>> {
        Box::pin(async move {
            self.answers()?;
            let state = self.shared.state.lock().expect("no test panics inside");
            Ok(state.consents.get(&rel).copied())
        })
    }

    fn status_list(
        &self,
        member: MemberId,
        list: u32,
    ) -> BoxFuture<'_, Result<Option<StatusListView>, LedgerFault>> {
        Box::pin(async move {
            self.answers()?;
            let mut state = self.shared.state.lock().expect("no test panics inside");
            if let Some(rest) = state.anchors_late.checked_sub(1) {
                state.anchors_late = rest;
                return Ok(None);
            }
            Ok(state.lists.get(&(member, list)).copied())
        })
    }
}
