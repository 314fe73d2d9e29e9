//! What the bank's staff watches and does, for programs: no personal value is in an answer.

use axum::{extract::State, http::StatusCode};
use etibar_onboarding::{
    OnboardingError,
    applications::ApplicationLine,
    examination::{Preparation, Verdict},
    notices::Lag,
    obligations::ObligationLine,
    session::State as SessionState,
    session_id,
    standing::Standing,
};
use etibar_primitives::{BlockTime, MemberId, hex};
use serde::Serialize;

use super::{Door, auth::Staff};
use crate::{
    Problem,
    extract::{Json, Path},
};

/// Rows of each list at most.
const ROWS_MAX: u32 = 100;

/// The whole page.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    sessions: Vec<SessionRow>,
    consents: Vec<ConsentRow>,
    erasures: Vec<ErasureRow>,
    /// Erasures past their date: an alarm.
    overdue_erasures: u64,
    /// Applications that wait for an examination.
    examinations: Vec<ApplicationLine>,
    /// Obligations for reuse that the ledger refused.
    obligations: Vec<ObligationLine>,
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
    let standing = door.flows.standing().await?;
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
        overdue_erasures: standing.erasures_overdue,
        examinations: door.flows.applications(Some(SessionState::Examining), ROWS_MAX).await?,
        obligations: door.flows.refused_obligations(ROWS_MAX).await?,
        lag: standing.lag,
    }))
}

/// `GET /v1/onboarding/standing`: counts and lags, for anybody.
pub(super) async fn standing(State(door): State<Door>) -> Result<Json<Standing>, Problem> {
    Ok(Json(door.flows.standing().await?))
}

/// `POST /v1/onboarding/applications/{id}/preparations`.
pub(super) async fn prepare(
    State(door): State<Door>,
    Staff(by): Staff,
    Path(id): Path<String>,
    Json(preparation): Json<Preparation>,
) -> Result<StatusCode, Problem> {
    let id = session_id(&id).ok_or(OnboardingError::UnknownSession)?;
    door.flows.prepare(id, &by, &preparation).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/onboarding/applications/{id}/decision`.
pub(super) async fn decide(
    State(door): State<Door>,
    Staff(by): Staff,
    Path(id): Path<String>,
    Json(verdict): Json<Verdict>,
) -> Result<StatusCode, Problem> {
    let id = session_id(&id).ok_or(OnboardingError::UnknownSession)?;
    door.flows.decide(id, &by, &verdict).await?;
    Ok(StatusCode::NO_CONTENT)
}
