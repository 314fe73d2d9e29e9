//! The bank's own log of accesses: signed receipts without a gap, anchored on the ledger.

use etibar_credential::{
    catalogue::PurposeCode,
    consent::Artefact,
    evidence::{self, Duty, Receipt, Role},
    jose::sha256,
};
use etibar_ledger::{
    Operation,
    operation::{Action, EvidenceAnchor},
};
use etibar_primitives::{Digest, MemberId, OperationId};
use etibar_vault::{Change, PartyId, Personal};
use serde::{Deserialize, Serialize};

use crate::{
    Onboarding, OnboardingError,
    decide::Facts,
    policy::KYC,
    session::{Grant, Plan, Session},
    staff::StaffRole,
};

/// A receipt as it is kept: with the other side's signature once that is there.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeptReceipt {
    pub receipt: String,
    pub counter_signature: Option<String>,
}

/// What a receipt is about.
pub(crate) struct Entry<'a> {
    pub action: evidence::Action,
    pub vct: &'a str,
    pub claims: Vec<String>,
    pub request_hash: Digest,
    pub response_hash: Digest,
    /// The role of whoever did it, and the duty, when it was one of the staff.
    pub staff: Option<(Role, Option<Duty>)>,
}

/// Under which consent.
pub(crate) struct Under {
    pub rel: Digest,
    pub consent: OperationId,
    pub provider: MemberId,
    pub purpose: u16,
}

impl Under {
    pub(crate) fn of(plan: &Plan, grant: &Grant) -> Self {
        let (consent, purpose) = (plan.id, plan.purpose);
        Self { rel: grant.rel, consent, provider: grant.provider, purpose }
    }
}

impl Onboarding {
    /// Signs and keeps the next receipt of a relationship.
    pub(crate) async fn note(
        &self,
        change: &mut Change,
        party: PartyId,
        under: &Under,
        entry: Entry<'_>,
    ) -> Result<String, OnboardingError> {
        let identity = &self.inner.parts.identity;
        let now = self.now();
        let sequence = change.next_receipt(&under.rel.0).await?;
        let previous = change.last_receipt(&under.rel.0).await?.unwrap_or(Digest::ZERO);
        let mut claims = entry.claims;
        claims.truncate(evidence::CLAIMS_MAX);
        let receipt = Receipt {
            rel: under.rel,
            consent: under.consent,
            sequence,
            previous,
            author: identity.member,
            action: entry.action,
            vct: entry.vct.to_owned(),
            claims,
            purpose: PurposeCode(under.purpose),
            requester: identity.member,
            provider: under.provider,
            request_hash: entry.request_hash,
            response_hash: entry.response_hash,
            time: now,
            reader: entry.staff.map(|(role, _)| role),
            duty: entry.staff.and_then(|(_, duty)| duty),
        };
        let jws = receipt.sign(&*identity.signer)?;
        let leaf = evidence::receipt_digest(&jws);
        let kept = KeptReceipt { receipt: jws.clone(), counter_signature: None };
        let kept = Personal::json(&kept);
        change.put_receipt(party, &under.rel.0, sequence, leaf, &kept, now).await?;
        Ok(jws)
    }

    /// Receipts of what was presented: one for each type and provider. Noted once.
    pub(crate) async fn note_use(
        &self,
        session: &Session,
        party: PartyId,
    ) -> Result<(), OnboardingError> {
        let key = self.inner.parts.identity.signer.public_key();
        let mut change = self.vault().begin().await?;
        for plan in &session.consents {
            let artefact = Artefact::verify(&plan.artefact, &key)?;
            for grant in &plan.grants {
                if change.next_receipt(&grant.rel.0).await? > 1 {
                    continue;
                }
                let provider = grant.provider;
                let mut types: Vec<&str> = Vec::new();
                for ask in artefact.asks() {
                    let issuer = etibar_credential::catalogue::credential_type(&ask.vct);
                    let its = issuer.is_some_and(|known| known.issuer.allows(provider));
                    if !its || types.contains(&ask.vct.as_str()) {
                        continue;
                    }
                    types.push(&ask.vct);
                    let entry = Entry {
                        action: evidence::Action::Register,
                        vct: &ask.vct,
                        claims: ask.paths.iter().map(ToString::to_string).collect(),
                        request_hash: Digest(sha256(plan.artefact.as_bytes())),
                        response_hash: Digest::ZERO,
                        staff: None,
                    };
                    self.note(&mut change, party, &Under::of(plan, grant), entry).await?;
                }
            }
        }
        change.commit().await?;
        Ok(())
    }

    /// Puts a look of the staff into the person's own list: one receipt for each type of what was
    /// read, or one for what the law makes the bank keep when no consent allows the rest.
    pub(crate) async fn note_look(
        &self,
        session: &Session,
        party: PartyId,
        by: StaffRole,
        facts: Option<&Facts>,
    ) -> Result<(), OnboardingError> {
        let Some(plan) = session.consents.first() else { return Ok(()) };
        let Some(first) = plan.grants.first() else { return Ok(()) };
        // The consent's own receipts come first: they are noted once, at the beginning of a log.
        self.note_use(session, party).await?;
        let role = match by {
            StaffRole::Officer => Role::Officer,
            StaffRole::Senior => Role::Senior,
        };
        let look = |vct, claims, duty| Entry {
            action: evidence::Action::Look,
            vct,
            claims,
            request_hash: Digest::ZERO,
            response_hash: Digest::ZERO,
            staff: Some((role, duty)),
        };
        let mut change = self.vault().begin().await?;
        for (vct, claims) in facts.into_iter().flat_map(|facts| &facts.0) {
            let known = etibar_credential::catalogue::credential_type(vct);
            let gives = |grant: &&Grant| known.is_some_and(|its| its.issuer.allows(grant.provider));
            let grant = plan.grants.iter().find(gives).unwrap_or(first);
            let claims = claims.as_object().into_iter().flat_map(|its| its.keys().cloned());
            let entry = look(vct, claims.collect(), None);
            self.note(&mut change, party, &Under::of(plan, grant), entry).await?;
        }
        if facts.is_none() {
            let entry = look(KYC, Vec::new(), Some(Duty::DueDiligence));
            self.note(&mut change, party, &Under::of(plan, first), entry).await?;
        }
        change.commit().await?;
        self.inner.wake.notify_one();
        Ok(())
    }

    /// Anchors the receipts that are not on the ledger yet, and those of earlier attempts.
    ///
    /// # Errors
    /// A fault: the next call goes on.
    pub async fn anchor(&self) -> Result<u32, OnboardingError> {
        if self.vault().receipts_waiting().await? > 0 {
            let mut change = self.vault().begin().await?;
            change.make_anchor().await?;
            change.commit().await?;
        }
        let mut anchored = 0;
        for anchor in self.vault().open_anchors().await? {
            let (root, count) = (anchor.root, anchor.count);
            let (from, until) = (anchor.begins, anchor.ends);
            let action = Action::AnchorEvidence(EvidenceAnchor { root, count, from, until });
            let id = OperationId::from_bytes(anchor.id);
            let operation = Operation { id, linked: false, action };
            let executed = self.inner.parts.ledger.execute(&[operation]).await?;
            if executed.first().is_some_and(|its| its.outcome.is_accepted()) {
                let mut change = self.vault().begin().await?;
                change.anchored(anchor.id).await?;
                change.commit().await?;
                anchored += anchor.count;
            }
        }
        Ok(anchored)
    }
}
