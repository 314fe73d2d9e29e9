//! Who shows a credential: presentations of the PID, checked against registry, status and anchor.

use std::{collections::BTreeMap, sync::Arc};

use etibar_client::wire::IssuerView;
use etibar_credential::{
    UnixSeconds,
    level::AssuranceLevel,
    sd_jwt::{KeyBindingPolicy, Presentation, SdJwtError},
    sd_jwt_vc::{CREDENTIAL_TYPE, Envelope},
    status_list::{Status, StatusReference, VerifiedStatusList},
    trust::{
        CredentialPolicy, TrustEntry, TrustError, TrustRegistry, VerifiedCredential,
        verify_credential,
    },
};
use etibar_openid::member::{
    HOLDER_REQUEST_AGE_MAX_S, HolderEnvelope, HolderRequest, RecoveryApproval,
};
use etibar_primitives::{BlockTime, DurationMs, MemberId};

use crate::{
    agencies::kind,
    agency::Agency,
    error::AgencyError,
    identifiers::Fin,
    store::{EntryStanding, Invalidity, StatusEntry},
};

/// How long the trust registry is used before it is read again.
const REGISTRY_AGE: DurationMs = DurationMs(10_000);
/// How far ahead of our clock a holder's may run, in seconds.
pub(crate) const CLOCK_SKEW_S: u64 = 30;
/// Status lists of others that are kept at most.
const LISTS_MAX: usize = 256;

/// Status lists by address.
pub(crate) type StatusLists = BTreeMap<String, VerifiedStatusList>;

impl Agency {
    /// The trust registry, at most [`REGISTRY_AGE`] old.
    pub(crate) async fn registry(&self) -> Result<Arc<TrustRegistry>, AgencyError> {
        let now = self.now();
        let kept = Self::lock(&self.inner.registry).clone();
        if let Some((at, registry)) = kept
            && now.since(at) < REGISTRY_AGE
        {
            return Ok(registry);
        }
        let issuers = self.inner.ledger.issuers().await?;
        let registry = Arc::new(TrustRegistry::new(issuers.iter().map(entry)));
        *Self::lock(&self.inner.registry) = Some((now, registry.clone()));
        Ok(registry)
    }

    /// Verifies a presentation of the PID and reads whose it is.
    pub(crate) async fn verify_pid(
        &self,
        presentation: &str,
        key_binding: KeyBindingPolicy<'_>,
    ) -> Result<(VerifiedCredential, Fin), AgencyError> {
        let registry = self.registry().await?;
        let (lists, _) = self.lists_for(presentation, &registry, key_binding.now).await?;
        let policy = CredentialPolicy {
            vct: kind::PID,
            key_binding,
            level_min: None,
            status_age_seconds_max: self.inner.setup.limits.status_age_max_s,
            allows_no_status: false,
        };
        let verified = verify_credential(presentation, &registry, &lists, &policy)?;
        let fin = personal_number(&verified)?;
        Ok((verified, fin))
    }

    /// The status list that a presentation's credential refers to, no older than its anchor, and
    /// where it stands in it.
    pub(crate) async fn lists_for(
        &self,
        presentation: &str,
        registry: &TrustRegistry,
        now: UnixSeconds,
    ) -> Result<(StatusLists, Option<StatusReference>), AgencyError> {
        let refused = |error: SdJwtError| AgencyError::Presentation(error.into());
        let parsed = Presentation::parse(presentation, CREDENTIAL_TYPE).map_err(refused)?;
        // Nothing is fetched for a credential whose issuer nobody vouches for.
        let chain = &parsed.header().x5c;
        let verified = etibar_credential::x509::verify_chain(chain, now)
            .map_err(|error| AgencyError::Presentation(error.into()))?;
        let processed = parsed.verify(&verified.leaf_key).map_err(refused)?;
        let envelope =
            Envelope::read(&processed).map_err(|error| AgencyError::Presentation(error.into()))?;
        let entry = registry.look_up(&verified.authority_digest, &envelope.vct, now)?;
        let Some(status) = envelope.status else { return Ok((StatusLists::new(), None)) };
        let list = self.list(&status.uri, entry.member, now).await?;
        Ok((StatusLists::from([(status.uri.clone(), list)]), Some(status)))
    }

    /// Lets a superseded PID of the registrar's own pass once more: in `lists`, which are for this
    /// presentation alone, its entry becomes valid. Whether it did.
    pub(crate) async fn admit_superseded(
        &self,
        lists: &mut StatusLists,
        status: Option<&StatusReference>,
    ) -> Result<bool, AgencyError> {
        let Some(status) = status.filter(|_| self.inner.setup.kind.is_registrar()) else {
            return Ok(false);
        };
        let Some(entry) = self.own_entry(status) else { return Ok(false) };
        let standing = self.inner.store.standing_of(entry).await?;
        if standing != Some(EntryStanding::Invalid(Invalidity::Superseded)) {
            return Ok(false);
        }
        let Some(list) = lists.get_mut(&status.uri) else { return Ok(false) };
        Ok(list.list.set(status.index, Status::VALID).is_ok())
    }

    fn own_entry(&self, status: &StatusReference) -> Option<StatusEntry> {
        let list = self.own_list(&status.uri)?;
        Some(StatusEntry { list, entry: u32::try_from(status.index).ok()? })
    }

    /// The number of a list of this agency's own.
    fn own_list(&self, uri: &str) -> Option<u32> {
        let number = uri.strip_prefix(&self.inner.setup.base_url)?.strip_prefix("/status/")?;
        number.parse().ok()
    }

    /// A status list, from memory when the ledger knows no newer one.
    async fn list(
        &self,
        uri: &str,
        issuer: MemberId,
        now: UnixSeconds,
    ) -> Result<VerifiedStatusList, AgencyError> {
        let number = uri.rsplit('/').next().and_then(|number| number.parse().ok());
        let anchor = match number {
            Some(number) => self.inner.ledger.status_list(issuer, number).await?,
            None => None,
        };
        let is_current = |list: &VerifiedStatusList| {
            anchor.is_none_or(|anchor| {
                // Newer than its anchor is right, too: the next anchor is on its way.
                anchor.digest.0 == list.token_digest
                    || (list.issued_at.0 + 1) * 1_000 > anchor.anchored.0
            })
        };
        // The agency's own list is read where it is kept: what it revoked counts at once.
        let is_own = issuer == self.inner.setup.member;
        let kept = Self::lock(&self.inner.lists).get(uri).filter(|_| !is_own).cloned();
        let ttl = |list: &VerifiedStatusList| list.ttl_seconds.unwrap_or(0);
        let usable =
            |list: &VerifiedStatusList| is_current(list) && now.since(list.fetched_at) <= ttl(list);
        if let Some(list) = kept.filter(usable) {
            return Ok(list);
        }
        let text = self.list_text(uri).await?;
        let list = VerifiedStatusList::verify(&text, uri, now)
            .map_err(|error| AgencyError::Presentation(TrustError::Status(error)))?;
        if !is_current(&list) {
            return Err(AgencyError::StatusOlderThanAnchor);
        }
        let mut lists = Self::lock(&self.inner.lists);
        if lists.len() >= LISTS_MAX {
            lists.clear();
        }
        lists.insert(uri.to_owned(), list.clone());
        Ok(list)
    }

    async fn list_text(&self, uri: &str) -> Result<String, AgencyError> {
        if let Some(number) = self.own_list(uri) {
            let own = self.inner.store.publication(number).await?;
            let unavailable = AgencyError::Presentation(TrustError::StatusUnavailable);
            return own.map(|list| list.token).ok_or(unavailable);
        }
        Ok(self.inner.web.get(uri).await?)
    }

    /// Whose request this is, and what it asks.
    pub(crate) async fn open_holder_request(
        &self,
        envelope: &HolderEnvelope,
    ) -> Result<(Fin, HolderRequest), AgencyError> {
        let request: HolderRequest = envelope.open()?;
        let fin = self.check_holder(envelope, &request.audience, request.made_at).await?;
        Ok((fin, request))
    }

    /// Which guardian approves what.
    pub(crate) async fn open_approval(
        &self,
        envelope: &HolderEnvelope,
    ) -> Result<(Fin, RecoveryApproval), AgencyError> {
        let approval: RecoveryApproval = envelope.open()?;
        let fin = self.check_holder(envelope, &approval.audience, approval.made_at).await?;
        Ok((fin, approval))
    }

    async fn check_holder(
        &self,
        envelope: &HolderEnvelope,
        audience: &str,
        made_at: BlockTime,
    ) -> Result<Fin, AgencyError> {
        let now = self.now();
        let age_max = DurationMs(HOLDER_REQUEST_AGE_MAX_S * 1_000);
        let early = made_at.since(now) > DurationMs(CLOCK_SKEW_S * 1_000);
        if audience != self.inner.setup.base_url || now.since(made_at) > age_max || early {
            return Err(AgencyError::RequestStale);
        }
        let nonce = envelope.nonce();
        let key_binding = KeyBindingPolicy {
            nonce: &nonce,
            audience,
            now: now.into(),
            age_seconds_max: HOLDER_REQUEST_AGE_MAX_S,
            skew_seconds_max: CLOCK_SKEW_S,
            transaction_data: &[],
        };
        let (_, fin) = self.verify_pid(&envelope.presentation.0, key_binding).await?;
        Ok(fin)
    }
}

/// The personal number that a presentation of the PID discloses.
pub(crate) fn personal_number(verified: &VerifiedCredential) -> Result<Fin, AgencyError> {
    let claim = verified.claims.0.get("personal_administrative_number");
    let text = claim.and_then(|claim| claim.as_str()).ok_or(AgencyError::PersonUndisclosed)?;
    Ok(Fin::parse(text)?)
}

fn entry(view: &IssuerView) -> TrustEntry {
    let ceiling = AssuranceLevel::from_number(match view.ceiling {
        etibar_ledger::operation::AssuranceLevel::Low => 1,
        etibar_ledger::operation::AssuranceLevel::Substantial => 2,
        etibar_ledger::operation::AssuranceLevel::High => 3,
    });
    TrustEntry {
        member: view.member,
        credential_type: view.credential_type,
        authority: view.certificate.0,
        ceiling: ceiling.expect("one, two and three are levels"),
        valid_from: view.valid_from.into(),
        valid_until: view.valid_until.into(),
    }
}
