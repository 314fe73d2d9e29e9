//! The files the rules read: all text files of the work tree that git would keep.

use crate::failure::Failure;
use crate::workspace;
use std::fs;
use std::path::Path;

/// The kind of a text file decides which rules hold for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Rust,
    /// Anything else that a person writes as code: scripts, styles, pages, statements.
    Code,
    Prose,
    /// Manifests, locks and settings.
    Settings,
}

/// One text file.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// From the root, with forward slashes.
    pub(crate) path: String,
    pub(crate) kind: Kind,
    pub(crate) text: String,
}

impl File {
    /// True for a file that holds nothing but tests or what tests read.
    pub(crate) fn is_test(&self) -> bool {
        let mut parts = self.path.split('/');
        let name = parts.next_back().unwrap_or_default();
        name == "tests.rs" || parts.any(|folder| folder == "tests" || folder == "golden")
    }
}

/// The files under `root`, sorted by path, without what `.gitignore` names.
pub(crate) fn list(root: &Path) -> Result<Vec<File>, Failure> {
    let ignored = ignored(&workspace::read(&root.join(".gitignore"))?)?;
    let mut files = Vec::new();
    walk(root, "", &ignored, &mut files)?;
    files.sort_by(|left: &File, right: &File| left.path.cmp(&right.path));
    Ok(files)
}

/// The paths of `.gitignore`. Two forms are in use: `/path` and `*.ending`; the second never
/// names a kind of text that we read.
fn ignored(text: &str) -> Result<Vec<String>, Failure> {
    let mut paths = vec![".git".to_owned()];
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix('/') {
            Some(path) => paths.push(path.trim_end_matches('/').to_owned()),
            None if line.starts_with("*.") => {}
            None => {
                let reason = format!("`{line}` is neither `/path` nor `*.ending`");
                return Err(Failure::Form { what: ".gitignore".to_owned(), reason });
            }
        }
    }
    Ok(paths)
}

fn walk(
    root: &Path,
    folder: &str,
    ignored: &[String],
    files: &mut Vec<File>,
) -> Result<(), Failure> {
    let failure = |source| Failure::File { path: folder.to_owned(), source };
    for entry in fs::read_dir(root.join(folder)).map_err(failure)? {
        let entry = entry.map_err(failure)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if ignored.contains(&path) {
            continue;
        }
        if entry.file_type().map_err(failure)?.is_dir() {
            walk(root, &path, ignored, files)?;
        } else if let Some(kind) = kind(&path) {
            let text = workspace::read(&entry.path())?;
            files.push(File { path, kind, text });
        }
    }
    Ok(())
}

fn kind(path: &str) -> Option<Kind> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending {
        "rs" => Some(Kind::Rust),
        "mjs" | "js" | "css" | "html" | "sh" | "sql" => Some(Kind::Code),
        "md" => Some(Kind::Prose),
        "toml" | "json" | "yml" | "yaml" | "lock" | "ratchet" | "service" => Some(Kind::Settings),
        _ if path == ".ci/run" => Some(Kind::Code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_paths_are_read_and_an_unknown_form_is_refused() {
        let paths = ignored("/target\n/consoles/dist/\n\n# words\n*.log\n").unwrap();
        assert_eq!(paths, [".git", "target", "consoles/dist"]);
        assert!(ignored("target\n").is_err());
    }

    #[test]
    fn the_ending_decides_the_kind() {
        assert_eq!(kind("crates/ledger/src/lib.rs"), Some(Kind::Rust));
        assert_eq!(kind("consoles/tests/run.mjs"), Some(Kind::Code));
        assert_eq!(kind(".ci/run"), Some(Kind::Code));
        assert_eq!(kind("docs/a.png"), None);
    }

    #[test]
    fn files_of_tests_are_known_by_their_folder_or_name() {
        let file = |path: &str| File { path: path.into(), kind: Kind::Rust, text: String::new() };
        assert!(file("crates/ledger/tests/transfers.rs").is_test());
        assert!(file("crates/ledger/src/transfer/tests.rs").is_test());
        assert!(!file("crates/ledger/src/tests_of_life.rs").is_test());
    }
}
