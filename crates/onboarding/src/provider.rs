//! What is fetched from providers under a consent: registered there first, sealed on its way,
//! receipted by both sides.

use etibar_credential::{
    document::{Binding, Envelope},
    evidence::{Action, Receipt, counter_sign},
    jose::sha256,
    sd_jwt::ClaimPath,
};
use etibar_openid::{
    Private,
    member::{ConsentRegistration, DataAnswer, DataRequest, ReceiptAcknowledgement},
};
use etibar_primitives::{Digest, OperationId};
use etibar_vault::{PartyId, Personal};
use serde_json::{Map, Value};

use crate::{
    Onboarding, OnboardingError,
    answer::{Evidence, store_claims},
    evidence::{Entry, Under},
    flow::FLOW,
    session::{Grant, Plan, Session, State},
};

/// The media type of attributes.
const JSON: &str = "application/json";

/// Attributes as a provider gives them, sealed: a record of its register each.
#[derive(serde::Deserialize)]
struct Attributes {
    vct: String,
    records: Vec<Map<String, Value>>,
}

impl Onboarding {
    /// Fetches what the product needs from providers; registers the following of changes in the
    /// background.
    pub(crate) async fn fetch_all(
        &self,
        session: &Session,
        party: PartyId,
    ) -> Result<State, OnboardingError> {
        let product = self.product(session)?.clone();
        let plan = session.consents.first().ok_or(OnboardingError::UnknownSession)?;
        for needed in product.fetched() {
            let issuer = etibar_credential::catalogue::credential_type(&needed.vct);
            let issuer = issuer.ok_or(OnboardingError::ProviderAnswer)?.issuer;
            let grant = plan.grants.iter().find(|grant| issuer.allows(grant.provider));
            let grant = grant.ok_or(OnboardingError::ProviderAnswer)?;
            self.register(session, party, plan, grant).await?;
            let request = DataRequest {
                id: grant.fetch,
                rel: grant.rel,
                vct: needed.vct.clone(),
                claims: needed.claims.clone(),
                purpose: plan.purpose,
                notice: None,
            };
            self.fetch(party, &Under::of(plan, grant), grant, &request).await?;
        }
        Ok(State::Fetched)
    }

    /// Brings a provider the consent, with the person's signature under it.
    pub(crate) async fn register(
        &self,
        session: &Session,
        party: PartyId,
        plan: &Plan,
        grant: &Grant,
    ) -> Result<(), OnboardingError> {
        let evidence = self.evidence(session, party, FLOW).await?;
        let registration = registration(&evidence, plan, grant)?;
        let done = self.inner.parts.peers.register(grant.provider, &registration).await?;
        if done.rel == grant.rel { Ok(()) } else { Err(OnboardingError::ProviderAnswer) }
    }

    /// Fetches, opens, checks, keeps, and counter-signs. A repeat keeps the same values and leaves
    /// no second receipt at the provider's.
    pub(crate) async fn fetch(
        &self,
        party: PartyId,
        under: &Under,
        grant: &Grant,
        request: &DataRequest,
    ) -> Result<(), OnboardingError> {
        let peers = &self.inner.parts.peers;
        let answer = peers.fetch(under.provider, request).await?;
        let claims = self.open_answer(under, request, &answer).await?;
        let now = self.now();
        let mut change = self.vault().begin().await?;
        let consent = Some(grant.consent());
        store_claims(&mut change, party, &request.vct, &claims, consent, now).await?;
        let body = etibar_openid::member::render(request)?;
        let entry = Entry {
            action: Action::Fetch,
            vct: &request.vct,
            claims: request.claims.clone(),
            request_hash: Digest(sha256(&body)),
            response_hash: Digest(sha256(answer.envelope.as_bytes())),
            staff: None,
        };
        self.note(&mut change, party, under, entry).await?;
        let item = etibar_vault::NewItem {
            kind: etibar_vault::ItemKind::Document,
            name: "receipt.provider",
            category: 0,
            consent,
            keep_until: None,
            value: Personal::json(&answer.receipt),
        };
        change.put(party, &item, now).await?;
        change.commit().await?;
        let identity = &self.inner.parts.identity;
        let counter_signature = counter_sign(&answer.receipt, identity.member, &*identity.signer)?;
        let acknowledgement =
            ReceiptAcknowledgement { id: request.id, rel: request.rel, counter_signature };
        if let Err(fault) = peers.acknowledge(under.provider, &acknowledgement).await {
            // The provider asks again with the next fetch; the data is here and receipted.
            tracing::info!(%fault, "a receipt could not be acknowledged");
        }
        Ok(())
    }

    /// The claims of an answer, once envelope and receipt hold.
    async fn open_answer(
        &self,
        under: &Under,
        request: &DataRequest,
        answer: &DataAnswer,
    ) -> Result<Map<String, Value>, OnboardingError> {
        let wrong = || OnboardingError::ProviderAnswer;
        let identity = &self.inner.parts.identity;
        let now = self.now();
        let (claimed, chain) = Receipt::peek(&answer.receipt).map_err(|_| wrong())?;
        let registry = self.inner.trust.registry(now).await?;
        let (chain, entry) =
            registry.verify_chain(&chain, &request.vct, now.into()).map_err(|_| wrong())?;
        let receipt = Receipt::verify(&answer.receipt, &chain.leaf_key).map_err(|_| wrong())?;
        let fits = answer.id == request.id
            && receipt == claimed
            && entry.member == under.provider
            && receipt.author == under.provider
            && receipt.requester == identity.member
            && receipt.rel == under.rel
            && receipt.purpose.0 == under.purpose
            && receipt.action == Action::Fetch
            && receipt.response_hash == Digest(sha256(answer.envelope.as_bytes()));
        if !fits {
            return Err(wrong());
        }
        let (consent, provider) = (under.consent, under.provider);
        let binding = Binding { consent, provider, consumer: identity.member };
        let envelope = Envelope::from_text(&answer.envelope).map_err(|_| wrong())?;
        let document = envelope.open(&binding, &identity.seal).map_err(|_| wrong())?;
        if document.media_type != JSON {
            return Err(wrong());
        }
        let attributes: Attributes =
            serde_json::from_slice(&document.content).map_err(|_| wrong())?;
        // What is asked of a person here is one record: several would be mixed up.
        let claims = match <[_; 1]>::try_from(attributes.records) {
            Ok([claims]) if attributes.vct == request.vct => claims,
            _ => return Err(wrong()),
        };
        // No more is kept than was asked for.
        let asked: Vec<ClaimPath> = request
            .claims
            .iter()
            .map(|claim| ClaimPath::of(&claim.split('.').collect::<Vec<_>>()))
            .collect();
        let within = |name: &String| {
            let path = ClaimPath::of(&[name]);
            asked.iter().any(|asked| asked.meets(path.steps()))
        };
        Ok(claims.into_iter().filter(|(name, _)| within(name)).collect())
    }
}

/// The consent with its evidence, as a provider takes it.
pub(crate) fn registration(
    evidence: &Evidence,
    plan: &Plan,
    grant: &Grant,
) -> Result<ConsentRegistration, OnboardingError> {
    let presentation = evidence.presentations.get(&evidence.consenting);
    let presentation = presentation.and_then(|list| list.first());
    let presentation = presentation.ok_or(OnboardingError::ProviderAnswer)?.clone();
    Ok(ConsentRegistration {
        artefact: Private(plan.artefact.clone()),
        r: grant.r.clone(),
        salt: grant.salt.clone(),
        presentation: Private(presentation),
        transaction_data: evidence.transaction_data.clone(),
        audience: evidence.audience.clone(),
        nonce: evidence.nonce.clone(),
        granted_by: grant.grant,
    })
}

/// A fresh id for a fetch that is made once.
pub(crate) fn fetch_id() -> OperationId {
    crate::service::operation_id()
}
