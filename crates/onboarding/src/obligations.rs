//! What the bank owes for reused due diligence. The ledger's refusal never stops a customer: it is
//! kept, tried again where that makes sense, and shown to the staff.

use etibar_ledger::{
    Operation, Outcome,
    operation::{Action, KycReuse, LiabilityClass},
};
use etibar_primitives::{Amount, BlockTime, Digest, DurationMs, MemberId, OperationId, hex};
use etibar_vault::work::Work;
use serde::{Deserialize, Serialize};

use crate::{
    Onboarding, OnboardingError,
    policy::{Liability, Product},
    service::{DAY_MS, operation_id},
    session::Session,
};

/// The queue of refused obligations in the vault.
pub const OBLIGATIONS: &str = "obligation";
/// The state of one that is tried again.
pub const REFUSED: &str = "refused";
/// The state of one that is not: the two banks settle it by their agreement.
pub const GIVEN_UP: &str = "given_up";
/// The pause before a refused obligation is tried again: what refuses it, such as a suspension,
/// lasts.
const RETRY: DurationMs = DurationMs(3_600_000);
/// For how long it is tried again.
const RETRIES_LIFE: DurationMs = DurationMs(30 * DAY_MS);
/// Obligations that one round tries.
const ROUND: u32 = 64;

/// An obligation that the ledger does not have.
#[derive(Clone, Serialize, Deserialize)]
struct Owed {
    provider: MemberId,
    fee: Amount,
    liability: Liability,
    commitment: Digest,
    /// The operation that is tried now. A refused id is refused for ever: each try after a
    /// refusal has a new one, each after a silence the same.
    operation: OperationId,
    created: BlockTime,
    outcome: String,
    first_refused: BlockTime,
}

/// A refused obligation, for the staff.
#[derive(Debug, Clone, Serialize)]
pub struct ObligationLine {
    /// Its id: of the first operation.
    pub id: String,
    /// To whom it is owed.
    pub provider: MemberId,
    /// How much, in minor units of AZN.
    pub fee: Amount,
    /// Why the ledger refused it, the last time.
    pub outcome: String,
    /// When it was refused first.
    pub refused: BlockTime,
    /// When it is tried again; never when it was given up.
    pub retry: Option<BlockTime>,
    /// How often it was tried again.
    pub attempts: u32,
}

impl Owed {
    fn operation(&self) -> Operation {
        let liability = match self.liability {
            Liability::Relying => LiabilityClass::Relying,
            Liability::Shared => LiabilityClass::Shared,
            Liability::Provider => LiabilityClass::Provider,
        };
        let reuse = KycReuse {
            provider: self.provider,
            fee: self.fee,
            liability,
            commitment: self.commitment,
            created: self.created,
        };
        Operation { id: self.operation, linked: false, action: Action::ReuseKyc(reuse) }
    }
}

/// Whether the same order may be accepted later.
const fn may_change(outcome: Outcome) -> bool {
    matches!(
        outcome,
        Outcome::MemberSuspended
            | Outcome::DebtorSuspended
            | Outcome::CreditorSuspended
            | Outcome::SettlementAccountUnknown
            | Outcome::AmountAboveLimit
            | Outcome::CreatedTooEarly
            | Outcome::CreatedInFuture
    )
}

impl Onboarding {
    /// Owes for reused due diligence, once for a session. A refusal is kept.
    ///
    /// # Errors
    /// A fault: the session's step is tried again.
    pub(crate) async fn owe(
        &self,
        session: &mut Session,
        product: &Product,
    ) -> Result<(), OnboardingError> {
        if !session.owed {
            self.owe_once(session, product).await?;
            session.owed = true;
        }
        Ok(())
    }

    async fn owe_once(&self, session: &Session, product: &Product) -> Result<(), OnboardingError> {
        let (Some(provider), Some(policy)) = (session.reused_from, &product.reuse) else {
            return Ok(());
        };
        let id = session.reuse.to_bytes();
        let kept = self.vault().work(OBLIGATIONS, id).await.is_ok();
        if kept || provider == self.inner.parts.identity.member {
            return Ok(());
        }
        let grant = session.consents.first().and_then(|plan| plan.grants.first());
        let grant = grant.ok_or(OnboardingError::UnknownSession)?;
        let mut owed = Owed {
            provider,
            fee: policy.fee(),
            liability: policy.liability,
            commitment: grant.secret().commitment(&session.request),
            operation: session.reuse,
            // An order older than the ledger's memory is refused: an examination may take weeks.
            created: session.accepted.or(session.answered).unwrap_or(session.expires),
            outcome: String::new(),
            first_refused: self.now(),
        };
        let Some(outcome) = self.try_obligation(&owed).await? else { return Ok(()) };
        let now = self.now();
        tracing::error!(code = outcome.name(), "a reuse was not recorded on the ledger");
        let mut work = Work::new(id, REFUSED, &owed, now, None);
        plan_retry(&mut work, &mut owed, outcome, now);
        let mut change = self.vault().begin().await?;
        change.put_work(OBLIGATIONS, &work).await?;
        change.commit().await?;
        Ok(())
    }

    /// The ledger's refusal; `None` when it has the obligation.
    async fn try_obligation(&self, owed: &Owed) -> Result<Option<Outcome>, OnboardingError> {
        let executed = self.inner.parts.ledger.execute(&[owed.operation()]).await?;
        let outcome = executed.first().map(|its| its.outcome);
        let outcome = outcome.ok_or(crate::ports::LedgerFault("no outcome".into()))?;
        let has = outcome.is_accepted() || outcome == Outcome::Exists;
        Ok((!has).then_some(outcome))
    }

    /// Tries refused obligations whose time has come.
    ///
    /// # Errors
    /// A fault: the next call goes on with the same operations.
    pub(crate) async fn retry_obligations(&self) -> Result<(), OnboardingError> {
        let now = self.now();
        for mut work in self.vault().due_work(OBLIGATIONS, now, ROUND).await? {
            let mut owed: Owed = work.payload()?;
            let outcome = self.try_obligation(&owed).await?;
            let mut change = self.vault().begin().await?;
            match outcome {
                None => change.end_work(OBLIGATIONS, work.id).await?,
                Some(outcome) => {
                    work.attempts = work.attempts.saturating_add(1);
                    plan_retry(&mut work, &mut owed, outcome, now);
                    change.put_work(OBLIGATIONS, &work).await?;
                }
            }
            change.commit().await?;
        }
        Ok(())
    }

    /// Refused obligations, the latest first.
    ///
    /// # Errors
    /// A fault of the vault.
    pub async fn refused_obligations(
        &self,
        limit: u32,
    ) -> Result<Vec<ObligationLine>, OnboardingError> {
        let works = self.vault().works(OBLIGATIONS, None, limit).await?;
        let line = |work: &Work| {
            let owed: Owed = work.payload()?;
            Ok(ObligationLine {
                id: hex::encode(&work.id),
                provider: owed.provider,
                fee: owed.fee,
                outcome: owed.outcome,
                refused: owed.first_refused,
                retry: work.due,
                attempts: work.attempts,
            })
        };
        works.iter().map(line).collect()
    }
}

/// Gives a refused obligation a new operation and its time, or gives it up.
fn plan_retry(work: &mut Work, owed: &mut Owed, outcome: Outcome, now: BlockTime) {
    outcome.name().clone_into(&mut owed.outcome);
    let next = now.saturating_add(RETRY);
    let ends = owed.first_refused.saturating_add(RETRIES_LIFE);
    if may_change(outcome) && next < ends {
        owed.operation = operation_id();
        // The order is made when it is tried.
        owed.created = next;
        work.due = Some(next);
        REFUSED.clone_into(&mut work.state);
    } else {
        work.due = None;
        GIVEN_UP.clone_into(&mut work.state);
    }
    work.set_payload(owed);
}
