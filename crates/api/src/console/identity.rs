//! How identification stands at banks and agencies: what must alarm the operator.

use std::time::Duration;

use etibar_onboarding::standing::Standing;
use etibar_primitives::MemberId;
use futures::future::join_all;
use serde::{Deserialize, Serialize};

use crate::agency::AgencyStanding;

/// How often the members are asked.
pub(super) const PULSE: Duration = Duration::from_secs(2);
/// How long a notice of change may wait before it is late, in milliseconds.
const NOTICE_LATE_MS: u64 = 60_000;

/// A member whose identification the console watches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watched {
    /// Which.
    pub member: MemberId,
    /// Its base URL.
    pub url: String,
    /// Whether it is an agency; else a bank.
    #[serde(default)]
    pub agency: bool,
}

/// What a member last said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// Erasures past their date; agencies erase nothing.
    pub(super) overdue: u64,
    /// Obligations for reuse that the ledger refused.
    pub(super) refused: u64,
    /// Applications that wait for an examination.
    pub(super) examinations: u64,
    /// Of these, how many lapse within two days.
    pub(super) lapsing: u64,
    /// Notices of change that wait.
    pub(super) waiting: u64,
    /// For how long the oldest has, in milliseconds.
    pub(super) waiting_ms: u64,
    /// The longest way of a change so far, in milliseconds.
    pub(super) lag_ms_max: u64,
}

impl Said {
    /// Whether somebody has to act.
    pub(super) const fn alarms(&self) -> bool {
        self.overdue > 0
            || self.refused > 0
            || self.lapsing > 0
            || self.waiting_ms >= NOTICE_LATE_MS
    }
}

impl From<Standing> for Said {
    fn from(standing: Standing) -> Self {
        Self {
            overdue: standing.erasures_overdue,
            refused: standing.obligations_refused,
            examinations: standing.examinations_waiting,
            lapsing: standing.examinations_lapsing,
            waiting: standing.lag.waiting,
            waiting_ms: standing.lag.waiting_ms,
            lag_ms_max: standing.lag.max_ms,
        }
    }
}

impl From<AgencyStanding> for Said {
    fn from(standing: AgencyStanding) -> Self {
        Self {
            waiting: standing.notices_waiting,
            waiting_ms: standing.notice_wait_ms,
            lag_ms_max: standing.change_lag_ms_max,
            ..Self::default()
        }
    }
}

/// What all members say now; `None` of one that does not answer.
pub(super) async fn ask(http: &reqwest::Client, watched: &[Watched]) -> Vec<Option<Said>> {
    join_all(watched.iter().map(|member| said(http, member))).await
}

async fn said(http: &reqwest::Client, watched: &Watched) -> Option<Said> {
    let base = watched.url.trim_end_matches('/');
    if watched.agency {
        let standing: AgencyStanding = read(http, &format!("{base}/v1/standing")).await?;
        return Some(standing.into());
    }
    let standing: Standing = read(http, &format!("{base}/v1/onboarding/standing")).await?;
    Some(standing.into())
}

async fn read<T: serde::de::DeserializeOwned>(http: &reqwest::Client, url: &str) -> Option<T> {
    let answer = http.get(url).send().await.ok()?;
    answer.error_for_status().ok()?.json().await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_overdue_refused_late_or_about_to_lapse_alarms_and_nothing_else() {
        let calm = Said { examinations: 9, waiting: 3, waiting_ms: 59_999, ..Said::default() };
        assert!(!calm.alarms());
        assert!(Said { overdue: 1, ..calm }.alarms());
        assert!(Said { refused: 1, ..calm }.alarms());
        assert!(Said { lapsing: 1, ..calm }.alarms());
        assert!(Said { waiting_ms: NOTICE_LATE_MS, ..calm }.alarms());
    }
}
