//! How a bank's identification stands: counts and lags, no person. Anybody may ask.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::{Deserialize, Serialize};

use crate::{
    Onboarding, OnboardingError,
    examination::LAPSES_SOON,
    notices::{Lag, NOTICES},
    obligations::OBLIGATIONS,
    session::{SESSIONS, State},
};

/// How a bank's identification stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Applications by state.
    pub applications: BTreeMap<String, u64>,
    /// Applications that the staff examines.
    pub examinations_waiting: u64,
    /// Of these, how many lapse within [`LAPSES_SOON`].
    #[serde(default)]
    pub examinations_lapsing: u64,
    /// Erasures that are not done.
    pub erasures_open: u64,
    /// Of these, how many are past their date: an alarm.
    pub erasures_overdue: u64,
    /// Obligations for reuse that the ledger refused and does not have.
    pub obligations_refused: u64,
    /// How late changes arrive.
    pub lag: Lag,
}

impl Onboarding {
    /// How the bank's identification stands.
    ///
    /// # Errors
    /// A fault of the vault.
    pub async fn standing(&self) -> Result<Standing, OnboardingError> {
        let vault = self.vault();
        let now = self.now();
        let applications = vault.count_work(SESSIONS).await?;
        let (erasures_open, erasures_overdue) = vault.count_erasures(now).await?;
        let of = |state: State| applications.get(state.name()).copied().unwrap_or(0);
        let soon = now.saturating_add(LAPSES_SOON);
        let lapsing = vault.count_due(SESSIONS, State::Examining.name(), soon).await?;
        Ok(Standing {
            examinations_lapsing: lapsing,
            examinations_waiting: of(State::Examining),
            erasures_open,
            erasures_overdue,
            obligations_refused: vault.count_work(OBLIGATIONS).await?.values().sum(),
            lag: self.lag().await?,
            applications,
        })
    }

    /// Notices that wait, and how long the oldest has, in milliseconds.
    pub(crate) async fn notices_waiting(&self) -> Result<(u64, u64), OnboardingError> {
        let (count, oldest) = self.vault().waiting_work(NOTICES).await?;
        Ok((count, oldest.map_or(0, |oldest| self.now().since(oldest).0)))
    }
}

impl Standing {
    /// As Prometheus' text form.
    pub fn metrics(&self) -> String {
        let mut text = String::new();
        let gauge = |text: &mut String, name: &str, help: &str| {
            let name = format!("etibar_onboarding_{name}");
            writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge")
                .expect("a string takes all");
        };
        gauge(&mut text, "applications", "Applications by state.");
        for (state, count) in &self.applications {
            writeln!(text, "etibar_onboarding_applications{{state=\"{state}\"}} {count}")
                .expect("a string takes all");
        }
        let plain = [
            ("examinations_waiting", "Applications that the staff examines.", {
                self.examinations_waiting
            }),
            ("examinations_lapsing", "Of these, how many lapse within two days.", {
                self.examinations_lapsing
            }),
            ("erasures_open", "Erasures that are not done.", self.erasures_open),
            ("erasures_overdue", "Erasures past their date.", self.erasures_overdue),
            ("obligations_refused", "Obligations for reuse that the ledger refused.", {
                self.obligations_refused
            }),
            ("notices_waiting", "Notices of change that wait.", self.lag.waiting),
            ("notice_wait_ms", "How long the oldest of them has waited.", self.lag.waiting_ms),
            ("change_lag_ms_last", "From the register's change to the vault, the last.", {
                self.lag.last_ms
            }),
            ("change_lag_ms_max", "The longest since the start.", self.lag.max_ms),
        ];
        for (name, help, value) in plain {
            gauge(&mut text, name, help);
            writeln!(text, "etibar_onboarding_{name} {value}").expect("a string takes all");
        }
        text
    }
}
