//! The tools that tests need, installed where we may, named where we may not.

use crate::failure::Failure;
use crate::{assets, workspace};
use std::path::Path;
use std::process::Command;

/// The licence check, at a version whose settings `deny.toml` follows.
const CARGO_DENY_VERSION: &str = "0.20.2";

/// A tool that a step needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    /// Opens the pages.
    Chromium,
    /// Checks our XML against the published schemas, independently of us.
    Xmllint,
    /// Checks licences, bans and sources.
    CargoDeny,
    /// The pages' own files, and the packages that drive the browser.
    BrowserFiles,
    /// A security module in software, for the tests of keys that leave none.
    SoftHsm,
    /// Python with its virtual environments, for independent implementations.
    Python,
    /// Node.js with npm, for independent implementations.
    Node,
}

/// Makes sure that `tool` is there.
pub(crate) fn ensure(root: &Path, tool: Tool) -> Result<(), Failure> {
    match tool {
        Tool::Chromium => ensure_debian("chromium", "chromium"),
        Tool::Xmllint => ensure_debian("xmllint", "libxml2-utils"),
        Tool::CargoDeny => ensure_cargo_deny(root),
        Tool::BrowserFiles => assets::fetch_if_stale(root),
        Tool::SoftHsm => ensure_debian("softhsm2-util", "softhsm2"),
        Tool::Python => ensure_python(),
        Tool::Node => ensure_node(),
    }
}

/// Debian has the environments in a package of their own, so having Python is not enough.
fn ensure_python() -> Result<(), Failure> {
    let remedy = "install Python 3.10 or newer with its module venv, on Debian the package \
                  python3-venv";
    let mut python = Command::new("python3");
    let found = workspace::capture(python.args(["-c", "import ensurepip, venv"]));
    found.map(drop).map_err(|_| Failure::Missing { tool: "python3", remedy: remedy.to_owned() })
}

fn ensure_node() -> Result<(), Failure> {
    for tool in ["node", "npm"] {
        if workspace::find(tool).is_none() {
            let remedy = "install Node.js 20 or newer with npm".to_owned();
            return Err(Failure::Missing { tool, remedy });
        }
    }
    Ok(())
}

fn ensure_debian(program: &'static str, package: &str) -> Result<(), Failure> {
    if workspace::find(program).is_some() {
        return Ok(());
    }
    if !may_install() {
        let remedy = format!("install it, on Debian with `apt-get install {package}` as root");
        return Err(Failure::Missing { tool: program, remedy });
    }
    println!("installing {package}");
    workspace::run(apt_get().args(["update", "--quiet=2"]))?;
    workspace::run(apt_get().args([
        "install",
        "--yes",
        "--quiet=2",
        "--no-install-recommends",
        package,
    ]))
}

/// Only root may, and only where Debian's tool is.
fn may_install() -> bool {
    let user = workspace::capture(Command::new("id").arg("-u"));
    workspace::find("apt-get").is_some() && user.is_ok_and(|user| user.trim() == "0")
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Built without optimisation: the check itself takes seconds, the optimised build minutes.
fn ensure_cargo_deny(root: &Path) -> Result<(), Failure> {
    if workspace::capture(workspace::cargo(root).args(["deny", "--version"])).is_ok() {
        return Ok(());
    }
    println!("installing cargo-deny {CARGO_DENY_VERSION}: some minutes, once");
    let mut cargo = workspace::cargo(root);
    cargo.args(["install", "cargo-deny", "--locked", "--debug", "--version", CARGO_DENY_VERSION]);
    cargo.env("CARGO_PROFILE_DEV_DEBUG", "0");
    workspace::run(&mut cargo)
}
