//! What cargo knows about the packages of this workspace.

use crate::failure::Failure;
use crate::workspace;
use serde_json::Value;
use std::path::Path;

/// One package of the workspace.
#[derive(Debug, Clone, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One direct dependency, of any kind.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// True for tests and examples only.
    pub(crate) dev: bool,
}

/// The packages of the workspace, in cargo's order.
pub(crate) fn packages(root: &Path) -> Result<Vec<Package>, Failure> {
    let mut cargo = workspace::cargo(root);
    cargo.args(["metadata", "--no-deps", "--format-version", "1"]);
    parse(&workspace::capture(&mut cargo)?)
}

fn parse(text: &str) -> Result<Vec<Package>, Failure> {
    let form = |reason: String| Failure::Form { what: "cargo metadata".to_owned(), reason };
    let value: Value = serde_json::from_str(text).map_err(|error| form(error.to_string()))?;
    match value["packages"].as_array() {
        Some(packages) => Ok(packages.iter().map(package).collect()),
        None => Err(form("has no list of packages".to_owned())),
    }
}

fn package(value: &Value) -> Package {
    let dependencies = value["dependencies"].as_array().map_or(&[][..], Vec::as_slice);
    Package {
        name: text(&value["name"]),
        description: text(&value["description"]),
        dependencies: dependencies.iter().map(dependency).collect(),
    }
}

fn dependency(value: &Value) -> Dependency {
    Dependency { name: text(&value["name"]), dev: value["kind"] == "dev" }
}

/// Absent and null read as the empty text.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_with_the_kind_of_each_dependency() {
        let text = r#"{"packages": [{"name": "etibar-a", "description": null, "dependencies": [
            {"name": "serde", "kind": null}, {"name": "proptest", "kind": "dev"}]}]}"#;
        let packages = parse(text).unwrap();
        assert_eq!(packages[0].name, "etibar-a");
        assert_eq!(packages[0].description, "");
        let kinds: Vec<bool> = packages[0].dependencies.iter().map(|found| found.dev).collect();
        assert_eq!(kinds, [false, true]);
    }

    #[test]
    fn an_answer_without_packages_is_refused() {
        assert!(parse("{}").is_err());
    }
}
