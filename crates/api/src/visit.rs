//! What a browser brings along to our pages: its cookies, the language that it wants, and the key
//! of its session's forms.

use axum::{
    http::{
        HeaderMap, HeaderValue,
        header::{ACCEPT_LANGUAGE, COOKIE, SET_COOKIE},
    },
    response::Response,
};
use etibar_primitives::Domain;
use etibar_wallet::Language;

/// The cookie with the language.
const LANGUAGE: &str = "lang";
/// How long the language is remembered, in seconds: a year.
const LANGUAGE_LIFE_S: u64 = 31_536_000;
const FORM: Domain = Domain::new("etibar.api.form-key");

/// The value of a cookie that the browser shows.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|line| line.split(';'));
    let mut named = pairs.filter_map(|pair| pair.trim().split_once('='));
    named.find(|(its, _)| *its == name).map(|(_, value)| value)
}

/// An answer with one cookie more.
pub(crate) fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// The language of an answer: chosen with the request, remembered, or the first that the browser
/// asks for and we have; Azerbaijani if none.
pub(crate) fn language(chosen: Option<Language>, headers: &HeaderMap) -> Language {
    let remembered = || cookie(headers, LANGUAGE).and_then(Language::from_tag);
    chosen.or_else(remembered).unwrap_or_else(|| asked(headers))
}

fn asked(headers: &HeaderMap) -> Language {
    let asked = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let mut codes = asked.unwrap_or_default().split(',').filter_map(|part| part.trim().get(..2));
    codes.find_map(Language::from_tag).unwrap_or(Language::Az)
}

/// An answer that remembers the language chosen with its request.
pub(crate) fn remember(response: Response, chosen: Option<Language>) -> Response {
    let cookie = chosen.map(|its| {
        let tag = its.tag();
        let text =
            format!("{LANGUAGE}={tag}; Path=/; HttpOnly; SameSite=Lax; Max-Age={LANGUAGE_LIFE_S}");
        HeaderValue::from_str(&text).expect("a language and a number are plain text")
    });
    with_cookie(response, cookie)
}

/// Whether a form sent its session's key. Hashes are compared, so that the time taken tells
/// nothing of the key.
pub(crate) fn knows(own: &str, sent: &str) -> bool {
    FORM.hash(own.as_bytes()) == FORM.hash(sent.as_bytes())
}

/// A language's own name for itself.
pub(crate) const fn name(language: Language) -> &'static str {
    match language {
        Language::Az => "Azərbaycanca",
        Language::En => "English",
        Language::Ru => "Русский",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_chosen_remembered_or_asked_for() {
        let mut headers = HeaderMap::new();
        assert_eq!(language(None, &headers), Language::Az);
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("fr, en-GB;q=0.8, ru"));
        assert_eq!(language(None, &headers), Language::En);
        headers.insert(COOKIE, HeaderValue::from_static("a=b; lang=ru"));
        assert_eq!(language(None, &headers), Language::Ru);
        assert_eq!(language(Some(Language::Az), &headers), Language::Az);
    }
}
