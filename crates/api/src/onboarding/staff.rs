//! What the bank's staff watches: no personal value is in it.

use axum::extract::State;
use etibar_client::clock;
use etibar_onboarding::notices::Lag;
use etibar_primitives::{BlockTime, MemberId, hex};
use serde::Serialize;

use super::{Door, auth::Staff};
use crate::{Problem, extract::Json};

/// Rows of each list at most.
const ROWS_MAX: u32 = 100;

/// The whole page.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    sessions: Vec<SessionRow>,
    consents: Vec<ConsentRow>,
    erasures: Vec<ErasureRow>,
    /// Erasures past their date: an alarm.
    overdue_erasures: usize,
    /// How late changes arrive.
    lag: Lag,
}

#[derive(Debug, Serialize)]
struct SessionRow {
    state: String,
    created: BlockTime,
    attempts: u32,
}

#[derive(Debug, Serialize)]
struct ConsentRow {
    provider: MemberId,
    purpose: u16,
    scope: u32,
    state: &'static str,
    created: BlockTime,
    expires: BlockTime,
}

#[derive(Debug, Serialize)]
struct ErasureRow {
    id: String,
    requested: BlockTime,
    due: BlockTime,
}

/// `GET /v1/onboarding/staff`.
pub(super) async fn page(State(door): State<Door>, _: Staff) -> Result<Json<Page>, Problem> {
    let vault = &door.flows.parts().vault;
    let problem = |fault| Problem::from(etibar_onboarding::OnboardingError::Vault(fault));
    let sessions = door.flows.sessions(ROWS_MAX).await?;
    let consents = vault.latest_consents(ROWS_MAX).await.map_err(problem)?;
    let erasures = vault.open_erasures().await.map_err(problem)?;
    let now = clock::now();
    let overdue_erasures = erasures.iter().filter(|erasure| erasure.due < now).count();
    let session = |work: etibar_vault::work::WorkView| SessionRow {
        state: work.state,
        created: work.created,
        attempts: work.attempts,
    };
    let consent = |view: etibar_vault::consent::ConsentView| ConsentRow {
        provider: view.provider,
        purpose: view.purpose,
        scope: view.scope,
        state: view.state.name(),
        created: view.created,
        expires: view.expires,
    };
    let erasure = |view: etibar_vault::erasure::ErasureView| ErasureRow {
        id: hex::encode(&view.id),
        requested: view.requested,
        due: view.due,
    };
    Ok(Json(Page {
        sessions: sessions.into_iter().map(session).collect(),
        consents: consents.into_iter().map(consent).collect(),
        erasures: erasures.into_iter().map(erasure).collect(),
        overdue_erasures,
        lag: door.flows.lag().await?,
    }))
}
