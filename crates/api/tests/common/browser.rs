//! A browser without script: it keeps a cookie, says where its forms come from, and finds what a
//! page's forms carry.

use axum::{Router, body::Body, http::Request};

use super::{Answer, FORM, ask};

pub(crate) struct Browser {
    router: Router,
    origin: String,
    cookie: Option<String>,
    language: &'static str,
}

impl Browser {
    pub(crate) const fn new(router: Router, origin: String) -> Self {
        Self { router, origin, cookie: None, language: "az" }
    }

    /// Asks for pages in a language from now on.
    pub(crate) const fn speak(&mut self, language: &'static str) {
        self.language = language;
    }

    /// Opens a page.
    pub(crate) async fn open(&mut self, path: &str) -> Answer {
        self.send(Request::get(path), Vec::new()).await
    }

    /// Sends a form of one of our own pages.
    pub(crate) async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = self.origin.clone();
        self.submit_from(&origin, path, fields).await
    }

    /// Sends a form of a page of `origin`.
    pub(crate) async fn submit_from(
        &mut self,
        origin: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Answer {
        let body = serde_urlencoded::to_string(fields).expect("a form");
        let request = Request::post(path).header("content-type", FORM).header("origin", origin);
        self.send(request, body.into_bytes()).await
    }

    async fn send(&mut self, mut request: axum::http::request::Builder, body: Vec<u8>) -> Answer {
        request = request.header("accept-language", self.language);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let request = request.body(Body::from(body)).expect("a request");
        let answer = ask(self.router.clone(), request).await;
        if let Some(set) = answer.headers.get("set-cookie") {
            let set = set.to_str().expect("a text");
            if !set.starts_with("lang=") {
                self.cookie = set.split(';').next().map(str::to_owned);
            }
        }
        answer
    }
}

/// The first raw code that a person would read on a page, if there is one: a word with an
/// underscore or dots in it, or a type's identifier.
pub(crate) fn raw_code(page: &str) -> Option<&str> {
    let body = page.split_once("<body").map_or(page, |(_, body)| body);
    let texts = body.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text);
    let mut words =
        texts.flat_map(|text| text.split(|c: char| c.is_whitespace() || ",;·".contains(c)));
    words.find(|word| {
        let word = word.trim_matches(['.', ':']);
        let plain = word.chars().all(|c| c.is_ascii_lowercase() || "_.".contains(c));
        plain && word.contains(['_', '.']) || word.contains("urn:")
    })
}

/// The value of the first hidden field `name` of a page.
pub(crate) fn hidden(page: &str, name: &str) -> String {
    let mark = format!("name=\"{name}\"");
    let after = page.split(&mark).nth(1).unwrap_or_else(|| panic!("no field {name}: {page}"));
    let value = after.split("value=\"").nth(1).expect("it has a value");
    value.split('"').next().expect("it is closed").to_owned()
}

/// Whether the answer sends the browser to `path`.
pub(crate) fn leads_to(answer: &Answer, path: &str) -> bool {
    answer.status == 303 && answer.headers["location"] == path
}
