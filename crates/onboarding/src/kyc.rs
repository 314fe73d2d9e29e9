//! The bank's due diligence: its record, and the credential by which another bank may rely on it
//! (OpenID Connect for Identity Assurance 1.0, `verified_claims`).

use std::collections::BTreeMap;

use etibar_credential::{
    UnixSeconds,
    catalogue::FIRST_AGENCY,
    date::Date,
    level::{AssuranceLevel, Method, Methods},
    sd_jwt::ClaimPath,
    sd_jwt_vc::{Template, issue},
    status_list::{Bits, Status, StatusList, StatusReference, StatusToken, sign_status_list},
    verified_claims::{Evidence, VerifiedClaims},
};
use etibar_ledger::{
    Operation,
    operation::{Action, StatusListAnchor},
};
use etibar_openid::{
    Private,
    vci::{
        CredentialConfiguration, CredentialResponse, Display,
        issuer::{
            CredentialError, CredentialOrder, Incoming, Issuer, IssuerConfig, Lifetimes, NonceKey,
            Offering, Way,
        },
    },
};
use etibar_primitives::{BlockTime, Digest, MemberId, hex};
use etibar_vault::{Access, Basis, ItemKind, LegalBasis, PartyId, Personal, Reader, Select};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Onboarding, OnboardingError,
    applications::STAFF,
    decide::Accepted,
    examination::Examination,
    identity::Identity,
    policy::{KYC, PID, Product},
    service::{DAY_MS, entropy},
    session::{Session, State},
};

/// The configuration id of the due-diligence credential.
pub const CONFIGURATION: &str = "kyc";
/// The number of the bank's status list.
pub const STATUS_LIST: u32 = 0;
/// The fewest entries of the bank's status list: a crowd to hide in.
const STATUS_ENTRIES_MIN: usize = 1 << 16;
/// How long a status list may be relied on, in seconds.
const STATUS_LIFE_S: u64 = 86_400;
/// How long a verifier may keep it, in seconds.
const STATUS_TTL_S: u64 = 300;
/// The highest level that a bank attests, which is its ceiling on the ledger: it saw a credential,
/// not the person. Above it the next bank would refuse the credential.
const LEVEL_MAX: AssuranceLevel = AssuranceLevel::Substantial;
/// The claims of a PID that are due diligence.
const VERIFIED: [&str; 13] = [
    "family_name",
    "given_name",
    "patronymic",
    "birthdate",
    "sex",
    "nationality",
    "place_of_birth",
    "personal_administrative_number",
    "document_number",
    "document_issuer",
    "document_issued",
    "document_expiry",
    "address",
];

/// The record of a decision.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// The product.
    pub product: String,
    /// The level reached.
    pub level: AssuranceLevel,
    /// When it was decided.
    pub decided: BlockTime,
    /// When it is to be renewed.
    pub refresh_due: BlockTime,
    /// Whose due diligence it rests on, if not this bank's own.
    pub reused_from: Option<MemberId>,
    /// Whether enhanced measures apply.
    pub enhanced: bool,
    /// Who examined it, who approved it, and when.
    #[serde(default)]
    pub examination: Option<Examination>,
    /// The names of the consents under which the data came.
    pub consents: Vec<Digest>,
    /// When the account's status must have been asked: the policy's age, in seconds.
    pub status_age_s: u64,
}

impl Record {
    pub(crate) fn new(
        session: &Session,
        product: &Product,
        accepted: &Accepted,
        now: BlockTime,
    ) -> Self {
        let days = u64::from(product.refresh_days);
        let consents = session.consents.iter().flat_map(|plan| &plan.grants);
        Self {
            product: product.name.clone(),
            level: accepted.level,
            decided: now,
            refresh_due: BlockTime(now.0 + days * DAY_MS),
            reused_from: session.reused_from,
            enhanced: !accepted.causes.is_empty(),
            examination: session.examination.clone(),
            consents: consents.map(|grant| grant.rel).collect(),
            status_age_s: product.status_age_s,
        }
    }
}

/// The issuer of due-diligence credentials.
pub(crate) fn issuer(identity: &Identity, nonce_key: [u8; 32]) -> Issuer {
    let configuration = CredentialConfiguration::sd_jwt_vc(KYC, CONFIGURATION);
    Issuer::new(IssuerConfig {
        base_url: identity.base_url.clone(),
        display: vec![Display { name: identity.name.clone(), locale: None }],
        configurations: BTreeMap::from([(CONFIGURATION.to_owned(), configuration)]),
        clients: Vec::new(),
        nonce_key: NonceKey::new(nonce_key),
        lifetimes: Lifetimes::default(),
    })
}

impl Onboarding {
    /// Offers the person its due diligence.
    pub(crate) async fn offer(
        &self,
        session: &mut Session,
        party: PartyId,
    ) -> Result<State, OnboardingError> {
        let product = self.product(session)?;
        // Another bank's due diligence is not passed on as one's own, and a company is no person.
        let own = session.reused_from.is_none() && product.follows_changes;
        if own && session.offer.is_none() {
            let subject = Private(format!("{}/{}", hex::encode(&party.0), product.name));
            let offering = Offering {
                configurations: vec![CONFIGURATION.to_owned()],
                way: Way::PreAuthorized { subject, tx_code: false },
                by_reference: false,
            };
            let grants = &self.inner.grants;
            let offered = self.inner.issuer.offer(grants, offering, self.now(), &entropy()).await;
            session.offer = offered.ok().map(|offered| offered.uri);
        }
        self.follow(session, party).await?;
        Ok(State::Done)
    }

    /// The credential endpoint (OpenID4VCI 1.0 §8).
    ///
    /// # Errors
    /// See [`CredentialError`].
    pub async fn credential(
        &self,
        incoming: Incoming<'_>,
    ) -> Result<CredentialResponse, CredentialError> {
        let now = self.now();
        let grants = &self.inner.grants;
        let issuer = &self.inner.issuer;
        let order = issuer.credential(grants, incoming, now).await?;
        match self.issue(&order).await {
            Ok(credentials) => {
                Ok(issuer.issue(grants, &order, credentials, now, &entropy()).await?)
            }
            Err(error) => {
                tracing::warn!(code = error.code(), "a credential could not be issued");
                Err(CredentialError::Denied)
            }
        }
    }

    /// The credentials of an order: one for each key.
    async fn issue(&self, order: &CredentialOrder) -> Result<Vec<String>, OnboardingError> {
        let (party, product) = order.subject.0.split_once('/').ok_or(OnboardingError::NotAParty)?;
        let party = PartyId(hex::decode_array(party).ok_or(OnboardingError::NotAParty)?);
        let now = self.now();
        let read = |kind, names| {
            let select = Select { kind: Some(kind), names, of_consent: None };
            Access {
                party,
                purpose: 1,
                basis: Basis::Law(LegalBasis::DueDiligence),
                reader: Reader("kyc_issuer"),
                select,
                now,
            }
        };
        let names = [product];
        let decisions = self.vault().read(&read(ItemKind::Kyc, &names)).await?;
        let record = decisions.items.last().ok_or(OnboardingError::NotAParty)?;
        let record: Record = record.value.parse()?;
        let values = self.vault().read(&read(ItemKind::Attribute, &VERIFIED)).await?;
        let mut verified = Map::new();
        for item in &values.items {
            verified.insert(item.name.clone(), item.value.parse()?);
        }
        let claims = claims(&record, verified).ok_or(OnboardingError::NotAParty)?;
        let mut credentials = Vec::with_capacity(order.keys.len());
        for key in &order.keys {
            let place = self.vault().add_status(party).await?;
            let uri = self.status_uri();
            let status = StatusReference { uri, index: place };
            let day = UnixSeconds(now.0 / DAY_MS * 86_400);
            let template = Template {
                vct: KYC,
                vct_integrity: None,
                issuer: &self.inner.parts.identity.base_url,
                issued_at: day,
                not_before: None,
                expires_at: UnixSeconds(record.refresh_due.0 / 1_000),
                holder: key,
                status: Some(&status),
                claims: claims.clone(),
                disclosable: &[ClaimPath::of(&["verified_claims"]), ClaimPath::of(&["method"])],
                decoys: 0,
            };
            let signer = &*self.inner.parts.identity.signer;
            let issued = issue(signer, &template, &mut rand::rng());
            let issued = issued.map_err(|_| OnboardingError::NotAParty)?;
            credentials.push(issued.to_string());
        }
        Ok(credentials)
    }

    /// The address of the bank's status list.
    fn status_uri(&self) -> String {
        format!("{}/status/{STATUS_LIST}", self.inner.parts.identity.base_url)
    }

    /// The status list as it is served (`application/statuslist+jwt`).
    ///
    /// # Errors
    /// A fault; or nothing is anchored yet.
    pub async fn status_list(&self, number: u32) -> Result<String, OnboardingError> {
        if number != STATUS_LIST {
            return Err(OnboardingError::UnknownStatusList);
        }
        let key = STATUS_KEY;
        let kept = self.vault().grant(key, self.now()).await?;
        let kept = kept.ok_or(OnboardingError::StatusUnavailable)?;
        String::from_utf8(kept.value).map_err(|_| OnboardingError::StatusUnavailable)
    }

    /// Signs the status list anew, anchors it, and serves it from then on.
    ///
    /// # Errors
    /// A fault: the former list is still served.
    pub async fn publish_status(&self) -> Result<(), OnboardingError> {
        let now = self.now();
        let (revoked, highest) = self.vault().statuses().await?;
        let entries = usize::try_from(highest + 1).unwrap_or(usize::MAX).max(STATUS_ENTRIES_MIN);
        let unavailable = |_| OnboardingError::StatusUnavailable;
        let mut list = StatusList::new(Bits::One, entries).map_err(unavailable)?;
        for place in revoked {
            list.set(place, Status::INVALID).map_err(unavailable)?;
        }
        let issued_at = UnixSeconds(now.0 / 1_000);
        let uri = self.status_uri();
        let token = StatusToken {
            uri: &uri,
            issued_at,
            expires_at: issued_at.saturating_add(STATUS_LIFE_S),
            ttl_seconds: STATUS_TTL_S,
        };
        let signer = &*self.inner.parts.identity.signer;
        let text = sign_status_list(signer, &token, &list).map_err(unavailable)?;
        let digest = Digest(etibar_credential::jose::sha256(text.as_bytes()));
        // Served before it is anchored: a list newer than the anchor is good, an older one is not.
        let expires = BlockTime((issued_at.0 + STATUS_LIFE_S) * 1_000);
        let grant = etibar_vault::grants::KeptGrant { value: text.into_bytes(), expires };
        self.vault().put_grant(STATUS_KEY, &grant).await?;
        // Our milliseconds are a counter that rises.
        let anchor = StatusListAnchor { list: STATUS_LIST, counter: now.0, digest };
        let action = Action::AnchorStatusList(anchor);
        let id = crate::service::operation_id();
        let executed =
            self.inner.parts.ledger.execute(&[Operation { id, linked: false, action }]).await?;
        let done = executed.first().is_some_and(|its| its.outcome.is_accepted());
        if done { Ok(()) } else { Err(OnboardingError::StatusNotAnchored) }
    }

    /// A party's decisions, for the bank's staff; the reading is on record.
    ///
    /// # Errors
    /// A refusal of the gate, or a fault.
    pub async fn decisions(&self, party: PartyId) -> Result<Vec<Record>, OnboardingError> {
        let wanted = Access {
            party,
            purpose: 1,
            basis: Basis::Law(LegalBasis::DueDiligence),
            reader: STAFF,
            select: Select::kind(ItemKind::Kyc),
            now: self.now(),
        };
        let reading = self.vault().read(&wanted);
        let items = reading.await?.items;
        items.iter().map(|item| Ok(Personal::parse(&item.value)?)).collect()
    }
}

/// Where the served status list is kept.
const STATUS_KEY: etibar_vault::grants::Key<'static> =
    etibar_vault::grants::Key { kind: "status_list", hash: [0; 32] };

/// The claims of the credential; `None` when there is nothing verified to state.
fn claims(record: &Record, verified: Map<String, Value>) -> Option<Map<String, Value>> {
    let seconds = |time: BlockTime| UnixSeconds(time.0 / 1_000);
    let level = record.level.min(LEVEL_MAX);
    let verified = VerifiedClaims {
        level,
        methods: methods(level),
        verified_at: seconds(record.decided),
        refresh_due: Date::of(seconds(record.refresh_due)),
        evidence: vec![Evidence {
            vct: PID.to_owned(),
            issuer: MemberId(FIRST_AGENCY),
            checked_at: seconds(record.decided),
        }],
        claims: verified,
    };
    verified.to_credential().ok()
}

/// The least methods that reach the level which the registrar states: the bank saw its credential,
/// not the proofing itself.
fn methods(level: AssuranceLevel) -> Methods {
    let least: &[Method] = match level {
        AssuranceLevel::Low => &[Method::StrongAuthentication],
        AssuranceLevel::Substantial => &[Method::Video],
        AssuranceLevel::High => &[Method::Call, Method::Signature],
    };
    least.iter().copied().collect()
}
