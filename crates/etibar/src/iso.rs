//! `etibar iso validate`: ISO 20022 files against their schemas.

use std::{fs, path::PathBuf, process::ExitCode};

use etibar_iso20022::validate;

use crate::failure::{self, Failure};

/// Prints the verdict on every part of every file; fails when one of them is not valid.
pub(crate) fn validate_files(files: &[PathBuf]) -> Result<ExitCode, Failure> {
    let mut all_valid = true;
    for path in files {
        let bytes = fs::read(path).map_err(failure::file("read", path))?;
        let report = validate(&bytes);
        for line in report.lines(&path.display().to_string()) {
            println!("{line}");
        }
        all_valid &= report.is_valid();
    }
    Ok(if all_valid { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
