//! Messages per second on one core: `cargo run --release -p etibar-iso20022 --example speed --
//! FILE…`, each file validated, then read as a typed message where it is one.
#![expect(clippy::print_stdout, reason = "the figures are the purpose of this program")]

use std::time::{Duration, Instant};

/// How long each figure is measured.
const SPAN: Duration = Duration::from_secs(2);

fn main() -> std::io::Result<()> {
    for file in std::env::args().skip(1) {
        let bytes = std::fs::read(&file)?;
        let validated = per_second(|| etibar_iso20022::validate(&bytes).is_valid());
        let parsed = per_second(|| etibar_iso20022::parse(&bytes).is_ok());
        println!("{file}: {} bytes, {validated} validated/s, {parsed} parsed/s", bytes.len());
    }
    Ok(())
}

/// How often `work` runs in a second.
fn per_second(work: impl Fn() -> bool) -> u128 {
    let start = Instant::now();
    let mut count: u128 = 0;
    while start.elapsed() < SPAN {
        for _ in 0..100 {
            std::hint::black_box(work());
        }
        count += 100;
    }
    count * 1_000_000 / start.elapsed().as_micros()
}
