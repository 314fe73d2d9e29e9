//! Forms of our pages: how they are read, and that they come from our own pages.

use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, Method, StatusCode, header},
};
use serde::de::DeserializeOwned;

use crate::{Problem, extract::Body};

/// The fields of a form.
pub(crate) struct Form<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Body(bytes) = Body::from_request(request, state).await?;
        // The reason is left out: it would repeat what the person typed.
        let malformed = |_| {
            let detail = "the form is not one of this page";
            Problem::new(StatusCode::BAD_REQUEST, "malformed_form", detail)
        };
        serde_urlencoded::from_bytes(&bytes).map(Self).map_err(malformed)
    }
}

/// Refuses what another site sends: browsers say where a form came from, and cannot be made to
/// say otherwise by a page.
///
/// # Errors
/// `foreign_form`, 403.
pub(crate) fn check_origin(
    method: &Method,
    headers: &HeaderMap,
    origin: &str,
) -> Result<(), Problem> {
    let safe = [Method::GET, Method::HEAD].contains(method);
    if safe || is_ours(headers, origin) {
        return Ok(());
    }
    let detail = "this form was not sent by a page of this site";
    Err(Problem::new(StatusCode::FORBIDDEN, "foreign_form", detail))
}

fn is_ours(headers: &HeaderMap, origin: &str) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let site = text(header::HeaderName::from_static("sec-fetch-site"));
    let from = text(header::ORIGIN);
    // A page without referrer sends `null`; then the browser's own word on the site decides.
    let same_site = site == Some("same-origin");
    let same_origin = from == Some(origin);
    let unnamed = from.is_none_or(|from| from == "null");
    same_origin && site.is_none_or(|site| site == "same-origin") || unnamed && same_site
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(origin: Option<&str>, site: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        if let Some(site) = site {
            headers.insert("sec-fetch-site", site.parse().unwrap());
        }
        is_ours(&headers, "https://wallet.example")
    }

    #[test]
    fn a_form_is_taken_from_our_own_pages_only() {
        assert!(says(Some("https://wallet.example"), Some("same-origin")));
        assert!(says(Some("https://wallet.example"), None));
        assert!(says(Some("null"), Some("same-origin")));
        assert!(!says(Some("https://evil.example"), Some("cross-site")));
        assert!(!says(Some("https://wallet.example"), Some("cross-site")));
        assert!(!says(Some("null"), Some("same-site")));
        assert!(!says(None, None));
    }
}
