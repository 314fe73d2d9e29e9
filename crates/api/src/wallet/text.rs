//! Sentences and values as people read them: failures, dates, account numbers.

use etibar_credential::{UnixSeconds, date::Date};
use etibar_primitives::BlockTime;
use etibar_wallet::{Language, WalletError, view::Outcome};

use super::words::Words;

/// Baku's distance from UTC; it has not changed its clocks since 2016.
const BAKU_MS: u64 = 4 * 3_600_000;
const DAY_MS: u64 = 86_400_000;

/// A language's own name for itself.
pub(super) const fn name(language: Language) -> &'static str {
    match language {
        Language::Az => "Azərbaycanca",
        Language::En => "English",
        Language::Ru => "Русский",
    }
}

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
    let [az, en, ru] = unfinished(code);
    match language {
        Language::Az => az,
        Language::En => en,
        Language::Ru => ru,
    }
}

fn unfinished(code: &str) -> [&'static str; 3] {
    match code {
        "step_up" => [
            "Bu məhsul üçün daha etibarlı yoxlama lazımdır: video zəng və ya elektron imza.",
            "This product needs a better check of who you are: a video call or an e-signature.",
            "Для этого продукта нужна более надёжная проверка: видеозвонок или э-подпись.",
        ],
        "under_age" => [
            "Bu məhsul üçün yaşınız çatmır. Hesabı valideyn və ya qəyyum aça bilər.",
            "You are too young for this product. A parent or guardian can open the account.",
            "Для этого продукта вы слишком молоды. Счёт может открыть родитель или опекун.",
        ],
        "document_expired" => [
            "Sənədinizin müddəti bitib. Onu yeniləyin və yenidən cəhd edin.",
            "Your document has expired. Renew it and try again.",
            "Срок вашего документа истёк. Обновите его и попробуйте снова.",
        ],
        "remote_loan_ban" => [
            "Məsafədən kreditə qadağa qoymusunuz. Əvvəlcə onu götürün.",
            "You have banned remote loans in your name. Lift the ban first.",
            "Вы запретили дистанционные кредиты. Сначала снимите запрет.",
        ],
        "not_the_guardian" | "guardianship_ended" | "not_a_representative" => [
            "Bu şəxs və ya şirkət adından hərəkət etmək hüququnuz təsdiqlənmədi.",
            "Your right to act for this person or company was not confirmed.",
            "Ваше право действовать от имени этого лица или компании не подтверждено.",
        ],
        "cooldown" => [
            "Bərpadan sonra hələ yeni razılıq verə bilməzsiniz.",
            "After the recovery you cannot give new consents yet.",
            "После восстановления новые согласия пока недоступны.",
        ],
        "waiting" | "presented" | "granted" | "fetched" | "accepted" | "opened" => [
            "Bank hələ üzərində işləyir. Bir azdan yenidən baxın.",
            "The bank is still working on it. Look again soon.",
            "Банк ещё работает над этим. Загляните чуть позже.",
        ],
        _ => [
            "Bank bunu məsafədən tamamlaya bilmədi. Onunla əlaqə saxlayın.",
            "The bank could not finish this remotely. Please contact it.",
            "Банк не смог завершить это дистанционно. Свяжитесь с ним.",
        ],
    }
}

/// The name of the product that was opened.
pub(super) fn product(outcome: &Outcome, words: &'static Words) -> &'static str {
    let name = outcome.account.as_ref().map(|account| account.product.as_str());
    let known = words.home.products.iter().find(|(its, _)| Some(*its) == name);
    known.map_or("", |(_, label)| label)
}

/// Why something did not work, for people.
pub(super) fn failure(error: &WalletError, language: Language) -> &'static str {
    let [az, en, ru] = sentences(error);
    match language {
        Language::Az => az,
        Language::En => en,
        Language::Ru => ru,
    }
}

fn sentences(error: &WalletError) -> [&'static str; 3] {
    match error {
        WalletError::PersonUnknown | WalletError::EntryUnknown => {
            ["Bu artıq burada yoxdur.", "This is not here any more.", "Этого здесь больше нет."]
        }
        WalletError::Passkey(_) | WalletError::GestureOther | WalletError::GestureRequired => [
            "Giriş açarı bu addımı təsdiqləmədi. Yenidən cəhd edin.",
            "The passkey did not confirm this step. Please try again.",
            "Ключ доступа не подтвердил этот шаг. Попробуйте снова.",
        ],
        WalletError::RequesterUntrusted(_) => [
            "Sorğu göndərən qeydiyyatda deyil. Heç nə paylaşılmadı.",
            "Whoever asks is not registered. Nothing was shared.",
            "Отправитель запроса не зарегистрирован. Ничего не передано.",
        ],
        WalletError::RequestMalformed(_) | WalletError::PurposeUnknown => [
            "Bu sorğunu başa düşmək olmur. Heç nə paylaşılmadı.",
            "This request cannot be understood. Nothing was shared.",
            "Этот запрос непонятен. Ничего не передано.",
        ],
        WalletError::ExceedsPurpose(_) => [
            "Sorğu məqsədinin icazə verdiyindən artığını istəyir və rədd edildi.",
            "The request asks for more than its purpose allows and was refused.",
            "Запрос требует больше, чем разрешает его цель, и отклонён.",
        ],
        WalletError::RequestEnded => [
            "Sorğunun vaxtı bitib. Yenidən başlayın.",
            "The request has expired. Please start again.",
            "Срок запроса истёк. Начните заново.",
        ],
        WalletError::CredentialMissing(_) => [
            "Lazım olan sənəd heç bir reyestrdə tapılmadı.",
            "No register has the document that is needed.",
            "Нужного документа нет ни в одном реестре.",
        ],
        WalletError::IssuerUntrusted(_) | WalletError::Answer { .. } => [
            "Cavab yoxlamadan keçmədi və qəbul edilmədi.",
            "The answer did not pass the check and was not accepted.",
            "Ответ не прошёл проверку и не принят.",
        ],
        WalletError::CoolingDown(_) => [
            "Bərpadan sonra hələ yeni razılıq verə bilməzsiniz.",
            "After the recovery you cannot give new consents yet.",
            "После восстановления новые согласия пока недоступны.",
        ],
        WalletError::Message(error) => refusal(error.code()),
        WalletError::Refused { code, .. } => refusal(code),
        WalletError::Unreachable(_) | WalletError::MemberUnknown(_) | WalletError::Ledger(_) => [
            "Qurum hazırda cavab vermir. Heç nə itməyib, bir azdan yenidən cəhd edin.",
            "The institution does not answer now. Nothing is lost; please try again soon.",
            "Учреждение сейчас не отвечает. Ничего не потеряно, попробуйте чуть позже.",
        ],
        WalletError::TooMuch => [
            "Eyni vaxtda çox sorğu açıqdır. Bir azdan yenidən cəhd edin.",
            "Too much is open at once. Please try again soon.",
            "Слишком много открыто одновременно. Попробуйте чуть позже.",
        ],
        WalletError::Store(_) => [
            "Bizdə nasazlıq var. Heç nə itməyib, bir azdan yenidən cəhd edin.",
            "Something of ours failed. Nothing is lost; please try again soon.",
            "У нас сбой. Ничего не потеряно, попробуйте чуть позже.",
        ],
    }
}

/// A member's refusal by its stable code; others get a sentence for all.
fn refusal(code: &str) -> [&'static str; 3] {
    match code {
        "person_not_confirmed" | "message_fin_malformed" => [
            "Bu FİN və sənəd nömrəsi ilə şəxs reyestrdə tapılmadı.",
            "The register has no person with this FIN and document number.",
            "В реестре нет человека с таким FİN и номером документа.",
        ],
        "document_expired" | "person_deceased" => [
            "Bu sənəd artıq qüvvədə deyil.",
            "This document is no longer in force.",
            "Этот документ больше не действует.",
        ],
        "guardian_needed" => [
            "18 yaşınadək şəxs üçün valideynin və ya qəyyumun FİN-i lazımdır.",
            "For a person under 18 the FIN of the parent or guardian is needed.",
            "Для человека до 18 лет нужен FİN родителя или опекуна.",
        ],
        "already_enrolled" => [
            "Bu şəxsin artıq cüzdanı var. Telefonu itirmisinizsə, bərpadan istifadə edin.",
            "This person already has a wallet. If you lost your phone, use the recovery.",
            "У этого человека уже есть кошелёк. Если телефон потерян, восстановите доступ.",
        ],
        "not_enrolled" => [
            "Bu şəxsin hələ cüzdanı yoxdur. Yenisini yaradın.",
            "This person has no wallet yet. Create one.",
            "У этого человека ещё нет кошелька. Создайте его.",
        ],
        "no_guardians" | "not_a_guardian" | "guardians_invalid" => [
            "Etibarlı şəxslər bunun üçün uyğun deyil: üç fərqli şəxs göstərilməlidir.",
            "The guardians do not fit: three different people must be named.",
            "Доверенные лица не подходят: нужны три разных человека.",
        ],
        "recovery_unknown" => [
            "Bu nömrə ilə bərpa yoxdur.",
            "There is no recovery with this number.",
            "Восстановления с таким номером нет.",
        ],
        "recovery_level_too_low" | "assurance_level_too_low" | "methods_insufficient" => [
            "Bunun üçün daha etibarlı yoxlama lazımdır.",
            "This needs a better check of who you are.",
            "Для этого нужна более надёжная проверка личности.",
        ],
        _ => [
            "Qurum bunu qəbul etmədi.",
            "The institution did not accept this.",
            "Учреждение это не приняло.",
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
