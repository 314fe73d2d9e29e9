//! Values as the staff reads them.

use std::collections::BTreeMap;

use etibar_agency::date::Date;
use etibar_credential::catalogue;
use etibar_ledger::Genesis;
use etibar_primitives::{BlockTime, MemberId};
use etibar_wallet::{Language, label};

/// Baku's distance from UTC; it has not changed its clocks since 2016.
const BAKU_MS: u64 = 4 * 3_600_000;

/// The members' names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(BTreeMap<MemberId, String>);

impl Names {
    /// As the genesis tells them.
    pub(crate) fn of(genesis: &Genesis) -> Self {
        Self(genesis.members.iter().map(|its| (its.id, its.name.clone())).collect())
    }

    /// A member as people read it: an agency in their language, a bank by its own name. One that
    /// came after the genesis has its number only.
    pub(crate) fn name(&self, member: MemberId, language: Language) -> String {
        let own = || self.0.get(&member).cloned().unwrap_or_else(|| member.to_string());
        catalogue::agency_name(member, language).map_or_else(own, str::to_owned)
    }
}

/// The day and the minute in Baku: `22.11.2026 14:05`.
pub(crate) fn moment(time: BlockTime) -> String {
    let minutes = time.0.saturating_add(BAKU_MS) / 60_000;
    format!("{} {:02}:{:02}", day(time), minutes / 60 % 24, minutes % 60)
}

/// The day in Baku: `22.11.2026`.
pub(crate) fn day(time: BlockTime) -> String {
    date(Date::of(time))
}

/// `22.11.2026`.
pub(crate) fn date(date: Date) -> String {
    let text = date.to_string();
    label::date(&text).unwrap_or(text)
}

/// A duration in its largest fitting unit.
pub(crate) fn duration(ms: u64, language: Language) -> String {
    const UNITS: [(u64, [&str; 3]); 4] = [
        (86_400_000, ["gün", "d", "д"]),
        (3_600_000, ["saat", "h", "ч"]),
        (60_000, ["dəq", "min", "мин"]),
        (1_000, ["san", "s", "с"]),
    ];
    let (size, names) =
        UNITS.into_iter().find(|(size, _)| ms >= *size).unwrap_or((1, ["ms", "ms", "мс"]));
    format!("{} {}", ms / size, crate::said::say(names, language))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_bakus_and_a_duration_has_one_unit() {
        // 2026-11-22 20:30:05 UTC is half past midnight in Baku.
        assert_eq!(moment(BlockTime(1_795_379_405_000)), "23.11.2026 00:30");
        // Still the 22nd: the distance counts once.
        assert_eq!(moment(BlockTime(1_795_366_805_000)), "22.11.2026 21:00");
        assert_eq!(duration(999, Language::En), "999 ms");
        assert_eq!(duration(3_599_999, Language::Ru), "59 мин");
        assert_eq!(duration(172_800_000, Language::Az), "2 gün");
    }
}
