//! The wallet's answer: verified, then sealed in the vault together with the drafted consents, in
//! one commit. Nothing of it is used before the ledger has the consents.

use std::collections::BTreeMap;

use etibar_credential::{
    catalogue::{self, Category},
    status_list::StatusReference,
    trust::VerifiedCredential,
};
use etibar_openid::{
    Private,
    vp::verifier::{Opened, Response, ResponseError, Terms, Verified},
};
use etibar_primitives::{BlockTime, MemberId, hex};
use etibar_vault::{
    Access, Basis, Change, ItemKind, LegalBasis, NewItem, PartyId, PartyKind, Personal, Reader,
    Select, TagKind,
    consent::{ConsentId, NewConsent},
    work::Work,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Onboarding, OnboardingError,
    grants::{Answered, HeldBack},
    policy::{FIN, ID_KYC, ID_PAIRWISE, ID_PID, ID_PID_REUSE, KYC, PID, Product},
    service::category,
    session::{KeptConsent, SESSIONS, Session, State},
};

/// Claims of the envelope: they say nothing of the person.
const ENVELOPE: [&str; 9] =
    ["iss", "iat", "nbf", "exp", "cnf", "vct", "vct#integrity", "status", "_sd_alg"];

/// What a decision rests on, as it is kept: the presentations and where their status stands.
#[derive(Serialize, Deserialize)]
pub(crate) struct Evidence {
    /// The presentations as they came, by credential query.
    pub presentations: BTreeMap<String, Vec<String>>,
    /// The `transaction_data` entries that the consenting presentation signs.
    pub transaction_data: Vec<String>,
    /// The audience of the key bindings.
    pub audience: String,
    /// Their nonce.
    pub nonce: String,
    /// Which presentation consents.
    pub consenting: String,
    /// Where each credential's status stands.
    pub statuses: Vec<StatusAt>,
    /// The lowest level that a credential states.
    pub level: etibar_credential::level::AssuranceLevel,
}

/// Where a credential's status stands.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StatusAt {
    pub issuer: MemberId,
    pub uri: String,
    pub index: u64,
}

impl StatusAt {
    pub(crate) fn reference(&self) -> StatusReference {
        StatusReference { uri: self.uri.clone(), index: self.index }
    }
}

/// What a wallet is told when its answer was taken.
#[derive(Debug, Clone, Serialize)]
pub struct Taken {
    /// The session, which tells what came of it: a wallet that came by a link learns it here.
    pub session: String,
    /// The product that the session is for.
    pub product: String,
}

impl Onboarding {
    /// Takes the wallet's answer to a request. When it returns, the answer is on disk; the session
    /// goes on by itself.
    ///
    /// # Errors
    /// A refusal ends the session, except when the answer could not be read: then it stays open, as
    /// it does after a fault, and the wallet may send its answer again.
    pub async fn response(&self, request: &str, body: &[u8]) -> Result<Taken, OnboardingError> {
        let now = self.now();
        let grants = HeldBack::new(&self.inner.grants);
        let response = self.inner.verifier.response(&grants, request, body, now).await?;
        let answered = grants.into_answered().expect("a response answers its request");
        let id = self.session_of(request).await?;
        let _lock = self.lock(id).await;
        let work = self.work(id).await?;
        if work.state != State::Waiting.name() {
            return Err(OnboardingError::SessionClosed);
        }
        let session: Session = work.payload()?;
        let taken = Taken { session: hex::encode(&id), product: session.product.clone() };
        let opened = match response {
            Response::Presented(opened) => opened,
            Response::Declined { error, .. } => {
                self.close_answered(work, &answered, State::Declined, error).await?;
                return Ok(taken);
            }
        };
        match self.take(&work, session, &opened, &answered).await {
            Ok(()) => {
                self.spawn(id);
                Ok(taken)
            }
            // The answer is as good as it was: it was not judged.
            Err(error) if error.is_fault() => Err(error),
            Err(error) => {
                let code = error.code().to_owned();
                self.close_answered(work, &answered, State::Failed, code).await?;
                Err(error)
            }
        }
    }

    /// Ends a session that was answered, and nobody can answer it again.
    async fn close_answered(
        &self,
        work: Work,
        answered: &Answered,
        ends: State,
        reason: String,
    ) -> Result<(), OnboardingError> {
        self.close(work, ends, vec![reason]).await?;
        let mut change = self.vault().begin().await?;
        answered.write(&mut change, self.now()).await?;
        Ok(change.commit().await?)
    }

    async fn take(
        &self,
        work: &Work,
        session: Session,
        opened: &Opened,
        answered: &Answered,
    ) -> Result<(), OnboardingError> {
        let now = self.now();
        let products = &self.inner.parts.products;
        let product = products.get(&session.product).ok_or(OnboardingError::UnknownProduct)?;
        let texts = opened.vp_token().values().flatten().map(String::as_str);
        self.inner.trust.prepare(texts, product.status_age_s, now).await?;
        let registry = self.inner.trust.registry(now).await?;
        let terms = Terms {
            level_min: None,
            status_age_max_s: product.status_age_s,
            allows_no_status: false,
        };
        let verified = opened.verify(&registry, &self.inner.trust.lists(), terms, now)?;
        let ppid = self.check_pairwise(&verified, now)?;
        check_one_person(&verified)?;
        let phone = self.phone_of(work, now).await?;
        self.seal(work, session, product, opened, &verified, &ppid, phone, answered).await
    }

    /// The bank's pseudonym of the person, when the credential is this bank's and no cool-down
    /// runs.
    pub(crate) fn check_pairwise(
        &self,
        verified: &Verified,
        now: BlockTime,
    ) -> Result<Private<String>, OnboardingError> {
        let pairwise = one(verified, ID_PAIRWISE).ok_or(OnboardingError::OtherBank)?;
        self.ppid(pairwise, now)
    }

    pub(crate) fn ppid(
        &self,
        pairwise: &VerifiedCredential,
        now: BlockTime,
    ) -> Result<Private<String>, OnboardingError> {
        let claims = &pairwise.claims.0;
        let member = claims.get("member").and_then(member_of);
        if member != Some(self.inner.parts.identity.member) {
            return Err(OnboardingError::OtherBank);
        }
        if claims.get("cooldown_until").is_some_and(|until| !has_passed(until, now)) {
            return Err(OnboardingError::Cooldown);
        }
        let ppid = claims.get("ppid").and_then(Value::as_str).filter(|ppid| !ppid.is_empty());
        ppid.map(|ppid| Private(ppid.to_owned())).ok_or(OnboardingError::OtherBank)
    }

    /// The telephone number that came with the session.
    async fn phone_of(
        &self,
        work: &Work,
        now: BlockTime,
    ) -> Result<Option<Personal>, OnboardingError> {
        let Some(party) = work.party else { return Ok(None) };
        let wanted = Access {
            party,
            purpose: 5,
            basis: Basis::Law(LegalBasis::DueDiligence),
            reader: Reader("onboarding"),
            select: Select::attributes(&["phone"]),
            now,
        };
        let reading = self.vault().read(&wanted);
        Ok(reading.await?.get("phone").cloned())
    }

    /// Seals the answer and drafts the consents: all of it, or nothing.
    #[expect(clippy::too_many_arguments, reason = "one commit needs all that is known")]
    async fn seal(
        &self,
        work: &Work,
        mut session: Session,
        product: &Product,
        opened: &Opened,
        verified: &Verified,
        ppid: &Private<String>,
        phone: Option<Personal>,
        answered: &Answered,
    ) -> Result<(), OnboardingError> {
        let now = self.now();
        let evidence = evidence(opened, verified)?;
        session.reused_from = one(verified, ID_KYC).map(|kyc| kyc.issuer);
        session.answered = Some(now);
        let mut change = self.vault().begin().await?;
        let known = change.find(TagKind::Ppid, ppid.0.as_bytes()).await?;
        session.prospect = known.is_none();
        let party = match (known, work.party) {
            (Some(party), _) | (None, Some(party)) => party,
            (None, None) => change.new_party(PartyKind::Natural, now).await?,
        };
        change.tag(party, TagKind::Ppid, ppid.0.as_bytes()).await?;
        draft(&mut change, &session, party, now).await?;
        let main = session.consents.first().and_then(|plan| plan.grants.first());
        let main = main.map(crate::session::Grant::consent);
        if let Some(phone) = phone {
            put(&mut change, party, "phone", category(Category::Contact), None, phone, now).await?;
        }
        for (id, credentials) in verified {
            let consent = consent_for(&session, product, id).or(main);
            for credential in credentials {
                store(&mut change, party, credential, consent, now).await?;
            }
        }
        let item = NewItem {
            kind: ItemKind::Evidence,
            name: "presentation",
            category: sensitive(product),
            consent: main,
            keep_until: None,
            value: Personal::json(&evidence),
        };
        change.put(party, &item, now).await?;
        let mut next = work.clone();
        next.party = Some(party);
        State::Presented.name().clone_into(&mut next.state);
        next.due = Some(now);
        next.attempts = 0;
        next.set_payload(&session);
        change.put_work(SESSIONS, &next).await?;
        if !answered.write(&mut change, now).await? {
            return Err(ResponseError::Replayed.into());
        }
        change.commit().await?;
        // A telephone number that waited for a person who is known already has moved.
        if let Some(waiting) = work.party.filter(|waiting| *waiting != party) {
            self.erase_prospect(waiting).await?;
        }
        Ok(())
    }
}

/// The one credential that answers a query.
pub(crate) fn one<'a>(verified: &'a Verified, id: &str) -> Option<&'a VerifiedCredential> {
    verified.get(id).and_then(|found| found.first())
}

/// The PID and the pairwise credential are the same person's: together they could else be two
/// people's, each valid by itself.
fn check_one_person(verified: &Verified) -> Result<(), OnboardingError> {
    let fin = |found: &VerifiedCredential| found.claims.0.get(FIN).cloned();
    let pairwise = one(verified, ID_PAIRWISE).and_then(fin);
    let pid = [ID_PID, ID_PID_REUSE].into_iter().find_map(|id| one(verified, id)).and_then(fin);
    if pairwise.is_some() && pairwise == pid { Ok(()) } else { Err(OnboardingError::MixedHolders) }
}

/// The consent under which a requirement's data comes: its provider's.
fn consent_for(session: &Session, product: &Product, id: &str) -> Option<ConsentId> {
    let vct = product.requirement(id).map_or(PID, |needed| needed.vct.as_str());
    let plan = session.consents.first()?;
    let issuer = catalogue::credential_type(vct)?.issuer;
    plan.grants
        .iter()
        .find(|grant| issuer.allows(grant.provider))
        .map(crate::session::Grant::consent)
}

async fn draft(
    change: &mut Change,
    session: &Session,
    party: PartyId,
    now: BlockTime,
) -> Result<(), OnboardingError> {
    for plan in &session.consents {
        for grant in &plan.grants {
            let kept = KeptConsent { artefact: plan.artefact.clone(), grant: grant.clone() };
            let consent = NewConsent {
                id: grant.consent(),
                party,
                rel: grant.rel.0,
                provider: grant.provider,
                purpose: plan.purpose,
                scope: plan.scope,
                expires: plan.expires,
                secret: Personal::json(&kept),
            };
            change.draft_consent(&consent, now).await?;
        }
    }
    Ok(())
}

/// Keeps a credential's claims as attributes: the PID's under their own names, another type's
/// under `type.claim`. What another bank verified becomes an attribute where the PID is silent.
pub(crate) async fn store(
    change: &mut Change,
    party: PartyId,
    credential: &VerifiedCredential,
    consent: Option<ConsentId>,
    now: BlockTime,
) -> Result<(), OnboardingError> {
    let claims: Map<String, Value> = credential
        .claims
        .0
        .iter()
        .filter(|(name, _)| !ENVELOPE.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    store_claims(change, party, &credential.vct, &claims, consent, now).await?;
    if credential.vct == KYC {
        let verified = claims.get("verified_claims").and_then(|its| its.get("claims"));
        if let Some(verified) = verified.and_then(Value::as_object) {
            let own = |name: &String| {
                catalogue::credential_type(PID).is_some_and(|pid| {
                    pid.claim(&etibar_credential::sd_jwt::ClaimPath::of(&[name])).is_some()
                })
            };
            let verified: Map<String, Value> = verified
                .iter()
                .filter(|(name, _)| own(name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            store_claims(change, party, PID, &verified, consent, now).await?;
        }
    }
    Ok(())
}

pub(crate) async fn store_claims(
    change: &mut Change,
    party: PartyId,
    vct: &str,
    claims: &Map<String, Value>,
    consent: Option<ConsentId>,
    now: BlockTime,
) -> Result<(), OnboardingError> {
    let known = catalogue::credential_type(vct).ok_or(OnboardingError::ProviderAnswer)?;
    for (name, value) in claims {
        let path = etibar_credential::sd_jwt::ClaimPath::of(&[name]);
        let Some(claim) = known.claim(&path) else { continue };
        let full = attribute_name(vct, known.name, name);
        put(change, party, &full, category(claim.category), consent, Personal::json(value), now)
            .await?;
    }
    Ok(())
}

/// How a claim is called in the vault.
pub(crate) fn attribute_name(vct: &str, short: &str, claim: &str) -> String {
    if vct == PID { claim.to_owned() } else { format!("{short}.{claim}") }
}

pub(crate) async fn put(
    change: &mut Change,
    party: PartyId,
    name: &str,
    category: u8,
    consent: Option<ConsentId>,
    value: Personal,
    now: BlockTime,
) -> Result<(), OnboardingError> {
    let kind = ItemKind::Attribute;
    let item = NewItem { kind, name, category, consent, keep_until: None, value };
    change.put(party, &item, now).await?;
    Ok(())
}

/// The most sensitive category of what a product's presentations show.
fn sensitive(product: &Product) -> u8 {
    let income = Category::Income;
    let shows = product.scope().is_ok_and(|scope| scope.contains(income));
    category(if shows { income } else { Category::Identity })
}

fn evidence(opened: &Opened, verified: &Verified) -> Result<Evidence, OnboardingError> {
    let consenting = [ID_PID, ID_PID_REUSE].into_iter().find(|id| verified.contains_key(*id));
    let consenting = consenting.ok_or(OnboardingError::MixedHolders)?;
    let all = || verified.values().flatten();
    let statuses = all().filter_map(|credential| {
        let at = credential.status.as_ref()?;
        Some(StatusAt { issuer: credential.issuer, uri: at.uri.clone(), index: at.index })
    });
    let stated =
        |credential: &&VerifiedCredential| credential.claims.0.contains_key("assurance_level");
    let level = all().filter(stated).map(|credential| credential.level).min();
    Ok(Evidence {
        presentations: opened.vp_token().clone(),
        transaction_data: opened.transaction_data_of(consenting)?,
        audience: opened.audience.clone(),
        nonce: opened.nonce.clone(),
        consenting: consenting.to_owned(),
        statuses: statuses.collect(),
        level: level.unwrap_or(etibar_credential::level::AssuranceLevel::Low),
    })
}

fn member_of(value: &Value) -> Option<MemberId> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    u32::try_from(number).ok().map(MemberId)
}

/// Whether a moment, in seconds since 1970, is over. What is no moment is not.
fn has_passed(until: &Value, now: BlockTime) -> bool {
    until.as_u64().is_some_and(|until| until.saturating_mul(1_000) <= now.0)
}
