//! The workspace's own commands.
//!
//! Boundary: builds, starts and checks the project; knows no business rule and no crate's API.
//! It is not part of any release. Deliberately absent: deployment, which `deploy/` holds.
#![allow(clippy::print_stdout, reason = "a command line program answers on standard output")]

mod assets;
mod failure;
mod floors;
mod metadata;
mod steps;
mod tidy;
mod tools;
mod up;
mod workspace;

use failure::Failure;
use std::process::ExitCode;

const HELP: &str = "\
Usage: cargo xtask <command>

  up [args…]           fetch the browser files if needed, build, and run `etibar up args…`
  test                 every check the project has, in order; ends with `N passed, N failed`
  test --only <step>   one step (may be repeated); `test --list` names the steps
  tidy                 sizes, words, links, manifests and floors
  assets               fetch the browser files of consoles/package-lock.json again
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        // Its summary is the last line.
        Err(Failure::Steps) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<(), Failure> {
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", arguments),
    };
    match command {
        "up" => up::run(rest),
        "test" => steps::run(rest),
        "tidy" => tidy::run(),
        "assets" => assets::fetch(&workspace::root()?),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        unknown => Err(Failure::Usage(format!("no command `{unknown}`; see `cargo xtask help`"))),
    }
}
