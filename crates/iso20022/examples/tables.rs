//! Regenerates `schemas/messages.table`: `cargo run --release -p etibar-iso20022 --example tables
//! -- XSD_FOLDER`. The folder holds one `*.xsd` file for each message.

use std::path::Path;

#[path = "../tests/support/generator.rs"]
mod generator;

fn main() -> std::io::Result<()> {
    let folder = std::env::args_os().nth(1).expect("the first argument is the folder of schemas");
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/messages.table");
    std::fs::write(table, generator::generate(Path::new(&folder)))
}
