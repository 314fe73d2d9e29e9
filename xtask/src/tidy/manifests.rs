//! What manifests and locks must say.

use super::Finding;
use super::files::File;
use crate::metadata::Package;
use serde_json::Value;

/// The public registry, as a lock of npm spells it. A lock may also leave the address out.
const NPM_REGISTRY: &str = "https://registry.npmjs.org/";
/// The program may end with any error; below it each domain has its own enum.
const PROGRAM: &str = "etibar";
const UNTYPED_ERRORS: &str = "anyhow";

/// Every package that does not say what it is.
pub(super) fn check_descriptions(packages: &[Package]) -> Vec<Finding> {
    let silent = packages.iter().filter(|package| package.description.trim().is_empty());
    silent
        .map(|package| {
            let sentence = "Cargo.toml has no description line".to_owned();
            Finding::new("description", &package.name, sentence)
        })
        .collect()
}

/// Every package but the program that ships errors without a type: a caller could not tell them
/// apart.
pub(super) fn check_errors(packages: &[Package]) -> Vec<Finding> {
    let typed = packages.iter().filter(|package| package.name != PROGRAM);
    let untyped = typed.filter(|package| {
        package.dependencies.iter().any(|found| found.name == UNTYPED_ERRORS && !found.dev)
    });
    untyped
        .map(|package| {
            let sentence = format!("depends on {UNTYPED_ERRORS}: give the domain its error enum");
            Finding::new("typed-errors", &package.name, sentence)
        })
        .collect()
}

/// Every package in a lock of npm that would come from elsewhere, or unchecked.
pub(super) fn check_lock(file: &File) -> Vec<Finding> {
    if !file.path.ends_with("package-lock.json") {
        return Vec::new();
    }
    let finding = |sentence: String| Finding::new("lock", &file.path, sentence);
    let lock: Value = match serde_json::from_str(&file.text) {
        Ok(lock) => lock,
        Err(error) => return vec![finding(format!("not JSON: {error}"))],
    };
    let Some(packages) = lock["packages"].as_object() else {
        return vec![finding("has no list of packages".to_owned())];
    };
    let mut findings = Vec::new();
    // The empty name is the project itself.
    for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
        if package["integrity"].as_str().is_none_or(str::is_empty) {
            findings.push(finding(format!("`{name}` has no integrity hash")));
        }
        let address = package["resolved"].as_str();
        if address.is_some_and(|address| !address.starts_with(NPM_REGISTRY)) {
            findings.push(finding(format!("`{name}` does not come from the public registry")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::files::Kind;
    use super::*;
    use crate::metadata::Dependency;

    fn lock(package: &str) -> Vec<Finding> {
        let text = format!("{{\"packages\": {{\"\": {{}}, \"node_modules/a\": {package}}}}}");
        let path = "consoles/package-lock.json".to_owned();
        check_lock(&File { path, kind: Kind::Settings, text })
    }

    #[test]
    fn a_package_without_a_description_is_found() {
        let silent = Package { name: "etibar-a".to_owned(), ..Package::default() };
        let found = check_descriptions(std::slice::from_ref(&silent));
        assert_eq!((found[0].rule, found[0].place.as_str()), ("description", "etibar-a"));
        let said = Package { description: "Says it.".to_owned(), ..silent };
        assert!(check_descriptions(&[said]).is_empty());
    }

    #[test]
    fn errors_without_a_type_are_found_outside_the_program_and_tests() {
        let package = |name: &str, dev| {
            let dependencies = vec![Dependency { name: "anyhow".to_owned(), dev }];
            Package { name: name.to_owned(), dependencies, ..Package::default() }
        };
        assert_eq!(check_errors(&[package("etibar-edge", false)])[0].rule, "typed-errors");
        assert!(check_errors(&[package("etibar-edge", true)]).is_empty());
        assert!(check_errors(&[package("etibar", false)]).is_empty());
    }

    #[test]
    fn a_lock_with_another_address_or_without_a_hash_is_found() {
        assert!(lock(r#"{"integrity": "sha512-a"}"#).is_empty());
        let public = r#"{"integrity": "sha512-a", "resolved": "https://registry.npmjs.org/a"}"#;
        assert!(lock(public).is_empty());
        let other = r#"{"integrity": "sha512-a", "resolved": "https://mirror.example/a"}"#;
        assert!(lock(other)[0].sentence.contains("does not come from the public registry"));
        assert!(lock("{}")[0].sentence.contains("has no integrity hash"));
    }
}
