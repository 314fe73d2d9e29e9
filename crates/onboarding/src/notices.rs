//! What comes without a person: notices of changes, and the queues that survive a kill.

use etibar_credential::consent::{Artefact, Fetch};
use etibar_openid::member::{ChangeNotice, DataRequest, NoticeTaken, RevocationNotice};
use etibar_primitives::{BlockTime, Digest, DurationMs, MemberId, OperationId};
use etibar_vault::{PartyId, work::Work};
use serde::{Deserialize, Serialize};

use crate::{
    Onboarding, OnboardingError,
    evidence::Under,
    policy::{PID, PURPOSE_REFRESH},
    session::{SESSIONS, Session},
};

/// Notices to follow.
pub const NOTICES: &str = "notice";
/// Revocations to tell providers.
pub const REVOCATIONS: &str = "revocation";
/// Consents to register at providers who will give notice.
pub const FOLLOWS: &str = "follow";

/// How often the queues are looked at when nothing wakes the worker, in milliseconds.
const TICK_MS: u64 = 1_000;
/// How often the status list is signed anew, in milliseconds.
const STATUS_MS: u64 = 300_000;
/// Work of each queue done in one round.
const ROUND: u32 = 64;
/// After so many attempts work is done at the longest pause only.
const PAUSE_MS_MAX: u64 = 60_000;

/// How late changes arrive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lag {
    /// Changes followed since the start.
    pub count: u64,
    /// From the register's change to the vault, the last, in milliseconds.
    pub last_ms: u64,
    /// The longest.
    pub max_ms: u64,
    /// Notices that wait.
    pub waiting: u64,
    /// How long the oldest of them has waited, in milliseconds.
    pub waiting_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct Notice {
    rel: Digest,
    changed_at: BlockTime,
    fetch: OperationId,
}

#[derive(Serialize, Deserialize)]
struct Follow {
    session: Session,
}

impl Onboarding {
    /// Takes a provider's notice; `caller` is the member that its token names.
    ///
    /// # Errors
    /// [`OnboardingError::NotAParty`] when it is no notice of the consent's provider.
    pub async fn notice(
        &self,
        caller: MemberId,
        notice: &ChangeNotice,
    ) -> Result<NoticeTaken, OnboardingError> {
        let now = self.now();
        let consent = self.vault().consent_of_rel(&notice.rel.0).await;
        let consent = consent.map_err(|_| OnboardingError::NotAParty)?;
        if consent.provider != caller || !consent.in_force(now) {
            return Err(OnboardingError::NotAParty);
        }
        let id = notice.id.to_bytes();
        if self.vault().work(NOTICES, id).await.is_ok() {
            return Ok(NoticeTaken { id: notice.id });
        }
        let payload = Notice {
            rel: notice.rel,
            changed_at: notice.changed_at,
            fetch: crate::provider::fetch_id(),
        };
        let mut work = Work::new(id, "asked", &payload, now, Some(now));
        work.party = Some(consent.party);
        let mut change = self.vault().begin().await?;
        change.put_work(NOTICES, &work).await?;
        change.commit().await?;
        self.inner.wake.notify_one();
        Ok(NoticeTaken { id: notice.id })
    }

    /// Has the consent to follow changes registered at its provider, in the background.
    pub(crate) async fn follow(
        &self,
        session: &Session,
        party: PartyId,
    ) -> Result<(), OnboardingError> {
        let Some(plan) = session.consents.iter().find(|plan| plan.purpose == PURPOSE_REFRESH)
        else {
            return Ok(());
        };
        let now = self.now();
        let payload = Follow { session: session.clone() };
        let mut work = Work::new(plan.id.to_bytes(), "asked", &payload, now, Some(now));
        work.party = Some(party);
        let mut change = self.vault().begin().await?;
        change.put_work(FOLLOWS, &work).await?;
        change.commit().await?;
        Ok(())
    }

    /// How late changes arrive.
    ///
    /// # Errors
    /// A fault of the vault.
    pub async fn lag(&self) -> Result<Lag, OnboardingError> {
        let (waiting, waiting_ms) = self.notices_waiting().await?;
        let lag = *self.inner.lag.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(Lag { waiting, waiting_ms, ..lag })
    }

    /// Carries out what waits until `shutdown` ends: sessions that a crash left, notices,
    /// revocations, erasures, anchors, the status list. Each is tried again until it is done.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = std::pin::pin!(shutdown);
        let mut published: Option<BlockTime> = None;
        loop {
            if published.is_none_or(|at| self.now().since(at).0 >= STATUS_MS)
                && Self::try_to("publish the status list", self.publish_status().await)
            {
                published = Some(self.now());
            }
            self.round().await;
            let tick = tokio::time::sleep(std::time::Duration::from_millis(TICK_MS));
            tokio::select! {
                () = &mut shutdown => return,
                () = tick => {}
                () = self.inner.wake.notified() => {}
            }
        }
    }

    /// One look at every queue.
    pub async fn round(&self) {
        let now = self.now();
        let sessions = self.vault().due_work(SESSIONS, now, ROUND).await;
        for work in sessions.unwrap_or_default() {
            let done = self.advance(work.id).await.map(drop);
            Self::try_to("go on with a session", done);
        }
        for queue in [FOLLOWS, NOTICES, REVOCATIONS] {
            for work in self.vault().due_work(queue, now, ROUND).await.unwrap_or_default() {
                let done = self.work_off(queue, work).await;
                Self::try_to(queue, done);
            }
        }
        Self::try_to("owe for a reuse", self.retry_obligations().await);
        let erasures = self.vault().open_erasures().await.unwrap_or_default();
        for erasure in erasures {
            let done = self.carry_out_erasure(erasure.party).await.map(drop);
            Self::try_to("erase", done);
        }
        Self::try_to("anchor", self.anchor().await.map(drop));
        Self::try_to("purge", self.vault().purge(now).await.map(drop).map_err(Into::into));
    }

    fn try_to(what: &str, done: Result<(), OnboardingError>) -> bool {
        match done {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(what, code = error.code(), "background work waits");
                false
            }
        }
    }

    async fn work_off(&self, queue: &'static str, mut work: Work) -> Result<(), OnboardingError> {
        let done = match queue {
            FOLLOWS => self.work_follow(&work).await,
            NOTICES => self.work_notice(&work).await,
            _ => self.work_revocation(&work).await,
        };
        let mut change = self.vault().begin().await?;
        match &done {
            Ok(()) if queue == NOTICES => {
                // Kept, so that the same notice again changes nothing.
                "done".clone_into(&mut work.state);
                work.due = None;
                change.put_work(queue, &work).await?;
            }
            Err(error) if error.is_fault() => {
                let pause = (500_u64 << work.attempts.min(10)).min(PAUSE_MS_MAX);
                work.attempts = work.attempts.saturating_add(1);
                work.due = Some(self.now().saturating_add(DurationMs(pause)));
                change.put_work(queue, &work).await?;
            }
            // Done, or refused for good: a consent revoked meanwhile is followed no more.
            _ => change.end_work(queue, work.id).await?,
        }
        change.commit().await?;
        done
    }

    async fn work_follow(&self, work: &Work) -> Result<(), OnboardingError> {
        let Follow { session } = work.payload()?;
        let party = work.party.ok_or(OnboardingError::NotAParty)?;
        for plan in session.consents.iter().filter(|plan| plan.purpose == PURPOSE_REFRESH) {
            for grant in &plan.grants {
                self.register(&session, party, plan, grant).await?;
            }
        }
        Ok(())
    }

    async fn work_revocation(&self, work: &Work) -> Result<(), OnboardingError> {
        let (provider, rel, revoked_by): (MemberId, Digest, OperationId) = work.payload()?;
        let notice = RevocationNotice { rel, revoked_by };
        self.inner.parts.peers.revoked(provider, &notice).await?;
        Ok(())
    }

    /// Pulls what changed, under the consent.
    async fn work_notice(&self, work: &Work) -> Result<(), OnboardingError> {
        let notice: Notice = work.payload()?;
        let consent = self.vault().consent_of_rel(&notice.rel.0).await?;
        if !consent.in_force(self.now()) {
            return Err(OnboardingError::NotAParty);
        }
        let kept = self.kept_consent(&consent).await?;
        let key = self.inner.parts.identity.signer.public_key();
        let artefact = Artefact::verify(&kept.artefact, &key)?;
        if artefact.terms().fetch != Fetch::OnChange {
            return Err(OnboardingError::NotAParty);
        }
        let claims = artefact.asks().iter().filter(|ask| ask.vct == PID);
        let claims = claims.flat_map(|ask| ask.paths.iter().map(ToString::to_string)).collect();
        let request = DataRequest {
            id: notice.fetch,
            rel: notice.rel,
            vct: PID.to_owned(),
            claims,
            purpose: consent.purpose,
            notice: Some(OperationId::from_bytes(work.id)),
        };
        let under: Under = self.under(&consent, &kept)?;
        self.fetch(consent.party, &under, &kept.grant, &request).await?;
        // What the bank attested of the person says what was so before: others must not rely on it.
        if self.vault().revoke_status(consent.party).await? {
            self.publish_status().await?;
        }
        let late = self.now().since(notice.changed_at).0;
        let mut lag = self.inner.lag.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        lag.count += 1;
        lag.last_ms = late;
        lag.max_ms = lag.max_ms.max(late);
        Ok(())
    }
}
