//! `etibar receipt verify`: what a receipt proves, from the genesis alone.

use std::{fs, path::Path, process::ExitCode};

use etibar_client::verify_receipt;

use crate::{
    failure::{self, Failure},
    genesis,
};

/// Verifies a receipt file and prints what it proves.
pub(crate) fn verify_file(receipt: &Path, genesis: &Path) -> Result<ExitCode, Failure> {
    let genesis = genesis::read(genesis)?;
    let bytes = fs::read(receipt).map_err(failure::file("read", receipt))?;
    match verify_receipt(&genesis, &bytes) {
        Ok(proven) => {
            println!("{}", proven.sentence());
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => Err(Failure::Receipt {
            path: receipt.into(),
            code: error.code(),
            why: error.to_string(),
        }),
    }
}
