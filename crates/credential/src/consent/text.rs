//! The text of a consent: the six parts that Law No 998-IIIQ demands, and what the law keeps.
//!
//! Source: domain/identity.md §6: who the person is; who receives; the purpose; the list of data
//! and operations; the term and how to withdraw; what happens to the data at the end or on death.

use serde_json::{Value, json};

use super::{Fetch, Terms};
use crate::catalogue::{self, Language, Purpose};
use crate::date::Date;
use crate::jose;
use crate::purpose::CredentialAsk;

/// What the person reads, part by part, in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentText {
    /// One line above all.
    pub title: String,
    /// Part 1: who the person is.
    pub person: String,
    /// Part 2: who receives the data, and from whom.
    pub recipient: String,
    /// Part 3: the purpose.
    pub purpose: String,
    /// Part 4: the data and the operations.
    pub data: String,
    /// Part 5: the term, and how to withdraw.
    pub term: String,
    /// Part 6: deletion at the end, on withdrawal and on death.
    pub disposal: String,
    /// Beside the consent: the law it stands on and what the law makes the recipient keep.
    pub law: String,
}

impl ConsentText {
    /// The six parts, as the artefact carries them.
    pub fn parts(&self) -> Value {
        json!({
            "person": self.person,
            "recipient": self.recipient,
            "purpose": self.purpose,
            "data": self.data,
            "term": self.term,
            "disposal": self.disposal,
        })
    }

    /// The canonical text: lines ended by a line feed, UTF-8.
    pub fn canonical(&self) -> String {
        let lines = [
            &self.title,
            &self.person,
            &self.recipient,
            &self.purpose,
            &self.data,
            &self.term,
            &self.disposal,
            &self.law,
        ];
        lines.into_iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }

    /// SHA-256 of the canonical text.
    pub fn hash(&self) -> [u8; 32] {
        jose::sha256(self.canonical().as_bytes())
    }

    pub(super) fn render(terms: &Terms, asks: &[CredentialAsk], purpose: &Purpose) -> Self {
        let language = terms.language;
        let names: Vec<_> = terms.providers.iter().map(|known| known.name.as_str()).collect();
        let fill = Fill {
            consumer: &terms.consumer.name,
            providers: names.join(", "),
            data: data_list(asks, language),
            start: day(Date::of(terms.starts)),
            // The last second that still counts.
            end: day(Date::of(crate::UnixSeconds(terms.expires.0.saturating_sub(1)))),
            days: terms.data_life_days,
            title: purpose.title.in_language(language),
            text: purpose.text.in_language(language),
            basis: purpose.lawful_basis.in_language(language),
            retention: purpose.retention.text.in_language(language),
            operations: operations(terms.fetch, language),
        };
        match language {
            Language::Az => fill.azerbaijani(),
            Language::En => fill.english(),
            Language::Ru => fill.russian(),
        }
    }
}

/// `Title: label, label; Title: label`.
fn data_list(asks: &[CredentialAsk], language: Language) -> String {
    let one = |ask: &CredentialAsk| {
        let known = catalogue::credential_type(&ask.vct)?;
        let title = known.title.in_language(language);
        let labels: Vec<_> =
            ask.paths.iter().filter_map(|path| known.label(path, language)).collect();
        let colon = if labels.is_empty() { "" } else { ": " };
        Some(format!("{title}{colon}{}", labels.join(", ")))
    };
    asks.iter().filter_map(one).collect::<Vec<_>>().join("; ")
}

/// `22.11.2026`, as all three languages write it.
fn day(date: Date) -> String {
    let text = date.expose();
    format!("{}.{}.{}", &text[8..], &text[5..7], &text[..4])
}

fn operations(fetch: Fetch, language: Language) -> String {
    match (fetch, language) {
        (Fetch::Once, Language::Az) => "bir dəfə almaq, yoxlamaq, saxlamaq".to_owned(),
        (Fetch::Once, Language::En) => "fetch once, check, store".to_owned(),
        (Fetch::Once, Language::Ru) => "получить один раз, проверить, хранить".to_owned(),
        (Fetch::OnChange, Language::Az) => {
            "almaq, yoxlamaq, saxlamaq, reyestrdə dəyişəndə yenisini almaq".to_owned()
        }
        (Fetch::OnChange, Language::En) => {
            "fetch, check, store, fetch anew when the register changes".to_owned()
        }
        (Fetch::OnChange, Language::Ru) => {
            "получить, проверить, хранить, получать заново при изменении в реестре".to_owned()
        }
        (Fetch::Periodic { every_days }, Language::Az) => {
            format!("almaq, yoxlamaq, saxlamaq, ən çoxu {every_days} gündə bir dəfə yenisini almaq")
        }
        (Fetch::Periodic { every_days }, Language::En) => {
            format!("fetch, check, store, fetch anew at most every {every_days} days")
        }
        (Fetch::Periodic { every_days }, Language::Ru) => {
            format!(
                "получить, проверить, хранить, получать заново не чаще чем раз в {every_days} дн."
            )
        }
    }
}

struct Fill<'a> {
    consumer: &'a str,
    providers: String,
    data: String,
    start: String,
    end: String,
    days: u32,
    title: &'a str,
    text: &'a str,
    basis: &'a str,
    retention: &'a str,
    operations: String,
}

impl Fill<'_> {
    fn azerbaijani(self) -> ConsentText {
        let Self { consumer, providers, data, start, end, days, title, text, .. } = &self;
        ConsentText {
            title: format!("{consumer} razılığınızı istəyir: {title}"),
            person: "Kim: Siz, bu razılıqla birlikdə təqdim etdiyiniz sənədin sahibi. Adınız və \
                     FİN-iniz bu mətndə yazılmır."
                .to_owned(),
            recipient: format!(
                "Kimə: {consumer}. Məlumatı verən: {providers}. Başqa heç kimə ötürülmür."
            ),
            purpose: format!("Nə üçün: {text}"),
            data: format!("Hansı məlumat: {data}. Əməliyyatlar: {}.", self.operations),
            term: format!(
                "Müddət: {start} tarixindən {end} tarixinədək. Razılığı cüzdanda, «Razılıqlarım» \
                 bölməsində istənilən vaxt geri götürə bilərsiniz; bu, dərhal qüvvəyə minir."
            ),
            disposal: format!(
                "Sonra: alınan məlumat ən çoxu {days} gün saxlanılır; müddət bitəndə, razılıq geri \
                 götürüləndə və ya vəfat halında açarı ilə birlikdə silinir."
            ),
            law: format!("Qanun: {} {}", self.basis, self.retention),
        }
    }

    fn english(self) -> ConsentText {
        let Self { consumer, providers, data, start, end, days, title, text, .. } = &self;
        ConsentText {
            title: format!("{consumer} asks for your consent: {title}"),
            person: "Who: you, the holder of the document presented with this consent. Your name \
                     and FIN are not written in this text."
                .to_owned(),
            recipient: format!(
                "To whom: {consumer}. Provided by: {providers}. It is passed on to nobody else."
            ),
            purpose: format!("What for: {text}"),
            data: format!("Which data: {data}. Operations: {}.", self.operations),
            term: format!(
                "How long: from {start} to {end}. You can withdraw the consent at any time in your \
                 wallet under \u{201c}My consents\u{201d}; it takes effect at once."
            ),
            disposal: format!(
                "Afterwards: what is fetched is kept for at most {days} days; when the term ends, \
                 when you withdraw, or on death it is erased together with its key."
            ),
            law: format!("The law: {} {}", self.basis, self.retention),
        }
    }

    fn russian(self) -> ConsentText {
        let Self { consumer, providers, data, start, end, days, title, text, .. } = &self;
        ConsentText {
            title: format!("{consumer} просит вашего согласия: {title}"),
            person:
                "Кто: вы, владелец документа, предъявленного вместе с этим согласием. Ваше имя \
                     и ФИН в этом тексте не указываются."
                    .to_owned(),
            recipient: format!(
                "Кому: {consumer}. Данные предоставляет: {providers}. Никому другому они не \
                 передаются."
            ),
            purpose: format!("Зачем: {text}"),
            data: format!("Какие данные: {data}. Операции: {}.", self.operations),
            term: format!(
                "Срок: с {start} по {end}. Отозвать согласие можно в любое время в кошельке, в \
                 разделе «Мои согласия»; отзыв действует сразу."
            ),
            disposal: format!(
                "После: полученные данные хранятся не более {days} дн.; по окончании срока, при \
                 отзыве согласия или в случае смерти они удаляются вместе с ключом."
            ),
            law: format!("Закон: {} {}", self.basis, self.retention),
        }
    }
}
