//! The reference verdict: `xmllint --noout --schema`, part by part.

use std::path::{Path, PathBuf};
use std::process::Command;

use etibar_iso20022::{Report, Verdict};

/// The folder of ISO 20022 material: `ETIBAR_ISO20022`, or `../shared/iso20022` beside the
/// checkout. It holds schemas in `xsd/` and messages in `samples/`.
pub(crate) fn folder() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/iso20022");
    let folder = std::env::var_os("ETIBAR_ISO20022").map_or_else(beside, PathBuf::from);
    folder.join("xsd").is_dir().then_some(folder)
}
