//! What every page of a person or of the staff is sent with: nothing from elsewhere, in no frame,
//! in no cache.

use axum::{
    http::{HeaderValue, header},
    response::Response,
};

/// Nothing from elsewhere, no script or style inside the page, in no frame; forms go to us.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; \
                      img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; \
                      frame-ancestors 'none'";

/// The headers of every page.
pub(crate) async fn protect(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::VARY, "accept-language, cookie"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
