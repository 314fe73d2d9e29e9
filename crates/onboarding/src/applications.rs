//! Applications as the bank's staff sees them. What is personal is read through the gate, in the
//! staff's name.

use etibar_credential::level::AssuranceLevel;
use etibar_primitives::{BlockTime, MemberId, hex};
use etibar_vault::{
    Access, AccessRecord, Basis, ItemKind, LegalBasis, PartyId, Reader, Select,
    erasure::{ErasureView, HoldView},
    work::Work,
};
use serde::Serialize;

use crate::{
    Onboarding, OnboardingError,
    decide::{Cause, Facts},
    examination::{Examination, PREPARATION, Step, VERDICT},
    kyc::Record,
    session::{SESSIONS, Session, State},
    staff::{StaffMember, StaffRole},
};

/// In whose name the staff reads.
pub(crate) const STAFF: Reader = Reader("staff");

/// An application in a list: nothing personal.
#[derive(Debug, Clone, Serialize)]
pub struct ApplicationLine {
    /// The session's id.
    pub id: String,
    /// Where it is.
    pub state: &'static str,
    /// The product.
    pub product: String,
    /// When it began.
    pub created: BlockTime,
    /// Why enhanced measures apply.
    pub causes: Vec<Cause>,
    /// How far the examination is.
    pub examination: Option<Examination>,
    /// How often its present step was tried in vain.
    pub attempts: u32,
}

/// An application with everything the staff may see.
pub struct Application {
    /// As in the list.
    pub line: ApplicationLine,
    /// Why it was refused or failed.
    pub reasons: Vec<String>,
    /// Whose due diligence is reused.
    pub reused_from: Option<MemberId>,
    /// What was presented or fetched, while a consent allows to read it.
    pub facts: Option<Facts>,
    /// Which credentials showed it.
    pub evidence: Vec<EvidenceLine>,
    /// The level of assurance that the credentials reach.
    pub level: Option<AssuranceLevel>,
    /// The bank's decisions on this person.
    pub decisions: Vec<Record>,
    /// What the staff wrote down on this application, the oldest first.
    pub steps: Vec<Step>,
    /// What the person asked to erase.
    pub erasure: Option<ErasureView>,
    /// What the law makes the bank keep, and until when.
    pub holds: Vec<HoldView>,
    /// Who read the person's data, the newest first.
    pub accesses: Vec<AccessRecord>,
}

/// A credential that an application rests on.
#[derive(Debug, Clone)]
pub struct EvidenceLine {
    /// Its type.
    pub vct: String,
    /// Who vouches for it.
    pub issuer: MemberId,
    /// Where its status stands.
    pub status: String,
}

impl ApplicationLine {
    /// When its examination ends by itself, while it is examined.
    pub fn lapses(&self) -> Option<BlockTime> {
        let examined = self.state == State::Examining.name();
        self.examination.as_ref().filter(|_| examined).map(|its| its.lapses)
    }

    fn of(work: &Work) -> Result<Self, OnboardingError> {
        let session: Session = work.payload()?;
        let state = State::of(&work.state).ok_or(OnboardingError::UnknownSession)?;
        Ok(Self {
            id: hex::encode(&work.id),
            state: state.name(),
            product: session.product,
            created: work.created,
            causes: session.examination.as_ref().map_or_else(Vec::new, |its| its.causes.clone()),
            examination: session.examination,
            attempts: work.attempts,
        })
    }
}

impl Onboarding {
    /// Applications in `state`, or all: first those that are examined, by when they lapse, then
    /// the others, the newest first.
    ///
    /// # Errors
    /// A fault of the vault.
    pub async fn applications(
        &self,
        state: Option<State>,
        limit: u32,
    ) -> Result<Vec<ApplicationLine>, OnboardingError> {
        let (vault, examining) = (self.vault(), State::Examining.name());
        let mut works = Vec::new();
        if state.is_none_or(|state| state == State::Examining) {
            works = vault.works_by_due(SESSIONS, examining, limit).await?;
        }
        if state != Some(State::Examining) {
            let others = vault.works(SESSIONS, state.map(State::name), limit).await?;
            works.extend(others.into_iter().filter(|work| work.state != examining));
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        works.iter().take(limit).map(ApplicationLine::of).collect()
    }

    /// One application, for one of the staff; each reading of the person's data is on record, and
    /// the look in the person's own list.
    ///
    /// # Errors
    /// [`OnboardingError::UnknownSession`], or a fault.
    pub async fn application(
        &self,
        id: [u8; 16],
        by: &StaffMember,
    ) -> Result<Application, OnboardingError> {
        let work = self.work(id).await?;
        let session: Session = work.payload()?;
        let mut application = Application {
            line: ApplicationLine::of(&work)?,
            reasons: session.reasons.clone(),
            reused_from: session.reused_from,
            facts: None,
            evidence: Vec::new(),
            level: None,
            decisions: Vec::new(),
            steps: Vec::new(),
            erasure: None,
            holds: Vec::new(),
            accesses: Vec::new(),
        };
        let answered = !matches!(State::of(&work.state), None | Some(State::Waiting));
        if let Some(party) = work.party.filter(|_| answered) {
            self.fill(&mut application, &session, party, by.role).await?;
        }
        Ok(application)
    }

    async fn fill(
        &self,
        application: &mut Application,
        session: &Session,
        party: PartyId,
        by: StaffRole,
    ) -> Result<(), OnboardingError> {
        let vault = self.vault();
        application.erasure = vault.erasure(party).await?;
        application.holds = vault.holds(party).await?;
        if vault.party(party).await?.erased.is_none() {
            application.facts = refused_to_none(self.facts(session, party, STAFF).await)?;
            let evidence = refused_to_none(self.evidence(session, party, STAFF).await)?;
            if let Some(evidence) = evidence {
                application.level = Some(evidence.level);
                let asked = self.product(session)?.agreed_query().credentials;
                let vct = |query: &String| {
                    let its = asked.iter().find(|its| its.id == *query);
                    its.and_then(|its| its.meta.vct_values.first()).unwrap_or(query).clone()
                };
                let queries = evidence.presentations.keys();
                let lines = queries.zip(&evidence.statuses).map(|(query, at)| EvidenceLine {
                    vct: vct(query),
                    issuer: at.issuer,
                    status: format!("{}#{}", at.uri, at.index),
                });
                application.evidence = lines.collect();
            }
            application.decisions = self.decisions(party).await?;
            application.steps = self.steps(party, &application.line.id).await?;
            let (facts, decisions) = (application.facts.as_ref(), &application.decisions);
            if facts.is_some() || !decisions.is_empty() || !application.steps.is_empty() {
                self.note_look(session, party, by, facts).await?;
            }
        }
        application.accesses = vault.latest_accesses(party).await?;
        Ok(())
    }

    /// What the staff wrote down on an application.
    async fn steps(&self, party: PartyId, application: &str) -> Result<Vec<Step>, OnboardingError> {
        let wanted = Access {
            party,
            purpose: 1,
            basis: Basis::Law(LegalBasis::DueDiligence),
            reader: STAFF,
            select: Select {
                kind: Some(ItemKind::Evidence),
                names: &[PREPARATION, VERDICT],
                of_consent: None,
            },
            now: self.now(),
        };
        let reading = self.vault().read(&wanted);
        let mut steps = Vec::new();
        for item in reading.await?.items {
            let step: Step = item.value.parse()?;
            if step.application == application {
                steps.push(step);
            }
        }
        steps.sort_by_key(|step| step.at);
        Ok(steps)
    }
}

/// A consent that is over lets nothing be read: that is no failure of the page.
fn refused_to_none<T>(read: Result<T, OnboardingError>) -> Result<Option<T>, OnboardingError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.is_fault() => Err(error),
        Err(_) => Ok(None),
    }
}
