//! What this bank knows of issuers: the ledger's registry and the issuers' status lists, both kept
//! so that a presentation is verified without asking anybody.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use etibar_client::wire::IssuerView;
use etibar_credential::{
    UnixSeconds,
    level::AssuranceLevel,
    sd_jwt::Presentation,
    sd_jwt_vc::CREDENTIAL_TYPE,
    status_list::{StatusReference, VerifiedStatusList},
    trust::{TrustEntry, TrustRegistry},
    x509::verify_chain,
};
use etibar_primitives::{BlockTime, Digest, MemberId};
use serde_json::Value;

use crate::{
    OnboardingError,
    ports::{Ledger, Peers},
};

/// The registry is read again when it is older than this, in milliseconds.
pub const REGISTRY_AGE_MAX_MS: u64 = 60_000;
/// The most status lists kept.
const LISTS_MAX: usize = 4_096;
/// How often a list is looked at again that the ledger has no anchor of.
const ANCHOR_RETRIES: u32 = 8;
/// The pause before that: some blocks.
const ANCHOR_PAUSE: Duration = Duration::from_millis(250);

/// The registry and the lists.
pub struct Trust {
    ledger: Arc<dyn Ledger>,
    peers: Arc<dyn Peers>,
    registry: RwLock<Snapshot>,
    lists: RwLock<BTreeMap<String, VerifiedStatusList>>,
}

#[derive(Clone, Default)]
struct Snapshot {
    registry: Arc<TrustRegistry>,
    read: Option<BlockTime>,
}

impl Trust {
    /// Knows nothing yet.
    pub fn new(ledger: Arc<dyn Ledger>, peers: Arc<dyn Peers>) -> Self {
        Self { ledger, peers, registry: RwLock::default(), lists: RwLock::default() }
    }

    /// The registry, read anew when it is old. An old one serves while the ledger does not answer.
    ///
    /// # Errors
    /// When the ledger does not answer and nothing was ever read.
    pub async fn registry(&self, now: BlockTime) -> Result<Arc<TrustRegistry>, OnboardingError> {
        let known = self.registry.read().unwrap_or_else(PoisonError::into_inner).clone();
        if known.read.is_some_and(|read| now.since(read).0 < REGISTRY_AGE_MAX_MS) {
            return Ok(known.registry);
        }
        match self.ledger.issuers().await {
            Ok(issuers) => {
                let registry = Arc::new(TrustRegistry::new(issuers.iter().filter_map(entry)));
                let next = Snapshot { registry: Arc::clone(&registry), read: Some(now) };
                *self.registry.write().unwrap_or_else(PoisonError::into_inner) = next;
                Ok(registry)
            }
            Err(_) if known.read.is_some() => Ok(known.registry),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Forgets when the registry was read: it is read anew the next time.
    pub fn refresh(&self) {
        self.registry.write().unwrap_or_else(PoisonError::into_inner).read = None;
    }

    /// The lists at hand.
    pub fn lists(&self) -> BTreeMap<String, VerifiedStatusList> {
        self.lists.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Fetches the status lists that these presentations name and that are not fresh enough here,
    /// and checks each against the ledger's anchor.
    ///
    /// # Errors
    /// [`OnboardingError::StatusUnavailable`], [`OnboardingError::StatusNotAnchored`].
    pub async fn prepare<'a>(
        &self,
        presentations: impl Iterator<Item = &'a str>,
        age_max_s: u64,
        now: BlockTime,
    ) -> Result<(), OnboardingError> {
        let registry = self.registry(now).await?;
        for text in presentations {
            if let Some((member, reference)) = named(text, &registry, now.into()) {
                self.fetch(member, &reference, age_max_s, now).await?;
            }
        }
        Ok(())
    }

    /// Has a fresh list at hand for `reference`, a credential of `member`'s. A member publishes a
    /// list before the ledger has its anchor: a list without one is looked at again for a moment.
    ///
    /// # Errors
    /// As [`Trust::prepare`].
    pub async fn fetch(
        &self,
        member: MemberId,
        reference: &StatusReference,
        age_max_s: u64,
        now: BlockTime,
    ) -> Result<(), OnboardingError> {
        for _ in 0..ANCHOR_RETRIES {
            match self.fetch_anchored(member, reference, age_max_s, now).await {
                Err(OnboardingError::StatusNotAnchored) => tokio::time::sleep(ANCHOR_PAUSE).await,
                ended => return ended,
            }
        }
        self.fetch_anchored(member, reference, age_max_s, now).await
    }

    async fn fetch_anchored(
        &self,
        member: MemberId,
        reference: &StatusReference,
        age_max_s: u64,
        now: BlockTime,
    ) -> Result<(), OnboardingError> {
        let uri = reference.uri.as_str();
        let number = self.number(member, uri).ok_or(OnboardingError::StatusUnavailable)?;
        let anchor = self.ledger.status_list(member, number).await?;
        let anchor = anchor.ok_or(OnboardingError::StatusNotAnchored)?;
        // The anchored list itself, or one signed after the anchor: never an older one.
        let is_anchored = |list: &VerifiedStatusList| {
            Digest(list.token_digest) == anchor.digest
                || list.issued_at.0.saturating_mul(1_000) >= anchor.anchored.0
        };
        let is_good = |list: &VerifiedStatusList| {
            is_anchored(list) && list.check_fresh(now.into(), age_max_s, 30).is_ok()
        };
        let known = |trust: &Self| {
            let lists = trust.lists.read().unwrap_or_else(PoisonError::into_inner);
            lists.get(uri).is_some_and(is_good)
        };
        if known(self) {
            return Ok(());
        }
        let text = self.peers.status_list(member, uri).await;
        let text = text.map_err(|_| OnboardingError::StatusUnavailable)?;
        let list = VerifiedStatusList::verify(&text, uri, now.into())
            .map_err(|_| OnboardingError::StatusUnavailable)?;
        if !is_anchored(&list) {
            return Err(OnboardingError::StatusNotAnchored);
        }
        let mut lists = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        if lists.len() >= LISTS_MAX {
            lists.pop_first();
        }
        lists.insert(uri.to_owned(), list);
        Ok(())
    }

    /// The number of a member's list by its address: nothing else is fetched than what stands
    /// below a member's base URL.
    fn number(&self, member: MemberId, uri: &str) -> Option<u32> {
        let base = self.peers.base_url(member)?;
        uri.strip_prefix(&base)?.strip_prefix("/status/")?.parse().ok()
    }
}

/// The issuer and the status reference of a presentation whose chain the registry vouches for.
fn named(
    text: &str,
    registry: &TrustRegistry,
    now: UnixSeconds,
) -> Option<(MemberId, StatusReference)> {
    let presentation = Presentation::parse(text, CREDENTIAL_TYPE).ok()?;
    let claims = presentation.unproven_claims().ok()?;
    let vct = claims.0.get("vct").and_then(Value::as_str)?;
    let chain = verify_chain(&presentation.header().x5c, now).ok()?;
    let entry = registry.look_up(&chain.authority_digest, vct, now).ok()?;
    let reference = StatusReference::from_claim(claims.0.get("status")?)?;
    Some((entry.member, reference))
}

fn entry(view: &IssuerView) -> Option<TrustEntry> {
    Some(TrustEntry {
        member: view.member,
        credential_type: view.credential_type,
        authority: view.certificate.0,
        ceiling: AssuranceLevel::from_number(view.ceiling.code())?,
        valid_from: UnixSeconds(view.valid_from.0.div_ceil(1_000)),
        valid_until: UnixSeconds(view.valid_until.0 / 1_000),
    })
}
