//! `cargo xtask test`: every check of the project, in order.
//!
//! All of it builds in the release profile, so that dependencies compile once.

use crate::failure::Failure;
use crate::tools::{self, Tool};
use crate::{tidy, workspace};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// One check.
struct Step {
    name: &'static str,
    needs: &'static [Tool],
    run: fn(&Path) -> Result<(), Failure>,
}

const STEPS: [Step; 8] = [
    Step { name: "fmt", needs: &[], run: format },
    Step { name: "clippy", needs: &[Tool::BrowserFiles], run: clippy },
    Step { name: "deny", needs: &[Tool::CargoDeny], run: deny },
    Step { name: "tidy", needs: &[], run: |_| tidy::run() },
    Step { name: "test", needs: &[Tool::BrowserFiles, Tool::Xmllint, Tool::SoftHsm], run: test },
    Step {
        name: "peers",
        needs: &[Tool::Python, Tool::Node, Tool::BrowserFiles, Tool::SoftHsm],
        run: peers,
    },
    Step { name: "browser", needs: &[Tool::BrowserFiles, Tool::Chromium], run: browser },
    Step { name: "tour", needs: &[Tool::BrowserFiles], run: tour },
];

/// Runs the steps that `arguments` select, all of them without arguments.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let root = workspace::root()?;
    if arguments == ["--list"] {
        for step in &STEPS {
            println!("{}", step.name);
        }
        return Ok(());
    }
    let selected = select(arguments)?;
    let (mut passed, mut failed) = (0_usize, 0_usize);
    for step in selected {
        if perform(step, &root) {
            passed += 1;
        } else {
            failed += 1;
        }
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 { Ok(()) } else { Err(Failure::Steps) }
}

/// The steps named by `--only`, in the order of the list.
fn select(arguments: &[String]) -> Result<Vec<&'static Step>, Failure> {
    let mut names = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match (argument.as_str(), rest.next()) {
            ("--only", Some(name)) if STEPS.iter().any(|step| step.name == name) => {
                names.push(name.as_str());
            }
            ("--only", Some(name)) => return Err(Failure::Usage(format!("no step `{name}`"))),
            ("--only", None) => return Err(Failure::Usage("`--only` needs a step".to_owned())),
            (other, _) => return Err(Failure::Usage(format!("unknown argument `{other}`"))),
        }
    }
    Ok(STEPS.iter().filter(|step| names.is_empty() || names.contains(&step.name)).collect())
}

/// True if the tools are there and the check passes.
fn perform(step: &Step, root: &Path) -> bool {
    println!("== {} ==", step.name);
    let start = Instant::now();
    let tools = step.needs.iter().try_for_each(|tool| tools::ensure(root, *tool));
    let result = tools.and_then(|()| (step.run)(root));
    let elapsed = start.elapsed();
    match &result {
        Ok(()) => println!("-- {} passed in {elapsed:.1?}", step.name),
        Err(failure) => println!("-- {} FAILED in {elapsed:.1?}: {failure}", step.name),
    }
    result.is_ok()
}

fn format(root: &Path) -> Result<(), Failure> {
    workspace::run(workspace::cargo(root).args(["fmt", "--all", "--check"]))
}

fn deny(root: &Path) -> Result<(), Failure> {
    let mut cargo = workspace::cargo(root);
    // The graph that leads to each finding fills thousands of lines; ask for it by hand.
    cargo.args(["deny", "--all-features", "check", "--hide-inclusion-graph"]);
    workspace::run(cargo.args(["bans", "licenses", "sources"]))
}

fn clippy(root: &Path) -> Result<(), Failure> {
    let mut cargo = workspace::cargo(root);
    cargo.args(["clippy", "--release", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    workspace::run(&mut cargo)
}

fn test(root: &Path) -> Result<(), Failure> {
    workspace::run(workspace::cargo(root).args([
        "test",
        "--release",
        "--workspace",
        "--no-fail-fast",
    ]))
}

/// Independent implementations of the standards judge our messages, and we theirs.
fn peers(root: &Path) -> Result<(), Failure> {
    workspace::run(Command::new("bash").arg("tests/peers/run").current_dir(root))
}

/// The consoles and the wallet, each against a network of its own. One that fails does not keep
/// the other from being looked at.
fn browser(root: &Path) -> Result<(), Failure> {
    build_program(root)?;
    let run = |script: &str| {
        let mut node = Command::new("node");
        workspace::run(node.arg(script).current_dir(root.join("consoles")))
    };
    let (consoles, wallet) = (run("tests/run.mjs"), run("tests/wallet.mjs"));
    consoles.and(wallet)
}

/// The guided tour of the sample country checks each of its own steps, and ends with success
/// only if all of them hold.
fn tour(root: &Path) -> Result<(), Failure> {
    build_program(root)?;
    let mut program = Command::new(root.join("target/release/etibar"));
    let lines = workspace::capture(program.args(["tour", "--json"]).current_dir(root))?;
    print!("{lines}");
    check_tour(&lines)
}

/// Every line is a JSON object, and there is at least one.
fn check_tour(lines: &str) -> Result<(), Failure> {
    let form = |reason: String| Failure::Form { what: "etibar tour --json".to_owned(), reason };
    if lines.trim().is_empty() {
        return Err(form("printed nothing".to_owned()));
    }
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        let value: serde_json::Value =
            serde_json::from_str(line).map_err(|error| form(format!("`{line}`: {error}")))?;
        if !value.is_object() {
            return Err(form(format!("`{line}` is not an object")));
        }
    }
    Ok(())
}

/// Builds the program together with the tests: built by itself, its dependencies would have other
/// features than in the tests and be compiled a second time.
fn build_program(root: &Path) -> Result<(), Failure> {
    let mut cargo = workspace::cargo(root);
    workspace::run(cargo.args(["test", "--release", "--workspace", "--no-run", "--quiet"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(arguments: &[&str]) -> Vec<&'static str> {
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        select(&arguments).unwrap().into_iter().map(|step| step.name).collect()
    }

    #[test]
    fn all_steps_run_in_their_order_without_a_selection() {
        let all = ["fmt", "clippy", "deny", "tidy", "test", "peers", "browser", "tour"];
        assert_eq!(names(&[]), all);
        assert_eq!(names(&["--only", "test", "--only", "fmt"]), ["fmt", "test"]);
    }

    #[test]
    fn an_unknown_step_or_argument_is_refused() {
        for wrong in [&["--only", "nothing"][..], &["--only"], &["fmt"]] {
            let arguments: Vec<String> = wrong.iter().map(|text| (*text).to_owned()).collect();
            assert!(select(&arguments).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_tour_must_print_objects() {
        assert!(check_tour("{\"step\": 1}\n{\"step\": 2}\n").is_ok());
        for wrong in ["", "words\n", "1\n"] {
            assert!(check_tour(wrong).is_err(), "{wrong:?}");
        }
    }
}
