//! The page's words in its two languages.

use axum::http::{HeaderMap, header::ACCEPT_LANGUAGE};
use etibar_wallet::Language;

/// One language's words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words {
    /// Its code (ISO 639-1).
    pub(super) code: &'static str,
    pub(super) language: Language,
    /// The other language: its code and its own name.
    pub(super) other: (&'static str, &'static str),
    pub(super) title: &'static str,
    pub(super) heading: &'static str,
    pub(super) skip: &'static str,
    pub(super) reload: &'static str,
    pub(super) height: &'static str,
    pub(super) last_block: &'static str,
    pub(super) settled: &'static str,
    pub(super) settled_since: &'static str,
    pub(super) turnover: &'static str,
    pub(super) up: &'static str,
    pub(super) down: &'static str,
    pub(super) validators: &'static str,
    pub(super) validator: &'static str,
    pub(super) state: &'static str,
    pub(super) payments: &'static str,
    pub(super) no_payments: &'static str,
    pub(super) uetr: &'static str,
    pub(super) from: &'static str,
    pub(super) to: &'static str,
    pub(super) amount: &'static str,
    pub(super) outcome: &'static str,
    pub(super) latency: &'static str,
    pub(super) receipt: &'static str,
    pub(super) blocks: &'static str,
    pub(super) no_blocks: &'static str,
    pub(super) block: &'static str,
    pub(super) time: &'static str,
    pub(super) transactions: &'static str,
    pub(super) operations: &'static str,
    pub(super) leader: &'static str,
    pub(super) balances: &'static str,
    pub(super) bank: &'static str,
    pub(super) settlement: &'static str,
    pub(super) prefund: &'static str,
    pub(super) reserved: &'static str,
    pub(super) total: &'static str,
    pub(super) pending: &'static str,
    pub(super) done: &'static str,
    pub(super) rejected: &'static str,
    pub(super) expired: &'static str,
    pub(super) refused: &'static str,
    pub(super) identity: &'static str,
    pub(super) member: &'static str,
    pub(super) alarm: &'static str,
    pub(super) erasures_overdue: &'static str,
    pub(super) obligations_refused: &'static str,
    pub(super) examinations: &'static str,
    pub(super) lapsing: &'static str,
    pub(super) notices_waiting: &'static str,
    pub(super) change_lag: &'static str,
    pub(super) calm: &'static str,
    pub(super) network: &'static str,
    pub(super) note: &'static str,
}

/// English, with the field's Azerbaijani terms where staff say them.
const ENGLISH: Words = Words {
    code: "en",
    language: Language::En,
    other: ("az", "Azərbaycanca"),
    title: "Etibar: operator console",
    heading: "Operator console",
    skip: "Skip to content",
    reload: "Reload",
    height: "Block height",
    last_block: "last block at",
    settled: "Payments settled",
    settled_since: "seen since this console started",
    turnover: "Settled sum",
    up: "up",
    down: "down",
    validators: "Validators",
    validator: "Validator",
    state: "State",
    payments: "Payments (ödənişlər)",
    no_payments: "No payments yet. The first one appears here by itself.",
    uetr: "UETR",
    from: "From",
    to: "To",
    amount: "Amount",
    outcome: "Outcome",
    latency: "Took",
    receipt: "Receipt (qəbz)",
    blocks: "Blocks",
    no_blocks: "No block was seen yet.",
    block: "Block",
    time: "Time",
    transactions: "Transactions",
    operations: "Operations",
    leader: "Leader",
    balances: "Banks' money (likvidlik)",
    bank: "Bank",
    settlement: "Settlement",
    prefund: "Instant prefund",
    reserved: "Reserved",
    total: "Total",
    pending: "Pending",
    done: "Settled",
    rejected: "Rejected",
    expired: "Expired",
    refused: "Refused",
    identity: "Identification (identifikasiya)",
    member: "Member",
    alarm: "alarm",
    erasures_overdue: "Erasures overdue",
    obligations_refused: "Obligations refused",
    examinations: "Waiting for an examination",
    lapsing: "lapse within two days",
    notices_waiting: "Notices of change waiting",
    change_lag: "Longest change lag",
    calm: "Nothing waits, nothing is late.",
    network: "Network",
    note: "Times are Baku's. Payments are proven by the validators' certificates; a receipt can be \
           checked by anybody with `etibar receipt verify`.",
};

/// Azerbaijani. The terms are those of the laws and the banks' pages; a native speaker should
/// confirm the rest.
const AZERBAIJANI: Words = Words {
    code: "az",
    language: Language::Az,
    other: ("en", "English"),
    title: "Etibar: operator konsolu",
    heading: "Operator konsolu",
    skip: "Məzmuna keç",
    reload: "Yenilə",
    height: "Blok hündürlüyü",
    last_block: "son blok",
    settled: "İcra edilmiş ödənişlər",
    settled_since: "konsol işə düşəndən bəri",
    turnover: "İcra edilmiş məbləğ",
    up: "işləyir",
    down: "işləmir",
    validators: "Validatorlar",
    validator: "Validator",
    state: "Vəziyyət",
    payments: "Ödənişlər",
    no_payments: "Hələ ödəniş yoxdur. İlk ödəniş burada özü görünəcək.",
    uetr: "UETR",
    from: "Ödəyici bank",
    to: "Alan bank",
    amount: "Məbləğ",
    outcome: "Nəticə",
    latency: "Müddət",
    receipt: "Qəbz",
    blocks: "Bloklar",
    no_blocks: "Hələ blok görünməyib.",
    block: "Blok",
    time: "Vaxt",
    transactions: "Tranzaksiyalar",
    operations: "Əməliyyatlar",
    leader: "Lider",
    balances: "Bankların likvidliyi",
    bank: "Bank",
    settlement: "Hesablaşma",
    prefund: "Ani ödənişlər",
    reserved: "Rezervdə",
    total: "Cəmi",
    pending: "Gözləmədə",
    done: "İcra edildi",
    rejected: "İmtina",
    expired: "Vaxt bitdi",
    refused: "Rədd edildi",
    identity: "İdentifikasiya",
    member: "Üzv",
    alarm: "həyəcan",
    erasures_overdue: "Gecikmiş silinmələr",
    obligations_refused: "Rədd edilmiş öhdəliklər",
    examinations: "Yoxlama gözləyən",
    lapsing: "iki günə bitir",
    notices_waiting: "Gözləyən dəyişiklik bildirişləri",
    change_lag: "Ən uzun dəyişiklik gecikməsi",
    calm: "Gözləyən və gecikən yoxdur.",
    network: "Şəbəkə",
    note: "Vaxt Bakı vaxtıdır. Ödənişlər validatorların sertifikatı ilə sübut olunur; qəbzi \
           hər kəs `etibar receipt verify` ilə yoxlaya bilər.",
};

/// The words of `chosen`, or of the first language that the browser asks for and we have.
pub(super) fn choose(chosen: Option<&str>, headers: &HeaderMap) -> &'static Words {
    let asked = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let asked = asked.unwrap_or_default().split(',').map(|part| part.trim().get(..2));
    let mut wishes = std::iter::once(chosen).chain(asked).flatten();
    let known = |code: &str| match code {
        "az" => Some(&AZERBAIJANI),
        "en" => Some(&ENGLISH),
        _ => None,
    };
    wishes.find_map(known).unwrap_or(&ENGLISH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_chooses_the_language_before_the_browser_does() {
        let mut headers = HeaderMap::new();
        assert_eq!(choose(None, &headers).code, "en");
        headers.insert(ACCEPT_LANGUAGE, "ru-RU,az;q=0.8,en;q=0.5".parse().unwrap());
        assert_eq!(choose(None, &headers).code, "az");
        assert_eq!(choose(Some("en"), &headers).code, "en");
        assert_eq!(choose(Some("fr"), &headers).code, "az");
    }
}
