//! Credentials that were revoked because the register changed: found by their status, fetched anew.

use etibar_client::clock;
use etibar_credential::{
    UnixSeconds,
    sd_jwt::SdJwt,
    sd_jwt_vc::Envelope,
    status_list::{STATUS_LIST_TYPE, Status, VerifiedStatusList},
    trust::TrustRegistry,
};
use etibar_openid::http::Request;

use crate::{
    WalletError,
    gesture::{Action, Gesture},
    holder::{Holder, in_force},
    id::EntryId,
    members::accepted,
    record::CredentialRecord,
    request::fetchable,
    store::Kind,
    view::CredentialState,
};

impl Holder {
    /// Looks up the status of every credential and fetches anew what was revoked or has expired:
    /// how many were renewed.
    pub async fn refresh(&self, gesture: &Gesture) -> Result<usize, WalletError> {
        gesture.check(self.person(), &Action::Refresh)?;
        let all: Vec<(EntryId, CredentialRecord)> = self.records.all(Kind::Credential).await?;
        let mut renewed = 0;
        for (id, record) in all {
            let state = self.look_up(id, &record).await?;
            if state != CredentialState::Valid && self.renew(&record.vct).await {
                renewed += 1;
            }
        }
        Ok(renewed)
    }

    /// Fetches a credential anew if its issuer revoked it; says whether it may be presented.
    pub(crate) async fn renew_if_revoked(
        &self,
        id: EntryId,
        record: &CredentialRecord,
    ) -> Result<bool, WalletError> {
        if self.look_up(id, record).await? == CredentialState::Valid {
            return Ok(true);
        }
        Ok(self.renew(&record.vct).await)
    }

    /// Whether a credential of the type could be fetched again.
    async fn renew(&self, vct: &str) -> bool {
        if !fetchable(vct) && vct != crate::holder::PID {
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
