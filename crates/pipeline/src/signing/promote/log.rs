//! The log of what was promoted from this machine: one JSON document a line, only ever added to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::record::Promotion;

/// A line of the log, and what `promote --json` says of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogEntry {
    /// `distil.promotion/v1`.
    pub schema: String,
    /// The digest of the image.
    pub digest: String,
    /// Where it is now.
    pub to: String,
    /// The SHA-256 of the signed statement that records it there.
    pub record: String,
    /// The same as in the statement.
    #[serde(flatten)]
    pub promotion: Promotion,
}

/// A log that can be written to.
#[derive(Debug)]
pub(super) struct Log {
    file: File,
}

/// Why a log cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} the log {}", distil_imgcore::Escaped::path(.path))]
pub struct LogError {
    /// What was tried.
    pub action: &'static str,
    /// The file.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

impl LogEntry {
    pub(super) fn new(digest: String, to: String, record: String, promotion: Promotion) -> Self {
        Self { schema: "distil.promotion/v1".to_owned(), digest, to, record, promotion }
    }
}

impl Log {
    /// Opens a log, which is made with its directory where it is missing.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(dir)?;
        // A pipe that nobody reads would hold the writer for ever.
        let without_waiting = i32::try_from(OFlags::NONBLOCK.bits()).map_err(io::Error::other)?;
        let is_new = !path.exists();
        let file = OpenOptions::new().read(true).append(true).create(true).custom_flags(without_waiting).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        if is_new {
            File::open(dir)?.sync_all()?;
        }
        Ok(Self { file })
    }

    /// Whether this very line is there.
    pub(super) fn has(&self, entry: &LogEntry) -> io::Result<bool> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        let mut lines = BufReader::new(file).split(b'\n');
        let is_it = |line: Vec<u8>| serde_json::from_slice::<LogEntry>(&line).is_ok_and(|found| found == *entry);
        lines.try_fold(false, |found, line| Ok(found || is_it(line?)))
    }

    /// Adds a line, which is on the disk when this returns. A line that a crash tore is ended first.
    pub(super) fn append(&mut self, entry: &LogEntry) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        // Whoever writes at the same time waits: the last byte must be the last one still when the line comes.
        self.file.lock()?;
        let written = self.is_torn().and_then(|torn| {
            if torn {
                line.insert(0, b'\n');
            }
            self.file.write_all(&line).and_then(|()| self.file.sync_all())
        });
        self.file.unlock()?;
        written
    }

    fn is_torn(&mut self) -> io::Result<bool> {
        if self.file.seek(SeekFrom::End(0))? == 0 {
            return Ok(false);
        }
        self.file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        self.file.read_exact(&mut last)?;
        Ok(last != *b"\n")
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::super::record::{PlaceKind, PolicyVerdict, Promoter, PromotionVerdict};
    use super::*;

    fn entry(number: usize) -> LogEntry {
        let promotion = Promotion {
            by: Promoter { key: "sha256:aa".into(), name: Some("Ann\nBob".into()) },
            from: PlaceKind::Layout,
            verdict: PromotionVerdict { threshold: 1, signers: Vec::new(), policy: PolicyVerdict::None },
            when: "2026-11-22T00:00:00Z".into(),
        };
        LogEntry::new(number.to_string(), "oci:dir:v1".into(), "sha256:bb".into(), promotion)
    }

    fn lines(path: &Path) -> Vec<LogEntry> {
        fs::read_to_string(path).unwrap().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    #[test]
    fn lines_are_added_and_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state/distil/log");
        for number in 0..3 {
            let mut log = Log::open(&path).unwrap();
            assert!(!log.has(&entry(number)).unwrap());
            log.append(&entry(number)).unwrap();
            assert!(log.has(&entry(number)).unwrap() && log.has(&entry(0)).unwrap());
        }
        assert_eq!(lines(&path), [entry(0), entry(1), entry(2)]);
    }

    #[test]
    fn a_torn_line_takes_no_other_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        Log::open(&path).unwrap().append(&entry(0)).unwrap();
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(file.metadata().unwrap().len() - 5).unwrap();
        Log::open(&path).unwrap().append(&entry(1)).unwrap();
        assert_eq!(lines(&path), [entry(1)]);
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
    }

    #[test]
    fn writers_at_the_same_time_do_not_mix() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        thread::scope(|scope| {
            for writer in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    (0..25).for_each(|number| Log::open(path).unwrap().append(&entry(writer * 25 + number)).unwrap());
                });
            }
        });
        let mut found: Vec<usize> = lines(&path).iter().map(|entry| entry.digest.parse().unwrap()).collect();
        found.sort_unstable();
        assert_eq!(found, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_no_file_is_refused() {
        assert!(Log::open(Path::new("/dev/null")).is_err());
        let dir = tempfile::tempdir().unwrap();
        assert!(Log::open(dir.path()).is_err());
    }
}
