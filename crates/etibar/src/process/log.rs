//! Log files that do not grow without end.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Bytes of one log file; the one before is kept beside it, so a process has at most twice this.
pub(crate) const LOG_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// A file that lines are appended to. When it is full it becomes `….log.1` and a new one begins.
#[derive(Debug)]
pub(crate) struct CappedLog {
    path: PathBuf,
    file: File,
    bytes: u64,
    bytes_max: u64,
}

impl CappedLog {
    /// Opens the file at its end.
    pub(crate) fn open(path: &Path, bytes_max: u64) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path: path.into(), file, bytes, bytes_max })
    }

    /// Appends a line, with its line break.
    pub(crate) fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
        if self.bytes > 0 && self.bytes.saturating_add(length) > self.bytes_max {
            let mut older = self.path.clone().into_os_string();
            older.push(".1");
            fs::rename(&self.path, older)?;
            *self = Self::open(&self.path, self.bytes_max)?;
        }
        self.file.write_all(line)?;
        self.bytes = self.bytes.saturating_add(length);
        Ok(())
    }
}

/// The last line of a log that is not empty, for an error message.
pub(crate) fn last_line(path: &Path) -> Option<String> {
    let text = fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&text);
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_log_is_put_aside_and_a_new_one_begins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let mut log = CappedLog::open(&path, 10).unwrap();
        for line in ["first\n", "2nd\n", "third\n", "4th\n"] {
            log.append(line.as_bytes()).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "third\n4th\n");
        let older = fs::read_to_string(folder.path().join("a.log.1")).unwrap();
        assert_eq!(older, "first\n2nd\n");
        assert_eq!(last_line(&path).as_deref(), Some("4th"));
    }
}
