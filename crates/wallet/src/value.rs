//! Values of claims as people read them: money, dates, shares, addresses, and the registers' code
//! words.

use serde_json::{Map, Value};

use crate::Language;

/// Puts the texts of `value`, which is called `name`, behind `texts`.
pub(crate) fn collect(name: &str, value: &Value, language: Language, texts: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::Bool(said) => texts.push(yes_or_no(*said, language).to_owned()),
        Value::Number(number) => texts.push(
            number.as_u64().map_or_else(|| number.to_string(), |its| count(name, its, language)),
        ),
        Value::String(text) => texts.push(date(text).unwrap_or_else(|| word(name, text, language))),
        Value::Array(items) => {
            for item in items {
                collect(name, item, language, texts);
            }
        }
        Value::Object(members) => object(members, language, texts),
    }
}

/// `31.12.2026` of `2026-12-31`: the way dates are written in all three languages' documents here.
pub(crate) fn date(text: &str) -> Option<String> {
    let parsed: etibar_credential::date::Date = text.parse().ok()?;
    let text = parsed.expose();
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    Some(format!("{day}.{month}.{year}"))
}

/// People and addresses in the order in which they are written; other objects member by member.
fn object(members: &Map<String, Value>, language: Language, texts: &mut Vec<String>) {
    let part = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default();
    let filled = |parts: &[&str], between: &str| {
        let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
        parts.join(between)
    };
    if members.contains_key("family_name") && !members.contains_key("address") {
        let name = filled(&[part("given_name"), part("patronymic"), part("family_name")], " ");
        let born = date(part("birthdate")).unwrap_or_default();
        texts.push(filled(&[&name, &born, part("personal_administrative_number")], ", "));
        return;
    }
    if members.contains_key("street") {
        let house = filled(&[part("street"), part("building")], " ");
        let region = if part("region") == part("city") { "" } else { part("region") };
        texts.push(filled(&[&house, part("city"), region, part("postal_code")], ", "));
        return;
    }
    // What a bank verified: the values are of interest, not how they are wrapped.
    if let Some(Value::Object(claims)) = members.get("claims") {
        return object_members(claims, language, texts);
    }
    object_members(members, language, texts);
}

fn object_members(members: &Map<String, Value>, language: Language, texts: &mut Vec<String>) {
    for (name, value) in members {
        collect(name, value, language, texts);
    }
}

/// A number: money in manats, a share in percent, a moment as its day, anything else as it is.
fn count(name: &str, number: u64, language: Language) -> String {
    if name.ends_with("_qepik") || name == "charter_capital" {
        return format!("{}\u{a0}₼", hundredths(number, language));
    }
    if name.ends_with("_basis_points") {
        return format!("{}\u{a0}%", hundredths(number, language));
    }
    if name == "cooldown_until" {
        let day = etibar_credential::date::Date::of(etibar_credential::UnixSeconds(number));
        return date(&day.expose()).unwrap_or_default();
    }
    number.to_string()
}

/// `12 345,60` of 1,234,560; in English `12,345.60`.
fn hundredths(number: u64, language: Language) -> String {
    let english = language == Language::En;
    let (group, point) = if english { (',', '.') } else { ('\u{a0}', ',') };
    let digits = (number / 100).to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(group);
        }
        text.push(digit);
    }
    format!("{text}{point}{:02}", number % 100)
}

const fn yes_or_no(said: bool, language: Language) -> &'static str {
    match (said, language) {
        (true, Language::Az) => "Bəli",
        (true, Language::En) => "Yes",
        (true, Language::Ru) => "Да",
        (false, Language::Az) => "Xeyr",
        (false, Language::En) => "No",
        (false, Language::Ru) => "Нет",
    }
}

/// A code word of a register in the person's language; what is no code word stays as it is.
pub(crate) fn word(name: &str, text: &str, language: Language) -> String {
    let Some([az, en, ru]) = known(name, text) else { return text.to_owned() };
    match language {
        Language::Az => az,
        Language::En => en,
        Language::Ru => ru,
    }
    .to_owned()
}

fn known(name: &str, code: &str) -> Option<[&'static str; 3]> {
    Some(match (name, code) {
        ("sex", "M") => ["kişi", "male", "мужской"],
        ("sex", "F") => ["qadın", "female", "женский"],
        ("nationality" | "tax_residency", "AZ") => ["Azərbaycan", "Azerbaijan", "Азербайджан"],
        ("nationality" | "tax_residency", "GE") => ["Gürcüstan", "Georgia", "Грузия"],
        ("nationality" | "tax_residency", "TR") => ["Türkiyə", "Türkiye", "Турция"],
        ("assurance_level", "low") => ["aşağı", "basic", "базовый"],
        ("assurance_level", "substantial") => ["orta", "substantial", "средний"],
        ("assurance_level", "high") => ["yüksək", "high", "высокий"],
        ("marital_status", "single") => ["subay", "single", "не в браке"],
        ("marital_status", "married") => ["evli", "married", "в браке"],
        ("relation", "parent") => ["valideyn", "parent", "родитель"],
        ("relation", "adopter") => ["övladlığa götürən", "adopter", "усыновитель"],
        ("relation", "guardian") => ["qəyyum", "guardian", "опекун"],
        ("status", "active") => ["qüvvədədir", "active", "действует"],
        ("kind", "apartment") => ["mənzil", "apartment", "квартира"],
        ("kind", "house") => ["fərdi ev", "house", "дом"],
        ("kind", "land") => ["torpaq sahəsi", "land", "земельный участок"],
        ("kind", "temporary_residence") => {
            ["müvəqqəti yaşama", "temporary residence", "временное проживание"]
        }
        ("kind", "permanent_residence") => {
            ["daimi yaşama", "permanent residence", "постоянное проживание"]
        }
        ("kind", "work") => ["əmək fəaliyyəti", "work", "трудовая деятельность"],
        ("degree", "bachelor") => ["bakalavr", "bachelor", "бакалавр"],
        ("degree", "master") => ["magistr", "master", "магистр"],
        ("degree", "doctor") => ["doktor", "doctor", "доктор"],
        ("method", "sima") => ["SİMA İmza", "SİMA", "SİMA"],
        ("method", "asan_imza") => ["ASAN İmza", "ASAN İmza", "ASAN İmza"],
        ("method", "password") => ["parol", "password", "пароль"],
        ("method", "photo") => ["foto", "photo", "фото"],
        ("method", "video") => ["video", "video", "видео"],
        ("method", "call") => ["videozəng", "video call", "видеозвонок"],
        ("method", "signature") => [
            "gücləndirilmiş elektron imza",
            "enhanced e-signature",
            "усиленная электронная подпись",
        ],
        ("method", "strong_authentication") => ["giriş açarı", "passkey", "ключ доступа"],
        ("powers", "open_account") => ["hesab açmaq", "open an account", "открывать счёт"],
        ("powers", "payments") => ["ödəniş etmək", "make payments", "совершать платежи"],
        ("powers", "director") => ["direktor", "director", "директор"],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(name: &str, value: &Value, language: Language) -> String {
        let mut texts = Vec::new();
        collect(name, value, language, &mut texts);
        texts.join("; ")
    }

    #[test]
    fn money_shares_and_moments_are_written_for_people() {
        let salary = json!(125_050);
        assert_eq!(text("monthly_salary_qepik", &salary, Language::Az), "1\u{a0}250,50\u{a0}₼");
        assert_eq!(text("monthly_salary_qepik", &salary, Language::En), "1,250.50\u{a0}₼");
        assert_eq!(text("charter_capital", &json!(5), Language::Ru), "0,05\u{a0}₼");
        assert_eq!(text("share_basis_points", &json!(2_550), Language::En), "25.50\u{a0}%");
        assert_eq!(text("cooldown_until", &json!(1_795_379_405), Language::Ru), "23.11.2026");
        assert_eq!(text("open_loans", &json!(2), Language::Az), "2");
    }

    #[test]
    fn code_words_are_translated_and_other_words_left_alone() {
        assert_eq!(text("sex", &json!("F"), Language::Az), "qadın");
        assert_eq!(text("assurance_level", &json!("high"), Language::Ru), "высокий");
        assert_eq!(text("insured", &json!(true), Language::Az), "Bəli");
        assert_eq!(text("position", &json!("mühasib"), Language::En), "mühasib");
    }

    #[test]
    fn people_and_addresses_stand_in_the_order_in_which_they_are_written() {
        let person = json!({"family_name": "Nümunəyeva", "given_name": "Əsmər",
            "patronymic": "Nümunə qızı", "birthdate": "1990-05-07"});
        assert_eq!(
            text("person", &person, Language::Az),
            "Əsmər Nümunə qızı Nümunəyeva, 07.05.1990"
        );
        let address = json!({"region": "Bakı", "city": "Bakı", "street": "Nizami küçəsi",
            "building": "12", "postal_code": "AZ1000"});
        assert_eq!(text("address", &address, Language::Az), "Nizami küçəsi 12, Bakı, AZ1000");
        let verified = json!({"verification": {"trust_framework": "az_aml"},
            "claims": {"family_name": "Nümunəyeva", "address": address}});
        let shown = text("verified_claims", &verified, Language::En);
        assert!(shown.contains("Nizami küçəsi 12, Bakı, AZ1000") && shown.contains("Nümunəyeva"));
        assert!(!shown.contains("az_aml"));
    }
}
