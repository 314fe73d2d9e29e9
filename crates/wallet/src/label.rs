//! Names and values as people read them, from the catalogue.

use etibar_credential::{
    catalogue::{self, Claim, CredentialType, Language},
    sd_jwt::{ClaimPath, Step},
};
use serde_json::Value;

use crate::{value, view::ClaimView};

/// Values of one claim that are shown; more are counted.
const VALUES_SHOWN_MAX: usize = 12;

/// The type's name.
pub fn title(vct: &str, language: Language) -> String {
    let known = catalogue::credential_type(vct);
    known.map_or_else(|| vct.to_owned(), |known| known.title.in_language(language).to_owned())
}

/// The name of who issues the type.
pub(crate) fn issuer(vct: &str, language: Language) -> Option<String> {
    let known = catalogue::credential_type(vct)?;
    Some(known.issuer_name.in_language(language).to_owned())
}

/// All claims that the catalogue names, in its order, with their values.
pub fn claims(vct: &str, values: &Value, language: Language) -> Vec<ClaimView> {
    let Some(known) = catalogue::credential_type(vct) else { return Vec::new() };
    let leaves = known.claims.iter().filter(|claim| is_leaf(known, claim));
    leaves.filter_map(|claim| view(claim, values, language)).collect()
}

/// The claims at `paths`, with their values where the wallet has them.
pub(crate) fn asked(
    vct: &str,
    paths: &[ClaimPath],
    values: Option<&Value>,
    language: Language,
) -> Vec<ClaimView> {
    let Some(known) = catalogue::credential_type(vct) else { return Vec::new() };
    let label = |path: &ClaimPath| {
        known.label(path, language).map_or_else(|| path.to_string(), ToOwned::to_owned)
    };
    let shown = |path: &ClaimPath| ClaimView {
        label: label(path),
        value: values.map(|its| text(path, &path.select(its), language)).unwrap_or_default(),
    };
    paths.iter().map(shown).collect()
}

/// Claim names of a receipt, dotted, as people read them.
pub fn named(vct: &str, names: &[String], language: Language) -> Vec<String> {
    if names.is_empty() {
        return vec![title(vct, language)];
    }
    let label = |name: &String| claim(vct, name, language).unwrap_or_else(|| name.clone());
    names.iter().map(label).collect()
}

/// A claim, dotted, as people read it; `None` when the catalogue does not know it.
pub fn claim(vct: &str, name: &str, language: Language) -> Option<String> {
    if let Some(whole) = of_record(name, language) {
        return Some(whole.to_owned());
    }
    let known = catalogue::credential_type(vct)?;
    let steps = name.split('.').map(|step| Step::Name(step.to_owned())).collect();
    let path = ClaimPath::from_steps(steps)?;
    Some(known.label(&path, language)?.to_owned())
}

/// What a clerk may change of a record as a whole.
fn of_record(name: &str, language: Language) -> Option<&'static str> {
    Some(match (name, language) {
        ("record.ended", Language::Az) => "qeydin bitməsi",
        ("record.ended", Language::En) => "end of the record",
        ("record.ended", Language::Ru) => "окончание записи",
        ("record.valid_until", Language::Az) => "son gün",
        ("record.valid_until", Language::En) => "last day",
        ("record.valid_until", Language::Ru) => "последний день",
        _ => return None,
    })
}

/// Every claim of a type that holds a value of its own: dotted, and as people read it.
pub fn leaves(vct: &str, language: Language) -> Vec<(String, &'static str)> {
    let Some(known) = catalogue::credential_type(vct) else { return Vec::new() };
    let leaves = known.claims.iter().filter(|claim| is_leaf(known, claim));
    let named =
        leaves.filter(|claim| claim.path.steps().iter().all(|step| matches!(step, Step::Name(_))));
    named.map(|claim| (claim.path.to_string(), claim.labels.in_language(language))).collect()
}

/// A code word of the claim `name`; what is no code word stays as it is.
pub fn word(name: &str, code: &str, language: Language) -> String {
    value::word(name, code, language)
}

/// `31.12.2026` of `2026-12-31`; `None` for what is no date.
pub fn date(text: &str) -> Option<String> {
    value::date(text)
}

/// A claim without other claims of the catalogue within it.
fn is_leaf(known: &CredentialType, claim: &Claim) -> bool {
    let steps = claim.path.steps();
    let within = |other: &Claim| {
        let inner = other.path.steps();
        inner.len() > steps.len() && inner.starts_with(steps)
    };
    !known.claims.iter().any(within)
}

fn view(claim: &Claim, values: &Value, language: Language) -> Option<ClaimView> {
    let found = claim.path.select(values);
    let value = text(&claim.path, &found, language);
    let label = claim.labels.in_language(language).to_owned();
    (!value.is_empty()).then_some(ClaimView { label, value })
}

/// Values side by side, as people read them.
fn text(path: &ClaimPath, values: &[&Value], language: Language) -> String {
    let named = path.steps().iter().rev().find_map(|step| match step {
        Step::Name(name) => Some(name.as_str()),
        _ => None,
    });
    let mut texts: Vec<String> = Vec::new();
    for value in values {
        value::collect(named.unwrap_or_default(), value, language, &mut texts);
    }
    let more = texts.len().saturating_sub(VALUES_SHOWN_MAX);
    texts.truncate(VALUES_SHOWN_MAX);
    let text = texts.join("; ");
    if more > 0 { format!("{text} +{more}") } else { text }
}

/// The path of one object member, such as `family_name`.
pub(crate) fn member(name: &str) -> ClaimPath {
    ClaimPath::from_steps(vec![Step::Name(name.to_owned())]).expect("one step is a path")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_are_named_in_the_language_and_dates_written_for_people() {
        let values = json!({"family_name": "Nümunə", "birthdate": "1990-05-01",
            "address": {"city": "Bakı"}, "unknown": "left out"});
        let shown = claims("urn:az:pid:1", &values, Language::Az);
        assert!(shown.iter().any(|claim| claim.value == "Nümunə"));
        assert!(shown.iter().any(|claim| claim.value == "01.05.1990"));
        assert!(shown.iter().any(|claim| claim.value == "Bakı"));
        assert!(shown.iter().all(|claim| claim.value != "left out"));
    }

    #[test]
    fn what_the_wallet_has_not_is_named_without_a_value() {
        let paths = [member("employer")];
        let shown = asked("urn:az:employment:1", &paths, None, Language::En);
        assert_eq!(shown.len(), 1);
        assert_eq!(shown[0].value, "");
        assert_ne!(shown[0].label, "");
    }
}
