//! What a person asks of the bank directly: revoke, erase, who accessed, my data. The person shows
//! the pairwise credential for this bank, with a key binding over the request's hash.

use etibar_credential::{
    catalogue::Category,
    evidence::{self, Inclusion},
    jose::{self, sha256},
    sd_jwt::KeyBindingPolicy,
    trust::{CredentialPolicy, verify_credential},
};
use etibar_openid::{
    Private,
    member::{
        ACCESSES_PAGE_MAX, AccessesAnswer, DataCopy, EraseAnswer, HOLDER_REQUEST_AGE_MAX_S, Hold,
        HolderAction, HolderEnvelope, HolderRequest, MessageError, RevokeAnswer, ServedReceipt,
    },
};
use etibar_primitives::{BlockTime, Digest, DurationMs, OperationId};
use etibar_vault::{
    Access, Basis, LegalBasis, PartyId, Personal, Reader, Select, TagKind, VaultError,
    consent::{ConsentState, ConsentView},
    erasure::ErasureFacts,
    work::Work,
};
use serde_json::{Map, Value, json};

use crate::{
    Onboarding, OnboardingError,
    evidence::{Entry, KeptReceipt, Under},
    notices::REVOCATIONS,
    policy::PAIRWISE,
    service::DAY_MS,
    session::KeptConsent,
};

/// How old a status list may be for a holder's request, in seconds.
const STATUS_AGE_S: u64 = 86_400;
/// Until when an erasure must be done, in milliseconds after it was asked for.
pub const ERASURE_MS: u64 = 30 * DAY_MS;
/// The `typ` of an erasure receipt.
pub const ERASURE_TYP: &str = "erasure-receipt+jwt";

/// The answer to a holder's request.
#[derive(Debug)]
pub enum HolderAnswer {
    /// To a revocation.
    Revoked(RevokeAnswer),
    /// To an erasure.
    Erased(EraseAnswer),
    /// To who accessed.
    Accesses(AccessesAnswer),
    /// To my data.
    Data(DataCopy),
}

impl HolderAnswer {
    /// As JSON.
    ///
    /// # Errors
    /// When the answer is larger than its limit.
    pub fn render(&self) -> Result<Vec<u8>, MessageError> {
        use etibar_openid::member::render;
        match self {
            Self::Revoked(answer) => render(answer),
            Self::Erased(answer) => render(answer),
            Self::Accesses(answer) => render(answer),
            Self::Data(answer) => render(answer),
        }
    }
}

impl Onboarding {
    /// Answers a holder's request that came to the path of `action` (`revoke`, `erase`,
    /// `accesses`, `data`).
    ///
    /// # Errors
    /// A refusal, or a fault: then the same request again goes on.
    pub async fn holder(&self, action: &str, body: &[u8]) -> Result<HolderAnswer, OnboardingError> {
        let envelope: HolderEnvelope = etibar_openid::member::parse(body)?;
        let request: HolderRequest = envelope.open()?;
        let now = self.now();
        let identity = &self.inner.parts.identity;
        let age = now.since(request.made_at).0.max(request.made_at.since(now).0);
        let wanted = match &request.request {
            HolderAction::Revoke { .. } => "revoke",
            HolderAction::Erase { .. } => "erase",
            HolderAction::Accesses { .. } => "accesses",
            HolderAction::Data {} => "data",
            HolderAction::Guardians { .. } => "guardians",
        };
        let fits = wanted == action
            && request.audience == identity.base_url
            && age <= HOLDER_REQUEST_AGE_MAX_S * 1_000;
        if !fits {
            return Err(OnboardingError::HolderRequest);
        }
        let party = self.holder_party(&envelope, now).await?;
        match request.request {
            HolderAction::Revoke { rel } => self.revoke(party, rel).await,
            HolderAction::Erase { rel } => self.erase(party, rel).await,
            HolderAction::Accesses { rel, after } => self.accesses(party, rel, after).await,
            HolderAction::Data {} => self.data(party).await,
            HolderAction::Guardians { .. } => Err(OnboardingError::HolderRequest),
        }
    }

    /// The party that the presentation names.
    async fn holder_party(
        &self,
        envelope: &HolderEnvelope,
        now: BlockTime,
    ) -> Result<PartyId, OnboardingError> {
        let text = envelope.presentation.0.as_str();
        self.inner.trust.prepare([text].into_iter(), STATUS_AGE_S, now).await?;
        let registry = self.inner.trust.registry(now).await?;
        let nonce = envelope.nonce();
        let policy = CredentialPolicy {
            vct: PAIRWISE,
            key_binding: KeyBindingPolicy {
                nonce: &nonce,
                audience: &self.inner.parts.identity.base_url,
                now: now.into(),
                age_seconds_max: HOLDER_REQUEST_AGE_MAX_S,
                skew_seconds_max: 30,
                transaction_data: &[],
            },
            level_min: None,
            status_age_seconds_max: STATUS_AGE_S,
            allows_no_status: false,
        };
        let credential = verify_credential(text, &registry, &self.inner.trust.lists(), &policy);
        let credential = credential.map_err(|error| {
            let query = crate::policy::ID_PAIRWISE.to_owned();
            etibar_openid::vp::verifier::AnswerError::Trust { query, error }
        })?;
        // A cool-down bars new consents only: rights are never barred.
        let ppid = match self.ppid(&credential, BlockTime::MAX) {
            Err(OnboardingError::Cooldown) => return Err(OnboardingError::OtherBank),
            other => other?,
        };
        let found = self.vault().find(TagKind::Ppid, ppid.0.as_bytes()).await?;
        found.ok_or(OnboardingError::NotAParty)
    }

    /// A consent of this party's.
    async fn own_consent(
        &self,
        party: PartyId,
        rel: Digest,
    ) -> Result<(ConsentView, KeptConsent), OnboardingError> {
        let consent = self.vault().consent_of_rel(&rel.0).await?;
        if consent.party != party {
            return Err(OnboardingError::NotAParty);
        }
        Ok((consent, self.kept_consent(&consent).await?))
    }

    /// A consent's artefact and secret.
    pub(crate) async fn kept_consent(
        &self,
        consent: &ConsentView,
    ) -> Result<KeptConsent, OnboardingError> {
        let wanted = Access {
            party: consent.party,
            purpose: consent.purpose,
            basis: Basis::Law(LegalBasis::ConsentAdministration),
            reader: Reader("consent"),
            select: Select::consent(consent.id),
            now: self.now(),
        };
        let reading = self.vault().read(&wanted);
        let reading = reading.await?;
        Ok(reading.get("consent").ok_or(OnboardingError::NotAParty)?.parse()?)
    }

    async fn revoke(&self, party: PartyId, rel: Digest) -> Result<HolderAnswer, OnboardingError> {
        let (consent, kept) = self.own_consent(party, rel).await?;
        let revoked_at = self.revoke_one(&consent, &kept).await?;
        let revoked_by = vec![kept.grant.revoke];
        Ok(HolderAnswer::Revoked(RevokeAnswer { rel, revoked_by, revoked_at }))
    }

    /// Revokes one consent: on the ledger first, then here, then at the provider.
    async fn revoke_one(
        &self,
        consent: &ConsentView,
        kept: &KeptConsent,
    ) -> Result<BlockTime, OnboardingError> {
        let grant = &kept.grant;
        let revoked_at = self.revoke_on_ledger(grant.rel, grant.revoke).await?;
        if consent.state == ConsentState::Revoked {
            return Ok(revoked_at);
        }
        let now = self.now();
        let mut change = self.vault().begin().await?;
        change.set_consent(consent.id, ConsentState::Revoked, now).await?;
        let under = self.under(consent, kept)?;
        let entry = Entry {
            action: evidence::Action::Revoke,
            vct: PAIRWISE,
            claims: Vec::new(),
            request_hash: Digest(sha256(&grant.rel.0)),
            response_hash: Digest::ZERO,
            staff: None,
        };
        self.note(&mut change, consent.party, &under, entry).await?;
        let payload = (grant.provider, grant.rel, grant.revoke);
        let work = Work::new(consent.id.0, "asked", &payload, now, Some(now));
        change.put_work(REVOCATIONS, &work).await?;
        change.commit().await?;
        self.inner.wake.notify_one();
        Ok(revoked_at)
    }

    pub(crate) fn under(
        &self,
        consent: &ConsentView,
        kept: &KeptConsent,
    ) -> Result<Under, OnboardingError> {
        let key = self.inner.parts.identity.signer.public_key();
        let artefact = etibar_credential::consent::Artefact::verify(&kept.artefact, &key)?;
        Ok(Under {
            rel: kept.grant.rel,
            consent: artefact.terms().id,
            provider: consent.provider,
            purpose: consent.purpose,
        })
    }

    async fn erase(&self, party: PartyId, rel: Digest) -> Result<HolderAnswer, OnboardingError> {
        // The relationship must be this person's: nobody erases by guessing.
        self.own_consent(party, rel).await?;
        let now = self.now();
        let mut change = self.vault().begin().await?;
        let due = now.saturating_add(DurationMs(ERASURE_MS));
        change.request_erasure(party, now, due).await?;
        change.commit().await?;
        let receipt = self.carry_out_erasure(party).await?;
        let holds = self.vault().held().await?;
        let holds = holds.iter().filter(|hold| hold.party == party).map(|hold| Hold {
            basis: hold.law.clone(),
            categories: [Category::Identity, Category::Birth, Category::Document, Category::Kyc]
                .map(|its| its.code().to_owned())
                .to_vec(),
            until: hold.ends,
        });
        Ok(HolderAnswer::Erased(EraseAnswer { receipt, holds: holds.collect() }))
    }

    /// Erases a party whose erasure was asked for: its consents end on the ledger, its credentials
    /// are revoked, its keys and every r destroyed.
    pub(crate) async fn carry_out_erasure(
        &self,
        party: PartyId,
    ) -> Result<String, OnboardingError> {
        let done = self.vault().erasure(party).await?;
        if done.as_ref().is_none_or(|done| done.done.is_none()) {
            match self.end_consents(party).await {
                // The bank's own round carries out what is asked for, too: it was first.
                Err(OnboardingError::Vault(VaultError::Erased)) => {}
                ended => ended?,
            }
        }
        let signer = &*self.inner.parts.identity.signer;
        let member = self.inner.parts.identity.member;
        let sign = |facts: &ErasureFacts| {
            let payload = erasure_payload(facts, member.0);
            // Without a signature there is no receipt, and so no erasure: it is tried again.
            let jws = jose::sign(signer, ERASURE_TYP, Map::new(), &payload);
            jws.map(String::into_bytes).map_err(|error| VaultError::Key(error.code().to_owned()))
        };
        let receipt = self.vault().erase(party, self.now(), sign).await?;
        String::from_utf8(receipt).map_err(|_| OnboardingError::NotAParty)
    }

    /// Ends what the person granted and what the bank attested, before the erasure.
    async fn end_consents(&self, party: PartyId) -> Result<(), OnboardingError> {
        for consent in self.vault().consents(party).await? {
            if consent.state == ConsentState::Granted {
                let kept = self.kept_consent(&consent).await?;
                self.revoke_one(&consent, &kept).await?;
            }
        }
        if self.vault().revoke_status(party).await? {
            self.inner.wake.notify_one();
        }
        Ok(())
    }

    async fn accesses(
        &self,
        party: PartyId,
        rel: Option<Digest>,
        after: u64,
    ) -> Result<HolderAnswer, OnboardingError> {
        let now = self.now();
        let mut served = Vec::new();
        for consent in self.vault().consents(party).await? {
            let Ok(kept) = self.kept_consent(&consent).await else { continue };
            if rel.is_some_and(|rel| rel != kept.grant.rel) {
                continue;
            }
            let reader = Reader("holder");
            let receipts =
                self.vault().receipts(party, &kept.grant.rel.0, reader, consent.purpose, now);
            for receipt in receipts.await? {
                let inner: KeptReceipt = receipt.receipt.parse()?;
                let proof = receipt.proof;
                let inclusion = proof.as_ref().map(|(anchor, index, path)| {
                    let index = u32::try_from(*index).unwrap_or(u32::MAX);
                    let inclusion = Inclusion { index, count: anchor.count, path: path.0.clone() };
                    serde_json::to_value(inclusion).expect("plain data is JSON")
                });
                served.push(ServedReceipt {
                    position: 0,
                    receipt: Private(inner.receipt),
                    counter_signature: inner.counter_signature,
                    inclusion,
                    anchored_by: proof.map(|(anchor, ..)| OperationId::from_bytes(anchor.id)),
                });
            }
        }
        let all = served.len();
        let skip = usize::try_from(after).unwrap_or(usize::MAX).min(all);
        let mut receipts: Vec<ServedReceipt> =
            served.into_iter().skip(skip).take(ACCESSES_PAGE_MAX).collect();
        let first = u64::try_from(skip).unwrap_or(u64::MAX);
        for (position, receipt) in (first + 1..).zip(&mut receipts) {
            receipt.position = position;
        }
        let next = receipts.last().map(|last| last.position);
        let next = next.filter(|next| usize::try_from(*next).is_ok_and(|next| next < all));
        Ok(HolderAnswer::Accesses(AccessesAnswer { receipts, next }))
    }

    async fn data(&self, party: PartyId) -> Result<HolderAnswer, OnboardingError> {
        let now = self.now();
        let wanted = Access {
            party,
            purpose: 0,
            basis: Basis::Law(LegalBasis::SubjectRequest),
            reader: Reader("holder"),
            select: Select { kind: None, names: &[], of_consent: None },
            now,
        };
        let reading = self.vault().read(&wanted);
        let mut data = Map::new();
        for item in reading.await?.items {
            let kind = match item.kind {
                etibar_vault::ItemKind::Attribute => "attributes",
                etibar_vault::ItemKind::Account => "accounts",
                etibar_vault::ItemKind::Kyc => "decisions",
                etibar_vault::ItemKind::Document => "documents",
                // Presentations repeat the attributes; secrets are not data about the person.
                etibar_vault::ItemKind::Evidence | etibar_vault::ItemKind::Consent => continue,
            };
            let value: Value = Personal::parse(&item.value)?;
            let of_kind = data.entry(kind).or_insert_with(|| json!({}));
            if let Some(of_kind) = of_kind.as_object_mut() {
                of_kind.insert(item.name, value);
            }
        }
        Ok(HolderAnswer::Data(DataCopy { made_at: now, data: Private(data) }))
    }
}

fn erasure_payload(facts: &ErasureFacts, member: u32) -> Map<String, Value> {
    let holds: Vec<Value> =
        facts.holds.iter().map(|hold| json!({ "basis": hold.law, "until": hold.ends })).collect();
    let payload = json!({
        "jti": OperationId::from_bytes(facts.id),
        "member": member,
        "requested": facts.requested,
        "done": facts.done,
        "values_destroyed": facts.values,
        "holds": holds,
    });
    match payload {
        Value::Object(payload) => payload,
        _ => unreachable!("an object was written just above"),
    }
}
