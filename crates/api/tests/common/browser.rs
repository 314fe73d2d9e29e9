//! A browser without script: it keeps a cookie, says where its forms come from, and finds what a
//! page's forms carry.

use axum::{Router, body::Body, http::Request};

use super::{Answer, FORM, ask};

pub(crate) struct Browser {
    router: Router,
    origin: String,
    cookie: Option<String>,
}

impl Browser {
    pub(crate) const fn new(router: Router, origin: String) -> Self {
        Self { router, origin, cookie: None }
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
