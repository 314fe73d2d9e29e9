//! Credentials that their issuer has not ready yet: kept, asked for again, and shown meanwhile.

use etibar_client::clock;
use etibar_credential::jose::SoftwareKey;
use etibar_openid::vci::holder::{Delivery, Session};
use etibar_primitives::{BlockTime, DurationMs, hex};

use crate::{
    Language, Wallet, WalletError,
    holder::Holder,
    id::EntryId,
    issue::Issuance,
    label,
    members::is_final,
    record::{CredentialRecord, DeferredRecord, Instance},
    store::Kind,
    view::{DeferredView, Notice, NoticeKind},
};

/// How long the wallet asks for a deferred credential: two weeks.
const ASKED_FOR: DurationMs = DurationMs(14 * DAY_MS);
/// How often it asks at most, whatever interval the issuer names.
const ASKS_MAX: u32 = 20_000;
/// How long an issuance that ended without a credential is shown.
const SHOWN: DurationMs = DurationMs(7 * DAY_MS);
const DAY_MS: u64 = 86_400_000;
/// How an issuance ends whose time is over.
const EXPIRED: &str = "issuance_expired";

impl Holder {
    /// Keeps a deferred issuance before anything waits for it: after a stop it goes on.
    pub(crate) async fn postpone(
        &self,
        issuance: &Issuance<'_>,
        vct: &str,
        instances: Vec<Instance>,
        (transaction, interval_s): (String, u64),
    ) -> Result<(), WalletError> {
        let now = clock::now();
        let record = DeferredRecord {
            issuer: issuance.issuer,
            vct: vct.to_owned(),
            session: issuance.session.clone(),
            dpop: hex::encode(&issuance.dpop.to_bytes()),
            instances,
            transaction,
            began: now,
            interval_s,
            due: pause(now, interval_s),
            asked: 0,
            refused: None,
        };
        Ok(self.records.put(Kind::Deferred, EntryId::random(), &record, now).await?)
    }

    /// Issuances that wait for their issuer, or ended without a credential, the newest first.
    pub async fn deferred(&self, language: Language) -> Result<Vec<DeferredView>, WalletError> {
        let mut all: Vec<(EntryId, DeferredRecord)> = self.records.all(Kind::Deferred).await?;
        all.sort_by_key(|(_, record)| std::cmp::Reverse(record.began));
        let view = |(id, record): (EntryId, DeferredRecord)| DeferredView {
            id,
            title: label::title(&record.vct, language),
            issuer: label::issuer(&record.vct, language)
                .unwrap_or_else(|| self.wallet.inner.members.name(record.issuer)),
            since: record.began,
            due: record.due,
            refused: record.refused,
        };
        Ok(all.into_iter().map(view).collect())
    }

    /// Asks for every deferred credential whose time has come; how many came. The person agreed
    /// when it was ordered: nothing is presented here.
    pub async fn resume_deferred(&self) -> Result<usize, WalletError> {
        let _turn = self.wallet.inner.resuming.lock().await;
        let all: Vec<(EntryId, DeferredRecord)> = self.records.all(Kind::Deferred).await?;
        let mut came = 0;
        for (id, record) in all {
            came += usize::from(self.resume(id, record).await?);
        }
        Ok(came)
    }

    async fn resume(&self, id: EntryId, mut record: DeferredRecord) -> Result<bool, WalletError> {
        let now = clock::now();
        if self.has_come(&record).await? {
            // Killed between keeping the credential and forgetting the issuance.
            return self.arrived(id, &record).await;
        }
        if record.refused.is_some() {
            if now.since(record.due) > SHOWN {
                self.records.remove(Kind::Deferred, id).await?;
            }
            return Ok(false);
        }
        if record.due > now {
            return Ok(false);
        }
        if now.since(record.began) >= ASKED_FOR || record.asked >= ASKS_MAX {
            return self.give_up(id, record, EXPIRED).await;
        }
        // Written before the question: a kill costs a pause, never the issuance.
        record.asked += 1;
        record.due = pause(now, record.interval_s);
        self.records.put(Kind::Deferred, id, &record, now).await?;
        let mut issuance = self.wallet.resumed(&record)?;
        let count = record.instances.len();
        match issuance.ask_again(&record.transaction, count).await {
            Ok(Delivery::Ready { credentials, notification_id }) => {
                let (vct, instances) = (record.vct.clone(), record.instances.clone());
                let got = (credentials, notification_id);
                match self.receive_batch(&mut issuance, &vct, instances, got).await {
                    Ok(_) => self.arrived(id, &record).await,
                    Err(WalletError::Store(fault)) => Err(fault.into()),
                    Err(error) => self.give_up(id, record, error.code()).await,
                }
            }
            Ok(Delivery::Deferred { interval_s, .. }) => {
                record.session = issuance.session;
                record.interval_s = interval_s;
                record.due = pause(now, interval_s);
                self.records.put(Kind::Deferred, id, &record, now).await?;
                Ok(false)
            }
            Err(error) if is_final(&error) => self.give_up(id, record, error.code()).await,
            Err(error) => {
                tracing::info!(code = error.code(), "a deferred credential waits");
                Ok(false)
            }
        }
    }

    /// Whether a credential under one of the ordered keys is here.
    async fn has_come(&self, record: &DeferredRecord) -> Result<bool, WalletError> {
        let all: Vec<(EntryId, CredentialRecord)> = self.records.all(Kind::Credential).await?;
        let ordered = |its: &Instance| record.instances.iter().any(|known| known.key == its.key);
        Ok(all.iter().any(|(_, held)| held.instances.iter().any(ordered)))
    }

    async fn arrived(&self, id: EntryId, record: &DeferredRecord) -> Result<bool, WalletError> {
        let now = clock::now();
        let language = self.language().await?.unwrap_or(Language::Az);
        let kind = NoticeKind::Issued { title: label::title(&record.vct, language) };
        self.records.put(Kind::Message, id, &Notice { kind, at: now }, now).await?;
        self.records.remove(Kind::Deferred, id).await?;
        Ok(true)
    }

    /// Ends an issuance without its credential; the person sees why.
    async fn give_up(
        &self,
        id: EntryId,
        mut record: DeferredRecord,
        code: &str,
    ) -> Result<bool, WalletError> {
        let now = clock::now();
        record.refused = Some(code.to_owned());
        record.due = now;
        self.records.put(Kind::Deferred, id, &record, now).await?;
        Ok(false)
    }
}

impl Wallet {
    /// Asks for the deferred credentials of everybody whose time has come, until `shutdown` ends.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            if let Err(error) = self.resume_all().await {
                tracing::warn!(code = error.code(), "deferred credentials wait");
            }
        }
    }

    async fn resume_all(&self) -> Result<(), WalletError> {
        for person in self.inner.store.persons_with(Kind::Deferred).await? {
            let Some(records) = self.inner.store.records(person).await? else { continue };
            Holder::new(self.clone(), records).resume_deferred().await?;
        }
        Ok(())
    }

    /// The issuance that was interrupted.
    fn resumed(&self, record: &DeferredRecord) -> Result<Issuance<'_>, WalletError> {
        let dpop = hex::decode_array(&record.dpop).ok_or(WalletError::EntryUnknown)?;
        let dpop = SoftwareKey::from_bytes(&dpop).ok_or(WalletError::EntryUnknown)?;
        let session: Session = record.session.clone();
        Ok(Issuance { wallet: self, issuer: record.issuer, session, dpop })
    }
}

/// How often the wallet looks whose deferred credentials are due.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(2);

fn pause(now: BlockTime, interval_s: u64) -> BlockTime {
    now.saturating_add(DurationMs(interval_s.saturating_mul(1_000)))
}
