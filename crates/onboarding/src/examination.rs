//! Enhanced due diligence by four eyes: one of the staff records the sources of funds and the
//! reason, another one of the role senior approves or refuses, and nobody decides on what it
//! prepared itself. Each step is kept as evidence with who, when and why.
//!
//! Source: law 781-VIQ (politically exposed persons, foreign citizens, trusts: senior approval).

use etibar_credential::catalogue::Category;
use etibar_primitives::{BlockTime, DurationMs, hex};
use etibar_vault::{ItemKind, NewItem, PartyId, Personal, work::Work};
use serde::{Deserialize, Serialize};

use crate::{
    Onboarding, OnboardingError,
    decide::Cause,
    flow::{HOLD_LAW, HOLD_MS, Next},
    service::{DAY_MS, category},
    session::{SESSIONS, Session, State},
    staff::{StaffMember, StaffRole},
};

/// Preparations of one application at most.
pub const PREPARATIONS_MAX: usize = 8;
/// Characters of a text of the staff at most.
pub const STAFF_TEXT_CHARACTERS_MAX: usize = 2_000;
/// Why an application that waited too long has ended.
pub const LAPSED: &str = "examination_lapsed";
/// Why an application that the staff refused has ended: no more is told to anybody.
pub const REFUSED: &str = "examination_refused";
/// The vault's names of what the staff wrote.
pub(crate) const PREPARATION: &str = "preparation";
pub(crate) const VERDICT: &str = "verdict";

/// An examination that ends by itself within this time is marked: somebody must decide now.
pub const LAPSES_SOON: DurationMs = DurationMs(2 * DAY_MS);

/// Whether what lapses at `at` lapses soon.
pub fn lapses_soon(at: BlockTime, now: BlockTime) -> bool {
    at <= now.saturating_add(LAPSES_SOON)
}

/// An examination as the session keeps it: no text of the staff, which may be personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Examination {
    /// Why it is needed.
    pub causes: Vec<Cause>,
    /// When it ends by itself.
    pub lapses: BlockTime,
    /// Who prepared it, and when.
    pub prepared: Vec<Act>,
    /// Who decided, when, and whether to approve.
    pub decided: Option<(Act, bool)>,
}

/// Who did something, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// The name of the staff member.
    pub by: String,
    /// When.
    pub at: BlockTime,
}

/// What one of the staff found out.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preparation {
    /// Where the customer's money comes from.
    pub sources_of_funds: String,
    /// Why the bank may take the customer all the same, or may not.
    pub reason: String,
}

/// What a senior decides.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Whether the account is opened.
    pub approve: bool,
    /// Why.
    pub reason: String,
}

/// A step of an examination as evidence.
#[derive(Clone, Serialize, Deserialize)]
pub struct Step {
    /// The session.
    pub application: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: BlockTime,
    /// Where the money comes from, in a preparation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources_of_funds: Option<String>,
    /// Whether it was approved, in a verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approve: Option<bool>,
    /// Why.
    pub reason: String,
}

impl Examination {
    /// One that begins now and must end before the consents do.
    pub(crate) fn begin(
        causes: Vec<Cause>,
        session: &Session,
        life: DurationMs,
        now: BlockTime,
    ) -> Self {
        let consents = session.consents.iter().map(|plan| plan.expires).min();
        let longest = now.saturating_add(life);
        let lapses = consents.map_or(longest, |consents| consents.min(longest));
        Self { causes, lapses, prepared: Vec::new(), decided: None }
    }

    /// Whether a senior has approved all of `causes`.
    pub(crate) fn covers(&self, causes: &[Cause]) -> bool {
        let approved = self.decided.as_ref().is_some_and(|(_, approved)| *approved);
        approved && causes.iter().all(|cause| self.causes.contains(cause))
    }
}

fn check_text(text: &str) -> Result<(), OnboardingError> {
    let length = text.trim().chars().count();
    if (1..=STAFF_TEXT_CHARACTERS_MAX).contains(&length) {
        Ok(())
    } else {
        Err(OnboardingError::StaffText)
    }
}

/// An application that is being examined, with its session's lock held.
struct Examined {
    work: Work,
    session: Session,
    examination: Examination,
    party: PartyId,
}

impl Onboarding {
    /// Records what one of the staff found out.
    ///
    /// # Errors
    /// [`OnboardingError::NotExamined`], [`OnboardingError::StaffText`],
    /// [`OnboardingError::TooManyPreparations`], or a fault.
    pub async fn prepare(
        &self,
        id: [u8; 16],
        by: &StaffMember,
        preparation: &Preparation,
    ) -> Result<(), OnboardingError> {
        check_text(&preparation.sources_of_funds)?;
        check_text(&preparation.reason)?;
        let _lock = self.lock(id).await;
        let mut examined = self.examined(id).await?;
        if examined.examination.prepared.len() >= PREPARATIONS_MAX {
            return Err(OnboardingError::TooManyPreparations);
        }
        let act = self.act(by);
        let step = Step {
            application: hex::encode(&id),
            by: act.by.clone(),
            at: act.at,
            sources_of_funds: Some(preparation.sources_of_funds.clone()),
            approve: None,
            reason: preparation.reason.clone(),
        };
        examined.examination.prepared.push(act);
        self.keep_step(examined, State::Examining, PREPARATION, &step).await
    }

    /// Approves or refuses. An approved application is checked once more, and only then its
    /// account is opened.
    ///
    /// # Errors
    /// [`OnboardingError::SeniorNeeded`], [`OnboardingError::NotPrepared`],
    /// [`OnboardingError::FourEyes`], as [`Onboarding::prepare`], or a fault.
    pub async fn decide(
        &self,
        id: [u8; 16],
        by: &StaffMember,
        verdict: &Verdict,
    ) -> Result<(), OnboardingError> {
        check_text(&verdict.reason)?;
        if by.role != StaffRole::Senior {
            return Err(OnboardingError::SeniorNeeded);
        }
        let _lock = self.lock(id).await;
        let mut examined = self.examined(id).await?;
        let prepared = &examined.examination.prepared;
        if prepared.is_empty() {
            return Err(OnboardingError::NotPrepared);
        }
        if prepared.iter().any(|act| act.by == by.name) {
            return Err(OnboardingError::FourEyes);
        }
        let act = self.act(by);
        let step = Step {
            application: hex::encode(&id),
            by: act.by.clone(),
            at: act.at,
            sources_of_funds: None,
            approve: Some(verdict.approve),
            reason: verdict.reason.clone(),
        };
        examined.examination.decided = Some((act, verdict.approve));
        let next = if verdict.approve {
            State::Approved
        } else {
            State::Refused.name().clone_into(&mut examined.session.ends);
            examined.session.reasons = vec![REFUSED.to_owned()];
            State::Closing
        };
        self.keep_step(examined, next, VERDICT, &step).await?;
        self.spawn(id);
        Ok(())
    }

    fn act(&self, by: &StaffMember) -> Act {
        Act { by: by.name.clone(), at: self.now() }
    }

    async fn examined(&self, id: [u8; 16]) -> Result<Examined, OnboardingError> {
        let work = self.work(id).await?;
        let session: Session = work.payload()?;
        let waits = State::of(&work.state) == Some(State::Examining);
        match (session.examination.clone(), work.party) {
            (Some(examination), Some(party)) if waits && self.now() < examination.lapses => {
                Ok(Examined { work, session, examination, party })
            }
            _ => Err(OnboardingError::NotExamined),
        }
    }

    /// The evidence and the session's next state: both, or nothing.
    async fn keep_step(
        &self,
        examined: Examined,
        next: State,
        name: &'static str,
        step: &Step,
    ) -> Result<(), OnboardingError> {
        let Examined { mut work, mut session, examination, party } = examined;
        let item = NewItem {
            kind: ItemKind::Evidence,
            name,
            category: category(Category::Kyc),
            consent: None,
            keep_until: None,
            value: Personal::json(step),
        };
        let waits = next == State::Examining;
        work.due = Some(if waits { examination.lapses } else { step.at });
        work.attempts = 0;
        next.name().clone_into(&mut work.state);
        session.examination = Some(examination);
        work.set_payload(&session);
        let mut change = self.vault().begin().await?;
        change.put(party, &item, step.at).await?;
        if next == State::Closing {
            // A refused customer is forgotten, but not what the refusal rests on.
            change.hold(party, HOLD_LAW, step.at.saturating_add(DurationMs(HOLD_MS))).await?;
        }
        change.put_work(SESSIONS, &work).await?;
        change.commit().await?;
        self.inner.moved.notify_waiters();
        Ok(())
    }

    /// After the approval everything is looked at again: the consents on the ledger, the
    /// credentials' status, the screening, the product's rules.
    pub(crate) async fn look_again(
        &self,
        session: &mut Session,
        party: PartyId,
    ) -> Result<Next, OnboardingError> {
        let now = self.now();
        for plan in &session.consents {
            for grant in &plan.grants {
                let found = self.inner.parts.ledger.consent(grant.rel).await?;
                let stands = found.is_some_and(|its| its.revoked.is_none() && now < its.expires);
                if !stands {
                    let reason = "consent_not_in_force".to_owned();
                    return Ok(Next::Undo(State::Failed, vec![reason]));
                }
            }
        }
        self.judge(session, party).await
    }
}
