//! Changes of the register by its clerks, and what follows: revocation, notices, re-issue.

use etibar_credential::{catalogue, consent::Fetch, evidence::Action, sd_jwt::ClaimPath};
use etibar_openid::member::{RegisterChange, RegisterChanged, render};
use etibar_primitives::{Digest, MemberId, OperationId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    agencies::kind,
    agency::Agency,
    date::Date,
    error::AgencyError,
    identifiers::{Fin, Voen},
    issuing::random_operation,
    register::{Ending, Record},
    store::{ChangeRow, ChangeTaken, Consequences, IntentionRow, Invalidity},
};

/// The path by which a change ends a record: `"died"`, `"withdrawn"`, or null to take it back.
pub const ENDED: &str = "record.ended";
/// The path by which a change sets a record's last day: `YYYY-MM-DD`, or null.
pub const VALID_UNTIL: &str = "record.valid_until";
/// The claim that says which person it is.
const FIN: &str = "personal_administrative_number";

/// A change that is under way: an intention's sealed part.
#[derive(Serialize, Deserialize)]
struct Intended {
    request: RegisterChange,
    /// The record's id in the register.
    record: String,
}

impl Agency {
    /// `POST /v1/register/changes`: writes the register, ends what attested the old entry, and
    /// puts a notice for each consent it concerns into the outbox. The holder fetches new
    /// credentials. A repeat changes nothing. The change is written down before the register is:
    /// after a stop at any point it is completed by itself, once.
    pub async fn change(&self, request: &RegisterChange) -> Result<RegisterChanged, AgencyError> {
        let fingerprint = self.inner.store.key().tag("change", &[&render(request)?]);
        let turn = self.inner.turn.write().await;
        self.complete_changes().await?;
        match self.inner.store.change(request.id, &fingerprint).await? {
            Some(ChangeTaken::Done(row)) => return Ok(changed(request.id, &row)),
            Some(ChangeTaken::OtherContent) => return Err(AgencyError::IdReused),
            None => {}
        }
        let record = self.record_of(request).await?;
        // What cannot be changed so is refused before anything is written down.
        amended(&record, request)?;
        let intended = Intended { request: request.clone(), record: record.id };
        let seal = self.inner.store.key().seal("intention", &request.id.to_bytes(), &intended);
        let row = IntentionRow { id: request.id, fingerprint, intended: self.now(), sealed: seal };
        self.inner.store.intend(&row).await?;
        let done = self.carry_out(&row).await?;
        drop(turn);
        self.publish().await?;
        self.inner.work.notify_one();
        Ok(changed(request.id, &done))
    }

    /// Completes the changes that a stop or a fault of the register left half-way.
    pub(crate) async fn resume_changes(&self) -> Result<(), AgencyError> {
        if self.inner.store.intentions().await?.is_empty() {
            return Ok(());
        }
        let _turn = self.inner.turn.write().await;
        self.complete_changes().await
    }

    /// The caller has the turn.
    async fn complete_changes(&self) -> Result<(), AgencyError> {
        for row in self.inner.store.intentions().await? {
            self.carry_out(&row).await?;
        }
        Ok(())
    }

    /// Writes the register, then what follows. Either may have happened before: writing the same
    /// values again changes nothing, and what follows is one commit.
    async fn carry_out(&self, row: &IntentionRow) -> Result<ChangeRow, AgencyError> {
        let store = &self.inner.store;
        let Intended { request, record: id } =
            store.key().open("intention", &row.id.to_bytes(), &row.sealed)?;
        let found = self.inner.register.record(&request.vct, &id).await?;
        // The agency's own systems may have removed the record meanwhile, or given it another
        // shape: there is nothing to write then, and what attested it ends all the same.
        let record = found.as_ref().and_then(|found| amended(found, &request).ok());
        if let Some(record) = &record {
            self.inner.register.put(std::slice::from_ref(record)).await?;
            let changed: Vec<String> = request.changes.0.keys().cloned().collect();
            self.note_act(record, Action::Change, &changed, request.id).await?;
        } else {
            tracing::error!("a record was gone before its change was complete");
        }
        let mut consequences = Consequences {
            record: store.key().record(&request.vct, &id),
            why: Invalidity::Cause,
            ended: Vec::new(),
            notices: Vec::new(),
        };
        if let Some(record) = record {
            consequences.why = self.why_ended(&record, &request);
            consequences.notices = self.notices_for(&request, &record).await?;
            if record.kind == kind::PID && record.ended.is_some() {
                consequences.ended = self.tags_of(&record);
            }
        }
        Ok(store.take_change(row, &consequences).await?)
    }

    /// A record that is still in force has a successor, which its holder may fetch; but whoever
    /// has another personal number is, to everybody here, another person.
    fn why_ended(&self, record: &Record, request: &RegisterChange) -> Invalidity {
        let same_person = !request.changes.0.contains_key(FIN);
        if same_person && record.is_in_force(Date::of(self.now())) {
            Invalidity::Superseded
        } else {
            Invalidity::Cause
        }
    }

    /// The tags of the person who died or whose identity was withdrawn: every credential ends,
    /// pairwise ones too, and the enrolment.
    fn tags_of(&self, record: &Record) -> Vec<(Digest, Option<Digest>)> {
        let keys = self.inner.setup.registrar.as_ref();
        let tags = |fin: &Fin| {
            let enrolment = keys.map(|keys| self.uid_tag(&keys.uid(fin)));
            (self.inner.store.key().holder(fin), enrolment)
        };
        record.holders.iter().map(tags).collect()
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
}

/// The record with the change's values.
fn amended(record: &Record, request: &RegisterChange) -> Result<Record, AgencyError> {
    let mut record = record.clone();
    for (path, value) in &request.changes.0 {
        apply(&mut record, path, value)?;
    }
    Ok(record)
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
