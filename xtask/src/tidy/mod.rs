//! The tidy test: the house rules that no compiler lint holds.
//!
//! Each rule measures a place (a file, a function, a package) and compares the measure with its
//! limit. Known exceptions stand in `xtask/tidy.ratchet` with their measure, which only shrinks.

mod files;
mod links;
mod manifests;
mod ratchet;
mod rust;
mod size;
mod words;

use crate::failure::Failure;
use crate::{floors, metadata, workspace};
use std::path::Path;

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The name of the rule, as the ratchet spells it.
    pub(crate) rule: &'static str,
    /// A path from the root, `path::function`, or a package.
    pub(crate) place: String,
    /// Lines, columns, or how often the rule is broken in this place.
    pub(crate) measure: usize,
    /// What is wrong and what to do.
    pub(crate) sentence: String,
}

impl Finding {
    /// A finding whose measure is one.
    pub(crate) fn new(rule: &'static str, place: &str, sentence: String) -> Self {
        Self::measured(rule, place, 1, sentence)
    }

    pub(crate) fn measured(
        rule: &'static str,
        place: &str,
        measure: usize,
        sentence: String,
    ) -> Self {
        Self { rule, place: place.to_owned(), measure, sentence }
    }
}

/// Prints every finding; fails if there is one.
pub(crate) fn run() -> Result<(), Failure> {
    let findings = check(&workspace::root()?)?;
    for finding in &findings {
        println!("{} [{}] {}", finding.place, finding.rule, finding.sentence);
    }
    if findings.is_empty() {
        println!("tidy: no findings");
        return Ok(());
    }
    Err(Failure::Findings(findings.len()))
}

/// Every finding in the workspace that the ratchet does not hold.
fn check(root: &Path) -> Result<Vec<Finding>, Failure> {
    let files = files::list(root)?;
    let packages = metadata::packages(root)?;
    let mut findings = Vec::new();
    for file in &files {
        findings.extend(size::check(file));
        findings.extend(words::check(file));
        findings.extend(manifests::check_lock(file));
    }
    findings.extend(links::check(root, &files));
    findings.extend(manifests::check_descriptions(&packages));
    findings.extend(manifests::check_errors(&packages));
    let entries = ratchet::parse(&workspace::read(&root.join(ratchet::PATH))?)?;
    let mut findings = ratchet::settle(&entries, findings);
    // No ratchet for floors: a wrong edge is never the known state of things.
    findings.extend(floors::check(&packages));
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_keeps_the_house_rules_and_its_floors() {
        let findings = check(&workspace::root().unwrap()).unwrap();
        let lines: Vec<String> = findings
            .iter()
            .map(|found| format!("{} [{}] {}", found.place, found.rule, found.sentence))
            .collect();
        assert!(lines.is_empty(), "{} findings:\n{}", lines.len(), lines.join("\n"));
    }
}
