//! What the desks' pages say for stable codes.

use etibar_credential::{
    catalogue::{self, PurposeCode},
    level::AssuranceLevel,
};
use etibar_wallet::{Language, label};

use crate::{
    said::{Said, find, say},
    wallet,
};

macro_rules! said {
    ($($code:literal $(| $more:literal)*: $az:literal, $en:literal, $ru:literal;)*) => {
        &[$(Said { codes: &[$code $(, $more)*], texts: [$az, $en, $ru] },)*]
    };
}

/// Where an application is.
const STATES: &[Said] = said! {
    "waiting": "Cüzdanı gözləyir", "Waits for the wallet", "Ждёт кошелька";
    "presented": "Təqdim edilib", "Presented", "Предъявлено";
    "granted": "Razılıq verilib", "Consent given", "Согласие дано";
    "fetched": "Məlumat alınıb", "Data fetched", "Данные получены";
    "examining": "Yoxlanılır", "Being examined", "Проверяется";
    "approved": "Təsdiq edilib", "Approved", "Одобрено";
    "accepted": "Qəbul edilib", "Accepted", "Принято";
    "opened": "Hesab açılıb", "Account opened", "Счёт открыт";
    "done": "Bitib", "Done", "Завершено";
    "closing": "Bağlanır", "Being closed", "Закрывается";
    "refused": "İmtina edilib", "Refused", "Отказано";
    "step_up": "Daha etibarlı yoxlama lazımdır", "Needs a better check", "Нужна проверка надёжнее";
    "failed": "Alınmayıb", "Failed", "Не удалось";
    "expired": "Vaxtı bitib", "Expired", "Истекло";
    "declined": "Şəxs razılaşmayıb", "Declined by the person", "Отклонено человеком";
};

/// Why enhanced measures apply.
const CAUSES: &[Said] = said! {
    "exposed_person": "siyasi xadim", "politically exposed person", "политически значимое лицо";
    "foreign_citizen": "xarici vətəndaş", "foreign citizen", "иностранный гражданин";
    "legal_form": "hüquqi forma", "legal form", "правовая форма";
};

/// Why an application ended, or waits.
const REASONS: &[Said] = said! {
    "under_age": "yaşı çatmır", "under age", "не достиг возраста";
    "document_expired": "sənədin müddəti bitib", "document expired", "документ просрочен";
    "sanctions_hit": "sanksiya siyahısındadır", "on a sanctions list", "в санкционном списке";
    "remote_loan_ban": "məsafədən kreditə qadağa", "ban on remote loans",
        "запрет дистанционных кредитов";
    "not_the_guardian": "qəyyum deyil", "not the guardian", "не опекун";
    "guardianship_ended": "qəyyumluq bitib", "guardianship ended", "опека прекращена";
    "not_a_representative": "nümayəndə deyil", "not a representative", "не представитель";
    "owners_unknown": "mülkiyyətçilər tam deyil", "owners unknown", "владельцы неизвестны";
    "kyc_refresh_due" | "kyc_other_person" | "kyc_malformed":
        "başqa bankın yoxlaması yaramır", "the other bank's due diligence does not serve",
        "проверка другого банка не годится";
    "claim_missing": "məlumat çatışmır", "data missing", "не хватает данных";
    "level_too_low": "etibarlılıq səviyyəsi aşağıdır", "level of assurance too low",
        "низкий уровень надёжности";
    "consent_not_in_force" | "revoked": "razılıq və ya sənəd qüvvədə deyil",
        "a consent or document is not in force", "согласие или документ не действует";
    "examination_lapsed": "yoxlamanın müddəti bitib", "the examination lapsed",
        "срок проверки истёк";
    "examination_refused": "əməkdaşlar imtina edib", "refused by the staff",
        "отказано сотрудниками";
    "session_expired": "vaxtı bitib", "out of time", "время вышло";
    "cooldown": "bərpadan sonra gözləmə", "waiting time after a recovery",
        "ожидание после восстановления";
    "ledger_unavailable": "reyestr cavab vermir", "the ledger does not answer",
        "реестр не отвечает";
    "provider_unavailable" | "status_unavailable" | "status_not_anchored" | "provider_answer":
        "qurum cavab vermir", "the agency does not answer", "ведомство не отвечает";
    "books_unavailable": "bankın uçotu cavab vermir", "the bank's books do not answer",
        "учёт банка не отвечает";
};
const OTHER_REASON: [&str; 3] = [
    "təqdim edilən qəbul edilmədi",
    "what was presented was not accepted",
    "предъявленное не принято",
];

/// Who reads at a bank.
const READERS: &[Said] = said! {
    "staff": "Əməkdaş", "Staff", "Сотрудник";
    "holder": "Şəxsin özü", "The person", "Сам человек";
    "onboarding" | "session_view": "Müraciətin gedişi", "The application's course", "Ход заявки";
    "consent": "Razılığın icrası", "Carrying out the consent", "Исполнение согласия";
    "kyc_issuer": "Sənədin verilməsi", "Issuing the credential", "Выдача документа";
    "alias": "Telefon nömrəsi ilə ödəniş", "Payments by phone number", "Платежи по номеру";
    "erasure": "Silinmə", "Erasure", "Удаление";
};
const PROGRAM: [&str; 3] = ["Bankın proqramı", "The bank's program", "Программа банка"];

/// Why a reading is allowed.
const BASES: &[Said] = said! {
    "consent": "Razılıq", "Consent", "Согласие";
    "due_diligence": "Müştərinin yoxlanması (781-VIQ)", "Due diligence (781-VIQ)",
        "Проверка клиента (781-VIQ)";
    "subject_request": "Şəxsin sorğusu (998-IIIQ)", "The person's request (998-IIIQ)",
        "Запрос самого человека (998-IIIQ)";
    "consent_administration": "Razılığın icrası", "Carrying out the consent",
        "Исполнение согласия";
    "contract": "Müştəri müqaviləsi", "The customer's contract", "Договор с клиентом";
    "authority": "Məhkəmə və ya nəzarət", "Court or supervisor", "Суд или надзор";
};
const OTHER_BASIS: [&str; 3] = ["Qanun", "Law", "Закон"];

/// The laws that make a bank keep records.
const LAWS: &[Said] = said! {
    "aml_781_viq": "Cinayət yolu ilə əldə edilmiş əmlakın leqallaşdırılmasına qarşı (781-VIQ)",
        "Against money laundering (781-VIQ)", "О противодействии отмыванию (781-VIQ)";
};

/// What stands in a vault beside the person's attributes.
const ITEMS: &[Said] = said! {
    "presentation": "təqdimat", "presentation", "предъявление";
    "preparation": "hazırlıq", "preparation", "подготовка";
    "verdict": "qərar", "decision", "решение";
    "receipts" | "receipt.provider": "giriş qeydləri", "access records", "записи доступа";
    "consent": "razılıq", "consent", "согласие";
    "phone": "telefon", "phone number", "телефон";
};
const OTHER_ITEM: [&str; 3] = ["başqa qeyd", "another record", "другая запись"];

/// Why the ledger refused to record a fee.
const OUTCOMES: &[Said] = said! {
    "member_suspended" | "debtor_suspended" | "creditor_suspended":
        "Üzv dayandırılıb", "A member is suspended", "Участник приостановлен";
    "settlement_account_unknown" | "account_unknown":
        "Hesablaşma hesabı yoxdur", "No settlement account", "Нет расчётного счёта";
    "amount_above_limit": "Məbləğ həddən çoxdur", "Amount above the limit", "Сумма выше предела";
    "created_too_early" | "created_in_future":
        "Vaxt uyğun deyil", "The time does not fit", "Время не подходит";
};
const OTHER_OUTCOME: [&str; 3] =
    ["Reyestrin başqa qaydası", "Another rule of the ledger", "Другое правило реестра"];

/// What clerks do.
const ACTS: &[Said] = said! {
    "looked_up": "Baxıb", "Looked", "Просмотр";
    "changed": "Dəyişib", "Changed", "Изменение";
    "revoked": "Sənədləri ləğv edib", "Revoked credentials", "Отзыв документов";
    "released": "Sənədə icazə verib", "Released a credential", "Разрешение документа";
    "refused": "Sənəddən imtina edib", "Refused a credential", "Отказ в документе";
};

/// How a record ended.
const ENDINGS: &[Said] = said! {
    "died": "vəfat edib", "died", "умер";
    "withdrawn": "geri götürülüb", "withdrawn", "изъято";
};

/// Why something that somebody at a desk asked for was not done.
const FAILURES: &[Said] = said! {
    "reason_needed": "1–500 simvolluq səbəb yazın.", "Give a reason of 1 to 500 characters.",
        "Укажите причину: от 1 до 500 знаков.";
    "staff_text_limit": "Hər mətn 1–2000 simvol olmalıdır.",
        "Each text needs 1 to 2,000 characters.", "Каждый текст: от 1 до 2000 знаков.";
    "fin_malformed" | "voen_malformed" | "voen_check_digit" | "voen_legal_status":
        "Bu, nə FİN, nə də VÖEN-dir.", "This is neither a FİN nor a VÖEN.",
        "Это не FİN и не VÖEN.";
    "record_unknown": "Reyestrdə bu nömrə ilə heç kim yoxdur.",
        "The register has nobody by this number.", "В реестре нет никого с этим номером.";
    "record_ambiguous": "Bir neçə qeyd var: qurumun öz sistemində dəyişin.",
        "There are several records: change it in the agency's own system.",
        "Записей несколько: измените в системе самого ведомства.";
    "claim_unknown": "Bu sahə belə dəyişdirilə bilməz.", "This entry cannot be changed so.",
        "Эту запись так изменить нельзя.";
    "id_reused": "Bu forma artıq başqa dəyişikliklə göndərilib: səhifəni yenidən açın.",
        "This form was sent before with another change: open the page again.",
        "Эта форма уже отправлена с другим изменением: откройте страницу снова.";
    "senior_needed": "Qərarı böyük əməkdaş verir.",
        "A member of the staff with the role senior decides.", "Решает старший сотрудник.";
    "four_eyes_needed": "Qərarı başqa böyük əməkdaş verir: siz hazırlamısınız.",
        "Somebody else of the role senior decides: you prepared it.",
        "Решает другой старший сотрудник: эту заявку подготовили вы.";
    "not_prepared": "Əvvəlcə kimsə hazırlığı qeyd etməlidir.",
        "Somebody must record a preparation first.",
        "Сначала кто-то должен записать подготовку.";
    "not_being_examined": "Bu müraciət artıq yoxlanılmır.",
        "This application is not being examined any more.", "Эта заявка больше не проверяется.";
    "too_many_preparations": "Bu müraciət üçün artıq 8 hazırlıq qeyd edilib.",
        "Eight preparations are recorded already.", "Уже записано восемь подготовок.";
    "session_unknown": "Belə müraciət yoxdur.", "There is no such application.",
        "Такой заявки нет.";
};
const FAILURE: [&str; 3] = [
    "İndi alınmadı. Heç nə itməyib, bir azdan yenidən cəhd edin.",
    "It did not work now. Nothing is lost; try again soon.",
    "Сейчас не получилось. Ничего не потеряно, попробуйте позже.",
];

/// Where an application is.
pub(crate) fn state(code: &str, language: Language) -> &'static str {
    say(find(STATES, code, ["", "", ""]), language)
}

/// Why enhanced measures apply.
pub(crate) fn cause(code: &str, language: Language) -> &'static str {
    say(find(CAUSES, code, ["", "", ""]), language)
}

/// Why an application ended, or waits.
pub(crate) fn reason(code: &str, language: Language) -> &'static str {
    say(find(REASONS, code, OTHER_REASON), language)
}

/// A product of a bank: one that this program does not know has its own name only.
pub(crate) fn product(name: &str, language: Language) -> String {
    wallet::product(name, language).map_or_else(|| name.replace('_', " "), str::to_owned)
}

/// A level of assurance.
pub(crate) fn level(level: AssuranceLevel, language: Language) -> String {
    label::word("assurance_level", level.code(), language)
}

/// A purpose by its number.
pub(crate) fn purpose(code: u16, language: Language) -> &'static str {
    let known = catalogue::purpose(PurposeCode(code));
    known.map_or("–", |its| its.title.in_language(language))
}

/// Who reads at a bank.
pub(crate) fn reader(code: &str, language: Language) -> &'static str {
    say(find(READERS, code, PROGRAM), language)
}

/// Why a reading is allowed.
pub(crate) fn basis(code: &str, language: Language) -> &'static str {
    say(find(BASES, code, OTHER_BASIS), language)
}

/// A law that makes a bank keep records.
pub(crate) fn law(code: &str, language: Language) -> &'static str {
    say(find(LAWS, code, OTHER_BASIS), language)
}

/// What was read in a vault, by the name that it has there.
pub(crate) fn item(name: &str, language: Language) -> String {
    if let Some(known) = ITEMS.iter().find(|said| said.codes.contains(&name)) {
        return say(known.texts, language).to_owned();
    }
    let (kind, claim) = name.split_once('.').unwrap_or(("pid", name));
    let known = catalogue::credential_type_by_name(kind);
    let label = known.and_then(|known| label::claim(&known.vct, claim, language));
    let product = || wallet::product(name, language).map(str::to_owned);
    label.or_else(product).unwrap_or_else(|| say(OTHER_ITEM, language).to_owned())
}

/// Why the ledger refused.
pub(crate) fn outcome(code: &str, language: Language) -> &'static str {
    say(find(OUTCOMES, code, OTHER_OUTCOME), language)
}

/// What a clerk did.
pub(crate) fn act(code: &str, language: Language) -> &'static str {
    say(find(ACTS, code, OTHER_ITEM), language)
}

/// What acts are about: a type first, then its claims, as they are called.
pub(crate) fn about(about: &[String], language: Language) -> String {
    let Some((vct, claims)) = about.split_first() else { return String::new() };
    let other = || say(OTHER_ITEM, language).to_owned();
    let claim = |name: &String| label::claim(vct, name, language).unwrap_or_else(other);
    let claims: Vec<String> = claims.iter().map(claim).collect();
    let title = label::title(vct, language);
    if claims.is_empty() { title } else { format!("{title}: {}", claims.join(", ")) }
}

/// How a record ended.
pub(crate) fn ending(code: &str, language: Language) -> &'static str {
    say(find(ENDINGS, code, OTHER_ITEM), language)
}

/// Why something that somebody at a desk asked for was not done.
pub(crate) fn failure(code: &str, language: Language) -> &'static str {
    say(find(FAILURES, code, FAILURE), language)
}

#[cfg(test)]
mod tests {
    use etibar_onboarding::session::State;

    use super::*;

    #[test]
    fn each_state_of_an_application_has_words() {
        for state in State::ALL {
            for language in Language::ALL {
                assert!(!super::state(state.name(), language).is_empty(), "{}", state.name());
            }
        }
    }

    #[test]
    fn what_was_read_is_called_as_the_catalogue_calls_it_and_never_by_its_code() {
        assert_eq!(item("verdict", Language::En), "decision");
        assert_eq!(item("nothing_known", Language::En), "another record");
        assert!(!item("employment.monthly_salary_qepik", Language::Ru).contains('_'));
        let about = ["urn:az:pid:1", "address.city", "record.ended"].map(str::to_owned);
        let text = super::about(&about, Language::En);
        assert!(!text.contains("urn") && !text.contains("record."), "{text}");
    }
}
