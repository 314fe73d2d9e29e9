//! Where the workspace is, and how its programs are run.

use crate::failure::Failure;
use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the workspace: the parent of this package, as cargo tells at run time.
pub(crate) fn root() -> Result<PathBuf, Failure> {
    let package = env::var_os("CARGO_MANIFEST_DIR").ok_or_else(|| {
        Failure::Usage("start this through cargo: `cargo xtask <command>`".to_owned())
    })?;
    match Path::new(&package).parent() {
        Some(root) => Ok(root.to_owned()),
        None => Err(Failure::Usage("the xtask package has no parent folder".to_owned())),
    }
}

/// A command for the cargo that runs us, in the workspace.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// Runs `command` with our own terminal and waits for its end.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let status = command.status().map_err(|source| start_failure(command, source))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::Program { line: line(command), status: status.to_string() })
}

/// Runs `command`, and gives what it wrote on standard output.
pub(crate) fn capture(command: &mut Command) -> Result<String, Failure> {
    let output = command
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|source| start_failure(command, source))?;
    if !output.status.success() {
        // What it said before it failed is the best hint at why.
        print!("{}", String::from_utf8_lossy(&output.stdout));
        return Err(Failure::Program { line: line(command), status: output.status.to_string() });
    }
    String::from_utf8(output.stdout)
        .map_err(|error| Failure::Form { what: line(command), reason: error.to_string() })
}

/// The path of `program` on the search path, if it is there.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The text of a file.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|source| Failure::File { path: path.display().to_string(), source })
}

/// The failure of a program that did not start.
pub(crate) fn start_failure(command: &Command, source: std::io::Error) -> Failure {
    Failure::Start { program: command.get_program().to_string_lossy().into_owned(), source }
}

fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut line = program.file_name().map_or_else(String::new, lossy);
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&lossy(argument));
    }
    line
}

fn lossy(text: &OsStr) -> String {
    text.to_string_lossy().into_owned()
}
