//! What processes use: CPU time, memory, disk, read from the kernel's own accounts.

use std::{fs, io, path::Path, time::Duration};

/// The kernel counts CPU time in hundredths of a second for user space.
const TICK: Duration = Duration::from_millis(10);

/// The CPU time of a process so far, user and system; zero when it is gone.
pub(crate) fn cpu_time(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The command name may hold spaces; the fields after its closing parenthesis do not.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u32 = fields.skip(11).take(2).filter_map(|field| field.parse::<u32>().ok()).sum();
    TICK * ticks
}

/// The largest resident memory of a process in bytes; zero when it is gone.
pub(crate) fn memory_peak(process: u32) -> u64 {
    memory_field(process, "VmHWM:")
}

/// The resident memory of a process in bytes; zero when it is gone.
pub(crate) fn memory(process: u32) -> u64 {
    memory_field(process, "VmRSS:")
}

fn memory_field(process: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

/// The bytes that the files below `folder` hold.
pub(crate) fn disk_bytes(folder: &Path) -> io::Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            // A store may drop a file while it is being counted.
            Err(gone) if gone.kind() == io::ErrorKind::NotFound => continue,
            Err(other) => return Err(other),
        };
        total += if metadata.is_dir() { disk_bytes(&entry.path())? } else { metadata.len() };
    }
    Ok(total)
}
