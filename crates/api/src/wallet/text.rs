//! Sentences and values as people read them: failures, dates, account numbers.

use etibar_credential::{UnixSeconds, date::Date};
use etibar_primitives::BlockTime;
use etibar_wallet::{Language, WalletError, view::Outcome};

use super::{sentences, words::Words};
use crate::said::{find, say};

/// Baku's distance from UTC; it has not changed its clocks since 2016.
const BAKU_MS: u64 = 4 * 3_600_000;
const DAY_MS: u64 = 86_400_000;

/// `22 November 2026`: the day in Baku.
pub(super) fn day(time: BlockTime, words: &Words) -> String {
    let text = Date::of(UnixSeconds::from(time)).expose();
    written(&text, words).unwrap_or(text)
}

/// `22 November 2026` of `2026-11-22`; `None` for what is no date.
pub(super) fn written(date: &str, words: &Words) -> Option<String> {
    let mut parts = date.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let month: usize = month.parse().ok()?;
    let month = words.months.get(month.checked_sub(1)?)?;
    Some(format!("{} {month} {year}", day.trim_start_matches('0')))
}

/// `22 November 2026, 14:05`: day and time in Baku.
pub(super) fn moment(time: BlockTime, words: &Words) -> String {
    let minutes = (time.0.wrapping_add(BAKU_MS) % DAY_MS) / 60_000;
    format!("{}, {:02}:{:02}", day(time, words), minutes / 60, minutes % 60)
}

/// `0,42 s`.
pub(super) fn seconds(ms: u64, language: Language) -> String {
    let unit = match language {
        Language::Az => "san",
        Language::En => "s",
        Language::Ru => "с",
    };
    let point = if language == Language::En { '.' } else { ',' };
    format!("{}{point}{:02}\u{a0}{unit}", ms / 1_000, ms % 1_000 / 10)
}

/// An account number in groups of four, as it is printed.
pub(super) fn iban(number: &str) -> String {
    let characters: Vec<char> = number.chars().collect();
    let groups = characters.chunks(4).map(|group| group.iter().collect::<String>());
    groups.collect::<Vec<_>>().join(" ")
}

/// Why a bank did not finish, by its stable code.
pub(super) fn pending(code: &str, language: Language) -> &'static str {
    say(unfinished(code), language)
}

fn unfinished(code: &str) -> [&'static str; 3] {
    find(sentences::UNFINISHED, code, sentences::STOPPED)
}

/// What is wrong with an access record, by the check that failed.
pub(super) fn altered(code: &str, language: Language) -> &'static str {
    say(find(sentences::ALTERED, code, sentences::UNPROVEN), language)
}

/// What a bank's product is called.
pub(super) fn product_named(name: &str, words: &'static Words) -> Option<&'static str> {
    let known = words.home.products.iter().find(|(its, _)| *its == name);
    known.map(|(_, label)| *label)
}

/// The name of the product that was opened.
pub(super) fn product(outcome: &Outcome, words: &'static Words) -> &'static str {
    let name = outcome.product.as_deref();
    name.and_then(|name| product_named(name, words)).unwrap_or_default()
}

/// Why something did not work, for people.
pub(super) fn failure(error: &WalletError, language: Language) -> &'static str {
    say(told(error), language)
}

fn told(error: &WalletError) -> [&'static str; 3] {
    match error {
        WalletError::PersonUnknown | WalletError::EntryUnknown => {
            ["Bu artıq burada yoxdur.", "This is not here any more.", "Этого здесь больше нет."]
        }
        WalletError::Passkey(_) | WalletError::GestureOther | WalletError::GestureRequired => [
            "Giriş açarı bu addımı təsdiqləmədi. Heç nə dəyişmədi, yenidən cəhd edin.",
            "The passkey did not confirm this step. Nothing has changed; please try again.",
            "Ключ доступа не подтвердил этот шаг. Ничего не изменилось, попробуйте снова.",
        ],
        WalletError::Deferred(_) => sentences::DEFERRED,
        WalletError::ScreenChanged => sentences::SCREEN_CHANGED,
        WalletError::LastPasskey => [
            "Bu, sonuncu giriş açarınızdır: onsuz cüzdana daxil ola bilməzsiniz. Əvvəlcə başqasını \
             əlavə edin.",
            "This is your last passkey: without it you could not sign in. Add another one first.",
            "Это ваш последний ключ доступа: без него не войти. Сначала добавьте другой.",
        ],
        WalletError::CredentialMissing(_) => [
            "Lazım olan sənəd reyestrdə tapılmadı.",
            "The register does not have the document that is needed.",
            "Нужного документа в реестре нет.",
        ],
        WalletError::IssuerUntrusted(_) | WalletError::Answer { .. } => [
            "Qurumun cavabı yoxlamadan keçmədi və qəbul edilmədi.",
            "The institution's answer did not pass the check and was not accepted.",
            "Ответ учреждения не прошёл проверку и не принят.",
        ],
        WalletError::CoolingDown(_) => unfinished("cooldown"),
        WalletError::Message(error) => find(sentences::REFUSALS, error.code(), sentences::REFUSED),
        WalletError::Refused { code, .. } => find(sentences::REFUSALS, code, sentences::REFUSED),
        WalletError::Unreachable(_) | WalletError::MemberUnknown(_) | WalletError::Ledger(_) => [
            "Hazırda cavab yoxdur. Heç nə itməyib, bir azdan yenidən cəhd edin.",
            "There is no answer now. Nothing is lost; please try again soon.",
            "Сейчас ответа нет. Ничего не потеряно, попробуйте чуть позже.",
        ],
        WalletError::TooMuch => [
            "Eyni vaxtda həddən artıq çoxdur. Bəzilərini bitirin və ya silin, sonra yenidən cəhd \
             edin.",
            "There are too many at once. Finish or remove some, then try again.",
            "Слишком много одновременно. Завершите или удалите часть и попробуйте снова.",
        ],
        error => told_of_request(error),
    }
}

/// The same for requests, and what is our own fault.
fn told_of_request(error: &WalletError) -> [&'static str; 3] {
    match error {
        WalletError::RequesterUntrusted(_) => [
            "Sorğunu göndərən qeydiyyatdan keçməyib. Heç bir məlumat verilmədi.",
            "Whoever asks is not registered. Nothing was shared.",
            "Отправитель запроса не зарегистрирован. Ничего не передано.",
        ],
        WalletError::RequestMalformed(_) | WalletError::PurposeUnknown => [
            "Bu sorğunu oxumaq mümkün olmadı. Heç bir məlumat verilmədi.",
            "This request could not be read. Nothing was shared.",
            "Этот запрос не удалось прочитать. Ничего не передано.",
        ],
        WalletError::ExceedsPurpose(_) => [
            "Sorğuda məqsədin icazə verdiyindən artıq məlumat istənilir, ona görə rədd edildi.",
            "The request asks for more than its purpose allows and was refused.",
            "Запрос требует больше, чем разрешает его цель, поэтому он отклонён.",
        ],
        WalletError::RequestEnded => [
            "Sorğunun vaxtı bitib. Yenidən başlayın.",
            "The request has expired. Please start again.",
            "Срок запроса истёк. Начните заново.",
        ],
        _ => [
            "Sistemimizdə nasazlıq var. Heç nə itməyib, bir azdan yenidən cəhd edin.",
            "Something of ours failed. Nothing is lost; please try again soon.",
            "У нас произошёл сбой. Ничего не потеряно, попробуйте чуть позже.",
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wallet::words;

    /// 2026-11-22 20:30:05 UTC is half past midnight of the next day in Baku.
    const NIGHT: BlockTime = BlockTime(1_795_379_405_000);

    #[test]
    fn moments_are_bakus_in_the_words_of_the_language() {
        assert_eq!(moment(NIGHT, words::of(Language::En)), "23 November 2026, 00:30");
        assert_eq!(moment(NIGHT, words::of(Language::Az)), "23 noyabr 2026, 00:30");
        assert_eq!(day(NIGHT, words::of(Language::Ru)), "23 ноября 2026");
        assert_eq!(written("2031-05-07", words::of(Language::En)).unwrap(), "7 May 2031");
        assert_eq!(written("soon", words::of(Language::En)), None);
    }

    #[test]
    fn account_numbers_stand_in_groups_of_four() {
        assert_eq!(iban("AZ21NABZ00000000137010001944"), "AZ21 NABZ 0000 0000 1370 1000 1944");
    }
}
