//! The steps of a session after its answer. Each step's effect is idempotent and its completion is
//! one commit: a kill between any two leaves a session that goes on, or is undone, by itself.

use etibar_credential::{consent::LedgerGrant, status_list::Status};
use etibar_ledger::{
    Operation, Outcome,
    operation::{Action, ConsentGrant, ConsentRevocation, PurposeCode, Scope},
};
use etibar_primitives::{BlockTime, Digest, DurationMs, OperationId};
use etibar_vault::{
    Access, Basis, ItemKind, NewItem, PartyId, Personal, Reader, Select, TagKind,
    consent::ConsentState, work::Work,
};
use serde_json::{Map, Value};

use crate::{
    Onboarding, OnboardingError,
    answer::Evidence,
    decide::{Accepted, Decision, Facts, decide},
    examination::{Examination, LAPSED},
    policy::Product,
    service::{DAY_MS, category},
    session::{Plan, SESSIONS, Session, State},
};

/// The pause before a step is tried again: doubled with each attempt up to the largest, in ms.
const RETRY_MS: u64 = 500;
const RETRY_MS_MAX: u64 = 30_000;
/// How long due diligence is kept (law 781-VIQ), in milliseconds: five years.
pub const HOLD_MS: u64 = 5 * 365 * DAY_MS;
/// The law of that hold.
pub const HOLD_LAW: &str = "aml_781_viq";

/// In whose name the flows read.
pub(crate) const FLOW: Reader = Reader("onboarding");

/// Where a step leads.
pub(crate) enum Next {
    /// On to a state; the payload changed perhaps.
    To(State),
    /// To be undone, ending in a state, for these reasons.
    Undo(State, Vec<String>),
}

impl Onboarding {
    /// Lets a session go on in the background.
    pub(crate) fn spawn(&self, id: [u8; 16]) {
        let flows = self.clone();
        tokio::spawn(async move {
            if let Err(error) = flows.advance(id).await {
                tracing::warn!(code = error.code(), "a session could not go on");
            }
        });
    }

    /// Lets a session go on as far as it can now.
    ///
    /// # Errors
    /// A fault of the vault: the session stands where it stood.
    pub async fn advance(&self, id: [u8; 16]) -> Result<State, OnboardingError> {
        let _lock = self.lock(id).await;
        loop {
            let work = self.work(id).await?;
            let state = State::of(&work.state).ok_or(OnboardingError::UnknownSession)?;
            if state.is_terminal() {
                self.inner.moved.notify_waiters();
                self.inner.wake.notify_one();
                return Ok(state);
            }
            let mut session: Session = work.payload()?;
            let now = self.now();
            let undecided = state.is_undecided();
            if session.limit(state).is_some_and(|limit| now >= limit) {
                let (ends, reason) = match state {
                    State::Waiting => (State::Expired, "session_expired"),
                    State::Examining | State::Approved => (State::Expired, LAPSED),
                    _ => (State::Failed, "session_expired"),
                };
                let reasons = if session.reasons.is_empty() {
                    vec![reason.to_owned()]
                } else {
                    session.reasons
                };
                self.close(work, ends, reasons).await?;
                continue;
            }
            if state.waits_for_people() {
                return Ok(state);
            }
            match self.step(&work, &mut session, state).await {
                Ok(Next::To(next)) => self.move_on(work, &session, next).await?,
                Ok(Next::Undo(ends, reasons)) => {
                    let mut work = work;
                    work.set_payload(&session);
                    self.close(work, ends, reasons).await?;
                }
                Err(error) if error.is_fault() || !undecided => {
                    tracing::info!(state = state.name(), code = error.code(), "a step waits");
                    session.reasons = vec![error.code().to_owned()];
                    self.wait(work, &session, now).await?;
                    return Ok(state);
                }
                Err(error) => {
                    let mut work = work;
                    work.set_payload(&session);
                    self.close(work, State::Failed, vec![error.code().to_owned()]).await?;
                }
            }
        }
    }

    async fn step(
        &self,
        work: &Work,
        session: &mut Session,
        state: State,
    ) -> Result<Next, OnboardingError> {
        let party = work.party;
        if state == State::Closing {
            return self.undo(work, session).await;
        }
        let party = party.ok_or(OnboardingError::UnknownSession)?;
        match state {
            State::Presented => self.grant(session, party).await,
            State::Granted => self.fetch_all(session, party).await.map(Next::To),
            State::Fetched => self.judge(session, party).await,
            State::Approved => self.look_again(session, party).await,
            State::Accepted => self.open_account(session, party).await,
            State::Opened => self.offer(session, party).await.map(Next::To),
            _ => Err(OnboardingError::SessionClosed),
        }
    }

    async fn move_on(
        &self,
        mut work: Work,
        session: &Session,
        next: State,
    ) -> Result<(), OnboardingError> {
        if session.erase.is_some() || next.is_terminal() && !session.ends.is_empty() {
            work.party = None;
        }
        next.name().clone_into(&mut work.state);
        work.attempts = 0;
        work.due = match next {
            State::Examining => session.limit(next),
            _ => (!next.is_terminal()).then(|| self.now()),
        };
        work.set_payload(session);
        let mut change = self.vault().begin().await?;
        change.put_work(SESSIONS, &work).await?;
        change.commit().await?;
        self.inner.moved.notify_waiters();
        Ok(())
    }

    async fn wait(
        &self,
        mut work: Work,
        session: &Session,
        now: BlockTime,
    ) -> Result<(), OnboardingError> {
        let pause = RETRY_MS.saturating_mul(1 << work.attempts.min(10)).min(RETRY_MS_MAX);
        work.attempts = work.attempts.saturating_add(1);
        work.due = Some(now.saturating_add(DurationMs(pause)));
        work.set_payload(session);
        let mut change = self.vault().begin().await?;
        change.put_work(SESSIONS, &work).await?;
        change.commit().await?;
        Ok(())
    }

    /// Notes that a session is to be undone, and how it ends; undoing is its next step.
    pub(crate) async fn close(
        &self,
        work: Work,
        ends: State,
        reasons: Vec<String>,
    ) -> Result<(), OnboardingError> {
        let mut session: Session = work.payload()?;
        ends.name().clone_into(&mut session.ends);
        session.reasons = reasons;
        let id = work.id;
        self.move_on(work, &session, State::Closing).await?;
        self.spawn(id);
        Ok(())
    }

    /// The consents become the ledger's: all of them, proven, before anything is used.
    async fn grant(&self, session: &Session, party: PartyId) -> Result<Next, OnboardingError> {
        let mut operations = Vec::new();
        for plan in &session.consents {
            let key = self.inner.parts.identity.signer.public_key();
            let artefact = etibar_credential::consent::Artefact::verify(&plan.artefact, &key)?;
            for grant in &plan.grants {
                let record =
                    LedgerGrant::of(&artefact, &plan.artefact, grant.provider, &grant.secret())?;
                let action = Action::GrantConsent(ConsentGrant {
                    rel: record.rel,
                    commitment: record.commitment,
                    provider: record.provider,
                    expires: record.expires,
                    purpose: PurposeCode(record.purpose.0),
                    scope: Scope(record.scope.0),
                });
                operations.push(Operation { id: grant.grant, linked: false, action });
            }
        }
        let executed = self.inner.parts.ledger.execute(&operations).await?;
        let refused = executed.iter().find(|its| !its.outcome.is_accepted());
        if let Some(refused) = refused {
            let reason = match refused.outcome {
                Outcome::ConsentExceedsPurpose => "exceeds_purpose",
                other => other.name(),
            };
            return Ok(Next::Undo(State::Failed, vec![reason.to_owned()]));
        }
        let now = self.now();
        let mut change = self.vault().begin().await?;
        for grant in session.consents.iter().flat_map(|plan| &plan.grants) {
            change.set_consent(grant.consent(), ConsentState::Granted, now).await?;
        }
        change.commit().await?;
        self.note_use(session, party).await?;
        Ok(Next::To(State::Granted))
    }

    /// Reads what came under the session's consents, through the gate.
    pub(crate) async fn facts(
        &self,
        session: &Session,
        party: PartyId,
        reader: Reader,
    ) -> Result<Facts, OnboardingError> {
        let mut facts = Facts::default();
        let Some(plan) = session.consents.first() else { return Ok(facts) };
        for grant in &plan.grants {
            let consent = grant.consent();
            let select =
                Select { kind: Some(ItemKind::Attribute), names: &[], of_consent: Some(consent) };
            let wanted = Access {
                party,
                purpose: plan.purpose,
                basis: Basis::Consent(consent),
                reader,
                select,
                now: self.now(),
            };
            let reading = self.vault().read(&wanted);
            for item in reading.await?.items {
                let (short, claim) = item.name.split_once('.').unwrap_or(("pid", &item.name));
                let vct = etibar_credential::catalogue::credential_type_by_name(short);
                let Some(vct) = vct.map(|known| known.vct.as_str()) else { continue };
                let value: Value = item.value.parse()?;
                facts.add(vct, Value::Object(Map::from_iter([(claim.to_owned(), value)])));
            }
        }
        Ok(facts)
    }

    /// The evidence of a party's session.
    pub(crate) async fn evidence(
        &self,
        session: &Session,
        party: PartyId,
        reader: Reader,
    ) -> Result<Evidence, OnboardingError> {
        let plan = session.consents.first().ok_or(OnboardingError::UnknownSession)?;
        let consent = plan.grants.first().ok_or(OnboardingError::UnknownSession)?.consent();
        let wanted = Access {
            party,
            purpose: plan.purpose,
            basis: Basis::Consent(consent),
            reader,
            select: Select {
                kind: Some(ItemKind::Evidence),
                names: &["presentation"],
                of_consent: Some(consent),
            },
            now: self.now(),
        };
        let reading = self.vault().read(&wanted);
        let reading = reading.await?;
        Ok(reading.get("presentation").ok_or(OnboardingError::UnknownSession)?.parse()?)
    }

    /// Looks again at every status, asks the screening, decides, and records the decision.
    pub(crate) async fn judge(
        &self,
        session: &mut Session,
        party: PartyId,
    ) -> Result<Next, OnboardingError> {
        let now = self.now();
        let product = self.product(session)?.clone();
        let evidence = self.evidence(session, party, FLOW).await?;
        if let Some(reason) = self.revoked_since(&evidence, product.status_age_s, now).await? {
            return Ok(Next::Undo(State::Failed, vec![reason.to_owned()]));
        }
        let facts = self.facts(session, party, FLOW).await?;
        let screened = self.inner.parts.screening.screen(&facts).await?;
        match decide(&product, &facts, evidence.level, screened, now.into()) {
            Decision::Accept(accepted) => {
                session.enhanced = !accepted.causes.is_empty();
                session.reasons.clear();
                let causes = &accepted.causes;
                let examined = session.examination.as_ref().is_some_and(|its| its.covers(causes));
                if session.enhanced && !examined {
                    let (life, causes) = (self.inner.parts.examination_life, accepted.causes);
                    session.examination = Some(Examination::begin(causes, session, life, now));
                    return Ok(Next::To(State::Examining));
                }
                session.accepted = Some(now);
                self.record(session, &product, party, &facts, accepted).await?;
                Ok(Next::To(State::Accepted))
            }
            Decision::StepUp { needed, .. } => {
                session.needed = Some(needed);
                Ok(Next::Undo(State::StepUp, vec!["level_too_low".to_owned()]))
            }
            Decision::Refuse(reasons) => {
                let codes = reasons.iter().map(|reason| reason.code().to_owned()).collect();
                Ok(Next::Undo(State::Refused, codes))
            }
        }
    }

    /// Whether a credential was revoked between the check and the use.
    async fn revoked_since(
        &self,
        evidence: &Evidence,
        age_max_s: u64,
        now: BlockTime,
    ) -> Result<Option<&'static str>, OnboardingError> {
        for at in &evidence.statuses {
            let reference = at.reference();
            self.inner.trust.fetch(at.issuer, &reference, age_max_s, now).await?;
            let lists = self.inner.trust.lists();
            let list = lists.get(&reference.uri).ok_or(OnboardingError::StatusUnavailable)?;
            match list.list.get(reference.index) {
                Ok(Status::VALID) => {}
                Ok(Status::SUSPENDED) => return Ok(Some("suspended")),
                Ok(_) => return Ok(Some("revoked")),
                Err(_) => return Err(OnboardingError::StatusUnavailable),
            }
        }
        Ok(None)
    }

    /// Records the decision with what it rests on, and what the law makes the bank keep.
    async fn record(
        &self,
        session: &Session,
        product: &Product,
        party: PartyId,
        facts: &Facts,
        accepted: Accepted,
    ) -> Result<(), OnboardingError> {
        let now = self.now();
        let record = crate::kyc::Record::new(session, product, &accepted, now);
        let mut change = self.vault().begin().await?;
        if let Some(fin) = facts.fin() {
            // One person under two pseudonyms would be two people's credentials mixed.
            match change.tag(party, TagKind::Related, fin.as_bytes()).await {
                Err(etibar_vault::VaultError::TagTaken) => {
                    return Err(OnboardingError::MixedHolders);
                }
                other => other?,
            }
        }
        let item = NewItem {
            kind: ItemKind::Kyc,
            name: &product.name,
            category: category(etibar_credential::catalogue::Category::Kyc),
            consent: None,
            keep_until: None,
            value: Personal::json(&record),
        };
        change.put(party, &item, now).await?;
        change.hold(party, HOLD_LAW, now.saturating_add(DurationMs(HOLD_MS))).await?;
        change.commit().await?;
        Ok(())
    }

    /// Undoes a session: revokes what was granted, destroys what was kept for it.
    async fn undo(&self, work: &Work, session: &mut Session) -> Result<Next, OnboardingError> {
        if let Some(party) = work.party {
            self.revoke_plans(&session.consents, party).await?;
            let accounts = self.vault().count(party, ItemKind::Account).await?;
            let decisions = self.vault().count(party, ItemKind::Kyc).await?;
            if session.prospect && accounts == 0 && decisions == 0 {
                session.erase = Some(OperationId::from_bytes(party.0));
            }
            // The erasure deletes the party's work, and this is to stay: it lets go of the party.
            let mut detached = work.clone();
            detached.party = None;
            detached.set_payload(session);
            let now = self.now();
            let mut change = self.vault().begin().await?;
            for grant in session.consents.iter().flat_map(|plan| &plan.grants) {
                change.set_consent(grant.consent(), ConsentState::Revoked, now).await?;
                change.forget(grant.consent()).await?;
            }
            change.put_work(SESSIONS, &detached).await?;
            change.commit().await?;
        }
        if let Some(party) = session.erase {
            self.erase_prospect(PartyId(party.to_bytes())).await?;
        }
        // What named the relationships is gone; the session keeps how it ended.
        session.consents.clear();
        Ok(Next::To(State::of(&session.ends).unwrap_or(State::Failed)))
    }

    /// Destroys a person who never became a customer.
    pub(crate) async fn erase_prospect(&self, party: PartyId) -> Result<(), OnboardingError> {
        let now = self.now();
        let mut change = self.vault().begin().await?;
        change.request_erasure(party, now, now).await?;
        change.commit().await?;
        self.vault().erase(party, now, |facts| Ok(facts.id.to_vec())).await?;
        Ok(())
    }

    /// Revokes on the ledger those of `plans`' consents that may stand there.
    pub(crate) async fn revoke_plans(
        &self,
        plans: &[Plan],
        party: PartyId,
    ) -> Result<(), OnboardingError> {
        for grant in plans.iter().flat_map(|plan| &plan.grants) {
            let known = self.vault().consents(party).await?;
            if !known.iter().any(|its| its.id == grant.consent()) {
                continue;
            }
            if self.inner.parts.ledger.consent(grant.rel).await?.is_some() {
                self.revoke_on_ledger(grant.rel, grant.revoke).await?;
            }
        }
        Ok(())
    }

    /// Revokes a consent on the ledger; revoked already is as good.
    pub(crate) async fn revoke_on_ledger(
        &self,
        rel: Digest,
        operation: OperationId,
    ) -> Result<BlockTime, OnboardingError> {
        let action = Action::RevokeConsent(ConsentRevocation { rel });
        let operation = Operation { id: operation, linked: false, action };
        let executed = self.inner.parts.ledger.execute(&[operation]).await?;
        let done = executed.first().copied();
        match done {
            Some(done)
                if done.outcome.is_accepted()
                    || done.outcome == Outcome::ConsentAlreadyRevoked
                    || done.outcome == Outcome::ConsentUnknown =>
            {
                Ok(done.time)
            }
            _ => Err(crate::ports::LedgerFault("the revocation was not executed".into()).into()),
        }
    }

    pub(crate) fn product(&self, session: &Session) -> Result<&Product, OnboardingError> {
        let products = &self.inner.parts.products;
        products.get(&session.product).ok_or(OnboardingError::UnknownProduct)
    }
}
