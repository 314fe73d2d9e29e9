//! The desks' words in their three languages, side by side.

use etibar_wallet::Language;

macro_rules! words {
    ($($name:ident: $english:literal, $azerbaijani:literal, $russian:literal;)*) => {
        /// One language's words.
        #[derive(Debug, PartialEq, Eq)]
        pub(crate) struct Words {
            pub(crate) language: Language,
            $(pub(crate) $name: &'static str,)*
        }

        const ENGLISH: Words = Words { language: Language::En, $($name: $english,)* };

        /// The terms are those of the laws and the banks' pages; a native speaker should confirm
        /// the rest.
        const AZERBAIJANI: Words = Words { language: Language::Az, $($name: $azerbaijani,)* };

        const RUSSIAN: Words = Words { language: Language::Ru, $($name: $russian,)* };

        #[cfg(test)]
        const ROWS: &[[&str; 3]] = &[$([$english, $azerbaijani, $russian],)*];
    };
}

words! {
    skip: "Skip to content", "Məzmuna keç", "К содержанию";
    sign_in: "Sign in", "Daxil olun", "Вход";
    sign_out: "Sign out", "Çıxış", "Выход";
    signed_in_as: "Signed in as", "Daxil olub:", "Вы вошли как";
    token: "Access token", "Giriş kodu", "Код доступа";
    token_hint:
        "The one that your institution gave you.",
        "Qurumunuzun sizə verdiyi kod.",
        "Тот, что вам выдало ваше учреждение.";
    token_wrong:
        "This token opens nothing here.",
        "Bu kod burada heç nəyi açmır.",
        "Этот код здесь ничего не открывает.";
    problem: "There is a problem", "Problem var", "Есть проблема";
    sections: "Sections", "Bölmələr", "Разделы";
    clerk_desk: "Register desk", "Reyestr masası", "Стол реестра";
    applications: "Applications", "Müraciətlər", "Заявки";
    application: "Application", "Müraciət", "Заявка";
    watch: "What to watch", "Nəzarət", "Контроль";
    all: "All", "Hamısı", "Все";
    state: "State", "Vəziyyət", "Состояние";
    product: "Product", "Məhsul", "Продукт";
    created: "Began", "Başlanıb", "Начало";
    examination: "Examination", "Yoxlama", "Проверка";
    by_state: "Applications by state", "Vəziyyətə görə müraciətlər", "Заявки по состоянию";
    none: "There is nothing here.", "Burada heç nə yoxdur.", "Здесь ничего нет.";
    presented: "What was presented", "Təqdim edilənlər", "Что предъявлено";
    not_readable:
        "No consent in force allows to read it.",
        "Oxumağa icazə verən qüvvədə razılıq yoxdur.",
        "Нет действующего согласия, которое разрешает это читать.";
    evidence: "By which evidence", "Hansı sübutla", "Чем подтверждено";
    asked_as: "Document", "Sənəd", "Документ";
    issuer: "Issuer", "Verən", "Кем выдан";
    status_at: "Status at", "Statusu", "Где статус";
    level: "Level of assurance", "Etibarlılıq səviyyəsi", "Уровень надёжности";
    decision: "Decision", "Qərar", "Решение";
    decided: "Decided", "Qərar vaxtı", "Решено";
    renew: "To be renewed", "Yenilənməli", "Обновить";
    reused: "Due diligence of another bank", "Başqa bankın yoxlaması", "Проверка другого банка";
    reasons: "Reasons", "Səbəblər", "Причины";
    causes:
        "Enhanced measures because of",
        "Gücləndirilmiş tədbirlərin səbəbi",
        "Причины усиленных мер";
    lapses: "Lapses", "Müddəti bitir", "Истекает";
    lapses_soon: "soon", "tezliklə", "скоро";
    prepared_by: "Prepared by", "Hazırlayıb", "Подготовлено:";
    approved_by: "Approved by", "Təsdiq edib", "Одобрено:";
    refused_by: "Refused by", "İmtina edib", "Отказано:";
    sources: "Sources of funds", "Vəsaitin mənbəyi", "Источники средств";
    reason: "Reason", "Səbəb", "Причина";
    prepare: "Record the preparation", "Hazırlığı qeyd et", "Записать подготовку";
    prepare_lead:
        "Say where the money comes from and why the bank may take the customer.",
        "Pulun haradan gəldiyini və bankın müştərini niyə qəbul edə biləcəyini yazın.",
        "Напишите, откуда деньги и почему банк может принять клиента.";
    approve: "Approve", "Təsdiq et", "Одобрить";
    refuse: "Refuse", "İmtina et", "Отказать";
    decide_lead:
        "Approving checks consents, credentials and the screening again, and opens the account.",
        "Təsdiqdən sonra razılıqlar, sənədlər və yoxlama siyahıları yenidən yoxlanır və hesab \
         açılır.",
        "После одобрения согласия, документы и списки проверяются ещё раз, и счёт открывается.";
    four_eyes:
        "Somebody else of the role senior decides: you prepared it.",
        "Qərarı başqa böyük əməkdaş verir: siz hazırlamısınız.",
        "Решает другой старший сотрудник: эту заявку подготовили вы.";
    senior_needed:
        "A member of the staff with the role senior decides.",
        "Qərarı böyük əməkdaş verir.",
        "Решает старший сотрудник.";
    not_prepared:
        "Somebody must record a preparation first.",
        "Əvvəlcə kimsə hazırlığı qeyd etməlidir.",
        "Сначала кто-то должен записать подготовку.";
    erasure: "Erasure", "Silinmə", "Удаление";
    erasures: "Erasures asked for", "Silinmə istəkləri", "Просьбы об удалении";
    no_erasure:
        "Nobody asked to erase this person's data.",
        "Bu şəxsin məlumatlarının silinməsi istənilməyib.",
        "Никто не просил удалить данные этого человека.";
    requested: "Asked for", "İstənilib", "Запрошено";
    due: "Due", "Son tarix", "Срок";
    done: "Done", "Edilib", "Сделано";
    overdue: "Overdue", "Gecikib", "Просрочено";
    in_time: "In time", "Vaxtında", "В срок";
    holds:
        "What the law makes the bank keep",
        "Qanunun saxlanmasını tələb etdiyi",
        "Что банк хранит по закону";
    law: "Law", "Qanun", "Закон";
    until: "Until", "Bu vaxtadək", "До";
    accesses:
        "Who read this person's data",
        "Bu şəxsin məlumatlarını kim oxuyub",
        "Кто читал данные этого человека";
    when: "When", "Nə vaxt", "Когда";
    reader: "Who", "Kim", "Кто";
    basis: "Basis", "Əsas", "Основание";
    read: "What", "Nə", "Что";
    erasures_overdue: "Erasures overdue", "Gecikmiş silinmələr", "Просроченные удаления";
    erasures_open: "Erasures open", "Açıq silinmələr", "Открытые удаления";
    examinations_waiting: "Waiting for an examination", "Yoxlama gözləyən", "Ждут проверки";
    examinations_lapsing: "Lapse within two days", "İki günə müddəti bitir", "Истекают за два дня";
    obligations_refused:
        "Obligations refused",
        "Rədd edilmiş öhdəliklər",
        "Отклонённые обязательства";
    notices_waiting: "Notices waiting", "Gözləyən bildirişlər", "Уведомления ждут";
    notice_wait: "the oldest for", "ən köhnəsi", "самое старое";
    lag_last: "Last change took", "Son dəyişiklik", "Последнее изменение";
    lag_max: "the longest", "ən uzunu", "самое долгое";
    obligations:
        "Obligations for reuse that the ledger refused",
        "Reyestrin rədd etdiyi təkrar istifadə öhdəlikləri",
        "Обязательства за повторное использование, отклонённые реестром";
    creditor: "Owed to", "Kreditor", "Кому";
    fee: "Fee", "Haqq", "Плата";
    refusal: "Refusal", "İmtina səbəbi", "Причина отказа";
    retry: "Tried again", "Yenidən cəhd", "Повтор";
    given_up:
        "Given up: settle it by agreement",
        "Dayandırılıb: razılaşma ilə həll edin",
        "Прекращено: решите по соглашению";
    records_held:
        "Records kept for erased people",
        "Silinmiş şəxslərin saxlanan qeydləri",
        "Записи об удалённых лицах, которые хранятся";
    look_up: "Look up a person", "Şəxsi axtar", "Найти человека";
    look_up_button: "Look up", "Axtar", "Найти";
    look_up_lead:
        "Each look is on record, and the person sees it.",
        "Hər baxış qeydə alınır və şəxs onu görür.",
        "Каждый просмотр записывается и виден самому человеку.";
    subject:
        "Personal number (FİN) or tax number (VÖEN)",
        "FİN və ya VÖEN",
        "Личный номер (FİN) или ИНН (VÖEN)";
    subject_hint:
        "Seven characters, or ten digits for a company.",
        "Yeddi simvol, şirkət üçün on rəqəm.",
        "Семь знаков, для компании десять цифр.";
    person: "Person", "Şəxs", "Человек";
    in_force: "In force", "Qüvvədədir", "Действует";
    ended: "Ended", "Bitib", "Закончилось";
    valid_until: "Valid until", "Etibarlıdır", "Действует до";
    last_day: "Last day of validity", "Son etibarlılıq günü", "Последний день действия";
    credentials_issued: "Credentials issued", "Verilmiş sənədlər", "Выдано документов";
    credentials_revoked: "revoked", "ləğv edilib", "отозвано";
    change: "Record a change", "Dəyişikliyi qeyd et", "Записать изменение";
    claim: "Entry", "Sahə", "Поле";
    claim_hint: "Which entry to change.", "Hansı sahə dəyişsin.", "Какую запись изменить.";
    value: "New value", "Yeni dəyər", "Новое значение";
    value_hint: "Empty removes it.", "Boş buraxılsa, silinir.", "Пустое поле удаляет значение.";
    change_button: "Record", "Qeyd et", "Записать";
    end_record: "End the record", "Qeydi bitir", "Закончить запись";
    died: "The person died", "Şəxs vəfat edib", "Человек умер";
    withdrawn: "Withdrawn", "Geri götürülüb", "Изъято";
    end_button: "End", "Bitir", "Закончить";
    revoke:
        "Revoke the credentials for cause",
        "Sənədləri səbəblə ləğv et",
        "Отозвать документы по причине";
    revoke_lead:
        "The register stays as it is; the person may fetch new ones.",
        "Reyestr dəyişmir; şəxs yenilərini ala bilər.",
        "Реестр не меняется; человек может получить новые.";
    revoke_button: "Revoke", "Ləğv et", "Отозвать";
    consents: "Consents in force", "Qüvvədə olan razılıqlar", "Действующие согласия";
    consumer: "Member", "Üzv", "Участник";
    purpose: "Purpose", "Məqsəd", "Цель";
    receipts: "Who asked for what", "Kim nə istəyib", "Кто что запрашивал";
    number: "Number", "Nömrə", "Номер";
    anchored: "Anchored", "Lövbərlənib", "Закреплено";
    acts: "What clerks did", "Əməkdaşlar nə edib", "Что делали сотрудники";
    act: "Act", "Əməl", "Действие";
    enrolments: "Enrolments", "Qeydiyyatlar", "Регистрации";
    enrolled: "Enrolled", "Qeydiyyat", "Регистрация";
    cooldown: "No new consents until", "Yeni razılıq yoxdur", "Новых согласий нет до";
    recoveries: "Recoveries", "Bərpalar", "Восстановления";
    opened: "Opened", "Açılıb", "Открыто";
    expires: "Expires", "Bitir", "Истекает";
    waiting: "Waiting", "Gözləyir", "Ждёт";
    id: "Id", "Nömrəsi", "Номер";
    notices: "Notices of change", "Dəyişiklik bildirişləri", "Уведомления об изменении";
    recorded: "Recorded", "Qeyd edildi", "Записано";
    nobody:
        "The register has nobody by this number.",
        "Reyestrdə bu nömrə ilə heç kim yoxdur.",
        "В реестре нет никого с этим номером.";
    note:
        "Times are Baku's. Each reading of a person's data is on record.",
        "Vaxtlar Bakı vaxtıdır. Şəxsi məlumatın hər oxunuşu qeydə alınır.",
        "Время бакинское. Каждое чтение личных данных записывается.";
}

/// The words of a language.
pub(crate) const fn of(language: Language) -> &'static Words {
    match language {
        Language::Az => &AZERBAIJANI,
        Language::En => &ENGLISH,
        Language::Ru => &RUSSIAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_in_the_letters_of_its_language() {
        let cyrillic = |text: &str| text.chars().any(|letter| ('а'..='я').contains(&letter));
        for [en, az, ru] in ROWS {
            assert!(!cyrillic(en) && !cyrillic(az), "{en} / {az}");
            assert!(cyrillic(&ru.to_lowercase()), "{ru}");
            assert!(!en.contains(['ə', 'ş', 'ğ']), "{en}");
            assert_eq!(en.ends_with('.'), az.ends_with('.'), "{en} / {az}");
            assert_eq!(en.ends_with('.'), ru.ends_with('.'), "{en} / {ru}");
        }
    }
}
