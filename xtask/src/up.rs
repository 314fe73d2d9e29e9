//! `cargo xtask up`: from a fresh checkout to a running network.

use crate::failure::Failure;
use crate::{assets, workspace};
use std::os::unix::process::CommandExt;

/// Fetches the browser files if needed, builds the program, and becomes it.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let root = workspace::root()?;
    if let Err(failure) = assets::fetch_if_stale(&root) {
        eprintln!("xtask: {failure}");
        eprintln!("xtask: going on without the browser files: the pages work, but the charts");
        eprintln!("xtask: and numbers do not move by themselves until `cargo xtask assets` works");
    }
    let mut command = workspace::cargo(&root);
    command.args(["run", "--release", "--package", "etibar", "--", "up"]).args(arguments);
    // Becoming the program, not its parent, lets every signal reach it.
    let source = command.exec();
    Err(workspace::start_failure(&command, source))
}
