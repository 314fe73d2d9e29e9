//! Credentials that were revoked because the register changed: found by their status, fetched anew.

use std::time::Duration;

use etibar_client::clock;
use etibar_credential::{
    UnixSeconds,
    sd_jwt::SdJwt,
    sd_jwt_vc::Envelope,
    status_list::{STATUS_LIST_TYPE, Status, VerifiedStatusList},
    trust::TrustRegistry,
};
use etibar_openid::http::Request;
use tokio::time::timeout;

use crate::{
    WalletError,
    envelope::missing,
    gesture::{Action, Gesture},
    holder::{Holder, PID, in_force},
    id::EntryId,
    members::accepted,
    record::CredentialRecord,
    request::{Checked, fetchable, obtainable},
    store::Kind,
    view::CredentialState,
};

/// How long a person who signs in waits for the identity to be renewed.
const COMING_BACK_MAX: Duration = Duration::from_secs(5);

impl Holder {
    /// Looks up the status of every credential and fetches anew what was revoked or has expired:
    /// how many were renewed. The identity comes first: the others are fetched with it.
    pub async fn refresh(&self, gesture: &Gesture) -> Result<usize, WalletError> {
        gesture.check(self.person(), &Action::Refresh)?;
        let mut renewed = usize::from(self.renew_identity().await?);
        let all: Vec<(EntryId, CredentialRecord)> = self.records.all(Kind::Credential).await?;
        for (id, record) in all {
            let state = self.look_up(id, &record).await?;
            if state != CredentialState::Valid && self.renew(&record.vct).await {
                renewed += 1;
            }
        }
        Ok(renewed)
    }

    /// What the wallet does when its person comes back: deferred credentials that are due are
    /// fetched, and if the register changed, the identity is renewed. Within [`COMING_BACK_MAX`],
    /// and without telling of failures: what is not done now is done with the next gesture.
    pub(crate) async fn come_back(&self) {
        let work = async {
            self.resume_deferred().await?;
            self.renew_identity().await
        };
        match timeout(COMING_BACK_MAX, work).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::info!(code = error.code(), "an identity was not renewed"),
            Err(_) => tracing::info!("an identity was not renewed in time"),
        }
    }

    /// Fetches the identity's successor if its issuer ended the identity; whether it did. A
    /// registrar that refuses has revoked it for cause: then it stays as it is.
    pub(crate) async fn renew_identity(&self) -> Result<bool, WalletError> {
        if let Some((id, record)) = self.find(PID).await?
            && self.look_up(id, &record).await? == CredentialState::Valid
        {
            return Ok(false);
        }
        let Some((_, ended)) = self.ended_identity().await? else { return Ok(false) };
        match self.fetch_successor(&ended).await {
            Ok(_) => Ok(true),
            Err(WalletError::Store(fault)) => Err(fault.into()),
            Err(error) => {
                tracing::info!(code = error.code(), "an identity was not renewed");
                Ok(false)
            }
        }
    }

    /// Renews what would be presented and its issuer has ended; what cannot be renewed is marked
    /// and not presented any more. Whether anything changed.
    pub(crate) async fn bring_up_to_date(&self, checked: &Checked) -> Result<bool, WalletError> {
        let verifier = checked.request.verifier();
        let query = &checked.request.claims().dcql_query;
        let mut changed = self.renew_identity().await?;
        loop {
            let held = self.serving(verifier).await?;
            let records: Vec<&CredentialRecord> = held.iter().map(|(_, record)| record).collect();
            let answered = query
                .choose(|id| {
                    query.credential(id).is_some_and(|its| obtainable(its, &records, false))
                })
                .ok_or_else(|| missing(PID))?;
            let asked = |vct: &String| {
                let mut queries = answered.iter().filter_map(|id| query.credential(id));
                vct != PID && queries.any(|its| its.meta.vct_values.contains(vct))
            };
            let mut lost = false;
            for (entry, record) in held.iter().filter(|(_, record)| asked(&record.vct)) {
                if self.look_up(*entry, record).await? != CredentialState::Valid {
                    changed = true;
                    lost |= !self.renew(&record.vct).await;
                }
            }
            // Without it another way to answer may be left: that is looked at in turn.
            if !lost {
                return Ok(changed);
            }
        }
    }

    /// Whether a credential of the type could be fetched again.
    async fn renew(&self, vct: &str) -> bool {
        if !fetchable(vct) {
            return false;
        }
        let fetched = self.fetch(vct).await;
        if let Err(error) = &fetched {
            tracing::info!(code = error.code(), "a credential was not renewed");
        }
        fetched.is_ok()
    }

    /// The state of a credential by its issuer's status list, written down when it changed. An
    /// issuer that does not answer changes nothing.
    async fn look_up(
        &self,
        id: EntryId,
        record: &CredentialRecord,
    ) -> Result<CredentialState, WalletError> {
        let known = in_force(record, clock::now());
        if known != CredentialState::Valid {
            return Ok(known);
        }
        let registry = self.wallet.registry().await?;
        let Some(status) = self.status(record, &registry).await else { return Ok(known) };
        if status == Status::VALID {
            return Ok(known);
        }
        let revoked = CredentialRecord { state: CredentialState::Revoked, ..record.clone() };
        self.records.put(Kind::Credential, id, &revoked, clock::now()).await?;
        Ok(CredentialState::Revoked)
    }

    /// The status of the first instance; all instances are revoked together. `None` when it has
    /// none or the list cannot be read.
    async fn status(&self, record: &CredentialRecord, registry: &TrustRegistry) -> Option<Status> {
        let instance = record.instances.first()?;
        let processed = SdJwt::parse(&instance.sd_jwt).ok()?.read().ok()?;
        let reference = Envelope::read(&processed).ok()?.status?;
        let members = &self.wallet.inner.members;
        let accept = format!("application/{STATUS_LIST_TYPE}");
        let request = Request::get(&reference.uri, &accept);
        let answer = accepted(record.issuer, members.send(record.issuer, request).await.ok()?);
        let text = String::from_utf8(answer.ok()?.body).ok()?;
        let now = UnixSeconds::from(clock::now());
        let list = VerifiedStatusList::verify(text.trim(), &reference.uri, now).ok()?;
        let entry = registry.look_up(&list.authority_digest?, &record.vct, now).ok()?;
        if entry.member != record.issuer {
            return None;
        }
        list.list.get(reference.index).ok()
    }
}
