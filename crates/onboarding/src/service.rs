//! The flows as their doors see them: sessions are made, answered and looked at.

use std::{sync::Arc, time::Duration};

use etibar_credential::{
    catalogue::{Category, Language, PurposeCode},
    consent::transaction_entry,
    identifier::Phone,
    jose::sha256,
    level::AssuranceLevel,
};
use etibar_openid::{
    Entropy, Private, Secret,
    vci::issuer::Issuer,
    vp::verifier::{Ask, RequestObject, Verifier},
};
use etibar_primitives::{BlockTime, DurationMs, MemberId, OperationId, hex};
use etibar_vault::{
    Access, Basis, ItemKind, LegalBasis, NewItem, PartyKind, Personal, Reader, Select, Vault,
    grants::{KeptGrant, Key},
    work::{Work, WorkView},
};
use serde::Serialize;
use tokio::sync::{Mutex, Notify};

use crate::{
    OnboardingError,
    grants::VaultGrants,
    identity::Identity,
    policy::{ID_PID, ID_PID_REUSE, Products},
    ports::{AccountOpening, Ledger, Peers, Screening},
    session::{Plan, SESSIONS, Session, State},
    trust::Trust,
};

/// How long a session may wait for its answer and its end, in seconds.
pub const SESSION_LIFE_S: u64 = 900;
/// How long a caller may wait for a session to move, in milliseconds.
pub const WAIT_MS_MAX: u64 = 20_000;
/// Sessions that may be under way at once.
pub const SESSIONS_MAX: u32 = 10_000;
/// One day, in milliseconds.
pub(crate) const DAY_MS: u64 = 86_400_000;
/// Locks for sessions: two sessions rarely share one.
const LOCKS: usize = 64;
/// The kind of grant that leads from a request to its session.
const REQUEST_GRANT: &str = "session_of_request";

/// The bank's clock.
pub type Clock = Arc<dyn Fn() -> BlockTime + Send + Sync>;

/// What the flows stand on.
#[derive(Clone)]
pub struct Parts {
    /// Who this bank is.
    pub identity: Identity,
    /// What it offers.
    pub products: Products,
    /// Its customers' data.
    pub vault: Vault,
    /// The ledger as this bank.
    pub ledger: Arc<dyn Ledger>,
    /// The other members.
    pub peers: Arc<dyn Peers>,
    /// Its books.
    pub accounts: Arc<dyn AccountOpening>,
    /// Its screening.
    pub screening: Arc<dyn Screening>,
    /// Its clock.
    pub clock: Clock,
    /// How long an application waits for the staff's examination.
    pub examination_life: DurationMs,
}

/// The flows of one bank. Cheap to clone.
#[derive(Clone)]
pub struct Onboarding {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) parts: Parts,
    pub(crate) grants: VaultGrants,
    pub(crate) verifier: Verifier,
    pub(crate) issuer: Issuer,
    pub(crate) trust: Trust,
    pub(crate) wake: Notify,
    pub(crate) moved: Notify,
    pub(crate) lag: std::sync::Mutex<crate::notices::Lag>,
    locks: Vec<Mutex<()>>,
}

impl std::fmt::Debug for Onboarding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Onboarding of {:?}", self.inner.parts.identity)
    }
}

/// A session that was made.
#[derive(Debug, Clone, Serialize)]
pub struct Created {
    /// Its id: who knows it may look at it.
    pub id: String,
    /// `openid4vp://…`, for the wallet.
    pub request_uri: String,
    /// Until when it may be answered.
    pub expires_at: BlockTime,
}

/// A session as the person's channel sees it.
#[derive(Debug, Clone, Serialize)]
pub struct SessionView {
    /// Its id.
    pub id: String,
    /// Where it is.
    pub state: &'static str,
    /// Whether it will not move any more.
    pub is_final: bool,
    /// The product.
    pub product: String,
    /// `openid4vp://…`, while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_uri: Option<String>,
    /// Why it was refused or failed: stable codes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// The level needed to go on, if that is what lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level_needed: Option<AssuranceLevel>,
    /// The account's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iban: Option<Private<String>>,
    /// The offer of the due-diligence credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kyc_offer: Option<String>,
    /// The consents, with the secrets that are the person's, too.
    pub consents: Vec<ConsentGiven>,
    /// Whose due diligence was reused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reused_from: Option<MemberId>,
    /// Whether enhanced measures apply.
    pub enhanced: bool,
    /// When an application that the staff examines lapses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub examined_until: Option<BlockTime>,
    /// From the session's answer to the open account, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened_ms: Option<u64>,
}

/// A consent as the person keeps it.
#[derive(Debug, Clone, Serialize)]
pub struct ConsentGiven {
    /// The signed artefact.
    pub artefact: String,
    /// Who provides.
    pub provider: MemberId,
    /// Its name on the ledger.
    pub rel: etibar_primitives::Digest,
    /// The secret of that name.
    pub r: Secret,
    /// The salt of the commitment.
    pub salt: Secret,
    /// The operation that granted it.
    pub granted_by: OperationId,
}

pub(crate) fn operation_id() -> OperationId {
    OperationId::from_bytes(rand::random())
}

pub(crate) fn entropy() -> Entropy {
    Entropy::new(rand::random())
}

/// The session id of a text of 32 hexadecimal digits.
pub fn session_id(text: &str) -> Option<[u8; 16]> {
    hex::decode_array(text)
}

impl Onboarding {
    /// The flows on `parts`. Run [`Onboarding::run`] beside them.
    pub fn new(parts: Parts, nonce_key: [u8; 32]) -> Self {
        let base_url = parts.identity.base_url.clone();
        let trust = Trust::new(Arc::clone(&parts.ledger), Arc::clone(&parts.peers));
        let inner = Inner {
            grants: VaultGrants(parts.vault.clone()),
            verifier: Verifier { base_url, request_life_s: SESSION_LIFE_S },
            issuer: crate::kyc::issuer(&parts.identity, nonce_key),
            trust,
            wake: Notify::new(),
            moved: Notify::new(),
            lag: std::sync::Mutex::default(),
            locks: (0..LOCKS).map(|_| Mutex::default()).collect(),
            parts,
        };
        Self { inner: Arc::new(inner) }
    }

    /// What the flows stand on.
    pub fn parts(&self) -> &Parts {
        &self.inner.parts
    }

    /// The issuer of due-diligence credentials.
    pub fn issuer(&self) -> &Issuer {
        &self.inner.issuer
    }

    /// The protocols' open business.
    pub fn grants(&self) -> &VaultGrants {
        &self.inner.grants
    }

    /// What this bank knows of issuers.
    pub fn trust(&self) -> &Trust {
        &self.inner.trust
    }

    pub(crate) fn now(&self) -> BlockTime {
        (self.inner.parts.clock)()
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.inner.parts.vault
    }

    pub(crate) async fn lock(&self, id: [u8; 16]) -> tokio::sync::MutexGuard<'_, ()> {
        self.inner.locks[usize::from(id[0]) % LOCKS].lock().await
    }

    /// Makes a session for a product: what to ask, and the consents to be signed with the answer.
    ///
    /// # Errors
    /// [`OnboardingError::UnknownProduct`], [`OnboardingError::Phone`], or a fault.
    pub async fn create(
        &self,
        product: &str,
        language: Language,
        phone: Option<&Private<String>>,
    ) -> Result<Created, OnboardingError> {
        let parts = &self.inner.parts;
        let product = parts.products.get(product).ok_or(OnboardingError::UnknownProduct)?;
        if phone.is_some_and(|phone| Phone::parse(&phone.0).is_err()) {
            return Err(OnboardingError::Phone);
        }
        let now = self.now();
        let consents = self.plans(product, language, now)?;
        let ids = [ID_PID, ID_PID_REUSE];
        let ids = if product.reuse.is_some() { &ids[..] } else { &ids[..1] };
        let transaction_data =
            consents.iter().map(|plan| transaction_entry(&plan.artefact, ids)).collect();
        let purpose = PurposeCode(product.purpose);
        let ask = Ask { query: product.query(), purpose, transaction_data, redirect_uri: None };
        let signer = &*parts.identity.signer;
        let asked =
            self.inner.verifier.ask(&self.inner.grants, signer, ask, now, &entropy()).await?;
        let id: [u8; 16] = rand::random();
        let session = Session {
            product: product.name.clone(),
            language,
            request: asked.id.clone(),
            link: asked.reference.to_uri(),
            expires: asked.expires,
            consents,
            prospect: true,
            account: operation_id(),
            reuse: operation_id(),
            erase: None,
            reused_from: None,
            reasons: Vec::new(),
            needed: None,
            ends: String::new(),
            offer: None,
            enhanced: false,
            examination: None,
            owed: false,
            accepted: None,
            answered: None,
            opened_ms: None,
        };
        let request_uri = session.link.clone();
        let key = Key { kind: REQUEST_GRANT, hash: sha256(asked.id.as_bytes()) };
        let grant = KeptGrant { value: id.to_vec(), expires: asked.expires };
        parts.vault.add_grant(key, &grant, now).await?;
        self.keep(id, &session, phone, now).await?;
        Ok(Created { id: hex::encode(&id), request_uri, expires_at: asked.expires })
    }

    async fn keep(
        &self,
        id: [u8; 16],
        session: &Session,
        phone: Option<&Private<String>>,
        now: BlockTime,
    ) -> Result<(), OnboardingError> {
        let mut work = Work::new(id, State::Waiting.name(), session, now, Some(session.expires));
        let mut change = self.vault().begin().await?;
        if let Some(phone) = phone {
            let party = change.new_party(PartyKind::Natural, now).await?;
            let item = NewItem {
                kind: ItemKind::Attribute,
                name: "phone",
                category: category(Category::Contact),
                consent: None,
                keep_until: None,
                value: Personal::json(&phone.0),
            };
            change.put(party, &item, now).await?;
            work.party = Some(party);
        }
        change.put_work(SESSIONS, &work).await?;
        change.commit().await?;
        Ok(())
    }

    /// The signed request object of a session, for the wallet that fetches it.
    ///
    /// # Errors
    /// See [`OnboardingError::Request`].
    pub async fn request_object(
        &self,
        request: &str,
        wallet_nonce: Option<&str>,
    ) -> Result<RequestObject, OnboardingError> {
        let signer = &*self.inner.parts.identity.signer;
        let grants = &self.inner.grants;
        let verifier = &self.inner.verifier;
        Ok(verifier.request_object(grants, signer, request, wallet_nonce, self.now()).await?)
    }

    /// The session of a request.
    pub(crate) async fn session_of(&self, request: &str) -> Result<[u8; 16], OnboardingError> {
        let key = Key { kind: REQUEST_GRANT, hash: sha256(request.as_bytes()) };
        let kept = self.vault().grant(key, self.now()).await?;
        let kept = kept.ok_or(OnboardingError::UnknownSession)?;
        kept.value.try_into().map_err(|_| OnboardingError::UnknownSession)
    }

    /// A session, waiting up to `wait_ms` for its end.
    ///
    /// # Errors
    /// [`OnboardingError::UnknownSession`], or a fault.
    pub async fn session(
        &self,
        id: [u8; 16],
        wait_ms: u64,
    ) -> Result<SessionView, OnboardingError> {
        let wait = Duration::from_millis(wait_ms.min(WAIT_MS_MAX));
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            let moved = self.inner.moved.notified();
            let view = self.view(id).await?;
            // The staff takes its time: nobody waits for it with an open connection.
            let rests = view.is_final || view.state == State::Examining.name();
            if rests || tokio::time::timeout_at(deadline, moved).await.is_err() {
                return if rests { Ok(view) } else { self.view(id).await };
            }
        }
    }

    async fn view(&self, id: [u8; 16]) -> Result<SessionView, OnboardingError> {
        let work = self.work(id).await?;
        let session: Session = work.payload()?;
        let state = State::of(&work.state).ok_or(OnboardingError::UnknownSession)?;
        let open = matches!(state, State::Opened | State::Done);
        let examining = matches!(state, State::Examining | State::Approved);
        let iban = match work.party {
            Some(party) if open => self.iban(party, &session).await?,
            _ => None,
        };
        let granted =
            !matches!(state, State::Waiting | State::Presented) && session.ends.is_empty();
        let given = |plan: &Plan| {
            let artefact = plan.artefact.clone();
            plan.grants.clone().into_iter().map(move |grant| ConsentGiven {
                artefact: artefact.clone(),
                provider: grant.provider,
                rel: grant.rel,
                r: grant.r,
                salt: grant.salt,
                granted_by: grant.grant,
            })
        };
        Ok(SessionView {
            id: hex::encode(&id),
            state: state.name(),
            is_final: state.is_terminal(),
            product: session.product,
            request_uri: (state == State::Waiting).then_some(session.link),
            reasons: session.reasons,
            level_needed: session.needed,
            iban,
            kyc_offer: session.offer,
            consents: session.consents.iter().filter(|_| granted).flat_map(given).collect(),
            reused_from: session.reused_from,
            enhanced: session.enhanced,
            examined_until: session.examination.map(|its| its.lapses).filter(|_| examining),
            opened_ms: session.opened_ms,
        })
    }

    async fn iban(
        &self,
        party: etibar_vault::PartyId,
        session: &Session,
    ) -> Result<Option<Private<String>>, OnboardingError> {
        let name = session.product.as_str();
        let names = [name];
        let wanted = Access {
            party,
            purpose: session.consents.first().map_or(0, |plan| plan.purpose),
            basis: Basis::Law(LegalBasis::Contract),
            reader: Reader("session_view"),
            select: Select { kind: Some(ItemKind::Account), names: &names, of_consent: None },
            now: self.now(),
        };
        let reading = self.vault().read(&wanted);
        let reading = reading.await?;
        Ok(reading.get(name).map(Personal::parse).transpose()?.map(Private))
    }

    pub(crate) async fn work(&self, id: [u8; 16]) -> Result<Work, OnboardingError> {
        match self.vault().work(SESSIONS, id).await {
            Err(etibar_vault::VaultError::UnknownWork) => Err(OnboardingError::UnknownSession),
            other => Ok(other?),
        }
    }

    /// The latest sessions, for the bank's staff: no personal value.
    ///
    /// # Errors
    /// A fault of the vault.
    pub async fn sessions(&self, limit: u32) -> Result<Vec<WorkView>, OnboardingError> {
        Ok(self.vault().list_work(SESSIONS, limit).await?)
    }
}

/// A category's bit, as the vault keeps it.
pub(crate) fn category(category: Category) -> u8 {
    u8::try_from(category.bit()).expect("a scope has 32 bits")
}
