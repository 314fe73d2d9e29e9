//! Changes of the register by its clerks, and what follows: revocation, notices, re-issue.

use etibar_credential::{catalogue, consent::Fetch, sd_jwt::ClaimPath};
use etibar_openid::member::{RegisterChange, RegisterChanged, render};
use etibar_primitives::{Digest, MemberId, OperationId};
use serde_json::Value;

use crate::{
    agencies::kind,
    agency::Agency,
    error::AgencyError,
    identifiers::{Fin, Voen},
    issuing::random_operation,
    register::{Ending, Record},
    store::{ChangeRow, ChangeTaken},
};

/// The path by which a change ends a record: `"died"`, `"withdrawn"`, or null to take it back.
pub const ENDED: &str = "record.ended";
/// The path by which a change sets a record's last day: `YYYY-MM-DD`, or null.
pub const VALID_UNTIL: &str = "record.valid_until";

impl Agency {
    /// `POST /v1/register/changes`: writes the register, revokes what attested the old entry, and
    /// puts a notice for each consent it concerns into the outbox. The holder fetches new
    /// credentials. A repeat changes nothing; after a stop in between, the repeat completes it.
    pub async fn change(&self, request: &RegisterChange) -> Result<RegisterChanged, AgencyError> {
        let fingerprint = self.inner.store.key().tag("change", &[&render(request)?]);
        match self.inner.store.change(request.id, &fingerprint).await? {
            Some(ChangeTaken::Done(row)) => return Ok(changed(request.id, &row)),
            Some(ChangeTaken::OtherContent) => return Err(AgencyError::IdReused),
            None => {}
        }
        let old = self.record_of(request).await?;
        let mut record = old.clone();
        for (path, value) in &request.changes.0 {
            apply(&mut record, path, value)?;
        }
        self.inner.register.put(std::slice::from_ref(&record)).await?;
        let notices = self.notices_for(request, &record).await?;
        let tag = self.inner.store.key().record(&record.kind, &record.id);
        let now = self.now();
        let change = (request.id, &fingerprint);
        let row = self.inner.store.take_change(change, &tag, &notices, now).await?;
        if record.kind == kind::PID && record.ended.is_some() {
            self.end_person(&record).await?;
        }
        self.publish().await?;
        self.inner.work.notify_one();
        Ok(changed(request.id, &row))
    }

    async fn record_of(&self, request: &RegisterChange) -> Result<Record, AgencyError> {
        if !self.inner.setup.kind.kinds().contains(&request.vct.as_str()) {
            return Err(AgencyError::RecordUnknown);
        }
        let register = &self.inner.register;
        let mut records = if let Ok(fin) = Fin::parse(&request.subject.0) {
            register.held_by(&request.vct, &fin).await?
        } else {
            let voen = Voen::parse(&request.subject.0)?;
            register.record(&request.vct, voen.expose()).await?.into_iter().collect()
        };
        match records.len() {
            0 => Err(AgencyError::RecordUnknown),
            1 => Ok(records.remove(0)),
            _ => Err(AgencyError::RecordAmbiguous),
        }
    }

    /// A notice for each live consent of the record's people that asks to be told of such changes.
    async fn notices_for(
        &self,
        request: &RegisterChange,
        record: &Record,
    ) -> Result<Vec<(OperationId, Digest, MemberId)>, AgencyError> {
        let now = self.now();
        let mut notices = Vec::new();
        for holder in &record.holders {
            let holder = self.inner.store.key().holder(holder);
            for consent in self.inner.store.consents_of(&holder, now).await? {
                let opened = self.open_consent(&consent)?;
                let terms = opened.artefact.terms();
                let asked = |path: &String| {
                    let changed: Vec<&str> = path.split('.').collect();
                    let changed = ClaimPath::of(&changed);
                    opened.artefact.asks().iter().filter(|ask| ask.vct == record.kind).any(|ask| {
                        path.starts_with("record.")
                            || ask.paths.iter().any(|asked| {
                                asked.steps().starts_with(changed.steps())
                                    || changed.steps().starts_with(asked.steps())
                            })
                    })
                };
                let concerns = request.changes.0.keys().any(asked);
                if terms.fetch == Fetch::OnChange && concerns {
                    notices.push((random_operation(), consent.rel, consent.consumer));
                }
            }
        }
        Ok(notices)
    }

    /// The person died or the identity was withdrawn: every credential ends, pairwise ones too.
    async fn end_person(&self, record: &Record) -> Result<(), AgencyError> {
        for fin in &record.holders {
            let holder = self.inner.store.key().holder(fin);
            self.inner.store.revoke_holder(&holder).await?;
            if let Some(keys) = &self.inner.setup.registrar {
                let uid = self.uid_tag(&keys.uid(fin));
                self.inner.store.end_enrolment(&uid, self.now()).await?;
            }
        }
        Ok(())
    }
}

fn apply(record: &mut Record, path: &str, value: &Value) -> Result<(), AgencyError> {
    match path {
        ENDED => {
            record.ended = match value.as_str() {
                Some("died") => Some(Ending::Died),
                Some("withdrawn") => Some(Ending::Withdrawn),
                None if value.is_null() => None,
                _ => return Err(AgencyError::ClaimUnknown),
            };
            return Ok(());
        }
        VALID_UNTIL => {
            let day = value.as_str().map(str::parse).transpose();
            record.valid_until = day.map_err(|_| AgencyError::ClaimUnknown)?;
            return Ok(());
        }
        _ => {}
    }
    let mut steps: Vec<&str> = path.split('.').collect();
    let known = catalogue::credential_type(&record.kind).ok_or(AgencyError::ClaimUnknown)?;
    let top = ClaimPath::of(&steps[..1]);
    if known.claim(&top).is_none() {
        return Err(AgencyError::ClaimUnknown);
    }
    let last = steps.pop().expect("a split text has at least one part");
    let mut at = &mut record.claims;
    for step in steps {
        let next = at.get_mut(step).and_then(Value::as_object_mut);
        at = next.ok_or(AgencyError::ClaimUnknown)?;
    }
    if value.is_null() {
        at.remove(last);
    } else {
        at.insert(last.to_owned(), value.clone());
    }
    Ok(())
}

fn changed(id: OperationId, row: &ChangeRow) -> RegisterChanged {
    let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    RegisterChanged {
        id,
        changed_at: row.changed,
        revoked: small(row.revoked),
        notices: small(row.notices),
    }
}
