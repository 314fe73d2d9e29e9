//! Releases: some credentials are issued only when a clerk has looked at the register's entry.

use etibar_openid::{
    Private,
    member::{ReleaseDecided, ReleaseDecision, ReleasesWaiting, WaitingRelease},
    vci::issuer::CredentialOrder,
};
use etibar_primitives::{DurationMs, OperationId};

use crate::{
    agency::Agency,
    error::AgencyError,
    identifiers::Fin,
    issuing::random_operation,
    store::{ActContent, ActKind, ReleaseRow, ReleaseState},
    subject::Subject,
};

/// How long a question waits for a clerk: as long as its deferred credential can be fetched.
const WAITS: DurationMs = DurationMs(14 * DAY_MS);
/// How long a clerk's answer stands: within it the credential may be fetched, again if need be.
const STANDS: DurationMs = DurationMs(DAY_MS);
const DAY_MS: u64 = 86_400_000;
/// Questions on one page.
const PAGE: u32 = 100;

impl Agency {
    /// Whether the order may be fulfilled now: at once, unless its type needs a release.
    pub(crate) async fn release_of(
        &self,
        order: &CredentialOrder,
    ) -> Result<ReleaseState, AgencyError> {
        if !self.inner.setup.releases.contains(&order.configuration) {
            return Ok(ReleaseState::Released);
        }
        let fin = Subject::parse(&order.subject)?.fin;
        // Whoever has no such entry hears it at once.
        let kind = self.attestable(&fin, &order.configuration).await?;
        let (id, now) = (random_operation(), self.now());
        let key = self.inner.store.key();
        let row = ReleaseRow {
            id,
            kind: kind.to_owned(),
            holder: key.holder(&fin),
            asked: now,
            expires: now.saturating_add(WAITS),
            state: ReleaseState::Waiting,
            sealed: key.seal("release", &id.to_bytes(), &fin),
        };
        Ok(self.inner.store.ask_release(&row).await?)
    }

    /// `GET /v1/register/releases`: what waits for a clerk.
    pub async fn releases(&self) -> Result<ReleasesWaiting, AgencyError> {
        let rows = self.inner.store.releases_waiting(self.now(), PAGE).await?;
        let open = |row: &ReleaseRow| {
            let fin: Fin =
                self.inner.store.key().open("release", &row.id.to_bytes(), &row.sealed)?;
            Ok(WaitingRelease {
                id: row.id,
                vct: row.kind.clone(),
                subject: Private(fin.expose().to_owned()),
                asked_at: row.asked,
            })
        };
        let releases = rows.iter().map(open).collect::<Result<_, AgencyError>>()?;
        Ok(ReleasesWaiting { releases })
    }

    /// `POST /v1/register/releases/{id}`: a clerk decides, once. A repeat changes nothing. Who
    /// decided is on record before it counts, and the look in the person's own list.
    pub async fn decide_release(
        &self,
        id: OperationId,
        by: &str,
        decision: &ReleaseDecision,
    ) -> Result<ReleaseDecided, AgencyError> {
        let (wanted, what) = if decision.release {
            (ReleaseState::Released, ActKind::Released)
        } else {
            (ReleaseState::Refused, ActKind::Refused)
        };
        let row = self.inner.store.release(id).await?.ok_or(AgencyError::ReleaseUnknown)?;
        if row.state == ReleaseState::Waiting {
            let fin: Fin = self.inner.store.key().open("release", &id.to_bytes(), &row.sealed)?;
            let (by, about) = (by.to_owned(), vec![row.kind.clone()]);
            let content = ActContent { by, reason: String::new(), about };
            self.inner.store.note_act(what, &row.holder, &content, self.now()).await?;
            self.note_question(&fin, &row.kind, id).await?;
        }
        let expires = self.now().saturating_add(STANDS);
        let state = self.inner.store.decide_release(id, wanted, expires).await?;
        match state {
            None => Err(AgencyError::ReleaseUnknown),
            Some(state) if state == wanted => Ok(ReleaseDecided { id, released: decision.release }),
            Some(_) => Err(AgencyError::IdReused),
        }
    }
}
