//! The browser files that the consoles embed: fetched by npm from a pinned lock, never committed.

use crate::failure::Failure;
use crate::tools::{self, Tool};
use crate::workspace;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

/// Fetches the files if they are absent or older than the lock.
pub(crate) fn fetch_if_stale(root: &Path) -> Result<(), Failure> {
    let consoles = root.join("consoles");
    let lock = modified(&consoles.join("package-lock.json"));
    let fetched = modified(&consoles.join("node_modules/.package-lock.json"));
    if is_fresh(lock, fetched) { Ok(()) } else { fetch(root) }
}

/// Fetches the files of `consoles/package-lock.json`, whatever is there already.
pub(crate) fn fetch(root: &Path) -> Result<(), Failure> {
    tools::ensure(root, Tool::Node)?;
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(root.join("consoles"));
    workspace::run(&mut npm)
}

/// npm writes its own copy of the lock last, so that file's time is the time of a whole fetch.
fn is_fresh(lock: Option<SystemTime>, fetched: Option<SystemTime>) -> bool {
    match (lock, fetched) {
        (Some(lock), Some(fetched)) => fetched >= lock,
        _ => false,
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|metadata| metadata.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn files_are_fetched_when_absent_or_older_than_the_lock() {
        let lock = SystemTime::UNIX_EPOCH + Duration::from_secs(10);
        let older = SystemTime::UNIX_EPOCH + Duration::from_secs(9);
        assert!(!is_fresh(Some(lock), None));
        assert!(!is_fresh(Some(lock), Some(older)));
        assert!(is_fresh(Some(lock), Some(lock)));
        assert!(is_fresh(Some(older), Some(lock)));
    }
}
