//! Sentences by stable codes, in the three languages in their order: Azerbaijani, English, Russian.

use crate::said::Said;

/// Why a bank did not finish.
pub(super) const UNFINISHED: &[Said] = &[
    Said {
        codes: &["step_up"],
        texts: [
            "Bu xidmət üçün şəxsiyyətiniz daha etibarlı üsulla yoxlanmalıdır: videozəng və \
             gücləndirilmiş elektron imza ilə. Bankın filialında da müraciət edə bilərsiniz.",
            "This needs a better check of who you are: a video call with an enhanced e-signature. \
             You can also apply at a branch of the bank.",
            "Для этого нужна более надёжная проверка личности: видеозвонок с усиленной \
             электронной подписью. Можно также обратиться в отделение банка.",
        ],
    },
    Said {
        codes: &["under_age"],
        texts: [
            "Bu xidmətdən istifadə etmək üçün yaşınız çatmır. Hesabı valideyniniz və ya \
             qəyyumunuz aça bilər.",
            "You are too young for this. Your parent or guardian can open the account.",
            "Вам ещё рано пользоваться этой услугой. Счёт может открыть родитель или опекун.",
        ],
    },
    Said {
        codes: &["document_expired"],
        texts: [
            "Sənədinizin müddəti bitib. Onu yeniləyin və yenidən cəhd edin.",
            "Your document has expired. Renew it and try again.",
            "Срок вашего документа истёк. Обновите его и попробуйте снова.",
        ],
    },
    Said {
        codes: &["remote_loan_ban"],
        texts: [
            "Adınıza məsafədən kredit verilməsinə qadağa qoymusunuz. Kredit almaq istəyirsinizsə, \
             əvvəlcə Azərbaycan Kredit Bürosunda qadağanı götürün.",
            "You have banned remote loans in your name. If you want one, first lift the ban at the \
             Azerbaijan Credit Bureau.",
            "Вы запретили выдавать вам дистанционные кредиты. Если кредит нужен, сначала снимите \
             запрет в Азербайджанском кредитном бюро.",
        ],
    },
    Said {
        codes: &["not_the_guardian", "guardianship_ended", "not_a_representative"],
        texts: [
            "Reyestrdə bu şəxs və ya şirkət adından çıxış etmək hüququnuz təsdiqlənmədi.",
            "The register does not confirm your right to act for this person or company.",
            "Реестр не подтвердил ваше право действовать от имени этого лица или компании.",
        ],
    },
    Said {
        codes: &["owners_unknown"],
        texts: [
            "Reyestrdə şirkətin bütün benefisiar mülkiyyətçiləri göstərilməyib. Əvvəlcə Dövlət \
             Vergi Xidmətində məlumatı tamamlayın.",
            "The register does not name all beneficial owners of the company. First complete its \
             record at the State Tax Service.",
            "В реестре указаны не все бенефициарные владельцы компании. Сначала дополните сведения \
             в Государственной налоговой службе.",
        ],
    },
    Said {
        codes: &["cooldown"],
        texts: [
            "Cüzdanın bərpasından sonra hələ yeni razılıq verə bilməzsiniz.",
            "After the recovery you cannot give new consents yet.",
            "После восстановления кошелька вы пока не можете давать новые согласия.",
        ],
    },
    Said {
        codes: &["expired", "session_closed"],
        texts: [
            "Sorğunun vaxtı bitib, bank heç nə saxlamadı. Yenidən müraciət edin.",
            "The request ran out of time, and the bank kept nothing. Please apply again.",
            "Время запроса истекло, банк ничего не сохранил. Подайте заявку снова.",
        ],
    },
    Said {
        codes: &[
            "waiting",
            "presented",
            "granted",
            "fetched",
            "approved",
            "accepted",
            "opened",
            "closing",
        ],
        texts: [
            "Bank hələ bunun üzərində işləyir. Bu səhifəni bağlaya bilərsiniz: nəticə cüzdanınızda \
             görünəcək.",
            "The bank is still working on it. You may close this page: the result will appear in \
             your wallet.",
            "Банк ещё работает над этим. Страницу можно закрыть: результат появится в кошельке.",
        ],
    },
    Said {
        codes: &["examining"],
        texts: [
            "Bank müraciətinizi yoxlayır. Hesab təsdiqdən sonra açılacaq, nəticə cüzdanınızda \
             görünəcək.",
            "The bank is examining your application. The account opens once it is approved; the \
             result will appear in your wallet.",
            "Банк рассматривает вашу заявку. Счёт откроется после одобрения, результат появится в \
             кошельке.",
        ],
    },
    Said {
        codes: &["examination_lapsed"],
        texts: [
            "Bank yoxlamanı vaxtında bitirmədi. Yenidən müraciət edə bilərsiniz.",
            "The examination was not finished in time. You can apply again.",
            "Банк не завершил рассмотрение в срок. Вы можете подать заявку снова.",
        ],
    },
];

/// What is wrong with an access record, by the check that failed.
pub(super) const ALTERED: &[Said] = &[
    Said {
        codes: &["receipt_forged"],
        texts: [
            "Qeydi verən qurum onu öz imzası ilə təsdiqləməyib.",
            "It is not signed by the institution that gave it.",
            "Учреждение, выдавшее запись, не подтвердило её своей подписью.",
        ],
    },
    Said {
        codes: &["receipt_altered"],
        texts: [
            "Bu nömrə ilə başqa qeyd də var və ya əvvəlki qeydlə əlaqə pozulub.",
            "There is another record with this number, or the link to the one before is broken.",
            "Есть другая запись с этим номером, или связь с предыдущей записью нарушена.",
        ],
    },
    Said {
        codes: &["counter_signature_wrong"],
        texts: [
            "Qarşı tərəfin imzası bu qeydə aid deyil.",
            "The other side's signature does not belong to this record.",
            "Подпись другой стороны не относится к этой записи.",
        ],
    },
    Said {
        codes: &["anchor_unknown", "receipt_not_in_anchor"],
        texts: [
            "Qeyd blokçeyndəki möhürlə üst-üstə düşmür.",
            "The record does not match its seal on the ledger.",
            "Запись не совпадает со своей печатью в блокчейне.",
        ],
    },
];

/// A member's refusals.
pub(super) const REFUSALS: &[Said] = &[
    Said {
        codes: &["person_not_confirmed", "message_fin_malformed"],
        texts: [
            "Reyestrdə bu FİN və sənəd nömrəsi ilə şəxs tapılmadı. Hər ikisini yoxlayın.",
            "The register has no person with this FIN and document number. Check both.",
            "В реестре нет человека с таким ФИН и номером документа. Проверьте оба.",
        ],
    },
    Said {
        codes: &["document_expired", "person_deceased"],
        texts: [
            "Bu sənəd artıq qüvvədə deyil. Yeni sənədin nömrəsini yazın.",
            "This document is no longer in force. Enter the number of the new one.",
            "Этот документ больше не действует. Введите номер нового.",
        ],
    },
    Said {
        codes: &["guardian_needed"],
        texts: [
            "18 yaşı tamam olmayan şəxs üçün reyestrdə göstərilən valideynin və ya qəyyumun FİN-i \
             lazımdır.",
            "For a person under 18 the FIN of the parent or guardian in the register is needed.",
            "Для человека младше 18 лет нужен ФИН родителя или опекуна, указанного в реестре.",
        ],
    },
    Said {
        codes: &["already_enrolled"],
        texts: [
            "Bu şəxsin artıq cüzdanı var. Giriş açarı ilə daxil olun; telefonunuz itibsə, cüzdanı \
             bərpa edin.",
            "This person already has a wallet. Sign in with the passkey; if the phone is lost, \
             recover the wallet.",
            "У этого человека уже есть кошелёк. Войдите с ключом доступа; если телефон потерян, \
             восстановите кошелёк.",
        ],
    },
    Said {
        codes: &["not_enrolled"],
        texts: [
            "Bu şəxsin hələ cüzdanı yoxdur. Əvvəlcə cüzdan yaradın.",
            "This person has no wallet yet. Create one first.",
            "У этого человека ещё нет кошелька. Сначала создайте его.",
        ],
    },
    Said {
        codes: &["no_guardians"],
        texts: [
            "Bu şəxs etibarlı şəxs göstərməyib. Şəxsiyyətinizi başqa üsulla təsdiqləyin.",
            "This person has named no guardians. Prove who you are in another way.",
            "Доверенные лица не указаны. Подтвердите личность другим способом.",
        ],
    },
    Said {
        codes: &["not_a_guardian"],
        texts: [
            "Bu şəxs sizi etibarlı şəxs kimi göstərməyib.",
            "This person has not named you as a guardian.",
            "Этот человек не указывал вас доверенным лицом.",
        ],
    },
    Said {
        codes: &["guardians_invalid"],
        texts: [
            "Üç fərqli şəxs lazımdır; özünüzü göstərə bilməzsiniz.",
            "Three different people are needed, and you cannot name yourself.",
            "Нужны три разных человека; себя указать нельзя.",
        ],
    },
    Said {
        codes: &["recovery_unknown"],
        texts: [
            "Bu nömrə ilə açıq bərpa yoxdur. Nömrəni dəqiqləşdirin.",
            "There is no open recovery with this number. Check the number.",
            "Открытого восстановления с таким номером нет. Уточните номер.",
        ],
    },
    Said {
        codes: &["recovery_level_too_low", "assurance_level_too_low", "methods_insufficient"],
        texts: [
            "Bunun üçün daha etibarlı yoxlama lazımdır: cüzdanı yaradarkən seçdiyinizdən zəif \
             olmamalıdır.",
            "This needs a better check: no weaker than the one with which the wallet was created.",
            "Нужна более надёжная проверка: не слабее той, с которой создан кошелёк.",
        ],
    },
    Said {
        codes: &["status_not_anchored", "status_unavailable"],
        texts: [
            "Sənədinizin qüvvədə olması hazırda yoxlanıla bilmir. Bir azdan yenidən müraciət edin.",
            "Whether your document is in force cannot be checked now. Please apply again soon.",
            "Сейчас нельзя проверить, действует ли ваш документ. Подайте заявку чуть позже.",
        ],
    },
    Said {
        codes: &["not_a_party"],
        texts: [
            "Sizin haqqınızda artıq heç nə saxlanılmır.",
            "Nothing is kept about you any more.",
            "О вас больше ничего не хранится.",
        ],
    },
];

/// A document that its issuer has not ready yet.
pub(super) const DEFERRED: [&str; 3] = [
    "Verən qurum sənədi hələ yoxlayır. Hazır olanda özü gələcək.",
    "The issuer is still checking. The document comes by itself once it is ready.",
    "Выдающее ведомство ещё проверяет. Документ придёт сам, когда будет готов.",
];

/// A screen that says something else now.
pub(super) const SCREEN_CHANGED: [&str; 3] = [
    "Reyestrdə məlumatınız dəyişib. Göstərilənlərə yenidən baxın və razılıq verin.",
    "Your data at the register has changed. Look at what is shown again and agree.",
    "Ваши данные в реестре изменились. Посмотрите ещё раз и дайте согласие.",
];

/// Why a bank did not finish, where nothing more is known.
pub(super) const STOPPED: [&str; 3] = [
    "Bank bunu məsafədən tamamlaya bilmədi. Zəhmət olmasa, banka müraciət edin.",
    "The bank could not finish this remotely. Please contact it.",
    "Банк не смог завершить это дистанционно. Пожалуйста, обратитесь в банк.",
];

/// What is wrong with a record, where nothing more is known.
pub(super) const UNPROVEN: [&str; 3] = [
    "Qeyd yoxlamadan keçmədi.",
    "The record did not pass the check.",
    "Запись не прошла проверку.",
];

/// A refusal, where nothing more is known.
pub(super) const REFUSED: [&str; 3] = [
    "Qurum bunu qəbul etmədi.",
    "The institution did not accept this.",
    "Учреждение это не приняло.",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::said::find;

    #[test]
    fn no_code_has_two_sentences_and_none_is_empty() {
        for table in [UNFINISHED, ALTERED, REFUSALS] {
            let codes: Vec<_> = table.iter().flat_map(|said| said.codes).collect();
            let mut different = codes.clone();
            different.sort_unstable();
            different.dedup();
            assert_eq!(codes.len(), different.len());
            assert!(table.iter().all(|said| said.texts.iter().all(|text| text.ends_with('.'))));
        }
        assert_eq!(find(REFUSALS, "never_heard_of", REFUSED), REFUSED);
    }
}
