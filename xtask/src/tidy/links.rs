//! Documents point at what is there: links, their anchors, and paths in code marks.

use super::Finding;
use super::files::{File, Kind};
use std::path::Path;

/// A path in code marks is checked if it starts in one of these.
const FOLDERS: [&str; 6] = ["crates/", "xtask/", "docs/", "consoles/", "deploy/", "fuzz/"];

/// Every pointer in the documents that leads nowhere.
pub(super) fn check(root: &Path, files: &[File]) -> Vec<Finding> {
    let documents = files.iter().filter(|file| file.kind == Kind::Prose);
    documents.flat_map(|file| check_document(root, files, file)).collect()
}

fn check_document(root: &Path, files: &[File], file: &File) -> Vec<Finding> {
    let text = without_fences(&file.text);
    let mut findings = Vec::new();
    for target in link_targets(&text) {
        if is_outside(target) {
            continue;
        }
        let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
        let path = if path.is_empty() { file.path.clone() } else { resolve(&file.path, path) };
        if !root.join(&path).exists() {
            let sentence = format!("the link `{target}` leads nowhere");
            findings.push(Finding::new("link", &file.path, sentence));
        } else if !anchor.is_empty() && !has_anchor(files, &path, anchor) {
            let sentence = format!("the link `{target}` names no heading of {path}");
            findings.push(Finding::new("link", &file.path, sentence));
        }
    }
    for path in code_paths(&text).filter(|path| !root.join(path).exists()) {
        let sentence = format!("the path `{path}` is not there");
        findings.push(Finding::new("link", &file.path, sentence));
    }
    findings
}

/// The text without its fenced blocks, which show commands and code of their own.
fn without_fences(text: &str) -> String {
    let mut kept = String::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// What stands in the round brackets of `[…](…)`, without a title.
fn link_targets(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| {
        let target = rest.split(')').next().unwrap_or_default();
        target.split_whitespace().next()
    })
}

fn is_outside(target: &str) -> bool {
    ["http://", "https://", "mailto:"].iter().any(|scheme| target.starts_with(scheme))
}

/// `target` as seen from the folder of `document`, as a path from the root.
fn resolve(document: &str, target: &str) -> String {
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// Anchors are checked in documents; those of other files are not ours to know.
fn has_anchor(files: &[File], path: &str, anchor: &str) -> bool {
    let document = files.iter().find(|file| file.path == path && file.kind == Kind::Prose);
    let Some(document) = document else { return true };
    let text = without_fences(&document.text);
    text.lines().filter(|line| line.starts_with('#')).any(|line| slug(line) == anchor)
}

/// A heading as the usual code hosts turn it into an anchor.
fn slug(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = words.chars().filter(|found| found.is_alphanumeric() || " -_".contains(*found));
    kept.map(|found| if found == ' ' { '-' } else { found }).collect()
}

/// Paths in code marks that are meant literally: no pattern, no gap to fill, no blank.
fn code_paths(text: &str) -> impl Iterator<Item = &str> {
    let spans = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    spans.filter(|span| {
        FOLDERS.iter().any(|folder| span.starts_with(folder))
            && span.chars().all(|found| found.is_alphanumeric() || "/._-".contains(found))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    fn sentences(text: &str) -> Vec<String> {
        let path = "docs/page.md".to_owned();
        let file = File { path, kind: Kind::Prose, text: text.to_owned() };
        let other = File {
            path: "CONTRIBUTING.md".to_owned(),
            kind: Kind::Prose,
            text: "# Add an operation\n".to_owned(),
        };
        let found = check_document(&workspace::root().unwrap(), &[other], &file);
        found.into_iter().map(|found| found.sentence).collect()
    }

    #[test]
    fn a_link_to_a_file_that_is_there_passes() {
        assert!(sentences("[a](../Cargo.toml) [b](https://example.az/x)").is_empty());
        assert!(sentences("```\n[a](nowhere.md)\n```\n").is_empty());
    }

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        assert_eq!(sentences("[a](nowhere.md)"), ["the link `nowhere.md` leads nowhere"]);
    }

    #[test]
    fn a_link_to_a_heading_that_is_not_there_is_found() {
        assert!(sentences("[a](../CONTRIBUTING.md#add-an-operation)").is_empty());
        assert_eq!(sentences("[a](../CONTRIBUTING.md#nothing)").len(), 1);
    }

    #[test]
    fn a_path_in_code_marks_that_is_not_there_is_found() {
        assert!(sentences("`xtask/src/main.rs` `crates/*/src` `cargo xtask`").is_empty());
        assert_eq!(sentences("see `xtask/gone.rs`"), ["the path `xtask/gone.rs` is not there"]);
    }
}
