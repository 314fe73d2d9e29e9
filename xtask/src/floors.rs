//! The floors of the workspace: imports go down only, never up and never sideways.
//!
//! Every kind of dependency counts, also one for tests only: a test that needs two rooms of one
//! floor belongs to the floor above, at the top to the simulator.

use crate::metadata::Package;
use crate::tidy::Finding;

/// A crate and its height, in tenths of a floor. A higher one may import a lower one.
const FLOORS: [(&str, u8); 18] = [
    ("etibar-primitives", 0),
    ("etibar-ledger", 10),
    ("etibar-credential", 10),
    ("etibar-iso20022", 10),
    ("etibar-chain", 20),
    ("etibar-client", 20),
    ("etibar-keystore", 20),
    ("etibar-openid", 20),
    ("etibar-vault", 20),
    ("etibar-edge", 30),
    ("etibar-agency", 30),
    ("etibar-onboarding", 30),
    ("etibar-wallet", 30),
    ("etibar-api", 35),
    ("etibar", 40),
    ("etibar-simulator", 50),
    // The workspace's own tools stand beside the building: no room imports them or is imported.
    ("etibar-fuzz", 60),
    ("xtask", 0),
];

/// The consensus library is known to these alone, so that it can be replaced.
const CONSENSUS_PREFIX: &str = "commonware-";
const CONSENSUS_CRATES: [&str; 3] = ["etibar-chain", "etibar-client", "etibar-simulator"];

/// Crates whose result must be the same bytes everywhere depend on nothing but these.
const DETERMINISTIC: [(&str, &[&str]); 2] = [
    ("etibar-primitives", &["blake3", "ed25519-dalek", "serde", "thiserror", "zeroize"]),
    ("etibar-ledger", &["etibar-primitives", "serde", "thiserror"]),
];

/// Every broken floor rule, one sentence each.
pub(crate) fn check(packages: &[Package]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        check_edges(package, &mut findings);
        check_consensus(package, &mut findings);
        check_deterministic(package, &mut findings);
    }
    findings
}

fn check_edges(package: &Package, findings: &mut Vec<Finding>) {
    let Some(height) = height(&package.name) else {
        let sentence = format!("{} has no floor; give it one in xtask/src/floors.rs", package.name);
        findings.push(finding(package, sentence));
        return;
    };
    for dependency in &package.dependencies {
        let Some(below) = self::height(&dependency.name) else { continue };
        if below < height {
            continue;
        }
        let way = if below == height { "sideways" } else { "up" };
        findings.push(finding(
            package,
            format!(
                "{} ({}) imports {} ({}): {way}. Imports go down only; move what both need to a \
                 lower floor, or the code that joins them to a higher one",
                package.name,
                label(height),
                dependency.name,
                label(below),
            ),
        ));
    }
}

fn check_consensus(package: &Package, findings: &mut Vec<Finding>) {
    if CONSENSUS_CRATES.contains(&package.name.as_str()) {
        return;
    }
    for dependency in &package.dependencies {
        if dependency.name.starts_with(CONSENSUS_PREFIX) {
            findings.push(finding(
                package,
                format!(
                    "{} depends on {}: only {} may know the consensus library",
                    package.name,
                    dependency.name,
                    CONSENSUS_CRATES.join(", "),
                ),
            ));
        }
    }
}

/// Tests may use more: what they link never reaches a replica.
fn check_deterministic(package: &Package, findings: &mut Vec<Finding>) {
    let Some((_, allowed)) = DETERMINISTIC.iter().find(|(name, _)| *name == package.name) else {
        return;
    };
    for dependency in package.dependencies.iter().filter(|dependency| !dependency.dev) {
        if !allowed.contains(&dependency.name.as_str()) {
            findings.push(finding(
                package,
                format!(
                    "{} depends on {}: it must give the same bytes on every replica, so it may \
                     depend on {} only; a new one needs a decision record",
                    package.name,
                    dependency.name,
                    allowed.join(", "),
                ),
            ));
        }
    }
}

fn height(name: &str) -> Option<u8> {
    FLOORS.iter().find(|(known, _)| *known == name).map(|(_, height)| *height)
}

fn label(height: u8) -> String {
    match height % 10 {
        0 => format!("F{}", height / 10),
        step => format!("F{}.{step}", height / 10),
    }
}

fn finding(package: &Package, sentence: String) -> Finding {
    Finding::new("floors", &package.name, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Dependency;

    fn package(name: &str, dependencies: &[&str]) -> Package {
        let dependencies = dependencies
            .iter()
            .map(|name| Dependency { name: (*name).to_owned(), dev: false })
            .collect();
        Package { name: name.to_owned(), description: String::new(), dependencies }
    }

    /// The sentences about one package.
    fn sentences(name: &str, dependencies: &[&str]) -> Vec<String> {
        check(&[package(name, dependencies)]).into_iter().map(|found| found.sentence).collect()
    }

    #[test]
    fn imports_down_the_floors_are_allowed() {
        assert!(sentences("etibar-chain", &["etibar-ledger", "etibar-primitives"]).is_empty());
        assert!(sentences("etibar-api", &["etibar-edge", "etibar-chain", "axum"]).is_empty());
        assert!(sentences("etibar", &["etibar-api", "etibar-edge", "clap"]).is_empty());
        assert!(sentences("etibar-simulator", &["etibar", "commonware-runtime"]).is_empty());
    }

    #[test]
    fn an_import_up_is_refused() {
        let found = sentences("etibar-edge", &["etibar-api"]);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("etibar-edge (F3) imports etibar-api (F3.5): up."));
    }

    #[test]
    fn an_import_sideways_is_refused() {
        let found = sentences("etibar-client", &["etibar-chain"]);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("etibar-client (F2) imports etibar-chain (F2): sideways."));
    }

    #[test]
    fn an_import_sideways_for_tests_is_refused_too() {
        let mut client = package("etibar-client", &["etibar-chain"]);
        client.dependencies[0].dev = true;
        assert_eq!(check(&[client]).len(), 1);
    }

    #[test]
    fn nothing_imports_the_simulator() {
        assert_eq!(sentences("etibar", &["etibar-simulator"]).len(), 1);
    }

    #[test]
    fn a_crate_without_a_floor_is_refused() {
        assert!(sentences("etibar-surprise", &[])[0].contains("has no floor"));
    }

    #[test]
    fn only_three_crates_know_the_consensus_library() {
        assert!(sentences("etibar-client", &["commonware-consensus"]).is_empty());
        let found = sentences("etibar-api", &["commonware-runtime"]);
        assert!(found[0].contains("etibar-api depends on commonware-runtime"));
    }

    #[test]
    fn the_deterministic_crates_depend_on_a_short_list_outside_tests() {
        let mut ledger = package("etibar-ledger", &["etibar-primitives", "rand"]);
        let found = check(std::slice::from_ref(&ledger));
        assert!(found[0].sentence.contains("etibar-ledger depends on rand"));
        ledger.dependencies[1].dev = true;
        assert!(check(&[ledger]).is_empty());
    }
}
