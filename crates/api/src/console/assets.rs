//! The browser files, embedded at build: ours always, those of npm when they were fetched.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};

use crate::{Problem, extract::Path};

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// How long a browser may keep a file without asking again, in seconds. Short, because the names
/// do not change with the content.
const CACHE: &str = "public, max-age=300";

/// Whether a file was there at build.
pub(crate) fn has(name: &str) -> bool {
    find(name).is_some()
}

fn find(name: &str) -> Option<&'static [u8]> {
    FILES.iter().find(|(its, _)| *its == name).map(|(_, bytes)| *bytes)
}

/// Answers one file.
pub(crate) async fn serve(Path(name): Path<String>) -> Result<Response, Problem> {
    let unknown = || Problem::new(StatusCode::NOT_FOUND, "file_unknown", "no such file");
    let bytes = find(&name).ok_or_else(unknown)?;
    let extension = name.rsplit('.').next().unwrap_or_default();
    let media_type = match extension {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    };
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, CACHE),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, bytes).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_style_and_icon_are_always_there() {
        assert!(has("console.css"));
        assert!(has("icon.svg"));
        assert!(!has("nothing.js"));
    }
}
