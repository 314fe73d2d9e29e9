//! Texts by stable codes, in the three languages in their order: Azerbaijani, English, Russian.

use etibar_wallet::Language;

/// What is said for some codes.
pub(crate) struct Said {
    pub(crate) codes: &'static [&'static str],
    pub(crate) texts: [&'static str; 3],
}

/// The texts of `code` in a table, or `otherwise`.
pub(crate) fn find(table: &[Said], code: &str, otherwise: [&'static str; 3]) -> [&'static str; 3] {
    let known = table.iter().find(|said| said.codes.contains(&code));
    known.map_or(otherwise, |said| said.texts)
}

/// The text of one language.
pub(crate) const fn say(texts: [&'static str; 3], language: Language) -> &'static str {
    let [az, en, ru] = texts;
    match language {
        Language::Az => az,
        Language::En => en,
        Language::Ru => ru,
    }
}
