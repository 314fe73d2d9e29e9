//! A session, as it survives a crash: no personal value is in it.

use etibar_credential::{catalogue::Language, consent::ConsentSecret, level::AssuranceLevel};
use etibar_openid::Secret;
use etibar_primitives::{BlockTime, Digest, MemberId, OperationId};
use serde::{Deserialize, Serialize};

use crate::examination::Examination;

/// The queue of sessions in the vault.
pub const SESSIONS: &str = "session";

/// Where a session is. Each state says what is done and on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The request may be answered.
    Waiting,
    /// The answer is verified and sealed; the consents are drafted. Nothing is used yet.
    Presented,
    /// The ledger has the consents.
    Granted,
    /// What providers were asked for has come.
    Fetched,
    /// The staff examines the application (enhanced due diligence).
    Examining,
    /// The staff has approved it; everything is looked at again.
    Approved,
    /// The application is accepted, the decision recorded.
    Accepted,
    /// The account is open, the alias registered.
    Opened,
    /// The person has the due-diligence offer. Terminal.
    Done,
    /// To be undone: consents are being revoked, data destroyed.
    Closing,
    /// Refused by the product's policy. Terminal.
    Refused,
    /// To be done again at a higher level. Terminal.
    StepUp,
    /// Could not be finished. Terminal.
    Failed,
    /// Not answered in time. Terminal.
    Expired,
    /// The person said no. Terminal.
    Declined,
}

/// What the vault keeps of a session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    /// The product's name.
    pub product: String,
    /// The language that the person reads.
    pub language: Language,
    /// The request at the wallet.
    pub request: String,
    /// Its link.
    pub link: String,
    /// When the session must have ended.
    pub expires: BlockTime,
    /// The consents asked for.
    pub consents: Vec<Plan>,
    /// Whether the party was made for this session and goes with it.
    pub prospect: bool,
    /// The order of the account.
    pub account: OperationId,
    /// The operation by which reuse is owed.
    pub reuse: OperationId,
    /// The party to be destroyed when the session is undone.
    pub erase: Option<OperationId>,
    /// Whose due diligence is reused.
    pub reused_from: Option<MemberId>,
    /// Why it was refused or failed.
    pub reasons: Vec<String>,
    /// The level needed, if that is what lacks.
    pub needed: Option<AssuranceLevel>,
    /// The terminal state that closing leads to.
    pub ends: String,
    /// The offer of the due-diligence credential.
    pub offer: Option<String>,
    /// Whether enhanced measures apply.
    pub enhanced: bool,
    /// The examination by the staff, if one is needed.
    #[serde(default)]
    pub examination: Option<Examination>,
    /// Whether what is owed for reuse is on the ledger, or kept for a later try.
    #[serde(default)]
    pub owed: bool,
    /// When the application was accepted.
    #[serde(default)]
    pub accepted: Option<BlockTime>,
    /// When the answer was taken.
    pub answered: Option<BlockTime>,
    /// When the account was open, in milliseconds since the answer.
    pub opened_ms: Option<u64>,
}

/// One consent artefact and its grants, one for each provider.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// The signed artefact.
    pub artefact: String,
    /// Its id.
    pub id: OperationId,
    /// Its purpose.
    pub purpose: u16,
    /// Everything the person agreed to give.
    pub scope: u32,
    /// When it ends.
    pub expires: BlockTime,
    /// One for each provider.
    pub grants: Vec<Grant>,
}

/// A consent for one provider.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Grant {
    /// Its id in the vault.
    pub vault: OperationId,
    /// Who provides.
    pub provider: MemberId,
    /// The secret of its name on the ledger.
    pub r: Secret,
    /// The salt of its commitment.
    pub salt: Secret,
    /// Its name on the ledger.
    pub rel: Digest,
    /// The operation that grants it.
    pub grant: OperationId,
    /// The operation that revokes it.
    pub revoke: OperationId,
    /// The fetch under it.
    pub fetch: OperationId,
}

impl Grant {
    /// The secret, as the formats take it.
    pub fn secret(&self) -> ConsentSecret {
        ConsentSecret::new(self.r.0, self.salt.0)
    }

    /// The id in the vault.
    pub fn consent(&self) -> etibar_vault::consent::ConsentId {
        etibar_vault::consent::ConsentId(self.vault.to_bytes())
    }
}

/// What the vault keeps sealed with a consent.
#[derive(Serialize, Deserialize)]
pub struct KeptConsent {
    /// The signed artefact.
    pub artefact: String,
    /// The grant, with r.
    pub grant: Grant,
}

impl Session {
    /// When a session in `state` ends by itself.
    pub(crate) fn limit(&self, state: State) -> Option<BlockTime> {
        match state {
            State::Waiting | State::Presented | State::Granted | State::Fetched => {
                Some(self.expires)
            }
            State::Examining | State::Approved => {
                Some(self.examination.as_ref().map_or(self.expires, |its| its.lapses))
            }
            _ => None,
        }
    }
}

impl State {
    /// Every state.
    pub const ALL: [Self; 15] = [
        Self::Waiting,
        Self::Presented,
        Self::Granted,
        Self::Fetched,
        Self::Examining,
        Self::Approved,
        Self::Accepted,
        Self::Opened,
        Self::Done,
        Self::Closing,
        Self::Refused,
        Self::StepUp,
        Self::Failed,
        Self::Expired,
        Self::Declined,
    ];

    /// The stable name in the store and in interfaces.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Presented => "presented",
            Self::Granted => "granted",
            Self::Fetched => "fetched",
            Self::Examining => "examining",
            Self::Approved => "approved",
            Self::Accepted => "accepted",
            Self::Opened => "opened",
            Self::Done => "done",
            Self::Closing => "closing",
            Self::Refused => "refused",
            Self::StepUp => "step_up",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Declined => "declined",
        }
    }

    /// The state of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether nobody has decided yet: what goes wrong ends the application.
    pub(crate) const fn is_undecided(self) -> bool {
        matches!(
            self,
            Self::Waiting
                | Self::Presented
                | Self::Granted
                | Self::Fetched
                | Self::Examining
                | Self::Approved
        )
    }

    /// Whether somebody else must move it: the wallet or the staff.
    pub const fn waits_for_people(self) -> bool {
        matches!(self, Self::Waiting | Self::Examining)
    }

    /// Whether nothing happens any more.
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Done
                | Self::Refused
                | Self::StepUp
                | Self::Failed
                | Self::Expired
                | Self::Declined
        )
    }
}
