//! The program `etibar`: one binary, one role per command.
//!
//! Boundary: reads the command line and the configuration, builds the parts of a role from the
//! crates below and keeps them running. Deliberately absent: business rules, message formats,
//! anything that decides about money.
#![allow(clippy::print_stdout, reason = "a command line program answers on standard output")]

mod bench;
mod cli;
mod config;
mod failure;
mod genesis;
mod holder;
mod iso;
mod key;
mod privacy;
mod process;
mod receipt;
mod roles;
mod sample;
mod tour;
mod up;

use std::process::ExitCode;

use clap::Parser as _;

use crate::{
    cli::{Cli, Command, GenesisCommand, IsoCommand, ReceiptCommand},
    failure::Failure,
};

fn main() -> ExitCode {
    match dispatch(Cli::parse()) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("etibar: {failure}");
            if let Some(remedy) = failure.remedy() {
                eprintln!("  what to do: {remedy}");
            }
            ExitCode::FAILURE
        }
    }
}

fn dispatch(cli: Cli) -> Result<ExitCode, Failure> {
    match cli.command {
        Command::Up(arguments) => up::run(&arguments),
        Command::Validator(arguments) => roles::run_validator(&arguments),
        Command::Edge(arguments) => roles::run_edge(&arguments),
        Command::Agency(arguments) => roles::run_agency(&arguments),
        Command::Wallet(arguments) => roles::run_wallet(&arguments),
        Command::Holder(arguments) => holder::run(&arguments),
        Command::Tour(arguments) => tour::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Receipt(ReceiptCommand::Verify { file, genesis }) => {
            receipt::verify_file(&file, &genesis)
        }
        Command::Iso(IsoCommand::Validate { files }) => iso::validate_files(&files),
        Command::Key(command) => key::run(&command),
        Command::Genesis(GenesisCommand::Show { file }) => genesis::show(&file),
    }
}
