//! The registrar: enrols people once, and gives back what a lost device held.
//!
//! Rules: one living enrolment for each person, found by the OPRF output of the personal number;
//! a minor is enrolled by the guardian whom the register names, who is the one that is seen; a
//! recovery needs a proofing at the enrolment's level or two of three guardians, ends all old
//! credentials and starts a cool-down that the new ones tell.

use etibar_credential::{
    capacity::AGE_OF_MAJORITY,
    catalogue::Language,
    identifier::DocumentNumber,
    level::AssuranceLevel,
    oprf::Uid,
    recovery::{COOL_DOWN, RECOVERY_LIFE},
};
use etibar_openid::{
    Private,
    member::{
        APPROVALS_NEEDED, Enrolment, EnrolmentAnswer, GUARDIANS, HolderEnvelope, ProofingEvidence,
        Recovery, RecoveryMeans, RecoveryProgress, RecoveryState, render,
    },
    vci::issuer::{Offering, Way},
};
use etibar_primitives::{BlockTime, Digest, OperationId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    agencies::kind,
    agency::{Agency, entropy},
    date::Date,
    error::AgencyError,
    identifiers::Fin,
    issuing::configurations,
    proofing::ProofingError,
    register::{Ending, Record},
    store::{EnrolmentRow, EnrolmentTaken, RecoveryRow},
    subject::Subject,
};

/// What an enrolment holds of the person.
#[derive(Serialize, Deserialize)]
struct Enrolled {
    fin: Fin,
    guardians: Vec<Fin>,
    language: Language,
}

impl Agency {
    /// `POST /v1/enrolments`.
    pub async fn enrol(&self, request: &Enrolment) -> Result<EnrolmentAnswer, AgencyError> {
        let keys = self.inner.setup.registrar.as_ref().ok_or(AgencyError::NotRegistrar)?;
        let fin = Fin::parse(&request.fin.0)?;
        let record = self.confirm(&fin, &request.document_number.0).await?;
        let level = self.see(&fin, &record, &request.proofing).await?;
        let guardians = guardians(fin, &request.guardians)?;
        let now = self.now();
        let enrolled = Enrolled { fin, guardians, language: request.language };
        let row = EnrolmentRow {
            id: request.id,
            uid: self.uid_tag(&keys.uid(&fin)),
            fingerprint: self.inner.store.key().tag("enrolment", &[&render(request)?]),
            level: level.number(),
            enrolled: now,
            recovered: None,
            cooldown: None,
            sealed: self.inner.store.key().seal("enrolment", &request.id.to_bytes(), &enrolled),
        };
        match self.inner.store.enrol(&row).await? {
            EnrolmentTaken::New => {}
            EnrolmentTaken::Repeated(row) => {
                let age = now.since(row.enrolled);
                if age > self.inner.setup.limits.repeat_ms {
                    return Err(AgencyError::EnrolmentComplete);
                }
            }
            EnrolmentTaken::OtherContent => return Err(AgencyError::IdReused),
            EnrolmentTaken::Duplicate => return Err(AgencyError::AlreadyEnrolled),
        }
        let offers = vec![self.offer_all(&fin).await?];
        Ok(EnrolmentAnswer { id: request.id, level, offers, tx_code: None })
    }

    /// `POST /v1/recoveries`: opens a recovery, or tells the wallet that opened it how far it is.
    pub async fn recover(&self, request: &Recovery) -> Result<RecoveryProgress, AgencyError> {
        let fin = Fin::parse(&request.fin.0)?;
        let record = self.confirm(&fin, &request.document_number.0).await?;
        let (uid, living) = self.enrolled(&fin).await?;
        let level = living.level;
        let row = self.recovery_row(request, &uid).await?;
        let reached = match &request.by {
            _ if row.done.is_some() => level,
            RecoveryMeans::Proofing { proofing } => {
                let seen = self.see(&fin, &record, proofing).await?.number();
                if seen < level {
                    return Err(AgencyError::RecoveryLevel);
                }
                seen
            }
            RecoveryMeans::Guardians {} => {
                if self.enrolment_of(&uid).await?.guardians.is_empty() {
                    return Err(AgencyError::NoGuardians);
                }
                let missing = self.approvals_missing(row.id).await?;
                if missing > 0 {
                    return Ok(waiting(row.id, missing));
                }
                level
            }
        };
        self.complete(&fin, &row, reached).await
    }

    /// `GET /v1/recoveries/{id}`: how far it is, without offers.
    pub async fn recovery(&self, id: OperationId) -> Result<RecoveryProgress, AgencyError> {
        let row = self.inner.store.recovery(id).await?.ok_or(AgencyError::RecoveryUnknown)?;
        if row.done.is_none() {
            return Ok(waiting(id, self.approvals_missing(id).await?));
        }
        Ok(done(&row, Vec::new()))
    }

    /// `POST /v1/recoveries/{id}/approvals`: a guardian approves.
    pub async fn approve(
        &self,
        id: OperationId,
        envelope: &HolderEnvelope,
    ) -> Result<RecoveryProgress, AgencyError> {
        let (guardian, approval) = self.open_approval(envelope).await?;
        if approval.recovery != id {
            return Err(AgencyError::OtherAction);
        }
        let row = self.inner.store.recovery(id).await?.ok_or(AgencyError::RecoveryUnknown)?;
        if row.done.is_none() && self.now() >= row.expires {
            return Err(AgencyError::RecoveryUnknown);
        }
        let living = self.inner.store.living_enrolment(&row.uid).await?;
        let enrolled = self.open_enrolment(&living.ok_or(AgencyError::NotEnrolled)?)?;
        if !enrolled.guardians.contains(&guardian) {
            return Err(AgencyError::NotAGuardian);
        }
        let tag = self.inner.store.key().tag("guardian", &[guardian.expose().as_bytes()]);
        self.inner.store.approve(id, &tag, self.now()).await?;
        Ok(waiting(id, self.approvals_missing(id).await?))
    }

    /// Replaces the person's guardians.
    pub(crate) async fn name_guardians(
        &self,
        fin: &Fin,
        named: &[Private<String>],
    ) -> Result<(), AgencyError> {
        let named = guardians(*fin, named)?;
        if named.is_empty() {
            return Err(AgencyError::GuardiansInvalid);
        }
        let (uid, _) = self.enrolled(fin).await?;
        let living = self.inner.store.living_enrolment(&self.uid_tag(&uid)).await?;
        let living = living.ok_or(AgencyError::NotEnrolled)?;
        let enrolled = Enrolled { guardians: named, ..self.open_enrolment(&living)? };
        let sealed = self.inner.store.key().seal("enrolment", &living.id.to_bytes(), &enrolled);
        Ok(self.inner.store.reseal_enrolment(living.id, &sealed).await?)
    }

    /// The tag under which the store knows a person's enrolment.
    pub(crate) fn uid_tag(&self, uid: &Uid) -> Digest {
        self.inner.store.key().tag("uid", &[uid.expose()])
    }

    /// The person's record, once the document's number agrees with it.
    async fn confirm(&self, fin: &Fin, document: &str) -> Result<Record, AgencyError> {
        let document = DocumentNumber::parse(document)?;
        let records = self.inner.register.held_by(kind::PID, fin).await?;
        let is_theirs = |record: &Record| {
            let number = record.claims.get("document_number").and_then(Value::as_str);
            number.is_some_and(|number| number == document.expose())
        };
        let record = records.into_iter().find(is_theirs).ok_or(AgencyError::PersonNotConfirmed)?;
        match record.ended {
            Some(Ending::Died) => Err(AgencyError::PersonDeceased),
            None if record.is_in_force(Date::of(self.now())) => Ok(record),
            Some(Ending::Withdrawn) | None => Err(AgencyError::DocumentExpired),
        }
    }

    /// Has the provider see the person; of a minor, the guardian.
    async fn see(
        &self,
        fin: &Fin,
        record: &Record,
        evidence: &ProofingEvidence,
    ) -> Result<AssuranceLevel, AgencyError> {
        let text = |name: &str| record.claims.get(name).and_then(Value::as_str);
        let born: Option<Date> = text("birthdate").and_then(|text| text.parse().ok());
        let born = born.ok_or(AgencyError::Credential("birthdate"))?;
        let is_minor = born.years_until(Date::of(self.now())) < AGE_OF_MAJORITY;
        let seen = if is_minor {
            let guardian = text("guardian").and_then(|text| Fin::parse(text).ok());
            guardian.ok_or(AgencyError::GuardianNeeded)?
        } else {
            *fin
        };
        if evidence.provider != self.inner.proofing.name() {
            return Err(ProofingError::Provider.into());
        }
        match self.inner.proofing.check(&seen, evidence).await {
            Err(ProofingError::OtherPerson) if is_minor => Err(AgencyError::GuardianNeeded),
            Err(error) => Err(error.into()),
            Ok(()) => evidence.methods.level().ok_or(ProofingError::Malformed.into()),
        }
    }

    /// One offer of the PID and of a pairwise credential for each bank.
    async fn offer_all(&self, fin: &Fin) -> Result<String, AgencyError> {
        let (inner, now) = (&self.inner, self.now());
        let subject = Subject { fin: *fin, renews: false, since: now };
        let offering = Offering {
            configurations: configurations(inner.setup.kind).into_keys().collect(),
            way: Way::PreAuthorized { subject: subject.render(), tx_code: false },
            by_reference: true,
        };
        Ok(inner.issuer.offer(&inner.grants, offering, now, &entropy()).await?.uri)
    }

    async fn recovery_row(
        &self,
        request: &Recovery,
        uid: &Uid,
    ) -> Result<RecoveryRow, AgencyError> {
        let now = self.now();
        let fingerprint = self.inner.store.key().tag("recovery", &[&render(request)?]);
        let row = RecoveryRow {
            id: request.id,
            uid: self.uid_tag(uid),
            fingerprint,
            opened: now,
            expires: now.saturating_add(RECOVERY_LIFE),
            done: None,
            cooldown: None,
        };
        let found = self.inner.store.open_recovery(&row).await?;
        if found.fingerprint != fingerprint {
            return Err(AgencyError::IdReused);
        }
        if found.done.is_none() && now >= found.expires {
            return Err(AgencyError::RecoveryUnknown);
        }
        Ok(found)
    }

    async fn enrolment_of(&self, uid: &Uid) -> Result<Enrolled, AgencyError> {
        let living = self.inner.store.living_enrolment(&self.uid_tag(uid)).await?;
        self.open_enrolment(&living.ok_or(AgencyError::NotEnrolled)?)
    }

    fn open_enrolment(&self, row: &EnrolmentRow) -> Result<Enrolled, AgencyError> {
        Ok(self.inner.store.key().open("enrolment", &row.id.to_bytes(), &row.sealed)?)
    }

    async fn approvals_missing(&self, id: OperationId) -> Result<usize, AgencyError> {
        let given = self.inner.store.approvals(id).await?;
        Ok(APPROVALS_NEEDED.saturating_sub(usize::try_from(given).unwrap_or(usize::MAX)))
    }

    /// Ends the old credentials and offers new ones; a repeat within some minutes gets new offers.
    async fn complete(
        &self,
        fin: &Fin,
        row: &RecoveryRow,
        level: u8,
    ) -> Result<RecoveryProgress, AgencyError> {
        let now = self.now();
        if row.done.is_none() {
            let cooldown = now.saturating_add(COOL_DOWN);
            let holder = self.inner.store.key().holder(fin);
            let times = (now, cooldown);
            self.inner.store.complete_recovery(row, &holder, level, times).await?;
            self.publish().await?;
        }
        let row = self.inner.store.recovery(row.id).await?.ok_or(AgencyError::RecoveryUnknown)?;
        let since = now.since(row.done.unwrap_or(BlockTime(0)));
        let offers = if since <= self.inner.setup.limits.repeat_ms {
            vec![self.offer_all(fin).await?]
        } else {
            Vec::new()
        };
        Ok(done(&row, offers))
    }
}

/// None, or three other people.
fn guardians(fin: Fin, named: &[Private<String>]) -> Result<Vec<Fin>, AgencyError> {
    let parsed = named.iter().map(|text| Fin::parse(&text.0)).collect::<Result<Vec<_>, _>>()?;
    let mut different = parsed.clone();
    different.sort_unstable();
    different.dedup();
    let whole = parsed.is_empty() || different.len() == GUARDIANS;
    if whole && !parsed.contains(&fin) { Ok(parsed) } else { Err(AgencyError::GuardiansInvalid) }
}

fn waiting(id: OperationId, missing: usize) -> RecoveryProgress {
    RecoveryProgress {
        id,
        state: RecoveryState::Waiting,
        approvals_missing: u8::try_from(missing).expect("at most two are missing"),
        offers: Vec::new(),
        cooldown_until: None,
    }
}

fn done(row: &RecoveryRow, offers: Vec<String>) -> RecoveryProgress {
    RecoveryProgress {
        id: row.id,
        state: RecoveryState::Done,
        approvals_missing: 0,
        offers,
        cooldown_until: row.cooldown,
    }
}
