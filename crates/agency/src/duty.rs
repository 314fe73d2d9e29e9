//! What the agency's own people do with a person's entry: the person finds it in its list of who
//! saw its data, signed, numbered and anchored like what left under a consent.
//!
//! Whoever may be given a record is told of it: the person, a child's guardian, a company's
//! director. A receipt names the clerk's role and the duty, never the clerk and never the reason.

use std::collections::{BTreeMap, BTreeSet};

use etibar_credential::{
    catalogue::PurposeCode,
    evidence::{Action, CLAIMS_MAX, Duty, Receipt, Role},
};
use etibar_primitives::{Digest, OperationId};

use crate::{
    agency::Agency, error::AgencyError, identifiers::Fin, issuing::random_operation,
    register::Record,
};

impl Agency {
    /// A clerk looks at records: one receipt for each person and kind.
    pub(crate) async fn note_look(&self, records: &[Record]) -> Result<(), AgencyError> {
        let mut seen: BTreeMap<(Digest, &str), BTreeSet<&String>> = BTreeMap::new();
        for record in records {
            for fin in &record.holders {
                let holder = self.inner.store.key().holder(fin);
                seen.entry((holder, &record.kind)).or_default().extend(record.claims.keys());
            }
        }
        for ((holder, kind), claims) in seen {
            let claims = claims.into_iter().cloned().collect();
            self.note_duty(&holder, Action::Look, kind, claims, random_operation()).await?;
        }
        Ok(())
    }

    /// A clerk looks at whether a credential of `kind` may be issued, once for each question.
    pub(crate) async fn note_question(
        &self,
        fin: &Fin,
        kind: &str,
        question: OperationId,
    ) -> Result<(), AgencyError> {
        let holder = self.inner.store.key().holder(fin);
        self.note_duty(&holder, Action::Look, kind, Vec::new(), question).await
    }

    /// A clerk does something to a record. The same request again adds nothing.
    pub(crate) async fn note_act(
        &self,
        record: &Record,
        action: Action,
        claims: &[String],
        request: OperationId,
    ) -> Result<(), AgencyError> {
        for fin in &record.holders {
            let holder = self.inner.store.key().holder(fin);
            self.note_duty(&holder, action, &record.kind, claims.to_vec(), request).await?;
        }
        Ok(())
    }

    /// The relationship of the agency with one person, in which its own receipts are numbered.
    pub(crate) fn duty_rel(&self, holder: &Digest) -> Digest {
        self.inner.store.key().tag("register-duty", &[&holder.0])
    }

    async fn note_duty(
        &self,
        holder: &Digest,
        action: Action,
        kind: &str,
        mut claims: Vec<String>,
        request: OperationId,
    ) -> Result<(), AgencyError> {
        let rel = self.duty_rel(holder);
        if self.inner.store.receipt(&rel, request).await?.is_some() {
            return Ok(());
        }
        claims.truncate(CLAIMS_MAX);
        let member = self.inner.setup.member;
        let receipt = Receipt {
            rel,
            consent: OperationId(0),
            sequence: 1,
            previous: Digest::ZERO,
            author: member,
            action,
            vct: kind.to_owned(),
            claims,
            purpose: PurposeCode(0),
            requester: member,
            provider: member,
            // Nothing was sent, and a hash of what was typed would tell it to whoever guesses.
            request_hash: Digest::ZERO,
            response_hash: Digest::ZERO,
            time: self.now(),
            reader: Some(Role::Clerk),
            duty: Some(Duty::Register),
        };
        self.log((&rel, request, holder), receipt, String::new()).await?;
        self.inner.work.notify_one();
        Ok(())
    }
}
