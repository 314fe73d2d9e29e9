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
}

/// Makes sure that `tool` is there.
pub(crate) fn ensure(root: &Path, tool: Tool) -> Result<(), Failure> {
    match tool {
        Tool::Chromium => ensure_debian("chromium", "chromium"),
        Tool::Xmllint => ensure_debian("xmllint", "libxml2-utils"),
        Tool::CargoDeny => ensure_cargo_deny(root),
        Tool::BrowserFiles => assets::fetch_if_stale(root),
    }
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
