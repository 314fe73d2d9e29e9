//! The wallet's words in its three languages. What a register or a bank says comes in its own
//! words from below; here stand the pages' own.

use etibar_wallet::Language;

mod azerbaijani;
mod english;
mod russian;

/// One language's words, page by page.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) language: Language,
    pub(super) app: &'static str,
    pub(super) skip: &'static str,
    pub(super) languages: &'static str,
    pub(super) back: &'static str,
    pub(super) go_on: &'static str,
    pub(super) print: &'static str,
    pub(super) sample: &'static str,
    pub(super) script_needed: &'static str,
    pub(super) no_passkey: &'static str,
    pub(super) passkey_failed: &'static str,
    pub(super) working: &'static str,
    pub(super) problem: &'static str,
    pub(super) signed_out: &'static str,
    pub(super) sign_in_first: &'static str,
    pub(super) errors: Errors,
    pub(super) nav: Nav,
    pub(super) welcome: Welcome,
    pub(super) start: Start,
    pub(super) home: HomeWords,
    pub(super) card: Card,
    pub(super) screen: Screen,
    pub(super) done: Done,
    pub(super) consents: Consents,
    pub(super) accesses: Accesses,
    pub(super) credentials: Credentials,
    pub(super) recovery: RecoveryWords,
    pub(super) settings: Settings,
    pub(super) months: [&'static str; 12],
}

/// What is said where a page cannot be shown.
#[derive(Debug)]
pub(super) struct Errors {
    pub(super) lost: &'static str,
    pub(super) form: &'static str,
    pub(super) foreign: &'static str,
    pub(super) busy: &'static str,
    pub(super) fault: &'static str,
}

/// The navigation.
#[derive(Debug)]
pub(super) struct Nav {
    pub(super) label: &'static str,
    pub(super) home: &'static str,
    pub(super) consents: &'static str,
    pub(super) accesses: &'static str,
    pub(super) settings: &'static str,
    pub(super) sign_out: &'static str,
}

/// The page before signing in.
#[derive(Debug)]
pub(super) struct Welcome {
    pub(super) heading: &'static str,
    pub(super) lead: &'static str,
    pub(super) points: [&'static str; 3],
    pub(super) create: &'static str,
    pub(super) sign_in: &'static str,
    pub(super) lost: &'static str,
}

/// Enrolment.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) heading: &'static str,
    pub(super) lead: &'static str,
    pub(super) fin: &'static str,
    pub(super) fin_hint: &'static str,
    pub(super) document: &'static str,
    pub(super) document_hint: &'static str,
    pub(super) method: &'static str,
    pub(super) method_hint: &'static str,
    pub(super) methods: [(&'static str, &'static str); 3],
    pub(super) minor: &'static str,
    pub(super) guardian: &'static str,
    pub(super) submit: &'static str,
    pub(super) passkey_label: &'static str,
    pub(super) fin_wrong: &'static str,
    pub(super) document_wrong: &'static str,
    pub(super) guardian_wrong: &'static str,
}

/// The first page.
#[derive(Debug)]
pub(super) struct HomeWords {
    pub(super) inbox: &'static str,
    pub(super) empty: &'static str,
    pub(super) accounts: &'static str,
    pub(super) open_account: &'static str,
    pub(super) open_lead: &'static str,
    pub(super) credentials: &'static str,
    pub(super) asks: &'static str,
    pub(super) asks_text: &'static str,
    pub(super) under_way: &'static str,
    pub(super) under_way_text: &'static str,
    pub(super) unfinished: &'static str,
    pub(super) unfinished_text: &'static str,
    pub(super) tampered: &'static str,
    pub(super) opened: &'static str,
    pub(super) reissued: &'static str,
    pub(super) issued: &'static str,
    pub(super) choose_bank: &'static str,
    pub(super) choose_lead: &'static str,
    pub(super) choose: &'static str,
    pub(super) what: &'static str,
    /// What banks offer: the product's name in interfaces, and what people call it.
    pub(super) products: [(&'static str, &'static str); 4],
}

/// The identity card and credentials.
#[derive(Debug)]
pub(super) struct Card {
    pub(super) label: &'static str,
    pub(super) country: &'static str,
    pub(super) fin: &'static str,
    pub(super) expires: &'static str,
    pub(super) low: &'static str,
    pub(super) substantial: &'static str,
    pub(super) high: &'static str,
    pub(super) cooldown: &'static str,
}

/// The consent screen.
#[derive(Debug)]
pub(super) struct Screen {
    pub(super) heading: &'static str,
    pub(super) registered: &'static str,
    pub(super) why: &'static str,
    pub(super) what: &'static str,
    pub(super) held: &'static str,
    pub(super) fetched: &'static str,
    pub(super) until: &'static str,
    pub(super) law: &'static str,
    pub(super) signed: &'static str,
    pub(super) approve: &'static str,
    pub(super) decline: &'static str,
    pub(super) refused: &'static str,
    pub(super) missing: &'static str,
    pub(super) cooling: &'static str,
    pub(super) ended: &'static str,
    pub(super) declined: &'static str,
    pub(super) declined_text: &'static str,
    pub(super) close: &'static str,
}

/// The result of a request.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) account: &'static str,
    pub(super) presented: &'static str,
    /// An application that a bank decides about later.
    pub(super) received: &'static str,
    pub(super) received_text: &'static str,
    pub(super) pending: &'static str,
    /// The bank ended it without a result.
    pub(super) stopped: &'static str,
    pub(super) again: &'static str,
    pub(super) took: &'static str,
    pub(super) iban: &'static str,
    pub(super) bank: &'static str,
    pub(super) product: &'static str,
    pub(super) proof: &'static str,
    pub(super) proof_text: &'static str,
    pub(super) receipt: &'static str,
    pub(super) kyc: &'static str,
    pub(super) to_consent: &'static str,
    pub(super) to_home: &'static str,
}

/// The list of consents and one consent.
#[derive(Debug)]
pub(super) struct Consents {
    pub(super) heading: &'static str,
    pub(super) lead: &'static str,
    pub(super) empty: &'static str,
    pub(super) active: &'static str,
    pub(super) revoked: &'static str,
    pub(super) expired: &'static str,
    pub(super) since: &'static str,
    pub(super) until: &'static str,
    pub(super) purpose: &'static str,
    pub(super) revoke: &'static str,
    pub(super) revoke_text: &'static str,
    pub(super) erase: &'static str,
    pub(super) erase_text: &'static str,
    pub(super) was_revoked: &'static str,
    pub(super) was_erased: &'static str,
    pub(super) kept: &'static str,
    pub(super) copy: &'static str,
    pub(super) copy_text: &'static str,
    pub(super) no_holds: &'static str,
}

/// Who saw my data.
#[derive(Debug)]
pub(super) struct Accesses {
    pub(super) heading: &'static str,
    pub(super) lead: &'static str,
    pub(super) check: &'static str,
    pub(super) never: &'static str,
    pub(super) checked: &'static str,
    pub(super) empty: &'static str,
    pub(super) all_good: &'static str,
    pub(super) some_waiting: &'static str,
    pub(super) some_late: &'static str,
    pub(super) some_bad: &'static str,
    pub(super) silent: &'static str,
    pub(super) silent_text: &'static str,
    pub(super) read: &'static str,
    pub(super) from: &'static str,
    pub(super) purpose: &'static str,
    pub(super) action: &'static str,
    /// In the order of the receipts' actions.
    pub(super) actions: [&'static str; 10],
    pub(super) reader: &'static str,
    /// A clerk, an officer, a senior.
    pub(super) readers: [&'static str; 3],
    pub(super) duty: &'static str,
    /// Keeping the register, due diligence.
    pub(super) duties: [&'static str; 2],
    pub(super) unknown: &'static str,
    pub(super) verified: &'static str,
    pub(super) signed: &'static str,
    pub(super) waiting: &'static str,
    pub(super) waiting_text: &'static str,
    pub(super) late: &'static str,
    pub(super) late_text: &'static str,
    pub(super) missing: &'static str,
    pub(super) missing_text: &'static str,
    pub(super) altered: &'static str,
    pub(super) number: &'static str,
}

/// Credentials.
#[derive(Debug)]
pub(super) struct Credentials {
    pub(super) heading: &'static str,
    pub(super) lead: &'static str,
    pub(super) issuer: &'static str,
    pub(super) issued: &'static str,
    pub(super) expires: &'static str,
    pub(super) valid: &'static str,
    pub(super) expired: &'static str,
    pub(super) revoked: &'static str,
    pub(super) waiting: &'static str,
    pub(super) not_issued: &'static str,
    pub(super) add: &'static str,
    pub(super) add_lead: &'static str,
    pub(super) add_button: &'static str,
    pub(super) refresh: &'static str,
}

/// A lost phone, and helping somebody who lost theirs.
#[derive(Debug)]
pub(super) struct RecoveryWords {
    pub(super) heading: &'static str,
    pub(super) lead: &'static str,
    pub(super) by_guardians: &'static str,
    pub(super) means: &'static str,
    pub(super) submit: &'static str,
    pub(super) waiting: &'static str,
    pub(super) number: &'static str,
    pub(super) number_text: &'static str,
    pub(super) number_path: &'static str,
    pub(super) missing: &'static str,
    pub(super) refresh: &'static str,
    pub(super) done: &'static str,
    pub(super) done_text: &'static str,
    pub(super) cooldown: &'static str,
    pub(super) help_heading: &'static str,
    pub(super) help_lead: &'static str,
    pub(super) help_number: &'static str,
    pub(super) help_number_hint: &'static str,
    pub(super) number_wrong: &'static str,
    pub(super) help_submit: &'static str,
    pub(super) help_done: &'static str,
    pub(super) help_done_text: &'static str,
}

/// Settings.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) heading: &'static str,
    pub(super) guardians: &'static str,
    pub(super) guardians_lead: &'static str,
    pub(super) guardians_none: &'static str,
    pub(super) guardians_named: &'static str,
    pub(super) guardians_again: &'static str,
    pub(super) guardian: &'static str,
    pub(super) guardian_twice: &'static str,
    pub(super) guardians_submit: &'static str,
    pub(super) guardians_done: &'static str,
    pub(super) guardians_done_text: &'static str,
    pub(super) help: &'static str,
    pub(super) help_text: &'static str,
    pub(super) passkeys: &'static str,
    pub(super) passkeys_lead: &'static str,
    pub(super) passkey: &'static str,
    pub(super) passkey_added: &'static str,
    pub(super) passkey_add: &'static str,
    pub(super) passkey_add_text: &'static str,
    pub(super) passkey_new: &'static str,
    pub(super) passkey_new_text: &'static str,
    pub(super) passkey_remove: &'static str,
    pub(super) delete: &'static str,
    pub(super) delete_text: &'static str,
    pub(super) delete_active: &'static str,
    pub(super) delete_button: &'static str,
    pub(super) deleted: &'static str,
    pub(super) deleted_text: &'static str,
}

/// The words of a language.
pub(super) const fn of(language: Language) -> &'static Words {
    match language {
        Language::Az => &azerbaijani::WORDS,
        Language::En => &english::WORDS,
        Language::Ru => &russian::WORDS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every text of a language in the order of the fields. That each language has each text, the
    /// compiler sees to.
    fn texts(language: Language) -> Vec<String> {
        let all = format!("{:?}", of(language)).replace("\\\"", "");
        all.split('"').skip(1).step_by(2).map(str::to_owned).collect()
    }

    /// How a text ends: a sentence, a question, or something that a value follows. A lone word
    /// with a full stop is an abbreviation.
    fn end(text: &str) -> char {
        let last = text.chars().last().filter(|last| ".?…".contains(*last));
        last.filter(|last| *last != '.' || text.contains(' ')).unwrap_or(' ')
    }

    #[test]
    fn the_three_languages_say_the_same_things_in_their_own_letters() {
        let [az, en, ru] = [Language::Az, Language::En, Language::Ru].map(texts);
        assert!(az.len() == en.len() && en.len() == ru.len());
        let cyrillic = |text: &str| text.chars().any(|its| ('А'..='я').contains(&its));
        let own = |text: &str| text.chars().any(|its| "əşğçıöüƏŞĞÇİÖÜ".contains(its));
        for ((az, en), ru) in az.iter().zip(&en).zip(&ru) {
            assert!(!az.is_empty() && !en.is_empty() && !ru.is_empty(), "{az} {en} {ru}");
            assert_eq!(end(az), end(en), "{az} / {en}");
            assert_eq!(end(ru), end(en), "{ru} / {en}");
            assert!(!cyrillic(az) && !cyrillic(en), "{az} / {en}");
            assert!(!own(en) && !own(ru), "{en} / {ru}");
        }
    }
}
