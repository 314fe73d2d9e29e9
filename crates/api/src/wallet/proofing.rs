//! The form by which a person says who they are: for the enrolment and for the recovery.

use askama::Template;
use etibar_wallet::{EntryId, Language, Method, NewPerson, WalletError};
use serde::Deserialize;

use super::{Door, page::Shell, text, words::Words};

/// The characters of a FIN: seven of Latin capitals and digits, without I and O.
const FIN_CHARACTERS: usize = 7;
/// The characters of a document's series and number.
const DOCUMENT_CHARACTERS: std::ops::RangeInclusive<usize> = 6..=12;
/// The means of a recovery that asks the guardians.
pub(super) const GUARDIANS: &str = "guardians";

/// What the form sends.
#[derive(Default, Deserialize)]
pub(super) struct ProofingForm {
    fin: String,
    document: String,
    pub(super) method: String,
    ceremony: String,
    #[serde(default)]
    guardian: String,
    #[serde(default)]
    pub(super) passkey: String,
}

/// The form as a page shows it.
pub(super) struct Proofing {
    shell: Shell,
    words: &'static Words,
    form: ProofingForm,
    errors: Vec<(&'static str, &'static str)>,
    ceremony: EntryId,
    options: Option<String>,
}

#[derive(Template)]
#[template(path = "wallet/start.html")]
pub(super) struct StartPage {
    shell: Shell,
    words: &'static Words,
    errors: Vec<(&'static str, &'static str)>,
    action: &'static str,
    options: Option<String>,
    ceremony: EntryId,
    fin: String,
    document: String,
    guardian: String,
    method: String,
    legend: &'static str,
    choices: Vec<(&'static str, &'static str)>,
    submit: &'static str,
}

#[derive(Template)]
#[template(path = "wallet/recovery.html")]
pub(super) struct RecoveryPage {
    shell: Shell,
    words: &'static Words,
    errors: Vec<(&'static str, &'static str)>,
    action: &'static str,
    options: Option<String>,
    ceremony: EntryId,
    fin: String,
    document: String,
    guardian: String,
    method: String,
    legend: &'static str,
    choices: Vec<(&'static str, &'static str)>,
    submit: &'static str,
}

impl StartPage {
    /// Whether something is wrong with this field.
    fn has(&self, field: &str) -> bool {
        self.errors.iter().any(|(its, _)| *its == field)
    }
}

impl RecoveryPage {
    /// Whether something is wrong with this field.
    fn has(&self, field: &str) -> bool {
        self.errors.iter().any(|(its, _)| *its == field)
    }
}

impl ProofingForm {
    /// The fields that cannot be right: their ids and what is wrong.
    pub(super) fn errors(&self, words: &'static Words) -> Vec<(&'static str, &'static str)> {
        let fin = self.fin();
        let document = self.document();
        let mut errors = Vec::new();
        if !is_fin(&fin) {
            errors.push(("fin", words.start.fin_wrong));
        }
        if !DOCUMENT_CHARACTERS.contains(&document.len()) || !document.bytes().all(is_code) {
            errors.push(("document", words.start.document_wrong));
        }
        let guardian = plain(&self.guardian);
        if !guardian.is_empty() && (!is_fin(&guardian) || guardian == fin) {
            errors.push(("guardian", words.start.guardian_wrong));
        }
        errors
    }

    /// The passkey's ceremony that the form belongs to.
    pub(super) fn ceremony(&self) -> Result<EntryId, WalletError> {
        self.ceremony.parse().map_err(|_| WalletError::EntryUnknown)
    }

    /// Who wants a wallet.
    pub(super) fn person(&self, language: Language) -> NewPerson {
        // The passkey is the strong authentication; the rest is the sample provider's.
        let seen: &[Method] = match self.method.as_str() {
            "video" => &[Method::Video],
            "call" => &[Method::Call],
            _ => &[Method::Call, Method::Signature],
        };
        let strong = [Method::StrongAuthentication];
        let methods = strong.iter().chain(seen).copied().collect();
        let guardian = plain(&self.guardian);
        let guardian = Some(guardian).filter(|guardian| !guardian.is_empty());
        NewPerson { fin: self.fin(), document: self.document(), methods, guardian, language }
    }

    fn fin(&self) -> String {
        plain(&self.fin)
    }

    fn document(&self) -> String {
        plain(&self.document)
    }
}

impl Proofing {
    /// A new form with a new passkey to be made.
    pub(super) fn begin(
        door: &Door,
        words: &'static Words,
        form: ProofingForm,
    ) -> Result<Self, WalletError> {
        let (ceremony, options) = door.wallet.begin_passkey(words.start.passkey_label)?;
        let shell = Shell::outside(words);
        Ok(Self { shell, words, form, errors: Vec::new(), ceremony, options: Some(options) })
    }

    /// The form again, with what is wrong; a passkey that was made already is not made again.
    pub(super) fn again(
        door: &Door,
        words: &'static Words,
        form: ProofingForm,
        errors: Vec<(&'static str, &'static str)>,
    ) -> Result<Self, WalletError> {
        if let Ok(ceremony) = form.ceremony() {
            // A form whose fields were wrong still brought a good passkey along.
            drop(door.wallet.made_passkey(ceremony, &form.passkey));
            if door.wallet.has_passkey(ceremony) {
                let shell = Shell::outside(words);
                return Ok(Self { shell, words, form, errors, ceremony, options: None });
            }
        }
        Ok(Self { errors, ..Self::begin(door, words, form)? })
    }

    /// As the page of the enrolment.
    pub(super) fn enrolment(self) -> StartPage {
        let Self { shell, words, form, errors, ceremony, options } = self;
        let choices = words.start.methods.to_vec();
        StartPage {
            shell,
            words,
            errors,
            action: "/start",
            options,
            ceremony,
            method: chosen(&form.method, &choices),
            fin: form.fin,
            document: form.document,
            guardian: form.guardian,
            legend: words.start.method,
            choices,
            submit: words.start.submit,
        }
    }

    /// As the page of the recovery.
    pub(super) fn recovery(self) -> RecoveryPage {
        let Self { shell, words, form, errors, ceremony, options } = self;
        let mut choices = words.start.methods.to_vec();
        choices.push((GUARDIANS, words.recovery.by_guardians));
        RecoveryPage {
            shell,
            words,
            errors,
            action: "/recovery",
            options,
            ceremony,
            method: chosen(&form.method, &choices),
            fin: form.fin,
            document: form.document,
            guardian: form.guardian,
            legend: words.recovery.means,
            choices,
            submit: words.recovery.submit,
        }
    }
}

/// The field that a refusal is about, and what is wrong.
pub(super) fn wrong(error: &WalletError, words: &'static Words) -> (&'static str, &'static str) {
    let field = match error.code() {
        "person_not_confirmed" | "message_fin_malformed" => "fin",
        "document_expired" => "document",
        "guardian_needed" => "guardian",
        _ => "form",
    };
    (field, text::failure(error, words.language))
}

/// Whether `code`, as [`plain`] gives it, can be a FIN.
pub(super) fn is_fin(code: &str) -> bool {
    let in_fin = |byte: u8| is_code(byte) && byte != b'I' && byte != b'O';
    code.len() == FIN_CHARACTERS && code.bytes().all(in_fin)
}

/// The choice that was made, or the first.
fn chosen(method: &str, choices: &[(&'static str, &'static str)]) -> String {
    let known = choices.iter().find(|(value, _)| *value == method);
    known.or(choices.first()).map_or("", |(value, _)| value).to_owned()
}

/// What a person typed as a code: without blanks, in capitals of ASCII only (`ı` and `i` stay what
/// they are in Azerbaijani and make the code wrong).
pub(super) fn plain(typed: &str) -> String {
    typed.chars().filter(|letter| !letter.is_whitespace()).collect::<String>().to_ascii_uppercase()
}

const fn is_code(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wallet::words;

    fn errors(fin: &str, document: &str) -> Vec<&'static str> {
        let form =
            ProofingForm { fin: fin.into(), document: document.into(), ..ProofingForm::default() };
        form.errors(words::of(Language::En)).into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn a_fin_has_seven_characters_without_i_and_o() {
        assert!(errors("5xy k5vr", "AA 1234567").is_empty());
        assert_eq!(errors("5XYK5V", "AA1234567"), ["fin"]);
        assert_eq!(errors("5XYI5VR", "AA1234567"), ["fin"]);
        assert_eq!(errors("5XYıK5VR", "AA1234567"), ["fin"]);
        assert_eq!(errors("5XYK5VR", "AA-1"), ["document"]);
    }

    #[test]
    fn nobody_is_their_own_guardian() {
        let form = ProofingForm {
            fin: "5XYK5VR".into(),
            document: "AA1234567".into(),
            guardian: "5xyk5vr".into(),
            ..ProofingForm::default()
        };
        let errors = form.errors(words::of(Language::Az));
        assert_eq!(errors.into_iter().map(|(field, _)| field).collect::<Vec<_>>(), ["guardian"]);
    }
}
