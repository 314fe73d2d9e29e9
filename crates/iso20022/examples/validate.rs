//! Prints the report on files: `cargo run --release -p etibar-iso20022 --example validate --
//! FILE…`.
#![expect(clippy::print_stdout, reason = "the report is the purpose of this program")]

fn main() -> std::io::Result<()> {
    for file in std::env::args().skip(1) {
        for line in etibar_iso20022::validate(&std::fs::read(&file)?).lines(&file) {
            println!("{line}");
        }
    }
    Ok(())
}
