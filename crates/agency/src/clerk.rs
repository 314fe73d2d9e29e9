//! The clerk's side of an agency: looking at a person's entries, and revoking for cause. Each act
//! is written down before it happens; there is no other way to a record from the pages.

use etibar_client::roster::{Named, Roster, RosterError};
use etibar_credential::evidence::{Action, Receipt};
use etibar_openid::member::RegisterChange;
use etibar_primitives::{BlockTime, Digest, MemberId};

use crate::{
    agency::Agency,
    config::ClerkConfig,
    date::Date,
    error::AgencyError,
    identifiers::{Fin, Voen},
    issuing::random_operation,
    register::{Ending, Record},
    store::{ActContent, ActKind, ActRow, EnrolmentRow, IssuedCounts, RecoveryRow},
};

/// Characters of a clerk's reason at most.
pub const REASON_CHARACTERS_MAX: usize = 500;
/// Receipts and acts of one person that are shown at most.
const SHOWN_MAX: u32 = 100;

/// A clerk, as the records name it: the agency knows which person that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clerk {
    /// Its name here: lower-case letters, digits and hyphens; never a person's name.
    pub name: String,
}

/// The clerks of an agency.
pub type Clerks = Roster<Clerk>;

/// Whose entries: a person, or a company.
#[derive(Clone, Copy)]
pub enum Subject {
    /// A person.
    Person(Fin),
    /// A company.
    Company(Voen),
}

/// Everything that a clerk may see of a person or company here.
pub struct File {
    /// The agency's records.
    pub records: Vec<RecordFile>,
    /// Consents in force under which data may leave.
    pub consents: Vec<ConsentFile>,
    /// Who asked for what.
    pub receipts: Vec<ReceiptFile>,
    /// What clerks did, the newest first: this look, too.
    pub acts: Vec<ActRow>,
    /// The person's enrolment, at the registrar.
    pub enrolment: Option<EnrolmentRow>,
}

/// A record, and the credentials that attest it.
pub struct RecordFile {
    /// The record.
    pub record: Record,
    /// Whether it can be attested today.
    pub in_force: bool,
    /// The credentials that were issued from it.
    pub issued: IssuedCounts,
}

/// A consent, without its secret.
#[derive(Debug, Clone, Copy)]
pub struct ConsentFile {
    /// Who may fetch.
    pub consumer: MemberId,
    /// For which purpose.
    pub purpose: u16,
    /// When it was registered here.
    pub registered: BlockTime,
    /// When it ends by itself.
    pub expires: BlockTime,
}

/// A fetch of the person's data.
#[derive(Debug, Clone)]
pub struct ReceiptFile {
    /// Its number under the consent.
    pub sequence: u64,
    /// When.
    pub at: BlockTime,
    /// Who asked.
    pub requester: MemberId,
    /// For which purpose.
    pub purpose: u16,
    /// Of which type.
    pub vct: String,
    /// Which claims.
    pub claims: Vec<String>,
    /// Whether the ledger has its anchor.
    pub anchored: bool,
}

impl Named for Clerk {
    fn name(&self) -> &str {
        &self.name
    }
}

/// Reads the clerks of the configuration with their tokens.
pub(crate) fn read(configured: &[ClerkConfig]) -> Result<Clerks, RosterError> {
    let mut clerks = Clerks::default();
    for ClerkConfig { name, token } in configured {
        clerks.add_from(Clerk { name: name.clone() }, token)?;
    }
    Ok(clerks)
}

impl Subject {
    /// The person or company of a FIN or VÖEN.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, AgencyError> {
        let text = text.trim();
        match Fin::parse(text) {
            Ok(fin) => Ok(Self::Person(fin)),
            Err(_) => Ok(Self::Company(Voen::parse(text)?)),
        }
    }
}

impl Agency {
    /// Looks at a person's or company's entries; that is on record before anything is read, and in
    /// the person's own list before anything is shown.
    ///
    /// # Errors
    /// [`AgencyError::RecordUnknown`] when the register has nothing, [`AgencyError::Reason`], or a
    /// fault.
    pub async fn look_up(
        &self,
        subject: &Subject,
        by: &str,
        reason: &str,
    ) -> Result<File, AgencyError> {
        self.act(ActKind::LookedUp, subject, by, reason, Vec::new()).await?;
        let today = Date::of(self.now());
        let found = self.records_of(subject).await?;
        self.note_look(&found).await?;
        let mut records = Vec::new();
        for record in found {
            let tag = self.inner.store.key().record(&record.kind, &record.id);
            let issued = self.inner.store.issued_of_record(&tag).await?;
            let in_force = record.is_in_force(today);
            records.push(RecordFile { record, in_force, issued });
        }
        if records.is_empty() {
            return Err(AgencyError::RecordUnknown);
        }
        let mut file = File {
            records,
            consents: Vec::new(),
            receipts: Vec::new(),
            acts: Vec::new(),
            enrolment: None,
        };
        if let Subject::Person(fin) = subject {
            self.add_person_file(&mut file, fin).await?;
        }
        let tag = self.subject_tag(subject);
        file.acts = self.inner.store.latest_acts(Some(&tag), SHOWN_MAX).await?;
        Ok(file)
    }

    async fn add_person_file(&self, file: &mut File, fin: &Fin) -> Result<(), AgencyError> {
        let store = &self.inner.store;
        let holder = store.key().holder(fin);
        for row in store.consents_of(&holder, self.now()).await? {
            let (consumer, purpose) = (row.consumer, row.purpose);
            let (registered, expires) = (row.registered, row.expires);
            file.consents.push(ConsentFile { consumer, purpose, registered, expires });
        }
        let own = self.duty_rel(&holder);
        for row in store.latest_receipts_of(&holder, &own, SHOWN_MAX).await? {
            let (receipt, _) = Receipt::peek(&self.kept_receipt(&row)?.jws)?;
            let anchored = match row.batch {
                Some(batch) => {
                    store.batch(batch).await?.is_some_and(|(batch, _)| batch.anchored.is_some())
                }
                None => false,
            };
            file.receipts.push(ReceiptFile {
                sequence: row.sequence,
                at: row.made,
                requester: receipt.requester,
                purpose: receipt.purpose.0,
                vct: receipt.vct,
                claims: receipt.claims,
                anchored,
            });
        }
        if let Some(keys) = &self.inner.setup.registrar {
            let uid = self.uid_tag(&keys.uid(fin));
            file.enrolment = store.living_enrolment(&uid).await?;
        }
        Ok(())
    }

    /// A clerk's change of the register: what is to be done is on record before it is.
    ///
    /// # Errors
    /// As [`Agency::change`]; [`AgencyError::Reason`].
    pub async fn change_by(
        &self,
        by: &str,
        request: &RegisterChange,
    ) -> Result<etibar_openid::member::RegisterChanged, AgencyError> {
        let subject = Subject::parse(&request.subject.0)?;
        let about = std::iter::once(request.vct.clone()).chain(request.changes.0.keys().cloned());
        self.act(ActKind::Changed, &subject, by, &request.reason, about.collect()).await?;
        self.change(request).await
    }

    /// Revokes the credentials of a kind for cause; the register stays as it is. Gives how many
    /// were revoked: a repeat finds none.
    ///
    /// # Errors
    /// [`AgencyError::RecordUnknown`], [`AgencyError::Reason`], or a fault.
    pub async fn revoke_for_cause(
        &self,
        subject: &Subject,
        vct: &str,
        by: &str,
        reason: &str,
    ) -> Result<u64, AgencyError> {
        self.act(ActKind::Revoked, subject, by, reason, vec![vct.to_owned()]).await?;
        let records = self.records_of(subject).await?;
        if records.iter().all(|record| record.kind != vct) {
            return Err(AgencyError::RecordUnknown);
        }
        let mut revoked = 0;
        for record in &records {
            if record.kind == vct {
                let store = &self.inner.store;
                let tag = store.key().record(&record.kind, &record.id);
                let stand = store.issued_of_record(&tag).await?;
                if stand.issued > stand.revoked {
                    let request = random_operation();
                    self.note_act(record, Action::Invalidate, &[], request).await?;
                }
                revoked += store.revoke_record(&tag).await?;
            }
        }
        self.publish().await?;
        self.inner.work.notify_one();
        Ok(revoked)
    }

    /// The latest enrolments, the newest first: at the registrar. They name nobody.
    ///
    /// # Errors
    /// A fault.
    pub async fn enrolments(&self, limit: u32) -> Result<Vec<EnrolmentRow>, AgencyError> {
        Ok(self.inner.store.latest_enrolments(limit).await?)
    }

    /// The latest recoveries, the newest first. They name nobody.
    ///
    /// # Errors
    /// A fault.
    pub async fn recoveries(&self, limit: u32) -> Result<Vec<RecoveryRow>, AgencyError> {
        Ok(self.inner.store.latest_recoveries(limit).await?)
    }

    /// What clerks did last, the newest first. It names nobody.
    ///
    /// # Errors
    /// A fault.
    pub async fn acts(&self, limit: u32) -> Result<Vec<ActRow>, AgencyError> {
        Ok(self.inner.store.latest_acts(None, limit).await?)
    }

    async fn act(
        &self,
        what: ActKind,
        subject: &Subject,
        by: &str,
        reason: &str,
        about: Vec<String>,
    ) -> Result<(), AgencyError> {
        let length = reason.trim().chars().count();
        if length == 0 || length > REASON_CHARACTERS_MAX {
            return Err(AgencyError::Reason);
        }
        let content = ActContent { by: by.to_owned(), reason: reason.to_owned(), about };
        let tag = self.subject_tag(subject);
        Ok(self.inner.store.note_act(what, &tag, &content, self.now()).await?)
    }

    fn subject_tag(&self, subject: &Subject) -> Digest {
        let key = self.inner.store.key();
        match subject {
            Subject::Person(fin) => key.holder(fin),
            Subject::Company(voen) => key.tag("company", &[voen.expose().as_bytes()]),
        }
    }

    async fn records_of(&self, subject: &Subject) -> Result<Vec<Record>, AgencyError> {
        let register = &self.inner.register;
        let mut records = Vec::new();
        for kind in self.inner.setup.kind.kinds() {
            match subject {
                Subject::Person(fin) => records.extend(register.held_by(kind, fin).await?),
                Subject::Company(voen) => {
                    records.extend(register.record(kind, voen.expose()).await?);
                }
            }
        }
        Ok(records)
    }
}

impl Record {
    /// Why it is over: a stable word.
    pub fn ending(&self) -> Option<&'static str> {
        self.ended.map(Ending::as_str)
    }
}
